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
    Bottleneck,
    Bracket,
    Callout,
    ExpertGrid,
    Flow,
    FlowFan,
    HeadSharing,
    Legend,
    MatrixProduct,
    NumberLabel,
    OriginLine,
    TokenChip,
    TokenRow,
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
    theme,
    visible,
)


def q(value: float, unit: str = "", name: str = "made up") -> Quantity:
    return computed(value, unit, "made up for a test", name=name)


def line(*numbers: float, axis: str = "step", unit: str = "") -> NamedArray:
    return NamedArray(np.array(numbers, dtype=float), (axis,), "example", unit)


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
