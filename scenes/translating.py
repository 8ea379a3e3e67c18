"""Scripts in other languages: a template to start from, and what is missing in one or out of step with English."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from explainers import languages, locales
from explainers.errors import ExplainError
from explainers.formatting import UNIT_WORDS
from explainers.traces import write_aside
from scenes import script
from scenes.narration import Step
from scenes.registry import Course
from scenes.script import Lecture, Section
from scenes.syntax import scene_classes

ENGLISH = "en"
_TODO = "<!-- translate -->"


# ---------------------------------------------------------------------- out of step
@dataclass(frozen=True)
class Difference:
    """Where a script is not as its English original: scene, step (0: the whole scene), and what to do about it."""

    code: str
    scene: str
    step: int
    where: str
    what: str
    mend: str


def differences(own: Lecture, english: Lecture) -> Iterator[Difference]:
    """Everything in which a script and its original must agree, and what nobody translated yet."""
    for section in english.sections:
        mine = next((each for each in own.sections if each.name == section.name), None)
        if mine is None:
            what = f"lacks the scene {section.name} ({section.where})"
            yield Difference(
                "script-out-of-step", section.name, 0, own.path.name, what,
                f"`explain script new {own.lang} {own.number}` adds what lacks",
            )  # fmt: skip
        else:
            yield from _in_section(mine, section)
    order = [section.name for section in english.sections]
    for section in own.sections:
        if section.name not in order:
            yield Difference(
                "script-out-of-step", section.name, 0, section.where, "is no scene of the English script",
                "take it out, or write it in English too",
            )  # fmt: skip
    kept = [section.name for section in own.sections if section.name in order]
    if kept != [name for name in order if name in kept]:
        yield Difference(
            "script-out-of-step", "", 0, own.path.name, f"has its scenes in another order: {', '.join(kept)}",
            f"put them as in English: {', '.join(order)}",
        )  # fmt: skip


def _in_section(mine: Section, section: Section) -> Iterator[Difference]:
    if len(mine.steps) != len(section.steps):
        what = f"has {len(mine.steps)} steps, {section.where} has {len(section.steps)}"
        mend = "a paragraph is a step; write as many"
        yield Difference("script-out-of-step", mine.name, 0, mine.where, what, mend)
        return
    for own, step in zip(mine.steps, section.steps):
        yield from _in_step(mine.name, own, step)


def _in_step(scene: str, own: Step, step: Step) -> Iterator[Difference]:
    def differs(what: str, mend: str, code: str = "script-out-of-step") -> Difference:
        return Difference(code, scene, own.index, own.where, what, mend)

    mine, english = (sorted([*(r.name for r in each.references), *each.conditions]) for each in (own, step))
    if mine != english:
        what = _odd("says", "the numbers", mine, english)
        yield differs(what, f"write the references of {step.where}, each once")
    if own.mark_names != step.mark_names:
        what = _odd("has", "the marks", own.mark_names, step.mark_names) or "has its marks in another order"
        yield differs(what, f"the picture waits for {', '.join(step.mark_names)}, in this order")
    if " ".join(own.source.split()) == " ".join(step.source.split()):
        yield differs("is still in English", "translate the paragraph", "untranslated")


def _odd(verb: str, kind: str, mine: Sequence[str], english: Sequence[str]) -> str:
    lacks = [name for name in english if name not in mine]
    more = [name for name in mine if name not in english]
    parts = [f"lacks {', '.join(lacks)}"] if lacks else []
    parts += [f"{verb} {', '.join(more)} besides"] if more else []
    if not parts and sorted(mine) != sorted(english):
        parts = [f"{verb} one of {kind} more often, or less often"]
    return " and ".join(parts)


# ---------------------------------------------------------------------- a template
@dataclass(frozen=True)
class Started:
    """What `start` wrote: the script (or the scenes that were added to it), and texts for the catalogues."""

    script: Path
    new: bool
    added: tuple[str, ...]
    words: dict[Path, int]


def start(lang: str, number: int, course: Course) -> Started:
    """Write the script of a lecture in another language, its steps and references in place, and its catalogues.

    What is there already stays; scenes that lack are added at the end.
    """
    if lang == ENGLISH:
        raise ExplainError("English is what is translated; name another language, like de or zh")
    locales.locale(lang)
    english = course.home.lecture(number)
    path = course.scripts / lang / english.path.name
    if path.is_file():
        there = {section.name for section in script.load(path).sections}
        lacking = [section for section in english.sections if section.name not in there]
        text = path.read_text(encoding="utf-8").rstrip() + "\n" + "".join(map(_section, lacking))
        added = tuple(section.name for section in lacking)
        if lacking:
            write_aside(path, text.encode())
        return Started(path, False, added, _catalogues(lang, english, course))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, template(english).encode())
    return Started(path, True, (), _catalogues(lang, english, course))


def template(english: Lecture) -> str:
    """The script with the same steps, references and marks; each paragraph in English, marked to be translated."""
    head = {"number": str(english.number), "title": english.title, "question": english.question, **english.about}
    lines = ["---", *(f"{name}: {value}" for name, value in head.items() if value), "---", ""]
    return "\n".join(lines) + "".join(map(_section, english.sections))


def _section(section: Section) -> str:
    steps = "".join(f"\n{_TODO}\n{step.source}\n" for step in section.steps)
    return f"\n## {section.heading} {{#{section.name}}}\n{steps}"


def _catalogues(lang: str, english: Lecture, course: Course) -> dict[Path, int]:
    """Add what the lecture's pictures say: its own words beside the script, the kit's to the common catalogue."""
    shown = texts(english, course)
    files = {scene.file for scene in scene_classes(course.scenes) if scene.lecture == english.number}
    written = {text for file in sorted(files) for text in _quoted(file)}
    own = {text: where for text, where in shown.items() if text in written and text not in UNIT_WORDS}
    kit = {text: where for text, where in shown.items() if text not in own}
    kit |= {word: ["a unit, as it is said and shown"] for word in UNIT_WORDS}
    home = course.scripts / lang
    mine, common = home / f"{english.path.stem}.po", home / languages.COMMON
    return {mine: languages.write(mine, own, lang, whole=True), common: languages.write(common, kit, lang)}


def _quoted(file: Path) -> set[str]:
    """Every string of a module, as texts are looked up."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {languages.key(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def texts(english: Lecture, course: Course) -> dict[str, list[str]]:
    """English text → the scenes that show it, of a lecture's pictures; found by walking them."""
    from scenes.production.looking import walk
    from scenes.production.settings import Options

    found: dict[str, list[str]] = {}
    with languages.collecting():
        for entry in course.home.entries(english):
            report = walk(entry, Options(quality="480p").picture)
            for text in translatable((read["name"] for read in report.reads if read["kind"] == "word"), english):
                found.setdefault(text, []).append(entry.key)
    return found


def translatable(shown: Iterable[str], lecture: Lecture) -> list[str]:
    """Of the texts of a picture those that a catalogue translates: not what the script says, not mere names."""
    said, names = set(_from_script(lecture)), script.names_of(lecture.path)
    return [text for text in shown if text not in said and not _is_name(text, names)]


def _is_name(text: str, names: frozenset[str]) -> bool:
    """Whether a text is nothing but listed names (V3, H800), which no language translates."""
    left = text
    for name in sorted(names, key=len, reverse=True):
        left = left.replace(name, "")
    return not any(letter.isalpha() for letter in left)


def _from_script(lecture: Lecture) -> Iterator[str]:
    """Texts that a picture takes from the script, which are in its language already."""
    for text in (lecture.title, lecture.question, lecture.about.get("answer", "")):
        yield text
        yield from text.split(" — ")
    yield from (section.heading for section in lecture.sections)
