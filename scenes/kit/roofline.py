"""The roofline: how fast a chip can be, given how much is computed for each byte that is read.

Williams, Waterman, Patterson, "Roofline: an insightful visual performance model" (2009):
attainable FLOP/s = min(peak FLOP/s, bandwidth × FLOP/B).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from manim import RIGHT, Animation, Dot, VGroup, VMobject

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity, computed
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis, Point, apart, box, place_beside
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.text import Label


@dataclass(frozen=True, eq=False)
class Roof:
    """A chip: its peak rate and its memory bandwidth."""

    name: str
    peak: Quantity
    bandwidth: Quantity
    role: str = "muted"
    data_fields: ClassVar[tuple[str, ...]] = ("peak", "bandwidth")

    def __post_init__(self) -> None:
        for quantity, unit in ((self.peak, "FLOP/s"), (self.bandwidth, "B/s")):
            if as_quantity(quantity, f"roof {self.name!r}").unit != unit:
                raise ExplainError(f"roof {self.name!r}: {quantity.short()} is in {quantity.unit}, not in {unit}")

    def rate(self, intensity: float) -> float:
        """Attainable FLOP/s at so many FLOP a byte."""
        return min(float(self.peak), float(self.bandwidth) * intensity)

    def ridge(self) -> Quantity:
        """The FLOP/B from which on the chip is limited by computing, not by reading."""
        return (self.peak / self.bandwidth).named(f"ridge of {self.name}", unit="FLOP/B")


@dataclass(frozen=True, eq=False)
class Work:
    """A piece of work: FLOPs for each byte it reads; a dot on the roof, or a ring at its measured rate."""

    name: str
    intensity: Quantity
    role: str = "accent"
    rate: Quantity | None = None
    data_fields: ClassVar[tuple[str, ...]] = ("intensity", "rate")

    def __post_init__(self) -> None:
        if as_quantity(self.intensity, f"work {self.name!r}").unit != "FLOP/B":
            raise ExplainError(f"work {self.name!r}: its intensity is in {self.intensity.unit!r}, not in FLOP/B")
        if self.rate is not None and as_quantity(self.rate, f"work {self.name!r}").unit != "FLOP/s":
            raise ExplainError(f"work {self.name!r}: its rate is in {self.rate.unit!r}, not in FLOP/s")


class RooflineChart(DataBound, VGroup):
    """Chips as roofs, work as points beneath them; both axes logarithmic.

    >>> chart = RooflineChart([Roof("H800", peak, bandwidth)], [Work("MLA decode", mla, "latent")])
    >>> self.play(chart.move("MLA decode", absorbed_intensity))

    Work without a measured rate stands on the roof of the first chip.
    """

    def __init__(
        self,
        roofs: Sequence[Roof],
        works: Sequence[Work] = (),
        *,
        width: float = 8.0,
        height: float = 4.0,
        x_axis: Axis | None = None,
        y_axis: Axis | None = None,
        radius: float = 0.11,
    ) -> None:
        super().__init__()
        if not roofs:
            raise ExplainError("a roofline chart needs at least one Roof")
        self.roofs = {roof.name: roof for roof in roofs}
        self.works = {work.name: work for work in works}
        chips = [datum for roof in roofs for datum in (roof.peak, roof.bandwidth)]
        self.bound = Bound.of([*chips, *(datum for work in works for datum in (work.intensity, work.rate))])
        ridges = [float(roof.ridge()) for roof in roofs]
        intensities = [float(work.intensity) for work in works]
        reach = [min([*intensities, min(ridges) / 30]), max([*intensities, max(ridges) * 6])]
        x = x_axis or Axis.holding(reach, log=True, pad=0.06, name="computed per byte read", unit="FLOP/B")
        rates = [roof.rate(each) for roof in roofs for each in (x.low, x.high)]
        rates += [float(work.rate) for work in works if work.rate is not None]
        y = y_axis or Axis.holding(rates, log=True, pad=0.08, name="attainable speed", unit="FLOP/s")
        self.axes = Axes2D(x, y, width=width, height=height)
        self.lines = {roof.name: self._line(roof) for roof in roofs}
        self.roof_names = {roof.name: self._roof_name(roof) for roof in roofs}
        self.dots = {work.name: self._point(work, radius) for work in works}
        self.add(self.axes, *self.lines.values(), *self.roof_names.values(), *self.dots.values())
        self.work_names: dict[str, Label] = {}
        apart(list(self.roof_names.values()))
        taken = [box(each) for each in (*self.roof_names.values(), *self.dots.values(), *self.axes.y_ticks)]
        taken += [box(Dot(point, radius=0.08)) for line in self.lines.values() for point in _along(line)]
        for work in works:
            text = place_beside(
                Label(work.name, "small", work.role),
                self._place(work),
                taken,
                gap=radius * (1.0 if work.rate is None else 1.5) + 0.06,
                inside=box(self.axes.corners),
            )
            taken.append(box(text))
            self.work_names[work.name] = text
        self.add(*self.work_names.values())
        self.center()

    def _line(self, roof: Roof) -> VMobject:
        x, ridge = self.axes.x, float(roof.ridge())
        corners = [x.low, *([ridge] if x.low < ridge < x.high else []), x.high]
        # a slanted roof enters where it crosses the lower edge of the picture
        corners[0] = max(corners[0], self.axes.y.low / float(roof.bandwidth))
        points = [self.axes.point(each, roof.rate(each)) for each in corners]
        return VMobject(stroke_color=theme.role(roof.role), stroke_width=3.5).set_points_as_corners(points)

    def _roof_name(self, roof: Roof) -> Label:
        return Label(roof.name, "small", roof.role).next_to(self.lines[roof.name].get_end(), RIGHT, buff=0.12)

    def _place(self, work: Work) -> Point:
        roof = next(iter(self.roofs.values()))
        rate = float(work.rate) if work.rate is not None else roof.rate(float(work.intensity))
        return self.axes.point(float(work.intensity), rate)

    def _point(self, work: Work, radius: float) -> Dot:
        colour = theme.role(work.role)
        if work.rate is None:
            return Dot(self._place(work), radius=radius, color=colour)
        return Dot(self._place(work), radius=1.4 * radius, fill_opacity=0, stroke_color=colour, stroke_width=3.5)

    def attainable(self, name: str, roof: str = "") -> Quantity:
        """The rate that a piece of work can reach on a chip (the first one unless named)."""
        work = self._known(name)
        chip = self.roofs[roof] if roof else next(iter(self.roofs.values()))
        inputs = (chip.peak, chip.bandwidth, work.intensity)
        value = chip.rate(float(work.intensity))
        return computed(value, "FLOP/s", "min(peak, bandwidth × FLOP/B)", inputs, name=f"{name} on {chip.name}")

    def _known(self, name: str) -> Work:
        if name not in self.works:
            raise one_of("work", name, list(self.works))
        return self.works[name]

    def ridge_line(self, name: str, role: str = "muted") -> VMobject:
        """A vertical line from a roof's corner to the axis: left of it reading limits, right of it computing."""
        if name not in self.roofs:
            raise one_of("roof", name, list(self.roofs))
        roof = self.roofs[name]
        ridge = float(roof.ridge())
        foot = self.axes.point(ridge, self.axes.y.low)
        line = VMobject(stroke_color=theme.role(role), stroke_width=2, stroke_opacity=0.7)
        return line.set_points_as_corners([self.axes.point(ridge, float(roof.peak)), foot])

    def move(self, name: str, intensity: Quantity, **options: Any) -> SlideWork:
        """The animation in which a piece of work slides along the roof to another intensity."""
        return SlideWork(self, name, intensity, **options)


class SlideWork(Animation):
    """A point of a `RooflineChart` slides along its roof; its name goes with it."""

    def __init__(
        self,
        chart: RooflineChart,
        name: str,
        intensity: Quantity,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        self._work = chart._known(name)
        self._goal = replace(self._work, intensity=intensity, rate=None)
        self._name = name
        super().__init__(chart, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the point at this moment."""
        chart, share = self.mobject, self.rate_func(alpha)
        start, end = float(self._work.intensity), float(self._goal.intensity)
        here = start * (end / start) ** share
        roof = next(iter(chart.roofs.values()))
        dot, text = chart.dots[self._name], chart.work_names[self._name]
        step = chart.axes.point(here, roof.rate(here)) - dot.get_center()
        dot.shift(step)
        text.shift(step)

    def finish(self) -> None:
        """Leave the chart bound to the new intensity."""
        super().finish()
        chart = self.mobject
        chart.works[self._name] = self._goal
        chart.bound = Bound(self._goal.intensity if each is self._work.intensity else each for each in chart.bound)


def _along(line: VMobject) -> list[Point]:
    """Points on a path, for labels to keep away from."""
    return [np.asarray(line.point_from_proportion(share)) for share in np.linspace(0, 1, 60)]
