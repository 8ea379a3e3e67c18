"""The measuring side of `bench`: one job on stdin, its numbers as JSON in the last line of standard output."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from manim.scene.scene_file_writer import SceneFileWriter
from numpy.typing import NDArray

from scenes import clock
from scenes.production import drawing
from scenes.production.encoder import SceneVideo
from scenes.production.loading import load_class
from scenes.production.plan import entry_from_json
from scenes.production.settings import Picture
from scenes.production.tiles import Box

Pixels = NDArray[np.uint8]
Seen = Callable[[int, Pixels, int], None]
_KEPT = 40  # unequal frames that are compared pixel by pixel
_SAMPLES_A_SECOND = 2
_LUMA = {"bt709": (0.2126, 0.7152, 0.0722), "bt601": (0.299, 0.587, 0.114)}  # ITU-R BT.709, BT.601


class TimedVideo(SceneVideo):
    """Counts the seconds that the encoder takes, and notes when the first frame was there."""

    spent, first = 0.0, 0.0

    def write(self, pixels: Pixels, repeat: int = 1, within: list[Box] | None = None) -> None:
        began = time.perf_counter()
        super().write(pixels, repeat, within)
        type(self).spent += time.perf_counter() - began
        type(self).first = type(self).first or time.time()


def drawn(job: Mapping[str, Any]) -> dict[str, Any]:
    """Draw as a worker does."""
    picture = Picture(**job["picture"])
    report = drawing.draw(entry_from_json(job), picture, Path(job["folder"]), make_video=TimedVideo)
    return {
        "seconds": clock.to_seconds(report.ticks),
        "frames": clock.frame(report.ticks, picture.fps),
        "encode": TimedVideo.spent,
        "first_frame": TimedVideo.first - job["began"],
    }


class Watcher(SceneFileWriter):
    """Shows every frame to a function: its number, its pixels, how often it comes."""

    def __init__(self, settings: Any, seen: Seen) -> None:
        super().__init__(settings)
        self.seen, self.at = seen, 0

    def write_frame(self, pixels: Pixels, *, repeat: int = 1) -> None:
        self.seen(self.at, pixels, repeat)
        self.at += repeat


def watch(job: Mapping[str, Any], engine: str, seen: Seen) -> None:
    """Draw a scene with an engine of `drawing.RENDERERS` and look at its frames before they are encoded."""
    entry = entry_from_json(job)
    with tempfile.TemporaryDirectory() as media, Picture(**job["picture"]).configure(Path(media)):
        renderer = drawing.RENDERERS[engine](file_writer_class=partial(Watcher, seen=seen))
        scene = load_class(entry)(renderer=renderer)
        scene.script_file = entry.script
        scene.render()


def compared(job: Mapping[str, Any]) -> dict[str, Any]:
    """SSIM of both films against stock's frames, and our frames against stock's."""
    every = max(1, job["picture"]["fps"] // _SAMPLES_A_SECOND)
    films = {"stock_ssim": (job["stock_film"], "bt601"), "ssim": (str(Path(job["folder"]) / "scene.mp4"), "bt709")}
    lumas = {name: (_lumas(path), matrix) for name, (path, matrix) in films.items()}
    found: dict[str, list[float]] = {name: [] for name in films}
    digests: dict[str, list[bytes]] = {"stock": [], "fast": []}

    def note(engine: str, at: int, pixels: Pixels, repeat: int) -> None:
        digest = hashlib.sha1(np.ascontiguousarray(pixels).data, usedforsecurity=False).digest()
        digests[engine] += [digest] * repeat

    def measure(at: int, pixels: Pixels, repeat: int) -> None:
        note("stock", at, pixels, repeat)
        for index in range(at, at + repeat):
            for name, (frames, matrix) in lumas.items():
                film = next(frames, None)
                if film is not None and index % every == 0:
                    found[name].append(ssim(luma(pixels, matrix), film()))

    watch(job, "stock", measure)
    watch(job, "fast", partial(note, "fast"))
    pairs = list(zip(digests["stock"], digests["fast"], strict=True))
    unequal = [index for index, (stock, ours) in enumerate(pairs) if stock != ours]
    means = {name: float(np.mean(values)) for name, values in found.items()}
    worst = _worst(job, unequal) if unequal else 0.0
    return {**means, "frames_equal": len(pairs) - len(unequal), "worst_pixels": worst}


def _worst(job: Mapping[str, Any], unequal: list[int]) -> float:
    """The largest fraction of pixels, over some of the unequal frames, that differ by more than 1/255."""
    wanted = set(unequal[:: -(-len(unequal) // _KEPT)])
    kept: dict[int, Pixels] = {}
    worst = 0.0

    def keep(at: int, pixels: Pixels, repeat: int) -> None:
        kept.update({index: pixels.copy() for index in wanted & set(range(at, at + repeat))})

    def check(at: int, pixels: Pixels, repeat: int) -> None:
        nonlocal worst
        for index in wanted & set(range(at, at + repeat)):
            apart = np.abs(kept[index].astype(np.int16) - pixels).max(axis=2) > 1
            worst = max(worst, float(apart.mean()))

    watch(job, "stock", keep)
    watch(job, "fast", check)
    return worst


def _lumas(path: str) -> Iterator[Callable[[], NDArray[np.float32]]]:
    """The luma plane of each frame of a film, taken out when asked for."""

    def plane(frame: av.VideoFrame) -> NDArray[np.float32]:
        first = frame.planes[0]
        rows = np.frombuffer(memoryview(first), np.uint8).reshape(first.height, first.line_size)
        return rows[:, : first.width].astype(np.float32)

    with av.open(path) as container:
        for frame in container.decode(video=0):
            yield partial(plane, frame)


def luma(pixels: Pixels, matrix: str) -> NDArray[np.float32]:
    """The luma of RGBA pixels, 16 to 235, not rounded."""
    weights = np.array(_LUMA[matrix], np.float32) * np.float32(219 / 255)
    return pixels[..., :3].astype(np.float32) @ weights + np.float32(16)


def ssim(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Mean structural similarity of two luma planes (Wang et al., 2004), windows of 8 × 8 every 4 pixels."""
    height, width = (side // 4 * 4 for side in a.shape)
    a, b = a[:height, :width], b[:height, :width]

    def sums(plane: NDArray[np.float32]) -> NDArray[np.float64]:
        blocks = plane.reshape(height // 4, 4, width // 4, 4).sum(axis=(1, 3), dtype=np.float64)
        return np.asarray(blocks[:-1, :-1] + blocks[1:, :-1] + blocks[:-1, 1:] + blocks[1:, 1:]) / 64

    mean_a, mean_b = sums(a), sums(b)
    var_a, var_b, cov = sums(a * a) - mean_a**2, sums(b * b) - mean_b**2, sums(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    value = (2 * mean_a * mean_b + c1) * (2 * cov + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(value.mean())


if __name__ == "__main__":
    task = json.loads(sys.stdin.read())
    print(json.dumps({"draw": drawn, "compare": compared}[task["kind"]](task)))
