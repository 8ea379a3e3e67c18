"""The look: colours by role, type sizes, the safe area and the pace, in one place.

A colour is looked up by its role when an object is built (`role("latent")`), never kept in a module constant, so
that another theme (``light``, ``high-contrast``) changes every picture. Hues start from Okabe and Ito's palette
(*Color Universal Design*, 2008), tuned for a dark ground; tests measure contrast, what colour-blind viewers can
tell apart, and that the scales of magnitude are even.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

import numpy as np
from manim import ManimColor, rate_functions

from explainers import extensions
from explainers.errors import ExplainError, one_of
from scenes import frame, look
from scenes.kit import palette
from scenes.kit.palette import Floats
from scenes.look import ROLES


@dataclass(frozen=True)
class Theme:
    """A set of colours, one a role, and the anchors of the two scales of magnitude."""

    name: str
    colours: Mapping[str, str]
    sequential: tuple[str, ...]
    diverging: tuple[str, ...]

    def __post_init__(self) -> None:
        if missing := set(ROLES) - set(self.colours):
            raise ExplainError(f"theme {self.name!r} lacks a colour for {', '.join(sorted(missing))}")


_DARK = Theme(
    "dark",
    {
        "token": "#C9D2DE",
        "query": "#6BC4F7",
        "key": "#14A374",
        "value": "#E27FC0",
        "latent": "#F7B231",
        "rope": "#E2603C",
        "router": "#A487F2",
        "expert": "#33BDB5",
        "shared_expert": "#9CC24A",
        "dense": "#7E8998",
        "reward": "#6FD04C",
        "cost": "#F4735F",
        "muted": "#8D99A8",
        "accent": "#FFE873",
        "text": "#EDF1F5",
        "surface": "#1A212B",
        "hairline": "#3A4554",
        "ground": "#0E1217",
    },
    sequential=("#18212D", "#1D4E74", "#2391A0", "#8CCFA0", "#FBF6D0"),
    diverging=("#9ADBFF", "#2F92D9", "#171E27", "#D9622F", "#FFC08F"),
)
_LIGHT = Theme(
    "light",
    {
        "token": "#44505E",
        "query": "#0A6AA8",
        "key": "#067A55",
        "value": "#A8327F",
        "latent": "#8F5B00",
        "rope": "#B83A12",
        "router": "#6B45C9",
        "expert": "#08706B",
        "shared_expert": "#4E7007",
        "dense": "#636D7A",
        "reward": "#2B7A0E",
        "cost": "#B8331F",
        "muted": "#5B6572",
        "accent": "#8A5A00",
        "text": "#161B22",
        "surface": "#EEF1F4",
        "hairline": "#C3CAD3",
        "ground": "#FCFCFA",
    },
    sequential=("#EEF1F0", "#A6D3B4", "#3C9FA6", "#1C5C8A", "#122A48"),
    diverging=("#0B3E6B", "#4D9ACB", "#F2F2EF", "#DE7E58", "#7E2A10"),
)
_CONTRAST = Theme(
    "high-contrast",
    dict(
        _DARK.colours,
        token="#E6ECF3",
        query="#8AD6FF",
        key="#2CD69B",
        value="#FF9DDB",
        rope="#FF8057",
        router="#BDA6FF",
        expert="#4FE0D7",
        dense="#A9B4C2",
        cost="#FF8C7A",
        muted="#B9C3CF",
        text="#FFFFFF",
        hairline="#6B7787",
        ground="#000000",
    ),
    _DARK.sequential,
    _DARK.diverging,
)
THEMES: Mapping[str, Theme] = MappingProxyType({theme.name: theme for theme in (_DARK, _LIGHT, _CONTRAST)})

_chosen: list[str] = []


def theme() -> Theme:
    """The theme in force: the one chosen by `use_theme`, else `scenes.look.name` with a lecturer's own colours."""
    if _chosen:
        return named(_chosen[-1])
    return _changed(look.name(), tuple(look.colours().items()))


@cache
def _changed(name: str, colours: tuple[tuple[str, str], ...]) -> Theme:
    """A theme in which some roles have other colours."""
    found = named(name)
    return replace(found, colours={**found.colours, **dict(colours)}) if colours else found


def named(name: str) -> Theme:
    """A theme of this project, or of an installed package (entry point ``explain.themes``)."""
    if name in THEMES:
        return THEMES[name]
    if name not in extensions.offered("explain.themes"):
        raise one_of("theme", name, [*THEMES, *extensions.offered("explain.themes")])
    found = extensions.load("explain.themes", name)
    if not isinstance(found, Theme):
        raise ExplainError(
            f"the theme {name!r} of an installed package is no scenes.kit.theme.Theme; mend that package"
        )
    return found


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
    return theme().colours[name]


def role(name: str) -> ManimColor:
    """The colour of a role, for Manim: ``Square(color=role("latent"))``."""
    return ManimColor(colour(name))


def tint(name: str, share: float) -> ManimColor:
    """``share`` of a role's colour on the ground: 1 is the colour itself, 0.2 a quiet filling."""
    return ManimColor(palette.mix(colour("ground"), colour(name), share))


def on_top(background: str) -> ManimColor:
    """Text colour that reads best on ``background`` (``#RRGGBB``): the ground or the text colour."""
    return max((role("ground"), role("text")), key=lambda c: palette.contrast(c.to_hex()[:7], background))


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
    return _table(theme().sequential) if kind == "sequential" else _two_arms(theme().diverging)


def tinted_table(name: str) -> Floats:
    """A sequential table in one role's hue, for a magnitude that belongs to that role."""
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
