"""Charts: lengths and places are those of the values."""

from __future__ import annotations

import numpy as np
import pytest
from manim import RIGHT, UP

from explainers.errors import ExplainError
from explainers.quantities import Cited, Quantity, computed
from explainers.traces import NamedArray
from scenes.kit import (
    Axes2D,
    Axis,
    AxisTick,
    Bar,
    BarChart,
    BarRow,
    LineChart,
    Roof,
    RooflineChart,
    ScatterChart,
    Series,
    Spot,
    Work,
    role,
)


def q(value: float, unit: str = "", name: str = "made up") -> Quantity:
    return computed(value, unit, "made up for a test", name=name)


def line(*numbers: float, axis: str = "step", unit: str = "") -> NamedArray:
    return NamedArray(np.array(numbers, dtype=float), (axis,), "example", unit)


@pytest.mark.parametrize(
    ("axis", "wanted"),
    [
        (Axis(0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (Axis(0, 128), ["0", "50", "100"]),
        (Axis(0, 12), ["0.0", "2.5", "5.0", "7.5", "10.0"]),
        (Axis(1e3, 1e6, "cache", "B", log=True), ["1 kB", "10 kB", "100 kB", "1 MB"]),
        (Axis(0.7, 30, log=True), ["1", "2", "5", "10", "20"]),
        (Axis(0, 100, unit="%"), ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        (Axis(4096, 131072, log=True, ticks=(4096, 131072), fmt="plain"), ["4,096", "131,072"]),
        (Axis(-2e-4, 2e-4), ["−0.0002", "−0.0001", "0.0000", "0.0001", "0.0002"]),
    ],
)
def test_ticks_are_round_and_say_their_value(axis: Axis, wanted: list[str]) -> None:
    assert [axis.tick(place).shown_text for place in axis.places()] == wanted


def test_a_tick_that_would_lie_is_refused() -> None:
    with pytest.raises(ExplainError, match="does not say 1234.5"):
        AxisTick(1234.5, fmt="si 1")
    assert AxisTick(0.25).tick_value == 0.25


def test_axes_map_values_and_follow_moves() -> None:
    axes = Axes2D(Axis(0, 10), Axis(1, 1000, log=True), width=5, height=3).shift(RIGHT + UP).scale(0.5)
    low, middle, high = axes.point(0, 1), axes.point(5, 10**1.5), axes.point(10, 1000)
    assert np.allclose(middle, (low + high) / 2)
    assert np.allclose(high - low, [2.5, 1.5, 0])
    assert np.allclose(axes.points_of(np.array([0, 10]), np.array([1, 1000])), [low, high])


@pytest.mark.parametrize("bad", [(1, 1, False), (2, 1, False), (0, 1, True), (float("nan"), 1, False)])
def test_impossible_axes(bad: tuple[float, float, bool]) -> None:
    with pytest.raises(ExplainError):
        Axis(bad[0], bad[1], "x", log=bad[2])


def test_log_scales_say_so() -> None:
    assert Axis(1, 10, "cache", "FLOP/B", log=True).caption() == "cache, FLOP/B, log scale"
    chart = BarChart([Bar("a", q(1e3, "B")), Bar("b", q(1e6, "B"))], log=True, name="cache")
    texts = [part.shown_text for part in chart.get_family() if hasattr(part, "shown_text")]
    assert "cache, log scale" in texts
    linear = BarChart([Bar("a", q(1e3, "B")), Bar("b", q(1e6, "B"))], name="cache")
    texts = [part.shown_text for part in linear.get_family() if hasattr(part, "shown_text")]
    assert texts.count("cache") == 1 and not any("log" in text for text in texts)


@pytest.mark.parametrize("horizontal", [True, False])
def test_bars_are_as_long_as_their_values(horizontal: bool) -> None:
    chart = BarChart([Bar("a", q(2.0)), Bar("b", q(8.0)), Bar("c", q(-4.0))], horizontal=horizontal, length=6)
    long = {name: bar.width if horizontal else bar.height for name, bar in chart.bars.items()}
    assert long["b"] / long["a"] == pytest.approx(4)
    assert long["b"] + long["c"] == pytest.approx(6)
    foot = chart.bar("a").get_left()[0] if horizontal else chart.bar("a").get_bottom()[1]
    end = chart.bar("c").get_right()[0] if horizontal else chart.bar("c").get_top()[1]
    assert foot == pytest.approx(end)
    with pytest.raises(ExplainError, match="share one unit"):
        BarChart([Bar("a", q(2.0)), Bar("b", q(8.0, "B"))])
    with pytest.raises(ExplainError, match="did you mean"):
        chart.bar("aa")


def test_a_row_of_bars_marks_the_chosen_ones() -> None:
    chart = BarRow(line(0.1, 0.4, 0.2), marked=(1,))
    assert chart.bars[1].height / chart.bars[0].height == pytest.approx(4)
    assert chart.bars[1].get_fill_color() == role("accent") != chart.bars[0].get_fill_color()
    with pytest.raises(ExplainError, match="entry 5"):
        BarRow(line(0.1, 0.4), marked=(5,))


def test_curves_pass_through_their_values() -> None:
    chart = LineChart([Series("a", line(1, 4, 2), line(0, 1, 4)), Series("b", line(3, 3, 3), line(0, 1, 4))])
    assert np.allclose(chart.curves["a"].get_start(), chart.axes.point(0, 1))
    assert np.allclose(chart.curves["a"].get_end(), chart.axes.point(4, 2))
    assert np.allclose(chart.at("a", 1), chart.axes.point(1, 4))
    assert np.allclose(chart.marker("a", 1).get_center(), chart.at("a", 1))
    with pytest.raises(ExplainError, match="3 values but 2 in x"):
        Series("a", line(1, 2, 3), line(1, 2))
    with pytest.raises(ExplainError, match="logarithmic axis cannot hold -1"):
        LineChart([Series("a", line(1, -1))], y_log=True)


def test_names_at_the_ends_do_not_overlap() -> None:
    chart = LineChart([Series(f"curve {name}", line(0, 1 + i / 1000)) for i, name in enumerate("abcd")])
    boxes = sorted((name.get_bottom()[1], name.get_top()[1]) for name in chart.names.values())
    assert all(low_top <= high_bottom + 1e-3 for (_, low_top), (high_bottom, _) in zip(boxes, boxes[1:], strict=False))


def test_bands_are_as_wide_as_the_spread() -> None:
    chart = LineChart([Series("a", line(5, 5, 5), spread=line(1, 1, 1)), Series("b", line(0, 10, 0))])
    unit = chart.axes.point(0, 1)[1] - chart.axes.point(0, 0)[1]
    assert chart.bands["a"].height == pytest.approx(2 * unit)
    assert chart.band_note.shown_text == "band: standard deviation over runs"


def test_points_stand_at_their_values_with_whiskers() -> None:
    uncertain = Quantity(3.0, "", Cited("a source", "2026-01-01"), spread=0.5)
    chart = ScatterChart([Spot("a", q(10.0), q(2.0)), Spot("b", q(100.0), uncertain)], x_log=True)
    assert np.allclose(chart.dots["a"].get_center(), chart.axes.point(10, 2))
    assert list(chart.whiskers) == ["b"]
    assert chart.whiskers["b"].height == pytest.approx(chart.axes.point(10, 3.5)[1] - chart.axes.point(10, 2.5)[1])


def chips() -> RooflineChart:
    roofs = [Roof("fast", q(1e15, "FLOP/s"), q(4e12, "B/s"))]
    return RooflineChart(roofs, [Work("decode", q(2.0, "FLOP/B")), Work("prefill", q(1000.0, "FLOP/B"))])


def test_work_stands_on_the_roof() -> None:
    chart = chips()
    assert chart.roofs["fast"].ridge().value == 250
    assert chart.attainable("decode").value == 8e12
    assert chart.attainable("prefill").value == 1e15
    assert np.allclose(chart.dots["decode"].get_center(), chart.axes.point(2, 8e12))
    assert np.allclose(chart.ridge_line("fast").get_start(), chart.axes.point(250, 1e15))
    with pytest.raises(ExplainError, match="not in FLOP/s"):
        Roof("wrong", q(1.0, "B/s"), q(1.0, "B/s"))
    with pytest.raises(ExplainError, match="not in FLOP/B"):
        Work("wrong", q(1.0, "FLOP"))


def test_work_slides_along_the_roof() -> None:
    chart = chips()
    goal = q(500.0, "FLOP/B")
    animation = chart.move("decode", goal)
    animation.begin()
    animation.interpolate(0.5)
    middle = chart.dots["decode"].get_center()
    assert np.allclose(middle, chart.axes.point(1000**0.5, 4e12 * 1000**0.5))
    animation.interpolate(1)
    animation.finish()
    assert np.allclose(chart.dots["decode"].get_center(), chart.axes.point(500, 1e15))
    assert goal in chart.bound
