"""Rails, ledger, packed chips, snapping weights, guesses and turns: places, lengths and counts are the data's."""

from __future__ import annotations

import numpy as np
import pytest
from manim import RIGHT, FadeOut, Scene

from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray
from scenes.kit import Entry, ExpertMail, GuessStrip, Ledger, PackedChips, RaceRails, Rail, SnapLine, TurnTimeline


def q(value: float, unit: str = "") -> Quantity:
    return computed(value, unit, "made up for a test", name=f"made up {value}")


def array(values, axes, labels=None) -> NamedArray:
    return NamedArray(np.asarray(values), axes, "made up", "", labels or {}, "test", "")


def finished(animation) -> None:
    animation.begin()
    animation.interpolate(0.5)
    animation.interpolate(1.0)
    animation.finish()


# ---------------------------------------------------------------------- rails and ledger
def rails(reached: float = 1.5) -> RaceRails:
    return RaceRails(
        [Rail("a", q(2.0), q(1.0), q(reached)), Rail("b", q(30.0), q(40.0), q(27.0))],
        ends=("small", "large"),
        length=6.0,
    )


def test_rails_share_their_ends_and_marks_stand_at_their_share_of_the_way():
    made = rails()
    starts = [made.rails[name][2].get_center()[0] for name in "ab"]
    ends = [made.rails[name][4].get_center()[0] for name in "ab"]
    assert starts[0] == pytest.approx(starts[1]) and ends[0] - starts[0] == pytest.approx(6.0)
    dots = {name: made.marks[name][1].get_center()[0] - starts[0] for name in "ab"}
    assert dots == pytest.approx({"a": 3.0, "b": -1.8})  # half of the way; three tenths backwards
    with pytest.raises(ExplainError, match="no length"):
        Rail("a", q(1.0), q(1.0), q(2.0))


def ledger() -> Ledger:
    return Ledger([Entry("half", q(0.5)), Entry("four", q(4.0), "cost", note="against one")], width=8.0)


def test_equal_factors_are_equally_long_and_lie_on_their_side():
    made = ledger()
    middle = made.axis.get_center()[0]
    assert made.bars["half"].width == pytest.approx(2.0) and made.bars["four"].width == pytest.approx(4.0)
    assert made.bars["half"].get_right()[0] == pytest.approx(middle)
    assert made.bars["four"].get_left()[0] == pytest.approx(middle)
    assert made.names["four"].get_right()[0] < middle < made.names["half"].get_left()[0]
    with pytest.raises(ExplainError, match="above zero"):
        Entry("none", q(0.0))
    with pytest.raises(ExplainError, match="unknown entry"):
        made.line("third")


# ---------------------------------------------------------------------- chips
def chips(each: float = 10.0, users: int = 8) -> PackedChips:
    return PackedChips(q(80.0, "B"), q(40.0, "B"), q(8.0, "B"), q(each, "B"), q(users, "user"), chips=2, height=4.0)


def cell_areas(made: PackedChips) -> np.ndarray:
    corners = made.cells.points.reshape(-1, 16, 3)
    return np.prod(np.ptp(corners[..., :2], axis=1), axis=1)


def test_a_chip_is_filled_to_scale_with_one_cell_a_user():
    made = chips()
    assert made.held[0].height == pytest.approx(2.0) and made.free[0].height == pytest.approx(0.4)
    assert len(cell_areas(made)) == 8
    share = cell_areas(made).sum() / (2 * made.wide * made.tall)
    assert share == pytest.approx(8 * 10 / 160, rel=0.2)  # less the gaps between the cells
    low = made.cells.get_bottom()[1]
    assert low >= made.held[0].get_top()[1] - 1e-6


def test_repacking_leaves_as_many_users_as_it_was_given():
    made = chips().shift(2 * RIGHT)
    finished(made.repack(q(30.0, "B"), q(2, "user")))
    assert len(cell_areas(made)) == 2 and made.bound[4].value == 2
    finished(made.repack(q(400.0, "B"), q(0, "user")))
    assert not len(made.cells.points)
    with pytest.raises(ExplainError, match="above zero"):
        chips(each=0.0)


# ---------------------------------------------------------------------- snapping
GRID = [-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0]


def snap() -> SnapLine:
    weights = array([[0.011, -0.019], [0.04, 0.0]], ("row", "column"))
    codes = array([[1.0, -2.0], [4.0, 0.0]], ("row", "column"))
    return SnapLine(weights, codes, array(GRID, ("code",)), array([0.01], ("block",)), width=8.0)


def dot_places(made: SnapLine) -> np.ndarray:
    return made.dots.points.reshape(4, 16, 3).mean(axis=1)[:, 0] - made.axes.point(0.0, 0.0)[0]


def test_dots_are_raw_then_scaled_then_on_marks():
    made = snap()
    assert dot_places(made) == pytest.approx([1.0, -2.0, 4.0, 0.0])
    made.show(1.0)
    assert dot_places(made) == pytest.approx([1.1, -1.9, 4.0, 0.0])
    assert not len(made.tails.points)
    finished(made.go("raw"))
    assert dot_places(made) == pytest.approx([0.011, -0.019, 0.04, 0.0])
    finished(made.go("snapped"))
    assert len(made.tails.get_subpaths()) == 2  # two of four had to move
    assert len(made.marks.get_subpaths()) == len(GRID)
    with pytest.raises(ExplainError, match="raw, scaled, snapped"):
        made.go("rounded")


