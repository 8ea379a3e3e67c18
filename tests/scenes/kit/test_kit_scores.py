"""Questions, votes, fields, intervals, slopes and the scoreboard: places, counts and colours are those of the data."""

from __future__ import annotations

import numpy as np
import pytest
from manim import Circle

from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray
from scenes.kit import (
    Axis,
    CheckTable,
    CountedField,
    DotStack,
    ExamField,
    IntervalRows,
    Measured,
    Panel,
    QuestionCard,
    Scoreboard,
    Slope,
    Slopes,
    SolvedField,
    Spans,
    VoteColumns,
    role,
)


def q(value: float, unit: str = "%") -> Quantity:
    return computed(value, unit, "made up for a test", name=f"made up {value}")


def array(values, axes, labels=None, kind=float) -> NamedArray:
    return NamedArray(np.asarray(values, dtype=kind), axes, "made up", "", labels or {}, "test", "")


def finished(animation) -> None:
    animation.begin()
    animation.interpolate(0.5)
    animation.interpolate(1.0)
    animation.finish()


def squares(part) -> int:
    """How many squares a layer of a field holds."""
    return len(part.points) // 16


# ---------------------------------------------------------------------- made up
def votes() -> VoteColumns:
    return VoteColumns(array([3, 7, 7, -1, 7, 5], ("sample",), kind=int), q(7, ""), columns=3)


def counted() -> CountedField:
    return CountedField(array([0, 1, 2, 1, 0, 0, 3], ("choice",), kind=int), columns=3)


def solved() -> SolvedField:
    return SolvedField(array([1, 4, 3, 9], ("problem",), kind=int), columns=2, tries=3)


def exams() -> ExamField:
    asked = array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 1]], ("exam", "problem"), kind=bool)
    right = array([[1, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]], ("exam", "problem"), kind=bool)
    return ExamField(asked, right, columns=2)


def spans(start=(1, 2, 7), end=(6, 4, 20)) -> Spans:
    return Spans(array(start, ("span",)), array(end, ("span",)), low=0, high=60, width=60)


def table() -> CheckTable:
    passed = array([[True, True], [True, False]], ("candidate", "case"), {"candidate": ("good", "hasty")}, bool)
    returned = array([[2, 5], [2, 0]], ("candidate", "case"), kind=int)
    return CheckTable(passed, returned, [spans(), spans()])


def card(answer: int = 336, key: int = 330) -> QuestionCard:
    return QuestionCard("mathematics", "How many?", q(answer, ""), q(key, ""))


def stack() -> DotStack:
    return DotStack(array([40, 50, 40, 90], ("exam",)), Axis(0, 200, "solved", "%"))


def rows(vendor: bool = True) -> IntervalRows:
    measured = [
        Measured("a", q(60.0), q(20.0), q(90.0), vendor=vendor),
        Measured("b", q(74.0), q(60.0), q(78.0), "token"),
    ]
    return IntervalRows(measured, Axis(0, 400, "solved", "%"), width=40)


def slopes() -> Slopes:
    return Slopes(
        [Slope("A", q(34), q(33), "query"), Slope("B", q(33.5), q(39), "value")], ("one", "two"), Axis(0, 200)
    )


def board() -> Scoreboard:
    labs = {"X": "query", "Y": "latent"}
    panels = [
        Panel("code", "old", {"X": q(20), "Y": q(40)}),
        Panel("code", "new", {"Y": q(60)}, {"Y": q(50)}, "another year"),
        Panel("sums", "old", {"X": q(30), "Y": q(10)}),
        Panel("sums", "new", {"X": q(70), "Y": q(65)}),
    ]
    return Scoreboard(panels, labs, width=10.0, high=1000.0, numbered="Y")


# ---------------------------------------------------------------------- votes and fields
def test_answers_are_judged_and_stacked_by_what_they_say():
    made = votes()
    assert made.order() == [7, 3, 5, -1]
    finished(made.judge())
    colours = [chip[0].get_stroke_color().to_hex() for chip in made.chips]
    assert [colour == role("reward").to_hex() for colour in colours] == [False, True, True, False, True, False]
    finished(made.vote(at=[0.0, 0.0, 0.0]))
    sevens = [made.chips[index] for index in (1, 2, 4)]
    assert {round(chip.get_x(), 6) for chip in sevens} == {0.0}
    assert len({round(chip.get_y(), 6) for chip in sevens}) == 3
    assert made.chips[3].get_x() > made.chips[0].get_x() > 0


