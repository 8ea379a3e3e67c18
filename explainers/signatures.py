"""The parameters of a run as its source says them: what is remembered on disk is found without importing torch."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


def written_defaults(function: str, **known: Any) -> dict[str, Any] | None:
    """Parameter → default of ``"module:name"``; None where a default is neither a literal nor a plain constant.

    A constant is a name that the module itself sets to a literal, or one of ``known``.
    """
    module, _, name = function.partition(":")
    source = _PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
    if not module.startswith("explainers.") or not source.is_file():
        return None
    tree = _tree(source, source.stat().st_mtime_ns)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name and not node.decorator_list:
            args = node.args
            values = [*[None] * (len(args.args) - len(args.defaults)), *args.defaults, *args.kw_defaults]
            pairs = zip([*args.args, *args.kwonlyargs], values, strict=True)
            try:
                return {each.arg: _value(value, tree, known) for each, value in pairs}
            except ValueError:
                return None
    return None


@cache
def _tree(source: Path, _stamp: int) -> ast.Module:
    return ast.parse(source.read_text(encoding="utf-8"))


def _value(node: ast.expr | None, tree: ast.Module, known: dict[str, Any]) -> Any:
    if node is None:
        raise ValueError("a parameter without a default")
    if not isinstance(node, ast.Name):
        return ast.literal_eval(node)
    if node.id in known:
        return known[node.id]
    for statement in tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.Assign) and any(isinstance(t, ast.Name) and t.id == node.id for t in targets):
            return ast.literal_eval(statement.value)
    raise ValueError(f"{node.id} is set elsewhere")
