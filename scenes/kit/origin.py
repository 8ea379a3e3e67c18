"""Where the numbers of a picture come from: one quiet line at the bottom left."""

from __future__ import annotations

from collections.abc import Iterable

from explainers.errors import ExplainError
from explainers.languages import word
from explainers.quantities import Cited, Quantity
from explainers.runs import choices
from explainers.traces import NamedArray, Trace
from scenes.kit import fonts, theme
from scenes.kit.binding import Bound
from scenes.kit.text import WEIGHTS, Label, fitting_characters

Source = Quantity | NamedArray | Trace


def origin_text(sources: Iterable[Source]) -> str:
    """``"computed: run low_rank  ·  cited: DeepSeek-V3 report, Table 1"``: what was computed, then what was read."""
    runs: dict[str, None] = {}
    cited: dict[str, None] = {}
    leaves: dict[str, None] = {}
    formulas: dict[str, None] = {}
    for source in sources:
        if isinstance(source, Trace | NamedArray):
            if source.run:
                small = isinstance(source, Trace) and "model" not in source.meta
                runs.setdefault(_run(source.run, small))
        elif not isinstance(source, Quantity):
            raise ExplainError(f"an origin is a Quantity, NamedArray or Trace, not {type(source).__name__}")
        elif isinstance(source.origin, Cited):
            cited.setdefault(source.origin.line())
        else:
            _collect(source, runs, leaves, formulas)
    parts = []
    if runs:
        parts.append(f"{word('computed')}: " + ", ".join(runs))
    if leaves := {line: None for line in leaves if line not in cited}:
        parts.append(f"{word('computed from')}: " + "; ".join(leaves))
    if formulas and not runs and not leaves and not cited:
        parts.append(f"{word('computed')}: " + ", ".join(formulas))
    if cited:
        parts.append(f"{word('cited')}: " + "; ".join(cited))
    if not parts:
        raise ExplainError("none of these numbers says where it comes from; pass Quantities or arrays of a run")
    return "  ·  ".join(parts)


def _run(name: str, small: bool = False) -> str:
    """``"run routing"``, and what of it the viewer chose: weights (unless it reads a ``small`` model), text, seed."""
    return f"{word('run')} {name}{choices(name, small)}"


def _collect(quantity: Quantity, runs: dict[str, None], leaves: dict[str, None], formulas: dict[str, None]) -> None:
    """Walk a computed number's chain of origins down to runs and sources."""
    origin = quantity.origin
    if isinstance(origin, Cited):
        leaves.setdefault(origin.line())
    elif origin.run:
        runs.setdefault(_run(origin.run))
    else:
        if not origin.formula.endswith("by definition"):
            formulas.setdefault(origin.formula)
        for source in origin.inputs:
            _collect(source, runs, leaves, formulas)


class OriginLine(Label):
    """The origin line: small, bottom left, the only text below the caption line.

    >>> self.add(OriginLine(trace, quantity))

    Where there are more sources than room the line ends in an ellipsis; the manifest of the film has them all.
    """

    text_kind = "origin"

    def __init__(self, *sources: Source, width: float = theme.SAFE_WIDTH) -> None:
        super().__init__(_fitted(origin_text(sources), width), "origin", "muted")
        self.sources = Bound(sources)
        self.shift([theme.SAFE_LEFT - self.get_left()[0], theme.SAFE_BOTTOM - self.get_bottom()[1], 0])


def _fitted(text: str, width: float) -> str:
    """The text, or as much of it as fits, cut after a whole source where that leaves at least half of the line."""
    room = width / theme.cap_units("origin")
    fits = fitting_characters(text, room, fonts.face(fonts.SANS), WEIGHTS["regular"])
    if fits == len(text):
        return text
    fits = fitting_characters(text, room - 4, fonts.face(fonts.SANS), WEIGHTS["regular"])
    cut = text.rfind("; ", 0, fits)
    return f"{text[: cut if cut > fits / 2 else fits].rstrip(' ,;·')} …"
