"""No false comfort: a number that is drawn by any route is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from manim import (
    Axes,
    Code,
    DecimalNumber,
    FadeTransform,
    ImageMobject,
    Integer,
    MarkupText,
    MathTypst,
    Mobject,
    Paragraph,
    Square,
    Table,
    Text,
    Transform,
    Typst,
    VGroup,
    always_redraw,
)

from explainers.quantities import Cited, Quantity, constant
from explainers.references import resolve
from explainers.traces import NamedArray, Trace
from scenes.audit import origins
from scenes.audit.findings import Notes
from scenes.audit.picture import Picture
from scenes.kit import (
    Axes2D,
    Axis,
    AxisTick,
    Bar,
    BarChart,
    CountingNumber,
    NumberLabel,
    OriginLine,
    Phrase,
    TensorGrid,
    TokenChip,
    TokenRow,
    label,
    math,
    mono,
    quantity_at,
)

NAMES = frozenset({"V3", "H800", "GPT-4o"})
LAYERS = resolve("v3.layers")
SPEED = Quantity(671e9, "param", Cited("A report", "2024-12-27", where="Table 1"), "parameters")


def check(picture: Picture, notes: Notes) -> None:
    origins.check(picture, notes, NAMES, ())


def transformed(one: Mobject, two: Mobject) -> Mobject:
    """What is on screen after ``Transform(one, two)``: the first object with the second's outline."""
    change = Transform(one, two)
    change.begin()
    change.finish()
    return one


def table() -> Mobject:
    return Table([["rank", "671"], ["loss", "low"]], element_to_mobject=Text)


def turned() -> Mobject:
    words = label("671")
    words.rotate(np.pi / 2)
    return words


PLANTED = {
    "text": lambda: Text("671 billion"),
    "f-string": lambda: Text(f"{600 + 71} billion"),
    "markup": lambda: MarkupText("<b>671</b> billion"),
    "paragraph": lambda: Paragraph("first line", "then 671"),
    "label": lambda: label("671 billion"),
    "mono": lambda: mono("kv_lora_rank = 512"),
    "phrase": lambda: Phrase(("671", "key"), (" billion", "text")),
    "formula": lambda: math("x + 512"),
    "typst": lambda: Typst("there are 512"),
    "math typst": lambda: MathTypst("h_1 = 2 x"),
    "computed by typst": lambda: Typst("#calc.pow(a, b)", typst_preamble="#let a = 2\n#let b = 10"),
    "table": table,
    "code": lambda: Code(code_string="rank = 512", language="python"),
    "integer": lambda: Integer(671, mob_class=Text),
    "decimal": lambda: DecimalNumber(6.71, mob_class=Text),
    "axis labels": lambda: Axes((0, 4), (0, 2)).add_coordinates(
        {1: Text("1", font_size=24)}, {1: Text("1", font_size=24)}
    ),
    "glyphs of a text": lambda: VGroup(*Text("of 671 parameters")[2:5]),
    "one glyph": lambda: Text("a7")[1],
    "copy of a text": lambda: Text("671").copy(),
    "transformed words": lambda: transformed(label("latent"), label("671")),
    "transformed shape": lambda: transformed(Square(), label("671")),
    "transformed text": lambda: transformed(Text("latent"), Text("512")),
    "become": lambda: label("latent").become(label("671")),
    "turned": lambda: VGroup(transformed(turned(), turned().shift([1, 0, 0]))),
    "redrawn": lambda: always_redraw(lambda: Text("671")),
    "superscript": lambda: label("10²"),
    "other digits": lambda: Text("٦٧١"),
    "bare token": lambda: TokenChip("1024"),
    "name in a longer word": lambda: label("V35"),
    "list of words as tokens": lambda: TokenRow(("in", "2024")),
}
UNTRUE = {
    "second number of a label": lambda: with_quantity(label("61 of 671"), LAYERS),
    "another number": lambda: with_quantity(label("62 layers"), LAYERS),
    "coarser than it says": lambda: with_quantity(label("700,000"), constant(671_000)),
    "number turned into another": lambda: transformed(NumberLabel(LAYERS), NumberLabel(constant(671))),
    "wrong scale word": lambda: with_quantity(label("671 million"), SPEED),
}
TRUE = {
    "number label": lambda: NumberLabel(LAYERS, after=" layers"),
    "every format": lambda: VGroup(*(NumberLabel(SPEED, fmt) for fmt in ("words", "si", "sci", "plain", "si 2"))),
    "two quantities": lambda: with_quantities(label("61 of 128"), LAYERS, resolve("v3.heads")),
    "counting": lambda: CountingNumber(LAYERS, LAYERS * 9).show(0.37),
    "listed name": lambda: label("DeepSeek-V3 on H800, unlike GPT-4o"),
    "words only": lambda: label("seven experts"),
    "ticks": lambda: Axes2D(Axis(0, 128, "rank"), Axis(1e3, 1e6, "cache", "B", log=True)),
    "bars": lambda: BarChart([Bar("V3", LAYERS, "key"), Bar("rest", LAYERS * 2, "value")]),
    "grid with notes": lambda: TensorGrid(ramp(), row_labels=True, name="ramp"),
    "tokens of an array": lambda: TokenRow(ramp()),
    "origin line": lambda: OriginLine(LAYERS, SPEED),
    "number of an array": lambda: NumberLabel(quantity_at(ramp(), 1, 2), "plain 3"),
    "moved axes": lambda: Axes2D(Axis(0, 128, "rank"), Axis(0, 1, "energy")).scale(0.8).shift([1, 1, 0]),
    "formula of letters": lambda: math("latent(c)_t = W^(D K V) h_t"),
    "lengths in typst": lambda: Typst("#text(size: 12pt)[keys] #h(2em) values"),
    "transformed digits away": lambda: transformed(label("671"), label("latent")),
}


