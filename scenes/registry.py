"""The course as it is written: scripts and Scene classes, found without importing Manim.

Scene classes are read from the syntax of ``scenes/lectures`` (`scenes.syntax`): every class whose body says
``lecture = N``. The order of scenes is the order of headings in the script.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from explainers import extensions, paths
from explainers.errors import ExplainError, one_of
from scenes import clock, own_course, script
from scenes.composing import compose
from scenes.own_course import OwnCourse
from scenes.syntax import SceneClass, scene_classes

#: As many lectures has the course when it is whole.
LECTURES = 8
#: The classes whose scenes are cards.
CARDS = frozenset({"ChapterCard", "EndCard", "Card"})


@dataclass(frozen=True)
class SceneEntry:
    """A scene that has both a section and a class."""

    lecture: script.Lecture
    section: script.Section
    code: SceneClass

    @property
    def name(self) -> str:
        return self.section.name

    @property
    def key(self) -> str:
        """Where it was written: the number of its script, and its name."""
        return f"{self.code.lecture}/{self.name}"

    @property
    def script(self) -> Path:
        """The script that its section stands in."""
        return self.section.path


@dataclass(frozen=True)
class Course:
    """Where things are: ``scripts`` holds one folder a language, ``scenes`` the modules of Scene classes.

    ``own`` is a lecturer's choice of them: which lectures and scenes, in which order, under which titles.
    """

    scripts: Path
    scenes: Path
    lang: str = "en"
    own: OwnCourse | None = None

    @classmethod
    def default(cls, lang: str | None = None) -> Course:
        """The project's own course; ``$EXPLAIN_COURSE`` names another.

        It is ``scripts:scenes``, the name of an installed one, or a file (`scenes.own_course`) that chooses from one.
        """
        lang = lang or script.language()
        own = own_course.current()
        if own and lang == own.language and not own.course and not (paths.lecture_scripts() / lang).is_dir():
            known = ", ".join(sorted(path.name for path in paths.lecture_scripts().iterdir() if path.is_dir()))
            raise own.error(
                "language", f"there are no scripts in {lang!r}; choose {known}, or `explain script new {lang}`"
            )
        other = own.course if own else os.environ.get(own_course.ENVIRONMENT, "")
        if os.pathsep in other:
            scripts, _, scenes = other.partition(os.pathsep)
            return cls(Path(scripts), Path(scenes), lang)
        if other:
            found = extensions.load("explain.courses", other)
            return cls(found.scripts, found.scenes, lang, own)
        return cls(paths.lecture_scripts(), Path(__file__).parent / "lectures", lang, own)

    @property
    def home(self) -> Course:
        """The course as its authors wrote it, without anybody's choice."""
        return replace(self, own=None) if self.own else self

    @cached_property
    def lectures(self) -> tuple[script.Lecture, ...]:
        found = tuple(script.lectures(self.lang, self.scripts))
        return compose(self.own, found, self._is_card) if self.own else found

    def _is_card(self, section: script.Section) -> bool:
        code = self.classes.get((section.lecture, section.name))
        return code is not None and bool(code.inherits & CARDS)

    def place(self, number: int) -> tuple[int, int]:
        """Which lecture of how many this one is; a course that is being written counts as whole."""
        numbers = [lecture.number for lecture in self.lectures] if self.own else []
        return (numbers.index(number) + 1, len(numbers)) if number in numbers else (number, max(LECTURES, number))

    def after(self, number: int) -> int:
        """The number of the lecture after this one, whether there is one or not."""
        numbers = [lecture.number for lecture in self.lectures] if self.own else []
        if number not in numbers or numbers[-1] == number:
            return max([*numbers, number]) + 1
        return numbers[numbers.index(number) + 1]

    def is_as_written(self, number: int) -> bool:
        """Whether a lecture of somebody's own course has all scenes of one script, cards perhaps left out."""
        if self.own is None:
            return False
        sections = self.lecture(number).sections
        whole = [s for s in self.home.lecture(sections[0].lecture).sections if self.own.cards or not self._is_card(s)]
        return [(s.lecture, s.name) for s in sections] == [(s.lecture, s.name) for s in whole]

    def shown_as(self, section: script.Section) -> script.Lecture | None:
        """The lecture of this course that has the section; None where it was not chosen."""
        wanted = (section.lecture, section.name)
        return next((one for one in self.lectures if wanted in {(s.lecture, s.name) for s in one.sections}), None)

    @cached_property
    def classes(self) -> dict[tuple[int, str], SceneClass]:
        found: dict[tuple[int, str], SceneClass] = {}
        for scene in scene_classes(self.scenes):
            if other := found.get((scene.lecture, scene.name)):
                raise ExplainError(f"{scene.where}: {scene.name} is also in {other.where}; rename one")
            found[scene.lecture, scene.name] = scene
        return found

    def lecture(self, number: int) -> script.Lecture:
        for lecture in self.lectures:
            if lecture.number == number:
                return lecture
        raise one_of("lecture", number, [str(lecture.number) for lecture in self.lectures])

    def entries(self, lecture: script.Lecture) -> list[SceneEntry]:
        """The scenes of a lecture, in the script's order; a heading without a class is an error."""
        return [self.entry(lecture, section.name) for section in lecture.sections]

    def entry(self, lecture: script.Lecture, name: str) -> SceneEntry:
        """One scene, whatever the state of the others of its lecture."""
        section = lecture.section(name)
        code = self.classes.get((section.lecture, name))
        if code is None:
            raise ExplainError(
                f"{section.where}: no class {name} with `lecture = {section.lecture}` in {self.scenes.name}/; "
                "write it, or name another with {#ClassName}"
            )
        return SceneEntry(lecture, section, code)

    def mismatches(self, numbers: Sequence[int] | None = None) -> list[str]:
        """Where scripts and classes do not match one to one, a line each; empty when all is well."""
        return list(self._mismatches(numbers))

    def _mismatches(self, numbers: Sequence[int] | None) -> Iterator[str]:
        sections = {(lecture.number, s.name): s for lecture in self.lectures for s in lecture.sections}
        for number, name in sorted({*sections, *self.classes}):
            if numbers is not None and number not in numbers:
                continue
            section, code = sections.get((number, name)), self.classes.get((number, name))
            if section is None and code is not None:
                yield f"{code.where}: class {name} has no heading in the script of lecture {number}"
            elif code is None and section is not None:
                yield f"{section.where}: heading {section.heading!r} has no class {name} in {self.scenes.name}/"
            elif code is not None and section is not None:
                yield from _differences(section, code)


