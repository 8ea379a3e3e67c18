"""Lengths, places and colours are those of the data."""

from __future__ import annotations

import numpy as np
import pytest
from manim import DOWN, RIGHT, UP, Dot, Square, VGroup

from explainers.errors import ExplainError
from explainers.quantities import Cited, Quantity, computed
from explainers.traces import NamedArray, Trace
from scenes.kit import (
    AttentionMap,
    Axes2D,
    Axis,
    AxisTick,
    Bar,
    BarChart,
    BarRow,
    Bottleneck,
    Bracket,
    CacheScale,
    CacheStack,
    CacheStrip,
    Callout,
    CellImage,
    ColorBar,
    ColorScale,
    ExpertGrid,
    Flow,
    FlowFan,
    HeadSharing,
    Legend,
    LineChart,
    MatrixProduct,
    NumberLabel,
    OriginLine,
    Roof,
    RooflineChart,
    ScatterChart,
    Series,
    Spot,
    TensorGrid,
    TokenChip,
    TokenRow,
    VectorColumn,
    Work,
    column,
    fit_stage,
    fit_width,
    in_safe_area,
    origin_text,
    palette,
    quantity_at,
    role,
    row,
    spread,
    summary,
    theme,
    visible,
)


def q(value: float, unit: str = "", name: str = "made up") -> Quantity:
    return computed(value, unit, "made up for a test", name=name)


def line(*numbers: float, axis: str = "step", unit: str = "") -> NamedArray:
    return NamedArray(np.array(numbers, dtype=float), (axis,), "example", unit)


# ---------------------------------------------------------------------- cells and tensors
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


# ---------------------------------------------------------------------- caches
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


# ---------------------------------------------------------------------- charts
@pytest.mark.parametrize(
    ("axis", "wanted"),
    [
        (Axis(0, 1), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (Axis(0, 128), ["0", "50", "100"]),
        (Axis(0, 12), ["0.0", "2.5", "5.0", "7.5", "10.0"]),
        (Axis(1e3, 1e6, "cache", "B", log=True), ["1 kB", "10 kB", "100 kB", "1 MB"]),
        (Axis(0.7, 30, log=True), ["1", "2", "5", "10", "20"]),
        (Axis(0, 100, unit="%"), ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]),
        (Axis(4096, 131072, log=True, ticks=(4096, 131072), fmt="plain"), ["4,096", "131,072"]),
        (Axis(-2e-4, 2e-4), ["−0.0002", "−0.0001", "0.0000", "0.0001", "0.0002"]),
    ],
)
def test_ticks_are_round_and_say_their_value(axis: Axis, wanted: list[str]) -> None:
    assert [axis.tick(place).shown_text for place in axis.places()] == wanted


def test_a_tick_that_would_lie_is_refused() -> None:
    with pytest.raises(ExplainError, match="does not say 1234.5"):
        AxisTick(1234.5, fmt="si 1")
    assert AxisTick(0.25).tick_value == 0.25


def test_axes_map_values_and_follow_moves() -> None:
    axes = Axes2D(Axis(0, 10), Axis(1, 1000, log=True), width=5, height=3).shift(RIGHT + UP).scale(0.5)
    low, middle, high = axes.point(0, 1), axes.point(5, 10**1.5), axes.point(10, 1000)
    assert np.allclose(middle, (low + high) / 2)
    assert np.allclose(high - low, [2.5, 1.5, 0])
    assert np.allclose(axes.points_of(np.array([0, 10]), np.array([1, 1000])), [low, high])


@pytest.mark.parametrize("bad", [(1, 1, False), (2, 1, False), (0, 1, True), (float("nan"), 1, False)])
def test_impossible_axes(bad: tuple[float, float, bool]) -> None:
    with pytest.raises(ExplainError):
        Axis(bad[0], bad[1], "x", log=bad[2])


def test_log_scales_say_so() -> None:
    assert Axis(1, 10, "cache", "FLOP/B", log=True).caption() == "cache, FLOP/B, log scale"
    chart = BarChart([Bar("a", q(1e3, "B")), Bar("b", q(1e6, "B"))], log=True, name="cache")
    texts = [part.shown_text for part in chart.get_family() if hasattr(part, "shown_text")]
    assert "cache, log scale" in texts
    linear = BarChart([Bar("a", q(1e3, "B")), Bar("b", q(1e6, "B"))], name="cache")
    texts = [part.shown_text for part in linear.get_family() if hasattr(part, "shown_text")]
    assert texts.count("cache") == 1 and not any("log" in text for text in texts)


