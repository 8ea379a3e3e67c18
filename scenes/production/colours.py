"""RGBA to the encoder's planes, only where a frame differs from the one before.

Most frames of a lecture move a part of the picture. What changed is found by comparing, and converted with a margin
that is thrown away, so the planes are the same to the last bit as if the whole frame had been converted; a test
holds that.
"""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray

from scenes.production.tiles import SIDE, Box

Pixels = NDArray[np.uint8]

_GRID = SIDE  # boxes begin and end on multiples of this, so that few sizes occur and chroma is not cut
_REACH = 8  # farther than a pixel's colour spreads in the converter's filters
_MARGIN = 32  # what is converted with a box and thrown away: its edges are filtered otherwise
_GAP = 64  # rows of stillness that part two boxes


class Planes:
    """The last frame, as RGBA and as planar 4:2:0 in BT.709, limited range.

    ``yuv`` has shape (height * 3 / 2, width): luma, then a quarter of each chroma plane.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.rgba: Pixels | None = None
        self.yuv: Pixels = np.zeros((height * 3 // 2, width), np.uint8)
        self._reformat = VideoReformatter()

    def update(self, pixels: Pixels, within: list[Box] | None = None) -> bool:
        """Take over a frame of shape (height, width, 4); whether it differs from the last.

        ``within``: boxes outside which it does not, where that is known; they begin and end as `changed` has them.
        """
        if self.rgba is None:
            self.rgba = pixels.copy()
            self._convert((0, self.height, 0, self.width))
            return True
        areas = [(0, self.height, 0, self.width)] if within is None else within
        boxes = [box for area in areas for box in changed(self.rgba, pixels, area)]
        for top, bottom, left, right in boxes:
            self.rgba[top:bottom, left:right] = pixels[top:bottom, left:right]
        for box in boxes:
            self._convert(box)
        return bool(boxes)

    def show(self, pixels: Pixels) -> bool:
        """Whether the frame that was taken over last is this one."""
        return self.rgba is not None and np.array_equal(self.rgba, pixels)

    def _convert(self, box: Box) -> None:
        """Convert a box (multiples of 2) of ``rgba``, and what its colours reach, into ``yuv``."""
        assert self.rgba is not None
        top, bottom = max(0, box[0] - _REACH), min(self.height, box[1] + _REACH)
        left, right = max(0, box[2] - _REACH), min(self.width, box[3] + _REACH)
        y0, y1 = max(0, top - _MARGIN), min(self.height, bottom + _MARGIN)
        x0, x1 = max(0, left - _MARGIN), min(self.width, right + _MARGIN)
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(self.rgba[y0:y1, x0:x1]), format="rgba")
        made = self._reformat.reformat(frame, format="yuv420p", dst_colorspace=Colorspace.ITU709, threads=1)
        sizes = ((self.yuv[: self.height], 1), *((plane, 2) for plane in self._chroma()))
        for (target, step), plane in zip(sizes, made.planes, strict=True):
            values = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            part = values[(top - y0) // step : (bottom - y0) // step, (left - x0) // step : (right - x0) // step]
            target[top // step : bottom // step, left // step : right // step] = part

    def frame(self) -> av.VideoFrame:
        """The planes as a frame for the encoder."""
        return planar(self.yuv)

    def _chroma(self) -> tuple[Pixels, Pixels]:
        flat = self.yuv.reshape(-1)
        size, shape = self.width * self.height, (self.height // 2, self.width // 2)
        return flat[size : size * 5 // 4].reshape(shape), flat[size * 5 // 4 :].reshape(shape)


def planar(yuv: Pixels) -> av.VideoFrame:
    """Planar 4:2:0 of shape (height * 3 / 2, width) as a frame, for any even height.

    PyAV rounds the height of such an array down to a multiple of 4 (an upright film at 480p has 854 lines) and would
    take the chroma from the wrong place; there its planes are filled one by one.
    """
    height, width = yuv.shape[0] * 2 // 3, yuv.shape[1]
    if height % 4 == 0:
        return av.VideoFrame.from_numpy_buffer(yuv, format="yuv420p")
    frame = av.VideoFrame(width, height, "yuv420p")
    values, start = yuv.reshape(-1), 0
    for plane in frame.planes:
        size = plane.width * plane.height
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        rows[:, : plane.width] = values[start : start + size].reshape(plane.height, plane.width)
        start += size
    return frame


def changed(before: Pixels, after: Pixels, area: Box) -> Iterator[Box]:
    """Boxes that hold every pixel of an area that differs, on the grid; none where the frames are equal there."""
    y0, y1, x0, x1 = area
    height, width = y1 - y0, x1 - x0  # an even width, as 4:2:0 wants it: two pixels are compared at once
    one, other = (frame[y0:y1, x0:x1].reshape(height, width * 4).view(np.uint64) for frame in (before, after))
    words = one != other
    rows = np.flatnonzero(words.any(axis=1))
    if not len(rows):
        return
    cuts = np.flatnonzero(np.diff(rows) > _GAP) + 1
    for run in np.split(rows, cuts):
        top, bottom = int(run[0]) // _GRID * _GRID, min(height, -(-(int(run[-1]) + 1) // _GRID) * _GRID)
        columns = np.flatnonzero(words[top:bottom].any(axis=0)) * 2
        left = int(columns[0]) // _GRID * _GRID
        right = min(width, -(-(int(columns[-1]) + 2) // _GRID) * _GRID)
        yield y0 + top, y0 + bottom, x0 + left, x0 + right
