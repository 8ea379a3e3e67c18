"""What the scenes of lecture 3 share."""

from __future__ import annotations

import numpy as np
from manim import RIGHT, UP, Circle, Line, Mobject, Polygon, Rectangle, VGroup

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import TokenRow, role, tint


def panel(width: float, height: float, colour: str = "muted", share: float = 0.1) -> Rectangle:
    """A quiet box for a part of the machine."""
    return Rectangle(
        width=width,
        height=height,
        stroke_color=role(colour),
        stroke_width=2,
        fill_color=tint(colour, share),
        fill_opacity=1,
    )


def funnel(left: Mobject, right: Mobject, colour: str, gap: float = 0.25) -> Polygon:
    """A projection between two columns: as tall as each of them at its side."""
    start, end = left.get_right()[0] + gap, right.get_left()[0] - gap
    corners = [
        [start, left.get_top()[1], 0],
        [end, right.get_top()[1], 0],
        [end, right.get_bottom()[1], 0],
        [start, left.get_bottom()[1], 0],
    ]
    return Polygon(*corners, stroke_width=0, fill_color=tint(colour, 0.3), fill_opacity=1)


class KeyDials(VGroup):
    """Two neighbouring numbers of each token's key as an arrow in a dial, under the token's chip.

    ``pairs`` is ``(token, coordinate)``.
    """

    def __init__(self, pairs: NamedArray, tokens: TokenRow, radius: float = 0.29) -> None:
        super().__init__()
        pairs_of = pairs.values.astype(float)
        longest = float(np.linalg.norm(pairs_of, axis=1).max())
        self.names = pairs.labels["token"]
        self.dials, self.arrows = VGroup(), VGroup()
        for chip, (x, y) in zip(tokens.chips, pairs_of, strict=False):
            dial = Circle(radius, stroke_color=role("hairline"), stroke_width=2).next_to(chip, -UP, buff=0.45)
            tip = dial.get_center() + radius / longest * (x * RIGHT + y * UP)
            self.dials.add(dial)
            self.arrows.add(Line(dial.get_center(), tip, stroke_width=4, color=role("key")))
        self.add(self.dials, self.arrows)

    def twins(self) -> tuple[int, ...]:
        """The places of the first token that occurs twice."""
        for name in dict.fromkeys(self.names):
            places = tuple(index for index, other in enumerate(self.names[: len(self.arrows)]) if other == name)
            if len(places) > 1 and name.strip(" ·.,"):
                return places[:2]
        raise ExplainError("no token occurs twice in this sentence; choose one with a repeated word with --text")

    def ring(self, index: int) -> Circle:
        """A ring around one dial."""
        return Circle(self.dials[index].width / 2 + 0.07, stroke_color=role("accent"), stroke_width=4).move_to(
            self.dials[index]
        )

