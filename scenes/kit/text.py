"""Words on screen: labels, titles, code and mathematics, without LaTeX.

A text is one path (not one mobject a letter), built large and scaled down, because Pango kerns small type badly.
Every line has the same metric box, symmetric about the middle of the capitals: labels that stand side by side share
their baseline, and a centred label is optically centred. Outlines are cached, so the second "keys" costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from manim import MathTypst, VGroup, VMobject

from explainers import languages
from explainers.errors import ExplainError, one_of
from scenes import look
from scenes.kit import fonts, pango, theme
from scenes.kit.palette import Floats

#: The metric box of a line, in cap heights: from below the descenders to as far above the capitals.
DESCENT, ASCENT = 0.3, 1.3
#: From baseline to baseline, in cap heights.
LINE_STEP = 1.95
WEIGHTS = {"light": "LIGHT", "regular": "NORMAL", "medium": "MEDIUM", "semibold": "SEMIBOLD"}
#: Characters that the two families lack → what is drawn instead, so that no machine falls back to a font of its own.
STAND_INS = str.maketrans({"↵": "↲", "⏎": "↲", "⇥": "→", "∅": "Ø", "⁻": "²"})


def _raised_minus(place: Floats, font: str, weight: str) -> Floats:
    """A minus in a superscript, where a raised digit stands."""
    (minus,) = glyph_outlines("−", font, weight)
    raised = (minus - minus.mean(axis=0)) * 0.62
    low, high = place.min(axis=0), place.max(axis=0)
    return np.asarray(raised + (low + high) / 2)


def fitting_characters(text: str, width: float, font: str, weight: str, slant: str = "NORMAL") -> int:
    """How many characters of a line fit into ``width`` cap heights."""
    outlines = glyph_outlines(text, font, weight, slant)
    for index, outline in enumerate(outlines):
        if len(outline) and outline[:, 0].max() > width:
            return index
    return len(text)


@lru_cache(maxsize=4096)
def glyph_outlines(text: str, font: str, weight: str, slant: str = "NORMAL") -> tuple[Floats, ...]:
    """Outlines of one line, one array a character (empty for a space): baseline at y = 0, cap height 1."""
    fonts.register()
    capital, _, *drawn = pango.line(f"H {text.translate(STAND_INS)}", font, weight, slant)
    low, high = capital[:, 1].min(), capital[:, 1].max()
    outlines = [(letter - [0, low, 0]) / (high - low) for letter in drawn]
    for index, character in enumerate(text):
        if character == "⁻":
            outlines[index] = _raised_minus(outlines[index], font, weight)
    ink = [points for points, character in zip(outlines, text, strict=True) if len(points) and not character.isspace()]
    if not ink:
        raise ExplainError(f"the text {text!r} has nothing to draw; give at least one visible character")
    left = min(points[:, 0].min() for points in ink)
    empty = np.zeros((0, 3))
    return tuple(
        empty if character.isspace() else points - [left, 0, 0]
        for points, character in zip(outlines, text, strict=True)
    )


@cache
def _advance(character: str, font: str, weight: str) -> float:
    """How far the pen moves over a character, in cap heights."""

    def between(text: str) -> float:
        outlines = glyph_outlines(text, font, weight)
        return float(outlines[-1][:, 0].min() - outlines[0][:, 0].min())

    return between(f"H{character}H") - between("HH")


def composed_outline(text: str, font: str, weight: str) -> Floats:
    """A line put together from single characters: cheap for numbers that change every frame (no kerning)."""
    pen, parts = 0.0, []
    for character in text:
        if not character.isspace():
            pair = glyph_outlines(f"H{character}", font, weight)
            parts.append(pair[1] + np.array([pen - _advance("H", font, weight), 0, 0]))
        pen += _advance(character, font, weight)
    return np.concatenate(parts)


class Label(VMobject):
    """One or more lines of text as a single path.

    >>> Label("keys and values", size="body", role="key")

    Attributes
    ----------
    shown_text
        The plain string on screen.
    text_kind
        What sort of text it is, for whoever checks numbers: ``label``, ``number``, ``tick``, ``token``, ``math``
        or ``origin``.

    A plain label is in the language of its scene where a catalogue has it (`explainers.languages`); with ``as_is`` it
    is what was given.
    """

    text_kind = "label"

    def __init__(
        self,
        text: str,
        size: str | float = "body",
        role: str = "text",
        *,
        weight: str = "regular",
        font: str = fonts.SANS,
        italic: bool = False,
        align: str = "left",
        width: float | None = None,
        composed: bool = False,
        as_is: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight not in WEIGHTS:
            raise one_of("text weight", weight, list(WEIGHTS))
        if align not in ("left", "center", "right"):
            raise one_of("alignment", align, ["left", "center", "right"])
        super().__init__(fill_color=theme.role(role), fill_opacity=1, stroke_width=0, **kwargs)
        if self.text_kind == "label" and font == fonts.SANS and not as_is:
            text = languages.word(text)
        self.shown_text = text
        self.text_role = role
        self._face = (fonts.face(font), WEIGHTS[weight], "ITALIC" if italic else "NORMAL")
        self._composed, self._align = composed, align
        cap = theme.cap_units(size)
        lines = self._broken(text, None if width is None else width / cap)
        self._set_lines(lines)
        self.scale(cap, about_point=np.zeros(3)).center()

    def _outline(self, line: str) -> Floats:
        font, weight, slant = self._face
        if self._composed:
            return composed_outline(line, font, weight)
        return np.concatenate(glyph_outlines(line, font, weight, slant))

    def _broken(self, text: str, width: float | None) -> list[str]:
        """Lines as given, or broken at spaces so that none is wider than ``width`` cap heights."""
        lines = text.split("\n")
        if width is None:
            return lines
        broken: list[str] = []
        for line in lines:
            rest = line
            while (fits := fitting_characters(rest, width, *self._face)) < len(rest):
                cut = rest.rfind(" ", 0, fits + 1)
                cut = cut if cut > 0 else rest.find(" ")  # a word wider than the room stands alone
                if cut < 0:
                    break
                broken.append(rest[:cut])
                rest = rest[cut + 1 :]
            broken.append(rest)
        return broken

    def _set_lines(self, lines: Sequence[str]) -> None:
        outlines = [self._outline(line) for line in lines]
        widths = [float(points[:, 0].max()) for points in outlines]
        room = max(widths)
        share = {"left": 0.0, "center": 0.5, "right": 1.0}[self._align]
        drop = LINE_STEP * (len(lines) - 1)
        corners = [np.array([0, -DESCENT - drop, 0]), np.array([0, ASCENT, 0])]
        parts = [np.repeat(corner[None], 4, axis=0) for corner in corners]  # two specks without area: the metric box
        parts += [
            points + np.array([share * (room - width), -LINE_STEP * row, 0])
            for row, (points, width) in enumerate(zip(outlines, widths, strict=True))
        ]
        self._cap_heights = ASCENT + DESCENT + drop
        self.set_points(np.concatenate(parts))

    @property
    def cap_height(self) -> float:
        """Present height of a capital, in Manim units."""
        return float(np.linalg.norm(self.points[4] - self.points[0])) / self._cap_heights

    @property
    def cap_height_px(self) -> float:
        """Present height of a capital in pixels of a 1080p frame."""
        return self.cap_height * theme.PIXELS_PER_UNIT


class Phrase(VGroup):
    """One line in several colours, kerned as a whole.

    >>> Phrase(("keys", "key"), (" and ", "text"), ("values", "value"))
    """

    text_kind = "label"

    def __init__(
        self, *parts: tuple[str, str], size: str | float = "body", weight: str = "regular", font: str = fonts.SANS
    ) -> None:
        parts = tuple((languages.word(words), role) for words, role in parts)
        text = "".join(words for words, _ in parts)
        outlines = glyph_outlines(text, fonts.face(font), WEIGHTS[weight])
        super().__init__()
        self.shown_text = text
        start = 0
        specks = [np.repeat(np.array([[0, y, 0]]), 4, axis=0) for y in (-DESCENT, ASCENT)]
        for words, role in parts:
            ink = [outline for outline in outlines[start : start + len(words)] if len(outline)]
            start += len(words)
            if ink:
                piece = VMobject(fill_color=theme.role(role), fill_opacity=1, stroke_width=0)
                at = min(outline[:, 0].min() for outline in ink)
                piece.set_points(np.concatenate([*(speck + np.array([at, 0, 0]) for speck in specks), *ink]))
                self.add(piece)
        self.scale(theme.cap_units(size), about_point=np.zeros(3)).center()

    @property
    def cap_height_px(self) -> float:
        """Present height of a capital in pixels of a 1080p frame."""
        return self.height / (ASCENT + DESCENT) * theme.PIXELS_PER_UNIT


def label(text: str, size: str | float = "body", role: str = "text", **options: Any) -> Label:
    """A label: ``label("latent", role="latent")``. Options as for `Label` (``weight``, ``width``, ``align`` …)."""
    return Label(text, size, role, **options)


def title(text: str, *, as_is: bool = False) -> Label:
    """The one title of a scene, small and steady, top left of the safe area."""
    words = Label(text, "title", "text", weight="medium", as_is=as_is)
    words.shift([theme.SAFE_LEFT - words.get_left()[0], theme.SAFE_TOP - words.get_top()[1], 0])
    return words


def mono(text: str, size: str | float = "body", role: str = "text", **options: Any) -> Label:
    """Code, names of tensors, tokens: ``mono("kv_lora_rank")``."""
    return Label(text, size, role, font=fonts.MONO, **options)


class Formula(MathTypst):
    """Mathematics set by Typst, with our roles as functions: ``latent(c)_t = W h_t`` colours c amber.

    ``size`` is the cap height as for `Label`; ``shown_text`` is the Typst source.
    """

    text_kind = "math"

    def __init__(self, source: str, size: str | float = "heading", role: str = "text") -> None:
        functions = "".join(
            f'#let {_typst_name(name)}(body) = text(fill: rgb("{theme.colour(name)}"), body)\n'
            for name in look.ROLES
            if f"{_typst_name(name)}(" in source
        )
        base = f'#set text(fill: rgb("{theme.colour(role)}"))\n#let softmax = math.op("softmax")\n'
        super().__init__(source, typst_preamble=functions + base, font_size=48)
        self.shown_text = source
        for part in self.family_members_with_points():
            colour = getattr(part, "_own_colour", None)
            if colour:
                part.set_fill(colour, family=False)
                if part.get_stroke_width() > 0:
                    part.set_stroke(colour, family=False)
        self._built_height = self.height
        self.scale(theme.cap_units(size) / _typst_cap(48)).center()
        self._built_cap = theme.cap_units(size)
        self._built_height = self.height

    def get_mob_from_shape_element(self, shape: Any) -> VMobject | None:
        """Remember the colour that Typst gave to each part."""
        part = super().get_mob_from_shape_element(shape)
        if part is not None:
            colour = shape.fill.hexrgb if shape.fill is not None and shape.fill.value is not None else None
            part._own_colour = colour or (shape.stroke.hexrgb if shape.stroke is not None else None)
        return part

    @property
    def cap_height_px(self) -> float:
        """Present height of a capital in pixels of a 1080p frame."""
        return self._built_cap * self.height / self._built_height * theme.PIXELS_PER_UNIT


def _typst_name(name: str) -> str:
    """A role's function in mathematics; ``text`` is Typst's own word, so that role is ``plain``."""
    return "plain" if name == "text" else name.replace("_", "")


@cache
def _typst_cap(font_size: int) -> float:
    """Height of a capital H as Typst sets it, in Manim units."""
    return float(MathTypst("upright(H)", font_size=font_size).height)


def math(source: str, size: str | float = "heading", role: str = "text") -> Formula:
    """Mathematics by Typst: ``math("latent(c)_t = W^(D K V) h_t")``."""
    return Formula(source, size, role)
