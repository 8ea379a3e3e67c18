"""Timing, from the report of a scene: words against animations, pace, holds, lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scenes.audit.findings import Finding, Notes
from scenes.clock import HOLD, to_seconds
from scenes.registry import LECTURES
from scenes.report import SceneReport, StepReport
from scenes.spoken import usual_words

#: Animations may outrun their words by so many seconds, and reach a mark so late, before anybody notices.
OVERRUN, LATE = 0.8, 0.4
PACE = (110.0, 185.0)
#: So few words have no pace.
FEW_WORDS = 6
SHORTEST_STEP = 2.0
LECTURE_SECONDS = (270.0, 350.0)
COURSE_SECONDS = (40 * 60.0, 44 * 60.0)


def check(report: SceneReport, notes: Notes, span: tuple[float, float] | None = (20.0, 70.0), lang: str = "en") -> None:
    """Everything that one scene's report tells; ``span``: the least and most seconds of such a scene, if any."""
    for step in report.steps:
        _check_step(step, notes)
        _check_pace(step, notes, lang)
    seconds = to_seconds(report.ticks)
    if span and not span[0] <= seconds <= span[1]:
        notes.add(
            "scene-length",
            report.scene,
            f"{seconds:.1f} s, between {span[0]:g} and {span[1]:g}",
            "join it with its neighbour or split it: one idea a scene",
            step=0,
        )


def _check_step(step: StepReport, notes: Notes) -> None:
    where = f"step {step.index}"
    seconds = to_seconds(step.end - step.start)
    overrun = to_seconds(step.overrun)
    if overrun > OVERRUN:
        notes.add(
            "overrun",
            where,
            f"{overrun:.1f} s longer than the words, most {OVERRUN:g}",
            "shorten the animations (run_time=s.left), or say more",
            step=step.index,
        )
    for cue in step.cues:
        if to_seconds(cue.late) > LATE:
            notes.add(
                "late-mark",
                f"mark [[{cue.name}]]",
                f"{to_seconds(cue.late):.1f} s after its word, most {LATE:g}",
                "shorten what is played before it (run_time=s.left_until(mark)), or move the mark",
                step=step.index,
            )
    hold = to_seconds(step.end - step.speech - step.overrun)
    if hold < HOLD - 1e-6:
        notes.add(
            "hold-short",
            where,
            f"{hold:.2f} s, least {HOLD:g}",
            "leave the class attribute `hold` as it is: the eye needs stillness before the next idea",
            step=step.index,
        )
    if seconds < SHORTEST_STEP:
        notes.add(
            "step-short",
            where,
            f"{seconds:.1f} s, least {SHORTEST_STEP:g}",
            "join the paragraph with its neighbour",
            step=step.index,
        )


def _check_pace(step: StepReport, notes: Notes, lang: str) -> None:
    """Too fast or too slow by the words and by their syllables: many short words in a minute are no haste."""
    speech = to_seconds(step.speech - step.start)
    if step.words < FEW_WORDS or not speech:
        return
    paces = sorted(words / speech * 60 for words in (step.words, usual_words(step.narration, lang)))
    if paces[0] > PACE[1] or paces[1] < PACE[0]:
        pace = paces[0] if paces[0] > PACE[1] else paces[1]
        notes.add(
            "pace",
            f"step {step.index}",
            f"{pace:.0f} words a minute, between {PACE[0]:g} and {PACE[1]:g}",
            "change the voice's speed or the words",
            step=step.index,
        )


def check_lengths(seconds: Mapping[int, float], whole: Sequence[int]) -> tuple[list[Finding], list[str]]:
    """Lecture and course lengths: findings and, while lectures are missing, a line that says so.

    Parameters
    ----------
    seconds
        Lecture → length in seconds of those that were checked completely.
    whole
        Numbers of all lectures of the course.
    """
    findings = [
        Finding(
            "lecture-length",
            str(lecture),
            0,
            f"lecture {lecture}",
            f"{minutes(length)}, between {minutes(LECTURE_SECONDS[0])} and {minutes(LECTURE_SECONDS[1])}",
            "trim or add words: eight such lectures make the course",
        )
        for lecture, length in sorted(seconds.items())
        if not LECTURE_SECONDS[0] <= length <= LECTURE_SECONDS[1]
    ]
    total = sum(seconds.values())
    if set(seconds) != set(whole):
        return findings, []
    if len(whole) < LECTURES:
        return findings, [f"course length {minutes(total)}, not judged: {len(whole)} of {LECTURES} lectures exist"]
    if not COURSE_SECONDS[0] <= total <= COURSE_SECONDS[1]:
        findings.append(
            Finding("course-length", "all", 0, "course", f"{minutes(total)}, {_plan()}", "trim or add words")
        )
    return findings, [f"course length {minutes(total)}, {_plan()}"]


def minutes(seconds: float) -> str:
    """``350`` → ``"5:50 min"``."""
    whole, rest = divmod(round(seconds), 60)
    return f"{whole}:{rest:02d} min"


def _plan() -> str:
    return f"between {minutes(COURSE_SECONDS[0])} and {minutes(COURSE_SECONDS[1])}"
