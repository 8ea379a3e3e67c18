"""What the scenes of lecture 7 share."""

from __future__ import annotations

import numpy as np
from manim import LEFT, RIGHT, UP, Line, RoundedRectangle, VGroup

from explainers.traces import NamedArray
from scenes.kit import label, role, tint


def over_seeds(array: NamedArray) -> tuple[NamedArray, NamedArray]:
    """Mean and standard deviation over the axis ``seed``; the other axes stay."""
    axis = array.axes.index("seed")
    axes = tuple(name for name in array.axes if name != "seed")
    labels = {name: texts for name, texts in array.labels.items() if name != "seed"}

    def made(values: np.ndarray, what: str) -> NamedArray:
        return NamedArray(values, axes, f"{what} of {array.name}", array.unit, labels, array.run, "")

    return made(array.values.mean(axis), "mean"), made(array.values.std(axis, ddof=1), "spread")


def box(words: str, colour: str = "muted", width: float = 1.9, height: float = 1.0, size: str = "body") -> VGroup:
    """A named part: a quiet rounded box with words in it."""
    frame = RoundedRectangle(width=width, height=height, corner_radius=0.14, stroke_width=2.2)
    frame.set_stroke(role(colour)).set_fill(tint(colour, 0.12), 1)
    return VGroup(frame, label(words, size, align="center").move_to(frame))


def tick(colour: str = "reward", size: float = 0.3) -> VGroup:
    """A check mark of two strokes, ``size`` high."""
    corner = np.array([0.0, -size / 2, 0.0])
    strokes = (
        Line(corner + size * (0.45 * LEFT + 0.4 * UP), corner, stroke_width=6, color=role(colour)),
        Line(corner, corner + size * (0.75 * RIGHT + UP), stroke_width=6, color=role(colour)),
    )
    return VGroup(*strokes)


def cross(colour: str = "cost", size: float = 0.26) -> VGroup:
    """A cross of two strokes, ``size`` high."""
    half = size / 2
    strokes = (
        Line([-half, -half, 0], [half, half, 0], stroke_width=6, color=role(colour)),
        Line([-half, half, 0], [half, -half, 0], stroke_width=6, color=role(colour)),
    )
    return VGroup(*strokes)
