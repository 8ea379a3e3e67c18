"""Cells and tensors: colours, scales and counts are those of the data."""

from __future__ import annotations

import numpy as np
import pytest

from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray, Trace
from scenes.kit import (
    CellImage,
    ColorBar,
    ColorScale,
    TensorGrid,
    VectorColumn,
    palette,
    quantity_at,
    role,
    summary,
    theme,
)


def q(value: float, unit: str = "", name: str = "made up") -> Quantity:
    return computed(value, unit, "made up for a test", name=name)


def line(*numbers: float, axis: str = "step", unit: str = "") -> NamedArray:
    return NamedArray(np.array(numbers, dtype=float), (axis,), "example", unit)


def test_cells_have_the_colours_of_their_values(shoot) -> None:
    values = NamedArray(np.array([[-1.0, 0.0, 1.0], [0.5, -0.5, 0.25]]), ("a", "b"))
    grid = TensorGrid(values, cell=1.0, bar=False, notes=False)
    pixels = shoot(grid, width=960)
    for r in range(2):
        for c in range(3):
            x, y, _ = grid.cell(r, c)
            found = pixels[int(270 - y * 67.5), int(480 + x * 67.5)]
            wanted = palette.from_hex(grid.scale_of_colour.hex(values.values[r, c])) * 255
            assert np.abs(found - wanted).max() <= 1, (r, c)


@pytest.mark.parametrize("width", [854, 1280, 1920])
def test_cells_are_crisp_at_every_size(width: int, shoot) -> None:
    colours = np.zeros((8, 12, 3), dtype=np.uint8)
    colours[::2, ::2] = colours[1::2, 1::2] = (255, 0, 0)
    colours[colours.sum(2) == 0] = (0, 0, 255)
    image = CellImage(colours, width=3.3, height=2.2, gap=0, rounding=0)
    pixels = shoot(image, width=width)
    seen = {tuple(colour) for colour in pixels.reshape(-1, 3)}
    assert seen == {(255, 0, 0), (0, 0, 255), tuple(role("ground").to_int_rgb())}


def test_an_image_is_small_whatever_its_size_on_screen() -> None:
    image = CellImage(np.zeros((4, 6, 3), dtype=np.uint8), width=12, height=7)
    assert image.pixel_array.shape == (4, 6, 4)
    assert image.get_pixel_array().shape[0] > 500
    with pytest.raises(ExplainError, match="rows, columns"):
        CellImage(np.zeros((4, 6), dtype=np.uint8), width=1, height=1)


def test_long_axes_say_how_much_is_shown() -> None:
    grid = TensorGrid(NamedArray(np.ones((4, 512)), ("token", "latent")), max_columns=20)
    texts = [part.shown_text for part in grid.notes.get_family() if hasattr(part, "shown_text")]
    assert texts == ["latent 19", "of 512", "token 4"]
    assert len(grid.columns) == 20 and grid.columns[-1] == 511
    with pytest.raises(ExplainError, match="column 100 is not drawn: the grid shows 19 of 512; raise max_columns"):
        grid.cell(0, 100)
    assert grid.cell(0, -1)[0] > grid.cell(0, 5)[0]


def test_the_gap_of_an_ellipsis_is_empty(shoot) -> None:
    grid = TensorGrid(NamedArray(np.ones((1, 40)), ("a", "b")), max_columns=5, cell=0.8, bar=False, notes=False)
    assert grid.image.pixel_array[0, :, 3].tolist() == [255, 255, 255, 0, 255]


def test_one_scale_over_two_arrays_gives_one_colour_for_one_value() -> None:
    small, large = line(0.5, 1.0), line(0.5, 4.0)
    shared = ColorScale.of(small, large)
    one, other = (TensorGrid(each, scale=shared, bar=False) for each in (small, large))
    assert np.array_equal(one.image.pixel_array[0], other.image.pixel_array[0])
    assert not np.array_equal(TensorGrid(small).image.pixel_array[0], one.image.pixel_array[0])


def test_a_signed_scale_is_symmetric_and_zero_stands_back() -> None:
    scale = ColorScale.of(line(-1.0, 3.0))
    assert (scale.low.value, scale.high.value) == (-3.0, 3.0)
    assert palette.contrast(scale.hex(0.0), theme.colour("ground")) < 1.3
    assert palette.contrast(scale.hex(3.0), theme.colour("ground")) > 8
    constant = ColorScale.of(line(2.0, 2.0), kind="diverging")
    assert scale.hex(9.0) == scale.hex(3.0)
    assert constant.hex(2.0) == scale.hex(3.0)
    with pytest.raises(ExplainError, match="runs backwards"):
        ColorScale("sequential", q(2.0), q(1.0))


@pytest.mark.parametrize("vertical", [True, False])
@pytest.mark.parametrize("values", [(0.0, 5.0), (-2.0, 5.0)])
def test_a_colour_bar_shows_the_colours_of_its_values(values: tuple[float, float], vertical: bool, shoot) -> None:
    scale = ColorScale.of(line(*values))
    bar = ColorBar(scale, length=6, thickness=0.5, vertical=vertical)
    pixels = shoot(bar, width=960)
    low, high = scale.low.value, scale.high.value
    for share in (0.02, 0.25, 0.5, 0.8, 0.98):
        along = (share - 0.5) * 6
        x, y, _ = bar.strip.get_center() + (np.array([0, along, 0]) if vertical else np.array([along, 0, 0]))
        found = palette.to_hex(pixels[int(270 - y * 67.5), int(480 + x * 67.5)] / 255)
        assert palette.distance(found, scale.hex(low + share * (high - low))) < 0.03, share


def test_columns_of_one_cell_size_are_to_scale() -> None:
    tall, short = VectorColumn(line(*range(24)), cell=0.1), VectorColumn(line(*range(6)), cell=0.1)
    assert tall.image.height / short.image.height == pytest.approx(4)


def test_highlights_frame_what_they_name() -> None:
    grid = TensorGrid(NamedArray(np.ones((4, 6)), ("a", "b")), cell=0.5)
    cell = grid.highlight(row=1, column=2)
    assert np.allclose(cell.get_center(), grid.cell(1, 2))
    assert grid.highlight(row=1).width == pytest.approx(6 * 0.5 + 0.04)
    assert grid.highlight(column=2).height == pytest.approx(4 * 0.5 + 0.04)


def test_numbers_picked_from_arrays_know_their_run() -> None:
    array = Trace("low_rank", {"energy": line(0.25, 0.75, unit="%")})["energy"]
    picked = quantity_at(array, 1)
    assert (picked.value, picked.unit, picked.origin.run) == (0.75, "%", "low_rank")
    assert summary(array, "mean").value == 0.5
    with pytest.raises(ExplainError, match="median"):
        summary(array, "median")
