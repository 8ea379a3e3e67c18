"""Stills that no encoder made are shown alike by decoders that share no code, and by a browser after any seek."""

from __future__ import annotations

import base64
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from scenes.production.encoder import SceneVideo
from scenes.production.settings import Picture

PICTURE = Picture(640, 360, 30)
HOLDS = [1, 90, *[1] * 10, 45, *[3] * 27, 200]  # more repeats than frame_num can count: it wraps


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A square that moves over noise and stands still now and then; a step begins amid it."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    video = SceneVideo(path, PICTURE)
    for index, hold in enumerate(HOLDS):
        frame = np.full((360, 640, 4), (14, 18, 23, 255), np.uint8)
        noise = np.random.default_rng(index).integers(0, 256, (6, 6, 3), np.uint8)
        frame[80:176, 20 + 12 * index : 116 + 12 * index, :3] = noise.repeat(16, axis=0).repeat(16, axis=1)
        if index == 20:
            video.mark_step()
        video.write(frame, hold)
    video.close()
    return path


@pytest.fixture(scope="module")
def decoded(film: Path) -> list[np.ndarray]:
    """Planes of each frame, as FFmpeg decodes them."""
    with av.open(str(film)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def test_openh264_decodes_what_ffmpeg_decodes(film: Path, decoded: list[np.ndarray], tmp_path: Path) -> None:
    launch = shutil.which("gst-launch-1.0")
    known = launch and subprocess.run(["gst-inspect-1.0", "openh264dec"], capture_output=True, check=False)
    if not launch or not known or known.returncode:
        pytest.skip("no OpenH264 here; `apt-get install gstreamer1.0-tools gstreamer1.0-plugins-{base,good,bad}`")
    raw = tmp_path / "raw"
    parts = [f"filesrc location={film}", "qtdemux", "h264parse", "openh264dec", "video/x-raw,format=I420"]
    pipe = " ! ".join([*parts, f"filesink location={raw}"])
    subprocess.run([launch, "-q", *pipe.split()], check=True, timeout=120)
    theirs = np.fromfile(raw, np.uint8).reshape(-1, 540, 640)
    assert len(theirs) == len(decoded) == sum(HOLDS)
    assert all(np.array_equal(a, b) for a, b in zip(theirs, decoded, strict=True))


PAGE = """
<video muted></video><canvas></canvas><script>
window.seek = time => new Promise(done => {
  const video = document.querySelector("video")
  video.onseeked = done; video.currentTime = time
})
window.shown = () => {
  const video = document.querySelector("video"), canvas = document.querySelector("canvas")
  canvas.width = video.videoWidth; canvas.height = video.videoHeight
  const brush = canvas.getContext("2d", {willReadFrequently: true})
  brush.drawImage(video, 0, 0)
  return Array.from(brush.getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 4 == 1))
}
window.load = data => new Promise((done, failed) => {
  const video = document.querySelector("video")
  video.oncanplaythrough = () => done(video.duration); video.onerror = () => failed(String(video.error?.message))
  video.src = "data:video/mp4;base64," + data
})
</script>
"""


def test_a_browser_shows_the_right_frame_after_any_seek(film: Path, browser: Any, decoded: list[np.ndarray]) -> None:
    page = browser.new_page()
    page.set_content(PAGE)
    seconds = page.evaluate("data => load(data)", base64.b64encode(film.read_bytes()).decode())
    assert abs(seconds - sum(HOLDS) / PICTURE.fps) <= 1 / PICTURE.fps
    with av.open(str(film)) as container:
        greens = [frame.to_ndarray(format="rgb24")[:, :, 1].astype(int) for frame in container.decode(video=0)]
    starts = np.cumsum([0, *HOLDS])
    # into a long still, to its last frame and to the first after it, back again, past a wrap of frame_num, to the end
    wanted = [45, 90, 91, 3, int(starts[20]), int(starts[20]) - 1, 130, 144, 147, 200, sum(HOLDS) - 1, 60]
    for index in wanted:
        page.evaluate("time => seek(time)", (index + 0.5) / PICTURE.fps)
        meant = int(np.searchsorted(starts, index, side="right")) - 1
        deadline = time.monotonic() + 20
        while True:
            seen = np.array(page.evaluate("shown()")).reshape(360, 640)
            apart = [float(np.abs(seen - greens[other]).mean()) for other in starts[:-1]]
            if int(np.argmin(apart)) == meant or time.monotonic() > deadline:
                break
        assert int(np.argmin(apart)) == meant, f"frame {index} is not the one that is shown"
        assert apart[meant] < 2.0, "the colours are those that FFmpeg decodes"
    page.close()
