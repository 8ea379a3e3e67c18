"""Gains and costs as bars to the two sides of one line: what is the same stands on the line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from manim import DOWN, LEFT, RIGHT, UP, AnimationGroup, FadeIn, GrowFromEdge, Line, Rectangle, VGroup

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


@dataclass(frozen=True, eq=False)
class Entry:
    """One line of a `Ledger`: what it is, how many times as much as usual, and whether that is a gain or a cost.

    ``note`` says in a few words against what; it stands behind the name. ``after`` are words behind the number: a
    percentage under "less" needs an "of it", or five percent of the usual reads as five percent less than usual.
    """

    name: str
    ratio: Quantity
    role: str = "reward"
    fmt: str = "times 2"
    note: str = ""
    after: str = ""
    data_fields: ClassVar[tuple[str, ...]] = ("ratio",)

    def __post_init__(self) -> None:
        if as_quantity(self.ratio, f"entry {self.name!r}").value <= 0:
            raise ExplainError(f"entry {self.name!r}: a ratio of {self.ratio.value:g} has no place; it is above zero")


class Ledger(DataBound, VGroup):
    """Ratios as bars from a middle line: to the left less, to the right more; equal factors are equally long.

    >>> ledger = Ledger([Entry("arithmetic", work), Entry("memory for weights", held, "cost")], middle="dense")
    >>> self.play(FadeIn(ledger.frame));  self.play(ledger.grow("arithmetic"))

    Attributes
    ----------
    frame
        The middle line, its name and the two directions.
    bars, names, numbers
        Name → bar, words (on the side where the bar is not) and number at the bar's end.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        *,
        middle: str = "as usual",
        less: str = "less",
        more: str = "more",
        width: float = 8.4,
        pitch: float = 0.78,
        thickness: float = 0.42,
        size: str | float = "body",
        reach: float = 0.0,
    ) -> None:
        super().__init__()
        if not entries or len({entry.name for entry in entries}) != len(entries):
            raise ExplainError("a ledger needs at least one Entry, each with its own name")
        self.bound = Bound.of(entry.ratio for entry in entries)
        farthest = max(reach, *(abs(math.log2(float(entry.ratio))) for entry in entries), 1e-6)
        self.unit = width / 2 / farthest
        tall = pitch * len(entries)
        axis = Line(UP * pitch * 0.5, DOWN * (tall - pitch * 0.5), stroke_width=3, color=theme.role("dense"))
        name = Label(middle, "small", "dense", align="center").next_to(axis, UP, buff=0.14)
        sides = VGroup(*(Label(words, "small", "muted") for words in (less, more)))
        for words, side in zip(sides, (LEFT, RIGHT), strict=True):
            words.move_to(name).shift(side * width / 4)
        note = Label("log scale", "small", "muted").next_to(axis, DOWN, buff=0.12)
        self.frame = VGroup(axis, name, *sides, note)
        self.axis = axis
        self.bars: dict[str, Rectangle] = {}
        self.names: dict[str, VGroup] = {}
        self.numbers: dict[str, NumberLabel] = {}
        for index, entry in enumerate(entries):
            self._add(entry, -pitch * index, thickness, size)
        self.add(self.frame, *self.bars.values(), *self.names.values(), *self.numbers.values())
        self.center()

    def _add(self, entry: Entry, level: float, thickness: float, size: str | float) -> None:
        steps = math.log2(float(entry.ratio)) * self.unit
        side = RIGHT if steps >= 0 else LEFT
        bar = Rectangle(width=max(abs(steps), 0.02), height=thickness, stroke_width=0)
        bar.set_fill(theme.role(entry.role), 1).move_to(UP * level, aligned_edge=-side)
        self.bars[entry.name] = bar
        words = VGroup(Label(entry.name, size, "text").next_to(UP * level, -side, buff=0.25))
        if entry.note:
            words.add(Label(entry.note, "small", "muted").next_to(words[0], -side, buff=0.25))
        self.names[entry.name] = words
        number = NumberLabel(entry.ratio, entry.fmt, size=size, role=entry.role, after=entry.after)
        self.numbers[entry.name] = number.next_to(bar, side, buff=0.16)

    def line(self, name: str) -> VGroup:
        """Everything of one entry."""
        if name not in self.bars:
            raise one_of("entry", name, list(self.bars))
        return VGroup(self.bars[name], self.names[name], self.numbers[name])

    def grow(self, name: str, **options: Any) -> AnimationGroup:
        """The animation in which a bar leaves the middle and its number arrives."""
        bar, words, number = self.line(name)
        edge = LEFT if bar.get_center()[0] > self.axis.get_center()[0] else RIGHT
        parts = (FadeIn(words), GrowFromEdge(bar, edge), FadeIn(number, shift=-0.2 * edge))
        return AnimationGroup(*parts, **{"lag_ratio": 0.3, "run_time": theme.TRANSFORM, **options})
