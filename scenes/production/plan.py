"""What has to be drawn: one job a scene, with a key that changes whenever its picture could.

The key covers the scene's own code (its class and what its module holds besides other scenes), every module of this
project that it reaches by imports (`source`), its section of the script, the picture's size and rate, the theme's name
and versions. Each of these is an ingredient with a name, so that it can be said which one changed. What a scene *reads*
(runs, numbers, colours) is not known before it ran; the cache keeps that beside each part and asks again.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from scenes import clock, look, script
from scenes.production.code_facts import facts, short
from scenes.production.settings import Picture
from scenes.production.source import reach, shown_path
from scenes.registry import SceneEntry
from scenes.syntax import SceneClass

#: Whoever touches pixels or their container.
_VERSIONED = ("manim", "pycairo", "manimpango", "av", "numpy", "pillow", "typst", "skia-pathops", "svgelements")
_FONTS = ("fontpkg-ibm-plex-sans", "fontpkg-ibm-plex-mono")


@dataclass(frozen=True)
class Job:
    """Draw this scene at this size and rate, with this engine.

    ``voiced`` are the beginnings of each step's words where a voice was listened to (`clock.Measured`).
    """

    entry: SceneEntry
    picture: Picture
    engine: str = "fast"
    voiced: tuple[tuple[float, ...], ...] = ()

    @property
    def frames(self) -> int:
        """How many frames its words alone take; animations that outrun them add some."""
        narrator = clock.Measured(self.voiced) if self.voiced else None
        ticks = round(clock.planned_seconds(self.entry.section, narrator) * clock.TICKS_PER_SECOND)
        return clock.frame(ticks, self.picture.fps)

    @property
    def key(self) -> str:
        return hashlib.sha256(json.dumps(self.ingredients, sort_keys=True).encode()).hexdigest()[:32]

    @cached_property
    def ingredients(self) -> dict[str, str]:
        """What the picture depends on, by name: code files by their path, each with a digest or its value."""
        code, picture = self.entry.code, self.picture
        found = {f"version of {name}": value for name, value in versions().items()}
        for path in reach(code.file) | reach(Path(__file__).with_name("drawing.py")):
            if path != code.file.resolve():
                found[shown_path(path)] = facts(path).digest
        return {
            **found,
            "scene": f"{code.lecture}/{code.name}",
            "size and rate": f"{picture.width} × {picture.height}, {picture.fps} frames/s"
            + (", in a band" if picture.band else ""),
            "engine": self.engine,
            "theme": look.ingredient(),
            "language": self.entry.lecture.lang,
            "script": self.entry.section.digest,
            "the scene's own code": facts(code.file).own(code.name)[0],
            **({"the voice's timing": self._timing()} if self.voiced else {}),
        }

    def _timing(self) -> str:
        """What the picture takes from the voice: ticks of the steps and of the marks, not the sound itself."""
        found = []
        for step, starts in zip(self.entry.section.steps, self.voiced, strict=True):
            cues = {name: starts[index] * clock.TICKS_PER_SECOND for name, index in step.marks.items()}
            # between two halves a cue falls on the same tick, on a half it may fall on either
            halves = {name: (math.floor(round(2 * at, 3)), math.ceil(round(2 * at, 3))) for name, at in cues.items()}
            found.append((clock.ticks_up(starts[-1]), halves))
        return short(json.dumps(found))

    def to_json(self, folder: Path) -> dict[str, Any]:
        code = self.entry.code
        return {
            "kind": "draw",
            "scene": code.name,
            "lecture": code.lecture,
            "file": str(code.file.resolve()),
            "script": str(self.entry.script.resolve()),
            "picture": asdict(self.picture),
            "engine": self.engine,
            "voiced": [list(starts) for starts in self.voiced],
            "folder": str(folder),
        }


def entry_from_json(job: Mapping[str, Any]) -> SceneEntry:
    """The entry again, in the process that draws it."""
    lecture = script.load(job["script"])
    code = SceneClass(job["lecture"], job["scene"], Path(job["file"]), 0, (), None)
    return SceneEntry(lecture, lecture.section(job["scene"]), code)


def job_from_json(job: Mapping[str, Any]) -> Job:
    """The job again, in the process that does it."""
    voiced = tuple(tuple(starts) for starts in job.get("voiced", ()))
    return Job(entry_from_json(job), Picture(**job["picture"]), job["engine"], voiced)


@cache
def versions() -> dict[str, str]:
    """Package → version, of whatever takes part in a picture."""
    found = {}
    for name in (*_VERSIONED, *_FONTS):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


# ---------------------------------------------------------------------- runs that scenes will ask for
def wanted_runs(jobs: list[Job]) -> list[tuple[str, dict[str, Any]]]:
    """Runs that the code of these scenes (literal ``run("name", …)``) and their scripts name, in order of mention."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for job in jobs:
        code = job.entry.code
        named = list(facts(code.file).own(code.name)[1])
        references = [reference.name for step in job.entry.section.steps for reference in step.references]
        named += [(name.split(".")[1], {}) for name in references if name.startswith("run.")]
        for name, params in named:
            found.setdefault(json.dumps([name, params], sort_keys=True, default=str), (name, params))
    return list(found.values())
