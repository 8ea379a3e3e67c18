"""A step's stretch of a film as a file of its own: packets copied where a key frame begins it, else encoded anew."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from scenes.production.encoder import SceneVideo, must_be_whole
from scenes.production.settings import Picture

#: Frames that are held at once while a clip is turned round.
_HELD = 48


def cut(film: Path, start: int, end: int, picture: Picture, target: Path) -> None:
    """Write the frames ``start`` to ``end`` (exclusive) of a film, with its sound, as the mp4 ``target``."""
    if _begins_at_key_frame(film, start, picture.fps):
        _copy(film, start, end, picture.fps, target)
    else:
        silent = target.with_suffix(".silent.mp4")
        try:
            _encode(_frames(film, start, end, picture.fps), silent, picture)
            _copy(film, start, end, picture.fps, target, pictures=silent)
        finally:
            silent.unlink(missing_ok=True)
    must_be_whole(target, end - start)


def turned(film: Path, start: int, end: int, picture: Picture, target: Path) -> None:
    """Write the same frames backwards, without sound."""
    _encode(_backwards(film, start, end, picture.fps), target, picture)
    must_be_whole(target, end - start)


def _backwards(film: Path, start: int, end: int, fps: int) -> Iterator[Any]:
    for last in range(end, start, -_HELD):
        yield from reversed(list(_frames(film, max(start, last - _HELD), last, fps)))


def _begins_at_key_frame(film: Path, start: int, fps: int) -> bool:
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        for packet in _from(container, stream, start, fps):
            return packet.is_keyframe and _place(packet, fps) == start
    return False


def _from(container: Any, stream: Any, start: int, fps: int) -> Iterator[Any]:
    """The packets of a stream from the last key frame on that is not after ``start``."""
    container.seek(int(Fraction(4 * start + 1, 4 * fps) / stream.time_base), stream=stream)
    return (packet for packet in container.demux(stream) if packet.pts is not None and packet.size)


def _place(packet: Any, fps: int) -> int:
    """The number of a packet's or frame's picture in the film."""
    return round(packet.pts * packet.time_base * fps)


def _frames(film: Path, start: int, end: int, fps: int) -> Iterator[Any]:
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        for frame in (frame for packet in _from(container, stream, start, fps) for frame in packet.decode()):
            if _place(frame, fps) >= end:
                return
            if _place(frame, fps) >= start:
                yield frame
        yield from (frame for frame in stream.decode(None) if start <= _place(frame, fps) < end)


def _encode(frames: Iterator[Any], target: Path, picture: Picture) -> None:
    video = SceneVideo(target, picture)
    try:
        video.mark_step()
        for frame in frames:
            video.write(frame.to_ndarray(format="rgba"))
    except BaseException:
        video.abort()
        raise
    video.close()


def _copy(film: Path, start: int, end: int, fps: int, target: Path, pictures: Path | None = None) -> None:
    """Copy the packets of a stretch: its sound from the film, its pictures too unless they come from another file."""
    first = 0 if pictures else start
    with (
        av.open(str(film)) as source,
        av.open(str(pictures or film)) as seen,
        av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as out,
    ):
        video = out.add_stream_from_template(seen.streams.video[0])
        video.time_base = Fraction(1, fps)
        sound = source.streams.audio[0] if source.streams.audio else None
        heard = out.add_stream_from_template(sound) if sound else None
        for packet in _from(seen, seen.streams.video[0], first, fps):
            place = _place(packet, fps) - first
            if place >= end - start:
                break
            packet.stream, packet.time_base = video, Fraction(1, fps)
            packet.pts = packet.dts = place
            packet.duration = 1
            out.mux(packet)
        if sound:
            _copy_sound(source, sound, out, heard, Fraction(start, fps), Fraction(end, fps))


def _copy_sound(source: Any, stream: Any, out: Any, heard: Any, start: Fraction, end: Fraction) -> None:
    """Packets of sound are short (a 40th of a second), so the nearest ones are taken."""
    source.seek(max(0, int(start / stream.time_base)), stream=stream)
    for packet in source.demux(stream):
        if packet.pts is None:
            continue
        middle = packet.pts * packet.time_base + Fraction(packet.duration or 0) * packet.time_base / 2
        if middle < start:
            continue
        if middle >= end:
            return
        packet.stream = heard
        packet.pts = packet.dts = max(0, packet.pts - int(start / packet.time_base))
        out.mux(packet)
