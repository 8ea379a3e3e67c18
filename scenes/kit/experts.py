"""Experts: squares in a grid whose groups can be seen, because routing is limited by groups."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from manim import DOWN, RIGHT, RoundedRectangle, Square, VGroup
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.scales import ColorBar, ColorScale
from scenes.kit.tensors import CountNote


class ExpertGrid(DataBound, VGroup):
    """All routed experts of a layer, coloured by a value each: load, score, weight.

    >>> grid = ExpertGrid(trace["load"].pick(layer=1), groups=4, shared=1)
    >>> grid.squares[5]

    Experts that were not chosen (value zero) stand back; the chosen ones shine by their value. Squares stand in
    ``groups`` boxes; ``shared`` experts stand beside them in their own colour, because no gate chooses them.
    """

    def __init__(
        self,
        values: NamedArray,
        *,
        groups: int = 1,
        shared: int = 0,
        side: float = 0.34,
        columns: int | None = None,
        groups_in_row: int | None = None,
        scale: ColorScale | None = None,
        outlined: Sequence[int] = (),
        notes: bool = True,
    ) -> None:
        as_array(values, "ExpertGrid", 1)
        super().__init__()
        count = len(values.values)
        if groups < 1 or count % groups:
            raise ExplainError(f"{count} experts do not divide into {groups} groups; give a divisor of {count}")
        if count > 512:
            raise ExplainError(f"{count} squares are too many to draw one by one; show a TensorGrid of the values")
        self.bound = Bound((values,))
        self.scale_of_colour = scale or ColorScale.of(values, kind="sequential", role="expert")
        each = count // groups
        columns = columns or math.ceil(math.sqrt(each))
        self.squares, self.boxes, self.shared = VGroup(), VGroup(), VGroup()
        self._outlined = set(outlined)
        blocks = VGroup(
            *(self._block(values.values.astype(float), g * each, each, columns, side) for g in range(groups))
        )
        blocks.arrange_in_grid(cols=groups_in_row or groups, buff=side * 0.55)
        self.add(blocks)
        if shared:
            self.shared.add(
                *(Square(side, stroke_width=0).set_fill(theme.role("shared_expert"), 1) for _ in range(shared))
            )
            self.add(self.shared.arrange(DOWN, buff=side * 0.22).next_to(blocks, RIGHT, buff=side * 1.4))
        if notes:
            self.add(CountNote(values, values.axes[0], count).next_to(blocks, DOWN, buff=0.16))
        self.center()

    def _block(self, values: NDArray[np.float64], first: int, count: int, columns: int, side: float) -> VGroup:
        squares = VGroup()
        for index in range(first, first + count):
            square = Square(side, stroke_width=1.2, stroke_color=theme.role("hairline"))
            square.set_fill(self.scale_of_colour.hex(float(values[index])), 1)
            if index in self._outlined:
                square.set_stroke(theme.role("accent"), width=3.2)
            squares.add(square)
        self.squares.add(*squares)
        squares.arrange_in_grid(cols=columns, buff=side * 0.22)
        pad = side * 0.5
        box = RoundedRectangle(
            width=squares.width + pad,
            height=squares.height + pad,
            corner_radius=side * 0.25,
            stroke_color=theme.role("hairline"),
            stroke_width=1.6,
        ).move_to(squares)
        self.boxes.add(box)
        return VGroup(box, squares)

    def colour_bar(self, name: str = "", length: float = 1.6) -> ColorBar:
        """The key to the squares' colours."""
        return ColorBar(self.scale_of_colour, name=name, length=length, vertical=False)
