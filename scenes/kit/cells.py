"""Many small coloured cells as one image, always drawn at the size they have on screen.

A grid of squares costs Manim 400 ms a frame where one image costs 28 ms. The image here holds one pixel a cell, and
is enlarged when the camera asks for it, at exactly the pixels it covers: crisp at every size, small to hash, and two
sets of values morph into one another by interpolating a few bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from manim import RESAMPLING_ALGORITHMS, ImageMobject, config
from numpy.typing import NDArray

from explainers.errors import ExplainError

Pixels = NDArray[np.uint8]
_UPRIGHT = 1e-4  # how far the sides may lean, in Manim units: a hundredth of a pixel


@lru_cache(maxsize=64)
def _mask(height: int, width: int, rows: int, columns: int, gap: float, rounding: float) -> tuple[Any, Any, Any]:
    """Row and column of each pixel and how much of it a cell covers (0…1), antialiased; None: all of each.

    ``gap`` and ``rounding`` are shares of a cell's side.
    """
    tall, wide = height / rows, width / columns
    y, x = np.arange(height) + 0.5, np.arange(width) + 0.5
    row = np.minimum((y / tall).astype(int), rows - 1)
    column = np.minimum((x / wide).astype(int), columns - 1)
    side = min(tall, wide)
    space = 0.0 if side < 4 else min(max(gap * side, 0.8), side * 0.5) if gap else 0.0
    radius = 0.0 if side < 9 else rounding * side
    away_y = np.abs(y - (row + 0.5) * tall) - (tall - space) / 2 + radius
    away_x = np.abs(x - (column + 0.5) * wide) - (wide - space) / 2 + radius
    if space == 0 and radius == 0:
        return row, column, None
    outside = np.hypot(np.maximum(away_y, 0)[:, None], np.maximum(away_x, 0)[None, :])
    inside = np.minimum(np.maximum(away_y[:, None], away_x[None, :]), 0)
    cover = np.clip(0.5 - (outside + inside - radius), 0, 1).astype(np.float32)
    return row, column, cover


@lru_cache(maxsize=24)  # as many as stand in a frame together
def _enlarged(cells: bytes, height: int, width: int, rows: int, columns: int, gap: float, rounding: float) -> Pixels:
    """RGBA cells (rows, columns, 4) as a picture of ``height`` × ``width`` pixels; read-only, for whoever keeps it."""
    row, column, cover = _mask(height, width, rows, columns, gap, rounding)
    whole = np.frombuffer(cells, np.uint32).reshape(rows, columns)  # four bytes at once
    picture = whole.take(column, axis=1).take(row, axis=0).view(np.uint8).reshape(height, width, 4)
    if cover is not None:
        picture[:, :, 3] = np.rint(picture[:, :, 3] * cover)
    picture.flags.writeable = False
    return picture


class CellImage(ImageMobject):
    """A grid of coloured cells as one mobject.

    >>> CellImage(rgb, width=4, height=2)   # rgb: uint8 array (rows, columns, 3 or 4)

    Parameters
    ----------
    colours
        RGB or RGBA bytes, one a cell: (rows, columns, 3 or 4).
    width, height
        In Manim units.
    gap, rounding
        Space between cells and their corner radius, as shares of a cell's side.
    """

    def __init__(
        self, colours: Pixels, *, width: float, height: float, gap: float = 0.1, rounding: float = 0.12
    ) -> None:
        colours = np.asarray(colours, dtype=np.uint8)
        if colours.ndim != 3 or colours.shape[2] not in (3, 4) or 0 in colours.shape:
            raise ExplainError(f"cells need bytes of shape (rows, columns, 3 or 4), not {colours.shape}")
        if colours.shape[2] == 3:
            opaque = np.full((*colours.shape[:2], 1), 255, dtype=np.uint8)
            colours = np.concatenate([colours, opaque], axis=2)
        self._gap, self._rounding = gap, rounding
        super().__init__(colours, resampling_algorithm=RESAMPLING_ALGORITHMS["nearest"])
        self.stretch_to_fit_width(width).stretch_to_fit_height(height)

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.pixel_array.shape[:2]
        return int(rows), int(columns)

    def set_cells(self, colours: Pixels) -> CellImage:
        """Other colours for the same cells."""
        if colours.shape[:2] != self.cells:
            raise ExplainError(f"{self.cells[0]} × {self.cells[1]} cells cannot take colours of shape {colours.shape}")
        self.pixel_array[:, :, : colours.shape[2]] = colours
        self.orig_alpha_pixel_array = self.pixel_array[:, :, 3].copy()
        return self

    def get_pixel_array(self) -> Pixels:
        """The picture at the size it has on screen now (what the camera asks for)."""
        points = getattr(self, "points", None)
        if points is None or len(points) < 4:
            return self.pixel_array
        scale = config["pixel_height"] / config["frame_height"]
        centre = np.array([config["pixel_width"], config["pixel_height"]]) / 2
        corners = (points[:, :2] * [scale, -scale] + centre).astype(np.int64)
        width, height = (int(n) for n in np.ptp(corners, axis=0))
        square = bool((np.abs(points[[0, 0], [1, 0]] - points[[1, 2], [1, 0]]) <= _UPRIGHT).all())
        if width < 1 or height < 1 or not square or width > 8192 or height > 8192:
            return self.pixel_array
        return _enlarged(self.pixel_array.tobytes(), height, width, *self.cells, self._gap, self._rounding)