@pytest.mark.parametrize("horizontal", [True, False])
def test_bars_are_as_long_as_their_values(horizontal: bool) -> None:
    chart = BarChart([Bar("a", q(2.0)), Bar("b", q(8.0)), Bar("c", q(-4.0))], horizontal=horizontal, length=6)
    long = {name: bar.width if horizontal else bar.height for name, bar in chart.bars.items()}
    assert long["b"] / long["a"] == pytest.approx(4)
    assert long["b"] + long["c"] == pytest.approx(6)
    foot = chart.bar("a").get_left()[0] if horizontal else chart.bar("a").get_bottom()[1]
    end = chart.bar("c").get_right()[0] if horizontal else chart.bar("c").get_top()[1]
    assert foot == pytest.approx(end)
    with pytest.raises(ExplainError, match="share one unit"):
        BarChart([Bar("a", q(2.0)), Bar("b", q(8.0, "B"))])
    with pytest.raises(ExplainError, match="did you mean"):
        chart.bar("aa")


def test_a_row_of_bars_marks_the_chosen_ones() -> None:
    chart = BarRow(line(0.1, 0.4, 0.2), marked=(1,))
    assert chart.bars[1].height / chart.bars[0].height == pytest.approx(4)
    assert chart.bars[1].get_fill_color() == role("accent") != chart.bars[0].get_fill_color()
    with pytest.raises(ExplainError, match="entry 5"):
        BarRow(line(0.1, 0.4), marked=(5,))


def test_curves_pass_through_their_values() -> None:
    chart = LineChart([Series("a", line(1, 4, 2), line(0, 1, 4)), Series("b", line(3, 3, 3), line(0, 1, 4))])
    assert np.allclose(chart.curves["a"].get_start(), chart.axes.point(0, 1))
    assert np.allclose(chart.curves["a"].get_end(), chart.axes.point(4, 2))
    assert np.allclose(chart.at("a", 1), chart.axes.point(1, 4))
    assert np.allclose(chart.marker("a", 1).get_center(), chart.at("a", 1))
    with pytest.raises(ExplainError, match="3 values but 2 in x"):
        Series("a", line(1, 2, 3), line(1, 2))
    with pytest.raises(ExplainError, match="logarithmic axis cannot hold -1"):
        LineChart([Series("a", line(1, -1))], y_log=True)


def test_names_at_the_ends_do_not_overlap() -> None:
    chart = LineChart([Series(f"curve {name}", line(0, 1 + i / 1000)) for i, name in enumerate("abcd")])
    boxes = sorted((name.get_bottom()[1], name.get_top()[1]) for name in chart.names.values())
    assert all(low_top <= high_bottom + 1e-3 for (_, low_top), (high_bottom, _) in zip(boxes, boxes[1:], strict=False))


def test_bands_are_as_wide_as_the_spread() -> None:
    chart = LineChart([Series("a", line(5, 5, 5), spread=line(1, 1, 1)), Series("b", line(0, 10, 0))])
    unit = chart.axes.point(0, 1)[1] - chart.axes.point(0, 0)[1]
    assert chart.bands["a"].height == pytest.approx(2 * unit)
    assert chart.band_note.shown_text == "band: standard deviation over runs"


def test_points_stand_at_their_values_with_whiskers() -> None:
    uncertain = Quantity(3.0, "", Cited("a source", "2026-01-01"), spread=0.5)
    chart = ScatterChart([Spot("a", q(10.0), q(2.0)), Spot("b", q(100.0), uncertain)], x_log=True)
    assert np.allclose(chart.dots["a"].get_center(), chart.axes.point(10, 2))
    assert list(chart.whiskers) == ["b"]
    assert chart.whiskers["b"].height == pytest.approx(chart.axes.point(10, 3.5)[1] - chart.axes.point(10, 2.5)[1])


def chips() -> RooflineChart:
    roofs = [Roof("fast", q(1e15, "FLOP/s"), q(4e12, "B/s"))]
    return RooflineChart(roofs, [Work("decode", q(2.0, "FLOP/B")), Work("prefill", q(1000.0, "FLOP/B"))])


def test_work_stands_on_the_roof() -> None:
    chart = chips()
    assert chart.roofs["fast"].ridge().value == 250
    assert chart.attainable("decode").value == 8e12
    assert chart.attainable("prefill").value == 1e15
    assert np.allclose(chart.dots["decode"].get_center(), chart.axes.point(2, 8e12))
    assert np.allclose(chart.ridge_line("fast").get_start(), chart.axes.point(250, 1e15))
    with pytest.raises(ExplainError, match="not in FLOP/s"):
        Roof("wrong", q(1.0, "B/s"), q(1.0, "B/s"))
    with pytest.raises(ExplainError, match="not in FLOP/B"):
        Work("wrong", q(1.0, "FLOP"))


