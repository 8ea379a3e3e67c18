"""Tokens that were guessed one step ahead: some stand, some fall."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Animation,
    AnimationGroup,
    Create,
    FadeIn,
    FadeOut,
    Line,
    Succession,
    VGroup,
    VMobject,
)

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.tokens import TokenChip


class GuessStrip(DataBound, VGroup):
    """A text as it was written, pass by pass; above it the guesses that each pass checked.

    >>> strip = GuessStrip(trace["stood"], trace["written"], width=12)
    >>> for index in range(len(strip.passes)): self.play(strip.play_pass(index))

    Parameters
    ----------
    stood
        ``(pass,)``: 1 the guess stood, 0 it fell, −1 there was none; its labels are the guesses.
    written
        ``(token,)``: the number of the pass that wrote each token; its labels are the tokens.

    A guess that stood is green and stands in the text; one that fell hangs above its place, with a cross. A bracket
    below joins what one pass has written.
    """

    def __init__(
        self,
        stood: NamedArray,
        written: NamedArray,
        *,
        width: float = 12.0,
        size: str | float = "small",
        gap: float = 0.1,
    ) -> None:
        super().__init__()
        as_array(stood, "GuessStrip", 1), as_array(written, "GuessStrip", 1)
        if "pass" not in stood.labels or "token" not in written.labels:
            raise ExplainError("a guess strip needs labels: the guesses for the axis 'pass', the texts for 'token'")
        self.bound = Bound((stood, written))
        texts, owners = written.labels["token"], [int(each) for each in written.values]
        self.passes: list[VGroup] = []
        self.guesses: list[TokenChip | None] = []
        self.fallen: list[bool] = []
        self._size, self._held = size, dict[int, TokenChip]()
        cursor, line_step = np.zeros(3), 1.62
        for index, state in enumerate(int(each) for each in stood.values):
            mine = [text for text, owner in zip(texts, owners, strict=True) if owner == index]
            if not mine:
                continue
            chips = VGroup(
                *(TokenChip(t, "reward" if state == 1 and n == 0 else "token", size) for n, t in enumerate(mine))
            ).arrange(RIGHT, buff=gap)
            guess = (
                TokenChip(stood.labels["pass"][index], "cost" if state == 0 else "reward", size) if state >= 0 else None
            )
            wide = max(chips.width, guess.width + 0.3 if guess is not None and state == 0 else 0.0)
            if cursor[0] + wide > width and cursor[0] > 0:
                cursor = np.array([0.0, cursor[1] - line_step, 0.0])
            chips.move_to(cursor, aligned_edge=LEFT)
            self._add(chips, guess, state)
            cursor = cursor + RIGHT * (wide + 2.4 * gap)
        self.add(*self.passes)
        self.center()

    def _add(self, chips: VGroup, guess: TokenChip | None, state: int) -> None:
        left, right = chips.get_corner(DOWN + LEFT), chips.get_corner(DOWN + RIGHT)
        bracket = VMobject(stroke_color=theme.role("muted"), stroke_width=2)
        drop = DOWN * 0.1
        bracket.set_points_as_corners([left + drop, left + 2 * drop, right + 2 * drop, right + drop])
        group = VGroup(chips, bracket)
        if guess is not None:
            guess.next_to(chips[0], UP, buff=0.14).align_to(chips[0], LEFT)
            guess.box.set_stroke(theme.role("cost" if state == 0 else "reward"))
            if state == 0:
                group.add(VGroup(guess, _cross().next_to(guess, RIGHT, buff=0.1)))
        self.passes.append(group)
        self.guesses.append(guess)
        self.fallen.append(state == 0)

    def _over(self, chip: TokenChip, index: int) -> TokenChip:
        first = self.passes[index][0][0]
        return chip.next_to(first, UP, buff=0.14).align_to(first, LEFT)

    def hold_out(self, index: int, run_time: float = 0.6) -> Animation:
        """The animation in which a pass's guess comes and hangs over its place, before anybody has checked it."""
        guess = self.guesses[index]
        if guess is None:
            raise ExplainError(f"pass {index} checks no guess")
        self._held[index] = self._over(TokenChip(self.bound[0].labels["pass"][index], "accent", self._size), index)
        return FadeIn(self._held[index], run_time=run_time)

    def play_pass(self, index: int, run_time: float = 1.0) -> Animation:
        """The animation of one pass: a guess is held out; it stands and moves down, or is crossed out."""
        group, guess = self.passes[index], self.guesses[index]
        chips, bracket = group[0], group[1]
        if guess is None:
            return AnimationGroup(FadeIn(chips), Create(bracket), run_time=run_time)
        held = self._held.pop(index, None)
        if self.fallen[index]:
            end = AnimationGroup(Create(group[2][1]), FadeIn(chips), Create(bracket), lag_ratio=0.3)
            come = AnimationGroup(FadeIn(guess), *([FadeOut(held)] if held else []))
            return Succession(come, end, run_time=run_time)
        offered = self._over(guess.copy(), index)
        rest = [FadeIn(chip, shift=0.1 * RIGHT) for chip in chips[1:]]
        landing = AnimationGroup(FadeOut(offered), FadeIn(chips[0]), *rest, Create(bracket))
        come = AnimationGroup(FadeIn(offered), *([FadeOut(held)] if held else []))
        return Succession(come, offered.animate.move_to(chips[0]), landing, run_time=run_time)

    def perturbed(self) -> Self:
        """The same strip for other outcomes and other texts: what stood falls, what fell stands, texts are doubled."""
        stood, written = self.bound
        flipped = np.where(stood.values < 0, stood.values, 1 - stood.values)
        texts = tuple(text * 2 for text in written.labels["token"])
        return self.rebind(replace(stood, values=flipped), replace(written, labels=dict(written.labels, token=texts)))


def _cross(size: float = 0.17) -> VGroup:
    """Two strokes, ``size`` high."""
    half = size / 2
    strokes = (Line([-half, -half, 0], [half, half, 0]), Line([-half, half, 0], [half, -half, 0]))
    return VGroup(*strokes).set_stroke(theme.role("cost"), width=4)
