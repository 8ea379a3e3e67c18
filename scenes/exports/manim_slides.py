"""A lecture as Manim Slides (5.x) reads one: ``slides/NAME.json`` and its clips, forwards and backwards.

``manim-slides present NAME`` and ``manim-slides convert NAME FILE`` take it from there; its own base class is not
needed. The format is that of its ``PresentationConfig``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from scenes.exports import clips, notes
from scenes.exports.talk import Slide, Talk

_MARKUP = re.compile(r"[<&](?=[\w#/!?])")
#: The folder that the program looks for where it is started. Paths inside the data begin with it.
FOLDER = "slides"


def write(talk: Talk, data: Path, files: Path, tell: Callable[[str], None]) -> None:
    """Write the file ``data`` and, in the folder ``files``, two clips a step."""
    tell(f"lecture {talk.number}: {len(talk.slides)} steps are also encoded backwards, which takes a while")
    slides = [_slide(talk, slide, files) for slide in talk.slides]
    picture = talk.picture
    about = {
        "slides": slides,
        "resolution": [picture.width, picture.height],
        "background_color": talk.look.colours["ground"],
    }
    data.write_text(json.dumps(about, indent=1) + "\n", encoding="ascii")  # read in whatever encoding a machine has


def _slide(talk: Talk, slide: Slide, files: Path) -> dict[str, Any]:
    forwards, backwards = f"step-{slide.number:02d}.mp4", f"step-{slide.number:02d}-back.mp4"
    clips.cut(talk.film.video, slide.start, slide.end, talk.picture, files / forwards)
    clips.turned(talk.film.video, slide.start, slide.end, talk.picture, files / backwards)
    place = f"{FOLDER}/files/{talk.name}"
    return {
        "file": f"{place}/{forwards}",
        "rev_file": f"{place}/{backwards}",
        "notes": notes.for_speaker(_inert(slide)),
        "dedent_notes": False,
    }


def _inert(slide: Slide) -> Slide:
    """The same to the eye, and no tag to a page that takes the notes for HTML first and for Markdown then.

    ``manim-slides convert`` writes such pages. A word joiner, which nobody sees, keeps ``<`` from what names a tag.
    """

    def calm(text: str) -> str:
        return _MARKUP.sub("\\g<0>\u2060", text)

    numbers = tuple(
        replace(one, text=calm(one.text), name=calm(one.name), origin=calm(one.origin)) for one in slide.numbers
    )
    return replace(slide, narration=calm(slide.narration), numbers=numbers)
