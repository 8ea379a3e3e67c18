"""Axes without LaTeX: linear or logarithmic, quiet, with ticks that know their value."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from manim import DOWN, LEFT, RIGHT, UL, UP, Mobject, VGroup, VMobject
from numpy.typing import NDArray

from explainers import languages
from explainers.errors import ExplainError
from explainers.quantities import Computed, Quantity
from scenes.kit import theme
from scenes.kit.text import Label

Point = NDArray[np.float64]
#: Units that stand in the ticks; every other unit is written once, in the axis name.
_TICK_UNITS = ("B", "%", "×", "USD", "FLOP/s", "B/s", "FLOP")


class AxisTick(Label):
    """The text of an axis tick. ``tick_value`` is the value at which it stands, and what its text must say."""

    text_kind = "tick"

    def __init__(self, value: float, unit: str = "", fmt: str = "", size: str | float = "tick") -> None:
        self.tick_quantity = Quantity(value, unit, Computed("position on an axis"), "axis tick")
        text = self.tick_quantity.text(fmt)
        plain = self.tick_quantity.text(fmt, "en")
        style = re.match(r"\s*[a-z]*", fmt)
        exact = self.tick_quantity.text(f"{style[0] if style else ''} 7", "en")
        if not math.isclose(_first_number(plain), _first_number(exact), rel_tol=1e-5, abs_tol=1e-12):
            raise ExplainError(f"the axis tick {text!r} does not say {value}; give the axis another fmt")
        super().__init__(text, size, "muted")
        self.tick_value = float(value)


def _first_number(text: str) -> float:
    digits = re.search(r"[−-]?[\d,]+(?:\.\d+)?", text)
    return float(digits[0].replace(",", "").replace("−", "-")) if digits else math.nan


@dataclass(frozen=True)
class Axis:
    """One axis: its range, its name, its ticks.

    Parameters
    ----------
    low, high
        The range in the unit of the data.
    name, unit
        ``"cache"``, ``"B"``.
    log
        Equal factors are equally far apart; the name then says "log scale".
    ticks
        Where ticks stand; chosen where empty.
    fmt
        Format of the ticks, as for `Quantity.text`.
    """

    low: float
    high: float
    name: str = ""
    unit: str = ""
    log: bool = False
    ticks: tuple[float, ...] = ()
    fmt: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)) or self.low >= self.high:
            raise ExplainError(f"axis {self.name!r} cannot run from {self.low} to {self.high}; give low < high")
        if self.log and self.low <= 0:
            raise ExplainError(f"the logarithmic axis {self.name!r} cannot start at {self.low}; give low > 0")

    @classmethod
    def holding(cls, values: Any, *, log: bool = False, zero: bool = False, pad: float = 0.06, **about: Any) -> Axis:
        """An axis with room for these values; ``zero`` includes zero."""
        data = np.asarray(values, dtype=np.float64)
        low, high = float(data.min()), float(data.max())
        if log:
            if low <= 0:
                raise ExplainError(f"a logarithmic axis cannot hold {low}; use log=False")
            low, high = math.log10(low), math.log10(high)
            room = max(high - low, 0.3) * pad
            return cls(10 ** (low - room), 10 ** (high + room), log=True, **about)
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        span = (high - low) or abs(high) or 1.0
        bottom = 0.0 if 0 <= low < span * pad or (zero and low == 0) else low - span * pad
        return cls(bottom, high + span * pad, **about)

    def share(self, value: Any) -> Any:
        """Where values stand: 0 at low, 1 at high."""
        values = np.asarray(value, dtype=np.float64)
        if self.log:
            return (np.log10(values) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (values - self.low) / (self.high - self.low)

    def places(self, about: int = 5) -> tuple[float, ...]:
        """Where ticks stand: round numbers inside the range."""
        if self.ticks:
            return self.ticks
        return _log_places(self.low, self.high, about) if self.log else _linear_places(self.low, self.high, about)

    def tick(self, value: float, size: str | float = "tick", about: int = 5) -> AxisTick:
        """The tick's text at a value, with ``about`` so many ticks on the axis."""
        return AxisTick(value, self.unit, self.fmt or self._format(value, about), size)

    def _format(self, value: float, about: int = 5) -> str:
        """The shortest format that says the value exactly, alike for all ticks of the axis."""
        bare = "" if self.unit in _TICK_UNITS else " bare"
        largest = max(abs(place) for place in self.places())
        if self.log or largest >= 1e4:
            digits = next((d for d in range(1, 5) if math.isclose(float(f"{value:.{d}g}"), value, rel_tol=1e-9)), 5)
            style = "percent" if self.unit == "%" else "si" if largest >= 1e3 or self.unit in _TICK_UNITS else "plain"
            return f"{style} {digits}{bare}"
        decimals = max(_decimals(self.places(each), largest) for each in (5, about))
        style = "percent" if self.unit == "%" else "plain"
        return f"{style} .{decimals}{bare}"

    def caption(self) -> str:
        """The axis name, with what ticks leave unsaid: the unit, and that the scale is logarithmic."""
        said = self.unit in self.name.replace("tokens", "token").split()  # "tokens in the cache, token" would stammer
        unit = "" if said or self.unit in ("", *_TICK_UNITS) else self.unit
        parts = (self.name, unit, "log scale" if self.log else "")
        return ", ".join(languages.word(part) for part in parts if part)


