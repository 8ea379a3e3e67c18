"""A group of attempts at one problem: what was written, what it earned, how it compares, how the step changes it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    FadeIn,
    GrowFromEdge,
    LaggedStart,
    Line,
    Rectangle,
    Square,
    Transform,
    VGroup,
)

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import fonts, theme
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.text import Label

#: How the marks of a written thought are drawn: one cell wide.
SHORT = {"<think>": "[", "</think>": "]", "<end>": "."}


class AttemptBoard(DataBound, VGroup):
    """Attempts in rows, token by token, with a bar for the reward; bars then turn about the group's mean.

    >>> board = AttemptBoard(trace["reward"], trace["advantage"], trace["ratio"])
    >>> self.play(board.write());  self.play(board.pay());  self.play(board.compare());  self.play(board.step_to(4))

    Parameters
    ----------
    reward
        ``(sample,)``; the labels of ``sample`` are the attempts, tokens apart by spaces.
    advantage
        ``(sample,)``, in standard deviations of the group.
    ratio
        ``(moment, sample, place)``: probability of each token after an update over that before it.
    columns
        Blocks that stand side by side, filled from the left.
    quiet
        A token whose probability changed by less than this share, either way, keeps its colour.

    Attributes
    ----------
    cells, bars, advantages
        One entry an attempt; ``means`` and ``spreads`` are one line and one band a block.
    """

    def __init__(
        self,
        reward: NamedArray,
        advantage: NamedArray,
        ratio: NamedArray,
        *,
        columns: int = 2,
        cell: float = 0.37,
        pitch: float = 0.52,
        bar: float = 1.75,
        width: float = theme.SAFE_WIDTH,
        quiet: float = 0.05,
    ) -> None:
        super().__init__()
        as_array(reward, "AttemptBoard", 1), as_array(advantage, "AttemptBoard", 1), as_array(ratio, "AttemptBoard", 3)
        texts = [text.split() for text in reward.labels.get("sample", ())]
        if not texts or ratio.values.shape[1] != len(texts) or len(advantage.values) != len(texts):
            raise ExplainError("a board of attempts needs labels of 'sample' and as many advantages and ratios")
        if (reward.values < 0).any() or float(reward.values.max()) <= 0:
            raise ExplainError("a board of attempts needs rewards of zero or more, one of them above")
        self.bound = Bound((reward, advantage, ratio))
        self.reward, self.advantage, self.ratio, self.quiet = reward, advantage, ratio, quiet
        self.unit = bar / float(reward.values.max())
        self.mean, self.spread = float(reward.values.mean()), float(reward.values.std())
        rows = math.ceil(len(texts) / columns)
        longest = max(map(len, texts))
        block = longest * (cell + 0.05) + 0.2 + bar
        self.cells, self.bars, self.advantages = VGroup(), VGroup(), VGroup()
        self.means, self.spreads, self.feet = VGroup(), VGroup(), VGroup()
        for index, text in enumerate(texts):
            column, place = divmod(index, rows)
            left = np.array([column * (width - block) / max(columns - 1, 1), -place * pitch, 0.0])
            self.cells.add(self._cells(text, cell).move_to(left, aligned_edge=LEFT))
            self._bars(index, left + (block - bar) * RIGHT, cell * 0.62)
        for column in range(columns):
            foot = np.array([column * (width - block) / max(columns - 1, 1) + block - bar, pitch / 2, 0.0])
            self._lines(foot, min(rows, len(texts) - column * rows) * pitch)
        self.add(self.spreads, self.feet, self.cells, self.bars, self.means, self.advantages)
        self.center()
        self.advantages.set_opacity(0)

    def _cells(self, text: list[str], side: float) -> VGroup:
        row = VGroup()
        for token in text:
            box = Square(side, stroke_width=1.6, stroke_color=theme.tint("token", 0.5))
            box.set_fill(theme.tint("token", 0.1), 1)
            shown = Label(SHORT.get(token, token), "small", "muted" if token in SHORT else "token", font=fonts.MONO)
            shown.text_kind = "token"
            row.add(VGroup(box, shown.move_to(box)))
        return row.arrange(RIGHT, buff=0.05)

    def _bars(self, index: int, foot: Any, thick: float) -> None:
        paid = float(self.reward.values[index]) * self.unit
        bar = Rectangle(width=max(paid, 0.02), height=thick, stroke_width=0, fill_opacity=1)
        self.bars.add(bar.set_fill(theme.role("reward")).move_to(foot, aligned_edge=LEFT))
        apart = float(self.advantage.values[index]) * self.spread * self.unit
        side = RIGHT if apart >= 0 else LEFT
        turned = Rectangle(width=max(abs(apart), 0.02), height=thick, stroke_width=0, fill_opacity=1)
        turned.set_fill(theme.role("reward" if apart >= 0 else "cost"))
        self.advantages.add(turned.move_to(foot + self.mean * self.unit * RIGHT, aligned_edge=-side))

    def _lines(self, foot: Any, tall: float) -> None:
        self.feet.add(Line(foot, foot + tall * DOWN, stroke_width=2, color=theme.role("muted")))
        middle = foot + self.mean * self.unit * RIGHT
        self.means.add(Line(middle + 0.08 * UP, middle + tall * DOWN, stroke_width=3, color=theme.role("accent")))
        band = Rectangle(width=2 * self.spread * self.unit, height=tall, stroke_width=0, fill_opacity=1)
        self.spreads.add(band.set_fill(theme.tint("accent", 0.16)).move_to(middle, aligned_edge=UP))

    # ------------------------------------------------------------------ for scenes
    def write(self, run_time: float = 3.0) -> LaggedStart:
        """The attempts are written, all at the same time, token after token."""
        longest = max(len(row) for row in self.cells)
        places = [VGroup(*(row[place] for row in self.cells if len(row) > place)) for place in range(longest)]
        return LaggedStart(*(FadeIn(each) for each in places), lag_ratio=0.6, run_time=run_time)

    def pay(self, run_time: float = 2.0) -> LaggedStart:
        """The rewards arrive, one attempt after another."""
        bars = (GrowFromEdge(bar, LEFT) for bar in self.bars)
        return LaggedStart(FadeIn(self.feet), *bars, lag_ratio=0.2, run_time=run_time)

    def compare(self, run_time: float = 2.0) -> AnimationGroup:
        """Each bar turns into what lies between it and the mean."""
        moves = []
        for bar, goal in zip(self.bars, self.advantages, strict=True):
            moves.append(bar.animate.become(goal.copy().set_fill(opacity=1)))
        return AnimationGroup(*moves, run_time=run_time, rate_func=theme.EASE)

    def shade(self, moment: int, attempt: int, place: int) -> Any:
        """The colour of a token whose probability has changed: towards reward or towards cost, by the log ratio."""
        ratio = float(self.ratio.values[moment, attempt, place])
        if abs(ratio - 1) < self.quiet:
            return theme.tint("token", 0.1)
        largest = float(np.abs(np.log(self.ratio.values[-1])).max()) or 1.0
        change = math.log(ratio) / largest
        much = min(abs(change), 1.0) ** 0.6  # what became rarer is also lighter, for eyes that see both hues as one
        return theme.tint("reward", 0.22 + 0.34 * much) if change > 0 else theme.tint("cost", 0.3 + 0.36 * much)

    def step_to(self, moment: int, run_time: float = 1.0) -> AnimationGroup:
        """Tokens take the colour of what has become of their probability after ``moment`` updates."""
        moves = []
        for attempt, row in enumerate(self.cells):
            for place, cell in enumerate(row):
                goal = cell.copy()
                goal[0].set_fill(self.shade(moment, attempt, place), 1)
                moves.append(Transform(cell, goal))
        return AnimationGroup(*moves, run_time=run_time)
