"""Nothing is lost: a render that was killed anywhere goes on, and ends in the same bytes as one that was not."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pytest

from scenes.production import Options, assemble, cache, encoder, films, plan, pool, render
from scenes.production.causes import cause
from scenes.production.drawing import SceneFailed, draw
from scenes.production.films import RenderError
from scenes.registry import Course

MakeCourse = Callable[[str, str], Course]
ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
## First
One two three.

Four.

## Second
Five six.
"""
CODE = """
class First(LectureScene):
    lecture = 9
    def construct(self):
        square = Square(fill_opacity=1)
        self.add(square)
        with self.step():
            self.play(square.animate.shift(UP), run_time=1)
        with self.step():
            self.play(Rotate(square, 1), run_time=0.4)

class Second(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            self.play(FadeIn(Circle()), run_time=0.5)
"""
MAIN = """
import signal, sys
from pathlib import Path
from scenes.production import Options, plan, render
from scenes.production.causes import cause
from scenes.production.drawing import SceneFailed, draw
from scenes.production.films import RenderError
from scenes.registry import Course
signal.signal(signal.SIGINT, signal.default_int_handler)
plan.reach = lambda file: {file.resolve()} if "lectures" in file.parts else set()
scripts, scenes, out = map(Path, sys.argv[1:4])
try:
    films = render(["9"], Options(quality="480p", fps=15, out=out, jobs=2), course=Course(scripts, scenes))
except KeyboardInterrupt:
    sys.exit(130)
except RenderError as error:
    sys.exit(f"failed: {error}")
print(*films[0].rendered)
"""


@pytest.fixture(autouse=True)
def steady_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys leave this project's own code out: somebody may edit it while tests run."""
    monkeypatch.setattr(plan, "reach", lambda file: {file.resolve()} if "lectures" in file.parts else set())


def options(tmp_path: Path, **chosen: Any) -> Options:
    return Options(**{"quality": "480p", "fps": 15, "out": tmp_path / "out", "jobs": 2, **chosen})