def _decimals(places: tuple[float, ...], largest: float) -> int:
    """Decimals that say the steps between ticks exactly."""
    steps = np.diff(places)
    step = float(np.abs(steps).min()) if len(steps) else largest or 1.0
    return next((each for each in range(6) if abs(round(step, each) - step) <= 1e-9 * step), 6)


def _linear_places(low: float, high: float, about: int) -> tuple[float, ...]:
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(k * step, 12) for k in range(first, last + 1))


def _log_places(low: float, high: float, about: int) -> tuple[float, ...]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    decades = [10.0**power for power in range(first, last + 1)]
    if len(decades) >= 3 or math.log10(high / low) > 2.5:
        return tuple(decades[:: max(1, math.ceil(len(decades) / (about + 1)))])
    fine = [factor * 10.0**power for power in range(first - 1, last + 1) for factor in (1, 2, 5)]
    return tuple(place for place in fine if low * 0.999 <= place <= high * 1.001)


class Axes2D(VGroup):
    """Two axes with grid lines, ticks and names.

    >>> axes = Axes2D(Axis(0, 128, "rank"), Axis(1e3, 1e6, "cache", "B", log=True), width=8, height=4)
    >>> axes.point(32, 7e4)

    Horizontal grid lines stand back; the name of the vertical axis stands above it, where it can be read.
    """

    def __init__(
        self,
        x: Axis,
        y: Axis,
        *,
        width: float = 8.0,
        height: float = 4.0,
        grid: bool = True,
        size: str | float = "tick",
        x_ticks: bool = True,
        y_ticks: bool = True,
    ) -> None:
        super().__init__()
        self.x, self.y = x, y
        # The plot's corners are an invisible mobject, so that the mapping follows every move and scaling.
        self.corners = VMobject(stroke_width=0).set_points_as_corners(
            np.array([[0, 0, 0], [width, 0, 0], [width, height, 0], [0, height, 0]], dtype=float)
        )
        self.lines = VMobject(stroke_color=theme.role("hairline"), stroke_width=1.1, stroke_opacity=0.75)
        self.base = VMobject(stroke_color=theme.role("muted"), stroke_width=2.0)
        self.x_ticks, self.y_ticks, self.names = VGroup(), VGroup(), VGroup()
        self.add(self.corners, self.lines, self.base, self.x_ticks, self.y_ticks, self.names)
        if y_ticks:
            self._add_y_ticks(size, grid)
        if x_ticks:
            self._add_x_ticks(size)
        self.base.set_points_as_corners([self.point_at(0, 0), self.point_at(1, 0)])
        self._add_names()
        self.center()

    def _add_y_ticks(self, size: str | float, grid: bool) -> None:
        for place in self.y.places():
            share = float(self.y.share(place))
            self.y_ticks.add(self.y.tick(place, size).next_to(self.point_at(0, share), LEFT, buff=0.14))
            if grid and share > 0.01:
                self.lines.start_new_path(self.point_at(0, share))
                self.lines.add_line_to(self.point_at(1, share))

    def _add_x_ticks(self, size: str | float) -> None:
        right = -math.inf
        for place in self.x.places(about=7):
            foot = self.point_at(float(self.x.share(place)), 0)
            text = self.x.tick(place, size, about=7).next_to(foot, DOWN, buff=0.12)
            if text.get_left()[0] < right + 0.12:
                continue  # a tick that would touch its neighbour is left out
            right = text.get_right()[0]
            self.x_ticks.add(text)
            self.lines.start_new_path(foot)
            self.lines.add_line_to(foot + DOWN * 0.07)

    def _add_names(self) -> None:
        if caption := self.y.caption():
            edge = min([tick.get_left()[0] for tick in self.y_ticks], default=self.point_at(0, 1)[0])
            name = Label(caption, "small", "muted", as_is=True).next_to(self.point_at(0, 1), UP, buff=0.2)
            self.names.add(name.shift([edge - name.get_left()[0], 0, 0]))
        if caption := self.x.caption():
            below = VGroup(*self.x_ticks) if len(self.x_ticks) else self.base
            name = Label(caption, "small", "muted", as_is=True).next_to(below, DOWN, buff=0.12)
            self.names.add(name.shift([self.point_at(1, 0)[0] - name.get_right()[0], 0, 0]))

    # ------------------------------------------------------------------ values → places
    def point_at(self, across: float, up: float) -> Point:
        """The place at shares of the plot's width and height."""
        origin, right, top = self.corners.points[0], self.corners.points[3], self.corners.points[7]
        return np.asarray(origin + (right - origin) * across + (top - right) * up)

    def point(self, x: float | Quantity, y: float | Quantity) -> Point:
        """The place of a pair of values."""
        return self.point_at(float(self.x.share(float(x))), float(self.y.share(float(y))))

    def points_of(self, x: Any, y: Any) -> Point:
        """Places of many pairs: arrays (n,), (n,) → (n, 3)."""
        across, up = self.x.share(x), self.y.share(y)
        origin, right, top = self.corners.points[0], self.corners.points[3], self.corners.points[7]
        return np.asarray(origin + across[:, None] * (right - origin) + up[:, None] * (top - right))

    @property
    def plot_width(self) -> float:
        """Width of the plot without ticks and names."""
        return float(np.linalg.norm(self.point_at(1, 0) - self.point_at(0, 0)))

    @property
    def plot_height(self) -> float:
        """Height of the plot without ticks and names."""
        return float(np.linalg.norm(self.point_at(0, 1) - self.point_at(0, 0)))


