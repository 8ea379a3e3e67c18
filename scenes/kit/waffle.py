"""Amounts as equal squares of one unit: they can be compared at any size, because the unit is seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from manim import Animation, VGroup, VMobject
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.quantities import Computed, Quantity
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_quantity


class Waffle(DataBound, VGroup):
    """A Quantity as squares of one unit each; the last square is as wide as what is left over.

    >>> bill = Waffle(cost, ten_dollars, columns=40, cell=0.09, role="cost")     # one square: ten dollars
    >>> self.play(bill.change_to(other_cost))

    Squares fill columns of ``rows`` from the top left, or rows of ``columns``, whichever is given.
    """

    def __init__(
        self,
        amount: Quantity,
        unit: Quantity,
        *,
        columns: int = 0,
        rows: int = 0,
        cell: float = 0.1,
        gap: float = 0.18,
        role: str = "accent",
        most: int = 6000,
    ) -> None:
        super().__init__()
        as_quantity(amount, "Waffle"), as_quantity(unit, "Waffle")
        if amount.unit != unit.unit:
            raise ExplainError(f"a waffle of {amount.unit!r} cannot be made of squares of {unit.unit!r}; use one unit")
        if unit.value <= 0 or amount.value < 0 or float(amount) / float(unit) > most:
            raise ExplainError(
                f"a waffle cannot show {amount.value:g} in squares of {unit.value:g}; choose another unit"
            )
        if (columns > 0) == (rows > 0):
            raise ExplainError("a waffle needs either columns or rows, above zero")
        self.bound = Bound((amount, unit))
        self.amount, self.unit = amount, unit
        self.line, self.by_rows, self.cell, self.gap = columns or rows, columns > 0, cell, gap
        self.squares = VMobject(stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
        self.add(self.squares)
        self.origin_point = VMobject(stroke_width=0).set_points([np.zeros(3)] * 4)  # moves and scales with the waffle
        self.edge_point = VMobject(stroke_width=0).set_points([np.array([1.0, 0, 0])] * 4)
        self.add(self.origin_point, self.edge_point)
        self._show(float(amount) / float(unit))

    def _show(self, count: float) -> None:
        start = self.origin_point.points[0]
        factor = float(np.linalg.norm(self.edge_point.points[0] - start))
        self.squares.set_points(_boxes(count, self.line, self.by_rows, self.cell, self.gap) * factor + start)

    @property
    def count(self) -> float:
        """Squares shown, with the broken one."""
        return float(self.amount) / float(self.unit)

    def place_at(self, corner: NDArray[np.float64] | Sequence[float]) -> Waffle:
        """Move so that the first square's upper left corner is at ``corner``, however many squares there are."""
        self.shift(np.asarray(corner, dtype=float) - self.origin_point.points[0])
        return self

    def fill(self, **options: Any) -> ChangeWaffle:
        """The animation in which the squares come one after the other."""
        goal = self.amount
        self.amount = replace(goal, value=0, origin=Computed("nothing yet", (goal,)), key="")
        self._show(0.0)
        return ChangeWaffle(self, goal, **options)

    def change_to(self, amount: Quantity, **options: Any) -> ChangeWaffle:
        """The animation in which squares come or go until another amount is shown."""
        return ChangeWaffle(self, amount, **options)


class ChangeWaffle(Animation):
    """A `Waffle` changes its amount, square by square."""

    def __init__(
        self,
        waffle: Waffle,
        amount: Quantity,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        if as_quantity(amount, "change_to").unit != waffle.amount.unit:
            raise ExplainError(f"a waffle of {waffle.amount.unit!r} cannot become {amount.unit!r}; use one unit")
        self._from, self._to = waffle.amount, amount
        super().__init__(waffle, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the amount at this moment."""
        share = self.rate_func(alpha)
        here = float(self._from) + (float(self._to) - float(self._from)) * share
        self.mobject.amount = _between(self._from, self._to, here, share)
        self.mobject._show(here / float(self.mobject.unit))

    def finish(self) -> None:
        """Leave the waffle bound to its new amount."""
        super().finish()
        self.mobject.bound = Bound((self._to, self.mobject.unit))


def _between(start: Quantity, end: Quantity, value: float, share: float) -> Quantity:
    if share <= 0 or share >= 1:
        return start if share <= 0 else end
    words = f"between {start.short()} and {end.short()}"
    return replace(end, value=value, origin=Computed(words, (start, end)), name=words, key="")


def _boxes(count: float, line: int, by_rows: bool, cell: float, gap: float) -> NDArray[np.float64]:
    """Outlines of ``count`` squares (16 points each), the last one cut; right and down from the origin."""
    number = math.ceil(count - 1e-9)
    if number <= 0:
        return np.zeros((0, 3))
    index = np.arange(number)
    first, second = index % line, index // line
    across, down = (first, second) if by_rows else (second, first)
    wide = np.full(number, cell * (1 - gap))
    wide[-1] *= count - (number - 1) if count < number else 1.0
    left, top = across * cell, -down * cell
    return boxes_of(left, top - cell * (1 - gap), wide, cell * (1 - gap))


def boxes_of(left: Any, low: Any, wide: Any, high: Any) -> NDArray[np.float64]:
    """Outlines of boxes (16 points each) from left and lower edges, widths, heights: arrays (n,) or numbers."""
    left, low, wide, high = np.broadcast_arrays(left, low, wide, high)
    corners = np.stack(
        [
            np.stack([x, y, np.zeros(len(left))], 1)
            for x, y in ((left, low), (left + wide, low), (left + wide, low + high), (left, low + high))
        ],
        1,
    )
    following = np.roll(corners, -1, axis=1)
    shares = np.array([0, 1 / 3, 2 / 3, 1])[None, None, :, None]
    return np.asarray((corners[:, :, None] * (1 - shares) + following[:, :, None] * shares).reshape(-1, 3))
