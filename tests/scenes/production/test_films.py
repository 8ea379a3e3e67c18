"""Films end to end: whole, in time, the same however they were made, and never half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from explainers import references, runs
from explainers.errors import ExplainError
from explainers.traces import NamedArray, Trace
from scenes.production import Options, assemble, plan, render
from scenes.production.films import RenderError
from scenes.production.settings import FilmResult
from scenes.registry import Course

MakeCourse = Callable[[str, str], Course]
ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
## First
One [[two]] two & three {{ v3.layers }}.

Four.

## Second scene {#Second}
Five six.
"""
CODE = """
class First(LectureScene):
    lecture = 9
    def construct(self):
        square = Square(fill_opacity=1)
        square.quantity = self.number("v3.layers")
        self.add(square)
        with self.step() as s:
            s.until("two")
            self.play(square.animate.shift(UP), run_time=0.4)
        with self.step():
            self.play(Rotate(square, 1), run_time=0.4)

class Second(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            self.play(FadeIn(Circle()), run_time=0.5)
"""


HEAD = "from manim import *\nfrom scenes.stage import LectureScene\n\n"  # what `make_course` writes before the code


def options(tmp_path: Path, out: str = "out", **chosen: Any) -> Options:
    return Options(**{"quality": "480p", "fps": 10, "out": tmp_path / out, "jobs": 2, **chosen})


@pytest.fixture(autouse=True)
def steady_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys leave this project's own code out (`test_plan` covers it): somebody may edit it while tests run."""
    monkeypatch.setattr(plan, "reach", lambda file: {file.resolve()} if "lectures" in file.parts else set())


def manifest(film: FilmResult) -> dict[str, Any]:
    return json.loads((film.folder / "manifest.json").read_text("utf-8"))


def without_frames(value: Any) -> Any:
    """A manifest without what a frame rate must change."""
    if isinstance(value, dict):
        left = {name: without_frames(item) for name, item in value.items()}
        return {name: item for name, item in left.items() if name not in ("start_frame", "end_frame", "fps")}
    return [without_frames(item) for item in value] if isinstance(value, list) else value


def subtitles_in(video: Path) -> list[tuple[float, str]]:
    """Start and text of the samples of the caption track that are not empty."""
    with av.open(str(video)) as container:
        packets = [packet for packet in container.demux(container.streams.subtitles[0]) if packet.size > 2]
        return [(float(p.pts * p.time_base), bytes(p)[2:].decode().replace("\n", " ")) for p in packets]


def test_a_film_is_whole_and_everything_agrees_on_time(make_course: MakeCourse, tmp_path: Path) -> None:
    (film,) = render(["9"], options(tmp_path), course=make_course(SCRIPT, CODE))
    assert sorted(path.name for path in film.folder.iterdir()) == [
        "9_demo.mp4",
        "9_demo.srt",
        "9_demo.vtt",
        "manifest.json",
        "poster.png",
    ]
    about = manifest(film)
    with av.open(str(film.video)) as container:
        frames = sum(1 for _ in container.decode(video=0))
        seconds, chapters = container.duration / 1e6, container.chapters()
    assert seconds == film.seconds == about["end_seconds"] == frames / 10 == about["end_frame"] / 10
    starts = [scene["start_seconds"] for scene in about["scenes"]]
    assert [float(chapter["start"] * chapter["time_base"]) for chapter in chapters] == starts
    assert [chapter["metadata"]["title"] for chapter in chapters] == ["First", "Second scene"]
    steps = [step for scene in about["scenes"] for step in scene["steps"]]
    assert [step["start"] for step in steps[1:]] == [step["end"] for step in steps[:-1]]
    assert (steps[0]["start"], steps[-1]["end"]) == (0, about["end"])
    vtt = (film.folder / "9_demo.vtt").read_text()
    assert "One two &amp; three 61." in vtt
    last = vtt.split("\n\n")[-1]
    spoken_from = steps[2]["start_seconds"]
    assert last == f"3\n00:00:{spoken_from:06.3f} --> 00:00:{spoken_from + 0.8:06.3f}\nFive six.\n"
    assert [(number["text"], number["key"]) for number in steps[0]["numbers"]] == [("61", "v3.layers")]
    assert steps[0]["numbers"][0]["origin"]["kind"] == "cited"
    assert steps[0]["said"][0]["text"] == "61"
    assert subtitles_in(film.video) == [(step["start_seconds"], step["narration"]) for step in steps], (
        "here each step is one cue"
    )
    mp4 = film.video.read_bytes()
    assert mp4.index(b"moov") < mp4.index(b"mdat"), "faststart: a browser can begin before it has all"


