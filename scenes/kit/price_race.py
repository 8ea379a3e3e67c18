"""Prices that come and change over the years, drawn by a line of time that sweeps across them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

import numpy as np
from manim import DOWN, UP, Animation, VGroup, VMobject
from numpy.typing import NDArray

from explainers.errors import ExplainError, one_of
from explainers.quantities import Computed, Quantity
from explainers.traces import NamedArray, Trace
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.text import Label


def year_of(day: float) -> float:
    """An ordinal day (`datetime.date.toordinal`) as a year with a fraction."""
    first = date.fromordinal(int(day)).replace(month=1, day=1)
    long = (first.replace(year=first.year + 1) - first).days
    return first.year + (day - first.toordinal()) / long


class YearTick(Label):
    """A year on an axis of time, written without a separator of thousands."""

    text_kind = "tick"

    def __init__(self, year: int, size: str | float = "tick") -> None:
        super().__init__(f"{year:d}", size, "muted")
        self.tick_value = float(year)
        self.tick_quantity = Quantity(float(year), "", Computed("position on an axis"), "year")


@dataclass(frozen=True, eq=False)
class Listings:
    """Prices of one kind, each with the ordinal day from which it holds.

    With ``stepped`` a line holds each price until the next; else every listing is a dot of its own. ``sure`` says of
    each listing whether it was read at the vendor's; the others are drawn hollow.
    """

    name: str
    price: NamedArray
    day: NamedArray
    role: str = "accent"
    stepped: bool = False
    sure: NamedArray | None = None
    dashed: bool = False
    data_fields: ClassVar[tuple[str, ...]] = ("price", "day", "sure")

    def __post_init__(self) -> None:
        for array, what in ((self.price, "prices"), (self.day, "days"), (self.sure, "sure")):
            if array is not None:
                as_array(array, f"{what} of {self.name!r}", 1)
                if array.values.shape != self.price.values.shape:
                    raise ExplainError(f"the listings of {self.name!r} need as many {what} as prices")
        if (self.price.values <= 0).any():
            raise ExplainError(f"the prices of {self.name!r} stand on a logarithmic axis and must be above zero")

    @classmethod
    def of(cls, trace: Trace, name: str, role: str, *, stepped: bool = False, dashed: bool = False) -> Listings:
        """The listings of a kind out of a run that has ``price_NAME``, ``day_NAME`` and ``vendor_read_NAME``."""
        price, day, sure = (trace[f"{what}_{name}"] for what in ("price", "day", "vendor_read"))
        return cls(name, price, day, role, stepped=stepped, sure=sure, dashed=dashed)

    def ordered(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Years, prices and sureness in order of time."""
        order = np.argsort(self.day.values, kind="stable")
        years = np.array([year_of(float(day)) for day in self.day.values[order]])
        sure = np.ones(len(order), bool) if self.sure is None else self.sure.values.astype(bool)[order]
        return years, self.price.values.astype(float)[order], sure