def test_work_slides_along_the_roof() -> None:
    chart = chips()
    goal = q(500.0, "FLOP/B")
    animation = chart.move("decode", goal)
    animation.begin()
    animation.interpolate(0.5)
    middle = chart.dots["decode"].get_center()
    assert np.allclose(middle, chart.axes.point(1000**0.5, 4e12 * 1000**0.5))
    animation.interpolate(1)
    animation.finish()
    assert np.allclose(chart.dots["decode"].get_center(), chart.axes.point(500, 1e15))
    assert goal in chart.bound


# ---------------------------------------------------------------------- matrices, attention, experts, flows
def test_a_product_that_is_wrong_is_refused() -> None:
    a, b = NamedArray(np.ones((2, 3)), ("t", "d")), NamedArray(np.ones((3, 4)), ("d", "c"))
    good = NamedArray(np.full((2, 4), 3.0), ("t", "c"), "out")
    product = MatrixProduct(a, b, good)
    assert [grid.image.cells for grid in product.grids] == [(2, 3), (3, 4), (2, 4)]
    with pytest.raises(ExplainError, match="out is not the product"):
        MatrixProduct(a, b, NamedArray(np.full((2, 4), 3.1), ("t", "c"), "out"))
    with pytest.raises(ExplainError, match="not of shape"):
        MatrixProduct(a, a, good)


def test_the_product_appears_cell_by_cell() -> None:
    a, b = NamedArray(np.ones((2, 3)), ("t", "d")), NamedArray(np.ones((3, 4)), ("d", "c"))
    product = MatrixProduct(a, b, NamedArray(np.full((2, 4), 3.0), ("t", "c")))
    animation = product.sweep()
    animation.begin()
    animation.interpolate(0.49)
    alpha = product.grids[2].image.pixel_array[:, :, 3]
    assert alpha.tolist() == [[255] * 4, [0] * 4]
    animation.interpolate(1)
    animation.finish()
    assert (product.grids[2].image.pixel_array[:, :, 3] == 255).all()


def test_bottleneck_heights_are_the_sizes() -> None:
    shape = Bottleneck([q(128), q(32), q(256)], names=("h", "c", "k"))
    heights = [stage.height for stage in shape.stages]
    assert heights[0] / heights[1] == pytest.approx(4)
    assert heights[2] / heights[1] == pytest.approx(8)


def test_the_future_is_not_drawn() -> None:
    weights = NamedArray(np.tril(np.ones((4, 4))), ("query", "key"), "w")
    alpha = AttentionMap(weights).image.pixel_array[:, :, 3]
    assert np.array_equal(alpha > 0, np.tril(np.ones((4, 4))) > 0)
    with pytest.raises(ExplainError, match="look into the future"):
        AttentionMap(NamedArray(np.ones((4, 4)), ("query", "key"), "w"))


@pytest.mark.parametrize(
    ("heads", "stored", "drawn", "kept"), [(8, 8, 8, 8), (8, 2, 8, 2), (128, 1, 16, 1), (128, 8, 16, 1)]
)
def test_heads_share_what_the_config_says(heads: int, stored: int, drawn: int, kept: int) -> None:
    picture = HeadSharing(q(heads, "head"), q(stored, "head"))
    assert (len(picture.queries), len(picture.stored), len(picture.links)) == (drawn, kept, drawn)
    texts = [part.shown_text for part in picture.note.get_family() if hasattr(part, "shown_text")]
    assert (f"{drawn} of" in texts) == (drawn < heads)
    with pytest.raises(ExplainError, match="evenly"):
        HeadSharing(q(8, "head"), q(3, "head"))


def test_experts_stand_in_groups_and_shine_by_their_value() -> None:
    grid = ExpertGrid(line(0, 1, 2, 3, 0, 0, 0, 4, axis="expert"), groups=2, shared=1, outlined=(7,))
    assert (len(grid.squares), len(grid.boxes), len(grid.shared)) == (8, 2, 1)
    shine = [palette.luminance(square.get_fill_color().to_hex()[:7]) for square in grid.squares]
    assert shine[7] > shine[3] > shine[2] > shine[1] > shine[0]
    assert grid.squares[3].get_right()[0] < grid.boxes[1].get_left()[0]
    with pytest.raises(ExplainError, match="8 experts do not divide into 3 groups"):
        ExpertGrid(line(*range(8)), groups=3)


