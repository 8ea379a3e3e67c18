"""Small moves that scenes need again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from manim import (
    Animation,
    AnimationGroup,
    FadeIn,
    FadeOut,
    ImageMobject,
    Mobject,
    Succession,
    VMobject,
    linear,
    squish_rate_func,
)

from explainers.errors import ExplainError
from scenes.kit import theme


def dim(*mobjects: Mobject, to: float = 0.3, **options: Any) -> AnimationGroup:
    """The animation in which things stand back, so that the eye goes elsewhere; `undim` brings them back.

    >>> self.play(dim(grid, chart));  self.play(undim(grid, chart))

    Works on anything, images and groups included. (A plain ``Group`` has no ``set_opacity``: Manim sets an attribute
    of that name in silence.)
    """
    if not 0 <= to <= 1:
        raise ExplainError(f"things cannot be dimmed to {to}; give a share between 0 and 1")
    return AnimationGroup(*(Opacity(each, to) for each in mobjects), **{"run_time": theme.LEAVE, **options})


def undim(*mobjects: Mobject, **options: Any) -> AnimationGroup:
    """The animation in which dimmed things are as they were."""
    for mobject in mobjects:
        if not any(hasattr(part, "full_opacity") for part in mobject.get_family()):
            raise ExplainError(f"{type(mobject).__name__} was not dimmed; play dim(…) before undim(…)")
    return AnimationGroup(*(Opacity(each, 1.0) for each in mobjects), **{"run_time": theme.LEAVE, **options})


class Opacity(Animation):
    """All parts of an object go to a share of their own full opacity."""

    def __init__(
        self, mobject: Mobject, share: float, rate_func: Callable[[float], float] = theme.EASE, **options: Any
    ):
        self._share = share
        super().__init__(mobject, rate_func=rate_func, **options)

    def begin(self) -> None:
        """Note how opaque each part is, and was before it was dimmed."""
        self._parts: list[tuple[Any, tuple[float, float], tuple[float, float]]] = []
        for part in self.mobject.get_family():
            if isinstance(part, ImageMobject):
                now = (float(part.stroke_opacity), 0.0)
            elif isinstance(part, VMobject) and part.has_points():
                now = (float(part.get_fill_opacity()), float(part.get_stroke_opacity()))
            else:
                continue
            full = getattr(part, "full_opacity", now)
            part.full_opacity = full
            self._parts.append((part, now, (full[0] * self._share, full[1] * self._share)))
        super().begin()

    def interpolate_mobject(self, alpha: float) -> None:
        """Set the opacities of this moment."""
        share = self.rate_func(alpha)
        for part, start, end in self._parts:
            fill, stroke = (low + (high - low) * share for low, high in zip(start, end, strict=True))
            if isinstance(part, ImageMobject):
                part.set_opacity(fill)
            else:
                part.set_fill(opacity=fill, family=False).set_stroke(opacity=stroke, family=False)

    def finish(self) -> None:
        """Forget the full opacity of what is fully there again."""
        super().finish()
        if self._share == 1:
            for part, _, _ in self._parts:
                del part.full_opacity


def exchange(old: Mobject, new: Mobject, **options: Any) -> Succession:
    """One thing leaves, then another arrives in its place: no moment shows both, as a cross-fade of texts would.

    >>> self.play(exchange(first_label, second_label.move_to(first_label)))
    """
    run_time = options.pop("run_time", theme.TRANSFORM)
    return Succession(FadeOut(old, run_time=run_time * 0.4), FadeIn(new, run_time=run_time * 0.6), **options)


def renew(old: Mobject, new: Mobject, at: float = 0.7, **options: Any) -> Succession:
    """A readout changes where it stands, as a counter does: the old figure stays until the new one takes its place.

    >>> self.play(slider.move_to_stop("latent"), renew(old_figure, new_figure), run_time=1.6)

    ``at`` is the share of the time after which it changes. Unlike `exchange` it never leaves the place empty while
    something beside it moves; for figures, which are read while they move, not for sentences.
    """
    if not 0 < at < 1:
        raise ExplainError(f"a readout cannot change at {at} of a motion; give a share between 0 and 1")
    run_time = options.pop("run_time", theme.TRANSFORM)
    out = FadeOut(old, run_time=run_time * at, rate_func=squish_rate_func(linear, 0.94, 1))
    come = FadeIn(new, run_time=run_time * (1 - at), rate_func=squish_rate_func(linear, 0, 0.14))
    return Succession(out, come, **options)
