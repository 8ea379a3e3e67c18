"""A lecturer's logo, as it stands on cards."""

from __future__ import annotations

from pathlib import Path

from manim import RIGHT, UP, ImageMobject, Mobject, SVGMobject

from explainers.errors import ExplainError
from scenes.kit import theme

#: The largest that a logo gets, in Manim units.
WIDTH, HEIGHT = 2.6, 0.6


def logo(file: Path) -> Mobject:
    """An SVG or PNG at the top right of the safe area, no larger than `WIDTH` × `HEIGHT`."""
    try:
        drawn: Mobject = SVGMobject(str(file)) if file.suffix.lower() == ".svg" else ImageMobject(str(file))
    except Exception as error:  # whatever the readers of foreign files raise
        raise ExplainError(f"the logo {file.name} cannot be drawn ({error}); save it as a plain SVG or PNG") from error
    drawn.shows_no_data = True  # the audit looks for numbers and roles in what we draw, not in somebody's sign
    drawn.scale(min(WIDTH / drawn.width, HEIGHT / drawn.height))
    return drawn.move_to([theme.SAFE_RIGHT, theme.SAFE_TOP, 0], UP + RIGHT)
