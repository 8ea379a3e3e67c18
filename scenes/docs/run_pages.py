"""The runs: a page for each, with its plot, its tensors, its numbers and their origins."""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

from sphinx.ext.napoleon.docstring import NumpyDocstring

from explainers import runs
from explainers.quantities import Quantity
from explainers.traces import NamedArray, Trace
from scenes.docs import markdown, portraits, studio, uses
from scenes.docs.studio import Draw
from scenes.production import plots
from scenes.production.run_notes import filled, recipe

_ROOT = Path(runs.__file__).resolve().parents[1]


def write(source: Path, names: Collection[str], draw: Draw) -> None:
    """Write ``runs.md`` and ``runs/NAME.md`` with their pictures for these runs."""
    cards, rows = [], []
    for name in sorted(names):
        trace = runs.get(name)
        picture = f"runs/{name}.png"
        if shown := plots.plots().get(name):
            studio.write_png(plots.pixels_of(shown, trace, studio.WIDTH), source / picture)
            cards.append((picture, name, f"runs/{name}.md"))
        (source / "runs" / f"{name}.md").write_text(page(trace, source / "runs", draw), encoding="utf-8")
        rows.append((f"[{name}](runs/{name}.md)", runs.CATALOGUE[name].summary, _kept(name)))
    parts = [
        "# The runs",
        "A run is a named pure function of parameters, seed and device. What it returns, a trace, is named arrays "
        "with named axes and key numbers with their origin; the lectures draw nothing else. `explain run NAME` "
        'computes one, `runs.get("NAME")` gives it to a program.',
        markdown.gallery(cards),
        "## All of them",
        markdown.table(("Run", "What it computes", "Where it comes from"), rows),
        markdown.toctree(f"runs/{name}" for name in sorted(names)),
    ]
    (source / "runs.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _kept(name: str) -> str:
    run = runs.CATALOGUE[name]
    return (
        f"recorded, about {run.minutes:g} min to compute" if run.minutes else "recorded" if run.recorded else "at once"
    )


def page(trace: Trace, folder: Path, draw: Draw) -> str:
    """One run."""
    name = trace.run
    shown = plots.plots().get(name)  # a run that is new, or of another package, may have none
    used = uses.line(name)
    parts = [
        f"# {name}",
        recipe(trace),
        *(_plotted(shown, trace) if shown else ()),
        f"Drawn in {used}." if used else "",
        "## Tensors",
        tensors(trace, folder, draw) if trace.arrays else "This run gives numbers alone.",
        "## Numbers" if trace.quantities else "",
        numbers(trace) if trace.quantities else "",
        "## How it is computed",
        docstring(name),
        markdown.fence("python", f'from explainers import runs\n\ntrace = runs.get("{name}")'),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _plotted(shown: plots.RunPlot, trace: Trace) -> list[str]:
    parts = [markdown.image(f"{trace.run}.png", shown.heading), f"**What came out.** {filled(shown.found, trace)}"]
    return [*parts, f"**Not as the textbooks say.** {filled(shown.against, trace)}"] if shown.against else parts


def tensors(trace: Trace, folder: Path, draw: Draw) -> str:
    """A table of the arrays, each with a small portrait drawn from its values."""
    rows = []
    for name, array in trace.arrays.items():
        picture = f"{trace.run}-{name}.png"
        _, slice_words = portraits.plane(array)
        small = ""
        if (drawn := portraits.portrait(array)) is not None:
            draw(drawn, folder / picture)
            small = markdown.image(picture, f"{name}: {slice_words or 'all of it'}")
        rows.append((f"`{name}`", _shape(array), _values(array), small, slice_words))
    return markdown.table(("Array", "Axes", "Values", "Portrait", "of which"), rows)


def _shape(array: NamedArray) -> str:
    return ", ".join(f"{axis} {length}" for axis, length in array.shape.items()) or "one value"


def _values(array: NamedArray) -> str:
    unit = f" {array.unit}" if array.unit else ""
    if array.values.dtype == bool:
        return f"{array.values.dtype}, {int(array.values.sum()):,} true"
    return f"{array.values.dtype}, {array.values.min():.4g} to {array.values.max():.4g}{unit}"


def numbers(trace: Trace) -> str:
    """The key numbers, by which scripts refer to them, and in one line whence each comes."""
    rows = [(f"`run.{trace.run}.{name}`", _value(each), _origin(each)) for name, each in trace.quantities.items()]
    return markdown.table(("Number", "Value", "Origin"), rows)


def _value(quantity: Quantity) -> str:
    spread = f" ± {quantity.spread:.2g}" if quantity.spread else ""
    tiny = 0 < abs(quantity.value) < 1e-3
    return (f"{quantity.value:.3g} {quantity.unit}".strip() if tiny else quantity.text()) + spread


def _origin(quantity: Quantity) -> str:
    """The formula of a computed number, the source of a cited one."""
    return str(getattr(quantity.origin, "formula", "") or quantity.origin.line())


def docstring(name: str) -> str:
    """What the run function says of itself, read without importing it (it may need torch)."""
    module, _, function = runs.CATALOGUE[name].function.partition(":")
    file = _ROOT / (module.replace(".", "/") + ".py")
    if not file.is_file():  # of an installed package
        return f"`{module}.{function}`"
    tree = ast.parse(file.read_text(encoding="utf-8"))
    node = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
    where = f"`{file.relative_to(_ROOT)}`, function `{function}`."
    return f"{where}\n\n" + markdown.rst(str(NumpyDocstring(ast.get_docstring(node) or "")))
