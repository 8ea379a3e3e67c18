"""``explain check`` and ``explain origin`` as a user calls them."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from scenes.audit.checking import Wishes, check, chosen
from scenes.audit.lookup import find
from scenes.cli import main
from scenes.commands.check import shortened
from scenes.registry import Course
from scenes.voices import Line, Utterance

SECTIONS = """
## Layers
There are {{ v3.layers }} layers in this model, and one of them is moving across the stage while these words are said.

They go on moving for a while [[now]] so that nobody falls asleep before the second paragraph of this scene is over.
"""
CODE = """
from scenes.kit import NumberLabel, role

class Layers(LectureScene):
    lecture = 9
    span = (1, 70)

    def construct(self):
        self.show_title()
        layers = self.number("v3.layers")
        self.origin(layers)
        number = NumberLabel(layers, after=" layers", size="heading")
        dot = Circle(0.3, color=role("accent")).shift(2 * DOWN)
        with self.step():
            self.play(FadeIn(number), FadeIn(dot), run_time=1.6)
        with self.step() as s:
            for mark in ("now",):
                s.until(mark)
            self.play(dot.animate.shift(RIGHT), run_time=1)
"""
MakeCourse = Callable[[str, str], Course]


@pytest.fixture(autouse=True)
def short_is_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lengths are tested elsewhere; here a lecture of 15 s saves time."""
    monkeypatch.setattr("scenes.audit.timing.LECTURE_SECONDS", (1, 420))


@pytest.fixture
def course(make_course: MakeCourse, monkeypatch: pytest.MonkeyPatch) -> Course:
    course = make_course(SECTIONS, CODE)
    monkeypatch.setenv("EXPLAIN_COURSE", f"{course.scripts}{os.pathsep}{course.scenes}")
    return course


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(list(arguments))
    return int(done.value.code or 0)


def test_check_update_check_and_change(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("check", "--json") == 1  # nobody has reviewed its picture yet
    data = json.loads(capsys.readouterr().out)
    assert [finding["code"] for finding in data["findings"]] == ["golden-missing"]
    assert (data["scenes"], data["steps"], data["numbers"]) == (1, 2, 3)

    assert call("check", "--update", "Layers") == 0
    assert "9/Layers: new, 2 steps" in capsys.readouterr().out
    golden = Path(course.scripts.parent / "goldens" / "9" / "Layers.json").read_text("utf-8")
    assert '"text": "61 layers"' in golden

    path = course.scenes / "demo.py"
    path.write_text(path.read_text("utf-8").replace("2 * DOWN", "2 * UP"), "utf-8")
    report = check(Wishes(("9",)), course)
    assert {finding.code for finding in report.findings} == {"picture-changed"}
    assert "Circle" in report.findings[0].message


def test_origin_tells_where_a_number_stands_and_comes_from(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("origin", "61") == 0
    out = capsys.readouterr().out
    assert "9/Layers step 1, said" in out
    assert "9/Layers step 2, on screen middle centre" in out
    assert "DeepSeek-V3, arXiv" in out
    assert [place.step for place in find("61", course=course)] == [1, 1, 2]
    assert call("origin", "62") == 1
    assert "no number with '62'" in capsys.readouterr().err


def test_targets(course: Course) -> None:
    assert chosen((), course) == chosen(("all",), course) == ([9], ["9/Layers"])
    assert chosen(("9/Layers", "9", "Layers"), course)[1] == ["9/Layers"]
    assert call("check", "Layer") == 1


def test_scripts_and_classes_that_do_not_match(make_course: MakeCourse) -> None:
    course = make_course(
        SECTIONS + "\n## Missing\nNobody drew this.\n", CODE + "\nclass Extra(LectureScene):\n    lecture = 9\n"
    )
    report = check(Wishes(goldens=False), course)
    found = sorted((finding.code, finding.measure) for finding in report.findings)
    assert [code for code, _ in found] == ["script-mismatch", "script-mismatch"]
    assert "Extra" in found[0][1]
    assert "Missing" in found[1][1]


class Hasty:
    """A voice that says a word in five thousandths of a second."""

    name, identity = "hasty", "hasty"

    def __init__(self, model: Path | None) -> None: ...

    def say(self, line: Line) -> Utterance:
        seconds = len(line.text.split()) / 200
        return Utterance(np.sin(np.arange(round(seconds * 16_000))).astype(np.float32) / 2, 16_000)


def test_with_a_voice_words_and_motions_are_judged_and_lengths_are_not(
    course: Course, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenes.audit.timing.LECTURE_SECONDS", (200, 420))
    monkeypatch.setattr("scenes.voices.voice.BUILT_IN", {"hasty": f"{__name__}:Hasty"})
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or SimpleNamespace(Hasty=Hasty))
    assert call("check", "9", "--jobs", "1") == 1
    assert "lecture-length" in capsys.readouterr().out
    assert call("check", "9", "--jobs", "1", "--voice", "hasty") == 1
    said = capsys.readouterr().out
    assert "lecture-length" not in said and "scene-length" not in said
    assert re.search(r"step [12] +overrun", said), "a motion that its words outran"
    assert "pace" in said
    assert call("check", "9", "--voice", "hasty", "--update") == 1
    assert "goes with neither --update nor --determinism" in capsys.readouterr().err
    assert call("check", "9", "--voice", "nobody") == 1
    assert "unknown voice 'nobody'; there are none, hasty" in capsys.readouterr().err


def test_a_picture_that_changed_altogether_is_told_in_few_lines() -> None:
    lines = [f"2/Demo step {step}: gone: thing {index}" for step in (1, 2) for index in range(9 * step)]
    told = list(shortened([*lines, "2/Other: new, 2 steps"]))
    assert told[:4] == lines[:4]
    assert told[4] == "2/Demo step 1: … and 5 more"
    assert told[9] == "2/Demo step 2: … and 14 more"
    assert told[10:] == ["2/Other: new, 2 steps"]
