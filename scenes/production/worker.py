"""The process that draws one scene, or computes runs: ``python -m scenes.production.worker`` with a job on stdin.

It answers in JSON lines on what was its standard output; whatever a scene prints goes to standard error. When the
process that started it is gone (its stdin ends), it goes too.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from explainers.errors import ExplainError
from scenes import frame

Tell = Callable[..., None]


def main() -> int:
    """Do the job that stands in the first line of stdin; 0 where it was done."""
    began = time.monotonic()
    line = sys.stdin.readline()
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # a print in a scene must not look like an answer
    threading.Thread(target=_leave_with_parent, daemon=True).start()

    def tell(**message: Any) -> None:
        answers.write(json.dumps(message) + "\n")

    job = json.loads(line)
    step = 0
    try:
        if "picture" in job:  # the kit is made for the shape of its frame when it is imported
            from scenes.production.settings import Picture

            os.environ[frame.ENVIRONMENT] = Picture(**job["picture"]).aspect
        {"draw": _draw, "look": _look, "compute": _compute}[job["kind"]](job, tell)
    except Exception as error:
        from scenes.production.causes import cause
        from scenes.production.drawing import SceneFailed

        if isinstance(error, SceneFailed):
            step, error = error.step, error.__cause__ or error  # type: ignore[assignment]
        known = isinstance(error, ExplainError)
        place = "" if known else _place(error, job.get("file", ""))
        tell(event="failed", step=step, cause=cause(error) + place, trace="".join(traceback.format_exception(error)))
        return 1
    tell(event="done", seconds=round(time.monotonic() - began, 3))
    return 0


def _draw(job: Mapping[str, Any], tell: Tell) -> None:
    from scenes.production.cache import write_part
    from scenes.production.drawing import draw
    from scenes.production.plan import job_from_json

    told = 0

    def progress(frames: int, step: int) -> None:
        nonlocal told
        if frames - told >= job["picture"]["fps"] // 2 or frames < told:
            told = frames
            tell(event="frames", frames=frames, step=step)

    folder, asked = Path(job["folder"]), job_from_json(job)
    report = draw(asked.entry, asked.picture, folder, progress, asked.engine, voiced=asked.voiced)
    write_part(folder, report)


def _look(job: Mapping[str, Any], tell: Tell) -> None:
    from scenes.production.drawing import SceneFailed
    from scenes.production.plan import entry_from_json
    from scenes.production.settings import Picture
    from scenes.production.stills import of_scene

    done = 0

    def on_step(report: Any) -> None:
        nonlocal done
        done = report.index
        tell(event="looked", end=report.end)

    try:
        of_scene(entry_from_json(job), Picture(**job["picture"]), Path(job["folder"]), on_step=on_step)
    except Exception as error:
        raise SceneFailed(done + 1) from error


def _compute(job: Mapping[str, Any], tell: Tell) -> None:
    from explainers import runs

    for done, (name, params) in enumerate(job["runs"]):
        tell(event="computing", run=name, done=done)
        with contextlib.suppress(ExplainError):  # the scene that asks for it says so, with its name and step
            runs.get(name, **params)


def _place(error: BaseException, file: str) -> str:
    """Where in the lecture's file it happened: `` (l3_mla.py:41)``."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({Path(file).name}:{lines[-1]})" if lines else ""


def _leave_with_parent() -> None:
    while sys.stdin.readline():
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
