"""Drawn scenes, kept by what they were drawn from.

``<cache>/production/parts/<key>/<reads>/`` holds ``scene.mp4``, ``poster.png``, ``part.json``, and ``why.json``: what
the key was made of and why the scene was drawn. A part is used only if its files have the checksums that ``part.json``
says and every run and number that the scene read is still the same. Parts are made in
``<cache>/production/work/<process>@<machine>`` and moved here whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explainers import paths
from explainers.errors import ExplainError
from scenes.door import Read
from scenes.production.causes import cause
from scenes.report import SceneReport

FORMAT = 1
FILES = ("scene.mp4", "poster.png")
WHY = "why.json"
#: Parts that were not used for the longest time go when there are more bytes than this.
LIMIT_BYTES = 8 * 10**9
#: Machines that share a disk may share the cache: numbers of processes are those of one machine.
_HERE = f"@{platform.node()}"


@dataclass(frozen=True)
class Part:
    """A drawn scene in the cache."""

    folder: Path
    report: SceneReport

    @property
    def video(self) -> Path:
        return self.folder / "scene.mp4"

    @property
    def poster(self) -> Path:
        return self.folder / "poster.png"


def root() -> Path:
    """The folder of drawn scenes and of what is being drawn."""
    return paths.cache() / "production"


def write_part(folder: Path, report: SceneReport) -> None:
    """Seal a folder that holds `FILES`: write ``part.json`` with the report and all checksums, last."""
    content = {"format": FORMAT, "report": report.to_json(), "files": {name: _digest(folder / name) for name in FILES}}
    content["checksum"] = _checksum(content)
    (folder / "part.json").write_text(json.dumps(content, sort_keys=True), encoding="utf-8")


def read_part(folder: Path) -> Part | None:
    """A part whose checksums hold, or None."""
    try:
        content = json.loads((folder / "part.json").read_text(encoding="utf-8"))
        checksum = content.pop("checksum")
        if content["format"] != FORMAT or checksum != _checksum(content):
            return None
        if any(_digest(folder / name) != known for name, known in content["files"].items()):
            return None
        return Part(folder, SceneReport.from_json(content["report"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find(key: str, known: dict[Read, bool] | None = None) -> Part | None:
    """The part of a key whose reads still hold; damaged parts are removed on the way.

    ``known``: reads that were looked at just now, and whether they hold; others are added.
    """
    known = {} if known is None else known

    def holds(read: Read) -> bool:
        if read not in known:
            known[read] = read.holds()
        return known[read]

    for folder in sorted((root() / "parts" / key).glob("*")):
        part = read_part(folder)
        if part is None:
            shutil.rmtree(folder, ignore_errors=True)
            if folder.is_file():
                folder.unlink(missing_ok=True)
        elif all(holds(Read.from_json(read)) for read in part.report.reads):
            with contextlib.suppress(OSError):
                os.utime(folder)  # used: the last to be pruned
            return part
    return None


def keep(key: str, folder: Path, why: Mapping[str, Any] | None = None) -> Part:
    """Move a sealed folder into the cache. Two renders may keep the same part at once: either's is as good."""
    part = read_part(folder)
    if part is None:
        raise OSError(f"{folder} was not written whole")
    (folder / WHY).write_text(json.dumps(why or {}, sort_keys=True), encoding="utf-8")
    reads = hashlib.sha256(json.dumps(part.report.reads, sort_keys=True).encode()).hexdigest()[:16]
    target = root() / "parts" / key / reads
    if target.parent.is_file():  # not of ours
        target.parent.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(3):
        try:
            folder.rename(target)
            break
        except OSError:  # something is there: another process kept the same part, or it is damaged
            if (there := read_part(target)) is not None:
                return there
            aside = _folder(root() / "work") / "old"
            with contextlib.suppress(OSError):
                target.rename(aside)
            shutil.rmtree(aside.parent, ignore_errors=True)
    else:
        raise OSError(f"cannot move {folder} to {target}")
    return Part(target, part.report)


@contextmanager
def workspace() -> Iterator[Path]:
    """A folder for what is being made; it is gone afterwards, and so are those of processes that were killed."""
    work = root() / "work"
    try:
        work.mkdir(parents=True, exist_ok=True)
        folder = _folder(work)
    except OSError as error:
        raise ExplainError(f"the cache at {root()} cannot be written: {cause(error)}") from error
    for left in work.glob("*@*-*"):
        owner = left.name.rpartition("-")[0]  # a machine's name may have hyphens, what comes after it has none
        if owner.endswith(_HERE) and not alive(owner.removesuffix(_HERE)):
            shutil.rmtree(left, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder(work: Path) -> Path:
    """A new folder that is named after this process."""
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}{_HERE}-", dir=work))


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Inside, no other render of this user writes into ``folder``; a killed one holds nothing up."""
    locks = root() / "turns"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Kept:
    """A part as it lies in the cache: not checked. ``why`` is what `keep` was told."""

    folder: Path
    bytes: int
    used: float
    why: Mapping[str, Any]


def kept() -> list[Kept]:
    """Every part, the last used first."""
    found = []
    for folder in (root() / "parts").glob("*/*"):
        with contextlib.suppress(OSError):  # another process removes it at this moment
            try:
                why = json.loads((folder / WHY).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                why = {}
            ours = isinstance(why, dict) and isinstance(why.get("ingredients"), dict)
            size = sum(file.stat().st_size for file in folder.glob("*"))
            found.append(Kept(folder, size, folder.stat().st_mtime, why if ours else {}))
    return sorted(found, key=lambda part: -part.used)


def prune(limit: int = LIMIT_BYTES) -> tuple[int, int]:
    """Remove the parts that were not used for the longest time until ``limit`` bytes are left: number, bytes."""
    total = count = freed = 0
    for part in kept():
        total += part.bytes
        if total > limit:
            shutil.rmtree(part.folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                part.folder.parent.rmdir()
            count, freed = count + 1, freed + part.bytes
    return count, freed


def alive(process: str) -> bool:
    """Whether a process of this number is there."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checksum(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
