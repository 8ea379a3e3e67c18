"""A scene at one moment, as the audit sees it: texts, shapes, images and data-bound objects, each with a name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from manim import MarkupText, Mobject, Text, Typst, VMobject
from manim.mobject.text.numbers import DecimalNumber
from manim.mobject.text.tex_mobject import SingleStringMathTex

from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.audit.outlines import READER, ink_curves, learn_typst_digits
from scenes.kit import theme
from scenes.report import Box
from scenes.waivers import Waiver, waivers_on

#: Left, bottom, right, top in Manim units.
Bounds = tuple[float, float, float, float]
#: A path of so few points (four curves) is a rectangle or a line, never a glyph.
_PLAIN = 16
_GROUPS = {"Group", "VGroup", "Mobject", "VMobject", "VDict", "Phrase"}
_TYPST_CODE = re.compile(r"#[\w.]+(?:\([^()]*\))?|<[\w-]+>|delim:\s*\S+|\b\d+(?:\.\d+)?(?:em|pt|mm|cm|deg|fr)\b")


@dataclass(eq=False)
class Part:
    """Something drawn: a path, a text or an image, with the mobjects that hold it (outermost first)."""

    mobject: Mobject
    holders: tuple[Mobject, ...]
    order: int = 0

    @cached_property
    def name(self) -> str:
        """``TensorGrid 'c_kv' / label 'latent'``."""
        steps = [describe(holder) for holder in self.holders if type(holder).__name__ not in _GROUPS]
        return " / ".join([*steps[-2:], describe(self.mobject)])

    @cached_property
    def waivers(self) -> tuple[Waiver, ...]:
        """Waivers on it, on what holds it and on what it holds."""
        inside = [waiver for member in self.mobject.get_family() for waiver in waivers_on(member)]
        return tuple(dict.fromkeys([*inside, *(w for holder in self.holders for w in waivers_on(holder))]))

    @cached_property
    def leaves(self) -> list[VMobject]:
        """The visible paths of it."""
        return [part for part in self.mobject.get_family() if isinstance(part, VMobject) and leaves_ink(part)]

    @cached_property
    def bounds(self) -> Bounds | None:
        """The box around its ink (without the empty metric box of a label)."""
        if hasattr(self.mobject, "pixel_array"):
            points = self.mobject.points
            return (*points[:, :2].min(axis=0).tolist(), *points[:, :2].max(axis=0).tolist())
        boxes = [box for leaf in self.leaves if (box := ink_bounds(leaf)) is not None]
        if not boxes:
            return None
        corners = np.array(boxes)
        return (*corners[:, :2].min(axis=0).tolist(), *corners[:, 2:].max(axis=0).tolist())

    @cached_property
    def opacity(self) -> float:
        """How opaque its most opaque ink is, 0…1."""
        return max((ink_opacity(leaf) for leaf in self.leaves), default=0.0)

    def holder(self, *kinds: str) -> Mobject | None:
        """The innermost holder of one of these classes (or of a class derived from it)."""
        for mobject in reversed(self.holders):
            if any(base.__name__ in kinds for base in type(mobject).__mro__):
                return mobject
        return None

    @property
    def arrays(self) -> list[NamedArray]:
        """The arrays that its holders are drawn from."""
        data = [datum for holder in self.holders for datum in vars(holder).get("bound", ())]
        return [datum for datum in data if isinstance(datum, NamedArray)]


@dataclass(eq=False)
class TextPart(Part):
    """A text: what its attributes say, and what its outline says."""

    kind: str = "label"
    said: str = ""

    @cached_property
    def text(self) -> str:
        """What is read on screen: the drawn outline where it is known, else the object's own string."""
        return self.said if self.drawn is None else self.drawn

    @cached_property
    def drawn(self) -> str | None:
        """The text read from the outlines, or None where they cannot be read (in motion, or not a known text)."""
        if self.kind == "math":
            return None
        read = [READER.read(leaf.points) for leaf in self.leaves]
        if not read or any(piece is None for piece in read):
            return None
        together = "".join(piece for piece in read if piece)
        same = "".join(together.split()).casefold() == "".join(self.said.split()).casefold()
        return self.said if same else together

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The numbers that it says it shows."""
        own = vars(self.mobject).get("quantity")
        several = vars(self.mobject).get("quantities", ())
        return tuple(q for q in (own, *several) if isinstance(q, Quantity))

    @property
    def visible_text(self) -> str:
        """The text without what is code: Typst source loses its functions' arguments and lengths."""
        if self.kind != "math":
            return self.text
        shown = _TYPST_CODE.sub(" ", self.text)
        drawn = "".join(READER.read(leaf.points) or " " for leaf in self.leaves)
        extra = [run for run in re.findall(r"\d+", drawn) if run not in shown]
        return " ".join([shown, *extra])


@dataclass
class Picture:
    """Everything that is visible in a scene now."""

    scene: Any
    texts: list[TextPart] = field(default_factory=list)
    shapes: list[Part] = field(default_factory=list)
    images: list[Part] = field(default_factory=list)
    bound: list[Part] = field(default_factory=list)

    @property
    def camera(self) -> Any:
        return self.scene.camera

    @property
    def parts(self) -> list[Part]:
        """Texts, shapes and images."""
        return [*self.texts, *self.shapes, *self.images]

    def boxes_of(self, thing: str) -> tuple[Box, ...]:
        """Where the parts that a finding names (``a × b``) stand, in fractions of the frame."""
        names = set(thing.split(" × "))
        found = [part.bounds for part in [*self.parts, *self.bound] if part.name in names]
        return tuple(dict.fromkeys(self._in_frame(bounds) for bounds in found if bounds))

    def _in_frame(self, bounds: Bounds) -> Box:
        left, bottom, right, top = bounds
        (x, y), width, height = self.camera.frame_center[:2], self.camera.frame_width, self.camera.frame_height
        across = [round(float((value - x) / width + 0.5), 4) for value in (left, right)]
        down = [round(float(0.5 - (value - y) / height), 4) for value in (top, bottom)]
        return across[0], down[0], across[1], down[1]

    @property
    def zoom(self) -> float:
        """How much larger than usual the camera shows everything."""
        return float(theme.FRAME_HEIGHT / self.camera.frame_height)


