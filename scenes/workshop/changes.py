"""What a change of source touches: whether a scene may go on from a step, or must begin anew.

A process that stands before a step may go on with new sources if nothing that it may have executed so far has changed:
the statements before that step, every definition that these could reach by name, and the paragraphs that were said.
Names are followed through all files of the lectures, whoever they belong to, so that the answer errs on the safe side.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from scenes.script import Section
from scenes.workshop.stepping import Place, stepping_methods

Sources = Mapping[Path, str]


@dataclass(frozen=True)
class State:
    """Sources of a scene at one moment: its file, those of the lectures that it can reach, and its section."""

    scene: str
    file: Path
    sources: Sources
    section: Section


def may_go_on(place: Place, step: int, before: State, now: State) -> bool:
    """Whether a process that stands at ``place`` before ``step`` (from 1) of the old sources serves the new ones."""
    if not _same_words(before.section, now.section, step):
        return False
    old, new = _class_of(before), _class_of(now)
    if old is None or new is None:
        return False
    executed = _executed(place, old, new)
    if executed is None:
        return False
    waiting = set(stepping_methods(old)) - set(place.completed)  # under way, or not called yet: what ran is `executed`
    shell = _Definitions(before, waiting), _Definitions(now, waiting)
    if shell[0].loose != shell[1].loose or _shell(old) != _shell(new):
        return False
    return all(shell[0].of(name) == shell[1].of(name) for name in shell[0].reached(executed))


def _same_words(old: Section, new: Section, step: int) -> bool:
    said = [[each.source for each in section.steps[: step - 1]] for section in (old, new)]
    return old.heading == new.heading and said[0] == said[1] and len(new.steps) >= step


def _class_of(state: State) -> ast.ClassDef | None:
    for node in ast.parse(state.sources[state.file]).body:
        if isinstance(node, ast.ClassDef) and node.name == state.scene:
            return node
    return None


def _executed(place: Place, old: ast.ClassDef, new: ast.ClassDef) -> list[ast.stmt] | None:
    """The statements that were executed, or None where the new source has others there."""
    methods, again = stepping_methods(old), stepping_methods(new)
    found: list[ast.stmt] = []
    for depth, (name, index) in enumerate(place.stack):
        if name not in methods or name not in again:
            return None
        if ast.dump(methods[name].args) != ast.dump(again[name].args):
            return None
        done = index if depth == len(place.stack) - 1 else index + 1  # an outer statement is under way: it must stay
        ours, theirs = methods[name].body[:done], again[name].body[:done]
        if len(theirs) < done or [ast.dump(each) for each in ours] != [ast.dump(each) for each in theirs]:
            return None
        if len(again[name].body) <= index:
            return None
        found += ours
    return found


def _shell(scene: ast.ClassDef) -> str:
    """A class without its methods: bases, attributes, order aside from docstrings."""
    rest = [node for node in scene.body if not isinstance(node, ast.FunctionDef) and not _is_docstring(node)]
    return " ".join(ast.dump(node) for node in [*scene.bases, *scene.keywords, *scene.decorator_list, *rest])


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


class _Definitions:
    """Every definition in the files of the lectures, by bare name; the scene's own methods but those waiting."""

    def __init__(self, state: State, waiting: set[str]) -> None:
        self._known: dict[str, list[tuple[str, ast.AST]]] = {}
        loose: list[str] = []
        for path, text in sorted(state.sources.items()):
            for node in ast.parse(text).body:
                own = path == state.file and isinstance(node, ast.ClassDef) and node.name == state.scene
                names = [(name, part) for name, part in _names(node) if not (own and name in waiting)]
                for name, part in names:
                    self._known.setdefault(name, []).append((ast.dump(part), part))
                if isinstance(node, ast.ClassDef) and not own:
                    self._known.setdefault(node.name, []).append((ast.dump(node), node))
                if not names and not isinstance(node, ast.ClassDef) and not _is_docstring(node):
                    loose.append(ast.dump(node))
        self.loose = loose

    def of(self, name: str) -> list[str]:
        return [dump for dump, _ in self._known.get(name, [])]

    def reached(self, statements: Iterable[ast.AST]) -> set[str]:
        """All names that these statements could reach."""
        found: set[str] = set()
        todo = [name for statement in statements for name in _mentioned(statement)]
        while todo:
            name = todo.pop()
            if name in found:
                continue
            found.add(name)
            todo += [other for _, node in self._known.get(name, []) for other in _mentioned(node)]
        return found


def _names(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    """Names that a statement of a module defines, each with the syntax that is behind it."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            module = getattr(node, "module", "") or ""
            yield (alias.asname or alias.name).partition(".")[0], ast.Constant(f"{module}:{alias.name}")
            if alias.asname:
                yield alias.asname, ast.Name(alias.name, ast.Load())
    elif isinstance(node, ast.FunctionDef):
        yield node.name, node
    elif isinstance(node, ast.ClassDef):
        yield from ((part.name, part) for part in node.body if isinstance(part, ast.FunctionDef))
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from ((part.id, node) for target in targets for part in ast.walk(target) if isinstance(part, ast.Name))


def _mentioned(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
