"""A scene as it is looked at: frames of its steps and motions, and when it moved; strips of time drawn from that."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Line, Mobject, Rectangle, Triangle, VGroup
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from scenes.audit.findings import Finding
from scenes.clock import to_seconds
from scenes.kit import AxisTick, label, role
from scenes.production.looking import Pixels, walk
from scenes.production.settings import Options
from scenes.registry import SceneEntry
from scenes.report import Box, SceneReport

BAD, GOOD = "#ff6f5e", "#6fd04c"
_SAMPLES = (0.15, 0.5, 0.85)
_WIDE = 7.0  # of a strip of time, in units of the frame


@dataclass
class Filmed:
    """What one scene showed: ``ends`` a frame a step, ``motions`` frames in the middle of what was played."""

    ends: dict[int, Pixels] = field(default_factory=dict)
    motions: dict[int, list[Pixels]] = field(default_factory=dict)
    moves: dict[tuple[int, int], None] = field(default_factory=dict)
    report: SceneReport | None = None

    @property
    def seconds(self) -> float:
        return to_seconds(self.report.ticks) if self.report else 0.0


def film(entry: SceneEntry) -> Filmed:
    """Run a scene and keep its frames. A scene that raises keeps what it showed until then."""
    kept = Filmed()

    def at_motion(scene: object, part: float, look: object) -> None:
        begun, ticks = scene.ticks, scene._play_ticks  # type: ignore[attr-defined]
        kept.moves[begun, begun + ticks] = None
        step = scene.current.index if scene.current else 0  # type: ignore[attr-defined]
        kept.motions.setdefault(step, []).append(look()[..., :3].copy())  # type: ignore[operator]

    picture = Options(quality="480p").picture
    try:
        kept.report = walk(
            entry,
            picture,
            at_end=lambda scene, report, look: kept.ends.__setitem__(report.index, look()[..., :3].copy()),
            at_motion=at_motion,
            samples=_SAMPLES,
        )
    except Exception:  # the finding says what it was
        frame = np.zeros((picture.height, picture.width, 3), np.uint8)
        kept.ends.setdefault(1, frame + np.array([14, 18, 23], np.uint8))
    return kept


def boxed(frame: NDArray[np.uint8], boxes: tuple[Box, ...], colour: str = BAD) -> NDArray[np.uint8]:
    """A frame with boxes (fractions of it) drawn over it."""
    image = Image.fromarray(np.ascontiguousarray(frame))
    pen = ImageDraw.Draw(image)
    for left, top, right, bottom in boxes:
        corners = [left * image.width, top * image.height, right * image.width - 1, bottom * image.height - 1]
        low, high = np.minimum(corners[:2], corners[2:]), np.maximum(corners[:2], corners[2:])
        pen.rectangle(
            [*(low - 5).clip(1), *(high + 5).clip(max=[image.width - 3, image.height - 3])], outline=colour, width=3
        )
    return np.asarray(image)


def frames_side_by_side(frames: list[Pixels], columns: int = 3) -> NDArray[np.uint8]:
    """A strip of film: so many frames a row, with a dark gap."""
    chosen = [frame[::2, ::2] for frame in frames]
    height, width = chosen[0].shape[:2]
    rows = -(-len(chosen) // columns)
    sheet = np.full((rows * (height + 6), columns * (width + 6), 3), 60, np.uint8)
    for index, frame in enumerate(chosen):
        top, left = index // columns * (height + 6), index % columns * (width + 6)
        sheet[top : top + height, left : left + width] = frame
    return sheet


def strip(filmed: Filmed, seconds: float, finding: Finding | None = None) -> Mobject:
    """The time of a scene: its words, its motions, its marks, on a scale of ``seconds``; a finding's step is framed."""
    assert filmed.report is not None
    unit, left = _WIDE / seconds, -_WIDE / 2

    def bar(begin: int, end: int, y: float, colour: str) -> Rectangle:
        width = max(to_seconds(end - begin) * unit, 0.03)
        piece = Rectangle(width=width, height=0.34, stroke_width=0, fill_opacity=1, fill_color=role(colour))
        return piece.move_to([left + to_seconds(begin) * unit, y, 0], aligned_edge=LEFT)

    picture = VGroup()
    for step in filmed.report.steps:
        picture.add(bar(step.start, step.speech, 0.55, "token"))
        for cue in step.cues:
            sign = Triangle(color=role("router"), fill_opacity=1).scale(0.09).rotate(np.pi)
            picture.add(sign.move_to([left + to_seconds(cue.tick) * unit, 0.88, 0]))
        x = left + to_seconds(step.end) * unit
        picture.add(Line([x, 0.95, 0], [x, -0.42, 0], stroke_width=1.5, color=role("muted")))
        if finding is not None and step.index == finding.step:
            wide = Rectangle(
                width=to_seconds(step.end - step.start) * unit + 0.1, height=1.6, color=BAD, stroke_width=3
            )
            picture.add(wide.move_to([left + to_seconds(step.start) * unit - 0.05, 0.25, 0], aligned_edge=LEFT))
    for begin, end in filmed.moves:
        picture.add(bar(begin, end, 0.0, "accent"))
    for words, y in (("said", 0.55), ("moves", 0.0)):
        picture.add(label(words, "small", "muted").move_to([left - 0.25, y, 0], aligned_edge=RIGHT))
    every = next(each for each in (1, 2, 5, 10, 20, 60, 120) if seconds / each <= 8)
    ticks = VGroup(*(AxisTick(float(n), "s", "plain") for n in range(0, int(seconds) + 1, every)))
    for index, tick in enumerate(ticks):
        tick.next_to([left + index * every * unit, -0.45, 0], DOWN, buff=0.1)
    return VGroup(picture, ticks).shift(0.2 * UP)
