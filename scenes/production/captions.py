"""Captions from the one clock: the narration cut into cues of at most two short lines, timed by its words."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scenes import spoken
from scenes.clock import TICKS_PER_SECOND
from scenes.report import SceneReport, StepReport

LINE = 42  # characters; the BBC and Netflix guides say 37 to 42
LINES = 2


@dataclass(frozen=True)
class Cue:
    """Text on screen from ``start`` to ``end``, seconds of the film."""

    start: float
    end: float
    lines: tuple[str, ...]


def cues(scenes: Iterable[tuple[int, SceneReport]]) -> list[Cue]:
    """The cues of a film: pairs of a scene's first tick in the film, and its report."""
    return [cue for first, scene in scenes for step in scene.steps for cue in _of_step(step, first)]


def _of_step(step: StepReport, first: int) -> Iterator[Cue]:
    tokens = spoken.tokens(step.narration)
    for start, end in _cut(tokens):
        begin, finish = step.word_ticks[start], step.word_ticks[end]
        yield Cue(
            round((first + begin) / TICKS_PER_SECOND, 3),
            round((first + finish) / TICKS_PER_SECOND, 3),
            wrap(tokens[start:end]),
        )


def _cut(tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Split tokens into runs that fit a cue, at the ends of sentences and clauses where they allow it."""
    start = 0
    while start < len(tokens):
        end = start + 1
        while end < len(tokens) and len(wrap(tokens[start : end + 1])) <= LINES:
            end += 1
        if end < len(tokens):
            end = _better_end(tokens, start, end)
        yield start, end
        start = end


def _better_end(tokens: Sequence[str], start: int, end: int) -> int:
    """The last end of a sentence in the run, else of a clause in its second half, else where it is full."""
    for signs, least in ((spoken.ENDS, (end - start) // 3), (spoken.PAUSES, (end - start) // 2)):
        for index in range(end, start + max(1, least), -1):
            if tokens[index - 1].rstrip("\"'”’)")[-1:] in signs:
                return index
    return end - 1 if len(tokens) - end == 1 and end - start > 3 else end


def wrap(tokens: Sequence[str]) -> tuple[str, ...]:
    """Lines of at most `LINE` characters; two lines are made about equally long."""
    lines = _fill(tokens, LINE)
    if len(lines) != 2:
        return tuple(lines)
    for width in range(max(map(_columns, tokens)), LINE):
        even = _fill(tokens, width)
        if len(even) == 2:
            return tuple(even)
    return tuple(lines)


def _fill(tokens: Sequence[str], width: int) -> list[str]:
    lines: list[str] = []
    for token in tokens:
        longer = spoken.joined([lines[-1], token]) if lines else ""
        if lines and _columns(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(token)
    return lines


def _columns(text: str) -> int:
    """How wide a text is: a Chinese or Japanese character is as wide as two letters."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def webvtt(found: Sequence[Cue]) -> str:
    """WebVTT (W3C)."""
    blocks = [
        f"{number}\n{_time(cue.start, '.')} --> {_time(cue.end, '.')}\n{html.escape(_text(cue), quote=False)}"
        for number, cue in enumerate(found, start=1)
    ]
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def subrip(found: Sequence[Cue]) -> str:
    """SubRip."""
    blocks = [
        f"{number}\n{_time(cue.start, ',')} --> {_time(cue.end, ',')}\n{_text(cue)}"
        for number, cue in enumerate(found, start=1)
    ]
    return "\n\n".join(blocks) + "\n"


#: What FFmpeg's mov_text encoder wants to know before it lets packets pass: a style sheet with its default style.
MOV_TEXT_HEADER = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def mov_text(found: Sequence[Cue]) -> list[tuple[int, int, bytes]]:
    """Samples of a timed text track (3GPP TS 26.245), without gaps: start, end in ms; length, then text."""
    samples: list[tuple[int, int, bytes]] = []
    now = 0
    for cue in found:
        start, end = round(cue.start * 1000), round(cue.end * 1000)
        if start > now:
            samples.append((now, start, b"\0\0"))  # an empty sample takes the last text away
        text = _text(cue).encode()
        samples.append((start, end, len(text).to_bytes(2, "big") + text))
        now = end
    return [*samples, (now, now + 1, b"\0\0")] if samples else []


def _text(cue: Cue) -> str:
    return "\n".join(cue.lines)


def _time(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"
