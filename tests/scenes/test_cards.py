"""Cards: what stands on them is the script's and what the scenes cite; nothing is typed."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest
from manim import tempconfig

from explainers import facts
from explainers.errors import ExplainError
from explainers.references import resolve
from explainers.traces import NamedArray
from scenes import citations
from scenes.audit.checking import Wishes, check
from scenes.cards import EndCard
from scenes.citations import Citations
from scenes.kit.signs import Progress, SourceRows, fitted_name
from scenes.registry import Course

MakeCourse = Callable[[str, str], Course]
SECTIONS = """
## Layers
There are {{ v3.layers }} layers in this model, and they cost {{ fact.training.v3_cost.cost | usd 2 }} to train once.

## Chapter {#Chapter}
Ten words for a card, which is a short scene.

## End {#End}
That was all of it. [[next]] Nothing comes after this one.
"""
CODE = """
from scenes.cards import ChapterCard, EndCard
from scenes.kit import NumberLabel

class Layers(LectureScene):
    lecture = 9
    span = (1, 70)

    def construct(self):
        layers = self.number("v3.layers")
        self.show_title()
        self.origin(layers)
        with self.step():
            self.play(FadeIn(NumberLabel(layers, after=" layers", size="heading")), run_time=1)

class Chapter(ChapterCard):
    lecture = 9
    levers = ("mla",)

class End(EndCard):
    lecture = 9
"""


@pytest.fixture
def course(make_course: MakeCourse, monkeypatch: pytest.MonkeyPatch) -> Course:
    course = make_course(SECTIONS, CODE)
    path = course.scripts / "en" / "9_demo.md"
    text = path.read_text("utf-8").replace("question:", "answer: It does.\nquestion:")
    path.write_text(text.replace("title: A demonstration", "title: A demonstration — of what a card shows"), "utf-8")
    monkeypatch.setenv("EXPLAIN_COURSE", f"{course.scripts}{os.pathsep}{course.scenes}")
    monkeypatch.setattr("scenes.audit.timing.LECTURE_SECONDS", (1, 420))
    return course


def test_the_check_notes_what_a_lecture_cites_and_the_end_card_shows_it(course: Course) -> None:
    first = check(Wishes(("9",), jobs=1, update=True), course)
    assert [finding.code for finding in first.findings] == ["scene-fails"]  # nobody had noted its sources
    assert "explain check 9 --update" in first.findings[0].measure
    noted = citations.load(9, course)
    assert noted == Citations(("models.v3.layers", "training.v3_cost.cost"), ())  # the cards' own numbers are not in it

    again = check(Wishes(("9",), jobs=1, update=True), course)
    assert not again.findings

    citations.save(9, Citations(("models.v3.layers",), ("low_rank",)), course)
    (found,) = check(Wishes(("9",), jobs=1, goldens=False), course).findings
    assert found.code == "citations-changed" and "low_rank" in found.measure


def test_a_lecture_without_an_answer_has_no_end_card(course: Course) -> None:
    path = course.scripts / "en" / "9_demo.md"
    path.write_text(path.read_text("utf-8").replace("answer: It does.\n", ""), "utf-8")
    citations.save(9, Citations(), course)
    (found,) = check(Wishes(("9/End",), jobs=1, goldens=False), course).findings
    assert found.code == "scene-fails" and "answer" in found.measure


def test_citations_go_down_to_the_roots() -> None:
    share = resolve("v3.active_params")
    found = Citations.of([share, resolve("run.low_rank.rank")])
    assert found.runs == ("low_rank",)
    assert "models.v3.hidden" in found.facts and all(facts.quantity(address) for address in found.facts)


def test_damaged_citations_say_what_to_do(course: Course) -> None:
    path = citations.save(9, Citations(), course)
    path.write_text("{", "utf-8")
    with pytest.raises(ExplainError, match="explain check 9 --update"):
        citations.load(9, course)


def test_every_lecture_with_an_end_card_has_its_citations() -> None:
    course = Course.default()
    ends = [lecture for lecture in course.lectures if lecture.about.get("answer")]
    assert ends
    for lecture in ends:
        noted = citations.load(lecture.number)
        assert noted is not None and noted.facts
        for address in noted.facts:
            file, entry, _ = (*address.split(".", 2), "")[:3]
            assert facts.entry(f"{file}.{entry}")


def test_the_next_lecture_is_the_one_that_exists(course: Course) -> None:
    (course.scripts / "en" / "10_more.md").write_text(
        (course.scripts / "en" / "9_demo.md").read_text("utf-8").replace("number: 9", "number: 10"), "utf-8"
    )

    class End(EndCard):
        lecture = 9

    with tempconfig({"dry_run": True}):
        scene = End()
    assert scene.front(11) is None
    following = scene.front(10)
    assert following is not None and following.number == 10
    assert {read.kind for read in scene.reads} == {"front"} and all(read.holds() for read in scene.reads)


def test_dots_are_figures() -> None:
    labels = {"source": ("a paper", "a page"), "kind": ("read", "told")}
    counts = NamedArray(np.array([[3, 1], [0, 25]]), ("source", "kind"), "figures", "", labels)
    rows = SourceRows(counts, most=18)
    full = [sum(dot.get_fill_opacity() > 0 for dot in dots if hasattr(dot, "radius")) for _, dots in rows.lines]
    assert full == [3, 0]
    assert [len(dots) for _, dots in rows.lines] == [4, 19]  # eighteen dots and a plus sign
    assert fitted_name("short") == "short"
    assert fitted_name("a name of a source that is far too long for its line, and goes on").endswith("…")


def test_progress_has_a_bar_for_each_lecture() -> None:
    assert len(Progress(3, 8)) == 8
    with pytest.raises(ExplainError, match="no lecture 9 of 8"):
        Progress(9, 8)
