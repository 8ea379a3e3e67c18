"""`explain bench render`: stock Manim and this project's pipeline in turn, on the same scenes and the same machine.

Each side runs in processes of its own, as a user would call it. Numbers depend on the machine and on what else it
does: only ratios of one run are worth quoting.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from explainers.errors import ExplainError
from scenes.environment import restored
from scenes.production.films import compute_runs
from scenes.production.plan import Job
from scenes.production.settings import Options, Picture
from scenes.registry import Course, SceneEntry, select

_ROOT = Path(__file__).resolve().parents[2]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Usage:
    """What a process and those that it started took: seconds, seconds of CPU, and the largest of them in bytes."""

    wall: float
    cpu: float
    peak: int


@dataclass(frozen=True)
class SceneBench:
    """One scene, both ways; what is of stock is None where stock was left out.

    ``size`` in bytes, ``ssim`` of the film's luma against the frames that were encoded, ``encode`` the seconds that our
    encoder alone took, ``first_frame`` the seconds from the start of the process to its first frame; ``frames_equal``
    of the ``frames`` have the same bytes as stock's, and in none differ more than ``worst_pixels`` (a fraction) by more
    than 1/255.
    """

    scene: str
    seconds: float
    frames: int
    stock: Usage | None
    ours: Usage
    stock_size: int | None
    size: int
    encode: float
    first_frame: float
    stock_ssim: float | None = None
    ssim: float | None = None
    frames_equal: int | None = None
    worst_pixels: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.stock.wall / self.ours.wall if self.stock else None


def bench(
    targets: Sequence[str],
    options: Options,
    say: Say,
    *,
    stock: bool = True,
    compare: bool = True,
    sample: int | None = None,
) -> dict[str, Any]:
    """Measure; the result is what ``--json`` prints. ``say`` is told each line as it is known.

    ``stock``: whether stock Manim renders, too; ``compare``: whether the frames and films of both are compared;
    ``sample``: of the scenes only so many, drawn by lot and always the same.
    """
    course = Course.default(options.lang)
    entries = list({e.key: e for film in select([str(t) for t in targets], course) for e in film.entries}.values())
    if sample is not None:
        lot = set(random.Random(0).sample(range(len(entries)), min(sample, len(entries))))
        entries = [entry for index, entry in enumerate(entries) if index in lot]
    with tempfile.TemporaryDirectory(prefix="explain-bench-") as name, restored("EXPLAIN_CACHE"):
        work = Path(name)
        os.environ["EXPLAIN_CACHE"] = str(work / "cache")  # cold, and the same for both
        compute_runs([Job(entry, options.picture) for entry in entries], work / "runs")
        scenes = []
        for index, entry in enumerate(entries):
            scenes.append(_scene(entry, options.picture, work / str(index), stock, compare))
            say(line(scenes[-1]))
            shutil.rmtree(work / str(index))
        whole = _whole(entries, options, work)
    return summary(scenes, whole, options.workers, options.picture)


def summary(scenes: Sequence[SceneBench], whole: Usage, cores: int, picture: Picture) -> dict[str, Any]:
    """Everything as plain data; ``whole`` is the whole of it by one cold `explain render`, scenes side by side."""
    playing, size = sum(scene.seconds for scene in scenes), sum(scene.size for scene in scenes)
    stocks = [(scene.stock, scene.stock_size) for scene in scenes if scene.stock and scene.stock_size]
    stock = sum(usage.wall for usage, _ in stocks)
    floor = makespan([scene.encode for scene in scenes], cores)
    frames = sum(scene.frames for scene in scenes)

    def mean(of: str) -> float | None:
        values = [getattr(scene, of) for scene in scenes]
        if None in values:
            return None
        return sum(value * scene.frames for value, scene in zip(values, scenes, strict=True)) / frames

    return {
        "picture": asdict(picture),
        "cores": cores,
        "scenes": [{**asdict(scene), "ratio": scene.ratio} for scene in scenes],
        "playing_seconds": playing,
        "frames": frames,
        "stock": {
            "wall": stock,
            "cpu": sum(usage.cpu for usage, _ in stocks),
            "peak": max(usage.peak for usage, _ in stocks),
            "frames_a_second": frames / stock,
        }
        if stocks
        else None,
        "ours": {**asdict(whole), "frames_a_second": frames / whole.wall},
        "ratio": stock / whole.wall if stocks else None,
        "floor": floor,
        "floor_ratio": whole.wall / floor,
        "playing_ratio": whole.wall / playing,
        "size": size,
        "size_ratio": size / sum(size for _, size in stocks) if stocks else None,
        "stock_ssim": mean("stock_ssim"),
        "ssim": mean("ssim"),
    }


def makespan(seconds: Sequence[float], workers: int) -> float:
    """How long jobs take on so many workers, the longest first, each to whoever is free."""
    ends = [0.0] * workers
    for job in sorted(seconds, reverse=True):
        ends[ends.index(min(ends))] += job
    return max(ends)


def line(scene: SceneBench) -> str:
    """One scene in one line."""
    parts, before = [f"{scene.scene:28s} {scene.frames:5d} frames"], ""
    if scene.stock and scene.stock_size:
        parts += [f"stock {_usage(scene.stock)}", f"{scene.ratio:.1f} ×"]
        before = f"{scene.stock_size / 1e6:.2f} → "
    parts += [
        f"ours {_usage(scene.ours)}",
        f"{scene.encode:.1f} s to encode",
        f"size {before}{scene.size / 1e6:.2f} MB",
        f"first frame {scene.first_frame:.1f} s",
    ]
    if scene.ssim is not None and scene.stock_ssim is not None:
        parts.append(f"SSIM {scene.stock_ssim:.5f} → {scene.ssim:.5f}")
        parts.append(f"{scene.frames_equal} frames equal, worst {scene.worst_pixels:.4%} of pixels")
    return "  ".join(parts)


def _usage(usage: Usage) -> str:
    return f"{usage.wall:.1f} s (CPU {usage.cpu:.1f} s, {usage.peak / 1e9:.2f} GB)"


def measured(command: Sequence[str], log: Path, stdin: str = "") -> tuple[Usage, str]:
    """Run a command to its end; its standard output comes back, its errors go to ``log``."""
    out = log.with_suffix(".out")
    question = log.with_suffix(".in")
    question.write_text(stdin, encoding="utf-8")
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    with out.open("wb") as answers, log.open("wb") as errors, question.open("rb") as source:
        process = subprocess.Popen(command, stdin=source, stdout=answers, stderr=errors, env=environment, cwd=_ROOT)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise ExplainError(f"`{' '.join(command[1:5])} …` ended with status {process.returncode}: {' '.join(last)}")
    unit = 1 if sys.platform == "darwin" else 1024
    usage = Usage(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * unit)
    return usage, out.read_text(encoding="utf-8")


def _scene(entry: SceneEntry, picture: Picture, work: Path, with_stock: bool, compare: bool) -> SceneBench:
    for folder in (work / "stock", work / "ours"):
        folder.mkdir(parents=True)
    job = Job(entry, picture).to_json(work / "ours")
    stock, stock_size = None, None
    if with_stock:
        stock, _ = measured(stock_command(entry, picture, work / "stock"), work / "stock.log")
        (stock_film,) = (work / "stock" / "videos").rglob(f"{entry.name}.mp4")
        stock_size = stock_film.stat().st_size
    ours, said = _ask({**job, "kind": "draw", "began": time.time()}, work / "ours.log")
    compared: dict[str, Any] = {}
    if with_stock and compare:
        _, compared = _ask({**job, "kind": "compare", "stock_film": str(stock_film)}, work / "compare.log")
    film = work / "ours" / "scene.mp4"
    return SceneBench(
        entry.key, said.pop("seconds"), stock=stock, ours=ours, stock_size=stock_size,
        size=film.stat().st_size, **said, **compared,
    )  # fmt: skip


def stock_command(entry: SceneEntry, picture: Picture, media: Path) -> list[str]:
    """The stock command line with its default settings, at this size and rate."""
    size = ["--resolution", f"{picture.width},{picture.height}", "--fps", str(picture.fps)]
    quiet = ["--progress_bar", "none", "--verbosity", "ERROR", "--media_dir", str(media)]
    return [sys.executable, "-m", "manim", "render", *size, *quiet, str(entry.code.file.resolve()), entry.name]


def _ask(job: dict[str, Any], log: Path) -> tuple[Usage, dict[str, Any]]:
    usage, said = measured([sys.executable, "-m", "scenes.production.bench_worker"], log, json.dumps(job))
    return usage, json.loads(said.splitlines()[-1])


def _whole(entries: Sequence[SceneEntry], options: Options, work: Path) -> Usage:
    command = [
        sys.executable, "-m", "scenes.cli", "render", *(entry.key for entry in entries), "--quality", options.quality,
        "--fps", str(options.picture.fps), "--jobs", str(options.workers), "--lang", options.lang,
        "--engine", options.engine, "--out", str(work / "films"),
    ]  # fmt: skip
    return measured(command, work / "whole.log")[0]
