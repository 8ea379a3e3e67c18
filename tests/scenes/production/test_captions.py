"""Captions: short lines, in order, timed by the words."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from scenes.production.captions import LINE, LINES, cues, subrip, webvtt, wrap
from scenes.report import SceneReport, StepReport

WORDS = st.lists(st.from_regex(r"\A[a-z&<]{1,12}[.,]?\Z"), min_size=1, max_size=80)


def scene(words: list[str], first: int = 0) -> SceneReport:
    """A scene of one step whose words take two ticks each."""
    ticks = tuple(first + 2.0 * index for index in range(len(words) + 1))
    end = first + 2 * len(words)
    step = StepReport(1, first, end, end + 12, " ".join(words), len(words), ticks, (), 0, (), ())
    return SceneReport(9, "A", "A", end + 12, (step,), ())


@given(WORDS)
def test_every_word_is_shown_once_in_short_lines_in_time(words: list[str]) -> None:
    found = cues([(30, scene(words))])
    assert [word for cue in found for line in cue.lines for word in line.split()] == words
    assert all(len(cue.lines) <= LINES and all(len(line) <= LINE for line in cue.lines) for cue in found)
    spoken = 0
    for cue in found:
        count = sum(len(line.split()) for line in cue.lines)
        assert cue.start == round((30 + 2 * spoken) / 15, 3)
        assert cue.end == round((30 + 2 * (spoken + count)) / 15, 3)
        spoken += count


def test_cues_end_with_sentences_where_they_can() -> None:
    text = "The model keeps a key and a value for every token. Then it reads them all again for the next one."
    assert [" ".join(cue.lines) for cue in cues([(0, scene(text.split()))])] == [
        "The model keeps a key and a value for every token.",
        "Then it reads them all again for the next one.",
    ]


def test_two_lines_are_about_equally_long() -> None:
    assert wrap("aaaa bbbb cccc dddd eeee ffff gggg hhhh iiii jjjj".split()) == (
        "aaaa bbbb cccc dddd eeee",
        "ffff gggg hhhh iiii jjjj",
    )


@given(WORDS)
def test_both_formats_hold_the_same_text_and_times(words: list[str]) -> None:
    found = cues([(0, scene(words))])
    vtt, srt = webvtt(found), subrip(found)
    assert vtt.startswith("WEBVTT\n\n1\n")
    times = re.compile(r"(\d\d:\d\d:\d\d[.,]\d{3}) --> (\d\d:\d\d:\d\d[.,]\d{3})\n")
    assert [tuple(t.replace(",", ".") for t in pair) for pair in times.findall(srt)] == times.findall(vtt)
    assert html.unescape(vtt.removeprefix("WEBVTT\n\n")).replace(".", ",") == srt.replace(".", ",")
    assert "<" not in vtt


def test_times_carry_over_minutes_and_hours() -> None:
    (cue,) = cues([(15 * 3661, scene(["word"]))])
    assert "01:01:01.000 --> 01:01:01.133" in webvtt([cue])
