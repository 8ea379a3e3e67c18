"""Gates, rain, heat maps and fields of experts: lengths, heights and lights are those of the data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from manim import Animation

from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray
from scenes.kit import DataBound, ExpertField, ExpertHeatMap, ExpertSplit, GateBars, LoadRain


def array(values, *axes: str, **labels) -> NamedArray:
    return NamedArray(np.asarray(values, dtype=float), axes, "made up", "", labels, "test", "")


def flags(count: int, lit) -> NamedArray:
    return NamedArray(np.isin(np.arange(count), list(lit)), ("expert",), "made up")


def whole(value: int) -> Quantity:
    return computed(value, "", "made up for a test")


def finished(animation: Animation, share: float = 1.0) -> None:
    animation.begin()
    animation.interpolate(share)
    if share == 1:
        animation.finish()


SCORES, BIASED = [0.9, 0.5, 0.1, 0.3], [1.0, 0.2, 0.4, 0.3]
LOADS = [[0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1], [0.4, 0.3, 0.2, 0.1]]


def gate() -> GateBars:
    return GateBars(array(SCORES, "expert"), array(BIASED, "expert"), groups=2, hanging=True)


def rain(**options) -> LoadRain:
    bias = array([[0, 0, 0, 0], [-0.1, 0.1, 0.1, 0.1], [-0.2, 0.1, 0.2, 0.2]], "step", "expert")
    return LoadRain(array(LOADS, "step", "expert"), bias, most=4.0, **options)


def heat() -> ExpertHeatMap:
    share = array([[0.7, 0.1, 0.1, 0.1], [0.0, 0.5, 0.25, 0.25]], "domain", "expert", domain=("code", "sums"))
    return ExpertHeatMap(share, groups=2)


def split() -> ExpertSplit:
    return ExpertSplit([flags(count, range(0, count, 4)) for count in (4, 8, 16)])


def field() -> ExpertField:
    sent = np.zeros((6, 2, 32), dtype=bool)
    sent[:, 0, 3:7] = sent[:, 1, 20:24] = True
    return ExpertField(NamedArray(sent, ("layer", "token", "expert"), "made up"), whole(1))


MADE: dict[str, Callable[[], DataBound]] = {
    "GateBars": gate,
    "LoadRain": lambda: rain(position=1.0),
    "ExpertHeatMap": heat,
    "ExpertSplit": split,
    "ExpertField": field,
}


@pytest.mark.parametrize("factory", MADE.values(), ids=MADE)
def test_other_data_is_another_picture(factory: Callable[[], DataBound], shoot) -> None:
    thing = factory()
    other = thing.perturbed()
    assert (np.abs(shoot(thing) - shoot(other)).max(axis=2) > 20).sum() >= 8
    assert np.array_equal(shoot(factory()), shoot(thing))
    assert np.array_equal(shoot(thing.rebind(*thing.bound)), shoot(thing))


# ---------------------------------------------------------------------- the gate
def test_bars_for_choosing_hold_the_bias_and_bars_for_weighing_do_not() -> None:
    made = gate()
    for index, (score, biased) in enumerate(zip(SCORES, BIASED, strict=True)):
        foot = made.squares[index].get_top()[1] + 0.06
        assert made.choosing[index].height == pytest.approx(made.unit * min(score, biased), abs=1e-6)
        assert made.weighing[index].height == pytest.approx(made.unit * score, abs=1e-3)
        assert made.top(index)[1] - foot == pytest.approx(made.unit * biased, abs=1e-6)  # what is counted in choosing
    assert made.pieces[0].get_fill_opacity() == 1 and made.pieces[1].get_fill_opacity() == 0  # added; cut out
    assert not len(made.pieces[3].points)


def test_a_score_of_one_stands_at_its_mark() -> None:
    made = GateBars(array([1.0, 0.5], "expert"))
    assert made.top(0)[1] == pytest.approx(made.marks.point(0, 1.0)[1])


def test_the_bias_comes_and_goes_and_another_token_takes_its_place() -> None:
    made = gate()
    finished(made.rise())
    assert made.top(0)[1] - made.squares[0].get_top()[1] == pytest.approx(0.06 + made.unit * 0.9)
    finished(made.lean(1.0))
    assert made.top(0)[1] - made.squares[0].get_top()[1] == pytest.approx(0.06 + made.unit * 1.0)
    scores = array([0.2, 0.2, 0.2, 0.8], "expert")
    finished(made.turn_to(scores, scores))
    assert made.bound == (scores,) or made.bound == (scores, scores)
    assert made.choosing[3].height == pytest.approx(made.unit * 0.8)


def test_hundreds_of_experts_keep_their_groups_and_their_room() -> None:
    """V3's 256 in 8 groups: slats that do not touch, boxes that do not overlap, one lit slat seen among them."""
    scores = np.linspace(0.0, 1.0, 256)
    made = GateBars(array(scores, "expert"), groups=8, width=9.7)
    assert made.squares.width == pytest.approx(9.7, abs=0.05) and made.squares[0].height > 0.1
    for left, right in zip(made.squares, made.squares[1:], strict=False):
        assert left.get_right()[0] < right.get_left()[0]
    for left, right in zip(made.boxes, made.boxes[1:], strict=False):
        assert left.get_right()[0] < right.get_left()[0]
    assert made.choosing[255].width == pytest.approx(made.side)