def _differences(section: script.Section, code: SceneClass) -> Iterator[str]:
    if code.steps is not None and code.steps != len(section.steps):
        yield f"{code.where}: {code.name} has {code.steps} steps, {section.where} has {len(section.steps)} paragraphs"
    marks = {mark for step in section.steps for mark in step.mark_names}
    for mark in sorted(marks - set(code.marks) - code.perhaps):
        yield f"{section.where}: nobody waits for the mark [[{mark}]] in {code.name} ({code.where})"
    for mark in sorted(set(code.marks) - marks):
        yield f"{code.where}: {code.name} waits for a mark [[{mark}]] that is not in {section.where}"


# ---------------------------------------------------------------------- what `explain list` prints
def listing(course: Course | None = None) -> list[dict[str, Any]]:
    """``[{lecture, title, seconds, scenes: [{scene, seconds, steps}]}]``.

    Seconds are planned: spoken words at 150 a minute and the holds. A scene whose animations outrun its words lasts
    longer; its manifest says how long.
    """
    course = course or Course.default()
    lectures: list[dict[str, Any]] = []
    for lecture in course.lectures:
        scenes: list[dict[str, Any]] = [
            {"scene": s.name, "seconds": round(clock.planned_seconds(s), 3), "steps": len(s.steps)}
            for s in lecture.sections
        ]
        lectures.append(
            {
                "lecture": lecture.number,
                "title": lecture.title,
                "seconds": round(sum(scene["seconds"] for scene in scenes), 3),
                "scenes": scenes,
            }
        )
    return lectures


@dataclass(frozen=True)
class Selection:
    """What to make one film of: a whole lecture, or one scene."""

    lecture: script.Lecture
    entries: tuple[SceneEntry, ...]
    whole: bool

    @property
    def name(self) -> str:
        """The name of the film's folder and files."""
        language = "" if self.lecture.lang == "en" else f".{self.lecture.lang}"
        return (self.lecture.slug if self.whole else self.entries[0].key.replace("/", "_")) + language


def select(targets: Sequence[str], course: Course) -> list[Selection]:
    """``"3"``, ``"all"``, ``"CacheGrows"`` or ``"3/CacheGrows"`` → films, in the order asked for, each once."""
    chosen: dict[str, Selection] = {}
    for target in targets or ["all"]:
        for selection in _select(str(target), course):
            chosen.setdefault(selection.name, selection)
    return list(chosen.values())


def _select(target: str, course: Course) -> list[Selection]:
    if target == "all" or target.isdigit():
        lectures = course.lectures if target == "all" else (course.lecture(int(target)),)
        return [Selection(lecture, tuple(course.entries(lecture)), True) for lecture in lectures]
    number, slash, name = target.rpartition("/")
    if slash and not number.isdigit():
        raise ExplainError(f"cannot read the target {target!r}; write 3, CacheGrows or 3/CacheGrows")
    possible = [one for one in course.lectures if not slash or int(number) in _numbers(one)]
    if not possible:
        course.lecture(int(number))  # the error that lists them
    names = [section.name for lecture in possible for section in lecture.sections]
    found = [
        lecture
        for lecture in possible
        if any(s.name == name and (not slash or int(number) in (lecture.number, s.lecture)) for s in lecture.sections)
    ]
    if not found:
        raise one_of("lecture or scene", name, ["all", *(str(lecture.number) for lecture in possible), *names])
    if len(found) > 1:
        numbers = ", ".join(str(lecture.number) for lecture in found)
        raise ExplainError(f"{name} is a scene of lectures {numbers}; write {found[0].number}/{name}")
    return [Selection(found[0], (course.entry(found[0], name),), False)]


def _numbers(lecture: script.Lecture) -> set[int]:
    """The numbers under which a lecture's scenes may be asked for: its own, and those of the scripts they stand in."""
    return {lecture.number, *(section.lecture for section in lecture.sections)}
