"""Text: the right glyphs, the right size, no LaTeX."""

from __future__ import annotations

import string
from pathlib import Path

import manimpango
import numpy as np
import pytest
from manim import RIGHT, Text, VGroup, tempconfig
from PIL import ImageFont

from explainers.errors import ExplainError
from scenes.kit import Label, Phrase, fonts, label, math, mono, pango, role, theme, title
from scenes.kit.text import STAND_INS, composed_outline, glyph_outlines

KIT = Path(fonts.__file__).parent


def ink(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns where something was drawn with at least half strength."""
    ground = np.array(role("ground").to_int_rgb())
    away = np.abs(pixels - ground).sum(axis=2)
    return np.nonzero(away > away.max() / 2)


def test_the_fonts_are_registered_from_their_packages() -> None:
    files = fonts.register()
    assert {file.suffix for file in files} == {".ttf"}
    assert {fonts.SANS, fonts.MONO} <= set(manimpango.list_fonts())


def test_every_character_that_the_kit_makes_is_in_the_fonts() -> None:
    """What is missing would come from whatever font a machine has."""
    made = "−×·…→≈±²³⁰¹⁴⁵⁶⁷⁸⁹⁻$%/,.'()[]{}<>=+_↵⇥⏎∅»äöüßéñ" + string.ascii_letters + string.digits
    for file in fonts.register():
        face = ImageFont.truetype(str(file), 40)
        missing = bytes(face.getmask("\ufffe"))
        lacking = [each for each in made.translate(STAND_INS) if bytes(face.getmask(each)) == missing]
        assert not lacking, (file.name, lacking)


def test_a_superscript_minus_is_a_small_minus_on_high() -> None:
    power, minus = glyph_outlines("10⁻¹⁵", fonts.SANS, "NORMAL"), glyph_outlines("−", fonts.SANS, "NORMAL")[0]
    assert np.ptp(power[2][:, 0]) < np.ptp(minus[:, 0])
    assert power[2][:, 1].mean() > minus[:, 1].mean()
    assert power[1][:, 0].max() < power[2][:, 0].min() and power[2][:, 0].max() < power[3][:, 0].min()
    assert label("3.1 × 10⁻¹⁵").shown_text == "3.1 × 10⁻¹⁵"


def test_a_missing_font_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "find_spec", lambda name: None)
    with pytest.raises(ExplainError, match="pip install fontpkg-ibm-plex-sans"):
        fonts.font_files()


@pytest.mark.parametrize("size", theme.SIZES)
def test_cap_height_in_pixels_is_what_the_size_says(size: str, shoot) -> None:
    text = label("H", size)
    rows, _ = ink(shoot(text, width=1920))
    assert np.ptp(rows) + 1 == pytest.approx(theme.SIZES[size], abs=1.5)
    assert text.cap_height_px == pytest.approx(theme.SIZES[size])


def test_cap_height_follows_scaling_and_lines() -> None:
    assert label("one\ntwo", 30).cap_height_px == pytest.approx(30)
    assert label("one", 30).scale(0.5).cap_height_px == pytest.approx(15)
    assert label("one", 30).rotate(np.pi / 2).cap_height_px == pytest.approx(30)
    assert math("upright(H)", 30).cap_height_px == pytest.approx(30)


def test_mathematics_has_the_size_of_text(shoot) -> None:
    rows, _ = ink(shoot(math("upright(H)", "display"), width=1920))
    assert np.ptp(rows) + 1 == pytest.approx(theme.SIZES["display"], abs=1.5)


def test_neighbours_share_their_baseline(shoot) -> None:
    words = VGroup(label("axe", 60), label("gyp", 60), label("lid", 60)).arrange(RIGHT)
    bottoms = []
    for word, letters in zip(words, ("axe", "gyp", "lid"), strict=True):
        outline = np.concatenate(glyph_outlines(letters, fonts.SANS, "NORMAL"))
        below = -outline[:, 1].min() * word.cap_height  # how far the ink goes under the baseline
        bottoms.append(word.points[8:, 1].min() + below)
    assert np.ptp(bottoms) < 1e-3


def test_a_label_is_one_path_and_cheap_the_second_time() -> None:
    text = label("keys and values")
    assert text.submobjects == []
    glyph_outlines.cache_clear()
    label("keys and values")
    misses = glyph_outlines.cache_info().misses
    label("keys and values", "title", "key")
    assert glyph_outlines.cache_info().misses == misses


def test_other_text_is_another_picture(shoot) -> None:
    assert (shoot(label("latent")) != shoot(label("patent"))).any()
    assert (shoot(label("latent")) != shoot(label("latent", role="latent"))).any()
    assert (shoot(label("latent")) != shoot(label("latent", weight="semibold"))).any()
    assert (shoot(label("latent")) != shoot(mono("latent"))).any()


def test_lines_break_where_they_must() -> None:
    text = "a sentence that is a little longer than the room that it has"
    wide, narrow = label(text), label(text, width=3.0)
    assert wide.width > 3.0 >= narrow.width
    assert narrow.height > 2 * wide.height
    assert narrow.shown_text == text


def test_a_long_line_is_one_line_at_every_resolution() -> None:
    long = "and so it goes on " * 40
    for width in (320, 1920):
        glyph_outlines.cache_clear()
        with tempconfig({"pixel_width": width}):
            outline = np.concatenate(glyph_outlines(long, fonts.SANS, "NORMAL"))
        assert np.ptp(outline[:, 1]) < 2


def test_alignment_moves_the_short_line() -> None:
    left, right = label("long line\nx", align="left"), label("long line\nx", align="right")
    assert left.points[-1, 0] < right.points[-1, 0]


def test_numbers_put_together_from_digits_look_like_set_text() -> None:
    kerned = np.concatenate(glyph_outlines("70,272 kB", fonts.SANS, "MEDIUM"))
    quick = composed_outline("70,272 kB", fonts.SANS, "MEDIUM")
    assert np.ptp(quick[:, 0]) == pytest.approx(np.ptp(kerned[:, 0]), rel=0.02)
    assert np.ptp(quick[:, 1]) == pytest.approx(np.ptp(kerned[:, 1]), rel=0.01)


def test_a_phrase_is_kerned_as_a_whole_and_coloured_in_parts() -> None:
    phrase = Phrase(("keys", "key"), (" and ", "text"), ("values", "value"))
    assert phrase.shown_text == "keys and values"
    assert [part.get_fill_color() for part in phrase] == [role("key"), role("text"), role("value")]
    whole = Label("keys and values")
    assert phrase.width == pytest.approx(whole.width, rel=0.01)
    assert phrase.cap_height_px == pytest.approx(theme.SIZES["body"])


def test_mathematics_takes_colours_by_role() -> None:
    formula = math("latent(c)_t = W h_t")
    colours = {part.get_fill_color().to_hex() for part in formula.family_members_with_points()}
    assert role("latent").to_hex() in colours and role("text").to_hex() in colours
    assert formula.shown_text == "latent(c)_t = W h_t"


def test_the_title_stands_in_the_safe_area() -> None:
    words = title("The cache grows")
    assert words.get_left()[0] == pytest.approx(theme.SAFE_LEFT)
    assert words.get_top()[1] == pytest.approx(theme.SAFE_TOP)


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ExplainError, match="nothing to draw"):
        label("  ")
    with pytest.raises(ExplainError, match="did you mean medium"):
        label("x", weight="medum")


def test_the_kit_never_names_what_needs_latex() -> None:
    import re

    forbidden = r"\b(MathTex|Tex|DecimalNumber|Integer|Variable|BulletedList|DecimalMatrix|NumberLine|BraceLabel)\b"
    for file in sorted(KIT.glob("*.py")):
        assert not re.search(forbidden, file.read_text("utf-8")), file.name


def test_the_kit_knows_no_torch() -> None:
    for file in sorted(KIT.glob("*.py")):
        assert "import torch" not in file.read_text("utf-8"), file.name


@pytest.mark.parametrize("slant", ["NORMAL", "ITALIC"])
@pytest.mark.parametrize("font", [fonts.SANS, fonts.MONO])
def test_outlines_are_those_of_manims_text(font: str, slant: str) -> None:
    text = "HÄgj & <b>1/3 → é²"
    with tempconfig({"pixel_width": 10**6}):
        drawn = Text(text, font=font, slant=slant, weight="MEDIUM", font_size=96, disable_ligatures=True)
    outlines = pango.line(text, font, "MEDIUM", slant)

    def alike(letters: list[np.ndarray]) -> list[np.ndarray]:
        low, high = letters[0].min(axis=0), letters[0].max(axis=0)
        return [(letter - low) / (high - low)[1] for letter in letters if len(letter)]

    letters = [letter.points for letter, character in zip(drawn.submobjects, text, strict=True) if character != " "]
    for ours, theirs in zip(alike(outlines), alike(letters), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-9)


def test_a_font_that_joins_letters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = manimpango.text2svg
    monkeypatch.setattr(manimpango, "text2svg", lambda *given: real(*given[:-1], given[-1].replace("fi", "ﬁ") + " "))
    with pytest.raises(ExplainError, match="without ligatures"):
        pango.line("H fix", fonts.SANS, "NORMAL", "NORMAL")
