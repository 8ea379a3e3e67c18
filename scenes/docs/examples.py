"""Examples of kit objects as a reader can copy them, and the picture that exactly this code makes."""

from __future__ import annotations

import ast
import importlib
import inspect
import textwrap
from pathlib import Path

from manim import Mobject

from explainers.errors import ExplainError
from scenes.kit.examples.showing import Build, Example

#: The name under which an example leaves its picture.
RESULT = "picture"


def code(build: Build) -> str:
    """The body of an example with the imports that it needs: a program whose last line makes the picture."""
    file = Path(inspect.getsourcefile(build) or "")
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == build.__name__)
    body = function.body[1:] if ast.get_docstring(function) else function.body
    last = body[-1] if body else None
    if not isinstance(last, ast.Return) or last.value is None:
        raise ExplainError(f"{file.name}:{function.lineno}: the example {build.__name__} does not end with `return …`")
    lines = source.splitlines()[body[0].lineno - 1 : last.end_lineno]
    returned = last.lineno - body[0].lineno
    lines[returned] = lines[returned].replace("return ", f"{RESULT} = ", 1)
    used = {node.id for part in body for node in ast.walk(part) if isinstance(node, ast.Name)}
    imports = [line for node in tree.body if (line := _import(node, used))]
    return "\n".join(imports) + "\n\n" + textwrap.dedent("\n".join(lines))


def _import(node: ast.stmt, used: set[str]) -> str:
    """The part of an import statement that brings one of these names."""
    if not isinstance(node, ast.Import | ast.ImportFrom) or getattr(node, "module", "") == "__future__":
        return ""
    kept = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) in used]
    if not kept:
        return ""
    node = ast.Import(kept) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, kept, 0)
    line = ast.unparse(node)
    if len(line) <= 88:
        return line
    head, _, names = line.partition(" import ")
    return f"{head} import (\n{textwrap.fill(names, 84, initial_indent='    ', subsequent_indent='    ')}\n)"


def run(program: str) -> Mobject:
    """The picture that a program leaves in `RESULT`."""
    space: dict[str, object] = {"__name__": "example"}
    exec(compile(program, "example", "exec"), space)
    made = space[RESULT]
    if not isinstance(made, Mobject):
        raise ExplainError(f"an example made a {type(made).__name__}; it has to return what can be drawn, a Mobject")
    return made


def family(example: Example) -> tuple[str, str]:
    """(module, sentence) of the module in which an example stands: the families of the gallery."""
    module = example.build.__module__
    words = (importlib.import_module(module).__doc__ or "").strip().splitlines()[0]
    return module.rpartition(".")[2], words
