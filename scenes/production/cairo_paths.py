"""The paths that Cairo draws: laid as Manim lays them, and kept when their points come again."""

from __future__ import annotations

import itertools
import math

import cairo
import numpy as np
from manim import VMobject
from numpy.typing import NDArray

#: What remembered paths may take, in bytes.
_BYTES = 64 * 10**6
_RELATIVE = 1.0e-5  # within which Manim takes two points for one, beside a mobject's own tolerance

#: Left, top, right, bottom in user coordinates.
Extents = tuple[float, float, float, float]


class Paths:
    """Paths as Cairo made them, by the points that they were made of; one is kept when its points come again."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bytes, float], tuple[cairo.Path, Extents]] = {}
        self._seen: set[int] = set()
        self._room, self._matrix = _BYTES, cairo.Matrix()

    def lay(self, ctx: cairo.Context, vmobject: VMobject) -> Extents | None:
        """Make the path of a mobject that of the context; None where it is one that only Manim's own code lays."""
        if ctx.get_matrix() != self._matrix:  # Cairo rounds to its own grid: what fits one is exact on that one
            self._forget()
            self._matrix = ctx.get_matrix()
        key = vmobject.points.tobytes(), vmobject.tolerance_for_point_equality
        ctx.new_path()
        if known := self._kept.get(key):
            ctx.append_path(known[0])
            return known[1]
        if not trace(ctx, vmobject.points, key[1]):
            return None
        extents: Extents = ctx.path_extents()
        mark = hash(key)
        if mark not in self._seen:
            self._seen.add(mark)
        else:
            self._room -= 2 * len(key[0])
            if self._room < 0:
                self._forget()
            self._kept[key] = ctx.copy_path(), extents
        return extents

    def _forget(self) -> None:
        self._kept.clear()
        self._seen.clear()
        self._room = _BYTES


def trace(ctx: cairo.Context, points: NDArray[np.float64], tolerance: float) -> bool:
    """Add the curves of ``points`` (shape (4 * curves, 3)) to the context's path, to the last bit as Manim does.

    `Camera.set_cairo_context_path` takes each number out of an array by itself; here a list of all is made at once.
    False, and nothing added, where something is special about them: no whole curves, or a number that is not finite.
    """
    if not len(points) or len(points) % 4 or not math.isfinite(points.sum()):
        return False
    flat = points[:, :2].reshape(-1).tolist()
    ends, begins = points[3:-1:4, :2], points[4::4, :2]
    apart = (np.abs(ends - begins) > tolerance + _RELATIVE * np.abs(begins)).any(axis=1)
    firsts = [0, *((np.flatnonzero(apart) + 1) * 8).tolist(), len(flat)]
    curve_to = ctx.curve_to
    for first, last in itertools.pairwise(firsts):
        ctx.new_sub_path()
        ctx.move_to(flat[first], flat[first + 1])
        for at in range(first + 2, last, 8):
            curve_to(*flat[at : at + 6])
        if all(
            abs(flat[first + axis] - flat[last - 2 + axis]) <= tolerance + _RELATIVE * abs(flat[last - 2 + axis])
            for axis in (0, 1)
        ):
            ctx.close_path()
    return True
