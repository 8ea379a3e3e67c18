"""Motion and composition: frozen pictures, flashes, crowding, emptiness."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from manim import Mobject, VMobject
from numpy.typing import NDArray
from scipy import ndimage

from scenes.audit.findings import Notes
from scenes.audit.masks import Painter, grown
from scenes.audit.picture import Picture
from scenes.audit.values import look_of
from scenes.clock import TICKS_PER_SECOND, to_seconds
from scenes.kit import palette, theme

FROZEN_SECONDS = 12.0
FLASHES = 3
CROWD = 10  # "about nine"
#: A flash: luminance up and down by a tenth, over a fortieth of the frame (WCAG 2.3.1 allows a quarter of 10°).
_FLASH_STEP, _FLASH_AREA = 0.1, 0.025
#: Things nearer than this (Manim units) are seen as one.
_TOGETHER = 0.42
_GRID = (18, 32)


@dataclass
class Moment:
    """One sampled moment: when (ticks, fractional), a digest of what is drawn, its luminance on a coarse grid."""

    tick: float
    digest: str
    light: NDArray[np.float64]


@dataclass
class Film:
    """What moved when, from samples that need no rendering."""

    moments: list[Moment] = field(default_factory=list)

    def sample(self, scene: Any, tick: float) -> Moment:
        """Note the scene as it stands."""
        moment = Moment(tick, digest_of(scene), luminance_map(scene))
        self.moments.append(moment)
        return moment

    def check(self, notes: Notes, steps: list[tuple[int, int, int]]) -> None:
        """Frozen pictures and flashes; ``steps`` are (index, start, end) in ticks."""
        self._check_frozen(notes, steps)
        self._check_flashes(notes, steps)

    def _check_frozen(self, notes: Notes, steps: list[tuple[int, int, int]]) -> None:
        changes = [0.0]
        for one, two in zip(self.moments, self.moments[1:], strict=False):
            if one.digest != two.digest:
                changes.append(two.tick)
        last = steps[-1][2] if steps else 0
        for start, end in zip(changes, [*changes[1:], float(last)], strict=True):
            seconds = to_seconds(round(end - start))
            if seconds > FROZEN_SECONDS:
                notes.add(
                    "frozen",
                    f"from {to_seconds(round(start)):.1f} s",
                    f"{seconds:.1f} s still, most {FROZEN_SECONDS:g}",
                    "let something follow the words, or cut the words",
                    step=_step_at(steps, start + 1),
                )

    def _check_flashes(self, notes: Notes, steps: list[tuple[int, int, int]]) -> None:
        turns = self._turns()
        for index, (tick, _) in enumerate(turns):
            within = [places for other, places in turns[index:] if other - tick <= TICKS_PER_SECOND]
            flashes = np.sum(within, axis=0) // 2  # at each place: things that move past one another do not flash
            if (flashes > FLASHES).mean() >= _FLASH_AREA:
                notes.add(
                    "flashes",
                    f"at {to_seconds(round(tick)):.1f} s",
                    f"{int(np.quantile(flashes, 1 - _FLASH_AREA))} in a second, most {FLASHES}",
                    "let it change once and stay; blinking hurts some viewers",
                    step=_step_at(steps, tick),
                )
                return

    def _turns(self) -> list[tuple[float, NDArray[np.bool_]]]:
        """When places of the frame turned from lighter to darker or back, and which."""
        if len(self.moments) < 3:
            return []
        light = np.stack([moment.light for moment in self.moments])
        turns: list[tuple[float, NDArray[np.bool_]]] = []
        reached, direction = light[0].copy(), np.zeros_like(light[0])
        for index in range(1, len(light)):
            step = light[index] - reached
            turned = (np.abs(step) >= _FLASH_STEP) & (np.minimum(light[index], reached) < 0.8)
            against = turned & (np.sign(step) != direction)
            if against.any():
                turns.append((self.moments[index].tick, against))
            direction = np.where(turned, np.sign(step), direction)
            same_way = (np.sign(step) == direction) & ~turned
            reached = np.where(turned | same_way, light[index], reached)
        return turns


def _step_at(steps: list[tuple[int, int, int]], tick: float) -> int:
    return next((index for index, start, end in steps if start <= tick <= end), 0)


def digest_of(scene: Any) -> str:
    """A digest of everything visible, the same in every process."""
    digest = hashlib.blake2b(digest_size=16)
    for mobject in scene.mobjects:
        digest.update(look_of(mobject).encode())
    digest.update(np.round(np.asarray(scene.camera.frame_center, dtype=np.float64), 6).tobytes())
    digest.update(repr(round(float(scene.camera.frame_width), 6)).encode())
    return digest.hexdigest()


def luminance_map(scene: Any) -> NDArray[np.float64]:
    """About how light each part of the frame is, (18, 32), from boxes and colours alone."""
    rows, columns = _GRID
    ground = palette.luminance(theme.colour("ground"))
    light = np.full(_GRID, ground)
    camera = scene.camera
    left = camera.frame_center[0] - camera.frame_width / 2
    top = camera.frame_center[1] + camera.frame_height / 2
    for mobject in camera.get_mobjects_to_display(scene.mobjects):
        painted = _paint_of(mobject)
        if painted is None:
            continue
        own, cover = painted
        low, high = mobject.points[:, :2].min(axis=0), mobject.points[:, :2].max(axis=0)
        x = np.clip((np.array([low[0], high[0]]) - left) / camera.frame_width, 0, 1) * columns
        y = np.clip((top - np.array([high[1], low[1]])) / camera.frame_height, 0, 1) * rows
        if (x[1] - x[0]) * (y[1] - y[0]) < 0.5:
            continue
        window = np.s_[int(y[0]) : max(int(np.ceil(y[1])), 1), int(x[0]) : max(int(np.ceil(x[1])), 1)]
        light[window] += (own - light[window]) * cover
    return light


def _paint_of(mobject: Mobject) -> tuple[float, float] | None:
    """Luminance and how much of its box something covers."""
    if hasattr(mobject, "pixel_array"):
        pixels = mobject.pixel_array.reshape(-1, 4).astype(np.float64) / 255
        own = float((palette.linear(pixels[:, :3]) @ np.array([0.2126, 0.7152, 0.0722])).mean())
        return own, float(pixels[:, 3].mean())
    if not isinstance(mobject, VMobject) or not len(mobject.points):
        return None
    opacity = float(mobject.get_fill_opacity())
    if opacity <= 0:
        return None
    filled = 0.3 if len(mobject.points) > 200 else 1.0  # letters fill about a third of their box
    if len(mobject.points) > 64:  # and many small things in one path much less
        filled = min(filled, _area(mobject) / max(mobject.width * mobject.height, 1e-9))
    return palette.luminance(mobject.get_fill_color().to_hex()[:7]), opacity * filled


def _area(path: VMobject) -> float:
    """Area inside a path of closed outlines, from the ends of its curves."""
    start, end = path.points[0::4, :2], path.points[3::4, :2]
    return abs(float((start[:, 0] * end[:, 1] - end[:, 0] * start[:, 1]).sum())) / 2


# ---------------------------------------------------------------------- composition
def check_composition(picture: Picture, frame: NDArray[np.uint8], notes: Notes, painter: Painter) -> None:
    """Neither empty nor crowded at the end of a step."""
    ground = np.asarray(frame[0, 0, :3], dtype=int)
    inked = np.abs(frame[..., :3].astype(int) - ground).max(axis=2) > 24
    for text in picture.texts:
        if text.kind == "origin" or _is_title(text):
            if text.bounds is None:
                continue
            top, left, bottom, right = painter.pixels(text.bounds)
            inked[top:bottom, left:right] = False
    if inked.mean() < 5e-4:
        notes.add(
            "empty",
            "frame",
            f"{inked.mean():.2%} of the pixels drawn",
            "show what is spoken of; a title alone is no picture",
        )
        return
    labels, count = ndimage.label(grown(inked, max(1, round(_TOGETHER / 2 * painter.width / theme.FRAME_WIDTH))))
    del labels
    if count > CROWD:
        notes.add(
            "crowded",
            "frame",
            f"{count} separate things, most {CROWD}",
            "let things leave when their part is over, or put together what belongs together",
        )


def _is_title(text: Any) -> bool:
    """The small steady line at the top left."""
    bounds = text.bounds
    return bool(bounds and bounds[1] > theme.STAGE_TOP and abs(bounds[0] - theme.SAFE_LEFT) < 0.2 and not text.holders)
