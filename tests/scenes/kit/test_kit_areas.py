"""Areas, dot rows and the map of levers: their geometry is that of their numbers."""

from __future__ import annotations

import numpy as np
import pytest
from manim import Mobject

from explainers import runs
from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.references import resolve
from explainers.traces import NamedArray
from scenes.kit import (
    AmountSquare,
    Block,
    BlockChart,
    DotRow,
    DotRows,
    LearnByChecking,
    LeversMap,
    RememberLess,
    RunLess,
    Runner,
)


def number(value: float, unit: str = "") -> Quantity:
    return computed(value, unit, "made up")


def chart(part: Quantity | None = None) -> BlockChart:
    wide = Block("wide", number(400e9, "param"), number(15e12, "token"), "dense")
    slim = Block("slim", number(80e9, "param"), number(12e12, "token"), "latent", part)
    return BlockChart([wide, slim])


def finish(animation) -> None:
    animation.begin()
    animation.interpolate(1)
    animation.finish()


def test_areas_of_blocks_are_products_of_their_sides() -> None:
    wide, slim = (chart().blocks[name] for name in ("wide", "slim"))
    assert wide.width / slim.width == pytest.approx(5)
    assert wide.height / slim.height == pytest.approx(15 / 12)


def test_cuts_have_the_area_of_the_other_block() -> None:
    blocks = chart()
    wide, slim = blocks.blocks["wide"], blocks.blocks["slim"]
    edges = [wide.get_left()[0], *(line.get_x() for line in blocks.cuts("wide", "slim"))]
    assert len(edges) == 7  # 6.25 pieces: six whole ones and a rest
    assert np.diff(edges) * wide.height == pytest.approx(np.full(6, slim.width * slim.height))
    assert wide.get_right()[0] - edges[-1] == pytest.approx(0.25 * (edges[1] - edges[0]))


def test_a_part_is_that_part_of_the_width() -> None:
    blocks = chart(number(20e9, "param"))
    assert blocks.parts["slim"].width / blocks.blocks["slim"].width == pytest.approx(0.25)
    assert "wide" not in blocks.parts


def test_areas_of_squares_are_amounts() -> None:
    small, large = (AmountSquare(number(value, "USD"), unit=1e-9) for value in (5e6, 1.25e9))
    assert (large.square.width / small.square.width) ** 2 == pytest.approx(250)


def rows() -> DotRows:
    results = [DotRow("maths", {"A": number(90, "%"), "B": number(50, "%")}), DotRow("facts", {"A": number(25, "%")})]
    return DotRows(results, [Runner("A", "latent"), Runner("B", "dense", "square")])


def test_dots_stand_at_their_results() -> None:
    drawn = rows()
    left, right = drawn.axes.point(0, 0)[0], drawn.axes.point(100, 0)[0]
    for place, value in ((("maths", "A"), 90), (("maths", "B"), 50), (("facts", "A"), 25)):
        assert (drawn.dots[place].get_x() - left) / (right - left) == pytest.approx(value / 100, abs=1e-6)
    assert len(drawn.of("A")) == 2 and len(drawn.of("B")) == 1


def test_who_measured_can_be_seen() -> None:
    filled = DotRows([DotRow("maths", {"A": number(90, "%")})], [Runner("A")], vendor=False)
    assert rows().of("A")[0].get_fill_color() != filled.of("A")[0].get_fill_color()


def routes(tokens: int, experts: int, chosen: int) -> NamedArray:
    """Tokens that go to ``chosen`` experts each, no two to the same ones."""
    values = np.zeros((tokens, experts), dtype=bool)
    for token in range(tokens):
        values[token, (np.arange(chosen) * 7 + token) % experts] = True
    return NamedArray(values, ("token", "expert"), "made up")


def test_as_many_experts_shine_as_a_token_uses() -> None:
    panel = RunLess(number(8, "expert"), number(256, "expert"), routes(5, 256, 8))

    def shining() -> set[int]:
        colours = [square.get_fill_color().to_hex() for square in panel.squares]
        bright = max(set(colours), key=lambda each: -colours.count(each))
        return {index for index, colour in enumerate(colours) if colour == bright}

    assert len(panel.squares) == 256 and len(shining()) == 8
    before = shining()
    finish(panel.light(3))
    assert len(shining()) == 8 and shining() != before
    assert shining() == set(np.flatnonzero(panel.bound[2].values[3]))
    finish(panel.light(5))
    assert shining() == before  # after the last token the first again


