"""Recordings made for tests: speech-like sound, in files of the kinds that a lecturer has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from scenes import script
from scenes.script import Lecture

Samples = NDArray[np.float32]
Save = Callable[..., Path]
TEXT = """\
---
number: 9
title: A demonstration
---
## First
One two three.

Four, and five.

## Second
Six.
"""


@pytest.fixture
def lecture(tmp_path: Path) -> Lecture:
    folder = tmp_path / "en"
    (folder / "voice").mkdir(parents=True)
    (folder / "9_demo.md").write_text(TEXT)
    return script.load(folder / "9_demo.md")


@pytest.fixture
def save(lecture: Lecture) -> Save:
    """``save(name, samples, rate=…, codec=…)`` writes a recording into the lecture's folder."""

    def write(name: str, samples: Samples, rate: int = 48_000, codec: str = "", stereo: bool = False) -> Path:
        path = lecture.path.parent / "voice" / name
        chosen = codec or {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "libmp3lame"}[path.suffix]
        layout = "stereo" if stereo else "mono"
        with av.open(str(path), "w") as out:
            stream = out.add_stream(chosen, rate=rate, layout=layout)
            data = np.repeat(samples, 2) if stereo else samples
            frame = av.AudioFrame.from_ndarray(data[None].astype(np.float32), format="flt", layout=layout)
            frame.sample_rate = rate
            sampler = av.AudioResampler(stream.codec_context.format, layout, rate, stream.codec_context.frame_size)
            for each in [*sampler.resample(frame), *sampler.resample(None)]:
                out.mux(stream.encode(each))
            out.mux(stream.encode(None))
        return path

    return write


def babble(seconds: float, rate: int = 48_000, seed: int = 0, loud: float = 0.2) -> Samples:
    """Sound that comes in syllables, a fifth of a second each, never quite silent."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).standard_normal(len(time)) * 0.3
    envelope = 0.25 + 0.75 * np.abs(np.sin(np.pi * time / 0.2))
    return (loud * envelope * (np.sin(2 * np.pi * 180 * time) + noise) / 1.6).astype(np.float32)


def quiet(seconds: float, rate: int = 48_000, noise: float = 0.0005) -> Samples:
    """A room in which nobody speaks."""
    return (np.random.default_rng(1).standard_normal(round(seconds * rate)) * noise).astype(np.float32)
