"""Dots in rows: several models on several tests, one line a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    Circle,
    FadeIn,
    LaggedStart,
    Line,
    Polygon,
    Square,
    Triangle,
    VGroup,
    VMobject,
)

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.text import Label

_SHAPES = {"circle": Circle, "square": Square, "triangle": Triangle, "diamond": Polygon}


@dataclass(frozen=True)
class Runner:
    """Who is compared: a name, a role, a shape, because colour alone tells too little."""

    name: str
    role: str = "muted"
    shape: str = "circle"


@dataclass(frozen=True, eq=False)
class DotRow:
    """One line: what was measured, and each runner's result (a runner without one has no dot)."""

    name: str
    values: Mapping[str, Quantity]
    data_fields: ClassVar[tuple[str, ...]] = ("values",)


class DotRows(DataBound, VGroup):
    """Results as dots on one scale, one line a test; a line joins the lowest and the highest.

    >>> rows = DotRows([DotRow("MMLU", {"DeepSeek-V3": v3, "GPT-4o": gpt})], [Runner("DeepSeek-V3", "latent"), …])
    >>> self.play(rows.enter("GPT-4o"))

    Dots are hollow where the vendor measured (``vendor=True``), filled where somebody else did. With ``log`` equal
    factors are equally far apart, from ``low`` to ``high``.
    """

    def __init__(
        self,
        rows: Sequence[DotRow],
        runners: Sequence[Runner],
        *,
        width: float = 8.0,
        pitch: float = 0.56,
        x_name: str = "",
        low: float = 0.0,
        high: float = 100.0,
        log: bool = False,
        vendor: bool = True,
        radius: float = 0.12,
    ) -> None:
        super().__init__()
        if not rows or not runners:
            raise ExplainError("dot rows need at least one DotRow and one Runner")
        every = [as_quantity(value, f"row {row.name!r}") for row in rows for value in row.values.values()]
        if len({each.unit for each in every}) != 1:
            raise ExplainError("the results of dot rows share one unit; make a second picture for another one")
        self.bound = Bound.of(every)
        x = Axis(low, high, x_name, every[0].unit, log=log)
        height = pitch * len(rows)
        self.axes = Axes2D(x, Axis(0, len(rows)), width=width, height=height, y_ticks=False)
        self.add(self.axes)
        self.names, self.spans = VGroup(), VGroup()
        self.dots: dict[tuple[str, str], VMobject] = {}
        for index, row in enumerate(rows):
            self._line(row, len(rows) - index - 0.5, runners, vendor, radius)
        self.add(self.names, self.spans, *self.dots.values())
        self.keys = {runner.name: self._key(runner, vendor, radius) for runner in runners}
        legend = VGroup(*self.keys.values()).arrange(RIGHT, buff=0.5)
        self.legend = legend.next_to(self.axes.corners, UP, buff=0.25)
        self.add(self.legend)
        self.center()

    def _line(self, row: DotRow, level: float, runners: Sequence[Runner], vendor: bool, radius: float) -> None:
        known = [runner.name for runner in runners]
        for name, value in row.values.items():
            if name not in known:
                raise one_of("runner", name, known)
            low, high = self.axes.x.low, self.axes.x.high
            if not low <= float(value) <= high:
                raise ExplainError(f"{row.name}: {value.short()} lies outside {low:g} … {high:g}")
        ends = [float(value) for value in row.values.values()]
        span = Line(self.axes.point(min(ends), level), self.axes.point(max(ends), level), stroke_width=2)
        self.spans.add(span.set_stroke(theme.role("hairline")))
        self.names.add(Label(row.name, "small").next_to(self.axes.point(self.axes.x.low, level), LEFT, buff=0.3))
        for runner in runners:
            if runner.name in row.values:
                dot = _mark(runner, vendor, radius).move_to(self.axes.point(float(row.values[runner.name]), level))
                self.dots[row.name, runner.name] = dot

    @staticmethod
    def _key(runner: Runner, vendor: bool, radius: float) -> VGroup:
        mark = _mark(runner, vendor, radius)
        return VGroup(mark, Label(runner.name, "small", runner.role).next_to(mark, RIGHT, buff=0.14))

    def of(self, runner: str) -> list[VMobject]:
        """A runner's dots, from the top line down."""
        found = [dot for (_, name), dot in self.dots.items() if name == runner]
        if not found:
            raise one_of("runner", runner, list(self.keys))
        return found

    def enter(self, runner: str, run_time: float = 1.2, **options: Any) -> AnimationGroup:
        """The animation in which a runner's dots come in, line after line, with its key."""
        dots = (FadeIn(dot, shift=0.25 * DOWN) for dot in self.of(runner))
        return LaggedStart(FadeIn(self.keys[runner]), *dots, lag_ratio=0.12, run_time=run_time, **options)


def _mark(runner: Runner, vendor: bool, radius: float) -> VMobject:
    if runner.shape not in _SHAPES:
        raise one_of("shape", runner.shape, list(_SHAPES))
    if runner.shape == "square":
        mark: VMobject = Square(radius * 1.7)
    elif runner.shape == "diamond":
        mark = Polygon([0, radius * 1.2, 0], [radius * 1.2, 0, 0], [0, -radius * 1.2, 0], [-radius * 1.2, 0, 0])
    else:
        mark = _SHAPES[runner.shape](radius=radius * (1.2 if runner.shape == "triangle" else 1))
    colour = theme.role(runner.role)
    return mark.set_stroke(colour, width=3.5).set_fill(theme.role("ground") if vendor else colour, 1)
