"""Before and after, for each of several trainings, at each of several starts."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import DOWN, RIGHT, UP, AnimationGroup, Circle, Create, FadeIn, Line, VGroup

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.text import Label


class SeedShifts(DataBound, VGroup):
    """One line a training, from its share before (hollow) to its share after (filled), side by side at each start.

    A line is in the colour of ``role`` where the share rose, in that of ``before_role`` where it fell.

    >>> shifts = SeedShifts(exam.pick(model=0), exam.pick(model=1), trace["start"], x_name="steps", y_name="right")
    >>> self.play(FadeIn(shifts.before));  self.play(shifts.move(0))          # all trainings of the first start

    Parameters
    ----------
    before, after
        ``(start, seed)``, shares from 0 to 1.
    start
        ``(start,)``: what the starts are called by, on a linear axis.
    """

    def __init__(
        self,
        before: NamedArray,
        after: NamedArray,
        start: NamedArray,
        *,
        x_name: str = "",
        y_name: str = "",
        width: float = 9.0,
        height: float = 4.0,
        role: str = "reward",
        before_role: str = "dense",
        radius: float = 0.08,
    ) -> None:
        super().__init__()
        for each, ndim in ((before, 2), (after, 2), (start, 1)):
            as_array(each, "SeedShifts", ndim)
        if before.values.shape != after.values.shape or len(start.values) != len(before.values):
            raise ExplainError("before, after and start need as many entries as there are starts, and equal seeds")
        self.bound = Bound((before, after, start))
        places = start.values.astype(float)
        nearest = float(np.diff(np.sort(places)).min()) if len(places) > 1 else 1.0
        high = max(1.0, float(before.values.max()), float(after.values.max()))
        x = Axis(places.min() - nearest, places.max() + nearest, x_name, ticks=tuple(places.tolist()))
        self.axes = Axes2D(x, Axis(0, high, y_name, fmt="percent .0"), width=width, height=height)
        self.before, self.after, self.lines = VGroup(), VGroup(), VGroup()
        seeds = before.values.shape[1]
        for index, place in enumerate(places):
            dots, ends, lines = VGroup(), VGroup(), VGroup()
            for seed in range(seeds):
                at = place + (seed - (seeds - 1) / 2) * nearest * 0.17
                low, top = (self.axes.point(at, float(a.values[index, seed])) for a in (before, after))
                dot = Circle(radius, stroke_width=3, color=theme.role(before_role)).set_fill(theme.role("ground"), 1)
                end = Circle(radius, stroke_width=0).set_fill(theme.role(role), 1)
                dots.add(dot.move_to(low)), ends.add(end.move_to(top))
                rose = after.values[index, seed] >= before.values[index, seed]
                lines.add(
                    Line(
                        low, top, stroke_width=4, color=theme.tint(role, 0.6) if rose else theme.tint(before_role, 0.8)
                    )
                )
            self.before.add(dots), self.after.add(ends), self.lines.add(lines)
        self.key = VGroup(self._key("before", before_role, False, radius), self._key("after", role, True, radius))
        self.key.arrange(RIGHT, buff=0.5).next_to(self.axes.corners, UP, buff=0.18).set_x(self.axes.corners.get_x())
        self.add(self.axes, self.key, self.lines, self.before, self.after)
        self.center()

    @staticmethod
    def _key(words: str, role: str, filled: bool, radius: float) -> VGroup:
        dot = Circle(radius, stroke_width=3, color=theme.role(role)).set_fill(
            theme.role(role if filled else "ground"), 1
        )
        return VGroup(dot, Label(words, "small", role).next_to(dot, RIGHT, buff=0.14))

    def move(self, index: int, **options: Any) -> AnimationGroup:
        """The animation in which all trainings of one start go from before to after."""
        if not 0 <= index < len(self.before):
            raise ExplainError(f"there is no start {index}; there are {len(self.before)}")
        lines = (Create(line) for line in self.lines[index])
        ends = (FadeIn(end, shift=0.1 * DOWN) for end in self.after[index])
        return AnimationGroup(*lines, *ends, **options)
