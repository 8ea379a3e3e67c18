"""Data made up for the tests, a small camera, and a trap for LaTeX."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from manim import Camera, Mobject, config, tempconfig

from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray, Trace
from scenes.kit import theme

Shoot = Callable[..., np.ndarray]

# Some modules build objects while they are collected, in several processes at once: each has a folder of its own,
# because Manim writes the outline of a text in place and another process would read half of it.
config.media_dir = tempfile.mkdtemp(prefix="manim-kit-")


@pytest.fixture(scope="session", autouse=True)
def media(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Outlines of texts go to a temporary folder."""
    folder = tmp_path_factory.mktemp("media")
    before = config.media_dir
    config.media_dir = folder
    yield folder
    config.media_dir = before


@pytest.fixture(autouse=True)
def no_latex(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever asks for LaTeX fails."""

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("something asked for LaTeX")

    monkeypatch.setattr("manim.mobject.text.tex_mobject.tex_to_svg_file", refuse)
    monkeypatch.setattr("manim.utils.tex_file_writing.tex_to_svg_file", refuse)


@pytest.fixture
def shoot() -> Shoot:
    """``shoot(mobject, width=480)`` → pixels (height, width, 3) on the theme's ground."""

    def picture(*mobjects: Mobject, width: int = 480) -> np.ndarray:
        height = width * 9 // 16
        with tempconfig({"pixel_width": width, "pixel_height": height}):
            camera = Camera(pixel_width=width, pixel_height=height, background_color=theme.role("ground"))
            camera.capture_mobjects(list(mobjects))
            return camera.pixel_array[:, :, :3].astype(int)

    return picture


@pytest.fixture
def number() -> Callable[..., Quantity]:
    """``number(70272, "B")``: a Quantity."""

    def make(value: float, unit: str = "", name: str = "made up") -> Quantity:
        return computed(value, unit, "made up for a test", name=name)

    return make


@pytest.fixture
def array() -> Callable[..., NamedArray]:
    """``array(8, 16, axes=("token", "dim"))``: values of a run, signed unless ``positive``."""

    def make(*shape: int, axes: tuple[str, ...], seed: int = 0, positive: bool = False, labels=None) -> NamedArray:
        values = np.random.default_rng(seed).normal(size=shape)
        named = NamedArray(np.abs(values) + 0.1 if positive else values, axes, labels=labels or {})
        return Trace("made_up", {"example": named})["example"]

    return make
