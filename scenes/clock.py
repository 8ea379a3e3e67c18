"""The one clock: time in whole ticks, so that every frame rate, cache and number of processes agrees.

A tick is 1/15 s. Every animation and every wait lasts whole ticks; the frame of a tick is ``round(ticks · fps / 15)``.
At 15, 30 and 60 fps a tick is 1, 2 and 4 frames exactly; at any other rate a step begins at the frame nearest to it.
A scene lasts whole seconds (its last hold is lengthened), so that scenes join without a remainder at every rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from explainers.errors import ExplainError
from scenes.narration import Step
from scenes.script import Section
from scenes.spoken import weight

TICKS_PER_SECOND = 15
WORDS_PER_MINUTE = 150
#: Stillness at the end of a step, in seconds.
HOLD = 0.8


def to_ticks(seconds: float) -> int:
    """The whole number of ticks nearest to a duration, at least one."""
    return max(1, round(seconds * TICKS_PER_SECOND))


def ticks_up(seconds: float) -> int:
    """The least whole number of ticks that is not shorter (a hair under a tick counts as rounding error)."""
    return max(0, math.ceil(seconds * TICKS_PER_SECOND - 1e-6))


def to_seconds(ticks: int) -> float:
    """Ticks of 1/15 s as seconds."""
    return ticks / TICKS_PER_SECOND


def frame(ticks: int, fps: int) -> int:
    """The frame at which a tick begins; halves are rounded up. Integer arithmetic, so without error."""
    return (2 * ticks * fps + TICKS_PER_SECOND) // (2 * TICKS_PER_SECOND)


def frames_between(start: int, end: int, fps: int) -> int:
    """How many frames show the ticks from ``start`` to ``end``."""
    return frame(end, fps) - frame(start, fps)


class Narrator(Protocol):
    """Who says the words, and when: by counting words, or a measured voice."""

    def seconds(self, step: Step) -> float:
        """How long the step's narration lasts."""

    def word_starts(self, step: Step) -> Sequence[float]:
        """When each of ``step.tokens`` begins, in seconds from the step's start, and last the end of all."""


@dataclass(frozen=True)
class ByWords:
    """A steady pace in spoken words a minute (`scenes.spoken.words`); within a step by syllables and pauses."""

    words_per_minute: float = WORDS_PER_MINUTE

    def seconds(self, step: Step) -> float:
        return step.words * 60 / self.words_per_minute

    def word_starts(self, step: Step) -> list[float]:
        weights = [weight(token, step.lang) for token in step.tokens]
        total, scale = sum(weights) or 1.0, self.seconds(step)
        return [scale * sum(weights[:index]) / total for index in range(len(weights) + 1)]


@dataclass(frozen=True)
class Measured:
    """A voice that was listened to: of each step (from 1) when its tokens begin, and last when its words end."""

    starts: tuple[tuple[float, ...], ...]

    def seconds(self, step: Step) -> float:
        return self.word_starts(step)[-1]

    def word_starts(self, step: Step) -> tuple[float, ...]:
        found = self.starts[step.index - 1]
        if len(found) != len(step.tokens) + 1:
            raise ExplainError(
                f"{step.where}: the voice said {len(found) - 1} words of {len(step.tokens)}; render again"
            )
        return found


def planned_ticks(step: Step, narrator: Narrator | None = None, hold: float = HOLD) -> int:
    """How long a step lasts if its animations are not longer than its words; by words alone nothing is computed."""
    seconds = narrator.seconds(step) if narrator else step.words_planned * 60 / WORDS_PER_MINUTE
    return ticks_up(seconds) + ticks_up(hold)


def planned_seconds(section: Section, narrator: Narrator | None = None, hold: float = HOLD) -> float:
    """How long a scene lasts by its words alone."""
    return to_seconds(whole_seconds(sum(planned_ticks(step, narrator, hold) for step in section.steps)))


def whole_seconds(ticks: int) -> int:
    """The least number of ticks that is not shorter and makes whole seconds."""
    return -(-ticks // TICKS_PER_SECOND) * TICKS_PER_SECOND
