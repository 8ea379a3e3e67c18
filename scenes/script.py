"""Lecture scripts: Markdown in which a heading is a scene, a paragraph a step, and every number a reference.

    ---
    number: 3
    title: Remembering everything in a tenth of the space
    question: Why does a long chat need so much memory?
    ---
    ## The cache grows {#CacheGrows}
    <!-- a note to oneself -->
    For each token the model keeps {{ v3.kv_bytes_per_token | spoken }}. [[latent]] A latent is smaller.

``{{ reference | format }}`` is filled by `explainers.references.resolve` and `Quantity.text` (no format: the unit's
default); ``[[mark]]`` is a cue at the next word and is not said. ``{% if run.routing.released %} … {% else %} … {% end
%}`` says one thing where a run has that number and another where it has not. Digits stand nowhere else, except in the
names listed in ``lecture_scripts/names.txt``. Parsing computes nothing: narration is filled when first asked for.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from explainers import paths
from explainers.errors import ExplainError, one_of
from explainers.languages import of_script
from scenes import own_course
from scenes.narration import Either, Mark, Part, Reference, Step

if TYPE_CHECKING:
    pass

_PART = re.compile(
    r"\{% if (?P<condition>\S+) %\}(?P<yes>.*?)\{% else %\}(?P<no>.*?)\{% end %\}"
    r"|\{\{(?P<reference>[^{}]*)\}\}|\[\[(?P<mark>[^\[\]]*)\]\]",
    re.DOTALL,
)
_HEADING = re.compile(r"##\s+(?P<text>.*?)\s*(?:\{#(?P<name>[A-Za-z]\w*)\})?\s*$")
_NAME = re.compile(r"[A-Za-z]\w*(?:\.[\w-]+)+$")
_REQUIRED = ("number", "title")


@dataclass(frozen=True)
class Section:
    """One heading: a scene. ``name`` is that of its Scene class; ``path`` and ``lecture`` say whose script it is."""

    name: str
    heading: str
    where: str
    steps: tuple[Step, ...]
    path: Path = field(default_factory=Path)
    lecture: int = 0

    @property
    def digest(self) -> str:
        """Changes with what is written in this section, and with nothing else."""
        parts = [self.name, self.heading, *(" ".join(step.source.split()) for step in self.steps)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Lecture:
    """A script. ``about`` holds whatever else the front matter says (``poster: SceneName``)."""

    number: int
    title: str
    question: str
    slug: str
    lang: str
    path: Path
    sections: tuple[Section, ...]
    about: Mapping[str, str] = field(default_factory=dict)

    def section(self, name: str) -> Section:
        for section in self.sections:
            if section.name == name:
                return section
        raise one_of(f"scene of {self.path.name}", name, [section.name for section in self.sections])


# ---------------------------------------------------------------------- finding scripts
def language() -> str:
    """The language that scenes speak: ``$EXPLAIN_LANG``, else what the course's own file says, else English."""
    own = own_course.current()
    return os.environ.get("EXPLAIN_LANG") or (own.language if own else "") or "en"


def lectures(lang: str | None = None, folder: Path | None = None) -> list[Lecture]:
    """All lectures of a language, in order. ``folder`` holds one sub-folder a language."""
    lang, folder = lang or language(), folder or paths.lecture_scripts()
    if not (folder / lang).is_dir():
        known = sorted(path.name for path in folder.glob("*") if path.is_dir())
        raise one_of("language", lang, known)
    found: dict[int, Lecture] = {}
    for path in sorted((folder / lang).glob("*.md")):
        lecture = load(path)
        if lecture.number in found:
            raise ExplainError(f"{path.name} and {found[lecture.number].path.name} are both lecture {lecture.number}")
        found[lecture.number] = lecture
    return [found[number] for number in sorted(found)]


def lecture(number: int, lang: str | None = None, folder: Path | None = None) -> Lecture:
    """One lecture by its number, without reading the others."""
    lang, folder = lang or language(), folder or paths.lecture_scripts()
    for path in sorted((folder / lang).glob(f"{number}_*.md")):
        return load(path)
    known = sorted(path.name.partition("_")[0] for path in (folder / lang).glob("[0-9]*_*.md"))
    raise one_of("lecture", number, known or ["none yet"])


def load(path: Path | str) -> Lecture:
    """Read one script file; read again only when it or the list of names has changed."""
    path = Path(path)
    if not path.is_file():
        raise ExplainError(f"no lecture script at {path}")
    names = names_file(path)
    stamp = names.stat().st_mtime_ns if names.is_file() else 0
    return _load(path, path.stat().st_mtime_ns, stamp)


