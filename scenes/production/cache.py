"""Drawn scenes, kept by what they were drawn from.

``<cache>/production/parts/<key>/<reads>/`` holds ``scene.mp4``, ``poster.png`` and ``part.json``. A part is used only
if its files have the checksums that ``part.json`` says and every run and number that the scene read is still the same.
Parts are made in ``<cache>/production/work/<process>`` and moved here whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from explainers import paths
from scenes.door import Read
from scenes.report import SceneReport

FORMAT = 1
FILES = ("scene.mp4", "poster.png")
#: Parts that were not used for the longest time go when there are more bytes than this.
LIMIT_BYTES = 8 * 10**9


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


def find(key: str) -> Part | None:
    """The part of a key whose reads still hold; damaged parts are removed on the way."""
    for folder in sorted((root() / "parts" / key).glob("*")):
        part = read_part(folder)
        if part is None:
            shutil.rmtree(folder, ignore_errors=True)
        elif all(Read.from_json(read).holds() for read in part.report.reads):
            os.utime(folder)  # used: the last to be pruned
            return part
    return None


def keep(key: str, folder: Path) -> Part:
    """Move a sealed folder into the cache."""
    part = read_part(folder)
    if part is None:
        raise OSError(f"{folder} was not written whole")
    reads = hashlib.sha256(json.dumps(part.report.reads, sort_keys=True).encode()).hexdigest()[:16]
    target = root() / "parts" / key / reads
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    try:
        folder.rename(target)
    except OSError:  # another process kept the same part a moment ago
        if read_part(target) is None:
            raise
    return Part(target, part.report)


@contextmanager
def workspace() -> Iterator[Path]:
    """A folder for what is being made; it is gone afterwards, and so are those of processes that were killed."""
    work = root() / "work"
    work.mkdir(parents=True, exist_ok=True)
    for left in work.glob("*-*"):
        if not _alive(left.name.partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=work))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prune(limit: int = LIMIT_BYTES) -> None:
    """Remove the parts that were not used for the longest time until ``limit`` bytes are left."""
    found = sorted((root() / "parts").glob("*/*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    total = 0
    for folder in found:
        total += sum(file.stat().st_size for file in folder.glob("*"))
        if total > limit:
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: str) -> bool:
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
