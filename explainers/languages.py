"""Which language words are shown in, and what a language calls things: catalogues in gettext's format beside scripts.

``lecture_scripts/<lang>/common.po`` holds the words of the kit, ``3_mla.po`` those of lecture 3's pictures; an entry's
key is the English text, its context may name one scene. English has no catalogue: the texts in the code are its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from explainers import paths
from explainers.errors import ExplainError

COMMON = "common.po"


@dataclass
class Tongue:
    """A language in force: its words, and what was asked for meanwhile (English → translation, None: missing)."""

    lang: str = "en"
    words: Mapping[str, str] = field(default_factory=dict)
    asked: dict[str, str | None] = field(default_factory=dict)


_ENGLISH = Tongue()
_now: list[Tongue] = []


def now() -> Tongue:
    """The language in force; English where nobody chose another."""
    return _now[-1] if _now else _ENGLISH


@contextmanager
def speaking(lang: str, words: Mapping[str, str] | None = None) -> Iterator[Tongue]:
    """Inside, texts and numbers are in this language."""
    _now.append(Tongue(lang, words or {}))
    try:
        yield _now[-1]
    finally:
        _now.pop()


_collecting: list[bool] = []


@contextmanager
def collecting() -> Iterator[None]:
    """Inside, texts are noted in English too, for whoever makes a catalogue."""
    _collecting.append(True)
    try:
        yield
    finally:
        _collecting.pop()


def word(english: str) -> str:
    """A text of the pictures in the language in force; English where its catalogue lacks it. Signs around it stay."""
    tongue, text = now(), key(english)
    if (tongue.lang == "en" and not _collecting) or not any(letter.isalpha() for letter in text):
        return english
    found = tongue.words.get(text)
    tongue.asked[text] = found
    return english if found is None else english.replace(text, found, 1)


def key(english: str) -> str:
    """A text as catalogues hold it: without the signs and spaces around it."""
    return english.strip(" :,;\n")


def unit_word(english: str, lang: str) -> str:
    """What a language calls a unit that only this field counts (tokens, parameters), from its common catalogue."""
    if lang == "en":
        return english
    common = catalogue(paths.lecture_scripts() / lang / COMMON)
    here = now().words if now().lang == lang else {}
    return common.get(english) or here.get(english, english)


def of_script(script: Path) -> str:
    """The language of a script: the name of its folder, ``de`` or ``zh-Hant``; English in any other folder."""
    folder = script.parent.name
    return folder if re.fullmatch(r"[a-z]{2,3}(?:[-_][A-Z][A-Za-z]+)?", folder) else "en"


def words_of(script: Path, scene: str = "") -> dict[str, str]:
    """What a script's language calls things in a scene: the common words, the lecture's, the scene's own."""
    if of_script(script) == "en":
        return {}
    common = catalogue(script.parent / COMMON)
    return {**common, **catalogue(script.with_suffix(".po")), **catalogue(script.with_suffix(".po"), scene)}


def catalogue(file: Path, context: str = "") -> dict[str, str]:
    """English → translation, of the entries of one context; empty where there is no file."""
    return dict(_read(file, file.stat().st_mtime_ns).get(context, {})) if file.is_file() else {}


@cache
def _read(file: Path, _stamp: int) -> dict[str, dict[str, str]]:
    """Context → English → translation; entries without a translation, and fuzzy ones, count as missing."""
    found: dict[str, dict[str, str]] = {}
    for message in _messages(file):
        if message.id and message.string and not message.fuzzy:
            found.setdefault(message.context or "", {})[str(message.id)] = str(message.string)
    return found


def _messages(file: Path) -> Any:
    try:
        from babel.messages.pofile import PoFileError, read_po
    except ImportError as error:
        raise ExplainError(f"{file.name} needs Babel; run `pip install babel`") from error
    with file.open("rb") as opened:
        try:
            return list(read_po(opened, abort_invalid=True))
        except (PoFileError, ValueError) as error:
            raise ExplainError(f"{file.name}: {error}; mend it, for instance with Poedit") from error


def write(file: Path, wanted: Mapping[str, list[str]], lang: str, *, whole: bool = False) -> int:
    """Add the texts in ``wanted`` (English → where shown) to a catalogue, untranslated; returns how many are new.

    Where ``wanted`` is the ``whole`` of what is shown, other entries become obsolete: kept as comments at the end.
    """
    from io import BytesIO

    from babel.messages.catalog import Catalog
    from babel.messages.pofile import write_po

    from explainers.traces import write_aside

    book = Catalog(lang, project="lecture", charset="utf-8", fuzzy=False)
    known = set()
    for message in _messages(file) if file.is_file() else ():
        if message.id:
            known.add(str(message.id))
            book.add(
                message.id, message.string, flags=message.flags, user_comments=message.user_comments,
                auto_comments=wanted.get(str(message.id), message.auto_comments), context=message.context,
            )  # fmt: skip
    if whole:
        for message in [each for each in book if each.id and not each.context and str(each.id) not in wanted]:
            book.delete(message.id)
            if message.string:
                book.obsolete[str(message.id)] = message
    new = [english for english in wanted if english not in known]
    for english in new:
        book.add(english, "", auto_comments=wanted[english])
    content = BytesIO()
    write_po(content, book, width=100, omit_header=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_aside(file, content.getvalue())
    return len(new)