def start(course: Course, out: Path, store: Path, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
    command = [*prefix, sys.executable, "-c", MAIN, str(course.scripts), str(course.scenes), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "EXPLAIN_CACHE": str(store)}
    return subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def children(process: int) -> list[int]:
    """Processes that a process started, or that these did, and that are still there."""
    try:
        own = [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
    return own + [pid for one in own for pid in children(one)]


def contents(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


# ---------------------------------------------------------------------- killed
@pytest.fixture
def whole(make_course: MakeCourse, tmp_path: Path) -> tuple[Course, dict[str, bytes], float]:
    """A course, what an uninterrupted render of it makes, and how long that takes."""
    course = make_course(SCRIPT, CODE)
    began = time.monotonic()
    process = start(course, tmp_path / "whole", tmp_path / "whole-cache")
    assert process.wait(timeout=300) == 0, process.stderr.read()  # type: ignore[union-attr]
    return course, contents(tmp_path / "whole"), time.monotonic() - began


def parts_in(store: Path) -> int:
    return len(list((store / "production" / "parts").glob("*/*/part.json")))


def kill_and_go_on(whole: tuple[Course, dict[str, bytes], float], tmp_path: Path, seed: int) -> tuple[str, int]:
    """Kill the parent or a worker at a moment that ``seed`` chooses; then render again, and compare.

    Returns who was killed, and how many scenes were kept by then.
    """
    course, expected, lasts = whole
    moment = random.Random(seed)
    out, store = tmp_path / f"out{seed}", tmp_path / f"cache{seed}"
    process = start(course, out, store)
    time.sleep(moment.uniform(0.2, lasts))
    workers = children(process.pid)
    victim = moment.choice([process.pid, *workers])
    if process.poll() is None:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(victim, signal.SIGKILL)
    _, said = process.communicate(timeout=300)
    if victim == process.pid:
        assert process.returncode in (0, -signal.SIGKILL), said
    elif process.returncode:  # who drew was killed: that is said, and nothing else happened
        assert process.returncode == 1 and said.splitlines()[-1].startswith("failed: 9/"), said
    for name, data in contents(out).items():
        assert data == expected[name], f"{name} was there half, or of another kind"
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline, "a worker outlived its parent"
        time.sleep(0.05)
    kept = parts_in(store)
    again = start(course, out, store)
    drawn, said = again.communicate(timeout=300)
    assert again.returncode == 0, said
    assert contents(out) == expected
    assert not list((store / "production" / "work").iterdir())
    assert len(drawn.split()) == 2 - kept, "what was kept is not drawn again"
    return ("parent" if victim == process.pid else "worker", kept)


def test_a_render_that_is_killed_goes_on(whole: tuple[Course, dict[str, bytes], float], tmp_path: Path) -> None:
    for seed in range(3):
        kill_and_go_on(whole, tmp_path, seed)


@pytest.mark.slow
def test_a_render_that_is_killed_at_fifty_moments_goes_on(
    whole: tuple[Course, dict[str, bytes], float], tmp_path: Path
) -> None:
    found = Counter(kill_and_go_on(whole, tmp_path, seed) for seed in range(100, 150))
    print(found)
    assert {who for who, _ in found} == {"parent", "worker"}


def test_two_renders_into_one_folder_do_not_harm_each_other(
    whole: tuple[Course, dict[str, bytes], float], tmp_path: Path
) -> None:
    course, expected, _ = whole
    both = [start(course, tmp_path / "out", tmp_path / "store") for _ in range(2)]
    for process in both:
        assert process.wait(timeout=300) == 0, process.stderr.read()  # type: ignore[union-attr]
    assert contents(tmp_path / "out") == expected
    assert not list((tmp_path / "store" / "production" / "work").iterdir())


def test_a_killed_worker_leaves_no_temporary_file(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    dies = "import os, tempfile; tempfile.mkdtemp(); os.kill(os.getpid(), 9)"
    course = make_course(SCRIPT, CODE.replace("self.play(Rotate(square, 1), run_time=0.4)", dies))
    with pytest.raises(RenderError, match="9/First step 2: the process ended with signal 9"):
        render(["9"], options(tmp_path), course=course)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert list((cache.root() / "work").iterdir()) == []


# ---------------------------------------------------------------------- damaged
def truncate(folder: Path) -> None:
    os.truncate(folder / "scene.mp4", (folder / "scene.mp4").stat().st_size // 2)


def zero(folder: Path) -> None:
    for file in folder.iterdir():
        file.write_bytes(bytes(file.stat().st_size))


def foreign(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    (folder / "part.json").write_text('{"hello": "world"}')


def foreign_notes(folder: Path) -> None:
    (folder / "part.json").write_text("[]")
    (folder / "why.json").write_text('{"ingredients": 3, "because": 4}')


def a_file(folder: Path) -> None:
    foreign(folder)
    (folder / "part.json").unlink()
    folder.rmdir()
    folder.write_text("not a folder")


def a_file_for_the_key(folder: Path) -> None:
    a_file(folder)
    folder.unlink()
    folder.parent.rmdir()
    folder.parent.write_text("not a folder either")


@pytest.mark.parametrize("damage", [truncate, zero, foreign, foreign_notes, a_file, a_file_for_the_key])
def test_a_damaged_part_is_found_and_drawn_again(
    make_course: MakeCourse, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    course = make_course(SCRIPT, CODE)
    (film,) = render(["Second"], options(tmp_path), course=course)
    expected = contents(film.folder)
    (folder,) = (cache.root() / "parts").glob("*/*")
    damage(folder)
    (again,) = render(["Second"], options(tmp_path), course=course)
    assert again.rendered == ("9/Second",)
    assert contents(again.folder) == expected
    (warm,) = render(["Second"], options(tmp_path), course=course)
    assert warm.rendered == ()


# ---------------------------------------------------------------------- no room, no right
@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """While set, the parent finds the disk full when it keeps a part."""
    full = threading.Event()
    original = cache.keep

    def keep(*args: Any, **more: Any) -> cache.Part:
        if full.is_set() and "First" in json.dumps(args[2]):
            raise OSError(errno.ENOSPC, "No space left on device", "scene.mp4")
        return original(*args, **more)

    monkeypatch.setattr(cache, "keep", keep)
    full.set()
    return full


def test_a_full_cache_stops_only_the_scene_that_found_it_full(
    make_course: MakeCourse, tmp_path: Path, no_room: threading.Event
) -> None:
    course = make_course(SCRIPT, CODE)
    with pytest.raises(RenderError, match=r"^9/First: the disk is full; free some space.*1 other scene drawn and kept"):
        render(["9", "Second"], options(tmp_path), course=course)
    assert (tmp_path / "out" / "9_Second" / "9_Second.mp4").is_file()
    assert list((cache.root() / "work").iterdir()) == []
    no_room.clear()
    (film,) = render(["9"], options(tmp_path), course=course)
    assert (film.rendered, film.reused) == (("9/First",), ("9/Second",))


def test_an_output_that_cannot_be_written_is_named_and_the_other_films_are_made(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, original = make_course(SCRIPT, CODE), assemble.publish

    def publish(made: Path, target: Path) -> None:
        if target.parent.name == "9_Second":
            raise OSError(errno.EROFS, "Read-only file system", str(target))
        original(made, target)

    monkeypatch.setattr(assemble, "publish", publish)
    with pytest.raises(RenderError, match=r"^9_Second: the place is read-only; choose another with --out.*9_Second"):
        render(["Second", "9"], options(tmp_path), course=course)
    assert (tmp_path / "out" / "9_demo" / "manifest.json").is_file()


@pytest.fixture
def obeying() -> list[str]:
    """What a command begins with so that it may not write everywhere, whoever runs the tests."""
    if os.geteuid() != 0:
        return []
    obeying = ["setpriv", "--bounding-set=-dac_override"]
    if shutil.which("setpriv") is None or subprocess.run([*obeying, "true"], check=False).returncode:
        pytest.skip("root may write everywhere, and nothing here takes that right from a process")
    return obeying


def test_a_folder_where_one_may_not_write(make_course: MakeCourse, tmp_path: Path, obeying: list[str]) -> None:
    course = make_course(SCRIPT, CODE)
    (tmp_path / "out").mkdir(mode=0o555)
    refused = start(course, tmp_path / "out", tmp_path / "cache", obeying)
    _, said = refused.communicate(timeout=300)
    assert refused.returncode == 1
    assert said.splitlines()[-1].startswith(
        "failed: 9_demo: writing is not permitted; choose another place with --out"
    ), said
    assert list((tmp_path / "out").iterdir()) == []
    (film,) = render(["9"], options(tmp_path, out=tmp_path / "elsewhere"), course=course)
    assert film.rendered == (), "what was drawn was kept"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_disk_that_fills_while_a_scene_is_drawn(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SCRIPT, CODE)
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "scene.mp4").symlink_to("/dev/full")
    with pytest.raises(SceneFailed) as failed:
        draw(course.entry(course.lecture(9), "First"), options(tmp_path).picture, tmp_path / "part")
    assert "the disk is full; free some space" in cause(failed.value.__cause__ or failed.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_outlines_that_the_disk_had_no_room_for(tmp_path: Path) -> None:
    error = ParseError("no element found")
    assert cause(error, tmp_path) == "ParseError: no element found"
    (tmp_path / "room").symlink_to("/dev/full")
    assert cause(error, tmp_path).startswith("the disk is full; free some space")
    assert list(tmp_path.iterdir()) == []


def test_a_scene_that_failed_makes_room(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = CODE.replace("self.play(Rotate(square, 1), run_time=0.4)", "1 / 0")
    left: list[Path] = []
    original = pool._end

    def end(one: Any) -> Any:
        left.extend((one.task.work / "part").glob("*"))
        return original(one)

    monkeypatch.setattr(pool, "_end", end)
    course = make_course(SCRIPT, code)
    with pytest.raises(RenderError, match="9/First step 2: ZeroDivisionError"):
        render(["First"], options(tmp_path), course=course)
    assert left == []


def test_a_video_that_was_cut_short_is_noticed(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SCRIPT, CODE)
    draw(course.entry(course.lecture(9), "Second"), options(tmp_path).picture, tmp_path)
    video = tmp_path / "scene.mp4"
    frames = 2 * 15
    encoder.must_be_whole(video, frames)
    with pytest.raises(OSError, match="30 of 31 frames were written"):
        encoder.must_be_whole(video, frames + 1)
    os.truncate(video, video.stat().st_size // 2)
    with pytest.raises(OSError, match="0 of 30 frames were written"):
        encoder.must_be_whole(video, frames)


def test_a_worker_that_cannot_start_is_a_failure_of_its_scene(tmp_path: Path) -> None:
    class Nobody:
        def __getattr__(self, _name: str) -> Callable[..., None]:
            return lambda *_: None

    (tmp_path / "a").write_text("a file where a folder must be")
    tasks = [
        pool.Task("9/A", {"kind": "compute", "runs": []}, tmp_path / "a"),
        pool.Task("9/B", {"kind": "compute", "runs": []}, tmp_path / "b"),
    ]
    done: list[str] = []
    (failure,) = pool.run(tasks, 1, Nobody(), lambda task: done.append(task.name))  # type: ignore[arg-type]
    assert failure.name == "9/A"
    assert done == ["9/B"]


def test_no_place_for_the_cache_is_said(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SCRIPT, CODE)
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(films.ExplainError, match="the cache at .* cannot be written"):
        render(["9"], options(tmp_path), course=course)