@pytest.mark.parametrize(("largest", "top"), [(0.03, 0.05), (0.15, 0.2), (0.3, 1.0), (1.0, 1.0), (1.7, 2.0), (70, 70)])
def test_the_line_stands_at_a_score_that_the_bars_come_near(largest: float, top: float) -> None:
    """A softmax over many gives hundredths (V2), a square root of a softplus more than one (V4)."""
    made = GateBars(array([largest, 0.0], "expert"), unit=1.2)
    assert made.top(0)[1] - made.marks.point(0, 0)[1] == pytest.approx(1.2 * largest / top)
    assert made.marks.point(0, top)[1] - made.marks.point(0, 0)[1] == pytest.approx(1.2)


def test_a_large_bias_stays_in_the_room() -> None:
    made = GateBars(array([0.9, 0.5], "expert"), array([7.9, 7.0], "expert"), unit=1.7, room=2.0)
    assert made.pieces[0].get_top()[1] - made.squares[0].get_top()[1] == pytest.approx(2.06, abs=0.01)


def test_a_gate_that_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ExplainError, match="4 experts in 3 groups"):
        GateBars(array(SCORES, "expert"), groups=3)
    with pytest.raises(ExplainError, match="4 scores cannot stand beside 2"):
        GateBars(array(SCORES, "expert"), array([1, 2], "expert"))


# ---------------------------------------------------------------------- the rain
def test_columns_are_loads_against_the_mean_and_the_line_beside_them_is_the_busiest() -> None:
    made = rain()
    unit = made.plot.height / made.most
    assert made.max_vio() == pytest.approx(0)
    made.show(1.0)
    assert made.max_vio() == pytest.approx(0.7 * 4 - 1)
    assert made.columns.height == pytest.approx(unit * 2.8, abs=1e-6)
    assert made.reach.get_length() == pytest.approx(unit * (1 + made.max_vio()), abs=1e-6)
    made.show(1.5)
    assert made.max_vio() == pytest.approx(0.55 * 4 - 1)


def test_drops_fall_where_the_load_is() -> None:
    counted = np.zeros(4)
    made = rain(drops=64)
    for position in np.linspace(0.5, 2, 40):
        made.show(float(position))
        places = made.water.points[::16, 0]
        counted += np.histogram(places, bins=4, range=(made.plot.get_left()[0], made.plot.get_right()[0]))[0]
    assert (np.diff(counted) < 0).all()
    assert counted[0] / counted.sum() == pytest.approx(0.5, abs=0.06)  # the mean of its loads over the way


