"""A step's clip shows the step's own frames and lets its own sound be heard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from scenes.exports import clips
from scenes.exports.talk import Talk, talk


def shown(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as video:
        return [frame.to_ndarray(format="gray") for frame in video.decode(video=0)]


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as video:
        return [bytes(packet) for packet in video.demux(video=0) if packet.size]


def test_a_clip_is_the_films_own_packets(small: Talk, tmp_path: Path) -> None:
    film, every = small.film.video, shown(small.film.video)
    stream = packets(film)
    for slide in small.slides:
        clip = tmp_path / f"{slide.number}.mp4"
        clips.cut(film, slide.start, slide.end, small.picture, clip)
        assert packets(clip) == stream[slide.start : slide.end]  # nothing was encoded again
        for found, wanted in zip(shown(clip), every[slide.start : slide.end], strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_without_a_key_frame_a_clip_is_encoded(remake: Any, tmp_path: Path) -> None:
    about = talk(remake(keys=False))
    slide, clip = about.slides[2], tmp_path / "clip.mp4"
    clips.cut(about.film.video, slide.start, slide.end, about.picture, clip)
    with av.open(str(about.film.video)) as video:
        keys = [round(float(p.pts * p.time_base) * about.picture.fps) for p in video.demux(video=0) if p.is_keyframe]
    assert slide.start not in keys
    found, wanted = shown(clip), shown(about.film.video)[slide.start : slide.end]
    assert len(found) == len(wanted)
    assert max(abs(int(a.mean()) - int(b.mean())) for a, b in zip(found, wanted, strict=True)) <= 2
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["clip.mp4"]


def test_backwards_is_the_same_from_the_end(small: Talk, tmp_path: Path) -> None:
    slide = small.slides[2]
    clips.turned(small.film.video, slide.start, slide.end, small.picture, tmp_path / "back.mp4")
    found = shown(tmp_path / "back.mp4")
    wanted = shown(small.film.video)[slide.start : slide.end][::-1]
    assert len(found) == len(wanted) > clips._HELD  # longer than what is held at once
    differences = [np.abs(a.astype(int) - b).mean() for a, b in zip(found, wanted, strict=True)]
    assert max(differences) < 1.5
    assert np.abs(found[0].astype(int) - wanted[-1]).mean() > 4 * max(differences)  # the order can be seen


@pytest.mark.parametrize("keys", [True, False])
def test_sound_goes_with_its_pictures(remake: Any, tmp_path: Path, keys: bool) -> None:
    about = talk(remake(sound=True, keys=keys))
    for slide in about.slides:
        clip = tmp_path / f"{slide.number}.mp4"
        clips.cut(about.film.video, slide.start, slide.end, about.picture, clip)
        with av.open(str(clip)) as video:
            heard: Any = video.streams.audio[0]
            begins = float(heard.start_time * heard.time_base)
            wave = np.concatenate([frame.to_ndarray()[0] for frame in video.decode(heard)])
            rate = heard.rate
        seconds = (slide.end - slide.start) / about.picture.fps
        assert len(wave) / rate == pytest.approx(seconds, abs=0.05)
        loud = np.flatnonzero(np.abs(wave) > 0.15)
        assert begins + loud[0] / rate == pytest.approx(0.5, abs=0.04)
        assert begins + loud[-1] / rate == pytest.approx(seconds - 0.5, abs=0.04)
        part = wave[loud[0] + 2048 : loud[-1] - 2048]
        pitch = np.argmax(np.abs(np.fft.rfft(part))) * rate / len(part)
        assert pitch == pytest.approx(300 * slide.number, rel=0.02)
