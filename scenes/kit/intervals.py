"""Scores and luck: repeated scores as a heap of dots, published scores with their interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    Circle,
    FadeIn,
    GrowFromCenter,
    LaggedStart,
    Line,
    RoundedRectangle,
    VGroup,
)

from explainers.errors import ExplainError
from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity
from scenes.kit.text import Label


class DotStack(DataBound, VGroup):
    """One dot for each repetition, heaped where its value is: a histogram that one can count.

    >>> stack = DotStack(trace["score"], Axis(0, 100, "problems solved", "%"))
    >>> self.play(stack.drop(0));  self.play(stack.rain(2))

    Parameters
    ----------
    values
        ``(repetition,)``; equal values stand on each other.
    """

    def __init__(
        self, values: NamedArray, axis: Axis, *, width: float = 10.0, height: float = 3.0, role: str = "query"
    ) -> None:
        super().__init__()
        as_array(values, "DotStack", 1)
        data = values.values.astype(float)
        if data.min() < axis.low or data.max() > axis.high:
            raise ExplainError(
                f"values from {data.min():g} to {data.max():g} leave the axis {axis.low:g} … {axis.high:g}"
            )
        self.bound = Bound((values,))
        self.axes = Axes2D(axis, Axis(0, 1), width=width, height=height, y_ticks=False)
        steps = np.diff(np.unique(data))
        nearest = float(steps.min()) / (axis.high - axis.low) * width if len(steps) else width
        tallest = int(np.unique(np.round(data, 6), return_counts=True)[1].max())
        self.radius = max(min(nearest * 0.45, height / tallest / 2.1, 0.16), 0.03)
        self.dots = VGroup()
        seen: dict[float, int] = {}
        for value in data:
            key = round(float(value), 6)
            level = seen.get(key, 0)
            seen[key] = level + 1
            dot = Circle(self.radius * 0.94, stroke_width=0).set_fill(theme.role(role), 1)
            self.dots.add(dot.move_to(self.axes.point(value, 0) + UP * self.radius * (2 * level + 1.3)))
        self.add(self.axes, self.dots)
        self.center()

    def drop(self, index: int, run_time: float = 0.8) -> FadeIn:
        """The animation in which one dot falls to its place."""
        return FadeIn(self.dots[index], shift=1.2 * DOWN, run_time=run_time)

    def rain(self, start: int = 0, run_time: float = 3.0) -> LaggedStart:
        """The animation in which all dots from ``start`` on fall, one after the other."""
        if start >= len(self.dots):
            raise ExplainError(f"there is no dot {start}; there are {len(self.dots)}")
        falls = (FadeIn(dot, shift=1.2 * DOWN) for dot in self.dots[start:])
        return LaggedStart(*falls, lag_ratio=0.12, run_time=run_time)


@dataclass(frozen=True, eq=False)
class Measured:
    """A score, who measured it (``vendor``: its maker), and the interval that luck leaves."""

    name: str
    score: Quantity
    low: Quantity
    high: Quantity
    role: str = "latent"
    vendor: bool = True
    data_fields: ClassVar[tuple[str, ...]] = ("score", "low", "high")

    def __post_init__(self) -> None:
        for each, what in ((self.score, "score"), (self.low, "low"), (self.high, "high")):
            as_quantity(each, f"{what} of {self.name!r}")


class IntervalRows(DataBound, VGroup):
    """Scores in rows on one axis, each with a band as wide as luck; hollow where the maker measured, else full.

    >>> rows = IntervalRows([Measured("R1", score, low, high)], Axis(0, 100, "solved", "%"))
    >>> self.play(rows.enter("R1"));  self.play(rows.doubt("R1"))
    """

    def __init__(
        self,
        rows: Sequence[Measured],
        axis: Axis,
        *,
        width: float = 9.0,
        pitch: float = 0.9,
        radius: float = 0.15,
        size: str | float = "body",
    ) -> None:
        super().__init__()
        if not rows or len({row.name for row in rows}) != len(rows):
            raise ExplainError("interval rows need at least one Measured, each with its own name")
        self.bound = Bound.of(datum for row in rows for datum in (row.score, row.low, row.high))
        self.axes = Axes2D(axis, Axis(0, len(rows)), width=width, height=pitch * len(rows), y_ticks=False)
        self.add(self.axes)
        self.dots: dict[str, Circle] = {}
        self.bands: dict[str, RoundedRectangle] = {}
        self.names: dict[str, Label] = {}
        for index, row in enumerate(rows):
            self._row(row, len(rows) - index - 0.5, radius, size)
        self.add(*self.names.values(), *self.bands.values(), *self.dots.values())
        self.center()

    def _row(self, row: Measured, level: float, radius: float, size: str | float) -> None:
        low, score, high = (float(each) for each in (row.low, row.score, row.high))
        if not self.axes.x.low <= low <= score <= high <= self.axes.x.high:
            raise ExplainError(f"{row.name}: {low:g} … {score:g} … {high:g} is not in order on the axis")
        ends = Line(self.axes.point(low, level), self.axes.point(high, level))
        band = RoundedRectangle(
            width=max(ends.get_length(), 0.02), height=radius * 1.5, corner_radius=radius * 0.6, stroke_width=0
        )
        band.set_fill(theme.tint(row.role, 0.3), 1).set_stroke(theme.role(row.role), 1.5)
        self.bands[row.name] = band.move_to(ends)
        dot = Circle(radius, stroke_width=4.5, color=theme.role(row.role))
        dot.set_fill(theme.role("ground" if row.vendor else row.role), 1)
        self.dots[row.name] = dot.move_to(self.axes.point(score, level))
        foot = self.axes.point(self.axes.x.low, level)
        self.names[row.name] = Label(row.name, size, row.role, align="right").next_to(foot, LEFT, buff=0.3)

    def enter(self, name: str, **options: Any) -> AnimationGroup:
        """The animation in which a score arrives."""
        return AnimationGroup(FadeIn(self.names[name]), FadeIn(self.dots[name], shift=0.3 * RIGHT), **options)

    def doubt(self, name: str, **options: Any) -> GrowFromCenter:
        """The animation in which the interval opens behind the score."""
        return GrowFromCenter(self.bands[name], **options)
