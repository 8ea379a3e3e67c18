"""Contrast, measured in the rendered frame, and colours that colour-blind viewers can tell apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from manim import Mobject, VMobject
from numpy.typing import NDArray

from scenes.audit.findings import Notes
from scenes.audit.masks import Painter, grown
from scenes.audit.picture import Bounds, Part, Picture, TextPart, ink_bounds, ink_opacity
from scenes.kit import palette, theme

TEXT_RATIO, SHAPE_RATIO = 4.5, 3.0
#: Roles that carry no meaning, so need no contrast.
_QUIET = ("surface", "hairline", "ground")
#: OKLab distance under a colour deficiency below which two colours look alike, if they differ clearly without it.
_ALIKE, _CLEARLY = 0.03, 0.12
#: Opacity below which something is dimmed on purpose.
_DIMMED = 0.6


@dataclass
class Seen:
    """What could be read well before: an object that is dimmed later stands back on purpose."""

    well: dict[int, Mobject] = field(default_factory=dict)  # kept alive, so that an id means one object
    bright: dict[int, Mobject] = field(default_factory=dict)

    def glance(self, picture: Picture) -> None:
        """Note what is fully opaque in a moment of a motion (without measuring pixels)."""
        self.bright.update({id(p.mobject): p.mobject for p in [*picture.texts, *picture.shapes] if p.opacity > 0.9})

    def stood_back(self, part: Part) -> bool:
        """Whether a part is faint now because it was dimmed, after it had its time."""
        return id(part.mobject) in self.well or (part.opacity < _DIMMED and id(part.mobject) in self.bright)


def check(picture: Picture, frame: NDArray[np.uint8], notes: Notes, painter: Painter, seen: Seen) -> None:
    """Contrast of texts and shapes in a frame (height, width, 4)."""
    rgb = frame[..., :3].astype(np.float64) / 255
    for text in picture.texts:
        _check_text(text, rgb, notes, painter, seen)
    faint: set[tuple[str, ...]] = set()
    for shape in picture.shapes:
        style = _style(shape)
        if style not in faint and not _is_plain(shape, style, seen):
            faint.add(style)
            _note_faint(shape, style, notes)


def _check_text(text: TextPart, rgb: NDArray[np.float64], notes: Notes, painter: Painter, seen: Seen) -> None:
    by_colour: dict[str, list[VMobject]] = {}
    for leaf in text.leaves:
        by_colour.setdefault(leaf.get_fill_color().to_hex()[:7], []).append(leaf)
    worst = min((measured(leaves, rgb, painter) for leaves in by_colour.values()), default=21.0)
    if worst >= TEXT_RATIO - 0.05:
        seen.well[id(text.mobject)] = text.mobject
    elif not seen.stood_back(text):
        notes.add(
            "low-contrast",
            text.name,
            f"{worst:.1f} : 1, least {TEXT_RATIO:g}",
            "choose a role that reads on what is behind it, make it more opaque, or move it to a calm place",
            text.waivers,
        )


def measured(leaves: list[VMobject], rgb: NDArray[np.float64], painter: Painter) -> float:
    """Contrast ratio of these paths against what surrounds them; 21 where they cannot be seen at all.

    The colour of the ink is un-mixed from antialiased pixels; the ground is the ring of pixels around the ink, of
    which the least favourable quarter counts.
    """
    boxes = [box for leaf in leaves if (box := ink_bounds(leaf)) is not None]
    if not boxes:
        return 21.0
    corners = np.array(boxes)
    bounds: Bounds = (*corners[:, :2].min(axis=0).tolist(), *corners[:, 2:].max(axis=0).tolist())
    patch = painter.ink(leaves, bounds)
    near = patch.mask > 0.02
    ring = grown(near, 2) & ~near
    core = patch.mask > min(0.6, float(patch.mask.max(initial=0)) * 0.8)
    if not ring.any() or not core.any():
        return 21.0
    here = rgb[patch.window]
    behind = np.median(here[ring], axis=0)
    ink = _unmixed(here[core], patch.mask[core], behind)
    nominal = palette.from_hex(leaves[0].get_fill_color().to_hex()[:7])
    if (
        np.abs(here[core] - behind).max() < 0.02
        and np.abs(nominal - behind).max() > 0.2
        and ink_opacity(leaves[0]) > 0.9
    ):
        return 21.0  # wholly covered by something: nobody sees it
    light = _luminance(here[ring])
    own = float(_luminance(ink[None])[0])
    ratios = (np.maximum(light, own) + 0.05) / (np.minimum(light, own) + 0.05)
    return float(np.quantile(ratios, 0.25))


def _unmixed(
    pixels: NDArray[np.float64], cover: NDArray[np.float64], behind: NDArray[np.float64]
) -> NDArray[np.float64]:
    own = behind + (pixels - behind) / cover[:, None]
    return np.clip(np.median(own, axis=0), 0, 1)


def _luminance(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.array([0.2126, 0.7152, 0.0722])
    return np.asarray(palette.linear(rgb) @ weights)


# ---------------------------------------------------------------------- shapes
def _style(shape: Part) -> tuple[str, ...]:
    """The colours with which a shape appears on the ground: stroke and filling, mixed with their opacity."""
    path = shape.mobject
    assert isinstance(path, VMobject)
    colours = []
    if path.get_stroke_width() > 0 and path.get_stroke_opacity() > 0:
        colours.append(_on_ground(path.get_stroke_color().to_hex()[:7], float(path.get_stroke_opacity())))
    if path.get_fill_opacity() > 0:
        colours.append(_on_ground(path.get_fill_color().to_hex()[:7], float(path.get_fill_opacity())))
    return tuple(colours)


def _on_ground(colour: str, opacity: float) -> str:
    ground = palette.from_hex(theme.colour("ground"))
    return palette.to_hex(ground + (palette.from_hex(colour) - ground) * opacity)


def _best(style: tuple[str, ...]) -> float:
    return max((palette.contrast(colour, theme.colour("ground")) for colour in style), default=21.0)


def _is_plain(shape: Part, style: tuple[str, ...], seen: Seen) -> bool:
    """Whether a shape stands out, once did, or may be quiet."""
    if _best(style) >= SHAPE_RATIO - 0.05:
        seen.well[id(shape.mobject)] = shape.mobject
        return True
    quiet = {theme.colour(name) for name in _QUIET}
    if _fill_or_stroke(shape) in quiet or set(style) <= quiet:
        return True
    return seen.stood_back(shape) or _is_backing(shape)


def _note_faint(shape: Part, style: tuple[str, ...], notes: Notes) -> None:
    notes.add(
        "faint-shape",
        shape.name,
        f"{_best(style):.1f} : 1 ({', '.join(style)}), least {SHAPE_RATIO:g}",
        "give it a role's full colour or a stroke; only hairlines and surfaces, which mean nothing, may be fainter",
        shape.waivers,
    )


def _fill_or_stroke(shape: Part) -> str:
    path = shape.mobject
    assert isinstance(path, VMobject)
    stroked = path.get_stroke_width() > 0 and path.get_stroke_opacity() > 0
    colour = path.get_stroke_color() if stroked else path.get_fill_color()
    return str(colour.to_hex()[:7]).upper()


def _is_backing(shape: Part) -> bool:
    """A quiet filling that only lifts something off the ground (`tint`, up to a quarter of a role)."""
    path = shape.mobject
    assert isinstance(path, VMobject)
    unstroked = path.get_stroke_width() <= 0 or path.get_stroke_opacity() <= 0
    return bool(unstroked and palette.contrast(_style(shape)[-1], theme.colour("ground")) < 1.8)


# ---------------------------------------------------------------------- colour-blind viewers
def check_colours(picture: Picture, notes: Notes) -> None:
    """Two colours that differ clearly must differ for protan, deutan and tritan viewers too."""
    used: dict[str, Part] = {}
    for part in picture.shapes:  # a text says in words what it is
        path = part.mobject
        if isinstance(path, VMobject) and ink_opacity(path) > 0.6:
            used.setdefault(_leaf_colour(path), part)
    strong = {c: p for c, p in used.items() if palette.contrast(c, theme.colour("ground")) >= SHAPE_RATIO}
    for (one, part), (two, other) in combinations(strong.items(), 2):
        if palette.distance(one, two) < _CLEARLY:
            continue
        for deficiency in palette.DEFICIENCIES:
            away = palette.distance(palette.as_seen(one, deficiency), palette.as_seen(two, deficiency))
            if away < _ALIKE:
                notes.add(
                    "colours-alike",
                    f"{one} {part.name} × {two} {other.name}",
                    f"{away:.3f} apart in OKLab for {deficiency} vision, least {_ALIKE:g}",
                    "use two roles of the theme; they were chosen to stay apart",
                    (*part.waivers, *other.waivers),
                )
                break


def _leaf_colour(leaf: VMobject) -> str:
    colour = leaf.get_fill_color() if leaf.get_fill_opacity() > 0.6 else leaf.get_stroke_color()
    return str(colour.to_hex()[:7]).upper()
