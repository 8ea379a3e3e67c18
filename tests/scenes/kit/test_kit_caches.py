"""Caches: lengths are bytes, on one scale."""

from __future__ import annotations

import pytest

from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from scenes.kit import (
    CacheScale,
    CacheStack,
    CacheStrip,
    role,
    theme,
)


def q(value: float, unit: str = "", name: str = "made up") -> Quantity:
    return computed(value, unit, "made up for a test", name=name)


def strips(*sizes: float, length: float = 8.0, **options) -> list[CacheStrip]:
    scale = CacheScale.of(*(q(size, "B") for size in sizes), length=length)
    return [CacheStrip(q(size, "B"), scale=scale, **options) for size in sizes]


def test_strips_are_to_scale() -> None:
    large, small = strips(8e9, 1e9)
    assert large.cells.width == pytest.approx(8.0, abs=0.05)
    assert large.cells.width / small.cells.width == pytest.approx(8, rel=0.02)


def test_a_cell_is_a_round_number_of_bytes_and_says_so() -> None:
    scale = CacheScale.of(q(3.7e9, "B"))
    assert scale.cell.value == 50e6
    assert scale.note().shown_text == "one cell = 50 MB"
    strip = CacheStrip(q(1e9, "B"), scale=scale)
    assert len(strip.cells.points) // 16 == 20


def test_cells_beyond_the_limit_are_cost() -> None:
    (strip,) = strips(8e9, limit=q(2e9, "B"))
    assert strip.cells.width == pytest.approx(2.0, abs=0.05)
    assert strip.beyond.width == pytest.approx(6.0, abs=0.05)
    assert strip.beyond.get_fill_color() == role("cost")
    mark = strip.limit_mark("one GPU")
    assert mark[1].shown_text == "one GPU: 2.00 GB"
    assert mark[0].get_x() == pytest.approx(strip.place(2e9)[0])
    with pytest.raises(ExplainError, match="no limit"):
        strips(8e9)[0].limit_mark("x")


def test_a_strip_goes_on_in_the_next_row_and_then_marks_the_rest() -> None:
    scale = CacheScale.of(q(1e9, "B"), length=5)
    two = CacheStrip(q(1.5e9, "B"), scale=scale, rows=2)
    assert two.cells.width == pytest.approx(5, abs=0.05)
    assert not two.more.has_points()
    over = CacheStrip(q(9e9, "B"), scale=scale, rows=2)
    assert over.more.has_points()
    assert over.number.shown_text == "9.00 GB"


def test_a_strip_grows_with_its_number() -> None:
    small, _ = strips(1e9, 8e9)
    small.scale(0.5)
    goal = q(8e9, "B")
    animation = small.grow_to(goal)
    animation.begin()
    animation.interpolate(0.5)
    half = small.cells.width
    assert 0.5 < half < 4 and small.number.shown_text == "4.50 GB"
    animation.finish()
    assert small.cells.width == pytest.approx(4, abs=0.05)  # 8 units, scaled by half
    assert small.number.quantity is goal and small.bound[0] is goal
    assert small.number.cap_height_px == pytest.approx(theme.SIZES["small"] / 2)
    with pytest.raises(ExplainError, match="one unit"):
        small.grow_to(q(3, "token"))


def test_stacked_strips_start_in_one_column() -> None:
    stack = CacheStack(strips(8e9, 1e9, name="cache"))
    assert len({round(strip.start[0], 6) for strip in stack.strips}) == 1
    assert stack.note.shown_text == "one cell = 100 MB"
    with pytest.raises(ExplainError, match="share one CacheScale"):
        CacheStack([*strips(8e9), *strips(1e9)])


def test_sizes_that_make_no_strip() -> None:
    scale = CacheScale.of(q(1e9, "B"))
    with pytest.raises(ExplainError, match="'token'"):
        CacheStrip(q(5, "token"), scale=scale)
    with pytest.raises(ExplainError, match="negative"):
        CacheStrip(q(-5.0, "B"), scale=scale)
    with pytest.raises(ExplainError, match="above zero"):
        CacheScale.of(q(0.0, "B"))