def apart(labels: Sequence[Mobject], gap: float = 0.04, way: Point = UP) -> None:
    """Move labels that stand beside each other's curves up and down (``way=RIGHT``: aside) until none overlaps."""
    axis = int(np.argmax(np.abs(way)))
    ordered = sorted(labels, key=lambda each: float(each.get_center()[axis]))
    for _ in range(60):
        moved = False
        for low, high in zip(ordered, ordered[1:], strict=False):
            overlap = low.get_edge_center(way)[axis] + gap - high.get_edge_center(-way)[axis]
            if overlap > 1e-3:
                low.shift(-way * overlap / 2)
                high.shift(way * overlap / 2)
                moved = True
        if not moved:
            return


def place_beside(
    text: Label,
    point: Point,
    taken: Sequence[tuple[float, ...]],
    gap: float = 0.1,
    inside: tuple[float, ...] | None = None,
) -> Label:
    """Put a label beside a point, on the side where it covers least of what is ``taken`` (boxes l, b, r, t).

    ``inside`` is a box that it should not leave.
    """

    def covered(direction: Point) -> float:
        text.next_to(point, direction, buff=gap)
        left, bottom, right, top = box(text)
        over = sum(
            max(0.0, min(right, r) - max(left, le)) * max(0.0, min(top, t) - max(bottom, b)) for le, b, r, t in taken
        )
        if inside is not None:
            le, b, r, t = inside
            over += max(0.0, le - left) + max(0.0, b - bottom) + max(0.0, right - r) + max(0.0, top - t)
        return over

    sides = (RIGHT, UP, LEFT, DOWN, UP + RIGHT, UL, DOWN + RIGHT, DOWN + LEFT)
    best = min(range(len(sides)), key=lambda i: (round(covered(sides[i]), 4), i))
    return text.next_to(point, sides[best], buff=gap)


def box(mobject: Any) -> tuple[float, float, float, float]:
    """Left, bottom, right, top."""
    (left, bottom, _), (right, top, _) = mobject.get_corner(DOWN + LEFT), mobject.get_corner(UP + RIGHT)
    return float(left), float(bottom), float(right), float(top)
