"""Areas that are amounts: rectangles whose sides multiply, and squares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from manim import DOWN, LEFT, GrowFromEdge, Line, Rectangle, Square, VGroup

from explainers.errors import ExplainError
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


@dataclass(frozen=True, eq=False)
class Block:
    """A rectangle of a `BlockChart`: its name, its width and height, and a part of its width that is filled.

    Without ``part`` all of it is filled. ``fmt`` is for the number of its width, where it differs from the chart's.
    """

    name: str
    across: Quantity
    up: Quantity
    role: str = "accent"
    part: Quantity | None = None
    fmt: str = ""
    data_fields: ClassVar[tuple[str, ...]] = ("across", "up", "part")

    def __post_init__(self) -> None:
        for each in (self.across, self.up, *([self.part] if self.part else [])):
            if as_quantity(each, f"block {self.name!r}").value <= 0:
                raise ExplainError(f"block {self.name!r}: {each.short()} is {each.value:g}; sides are positive")
        if self.part and self.part.value > self.across.value:
            raise ExplainError(f"block {self.name!r}: the part {self.part.short()} is wider than the whole")


class BlockChart(DataBound, VGroup):
    """Rectangles side by side on one ground line: width × height is what counts, so areas can be compared.

    >>> chart = BlockChart([Block("Llama-3.1-405B", params, tokens, "dense"), …], y_name="training tokens")
    >>> self.play(chart.grow("Llama-3.1-405B"))

    All widths have one scale (``unit_width`` units for a value of 1) and all heights another, the vertical axis.

    Attributes
    ----------
    blocks, parts, names, widths
        Name → outline or filled rectangle, filled part, name below, number of the width below that.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        *,
        width: float = 10.6,
        height: float = 3.4,
        gap: float = 0.9,
        fmt: str = "words 3 bare",
        after: str = "",
        y_name: str = "",
        size: str | float = "small",
    ) -> None:
        super().__init__()
        if not blocks or len({block.name for block in blocks}) != len(blocks):
            raise ExplainError("a block chart needs at least one Block, each with its own name")
        for side in ("across", "up"):
            units = {getattr(block, side).unit for block in blocks}
            if len(units) > 1:
                raise ExplainError(f"blocks share one unit {side}, but these are in {', '.join(sorted(units))}")
        self.bound = Bound.of(each for block in blocks for each in (block.across, block.up, block.part))
        total = sum(float(block.across) for block in blocks)
        self.unit_width = (width - gap * (len(blocks) - 1)) / total
        if self.unit_width <= 0:
            raise ExplainError(f"{len(blocks)} blocks with gaps of {gap} have no room in {width}; widen the chart")
        y = Axis.holding([float(block.up) for block in blocks], zero=True, name=y_name, unit=blocks[0].up.unit)
        self.axes = Axes2D(Axis(0, width), y, width=width, height=height, x_ticks=False)
        self.add(self.axes)
        self.blocks: dict[str, Rectangle] = {}
        self.parts: dict[str, Rectangle] = {}
        self.names: dict[str, Label] = {}
        self.widths: dict[str, NumberLabel] = {}
        left = 0.0
        for block in blocks:
            self._add(block, left, fmt, after, size)
            left += float(block.across) * self.unit_width + gap
        self.center()

    def _add(self, block: Block, left: float, fmt: str, after: str, size: str | float) -> None:
        foot = self.axes.point(left, 0)
        tall = self.axes.point(left, block.up)[1] - foot[1]
        wide = float(block.across) * self.unit_width
        colour = theme.role(block.role)
        whole = Rectangle(width=wide, height=tall, stroke_color=colour, stroke_width=2.5)
        whole.set_fill(theme.tint(block.role, 0.16) if block.part else colour, 1)
        self.blocks[block.name] = whole.move_to(foot, aligned_edge=DOWN + LEFT)
        self.add(whole)
        if block.part:
            part = Rectangle(width=float(block.part) * self.unit_width, height=tall, stroke_width=0)
            self.parts[block.name] = part.set_fill(colour, 1).move_to(foot, aligned_edge=DOWN + LEFT)
            self.add(part)
        self.names[block.name] = Label(block.name, size, block.role).next_to(whole, DOWN, buff=0.16)
        number = NumberLabel(block.across, block.fmt or fmt, size=size, role="muted", after=after)
        self.widths[block.name] = number.next_to(self.names[block.name], DOWN, buff=0.08)
        self.add(self.names[block.name], number)

    def grow(self, name: str, run_time: float = theme.TRANSFORM) -> GrowFromEdge:
        """The animation in which a block rises from the ground line."""
        return GrowFromEdge(self.blocks[name], DOWN, run_time=run_time, rate_func=theme.EASE)

    def cuts(self, big: str, small: str) -> VGroup:
        """Lines that cut a block into pieces, each with the area of another block; the last piece may be a rest."""
        one, other = self.blocks[big], self.blocks[small]
        step = other.width * other.height / one.height
        lines = VGroup()
        for index in range(1, math.ceil(one.width / step - 1e-9)):
            x = one.get_left()[0] + index * step
            lines.add(Line([x, one.get_bottom()[1], 0], [x, one.get_top()[1], 0]))
        return lines.set_stroke(theme.role("ground"), width=3)


class AmountSquare(DataBound, VGroup):
    """A square whose area is an amount. ``unit`` is the area, in square units of the frame, of a value of 1.

    >>> AmountSquare(bill, unit=1e-9, role="cost");  AmountSquare(fleet, unit=1e-9, role="muted", outline=True)
    """

    def __init__(self, amount: Quantity, *, unit: float, role: str = "accent", outline: bool = False) -> None:
        super().__init__()
        self.bound = Bound((as_quantity(amount, "AmountSquare"),))
        if amount.value <= 0:
            raise ExplainError(f"AmountSquare: {amount.short()} is {amount.value:g}; an area is positive")
        side = math.sqrt(float(amount) * unit)
        colour = theme.role(role)
        self.square = Square(side, stroke_color=colour, stroke_width=2.5 if outline else 0)
        self.square.set_fill(theme.tint(role, 0.16) if outline else colour, 1)
        self.add(self.square)

    def grow(self, run_time: float = theme.TRANSFORM) -> GrowFromEdge:
        """The animation in which it rises from its lower edge."""
        return GrowFromEdge(self, DOWN, run_time=run_time, rate_func=theme.EASE)
