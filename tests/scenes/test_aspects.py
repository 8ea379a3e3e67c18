"""Other shapes of frame: who says that it fits, who is refused by name, and what is measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from explainers.errors import ExplainError
from scenes import frame
from scenes.production.films import must_fit
from scenes.production.plan import Job
from scenes.production.settings import Options
from scenes.registry import Course, select

MakeCourse = Callable[[str, str], Course]
SECTIONS = """
## Adapts
Two boxes stand beside each other where there is room beside, and below each other where there is none.

## Stays
One long box is as wide as a wide frame, whatever the frame is, and somebody should say so.
"""
CODE = """
from scenes.kit import STAGE_CENTER, column, role, row

class Adapts(LectureScene):
    lecture = 9
    span = (1, 70)
    aspects = ("16:9", "9:16")

    def construct(self):
        boxes = [Rectangle(width=4, height=2, color=role("key")) for _ in range(2)]
        group = column(*boxes) if self.upright else row(*boxes)
        with self.step():
            self.play(FadeIn(group.move_to(STAGE_CENTER)), run_time=1)

class Stays(LectureScene):
    lecture = 9
    span = (1, 70)

    def construct(self):
        with self.step():
            self.play(FadeIn(Rectangle(width=11, height=2, color=role("key"))), run_time=1)
"""


def explain(course: Course, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own: a shape is chosen before the kit is imported."""
    environment = os.environ | {"EXPLAIN_COURSE": f"{course.scripts}{os.pathsep}{course.scenes}"}
    command = [sys.executable, "-m", "scenes.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_unit_has_the_same_pixels_in_every_shape() -> None:
    for name, (width, height) in frame.SHAPES.items():
        across, down = frame.pixels((1920, 1080), name)
        assert across / width == pytest.approx(135) and down / height == pytest.approx(135)
        assert frame.of_pixels(across, down) == name
    with pytest.raises(ExplainError, match="unknown aspect '9:15'; did you mean 9:16"):
        frame.checked("9:15")


def test_scenes_say_what_they_are_laid_out_for(make_course: MakeCourse) -> None:
    course = make_course(SECTIONS, CODE)
    adapts, stays = course.entries(course.lecture(9))
    assert adapts.code.aspects == ("16:9", "9:16") and stays.code.aspects == ("16:9",)
    must_fit([adapts, stays], Options())
    must_fit([adapts], Options(aspect="9:16"))
    with pytest.raises(ExplainError, match="1 of 2 scenes are not laid out for 9:16: 9/Stays; .*--unfit band"):
        must_fit([adapts, stays], Options(aspect="9:16"))
    band = Options(aspect="9:16", unfit="band", quality="480p")
    assert [band.picture_of(each.code).band for each in (adapts, stays)] == [False, True]
    keys = {Job(stays, options.picture_of(stays.code)).key for options in (Options(quality="480p"), band)}
    assert len(keys) == 2


def test_every_card_is_laid_out_for_every_shape_and_a_dozen_scenes_for_upright_ones() -> None:
    entries = [entry for film in select([], Course.default()) for entry in film.entries]
    cards = [entry for entry in entries if entry.code.inherits & {"ChapterCard", "EndCard"}]
    assert len(cards) == 16 and all(set(entry.code.aspects) == set(frame.SHAPES) for entry in cards)
    assert len([entry for entry in entries if frame.TALL in entry.code.aspects]) > 16


def test_the_check_measures_what_does_not_fit(make_course: MakeCourse) -> None:
    done = explain(make_course(SECTIONS, CODE), "check", "--aspect", "9:16", "--no-goldens", "--jobs", "1", "--json")
    found = [(each["scene"], each["code"], each["measure"]) for each in json.loads(done.stdout)["findings"]]
    assert ("9/Stays", "not-laid-out", "1 × outside-safe-area") in found, done.stderr
    assert not [
        code for scene, code, _ in found if scene == "9/Adapts" and code in ("not-laid-out", "outside-safe-area")
    ]


def test_stills_are_upright_and_a_band_is_in_the_middle(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SECTIONS, CODE)
    refused = explain(course, "still", "Stays", "--aspect", "9:16", "--out", str(tmp_path))
    assert refused.returncode == 1 and "9/Stays" in refused.stderr
    done = explain(course, "still", "Adapts", "--aspect", "9:16", "--quality", "480p", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "Adapts_step1_end.png").size == (480, 854)
    options = ("--aspect", "9:16", "--quality", "480p", "--fps", "5", "--unfit", "band", "--out", str(tmp_path / "out"))
    film = explain(course, "render", "Stays", *options)
    assert film.returncode == 0, film.stderr
    poster = Image.open(tmp_path / "out" / "9_Stays" / "poster.png").convert("L")
    ground = poster.getpixel((2, 2))
    rows = [y for y in range(poster.height) if any(poster.getpixel((x, y)) != ground for x in range(0, 480, 4))]
    assert poster.size == (480, 854) and 427 - 80 < min(rows) and max(rows) < 427 + 80  # nothing above, nothing below
