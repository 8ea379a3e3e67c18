"""``explain gif`` and ``explain diff``: what moves is in the picture, and what changed is found."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image

from explainers.errors import ExplainError
from scenes.registry import Course
from scenes.workshop.diff_page import difference, page
from scenes.workshop.differing import Comparison, compare, different
from scenes.workshop.gifs import gif

MakeCourse = Callable[[str, str], Course]
Call = Callable[..., "CompletedProcess[str]"]
SECTIONS = "## Demo {#Demo}\n\nA square.\n\nIt moves to the right.\n"
CODE = """
class Demo(LectureScene):
    lecture = 9

    def construct(self):
        square = Square(color=BLUE, fill_opacity=1).shift(3 * LEFT)
        with self.step():
            self.play(FadeIn(square))
        with self.step():
            self.play(square.animate.shift(6 * RIGHT))
"""


def frames_of(path: Path) -> tuple[list[np.ndarray], list[int]]:
    pictures, times = [], []
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            pictures.append(np.asarray(image.convert("RGB")).astype(int))
            times.append(image.info["duration"])
    return pictures, times


def blue(picture: np.ndarray) -> float:
    """Where the square is: its mean column, as a share of the width."""
    columns = np.argwhere(picture[..., 2] - picture[..., 0] > 60)[:, 1]
    return float(columns.mean() / picture.shape[1])


def test_a_gif_shows_the_motion_and_is_small(make_course: MakeCourse, tmp_path: Path) -> None:
    path = gif("Demo", tmp_path / "demo.gif", width=240, still=0.5, course=make_course(SECTIONS, CODE))
    pictures, times = frames_of(path)
    assert pictures[0].shape == (136, 240, 3)
    assert path.stat().st_size < 40_000
    assert max(times) <= 500
    places = [blue(picture) for picture in pictures if (picture[..., 2] - picture[..., 0] > 60).any()]
    assert places[0] < 0.4 and places[-1] > 0.6
    assert len(places) > 10


def test_a_gif_of_one_step_has_that_step_alone(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SECTIONS, CODE)
    pictures, times = frames_of(gif("Demo", tmp_path / "two.gif", step=2, width=240, still=60, course=course))
    assert blue(pictures[0]) < 0.4 and blue(pictures[-1]) > 0.6  # the square is there from the first frame on
    report = sum(times) / 1000
    assert 2 < report < 5
    with pytest.raises(ExplainError, match="no step 3; it has 2"):
        gif("Demo", step=3, course=course)
    with pytest.raises(ExplainError, match="name one scene"):
        gif("9", course=course)


# ---------------------------------------------------------------------- differences
def test_what_differs_is_counted_and_bright() -> None:
    before = np.full((40, 60, 3), 20, np.uint8)
    after = before.copy()
    after[10:20, 30:40] = 200
    assert different(before, after) == 100
    assert different(before, before + 5) == 0  # a shade that nobody sees
    shown = difference(before, after)
    assert (shown[10:20, 30:40, 0] > 200).all()
    assert (np.delete(shown.reshape(-1, 3), range(10 * 60, 20 * 60), axis=0) < 20).all()


@pytest.fixture(scope="module")
def repository(clone: Path) -> Path:
    """The copy as a repository, its first commit behind two changes: one scene's picture, another's words."""

    def git(*arguments: str) -> None:
        identity = {f"GIT_{who}_{what}": "test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        subprocess.run(["git", *arguments], cwd=clone, check=True, env={**os.environ, **identity}, capture_output=True)

    (clone / ".gitignore").write_text("__pycache__/\n.cache/\n", "utf-8")
    git("init", "-q", ".")
    git("add", "-A")
    git("commit", "-qm", "as it was")
    scene = clone / "scenes" / "lectures" / "l8_multipolar" / "switch.py"
    text = scene.read_text("utf-8")
    assert "self.show_title()" in text
    scene.write_text(text.replace("self.show_title()", 'self.show_title("Another title")'), "utf-8")
    return clone


def test_only_what_changed_is_looked_at(repository: Path, explain: Call) -> None:
    done = explain("diff", "HEAD", "8/TheSwitch", "7/OnlyTheAnswer", "--out", str(repository / "diff.html"))
    assert done.returncode == 0, done.stderr
    assert "8/TheSwitch step 1" in done.stdout
    assert "OnlyTheAnswer" not in done.stdout + done.stderr
    text = (repository / "diff.html").read_text("utf-8")
    assert text.count("data:image/png;base64,") % 3 == 0
    assert re.findall(r"<figcaption>(\w+)</figcaption>", text)[:3] == ["before", "after", "difference"]
    assert not re.findall(r'(?:src|href)="(?!data:)', text)  # it needs no other file
    listed = subprocess.run(["git", "worktree", "list"], cwd=repository, capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 1  # the older tree is gone


def test_an_unknown_revision_is_explained(repository: Path) -> None:
    with pytest.raises(ExplainError, match="is no revision"):
        compare("no-such-thing", root=repository)


def test_the_page_says_what_is_the_same_and_what_failed() -> None:
    text = page(Comparison("abc", ["1/A", "1/B"], failed={"1/B": "after: <error>"}))
    assert "0 steps of 2 scenes" in text
    assert "the same: 1/A" in text
    assert "&lt;error&gt;" in text
