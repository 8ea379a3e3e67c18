"""The shape of the frame, chosen once for a process: the kit's measures follow from it when it is imported.

A unit has the same pixels in every shape (135 at 1080p), so a word is as large to read on a phone held upright as on
one held across. What changes is the room: a tall frame is as wide as a wide one is high.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from explainers.errors import one_of
from scenes import own_course

ENVIRONMENT = "EXPLAIN_ASPECT"
WIDE, TALL, SQUARE = "16:9", "9:16", "1:1"
_LONG, _SHORT = 128 / 9, 8.0
#: Shape → width and height in Manim units.
SHAPES: Mapping[str, tuple[float, float]] = {
    WIDE: (_LONG, _SHORT),
    TALL: (_SHORT, _LONG),
    SQUARE: (_SHORT, _SHORT),
}


def aspect() -> str:
    """The shape in force: ``$EXPLAIN_ASPECT``, else what the course's own file says, else 16:9."""
    own = own_course.current()
    chosen = os.environ.get(ENVIRONMENT) or (own.aspect if own else "") or WIDE
    return checked(chosen)


def checked(name: str) -> str:
    """The name of a shape, or an error that lists them."""
    if name not in SHAPES:
        raise one_of("aspect", name, list(SHAPES))
    return name


def of_pixels(width: int, height: int) -> str:
    """The shape of a picture of so many pixels."""
    return WIDE if width > height else TALL if height > width else SQUARE


def pixels(quality: tuple[int, int], shape: str) -> tuple[int, int]:
    """A quality's pixels (width, height when wide) in another shape."""
    width, height = quality
    return {WIDE: (width, height), TALL: (height, width), SQUARE: (height, height)}[checked(shape)]
