"""Scripts and Scene classes match one to one, and targets name films."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from explainers.errors import ExplainError
from scenes.registry import Course, listing, select
from scenes.syntax import scene_classes

MakeCourse = Callable[[str, str], Course]
SCRIPT = """
## First scene
One two [[here]] three.

Four five six.

## Other {#Second}
Seven.
"""
CODE = """
class Second(LectureScene):
    lecture = 9
    def construct(self):
        for _ in range(1):
            with self.step():
                pass

class FirstScene(LectureScene):
    lecture: int = 9
    def construct(self):
        with self.step() as s:
            s.until("here")
        with self.step():
            pass

class Base(LectureScene):
    pass
"""


def test_classes_are_read_from_syntax_and_ordered_by_the_script(make_course: MakeCourse) -> None:
    course = make_course(SCRIPT, CODE)
    assert [(c.name, c.steps, c.marks) for c in scene_classes(course.scenes)] == [
        ("Second", None, ()),
        ("FirstScene", 2, ("here",)),
    ]
    assert [entry.key for entry in course.entries(course.lecture(9))] == ["9/FirstScene", "9/Second"]
    assert course.mismatches() == []


@pytest.mark.parametrize(
    ("script", "code", "says"),
    [
        (SCRIPT + "\n## Third\nWord.\n", CODE, "heading 'Third' has no class Third"),
        (SCRIPT, CODE + "\nclass Fourth(LectureScene):\n    lecture = 9\n", "class Fourth has no heading"),
        (SCRIPT.replace("Four five six.\n", ""), CODE, "FirstScene has 2 steps, 9_demo.md:7 has 1 paragraphs"),
        (SCRIPT.replace("[[here]]", "[[there]]"), CODE, "nobody waits for the mark [[there]]"),
        (SCRIPT.replace("[[here]]", ""), CODE, "waits for a mark [[here]] that is not in"),
    ],
)
def test_every_mismatch_is_found(make_course: MakeCourse, script: str, code: str, says: str) -> None:
    assert any(says in line for line in make_course(script, code).mismatches())


INHERITED = """
from bases import Card

class Opening(LectureScene):
    def construct(self):
        with self.step() as s:
            s.until("here")
        self.more()

    def more(self):
        with self.step():
            pass

class FirstScene(Opening):
    lecture = 9

class Second(Card):
    lecture = 9

    def closing(self):
        with self.step():
            pass
"""
BASES = """
from scenes.stage import LectureScene

class Card(LectureScene):
    def construct(self):
        self.closing()

    def closing(self):
        with self.step():
            pass
        with self.step():
            pass
"""


def test_steps_and_marks_are_inherited(make_course: MakeCourse) -> None:
    course = make_course(SCRIPT, INHERITED)
    (course.scenes / "bases.py").write_text(BASES, "utf-8")
    found = {each.name: (each.steps, each.marks) for each in scene_classes(course.scenes)}
    assert found == {"FirstScene": (2, ("here",)), "Second": (1, ())}  # its own `closing` stands for that of Card
    assert course.mismatches() == []
    assert "Second has 1 steps" in make_course(SCRIPT + "\nEight.\n", INHERITED).mismatches()[0]


def test_marks_out_of_a_variable_are_left_to_a_run(make_course: MakeCourse) -> None:
    loop = CODE.replace('s.until("here")', '[s.until(mark) for mark in ("here",)]')
    assert make_course(SCRIPT, loop).mismatches() == []
    assert make_course(SCRIPT, loop.replace('("here",)', '("hear",)')).mismatches() != []


def test_targets_name_films(make_course: MakeCourse) -> None:
    course = make_course(SCRIPT, CODE)
    assert [film.name for film in select(["9", "all", "Second", "9/Second"], course)] == ["9_demo", "9_Second"]
    assert [film.whole for film in select(["9", "Second"], course)] == [True, False]
    for target, says in (("7", "unknown lecture 7"), ("Secnd", "did you mean Second"), ("x/Second", "'x/Second'")):
        with pytest.raises(ExplainError, match=says.replace("lecture 7", "lecture '?7")):
            select([target], course)


def test_one_scene_can_be_made_while_another_is_not_written(make_course: MakeCourse) -> None:
    course = make_course(SCRIPT + "\n## Third\nWord.\n", CODE)
    assert select(["Second"], course)[0].entries[0].name == "Second"
    with pytest.raises(ExplainError, match=r"9_demo\.md:15: no class Third with `lecture = 9`"):
        select(["9"], course)


def test_the_listing_plans_from_words(make_course: MakeCourse) -> None:
    (lecture,) = listing(make_course(SCRIPT, CODE))
    assert {name: lecture[name] for name in ("lecture", "title", "seconds")} == {
        "lecture": 9,
        "title": "A demonstration",
        "seconds": 6.0,
    }
    # (3 words + 3 words) / 150 a minute = 2.4 s, two holds 1.6 s: 4 s; 1 word + hold: 1.2 s, made 2 s
    assert lecture["scenes"] == [
        {"scene": "FirstScene", "seconds": 4.0, "steps": 2},
        {"scene": "Second", "seconds": 2.0, "steps": 1},
    ]


def test_listing_computes_nothing_and_imports_neither_manim_nor_torch(
    make_course: MakeCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(SCRIPT + "\n## Third\nIt is {{ run.no_such_run.x }}, {{ v3.kv_bytes_per_token }}.\n", CODE)
    monkeypatch.setenv("EXPLAIN_COURSE", f"{course.scripts}{os.pathsep}{course.scenes}")
    code = (
        "import sys; from scenes.registry import Course, listing; listing(); Course.default().mismatches(); "
        "assert not {'manim', 'torch'} & set(sys.modules), sorted({'manim', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
