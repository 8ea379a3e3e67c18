"""Layout, contrast and composition: what is wrong is found, what is near it is not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from manim import DOWN, LEFT, RIGHT, UP, Circle, Group, Line, Mobject, Rectangle, Square, Text, VGroup, VMobject

from explainers.traces import NamedArray
from scenes.audit import contrast, layout, motion
from scenes.audit.findings import Finding, Notes
from scenes.audit.picture import Picture
from scenes.kit import (
    CAPTION_TOP,
    SAFE_RIGHT,
    OriginLine,
    Phrase,
    TensorGrid,
    TokenChip,
    TokenRow,
    label,
    math,
    quantity_at,
    role,
    tint,
)
from scenes.waivers import waive


def ramp(run: str = "") -> NamedArray:
    labels = {"token": ("The", " cat", " sat")}
    return NamedArray(np.linspace(-1, 1, 15).reshape(3, 5), ("token", "feature"), "ramp", labels=labels, run=run)


def laid_out(easel: Any) -> Any:
    def check(picture: Picture, notes: Notes) -> None:
        layout.check(picture, notes, easel.painter)

    return check


def lit(easel: Any) -> Any:
    def check(picture: Picture, notes: Notes) -> None:
        contrast.check(picture, easel.frame, notes, easel.painter, contrast.Seen())
        contrast.check_colours(picture, notes)

    return check


def composed(easel: Any) -> Any:
    def check(picture: Picture, notes: Notes) -> None:
        motion.check_composition(picture, easel.frame, notes, easel.painter)

    return check


def at(mobject: Mobject, x: float, y: float) -> Mobject:
    return mobject.move_to([x, y, 0])


GOOD = {
    "chip": lambda: TokenChip(" cat"),
    "row": lambda: TokenRow(("The", " cat", " sat", " on", " the", " mat")),
    "grid": lambda: TensorGrid(ramp(), name="ramp", role="latent", row_labels=True),
    "at the edge": lambda: Square(1, color=role("key"), stroke_width=2).align_to([SAFE_RIGHT - 0.02, 0, 0], RIGHT),
    "above the captions": lambda: label("low").align_to([0, CAPTION_TOP, 0], DOWN),
    "backdrop": lambda: Rectangle(width=15, height=9, fill_color=role("surface"), fill_opacity=1, stroke_width=0),
    "origin line": lambda: OriginLine(quantity_at(ramp("demo"), 0, 0)),
    "lines of text": lambda: Group(label("keys"), label("gypsy values").next_to(label("keys"), DOWN, buff=0.02)),
    "words in a box": lambda: Group(Rectangle(width=4, height=1, color=role("key")), label("inside the box")),
    "words on a panel": lambda: Group(
        Line(4 * LEFT, 4 * RIGHT, color=role("cost")),
        Rectangle(width=4, height=1, fill_color=role("surface"), fill_opacity=1, stroke_width=0),
        label("the line passes behind"),
    ),
    "line between words": lambda: Group(
        label("keys").shift(LEFT), Line(UP, DOWN, color=role("muted")), label("values").shift(RIGHT)
    ),
    "words in a ring": lambda: Group(label("ring"), Circle(0.25, color=role("cost"))),
    "hairline behind": lambda: Group(Line(3 * LEFT, 3 * RIGHT, color=role("hairline")), label("on the grid")),
    "phrase": lambda: Phrase(("keys", "key"), (" and ", "text"), ("values", "value")),
    "formula": lambda: math("latent(c)_t = W^(D K V) h_t"),
    "ghost": lambda: Group(label("keys").set_opacity(0), label("values")),
    "bare text, large": lambda: Text("Keys and values", font_size=36),
}
BAD = {
    "text-over-text": [
        lambda: Group(label("keys and values"), label("queries")),
        lambda: Group(Text("keys"), label("queries")),
        lambda: Group(math("x + y"), label("queries")),
        lambda: Group(Phrase(("keys", "key"), (" and", "text")), label("queries")),
    ],
    "text-across-edge": [
        lambda: Group(label("across the end"), Rectangle(width=1, height=1, color=role("key"))),
        lambda: Group(Square(2, fill_color=role("key"), fill_opacity=1, stroke_width=0), at(label("half in"), 1, 0)),
        lambda: Group(label("a ring"), Circle(0.25, color=role("cost"))),
    ],
    "text-too-small": [
        lambda: label("small", 15),
        lambda: Text("Small", font_size=11),
        lambda: label("shrunk", "heading").scale(0.4),
        lambda: math("x", 12),
    ],
    "outside-safe-area": [lambda: at(label("out"), 6.5, 0), lambda: at(Square(1, color=role("key")), 0, 3.6)],
    "in-caption-zone": [lambda: at(label("low"), 0, -3.3)],
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_good_layout_passes(easel: Any, name: str) -> None:
    assert easel.codes(laid_out(easel), GOOD[name]()) == set()


@pytest.mark.parametrize(("code", "index"), [(code, i) for code, makers in BAD.items() for i in range(len(makers))])
def test_bad_layout_is_found(easel: Any, code: str, index: int) -> None:
    assert easel.codes(laid_out(easel), BAD[code][index]()) == {code}


def test_zooming_out_makes_text_too_small(easel: Any) -> None:
    picture = easel.show(label("small print", "body"))
    notes = Notes("test", step=1)
    easel.scene.camera.frame_height, before = 12.0, easel.scene.camera.frame_height
    try:
        layout._check_size(picture.texts[0], picture, notes)
    finally:
        easel.scene.camera.frame_height = before
    assert [finding.code for finding in notes.findings] == ["text-too-small"]


@pytest.mark.parametrize("name", sorted(GOOD))
def test_good_contrast_passes(easel: Any, name: str) -> None:
    assert easel.codes(lit(easel), GOOD[name]()) == set()


def test_contrast_is_measured_in_pixels(easel: Any) -> None:
    panel = Rectangle(width=5, height=2, fill_color=role("latent"), fill_opacity=1, stroke_width=0)
    assert easel.codes(lit(easel), panel, label("dark on amber", role="ground")) == set()
    assert easel.codes(lit(easel), panel, label("light on amber", role="text")) == {"low-contrast"}
    assert easel.codes(lit(easel), label("half there").set_opacity(0.35)) == {"low-contrast"}
    picture = easel.show(label("white", "display"))
    ratio = contrast.measured(picture.texts[0].leaves, easel.frame[..., :3] / 255, easel.painter)
    assert ratio == pytest.approx(16.56, rel=0.05)


def test_what_was_read_may_stand_back_later(easel: Any) -> None:
    words, seen = label("read before"), contrast.Seen()
    for opacity, expected in ((1.0, []), (0.3, [])):
        words.set_opacity(opacity)
        notes = Notes("test", step=1)
        contrast.check(easel.show(words), easel.frame, notes, easel.painter, seen)
        assert notes.findings == expected


def test_shapes_need_three_to_one(easel: Any) -> None:
    assert easel.codes(lit(easel), Square(1, color="#2A3038", stroke_width=5)) == {"faint-shape"}
    assert easel.codes(lit(easel), Square(1, color=role("hairline"))) == set()
    assert easel.codes(lit(easel), Square(1, fill_color=tint("key", 0.2), fill_opacity=1, stroke_width=0)) == set()


def test_colours_that_only_hue_tells_apart(easel: Any) -> None:
    pair = [Square(1, color=colour, fill_opacity=1) for colour in ("#E27FC0", "#33BDB5")]
    assert easel.codes(lit(easel), *pair) == {"colours-alike"}
    pair = [Square(1, color=role(name), fill_opacity=1) for name in ("key", "latent")]
    assert easel.codes(lit(easel), *pair) == set()


def test_empty_and_crowded(easel: Any) -> None:
    assert easel.codes(composed(easel)) == {"empty"}
    assert easel.codes(composed(easel), OriginLine(quantity_at(ramp("demo"), 0, 0))) == {"empty"}
    squares = [at(Square(0.4, color=role("key")), x, y) for x in (-5, -2, 1, 4) for y in (2, 0.5, -1)]
    assert easel.codes(composed(easel), *squares) == {"crowded"}
    assert easel.codes(composed(easel), VGroup(*squares).arrange(RIGHT, buff=0.05)) == set()


def test_a_waiver_excuses_its_object_only(easel: Any) -> None:
    both = Group(waive(label("keys"), "text-over-text", reason="they are meant to lie here"), label("values"))
    assert easel.codes(laid_out(easel), both) == set()
    assert easel.codes(laid_out(easel), both, label("queries")) == {"text-over-text"}


def test_many_small_things_in_one_path_are_not_a_bright_panel(easel: Any) -> None:
    drops = VMobject(stroke_width=0, fill_color=role("text"), fill_opacity=1)
    for place in np.linspace(-5, 5, 12):
        drops.append_points(Square(0.1).move_to([place, place / 3, 0]).points)
    easel.show(drops)
    assert motion.luminance_map(easel.scene).max() < 0.03


def test_luminance_map_sees_a_bright_panel(easel: Any) -> None:
    easel.show(Rectangle(width=7, height=4, fill_color=role("text"), fill_opacity=1, stroke_width=0))
    light = motion.luminance_map(easel.scene)
    assert light[9, 16] > 0.7
    assert light[0, 0] < 0.05
    assert np.isclose((light > 0.5).mean(), 0.25, atol=0.05)


def test_a_finding_keeps_where_it_stands_in_every_step(easel: Any) -> None:
    words = label("leaving").shift(6.3 * RIGHT)
    notes = Notes("test")
    for step in (1, 2):
        notes.step = step
        now = easel.show(words)
        notes.place = now.boxes_of
        layout.check(now, notes, easel.painter)
        words.shift(2 * UP)
    (finding,) = notes.findings
    assert (finding.code, finding.step, finding.more_steps) == ("outside-safe-area", 1, (2,))
    (before,), (after,) = finding.boxes_in(1), finding.boxes_in(2)
    assert before[1] - after[1] == pytest.approx(2 / 8, abs=0.01)  # two of eight units higher
    assert finding.boxes_in(3) == ()
    assert Finding.from_json(json.loads(json.dumps(finding.to_json()))) == finding
