"""One H.264 file of one scene, written as the frames come, without Manim's partial movies.

x264 with fixed settings: no lookahead, constant quantiser, no B-frames and closed groups of pictures, so decoding order
is presentation order and scenes are joined later by copying packets, to the frame. A frame that equals the one before
is not encoded again (`h264.Repeats`), and only what changed is converted to the encoder's colours (`colours.Planes`).
"""

from __future__ import annotations

import contextlib
import errno
import io
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray
from PIL import Image

from explainers.errors import ExplainError
from scenes.production import h264
from scenes.production.colours import Planes, planar
from scenes.production.settings import Picture
from scenes.production.tiles import Box, Mistaken

QP = 22
KEYFRAME_SECONDS = 5  # the farthest that a player must decode from after a seek, stillness not counted
CODEC = "libx264"
#: One thread: scenes are encoded side by side, and the number of threads changes the bits.
_X264 = (
    "bframes=0:open-gop=0:ref=1:weightp=0:rc-lookahead=0:sync-lookahead=0:force-cfr=1"  # no frame is kept back
    ":mbtree=0:scenecut=0:psy=0:keyint=infinite"
    ":subme=1:me=dia:trellis=1:no-deblock=1"  # drawn pictures need little search and no smoothing
)
_OPTIONS = {"preset": "veryfast", "forced-idr": "1", "x264-params": f"{_X264}:qp={QP}"}
_BT709 = 1  # ISO/IEC 23091-2: matrix, primaries and transfer of HD video
_LIMITED_RANGE = 1


class SceneVideo:
    """An open mp4. ``frames`` counts what was written; `mark_step` puts a key frame at the next frame."""

    def __init__(self, path: Path, picture: Picture, on_frames: Callable[[int], None] | None = None) -> None:
        self.frames = 0
        self._picture, self._on_frames = picture, on_frames
        self._keyframe, self._since, self._looked = True, 0, -1
        self._planes = Planes(picture.width, picture.height)
        template = _template(picture)  # first: it says what is wrong where there is no encoder
        self._container = av.open(str(path), "w", format="mp4")
        self._stream: Any = self._container.add_stream(CODEC, rate=Fraction(picture.fps), options=_OPTIONS)
        _configure(self._stream.codec_context, picture)
        self._stream.codec_context.open()
        self._repeats = h264.Repeats(bytes(self._stream.codec_context.extradata), template)

    @property
    def last(self) -> NDArray[np.uint8] | None:
        """The last frame, RGBA."""
        return self._planes.rgba

    def mark_step(self) -> None:
        """The next frame begins a step: a learner can seek to it exactly."""
        self._keyframe = True

    def write(self, pixels: NDArray[np.uint8], repeat: int = 1, within: list[Box] | None = None) -> None:
        """Show an RGBA frame (height, width, 4) ``repeat`` times; the array may be used again afterwards.

        ``within``: boxes outside which it equals the last one, where that is known; each second this is looked at.
        """
        second = self.frames // self._picture.fps
        new = self._planes.update(pixels, within)
        if within is not None and second != self._looked:
            self._looked = second
            if not self._planes.show(pixels):
                raise Mistaken("a change was not noted")
        if repeat < 1:
            return
        if new or self._keyframe:
            self._encode()
        else:
            self._repeat()
        for _ in range(repeat - 1):
            self._repeat()
        if self._on_frames:
            self._on_frames(self.frames)

    def _encode(self) -> None:
        """Encode the planes as they are, as a key frame where one is due."""
        due = self._keyframe or self._since >= self._picture.fps * KEYFRAME_SECONDS
        frame = self._planes.frame()
        frame.pts, frame.time_base = self.frames, Fraction(1, self._picture.fps)
        frame.pict_type = PictureType.I if due else PictureType.NONE
        self._keyframe, self._since = False, 0 if due else self._since
        (packet,) = self._stream.encode(frame)  # no lookahead: each frame comes out at once
        self._mux(self._repeats.coded_packet(bytes(packet)), packet.is_keyframe)

    def _repeat(self) -> None:
        self._mux(self._repeats.repeat())

    def _mux(self, data: bytes, keyframe: bool = False) -> None:
        packet = av.Packet(data)
        packet.stream, packet.time_base = self._stream, Fraction(1, self._picture.fps)
        packet.pts = packet.dts = self.frames
        packet.duration = 1
        packet.is_keyframe = keyframe
        self._container.mux(packet)
        self.frames += 1
        self._since += 1

    def close(self) -> None:
        """Finish the file."""
        if self._stream.encode(None):
            raise RuntimeError("the encoder kept frames back")
        self._container.close()

    def abort(self) -> None:
        """Stop; the file is of no use."""
        with contextlib.suppress(
            OSError, av.error.FFmpegError
        ):  # a full disk has been reported by the write that failed
            self._container.close()


def _configure(context: Any, picture: Picture) -> None:
    context.width, context.height, context.pix_fmt = picture.width, picture.height, "yuv420p"
    context.thread_count = 1
    context.time_base = Fraction(1, picture.fps)
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = _LIMITED_RANGE


@cache
def _template(picture: Picture) -> tuple[bytes, int]:
    """An all-skip slice, and its ``frame_num``: what the encoder makes of a flat picture that comes a third time."""
    try:
        context: Any = av.CodecContext.create(CODEC, "w")
    except (av.codec.codec.UnknownCodecError, av.error.FFmpegError) as error:
        raise _no_codec() from error
    context.options, context.framerate = _OPTIONS, Fraction(picture.fps)
    _configure(context, picture)
    context.flags |= av.codec.context.Flags.global_header
    context.open()
    flat = np.full((picture.height * 3 // 2, picture.width), 128, np.uint8)
    units: list[bytes] = []
    for index in range(3):
        frame = planar(flat)
        frame.pts, frame.time_base = index, Fraction(1, picture.fps)
        units = [unit for packet in context.encode(frame) for unit in h264.nal_units(bytes(packet))]
    (unit,) = units
    return unit, 2


def _no_codec() -> ExplainError:
    return ExplainError(
        f"PyAV has no H.264 encoder ({CODEC}) here; run `pip install --force-reinstall av`, whose wheels bring it"
    )


def png(pixels: NDArray[np.uint8]) -> bytes:
    """An RGBA frame as PNG, without its alpha."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def must_be_whole(path: Path, frames: int) -> None:
    """A full disk can cut a file without a word: its index must name every frame, and the last must be there."""
    try:
        with av.open(str(path)) as container:
            found = sum(1 for packet in container.demux(video=0) if packet.size)
    except (OSError, av.error.FFmpegError):
        found = 0
    if found != frames:
        raise OSError(errno.ENOSPC, f"{found} of {frames} frames were written", str(path))
