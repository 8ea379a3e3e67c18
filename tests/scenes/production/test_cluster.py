"""The same films from a Dask cluster, with a real scheduler and worker processes, one of them killed at work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from explainers.errors import ExplainError
from scenes import look
from scenes.commands.plan import counted
from scenes.production import Options, cache, executors, render
from scenes.production.films import RenderError
from scenes.production.forecast import forecast
from scenes.production.plan import Job
from scenes.registry import Course

pytest.importorskip("distributed", reason="needs the extra `cluster`")

MakeCourse = Callable[[str, str], Course]
ROOT = Path(__file__).resolve().parents[3]
NAMES = ("First", "Second", "Third", "Fourth")
SCRIPT = "".join(f"\n## {name}\nOne two three four five six seven.\n" for name in NAMES)
CODE = "".join(
    f"\nclass {name}(LectureScene):\n    lecture = 9\n    def construct(self):\n        with self.step():\n"
    f"            self.play(Rotate(Square(), {index + 1}), run_time=4)\n"
    for index, name in enumerate(NAMES)
)


def start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, and two worker processes of one thread each."""
    file = tmp_path / "scheduler.json"
    quiet = ("--no-dashboard",)
    scheduler = start("dask_scheduler", "--port", "0", "--scheduler-file", str(file), *quiet)
    deadline = time.monotonic() + 120
    while not file.is_file() or not file.read_text().strip():
        assert scheduler.poll() is None, "the scheduler ended"
        assert time.monotonic() < deadline
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]
    workers = [start("dask_worker", address, "--nthreads", "1", "--no-nanny", *quiet) for _ in range(2)]
    try:
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def options(tmp_path: Path, **chosen: Any) -> Options:
    return Options(**{"quality": "480p", "fps": 30, "out": tmp_path / "out", "jobs": 1, **chosen})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def drawing_children(worker: int) -> list[str]:
    return Path(f"/proc/{worker}/task/{worker}/children").read_text().split() or [
        child for task in Path(f"/proc/{worker}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def test_a_cluster_that_loses_a_worker_makes_the_same_film(
    make_course: MakeCourse, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, workers = cluster
    course = make_course(SCRIPT, CODE)
    killed = threading.Event()

    def kill_one_at_work() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if drawing_children(workers[0].pid):
                time.sleep(1)
                os.kill(workers[0].pid, signal.SIGKILL)
                workers[0].wait()
                killed.set()
                return
            time.sleep(0.05)

    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    (film,) = render(["9"], options(tmp_path, cluster=address), course=course)
    killer.join()
    assert killed.is_set(), "the worker was killed while it drew"
    assert len(film.rendered) == 4
    (here,) = render(["9"], options(tmp_path, out=tmp_path / "here", fresh=True), course=course)
    assert contents(film.folder) == contents(here.folder)
    assert list((cache.root() / "work").iterdir()) == [], "what the killed worker had begun is gone"
    jobs = [Job(entry, options(tmp_path).picture) for entry in course.entries(course.lecture(9))]
    assert forecast(jobs)["jobs"] == 4
    broken = make_course(SCRIPT, CODE.replace("Rotate(Square(), 2)", "1 / 0"))
    with pytest.raises(RenderError, match=r"9/Second step 1: ZeroDivisionError: division by zero \(demo\.py:\d+\)"):
        render(["9"], options(tmp_path, cluster=address), course=broken)


def test_another_state_of_the_project_is_refused_there(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SCRIPT, CODE)
    job = Job(course.entry(course.lecture(9), "First"), options(tmp_path).picture)
    theirs = {**job.ingredients, "theme": look.everything(), "version of manim": "0.1", "script": "other"}
    failed, files, _ = executors.draw_there(job.to_json(tmp_path), theirs, {})
    assert failed is not None
    assert failed["cause"] == "a machine of the cluster would draw another picture: script, version of manim"
    assert files == {}


def test_no_scheduler_is_said(make_course: MakeCourse, tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match="no Dask scheduler answers at tcp://127.0.0.1:9"):
        render(["9"], options(tmp_path, cluster="tcp://127.0.0.1:9"), course=make_course(SCRIPT, CODE))


def test_the_forecast_counts_from_measured_seconds(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(SCRIPT, CODE)
    jobs = [Job(entry, options(tmp_path).picture) for entry in course.entries(course.lecture(9))]
    with pytest.raises(ExplainError, match="4 scenes were never timed"):
        forecast(jobs)
    parts = [
        cache.Kept(tmp_path, 1000, index, {"ingredients": job.ingredients, "seconds": seconds})
        for index, (job, seconds) in enumerate(zip(jobs, (8.0, 4.0, 3.0, 1.0), strict=True))
    ]
    monkeypatch.setattr(cache, "kept", lambda: parts)
    found = forecast(jobs, (1, 2, 4, 64))
    assert (found["seconds"], found["longest"], found["returned"]) == (16.0, "9/First", 4000)
    assert [(row["seconds"], row["speed_up"]) for row in found["workers"]] == [(16, 1), (8, 2), (8, 2), (8, 2)]


@pytest.mark.parametrize("text", ["", "0", "2,x", "1;2", "-1"])
def test_numbers_of_workers_are_whole(text: str) -> None:
    assert counted("1, 10,64") == (1, 10, 64)
    with pytest.raises(ExplainError, match="whole numbers from 1 on"):
        counted(text)
