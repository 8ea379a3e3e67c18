"""The look: colours by role, type sizes, the safe area and the pace, in one place.

A colour is looked up by its role when an object is built (`role("latent")`), never kept in a module constant, so
that another theme (``light``, ``high-contrast``) changes every picture. Hues start from Okabe and Ito's palette
(*Color Universal Design*, 2008), tuned for a dark ground; tests measure contrast, what colour-blind viewers can
tell apart, and that the scales of magnitude are even.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType

import numpy as np
from manim import ManimColor, rate_functions

from explainers.errors import one_of
from scenes import frame, look
from scenes.kit import palette
from scenes.kit.palette import Floats
from scenes.look import named
from scenes.themes import ROLES, THEMES, Theme

__all__ = ["THEMES", "Theme"]

_chosen: list[str] = []


def theme() -> Theme:
    """The theme in force: the one chosen by `use_theme`, else `scenes.look.name` with a lecturer's own colours."""
    return named(_chosen[-1]) if _chosen else look.in_force()


def _looked_up(name: str) -> None:
    """Note what a picture takes of the theme, so that it is drawn again when just that changes."""
    look.noted.add(f"{_chosen[-1]}/{name}" if _chosen else name)


@contextmanager
def use_theme(name: str) -> Iterator[Theme]:
    """Build with another theme: ``with use_theme("light"): …``."""
    found = named(name)
    _chosen.append(name)
    try:
        yield found
    finally:
        _chosen.pop()


def colour(name: str) -> str:
    """The colour of a role as ``#RRGGBB``."""
    if name not in ROLES:
        raise one_of("colour role", name, list(ROLES))
    _looked_up(name)
    return theme().colours[name]


def role(name: str) -> ManimColor:
    """The colour of a role, for Manim: ``Square(color=role("latent"))``."""
    return ManimColor(colour(name))


def tint(name: str, share: float) -> ManimColor:
    """``share`` of a role's colour on the ground: 1 is the colour itself, 0.2 a quiet filling.

    On a light ground a filling under text is fainter, so that the text reads, and a half-tone that stands for something
    is stronger, so that it has the 3 : 1 that it has on a dark one.
    """
    ground = colour("ground")
    if palette.luminance(ground) > 0.5:
        share = share * 0.6 if share <= 0.35 else min(0.64, share * 1.55) if share < 0.64 else share
    return ManimColor(palette.mix(ground, colour(name), share))


@cache
def _table(anchors: tuple[str, ...]) -> Floats:
    table = palette.even_scale(anchors)
    table.setflags(write=False)
    return table


@cache
def _two_arms(anchors: tuple[str, ...]) -> Floats:
    """Two even arms that meet in the middle of the table, where zero is."""
    middle = len(anchors) // 2
    below, above = palette.even_scale(anchors[: middle + 1], 129), palette.even_scale(anchors[middle:], 129)
    table = np.concatenate([below, above[1:]])
    table.setflags(write=False)
    return table


def scale_table(kind: str) -> Floats:
    """The colour table (n, 3) of ``sequential`` (zero stands back, much stands out) or ``diverging`` (signed)."""
    if kind not in ("sequential", "diverging"):
        raise one_of("colour scale", kind, ["sequential", "diverging"])
    _looked_up(kind)
    return _table(theme().sequential) if kind == "sequential" else _two_arms(theme().diverging)


def tinted_table(name: str) -> Floats:
    """A sequential table in one role's hue, for a magnitude that belongs to that role."""
    _looked_up("sequential")
    return _table((theme().sequential[0], palette.mix(colour("ground"), colour(name), 0.55), colour(name)))


# ---------------------------------------------------------------------- the frame, in Manim units
#: The shape that this process draws: 16:9, 9:16 or 1:1.
ASPECT = frame.aspect()
FRAME_WIDTH, FRAME_HEIGHT = frame.SHAPES[ASPECT]
#: Whether there is more room below than beside: columns become rows.
UPRIGHT = FRAME_HEIGHT >= FRAME_WIDTH
#: Pixels of a 1080p film in one unit, the same in every shape.
PIXELS_PER_UNIT = 1080 / 8.0
_MARGIN = 0.05
SAFE_LEFT, SAFE_RIGHT = -FRAME_WIDTH * (0.5 - _MARGIN), FRAME_WIDTH * (0.5 - _MARGIN)
SAFE_TOP, SAFE_BOTTOM = FRAME_HEIGHT * (0.5 - _MARGIN), -FRAME_HEIGHT * (0.5 - _MARGIN)
SAFE_WIDTH = SAFE_RIGHT - SAFE_LEFT
#: Upper edge of the caption zone, the lowest 12 % of the frame: only the origin line may stand below it.
CAPTION_TOP = -FRAME_HEIGHT * (0.5 - 0.12)
#: Below the title and above the captions: where the picture stands.
STAGE_TOP = SAFE_TOP - 0.75
STAGE_HEIGHT = STAGE_TOP - CAPTION_TOP
STAGE_CENTER = np.array([0.0, (STAGE_TOP + CAPTION_TOP) / 2, 0.0])

# ---------------------------------------------------------------------- type
#: Cap heights in pixels of a 1080p frame. Text is at least 18; axis ticks and the origin line may go to 11.
SIZES: Mapping[str, float] = MappingProxyType(
    {"hero": 76, "display": 50, "heading": 34, "title": 28, "body": 23, "small": 19, "tick": 14, "origin": 11.5}
)

# ---------------------------------------------------------------------- pace, in seconds
ENTER, TRANSFORM, LEAVE, HOLD = 0.8, 1.4, 0.6, 0.8
#: A move that starts and stops gently.
EASE: Callable[[float], float] = rate_functions.ease_in_out_cubic
#: An entrance that arrives gently.
EASE_OUT: Callable[[float], float] = rate_functions.ease_out_cubic


def cap_units(size: str | float) -> float:
    """Cap height in Manim units of a size by name or of a cap height in 1080p pixels."""
    if isinstance(size, str):
        if size not in SIZES:
            raise one_of("text size", size, list(SIZES))
        size = SIZES[size]
    return float(size) / PIXELS_PER_UNIT
