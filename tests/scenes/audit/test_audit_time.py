"""Timing from reports, motion from samples, spoken digits, waivers, and what files remember."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explainers.errors import ExplainError
from scenes import waivers
from scenes.audit import goldens, motion, origins, timing
from scenes.audit.findings import Finding, Notes
from scenes.audit.walking import SceneAudit
from scenes.narration import Step
from scenes.report import Cue, SceneReport, StepReport

#: Words as long as those of the course: seven syllables in five.
USUAL = "Each token keeps a latent. "


def step(**changes: object) -> StepReport:
    good = StepReport(1, 0, 300, 312, "", 50, (), (), 0, (), ())
    made = replace(good, **changes)  # type: ignore[arg-type]
    return made if made.narration else replace(made, narration=USUAL * (made.words // len(USUAL.split())))


def report(*steps: StepReport, ticks: int = 0) -> SceneReport:
    return SceneReport(3, "Demo", "Demo", ticks or steps[-1].end, steps, ())


def timed(*steps: StepReport, ticks: int = 600) -> set[str]:
    notes = Notes("3/Demo")
    timing.check(report(*steps, ticks=ticks), notes)
    return {finding.code for finding in notes.findings}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"overrun": 13, "end": 325}, "overrun"),
        ({"overrun": 12, "end": 324}, ""),
        ({"cues": (Cue("here", 100, 7),)}, "late-mark"),
        ({"cues": (Cue("here", 100, 6),)}, ""),
        ({"words": 80}, "pace"),
        ({"words": 20}, "pace"),
        ({"words": 4}, ""),
        ({"end": 311}, "hold-short"),
        ({"speech": 15, "end": 27, "words": 2}, "step-short"),
    ],
)
def test_steps(changes: dict[str, object], code: str) -> None:
    assert timed(step(**changes)) == ({code} if code else set())


def test_many_short_words_in_a_minute_are_no_haste() -> None:
    short, usual = "How can it keep them all? " * 11, "Every layer remembers several tokens. " * 13
    assert timed(step(words=66, narration=short)) == set(), "198 words a minute, 140 by their syllables"
    assert timed(step(words=65, narration=usual)) == {"pace"}


@pytest.mark.parametrize(("seconds", "bad"), [(19.9, True), (20, False), (70, False), (70.1, True)])
def test_scene_lengths(seconds: float, bad: bool) -> None:
    assert timed(step(), ticks=round(seconds * 15 + (0.4 if bad else 0))) == ({"scene-length"} if bad else set())


def test_lecture_and_course_lengths() -> None:
    findings, notes = timing.check_lengths({3: 320.0}, [3])
    assert not findings
    assert "1 of 8 lectures exist" in notes[0]
    assert [f.code for f in timing.check_lengths({3: 120.0, 4: 300.0}, [3, 4, 5])[0]] == ["lecture-length"]
    eight = dict.fromkeys(range(1, 9), 315.0)
    assert timing.check_lengths(eight, list(eight)) == (
        [],
        ["course length 42:00 min, between 40:00 min and 44:00 min"],
    )


@pytest.mark.parametrize(
    ("seconds", "codes"),
    [(300.0, []), (299.0, ["course-length"]), (330.0, []), (331.0, ["course-length"])],
)
def test_a_course_outside_of_its_plan_is_found(seconds: float, codes: list[str]) -> None:
    every = dict.fromkeys(range(1, 9), seconds)
    assert [finding.code for finding in timing.check_lengths(every, list(every))[0]] == codes


@pytest.mark.parametrize(("seconds", "bad"), [(269.0, True), (270.0, False), (350.0, False), (351.0, True)])
def test_a_lecture_outside_of_its_plan_is_found_and_named(seconds: float, bad: bool) -> None:
    findings, _ = timing.check_lengths({3: 315.0, 4: seconds}, [3, 4, 5])
    assert [(finding.code, finding.scene) for finding in findings] == ([("lecture-length", "4")] if bad else [])


def test_a_card_is_short() -> None:
    report = SceneReport(3, "Card", "Card", 6 * 15, (), ())
    notes = Notes("3/Card")
    timing.check(report, notes, (3.0, 14.0))
    assert not notes.findings
    timing.check(report, notes)
    assert [finding.code for finding in notes.findings] == ["scene-length"]


# ---------------------------------------------------------------------- motion
def film(lights: list[float], digests: list[str] | None = None, every: float = 2.0) -> motion.Film:
    names = digests or [str(index) for index in range(len(lights))]
    grid = np.ones((18, 32))
    return motion.Film([motion.Moment(i * every, names[i], grid * light) for i, light in enumerate(lights)])


def seen(film: motion.Film, end: int) -> set[str]:
    notes = Notes("3/Demo")
    film.check(notes, [(1, 0, end)])
    return {finding.code for finding in notes.findings}


def test_flashes_are_counted_within_a_second() -> None:
    assert seen(film([0.1, 0.6] * 8, every=1), 16) == {"flashes"}
    assert seen(film([0.1, 0.6] * 8, every=4), 64) == set()  # 15 ticks hold less than two flashes
    assert seen(film([0.1, 0.15] * 8, every=1), 16) == set()  # too faint
    assert seen(film(list(np.linspace(0, 0.7, 16)), every=1), 16) == set()  # one slow brightening


def test_small_flashes_do_not_count() -> None:
    small = film([0.1] * 16, every=1)
    for index, moment in enumerate(small.moments):
        moment.light[0, 0] = index % 2
    assert seen(small, 16) == set()


def test_what_moves_across_the_frame_does_not_flash_where_it_passes() -> None:
    passing = film([0.1] * 24, every=1)
    for index, moment in enumerate(passing.moments):
        moment.light[:, index : index + 4] = 0.6  # each column turns lighter once and darker once
    assert seen(passing, 24) == set()
    for index, moment in enumerate(passing.moments):
        moment.light[:, :4] = (0.1, 0.6)[index % 2]  # beside it, an eighth of the frame flickers
    assert seen(passing, 24) == {"flashes"}


def test_a_still_picture_is_frozen_after_twelve_seconds() -> None:
    assert seen(film([0.1] * 3, ["a", "b", "b"], every=10), 20 + 181) == {"frozen"}
    assert seen(film([0.1] * 3, ["a", "b", "c"], every=10), 20 + 180) == set()


# ---------------------------------------------------------------------- spoken
def test_spoken_digits_need_a_reference() -> None:
    notes = Notes("3/Demo", step=1)
    origins.check_narration(Step(1, "", "3_mla.md:9", ("It has 671 billion, in V3.",)), notes, frozenset({"V3"}))
    (finding,) = notes.findings
    assert (finding.code, finding.object) == ("said-without-origin", "narration '671 billion, in'")


# ---------------------------------------------------------------------- waivers
def test_a_waiver_needs_a_reason_and_knows_where_it_is() -> None:
    thing = waivers.waive(type("Thing", (), {})(), "crowded", reason="a city has many houses")
    (waiver,) = waivers.waivers_on(thing)
    assert waiver.where.startswith("test_audit_time.py:")
    with pytest.raises(ExplainError, match="has no reason"):
        waivers.waive(thing, "crowded", reason="because")
    with pytest.raises(ExplainError, match="names no code"):
        waivers.waive(thing, reason="for no reason at all")


def test_waivers_of_a_scene_may_name_a_step() -> None:
    mine = waivers.Waiver("frozen:2", "the picture is meant to rest", "demo.py:1")
    notes = Notes("3/Demo", waived_by_scene=(mine,))
    notes.add("frozen", "from 3 s", "13 s", "", step=1)
    notes.add("frozen", "from 20 s", "13 s", "", step=2)
    assert [finding.step for finding in notes.findings] == [1]
    assert list(notes.used) == [mine]


def test_findings_in_later_steps_and_many_alike_are_said_once() -> None:
    notes = Notes("3/Demo")
    for index in (1, 2, 3):
        notes.add("crowded", "frame", "12", "", step=index)
    for word in ("a", "b", "c", "d", "e"):
        notes.add("text-too-small", f"TokenRow 'h' / label {word!r}", "9 px", "", step=1)
    crowded, small = notes.findings
    assert (crowded.step, crowded.more_steps) == (1, (2, 3))
    assert small.object == "TokenRow 'h' / 5 of its parts"


def test_unknown_codes_are_refused() -> None:
    with pytest.raises(ExplainError, match="did you mean crowded"):
        Finding("crowdet", "3/Demo", 1, "frame", "", "")


# ---------------------------------------------------------------------- goldens
def audited(**changes: object) -> SceneAudit:
    things = [
        {"kind": "text", "text": "latent", "box": [0.0, 0.0, 1.0, 0.3], "colours": ["#F7B231"]},
        {"kind": "Square", "of": "", "box": [2.0, 0.0, 3.0, 1.0], "colours": ["/#14A374"]},
    ]
    thing = {**things[0], **changes}
    pixels = np.full((27, 48, 3), int(changes.get("light", 20)))  # type: ignore[call-overload]
    thing.pop("light", None)
    return SceneAudit(
        "3/Demo", 3, 1, fingerprint={"steps": [{"step": 1, "things": [thing, things[1]]}]}, thumbnail=pixels.tolist()
    )


def test_a_scene_without_golden_is_a_finding(tmp_path: Path) -> None:
    assert [finding.code for finding in goldens.check(audited(), tmp_path)] == ["golden-missing"]


def test_goldens_forgive_a_hair_and_name_what_changed(tmp_path: Path) -> None:
    assert goldens.update(audited(), tmp_path) == ["3/Demo: new, 1 steps"]
    assert goldens.check(audited(), tmp_path) == []
    assert goldens.check(audited(box=[0.03, 0.0, 1.03, 0.3], colours=["#F6B332"], light=21), tmp_path) == []
    changed = {
        "moved by 0.50": audited(box=[0.5, 0.0, 1.5, 0.3]),
        "gone: text 'latent'": audited(text="keys"),
        "colours #F7B231 →": audited(colours=["#14A374"]),
        "thumbnail": audited(light=90),
    }
    for words, audit in changed.items():
        (finding,) = goldens.check(audit, tmp_path)
        assert finding.code == "picture-changed"
        assert words in finding.message
    assert any("moved" in line for line in goldens.update(audited(box=[0.5, 0.0, 1.5, 0.3]), tmp_path))
    assert goldens.check(audited(box=[0.5, 0.0, 1.5, 0.3]), tmp_path) == []
    assert goldens.update(audited(box=[0.5, 0.0, 1.5, 0.3]), tmp_path) == []


def test_a_damaged_golden_says_so(tmp_path: Path) -> None:
    goldens.update(audited(), tmp_path)
    goldens.file_of(audited(), tmp_path).write_text("{")
    with pytest.raises(ExplainError, match="--update"):
        goldens.check(audited(), tmp_path)
