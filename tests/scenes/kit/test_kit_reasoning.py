"""Attempts, shifts over seeds and branches: lengths, colours and places are those of the data."""

from __future__ import annotations

import numpy as np
import pytest

from explainers.errors import ExplainError
from explainers.quantities import computed
from explainers.traces import NamedArray
from scenes.kit import AttemptBoard, Branches, SeedShifts, theme


def array(values, axes, labels=None) -> NamedArray:
    return NamedArray(np.asarray(values, dtype=float), axes, "made up", "", labels or {}, "test", "")


def board(rewards=(1.1, 0.1, 0.0)) -> AttemptBoard:
    texts = ("<think> 1 2 </think> 2 <end>", "3 <end>", "8 0 <end>")
    rewards = np.array(rewards)
    ratio = np.ones((3, 3, 6))
    ratio[1, 0, 0], ratio[2, 0, 0], ratio[2, 1, 0] = 1.2, 1.5, 0.5
    advantage = (rewards - rewards.mean()) / rewards.std()
    return AttemptBoard(
        array(rewards, ("sample",), {"sample": texts}),
        array(advantage, ("sample",)),
        array(ratio, ("moment", "sample", "place")),
        columns=1,
    )


def finished(animation) -> None:
    animation.begin()
    animation.interpolate(1.0)
    animation.finish()


def test_rewards_are_to_scale_and_turn_about_the_mean():
    made = board()
    assert [len(row) for row in made.cells] == [6, 2, 3]
    assert made.bars[0].width / made.bars[1].width == pytest.approx(11, rel=1e-6)
    foot, mean = made.bars[0].get_left()[0], made.means[0].get_x()
    assert mean - foot == pytest.approx(0.4 * made.unit)
    right_end = made.bars[0].get_right()[0]
    finished(made.compare())
    assert made.bars[0].get_left()[0] == pytest.approx(mean) and made.bars[0].get_right()[0] == pytest.approx(right_end)
    assert made.bars[1].get_right()[0] == pytest.approx(mean) and made.bars[1].get_left()[0] == pytest.approx(
        foot + 0.1 * made.unit
    )


def test_a_step_colours_what_changed():
    made = board()
    before = made.cells[0][0][0].get_fill_color()
    finished(made.step_to(2))
    up, down, same = (made.cells[i][j][0].get_fill_color() for i, j in ((0, 0), (1, 0), (0, 1)))
    assert up != before and len({str(up), str(down), str(same)}) == 3
    assert made.shade(1, 0, 0) != made.shade(2, 0, 0)
    made.quiet = 0.6
    assert made.shade(2, 0, 0) == made.shade(2, 0, 1) == before


def test_a_line_is_in_the_colour_of_before_where_the_share_fell():
    shifts = SeedShifts(
        array([[0.3, 0.2]], ("start", "seed")),
        array([[0.1, 0.4]], ("start", "seed")),
        array([100], ("start",)),
        role="reward",
        before_role="dense",
    )
    fell, rose = (line.get_stroke_color() for line in shifts.lines[0])
    assert fell == theme.tint("dense", 0.8) and rose == theme.tint("reward", 0.6)


def test_a_board_refuses_what_does_not_fit():
    good = board()
    reward, advantage, ratio = good.bound
    with pytest.raises(ExplainError, match="labels of 'sample'"):
        AttemptBoard(array([1.0, 0.0], ("sample",)), advantage, ratio)
    with pytest.raises(ExplainError, match="zero or more"):
        AttemptBoard(array([1.0, -1.0, 0.0], ("sample",), dict(reward.labels)), advantage, ratio)


def test_shifts_stand_where_the_shares_are():
    shifts = SeedShifts(
        array([[0.1, 0.2], [0.5, 0.9]], ("start", "seed")),
        array([[0.1, 0.4], [1.0, 0.95]], ("start", "seed")),
        array([100, 200], ("start",)),
    )
    assert shifts.before[1][0].get_y() == pytest.approx(shifts.axes.point(200, 0.5)[1])
    assert shifts.after[1][0].get_y() == pytest.approx(shifts.axes.point(200, 1.0)[1])
    assert shifts.before[0][0].get_x() < shifts.axes.point(100, 0)[0] < shifts.before[0][1].get_x()
    with pytest.raises(ExplainError, match="no start"):
        shifts.move(2)


def test_branches_are_as_wide_as_their_shares_and_go_to_others():
    def made(*shares: float) -> Branches:
        return Branches(*(computed(share, "", "made up", name=f"{share}") for share in shares), height=4.0)

    first, last = made(0.25, 0.6, 0.1), made(0.9, 0.95, 0.1)
    assert [way.height for way in first.ways] == pytest.approx([1.0, 3.0])
    assert first.ends[0].height == pytest.approx(4 * (0.25 * 0.6 + 0.75 * 0.1))
    points = first.ribbons[0].points
    at_start = points[np.isclose(points[:, 0], points[:, 0].min()), 1]
    assert np.ptp(at_start) == pytest.approx(1.0)
    finished(first.become_like(last))
    assert first.ways[0].height == pytest.approx(3.6) and first.bound == last.bound
    with pytest.raises(ExplainError, match="shares"):
        Branches(computed(25, "%", "made up", name="x"), *first.bound[1:])


def places(mobject) -> list[tuple[float, ...]]:
    return [tuple(np.round([*part.get_center(), part.width, part.height], 6)) for part in mobject.get_family()]


def test_other_data_make_another_picture():
    shares = (computed(share, "", "made up", name=f"{share}") for share in (0.25, 0.6, 0.1))
    shifts = SeedShifts(
        array([[0.1, 0.2], [0.5, 0.9]], ("start", "seed")),
        array([[0.1, 0.4], [1.0, 0.95]], ("start", "seed")),
        array([100, 200], ("start",)),
    )
    for drawn in (board(), shifts, Branches(*shares, height=4.0)):
        assert places(drawn.perturbed()) != places(drawn), type(drawn).__name__
