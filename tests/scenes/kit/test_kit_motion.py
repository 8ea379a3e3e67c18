"""Numbers that count, grids that morph and appear, and real plays under stock Manim."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from manim import FadeIn, FadeOut, Scene, tempconfig

from explainers.errors import ExplainError
from explainers.formatting import shown_matches
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray
from scenes.kit import CountingNumber, NumberLabel, TensorGrid, VectorColumn, role


def q(value: float, unit: str = "") -> Quantity:
    return computed(value, unit, "made up for a test", name=f"made up {value}")


def values(*shape: int, seed: int = 0) -> NamedArray:
    axes = ("token", "dim")[-len(shape) :]
    return NamedArray(np.random.default_rng(seed).normal(size=shape), axes, "example")


def test_a_number_label_says_its_quantity() -> None:
    text = NumberLabel(q(70272, "B"), "si", after=" a token")
    assert text.shown_text == "70.3 kB a token"
    assert shown_matches(text.shown_text, text.quantity)
    with pytest.raises(ExplainError, match="holds digits"):
        NumberLabel(q(3), after=" of 7")
    with pytest.raises(ExplainError, match="cannot read the number format"):
        NumberLabel(q(3), "loud")


def test_a_number_counts_and_stays_at_its_edge() -> None:
    counter = CountingNumber(q(9), q(70272), size="display").scale(0.7)
    left, cap = counter.get_left()[0], counter.cap_height_px
    animation = counter.count()
    animation.begin()
    for share in (0.0, 0.3, 0.6, 1.0):
        animation.interpolate(share)
        assert counter.get_left()[0] == pytest.approx(left)
        assert counter.cap_height_px == pytest.approx(cap)
        assert shown_matches(counter.shown_text, counter.quantity)
    animation.finish()
    assert counter.quantity is counter.end and counter.shown_text == "70,272"
    assert isinstance(counter.show(0.5).quantity.value, int)
    assert counter.quantity.origin.inputs == (counter.start, counter.end)


def test_geometric_counts_multiply() -> None:
    counter = CountingNumber(q(1.0), q(10000.0), edge="right", geometric=True)
    right = counter.get_right()[0]
    assert counter.show(0.5).quantity.value == pytest.approx(100)
    assert counter.get_right()[0] == pytest.approx(right)
    with pytest.raises(ExplainError, match="positive"):
        CountingNumber(q(0), q(10), geometric=True)
    with pytest.raises(ExplainError, match="one unit"):
        CountingNumber(q(1, "B"), q(10))


def test_a_grid_morphs_through_the_values_between() -> None:
    start, end = values(3, 4), values(3, 4, seed=1)
    grid = TensorGrid(start)
    animation = grid.morph_to(end, rate_func=lambda t: t)
    animation.begin()
    animation.interpolate(0.5)
    between = grid.colours_of((start.values + end.values) / 2)
    assert np.array_equal(grid.image.pixel_array, between)
    animation.finish()
    assert grid.bound == (end,)
    assert np.array_equal(grid.image.pixel_array, grid.colours_of(end.values))
    with pytest.raises(ExplainError, match="build a new one"):
        grid.morph_to(values(4, 4))


@pytest.mark.parametrize("along", ["rows", "columns"])
def test_a_grid_appears_in_order(along: str) -> None:
    grid = TensorGrid(values(6, 8))
    animation = grid.reveal(along)
    animation.begin()
    animation.interpolate(0.5)
    alpha = grid.image.pixel_array[:, :, 3].mean(axis=1 if along == "rows" else 0)
    assert alpha[0] == 255 and alpha[-1] == 0 and (np.diff(alpha) <= 0).all()
    animation.interpolate(1)
    animation.finish()
    assert (grid.image.pixel_array[:, :, 3] == 255).all()
    with pytest.raises(ExplainError, match="rows or columns"):
        grid.reveal("diagonals")


class Play(Scene):
    """What a lecture does with a grid and a number."""

    def construct(self) -> None:
        self.camera.background_color = role("ground")
        grid = TensorGrid(values(4, 12), role="latent", name="c")
        counter = CountingNumber(q(9), q(5000)).next_to(grid, direction=np.array([0, -1, 0]))
        self.play(FadeIn(grid), run_time=0.2)
        self.play(grid.morph_to(values(4, 12, seed=3)), counter.count(), run_time=0.2)
        self.play(grid.animate.scale(0.5).shift([-3, 0, 0]), run_time=0.2)
        self.play(FadeOut(VectorColumn(values(9))), run_time=0.2)
        self.grid, self.counter = grid, counter


@pytest.mark.render
@pytest.mark.parametrize("caching", [False, True])
def test_the_kit_plays_under_stock_manim(tmp_path: Path, caching: bool) -> None:
    settings = {
        "media_dir": tmp_path,
        "pixel_width": 320,
        "pixel_height": 180,
        "frame_rate": 15,
        "disable_caching": not caching,
        "verbosity": "ERROR",
        "progress_bar": "none",
    }
    with tempconfig(settings):
        scene = Play()
        scene.render()
    assert list(tmp_path.rglob("*.mp4"))
    assert scene.counter.shown_text == "5,000"
    assert scene.grid.image.get_center()[0] < -2
    assert scene.grid.bound[0].values[0, 0] == values(4, 12, seed=3).values[0, 0]
