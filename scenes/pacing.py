"""How motions keep to a voice that says its words sooner than the scene was made for.

A scene is made at a steady pace. Between two words of a real voice there may be less time than at that pace; then what
moves between them goes as much faster, so that the next motion finds its word. At the steady pace nothing changes,
and where a voice leaves more time, there is more stillness.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from scenes import clock

#: A motion that ends no more ticks after a word than this was made to end at it.
SLACK = clock.ticks_up(clock.HOLD)
#: No motion is shortened to less of its length: the eye has to follow. What then comes late is found by the check.
LEAST = 0.6


class Pacing:
    """The clock of a step at the pace that it was made for, beside the voice's.

    ``words`` are pairs of ticks from the step's start: when a word that something waits for (at last, the end of all)
    is said at that pace, and when the voice says it. ``at``: the ticks that would have passed at that pace.
    """

    def __init__(self, words: Iterable[tuple[int, int]]) -> None:
        self.words = sorted(words)
        self.at = 0
        self._asked: tuple[int, int] | None = None

    def length(self, ticks: int, now: int) -> int:
        """How long a motion lasts that was made for ``ticks`` and begins ``now`` (ticks of the voice)."""
        end, asked = self.at + ticks, self._asked
        self._asked = None
        aim = asked or next((word for word in self.words if word[0] > self.at and word[0] + SLACK >= end), None)
        if aim is None:
            self.at = end
            return ticks
        after = max(0, end - aim[0])
        meant, left = aim[0] + after - self.at, aim[1] + after - now
        if left >= meant:
            fitted = ticks
        else:  # other motions may follow before the word: each leaves them their share
            share = left if asked else math.floor(ticks * left / meant)
            fitted = min(ticks, max(math.ceil(ticks * LEAST), share))
        self.at = aim[0] + after - left + fitted if asked else end
        return fitted

    def passed(self, ticks: int) -> None:
        """The scene stood still for so many ticks."""
        self.at += ticks

    def asked(self, made_for: int) -> None:
        """The scene asked how much is left until this word: the next motion is fitted to it, and shares with none."""
        self._asked = next(word for word in self.words if word[0] == made_for)

    @contextmanager
    def waiting(self, made_for: int) -> Iterator[None]:
        """However long the voice makes it wait: after that it is this word, or later if it was later."""
        reached = max(self.at, made_for)
        yield
        self.at = reached
