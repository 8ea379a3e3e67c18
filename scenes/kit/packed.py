"""Chips whose memory is filled to scale: what must lie there, what is kept free, and equal tenants in the rest."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from manim import Animation, Rectangle, VGroup, VMobject

from explainers.errors import ExplainError
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.waffle import boxes_of


class PackedChips(DataBound, VGroup):
    """Equal chips side by side; each is filled from below with weights, then with caches, one cell a user.

    >>> chips = PackedChips(memory, weights, reserve, each, users, chips=eight)
    >>> self.play(chips.repack(longer, fewer))                         # other caches: the cells grow, fewer fit

    All areas have one scale. A user's cache lies whole in one chip; ``users`` are those of all chips together.

    Attributes
    ----------
    frames, held, free, cells
        Outlines of the chips, what the weights take, what is kept free, and the caches (one path).
    """

    def __init__(
        self,
        memory: Quantity,
        weights: Quantity,
        reserve: Quantity,
        each: Quantity,
        users: Quantity,
        *,
        chips: int = 8,
        width: float = 1.15,
        height: float = 3.6,
        gap: float = 0.25,
        role: str = "latent",
    ) -> None:
        super().__init__()
        data = [as_quantity(value, "PackedChips") for value in (memory, weights, reserve, each, users)]
        if memory.value <= 0 or each.value <= 0 or users.value < 0 or chips < 1:
            raise ExplainError("packed chips need memory and caches above zero, users of zero or more, and a chip")
        self.bound = Bound(tuple(data))
        self.memory, self.each, self.users, self.chips = memory, each, users, chips
        self.wide, self.tall, self.gap = width, height, gap
        self.corner = VMobject(stroke_width=0).set_points([np.zeros(3)] * 4)
        held, free = (min(float(part) / float(memory), 1.0) * height for part in (weights, reserve))
        self.floor, self.ceiling = held, height - free
        self.frames, self.held, self.free = VGroup(), VGroup(), VGroup()
        for index in range(chips):
            left = index * (width + gap)
            self.frames.add(_box(left, 0, width, height).set_stroke(theme.role("muted"), 2.2))
            self.held.add(_box(left, 0, width, held).set_fill(theme.role("expert"), 1))
            self.free.add(_box(left, height - free, width, free).set_fill(theme.tint("muted", 0.28), 1))
        self.cells = VMobject(stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
        self.add(self.corner, self.held, self.free, self.cells, self.frames)
        self._show(float(each), round(float(users) / chips))
        self.center()

    def _show(self, each: float, count: int) -> None:
        """``count`` cells of ``each`` bytes in every chip."""
        area = each / float(self.memory) * self.wide * self.tall
        across = _columns(count, self.wide / math.sqrt(area))
        wide = self.wide / across
        high = area / wide
        index = np.arange(count)
        left, low = (index % across) * wide, self.floor + (index // across) * high
        inset = min(0.12 * min(wide, high), 0.03)
        boxes = [
            boxes_of(left + chip * (self.wide + self.gap) + inset, low + inset, wide - 2 * inset, high - 2 * inset)
            for chip in range(self.chips)
        ]
        points = np.concatenate(boxes) if count else np.zeros((0, 3))
        self.cells.set_points(points + self.corner.points[0] if len(points) else points)

    def repack(self, each: Quantity, users: Quantity, **options: Any) -> Repack:
        """The animation in which every user's cache becomes larger or smaller, and as many stay as fit."""
        return Repack(self, each, users, **options)


class Repack(Animation):
    """The tenants of `PackedChips` change their size."""

    def __init__(
        self,
        chips: PackedChips,
        each: Quantity,
        users: Quantity,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        self._from, self._to = (chips.each, chips.users), (each, users)
        self._room = (chips.ceiling - chips.floor) / chips.tall * float(chips.memory)
        super().__init__(chips, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """As many caches as fit at their size of this moment; at the two ends, those that were counted."""
        share = self.rate_func(alpha)
        start, end = float(self._from[0]), float(self._to[0])
        each = start * (end / start) ** share
        ends = self._from if share <= 0 else self._to if share >= 1 else None
        count = round(float(ends[1]) / self.mobject.chips) if ends else math.floor(self._room / each + 1e-9)
        self.mobject._show(each, count)

    def finish(self) -> None:
        """Leave the chips bound to their new tenants."""
        super().finish()
        chips = self.mobject
        chips.each, chips.users = self._to
        chips.bound = Bound((*chips.bound[:3], *self._to))


def _columns(count: int, ideal: float) -> int:
    """How many cells stand side by side: near square, with a last row as full as can be."""
    near = max(1, round(ideal))
    choices = range(max(1, near - 2), near + 3)
    return min(choices, key=lambda k: (round((math.ceil(count / k) * k - count) / max(count, 1), 2), abs(k - near)))


def _box(left: float, low: float, width: float, height: float) -> Rectangle:
    box = Rectangle(width=width, height=max(height, 1e-3), stroke_width=0)
    return box.move_to([left + width / 2, low + height / 2, 0])