@pytest.mark.parametrize("run_time", [1.0, 4.0])
def test_the_sky_is_clear_before_and_after_a_shower_however_long_it_takes(run_time: float) -> None:
    made = rain(drops=64)
    for start, goal in ((0, 1), (1, 2)):
        shower = made.fall(goal, run_time=run_time)
        shower.begin()
        seen = []
        for alpha in (0.0, 0.5, 1.0):
            shower.interpolate(alpha)
            seen.append(len(made.water.points) // 16)
        shower.finish()
        assert seen[0] == seen[2] == 0 < seen[1], f"from {start} to {goal}"


def test_the_bias_hangs_up_and_down() -> None:
    made = rain(position=2.0)
    zero = made.zero.get_y()
    assert made.raised.get_bottom()[1] == pytest.approx(zero) and made.lowered.get_top()[1] == pytest.approx(zero)
    assert made.raised.height == pytest.approx(made.lowered.height)
    assert len(made.raised.points) == 3 * 16 and len(made.lowered.points) == 16


def test_rain_walks_to_its_goal_and_refuses_what_is_not_there() -> None:
    made = rain()
    finished(made.fall(2, run_time=1))
    assert made.position == 2
    with pytest.raises(ExplainError, match="no point 3: the training has 3"):
        made.fall(3)
    with pytest.raises(ExplainError, match="same sum"):
        LoadRain(array([[0.5, 0.5], [0.5, 0.9]], "step", "expert"), most=2.0)


# ---------------------------------------------------------------------- maps
def test_the_heat_map_shows_shares_against_an_even_one() -> None:
    made = heat()
    assert made.favourites("code") == [0]
    assert made.favourites("sums", above=1.5) == [1]
    first = made.rows["code"][0].pixel_array[0, 0, :3]
    assert np.array_equal(first, made.scale_of_colour.colours(np.array(0.7 * 4)))
    with pytest.raises(ExplainError, match="no domain 'English'"):
        made.favourites("English")


def test_rows_come_one_after_the_other_and_stand_back() -> None:
    made = heat().clear()
    assert set(made.opacity.values()) == {0.0}
    finished(made.fill(), share=0.5)
    assert made.opacity["code"] > made.opacity["sums"]
    finished(made.fill())
    finished(made.look_at("sums"))
    assert made.opacity == {"code": pytest.approx(0.2), "sums": 1.0}


def test_every_cut_lights_the_same_area() -> None:
    made = split()
    bright = [[piece for piece in level if piece.get_fill_color() == level_bright(level)] for level in made.levels]
    assert [len(level) for level in made.levels] == [4, 8, 16]
    assert [len(each) for each in bright] == [1, 2, 4]
    boxes, moves = made.limit(flags(4, [1, 3]), flags(16, [4, 5, 12, 15]))
    assert len(boxes) == 4 and len(moves) == 16


def level_bright(level) -> object:
    """The colour that fewest pieces of a level have."""
    colours = [piece.get_fill_color() for piece in level]
    return min(colours, key=colours.count)


def test_a_token_lights_as_many_cells_in_every_layer() -> None:
    made = field()
    assert (made.lit(0).sum(axis=1) == 4).all() and not np.array_equal(made.lit(0), made.lit(1))
    dark = made.sleep().field.pixel_array.copy()
    finished(made.path(1), share=0.5)
    changed = (made.field.pixel_array != dark).any(axis=2)
    assert (changed.sum(axis=1) == [4, 4, 4, 0, 0, 0]).all()
    with pytest.raises(ExplainError, match="needs 3 axes"):
        ExpertField(flags(4, [0]))


def test_teams_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(ExplainError, match="0 < chosen"):
        ExpertSplit([flags(4, [])])
    with pytest.raises(ExplainError, match="1 of 5 groups"):
        split().limit(flags(5, [0]), flags(16, [1]))