def ramp() -> NamedArray:
    labels = {"token": ("in", " 2024", "x1")}
    return NamedArray(np.linspace(-1, 1, 15).reshape(3, 5), ("token", "feature"), "ramp", labels=labels)


def with_quantity(mobject: Any, quantity: Quantity) -> Mobject:
    mobject.quantity = quantity
    return mobject


def with_quantities(mobject: Any, *quantities: Quantity) -> Mobject:
    mobject.quantities = quantities
    return mobject


@pytest.mark.parametrize("route", sorted(PLANTED))
def test_digits_by_any_route_are_found(easel: Any, route: str) -> None:
    assert "digits-without-origin" in easel.codes(check, PLANTED[route]())


@pytest.mark.parametrize("route", sorted(UNTRUE))
def test_digits_that_are_not_the_quantity_are_found(easel: Any, route: str) -> None:
    assert easel.codes(check, UNTRUE[route]()) == {"number-untrue"}


@pytest.mark.parametrize("route", sorted(TRUE))
def test_numbers_with_an_origin_pass(easel: Any, route: str) -> None:
    assert easel.codes(check, TRUE[route]()) == set()


def test_ticks_must_stand_where_their_value_is(easel: Any) -> None:
    assert easel.codes(check, AxisTick(671)) == {"tick-untrue"}
    axes = Axes2D(Axis(0, 128, "rank"), Axis(0, 1, "energy"))
    axes.x_ticks[1].shift([1.5, 0, 0])
    assert easel.codes(check, axes) == {"tick-untrue"}
    axes = Axes2D(Axis(0, 128, "rank"), Axis(0, 1, "energy"))
    axes.x_ticks[1].become(label("999", 14).move_to(axes.x_ticks[1]))
    assert easel.codes(check, axes) == {"tick-untrue"}


def test_images_cannot_be_read(easel: Any) -> None:
    assert easel.codes(check, ImageMobject(np.full((4, 4, 4), 255, dtype=np.uint8))) == {"picture-unread"}


def test_tokens_of_a_run_may_hold_digits_and_other_tokens_may_not(easel: Any) -> None:
    trace = Trace("demo", {"ramp": ramp()})

    def with_trace(picture: Picture, notes: Notes) -> None:
        origins.check(picture, notes, NAMES, [trace])

    assert easel.codes(with_trace, TokenChip(" 2024")) == set()
    assert easel.codes(with_trace, TokenChip(" 2025")) == {"digits-without-origin"}
    assert easel.codes(with_trace, label("·2024")) == {"digits-without-origin"}


def test_reading_survives_moves_turns_and_split_curves(easel: Any) -> None:
    words = label("671 of 1,024")
    words.scale(1.7).shift([1, -2, 0])
    words.rotate(np.pi / 2)
    words.insert_n_curves(37)
    assert easel.show(words).texts[0].drawn == "671 of 1,024"


def test_a_cross_fade_into_digits_is_read_at_its_end(easel: Any) -> None:
    one, two = label("latent"), label("671")
    fade = FadeTransform(one, two)
    fade.begin()
    fade.finish()
    assert "digits-without-origin" in easel.codes(check, two)


def test_numbers_without_any_source_are_listed(easel: Any) -> None:
    picture = easel.show(NumberLabel(LAYERS), NumberLabel(constant(671, "remembered")))
    assert origins.unfounded(picture) == {"671": "671 by definition"}


def test_number_runs() -> None:
    assert origins.number_runs("61 of 128 layers in V3", NAMES) == ["61 of", "128 layers in"]
    assert origins.number_runs("3.1 × 10⁻¹⁵") == ["3.1 × 10⁻¹⁵"]
    assert origins.number_runs("−5.5 %") == ["−5.5 %"]
    assert origins.number_runs("GPT-4o, V3", NAMES) == []
    assert origins.number_runs("GPT-5", NAMES) == ["-5"]
