"""Where things stand: helpers that keep pictures inside the safe area without absolute coordinates."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from manim import DOWN, LEFT, RIGHT, Group, Mobject

from explainers.errors import ExplainError
from scenes.kit import theme


def fit_width(mobject: Mobject, width: float = theme.SAFE_WIDTH) -> Mobject:
    """Shrink (never enlarge) to at most ``width`` units."""
    if mobject.width > width:
        mobject.scale(width / mobject.width)
    return mobject


def fit_stage(mobject: Mobject, width: float = theme.SAFE_WIDTH, height: float = theme.STAGE_HEIGHT) -> Mobject:
    """Shrink (never enlarge) into the stage, below the title and above the captions, and centre there."""
    share = min(1.0, width / max(mobject.width, 1e-9), height / max(mobject.height, 1e-9))
    return mobject.scale(share).move_to(theme.STAGE_CENTER)


def keep_inside(*mobjects: Mobject) -> Group:
    """Move what stands beyond the left or right edge of the safe area back into it, smaller where it is too wide.

    What is inside stays where it is: for words that are longer in another language, or a frame that is narrower.
    """
    group = Group(*mobjects)
    fit_width(group)
    beyond = max(0.0, theme.SAFE_LEFT - group.get_left()[0]) - max(0.0, group.get_right()[0] - theme.SAFE_RIGHT)
    return group.shift(beyond * RIGHT)


def row(*mobjects: Mobject, gap: float = 0.4, edge: np.ndarray | None = None) -> Group:
    """Side by side, centred on one line or aligned at an ``edge`` (``UP``, ``DOWN``)."""
    return Group(*mobjects).arrange(RIGHT, buff=gap, **({} if edge is None else {"aligned_edge": edge}))


def column(*mobjects: Mobject, gap: float = 0.3, edge: np.ndarray | None = LEFT) -> Group:
    """One below the other, aligned left unless said otherwise (``edge=None`` centres)."""
    return Group(*mobjects).arrange(DOWN, buff=gap, **({} if edge is None else {"aligned_edge": edge}))


def spread(mobjects: Iterable[Mobject], left: float = theme.SAFE_LEFT, right: float = theme.SAFE_RIGHT) -> Group:
    """Side by side with equal gaps, filling from ``left`` to ``right``."""
    things = list(mobjects)
    room = right - left - sum(thing.width for thing in things)
    if room < 0:
        raise ExplainError(f"{len(things)} objects are {-room:.2f} units too wide for their row; shrink or drop one")
    gap = room / max(len(things) - 1, 1)
    group = Group(*things).arrange(RIGHT, buff=gap)
    return group.shift([left - group.get_left()[0], 0, 0])


def in_safe_area(mobject: Mobject, *, captions: bool = True) -> bool:
    """Whether the whole object stands inside the safe area (and, unless told, above the caption zone)."""
    low = theme.CAPTION_TOP if captions else theme.SAFE_BOTTOM
    left, bottom = mobject.get_corner(DOWN + LEFT)[:2]
    right, top = mobject.get_corner(-DOWN + RIGHT)[:2]
    slack = 1e-6
    return bool(
        left >= theme.SAFE_LEFT - slack
        and right <= theme.SAFE_RIGHT + slack
        and top <= theme.SAFE_TOP + slack
        and bottom >= low - slack
    )
