"""Sound that was made once: kept under what it was made of, forgotten when it was not asked for for long."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from explainers import paths
from explainers.traces import write_aside
from scenes.voices.listening import Samples

#: What was not used for the longest time goes when there are more bytes than this.
LIMIT_BYTES = 2 * 10**9
_FULL = 32767
Arrays = Mapping[str, NDArray[Any]]


def remembered(made_of: Iterable[bytes], make: Callable[[], Arrays | None]) -> Arrays | None:
    """The arrays that ``make`` gives, or gave before from the same; None (nothing to keep) is asked again."""
    digest = hashlib.sha256()
    for part in made_of:
        digest.update(len(part).to_bytes(8, "big") + part)
    file = folder() / f"{digest.hexdigest()[:32]}.npz"
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError, BadZipFile), np.load(file) as kept:
        found = {name: kept[name] for name in kept.files}
        os.utime(file)
        return found
    made = make()
    if made is not None:
        content = io.BytesIO()
        np.savez(content, **made)  # type: ignore[arg-type]  # its names are not those of its options
        write_aside(file, content.getvalue())
    return made


def packed(samples: Samples) -> NDArray[np.int16]:
    """Samples as they are kept: 16 bits, half the room."""
    return np.round(np.clip(samples, -1, 1) * _FULL).astype(np.int16)


def unpacked(samples: NDArray[Any]) -> Samples:
    """Samples again."""
    return (samples / np.float32(_FULL)).astype(np.float32)


def folder() -> Path:
    """Where it is kept."""
    return paths.cache() / "voices"


def prune(limit: int = LIMIT_BYTES) -> None:
    """Forget what was not used for the longest time, until so many bytes are left."""
    total = 0
    for file in sorted(folder().glob("*.npz"), key=lambda file: -file.stat().st_mtime):
        total += file.stat().st_size
        if total > limit:
            file.unlink(missing_ok=True)
