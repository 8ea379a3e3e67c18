"""The check of a course: every scene in its own turn, several at once, and one report."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explainers import locales, runs
from explainers.errors import ExplainError, one_of
from scenes import citations, frame, look, translating
from scenes.audit import determinism
from scenes.audit.determinism import stamp
from scenes.audit.findings import Finding
from scenes.audit.walking import SceneAudit, audit
from scenes.citations import Citations
from scenes.registry import Course, SceneEntry
from scenes.script import Lecture, Section

#: What goes wrong where a picture is wider or higher than its frame.
_LAYOUT = frozenset(
    {"outside-safe-area", "in-caption-zone", "text-over-text", "text-across-edge", "text-too-small", "scene-fails"}
)


@dataclass(frozen=True)
class Wishes:
    """What to check: scenes or lectures (none: all), how thoroughly, and whether goldens are written.

    With a ``voice`` steps last as it says them: words against motions are judged, lengths are not.
    """

    targets: tuple[str, ...] = ()
    jobs: int | None = None
    determinism: bool = False
    goldens: bool = True
    update: bool = False
    voice: str | None = None
    voice_model: Path | None = None


@dataclass
class Report:
    """What ``explain check`` prints."""

    audits: list[SceneAudit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    stamp: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "scenes": len(self.audits),
            "steps": sum(each.steps for each in self.audits),
            "numbers": sum(each.numbers for each in self.audits),
            "findings": [finding.to_json() for finding in self.findings],
            "waivers": [waiver for each in self.audits for waiver in each.waivers],
            "notes": self.notes,
            "updated": self.updated,
        }


def check(wishes: Wishes, course: Course | None = None, tell: Callable[[str], None] = lambda line: None) -> Report:
    """Check lectures and scenes; ``tell`` hears each scene's name when it is done."""
    course = course or Course.default()
    if wishes.update and not course.own and runs.context().overrides():
        raise ExplainError("--update writes pictures of the runs as recorded; leave --text, --seed and --source out")
    _, keys = chosen(wishes.targets, course)
    report = Report(stamp=stamp(course))
    entries = _entries(course, keys)
    written = sorted({int(key.partition("/")[0]) for key in keys})
    report.findings += _mismatches(course.home, written, bool(wishes.targets or course.own), keys)
    report.findings += _from_source(course, keys)
    report.findings += _translated(report, course, keys)
    voiced = _voiced(entries, wishes)
    report.audits = _walk(entries, voiced, wishes.jobs, tell)
    _shapes(report, entries)
    report.findings += [finding for each in report.audits for finding in each.findings]
    _goldens(report, course, wishes)
    if not voiced:
        _again(report, entries, course, wishes)
        _lengths(report, course, keys)
    _citations(report, course, wishes)
    for each in report.audits:
        if each.unfounded:
            told = ", ".join(f"{text!r} ({formula})" for text, formula in each.unfounded.items())
            report.notes.append(f"{each.scene} shows numbers that rest on a formula alone: {told}")
    order = {key: index for index, key in enumerate(keys)}
    report.findings.sort(key=lambda f: (order.get(f.scene, -1), f.step, f.code, f.object))
    return report


# ---------------------------------------------------------------------- what to check
def chosen(targets: Sequence[str], course: Course) -> tuple[list[int], list[str]]:
    """Targets (``3``, ``all``, ``TheCacheGrows``, ``3/TheCacheGrows``) → lectures, and keys of their sections."""
    sections = [(lecture.number, section) for lecture in course.lectures for section in lecture.sections]
    names = {(number, key_of(section)): {"all", str(number), section.name} for number, section in sections}
    found: dict[tuple[int, str], None] = {}
    for target in targets or ["all"]:
        matching = [
            place
            for place, known in names.items()
            if target in known or target in (place[1], f"{place[0]}/{place[1].partition('/')[2]}")
        ]
        if not matching:
            numbers = dict.fromkeys(str(number) for number, _ in names)
            raise one_of("lecture or scene", target, ["all", *numbers, *(section.name for _, section in sections)])
        found.update(dict.fromkeys(matching))
    places = [place for place in names if place in found]
    return sorted({number for number, _ in places}), list(dict.fromkeys(key for _, key in places))


def key_of(section: Section) -> str:
    """``3/TheCacheGrows``: the number of its script, and its name."""
    return f"{section.lecture}/{section.name}"


def _entries(course: Course, keys: Sequence[str]) -> list[SceneEntry]:
    """Those that have a class; the others are mismatches."""
    here: dict[str, SceneEntry] = {}
    for lecture in course.lectures:
        for section in lecture.sections:
            if (section.lecture, section.name) in course.classes and key_of(section) in keys:
                here.setdefault(key_of(section), course.entry(lecture, section.name))
    return [here[key] for key in keys if key in here]


