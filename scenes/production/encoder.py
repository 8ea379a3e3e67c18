"""One H.264 file of one scene, written as the frames come, without Manim's partial movies.

x264 ``veryfast`` takes about half the time of its default and, on drawings, makes smaller files. No B-frames and closed
groups of pictures: decoding order is presentation order, so scenes are joined later by copying packets, to the frame.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import Colorspace
from numpy.typing import NDArray
from PIL import Image

from scenes.production.settings import Picture

CRF = 19
KEYFRAME_SECONDS = 5  # the farthest that a player must decode from after a seek
_BT709 = 1  # ISO/IEC 23091-2: matrix, primaries and transfer of HD video
_LIMITED_RANGE = 1


class SceneVideo:
    """An open mp4. ``frames`` counts what was written; `mark_step` puts a key frame at the next frame."""

    def __init__(self, path: Path, picture: Picture, on_frames: Callable[[int], None] | None = None) -> None:
        self.frames = 0
        self.last: NDArray[np.uint8] | None = None
        self._on_frames = on_frames
        self._keyframe = True
        self._container = av.open(str(path), "w", format="mp4")
        options = {"preset": "veryfast", "crf": str(CRF), "forced-idr": "1", "x264-params": "open-gop=0:bframes=0"}
        stream: Any = self._container.add_stream("libx264", rate=Fraction(picture.fps), options=options)
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
        context = stream.codec_context
        context.gop_size = picture.fps * KEYFRAME_SECONDS
        context.thread_count = 2  # fixed: the number of threads changes the bits
        context.time_base = Fraction(1, picture.fps)
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        self._stream = stream

    def mark_step(self) -> None:
        """The next frame begins a step: a learner can seek to it exactly."""
        self._keyframe = True

    def write(self, pixels: NDArray[np.uint8], repeat: int = 1) -> None:
        """Show an RGBA frame (height, width, 4) ``repeat`` times; converted once, so a still is cheap."""
        if repeat < 1:
            return
        self.last = pixels
        rgb = av.VideoFrame.from_ndarray(pixels, format="rgba")
        frame = rgb.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
        frame.time_base = self._stream.codec_context.time_base
        for _ in range(repeat):
            frame.pts = self.frames
            frame.pict_type = PictureType.I if self._keyframe else PictureType.NONE
            self._keyframe = False
            self._container.mux(self._stream.encode(frame))
            self.frames += 1
        if self._on_frames:
            self._on_frames(self.frames)

    def close(self) -> None:
        """Flush and finish the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def abort(self) -> None:
        """Stop; the file is of no use."""
        self._container.close()


def png(pixels: NDArray[np.uint8]) -> bytes:
    """An RGBA frame as PNG, without its alpha."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