# ---------------------------------------------------------------------- guesses
def strip(stood=(-1, 1, 0), owners=(0, 1, 1, 2)) -> GuessStrip:
    return GuessStrip(
        array(list(stood), ("pass",), {"pass": ("", "b", "x")}),
        array(list(owners), ("token",), {"token": ("a", "b", "c", "d")}),
    )


def test_tokens_stand_in_the_pass_that_wrote_them_and_fallen_guesses_above_their_place():
    made = strip()
    assert [[chip.token for chip in group[0]] for group in made.passes] == [["a"], ["b", "c"], ["d"]]
    assert made.fallen == [False, False, True]
    fallen = made.passes[2][2][0]
    assert fallen.token == "x" and fallen.get_bottom()[1] > made.passes[2][0].get_top()[1]
    assert len(made.passes[1]) == 2  # a guess that stood is the token itself
    for index in range(3):
        animation = made.play_pass(index)
        animation._setup_scene(Scene())
        finished(animation)
    with pytest.raises(ExplainError, match="labels"):
        GuessStrip(array([1], ("pass",)), array([0], ("token",)))


def test_a_guess_that_is_held_out_leaves_when_it_is_checked():
    made = strip()
    for index in (1, 2):
        finished(made.hold_out(index))
        held = made._held[index]
        first = made.passes[index][0][0]
        assert held.token == made.guesses[index].token and held.get_left()[0] == pytest.approx(first.get_left()[0])
        assert held.get_bottom()[1] > first.get_top()[1]
        come = made.play_pass(index).animations[0]
        assert any(isinstance(part, FadeOut) and part.mobject is held for part in come.animations)
        assert not made._held
    with pytest.raises(ExplainError, match="pass 0 checks no guess"):
        made.hold_out(0)


# ---------------------------------------------------------------------- turns
def turns() -> TurnTimeline:
    length = np.full((2, 2, 1, 2), 0.001)
    start = np.array([[[[0.0, 0.002]], [[0.001, 0.003]]], [[[0.0, 0.001]], [[0.001, 0.002]]]])
    axes = ("schedule", "batch", "layer", "stage")
    labels = {"batch": ("A", "B"), "stage": ("work", "send")}
    return TurnTimeline(
        array(start, axes, labels), array(length, axes, labels), machine=(0, 1), roles=("query", "router"), width=8.0
    )


def test_blocks_are_as_long_as_their_stage_and_move_to_the_other_schedule():
    made = turns()
    left = made.lanes[0][0].get_left()[0]
    unit = 8.0 / made.axis.high  # of a millisecond
    middles = [block.get_center()[0] - left for block in made.blocks]  # A work, A send, B work, B send
    assert middles == pytest.approx([0.5 * unit, 2.5 * unit, 1.5 * unit, 3.5 * unit], abs=1e-6)
    assert made.blocks[0].get_center()[1] > made.blocks[1].get_center()[1]
    finished(made.arrange_as(1))
    middles = [block.get_center()[0] - left for block in made.blocks]
    assert middles == pytest.approx([0.5 * unit, 1.5 * unit, 1.5 * unit, 2.5 * unit], abs=1e-6)
    assert made.end_of(1)[0] - left == pytest.approx(3 * unit)
    assert made.end_of(0, layer=0)[0] - left == pytest.approx(4 * unit)
    (waiting,) = made.waits(0)  # works for two of four milliseconds; in the other schedule for two of three
    assert waiting.get_left()[0] - left == pytest.approx(2 * unit + 0.03) and waiting.width == pytest.approx(
        2 * unit - 0.06
    )
    assert made.waits(1)[0].width == pytest.approx(unit - 0.06)
    assert len(made.of(layer=0, stage=1)) == 2
    with pytest.raises(ExplainError, match="schedules 0 to 1"):
        made.arrange_as(2)


# ---------------------------------------------------------------------- mail
def mail() -> ExpertMail:
    return ExpertMail(array([[0, 2], [2, 3], [2, 1]], ("token", "slot")), experts=4, groups=2)


def test_dots_pile_up_to_the_load_of_each_expert():
    made = mail()
    assert made.loads == [1, 1, 3, 1] and len(made.frames) == 2
    heights = [dots[0 if index else 1].get_center()[1] for index, dots in enumerate(made.letters)]
    assert np.diff(heights) == pytest.approx([0.19, 0.19])
    assert made.letters[2][0].get_center()[0] == pytest.approx(made.squares[2].get_center()[0])
    finished(made.send(1, made.squares[0]))
    with pytest.raises(ExplainError, match="there is no token 3"):
        made.send(3, made.squares[0])
    with pytest.raises(ExplainError, match="do not divide"):
        ExpertMail(array([[0]], ("token", "slot")), experts=5, groups=2)
    with pytest.raises(ExplainError, match="counted from nought"):
        ExpertMail(array([[7]], ("token", "slot")), experts=4)


@pytest.mark.parametrize("build", [rails, ledger, chips, snap, strip, turns, mail])
def test_other_data_is_another_picture(build, shoot):
    thing = build()
    other = thing.perturbed()
    assert (np.abs(shoot(thing) - shoot(other)).max(axis=2) > 20).sum() >= 8
    assert np.array_equal(shoot(thing), shoot(thing.rebind(*thing.bound)))