def test_cells_of_memory_add_up_to_the_full_cache() -> None:
    panel = RememberLess(number(576, "value"), number(32768, "value"))
    side = panel.cells[0].height
    assert sum(cell.width for cell in panel.cells) / side == pytest.approx(32768 / 576, rel=1e-6)
    kept = panel.cells[0].get_center()
    finish(panel.squeeze())
    assert all(np.allclose(cell.get_center(), kept, atol=0.1) for cell in panel.cells)


def test_bars_of_the_third_lever_are_shares_of_their_frames() -> None:
    panel = LearnByChecking(number(15.6, "%"), number(71.0, "%"))
    shares = [bar.height / frame.height for bar, frame in zip(panel.bars, panel.outlines, strict=True)]
    assert shares == pytest.approx([0.156, 0.71])
    rise = panel.rise()
    assert panel.bars[1].height / panel.outlines[1].height == pytest.approx(0.156)
    finish(rise)
    assert panel.bars[1].height / panel.outlines[1].height == pytest.approx(0.71)


def test_a_note_stands_in_the_panel_between_its_heading_and_its_bars() -> None:
    panel = LearnByChecking(number(15.6, "%"), number(71.0, "%"), note="problems of an exam,\nby its own key")
    note = panel.heading.submobjects[-1]
    assert "by its own key" in note.shown_text
    assert note.width < panel.frame.width and panel.heading.get_bottom()[1] > panel.outlines.get_top()[1]
    plain = LearnByChecking(number(15.6, "%"), number(71.0, "%"))
    assert panel.outlines.get_bottom()[1] == pytest.approx(plain.outlines.get_bottom()[1])
    assert panel.bars[1].height / panel.outlines[1].height == pytest.approx(0.71)


def test_the_map_reads_its_numbers_and_one_lever_stands_forward() -> None:
    levers = LeversMap.read(resolve, runs.get, highlight="mla")
    assert [float(each) for each in levers.sources[:2]] == [8, 256]
    assert levers.sources[2].run == "untrained_gate" and float(levers.sources[3]) == 576

    def clear(name: str) -> float:
        return levers.panels[name].heading.get_fill_opacity()

    assert clear("mla") == 1 and clear("moe") < 0.5
    finish(levers.focus("rl"))
    assert clear("rl") == 1 and clear("mla") < 0.5
    finish(levers.focus())
    assert min(clear(name) for name in levers.panels) == 1


def look(thing: Mobject) -> list[tuple[float, ...]]:
    return [tuple(np.round(part.points, 4).ravel()) for part in thing.get_family()]


@pytest.mark.parametrize(
    "thing",
    [
        chart(number(20e9, "param")),
        AmountSquare(number(5e6, "USD"), unit=1e-8),
        RunLess(number(2, "expert"), number(16, "expert"), routes(3, 16, 2)),
        RememberLess(number(10, "value"), number(200, "value")),
        LearnByChecking(number(10, "%"), number(30, "%")),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_other_numbers_make_another_picture(thing) -> None:
    again = thing.rebind(*thing.bound)
    assert look(again) == look(thing)
    assert look(thing.perturbed()) != look(again)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Block("a", number(0), number(1)), "positive"),
        (lambda: Block("a", number(1), number(1), part=number(2)), "wider than the whole"),
        (lambda: BlockChart([Block("a", number(1), number(1)), Block("b", number(1, "B"), number(1))]), "one unit"),
        (lambda: BlockChart([Block(name, number(1), number(1)) for name in "abcd"], width=2), "no room"),
        (lambda: AmountSquare(number(-1), unit=1), "positive"),
        (lambda: DotRows([DotRow("a", {"X": number(1)})], [Runner("A")]), "unknown runner"),
        (lambda: DotRows([DotRow("a", {"A": number(120)})], [Runner("A")]), "outside"),
        (lambda: DotRows([DotRow("a", {"A": number(1)})], [Runner("A", shape="star")]), "unknown shape"),
        (lambda: RunLess(number(2), number(9), routes(3, 8, 2)), "do not fit 9 experts"),
        (lambda: RunLess(number(2), number(2000), routes(3, 8, 2)), "1 to 1024"),
        (lambda: RunLess(number(2), number(8), NamedArray(np.ones((3, 8)), ("token", "expert"))), "true or false"),
        (lambda: RememberLess(number(2, "B"), number(8, "value")), "in its unit"),
        (lambda: LearnByChecking(number(2), number(8)), "per cent"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, message: str) -> None:
    with pytest.raises(ExplainError, match=message):
        make()
