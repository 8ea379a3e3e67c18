"""Pictures of attention: who looks at whom, and which heads share what."""

from __future__ import annotations

from typing import Self

import numpy as np
from manim import DOWN, RIGHT, UP, Group, Line, RoundedRectangle, VGroup
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.quantities import Computed, Quantity
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity, perturb
from scenes.kit.cells import Pixels
from scenes.kit.numbers import NumberLabel
from scenes.kit.scales import ColorScale
from scenes.kit.tensors import CountNote, TensorGrid
from scenes.kit.text import Label


class AttentionMap(TensorGrid):
    """Attention weights (query, key) as a triangle: what lies in the future is not drawn at all.

    >>> AttentionMap(trace["weights"].pick(layer=1, head=0), row_labels=True)
    """

    def __init__(
        self,
        values: NamedArray,
        *,
        scale: ColorScale | None = None,
        role: str = "query",
        cell: float = 0.26,
        name: str = "",
        bar: bool = True,
        row_labels: bool = False,
        causal: bool = True,
        max_tokens: int = 32,
    ) -> None:
        as_array(values, "AttentionMap", 2)
        self._causal = causal
        if causal and np.abs(np.triu(values.values, 1)).max(initial=0) > 1e-6:
            raise ExplainError(f"{values.name or 'the weights'} look into the future; pass causal=False to draw all")
        super().__init__(
            values,
            scale=scale or ColorScale.of(values, role=role),
            cell=cell,
            max_rows=max_tokens,
            max_columns=max_tokens,
            name=name,
            bar=bar,
            row_labels=row_labels,
        )

    def _painted(self, shown: NDArray[np.float64]) -> Pixels:
        colours = super()._painted(shown)
        if self._causal:
            later = np.array(self.columns)[None, :] > np.array(self.rows)[:, None]
            colours[:, :, 3] = np.where(later, 0, colours[:, :, 3])
        return colours


class HeadSharing(DataBound, VGroup):
    """Query heads above, the key-value heads that they share below: MHA, GQA and MQA in one drawing.

    >>> HeadSharing(query_heads, kv_heads, most=16)

    With more than ``most`` query heads only the first are drawn, and the note (``note=False``: none) says how many of
    how many. ``latent=True`` draws what MLA keeps instead: one latent, from which each head gets a key of its own
    (outlined: made when it is needed). ``drop`` is the distance down to what is stored.
    """

    def __init__(
        self,
        query_heads: Quantity,
        kv_heads: Quantity,
        *,
        most: int = 16,
        latent: bool = False,
        note: bool = True,
        drop: float = 1.0,
        width: float = 5.5,
        name: str = "",
    ) -> None:
        super().__init__()
        self.bound = Bound((as_quantity(query_heads, "HeadSharing"), as_quantity(kv_heads, "HeadSharing")))
        total, stored = int(query_heads), int(kv_heads)
        if stored < 1 or total % stored:
            raise ExplainError(f"{total} query heads cannot share {stored} key-value heads evenly")
        group = total // stored
        shown = min(total, most)
        pitch = width / shown
        side = min(pitch * 0.72, 0.34)
        self.queries = VGroup(*(self._head("query", side).shift(RIGHT * (i + 0.5) * pitch) for i in range(shown)))
        count = -(-shown // group)
        self.stored, self.links, self.made = VGroup(), VGroup(), VGroup()
        if latent:
            self.made.add(*(self._head("key", side).next_to(query, DOWN, buff=side) for query in self.queries))
            self.made.set_fill(opacity=0).set_stroke(theme.role("key"), 1.4)
        ends = self.made if latent else self.queries
        for index in range(count):
            members = ends[index * group : (index + 1) * group]
            centre = members.get_center()[0]
            if latent:
                head = self._head("latent", side, side * 1.5)
            else:
                key, value = self._head("key", side), self._head("value", side)
                head = VGroup(key, value).arrange(DOWN, buff=side * 0.15)
            head.move_to([centre, members.get_bottom()[1] - drop, 0], aligned_edge=UP)
            self.stored.add(head)
            for member in members:
                self.links.add(
                    Line(
                        member.get_bottom(), head.get_top() + UP * 0.03, stroke_width=1.6, color=theme.role("hairline")
                    )
                )
        self.add(self.links, self.queries, self.made, self.stored)
        if note:
            self.note = VGroup(*self._note(query_heads, shown, kv_heads)).arrange(RIGHT, buff=0.12)
            self.add(self.note.next_to(self, DOWN, buff=0.2))
        if name:
            self.name_label = Label(name, "small", "text").next_to(self.queries, UP, buff=0.18)
            self.add(self.name_label)
        self.center()

    def perturbed(self) -> Self:
        """The same drawing with twice as many query heads."""
        queries, stored = self.bound
        return self.rebind(perturb(queries), stored)

    @staticmethod
    def _head(role: str, side: float, tall: float | None = None) -> RoundedRectangle:
        return RoundedRectangle(
            width=side,
            height=tall or side,
            corner_radius=side * 0.18,
            stroke_width=0,
            fill_color=theme.role(role),
            fill_opacity=1,
        )

    @staticmethod
    def _note(queries: Quantity, shown: int, stored: Quantity) -> list[NumberLabel]:
        def number(value: Quantity, before: str, after: str) -> NumberLabel:
            return NumberLabel(
                value, "plain bare", before=before, after=after, size="tick", role="muted", weight="regular"
            )

        parts = []
        if shown < int(queries):
            drawn = Quantity(shown, "head", Computed("query heads that are drawn"), "query heads drawn")
            parts.append(number(drawn, "", " of"))
        return [*parts, number(queries, "", " query heads,"), number(stored, "", " stored")]


class HeadRow(DataBound, Group):
    """One small grid for each head, side by side on one colour scale.

    >>> HeadRow(trace["k_nope"].pick(layer=1), axis="head", most=6)
    """

    def __init__(
        self, values: NamedArray, *, axis: str = "head", most: int = 8, cell: float = 0.08, role: str = ""
    ) -> None:
        as_array(values, "HeadRow", 3)
        super().__init__()
        self.bound = Bound((values,))
        scale = ColorScale.of(values, role=role)
        count = values[axis]
        self.grids = [
            TensorGrid(values.pick(**{axis: i}), scale=scale, role=role, cell=cell, notes=False, bar=False)
            for i in range(min(count, most))
        ]
        self.add(*Group(*self.grids).arrange(RIGHT, buff=0.18))
        self.note = CountNote(values, axis, len(self.grids)).next_to(self, DOWN, buff=0.14)
        self.add(self.note)
        self.center()
