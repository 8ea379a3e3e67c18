"""The one clock: whole ticks, exact frames."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes import clock
from scenes.narration import Step
from scenes.script import parse

RATES = st.integers(1, 240)
TICKS = st.integers(0, 15 * 3600)


@given(TICKS, st.sampled_from([15, 30, 60, 120]))
def test_multiples_of_fifteen_are_exact(ticks: int, fps: int) -> None:
    assert clock.frame(ticks, fps) * 15 == ticks * fps


@given(TICKS, RATES)
def test_a_frame_is_never_more_than_half_a_frame_off(ticks: int, fps: int) -> None:
    assert abs(clock.frame(ticks, fps) - ticks * fps / 15) <= 0.5


@given(st.lists(st.integers(1, 60), max_size=40), RATES)
def test_durations_add_up_whatever_the_cuts(durations: list[int], fps: int) -> None:
    ends = [sum(durations[: index + 1]) for index in range(len(durations))]
    starts = [0, *ends[:-1]]
    counted = sum(clock.frames_between(start, end, fps) for start, end in zip(starts, ends, strict=False))
    assert counted == clock.frame(sum(durations), fps)


@given(TICKS, RATES)
def test_whole_seconds_have_no_remainder_at_any_rate(ticks: int, fps: int) -> None:
    whole = clock.whole_seconds(ticks)
    assert 0 <= whole - ticks < 15
    assert clock.frame(whole, fps) * 15 == whole * fps


@pytest.mark.parametrize(("seconds", "ticks"), [(0.001, 1), (0.8, 12), (1.0, 15), (1.04, 16), (2.5, 38)])
def test_seconds_become_the_nearest_ticks(seconds: float, ticks: int) -> None:
    assert clock.to_ticks(seconds) == ticks


@pytest.mark.parametrize(("seconds", "ticks"), [(0.0, 0), (0.8, 12), (9.2, 138), (9.21, 139), (0.1 + 0.2, 5)])
def test_words_are_never_cut_short(seconds: float, ticks: int) -> None:
    assert clock.ticks_up(seconds) == ticks


def only_step(text: str) -> Step:
    return parse(f"---\nnumber: 9\ntitle: T\n---\n## A\n{text}\n", Path("9_x.md")).sections[0].steps[0]


def test_time_goes_by_words_and_within_a_step_by_syllables() -> None:
    step = only_step("A cat remembers everything. Yes.")
    narrator = clock.ByWords(150)
    assert narrator.seconds(step) == pytest.approx(5 / 150 * 60)
    starts = narrator.word_starts(step)
    assert len(starts) == len(step.tokens) + 1
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert starts[-1] == pytest.approx(narrator.seconds(step))
    lengths = [end - start for start, end in zip(starts, starts[1:], strict=False)]
    assert lengths[3] > lengths[2] > lengths[1], "everything. > remembers > cat"


def test_a_planned_scene_lasts_its_words_and_holds_in_whole_seconds() -> None:
    text = "---\nnumber: 9\ntitle: T\n---\n## A\nOne two three four five.\n\nSix.\n"
    section = parse(text, Path("9_x.md")).sections[0]
    # five words are 2 s = 30 ticks, one is 0.4 s = 6; two holds of 12: 60 ticks = 4 s
    assert clock.planned_seconds(section) == 4.0
    assert clock.planned_ticks(section.steps[0]) == 42
