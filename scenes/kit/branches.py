"""Two ways to a right or a wrong end, as ribbons as wide as their shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import DOWN, AnimationGroup, Rectangle, Transform, VGroup, VMobject

from explainers.errors import ExplainError
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_quantity


class Branches(DataBound, VGroup):
    """All attempts at the left, split into two ways, each split into right and wrong ends at the right.

    >>> before = Branches(thinking, right_if_thinking, right_if_not)
    >>> self.play(FadeIn(before));  self.play(before.become_like(Branches(*after).move_to(before)))

    Parameters
    ----------
    first
        Share of all attempts that go the upper way; the rest go the lower way.
    right_first, right_second
        Share of right ends within each way.

    Attributes
    ----------
    ways, ends
        Bars: upper and lower way; right and wrong. ``ribbons`` join them; all heights are to one scale.
    """

    def __init__(
        self,
        first: Quantity,
        right_first: Quantity,
        right_second: Quantity,
        *,
        width: float = 9.6,
        height: float = 3.4,
        gap: float = 0.8,
        roles: tuple[str, str] = ("token", "dense"),
        ends: tuple[str, str] = ("reward", "cost"),
        bar: float = 0.22,
    ) -> None:
        super().__init__()
        self.bound = Bound(as_quantity(each, "Branches") for each in (first, right_first, right_second))
        shares = [float(each) for each in self.bound]
        if any(each.unit not in ("",) for each in self.bound) or min(shares) < 0:
            raise ExplainError("Branches needs three shares without a unit, from 0 to 1")
        up, *right = (min(share, 1.0) for share in shares)
        way = (up, 1 - up)
        good = way[0] * right[0] + way[1] * right[1]
        self.scale_height, self.bar = height, bar
        middle, far = width / 2, width
        self.start = self._bar(0.0, -gap / 2, 1.0, "muted")
        tops = (0.0, -way[0] * height - gap)
        self.ways = VGroup(*(self._bar(middle, top, w, r) for top, w, r in zip(tops, way, roles, strict=True)))
        end_tops = (0.0, -good * height - gap)
        end_sizes = (good, 1 - good)
        self.ends = VGroup(*(self._bar(far, t, w, r) for t, w, r in zip(end_tops, end_sizes, ends, strict=True)))
        self.ribbons = VGroup()
        used = [-gap / 2, *end_tops]
        for index in range(2):
            self.ribbons.add(self._ribbon((0.0, used[0]), (middle, tops[index]), way[index], roles[index]))
            used[0] -= way[index] * height
            left = tops[index]
            for end, share in enumerate((right[index], 1 - right[index])):
                part = way[index] * share
                self.ribbons.add(self._ribbon((middle, left), (far, used[1 + end]), part, ends[end]))
                left, used[1 + end] = left - part * height, used[1 + end] - part * height
        self.add(self.ribbons, self.start, self.ways, self.ends)
        self.center()

    def _bar(self, x: float, top: float, share: float, role: str) -> Rectangle:
        bar = Rectangle(width=self.bar, height=max(share * self.scale_height, 0.01), stroke_width=0)
        return bar.set_fill(theme.role(role), 1).move_to([x, top, 0], aligned_edge=-DOWN)

    def _ribbon(self, start: tuple[float, float], end: tuple[float, float], share: float, role: str) -> VMobject:
        tall = max(share * self.scale_height, 0.005)
        side = np.array([self.bar / 2, 0, 0])
        a, b = np.array([*start, 0.0]) + side, np.array([*end, 0.0]) - side
        reach, fall = np.array([(b - a)[0] / 2, 0, 0]), np.array([0, -tall, 0])
        ribbon = VMobject(stroke_width=1.5, stroke_color=theme.role(role))
        ribbon.set_fill(theme.tint(role, 0.45), 1)
        ribbon.start_new_path(a)
        ribbon.add_cubic_bezier_curve_to(a + reach, b - reach, b)
        ribbon.add_line_to(b + fall)
        ribbon.add_cubic_bezier_curve_to(b - reach + fall, a + reach + fall, a + fall)
        ribbon.add_line_to(a)
        return ribbon

    def become_like(self, other: Branches, run_time: float = theme.TRANSFORM, **options: Any) -> AnimationGroup:
        """The animation in which every bar and ribbon goes to its counterpart in ``other``; the data go along."""
        self.bound = other.bound
        parts = ("ribbons", "ways", "ends")
        moves = [
            Transform(mine, theirs)
            for part in parts
            for mine, theirs in zip(getattr(self, part), getattr(other, part), strict=True)
        ]
        return AnimationGroup(*moves, run_time=run_time, rate_func=theme.EASE, **options)
