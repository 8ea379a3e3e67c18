"""What the scenes of lecture 3 share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from manim import LEFT, RIGHT, UP, Circle, DashedVMobject, Dot, Line, Mobject, Polygon, Rectangle, VGroup

from explainers.quantities import Quantity
from explainers.traces import NamedArray, Trace
from scenes.kit import NumberLabel, label, role, tint


def layer_of(trace: Trace, layer: int) -> int:
    """This layer, or the last one where a released model was read less far."""
    return min(layer, trace["h"]["layer"] - 1)


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


def funnel(
    source: Mobject, target: Mobject, colour: str, gap: float = 0.25, *, share: float = 0.3, way: np.ndarray = RIGHT
) -> Polygon:
    """A projection from one column to the next, or (``way=DOWN``) one row to the next: as long as each at its side."""
    across = UP if way[0] else LEFT
    starts = [source.get_corner(way + side) + gap * way for side in (across, -across)]
    ends = [target.get_corner(side - way) - gap * way for side in (across, -across)]
    corners = (starts[0], ends[0], ends[1], starts[1])
    return Polygon(*corners, stroke_width=0, fill_color=tint(colour, share), fill_opacity=1).set_z_index(-1)


def legend_row(name: str, quantity: Quantity, fmt: str, colour: str, before: str = "", dashed: bool = False) -> VGroup:
    """A stroke like that of the curve, with its dot, a name and its number; rows stand in a `column`."""
    stroke = Line(0.24 * LEFT, 0.24 * RIGHT, stroke_width=4, color=role(colour))
    mark = VGroup(DashedVMobject(stroke, num_dashes=4) if dashed else stroke, Dot(radius=0.09, color=role(colour)))
    text = label(name, "small", colour).next_to(mark, RIGHT, buff=0.15)
    number = NumberLabel(quantity, fmt, size="body", role=colour, before=before).next_to(text, RIGHT, buff=0.2)
    return VGroup(mark, text, number)


class KeyDials(VGroup):
    """The direction of two neighbouring numbers of each token's key, as an arrow in a dial; one dial a token.

    ``pairs`` is ``(token, coordinate)``; dials are ``pitch`` apart.
    """

    def __init__(self, pairs: NamedArray, pitch: float, colour: str = "key") -> None:
        super().__init__()
        self.dials, self.arrows = VGroup(), VGroup()
        for index, (x, y) in enumerate(pairs.values.astype(float)):
            dial = Circle(0.44 * pitch, stroke_color=role("hairline"), stroke_width=2).shift(index * pitch * RIGHT)
            length = 0.4 * pitch / max(float(np.hypot(x, y)), 1e-9)
            tip = dial.get_center() + length * (x * RIGHT + y * UP)
            self.dials.add(dial)
            self.arrows.add(Line(dial.get_center(), tip, stroke_width=5, color=role(colour)))
        self.add(self.dials, self.arrows)

    def turns_to(self, other: KeyDials) -> list[float]:
        """The angle, counter-clockwise in [0, 2π), between each arrow here and there."""
        angles = zip(
            (arrow.get_angle() for arrow in self.arrows), (arrow.get_angle() for arrow in other.arrows), strict=True
        )
        return [float((there - here) % (2 * np.pi)) for here, there in angles]

    def ring(self, index: int) -> Circle:
        """A ring around one dial."""
        dial = self.dials[index]
        return Circle(dial.width / 2 + 0.05, stroke_color=role("accent"), stroke_width=4).move_to(dial)


def twins(tokens: Sequence[str]) -> tuple[int, ...]:
    """The first two places of the longest token that occurs twice; none where every token is another."""
    repeated = [name for name in dict.fromkeys(tokens) if list(tokens).count(name) > 1]
    longest = max(repeated, key=len, default=None)
    return tuple(index for index, name in enumerate(tokens) if name == longest)[:2]
