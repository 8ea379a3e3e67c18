"""Stages that two machines take in turn: a timeline that can be re-arranged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Animation, FadeIn, LaggedStart, Rectangle, VGroup

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.text import Label


class TurnTimeline(DataBound, VGroup):
    """Two machines as lanes over one axis of time; every stage of every batch is a block as long as it takes.

    >>> line = TurnTimeline(trace["start"], trace["length"], machine=(0, 1, 0, 1), lanes=("computing", "on the wire"))
    >>> self.play(line.arrive());  self.play(line.arrange_as(1))       # the same blocks in the other schedule

    Parameters
    ----------
    start, length
        ``(schedule, batch, layer, stage)`` in seconds, with labels for batch and stage.
    machine
        For each stage, the lane that it occupies.
    roles
        For each stage, its colour; the second batch is drawn as an outline with a tint.
    """

    def __init__(
        self,
        start: NamedArray,
        length: NamedArray,
        *,
        machine: Sequence[int] = (0, 1, 0, 1),
        lanes: tuple[str, str] = ("computing", "on the wire"),
        roles: Sequence[str] = ("query", "router", "expert", "router"),
        width: float = 10.6,
        thickness: float = 0.72,
        gap: float = 0.42,
    ) -> None:
        super().__init__()
        as_array(start, "TurnTimeline", 4), as_array(length, "TurnTimeline", 4)
        stages = start.values.shape[3]
        if start.values.shape != length.values.shape or len(machine) != stages or len(roles) != stages:
            raise ExplainError("a turn timeline needs as many lengths as starts, and a machine and a role a stage")
        self.bound = Bound((start, length))
        self.start, self.length = start.values.astype(float) * 1e3, length.values.astype(float) * 1e3
        self.axis = Axis(0.0, float((self.start + self.length).max()) * 1.001, "milliseconds")
        self.wide, self.tall, self.step = width, thickness, thickness + gap
        self.blocks, self.lanes = VGroup(), VGroup()
        for lane, words in enumerate(lanes):
            ground = Rectangle(width=width, height=thickness, stroke_width=1.5, stroke_color=theme.role("hairline"))
            ground.set_fill(theme.role("surface"), 1)
            ground.move_to([width / 2, -lane * self.step, 0])
            self.lanes.add(VGroup(ground, Label(words, "small", "muted").next_to(ground, LEFT, buff=0.2)))
        self.axes = Axes2D(self.axis, Axis(0.0, 1.0), width=width, height=self.step + thickness, y_ticks=False)
        self.axes.shift(np.array([0.0, -self.step - thickness / 2 - 0.06, 0.0]) - self.axes.point_at(0, 0))
        self.axes.base.set_stroke(opacity=0)
        batches = start.labels.get("batch", ("A", "B"))
        self.index: list[tuple[int, int, int]] = []
        for batch, layer, stage in np.ndindex(*self.start.shape[1:]):
            self._block(batch, layer, stage, machine[stage], roles[stage], batches[batch])
        self.schedule = 0.0
        self._waits: dict[int, VGroup] = {}
        self.add(self.lanes, self.axes, self.blocks)
        self.center()
        self.show(0.0)

    def _block(self, batch: int, layer: int, stage: int, lane: int, role: str, name: str) -> None:
        long = self.length[0, batch, layer, stage] / self.axis.high * self.wide
        box = Rectangle(width=max(long - 0.04, 0.02), height=self.tall - 0.06, stroke_width=2.4)
        box.set_stroke(theme.role(role)).set_fill(theme.role(role) if batch == 0 else theme.tint(role, 0.25), 1)
        letter = Label(name, "small", "ground" if batch == 0 else "text").move_to(box)
        self.blocks.add(VGroup(box, letter))
        self.index.append((batch, layer, stage))
        self.blocks[-1].lane = lane

    def show(self, schedule: float) -> TurnTimeline:
        """Put the blocks where a schedule has them; between two schedules they are under way."""
        low = min(int(schedule), len(self.start) - 1)
        high, share = min(low + 1, len(self.start) - 1), schedule - low
        origin = self.lanes[0][0].get_left()
        factor = self.lanes[0][0].width / self.wide
        for block, (batch, layer, stage) in zip(self.blocks, self.index, strict=True):
            begin = self.start[low, batch, layer, stage] * (1 - share) + self.start[high, batch, layer, stage] * share
            middle = (begin + self.length[0, batch, layer, stage] / 2) / self.axis.high * self.wide
            block.move_to(origin + factor * (RIGHT * middle + DOWN * block.lane * self.step))
        self.schedule = schedule
        return self

    def end_of(self, schedule: int, layer: int | None = None) -> np.ndarray:
        """The place where a schedule, or a layer of it, ends, at the height of the upper lane's top."""
        ends = self.start[schedule] + self.length[schedule]
        return self._at(float((ends if layer is None else ends[:, layer]).max()))

    def _at(self, moment: float) -> np.ndarray:
        ground = self.lanes[0][0]
        return np.asarray(ground.get_corner(UP + LEFT) + RIGHT * ground.width * moment / self.axis.high)

    def waits(self, schedule: int) -> VGroup:
        """Where the upper machine waits: a faint piece for each time between its blocks, up to the schedule's end."""
        if schedule not in self._waits:
            mine = [each for block, each in zip(self.blocks, self.index, strict=True) if block.lane == 0]
            spans = sorted((self.start[(schedule, *each)], self.length[(schedule, *each)]) for each in mine)
            ends = [begin + long for begin, long in spans]
            next_begins = [begin for begin, _ in spans[1:]] + [float((self.start + self.length)[schedule].max())]
            pieces = VGroup()
            for end, begin in zip(ends, next_begins, strict=True):
                left, right = self._at(end), self._at(begin)
                if right[0] - left[0] > 0.08:
                    piece = Rectangle(width=right[0] - left[0] - 0.06, height=self.lanes[0][0].height - 0.06)
                    piece.set_stroke(theme.role("cost"), 1.5).set_fill(theme.tint("cost", 0.3), 1)
                    pieces.add(piece.move_to((left + right) / 2, aligned_edge=UP).shift(0.03 * DOWN))
            self._waits[schedule] = pieces
        return self._waits[schedule]

    def of(self, *, layer: int = 0, stage: int | None = None, batch: int | None = None) -> VGroup:
        """The blocks of one layer, in order of time; of one stage or batch where asked."""
        found = [
            (self.start[0, b, la, st], block)
            for block, (b, la, st) in zip(self.blocks, self.index, strict=True)
            if la == layer and stage in (None, st) and batch in (None, b)
        ]
        return VGroup(*(block for _, block in sorted(found, key=lambda each: float(each[0]))))

    def arrive(self, layers: Sequence[int], **options: Any) -> LaggedStart:
        """The animation in which the blocks of these layers come, in order of time."""
        parts = [FadeIn(block, shift=0.15 * RIGHT) for layer in layers for block in self.of(layer=layer)]
        return LaggedStart(*parts, **{"lag_ratio": 0.5, "run_time": 2.0, **options})

    def arrange_as(self, schedule: int, **options: Any) -> Rearrange:
        """The animation in which the same blocks move to another schedule."""
        if not 0 <= schedule < len(self.start):
            raise ExplainError(f"there are schedules 0 to {len(self.start) - 1}, not {schedule}")
        return Rearrange(self, float(schedule), **options)


class Rearrange(Animation):
    """The blocks of a `TurnTimeline` move to another schedule."""

    def __init__(
        self,
        line: TurnTimeline,
        schedule: float,
        run_time: float = 2.4,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        self._from, self._to = line.schedule, schedule
        super().__init__(line, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the blocks at this moment."""
        self.mobject.show(self._from + (self._to - self._from) * self.rate_func(alpha))
