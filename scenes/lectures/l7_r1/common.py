"""What the scenes of lecture 7 share."""

from __future__ import annotations

import numpy as np
from manim import RoundedRectangle, VGroup

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
