"""A lecture as Markdown: what is said, step by step, and where its numbers come from."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from scenes.exports.talk import Number, Slide, Source, Talk
from scenes.exports.words import words
from scenes.player.pages import clock

_SIGNS = re.compile(r"[\\`*_\[\]#|~$]|[<>]|&(?=[#\w])")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_IN_URL = ":/?#[]@!$&*+,;=%~"  # as they are; brackets, quotes and spaces are written as %28
_AT_START = re.compile(r"^([-+=]|\d+(?=[.)](?:\s|$)))")


def write(talk: Talk, path: Path) -> None:
    """Write the notes of a lecture."""
    path.write_text(markdown(talk), encoding="utf-8")


def markdown(talk: Talk) -> str:
    """The text of the notes."""
    own = words(talk.lang)
    scenes = list(talk.scenes())
    parts = [f"# {talk.number} · {plain(talk.title)}", f"> {plain(talk.question)}", talk.length()]
    for heading, slides in scenes:
        parts.append(f"## {plain(heading)}")
        for slide in slides:
            begins = clock(talk.seconds_at(slide.start))
            parts.append(f"**{slide.number}** ({begins}) {plain(slide.narration)}")
            parts += _numbers(slide)
    if talk.sources:
        listed = (f"{place}. {_source(source, talk.lang)}" for place, source in enumerate(talk.sources, start=1))
        parts += [f"## {own['sources']}", "\n".join(listed)]
    if talk.runs:
        parts.append(f"{own['runs']}: {', '.join(f'`{run}`' for run in talk.runs)}.")
    return "\n\n".join(parts) + "\n"


def for_speaker(slide: Slide) -> str:
    """What a speaker wants to see beside one slide."""
    return "\n\n".join([plain(slide.narration), *_numbers(slide)])


def _numbers(slide: Slide) -> list[str]:
    return ["\n".join(map(_number, slide.numbers))] if slide.numbers else []


def _number(number: Number) -> str:
    roots = " " + ", ".join(f"({place})" for place in number.sources) if number.sources and not number.url else ""
    origin = _link(number.origin, number.url)
    return f"- **{plain(number.text)}** {plain(number.name)}: {origin}{roots}"


def _source(source: Source, lang: str) -> str:
    name = _link(source.name, source.url)
    places = "; ".join(plain(place) for place in source.places)
    about = ", ".join(part for part in (source.date, places) if part)
    return f"{name}, {about} ({source.used(lang)})"


def _link(text: str, url: str) -> str:
    """A link, where there is an address; without pointed brackets, which a page could take for a tag."""
    return f"[{plain(text)}]({quote(url, safe=_IN_URL)})" if url else plain(text)


def plain(text: str) -> str:
    """Text as Markdown that reads as just this text, whatever signs are in it."""
    escaped = _SIGNS.sub(lambda found: _ENTITIES.get(found[0], "\\" + found[0]), " ".join(text.split()))
    return _AT_START.sub(lambda found: f"{found[1]}\\" if found[1].isdigit() else f"\\{found[1]}", escaped)