class PriceRace(DataBound, VGroup):
    """Listings on a log axis of prices and an axis of years; a line of time sweeps and leaves them behind it.

    >>> race = PriceRace([Listings("others", price, day, "token"), Listings("ours", p, d, "latent", stepped=True)])
    >>> self.play(race.sweep_to(2025.1, run_time=4))

    It starts before the first listing, with nothing shown. ``race.at(name, index)`` is the place of a listing.
    """

    def __init__(
        self,
        lines: Sequence[Listings],
        *,
        first: float = 2023.0,
        last: float = 2027.0,
        low: float = 0.2,
        high: float = 100.0,
        ticks: tuple[float, ...] = (),
        width: float = 11.0,
        height: float = 4.2,
        name: str = "a million tokens of output",
        radius: float = 0.075,
    ) -> None:
        super().__init__()
        self.lines = {line.name: line for line in lines}
        if not lines or len(self.lines) != len(lines):
            raise ExplainError("a price race needs at least one set of Listings, each with its own name")
        self.bound = Bound.of(datum for line in lines for datum in (line.price, line.day, line.sure))
        self.radius = radius
        price_axis = Axis(low, high, name, "USD", log=True, ticks=ticks)
        self.axes = Axes2D(Axis(first, last), price_axis, width=width, height=height, x_ticks=False)
        for year in range(int(np.ceil(first)), int(last) + 1):
            foot = self.axes.point_at(float(self.axes.x.share(year)), 0)
            self.axes.x_ticks.add(YearTick(year).next_to(foot, DOWN, buff=0.12))
        self.paths: dict[str, VMobject] = {}
        self.full: dict[str, VMobject] = {}
        self.hollow: dict[str, VMobject] = {}
        for line in lines:
            colour = theme.role(line.role)
            self.paths[line.name] = VMobject(stroke_color=colour, stroke_width=5 if not line.dashed else 3)
            self.full[line.name] = VMobject(stroke_width=0, fill_color=colour, fill_opacity=1)
            self.hollow[line.name] = VMobject(stroke_color=colour, stroke_width=2.2, fill_opacity=0)
        self.now = VMobject(stroke_color=theme.role("accent"), stroke_width=2, stroke_opacity=0.7)
        parts = [part for group in (self.paths, self.hollow, self.full) for part in group.values()]
        self.add(self.axes, self.now, *parts)
        self.center()
        self.show(last)

    def show(self, year: float) -> PriceRace:
        """Everything that was listed up to a moment."""
        self.moment = year
        for name, line in self.lines.items():
            years, prices, sure = line.ordered()
            seen = years <= year
            where = self.axes.points_of(years[seen], prices[seen])
            self._dots(self.full[name], where[sure[seen]])
            self._dots(self.hollow[name], where[~sure[seen]])
            self._steps(self.paths[name], line, where, min(year, self.axes.x.high))
        foot = self.axes.point_at(min(max(float(self.axes.x.share(year)), 0.0), 1.0), 0)
        top = foot + self.axes.point_at(0, 1) - self.axes.point_at(0, 0)
        self.now.set_points_as_corners([foot, top])
        return self

    def _dots(self, dots: VMobject, places: NDArray[np.float64]) -> None:
        dots.set_points(np.zeros((0, 3)))
        turn = np.linspace(0, 2 * np.pi, 9)
        ring = np.stack([np.cos(turn), np.sin(turn), np.zeros(9)], 1) * self.radius
        for place in places:
            dots.start_new_path(place + ring[0])
            for angle in range(1, 9):
                middle = (turn[angle - 1] + turn[angle]) / 2
                bend = np.array([np.cos(middle), np.sin(middle), 0]) * self.radius / np.cos(np.pi / 8)
                dots.add_quadratic_bezier_curve_to(place + bend, place + ring[angle])

    def _steps(self, path: VMobject, line: Listings, places: NDArray[np.float64], year: float) -> None:
        path.set_points(np.zeros((0, 3)))
        if not line.stepped or not len(places):
            return
        end = self.axes.point_at(float(self.axes.x.share(year)), 0)[0]
        path.start_new_path(places[0])
        for here, after in zip(places, [*places[1:], None], strict=True):
            across = np.array([end if after is None else after[0], here[1], 0.0])
            path.add_line_to(across)
            if after is not None:
                path.add_line_to(after)

    # ------------------------------------------------------------------ for scenes
    def at(self, name: str, index: int) -> NDArray[np.float64]:
        """Where a listing stands (``index`` in order of time)."""
        if name not in self.lines:
            raise one_of("set of listings", name, list(self.lines))
        years, prices, _ = self.lines[name].ordered()
        return np.asarray(self.axes.points_of(years[index : index + 1], prices[index : index + 1])[0])

    def find(self, name: str, listing: str) -> int:
        """The place in time of the first listing with this label."""
        line = self.lines[name]
        order = np.argsort(line.day.values, kind="stable")
        axis = line.price.axes[0]
        names = line.price.labels.get(axis) or line.day.labels.get(axis, ())
        labels = [names[int(index)] for index in order] if names else []
        if listing not in labels:
            raise one_of("listing", listing, labels)
        return labels.index(listing)

    def year_of(self, name: str, index: int) -> float:
        """When a listing began, as a year with a fraction."""
        return float(self.lines[name].ordered()[0][index])

    def sweep_to(self, year: float, **options: Any) -> Sweep:
        """The animation in which the line of time moves on (or back)."""
        return Sweep(self, year, **options)

    def tag(self, words: Label, name: str, index: int, side: NDArray[np.float64] = UP, buff: float = 0.14) -> Label:
        """Put words beside a listing."""
        return words.next_to(self.at(name, index), side, buff=buff + self.radius)


class Sweep(Animation):
    """The line of time of a `PriceRace` moves."""

    def __init__(
        self,
        race: PriceRace,
        year: float,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        self._from, self._to = race.moment, year
        super().__init__(race, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the prices up to this moment."""
        self.mobject.show(self._from + (self._to - self._from) * self.rate_func(alpha))
