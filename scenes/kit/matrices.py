"""Products of real matrices, and the shapes that low rank saves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from manim import DOWN, RIGHT, UP, Animation, Group, Polygon, Rectangle, RoundedRectangle, VGroup

from explainers.errors import ExplainError
from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity, perturb
from scenes.kit.numbers import NumberLabel
from scenes.kit.scales import ColorScale
from scenes.kit.tensors import ShapeLabel, TensorGrid
from scenes.kit.text import Label, mono


class MatrixProduct(DataBound, Group):
    """``a · b = out`` with real matrices: each a grid, each with its name and shape.

    >>> product = MatrixProduct(h, w_down, c_kv, names=("h", "W_DKV", "c_KV"), roles=("token", "", "latent"))
    >>> self.play(product.sweep())

    The values are checked: ``out`` must be the product of ``a`` (m, k) and ``b`` (k, n), or the picture is refused.
    All three share one size of cell, so that shapes compare; long axes are cut with an ellipsis.
    """

    def __init__(
        self,
        a: NamedArray,
        b: NamedArray,
        out: NamedArray,
        *,
        names: tuple[str, str, str] = ("", "", ""),
        roles: tuple[str, str, str] = ("", "", ""),
        cell: float = 0.17,
        max_rows: int = 20,
        max_columns: int = 20,
        size: str | float = "small",
        tolerance: float = 1e-4,
    ) -> None:
        super().__init__()
        for array, what in ((a, "a"), (b, "b"), (out, "out")):
            as_array(array, f"MatrixProduct: {what}", 2)
        self._check(a, b, out, tolerance)
        self.bound = Bound((a, b, out))
        limits = {"cell": cell, "max_rows": max_rows, "max_columns": max_columns, "notes": False, "bar": False}
        self.grids = tuple(
            TensorGrid(array, role=role, scale=ColorScale.of(array), **limits)  # type: ignore[arg-type]
            for array, role in zip((a, b, out), roles, strict=True)
        )
        signs = (Label("·", "display", "muted"), Label("=", "heading", "muted"))
        parts: list[Any] = [self.grids[0], signs[0], self.grids[1], signs[1], self.grids[2]]
        Group(*parts).arrange(RIGHT, buff=0.3)
        self.names, self.shapes = VGroup(), VGroup()
        for grid, array, name, role in zip(self.grids, (a, b, out), names, roles, strict=True):
            if name:
                self.names.add(mono(name, size, role or "text").next_to(grid, UP, buff=0.16))
            self.shapes.add(ShapeLabel(array, "tick").next_to(grid, DOWN, buff=0.14))
        self.add(*parts, self.names, self.shapes)
        self.center()

    def perturbed(self) -> Self:
        """The same picture for another ``a``; the result is computed again."""
        a, b, out = self.bound
        other = as_array(perturb(a), "MatrixProduct", 2)
        product = other.values.astype(np.float64) @ b.values.astype(np.float64)
        return self.rebind(other, b, NamedArray(product, out.axes, out.name, out.unit, out.labels))

    @staticmethod
    def _check(a: NamedArray, b: NamedArray, out: NamedArray, tolerance: float) -> None:
        left, right, shown = (each.values.astype(np.float64) for each in (a, b, out))
        if left.shape[1] != right.shape[0] or shown.shape != (left.shape[0], right.shape[1]):
            raise ExplainError(f"{left.shape} · {right.shape} is not of shape {shown.shape}; check the axes")
        product = left @ right
        error = float(np.abs(product - shown).max()) / max(float(np.abs(product).max()), 1e-30)
        if error > tolerance:
            raise ExplainError(f"{out.name or 'out'} is not the product of the two matrices (error {error:.2g})")

    def sweep(self, **options: Any) -> Sweep:
        """The animation of the product: row times column, one cell of the result after the other."""
        return Sweep(self, **options)


class Sweep(Animation):
    """A row of ``a`` and a column of ``b`` light up, and their cell of the result appears."""

    def __init__(
        self,
        product: MatrixProduct,
        run_time: float = 3.0,
        rate_func: Callable[[float], float] = lambda t: t,
        **options: Any,
    ) -> None:
        self._row = Rectangle(stroke_color=theme.role("accent"), stroke_width=3)
        self._column = self._row.copy()
        self._opaque = product.grids[2].image.pixel_array[:, :, 3].copy()
        super().__init__(product, run_time=run_time, rate_func=rate_func, **options)

    def begin(self) -> None:
        """Put the two frames in place; the result starts empty."""
        self.mobject.add(self._row, self._column)
        super().begin()

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the cells computed so far and the pair at work."""
        a, b, out = self.mobject.grids
        drawn = [
            (r, c) for r, row in enumerate(out.rows) for c, column in enumerate(out.columns) if min(row, column) >= 0
        ]
        done = min(int(self.rate_func(alpha) * len(drawn)), len(drawn) - 1)
        arrived = np.zeros_like(self._opaque)
        for row, column in drawn[: done + 1]:
            arrived[row, column] = 255
        out.image.pixel_array[:, :, 3] = np.minimum(self._opaque, arrived)
        row, column = drawn[done]
        self._row.become(a.highlight(row=out.rows[row]))
        self._column.become(b.highlight(column=out.columns[column]))

    def finish(self) -> None:
        """Leave the whole result and take the frames away."""
        super().finish()
        self.mobject.grids[2].image.pixel_array[:, :, 3] = self._opaque
        self.mobject.remove(self._row, self._column)