def test_flows_are_as_wide_as_their_values() -> None:
    source, targets = Dot(UP * 2), [Square(0.3).shift(RIGHT * i) for i in range(4)]
    fan = FlowFan(source, targets, line(0.5, 0.0, 0.25, 0.25))
    assert sorted(fan.lines) == [0, 2, 3]
    widths = {index: each.get_stroke_width() for index, each in fan.lines.items()}
    assert widths[0] / widths[2] == pytest.approx(2)
    thin, thick = (Flow(source, targets[0], q(value)).line.get_stroke_width() for value in (1.0, 3.0))
    assert thick / thin == pytest.approx(3)
    with pytest.raises(ExplainError, match="negative"):
        Flow(source, targets[0], q(-1.0))
    with pytest.raises(ExplainError, match="3 weights for 4 targets"):
        FlowFan(source, targets, line(1, 2, 3))


# ---------------------------------------------------------------------- tokens, origin, layout, legends
def test_white_space_is_visible() -> None:
    assert visible(" the") == "·the"
    assert visible("a\n\t") == "a↵⇥"
    assert TokenChip(" cat").shown_text == "·cat"


def test_a_long_row_wraps_then_says_how_many_are_missing() -> None:
    tokens = TokenRow([f" word{letter}" for letter in "abcdefghijkl"], width=6, rows=2)
    assert tokens.width <= 6
    assert len(tokens.chips) + tokens.hidden == 12 and tokens.hidden > 0
    rest = [part for part in tokens.get_family() if isinstance(part, NumberLabel)]
    assert [part.quantity.value for part in rest] == [tokens.hidden]
    assert rest[0].shown_text == f"… +{tokens.hidden}"
    everything = TokenRow(["a", "b"], width=6)
    assert everything.hidden == 0


def test_origin_lines_name_runs_and_sources() -> None:
    array = Trace("low_rank", {"energy": line(1, 2)})["energy"]
    cited = Quantity(61, "layer", Cited("V3 report", "2024-12-27", where="table 1"))
    assert origin_text([array]) == "computed: run low_rank"
    assert origin_text([cited]) == "cited: V3 report, table 1"
    assert origin_text([cited * 2]) == "computed from: V3 report, table 1"
    assert origin_text([array, cited, cited * 2]) == "computed: run low_rank  ·  cited: V3 report, table 1"
    assert origin_text([quantity_at(array, 1), array]) == "computed: run low_rank"
    with pytest.raises(ExplainError, match="none of these"):
        origin_text([line(1, 2)])


def test_the_origin_line_stands_at_the_bottom_left_and_fits() -> None:
    many = [Quantity(1, "", Cited(f"a source with a long name {i}", "2026-01-01")) for i in range(40)]
    words = OriginLine(*many)
    assert words.get_left()[0] == pytest.approx(theme.SAFE_LEFT)
    assert words.get_bottom()[1] == pytest.approx(theme.SAFE_BOTTOM)
    assert words.get_top()[1] < theme.CAPTION_TOP
    assert words.width <= theme.SAFE_WIDTH and words.shown_text.endswith("…")


def test_layout_keeps_inside() -> None:
    wide = fit_width(Square(1).stretch(30, 0))
    assert wide.width == pytest.approx(theme.SAFE_WIDTH)
    assert in_safe_area(fit_stage(Square(20)))
    assert not in_safe_area(Square(20))
    assert not in_safe_area(Dot([0, theme.CAPTION_TOP - 0.1, 0]))
    assert in_safe_area(Dot([0, theme.CAPTION_TOP - 0.1, 0]), captions=False)
    things = spread([Square(1), Square(2), Square(1)])
    gaps = [b.get_left()[0] - a.get_right()[0] for a, b in zip(things, things[1:], strict=False)]
    assert gaps[0] == pytest.approx(gaps[1])
    with pytest.raises(ExplainError, match="too wide"):
        spread([Square(9), Square(9)])
    assert row(Square(1), Square(1), gap=1).width == pytest.approx(3)
    assert column(Square(1), Square(1), gap=1).height == pytest.approx(3)


def test_brackets_callouts_and_legends_stand_where_they_should() -> None:
    target = Square(2)
    bracket = Bracket(target, "wide", DOWN)
    assert bracket.line.width == pytest.approx(2)
    assert bracket.get_top()[1] < target.get_bottom()[1]
    callout = Callout("this one", target, UP)
    assert callout.words.get_bottom()[1] > target.get_top()[1]
    assert np.allclose(callout.line.get_end()[:2], [0, 1.06])
    legend = Legend([("query", "query"), ("key", "key")])
    assert isinstance(legend, VGroup) and legend[0][0].get_fill_color() == role("query")
