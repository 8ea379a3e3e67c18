"""A lever that can be moved between named stops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from manim import DOWN, LEFT, UP, Animation, Circle, Line, VGroup
from numpy.typing import NDArray

from explainers import languages
from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


class Slider(DataBound, VGroup):
    """A rail with named stops at their values, and a knob.

    >>> slider = Slider([("MHA", full), ("MLA", small)], name="cache of a token", log=True)
    >>> self.play(slider.move_to_stop("MLA"))

    Stops stand at the places of their Quantities between the first and the last (which may fall); with
    ``fmt`` their values are written below.
    """

    def __init__(
        self,
        stops: Sequence[tuple[str, Quantity]],
        *,
        name: str = "",
        log: bool = False,
        length: float = 4.0,
        role: str = "accent",
        at: str = "",
        size: str | float = "small",
        fmt: str = "",
    ) -> None:
        super().__init__()
        self.stops = {words: as_quantity(value, "Slider") for words, value in stops}
        values = [float(value) for value in self.stops.values()]
        if len(self.stops) != len(stops) or len(set(values)) < 2 or values[0] == values[-1]:
            raise ExplainError("a slider needs stops with their own names, and its two ends must differ")
        if log and min(values) <= 0:
            raise ExplainError("a logarithmic slider needs values above zero")
        self.bound = Bound.of(self.stops.values())
        scaled = [math.log10(value) if log else value for value in values]
        self.shares = {
            words: (value - scaled[0]) / (scaled[-1] - scaled[0])
            for words, value in zip(self.stops, scaled, strict=True)
        }
        if any(not -1e-9 <= share <= 1 + 1e-9 for share in self.shares.values()):
            raise ExplainError("the stops of a slider lie between its first and its last value")
        self.rail = Line(LEFT * length / 2, -LEFT * length / 2, stroke_color=theme.role("muted"), stroke_width=4)
        self.marks, self.names = VGroup(), VGroup()
        for words, share in self.shares.items():
            foot = self.rail.point_from_proportion(min(max(share, 0.0), 1.0))
            self.marks.add(Line(foot + UP * 0.09, foot + DOWN * 0.09, stroke_color=theme.role("muted"), stroke_width=3))
            word = Label(words, size, "text").next_to(foot, DOWN, buff=0.24)
            self.names.add(word)
            if fmt:
                self.names.add(
                    NumberLabel(self.stops[words], fmt, size=size, role="muted").next_to(word, DOWN, buff=0.12)
                )
        self.knob = Circle(0.15, stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
        self.stop = at or next(iter(self.stops))
        self.add(self.rail, self.marks, self.names, self.knob)
        self.knob.move_to(self.place(self.stop))
        if name:
            self.title = Label(
                f"{languages.word(name)}, {languages.word('log scale')}" if log else languages.word(name),
                size,
                role,
                as_is=True,
            ).next_to(self.rail, UP, buff=0.3)
            self.add(self.title)
        self.center()

    def place(self, stop: str) -> NDArray[np.float64]:
        """Where a stop stands on the rail."""
        if stop not in self.shares:
            raise one_of("stop", stop, list(self.shares))
        return np.asarray(self.rail.point_from_proportion(min(max(self.shares[stop], 0.0), 1.0)))

    def move_to_stop(self, stop: str, **options: Any) -> Animation:
        """The animation in which the knob goes to a stop."""
        self.stop = stop
        animation = self.knob.animate(**{"run_time": theme.TRANSFORM, "rate_func": theme.EASE, **options})
        return animation.move_to(self.place(stop)).build()
