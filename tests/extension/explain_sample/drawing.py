"""A kit object and a theme from outside."""

from __future__ import annotations

from dataclasses import replace

from manim import Circle, VGroup

from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_quantity

SEPIA = replace(theme.THEMES["light"], name="sepia", colours={**theme.THEMES["light"].colours, "ground": "#F4ECD8"})


class Lamp(DataBound, VGroup):
    """A lamp that is as bright as a share (0 to 1) says."""

    def __init__(self, share: Quantity) -> None:
        super().__init__()
        self.bound = Bound.of((as_quantity(share, "Lamp"),))
        self.add(Circle(0.5, color=theme.role("accent"), fill_opacity=float(share)))