def _mismatches(course: Course, numbers: list[int], some: bool, keys: Sequence[str]) -> list[Finding]:
    """Script ↔ classes; for single scenes only the lines that name them."""
    wanted = {key.partition("/")[2] for key in keys}
    found: list[Finding] = []
    for line in course.mismatches(numbers if some else None):
        if "nobody waits for the mark" in line or " steps, " in line:
            continue  # the walk knows better: waits may stand in a loop, steps in a base class
        scene = next((key for key in keys if key.partition("/")[2] in line), "")
        whole = {f"{n}/{s.name}" for n in numbers for s in course.lecture(n).sections} <= set(keys)
        if whole or any(name in line for name in wanted):
            where, _, what = line.partition(": ")
            mend = "headings and classes, paragraphs and steps, marks and waits match one to one"
            found.append(Finding("script-mismatch", scene or "script", 0, where, what, mend))
    return found


def out_of_step(lecture: Lecture, english: Lecture) -> Iterator[Finding]:
    """What is said of a script that differs from its English original."""
    for each in translating.differences(lecture, english):
        scene = f"{lecture.number}/{each.scene}" if each.scene else str(lecture.number)
        yield Finding(each.code, scene, each.step, each.where, each.what, each.mend)


def _translated(report: Report, course: Course, keys: Sequence[str]) -> list[Finding]:
    """A script in another language against its English original; what lacks altogether is noted."""
    english = Course(course.scripts, course.scenes)
    if course.lang == translating.ENGLISH or not (course.scripts / translating.ENGLISH).is_dir():
        return []
    found: list[Finding] = []
    originals = {lecture.number: lecture for lecture in english.lectures}
    for lecture in course.home.lectures:
        if lecture.number in originals and any(key.startswith(f"{lecture.number}/") for key in keys):
            differing = out_of_step(lecture, originals[lecture.number])
            found += [each for each in differing if each.step == 0 or each.scene in keys]
    here = {lecture.number for lecture in course.home.lectures}
    if lacking := [str(number) for number in originals if number not in here]:
        report.notes.append(f"not in {locales.name(course.lang)} yet: lectures {', '.join(lacking)}")
    return found


def _shapes(report: Report, entries: Sequence[SceneEntry]) -> None:
    """In another shape than 16:9: a scene that does not say that it fits has one finding with what was measured."""
    aspect = frame.aspect()
    claims = {entry.key: entry.code.aspects for entry in entries}
    for each in report.audits:
        if aspect in claims[each.scene]:
            continue
        odd = Counter(finding.code for finding in each.findings if finding.code in _LAYOUT)
        if not odd:
            report.notes.append(f"{each.scene} fits {aspect}, and does not say so: add it to its `aspects`")
            continue
        each.findings = [finding for finding in each.findings if finding.code not in _LAYOUT]
        measure = ", ".join(f"{count} × {code}" for code, count in odd.most_common())
        mend = "lay it out for this shape (self.upright) and say so in `aspects`, or leave it out of the course"
        each.findings.append(Finding("not-laid-out", each.scene, 0, aspect, measure, mend))


def _from_source(course: Course, keys: Sequence[str]) -> list[Finding]:
    from scenes.audit import source
    from scenes.script import names_of

    found: list[Finding] = []
    classes = list(course.classes.values())
    files = {scene.file for scene in classes}
    for path in sorted(files):
        lecture = next(scene.lecture for scene in classes if scene.file == path)
        if not any(key.startswith(f"{lecture}/") for key in keys):
            continue
        script = next((each.path for each in course.home.lectures if each.number == lecture), None)
        here = source.check(path, classes, names_of(script) if script else frozenset())
        found += [finding for finding in here if finding.scene in keys or "/" not in finding.scene]
    return found


# ---------------------------------------------------------------------- walking
def _voiced(entries: Sequence[SceneEntry], wishes: Wishes) -> dict[str, tuple[tuple[float, ...], ...]]:
    """Scene → when the words of its steps begin, by the voice that is asked for; empty without one."""
    if wishes.voice in (None, "none"):
        return {}
    from scenes import voices
    from scenes.production.speaking import Speaker

    if wishes.update or wishes.determinism:
        raise ExplainError("--voice goes with neither --update nor --determinism: check those without a voice")
    speaker = Speaker(voices.find(str(wishes.voice), wishes.voice_model))
    return {entry.key: tuple(said.starts for said in speaker.says(entry)) for entry in entries}


def _walk(
    entries: Sequence[SceneEntry],
    voiced: Mapping[str, tuple[tuple[float, ...], ...]],
    jobs: int | None,
    tell: Callable[[str], None],
) -> list[SceneAudit]:
    workers = min(jobs or os.cpu_count() or 1, len(entries))
    if workers <= 1:
        audits = []
        for entry in entries:
            audits.append(audit(entry, None, voiced.get(entry.key, ())))
            tell(entry.key)
        return audits
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        waiting = [pool.submit(audit, entry, None, voiced.get(entry.key, ())) for entry in entries]
        audits = []
        for entry, future in zip(entries, waiting, strict=True):
            try:
                audits.append(future.result())
            except Exception as error:
                raise ExplainError(f"the audit of {entry.key} broke off: {type(error).__name__}: {error}") from error
            tell(entry.key)
        return audits


def _one_thread() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


