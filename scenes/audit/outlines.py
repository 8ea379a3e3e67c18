"""Reading by shape: which text an outline is, whatever attribute it carries.

A `Transform` leaves the old string on the new outline, and a slice of a `Text` has no string at all. So every outline
that is built while the audit watches is remembered by its moments (area, centre, spread, skew in its unit box), which
survive moving, scaling, quarter turns and the splitting of curves, and whatever is drawn is looked up.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import numpy as np
from manim import MarkupText, Text, VMobject
from numpy.typing import NDArray

from scenes.kit import text as kit_text

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)  # exact for the moments of cubic curves up to third order
_T, _W = (_NODES + 1) / 2, _WEIGHTS / 2
_BASIS = np.stack([(1 - _T) ** 3, 3 * _T * (1 - _T) ** 2, 3 * _T**2 * (1 - _T), _T**3])
_SLOPE = np.stack([-3 * (1 - _T) ** 2, 3 * (1 - _T) ** 2 - 6 * _T * (1 - _T), 6 * _T * (1 - _T) - 3 * _T**2, 3 * _T**2])
#: A single glyph is the same letter in any size Pango gave it; a whole line must be the same outline.
_GLYPH_TOLERANCE, _LINE_TOLERANCE = 2e-3, 2e-6


def ink_curves(points: Floats) -> Floats:
    """The cubic curves of an outline that draw something, (n, 4, 2); null curves (metric specks) are left out."""
    curves = np.asarray(points, dtype=np.float64)[: len(points) // 4 * 4].reshape(-1, 4, 3)[:, :, :2]
    return curves[np.ptp(curves, axis=1).max(axis=1) > 1e-9]


def moments(points: Floats) -> Floats | None:
    """Nine numbers that tell one filled outline from another, (9,); None where nothing is drawn."""
    curves = ink_curves(points)
    if not len(curves):
        return None
    low, size = curves.min(axis=(0, 1)), np.ptp(curves, axis=(0, 1))
    if size.min() < 1e-9:
        return None
    curves = (curves - low) / size
    x, y = (np.einsum("nk,kt->nt", curves[:, :, i], _BASIS) for i in (0, 1))
    dx, dy = (np.einsum("nk,kt->nt", curves[:, :, i], _SLOPE) * _W for i in (0, 1))
    around = [
        (x * dy - y * dx) / 2,
        x**2 * dy / 2,
        -(y**2) * dx / 2,
        x**3 * dy / 3,
        -(y**3) * dx / 3,
        x**2 * y * dy / 2,
        x**4 * dy / 4,
        -(y**4) * dx / 4,
    ]
    return np.array([float(size[0] / size[1]) / 4, *(float(part.sum()) for part in around)])


class Reader:
    """Outline → text, for all outlines that were built under `watching`."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._known: dict[bytes, str] = {}
        self._rows: list[Floats] = []
        self._table = np.zeros((0, 9))
        self._answers: dict[bytes, str | None] = {}
        self.knows_typst = False

    def learn(self, points: Floats, text: str) -> None:
        """This outline is this text."""
        found = moments(points)
        if found is None or not text.strip():
            return
        key = np.round(found, 7).tobytes() + text.encode()
        if key not in self._known:
            self._known[key] = text
            self._texts.append(text)
            self._rows.append(found)
            self._answers.clear()

    def read(self, points: Floats) -> str | None:
        """The text that an outline draws, or None where it is none that was ever written."""
        key = hashlib.blake2b(np.ascontiguousarray(points).tobytes(), digest_size=12).digest()
        if key not in self._answers:
            self._answers[key] = self._read(points)
        return self._answers[key]

    def _read(self, points: Floats) -> str | None:
        if len(self._table) != len(self._rows):
            self._table = np.array(self._rows)
        if not len(self._table):
            return None
        turned = np.array(points, dtype=np.float64)
        for _ in range(4):
            found = moments(turned)
            if found is None:
                return None
            away = np.abs(self._table - found).max(axis=1) / np.maximum(1, np.abs(found).max())
            best = int(away.argmin())
            limit = _GLYPH_TOLERANCE if len(self._texts[best]) == 1 else _LINE_TOLERANCE
            if away[best] < limit:
                return self._texts[best]
            turned = turned[:, [1, 0, 2]] * np.array([-1.0, 1.0, 1.0])
        return None


READER = Reader()


def _after(original: Callable[..., Any], then: Callable[..., None]) -> Callable[..., Any]:
    @wraps(original)
    def both(self: Any, *args: Any, **options: Any) -> Any:
        result = original(self, *args, **options)
        then(self, *args, **options)
        return result

    return both


def _learn_glyphs(mobject: Any, *_: Any, **__: Any) -> None:
    source = mobject.text if type(mobject) is not MarkupText else re.sub(r"<[^>]*>", "", mobject.text)
    characters = "".join(str(source).split())
    glyphs = [part for part in mobject.submobjects if len(part.points) > 4]
    if len(glyphs) == len(characters):
        for glyph, character in zip(glyphs, characters, strict=True):
            READER.learn(glyph.points, character)


def _learn_line(mobject: VMobject, lines: Any, *_: Any, **__: Any) -> None:
    READER.learn(mobject.points, "\n".join(lines))


def _learn_phrase(mobject: Any, *parts: tuple[str, str], **__: Any) -> None:
    inked = [words for words, _ in parts if words.strip()]
    for piece, words in zip(mobject.submobjects, inked, strict=False):
        READER.learn(piece.points, words)


@contextmanager
def watching() -> Iterator[Reader]:
    """Remember every text that is built meanwhile."""
    patches: list[tuple[type, str, Callable[..., None]]] = [
        (Text, "__init__", _learn_glyphs),
        (MarkupText, "__init__", _learn_glyphs),
        (kit_text.Label, "_set_lines", _learn_line),
        (kit_text.Phrase, "__init__", _learn_phrase),
    ]
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]
    for owner, name, then in patches:
        setattr(owner, name, _after(getattr(owner, name), then))
    try:
        yield READER
    finally:
        for owner, name, original in before:
            setattr(owner, name, original)


def learn_typst_digits() -> None:
    """The ten digits as Typst sets them in mathematics and in words; once a process."""
    from manim import MathTypst, Typst

    if READER.knows_typst:
        return
    READER.knows_typst = True
    for drawn in (MathTypst("0 1 2 3 4 5 6 7 8 9"), MathTypst("bold(0123456789)"), Typst("0123456789")):
        glyphs = [part for part in drawn.family_members_with_points() if len(part.points) > 4]
        if len(glyphs) == 10:
            for glyph, digit in zip(glyphs, "0123456789", strict=True):
                READER.learn(glyph.points, digit)
