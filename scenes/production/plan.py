"""What has to be drawn: one job a scene, with a key that changes whenever its picture could.

The key covers the scene's own code (its class and what its module holds besides other scenes), every module of this
project that it could reach by imports, its section of the script, the picture's size and rate, theme and versions.
What it *reads* (runs, numbers) is not known before it ran; the cache keeps that beside each part and asks again.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scenes import clock, script
from scenes.production.settings import Picture
from scenes.registry import SceneEntry
from scenes.syntax import SceneClass, lecture_of

_PROJECT = Path(__file__).resolve().parents[2]
_PACKAGES = ("explainers", "scenes")
#: Behind these modules lie values, and values are checked by what a scene reads; their imports are not followed.
_DOORS = {_PROJECT / "explainers" / name for name in ("references.py", "runs.py")}
#: Whoever touches pixels or their container.
_VERSIONED = ("manim", "pycairo", "manimpango", "av", "numpy", "pillow", "typst", "skia-pathops", "svgelements")
_FONTS = ("fontpkg-ibm-plex-sans", "fontpkg-ibm-plex-mono")


@dataclass(frozen=True)
class Job:
    """Draw this scene at this size and rate, with this engine."""

    entry: SceneEntry
    picture: Picture
    engine: str = "fast"

    @property
    def frames(self) -> int:
        """How many frames its words alone take; animations that outrun them add some."""
        ticks = round(clock.planned_seconds(self.entry.section) * clock.TICKS_PER_SECOND)
        return clock.frame(ticks, self.picture.fps)

    @property
    def key(self) -> str:
        code = self.entry.code
        digest = hashlib.sha256()
        for part in (
            json.dumps([asdict(self.picture), self.engine, code.name, versions()], sort_keys=True),
            os.environ.get("EXPLAIN_THEME", ""),
            self.entry.lecture.lang,
            self.entry.section.digest,
            own_code(code.file, code.name, code.file.stat().st_mtime_ns),
        ):
            digest.update(part.encode() + b"\0")
        for path in sorted(reach(code.file) | reach(Path(__file__).with_name("drawing.py"))):
            if path != code.file.resolve():
                digest.update(str(path.name).encode() + path.read_bytes())
        return digest.hexdigest()[:32]

    def to_json(self, folder: Path) -> dict[str, Any]:
        code = self.entry.code
        return {
            "kind": "draw",
            "scene": code.name,
            "lecture": code.lecture,
            "file": str(code.file.resolve()),
            "script": str(self.entry.lecture.path.resolve()),
            "picture": asdict(self.picture),
            "engine": self.engine,
            "folder": str(folder),
        }


def entry_from_json(job: Mapping[str, Any]) -> SceneEntry:
    """The entry again, in the process that draws it."""
    lecture = script.load(job["script"])
    code = SceneClass(job["lecture"], job["scene"], Path(job["file"]), 0, (), None)
    return SceneEntry(lecture, lecture.section(job["scene"]), code)


@cache
def versions() -> dict[str, str]:
    """Package → version, of whatever takes part in a picture."""
    found = {}
    for name in (*_VERSIONED, *_FONTS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def own_code(file: Path, name: str, _stamp: int) -> str:
    """A module without its other scenes (except those that the scene's code names), comments and layout."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    scenes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef) and lecture_of(node)}
    needed: set[str] = set()
    todo = [name]
    while todo:
        needed.add(current := todo.pop())
        if current in scenes:
            names = {node.id for node in ast.walk(scenes[current]) if isinstance(node, ast.Name)}
            todo += (names & set(scenes)) - needed
    tree.body = [node for node in tree.body if getattr(node, "name", None) not in set(scenes) - needed]
    return ast.unparse(tree)


def reach(file: Path) -> set[Path]:
    """Every file of this project that a module could import, directly or through others, itself included."""
    found: set[Path] = set()
    todo = [file.resolve()]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            if path in _DOORS:
                continue
            todo += [other for other in _imports(path, path.stat().st_mtime_ns) if other not in found]
    return found


@cache
def _imports(file: Path, _stamp: int) -> tuple[Path, ...]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return tuple(path for name in _imported_names(tree, file) for path in _files(name, file.parent))


def _imported_names(tree: ast.Module, file: Path) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = ""
            if node.level and file.is_relative_to(_PROJECT):
                package = ".".join(file.relative_to(_PROJECT).parts[: -node.level])
            base = ".".join(filter(None, (package, node.module)))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _files(name: str, beside: Path) -> Iterator[Path]:
    """The files that importing a dotted name runs: the packages on the way and the module itself."""
    parts = name.split(".")
    roots = (_PROJECT,) if parts[0] in _PACKAGES else (beside,)
    for root in roots:
        for length in range(1, len(parts) + 1):
            place = root.joinpath(*parts[:length])
            for path in (place.with_suffix(".py"), place / "__init__.py"):
                if path.is_file():
                    yield path.resolve()


# ---------------------------------------------------------------------- runs that scenes will ask for
def wanted_runs(jobs: list[Job]) -> list[tuple[str, dict[str, Any]]]:
    """Runs that the code of these scenes (literal ``run("name", …)``) and their scripts name, in order of mention."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for job in jobs:
        code = job.entry.code
        named = list(_run_calls(own_code(code.file, code.name, code.file.stat().st_mtime_ns)))
        references = [reference.name for step in job.entry.section.steps for reference in step.references]
        named += [(name.split(".")[1], {}) for name in references if name.startswith("run.")]
        for name, params in named:
            found.setdefault(json.dumps([name, params], sort_keys=True, default=str), (name, params))
    return list(found.values())


def _run_calls(source: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for call in ast.walk(ast.parse(source)):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args):
            continue
        first = call.args[0]
        if call.func.attr == "number" and isinstance(first, ast.Constant) and str(first.value).startswith("run."):
            yield str(first.value).split(".")[1], {}
        if call.func.attr != "run" or not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        try:
            yield first.value, {str(k.arg): ast.literal_eval(k.value) for k in call.keywords if k.arg}
        except ValueError:
            continue  # parameters known only when the scene runs: it computes the run itself
