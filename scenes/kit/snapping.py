"""Numbers that take the nearest value of a coarse format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from manim import Animation, VGroup, VMobject

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_array

PHASES = ("raw", "scaled", "snapped")


class SnapLine(DataBound, VGroup):
    """Values above a line whose marks are all that a number format can hold; they are stretched, then snap to marks.

    >>> line = SnapLine(weights, codes, grid, scale)         # (row, column) twice, (code,), (block,)
    >>> self.play(line.go("scaled"));  self.play(line.go("snapped"))

    Every value is a dot above its place, one level a row of the matrix. ``raw`` dots stand where the value itself would
    be, ``scaled`` ones at value / scale, ``snapped`` ones at the value that the format keeps. Marks that would stand
    closer than ``finest`` units are left out.

    Attributes
    ----------
    axes, marks, tails, dots
        The line with its numbers, its marks, how far each dot has moved to its mark, and the dots (one path each).
    """

    def __init__(
        self,
        weights: NamedArray,
        codes: NamedArray,
        grid: NamedArray,
        scale: NamedArray,
        *,
        width: float = 12.0,
        level: float = 0.16,
        radius: float = 0.05,
        role: str = "value",
        finest: float = 0.02,
        ticks: tuple[float, ...] = (-448.0, -256.0, -128.0, 0.0, 128.0, 256.0, 448.0),
    ) -> None:
        super().__init__()
        as_array(weights, "SnapLine", 2), as_array(codes, "SnapLine", 2)
        as_array(grid, "SnapLine", 1), as_array(scale, "SnapLine", 1)
        if weights.values.shape != codes.values.shape or float(scale.values[0]) <= 0:
            raise ExplainError("a snap line needs as many codes as weights, and a scale above zero")
        self.bound = Bound((weights, codes, grid, scale))
        held = np.sort(grid.values.astype(float))
        self.reach = float(np.abs(held).max())
        self.wide, self.level, self.radius = width, level, radius
        raw, kept = weights.values.astype(float), codes.values.astype(float)
        self.places = np.stack([raw, raw / float(scale.values[0]), kept])  # (phase, row, column)
        self.corner = VMobject(stroke_width=0).set_points([np.zeros(3)] * 4)
        top = level * (len(raw) + 0.5)
        shown = tuple(value for value in ticks if abs(value) <= self.reach)
        self.axes = Axes2D(
            Axis(-self.reach, self.reach, ticks=shown), Axis(0.0, 1.0), width=width, height=top, y_ticks=False
        )
        self.axes.shift(-self.axes.point_at(0.5, 0.0))
        self.base, self.ticks = self.axes.base, self.axes.x_ticks
        self.marks = VMobject(stroke_color=theme.role("hairline"), stroke_width=1.4)
        last = -np.inf
        for place in self._x(held):
            if place - last >= finest:
                self.marks.start_new_path(np.array([place, 0, 0]))
                self.marks.add_line_to(np.array([place, top, 0]))
                last = place
        self.tails = VMobject(stroke_color=theme.role(role), stroke_width=2.2)
        self.dots = VMobject(stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
        self.add(self.corner, self.marks, self.axes, self.tails, self.dots)
        self.show(2.0)
        self.center()

    def _x(self, values: Any) -> Any:
        return np.asarray(values, dtype=float) / self.reach * self.wide / 2

    def show(self, phase: float) -> SnapLine:
        """Show the dots at a phase: 0 raw, 1 scaled, 2 snapped, and between."""
        low = min(int(phase), 1)
        share = phase - low
        where = self.places[low] * (1 - share) + self.places[low + 1] * share
        rows = np.arange(len(where))[:, None] + 0.75
        centres = np.stack([self._x(where), np.broadcast_to(rows * self.level, where.shape), np.zeros_like(where)], -1)
        turn = np.linspace(0, 2 * np.pi, 5)
        bend = 4 / 3 * np.tan(np.pi / 8) * self.radius
        ring, slope = (
            np.stack([a, b, np.zeros(5)], 1) for a, b in ((np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn)))
        )
        ring = ring * self.radius
        disc = np.concatenate(
            [[ring[i], ring[i] + slope[i] * bend, ring[i + 1] - slope[i + 1] * bend, ring[i + 1]] for i in range(4)]
        )
        self.dots.set_points((centres.reshape(-1, 1, 3) + disc[None] + self.corner.points[0]).reshape(-1, 3))
        self._trail(where, rows, phase > 1)
        self.phase = phase
        return self

    def _trail(self, where: Any, rows: Any, drawn: bool) -> None:
        """A line from where each scaled value was to where it has come on its way to a mark."""
        self.tails.set_points(np.zeros((0, 3)))
        origin, exact = self.corner.points[0], self.places[1]
        if not drawn:
            return
        for row, column in np.argwhere(np.abs(where - exact) * (self.wide / 2 / self.reach) > 0.01):
            high = float(rows[row, 0]) * self.level
            ends = (float(self._x(values[row, column])) for values in (exact, where))
            start, end = (np.array([x, high, 0]) + origin for x in ends)
            self.tails.start_new_path(start)
            self.tails.add_line_to(end)

    def go(self, phase: str, **options: Any) -> Snap:
        """The animation that leads to another phase."""
        if phase not in PHASES:
            raise ExplainError(f"a snap line has the phases {', '.join(PHASES)}, not {phase!r}")
        return Snap(self, float(PHASES.index(phase)), **options)


class Snap(Animation):
    """The dots of a `SnapLine` go to another phase."""

    def __init__(
        self,
        line: SnapLine,
        phase: float,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        self._from, self._to = line.phase, phase
        super().__init__(line, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the dots at this moment."""
        self.mobject.show(self._from + (self._to - self._from) * self.rate_func(alpha))
