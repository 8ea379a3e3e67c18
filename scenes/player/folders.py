"""A folder that a command makes aside and puts in the place of the one it made before, never of somebody else's."""

from __future__ import annotations

import shutil
from pathlib import Path


def is_foreign(folder: Path, mark: str) -> bool:
    """Whether something else stands there than nothing, an empty folder, or one with the file ``mark`` in it."""
    return folder.exists() and not (folder / mark).is_file() and (not folder.is_dir() or any(folder.iterdir()))


def put(made: Path, target: Path) -> None:
    """Move a whole folder into its place; what stood there goes only when the new one is there."""
    before = target.with_name(f".{target.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    if target.exists():
        target.rename(before)
    made.rename(target)
    shutil.rmtree(before, ignore_errors=True)
