"""Points with names: one thing against another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from manim import Dot, VGroup, VMobject

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis, box, place_beside
from scenes.kit.axes import Point as Place
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.text import Label


@dataclass(frozen=True, eq=False)
class Spot:
    """One named point. A Quantity's ``spread`` is drawn as a whisker."""

    name: str
    x: Quantity
    y: Quantity
    role: str = "accent"
    data_fields: ClassVar[tuple[str, ...]] = ("x", "y")

    def __post_init__(self) -> None:
        as_quantity(self.x, f"x of {self.name!r}")
        as_quantity(self.y, f"y of {self.name!r}")


class ScatterChart(DataBound, VGroup):
    """Named points over a pair of axes; whiskers are one standard deviation.

    >>> ScatterChart([Spot("MLA", cache, loss, "latent")], x_name="cache per token", y_name="loss", x_log=True)
    """

    def __init__(
        self,
        spots: Sequence[Spot],
        *,
        x_name: str = "",
        y_name: str = "",
        x_log: bool = False,
        y_log: bool = False,
        x_axis: Axis | None = None,
        y_axis: Axis | None = None,
        width: float = 7.5,
        height: float = 3.9,
        radius: float = 0.1,
        names: bool = True,
    ) -> None:
        super().__init__()
        self.spots = {spot.name: spot for spot in spots}
        if not spots or len(self.spots) != len(spots):
            raise ExplainError("a scatter chart needs at least one Spot, each with its own name")
        for side in ("x", "y"):
            units = {getattr(spot, side).unit for spot in spots}
            if len(units) > 1:
                raise ExplainError(f"the {side} values are in {', '.join(sorted(units))}; convert them to one unit")
        self.bound = Bound.of(datum for spot in spots for datum in (spot.x, spot.y))
        self.axes = Axes2D(
            x_axis or _axis([spot.x for spot in spots], x_log, x_name),
            y_axis or _axis([spot.y for spot in spots], y_log, y_name),
            width=width,
            height=height,
        )
        self.whiskers = {spot.name: self._whisker(spot) for spot in spots if spot.x.spread or spot.y.spread}
        self.dots = {spot.name: Dot(self.at(spot.name), radius=radius, color=theme.role(spot.role)) for spot in spots}
        self.add(self.axes, *self.whiskers.values(), *self.dots.values())
        self.names: dict[str, Label] = {}
        if names:
            taken = [box(each) for each in (*self.dots.values(), *self.whiskers.values(), *self.axes.y_ticks)]
            frame = box(self.axes.corners)
            for spot in spots:
                text = Label(spot.name, "small", spot.role)
                place_beside(text, self.at(spot.name), taken, gap=radius + 0.04, inside=frame)
                taken.append(box(text))
                self.names[spot.name] = text
            self.add(*self.names.values())
        self.center()

    def at(self, name: str) -> Place:
        """Where a point stands."""
        if name not in self.spots:
            raise one_of("point", name, list(self.spots))
        return self.axes.point(self.spots[name].x, self.spots[name].y)

    def _whisker(self, spot: Spot) -> VMobject:
        lines = VMobject(stroke_color=theme.role(spot.role), stroke_width=2.5, stroke_opacity=0.8)
        x, y = float(spot.x), float(spot.y)
        for dx, dy in ((spot.x.spread or 0.0, 0.0), (0.0, spot.y.spread or 0.0)):
            if dx or dy:
                low = max(x - dx, self.axes.x.low), max(y - dy, self.axes.y.low)
                lines.start_new_path(self.axes.point(*low))
                lines.add_line_to(self.axes.point(min(x + dx, self.axes.x.high), min(y + dy, self.axes.y.high)))
        return lines


def _axis(values: Sequence[Quantity], log: bool, name: str) -> Axis:
    """An axis with room for values and their whiskers."""
    ends = [float(q) + sign * (q.spread or 0.0) for q in values for sign in (-1, 0, 1)]
    return Axis.holding(
        [end for end in ends if end > 0] if log else ends, log=log, pad=0.12, name=name, unit=values[0].unit
    )
