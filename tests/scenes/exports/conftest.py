"""Films to export: the small one, and the same with another shape, another language, sound, or fewer key frames."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from scenes.exports.talk import Talk, talk
from scenes.player import films_in
from scenes.player.films import Film
from scenes.production.encoder import SceneVideo
from scenes.production.settings import Picture

Remake = Callable[..., Film]


@pytest.fixture(scope="session")
def film(small_films: Path) -> Film:
    return films_in(small_films)[0]


@pytest.fixture(scope="session")
def small(film: Film) -> Talk:
    return talk(film)


@pytest.fixture
def remake(film: Film, tmp_path: Path) -> Remake:
    """``remake(width=…, height=…, lang=…, keys=…)``: the small film's steps over plain pictures, as if rendered so.

    Each frame of step ``n`` is one grey, so that a picture says from which step it is.
    """

    def make(*, width: int = 160, height: int = 90, lang: str = "en", keys: bool = True, sound: bool = False) -> Film:
        manifest = copy.deepcopy(film.manifest)
        manifest["settings"] |= {"width": width, "height": height}
        manifest["language"] = lang
        folder = tmp_path / "remade" / film.name
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps(manifest))
        plain = folder / f"{film.name}.mp4"
        video = SceneVideo(plain, Picture(width, height, manifest["settings"]["fps"]))
        for number, step in enumerate(film.steps, start=1):
            if keys:
                video.mark_step()
            video.write(np.full((height, width, 4), 40 * number, np.uint8), step["end_frame"] - step["start_frame"])
        video.close()
        if sound:
            add_sound(plain, film)
        return Film(folder, manifest)

    return make


def add_sound(path: Path, film: Film) -> None:
    """A tone in every step, of another pitch in each, with silence before and after."""
    rate = 48_000
    wave = np.zeros(round(film.manifest["end_seconds"] * rate), np.float32)
    for number, step in enumerate(film.steps, start=1):
        first, last = ((step[f"{end}_seconds"] + shift) for end, shift in (("start", 0.5), ("end", -0.5)))
        at = np.arange(round(first * rate), round(last * rate))
        wave[at] = 0.3 * np.sin(2 * np.pi * 300 * number * at / rate)
    silent = path.rename(path.with_suffix(".silent.mp4"))
    with av.open(str(silent)) as source, av.open(str(path), "w") as out:
        pictures: Any = out.add_stream_from_template(source.streams.video[0])
        voice: Any = out.add_stream("aac", rate=rate, layout="mono")
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = pictures
                out.mux(packet)
        for start in range(0, len(wave), 1024):
            frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            out.mux(voice.encode(frame))
        out.mux(voice.encode(None))
    silent.unlink()