def test_the_manifest_is_the_same_however_it_was_made(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SCRIPT, CODE)
    (cold,) = render(["9"], options(tmp_path, jobs=1), course=course)
    kept = {path.name: path.read_bytes() for path in cold.folder.iterdir()}
    (warm,) = render(["9"], options(tmp_path), course=course)
    assert (len(cold.rendered), len(cold.reused)) == (2, 0)
    assert (len(warm.rendered), len(warm.reused)) == (0, 2)
    assert {path.name: path.read_bytes() for path in warm.folder.iterdir()} == kept
    (again,) = render(["9"], options(tmp_path, "again", fresh=True), course=course)
    assert {path.name: path.read_bytes() for path in again.folder.iterdir()} == kept, "two processes, nothing cached"
    _, ordered = render(["Second", "9"], options(tmp_path, "ordered", jobs=1, fresh=True), course=course)
    assert {path.name: path.read_bytes() for path in ordered.folder.iterdir()} == kept, "another order, one process"
    (faster,) = render(["9"], options(tmp_path, "faster", fps=24), course=course)
    assert without_frames(manifest(faster)) == without_frames(manifest(cold))
    assert manifest(faster)["end_frame"] == manifest(cold)["end_frame"] / 10 * 24
    assert (faster.folder / "9_demo.vtt").read_bytes() == kept["9_demo.vtt"]


def test_only_what_changed_is_drawn_again(make_course: MakeCourse, tmp_path: Path) -> None:
    render(["9"], options(tmp_path), course=make_course(SCRIPT, CODE))
    (film,) = render(["9"], options(tmp_path), course=make_course(SCRIPT.replace("Five", "Fifty"), CODE))
    assert (film.rendered, film.reused) == (("9/Second",), ("9/First",))
    (alone,) = render(["Second"], options(tmp_path), course=make_course(SCRIPT.replace("Five", "Fifty"), CODE))
    assert (alone.name, alone.rendered, alone.reused) == ("9_Second", (), ("9/Second",))


