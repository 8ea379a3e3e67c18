"""Arrows whose width is a value: what goes where, and how much of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from manim import DOWN, AnimationGroup, Create, CubicBezier, Mobject, Polygon, VGroup, VMobject
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity

#: Manim's stroke width is in hundredths of a unit.
_STROKE = 100.0


def _path(start: NDArray[np.float64], end: NDArray[np.float64], direction: NDArray[np.float64]) -> CubicBezier:
    """A curve that leaves and arrives along ``direction``."""
    reach = direction * abs(float(np.dot(end - start, direction))) * 0.5
    return CubicBezier(start, start + reach, end - reach, end)


class Flow(DataBound, VGroup):
    """One arrow from an object to another, as wide as its value.

    >>> Flow(token, expert, weight, unit_width=0.3, role="router")     # 0.3 units wide for a value of 1
    """

    def __init__(
        self,
        source: Mobject,
        target: Mobject,
        value: Quantity,
        *,
        unit_width: float = 0.2,
        role: str = "muted",
        direction: NDArray[np.float64] = DOWN,
        gap: float = 0.08,
        head: bool = True,
    ) -> None:
        super().__init__()
        self.bound = Bound((as_quantity(value, "Flow"),))
        if value.value < 0:
            raise ExplainError(f"Flow: {value.short()} is negative; a width needs zero or more")
        width = float(value) * unit_width
        tip = max(0.12, width * 1.1) if head else 0.0
        start = source.get_edge_center(direction) + direction * gap
        end = target.get_edge_center(-direction) - direction * (gap + tip)
        self.line = _path(start, end, direction)
        self.line.set_fill(opacity=0).set_stroke(theme.role(role), width=max(width * _STROKE, 0.01))
        self.add(self.line)
        if head:
            side = np.array([direction[1], -direction[0], 0.0]) * max(tip * 0.55, width * 0.9)
            self.tip = Polygon(end + side, end - side, end + direction * tip, stroke_width=0)
            self.add(self.tip.set_fill(theme.role(role), 1))


class FlowFan(DataBound, VGroup):
    """Lines from one object to several, each as wide as its weight; entries of zero draw nothing.

    >>> fan = FlowFan(token, expert_squares, weights, role="router", widest=0.16)
    >>> self.play(fan.draw())

    ``weights`` is a `NamedArray` with one axis, as long as ``targets``; the largest is ``widest`` units wide, or
    pass ``unit_width`` (units for a weight of 1) where several fans share one scale.
    """

    def __init__(
        self,
        source: Mobject,
        targets: Sequence[Mobject],
        weights: NamedArray,
        *,
        role: str = "router",
        widest: float = 0.14,
        unit_width: float | None = None,
        direction: NDArray[np.float64] = DOWN,
        gap: float = 0.06,
        opacity: float = 0.9,
    ) -> None:
        super().__init__()
        as_array(weights, "FlowFan", 1)
        values = weights.values.astype(float)
        if len(values) != len(targets):
            raise ExplainError(f"FlowFan: {len(values)} weights for {len(targets)} targets; give one each")
        if (values < 0).any():
            raise ExplainError(
                f"FlowFan: {weights.name or 'the weights'} holds {values.min()}; widths are zero or more"
            )
        self.bound = Bound((weights,))
        most = float(values.max())
        self.unit_width = unit_width if unit_width is not None else (widest / most if most > 0 else 0.0)
        start = source.get_edge_center(direction) + direction * gap
        self.lines: dict[int, VMobject] = {}
        for index in np.flatnonzero(values > 0).tolist():
            target = targets[index]
            line = _path(start, target.get_edge_center(-direction) - direction * gap, direction)
            width = values[index] * self.unit_width * _STROKE
            line.set_fill(opacity=0).set_stroke(theme.role(role), width=width, opacity=opacity)
            self.lines[index] = line
            self.add(line)

    def draw(self, **options: Any) -> AnimationGroup:
        """The animation in which all lines leave the source together."""
        return AnimationGroup(
            *(Create(line) for line in self.lines.values()),
            **{"run_time": theme.ENTER, "rate_func": theme.EASE, **options},
        )


class Arrow(VGroup):
    """A plain arrow between two objects, for order rather than amount.

    >>> Arrow(left, right, RIGHT)
    """

    def __init__(
        self,
        source: Mobject | NDArray[np.float64],
        target: Mobject | NDArray[np.float64],
        direction: NDArray[np.float64] = DOWN,
        *,
        role: str = "muted",
        gap: float = 0.12,
        stroke: float = 3.0,
        tip: float = 0.16,
    ) -> None:
        start = source.get_edge_center(direction) if isinstance(source, Mobject) else np.asarray(source, dtype=float)
        end = target.get_edge_center(-direction) if isinstance(target, Mobject) else np.asarray(target, dtype=float)
        start, end = start + direction * gap, end - direction * gap
        self.line = _path(start, end - direction * tip * 0.8, direction)
        self.line.set_fill(opacity=0).set_stroke(theme.role(role), width=stroke)
        side = np.array([direction[1], -direction[0], 0.0]) * tip * 0.5
        foot = end - direction * tip
        self.tip = Polygon(foot + side, foot - side, end, stroke_width=0).set_fill(theme.role(role), 1)
        super().__init__(self.line, self.tip)
