"""Saying what is what: legends, brackets and callouts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Line, Mobject, Square, VGroup, VMobject
from numpy.typing import NDArray

from explainers.errors import ExplainError
from scenes.kit import theme
from scenes.kit.text import Label


class Legend(VGroup):
    """Colour keys in a row or a column, for pictures where direct labels have no room.

    >>> Legend([("query", "query"), ("key", "key")])     # (words, role)
    """

    def __init__(
        self, entries: Sequence[tuple[str, str]], *, vertical: bool = False, size: str | float = "small"
    ) -> None:
        if not entries:
            raise ExplainError("a legend needs at least one (words, role)")
        super().__init__()
        for words, role in entries:
            side = theme.cap_units(size) * 1.2
            key = Square(side, stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
            self.add(VGroup(key, Label(words, size, "text").next_to(key, RIGHT, buff=side * 0.6)))
        if vertical:
            self.arrange(DOWN, buff=0.14, aligned_edge=LEFT)
        else:
            self.arrange(RIGHT, buff=0.45)


class Bracket(VGroup):
    """A bracket along one side of an object, with a label or a number.

    >>> Bracket(grid.image, "one row a token", LEFT)
    >>> Bracket(column, NumberLabel(rank, after=" numbers"), RIGHT, role="latent")
    """

    def __init__(
        self,
        target: Mobject,
        text: str | Mobject = "",
        direction: NDArray[np.float64] = DOWN,
        *,
        role: str = "muted",
        size: str | float = "small",
        gap: float = 0.12,
        depth: float = 0.1,
    ) -> None:
        super().__init__()
        across = np.array([abs(direction[1]), abs(direction[0]), 0.0])
        half = float(np.dot(across, [target.width, target.height, 0])) / 2
        edge = target.get_edge_center(direction) + direction * gap
        ends = [edge - across * half, edge + across * half]
        line = VMobject(stroke_color=theme.role(role), stroke_width=2.2)
        line.set_points_as_corners([ends[0], ends[0] + direction * depth, ends[1] + direction * depth, ends[1]])
        self.line = line
        self.add(line)
        if isinstance(text, Mobject) or text:
            words = Label(text, size, role) if isinstance(text, str) else text
            self.words = words.next_to(line, direction, buff=0.1)
            self.add(self.words)


class Callout(VGroup):
    """Words beside an object with a fine line to it.

    >>> Callout("the same for every head", chip, UP)
    """

    def __init__(
        self,
        text: str | Mobject,
        target: Mobject | NDArray[np.float64],
        direction: NDArray[np.float64] = UP,
        *,
        role: str = "accent",
        size: str | float = "small",
        distance: float = 0.6,
    ) -> None:
        words = Label(text, size, role) if isinstance(text, str) else text
        at = target.get_edge_center(direction) if isinstance(target, Mobject) else np.asarray(target, dtype=float)
        words.next_to(at, direction, buff=distance)
        near = words.get_edge_center(-direction) - direction * 0.05
        line = Line(near, at + direction * 0.06, stroke_color=theme.role(role), stroke_width=2)
        super().__init__(line, words)
        self.words, self.line = words, line
