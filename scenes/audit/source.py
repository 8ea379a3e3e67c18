"""Belt and braces: digits and numbers typed into the code of scenes, found in its syntax without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from scenes.audit.findings import Finding
from scenes.audit.origins import number_runs
from scenes.syntax import SceneClass

#: Calls whose string arguments are read by viewers. Typst sources are read on screen instead: not all in them is text.
_WRITERS = {
    "Text",
    "MarkupText",
    "Paragraph",
    "Label",
    "label",
    "title",
    "mono",
    "Phrase",
    "TokenChip",
    "Tex",
    "MathTex",
    "Integer",
    "DecimalNumber",
    "Table",
    "BarChart",
    "Bar",
    "Bracket",
    "Callout",
    "Code",
    "Legend",
    "show_title",
}
#: Calls that make a number: a literal in them has no origin but the author.
_MAKERS = {"Quantity", "constant", "computed", "AxisTick", "NamedArray"}
#: Arguments of writers that are no text.
_STYLE = {"size", "role", "weight", "font", "align", "fmt", "width", "color", "gap", "font_size"}


def check(path: Path, classes: list[SceneClass], names: frozenset[str]) -> list[Finding]:
    """Findings of one file of scenes; each names the class whose lines hold it (or the file)."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    found: list[Finding] = []
    for call, waived in _calls(tree, frozenset()):
        name = _name(call)
        where = f"{path.name}:{call.lineno}"
        scene = _scene_at(call.lineno, path, classes)
        if name in _WRITERS and "digits-in-code" not in waived:
            for text in _texts(call):
                for run in number_runs(text, names):
                    found.append(
                        Finding(
                            "digits-in-code",
                            scene,
                            0,
                            f"{where} {name}(…)",
                            repr(run),
                            "write the number with NumberLabel(quantity), or list the name in names.txt",
                        )
                    )
        if name in _MAKERS and "literal-number" not in waived and (value := _literal(call)) is not None:
            found.append(
                Finding(
                    "literal-number",
                    scene,
                    0,
                    f"{where} {name}(…)",
                    value,
                    "ask for it: self.number(reference), a run's quantity, or arithmetic on Quantities",
                )
            )
    return found


def _calls(node: ast.AST, waived: frozenset[str]) -> Iterator[tuple[ast.Call, frozenset[str]]]:
    """Every call, with the codes that a ``waive(…)`` around it names."""
    for child in ast.iter_child_nodes(node):
        inside = waived
        if isinstance(child, ast.Call):
            yield child, waived
            if _name(child) == "waive":
                inside = waived | {str(arg.value) for arg in child.args if isinstance(arg, ast.Constant)}
        yield from _calls(child, inside)


def _name(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _texts(call: ast.Call) -> Iterator[str]:
    """What a writer's arguments put on screen, as far as the syntax tells; a formatted value counts as a digit."""
    values = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg not in _STYLE)]
    for value in values:
        if isinstance(value, ast.Tuple | ast.List):
            value = value.elts[0] if value.elts else value  # Phrase(("words", "role"), …)
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
        elif isinstance(value, ast.Constant) and isinstance(value.value, int | float) and _name(call) in _NUMERIC:
            yield str(value.value)
        elif isinstance(value, ast.JoinedStr):
            yield "".join(_piece(part) for part in value.values)


_NUMERIC = {"Integer", "DecimalNumber"}


def _piece(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    if isinstance(part, ast.FormattedValue) and part.format_spec is not None:
        spec = "".join(str(getattr(piece, "value", "")) for piece in getattr(part.format_spec, "values", []))
        return "0" if spec and spec[-1] in "dfegn%" else ""
    return ""


def _literal(call: ast.Call) -> str | None:
    """The number typed as a maker's first argument."""
    first = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg in ("value", "values")), None)
    if isinstance(first, ast.UnaryOp):
        first = first.operand
    if isinstance(first, ast.List | ast.Tuple) or (isinstance(first, ast.Call) and _name(first) == "array"):
        inner = [node for node in ast.walk(first) if isinstance(node, ast.Constant)]
        first = inner[0] if inner else first
    if isinstance(first, ast.Constant) and isinstance(first.value, int | float) and not isinstance(first.value, bool):
        return repr(first.value)
    return None


def _scene_at(line: int, path: Path, classes: list[SceneClass]) -> str:
    before = [scene for scene in classes if scene.file == path and scene.line <= line]
    last = max(before, key=lambda scene: scene.line, default=None)
    return f"{last.lecture}/{last.name}" if last else path.name