def take(scene: Any) -> Picture:
    """The picture of a scene as it stands."""
    picture = Picture(scene)
    shown = scene.camera.get_mobjects_to_display(scene.mobjects)
    order = {id(mobject): index for index, mobject in enumerate(shown)}
    seen: set[int] = set()
    for top in scene.mobjects:
        _collect(top, (), picture, order, seen)
    return picture


def _collect(
    mobject: Mobject, holders: tuple[Mobject, ...], picture: Picture, order: dict[int, int], seen: set[int]
) -> None:
    if id(mobject) in seen or getattr(mobject, "shows_no_data", False):
        return
    seen.add(id(mobject))
    place = max((order.get(id(part), 0) for part in mobject.get_family()), default=0) if is_text(mobject) else 0
    if len(vars(mobject).get("bound", ())):
        picture.bound.append(Part(mobject, holders))
    if is_text(mobject):
        text = TextPart(mobject, holders, place, *_kind_and_string(mobject))
        seen.update(id(part) for part in mobject.get_family())
        if text.leaves:
            picture.texts.append(text)
        return
    if hasattr(mobject, "pixel_array"):
        if mobject.pixel_array[..., 3].any() and getattr(mobject, "fill_opacity", 1.0) > 0:
            picture.images.append(Part(mobject, holders, order.get(id(mobject), 0)))
    elif isinstance(mobject, VMobject) and leaves_ink(mobject):
        _collect_path(mobject, holders, picture, order.get(id(mobject), 0))
    for part in mobject.submobjects:
        _collect(part, (*holders, mobject), picture, order, seen)


def _collect_path(mobject: VMobject, holders: tuple[Mobject, ...], picture: Picture, order: int) -> None:
    """A path is a shape, unless its outline is a text that lost its string."""
    letter = len(mobject.points) > _PLAIN and mobject.get_fill_opacity() > 0
    stray = READER.read(mobject.points) if letter else None
    if stray is None:
        picture.shapes.append(Part(mobject, holders, order))
        return
    before = picture.texts[-1] if picture.texts else None
    if before and before.kind == "stray" and before.holders and holders and before.holders[-1] is holders[-1]:
        before.said += stray
        before.leaves.append(mobject)
        return
    picture.texts.append(TextPart(mobject, holders, order, "stray", stray))


def is_text(mobject: Mobject) -> bool:
    """Whether this mobject as a whole is one text."""
    if isinstance(mobject, Text | MarkupText | Typst | DecimalNumber | SingleStringMathTex):
        return True
    return hasattr(mobject, "text_kind") and isinstance(getattr(mobject, "shown_text", None), str)


def _kind_and_string(mobject: Any) -> tuple[str, str]:
    if isinstance(mobject, DecimalNumber):
        return "label", mobject._get_num_string(mobject.number) + str(mobject.unit or "")
    if hasattr(mobject, "text_kind"):
        if mobject.text_kind == "math":
            learn_typst_digits()
        return str(mobject.text_kind), str(mobject.shown_text)
    if isinstance(mobject, Typst):
        learn_typst_digits()
        return "math", str(getattr(mobject, "typst_code", ""))
    if isinstance(mobject, MarkupText):
        return "label", re.sub(r"<[^>]*>", "", str(mobject.original_text))
    return "label", str(getattr(mobject, "original_text", getattr(mobject, "tex_string", "")))


# ---------------------------------------------------------------------- ink
def leaves_ink(path: VMobject) -> bool:
    """Whether this path itself draws something."""
    return len(path.points) > 0 and ink_opacity(path) > 0


def ink_opacity(path: VMobject) -> float:
    """Opacity of the fill or of the stroke, whichever is more, 0…1."""
    fill = float(np.atleast_2d(path.get_fill_rgbas())[:, 3].max(initial=0))
    if path.get_stroke_width() <= 0:
        return fill
    return max(fill, float(np.atleast_2d(path.get_stroke_rgbas())[:, 3].max(initial=0)))


def ink_bounds(path: VMobject) -> Bounds | None:
    """The box of what a path draws, half its stroke included."""
    curves = ink_curves(path.points)
    if not len(curves):
        return None
    half = path.get_stroke_width() / 200 if path.get_stroke_opacity() > 0 else 0.0
    low, high = curves.min(axis=(0, 1)) - half, curves.max(axis=(0, 1)) + half
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


# ---------------------------------------------------------------------- names
def describe(mobject: Mobject) -> str:
    """``label 'latent'``, ``TensorGrid 'c_kv'``, ``Rectangle``."""
    kind = type(mobject).__name__
    text = getattr(mobject, "shown_text", None) or getattr(mobject, "original_text", None)
    if isinstance(text, str):
        word = {"Label": "label", "NumberLabel": "number", "AxisTick": "tick", "Formula": "formula"}.get(kind, kind)
        short = " ".join(text.split())
        return f"{word} {short if len(short) <= 48 else short[:47] + '…'!r}"
    named = [getattr(datum, "name", "") for datum in vars(mobject).get("bound", ())]
    return f"{kind} {named[0]!r}" if named and named[0] else kind
