"""A lecture on paper, set by Typst: a picture a step, what is said, and every number with where it comes from."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typst

from explainers.errors import ExplainError
from scenes.exports import pictures
from scenes.exports.talk import Slide, Talk
from scenes.exports.words import words
from scenes.kit.fonts import SANS, font_files
from scenes.player.pages import clock
from scenes.themes import THEMES

_TEMPLATE = Path(__file__).with_name("handout.typ")
_WIDTH = 1280  # pixels of a picture, at most: 300 a inch in its column
_COLUMN, _TALLEST = 84.0, 84.0  # millimetres that a picture may be wide and high
#: Families for scripts that the project's own family lacks; one of a line must be on the machine.
_MORE = {
    "zh": ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei"),
    "ja": ("Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "Hiragino Sans", "Yu Gothic"),
    "ko": ("Noto Sans CJK KR", "Noto Sans KR", "Source Han Sans KR", "Apple SD Gothic Neo", "Malgun Gothic"),
}


def write(talk: Talk, path: Path) -> None:
    """Write the hand-out as a tagged PDF."""
    path.write_bytes(compiled(talk, "pdf", pdf_standards="ua-1"))


def compiled(talk: Talk, kind: str, **more: Any) -> Any:
    """What Typst makes of a lecture: ``pdf`` as bytes, ``png`` as a list of pages."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copyfile(_TEMPLATE, folder / "handout.typ")
        pictures.poster(talk, folder / "poster.png", _WIDTH)
        drawn = pictures.draw(talk, folder, "end", width=_WIDTH)
        data = _data(talk, [picture.name for picture in drawn])
        (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
        fonts = sorted({str(file.parent) for file in font_files()})
        compile_: Any = typst.compile  # its overloads want literals
        try:
            return compile_(folder / "handout.typ", root=folder, font_paths=fonts, format=kind, **more)
        except RuntimeError as error:
            raise ExplainError(f"Typst could not set the hand-out of lecture {talk.number}: {error}") from error


def _data(talk: Talk, drawn: list[str]) -> dict[str, Any]:
    own, picture = words(talk.lang), talk.picture
    short, long = talk.title_parts()
    return {
        "title": talk.title,
        "short": short,
        "long": long,
        "question": talk.question,
        "lecture": own["lecture"].format(number=talk.number),
        "length": talk.length(),
        "lang": talk.lang.partition("-")[0],
        "words": dict(own),
        "fonts": _families(talk.lang),
        "colours": dict(THEMES["light"].colours),  # paper is light
        "tall": picture.height >= picture.width,
        "column": min(_COLUMN, _TALLEST * picture.width / picture.height),
        "scenes": [
            {"heading": heading, "steps": [_step(talk, slide, drawn[slide.number - 1]) for slide in slides]}
            for heading, slides in talk.scenes()
        ],
        "sources": [{**asdict(source), "used": source.used(talk.lang)} for source in talk.sources],
        "runs": talk.runs,
    }


def _step(talk: Talk, slide: Slide, picture: str) -> dict[str, Any]:
    return {
        "number": slide.number,
        "time": clock(talk.seconds_at(slide.start)),
        "narration": slide.narration,
        "alt": slide.picture_in_words,
        "picture": picture,
        "numbers": [asdict(number) for number in slide.numbers],
    }


def _families(lang: str) -> list[str]:
    wanted = _MORE.get(lang.lower().partition("-")[0])
    if wanted is None:
        return [SANS]
    here = set(typst.Fonts().families())
    found = [family for family in wanted if family in here]
    if not found:
        raise ExplainError(f"no font for the language {lang!r} is installed; install one of {', '.join(wanted)}")
    return [SANS, *found[:1]]
