"""What the syntax of a Python file tells about a scene that reaches it, remembered by the file's content.

To parse the hundred and fifty files behind a course takes seconds; to see that they are the ones that were parsed
before takes milliseconds. What was found lies in ``<cache>/production/code.json``; without it, it is found again.
"""

from __future__ import annotations

import ast
import atexit
import contextlib
import hashlib
import json
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from explainers.traces import write_aside
from scenes.production import cache as parts
from scenes.syntax import lecture_of

#: Files, in all their states, before everything is found anew.
_MOST = 3000
#: An import: its leading dots (-1 without ``from``), what follows ``from``, and pairs of a name and its new name.
Import = tuple[int, str, tuple[tuple[str, str], ...]]


class CodeFacts:
    """One file, by its content.

    Attributes: ``digest`` of what it does (comments, layout and docstrings do not count), ``imports`` wherever they
    stand, and ``only_offers``: whether it only imports names and lists them.
    """

    def __init__(self, path: Path, known: dict[str, Any]) -> None:
        self.path, self._known = path, known
        if "digest" not in known:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            known["imports"] = list(_imports(tree))
            known["only_offers"] = _only_offers(tree)
            known["digest"] = short(_bare(tree))
        self.digest: str = known["digest"]
        self.only_offers: bool = known["only_offers"]
        self.imports: list[Import] = [
            (level, base, tuple((name, new) for name, new in names)) for level, base, names in known["imports"]
        ]

    def own(self, scene: str) -> tuple[str, list[tuple[str, dict[str, Any]]]]:
        """Of a scene's own code: the digest, and the runs that it asks for by literal names, with their parameters."""
        if scene not in (own := self._known.setdefault("own", {})):
            code = own_code(self.path, scene)
            own[scene] = [short(code), [list(call) for call in _run_calls(code)]]
        digest, calls = own[scene]
        return digest, [(name, params) for name, params in calls]


def facts(path: Path) -> CodeFacts:
    """What is known about a file as it is now."""
    return _facts(path, path.stat().st_mtime_ns)


@cache
def _facts(path: Path, _stamp: int) -> CodeFacts:
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return CodeFacts(path, _kept(parts.root() / "code.json").setdefault(content, {}))


def own_code(file: Path, name: str) -> str:
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
    kept = [node for node in tree.body if getattr(node, "name", None) not in set(scenes) - needed]
    return ast.unparse(ast.Module(kept, []))


def short(text: str) -> str:
    """The first digits of a text's digest."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# ---------------------------------------------------------------------- kept between calls
@cache
def _kept(file: Path) -> dict[str, Any]:
    """Content → facts, from an earlier process; what this one adds is written when it ends."""
    # of this program and this Python: another may read syntax otherwise
    maker = short(sys.version + Path(__file__).read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["maker"] == maker and content["checksum"] == short(json.dumps(content["facts"], sort_keys=True)):
            found = content["facts"] if len(content["facts"]) < _MOST else {}
    atexit.register(_keep, file, maker, found, json.dumps(found, sort_keys=True))
    return found


def _keep(file: Path, maker: str, facts: dict[str, Any], before: str) -> None:
    text = json.dumps(facts, sort_keys=True)
    if text == before or not file.parent.is_dir():
        return
    with contextlib.suppress(OSError):  # it is found again next time
        write_aside(file, f'{{"maker": "{maker}", "checksum": "{short(text)}", "facts": {text}}}'.encode())


# ---------------------------------------------------------------------- syntax
def _imports(tree: ast.Module) -> Iterator[Import]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield -1, "", tuple((alias.name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", tuple((alias.name, alias.asname or alias.name) for alias in node.names)


def _only_offers(tree: ast.Module) -> bool:
    """A module's ``__getattr__`` is asked only for names that the package does not have: it changes none of them."""
    nodes = [inner for node in tree.body for inner in (node.body + node.orelse if isinstance(node, ast.If) else [node])]
    return all(
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.FunctionDef) and node.name == "__getattr__")
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets))
        for node in nodes
    )


def _bare(tree: ast.Module) -> str:
    """The tree as text, without docstrings, which it loses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and len(node.body) > 1:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                del node.body[0]
    return ast.dump(tree)


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
            params = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords if k.arg}
            json.dumps(params)
        except (ValueError, TypeError):
            continue  # parameters known only when the scene runs: it computes the run itself
        yield first.value, params
