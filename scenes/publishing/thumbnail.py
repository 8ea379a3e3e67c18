"""A thumbnail: what stands at the end of a step, as large as it goes, beside the lecture's number and name.

The step is drawn anew in four times the pixels, whatever the film's size, so that nothing is enlarged.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Mobject, VGroup
from numpy.typing import NDArray
from PIL import Image

from explainers.errors import ExplainError
from scenes import frame
from scenes.kit import label
from scenes.production.looking import Pixels, frame_of, walk
from scenes.production.settings import Options, Picture
from scenes.registry import Course
from scenes.report import StepReport
from scenes.script import Lecture
from scenes.stage import LectureScene

SIZE = (1280, 720)
#: YouTube's limit is 2 MB.
BYTES = 2_000_000
_SMALLEST, _LARGEST = 40, 210  # px of a 1080p frame, of the name


@dataclass(frozen=True)
class _Box:
    """A part of the frame in fractions of its width and height."""

    left: float
    top: float
    right: float
    bottom: float


#: Where words and picture stand: beside one another, or one over the other for wide pictures.
_LAYOUTS = (
    (_Box(0.045, 0.1, 0.42, 0.9), _Box(0.45, 0.07, 0.965, 0.93)),
    (_Box(0.045, 0.07, 0.955, 0.34), _Box(0.045, 0.385, 0.955, 0.95)),
)


def thumbnail(lecture: Lecture, course: Course, picture: str = "") -> Image.Image:
    """The thumbnail of a lecture; ``picture`` is ``Scene/step``, by default the richest of its poster's scene."""
    name, step = _wanted(lecture, picture)
    entry = course.entry(lecture, name)
    drawn: list[NDArray[np.uint8]] = []

    def at_end(scene: LectureScene, report: StepReport, look: Callable[[], Pixels]) -> None:
        if step in (None, report.index):
            lines = [mobject for mobject in scene.mobjects if _is_line(scene, mobject)]
            scene.remove(*lines)
            drawn.append(_content(look()[..., :3]))
            scene.add(*lines)

    walk(entry, Options(quality="4k", aspect=frame.WIDE).picture, at_end=at_end)
    best = max(drawn, key=_richness)
    words, place = max(_LAYOUTS, key=lambda layout: _fitted(best, layout[1])[0])
    canvas = Image.fromarray(_words(lecture, words)).convert("RGB")
    scale, left, top = _fitted(best, place)
    size = (round(best.shape[1] * scale), round(best.shape[0] * scale))
    canvas.paste(Image.fromarray(best).resize(size, Image.Resampling.LANCZOS), (left, top))
    return canvas


def encoded(image: Image.Image) -> tuple[str, bytes]:
    """File name and content: a PNG, or a JPEG where that would be too large."""
    for name, options in (("thumbnail.png", {"optimize": True}), ("thumbnail.jpg", {"quality": 92})):
        buffer = io.BytesIO()
        image.save(buffer, "PNG" if name.endswith("png") else "JPEG", **options)
        if buffer.tell() < BYTES:
            break
    return name, buffer.getvalue()


def _wanted(lecture: Lecture, picture: str) -> tuple[str, int | None]:
    name, _, step = picture.partition("/")
    names = [section.name for section in lecture.sections]
    poster = lecture.about.get("poster", "")
    name = name or (poster if poster in names else names[min(1, len(names) - 1)])
    steps = len(lecture.section(name).steps)
    if step and not (step.isdigit() and 1 <= int(step) <= steps):
        raise ExplainError(f"--picture {picture}: {name} has steps 1 to {steps}; write {name}/{steps}, or {name}")
    return name, int(step) if step else None


def _is_line(scene: LectureScene, mobject: Mobject) -> bool:
    """Whether it is the scene's title or its origin line, which belong to the film and not to the picture."""
    return mobject is scene._origin_line or getattr(mobject, "shown_text", "") == scene.section.heading


def _content(whole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of a frame that holds its picture."""
    ink = np.abs(whole.astype(np.int16) - whole[0, 0].astype(np.int16)).max(axis=2) > 12
    if not ink.any():
        return whole
    ys, xs = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return np.ascontiguousarray(whole[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1])


def _richness(picture: NDArray[np.uint8]) -> float:
    """How much there is to see, small: the part that is bright, times how often that changes."""
    small = Image.fromarray(picture)
    small.thumbnail((320, 180))
    light = np.asarray(small.convert("L"), np.float64)
    bright = float((np.abs(light - light.min()) > 40).mean())
    edges = float(np.abs(np.diff(light, axis=0)).mean() + np.abs(np.diff(light, axis=1)).mean())
    return bright * edges


def _fitted(picture: NDArray[np.uint8], box: _Box) -> tuple[float, int, int]:
    """Scale, left and top of a picture in the middle of a box."""
    width, height = (box.right - box.left) * SIZE[0], (box.bottom - box.top) * SIZE[1]
    scale = min(width / picture.shape[1], height / picture.shape[0])
    left = box.left * SIZE[0] + (width - picture.shape[1] * scale) / 2
    top = box.top * SIZE[1] + (height - picture.shape[0] * scale) / 2
    return scale, round(left), round(top)


def _words(lecture: Lecture, box: _Box) -> NDArray[np.uint8]:
    """A frame with the lecture's number and name in a box."""
    with tempfile.TemporaryDirectory(prefix="explain-thumbnail-") as media, Picture(*SIZE, 15).configure(Path(media)):
        return frame_of(_set(lecture, box))


def _set(lecture: Lecture, box: _Box) -> VGroup:
    """The words as large as the box allows."""
    across, high = frame.SHAPES[frame.WIDE]
    width, height = (box.right - box.left) * across, (box.bottom - box.top) * high
    wide = width > height * 2
    short, _, long = lecture.title.partition(" — ")
    for size in range(_LARGEST, _SMALLEST, -4):
        name = label(short, size, weight="semibold", width=width - (size / 60 if wide else 0))
        number = label(str(lecture.number), size, "accent", weight="semibold")
        if wide:
            words = VGroup(number, name).arrange(RIGHT, buff=0.4, aligned_edge=UP)
        else:
            words = VGroup(number.scale(0.7), name).arrange(DOWN, buff=0.25, aligned_edge=LEFT)
        if long:
            below = label(long, max(44, size * 0.42), "muted", width=width)
            words.add(below.next_to(words, DOWN, buff=0.25, aligned_edge=LEFT))
        if words.width <= width and words.height <= height:
            break
    corner = [(box.left - 0.5) * across, (0.5 - box.top) * high - height / 2, 0]
    return words.move_to(corner, LEFT)
