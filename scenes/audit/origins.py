"""Origin: every run of digits that is seen or heard belongs to a Quantity, a tick, the data or a listed name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from explainers import languages, locales
from explainers.formatting import shown_matches
from explainers.quantities import Cited, Quantity
from explainers.traces import NamedArray, Trace
from scenes.audit.findings import Notes
from scenes.audit.picture import Part, Picture, TextPart
from scenes.kit.axes import Axes2D
from scenes.kit.origin import OriginLine, origin_text
from scenes.kit.tokens import visible
from scenes.narration import Step

#: Everything that reads as a digit: decimal digits of any script, superscripts, subscripts, fractions, circled ones.
_DIGIT = r"[\d¹²³⁰⁴-⁹₀-₉¼-¾⅐-⅞①-⑳]"
_NUMBER = re.compile(
    r"(?P<sign>[−-]?)\$?\d[\d,]*(?:\.\d+)?(?:\s*×\s*10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?|" + _DIGIT + "+",
)


@lru_cache(maxsize=8)
def _names_pattern(names: frozenset[str]) -> re.Pattern[str] | None:
    longest = sorted((re.escape(name) for name in names if name and not name.startswith("#")), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest)})(?!\w)") if longest else None


def without_names(text: str, names: frozenset[str]) -> str:
    """The text with every listed name blanked out."""
    pattern = _names_pattern(names)
    return pattern.sub(lambda match: " " * len(match[0]), text) if pattern else text


def number_runs(text: str, names: frozenset[str] = frozenset()) -> list[str]:
    """Every number in a text, each with what follows it up to the next one (its scale word and unit)."""
    plain = locales.plain(without_names(text, names), languages.now().lang)
    starts = list(_NUMBER.finditer(plain))
    ends = [*(match.start() for match in starts[1:]), len(plain)]
    return [" ".join(plain[match.start() : end].rstrip(" .,;:").split()) for match, end in zip(starts, ends)]


def shows(run: str, quantity: Quantity) -> bool:
    """Whether a run of digits is this Quantity to the digits shown.

    Read by `shown_matches`. A whole number that ends in zeros (``70,000``) may have been rounded, and must then be
    right to two digits at least, because from it alone nobody can tell how far.
    """
    found = re.search(r"\d[\d,]*(?:\.\d+)?", run)
    if found is None:
        return False
    digits = found[0].replace(",", "")
    kept = max(2, len(digits.rstrip("0")))
    if "." in digits or kept >= len(digits):
        return shown_matches(run, quantity)
    rounded = run[: found.start()] + digits[:kept] + run[found.end() :]
    return shown_matches(rounded, replace(quantity, value=quantity.value / 10 ** (len(digits) - kept)))


# ---------------------------------------------------------------------- on screen
def check(picture: Picture, notes: Notes, names: frozenset[str], traces: Iterable[Trace]) -> int:
    """Digits that can be seen now; returns how many numbers there are."""
    tokens = {shown for trace in traces for array in trace.arrays.values() for shown in _labels(array)}
    count = 0
    for text in picture.texts:
        runs = number_runs(text.visible_text, names)
        count += len(runs) if text.kind != "origin" else 0
        if runs:
            _check_text(text, runs, notes, tokens)
    for image in picture.images:
        if not image.arrays and image.holder("ColorBar") is None:
            notes.add(
                "picture-unread",
                image.name,
                "no data",
                "nobody can look for digits in an image; draw it from an array (TensorGrid), or waive it with a reason",
                image.waivers,
            )
    return count


def _labels(array: NamedArray) -> Iterator[str]:
    for axis in array.labels.values():
        for text in axis:
            yield text
            yield visible(text)


def _check_text(text: TextPart, runs: list[str], notes: Notes, tokens: set[str]) -> None:
    if text.kind == "origin":
        _check_origin_line(text, notes)
        return
    if text.kind == "tick":
        _check_tick(text, notes)
        return
    own = {shown for array in text.arrays for shown in _labels(array)}
    if text.text in own or (text.kind == "token" and text.text in tokens):
        return
    quantities = text.quantities
    for run in runs:
        if any(shows(run, quantity) for quantity in quantities):
            continue
        if quantities:
            values = ", ".join(f"{quantity.short()} = {quantity.value:g}" for quantity in quantities)
            notes.add(
                "number-untrue",
                text.name,
                f"{run!r} ≠ {values}",
                "the digits on screen are not the Quantity's value; let NumberLabel write them, and replace "
                "(ReplacementTransform) instead of transforming one number into another",
                text.waivers,
            )
        else:
            notes.add(
                "digits-without-origin",
                text.name,
                repr(run),
                "show it with NumberLabel(quantity), or list the name that holds it in lecture_scripts/names.txt",
                text.waivers,
            )


def _check_origin_line(text: TextPart, notes: Notes) -> None:
    line = text.mobject
    truth = origin_text(line.sources) if isinstance(line, OriginLine) else ""
    shown = text.text.removesuffix("…").rstrip(" ,;·")
    if not truth.startswith(shown):
        notes.add(
            "origin-line-untrue",
            text.name,
            repr(shown),
            "the origin line does not say what its sources are; make it with self.origin(…)",
            text.waivers,
        )


def _check_tick(text: TextPart, notes: Notes) -> None:
    tick = text.mobject
    value = getattr(tick, "tick_value", None)
    quantity = getattr(tick, "tick_quantity", None)
    if value is None or not isinstance(quantity, Quantity) or quantity.value != value:
        problem = "it holds no tick_value"
    elif not all(shown_matches(run, quantity) for run in number_runs(text.text)):
        problem = f"it stands for {value:g}"
    elif not _stands_at(text, float(value)):
        problem = f"it does not stand at {value:g} of an axis"
    else:
        return
    notes.add(
        "tick-untrue",
        text.name,
        problem,
        "ticks are made by an Axes2D at the place of their value; for any other number use NumberLabel",
        text.waivers,
    )


def _stands_at(text: TextPart, value: float) -> bool:
    """Whether the tick is level with its value on one of the axes that hold it."""
    axes = text.holder("Axes2D")
    if not isinstance(axes, Axes2D):
        return False
    centre = text.mobject.get_center()
    for axis, name in ((axes.x, "x"), (axes.y, "y")):
        if text.mobject not in getattr(axes, f"{name}_ticks").submobjects or (axis.log and value <= 0):
            continue
        share = float(axis.share(value))
        foot = axes.point_at(share, 0) if name == "x" else axes.point_at(0, share)
        along = axes.point_at(1, 0) - axes.point_at(0, 0) if name == "x" else axes.point_at(0, 1) - axes.point_at(0, 0)
        away = abs(float(np.dot(centre - foot, along / np.linalg.norm(along))))
        return away < 0.1 * max(1.0, text.mobject.height)
    return False


# ---------------------------------------------------------------------- the origin line names every source
def sources_of(datum: Quantity | NamedArray) -> set[str]:
    """The runs and citations that a datum rests on, as the origin line writes them."""
    if isinstance(datum, NamedArray):
        return {f"run {datum.run}"} if datum.run else set()
    if isinstance(datum.origin, Cited):
        return {datum.origin.line()}
    if datum.origin.run:
        return {f"run {datum.origin.run}"}
    return {source for given in datum.origin.inputs for source in sources_of(given)}


def check_sources(picture: Picture, notes: Notes) -> None:
    """Every run and source of what is shown must stand in the origin line (at the end of a step)."""
    lines = [text.mobject for text in picture.texts if isinstance(text.mobject, OriginLine)]
    named = {source for line in lines for datum in line.sources for source in _line_sources(datum)}
    parts: list[Part] = [*(text for text in picture.texts if text.quantities), *picture.bound]
    for part in parts:
        data = [*vars(part.mobject).get("bound", ()), *getattr(part, "quantities", ())]
        missing = sorted({source for datum in data for source in sources_of(datum)} - named)
        if missing:
            notes.add(
                "source-not-named",
                missing[0],
                part.name,
                "the origin line at the bottom left does not name this source; add the data to self.origin(…)",
                part.waivers,
            )


def unfounded(picture: Picture) -> dict[str, str]:
    """Numbers on screen that rest on no run and no source, only on a formula: text → that formula.

    Counts of what is drawn and definitions are right to; a figure that somebody remembers is not. A reader of the
    report decides, so they are listed.
    """
    found: dict[str, str] = {}
    for text in picture.texts:
        for quantity in text.quantities:
            if not isinstance(quantity.origin, Cited) and not sources_of(quantity):
                found[text.text] = quantity.origin.formula
    return found


def _line_sources(datum: Quantity | NamedArray | Trace) -> set[str]:
    return {f"run {datum.run}"} if isinstance(datum, Trace) else sources_of(datum)


# ---------------------------------------------------------------------- spoken
def check_narration(step: Step, notes: Notes, names: frozenset[str]) -> int:
    """Digits that are heard: each must come from a reference, and say its value; returns how many."""
    left = without_names(step.narration, names)
    for quantity, text in step.quantities:
        runs = number_runs(text)
        if not all(shows(run, quantity) for run in runs):
            notes.add(
                "number-untrue",
                f"narration {text!r}",
                f"{quantity.short()} = {quantity.value:g}",
                "the number that is said is not the Quantity's value; choose a format with more digits",
            )
        left = left.replace(text, " ", 1)
    for run in number_runs(left):
        notes.add(
            "said-without-origin",
            f"narration {run!r}",
            repr(run),
            f"{step.where}: write {{{{ a.reference }}}} or list the name in names.txt",
        )
    return len(step.quantities)
