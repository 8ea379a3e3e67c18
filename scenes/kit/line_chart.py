"""Curves with their names beside them and the spread over runs behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from manim import DOWN, LEFT, RIGHT, Create, DashedVMobject, Dot, VGroup, VMobject
from numpy.typing import NDArray

from explainers.errors import ExplainError, one_of
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis, Point, apart
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.text import Label


@dataclass(frozen=True, eq=False)
class Series:
    """One curve.

    Parameters
    ----------
    name
        Written beside its end.
    y
        Values, one axis.
    x
        Where they stand; 0, 1, 2 … where None.
    spread
        Standard deviation over runs, as long as ``y``; drawn as a band.
    role
        Its colour.
    """

    name: str
    y: NamedArray
    x: NamedArray | None = None
    spread: NamedArray | None = None
    role: str = "accent"
    dashed: bool = False
    data_fields: ClassVar[tuple[str, ...]] = ("y", "x", "spread")

    def __post_init__(self) -> None:
        as_array(self.y, f"series {self.name!r}", 1)
        for other, what in ((self.x, "x"), (self.spread, "spread")):
            if other is not None:
                as_array(other, f"{what} of series {self.name!r}", 1)
                if other.values.shape != self.y.values.shape:
                    raise ExplainError(
                        f"series {self.name!r} has {len(self.y.values)} values but {len(other.values)} in {what}"
                    )

    def places(self) -> NDArray[np.float64]:
        """The x values."""
        return np.arange(len(self.y.values), dtype=float) if self.x is None else self.x.values.astype(float)

    def data(self) -> tuple[NamedArray, ...]:
        """What the curve is drawn from."""
        return tuple(each for each in (self.y, self.x, self.spread) if each is not None)


class LineChart(DataBound, VGroup):
    """Curves over a pair of axes, each named at its end.

    >>> chart = LineChart([Series("before RoPE", energy, rank, role="latent")], x_name="rank", y_name="energy kept")
    >>> self.play(FadeIn(chart.axes));  self.play(chart.draw("before RoPE"))

    Parameters
    ----------
    series
        `Series` in drawing order.
    x_axis, y_axis
        `Axis` where the automatic one will not do; else the names, and ``x_log``/``y_log``, ``y_zero``.
    names
        ``"end"`` writes names at the curves' right ends, ``""`` leaves them out.
    """

    def __init__(
        self,
        series: Sequence[Series],
        *,
        x_name: str = "",
        y_name: str = "",
        x_log: bool = False,
        y_log: bool = False,
        y_zero: bool = False,
        x_axis: Axis | None = None,
        y_axis: Axis | None = None,
        width: float = 7.5,
        height: float = 3.9,
        names: str = "end",
        stroke: float = 4.0,
    ) -> None:
        super().__init__()
        self.series = {each.name: each for each in series}
        if not series or len(self.series) != len(series):
            raise ExplainError("a line chart needs at least one series, each with its own name")
        self.bound = Bound.of(datum for each in series for datum in each.data())
        first = series[0]
        xs = np.concatenate([each.places() for each in series])
        ys = np.concatenate([part for each in series for part in _extent(each, y_log)])
        unit = first.x.unit if first.x is not None else ""
        self.axes = Axes2D(
            x_axis or Axis.holding(xs, log=x_log, pad=0.0 if not x_log else 0.02, name=x_name, unit=unit),
            y_axis or Axis.holding(ys, log=y_log, zero=y_zero, name=y_name, unit=first.y.unit),
            width=width,
            height=height,
        )
        self.bands = {each.name: self._band(each) for each in series if each.spread is not None}
        self.curves = {each.name: self._curve(each, stroke) for each in series}
        self.names = {each.name: self._name(each) for each in series} if names == "end" else {}
        self.add(self.axes, *self.bands.values(), *self.curves.values(), *self.names.values())
        apart(list(self.names.values()))
        if self.bands:
            text = "band: standard deviation over runs"
            self.band_note = Label(text, 18, "muted").next_to(self.axes.x_ticks, DOWN, buff=0.14)
            self.band_note.align_to(self.axes.corners, LEFT)
            self.add(self.band_note)
        self.center()

    def _inside(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        across, up = self.axes.x.share(x), self.axes.y.share(y)
        return (across >= -1e-9) & (across <= 1 + 1e-9) & (up >= -1e-9) & (up <= 1 + 1e-9)

    def _curve(self, series: Series, stroke: float) -> VMobject:
        x, y = series.places(), series.y.values.astype(float)
        inside = self._inside(x, y)
        curve = VMobject(stroke_color=theme.role(series.role), stroke_width=stroke)
        runs = np.split(np.flatnonzero(inside), np.flatnonzero(np.diff(np.flatnonzero(inside)) > 1) + 1)
        for run in runs:
            points = self.axes.points_of(x[run], y[run])
            if len(points) == 1:
                points = np.repeat(points, 2, axis=0)
            if len(points):
                curve.start_new_path(points[0])
                curve.add_points_as_corners(points[1:])
        if not curve.has_points():
            raise ExplainError(f"series {series.name!r} lies outside the axes; widen them")
        if series.dashed:
            return DashedVMobject(curve, num_dashes=max(12, int(curve.get_arc_length() * 7)), dashed_ratio=0.6)
        return curve

    def _band(self, series: Series) -> VMobject:
        assert series.spread is not None
        x, y, spread = series.places(), series.y.values.astype(float), series.spread.values.astype(float)
        low = np.maximum(y - spread, self.axes.y.low)
        high = np.minimum(y + spread, self.axes.y.high)
        outline = np.concatenate([self.axes.points_of(x, high), self.axes.points_of(x, low)[::-1]])
        band = VMobject(stroke_width=0, fill_color=theme.role(series.role), fill_opacity=0.22)
        band.base_opacity = 0.22
        return band.set_points_as_corners([*outline, outline[0]])

    def _name(self, series: Series) -> Label:
        inside = np.flatnonzero(self._inside(series.places(), series.y.values.astype(float)))
        text = Label(series.name, "small", series.role)
        return text.next_to(self.at(series.name, int(inside[-1])), RIGHT, buff=0.14)

    # ------------------------------------------------------------------ for scenes
    def _known(self, name: str) -> Series:
        if name not in self.series:
            raise one_of("series", name, list(self.series))
        return self.series[name]

    def at(self, name: str, index: int) -> Point:
        """Where point ``index`` of a series stands."""
        series = self._known(name)
        return self.axes.point(float(series.places()[index]), float(series.y.values[index]))

    def marker(self, name: str, index: int, radius: float = 0.09) -> Dot:
        """A dot on a curve."""
        return Dot(self.at(name, index), radius=radius, color=theme.role(self._known(name).role))

    def draw(self, name: str, **options: Any) -> Create:
        """The animation that draws one curve from left to right."""
        self._known(name)
        return Create(self.curves[name], **{"run_time": theme.TRANSFORM, "rate_func": theme.EASE, **options})


def _extent(series: Series, log: bool) -> list[NDArray[np.float64]]:
    y = series.y.values.astype(float)
    if series.spread is None:
        return [y]
    low = y - series.spread.values
    return [y, y + series.spread.values, low[low > 0] if log else low]