class Bottleneck(DataBound, VGroup):
    """Down, keep the latent, up: columns whose heights are their numbers of values, joined by tapering maps.

    >>> Bottleneck([hidden, rank, keys], names=("h", "c", "k"), roles=("token", "latent", "key"))

    Heights are proportional to the Quantities; the smallest is drawn at least 0.06 units tall and says its number.
    ``stages[i]`` is the i-th column, ``maps[i]`` the map after it.
    """

    def __init__(
        self,
        sizes: list[Quantity],
        *,
        names: tuple[str, ...] = (),
        roles: tuple[str, ...] = (),
        height: float = 3.6,
        thickness: float = 0.42,
        gap: float = 1.9,
        size: str | float = "small",
        numbers: bool = True,
    ) -> None:
        super().__init__()
        if len(sizes) < 2:
            raise ExplainError("a Bottleneck needs at least two sizes")
        for each in sizes:
            if as_quantity(each, "Bottleneck").value <= 0:
                raise ExplainError(f"Bottleneck: {each.short()} is {each.value}; sizes are above zero")
        self.bound = Bound.of(sizes)
        roles = roles or ("muted",) * len(sizes)
        names = names or ("",) * len(sizes)
        if not len(sizes) == len(names) == len(roles):
            raise ExplainError(f"{len(sizes)} sizes need as many names and roles, not {len(names)} and {len(roles)}")
        unit = height / max(float(each) for each in sizes)
        self.stages, self.maps, self.words = VGroup(), VGroup(), VGroup()
        for index, (value, name, role) in enumerate(zip(sizes, names, roles, strict=True)):
            tall = max(float(value) * unit, 0.06)
            stage = RoundedRectangle(
                width=thickness,
                height=tall,
                corner_radius=min(0.08, tall / 3),
                stroke_width=0,
                fill_color=theme.role(role),
                fill_opacity=1,
            ).shift(RIGHT * index * (thickness + gap))
            self.stages.add(stage)
            words = VGroup()
            if name:
                words.add(Label(name, size, role))
            if numbers:
                words.add(NumberLabel(value, "plain bare", size=size, role="muted", weight="regular"))
            if len(words):
                self.words.add(words.arrange(DOWN, buff=0.04).next_to(stage, DOWN, buff=0.16))
        for left, right in zip(self.stages, self.stages[1:], strict=False):
            inset = RIGHT * 0.1
            corners = [
                left.get_corner(UP + RIGHT) + inset,
                right.get_corner(UP - RIGHT) - inset,
                right.get_corner(DOWN - RIGHT) - inset,
                left.get_corner(DOWN + RIGHT) + inset,
            ]
            self.maps.add(
                Polygon(*corners, stroke_width=1.5, stroke_color=theme.role("hairline")).set_fill(
                    theme.role("surface"), 1
                )
            )
        self.add(self.maps, self.stages, self.words)
        self.center()
