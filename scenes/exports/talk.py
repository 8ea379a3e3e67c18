"""A film as slides: what every export says of a step, read from the film's manifest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import av

from explainers.errors import ExplainError
from scenes import look
from scenes.exports.words import words
from scenes.player.course import course, lecture
from scenes.player.films import Film
from scenes.player.origins import Origins
from scenes.player.pages import clock, origin_line
from scenes.production.settings import Picture
from scenes.themes import Theme

#: Between the two parts of a title; Chinese has a dash of two letters' width, without spaces.
_DASH = re.compile(r"\s+—\s+|\s*——\s*")


@dataclass(frozen=True)
class Number:
    """A number that a step shows or says: as it is read, what it is, where it comes from.

    ``url`` is where its source can be read, ``sources`` the places (from 1) in `Talk.sources` of what is at its root.
    """

    text: str
    name: str
    origin: str
    url: str = ""
    sources: tuple[int, ...] = ()


@dataclass(frozen=True)
class Source:
    """A source at the root of some numbers: name and date, the places in it, its address, the slides that use it."""

    name: str
    date: str
    places: tuple[str, ...]
    url: str
    slides: tuple[int, ...]

    def used(self, lang: str) -> str:
        """``"steps 5, 6"``."""
        key = "used" if len(self.slides) > 1 else "used_once"
        return words(lang)[key].format(steps=", ".join(map(str, self.slides)))


@dataclass(frozen=True)
class Slide:
    """A step on a slide.

    ``number`` counts over the film from 1, ``position`` within the scene (of ``steps``). The step lasts from frame
    ``start`` to frame ``end``, which is the next one's first.
    """

    number: int
    scene: str
    position: int
    steps: int
    start: int
    end: int
    narration: str
    picture_in_words: str
    numbers: tuple[Number, ...]

    def notes(self) -> str:
        """For the speaker: the words, then a line a number with where it comes from."""
        lines = [f"{number.text} · {number.name}: {number.origin}" for number in self.numbers]
        return "\n".join([self.narration, *([""] if lines else []), *lines])

    @property
    def title(self) -> str:
        """The scene's heading, with the place of the step in it."""
        return f"{self.scene} ({self.position}/{self.steps})" if self.steps > 1 else self.scene


@dataclass(frozen=True)
class Talk:
    """A lecture on slides. ``runs`` are the names of the runs at the roots of its numbers."""

    film: Film
    title: str
    question: str
    seconds: float
    slides: tuple[Slide, ...]
    sources: tuple[Source, ...]
    runs: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.film.name

    @property
    def number(self) -> int:
        return self.film.number

    @property
    def lang(self) -> str:
        return self.film.lang

    @property
    def picture(self) -> Picture:
        """Pixels and frames a second of the film."""
        settings = self.film.manifest["settings"]
        return Picture(settings["width"], settings["height"], settings["fps"])

    @property
    def look(self) -> Theme:
        """The film's theme, with a lecturer's own colours; the dark one where that theme is not installed here."""
        name = self.film.looks[0]
        try:
            return look.in_force() if name == look.name() else look.named(name)
        except ExplainError:
            return look.THEMES["dark"]

    @cached_property
    def captions(self) -> list[tuple[float, float, str]]:
        """The film's captions: start and end in seconds, and the words."""
        return self.film.captions()

    def has_sound(self) -> bool:
        """Whether somebody speaks in the film."""
        with av.open(str(self.film.video)) as container:
            return bool(container.streams.audio)

    def seconds_at(self, frame: int) -> float:
        """When a frame of the film is shown."""
        return frame / self.picture.fps

    def length(self) -> str:
        """How long it is, in its own language: ``"5:41, 10 scenes, 26 steps"``."""
        counts = {"scenes": len(list(self.scenes())), "steps": len(self.slides)}
        return words(self.lang)["length"].format(time=clock(self.seconds), **counts)

    def title_parts(self) -> tuple[str, str]:
        """``"MLA — remembering everything"`` → its two parts; the second may be empty."""
        short, *long = _DASH.split(self.title, maxsplit=1)
        return short, "".join(long)

    def scenes(self) -> Iterator[tuple[str, tuple[Slide, ...]]]:
        """Each scene's heading with its slides."""
        first = 0
        while first < len(self.slides):
            last = first + self.slides[first].steps
            yield self.slides[first].scene, self.slides[first:last]
            first = last


def talk(film: Film) -> Talk:
    """The slides of a film."""
    origins = Origins()
    steps, table = lecture(film, origins)["steps"], origins.entries
    (about,) = course({film.name: film}, [])["lectures"]
    used = [{one["q"]: one["text"] for one in [*step["said"], *step["shown"]]} for step in steps]
    sources, runs = _roots(used, table)
    place = {(source.name, source.date): index for index, source in enumerate(sources, start=1)}
    slides: list[Slide] = []
    for scene in about["scenes"]:
        for position, step in enumerate(scene["steps"], start=1):
            index = len(slides)
            slides.append(
                Slide(
                    index + 1,
                    scene["title"],
                    position,
                    len(scene["steps"]),
                    film.steps[index]["start_frame"],
                    film.steps[index]["end_frame"],
                    step["text"],
                    step["alt"],
                    tuple(dict.fromkeys(_number(text, q, table, place) for q, text in used[index].items())),
                )
            )
    return Talk(film, about["title"], about["question"], about["seconds"], tuple(slides), sources, runs)


def _number(text: str, q: int, table: Sequence[dict[str, Any]], place: Mapping[tuple[str, str], int]) -> Number:
    entry = table[q]
    name = entry["name"].replace("_", " ") if entry["name"].isidentifier() else entry["name"]
    cited = [leaf["cited"] for leaf in _leaves(q, table) if "cited" in leaf]
    roots = dict.fromkeys(place[about["source"], about["date"]] for about in cited)
    return Number(text, name, origin_line(entry), entry.get("cited", {}).get("url", ""), tuple(roots))


def _roots(
    used: Sequence[Iterable[int]], table: Sequence[dict[str, Any]]
) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """Sources and runs below the numbers of the slides, each once, in the order in which they are first used."""
    cited: dict[tuple[str, str], tuple[str, dict[str, None], dict[int, None]]] = {}
    runs: dict[str, None] = {}
    for slide, indices in enumerate(used, start=1):
        for entry in (leaf for index in indices for leaf in _leaves(index, table)):
            if about := entry.get("cited"):
                _, places, slides = cited.setdefault((about["source"], about["date"]), (about["url"], {}, {}))
                places.setdefault(about["where"])
                slides.setdefault(slide)
            else:
                runs.setdefault(entry["computed"]["run"][0])
    sources = tuple(
        Source(name, date, tuple(filter(None, places)), url, tuple(slides))
        for (name, date), (url, places, slides) in cited.items()
    )
    return sources, tuple(runs)


def _leaves(index: int, table: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The cited figures below a number, and the runs on the way to them."""
    entry = table[index]
    made = entry.get("computed")
    if made is None or made.get("run"):
        yield entry
    for source in made["inputs"] if made else ():
        yield from _leaves(source, table)
