"""Small marks that say right or wrong, by shape as well as by colour."""

from __future__ import annotations

import numpy as np
from manim import LEFT, RIGHT, UP, Line, VGroup

from scenes.kit import theme


def tick(colour: str = "reward", size: float = 0.3, width: float = 6.0) -> VGroup:
    """A check mark of two strokes, ``size`` high: ``tick(size=0.7)``."""
    corner = np.array([0.0, -size / 2, 0.0])
    strokes = (
        Line(corner + size * (0.45 * LEFT + 0.4 * UP), corner, stroke_width=width, color=theme.role(colour)),
        Line(corner, corner + size * (0.75 * RIGHT + UP), stroke_width=width, color=theme.role(colour)),
    )
    return VGroup(*strokes)


def cross(colour: str = "cost", size: float = 0.26, width: float = 6.0) -> VGroup:
    """A cross of two strokes, ``size`` high: ``cross()``."""
    half = size / 2
    strokes = (
        Line([-half, -half, 0], [half, half, 0], stroke_width=width, color=theme.role(colour)),
        Line([-half, half, 0], [half, -half, 0], stroke_width=width, color=theme.role(colour)),
    )
    return VGroup(*strokes)


def verdict(right: bool, size: float = 0.3, width: float = 6.0) -> VGroup:
    """A tick where it is right, a cross where it is not."""
    return tick(size=size, width=width) if right else cross(size=size * 0.87, width=width)
