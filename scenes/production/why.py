"""Why a scene was drawn, or would be: what differs from the part of it that was used last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explainers.errors import ExplainError
from scenes.door import Read
from scenes.production import cache
from scenes.production.plan import Job

#: Ingredients that another film has: parts that differ in these are not older versions of one another.
_OTHER_FILM = ("scene", "size and rate", "engine", "theme", "language")
_SHOWN = {"script": "its section of the script", "the scene's own code": "the scene's own code"}


@dataclass(frozen=True)
class Explanation:
    """``because``: why the part in the cache was drawn (empty where there is none); ``now``: why it would be again."""

    scene: str
    because: tuple[str, ...]
    now: tuple[str, ...]

    def lines(self) -> list[str]:
        was = f"rendered because {'; '.join(self.because)}" if self.because else "not in the cache"
        return [f"{self.scene}: {was}", f"    now: {'; '.join(self.now) if self.now else 'up to date'}"]


def explain(job: Job) -> Explanation:
    """Why the last part of a scene was drawn, and whether the next render would draw it again."""
    if (part := cache.find(job.key)) is not None:
        about = _about(part.folder.name, job.key)
        return Explanation(job.entry.key, tuple(about.get("because", ("of a reason that was not noted",))), ())
    last = _last(job)
    because = tuple(last.why.get("because", ())) if last else ()
    return Explanation(job.entry.key, because, tuple(reasons(job, job.key)))


def reasons(job: Job, key: str, fresh: bool = False) -> list[str]:
    """Why a scene that is to be drawn is drawn, in a few words each."""
    if fresh:
        return ["--fresh asked for it"]
    if (same := cache.root() / "parts" / key).is_dir() and any(same.iterdir()):
        return _reads_changed(key)
    last = _last(job)
    if last is None:
        return [_first(job)]
    now, then = job.ingredients, last.why["ingredients"]
    names = sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
    return [_difference(name, then.get(name), now.get(name)) for name in names] or ["its part was damaged or removed"]


def _difference(name: str, then: str | None, now: str | None) -> str:
    if name.startswith("version of "):
        return f"{name} {then or 'none'} → {now or 'none'}"
    if then is None or now is None:
        return f"{name} is {'new' if then is None else 'gone'}"
    return f"{_SHOWN.get(name, name)} changed"


def _first(job: Job) -> str:
    others = [part for part in cache.kept() if part.why.get("ingredients", {}).get("scene") == job.ingredients["scene"]]
    if not others:
        return "it was not in the cache"
    then = others[0].why["ingredients"]
    now = job.ingredients
    return "; ".join(f"{name} {then.get(name)} → {now[name]}" for name in _OTHER_FILM if then.get(name) != now[name])


def _last(job: Job) -> cache.Kept | None:
    """The part of the same scene, size, rate and theme that was used last."""
    wanted = {name: job.ingredients[name] for name in _OTHER_FILM}
    for part in cache.kept():
        found = part.why.get("ingredients", {})
        if all(found.get(name) == value for name, value in wanted.items()):
            return part
    return None


def _reads_changed(key: str) -> list[str]:
    """The runs and numbers that a part of this very key read, and that are not the same now."""
    changed: dict[str, None] = {}
    for folder in sorted((cache.root() / "parts" / key).iterdir()):
        part = cache.read_part(folder)
        for read in part.report.reads if part else ():
            if not Read.from_json(read).holds():
                changed[f"{read['kind']} {read['name']} has another value"] = None
    return list(changed) or ["its part was damaged"]


def _about(reads: str, key: str) -> Mapping[str, Any]:
    try:
        found = json.loads((cache.root() / "parts" / key / reads / cache.WHY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        raise ExplainError(f"{cache.WHY} of {key} is not a table; `explain cache prune --all` empties the cache")
    return found
