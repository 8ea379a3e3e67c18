"""Run a scene's `construct` one statement at a time, so that it can be taken up again at a step with changed code.

Statements of `construct`, and of the methods of the scene that hold steps, are executed one after another in one
namespace a call. Before each ``with self.step()`` the machine tells its observer where it stands; a process that was
forked there can later `Machine.resume` with the statements of the new source: what was done before stays done.

What cannot be cut like this (a step in a loop, a ``return`` inside an ``if``, ``super()``) runs as it is, whole.
"""

from __future__ import annotations
import __future__

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Statements that may be executed again after the call in them was answered from memory.
_SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)
_FLAGS = __future__.annotations.compiler_flag


@dataclass(frozen=True)
class Place:
    """Where a machine stands: (method, index of its statement under way) from `construct` inwards, and what is done."""

    stack: tuple[tuple[str, int], ...]
    completed: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"stack": [list(each) for each in self.stack], "completed": list(self.completed)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Place:
        return cls(tuple((name, index) for name, index in data["stack"]), tuple(data["completed"]))


@dataclass
class _Frame:
    name: str
    space: dict[str, Any]
    index: int = 0
    answered: list[Any] = field(default_factory=list)  # what stepping methods returned to this statement
    replay: list[Any] = field(default_factory=list)  # what they return when it is executed again


class Source:
    """The methods of one Scene class that can be executed by the statement: name → their function's syntax."""

    def __init__(self, file: Path, scene: str) -> None:
        self.file = file
        tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == scene]
        self.methods = stepping_methods(classes[0]) if classes else {}

    def body(self, method: str) -> list[ast.stmt]:
        return self.methods[method].body


def stepping_methods(scene: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    """`construct` and the methods with steps that it calls, as far as each can be cut between its statements."""
    methods = {node.name: node for node in scene.body if isinstance(node, ast.FunctionDef) and not node.decorator_list}
    able = {name: node for name, node in methods.items() if _can_be_cut(node)}
    found = {name for name, node in able.items() if any(is_step(statement) for statement in node.body)}
    while True:
        calling = {name for name, node in able.items() if found & _methods_called(node)} | found
        if calling == found:
            break
        found = calling
    return {name: able[name] for name in found} if "construct" in found else {}


def is_step(statement: ast.stmt) -> bool:
    """Whether this is ``with self.step()``."""
    if not isinstance(statement, ast.With):
        return False
    calls = [item.context_expr for item in statement.items]
    functions = [call.func for call in calls if isinstance(call, ast.Call)]
    return any(isinstance(function, ast.Attribute) and function.attr == "step" for function in functions)


def _methods_called(node: ast.AST) -> set[str]:
    calls = [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]
    return {call.attr for call in calls if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name)}


def _can_be_cut(function: ast.FunctionDef) -> bool:
    for statement in function.body:
        inside = [] if isinstance(statement, ast.Return) else list(_own_nodes(statement))
        if any(isinstance(node, ast.Return | ast.Yield | ast.YieldFrom | ast.Global | ast.Nonlocal) for node in inside):
            return False
        names = [node.id for node in ast.walk(statement) if isinstance(node, ast.Name)]
        names += [node.attr for node in ast.walk(statement) if isinstance(node, ast.Attribute)]
        if "super" in names or any(name.startswith("__") and not name.endswith("__") for name in names):
            return False
    return True


def _own_nodes(statement: ast.AST) -> Iterator[ast.AST]:
    """What belongs to a statement itself, not to functions defined in it."""
    yield statement
    for child in ast.iter_child_nodes(statement):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from _own_nodes(child)


class Machine:
    """Executes the stepping methods of a scene.

    ``at_step(place, near)`` is called where the scene can be taken up: right before each step (``near``), and at the
    statement after one, from which what the next step needs is built again.
    """

    def __init__(self, scene: Any, source: Source, at_step: Callable[[Place, bool], None]) -> None:
        self.scene, self.source, self.at_step = scene, source, at_step
        self._frames: list[_Frame] = []
        self._completed: list[str] = []
        self._stepped = False  # whether the statement before this one was a step
        self._patch()

    def _patch(self) -> None:
        """The scene's own stepping methods go through the machine."""
        for name in self.source.methods:
            vars(self.scene)[name] = _Method(self, name)

    @property
    def place(self) -> Place:
        return Place(tuple((frame.name, frame.index) for frame in self._frames), tuple(self._completed))

    def call(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """One of the methods, called by the scene."""
        caller = self._frames[-1] if self._frames else None
        if caller is not None and caller.replay:
            value = caller.replay.pop(0)
        else:
            function = getattr(type(self.scene), name)
            bound = inspect.signature(function).bind(self.scene, *args, **options)
            bound.apply_defaults()
            value = self._enter(_Frame(name, {**function.__globals__, **bound.arguments}))
        if caller is not None:
            caller.answered.append(value)
        return value

    def _enter(self, frame: _Frame) -> Any:
        self._frames.append(frame)
        return self._run(frame)

    def _run(self, frame: _Frame) -> Any:
        """The rest of the innermost frame."""
        body = self.source.body(frame.name)
        value = None
        while frame.index < len(body):
            statement = body[frame.index]
            frame.answered = []
            near = is_step(statement)
            if (near or self._stepped) and all(isinstance(each, _SIMPLE) for each in self._under_way()):
                self.at_step(self.place, near)
            self._stepped = False
            if isinstance(statement, ast.Return):
                value = self._evaluate(statement.value, frame) if statement.value else None
                break
            module = ast.Module([statement], [])
            exec(compile(module, str(self.source.file), "exec", _FLAGS, dont_inherit=True), frame.space)
            self._stepped = near or self._stepped
            frame.index += 1
        self._frames.pop()
        self._completed.append(frame.name)
        return value

    def _evaluate(self, expression: ast.expr, frame: _Frame) -> Any:
        code = compile(ast.Expression(expression), str(self.source.file), "eval", _FLAGS, dont_inherit=True)
        return eval(code, frame.space)

    def _under_way(self) -> list[ast.stmt]:
        """The statements in which the outer frames stand."""
        return [self.source.body(frame.name)[frame.index] for frame in self._frames[:-1]]

    # ------------------------------------------------------------------ taking up again
    def resume(self, scene_class: type, source: Source) -> None:
        """Go on from here to the end of `construct` with the statements of a new source."""
        before = {name: getattr(type(self.scene), name).__globals__ for name in self.source.methods}
        for name in self.source.methods:
            vars(self.scene).pop(name, None)
        self.scene.__class__ = scene_class
        for frame in self._frames:
            old, new = before[frame.name], getattr(scene_class, frame.name).__globals__
            own = {key: value for key, value in frame.space.items() if key not in old or old[key] is not value}
            frame.space = {**new, **own}
        self.source = source
        self._patch()
        value: Any = None
        for depth, frame in enumerate(reversed(list(self._frames))):
            if depth:
                frame.replay = [*frame.answered, value]
            value = self._run(frame)


class _Method:
    """A stepping method of one scene, as the scene calls it."""

    def __init__(self, machine: Machine, name: str) -> None:
        self.machine, self.name = machine, name

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.machine.call(self.name, args, options)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Method:
        return self
