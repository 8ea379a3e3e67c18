"""Numbers on screen. Each carries the Quantity that it shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from manim import DL, DOWN, DR, Animation

from explainers import languages
from explainers.errors import ExplainError, one_of
from explainers.quantities import Computed, Quantity
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.text import Label


def _words_only(text: str, where: str) -> str:
    if re.search(r"\d", text):
        raise ExplainError(f"{where} {text!r} holds digits; pass every number as a Quantity")
    return text


class NumberLabel(DataBound, Label):
    """A Quantity as text.

    >>> NumberLabel(scene.number("v3.kv_bytes_per_token"), "si", after=" a token", role="latent")

    Parameters
    ----------
    quantity
        What is shown; kept as ``.quantity``.
    fmt
        As for `Quantity.text`: ``si``, ``words``, ``percent .1``, ``times``, ``usd``, ``3 bare`` …
    before, after
        Words around the number, without digits.
    """

    text_kind = "number"

    def __init__(
        self,
        quantity: Quantity,
        fmt: str = "",
        *,
        size: str | float = "body",
        role: str = "text",
        weight: str = "medium",
        before: str = "",
        after: str = "",
        **options: Any,
    ) -> None:
        as_quantity(quantity, "NumberLabel")
        around = tuple(
            languages.word(_words_only(words, f"the words {side} a number"))
            for side, words in (("before", before), ("after", after))
        )
        super().__init__(around[0] + quantity.text(fmt) + around[1], size, role, weight=weight, **options)
        self.quantity = quantity
        self.fmt = fmt
        self.bound = Bound((quantity,))


class CountingNumber(DataBound, Label):
    """A number that counts from one Quantity to another.

    >>> counter = CountingNumber(start, end, "si", size="display", role="cost")
    >>> self.play(counter.count(run_time=2))

    It stands at ``start``; `count` (or ``counter.animate_to(share)`` by hand with `show`) walks to ``end``.
    ``edge`` stays where it is while the width changes: ``left``, ``center`` or ``right``. With ``geometric`` it
    multiplies instead of adding, for a walk over orders of magnitude.
    """

    text_kind = "number"

    def __init__(
        self,
        start: Quantity,
        end: Quantity,
        fmt: str = "",
        *,
        size: str | float = "body",
        role: str = "text",
        weight: str = "medium",
        before: str = "",
        after: str = "",
        edge: str = "left",
        geometric: bool = False,
    ) -> None:
        if edge not in ("left", "center", "right"):
            raise one_of("edge", edge, ["left", "center", "right"])
        self.start, self.end = as_quantity(start, "CountingNumber"), as_quantity(end, "CountingNumber")
        self.fmt = fmt
        if start.unit != end.unit:
            raise ExplainError(f"cannot count from unit {start.unit!r} to unit {end.unit!r}; use one unit")
        if geometric and min(start.value, end.value) <= 0:
            raise ExplainError("a geometric count needs two positive numbers; count without geometric=True")
        self._before = languages.word(_words_only(before, "the words before a number"))
        self._after = languages.word(_words_only(after, "the words after a number"))
        self._edge, self._geometric = edge, geometric
        super().__init__(self._text(start), size, role, weight=weight, composed=True)
        self.quantity = start
        self.bound = Bound((start, end))

    def _text(self, quantity: Quantity) -> str:
        return self._before + quantity.text(self.fmt) + self._after

    def quantity_at(self, share: float) -> Quantity:
        """The Quantity shown after ``share`` (0…1) of the walk; the two ends are the given ones."""
        if share <= 0 or share >= 1:
            return self.start if share <= 0 else self.end
        low, high = self.start.value, self.end.value
        value: float = low * (high / low) ** share if self._geometric else low + (high - low) * share
        if isinstance(low, int) and isinstance(high, int):
            value = round(value)
        formula = f"between {self.start.short()} and {self.end.short()}"
        return replace(self.end, value=value, origin=Computed(formula, (self.start, self.end)), name=formula, key="")

    def show(self, share: float) -> CountingNumber:
        """Show the number at ``share`` (0…1) of the walk, in place."""
        quantity = self.quantity_at(share)
        text = self._text(quantity)
        corner = {"left": DL, "center": DOWN, "right": DR}[self._edge]
        cap, anchor = self.cap_height, self.get_corner(corner)
        self._set_lines([text])
        self.scale(cap, about_point=np.zeros(3))
        self.shift(anchor - self.get_corner(corner))
        self.shown_text, self.quantity = text, quantity
        return self

    def count(self, *, run_time: float = theme.TRANSFORM, rate_func: Callable[[float], float] = theme.EASE) -> CountTo:
        """The animation from ``start`` to ``end``."""
        return CountTo(self, run_time=run_time, rate_func=rate_func)


class CountTo(Animation):
    """Walks a `CountingNumber` from its start to its end."""

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the number at this moment."""
        self.mobject.show(self.rate_func(alpha))
