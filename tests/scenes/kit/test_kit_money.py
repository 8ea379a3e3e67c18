"""Waterfall, waffle, shared bar, crowd, slider and price race: lengths, places and counts are those of the data."""

from __future__ import annotations

import numpy as np
import pytest
from manim import RIGHT

from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray
from scenes.kit import Bar, Crowd, Listings, PriceRace, SharedBar, Slider, Waffle, Waterfall
from scenes.kit.price_race import year_of


def q(value: float, unit: str = "") -> Quantity:
    return computed(value, unit, "made up for a test", name=f"made up {value}")


def finished(animation) -> None:
    animation.begin()
    animation.interpolate(0.5)
    animation.interpolate(1.0)
    animation.finish()


def test_a_waterfall_adds_up_to_scale():
    fall = Waterfall([Bar("a", q(6.0)), Bar("b", q(3.0)), Bar("c", q(1.0))], total="all", height=4.0)
    heights = [fall.columns[name].height for name in ("a", "b", "c", "all")]
    assert heights == pytest.approx([2.4, 1.2, 0.4, 4.0])
    assert fall.sum.value == 10
    assert fall.columns["b"].get_bottom()[1] == pytest.approx(fall.columns["a"].get_top()[1])
    assert fall.columns["c"].get_top()[1] == pytest.approx(fall.columns["all"].get_top()[1])
    with pytest.raises(ExplainError, match="zero or more"):
        Waterfall([Bar("a", q(6.0)), Bar("b", q(-3.0))])


def test_names_of_a_waterfall_come_with_their_columns_or_all_before_them():
    fall = Waterfall([Bar("a", q(6.0)), Bar("b", q(3.0))], total="all")
    name = fall.names["b"]
    assert name in [each.mobject for each in fall.grow("b").animations]
    assert set(fall.name_all().mobject) == set(fall.names.values())
    assert name not in [each.mobject for each in fall.grow("b").animations]
    with pytest.raises(ExplainError, match="unknown item 'c'"):
        fall.grow("c")


def test_a_waffle_has_one_square_a_unit_and_a_broken_one():
    waffle = Waffle(q(25.0, "USD"), q(10.0, "USD"), columns=5, cell=0.2, gap=0.0)
    assert len(waffle.squares.points) == 3 * 16
    areas = [np.prod(np.ptp(waffle.squares.points[16 * i : 16 * i + 16, :2], axis=0)) for i in range(3)]
    assert areas == pytest.approx([0.04, 0.04, 0.02])
    finished(waffle.fill())
    assert len(waffle.squares.points) == 3 * 16
    assert waffle.bound[0].value == 25
    corner = np.array([1.0, 2.0, 0.0])
    waffle.place_at(corner)
    finished(waffle.change_to(q(60.0, "USD")))
    assert len(waffle.squares.points) == 6 * 16
    assert waffle.bound[0].value == 60
    assert waffle.squares.get_left()[0] == pytest.approx(1.0)
    assert waffle.squares.get_top()[1] == pytest.approx(2.0)
    with pytest.raises(ExplainError, match="use one unit"):
        waffle.change_to(q(1.0, "EUR"))


def test_a_shared_bar_is_as_long_as_its_total_and_cut_into_its_parts():
    totals = NamedArray([1.0, 1.1, 1.5], ("users",), "step", "s")
    bar = SharedBar(totals, NamedArray([1.0, 2.0, 4.0], ("users",), "users"), length=6.0)
    assert bar.bar.width == pytest.approx(4.0)
    finished(bar.divide_to(2))
    assert bar.bar.width == pytest.approx(6.0)
    assert len(bar.cuts.get_subpaths()) == 3
    assert bar.part(3).get_left()[0] == pytest.approx(bar.bar.get_left()[0] + 4.5)
    with pytest.raises(ExplainError, match="pairs 0 to 2"):
        bar.divide_to(3)


def test_a_crowd_counts_people():
    crowd = Crowd(q(3), columns=10)
    one = len(Crowd(q(1)).dots.points)
    finished(crowd.shift(RIGHT).grow_to(q(17)))
    assert len(crowd.dots.points) == 17 * one
    assert crowd.bound[0].value == 17


def test_a_slider_stands_at_its_values():
    slider = Slider([("a", q(1000.0)), ("b", q(100.0)), ("c", q(10.0))], log=True, length=4.0)
    assert slider.place("b")[0] == pytest.approx((slider.place("a")[0] + slider.place("c")[0]) / 2)
    finished(slider.move_to_stop("c"))
    assert slider.knob.get_center() == pytest.approx(slider.place("c"))
    with pytest.raises(ExplainError, match="stop"):
        slider.place("d")


def race() -> PriceRace:
    day = NamedArray([738886, 739252], ("listing",), "day", labels={"listing": ("x", "y")})  # 1 Jan 2024, 1 Jan 2025
    sure = NamedArray([True, False], ("listing",), "sure")
    return PriceRace([Listings("ours", NamedArray([10.0, 1.0], ("listing",), "p"), day, stepped=True, sure=sure)])


def test_a_price_stands_at_its_year_and_price():
    chart = race()
    assert year_of(738886) == pytest.approx(2024.0)
    assert chart.at("ours", 0) == pytest.approx(chart.axes.point(2024.0, 10.0))
    assert chart.year_of("ours", chart.find("ours", "y")) == pytest.approx(2025.0)


def test_time_leaves_behind_what_was_listed():
    chart = race()
    chart.show(2023.5)
    assert not len(chart.full["ours"].points)
    assert not len(chart.paths["ours"].points)
    finished(chart.sweep_to(2024.5))
    assert len(chart.full["ours"].points)
    assert not len(chart.hollow["ours"].points)
    assert chart.paths["ours"].get_right()[0] == pytest.approx(chart.axes.point(2024.5, 1.0)[0])
    chart.show(2026.0)
    assert len(chart.hollow["ours"].points), "what was read elsewhere is drawn hollow"
