"""Tokens on their way to experts: a dot for each choice, piled up on the expert that was chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np
from manim import DOWN, RIGHT, UP, AnimationGroup, Dot, Mobject, Square, SurroundingRectangle, VGroup
from manim import ReplacementTransform as Replace

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array


class ExpertMail(DataBound, VGroup):
    """Experts as squares in frames that stand for machines; every token's choices lie on them as dots.

    >>> mail = ExpertMail(trace["indices"].pick(layer=1), experts=16, groups=4, tokens=len(row.chips))
    >>> self.play(FadeIn(mail.machines));  self.play(mail.send(0, row.chips[0]))

    Parameters
    ----------
    chosen
        ``(token, slot)``: the numbers of the experts that each token visits.
    experts, groups
        How many squares there are, and in how many equal frames they stand.
    tokens
        How many tokens send dots; all where None.

    Attributes
    ----------
    machines
        Squares and frames.
    letters
        For each token, its dots at the places where they end.
    """

    def __init__(
        self,
        chosen: NamedArray,
        *,
        experts: int,
        groups: int = 4,
        tokens: int | None = None,
        side: float = 0.5,
        pitch: float = 0.19,
        role: str = "router",
    ) -> None:
        super().__init__()
        as_array(chosen, "ExpertMail", 2)
        numbers = np.asarray(chosen.values).astype(int)
        if groups < 1 or experts % groups:
            raise ExplainError(f"{experts} experts do not divide into {groups} groups; give a divisor of {experts}")
        if numbers.min() < 0 or numbers.max() >= experts:
            raise ExplainError(f"expert {numbers.max()} was chosen, but there are {experts}, counted from nought")
        self.bound, self.experts = Bound((chosen,)), experts
        self.squares = VGroup(
            *(Square(side, stroke_width=0).set_fill(theme.tint("expert", 0.6), 1) for _ in range(experts))
        )
        each = experts // groups
        blocks = VGroup(*(VGroup(*self.squares[k * each : (k + 1) * each]) for k in range(groups)))
        for block in blocks:
            block.arrange(RIGHT, buff=0.28 * side)
        blocks.arrange(RIGHT, buff=1.1 * side)
        frames = VGroup(*(SurroundingRectangle(b, buff=0.13, corner_radius=0.1, stroke_width=2) for b in blocks))
        self.frames = frames.set_stroke(theme.role("muted"))
        self.machines = VGroup(self.squares, self.frames)
        self.loads = [0] * experts
        self.letters: list[VGroup] = []
        for visits in numbers[: len(numbers) if tokens is None else tokens]:
            dots = VGroup()
            for expert in visits:
                place = self.squares[expert].get_top() + (0.24 + pitch * self.loads[expert]) * UP
                dots.add(Dot(place, radius=0.42 * pitch, color=theme.role(role)))
                self.loads[expert] += 1
            self.letters.append(dots)
        self.add(self.machines, *self.letters)
        self.center()

    def send(self, token: int, start: Mobject, **options: Any) -> AnimationGroup:
        """The animation in which one token's dots leave it and fly to their experts."""
        if not 0 <= token < len(self.letters):
            raise ExplainError(f"there is no token {token}; {len(self.letters)} send dots")
        flights = [Replace(dot.copy().move_to(start.get_edge_center(DOWN)), dot) for dot in self.letters[token]]
        return AnimationGroup(*flights, **{"run_time": theme.TRANSFORM, "rate_func": theme.EASE, **options})

    def perturbed(self) -> Self:
        """The same experts, each token at others."""
        (chosen,) = self.bound
        return self.rebind(replace(chosen, values=(np.asarray(chosen.values).astype(int) ** 2 + 1) % self.experts))
