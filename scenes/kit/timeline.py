"""What happened when: events on a line of time, to scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Self

import numpy as np
from manim import DOWN, RIGHT, UP, Dot, Line, Triangle, VGroup
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.quantities import Cited, Computed, Quantity
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound
from scenes.kit.text import Label

_RISES = (0.35, 1.3, 2.25)
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def as_date(text: str) -> date:
    """``"2025-01-27"`` (or ``"2025-01"``, ``"2025"``) → a date."""
    whole = text + "-01" * max(0, 2 - text.count("-"))
    try:
        return date.fromisoformat(whole)
    except (TypeError, ValueError):
        raise ExplainError(f"cannot read the date {text!r}; write it like 2025-01-27") from None


def said_date(text: str) -> str:
    """``"2025-01-27"`` → ``"27 Jan 2025"``, with as much as was given."""
    when = as_date(text)
    return {0: f"{when.year}", 1: f"{_MONTHS[when.month - 1]} {when.year}"}.get(
        text.count("-"), f"{when.day} {_MONTHS[when.month - 1]} {when.year}"
    )


def iso_date(when: str | Quantity) -> str:
    """The ISO text of a date; a Quantity counts days (``fact.timeline.v3.date``) and is as precise as its source."""
    if not isinstance(when, Quantity):
        return when
    try:
        iso = date.fromordinal(round(when.value)).isoformat()
    except (ValueError, OverflowError):
        raise ExplainError(f"{when.short()} = {when.value} is no day of the calendar; pass a fact's date") from None
    dashes = when.origin.date.split(" ")[0].count("-") if isinstance(when.origin, Cited) else 2
    return "-".join(iso.split("-")[: dashes + 1])


class DateLabel(Label):
    """A date on screen: an ISO text, or a fact's date, whose source the scene's origin line names.

    >>> DateLabel(self.number("fact.timeline.market.date"), "body")

    ``date`` is the ISO text; ``quantities`` are the day and the year of a fact's date, as they stand on screen.
    """

    text_kind = "date"

    def __init__(self, when: str | Quantity, size: str | float = "small", role: str = "muted") -> None:
        self.date = iso_date(when)
        super().__init__(said_date(self.date), size, role)
        self.quantities: tuple[Quantity, ...] = ()
        if isinstance(when, Quantity):
            day = as_date(self.date)
            parts = (("year", day.year), ("day", day.day))[: 2 if self.date.count("-") == 2 else 1]
            self.quantities = tuple(
                Quantity(value, "", when.origin, f"{name} of {when.short()}") for name, value in parts
            )


@dataclass(frozen=True)
class Event:
    """Something that happened: a date (ISO text, or a fact's date), a few words, a role.

    ``side`` 1 puts the words above the line, −1 below it, 0 where there is room.
    """

    date: str | Quantity
    text: str
    role: str = "text"
    side: int = 0
    data_fields: ClassVar[tuple[str, ...]] = ("date",)


class Timeline(DataBound, VGroup):
    """Events on a line of time. Distances are true to the dates; words stand above and below in turn.

    >>> line = Timeline([Event(self.number("fact.timeline.v2.date"), "V2"), Event("2024-12-26", "V3", "latent")])
    >>> self.play(FadeIn(line.line));  self.play(FadeIn(line.events[0]))
    >>> now = line.marker(first);  self.play(line.move(now, second))     # a moving "now"
    """

    def __init__(
        self,
        events: Sequence[Event],
        *,
        width: float = 11.5,
        start: str = "",
        end: str = "",
        size: str | float = "small",
        text_width: float = 2.2,
    ) -> None:
        super().__init__()
        if not events:
            raise ExplainError("a timeline needs at least one Event")
        self.bound = Bound.of(event.date for event in events if isinstance(event.date, Quantity))
        days = [as_date(iso_date(event.date)).toordinal() for event in events]
        first = as_date(start).toordinal() if start else min(days)
        last = as_date(end).toordinal() if end else max(days)
        if last <= first:
            last = first + 1
        outside = [iso_date(event.date) for event, day in zip(events, days, strict=True) if not first <= day <= last]
        if outside:
            raise ExplainError(f"the event of {outside[0]} lies outside {start or min(days)} … {end or max(days)}")
        self._first, self._last = first, last
        self.line = Line([-width / 2, 0, 0], [width / 2, 0, 0], stroke_color=theme.role("muted"), stroke_width=2.5)
        order = sorted(range(len(events)), key=lambda index: days[index])
        feet = [self.line.get_start() + RIGHT * width * (days[index] - first) / (last - first) for index in order]
        words = [self._words(events[index], size, text_width) for index in order]
        places = _places(words, [float(foot[0]) for foot in feet], [events[index].side for index in order])
        self.events = VGroup()
        for index, foot, text, (side, rise, align) in zip(order, feet, words, places, strict=True):
            dot = Dot(foot, radius=0.09, color=theme.role(events[index].role))
            _put(text, float(foot[0]), side, rise, align)
            edge = np.array([foot[0], text.get_edge_center(-side * UP)[1], 0.0])
            stem = Line(foot, edge, stroke_width=1.4, stroke_color=theme.role("hairline"), buff=0.09)
            self.events.add(VGroup(stem, dot, text))
        self.add(self.line, self.events)
        self.center()

    def perturbed(self) -> Self:
        """The same line with each date some weeks later than it was, the later ones more."""
        dates = (datum for datum in self.bound if isinstance(datum, Quantity))
        later = (
            replace(
                when, value=when.value + 9 * (index + 1) ** 2, origin=Computed(f"perturbed {when.short()}", (when,))
            )
            for index, when in enumerate(dates)
        )
        return self.rebind(*later)

    def at(self, when: str | Quantity) -> NDArray[np.float64]:
        """The place of a date on the line."""
        day = as_date(iso_date(when)).toordinal()
        share = (day - self._first) / (self._last - self._first)
        return np.asarray(self.line.get_start() + share * (self.line.get_end() - self.line.get_start()))

    def marker(self, when: str | Quantity, role: str = "accent") -> Triangle:
        """A pointer under the line, its tip at a date; `move` takes it to another."""
        pointer = Triangle(radius=0.15, stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
        return pointer.next_to(self.at(when), DOWN, buff=0.12)

    def move(self, marker: Triangle, when: str | Quantity) -> Any:
        """The animation in which a pointer goes to a date."""
        return marker.animate.next_to(self.at(when), DOWN, buff=0.12)

    @staticmethod
    def _words(event: Event, size: str | float, width: float) -> VGroup:
        words = VGroup(DateLabel(event.date), Label(event.text, size, event.role, width=width, align="center"))
        return words.arrange(DOWN, buff=0.06)


def _put(text: VGroup, x: float, side: int, rise: float, align: int) -> None:
    """Words above (1) or below (−1) the line, centred on the stem or beside it."""
    left, bottom, right, top = _box((text.width, text.height), x, (side, rise, align))
    text.move_to([(left + right) / 2, (bottom + top) / 2, 0])


def _box(size: tuple[float, float], x: float, place: tuple[int, float, int]) -> tuple[float, ...]:
    """Left, bottom, right, top of words of a size at a side, rise and alignment."""
    (width, height), (side, rise, align) = size, place
    middle, up = x + align * (width / 2 + 0.1), side * (rise + height / 2)
    return middle - width / 2, up - height / 2, middle + width / 2, up + height / 2


def _places(words: Sequence[VGroup], feet: Sequence[float], sides: Sequence[int]) -> list[tuple[int, float, int]]:
    """Side, rise and alignment of each text, so that no text meets another text or its stem."""
    # words over their own dot, be it a little higher, before words beside the stem
    options = [(side, rise, align) for align in (0, 1, -1) for rise in _RISES for side in (1, -1)]
    sizes = [(text.width, text.height) for text in words]
    chosen: list[tuple[int, float, int]] = []
    boxes: list[tuple[float, ...]] = []
    tried = 0

    def free(one: tuple[float, ...], x: float, other: tuple[float, ...], other_x: float) -> bool:
        gap = 0.09
        apart = one[0] > other[2] + gap or other[0] > one[2] + gap or one[1] > other[3] or other[1] > one[3]
        return apart and not _crosses(one, x, other, gap) and not _crosses(other, other_x, one, gap)

    def place(index: int) -> bool:
        nonlocal tried
        if index == len(words):
            return True
        for option in options:
            tried += 1
            if tried > 20000:
                return False
            if sides[index] not in (0, option[0]):
                continue
            here = _box(sizes[index], feet[index], option)
            if all(free(here, feet[index], each, x) for each, x in zip(boxes, feet, strict=False)):
                chosen.append(option)
                boxes.append(here)
                if place(index + 1):
                    return True
                chosen.pop()
                boxes.pop()
        return False

    if not place(0):
        raise ExplainError(f"{len(words)} events have no room on this timeline; shorten their texts or widen it")
    return chosen


def _crosses(one: tuple[float, ...], x: float, other: tuple[float, ...], gap: float) -> bool:
    """Whether the stem from the line to ``one`` at ``x`` runs through ``other``."""
    near = min(abs(one[1]), abs(one[3]))
    same_side = (one[1] + one[3]) * (other[1] + other[3]) > 0
    return same_side and other[0] - gap < x < other[2] + gap and min(abs(other[1]), abs(other[3])) < near
