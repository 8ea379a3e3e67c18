"""One picture a run, drawn by the kit from the run's trace: the plots of ``assets/runs/README.md``.

A run gets its plot from one function, in a module of `scenes.production.plotted`::

    @plot("low_rank", "What a low rank keeps", found="… keeps {energy_before_32 | percent .1} …")
    def low_rank(trace: Trace) -> Mobject:
        ...

The function draws the picture. The texts beside it hold no numbers: ``{name | format}`` takes them from the trace
(`scenes.production.run_notes`).
"""

from __future__ import annotations

import importlib
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from manim import DL, Mobject
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from explainers import paths, runs
from explainers.errors import ExplainError, one_of
from explainers.traces import NamedArray, Trace, write_aside
from scenes.kit import OriginLine, Series, theme, title
from scenes.production.looking import frame_of
from scenes.production.settings import Picture

WIDTH = 960  # pixels; the height follows from the frame
#: Enough for a flat drawing with smooth edges; a true-colour PNG is three times as large.
COLOURS = 192
_MODULES = ("architecture", "training", "newer", "measured", "reasoning", "figures", "economy", "sparse", "scores")
#: The origin line is enlarged, because a plot is looked at smaller than a film.
_ORIGIN = 1.45
_LARGEST = 1.55  # how far a picture may be enlarged to fill the frame


@dataclass(frozen=True)
class RunPlot:
    """How one run is shown and what is said of it.

    Parameters
    ----------
    run
        Its name in the catalogue.
    heading
        Title of the picture and of the section.
    picture
        Draws it from the trace; the result is fitted into the frame.
    found
        What came out, with ``{number | format}`` for every number.
    against
        What did not come out as the textbooks say; empty where nothing did.
    """

    run: str
    heading: str
    picture: Callable[[Trace], Mobject]
    found: str
    against: str = ""


_PLOTS: dict[str, RunPlot] = {}
Drawing = Callable[[Trace], Mobject]


def plot(run: str, heading: str, *, found: str, against: str = "") -> Callable[[Drawing], Drawing]:
    """Register the function below as the picture of ``run``."""

    def registered(picture: Drawing) -> Drawing:
        if run in _PLOTS:
            raise ExplainError(f"run {run!r} has two plots; remove one")
        _PLOTS[run] = RunPlot(run, heading, picture, " ".join(found.split()), " ".join(against.split()))
        return picture

    return registered


def plots() -> dict[str, RunPlot]:
    """Run → plot, in the order of the README."""
    for module in _MODULES:
        importlib.import_module(f"scenes.production.plotted.{module}")
    return _PLOTS


def available() -> list[str]:
    """Runs that have a plot and can be drawn at once: recorded, or computed in an instant."""
    return [name for name in plots() if is_recorded(name) or is_instant(name)]


def is_recorded(name: str) -> bool:
    """Whether a record of the run ships, and the catalogue says that it holds for the default parameters."""
    return runs.CATALOGUE[name].recorded and runs.CATALOGUE[name].record().is_file()


def is_instant(name: str) -> bool:
    """Whether the run is computed anew in seconds whenever it is asked for."""
    return not runs.CATALOGUE[name].recorded and runs.CATALOGUE[name].minutes == 0


def folder() -> Path:
    """Where the shipped plots are."""
    return paths.assets() / "runs" / "plots"


def draw(name: str, into: Path, width: int = WIDTH) -> Path:
    """Write ``<into>/<name>.png``, ``width`` pixels wide, and return its path."""
    if name not in plots():
        raise one_of("plot", name, list(plots()))
    trace = runs.get(name)
    path = into / f"{name}.png"
    write_aside(path, _png(pixels_of(plots()[name], trace, width), trace))
    return path


def pixels_of(shown: RunPlot, trace: Trace, width: int = WIDTH) -> NDArray[np.uint8]:
    """The plot of this trace as RGBA (height, width, 4)."""
    picture = Picture(width, round(width * 9 / 16), 15)
    with tempfile.TemporaryDirectory(prefix="explain-plot-") as media, picture.configure(Path(media)):
        origin = OriginLine(trace, width=theme.SAFE_WIDTH / _ORIGIN)
        corner = origin.get_corner(DL)
        origin.scale(_ORIGIN, about_point=corner)
        return frame_of(title(shown.heading), _fitted(shown.picture(trace), origin.get_top()[1]), origin)


def _fitted(picture: Mobject, above: float) -> Mobject:
    """The picture as large as the frame allows, between the title and the origin line."""
    top, bottom = theme.STAGE_TOP - 0.1, above + 0.25
    share = min(theme.SAFE_WIDTH / picture.width, (top - bottom) / picture.height, _LARGEST)
    return picture.scale(share).move_to([0.0, (top + bottom) / 2, 0.0])


def _png(pixels: NDArray[np.uint8], trace: Trace) -> bytes:
    about = PngInfo()
    about.add_text("run", trace.run)
    about.add_text("digest", trace.digest)
    image = Image.fromarray(pixels).convert("RGB")
    image = image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True, pnginfo=about)
    return buffer.getvalue()


def drawn_from(path: Path) -> str:
    """The digest of the trace that a plot was drawn from."""
    with Image.open(path) as image:
        return str(image.info.get("digest", ""))


# ---------------------------------------------------------------------- what the drawing functions share
def where(array: NamedArray, **labels: str | int) -> NamedArray:
    """`NamedArray.pick` by label: ``where(trace["max_vio"], mode="neither", step="240")``."""
    found = {}
    for axis, label in labels.items():
        names = array.labels.get(axis, ())
        if str(label) in names:
            found[axis] = names.index(str(label))
        elif isinstance(label, int) or label.isdigit():
            found[axis] = int(label)
        else:
            raise one_of(f"{axis} of {array.name}", str(label), list(names))
    return array.pick(**found)


def averaged(array: NamedArray, *axes: str) -> NamedArray:
    """The mean over these axes."""
    return _reduced(array, axes, lambda values, over: values.mean(over))


def spread(array: NamedArray, axis: str = "seed") -> NamedArray:
    """The standard deviation over an axis, with one degree of freedom less."""
    return _reduced(array, (axis,), lambda values, over: values.std(over, ddof=1))


def _reduced(array: NamedArray, axes: tuple[str, ...], function: Callable[..., Any]) -> NamedArray:
    over = tuple(array.axes.index(axis) for axis in axes)
    values = function(array.values.astype(np.float64), over)
    kept = tuple(axis for axis in array.axes if axis not in axes)
    return NamedArray(values, kept, array.name, array.unit, array.labels, array.run, array.digest)


def places(array: NamedArray, axis: str, unit: str = "") -> NamedArray:
    """The labels of an axis as numbers, to draw against."""
    values = [float(label.replace(",", "")) for label in array.labels[axis]]
    return NamedArray(np.array(values), (axis,), axis, unit, run=array.run, digest=array.digest)


def band(
    name: str, array: NamedArray, x: NamedArray | None = None, *, role: str = "accent", dashed: bool = False
) -> Series:
    """A curve of means over seeds with the standard deviation behind it; ``array`` has two axes, one of them seed."""
    return Series(name, averaged(array, "seed"), x, spread(array), role=role, dashed=dashed)
