"""Exactly which pixels a text or an edge covers: the paths alone, drawn by cairo into a small mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cairo
import numpy as np
from manim import VMobject
from numpy.typing import NDArray
from scipy import ndimage

from scenes.audit.picture import Bounds, ink_opacity

Mask = NDArray[np.float64]  # (height, width), how much of each pixel is covered, 0…1


@dataclass(frozen=True)
class Patch:
    """A rectangle of the frame in pixels, ``rows`` and ``columns`` from its top left corner, and a mask of its size."""

    top: int
    left: int
    mask: Mask

    @property
    def window(self) -> tuple[slice, slice]:
        """Where it lies in a frame."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def inside(self, other: Patch) -> Mask:
        """The other patch's mask over this patch's window; zero where it does not reach."""
        found = np.zeros_like(self.mask)
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom = min(self.top + self.mask.shape[0], other.top + other.mask.shape[0])
        right = min(self.left + self.mask.shape[1], other.left + other.mask.shape[1])
        if top < bottom and left < right:
            found[top - self.top : bottom - self.top, left - self.left : right - self.left] = other.mask[
                top - other.top : bottom - other.top, left - other.left : right - other.left
            ]
        return found


class Painter:
    """Masks in the pixels of one camera."""

    def __init__(self, camera: Any) -> None:
        self.camera = camera
        self.width, self.height = int(camera.pixel_width), int(camera.pixel_height)
        self._scale = self.width / float(camera.frame_width)

    def pixels(self, bounds: Bounds, margin: int = 3) -> tuple[int, int, int, int]:
        """Top, left, bottom, right of a box in Manim units, cut at the frame."""
        centre = self.camera.frame_center
        left = (bounds[0] - centre[0]) * self._scale + self.width / 2
        right = (bounds[2] - centre[0]) * self._scale + self.width / 2
        top = self.height / 2 - (bounds[3] - centre[1]) * self._scale
        bottom = self.height / 2 - (bounds[1] - centre[1]) * self._scale
        return (
            int(np.clip(np.floor(top) - margin, 0, self.height)),
            int(np.clip(np.floor(left) - margin, 0, self.width)),
            int(np.clip(np.ceil(bottom) + margin, 0, self.height)),
            int(np.clip(np.ceil(right) + margin, 0, self.width)),
        )

    def ink(self, paths: Sequence[VMobject], bounds: Bounds, margin: int = 4) -> Patch:
        """What these paths cover, as if they were fully opaque."""
        return self._painted(paths, bounds, margin, edges=False)

    def edges(self, paths: Sequence[VMobject], bounds: Bounds, margin: int = 4) -> Patch:
        """The strokes of these paths, and the outlines of those that are filled without a stroke."""
        return self._painted(paths, bounds, margin, edges=True)

    def _painted(self, paths: Sequence[VMobject], bounds: Bounds, margin: int, edges: bool) -> Patch:
        top, left, bottom, right = self.pixels(bounds, margin)
        height, width = bottom - top, right - left
        if height <= 0 or width <= 0:
            return Patch(top, left, np.zeros((max(height, 0), max(width, 0))))
        surface = cairo.ImageSurface(cairo.FORMAT_A8, width, height)
        context = cairo.Context(surface)
        centre = self.camera.frame_center
        context.set_matrix(
            cairo.Matrix(
                self._scale,
                0,
                0,
                -self._scale,
                self.width / 2 - centre[0] * self._scale - left,
                self.height / 2 + centre[1] * self._scale - top,
            )
        )
        for path in paths:
            self._paint(context, path, edges)
        surface.flush()
        flat = np.frombuffer(surface.get_data(), dtype=np.uint8).reshape(height, surface.get_stride())
        return Patch(top, left, flat[:, :width].astype(np.float64) / 255)

    def _paint(self, context: cairo.Context[Any], path: VMobject, edges: bool) -> None:
        if ink_opacity(path) <= 0:
            return
        context.new_path()
        self.camera.set_cairo_context_path(context, path)
        if not edges and path.get_fill_opacity() > 0:
            context.fill_preserve()
        width = path.get_stroke_width() * 0.01 if path.get_stroke_opacity() > 0 else 0.0
        if edges and not width:
            width = 1.2 / self._scale
        if width:
            context.set_line_width(width)
            context.stroke()
        context.new_path()


def grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """The mask and all within so many pixels of it."""
    if not by:
        return mask
    disc = np.hypot(*np.mgrid[-by : by + 1, -by : by + 1]) <= by + 0.5
    result: NDArray[np.bool_] = ndimage.binary_dilation(mask, disc)
    return result