def test_possibilities_are_lit_by_their_count_in_order():
    field = counted()
    assert [squares(part) for part in (field.dark, *field.layers)] == [3, 2, 1, 1]
    assert [squares(part) for part in (field.dark, *field.show(3 / 7).layers)] == [5, 1, 1, 0]
    finished(field.try_all())
    assert squares(field.layers[0]) == 2


def test_a_problem_stays_lit_from_its_first_right_answer_on():
    field = solved()
    assert field.lit().tolist() == [True, False, True, False]
    finished(field.try_to(4))
    assert field.lit().tolist() == [True, True, True, False] and squares(field.layers[0]) == 3
    assert field.square_at(1)[0] > field.square_at(0)[0] and field.square_at(2)[1] < field.square_at(0)[1]
    field.scale(2).shift([1.0, 0, 0])
    before = field.square_at(3)
    field.show(9)
    assert squares(field.layers[0]) == 4
    assert np.allclose(field.layers[0].points[-16:].mean(axis=0), before)
    with pytest.raises(ExplainError, match="counted from 1"):
        SolvedField(array([0, 1], ("problem",), kind=int))


def test_an_exam_lights_what_was_asked_and_goes_on_without_flicker():
    field = exams()
    assert [squares(part) for part in (field.dark, *field.layers)] == [2, 1, 1]
    move = field.sit(2, run_time=3.0)
    shown = set()
    move.begin()
    for share in np.linspace(0, 1, 200):
        move.interpolate(share)
        shown.add(round(field.exam, 6))
    assert len(shown) <= 7
    assert [squares(part) for part in (field.dark, *field.layers)] == [2, 1, 1] and field.exam == 2
    with pytest.raises(ExplainError, match="as many flags"):
        ExamField(field.bound[0], array([[1]], ("exam", "problem"), kind=bool))


# ---------------------------------------------------------------------- checks
def test_spans_are_to_scale_and_the_longest_gap_is_found():
    made = spans()
    assert [bar.width for bar in made.bars] == pytest.approx([5, 2, 13])
    assert made.rest is not None and made.rest.width == pytest.approx(1.0)
    assert made.rest.get_left()[0] == pytest.approx(made.bars[0].get_right()[0])
    assert spans((6, 10), (10, 12)).rest is None
    with pytest.raises(ExplainError, match="start before its end"):
        spans((6,), (6,))


def test_one_failed_case_fails_the_answer():
    made = table()
    assert made.cells[1][1][0].shown_text == "0"
    strokes = [part[0].get_stroke_color().to_hex() for part in made.sums]
    assert strokes == [role("reward").to_hex(), role("cost").to_hex()]
    assert len(made.run(0).animations) == 3
    with pytest.raises(ExplainError, match="no answer"):
        made.run(2)
    with pytest.raises(ExplainError, match="heads"):
        CheckTable(*made.bound, [spans()])


def test_an_answer_is_right_where_it_equals_the_key():
    assert not card().right and card(330).right
    assert card().mark[0].get_stroke_color() != card(330).mark[0].get_stroke_color()
    letters = QuestionCard("logic", "Who?", q(1, ""), q(2, ""), letters="ABC")
    assert (letters.attempt[0].shown_text, letters.key[1].shown_text) == ("B", "C") and not letters.right
    with pytest.raises(ExplainError, match="no place among"):
        QuestionCard("logic", "Who?", q(3, ""), q(2, ""), letters="ABC")


# ---------------------------------------------------------------------- luck
def test_equal_scores_stand_on_each_other():
    made = stack()
    first, second, third, last = made.dots
    assert first.get_x() == pytest.approx(third.get_x()) and third.get_y() > first.get_y()
    assert first.get_x() == pytest.approx(made.axes.point(40, 0)[0]) and last.get_x() > second.get_x()
    with pytest.raises(ExplainError, match="leave the axis"):
        DotStack(array([120], ("exam",)), Axis(0, 100))
    with pytest.raises(ExplainError, match="no dot"):
        made.rain(4)


