"""Arranging and moving: rows, columns, and standing back."""

from __future__ import annotations

from manim import Mobject

from scenes.kit import (
    TokenChip,
    column,
    fit_stage,
    fit_width,
    label,
    row,
    spread,
)
from scenes.kit.examples.showing import shows


@shows(row)
def beside() -> Mobject:
    """Things beside one another, on one middle line."""
    return row(*(label(word, role=word) for word in ("query", "key", "value")), gap=0.8)


@shows(column)
def below() -> Mobject:
    """Things below one another, on one left edge."""
    return column(*(label(word, role=word) for word in ("query", "key", "value")), gap=0.3)


@shows(spread)
def spread_out() -> Mobject:
    """Things over a width, with equal gaps."""
    return spread([TokenChip(word) for word in ("Read", " this", " line")], -4.0, 4.0)


@shows(fit_width)
def no_wider() -> Mobject:
    """Made smaller until it is no wider than this; what fits stays as it is."""
    return fit_width(label("a line that is too long for the place that it has", "display"), 6.0)


@shows(fit_stage)
def on_stage() -> Mobject:
    """Made to fit the stage between title and captions, and put in its middle."""
    return fit_stage(column(*(label(word, "display", word) for word in ("query", "key", "value", "latent")), gap=0.6))
