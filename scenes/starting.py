"""``explain init``: a commented course file that works as it is, made from the list of its keys and the course."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

from explainers.errors import ExplainError
from explainers.traces import write_aside
from scenes.own_course import FILE, KEYS
from scenes.registry import Course
from scenes.script import Lecture

_HEAD = """\
# Your version of the course. In this folder every command uses it: explain list, render, still, check, play, site.
# From elsewhere: explain list --course {folder}
# A line that begins with # says nothing; take the # away to choose. What is left out is as the course has it.
"""
_ROLES = "colours by what they mean, like latent, key, value, cost, accent; ground is the background, text the words"


def start(folder: Path, course: Course) -> Path:
    """Write ``course.toml`` into a new or existing folder; an existing one is never overwritten."""
    file = folder if folder.suffix == ".toml" else folder / FILE
    if file.exists():
        raise ExplainError(f"{file} is there already; change it, or name another folder")
    file.parent.mkdir(parents=True, exist_ok=True)
    write_aside(file, text(file.parent, course.home).encode())
    return file


def text(folder: Path, course: Course) -> str:
    """The whole file."""
    parts = [_HEAD.format(folder=folder), *_table("")]
    for name in ("theme", "theme.colours", "theme.fonts", "picture", "voice", "model"):
        parts += ["", f"[{name}]"]
        parts += [f"# {_ROLES}", '# latent = "#F7B231"'] if name == "theme.colours" else _table(name)
    parts += ["", "# The lectures, in your order. Take out what you do not show; what else may stand in one:"]
    parts += [f"#   {name} = {key.example}  # {key.about}" for name, key in KEYS["lectures"].items()]
    for lecture in course.lectures:
        parts += ["", *_lecture(lecture)]
    return "\n".join(parts) + "\n"


def _table(name: str) -> Iterator[str]:
    for key, about in KEYS[name].items():
        yield f"# {key} = {about.example}  # {about.about}"


def _lecture(lecture: Lecture) -> Iterator[str]:
    yield "[[lectures]]"
    yield f"lecture = {lecture.number}  # {lecture.title}"
    names = ", ".join(f'"{section.name}"' for section in lecture.sections)
    lines = textwrap.wrap(f"scenes = [{names}]", 110, break_long_words=False, break_on_hyphens=False)
    yield from (f"# {line}" if index == 0 else f"#   {line}" for index, line in enumerate(lines))
