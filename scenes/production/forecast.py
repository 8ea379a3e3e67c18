"""What a render on many workers costs, from the seconds that each scene took when it was drawn last."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explainers.errors import ExplainError
from scenes.production import cache
from scenes.production.bench import makespan
from scenes.production.plan import Job

WORKERS = (1, 2, 4, 8, 16, 32, 64)


def forecast(jobs: Sequence[Job], workers: Sequence[int] = WORKERS) -> dict[str, Any]:
    """Jobs, the longest, bytes moved, and seconds and speed-up for each number of workers.

    A scene's seconds are those of its last part with the same size, rate, engine and theme, whatever changed since; one
    that was never drawn raises `ExplainError`. ``sent`` and ``returned`` are the bytes of the jobs and of the parts.
    """
    measured: dict[str, cache.Kept] = {}
    for part in reversed(cache.kept()):  # the last used wins
        measured[_film(part.why.get("ingredients", {}))] = part
    found = {job.entry.key: measured.get(_film(job.ingredients)) for job in jobs}
    times = {name: part.why["seconds"] for name, part in found.items() if part is not None and "seconds" in part.why}
    if missing := sorted(set(found) - set(times)):
        raise ExplainError(
            f"{len(missing)} scenes were never timed at this size and rate, {missing[0]} first; render them"
        )
    seconds = list(times.values())
    alone = sum(seconds)
    longest = max(times, key=lambda name: times[name])
    return {
        "jobs": len(jobs),
        "seconds": alone,
        "longest": longest,
        "longest_seconds": times[longest],
        "sent": sum(len(json.dumps([job.to_json(Path()), job.ingredients])) for job in jobs),
        "returned": sum(part.bytes for part in found.values() if part is not None),
        "workers": [
            {"workers": count, "seconds": (span := makespan(seconds, count)), "speed_up": alone / span}
            for count in workers
        ],
    }


def _film(ingredients: dict[str, Any]) -> str:
    names = ("scene", "size and rate", "engine", "theme", "language")
    return json.dumps([ingredients.get(name) for name in names])
