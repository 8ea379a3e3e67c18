"""One thing that is divided by everybody who shares it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from manim import RIGHT, UP, Animation, Circle, VGroup, VMobject

from explainers.errors import ExplainError
from explainers.quantities import Computed, Quantity
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array


class SharedBar(DataBound, VGroup):
    """A bar as long as a total, cut into equal parts, one for each who shares it; totals and parts go in pairs.

    >>> bar = SharedBar(trace["step"], trace["users"], length=10, at=0)      # step i is shared by users i
    >>> self.play(bar.divide_to(1));  bar.part(0)                             # the next pair; the first slice

    Parameters
    ----------
    totals, parts
        One axis each, equally long; ``parts`` are whole numbers that grow.
    length
        Units for the longest total; the others are to scale.
    at
        Which pair is shown first.
    """

    def __init__(
        self,
        totals: NamedArray,
        parts: NamedArray,
        *,
        length: float = 11.0,
        thickness: float = 1.0,
        role: str = "cost",
        at: int = 0,
    ) -> None:
        super().__init__()
        as_array(totals, "SharedBar", 1), as_array(parts, "SharedBar", 1)
        if totals.values.shape != parts.values.shape or (totals.values <= 0).any() or (parts.values < 0.5).any():
            raise ExplainError("a shared bar needs as many totals as parts, all above zero")
        self.bound = Bound((totals, parts))
        self.totals, self.parts = totals, parts
        self.thickness, self.at = thickness, at
        self.unit = length / float(totals.values.max())
        self.bar = VMobject(stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
        self.cuts = VMobject(stroke_color=theme.role("ground"), stroke_width=2.0)
        self.anchor = VMobject(stroke_width=0).set_points([np.zeros(3)] * 4)
        self.add(self.bar, self.cuts, self.anchor)
        self.show(float(at))
        self.shift(-np.array([length / 2, 0, 0]))

    def _pair(self, place: float) -> tuple[float, int, float]:
        """Total, parts already cut, and how far the cuts to the next pair have come."""
        low = min(math.floor(place + 1e-9), len(self.totals.values) - 1)
        high = min(low + 1, len(self.totals.values) - 1)
        share = min(max(place - low, 0.0), 1.0)
        total = float(self.totals.values[low]) * (1 - share) + float(self.totals.values[high]) * share
        return total, low, share

    def show(self, place: float) -> SharedBar:
        """Show pair ``place``; between two pairs the bar is longer by a part and the new cuts are half way down."""
        total, low, share = self._pair(place)
        start, long = self.anchor.points[0], total * self.unit
        corners = np.array([[0, -0.5, 0], [1, -0.5, 0], [1, 0.5, 0], [0, 0.5, 0], [0, -0.5, 0]])
        self.bar.set_points_as_corners(corners * np.array([long, self.thickness, 0]) + start)
        self.cuts.set_points(np.zeros((0, 3)))
        self._cut(round(float(self.parts.values[low])), long, 1.0)
        if share > 0:
            self._cut(round(float(self.parts.values[min(low + 1, len(self.parts.values) - 1)])), long, share)
        self.cuts.set_stroke(width=min(2.0, 60 * long / max(self.parts.values[low], 1) / 10))
        self.place = place
        return self

    def _cut(self, parts: int, long: float, depth: float) -> None:
        start, half = self.anchor.points[0], self.thickness / 2
        for index in range(1, parts):
            top = start + np.array([long * index / parts, half, 0])
            self.cuts.start_new_path(top)
            self.cuts.add_line_to(top - np.array([0, self.thickness * depth, 0]))

    def part(self, index: int, role: str = "accent") -> VMobject:
        """One slice of what is shown now, as an object of its own."""
        total, low, _ = self._pair(self.place)
        wide = total * self.unit / round(float(self.parts.values[low]))
        left = self.anchor.points[0] + np.array([wide * index, 0, 0])
        corners = np.array([[0, -0.5, 0], [1, -0.5, 0], [1, 0.5, 0], [0, 0.5, 0], [0, -0.5, 0]])
        slice_ = VMobject(stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
        return slice_.set_points_as_corners(corners * np.array([wide * 0.94, self.thickness, 0]) + left)

    def divide_to(self, place: int, **options: Any) -> DivideBar:
        """The animation that walks to another pair."""
        return DivideBar(self, place, **options)


class DivideBar(Animation):
    """A `SharedBar` is shared by more (or fewer)."""

    def __init__(
        self,
        bar: SharedBar,
        place: int,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        if not 0 <= place < len(bar.totals.values):
            raise ExplainError(f"a shared bar has pairs 0 to {len(bar.totals.values) - 1}, not {place}")
        self._from, self._to = bar.place, float(place)
        super().__init__(bar, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the bar at this moment."""
        self.mobject.show(self._from + (self._to - self._from) * self.rate_func(alpha))


class Crowd(DataBound, VGroup):
    """So many people as dots, in rows from the bottom left; the crowd can grow and shrink.

    >>> crowd = Crowd(users, columns=12);  self.play(crowd.grow_to(more_users))
    """

    def __init__(self, people: Quantity, *, columns: int = 12, pitch: float = 0.3, role: str = "token") -> None:
        super().__init__()
        if not isinstance(people, Quantity) or people.value < 0 or people.value > 4000:
            raise ExplainError("a crowd is a Quantity of 0 to 4,000 people")
        self.bound = Bound((people,))
        self.people, self.columns, self.pitch = people, columns, pitch
        self.dots = VMobject(stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
        self.anchor = VMobject(stroke_width=0).set_points([np.zeros(3)] * 4)
        self.add(self.dots, self.anchor)
        self._show(float(people))

    def _show(self, count: float) -> None:
        number, radius = round(count), self.pitch * 0.34
        self.dots.set_points(np.zeros((0, 3)))
        disc = Circle(radius).points
        index = np.arange(number)
        places = np.stack([index % self.columns, index // self.columns, np.zeros(number)], 1) * self.pitch
        if number:
            self.dots.set_points(
                (disc[None] + places[:, None] + self.anchor.points[0] + radius * (RIGHT + UP)).reshape(-1, 3)
            )

    def grow_to(self, people: Quantity, **options: Any) -> ChangeCrowd:
        """The animation in which people come or go."""
        return ChangeCrowd(self, people, **options)


class ChangeCrowd(Animation):
    """A `Crowd` grows or shrinks."""

    def __init__(
        self,
        crowd: Crowd,
        people: Quantity,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        self._from, self._to = crowd.people, people
        super().__init__(crowd, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the crowd at this moment: whole people only."""
        share = self.rate_func(alpha)
        here = round(float(self._from) + (float(self._to) - float(self._from)) * share)
        words = f"between {self._from.short()} and {self._to.short()}"
        ends = self._from if share <= 0 else self._to if share >= 1 else None
        self.mobject.people = ends or replace(
            self._to, value=here, origin=Computed(words, (self._from, self._to)), key=""
        )
        self.mobject._show(float(here))

    def finish(self) -> None:
        """Leave the crowd bound to its new size."""
        super().finish()
        self.mobject.bound = Bound((self._to,))
