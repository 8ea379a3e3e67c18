"""Sound that was made once is not made again, unless what it was made of is another, or the file is damaged."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from scenes.production import memory, sound
from scenes.voices import RATE


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path))


def test_made_once_and_the_same_then(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def make() -> memory.Arrays:
        asked.append(1)
        return {"samples": memory.packed(np.linspace(-1, 1, 5, dtype=np.float32))}

    first = memory.remembered([b"a", b"b"], make)
    again = memory.remembered([b"a", b"b"], make)
    assert first is not None and again is not None and len(asked) == 1
    assert np.array_equal(first["samples"], again["samples"])
    assert memory.unpacked(again["samples"]) == pytest.approx(np.linspace(-1, 1, 5), abs=1e-4)
    memory.remembered([b"ab", b""], make)
    assert len(asked) == 2, "where one part ends matters"
    for file in memory.folder().glob("*.npz"):
        file.write_bytes(file.read_bytes()[:40])
    memory.remembered([b"a", b"b"], make)
    assert len(asked) == 3, "a damaged file is made again"
    assert memory.remembered([b"c"], lambda: None) is None


def test_what_was_not_used_longest_is_forgotten() -> None:
    for name in (b"1", b"2", b"3"):
        memory.remembered([name], lambda: {"x": np.zeros(1000)})
    files = sorted(memory.folder().glob("*.npz"))
    for age, file in enumerate(files):
        os.utime(file, (1000 + age, 1000 + age))
    memory.prune(2 * files[0].stat().st_size)
    assert sorted(memory.folder().glob("*.npz")) == files[1:]
    memory.prune()
    assert len(list(memory.folder().glob("*.npz"))) == 2


def test_a_mix_follows_its_clips_and_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    tone = (0.1 * np.sin(np.arange(RATE) * 0.05)).astype(np.float32)
    first = sound.mixed([(0.5, tone)], 2.0)
    monkeypatch.setattr(sound, "_mixed", lambda clips, seconds: pytest.fail("mixed again"))
    assert np.array_equal(sound.mixed([(0.5, tone)], 2.0), first)
    for clips, seconds in (([(0.6, tone)], 2.0), ([(0.5, tone / 2)], 2.0), ([(0.5, tone)], 3.0)):
        with pytest.raises(pytest.fail.Exception, match="mixed again"):
            sound.mixed(clips, seconds)
