"""A lecturer's own version of the course: ``course.toml``, read and checked.

`KEYS` is the one list of what may stand in the file; `read` checks against it and `scenes.starting` writes a commented
file from it. Which lectures and scenes exist is known to `scenes.registry`, which voices to
`scenes.production.settings`; they check their part when they use it, and say the file and the key too.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from explainers import extensions
from explainers.errors import ExplainError
from scenes.themes import ROLES, THEMES

ENVIRONMENT = "EXPLAIN_COURSE"
FILE = "course.toml"


@dataclass(frozen=True)
class Key:
    """A key of the file: what its value may be, an example, and what it does."""

    kind: type
    example: str
    about: str
    allowed: tuple[str, ...] = ()


#: Table → key → what it may be. The table "" is the head of the file.
KEYS: Mapping[str, Mapping[str, Key]] = {
    "": {
        "title": Key(str, '"Attention, and what it costs"', "the name of your course, on the page of `explain site`"),
        "language": Key(str, '"en"', "the folder of lecture_scripts that is spoken: en, de, or your own"),
        "cards": Key(bool, "true", "chapter cards and end cards; false leaves them out"),
        "course": Key(str, '"sample"', "choose from the course of an installed package, not from this one"),
    },
    "theme": {
        "base": Key(str, '"light"', "dark, light, high-contrast, or the theme of an installed package"),
        "logo": Key(str, '"logo.svg"', "an SVG or PNG beside this file; it stands on chapter and end cards"),
    },
    "theme.colours": {},
    "theme.fonts": {
        "sans": Key(str, '"Fira Sans"', "a family that is installed, or a .ttf or .otf beside this file"),
        "mono": Key(str, '"Fira Mono"', "the same for code and tokens"),
    },
    "picture": {
        "quality": Key(str, '"1080p"', "480p, 720p, 1080p or 4k", ("480p", "720p", "1080p", "4k")),
        "aspect": Key(str, '"16:9"', "16:9, 9:16 (upright) or 1:1", ("16:9", "9:16", "1:1")),
        "unfit": Key(
            str,
            '"band"',
            "scenes not laid out for it: refuse, or band (16:9, in the middle)",
            ("refuse", "band"),
        ),
        "fps": Key(int, "30", "frames a second, 1 to 240"),
    },
    "voice": {
        "name": Key(str, '"espeak"', "who speaks: none, espeak, recorded, piper, or one that is installed"),
        "model": Key(str, '"voice.onnx"', "the file that piper reads, beside this file or by its path"),
    },
    "model": {
        "text": Key(str, '"Your own sentence for the model to read."', "the sentence that the model reads"),
        "source": Key(str, '"small"', "the weights: small, a folder of ours, or checkpoint:PATH"),
        "seed": Key(int, "1", "another seed for every run"),
    },
    "lectures": {
        "lecture": Key(int, "3", "a lecture of the course, by its number"),
        "number": Key(int, "1", "its number in your course; without it, the one above"),
        "title": Key(str, '"Remembering"', "your title, on its card and in the film"),
        "question": Key(str, '"How small can memory be?"', "your question, on its chapter card"),
        "answer": Key(str, '"A short note of each token."', "your answer, on its end card"),
        "poster": Key(str, '"DownKeepUp"', "the scene whose last picture stands for the film"),
        "scenes": Key(list, '["TheCacheGrows", "2/OneSentence"]', "only these, in this order; from any lecture"),
    },
}
_NAMES = {str: "a text in quotes", bool: "true or false", int: "a whole number", list: "a list of texts"}


@dataclass(frozen=True)
class OwnLecture:
    """One ``[[lectures]]`` of the file: ``lecture`` 0 where its scenes say whence they come; ``scenes`` () for all."""

    number: int
    lecture: int = 0
    scenes: tuple[str, ...] = ()
    title: str = ""
    question: str = ""
    answer: str = ""
    poster: str = ""

    @property
    def front(self) -> dict[str, str]:
        """What it says otherwise than the script."""
        words = {"title": self.title, "question": self.question, "answer": self.answer, "poster": self.poster}
        return {name: text for name, text in words.items() if text}


@dataclass(frozen=True)
class OwnCourse:
    """The whole file; empty where it says nothing."""

    path: Path
    title: str = ""
    language: str = ""
    cards: bool = True
    course: str = ""
    lectures: tuple[OwnLecture, ...] = ()
    theme: str = ""
    logo: Path | None = None
    colours: Mapping[str, str] = field(default_factory=dict)
    fonts: Mapping[str, str] = field(default_factory=dict)
    quality: str = ""
    aspect: str = ""
    unfit: str = ""
    fps: int | None = None
    voice: str = ""
    voice_model: Path | None = None
    model: Mapping[str, Any] = field(default_factory=dict)

    def error(self, key: str, problem: object) -> ExplainError:
        """An error that says file and key first."""
        return ExplainError(f"{self.path.name}: {key}: {problem}")


def current(environment: Mapping[str, str] = os.environ) -> OwnCourse | None:
    """The file that ``$EXPLAIN_COURSE`` names, or None."""
    chosen = environment.get(ENVIRONMENT, "")
    return read(Path(chosen)) if chosen.endswith(".toml") else None


def find(given: Path | None, here: Path) -> Path | None:
    """The file to use: the one that was given (a file, or a folder that holds one), else the one in ``here``."""
    if given is None:
        return here / FILE if (here / FILE).is_file() else None
    file = given / FILE if given.is_dir() else given
    if file.suffix != ".toml" or not file.is_file():
        raise ExplainError(f"no course file at {given}; `explain init {given}` writes one to start from")
    return file.resolve()


def read(path: Path) -> OwnCourse:
    """Read and check a file; read again only when it has changed."""
    if not path.is_file():
        raise ExplainError(f"no course file at {path}; `explain init my-course` writes one to start from")
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, _stamp: int) -> OwnCourse:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExplainError(f"{path.name}: {error}; it is no TOML") from error
    return _Reader(path).course(data)


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path, self.error = path, OwnCourse(path).error

    def course(self, data: Mapping[str, Any]) -> OwnCourse:
        tables = ("theme", "picture", "voice", "model", "lectures")
        head = {key: value for key, value in data.items() if key not in tables}
        top = self.table("", head, others=tables)
        look = self.mapping(data, "theme")
        theme = self.table(
            "theme", {k: v for k, v in look.items() if k not in ("colours", "fonts")}, ("colours", "fonts")
        )
        self.theme(theme.get("base"))
        picture = self.table("picture", self.mapping(data, "picture"))
        if "fps" in picture and not 1 <= picture["fps"] <= 240:
            raise self.error("picture.fps", f"{picture['fps']} is out of range; choose a whole number from 1 to 240")
        voice = self.table("voice", self.mapping(data, "voice"))
        return OwnCourse(
            self.path,
            **top,
            lectures=self.lectures(data.get("lectures", [])),
            theme=theme.get("base", ""),
            logo=self.logo(theme.get("logo")),
            colours=self.colours(self.mapping(look, "colours", "theme.colours")),
            fonts=self.table("theme.fonts", self.mapping(look, "fonts", "theme.fonts")),
            voice=voice.get("name", ""),
            voice_model=self.voice_model(voice.get("model")),
            model=self.table("model", self.mapping(data, "model")),
            **picture,
        )

    def mapping(self, data: Mapping[str, Any], key: str, name: str = "") -> Mapping[str, Any]:
        found = data.get(key, {})
        if not isinstance(found, dict):
            raise self.error(name or key, f"must be a table; write [{name or key}] and its keys below")
        return found

    def table(self, name: str, found: Mapping[str, Any], others: tuple[str, ...] = ()) -> dict[str, Any]:
        """The keys of one table, each known and of its kind."""
        known = KEYS[name]
        for key, value in found.items():
            full = f"{name}.{key}" if name else key
            if key not in known:
                raise self.error(full, f"unknown key; {self.nearest(key, [*known, *others])}")
            self.value(full, value, known[key])
        return dict(found)

    def nearest(self, key: str, known: list[str]) -> str:
        """``did you mean …`` or the whole list; a key of another table is named with its table."""
        if close := get_close_matches(key, known, n=1, cutoff=0.6):
            return f"did you mean {close[0]}?"
        for table, keys in KEYS.items():
            if close := get_close_matches(key, list(keys), n=1, cutoff=0.8):
                return f"did you mean {close[0]} in [{table}]?" if table else f"did you mean {close[0]} at the head?"
        return f"allowed: {', '.join(known)}"

    def value(self, full: str, value: Any, key: Key) -> None:
        right = isinstance(value, key.kind) and not (key.kind is int and isinstance(value, bool))
        if key.kind is list:
            right = isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)
        if not right:
            raise self.error(full, f"{value!r} is not allowed; write {_NAMES[key.kind]}, like {key.example}")
        if key.allowed and value not in key.allowed:
            raise self.error(full, f"{value!r} is not allowed; choose {', '.join(key.allowed)}")
        if key.kind is str and not value.strip():
            raise self.error(full, f"is empty; write a text like {key.example}, or take the line out")

    def theme(self, name: str | None) -> None:
        known = [*THEMES, *extensions.offered("explain.themes")]
        if name is not None and name not in known:
            raise self.error("theme.base", f"{name!r} is not allowed; choose {', '.join(known)}")

    def voice_model(self, name: str | None) -> Path | None:
        file = None if name is None else self.path.parent / name
        if file is not None and not file.is_file():
            raise self.error("voice.model", f"there is no {file}; give a file beside {self.path.name}, or its path")
        return file

    def logo(self, name: str | None) -> Path | None:
        if name is None:
            return None
        file = self.path.parent / name
        if file.suffix.lower() not in (".svg", ".png") or not file.is_file():
            raise self.error("theme.logo", f"there is no {file}; give an SVG or PNG file beside {self.path.name}")
        return file

    def colours(self, found: Mapping[str, Any]) -> dict[str, str]:
        for name, value in found.items():
            if name not in ROLES:
                raise self.error(f"theme.colours.{name}", f"unknown role; {self.nearest(name, list(ROLES))}")
            digits = str(value).removeprefix("#")
            if not isinstance(value, str) or len(digits) != 6 or set(digits.lower()) - set("0123456789abcdef"):
                raise self.error(f"theme.colours.{name}", f'{value!r} is no colour; write it like "#56B4E9"')
        return {name: f"#{value.removeprefix('#')}" for name, value in found.items()}

    def lectures(self, found: Any) -> tuple[OwnLecture, ...]:
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self.error("lectures", "must be tables; write [[lectures]] and its keys below, once a lecture")
        chosen: list[OwnLecture] = []
        for place, each in enumerate(found, start=1):
            about = self.table("lectures", each)
            if "lecture" not in about and "scenes" not in about:
                raise self.error(f"lectures, number {place}", "names neither lecture nor scenes; write `lecture = 3`")
            taken = {other.number for other in chosen}
            free = next(number for number in range(1, len(found) + 2) if number not in taken)
            number = about.pop("number", about.get("lecture", free))
            if number in taken or number < 1:
                problem = "is taken by another lecture" if number in taken else "is no number of a lecture"
                raise self.error("lectures.number", f"{number} {problem}; write `number = {free}`")
            chosen.append(OwnLecture(number, **{**about, "scenes": tuple(about.get("scenes", ()))}))
        return tuple(chosen)
