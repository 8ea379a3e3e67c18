"""Answers that vote: the same problem answered many times, each answer a chip that goes where its like are."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import LaggedStart, RoundedRectangle, Transform, VGroup

from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity, quantity_at
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


class VoteColumns(DataBound, VGroup):
    """Answers to one problem as chips, in rows as they came; then stacked by what they say, most frequent first.

    >>> votes = VoteColumns(trace["answer"], right)
    >>> self.play(FadeIn(votes.chips));  self.play(votes.judge());  self.play(votes.vote())

    Parameters
    ----------
    answers
        ``(sample,)`` integers; −1 where no answer can be read: it has no vote and stands apart at the end.
    right
        The right answer.
    """

    def __init__(
        self, answers: NamedArray, right: Quantity, *, columns: int = 8, side: float = 0.62, gap: float = 0.14
    ) -> None:
        super().__init__()
        as_array(answers, "VoteColumns", 1), as_quantity(right, "VoteColumns")
        self.bound = Bound((answers, right))
        self.values = [int(value) for value in answers.values]
        self.right = int(right.value)
        self.side, self.gap = side, gap
        self.chips = VGroup(*(self._chip(answers, index) for index in range(len(self.values))))
        pitch = side + gap
        for index, chip in enumerate(self.chips):
            chip.move_to([(index % columns) * pitch, -(index // columns) * pitch, 0])
        self.add(self.chips)
        self.center()

    def _chip(self, answers: NamedArray, index: int) -> VGroup:
        box = RoundedRectangle(width=self.side, height=self.side, corner_radius=self.side * 0.22, stroke_width=2.5)
        box.set_stroke(theme.role("token")).set_fill(theme.tint("token", 0.16), 1)
        if self.values[index] < 0:
            words: Label = Label("?", "heading", "token")
        else:
            words = NumberLabel(quantity_at(answers, index), "plain bare", size="heading")
        return VGroup(box, words.move_to(box))

    def is_right(self, index: int) -> bool:
        """Whether this answer is the right one."""
        return self.values[index] == self.right

    def order(self) -> list[int]:
        """The answers given, most frequent first; unreadable ones last."""
        given = sorted({value for value in self.values if value >= 0})
        ordered = sorted(given, key=lambda value: -self.values.count(value))
        return ordered + ([-1] if -1 in self.values else [])

    def stacks(self) -> dict[int, list[int]]:
        """Answer → the places of the chips that say so."""
        return {value: [i for i, v in enumerate(self.values) if v == value] for value in self.order()}

    # ------------------------------------------------------------------ for scenes
    def judge(self, run_time: float = 1.6) -> LaggedStart:
        """Chips take the colour of right or wrong, one after the other."""
        moves = []
        for index, chip in enumerate(self.chips):
            colour = "reward" if self.is_right(index) else "cost"
            goal = chip.copy()
            goal[0].set_stroke(theme.role(colour)).set_fill(theme.tint(colour, 0.3), 1)
            moves.append(Transform(chip, goal))
        return LaggedStart(*moves, lag_ratio=0.35, run_time=run_time)

    def vote(self, run_time: float = 2.2, at: Any = None) -> LaggedStart:
        """Chips go to the column of their answer, leftmost first; ``at`` is the foot of the first column."""
        pitch = self.side + self.gap
        stacks = self.stacks()
        width = pitch * (len(stacks) - 1)
        foot = self.chips.get_center() - np.array([width / 2, 0, 0]) if at is None else np.asarray(at, dtype=float)
        goals = {}
        for column, members in enumerate(stacks.values()):
            for level, index in enumerate(members):
                goals[index] = foot + np.array([column * pitch, level * (pitch - 0.04), 0])
        nearest = sorted(goals, key=lambda index: (round(self.chips[index].get_x(), 3), self.chips[index].get_y()))
        moves = (self.chips[index].animate(rate_func=theme.EASE).move_to(goals[index]) for index in nearest)
        return LaggedStart(*moves, lag_ratio=0.25, run_time=run_time)
