"""The process that draws one scene, or computes runs: ``python -m scenes.production.worker`` with a job on stdin.

It answers in JSON lines on what was its standard output; whatever a scene prints goes to standard error. When the
process that started it is gone (its stdin ends), it goes too.

``python -m scenes.production.worker FD`` is a `nursery.Nursery`'s process: it imports, and forks a worker whenever the
socket FD brings a standard input, output and error for one. The fork's number goes back and, once it has ended, its
status.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import shutil
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from explainers.errors import ExplainError

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
    if "folder" in job:
        tempfile.tempdir = str(Path(job["folder"]).parent)  # which is removed, however this process ends
    step = 0
    try:
        {"draw": _draw, "look": _look, "compute": _compute}[job["kind"]](job, tell)
    except Exception as error:
        from scenes.production.causes import cause
        from scenes.production.drawing import SceneFailed

        if isinstance(error, SceneFailed):
            step, error = error.step, error.__cause__ or error  # type: ignore[assignment]
        known = isinstance(error, ExplainError)
        place = "" if known else _place(error, job.get("file", ""))
        folder = Path(job["folder"]) if job["kind"] == "draw" else None
        said = cause(error, folder) + place
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)  # others may need the room
        tell(event="failed", step=step, cause=said, trace="".join(traceback.format_exception(error)))
        return 1
    tell(event="done", seconds=round(time.monotonic() - began, 3))
    return 0


def _draw(job: Mapping[str, Any], tell: Tell) -> None:
    from scenes.production.cache import write_part
    from scenes.production.drawing import draw
    from scenes.production.plan import job_from_json

    told = (0, 0)

    def progress(frames: int, step: int) -> None:
        nonlocal told
        if step != told[1] or frames - told[0] >= job["picture"]["fps"] // 2:  # a step at once: it may be the last word
            told = (frames, step)
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


# ---------------------------------------------------------------------- a process that forks workers
def serve(door: socket.socket) -> int:
    """Fork a worker for each request until the other end is closed; in a fork, the worker's exit status."""
    import scenes.kit
    import scenes.production.cache
    import scenes.production.drawing
    import scenes.production.plan
    import scenes.production.stills  # noqa: F401

    os.close(os.pidfd_open(os.getpid()))  # an old kernel says so now, not when there are forks
    if len(os.listdir("/proc/self/task")) > 1:
        return 1  # a fork would lack the other threads and keep what they had locked
    gc.collect()
    gc.freeze()  # what is here stays, and stays in memory that all forks share
    with selectors.DefaultSelector() as waiting:
        waiting.register(door, selectors.EVENT_READ)
        while True:
            for key, _ in waiting.select():
                if key.data is not None:
                    waiting.unregister(key.fd)
                    os.close(key.fd)
                    status = os.waitstatus_to_exitcode(os.waitpid(key.data, 0)[1])
                    _say(door, pid=key.data, status=status)
                    continue
                asked, files, _, _ = socket.recv_fds(door, 1, 3)
                if not asked:
                    return 0
                pid = os.fork()
                if pid == 0:
                    door.close()
                    for number, file in enumerate(files):
                        os.dup2(file, number)
                        os.close(file)
                    return main()
                for file in files:
                    os.close(file)
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
                _say(door, pid=pid)


def _say(door: socket.socket, **message: Any) -> None:
    with contextlib.suppress(BrokenPipeError):  # the parent has gone; the next read says so
        door.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    ended = serve(socket.socket(fileno=int(sys.argv[1]))) if len(sys.argv) > 1 else main()
    for printed in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # a full disk
            printed.flush()
    os._exit(ended)  # all is told and written: to take Manim apart, object by object, takes as long as some frames
