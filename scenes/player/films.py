"""The films that a site is built from: folders that `render` made, read through their manifests."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from explainers.errors import ExplainError
from scenes import frame, look
from scenes.registry import Course, select

FORMAT = 1
_TIMES = re.compile(r"(\d+):(\d+):(\d+)\.(\d+) --> (\d+):(\d+):(\d+)\.(\d+)")


@dataclass(frozen=True)
class Film:
    """A rendered lecture: its folder and what its manifest says."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def number(self) -> int:
        return int(self.manifest["lecture"])

    @property
    def video(self) -> Path:
        return self.folder / f"{self.name}.mp4"

    @property
    def lang(self) -> str:
        return str(self.manifest["language"])

    @property
    def shows(self) -> list[str]:
        """The names of its scenes, in order."""
        return [scene["scene"] for scene in self.manifest["scenes"]]

    @property
    def looks(self) -> tuple[str, str]:
        """The theme's name and the shape of its frame."""
        settings = self.manifest["settings"]
        return settings["theme"] or "dark", frame.of_pixels(settings["width"], settings["height"])

    @cached_property
    def steps(self) -> tuple[dict[str, Any], ...]:
        """All steps of all scenes, in order."""
        return tuple(step for scene in self.manifest["scenes"] for step in scene["steps"])

    def captions(self) -> list[tuple[float, float, str]]:
        """Start and end in seconds and text (plain, lines by ``\\n``) of each cue of the WebVTT beside the film."""
        path = self.folder / f"{self.name}.vtt"
        return list(_cues(path.read_text(encoding="utf-8"))) if path.is_file() else []


def slug(scene: str) -> str:
    """``"TheCacheGrows"`` → ``"the-cache-grows"``, as it stands in an address."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", scene).lower()


def films_in(folder: Path, lecture: int | None = None, course: Course | None = None) -> list[Film]:
    """The whole lectures rendered in a folder, in the order of the course; films of single scenes are left out.

    Where a lecture was rendered in several languages, all of them come, English first. Of a lecturer's own ``course``
    only its films count, in its order, and only where they look as it says now.
    """
    films = []
    for path in sorted(folder.glob("*/manifest.json")):
        film = Film(path.parent, _read(path))
        whole = re.match(r"\d+_", film.name)
        if whole and lecture in (None, film.number):
            if not film.video.is_file():
                raise ExplainError(f"{path.parent} has no {film.video.name}; run `explain render {film.number}`")
            films.append(film)
    films.sort(key=lambda film: (film.number, film.lang != "en", film.name))
    return _of_own(films, course) if course and course.own else films


def _of_own(films: list[Film], course: Course) -> list[Film]:
    """The films that a lecturer's own course would make."""
    names, looks = {film.name: film for film in films}, (look.name(), frame.aspect())
    wanted = ((names.get(chosen.name), [entry.name for entry in chosen.entries]) for chosen in select([], course))
    return [film for film, scenes in wanted if film and film.shows == scenes and film.looks == looks]


def _read(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise ValueError(f"format {manifest['format']}")
        if not manifest["scenes"]:
            raise ValueError("no scenes")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExplainError(f"cannot read {path} ({error}); render the lecture again") from error
    return dict(manifest)


def _cues(text: str) -> Iterator[tuple[float, float, str]]:
    for block in text.split("\n\n"):
        lines = block.strip().split("\n")
        for index, line in enumerate(lines):
            if found := _TIMES.match(line):
                h, m, s, ms, h2, m2, s2, ms2 = map(int, found.groups())
                words = html.unescape("\n".join(lines[index + 1 :]))
                yield h * 3600 + m * 60 + s + ms / 1000, h2 * 3600 + m2 * 60 + s2 + ms2 / 1000, words
