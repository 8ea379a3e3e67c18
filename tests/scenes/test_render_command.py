"""One scene of lecture 3 through the command line, as a user renders it: from tensors to a film."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from scenes.registry import listing

ROOT = Path(__file__).resolve().parents[2]
FPS = 15

pytestmark = pytest.mark.render


@pytest.fixture(scope="module")
def scene() -> str:
    """The shortest scene of lecture 3 that is more than a card."""
    (lecture,) = (lecture for lecture in listing() if lecture["lecture"] == 3)
    scenes = [scene for scene in lecture["scenes"] if scene["steps"] > 1]
    return str(min(scenes, key=lambda scene: scene["seconds"])["scene"])


@pytest.fixture(scope="module")
def film(scene: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a film made by ``explain render`` with an empty cache."""
    folder = tmp_path_factory.mktemp("film")
    command = [sys.executable, "-m", "scenes.cli", "render", scene, "--quality", "480p", "--fps", str(FPS)]
    environment = os.environ | {"EXPLAIN_CACHE": str(folder / "cache"), "EXPLAIN_CONTEXT": "{}"}
    done = subprocess.run(
        [*command, "--out", str(folder)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder / f"3_{scene}"


def test_video_is_what_every_player_takes(film: Path) -> None:
    (path,) = film.glob("*.mp4")
    assert path.read_bytes()[:4096].find(b"moov") > 0  # the index stands first: it can be watched while it loads
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height, stream.pix_fmt) == (854, 480, "yuv420p")
        assert stream.average_rate == FPS


def test_video_lasts_as_long_as_the_manifest_says(film: Path) -> None:
    manifest = json.loads((film / "manifest.json").read_text())
    with av.open(str(next(film.glob("*.mp4")))) as video:
        frames = sum(1 for _ in video.decode(video=0))
    assert frames == manifest["end_frame"]
    assert 20 <= manifest["end_seconds"] <= 70


def test_something_is_drawn_at_the_end_of_every_step(film: Path) -> None:
    manifest = json.loads((film / "manifest.json").read_text())
    ends = [step["end_frame"] - 1 for step in manifest["scenes"][0]["steps"]]
    with av.open(str(next(film.glob("*.mp4")))) as video:
        pictures = [
            frame.to_ndarray(format="gray").astype(int) for at, frame in enumerate(video.decode(video=0)) if at in ends
        ]
    assert len(pictures) == len(ends)
    for picture in pictures:
        assert np.ptp(picture) > 100  # light on a dark ground
    for before, after in zip(pictures, pictures[1:], strict=False):
        assert np.abs(before - after).max() > 50  # the picture went on


def test_every_number_of_the_manifest_has_an_origin(film: Path) -> None:
    manifest = json.loads((film / "manifest.json").read_text())
    numbers = [number for scene in manifest["scenes"] for step in scene["steps"] for number in step["numbers"]]
    assert numbers
    for number in numbers:
        assert number["origin"]["kind"] in ("cited", "computed"), number


def test_captions_say_the_narration(film: Path) -> None:
    manifest = json.loads((film / "manifest.json").read_text())
    (captions,) = film.glob("*.vtt")
    cues = [cue.partition("-->")[2] for cue in captions.read_text(encoding="utf-8").split("\n\n") if "-->" in cue]
    said = " ".join(cue.partition("\n")[2] for cue in cues)
    assert said.split() == " ".join(step["narration"] for step in manifest["scenes"][0]["steps"]).split()
