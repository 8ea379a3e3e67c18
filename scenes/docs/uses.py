"""Where things are used: the scenes of the course whose code names an object of the kit or asks for a run."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

from scenes.registry import Course
from scenes.syntax import SceneClass


@cache
def scenes_by_name() -> dict[str, tuple[str, ...]]:
    """A name (of an object or run) → the scenes ``lecture/Scene`` in whose class or file's helpers it stands."""
    course = Course.default()
    found: dict[str, dict[str, None]] = defaultdict(dict)
    files: dict[Path, list[tuple[int, str, SceneClass]]] = defaultdict(list)
    for (number, name), code in course.classes.items():
        files[code.file].append((number, name, code))
    for file, scenes in sorted(files.items()):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        of_scenes = {name for _, name, _ in scenes}
        for node in tree.body:
            mentioned = _mentioned(node)
            if isinstance(node, ast.ClassDef) and node.name in of_scenes:
                owners = [(number, name) for number, name, _ in scenes if name == node.name]
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                owners = [(number, name) for number, name, _ in scenes]
            else:
                continue  # imports name more than is drawn
            for word in mentioned:
                found[word].update({f"{number}/{name}": None for number, name in owners})
    return {word: tuple(sorted(keys)) for word, keys in found.items()}


def _mentioned(node: ast.AST) -> set[str]:
    """Names of code, and strings that may be the name of a run or begin a reference to one of its numbers."""
    words: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            words.add(part.id)
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            words.add(part.value)
            if part.value.startswith("run."):
                words.add(part.value.split(".")[1])
    return words


def line(name: str) -> str:
    """``Lecture 3: TheCacheGrows, …`` or nothing."""
    by_lecture: dict[str, list[str]] = defaultdict(list)
    for key in scenes_by_name().get(name, ()):
        number, _, scene = key.partition("/")
        by_lecture[number].append(f"`{scene}`")
    return "; ".join(f"lecture {number}: {', '.join(scenes)}" for number, scenes in by_lecture.items())
