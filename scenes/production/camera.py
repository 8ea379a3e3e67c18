"""Manim's camera, which draws an image only where it is.

Manim lays an image over the frame as a picture as large as the frame, which is transparent elsewhere: some thirty
megabytes are written and read for each image of each frame. `EngineCamera` lets Manim's own code do the same in the
rectangle that the image covers. A transparent pixel changes nothing below it, so the frames are the same to the last
bit. What is not covered (an image that reaches over the frame's edge) is drawn by Manim as ever.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import Camera
from numpy.typing import NDArray


class _Window(Camera):
    """What Manim needs of a camera to lay one image over a part of the frame."""

    def __init__(self, corners: NDArray[np.float64], width: int, height: int, mode: str) -> None:
        self.corners, self.pixel_width, self.pixel_height, self.image_mode = corners, width, height, mode

    def points_to_subpixel_coords(self, mobject: Any, points: Any) -> NDArray[np.float64]:
        """The image's corners, counted from the window's."""
        return self.corners


class EngineCamera(Camera):
    """Draws what `manim.Camera` draws."""

    def display_image_mobject(self, image_mobject: Any, pixel_array: NDArray[np.uint8]) -> None:
        """Lay an image over the frame, in the rectangle of whole pixels that holds it."""
        corners = self.points_to_subpixel_coords(image_mobject, image_mobject.points)
        left, top = (int(side) for side in corners.min(axis=0))
        width, height = (int(side) for side in corners.astype(np.int64).max(axis=0) - (left, top))
        inside = (corners >= 0).all() and left + width <= self.pixel_width and top + height <= self.pixel_height
        if not inside or width < 1 or height < 1:
            super().display_image_mobject(image_mobject, pixel_array)
            return
        # Counted from whole pixels at or before them, numbers that are not negative keep their fractions exactly.
        window = _Window(corners - (left, top), width, height, self.image_mode)
        window.display_image_mobject(image_mobject, pixel_array[top : top + height, left : left + width])
