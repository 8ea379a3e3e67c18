"""Codes of the check that no single scene of the zoo can have: of narrations, lengths, goldens and citations."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from manim import DOWN, LEFT, RIGHT, UP, Mobject, Rectangle, VGroup

from explainers.errors import ExplainError
from scenes import citations, clock, narration, script
from scenes.audit import goldens, origins, timing
from scenes.audit.checking import citations_changed, out_of_step
from scenes.audit.findings import Finding, Notes
from scenes.audit.walking import audit
from scenes.docs.filmed import GOOD, boxed, film
from scenes.kit import Label, column, label, mono, role, row
from scenes.kit.theme import FRAME_HEIGHT, FRAME_WIDTH
from scenes.production.looking import Pixels
from scenes.registry import Course, SceneEntry


@dataclass(frozen=True)
class Pair:
    """A bad and a good picture (to be drawn, or pixels), and the finding of the bad one."""

    bad: Mobject | Pixels
    good: Mobject | Pixels
    finding: Finding


def pair(code: str, good_scene: SceneEntry) -> Pair:
    """The pictures of one of `CODES`; ``good_scene`` is a scene without findings."""
    if code not in CODES:
        raise ExplainError(f"{code} has no pictures: put a bad scene and its mended twin into the zoo, or a pair here")
    return CODES[code](good_scene)


# ---------------------------------------------------------------------- words
def _said(_: SceneEntry) -> Pair:
    bad = "It has 671 billion parameters."
    good = "It has {{ v3.total_params | words 3 bare }} parameters."
    notes = Notes("3/Demo", step=1)
    origins.check_narration(narration.Step(1, "", "3_mla.md:9", (bad,)), notes, frozenset())
    head = "---\nnumber: 3\ntitle: Demo\n---\n## Demo {#Demo}\n\n"
    (step,) = script.parse(head + good + "\n", Path("3_mla.md")).section("Demo").steps
    fine = Notes("3/Demo", step=1)
    origins.check_narration(step, fine, frozenset())
    assert not fine.findings
    return Pair(
        _script(bad, "cost"),
        column(_script(good, "text"), Label(step.narration, width=9.0), gap=0.5),
        notes.findings[0],
    )


def _script(text: str, colour: str) -> Mobject:
    return mono(text, "body", colour)


# ---------------------------------------------------------------------- lengths
def _lecture(_entry: SceneEntry) -> Pair:
    course = Course.default()
    one, two = (course.lecture(number) for number in (3, 4))
    length = {each.number: _planned([each]) for each in (one, two)}
    joined = {one.number: length[3] + length[4]}
    (finding,), _ = timing.check_lengths(joined, [1, 2, 3])
    limits = timing.LECTURE_SECONDS
    bad = _ruler([("lectures three and four as one", joined[3])], limits)
    return Pair(bad, _ruler([(each.title, length[each.number]) for each in (one, two)], limits), finding)


def _course(_entry: SceneEntry) -> Pair:
    course = Course.default()
    length = {lecture.number: _planned([lecture]) for lecture in course.lectures}
    limits = timing.COURSE_SECONDS
    longer = dict.fromkeys(length, limits[1] / len(length) * 1.02)
    found, _ = timing.check_lengths(longer, list(length))
    finding = next(each for each in found if each.code == "course-length")
    bad = _ruler([("every lecture a little too long", sum(longer.values()))], limits)
    return Pair(bad, _ruler([("the course as it is", sum(length.values()))], limits), finding)


def _planned(lectures: Sequence[script.Lecture]) -> float:
    return sum(clock.planned_seconds(section) for lecture in lectures for section in lecture.sections)


def _ruler(bars: Sequence[tuple[str, float]], limits: tuple[float, float]) -> Mobject:
    """Lengths in minutes beside the room that they may fill."""
    most = max(limits[1], *(seconds for _, seconds in bars)) * 1.08
    unit, high = 10.5 / most, 0.9 * len(bars)
    room = Rectangle(width=(limits[1] - limits[0]) * unit, height=high + 0.3, stroke_width=0)
    room.set_fill(role("reward"), 0.3).move_to([limits[0] * unit, -high / 2 + 0.45, 0], aligned_edge=LEFT)
    picture = VGroup(room)
    for index, (name, seconds) in enumerate(bars):
        colour = "latent" if limits[0] <= seconds <= limits[1] else "cost"
        bar = Rectangle(width=seconds * unit, height=0.36, stroke_width=0, fill_color=role(colour), fill_opacity=1)
        bar.move_to([0, -0.9 * index, 0], aligned_edge=LEFT)
        picture.add(bar, label(name, "small", colour).next_to(bar, UP, buff=0.06, aligned_edge=LEFT))
    for seconds in limits:
        tick = label(timing.minutes(seconds), "small", "muted")
        picture.add(tick.next_to([seconds * unit, -high + 0.25, 0], DOWN, buff=0.1))
    return picture.center()


# ---------------------------------------------------------------------- goldens
def _missing(entry: SceneEntry) -> Pair:
    walked, frame = audit(entry), film(entry).ends[1]
    with tempfile.TemporaryDirectory() as place:
        (finding,) = goldens.check(walked, Path(place))
        goldens.update(walked, Path(place))
        assert not goldens.check(walked, Path(place))
    return Pair(frame, boxed(frame, _boxes(walked.fingerprint["steps"][0]["things"]), GOOD), finding)


def _changed(entry: SceneEntry) -> Pair:
    walked, frame = audit(entry), film(entry).ends[1]
    with tempfile.TemporaryDirectory() as place:
        goldens.update(walked, Path(place))
        path = goldens.file_of(walked, Path(place))
        reviewed = json.loads(path.read_text(encoding="utf-8"))
        thing = max(reviewed["steps"][0]["things"], key=lambda each: each["box"][2] - each["box"][0])
        thing["box"] = [edge + 0.9 * (index % 2) for index, edge in enumerate(thing["box"])]
        path.write_text(json.dumps(reviewed), encoding="utf-8")
        finding = goldens.check(walked, Path(place))[0]
    things = walked.fingerprint["steps"][0]["things"]
    return Pair(boxed(frame, _boxes([thing])), boxed(frame, _boxes(things), GOOD), finding)


def _boxes(things: Sequence[dict[str, list[float]]]) -> tuple[tuple[float, float, float, float], ...]:
    """Boxes of a fingerprint (units of the frame: left, bottom, right, top) as fractions from the top left."""
    found = []
    for thing in things:
        left, bottom, right, top = thing["box"]
        across, down = (lambda x: 0.5 + x / FRAME_WIDTH), (lambda y: 0.5 - y / FRAME_HEIGHT)
        found.append((across(left), down(top), across(right), down(bottom)))
    return tuple(found)


# ---------------------------------------------------------------------- citations
def _cited(_: SceneEntry) -> Pair:
    now = citations.load(3)
    assert now is not None
    noted = replace(now, runs=now.runs[:-1])
    finding = citations_changed(3, now, noted)
    return Pair(_two_lists(now.runs, noted.runs), _two_lists(now.runs, now.runs), finding)


def _two_lists(
    drawn: Sequence[str], noted: Sequence[str], heads: tuple[str, str] = ("the scenes draw", "the end card names")
) -> Mobject:
    lists = [
        column(
            label(head, "body", "muted"), *(mono(name, "small", "text" if name in noted else "cost") for name in names)
        )
        for head, names in zip(heads, (drawn, noted), strict=True)
    ]
    return row(*lists, gap=1.5, edge=UP)


# ---------------------------------------------------------------------- languages and shapes
def _out_of_step(_entry: SceneEntry) -> Pair:
    english, german = (Course.default(lang).lecture(3) for lang in ("en", "de"))
    lacking = replace(german, sections=(*german.sections[:2], *german.sections[3:]))
    (finding,) = out_of_step(lacking, english)
    names = [section.name for section in english.sections]
    heads = ("the English script", "the other one")
    return Pair(_two_lists(names, [*names[:2], *names[3:]], heads), _two_lists(names, names, heads), finding)


def _untranslated(_entry: SceneEntry) -> Pair:
    english, german = (Course.default(lang).lecture(3) for lang in ("en", "de"))
    first, *rest = german.sections
    kept = replace(first, steps=(english.sections[0].steps[0], *first.steps[1:]))
    (finding,) = out_of_step(replace(german, sections=(kept, *rest)), english)
    return Pair(Label(_opening(english), role="cost", width=8.0), Label(_opening(german), width=8.0), finding)


def _opening(lecture: script.Lecture) -> str:
    return lecture.sections[0].steps[0].narration.partition(". ")[0] + "."


def _words_missing(_entry: SceneEntry) -> Pair:
    english, german = (Course.default(lang).lecture(3).sections[0].heading for lang in ("en", "de"))
    mend = "add it to the language's catalogue of words"
    finding = Finding("words-missing", "3", 1, f"label {english!r}", "not in the catalogue", mend)
    return Pair(label(english, "title", "cost"), label(german, "title"), finding)


def _not_laid_out(_entry: SceneEntry) -> Pair:
    mend = "lay it out for this shape, or leave it out of such a film"
    finding = Finding("not-laid-out", "3", 0, "an upright frame", "things beyond its sides", mend)
    pictures = []
    for inside in (False, True):
        frame = Rectangle(width=2.7, height=4.8, color=role("muted"), stroke_width=2)
        things = [Rectangle(width=1.4, height=0.8, color=role(name), stroke_width=3) for name in ("key", "latent")]
        pictures.append(VGroup(frame, VGroup(*things).arrange(DOWN if inside else RIGHT, buff=0.5)))
    return Pair(pictures[0], pictures[1], finding)


CODES: dict[str, Callable[[SceneEntry], Pair]] = {
    "said-without-origin": _said,
    "lecture-length": _lecture,
    "course-length": _course,
    "golden-missing": _missing,
    "picture-changed": _changed,
    "citations-changed": _cited,
    "script-out-of-step": _out_of_step,
    "untranslated": _untranslated,
    "words-missing": _words_missing,
    "not-laid-out": _not_laid_out,
}
