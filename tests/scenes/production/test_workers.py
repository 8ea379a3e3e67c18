"""Each scene has a process: nothing of one reaches another, and one that dies stops no other."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenes.production import Options, nursery, plan, render
from scenes.production.films import RenderError
from scenes.registry import Course

MakeCourse = Callable[[str, str], Course]
SCRIPT = """
## First
One two.

Three.

## Second
Four five.

## Third
Six.
"""
CODE = """
class First(LectureScene):
    lecture = 9
    def construct(self):
        square = Square(fill_opacity=1)
        self.add(square)
        with self.step():
            self.play(square.animate.shift(UP), run_time=0.4)
        with self.step():
            pass  # here

class Second(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            self.play(FadeIn(Square().shift(RIGHT * np.random.normal())), run_time=0.4)

class Third(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            self.play(Write(Text("six")), run_time=0.4)
"""


@pytest.fixture(autouse=True)
def steady_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys leave this project's own code out: somebody may edit it while tests run."""
    monkeypatch.setattr(plan, "reach", lambda file: {file.resolve()} if "lectures" in file.parts else set())


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the processes that were forked."""
    found: list[int] = []
    original = nursery.Nursery.start

    def start(self: nursery.Nursery, *files: int) -> nursery.Fork:
        fork = original(self, *files)
        found.append(fork.pid)
        return fork

    monkeypatch.setattr(nursery.Nursery, "start", start)
    return found


def options(tmp_path: Path, out: str = "out", **chosen: Any) -> Options:
    return Options(**{"quality": "480p", "fps": 10, "out": tmp_path / out, "jobs": 1, **chosen})


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def with_here(line: str) -> str:
    """The code, with something happening in the first scene's second step."""
    return CODE.replace("pass  # here", line)


# ---------------------------------------------------------------------- one from another
LEAVES_TRACES = (
    "import scenes.kit.theme as theme; theme.FONT = 'nowhere'; Square.set_default(color=RED, stroke_width=40); "
    "np.random.seed(5); config.background_color = RED; import os; os.environ['EXPLAIN_THEME'] = 'light'"
)


def test_a_fork_draws_what_a_fresh_process_draws_and_nothing_of_another_scene(
    make_course: MakeCourse, tmp_path: Path, forks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(SCRIPT, with_here(LEAVES_TRACES))
    (film,) = render(["9"], options(tmp_path), course=course)  # one after another, the first scene first
    assert len(set(forks)) == 3
    monkeypatch.setattr(nursery, "WORKS", False)
    (fresh,) = render(["9"], options(tmp_path, "fresh", fresh=True), course=course)
    assert len(forks) == 3 and len(fresh.rendered) == 3
    assert contents(film.folder) == contents(fresh.folder)


def test_one_scene_alone_needs_no_fork(make_course: MakeCourse, tmp_path: Path, forks: list[int]) -> None:
    render(["Third"], options(tmp_path), course=make_course(SCRIPT, CODE))
    assert forks == []


def test_a_nursery_has_imported_what_draws_and_no_torch(
    make_course: MakeCourse, tmp_path: Path, forks: list[int]
) -> None:
    looks = 'import sys; raise RuntimeError(f\'{"manim" in sys.modules} {"torch" in sys.modules}\')'
    with pytest.raises(RenderError, match=r"9/First step 2: RuntimeError: True False"):
        render(["9"], options(tmp_path), course=make_course(SCRIPT, with_here(looks)))
    assert len(forks) == 3


def test_without_a_nursery_workers_start_by_themselves(
    make_course: MakeCourse, tmp_path: Path, forks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")  # NumPy's threads: such a process must not be forked
    (film,) = render(["9"], options(tmp_path), course=make_course(SCRIPT, CODE))
    assert len(film.rendered) == 3
    assert forks == []


# ---------------------------------------------------------------------- one that dies
DIES = {
    "killed as the kernel kills where memory ends": (
        f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})",
        r"9/First step 2: the process ended with signal 9 \(out of memory\? try --jobs 1\)",
    ),
    "refused more memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)); np.ones(2**30)",
        r"9/First step 2: out of memory; try --jobs 1 \(demo.py:\d+\)",
    ),
    "broken": (
        "import ctypes; ctypes.string_at(0)",
        f"9/First step 2: the process ended with signal {int(signal.SIGSEGV)}",
    ),
    "gone without a word": ("import os; os._exit(0)", "9/First step 2: the process ended with status 0"),
}


@pytest.mark.parametrize("forked", [True, False], ids=["forked", "fresh"])
@pytest.mark.parametrize("way", DIES)
def test_a_worker_that_dies_is_named_and_the_next_render_does_only_what_is_missing(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, forked: bool
) -> None:
    monkeypatch.setattr(nursery, "WORKS", nursery.WORKS and forked)
    line, says = DIES[way]
    with pytest.raises(RenderError, match=rf"^{says}.*2 other scenes drawn and kept"):
        render(["9"], options(tmp_path, jobs=2), course=make_course(SCRIPT, with_here(line)))
    assert not (tmp_path / "out").exists()
    (film,) = render(["9"], options(tmp_path), course=make_course(SCRIPT, CODE))
    assert (film.rendered, film.reused) == (("9/First",), ("9/Second", "9/Third"))


def test_the_others_go_on_when_the_nursery_dies(make_course: MakeCourse, tmp_path: Path, forks: list[int]) -> None:
    kills = "import os; os.kill(os.getppid(), 9)"
    (film,) = render(["9"], options(tmp_path), course=make_course(SCRIPT, with_here(kills)))
    assert len(forks) == 1 and len(film.rendered) == 3, "the scene that was in work is whole, and the others are drawn"
    course = make_course(SCRIPT, with_here(f"{kills}; os.kill(os.getpid(), 9)"))
    with pytest.raises(RenderError, match=r"^9/First step 2: the process ended with the one that had started it"):
        render(["9"], options(tmp_path, fresh=True), course=course)
    (film,) = render(["9"], options(tmp_path), course=make_course(SCRIPT, CODE))
    assert film.rendered == ("9/First",)