# ---------------------------------------------------------------------- what stands beside the scenes
def _goldens(report: Report, course: Course, wishes: Wishes) -> None:
    from scenes.audit import goldens

    foreign = course.lang != translating.ENGLISH or look.ingredient() != "dark" or frame.aspect() != frame.WIDE
    chosen_here = bool(runs.context().overrides())
    place = None if course.own or foreign or chosen_here else goldens.folder(course)
    if place is None or not wishes.goldens:
        why = "this installation has no tests/goldens" if place is None else "--no-goldens"
        why = "they are in English, dark and 16:9" if foreign else why
        why = "they show the runs as recorded, not what was chosen here" if chosen_here else why
        why = f"they are of the course as it was written, not of {course.own.path.name}" if course.own else why
        report.notes.append(f"pictures were not compared with reviewed ones: {why}")
        return
    for each in report.audits:
        if any(finding.code == "scene-fails" for finding in each.findings):
            continue
        if wishes.update:
            report.updated += goldens.update(each, place)
        else:
            report.findings += goldens.check(each, place)


def _again(report: Report, entries: Sequence[SceneEntry], course: Course, wishes: Wishes) -> None:
    """Run again in another process: the first scene of each lecture, or all scenes warm and cold."""
    whole = {each.scene for each in report.audits if each.digest}
    able = [entry for entry in entries if entry.key in whole]
    first: dict[int, SceneEntry] = {}
    for entry in able:
        first.setdefault(entry.lecture.number, entry)
    sample = able if wishes.determinism else list(first.values())
    ways = [("in another process with another hash seed", False)]
    if wishes.determinism:
        ways.append(("with cold caches", True))
    for how, cold in ways:
        again = _digests_again(sample, course, cold, wishes.jobs or os.cpu_count() or 1)
        findings, notes = determinism.compare(report.audits, again, how, report.stamp)
        report.findings += findings
        report.notes += notes
    if sample and not wishes.determinism:
        names = ", ".join(entry.key for entry in sample)
        report.notes.append(f"determinism tried on {names}; all scenes with --determinism")


def _digests_again(sample: Sequence[SceneEntry], course: Course, cold: bool, jobs: int) -> dict[str, tuple[str, str]]:
    """The scenes dealt out to so many fresh processes."""
    hands = [sample[index::jobs] for index in range(min(jobs, len(sample)))]
    found: dict[str, tuple[str, str]] = {}
    with ThreadPoolExecutor(max(len(hands), 1)) as pool:
        for digests in pool.map(lambda hand: determinism.digests_again(hand, course, cold=cold), hands):
            found.update(digests)
    return found


def is_draft(lecture: Lecture) -> bool:
    """Whether the head of its script says ``draft: yes``."""
    return lecture.about.get("draft", "no") == "yes"


def _citations(report: Report, course: Course, wishes: Wishes) -> None:
    """What a lecture cites, where all of its scenes were walked: written, or compared with what was noted."""
    audits = {each.scene: each for each in report.audits}
    for lecture in course.lectures:
        keys = [key_of(section) for section in lecture.sections]
        mine = {key: audits[key] for key in keys if key in audits}
        whole = len(mine) == len(keys) and not (course.own and course.is_as_written(lecture.number))
        if not whole or any(each.cites and not each.digest for each in mine.values()):
            continue
        now = Citations()
        for each in mine.values():
            now |= each.cited if each.cites else Citations()
        noted = citations.load(lecture.number, course)
        if wishes.update and now != noted:
            report.updated.append(str(citations.save(lecture.number, now, course).name) + ": what the lecture cites")
        elif noted not in (None, now):
            assert noted is not None
            report.findings.append(citations_changed(lecture.number, now, noted))


def citations_changed(lecture: int, now: Citations, noted: Citations) -> Finding:
    """What is said of a lecture that does not cite what was noted."""
    odd = sorted({*now.facts, *now.runs} ^ {*noted.facts, *noted.runs})
    mend = f"write what it cites now with `explain check {lecture} --update`"
    what = f"{len(odd)} differ: {', '.join(odd[:3])}"
    return Finding("citations-changed", str(lecture), 0, "citations", what, mend)


def _lengths(report: Report, course: Course, keys: Sequence[str]) -> None:
    from scenes.audit.timing import check_lengths

    if course.lang != translating.ENGLISH:
        report.notes.append(f"lengths are not judged: they are planned in English, not in {course.lang}")
        return
    if course.own and course.own.lectures:
        report.notes.append(f"lengths are not judged: {course.own.path.name} chooses what is shown")
        return
    seconds: dict[int, float] = {}
    for lecture in course.lectures:
        sections = {key_of(section) for section in lecture.sections}
        chosen_here = bool(sections & set(keys))
        if is_draft(lecture) and chosen_here:
            report.notes.append(
                f"lecture {lecture.number} is a draft; its length is not judged (`draft` in its script)"
            )
        if is_draft(lecture):
            continue
        mine = [each for each in report.audits if each.scene in sections and each.digest]
        if {each.scene for each in mine} == sections:
            seconds[lecture.number] = sum(each.seconds for each in mine)
    findings, notes = check_lengths(seconds, [each.number for each in course.lectures if not is_draft(each)])
    report.findings += findings
    report.notes += notes
