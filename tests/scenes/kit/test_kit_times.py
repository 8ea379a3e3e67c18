"""Standing back, taking turns, and lines of time."""

from __future__ import annotations

import numpy as np
import pytest
from manim import Group, Mobject, Scene

from explainers.errors import ExplainError
from explainers.quantities import computed
from explainers.traces import NamedArray
from scenes.kit import (
    Bar,
    BarChart,
    DateLabel,
    Event,
    LineChart,
    NumberLabel,
    Series,
    TensorGrid,
    Timeline,
    dim,
    exchange,
    label,
    renew,
    undim,
)
from scenes.kit.axes import box
from scenes.kit.timeline import as_date, said_date


def things() -> Group:
    values = NamedArray(np.random.default_rng(0).normal(size=(4, 6)), ("token", "dim"), "c")
    sizes = [Bar("MHA", computed(4.0, "B", "made up")), Bar("MLA", computed(1.0, "B", "made up"))]
    curve = Series("a", values.pick(token=0), spread=NamedArray(np.full(6, 0.2), ("dim",)))
    return Group(
        TensorGrid(values, role="latent", name="c"), BarChart(sizes, length=3).shift([3, 2, 0]), LineChart([curve])
    )


def finish(animation) -> None:
    animation.begin()
    animation.interpolate(1)
    animation.finish()


def test_dimmed_things_stand_back_and_return(shoot) -> None:
    group = things()
    before = shoot(group)
    finish(dim(group, to=0.3))
    dimmed = shoot(group)
    ground = before[0, 0]
    assert np.abs(dimmed - ground).sum() < 0.45 * np.abs(before - ground).sum()
    finish(undim(group))
    assert np.abs(shoot(group) - before).max() <= 2
    with pytest.raises(ExplainError, match="was not dimmed"):
        undim(group)
    with pytest.raises(ExplainError, match="between 0 and 1"):
        dim(group, to=3)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_opacity_of_kit_objects_fills_nothing_and_comes_back(index: int, shoot) -> None:
    thing = things()[index]
    before = shoot(thing)
    finish(thing.animate.set_opacity(0).build())
    assert np.abs(shoot(thing) - before[0, 0]).max() <= 2
    finish(thing.animate.set_opacity(1).build())
    assert np.abs(shoot(thing) - before).mean() < 0.5


def test_one_leaves_before_the_other_arrives() -> None:
    old, new = label("first"), label("second")
    animation = exchange(old, new, run_time=1.0)

    def opacity(mobject: Mobject) -> float:
        return float(mobject.get_fill_opacity())

    animation._setup_scene(Scene())
    animation.begin()
    animation.interpolate(0.2)
    assert 0 < opacity(old) < 1
    animation.interpolate(0.45)
    assert opacity(old) == pytest.approx(0, abs=0.02)
    animation.interpolate(1)
    animation.finish()
    assert opacity(new) == 1


def test_a_readout_stays_until_it_changes() -> None:
    old, new = label("first"), label("second")
    animation, scene = renew(old, new, at=0.5, run_time=1.0), Scene()
    animation._setup_scene(scene)
    animation.begin()
    for moment, (before, after) in ((0.46, (1, 0)), (0.58, (0, 1))):
        animation.interpolate(moment)
        assert float(old.get_fill_opacity()) == pytest.approx(before, abs=0.02)
        assert (new in scene.mobjects and float(new.get_fill_opacity()) > 0.98) == bool(after)
    animation.interpolate(1)
    animation.finish()
    assert new.get_fill_opacity() == 1
    with pytest.raises(ExplainError, match="share between 0 and 1"):
        renew(old, new, at=1)


EVENTS = [
    Event("2024-05-06", "V2: latent attention", "latent"),
    Event("2024-12-26", "V3: trained at low cost"),
    Event("2025-01-20", "R1", "reward"),
    Event("2025-01-27", "the market moves", "cost"),
    Event("2026-04", "V4"),
]


def test_distances_are_true_to_the_dates() -> None:
    line = Timeline(EVENTS, width=10)
    x = [event[1].get_x() for event in line.events]
    days = [as_date(event.date).toordinal() for event in EVENTS]
    share = (np.array(days) - days[0]) / (days[-1] - days[0])
    assert np.allclose((np.array(x) - x[0]) / 10, share)


def test_words_on_a_timeline_do_not_meet() -> None:
    line = Timeline(EVENTS, width=8)
    boxes = [box(event[2]) for event in line.events]
    for i, (l1, b1, r1, t1) in enumerate(boxes):
        for l2, b2, r2, t2 in boxes[i + 1 :]:
            assert l1 > r2 or l2 > r1 or b1 > t2 or b2 > t1
    for event in line.events:
        x = event[0].get_x()
        low, high = sorted((event[0].get_start()[1], event[0].get_end()[1]))
        for other, (left, bottom, right, top) in zip(line.events, boxes, strict=True):
            if other is not event:
                assert not (left < x < right and low < top and bottom < high), "a stem runs through words"


def test_dates_are_said_as_precisely_as_they_are_known() -> None:
    assert [said_date(each) for each in ("2025-01-27", "2026-04", "2024")] == ["27 Jan 2025", "Apr 2026", "2024"]
    assert DateLabel("2026-04").text_kind == "date"
    for bad in ("27.1.2025", "2025-13-01", "soon"):
        with pytest.raises(ExplainError, match="write it like"):
            as_date(bad)


def test_timelines_that_cannot_be() -> None:
    with pytest.raises(ExplainError, match="outside"):
        Timeline(EVENTS, start="2025")
    with pytest.raises(ExplainError, match="at least one"):
        Timeline([])
    with pytest.raises(ExplainError, match="no room"):
        Timeline([Event(f"2025-01-{day:02}", "very many long words about it") for day in range(1, 30)], width=3)


def test_a_number_label_can_be_dimmed() -> None:
    number = NumberLabel(computed(3, "", "made up")).set_opacity(0.4)
    assert number.get_fill_opacity() == pytest.approx(0.4)
    assert number.get_stroke_width() == 0
