"""A still costs nothing and is exact; what changed is converted as if all had been; every decoder counts the same."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace
from hypothesis import given, settings
from hypothesis import strategies as st

from explainers.errors import ExplainError
from scenes.production import encoder, h264
from scenes.production.colours import Planes, changed
from scenes.production.encoder import SceneVideo
from scenes.production.settings import Picture

PICTURE = Picture(854, 480, 30)


def pictures(count: int) -> list[np.ndarray]:
    """Frames in which a noisy square moves over a dark ground."""
    made = []
    for index in range(count):
        noise = np.random.default_rng(index).integers(0, 256, (96, 96, 3), np.uint8)
        frame = np.full((480, 854, 4), (14, 18, 23, 255), np.uint8)
        frame[100:196, 40 + 9 * index : 136 + 9 * index, :3] = noise
        made.append(frame)
    return made


def film(path: Path, frames: list[np.ndarray], repeats: list[int], steps: tuple[int, ...] = ()) -> list[np.ndarray]:
    """Write frames, each so often, and decode them."""
    video = SceneVideo(path, PICTURE)
    for index, (frame, repeat) in enumerate(zip(frames, repeats, strict=True)):
        if index in steps:
            video.mark_step()
        video.write(frame, repeat)
    video.close()
    assert video.frames == sum(repeats)
    with av.open(str(path)) as container:
        decoded = list(container.decode(video=0))
    assert [frame.pts * frame.time_base * 30 for frame in decoded] == list(range(sum(repeats)))
    return [frame.to_ndarray() for frame in decoded]


def test_repeats_are_exact_and_change_nothing_that_follows(tmp_path: Path) -> None:
    frames = pictures(40)
    repeats = [1, 30, *[1] * 10, 45, *[3] * 27]  # more repeats than frame_num can count: it wraps
    once = film(tmp_path / "once.mp4", frames, [1] * 40, steps=(20,))
    often = film(tmp_path / "often.mp4", frames, repeats, steps=(20,))
    expected = itertools.chain.from_iterable([picture] * times for picture, times in zip(once, repeats, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(often, expected, strict=True))


def test_a_still_of_a_minute_takes_no_room(tmp_path: Path) -> None:
    frame = pictures(1)
    film(tmp_path / "short.mp4", frame, [2])
    film(tmp_path / "long.mp4", frame, [1801])
    grown = (tmp_path / "long.mp4").stat().st_size - (tmp_path / "short.mp4").stat().st_size
    assert grown / 1799 < 64, "bytes a frame, with its entry in the index"


def test_a_frame_that_comes_again_is_a_repeat(tmp_path: Path) -> None:
    frames = pictures(2)
    film(tmp_path / "a.mp4", [frames[0], frames[0], frames[1]], [1, 4, 1])
    film(tmp_path / "b.mp4", [frames[0], frames[1]], [5, 1])
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_key_frame_stands_at_each_step_and_every_five_seconds_of_motion(tmp_path: Path) -> None:
    frames = [frame for frame in pictures(80) for _ in range(2)]
    for index, frame in enumerate(frames):
        frame[0, 0, 0] = index  # each differs
    frames = frames * 2
    video = SceneVideo(tmp_path / "a.mp4", PICTURE)
    for index, frame in enumerate(frames):
        if index == 100:
            video.mark_step()
        video.write(frame)
    video.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        keys = [index for index, packet in enumerate(container.demux(video=0)) if packet.size and packet.is_keyframe]
    assert keys == [0, 100, 250]


def bits_of(text: str) -> bytes:
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


@given(st.integers(0, 15), st.integers(0, 100), st.binary(min_size=0, max_size=40))
def test_frame_num_is_changed_and_nothing_else(number: int, by: int, rest: bytes) -> None:
    head = "1" + "00110" + "1" + f"{number:04b}"  # first_mb 0, slice_type 5, pps 0, frame_num
    body = bits_of(head + "".join(f"{byte:08b}" for byte in (*rest, 1)))
    escaped = h264._NEEDS_ESCAPE.sub(h264._ESCAPED, body)
    changed_unit = h264.raise_frame_num(b"\x41" + escaped, by, 4)
    plain = changed_unit[1:].replace(h264._ESCAPED, h264._PLAIN)
    wanted = bits_of("1" + "00110" + "1" + f"{(number + by) % 16:04b}" + "".join(f"{b:08b}" for b in (*rest, 1)))
    assert changed_unit[:1] == b"\x41"
    assert plain == wanted
    assert not any(pattern in changed_unit for pattern in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))


def test_a_stream_of_another_kind_is_refused() -> None:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 64, 64, "yuv420p", PICTURE_TIME
    context.flags |= av.codec.context.Flags.global_header
    context.open()
    with pytest.raises(ValueError, match="may reorder"):
        h264.frame_num_bits(bytes(context.extradata))
    with pytest.raises(ValueError, match="no sequence parameter set"):
        h264.frame_num_bits(b"")


PICTURE_TIME = encoder.Fraction(1, 30)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.integers(0, 479), st.integers(1, 200), st.integers(0, 853), st.integers(1, 300)]), max_size=4
    )
)
def test_what_changed_is_converted_as_if_all_had_been(rectangles: list[tuple[int, int, int, int]]) -> None:
    rng = np.random.default_rng(0)
    planes = Planes(854, 480)
    frame = rng.integers(0, 256, (480, 854, 4), np.uint8)
    assert planes.update(frame)
    after = frame.copy()
    for top, height, left, width in rectangles:
        place = after[top : top + height, left : left + width]
        place[...] = rng.integers(0, 256, place.shape, np.uint8)
    assert planes.update(after) == (not np.array_equal(frame, after))
    assert np.array_equal(planes.rgba, after)
    whole = av.VideoFrame.from_ndarray(after, format="rgba")
    assert np.array_equal(planes.yuv, whole.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709).to_ndarray())


@pytest.mark.parametrize(("width", "height"), [(854, 480), (480, 854), (480, 480), (90, 160), (150, 90)])
def test_colours_stand_where_they_were_drawn(tmp_path: Path, width: int, height: int) -> None:
    """In every shape of frame: an upright one has a height that is no multiple of 4."""
    frame = np.full((height, width, 4), (14, 18, 23, 255), np.uint8)
    frame[height // 2 :, : width // 2, :3] = (226, 96, 60)
    frame[: height // 4, width // 2 :, :3] = (20, 163, 116)
    video = SceneVideo(tmp_path / "a.mp4", Picture(width, height, 30))
    video.write(frame, 3)
    video.close()
    with av.open(str(tmp_path / "a.mp4")) as container:
        shown = [one.to_ndarray(format="rgb24") for one in container.decode(video=0)]
    for picture in shown:
        assert picture.shape == (height, width, 3)
        away = np.abs(picture.astype(int) - frame[..., :3]).max(axis=2)
        assert np.mean(away > 24) < 0.02  # but for the edges, where chroma has half as many samples


def test_boxes_hold_every_change_and_part_what_is_far_apart() -> None:
    before = np.zeros((480, 854, 4), np.uint8)
    after = before.copy()
    after[3, 853] = after[400, 100] = 1
    whole = (0, 480, 0, 854)
    assert list(changed(before, after, whole)) == [(0, 32, 832, 854), (384, 416, 96, 128)]
    assert list(changed(before, before, whole)) == []
    assert list(changed(before, after, (320, 480, 64, 128))) == [(384, 416, 96, 128)]


def test_no_encoder_is_said_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "CODEC", "no_such_codec")
    encoder._template.cache_clear()
    with pytest.raises(ExplainError, match=r"no H.264 encoder \(no_such_codec\).*pip install --force-reinstall av"):
        SceneVideo(tmp_path / "a.mp4", PICTURE)