def test_another_value_of_a_fact_is_another_picture(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, resolve = make_course(SCRIPT, CODE), references.resolve
    render(["9"], options(tmp_path), course=course)
    assert render(["9"], options(tmp_path), course=course)[0].rendered == ()
    layers = replace(resolve("v3.layers"), value=62)
    monkeypatch.setattr(references, "resolve", lambda name: layers if name == "v3.layers" else resolve(name))
    (film,) = render(["9"], options(tmp_path), course=course)
    assert (film.rendered, film.reused) == (("9/First",), ("9/Second",))


PROBE = """
import json, os
from pathlib import Path
import numpy as np
from explainers import runs
from explainers.traces import NamedArray, Trace

NAME = "probe"

def probe(*, seed: int = 0) -> Trace:
    value = json.loads(Path(os.environ["PROBE_VALUE"]).read_text())
    return Trace("probe", {"x": NamedArray(np.array([value]), ("token",), "x")}, {}, {}, seed, "cpu", {})

if NAME not in runs.CATALOGUE:
    runs.register(runs.Run(NAME, f"{__name__}:probe", "a probe"))

class First(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            self.play(FadeIn(Square(side_length=self.run(NAME)["x"].values[0])), run_time=0.4)
        with self.step():
            pass

class Second(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            pass
"""


def test_another_value_in_a_trace_is_another_picture(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = tmp_path / "value.json"
    monkeypatch.setenv("PROBE_VALUE", str(value))
    value.write_text("1.0")
    course = make_course(SCRIPT.replace("[[two]]", ""), PROBE)

    def get(name: str, **params: Any) -> Trace:
        x = NamedArray(np.array([json.loads(value.read_text())]), ("token",), "x")
        return Trace("probe", {"x": x}, {}, {}, 0, "cpu", {})

    monkeypatch.setattr(runs, "get", get)  # what the parent sees when it asks whether a part still holds
    first = render(["9"], options(tmp_path), course=course)[0]
    assert first.rendered == ("9/First", "9/Second")
    video = first.video.read_bytes()
    assert render(["9"], options(tmp_path), course=course)[0].rendered == ()
    value.write_text("3.0")
    shutil.rmtree(tmp_path / "cache" / "runs")  # the memo: a changed trace means a changed run
    second = render(["9"], options(tmp_path), course=course)[0]
    assert (second.rendered, second.reused) == (("9/First",), ("9/Second",))
    assert second.video.read_bytes() != video
    value.write_text("1.0")
    third = render(["9"], options(tmp_path), course=course)[0]
    assert third.rendered == (), "the first picture is still there"
    assert third.video.read_bytes() == video


def test_a_scene_that_raises_stops_no_other(make_course: MakeCourse, tmp_path: Path) -> None:
    broken = CODE.replace("self.play(Rotate(square, 1), run_time=0.4)", "print('noise'); 1 / 0")
    with pytest.raises(RenderError) as error:
        render(["9", "Second"], options(tmp_path, jobs=1), course=make_course(SCRIPT, broken))
    line = (HEAD + CODE)[: (HEAD + CODE).index("self.play(Rotate")].count("\n") + 1
    assert str(error.value) == (
        f"9/First step 2: ZeroDivisionError: division by zero (demo.py:{line}) (1 other scene drawn and kept)"
    )
    assert not (tmp_path / "out" / "9_demo").exists()
    assert (tmp_path / "out" / "9_Second" / "9_Second.mp4").is_file()
    (film,) = render(["9"], options(tmp_path), course=make_course(SCRIPT, CODE))
    assert (film.rendered, film.reused) == (("9/First",), ("9/Second",))


def test_a_run_that_cannot_be_computed_stops_only_the_scene_that_asks(make_course: MakeCourse, tmp_path: Path) -> None:
    asking = CODE.replace("self.play(FadeIn(Circle()), run_time=0.5)", "self.run('kv_attentions', layres=2)")
    with pytest.raises(RenderError, match=r"9/Second step 1: unknown parameter .*'layres'.*1 other scene drawn"):
        render(["9"], options(tmp_path), course=make_course(SCRIPT, asking))


def test_what_is_wrong_from_the_start_is_said_at_once(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SCRIPT, CODE + "\nclass Third(LectureScene):\n    lecture = 9\n")
    for change, says in (
        (("Four.\n", ""), "First has 2 steps, 9_demo.md:7 has 1 paragraphs"),
        (("Four.", "{{ run.no_such_run.x }}"), "unknown run 'no_such_run'"),
    ):
        with pytest.raises(ExplainError, match=says):
            render(["9"], options(tmp_path), course=make_course(SCRIPT.replace(*change), CODE))
    for wrong, says in (
        ({"quality": "8k"}, "unknown quality '8k'"),
        ({"fps": 0}, "--fps 0"),
        ({"jobs": 0}, "--jobs 0"),
    ):
        with pytest.raises(ExplainError, match=says):
            options(tmp_path, **wrong)
    with pytest.raises(ExplainError, match="unknown voice 'anna'; there are none, espeak, recorded, piper"):
        render(["9"], options(tmp_path, voice="anna"), course=course)
    with pytest.raises(ExplainError, match="unknown language 'xx'"):
        render(["9"], options(tmp_path, lang="xx"), course=Course(course.scripts, course.scenes, "xx"))


# ---------------------------------------------------------------------- interrupted
LONG = CODE.replace("run_time=0.5", "run_time=60")


def start_long_render(course: Course, tmp_path: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """A render in a process of its own, with a scene in work."""
    code = (
        "import signal, sys; from pathlib import Path; from scenes.production import Options, render\n"
        # a shell starts its background jobs, and so the tests, with Ctrl-C ignored; a terminal does not
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from scenes.registry import Course\n"
        f"course = Course(Path({str(course.scripts)!r}), Path({str(course.scenes)!r}))\n"
        f"options = Options(quality='480p', fps=60, out=Path({str(tmp_path / 'out')!r}), jobs=2)\n"
        "try: render(['9'], options, course=course)\n"
        "except KeyboardInterrupt: sys.exit(130)\n"
    )
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "temporary")}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, start_new_session=True)
    work = tmp_path / "cache" / "production" / "work"
    deadline = time.monotonic() + 60
    while not [file for file in work.glob("*/scene*/part/scene.mp4") if file.stat().st_size > 0]:
        assert process.poll() is None, "the render ended before it was interrupted"
        assert time.monotonic() < deadline, "no scene came into work"
        time.sleep(0.05)
    return process, work


