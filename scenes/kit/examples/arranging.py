"""Arranging and moving: rows, columns, and standing back."""

from __future__ import annotations

from manim import Group, Line, Mobject

from scenes.kit import (
    SAFE_RIGHT,
    TokenChip,
    column,
    fit_stage,
    fit_width,
    keep_inside,
    label,
    role,
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


@shows(keep_inside)
def back_inside() -> Mobject:
    """Moved back from beyond the right edge of the safe area (the line); what is inside stays."""
    edge = Line([SAFE_RIGHT, 0.8, 0], [SAFE_RIGHT, -0.8, 0], color=role("muted"))
    word = label("a label that grew in translation", "heading", "latent").move_to([SAFE_RIGHT - 1, 0, 0])
    return Group(edge, keep_inside(word))


@shows(fit_stage)
def on_stage() -> Mobject:
    """Made to fit the stage between title and captions, and put in its middle."""
    return fit_stage(column(*(label(word, "display", word) for word in ("query", "key", "value", "latent")), gap=0.6))