def test_bands_reach_from_low_to_high_and_rings_are_the_makers():
    made = rows()
    assert made.bands["a"].width == pytest.approx(7.0) and made.bands["b"].width == pytest.approx(1.8)
    assert made.dots["a"].get_x() == pytest.approx(made.axes.point(60, 0)[0])
    assert made.dots["a"].get_fill_color() == role("ground") != rows(vendor=False).dots["a"].get_fill_color()
    with pytest.raises(ExplainError, match="not in order"):
        IntervalRows([Measured("a", q(60), q(62), q(90))], Axis(0, 100))


def test_a_change_of_order_is_a_crossing():
    made = slopes()
    start = made.dots["A"][0].get_y() - made.dots["B"][0].get_y()
    end = made.dots["A"][1].get_y() - made.dots["B"][1].get_y()
    assert start > 0 > end
    assert start == pytest.approx(0.5 / 200 * made.posts[0].height)
    assert made.of("A")[0] is made.lines["A"]
    with pytest.raises(ExplainError, match="leaves the axis"):
        Slopes([Slope("A", q(34), q(33))], ("one", "two"), Axis(33.5, 40))


# ---------------------------------------------------------------------- the scoreboard
def test_a_score_stands_on_one_scale_in_its_labs_line():
    made = board()
    zero = made.stems["code", "old", "X"].get_start()[0]
    assert made.dots["code", "old", "X"].get_x() - zero == pytest.approx(0.2)
    assert made.dots["code", "old", "Y"].get_x() - zero == pytest.approx(0.4)
    lines = {lab: made.dots["sums", "new", lab].get_y() for lab in ("X", "Y")}
    assert lines["X"] > lines["Y"]
    assert made.dots["sums", "old", "Y"].get_y() == pytest.approx(lines["Y"])
    assert ("code", "new", "X") not in made.dots
    assert set(made.numbers) == {key for key in made.dots if key[2] == "Y"}


def test_makers_figures_are_hollow_and_others_full():
    made = board()
    hollow, full = made.dots["code", "new", "Y"], made.others["code", "new", "Y"]
    assert hollow.get_fill_color() == role("ground") and full.get_fill_color() == role("latent")
    assert full.get_x() < hollow.get_x()
    assert made.leader("code", "old") == "Y" and made.leader("sums", "old") == "X"
    assert isinstance(made.crowns["sums", "new"], Circle)
    assert np.allclose(made.crowns["sums", "new"].get_center(), made.dots["sums", "new", "X"].get_center())
    with pytest.raises(ExplainError, match="nobody else measured"):
        made.measured_by_others("old")


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Scoreboard([Panel("a", "b", {"Z": q(1)})], {"X": "query"}), "lab of a, b"),
        (lambda: Scoreboard([Panel("a", "b", {"X": q(120)})], {"X": "query"}), "120 leaves"),
        (lambda: Scoreboard([Panel("a", "b", {"X": q(1), "Y": q(1, "")})], {"X": "query", "Y": "key"}), "one unit"),
        (lambda: board().enter("older"), "column of the scoreboard"),
    ],
)
def test_a_scoreboard_refuses_what_does_not_fit(build, says):
    with pytest.raises(ExplainError, match=says):
        build()


MADE = (votes, counted, solved, exams, spans, table, card, stack, rows, slopes, board)


@pytest.mark.parametrize("build", MADE, ids=[build.__name__ for build in MADE])
def test_other_data_make_another_picture(build, shoot):
    drawn = build()
    other = drawn.perturbed()
    assert len(other.bound) == len(drawn.bound)
    changed = np.abs(shoot(drawn) - shoot(other)).max(axis=2) > 20
    assert changed.sum() >= 8, "the picture does not follow its data"
    assert np.array_equal(shoot(drawn), shoot(drawn.rebind(*drawn.bound)))
