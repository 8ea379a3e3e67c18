"""Dates of facts on lines of time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explainers.errors import ExplainError
from explainers.formatting import shown_matches
from explainers.references import resolve
from scenes.kit import DateLabel, Event, Timeline
from scenes.kit.timeline import iso_date

WHEN = {key: resolve(f"fact.timeline.{key}.date") for key in ("founded", "v2", "v3", "market")}


def line(sides: tuple[int, ...] = (0, 0, 0, 0)) -> Timeline:
    events = [Event(when, key, side=side) for (key, when), side in zip(WHEN.items(), sides, strict=True)]
    return Timeline(events, width=10)


def test_a_date_on_screen_is_as_precise_as_its_source() -> None:
    assert [iso_date(WHEN[key]) for key in ("founded", "market")] == ["2023-07", "2025-01-27"]
    shown = DateLabel(WHEN["market"])
    assert shown.shown_text == "27 Jan 2025" and DateLabel(WHEN["founded"]).shown_text == "Jul 2023"
    year, day = shown.quantities
    assert shown_matches("2025", year) and shown_matches("27 Jan", day) and day.origin == WHEN["market"].origin


def test_events_stand_where_their_dates_are() -> None:
    drawn = line()
    days = np.array([float(when) for when in WHEN.values()])
    x = np.array([event[1].get_x() for event in drawn.events])
    assert np.allclose((x - x[0]) / 10, (days - days[0]) / (days[-1] - days[0]))
    assert np.allclose([drawn.at(when)[0] for when in WHEN.values()], x)


def test_a_pointer_goes_to_a_date() -> None:
    drawn = line()
    pointer = drawn.marker(WHEN["founded"])
    move = drawn.move(pointer, WHEN["v2"]).build()
    move.begin()
    move.interpolate(1)
    move.finish()
    assert pointer.get_x() == pytest.approx(drawn.at(WHEN["v2"])[0])
    assert pointer.get_top()[1] < drawn.line.get_y()


def test_words_stand_on_the_side_that_was_asked_for() -> None:
    drawn = line((1, -1, 1, -1))
    above = [event[2].get_y() > drawn.line.get_y() for event in drawn.events]
    assert above == [True, False, True, False]


def test_other_dates_move_the_events() -> None:
    drawn = line()
    later = replace(WHEN["v2"], value=WHEN["v2"].value + 60)
    again = drawn.rebind(WHEN["founded"], later, WHEN["v3"], WHEN["market"])
    assert again.events[1][1].get_x() > drawn.events[1][1].get_x() + 0.5


def test_no_day_of_the_calendar() -> None:
    with pytest.raises(ExplainError, match="no day of the calendar"):
        iso_date(replace(WHEN["v2"], value=10**9))


def test_perturbed_dates_are_dates_and_move_the_events() -> None:
    drawn = line()
    moved = [event[1].get_x() - drawn.events[0][1].get_x() for event in drawn.events]
    again = drawn.perturbed()
    assert [event[1].get_x() - again.events[0][1].get_x() for event in again.events] != pytest.approx(moved)
