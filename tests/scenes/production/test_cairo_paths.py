"""Paths are those that Manim lays, to the last bit, whether they are laid anew or taken from what was kept."""

from __future__ import annotations

import cairo
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manim import Camera, VMobject
from numpy.typing import NDArray

from scenes.production.cairo_paths import Paths, trace

#: Few places, so that points fall together, some by less and some by more than what Manim takes for the same.
PLACE = st.sampled_from([0.0, -0.0, 1.0, 1.0 + 9e-6, 1.0 + 1.2e-5, 1.0 + 3e-5, -2.0, 5e-7, 2e-6, 1e300])
POINTS = st.lists(st.tuples(PLACE, PLACE), max_size=48)


def context() -> cairo.Context:
    ctx = cairo.Context(cairo.ImageSurface(cairo.FORMAT_ARGB32, 64, 36))
    ctx.set_matrix(cairo.Matrix(4.5, 0, 0, -4.5, 32, 18))
    return ctx


def manims(points: NDArray[np.float64]) -> list[object]:
    vmobject, ctx = VMobject(), context()
    vmobject.points = points
    Camera().set_cairo_context_path(ctx, vmobject)
    return list(ctx.copy_path())


@given(POINTS)
def test_a_path_is_manims(places: list[tuple[float, float]]) -> None:
    points = np.array([(*place, 0.0) for place in places]).reshape(-1, 3)
    ctx = context()
    laid = trace(ctx, points, VMobject().tolerance_for_point_equality)
    assert laid == (len(points) > 0 and len(points) % 4 == 0 and bool(np.isfinite(points.sum())))
    if laid:
        assert list(ctx.copy_path()) == manims(points)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_numbers_that_are_not_finite_are_left_to_manim(number: float, axis: int) -> None:
    points = np.arange(24.0).reshape(8, 3)
    points[5, axis] = number
    ctx = context()
    assert not trace(ctx, points, 1e-6)
    assert list(ctx.copy_path()) == []


def test_a_kept_path_is_the_one_that_was_laid_until_the_picture_has_another_size() -> None:
    paths, vmobject = Paths(), VMobject().set_points(np.random.default_rng(0).normal(size=(12, 3)))
    ctx, other = context(), context()
    other.set_matrix(cairo.Matrix(9, 0, 0, -9, 64, 36))
    wanted = manims(vmobject.points)
    for _ in range(4):
        extents = paths.lay(ctx, vmobject)
        assert list(ctx.copy_path()) == wanted
        assert extents == ctx.path_extents()
    paths.lay(other, vmobject)
    assert list(other.copy_path()) != wanted
    vmobject.points[3, 0] += 1
    paths.lay(other, vmobject)
    moved = context()
    moved.set_matrix(other.get_matrix())
    Camera().set_cairo_context_path(moved, vmobject)
    assert list(other.copy_path()) == list(moved.copy_path())
