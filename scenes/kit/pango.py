"""One line of text as Pango sets it: the outline of each of its characters.

Manim's `Text` makes mobjects of all glyphs and of all groups in Pango's picture and reads each path again, which takes
fifty milliseconds a line; a lecture shows hundreds of lines, and only the outlines are wanted. Here Pango is asked with
the same call, and the path of a glyph is read once, by Manim's own reader. What comes out is what `Text` has, which a
test holds.
"""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

import manimpango
import numpy as np
from manim.mobject.svg.svg_mobject import VMobjectFromSVGPath
from svgelements import Path as SVGPath

from explainers.errors import ExplainError
from scenes.kit.palette import Floats

_SIZE = 20.0  # points; what `Text` asks Pango for at font size 96
_START = (30, 20)
_NO_WRAP = 1_000_000  # Pango breaks lines at the picture's width
_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"


def line(text: str, font: str, weight: str, slant: str) -> list[Floats]:
    """Outlines of the characters of one line, y upwards: cubic Bézier curves of shape (points, 3), none for a space.

    Raises `ExplainError` where the font draws two characters as one.
    """
    with tempfile.TemporaryDirectory(prefix="explain-line-") as folder:
        file = Path(folder) / "line.svg"
        setting = manimpango.TextSetting(0, len(text), font, slant, weight, line_num=0, color="#FFFFFF")
        manimpango.text2svg([setting], _SIZE, 2 * _SIZE, True, str(file), *_START, _NO_WRAP, 1080, text)
        drawn = ElementTree.parse(file)
    paths = {symbol.get("id"): symbol[0].get("d", "") for symbol in drawn.iter(f"{_SVG}symbol")}
    glyphs = []
    for use in drawn.iter(f"{_SVG}use"):
        outline = _outline(paths[str(use.get(_LINK))[1:]])
        if len(outline):
            pen = np.array([float(use.get("x", 0)), float(use.get("y", 0)), 0])
            glyphs.append((outline + pen) * [1, -1, 1])
    letters = [index for index, character in enumerate(text) if not character.isspace()]
    if len(glyphs) < len(letters):
        raise ExplainError(
            f"the font {font} draws {len(letters)} characters of {text!r} with {len(glyphs)} glyphs; "
            "choose a font without ligatures"
        )
    outlines = [np.zeros((0, 3))] * len(text)
    for index, glyph in zip(letters, glyphs, strict=False):
        outlines[index] = glyph
    return outlines


@lru_cache(maxsize=2048)
def _outline(path: str) -> Floats:
    """A glyph's path as `Text` has it: from where a contour ends a line leads to its start, be it the same point."""
    points = VMobjectFromSVGPath(SVGPath(path)).points
    if not len(points):
        return points
    curves = points.reshape(-1, 4, 3)
    ends = np.flatnonzero((curves[1:, 0] != curves[:-1, 3]).any(axis=1)) + 1
    closed: list[Floats] = []
    for contour in np.split(curves, ends):
        start, end = contour[-1, 3], contour[0, 0]
        line_back = np.stack([start, (start + start + end) / 3, (start + end + end) / 3, end])
        closed += [contour, line_back[None]]
    return np.concatenate(closed).reshape(-1, 3)
