"""``explain diff``: which steps look different since a revision of the clone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explainers.errors import ExplainError
from explainers.runs import CATALOGUE
from scenes import script
from scenes.audit.checking import chosen
from scenes.production import plan, source
from scenes.production.settings import Options
from scenes.registry import Course, SceneEntry

_ROOT = Path(__file__).resolve().parents[2]
#: A channel that differs by more than this counts, and so many pixels of a picture of 480 rows must.
_SHADE, _PIXELS = 12, 24
QUALITY = "480p"

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Change:
    """A step that looks different; None where the step is not there before or after."""

    scene: str
    step: int
    before: Pixels | None
    after: Pixels | None
    pixels: int = 0


@dataclass
class Comparison:
    """What was compared with a revision, and what came out. ``failed``: scene → why it could not be looked at."""

    revision: str
    looked: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def compare(
    revision: str, targets: Sequence[str] = (), tell: Callable[[str], None] = lambda line: None, root: Path = _ROOT
) -> Comparison:
    """Look at every scene whose inputs changed since ``revision``, then and now."""
    commit = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
    if not commit:
        raise ExplainError(f"{revision!r} is no revision of {root}; name a commit, a branch or a tag")
    course = Course(root / "lecture_scripts", root / "scenes" / "lectures")
    _, keys = chosen(targets, course)
    found = Comparison(commit[:10] if commit.startswith(revision) else f"{revision} ({commit[:10]})")
    with _checked_out(root, commit) as old, tempfile.TemporaryDirectory(prefix="explain-diff-") as folder:
        then = _keys(old)
        touched = Touched(root, commit, old)
        for key in [*keys, *(key for key in then if not targets and key not in keys)]:
            if key in keys and key in then and not touched.scene(_entry(course, key)):
                continue
            tell(key)
            found.looked.append(key)
            _compare_scene(key, key in then, key in keys, (old, root), Path(folder), found)
    return found


def _compare_scene(key: str, was: bool, is_: bool, trees: tuple[Path, Path], folder: Path, found: Comparison) -> None:
    pictures: list[dict[int, Pixels]] = []
    for name, there, tree in (("before", was, trees[0]), ("after", is_, trees[1])):
        place = folder / key.replace("/", "_") / name
        failure = _stills(tree, key, place) if there else ""
        if failure:
            found.failed[key] = f"{name}: {failure}"
            return
        pictures.append({_step_of(path): np.asarray(Image.open(path)) for path in sorted(place.glob("*.png"))})
    before, after = pictures
    for step in sorted({*before, *after}):
        one, two = before.get(step), after.get(step)
        count = different(one, two) if one is not None and two is not None else -1
        if count < 0 or count >= _PIXELS:
            found.changes.append(Change(key, step, one, two, max(count, 0)))


def different(before: Pixels, after: Pixels) -> int:
    """How many pixels differ visibly."""
    if before.shape != after.shape:
        return before.shape[0] * before.shape[1]
    away = np.abs(before.astype(int) - after.astype(int)).max(axis=-1)
    return int((away > _SHADE).sum())


class Touched:
    """What changed in the clone since a commit, and which scenes that concerns."""

    def __init__(self, root: Path, commit: str, old: Path) -> None:
        self.root, self.old = root, old
        names = _git(root, "diff", "--name-only", commit).split("\n") + _git(
            root, "ls-files", "--others", "--exclude-standard"
        ).split("\n")
        self.files = {name for name in names if name}

    def scene(self, entry: SceneEntry) -> bool:
        """Whether the code, the words or the data of a scene are not what they were."""
        code = {str(path.relative_to(self.root)) for path in source.reach(entry.code.file)}
        return bool(code & self.files) or self._words(entry) or self._data(entry)

    def _words(self, entry: SceneEntry) -> bool:
        name = str(entry.script.relative_to(self.root))
        if name not in self.files:
            return False
        if not (self.old / name).is_file():
            return True
        sections = {section.name: section for section in script.load(self.old / name).sections}
        return entry.name not in sections or sections[entry.name].digest != entry.section.digest

    def _data(self, entry: SceneEntry) -> bool:
        if any(name.startswith("assets/facts/") for name in self.files):
            return True
        if any(name.startswith("explainers/") and "/experiments/" not in name for name in self.files):
            return True
        runs = {name for name, _ in plan.wanted_runs([plan.Job(entry, Options().picture)]) if name in CATALOGUE}
        computed = any(not CATALOGUE[name].recorded for name in runs)
        experiments = any(name.startswith("explainers/experiments/") for name in self.files)
        return (computed and experiments) or any(f"assets/runs/{name}.safetensors" in self.files for name in runs)


def _entry(course: Course, key: str) -> SceneEntry:
    number, _, name = key.partition("/")
    return course.entry(course.lecture(int(number)), name)


# ---------------------------------------------------------------------- other trees
@contextmanager
def _checked_out(root: Path, commit: str) -> Iterator[Path]:
    """The commit in a folder of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="explain-revision-") as folder:
        place = Path(folder).resolve() / "tree"
        _git(root, "worktree", "add", "--quiet", "--detach", str(place), commit, check=True)
        try:
            yield place
        finally:
            _git(root, "worktree", "remove", "--force", str(place))


def _git(root: Path, *arguments: str, check: bool = False) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ExplainError("git is not installed; `explain diff` needs it to read an older revision") from error
    if check and done.returncode:
        raise ExplainError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _call(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line of that tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    environment.pop("EXPLAIN_COURSE", None)
    command = [sys.executable, "-P", "-m", "scenes.cli", *arguments]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def _keys(tree: Path) -> list[str]:
    done = _call(tree, "list", "--json")
    if done.returncode:
        raise ExplainError(f"that revision cannot list its scenes: {done.stderr.strip().splitlines()[-1]}")
    return [
        f"{lecture['lecture']}/{scene['scene']}" for lecture in json.loads(done.stdout) for scene in lecture["scenes"]
    ]


def _stills(tree: Path, key: str, folder: Path) -> str:
    """Draw the ends of a scene's steps; why it failed, or nothing."""
    done = _call(tree, "still", key, "--out", str(folder), "--quality", QUALITY)
    return (done.stderr.strip().splitlines() or ["it ended without a word"])[-1] if done.returncode else ""


def _step_of(path: Path) -> int:
    return int(path.stem.rpartition("_step")[2].partition("_")[0])
