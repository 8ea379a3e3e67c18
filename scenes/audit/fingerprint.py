"""A picture as reviewable text: what stands where, in which colours, with which words; and a small thumbnail."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import Mobject, VMobject
from numpy.typing import NDArray
from PIL import Image

from scenes.audit.picture import Part, Picture, TextPart, ink_opacity

#: More alike shapes than this under one holder are written as one line with their number.
_MANY = 6
THUMBNAIL = (48, 27)


def of_step(index: int, picture: Picture) -> dict[str, Any]:
    """The fingerprint of a step: texts, images and shapes with boxes in Manim units, in drawing order."""
    things = [_text(text) for text in picture.texts]
    things += [_image(image) for image in picture.images]
    things += _shapes(picture.shapes)
    return {"step": index, "things": sorted(things, key=_place)}


def _place(thing: dict[str, Any]) -> tuple[Any, ...]:
    left, bottom, right, top = thing["box"]
    return (-round(top), round(left), thing["kind"], thing.get("text", ""), bottom, right)


def _box(part: Part) -> list[float]:
    return [round(value, 2) + 0.0 for value in (part.bounds or (0.0, 0.0, 0.0, 0.0))]


def _text(text: TextPart) -> dict[str, Any]:
    kind = "text" if text.kind in ("label", "stray") else text.kind
    return {"kind": kind, "text": text.text, "box": _box(text), "colours": _colours(text)}


def _image(image: Part) -> dict[str, Any]:
    rows, columns = image.mobject.pixel_array.shape[:2]
    mean = image.mobject.pixel_array[..., :3].reshape(-1, 3).mean(axis=0)
    colour = "#" + "".join(f"{round(value):02X}" for value in mean)
    return {"kind": f"image {rows} × {columns}", "of": _holder(image), "box": _box(image), "colours": [colour]}


def _holder(part: Part) -> str:
    for mobject in reversed(part.holders):
        if type(mobject).__name__ not in ("Group", "VGroup", "Mobject"):
            return type(mobject).__name__
    return ""


def _shapes(shapes: list[Part]) -> list[dict[str, Any]]:
    families: dict[tuple[int, str], list[Part]] = {}
    for shape in shapes:
        holder = id(shape.holders[-1]) if shape.holders else id(shape.mobject)
        families.setdefault((holder, type(shape.mobject).__name__), []).append(shape)
    things: list[dict[str, Any]] = []
    for (_, kind), members in families.items():
        if len(members) > _MANY:
            boxes = np.array([member.bounds for member in members if member.bounds])
            box = [*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)] if len(boxes) else [0.0] * 4
            colours = sorted({colour for member in members for colour in _colours(member)})
            things.append(
                {
                    "kind": f"{len(members)} {kind}",
                    "of": _holder(members[0]),
                    "box": [round(float(value), 2) + 0.0 for value in box],
                    "colours": colours[:8],
                }
            )
        else:
            things += [
                {"kind": kind, "of": _holder(member), "box": _box(member), "colours": _colours(member)}
                for member in members
                if member.bounds
            ]
    return things


def _colours(part: Part) -> list[str]:
    mobject: Mobject = part.mobject
    leaves = part.leaves if isinstance(part, TextPart) else [mobject]
    found: dict[str, None] = {}
    for leaf in leaves:
        if not isinstance(leaf, VMobject) or ink_opacity(leaf) <= 0:
            continue
        if leaf.get_fill_opacity() > 0:
            found[_colour(leaf.get_fill_color(), leaf.get_fill_opacity())] = None
        if leaf.get_stroke_width() > 0 and leaf.get_stroke_opacity() > 0:
            found["/" + _colour(leaf.get_stroke_color(), leaf.get_stroke_opacity())] = None
    return list(found)[:6]


def _colour(colour: Any, opacity: float) -> str:
    share = "" if opacity > 0.995 else f" {opacity:.0%}"
    return str(colour.to_hex()[:7]).upper() + share


def thumbnail(frame: NDArray[np.uint8]) -> list[list[list[int]]]:
    """The frame in 48 × 27 pixels, (27, 48, 3)."""
    small = Image.fromarray(frame).convert("RGB").resize(THUMBNAIL, Image.Resampling.BOX)
    pixels: list[list[list[int]]] = np.asarray(small).tolist()
    return pixels
