"""Layout: inside the safe area, above the captions, no text over text or across an edge, and large enough to read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from manim import VMobject
from numpy.typing import NDArray
from scipy import ndimage

from scenes.audit.findings import Notes
from scenes.audit.masks import Painter, Patch, grown
from scenes.audit.outlines import READER, ink_curves
from scenes.audit.picture import Bounds, Part, Picture, TextPart
from scenes.kit import theme
from scenes.kit.palette import contrast

#: Smallest cap heights in pixels of a 1080p frame; half a pixel is forgiven.
TEXT_PX, TICK_PX = 18.0, 11.0
#: How far beyond the safe area counts, in Manim units (two pixels of a 1080p frame).
_SLACK = 2 / theme.PIXELS_PER_UNIT
#: Covered pixels (of the audit's frame) from which on two things touch.
_TOUCHING = 3
#: The widest gap between words, in cap heights.
_WORD_GAP = 1.3
#: Notes on data: as small as ticks may be.
_ANNOTATED = ("ColorBar", "CountNote", "TensorGrid", "Axes2D", "AxisTick")


def check(picture: Picture, notes: Notes, painter: Painter) -> None:
    """All layout checks at the end of a step."""
    for part in picture.parts:
        _check_place(part, picture, notes)
    for text in picture.texts:
        _check_size(text, picture, notes)
    inks = Inks(picture, painter)
    check_overlaps(inks, notes)
    _check_edges(inks, notes)


# ---------------------------------------------------------------------- place
def _check_place(part: Part, picture: Picture, notes: Notes) -> None:
    bounds = part.bounds
    if bounds is None or _covers_frame(bounds, picture):
        return
    camera = picture.camera
    centre, zoom = camera.frame_center, 1 / picture.zoom
    left, right, low, high = (
        bounds[0] - centre[0],
        bounds[2] - centre[0],
        bounds[1] - centre[1],
        bounds[3] - centre[1],
    )
    beyond = max(
        theme.SAFE_LEFT * zoom - left,
        right - theme.SAFE_RIGHT * zoom,
        high - theme.SAFE_TOP * zoom,
        theme.SAFE_BOTTOM * zoom - low,
    )
    if beyond > _SLACK * zoom:
        notes.add(
            "outside-safe-area",
            part.name,
            f"{beyond * theme.PIXELS_PER_UNIT / zoom:.0f} px beyond it at 1080p",
            "move or shrink it: 5 % inside every edge of the frame (fit_stage, in_safe_area)",
            part.waivers,
        )
    elif theme.CAPTION_TOP * zoom - low > _SLACK * zoom and not (isinstance(part, TextPart) and part.kind == "origin"):
        into = (theme.CAPTION_TOP * zoom - low) * theme.PIXELS_PER_UNIT / zoom
        notes.add(
            "in-caption-zone",
            part.name,
            f"{into:.0f} px into it at 1080p",
            "only the origin line stands in the lowest 12 % of the frame; move it up",
            part.waivers,
        )


def _covers_frame(bounds: Bounds, picture: Picture) -> bool:
    """A backdrop as wide and high as the frame (or a line right across it) carries no meaning of its own."""
    width, height = picture.camera.frame_width, picture.camera.frame_height
    return bounds[2] - bounds[0] >= width * 0.999 and bounds[3] - bounds[1] >= height * 0.999


# ---------------------------------------------------------------------- size
def cap_height_px(text: TextPart) -> float | None:
    """Height of a capital in pixels at 1080p; None where no capital can be inferred."""
    known = getattr(text.mobject, "cap_height_px", None)
    if known is not None:
        return float(known)
    heights = []
    for leaf in text.leaves:
        character = READER.read(leaf.points)
        if character is None or len(character) != 1:
            continue
        share = 1.0 if character.isupper() or character.isdigit() or character in "bdfhkl" else 0.0
        share = share or (0.74 if character in "acemnorsuvwxz" else 0.0)
        if share:
            heights.append(float(np.ptp(ink_curves(leaf.points)[..., 1])) / share)
    if not heights and text.leaves:
        heights = [max(float(np.ptp(ink_curves(leaf.points)[..., 1])) for leaf in text.leaves)]
    return float(np.median(heights)) * theme.PIXELS_PER_UNIT if heights else None


def _check_size(text: TextPart, picture: Picture, notes: Notes) -> None:
    cap = cap_height_px(text)
    if cap is None:
        return
    cap *= picture.zoom
    annotation = text.kind in ("tick", "origin") or text.holder(*_ANNOTATED) is not None
    least = TICK_PX if annotation else TEXT_PX
    if cap < least - 0.5:
        notes.add(
            "text-too-small",
            text.name,
            f"cap height {cap:.1f} px at 1080p, least {least:g}",
            "make it larger, or say less",
            text.waivers,
        )


# ---------------------------------------------------------------------- on top of one another
@dataclass
class Inks:
    """The pixels of each text of a picture, drawn when they are first needed."""

    picture: Picture
    painter: Painter

    def __post_init__(self) -> None:
        self._patches: dict[int, Patch] = {}

    def of(self, text: TextPart) -> Patch:
        if id(text) not in self._patches:
            bounds = text.bounds
            assert bounds is not None
            self._patches[id(text)] = self.painter.ink(text.leaves, bounds)
        return self._patches[id(text)]

    def body(self, text: TextPart) -> NDArray[np.bool_]:
        """The ink with the gaps between its letters and words filled: a line between two letters cuts the text too."""
        ink = self.of(text).mask > 0.35
        if not ink.any():
            return ink
        reach = max(3, int(_WORD_GAP * (cap_height_px(text) or TEXT_PX) * self.painter.height / 1080))
        closed: NDArray[np.bool_] = ndimage.binary_closing(np.pad(ink, reach), np.ones((1, reach), dtype=bool))
        return closed[reach:-reach, reach:-reach]

    def pairs(self, opaque: float = 0.15) -> Iterator[tuple[TextPart, TextPart, int]]:
        """Texts that touch, with how many pixels they share."""
        texts = [text for text in self.picture.texts if text.opacity >= opaque and text.bounds]
        for one, two in combinations(texts, 2):
            if _apart(one.bounds, two.bounds):
                continue
            first, second = self.of(one), self.of(two)
            shared = grown(first.mask > 0.35, 1) & (first.inside(second) > 0.35)
            if (count := int(shared.sum())) >= _TOUCHING:
                yield one, two, count


def _apart(one: Bounds | None, two: Bounds | None, gap: float = 0.0) -> bool:
    if one is None or two is None:
        return True
    return one[2] + gap < two[0] or two[2] + gap < one[0] or one[3] + gap < two[1] or two[3] + gap < one[1]


def check_overlaps(inks: Inks, notes: Notes, opaque: float = 0.15) -> None:
    """Text over text."""
    for one, two, count in inks.pairs(opaque):
        notes.add(
            "text-over-text",
            f"{one.name} × {two.name}",
            f"{count} px of ink shared at {inks.painter.height}p",
            "move one of them, or take the first away before the second arrives",
            (*one.waivers, *two.waivers),
        )


def _check_edges(inks: Inks, notes: Notes) -> None:
    """Text across a line, or half on and half off a filled shape."""
    edges = [shape for shape in inks.picture.shapes if shape.bounds and _has_edge(shape)]
    solids = [shape for shape in inks.picture.shapes if shape.bounds and _is_solid(shape)]
    for text in inks.picture.texts:
        if text.opacity < 0.15 or text.bounds is None:
            continue
        for shape in edges:
            if _apart(text.bounds, shape.bounds) or _hidden_from(text, shape, solids):
                continue
            body = inks.body(text)
            path = shape.mobject
            assert isinstance(path, VMobject)
            line = inks.painter.edges([path], text.bounds)
            count = int((body & (inks.of(text).inside(line) > 0.35)).sum())
            if count >= _TOUCHING:
                notes.add(
                    "text-across-edge",
                    f"{text.name} × {shape.name}",
                    f"{count} px of ink on the edge at {inks.painter.height}p",
                    "move the text off the line, or put it wholly inside or outside the shape",
                    (*text.waivers, *shape.waivers),
                )


def _has_edge(shape: Part) -> bool:
    """A stroke that is not a hairline, or a filling that stands out from the ground."""
    path, ground = shape.mobject, theme.colour("ground")
    assert isinstance(path, VMobject)
    quiet = {theme.colour("hairline"), ground}
    if path.get_stroke_width() > 0 and path.get_stroke_opacity() >= 0.3:
        return path.get_stroke_color().to_hex()[:7].upper() not in quiet
    return bool(path.get_fill_opacity() >= 0.3 and contrast(path.get_fill_color().to_hex()[:7], ground) > 1.3)


def _is_solid(shape: Part) -> bool:
    path = shape.mobject
    return isinstance(path, VMobject) and path.get_fill_opacity() > 0.9


def _hidden_from(text: TextPart, edge: Part, solids: list[Part]) -> bool:
    """Whether a panel that lies under the text covers the edge there."""
    box = text.bounds
    assert box is not None
    for panel in solids:
        cover = panel.bounds
        if cover is None or panel is edge or not edge.order < panel.order < text.order:
            continue
        if cover[0] <= box[0] and cover[1] <= box[1] and cover[2] >= box[2] and cover[3] >= box[3]:
            return True
    return False