def names_file(path: Path) -> Path:
    """The list of names that contain digits: beside the language folders, or beside the script itself."""
    beside = path.with_name("names.txt")
    return beside if beside.is_file() else path.parent.parent / "names.txt"


def names_of(path: Path) -> frozenset[str]:
    """The listed names for a script."""
    names = names_file(path)
    listed = names.read_text(encoding="utf-8").splitlines() if names.is_file() else []
    return frozenset(line.strip() for line in listed if line.strip())


@cache
def _load(path: Path, _script_stamp: int, _names_stamp: int) -> Lecture:
    return parse(path.read_text(encoding="utf-8"), path, names_of(path))


# ---------------------------------------------------------------------- parsing
def parse(text: str, path: Path, names: frozenset[str] = frozenset()) -> Lecture:
    """Parse a script. Every mistake is an `ExplainError` that begins with ``file:line``."""
    return _Parser(path, names).parse(text)


class _Parser:
    def __init__(self, path: Path, names: frozenset[str]) -> None:
        self.path = path
        longest_first = sorted((re.escape(name) for name in names if not name.startswith("#")), key=len, reverse=True)
        self.names = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)") if longest_first else None

    def error(self, line: int, message: str) -> ExplainError:
        return ExplainError(f"{self.path.name}:{line}: {message}")

    def parse(self, text: str) -> Lecture:
        text = re.sub(r"<!--.*?-->", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
        lines = text.splitlines()
        about, first = self._front_matter(lines)
        number = about.pop("number")
        if not number.isdigit():
            raise self.error(1, f"the lecture's number is {number!r}; write a whole number")
        sections: list[Section] = []
        for heading, line, paragraphs in self._blocks(lines, first):
            found = self._section(heading, line, paragraphs, sections)
            sections.append(replace(found, path=self.path, lecture=int(number)))
        if not sections:
            raise self.error(len(lines) or 1, "no scene; write a heading '## What it shows' and paragraphs under it")
        title, question = about.pop("title"), about.pop("question", "")
        self._no_digits(f"{title} {question} {about.get('answer', '')}", 1)
        return Lecture(
            int(number), title, question, self.path.stem, of_script(self.path), self.path, tuple(sections), about
        )

    def _front_matter(self, lines: list[str]) -> tuple[dict[str, str], int]:
        if not lines or lines[0].strip() != "---" or "---" not in [line.strip() for line in lines[1:]]:
            raise self.error(1, "begin with '---', lines 'number: 3' and 'title: …', and '---'")
        about: dict[str, str] = {}
        for index, line in enumerate(lines[1:], start=2):
            if line.strip() == "---":
                break
            if not line.strip():
                continue
            key, colon, value = line.partition(":")
            if not colon or not key.strip().isidentifier():
                raise self.error(index, f"cannot read {line.strip()!r}; write 'key: value'")
            about[key.strip()] = value.strip().strip('"')
        for key in _REQUIRED:
            if not about.get(key):
                raise self.error(1, f"the front matter lacks '{key}: …'")
        return about, index

    def _blocks(self, lines: list[str], first: int) -> list[tuple[str, int, list[tuple[int, str]]]]:
        """Headings with their paragraphs, each with the line it begins at."""
        blocks: list[tuple[str, int, list[tuple[int, str]]]] = []
        paragraph: list[str] = []
        for number, line in enumerate([*lines[first:], ""], start=first + 1):
            if line.startswith("##") and not line.startswith("###"):
                blocks.append((line, number, []))
            elif line.startswith("#"):
                raise self.error(number, f"cannot read {line.strip()!r}; a scene's heading begins with '## '")
            elif line.strip():
                if not blocks:
                    raise self.error(number, "text before the first '## ' heading belongs to no scene")
                paragraph.append(line)
                continue
            if paragraph:
                target = blocks[-2] if line.startswith("##") else blocks[-1]
                target[2].append((number - len(paragraph), "\n".join(paragraph)))
                paragraph = []
        return blocks

    def _section(self, line: str, number: int, paragraphs: list[tuple[int, str]], before: list[Section]) -> Section:
        match = _HEADING.match(line)
        if not match or not match["text"]:
            raise self.error(number, f"cannot read {line.strip()!r}; write '## What it shows' or '## … {{#Name}}'")
        self._no_digits(match["text"], number)
        name = match["name"] or camel_case(match["text"])
        if not name.isidentifier():
            raise self.error(number, f"{name!r} is no name for a Scene class; write '## {match['text']} {{#Name}}'")
        for other in before:
            if other.name == name:
                raise self.error(number, f"two scenes are called {name} (the other: {other.where}); rename one")
        if not paragraphs:
            raise self.error(number, f"the section {match['text']!r} has no paragraph; a scene has at least one step")
        steps = tuple(self._step(index, text, at) for index, (at, text) in enumerate(paragraphs, start=1))
        return Section(name, match["text"], f"{self.path.name}:{number}", steps)

    def _step(self, index: int, text: str, line: int) -> Step:
        return Step(index, text, f"{self.path.name}:{line}", tuple(self._parts(text, line)), of_script(self.path))

    def _parts(self, text: str, line: int) -> list[Part]:
        parts: list[Part] = []
        marks: set[str] = set()
        position = 0
        for match in _PART.finditer(text):
            at = line + text.count("\n", 0, match.start())
            parts.append(self._literal(text[position : match.start()], line + text.count("\n", 0, position)))
            position = match.end()
            if match["condition"] is not None:
                parts.append(self._either(match["condition"], match["yes"], match["no"], at))
                continue
            if match["reference"] is not None:
                parts.append(self._reference(match["reference"], at))
                continue
            name = match["mark"].strip()
            if not re.fullmatch(r"[A-Za-z][\w-]*", name):
                raise self.error(at, f"cannot read the mark [[{name}]]; a mark is one word, like [[latent]]")
            if name in marks:
                raise self.error(at, f"the mark [[{name}]] stands twice in this step; rename one")
            if not re.search(r"\w|\{\{", text[match.end() :]):
                raise self.error(at, f"no word follows the mark [[{name}]]; move it before the word it cues")
            marks.add(name)
            parts.append(Mark(name))
        parts.append(self._literal(text[position:], line + text.count("\n", 0, position)))
        return [part for part in parts if part != ""]

    def _either(self, name: str, yes: str, no: str, line: int) -> Either:
        if not re.fullmatch(r"run\.\w+\.\w+", name):
            raise self.error(line, f"cannot read the condition {name!r}; write a number of a run: run.routing.released")
        branches = []
        for text in (yes, no):
            parts = self._parts(text.strip(), line)
            if not all(isinstance(part, str | Reference) for part in parts):
                raise self.error(line, "a mark stands inside {% if … %}; put it before, so that both ways have it")
            branches.append(tuple(part for part in parts if isinstance(part, str | Reference)))
        return Either(name, *branches)

    def _literal(self, text: str, line: int) -> str:
        for sign in ("{{", "}}", "[[", "]]", "{%", "%}"):
            if sign in text:
                at = line + text.count("\n", 0, text.index(sign))
                how = "{{ reference | format }}, [[mark]] or {% if run.name.number %} … {% else %} … {% end %}"
                raise self.error(at, f"a lonely {sign!r}; write {how}")
        if found := re.search(r"^\s*(?:[-*>]|\d+\.)\s|[*`|]", text, re.MULTILINE):
            at = line + text.count("\n", 0, found.start())
            raise self.error(at, f"{found[0].strip()!r} is not said; write plain sentences, no lists, no emphasis")
        self._no_digits(text, line)
        return text

    def _no_digits(self, text: str, line: int) -> None:
        left = self.names.sub(lambda match: "_" * len(match[0]), text) if self.names else text
        if found := re.search(r"\S*\d\S*", left):
            at = line + left.count("\n", 0, found.start())
            word = text[found.start() : found.end()].strip(".,;:!?()\"'")
            raise self.error(
                at, f"the digits in {word!r} have no origin; write {{{{ a.reference }}}}, or list the name in names.txt"
            )

    def _reference(self, text: str, line: int) -> Reference:
        from explainers.formatting import format_quantity
        from explainers.quantities import constant

        name, _, fmt = (piece.strip() for piece in text.partition("|"))
        if not _NAME.match(name):
            raise self.error(line, f"cannot read the reference {name!r}; write e.g. v3.kv_bytes_per_token")
        try:
            format_quantity(constant(1), fmt)
        except ExplainError as error:
            raise self.error(line, str(error)) from error
        return Reference(name, fmt, f"{self.path.name}:{line}")


def camel_case(heading: str) -> str:
    """``"The cache grows"`` → ``"TheCacheGrows"``."""
    return "".join(word[0].upper() + word[1:] for word in re.findall(r"\w+", re.sub(r"['’]", "", heading)))