def workers_of(work: Path) -> list[int]:
    """Processes whose folder is under ``work`` (their standard error is a log there)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(work) in os.readlink(process / "fd" / "2"):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def gone(work: Path) -> bool:
    deadline = time.monotonic() + 5
    while workers_of(work) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not workers_of(work)


def descendants(process: int) -> list[Path]:
    """Processes that a process started, and that these did."""
    own = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [Path(f"/proc/{pid}") for pid in own] + [path for pid in own for path in descendants(int(pid))]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_an_interrupted_render_leaves_nothing_behind(
    make_course: MakeCourse, tmp_path: Path, number: signal.Signals
) -> None:
    process, work = start_long_render(make_course(SCRIPT, LONG), tmp_path)
    started = descendants(process.pid)
    assert len(started) >= 2, "two scenes are in work"
    began = time.monotonic()
    process.send_signal(number)
    assert process.wait(timeout=20) == 130
    assert time.monotonic() - began < 2
    assert [path for path in started if path.exists()] == []
    assert list(work.iterdir()) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "out").exists()


def test_a_killed_render_leaves_no_half_file_and_the_next_completes(make_course: MakeCourse, tmp_path: Path) -> None:
    process, work = start_long_render(make_course(SCRIPT, LONG), tmp_path)
    process.kill()
    process.wait()
    assert gone(work), "workers leave when their parent is gone"
    assert not (tmp_path / "out").exists()
    (film,) = render(["9"], options(tmp_path), course=make_course(SCRIPT, CODE))
    with av.open(str(film.video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == film.seconds * 10
    assert list(work.iterdir()) == []


def test_a_film_that_lies_there_is_not_put_together_again(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(SCRIPT, CODE)
    (film,) = render(["9"], options(tmp_path), course=course)
    kept = {path.name: path.read_bytes() for path in film.folder.iterdir()}
    joined: list[str] = []
    original = assemble._join
    monkeypatch.setattr(assemble, "_join", lambda *given: (joined.append("film"), original(*given)))
    (again,) = render(["9"], options(tmp_path), course=course)
    assert (joined, again.seconds, again.rendered) == ([], film.seconds, ())
    os.truncate(film.video, 1000)
    (film.folder / "manifest.json").unlink()
    render(["9"], options(tmp_path), course=course)
    assert {path.name: path.read_bytes() for path in film.folder.iterdir()} == kept
    assert joined == ["film"]
    titled = make_course(SCRIPT.replace("## Second scene", "## Another name"), CODE)
    (film,) = render(["9"], options(tmp_path), course=titled)
    assert joined == ["film"] * 2 and manifest(film)["scenes"][1]["heading"] == "Another name"
