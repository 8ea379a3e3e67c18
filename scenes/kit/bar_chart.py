"""Bars: lengths that are compared, each with its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from manim import DOWN, LEFT, UP, AnimationGroup, FadeIn, Rectangle, ReplacementTransform, VGroup

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


@dataclass(frozen=True, eq=False)
class Bar:
    """One bar: its name, its Quantity, its role, and its number's format where that is not the chart's."""

    name: str
    quantity: Quantity
    role: str = "accent"
    fmt: str = ""
    data_fields: ClassVar[tuple[str, ...]] = ("quantity",)

    def __post_init__(self) -> None:
        as_quantity(self.quantity, f"bar {self.name!r}")


class BarChart(DataBound, VGroup):
    """Bars from named Quantities, horizontal unless told, with a number at each end.

    >>> BarChart([Bar("MHA", mha, "key"), Bar("MLA", mla, "latent")], fmt="si", title="cache per token")

    Lengths start at zero. With ``log`` they show orders of magnitude from ``low`` on, ticks appear, and the axis
    says "log scale", because then a bar twice as long is not twice as much.
    """

    def __init__(
        self,
        bars: Sequence[Bar],
        *,
        horizontal: bool = True,
        log: bool = False,
        low: float | None = None,
        length: float = 7.0,
        thickness: float = 0.42,
        gap: float = 0.22,
        fmt: str = "",
        size: str | float = "small",
        name: str = "",
        numbers: bool = True,
    ) -> None:
        super().__init__()
        if not bars or not all(isinstance(bar, Bar) for bar in bars) or len({bar.name for bar in bars}) != len(bars):
            raise ExplainError("a bar chart needs at least one Bar, each with its own name")
        units = {bar.quantity.unit for bar in bars}
        if len(units) > 1:
            raise ExplainError(f"bars share one unit, but these are in {', '.join(sorted(units))}; convert them")
        self.bound = Bound.of(bar.quantity for bar in bars)
        self.horizontal, self.log = horizontal, log
        self.axis = self._axis([float(bar.quantity) for bar in bars], log, low, name, units.pop())
        depth = len(bars) * (thickness + gap) + gap
        flat = Axis(0, depth)
        shape = {"width": length, "height": depth} if horizontal else {"width": depth, "height": length}
        across = {"x": self.axis, "y": flat} if horizontal else {"x": flat, "y": self.axis}
        self.axes = Axes2D(
            across["x"],
            across["y"],
            x_ticks=horizontal and log,
            y_ticks=log and not horizontal,
            **shape,  # type: ignore[arg-type]
        )
        self.axes.base.set_stroke(opacity=0)
        self.bars = {bar.name: self._bar(i, bar, thickness, gap, depth) for i, bar in enumerate(bars)}
        side = LEFT if horizontal else DOWN
        self.names: dict[str, Label] = {}
        self.numbers: dict[str, NumberLabel] = {}
        for bar in bars:
            negative = float(bar.quantity) < 0
            ends = (-side, side) if not negative else (side, -side)
            rectangle = self.bars[bar.name]
            anchor = self._foot(rectangle)
            self.names[bar.name] = Label(bar.name, size, bar.role).next_to(anchor, ends[1], buff=0.16)
            if numbers:
                number = NumberLabel(bar.quantity, bar.fmt or fmt, size=size)
                self.numbers[bar.name] = number.next_to(rectangle, ends[0], buff=0.14)
        self.title: Label | None = None
        caption = self.axis.caption() if log else name
        self.add(self.axes, *self.bars.values(), *self.names.values(), *self.numbers.values())
        if caption and not (log and len(self.axes.names)):
            self.title = Label(caption, "small", "muted").next_to(self, UP, buff=0.02).align_to(self.axes.corners, LEFT)
            self.add(self.title)
        self.center()

    @staticmethod
    def _axis(values: list[float], log: bool, low: float | None, name: str, unit: str) -> Axis:
        if log:
            if min(values) <= 0:
                raise ExplainError(f"a logarithmic bar cannot show {min(values)}; use log=False")
            start = low if low is not None else 10 ** (np.floor(np.log10(min(values))) - 0.3)
            return Axis(float(start), max(values) * 1.02, name, unit, log=True)
        bottom, top = min(0.0, *values), max(0.0, *values)
        return Axis(bottom, top if top > bottom else bottom + 1, unit=unit)

    def _bar(self, index: int, bar: Bar, thickness: float, gap: float, depth: float) -> Rectangle:
        zero = self.axis.low if self.log else 0.0
        start, end = sorted((float(self.axis.share(zero)), float(self.axis.share(float(bar.quantity)))))
        middle = (gap + thickness / 2 + index * (thickness + gap)) / depth
        long = max((end - start) * (self.axes.plot_width if self.horizontal else self.axes.plot_height), 0.012)
        wide, tall = (long, thickness) if self.horizontal else (thickness, long)
        rectangle = Rectangle(width=wide, height=tall, stroke_width=0, fill_color=theme.role(bar.role), fill_opacity=1)
        if self.horizontal:
            return rectangle.move_to(self.axes.point_at(start, 1 - middle), aligned_edge=LEFT)
        return rectangle.move_to(self.axes.point_at(middle, start), aligned_edge=DOWN)

    def _foot(self, rectangle: Rectangle) -> Any:
        """The point of a bar where its value is zero (or the axis begins)."""
        start = float(self.axis.share(self.axis.low if self.log else 0.0))
        centre = rectangle.get_center()
        if self.horizontal:
            return np.array([self.axes.point_at(start, 0)[0], centre[1], 0.0])
        return np.array([centre[0], self.axes.point_at(0, start)[1], 0.0])

    def bar(self, name: str) -> Rectangle:
        """One bar, by name."""
        if name not in self.bars:
            raise one_of("bar", name, list(self.bars))
        return self.bars[name]

    def grow(self, name: str, **options: Any) -> AnimationGroup:
        """The animation in which a bar grows from its foot and its number arrives."""
        edge = LEFT if self.horizontal else DOWN
        bar = self.bar(name)
        foot = bar.copy().stretch(1e-3, 0 if self.horizontal else 1, about_edge=edge)
        parts: list[Any] = [ReplacementTransform(foot, bar)]
        if name in self.numbers:
            parts.append(FadeIn(self.numbers[name], shift=-edge * 0.2))
        return AnimationGroup(*parts, **{"run_time": theme.ENTER, "lag_ratio": 0.4, "rate_func": theme.EASE, **options})


class BarRow(DataBound, VGroup):
    """Many small bars from one array: gate scores, loads, weights.

    >>> BarRow(trace["scores"].pick(token=3), role="router", width=9, height=1.6, y_name="score")

    ``bar_row.bars[i]`` is entry i. ``marked`` entries are drawn in ``marked_role`` (the chosen experts).
    """

    def __init__(
        self,
        values: NamedArray,
        *,
        role: str = "router",
        marked: Sequence[int] = (),
        marked_role: str = "accent",
        width: float = 8.0,
        height: float = 1.8,
        y_name: str = "",
        x_name: str = "",
        y_axis: Axis | None = None,
    ) -> None:
        as_array(values, "BarRow", 1)
        super().__init__()
        self.bound = Bound((values,))
        data = values.values.astype(float)
        outside = [index for index in marked if not 0 <= index < len(data)]
        if outside:
            raise ExplainError(f"entry {outside[0]} cannot be marked: there are {len(data)}")
        y = y_axis or Axis.holding(data, zero=True, name=y_name, unit=values.unit)
        self.axes = Axes2D(Axis(0, len(data), x_name), y, width=width, height=height, x_ticks=False)
        pitch = width / len(data)
        self.bars = VGroup()
        for index, value in enumerate(data):
            low, high = sorted((float(y.share(0.0)), float(np.clip(y.share(value), 0, 1))))
            bar = Rectangle(
                width=pitch * 0.74,
                height=max((high - low) * height, 0.008),
                stroke_width=0,
                fill_color=theme.role(marked_role if index in marked else role),
                fill_opacity=1,
            )
            self.bars.add(bar.move_to(self.axes.point_at((index + 0.5) / len(data), low), aligned_edge=DOWN))
        self.add(self.axes, self.bars)
        self.center()
