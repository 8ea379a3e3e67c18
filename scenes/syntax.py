"""What the syntax of scene files tells: Scene classes with their steps and marks, found without importing Manim.

A class counts with what it inherits: a method that it does not replace is looked up in its bases, in the same file or
in a module of this project that the file imports from.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from explainers.errors import ExplainError

_PROJECT = Path(__file__).resolve().parents[1]
_PACKAGES = ("explainers", "scenes")
_USUAL = ("16:9",)


@dataclass(frozen=True)
class SceneClass:
    """A Scene class as it stands in a file.

    ``marks`` are the names it waits for (`s.until`, `s.left_until`); where it waits for names out of a variable,
    ``perhaps`` are all words that its module quotes, and only a run can tell. ``inherits`` are its bases, by name,
    ``aspects`` the shapes of frame that it says it is laid out for.
    """

    lecture: int
    name: str
    file: Path
    line: int
    marks: tuple[str, ...]
    steps: int | None
    perhaps: frozenset[str] = frozenset()
    inherits: frozenset[str] = frozenset()
    aspects: tuple[str, ...] = _USUAL

    @property
    def where(self) -> str:
        return f"{self.file.name}:{self.line}"


def scene_classes(folder: Path) -> list[SceneClass]:
    """Every class with ``lecture = N`` in the Python files under a folder."""
    found: list[SceneClass] = []
    for path in sorted(folder.rglob("*.py")):
        found += _in_file(path, path.stat().st_mtime_ns)
    return found


@cache
def _in_file(path: Path, stamp: int) -> tuple[SceneClass, ...]:
    tree = _tree(path, stamp)
    found = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and (number := lecture_of(node)):
            place = _Place(node, tree, path)
            found.append(
                SceneClass(
                    number, node.name, path, node.lineno, *_read(place), frozenset(_bases(node)), _aspects(place)
                )
            )
    return tuple(found)


@cache
def _tree(path: Path, _stamp: int) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"), str(path))
    except SyntaxError as error:
        raise ExplainError(f"{path.name}:{error.lineno}: {error.msg}") from error


def _aspects(place: _Place) -> tuple[str, ...]:
    """What ``aspects = (…)`` says in a class or in the first base that says it; 16:9 where none does."""
    for statement in place.node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "aspects" for target in targets):
            return tuple(ast.literal_eval(statement.value))  # type: ignore[attr-defined]
    for base in _bases(place.node):
        known = _defined(base, place.tree, place.path)
        if known is not None and (found := _aspects(known)) != _USUAL:
            return found
    return _USUAL


def _bases(node: ast.ClassDef) -> list[str]:
    return [base.id for base in node.bases if isinstance(base, ast.Name)]


def lecture_of(node: ast.ClassDef) -> int | None:
    """The N of ``lecture = N`` in a class body."""
    for statement in node.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
        if any(isinstance(target, ast.Name) and target.id == "lecture" for target in targets):
            value = getattr(statement, "value", None)
            if isinstance(value, ast.Constant) and isinstance(value.value, int):
                return value.value
    return None


# ---------------------------------------------------------------------- what a class inherits
@dataclass(frozen=True)
class _Place:
    """A class in its file."""

    node: ast.ClassDef
    tree: ast.Module
    path: Path


def _methods(place: _Place) -> dict[str, tuple[ast.AST, ast.Module]]:
    """Name → method and its file, own ones and those of bases that it does not replace, as Python would find them."""
    found: dict[str, tuple[ast.AST, ast.Module]] = {}
    for name in reversed(_bases(place.node)):
        if base := _defined(name, place.tree, place.path):
            found |= _methods(base)
    own = [each for each in place.node.body if isinstance(each, ast.FunctionDef)]
    return {**found, **{each.name: (each, place.tree) for each in own}}


def _defined(name: str, tree: ast.Module, path: Path) -> _Place | None:
    """Where a class is defined that a module knows by this name; None outside of this project and this folder."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return _Place(node, tree, path)
        if isinstance(node, ast.ImportFrom) and (file := _module(node, path)):
            for alias in node.names:
                if name == (alias.asname or alias.name):
                    return _defined(alias.name, _tree(file, file.stat().st_mtime_ns), file)
    return None


def _module(node: ast.ImportFrom, path: Path) -> Path | None:
    """The file that ``from module import …`` reads."""
    parts = (node.module or "").split(".")
    root = path.parents[node.level - 1] if node.level else _PROJECT if parts[0] in _PACKAGES else path.parent
    place = root.joinpath(*parts)
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


# ---------------------------------------------------------------------- marks and steps
def _read(place: _Place) -> tuple[tuple[str, ...], int | None, frozenset[str]]:
    """The marks that a class waits for, its number of steps, and the marks that it may wait for."""
    methods = _methods(place).values()
    marks: list[str] = []
    perhaps: set[str] = set()
    for method, tree in methods:
        names = _waits(method)
        marks += [str(name.value) for name in names if isinstance(name, ast.Constant)]
        if any(not isinstance(name, ast.Constant) for name in names):
            perhaps |= _quoted(tree)
    return tuple(marks), _steps([method for method, _ in methods]), frozenset(perhaps)


@cache  # every scene inherits the stage's methods
def _waits(method: ast.AST) -> tuple[ast.expr, ...]:
    """What is given to ``until`` and ``left_until``."""
    calls = [call for call in ast.walk(method) if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)]
    names = ("until", "left_until")
    return tuple(name for call in calls if call.func.attr in names for name in call.args[:1])  # type: ignore[attr-defined]


def _quoted(tree: ast.Module) -> set[str]:
    """Every word that a module quotes."""
    words = {word.value for word in ast.walk(tree) if isinstance(word, ast.Constant) and isinstance(word.value, str)}
    return words | {word.lower() for word in words}


def _steps(methods: list[ast.AST]) -> int | None:
    """How many ``with self.step()`` methods have; None where one stands in a loop, and only a run can tell."""
    counts = [_own_steps(method) for method in methods]
    return None if None in counts else sum(count for count in counts if count)


@cache
def _own_steps(method: ast.AST) -> int | None:
    count = _step_blocks(method)
    if count and any(_step_blocks(loop) for loop in ast.walk(method) if isinstance(loop, ast.For | ast.While)):
        return None
    return count


def _step_blocks(node: ast.AST) -> int:
    calls = [item.context_expr for block in ast.walk(node) if isinstance(block, ast.With) for item in block.items]
    functions = [call.func for call in calls if isinstance(call, ast.Call)]
    return sum(isinstance(function, ast.Attribute) and function.attr == "step" for function in functions)
