"""A film that lies where it was made, whole, and that would come out the same, is not put together again.

``<cache>/production/films/`` notes for each folder of a film what it was made of, and the checksums of its files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from explainers.runs import context
from explainers.traces import write_aside
from scenes import look
from scenes.production import cache
from scenes.production.cache import Part
from scenes.production.code_facts import facts
from scenes.production.plan import versions
from scenes.production.settings import Options
from scenes.production.source import reach, shown_path
from scenes.registry import Selection


def made_of(selection: Selection, parts: Sequence[Part], options: Options) -> str:
    """A digest of everything that a silent film depends on."""
    lecture = selection.lecture
    about = [
        selection.name,
        selection.whole,
        [lecture.number, lecture.title, lecture.question, lecture.lang, dict(lecture.about)],
        [entry.section.heading for entry in selection.entries],
        [(part.folder / "part.json").read_text(encoding="utf-8") for part in parts],  # reports and checksums
        [options.quality, asdict(options.picture), look.name(), context().overrides()],
        [versions(), platform.python_version()],
        [(shown_path(path), facts(path).digest) for path in sorted(reach(Path(__file__).with_name("assemble.py")))],
    ]
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()


def lies_there(folder: Path, key: str, files: Sequence[str]) -> bool:
    """Whether a folder holds the film of this key, every file as it was written."""
    try:
        noted = json.loads(_note(folder).read_text(encoding="utf-8"))
        return bool(noted == {"key": key, "files": {name: _digest(folder / name) for name in files}})
    except (OSError, ValueError):
        return False


def note(folder: Path, key: str, files: Sequence[str]) -> None:
    """Note that a folder holds the film of this key."""
    noted = {"key": key, "files": {name: _digest(folder / name) for name in files}}
    with contextlib.suppress(OSError):  # the film is there; it will be put together once more
        write_aside(_note(folder), json.dumps(noted).encode())


def _note(folder: Path) -> Path:
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return cache.root() / "films" / f"{place}.json"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
