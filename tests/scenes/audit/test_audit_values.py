"""Drawn from values: pictures that follow their data pass, others are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from manim import Square, VGroup

from explainers.references import resolve
from explainers.traces import NamedArray
from scenes.audit import values
from scenes.audit.findings import Notes
from scenes.audit.picture import Picture
from scenes.kit import (
    Bar,
    BarChart,
    BarRow,
    CacheScale,
    CacheStrip,
    ColorBar,
    ColorScale,
    CountingNumber,
    DataBound,
    Event,
    HeadSharing,
    LineChart,
    MatrixProduct,
    NumberLabel,
    Series,
    TensorGrid,
    Timeline,
    TokenRow,
    VectorColumn,
    role,
)
from scenes.kit.binding import Bound

LAYERS = resolve("v3.layers")
BYTES = resolve("v3.kv_bytes_per_token")


def ramp() -> NamedArray:
    labels = {"token": ("in", " the", " end")}
    return NamedArray(np.linspace(-1, 1, 15).reshape(3, 5), ("token", "feature"), "ramp", labels=labels)


def check(picture: Picture, notes: Notes) -> None:
    values.check(picture, notes, set())


def morphed() -> TensorGrid:
    grid = TensorGrid(ramp())
    change = grid.morph_to(NamedArray(ramp().values[::-1], ("token", "feature"), "other"))
    change.begin()
    change.finish()
    return grid


def grown() -> CacheStrip:
    strip = CacheStrip(BYTES, scale=CacheScale.of(BYTES * 2), limit=BYTES * 3)
    change = strip.grow_to(BYTES * 2)
    change.begin()
    change.finish()
    return strip


def product() -> MatrixProduct:
    a = NamedArray(np.arange(6.0).reshape(2, 3), ("token", "hidden"), "a")
    b = NamedArray(np.arange(12.0).reshape(3, 4) - 5, ("hidden", "latent"), "b")
    return MatrixProduct(a, b, NamedArray(a.values @ b.values, ("token", "latent"), "c"))


class Half(DataBound, VGroup):
    """Draws the first of its two arrays only."""

    def __init__(self, one: NamedArray, two: NamedArray) -> None:
        super().__init__(Square(float(one.values.max()), color=role("key")))
        self.bound = Bound((one, two))


class Binary(DataBound, VGroup):
    """Tells only whether a number is positive: a picture that nearly ignores its data."""

    def __init__(self, one: NamedArray) -> None:
        super().__init__(Square(1 if one.values.sum() > -1e9 else 2, color=role("key")))
        self.bound = Bound((one,))


FOLLOW = {
    "grid": lambda: TensorGrid(ramp(), name="ramp", row_labels=True),
    "grid after a morph": morphed,
    "column": lambda: VectorColumn(ramp().pick(token=0), role="latent"),
    "number": lambda: NumberLabel(LAYERS),
    "counting": lambda: CountingNumber(LAYERS, LAYERS * 2),
    "colour bar": lambda: ColorBar(ColorScale.of(ramp())),
    "bars": lambda: BarChart([Bar("one", LAYERS), Bar("two", LAYERS * 3)]),
    "bar row": lambda: BarRow(ramp().pick(token=2)),
    "lines": lambda: LineChart([Series("a", ramp().pick(token=0)), Series("b", ramp().pick(token=1))]),
    "strip": lambda: CacheStrip(BYTES, scale=CacheScale.of(BYTES * 2), limit=BYTES * 3),
    "strip after growth": grown,
    "tokens": lambda: TokenRow(ramp()),
    "product": product,
    "sharing": lambda: HeadSharing(resolve("v3.heads"), resolve("v3.heads") / 16),
    "dates": lambda: Timeline([Event(resolve(f"fact.timeline.{name}.date"), name) for name in ("v2", "v3")]),
    "small copy": lambda: TensorGrid(ramp()).scale(0.3).shift([2, 1, 0]),
}


@pytest.mark.parametrize("name", sorted(FOLLOW))
def test_pictures_that_follow_their_data_pass(easel: Any, name: str) -> None:
    assert easel.codes(check, FOLLOW[name]()) == set()


def test_a_datum_that_is_ignored_is_found(easel: Any) -> None:
    assert easel.codes(check, Half(ramp(), ramp())) == {"ignores-data"}
    assert easel.codes(check, Binary(ramp())) == {"ignores-data"}


def test_painted_cells_are_found(easel: Any) -> None:
    grid = TensorGrid(ramp())
    grid.image.pixel_array[0, 0, :3] = (255, 0, 0)
    assert easel.codes(check, grid) == {"not-its-data"}
    grid = TensorGrid(ramp())
    grid.bound = Bound((NamedArray(-ramp().values, ("token", "feature"), "other"),))
    assert easel.codes(check, grid) == {"not-its-data"}


def test_dimmed_cells_are_still_their_data(easel: Any) -> None:
    grid = TensorGrid(ramp())
    grid.set_opacity(0.3)
    assert easel.codes(check, grid) == set()


def test_every_kind_of_datum_is_perturbed_clearly() -> None:
    for array in (np.arange(6.0), np.zeros(4), np.ones(3, dtype=bool), np.arange(4), np.full(3, 7)):
        datum = NamedArray(array, ("x",))
        assert any(not np.array_equal(other.values, array) for other in values.perturbed(datum))
    for quantity in (LAYERS, LAYERS * 0, LAYERS / 1000):
        assert all(other.value != quantity.value for other in values.perturbed(quantity))
