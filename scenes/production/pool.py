"""Processes that do jobs: a few at a time, watched, and all ended when the parent stops for whatever reason."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from scenes.production.causes import cause

#: The project's root: where ``scenes`` can be imported from.
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Task:
    """A job for a worker. ``work`` is the folder that it may write into; ``choices`` go into its environment."""

    name: str
    job: Mapping[str, Any]
    work: Path
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """What went wrong in a task: step 0 is outside the scene's steps."""

    name: str
    step: int
    cause: str
    trace: str = ""

    def line(self) -> str:
        """One line: scene, step, cause."""
        return f"{self.name}{f' step {self.step}' if self.step else ''}: {self.cause}"


class Listener(Protocol):
    """Told what happens, for progress bars."""

    def started(self, task: Task) -> None: ...
    def told(self, task: Task, message: Mapping[str, Any]) -> None: ...
    def ended(self, task: Task, failure: Failure | None) -> None: ...


@dataclass
class _Running:
    task: Task
    process: subprocess.Popen[bytes]
    log: Path
    rest: bytes = b""
    last: Mapping[str, Any] | None = None


def run(tasks: list[Task], workers: int, listener: Listener, on_done: Callable[[Task], None]) -> list[Failure]:
    """Do all tasks, at most ``workers`` at once; ``on_done`` follows each success. One that fails stops no other."""
    waiting, failures = list(reversed(tasks)), list[Failure]()
    running: dict[int, _Running] = {}
    with selectors.DefaultSelector() as selector, _terminable():
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    task = waiting.pop()
                    try:
                        one = _start(task)
                    except OSError as error:
                        failures.append(Failure(task.name, 0, cause(error)))
                        continue
                    running[id(one)] = one
                    assert one.process.stdout is not None
                    selector.register(one.process.stdout, selectors.EVENT_READ, one)
                    listener.started(one.task)
                for key, _ in selector.select():
                    one = key.data
                    chunk = os.read(key.fd, 1 << 16)
                    if chunk:
                        _hear(one, chunk, listener)
                        continue
                    selector.unregister(key.fileobj)
                    del running[id(one)]
                    failure = _end(one) or _done(one.task, on_done)
                    if failure is not None:
                        failures.append(failure)
                    listener.ended(one.task, failure)
        finally:
            for one in running.values():
                one.process.kill()
            for one in running.values():
                one.process.wait()
    return failures


def _done(task: Task, on_done: Callable[[Task], None]) -> Failure | None:
    try:
        on_done(task)
    except OSError as error:
        return Failure(task.name, 0, cause(error))
    return None


def _start(task: Task) -> _Running:
    task.work.mkdir(parents=True, exist_ok=True)
    log = task.work / "log.txt"
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        **task.choices,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "scenes.production.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which ends the workers
        )
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(task.job).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it ended at once; its log says why
    return _Running(task, process, log)


def _hear(one: _Running, chunk: bytes, listener: Listener) -> None:
    *lines, one.rest = (one.rest + chunk).split(b"\n")
    for line in lines:
        one.last = json.loads(line)
        listener.told(one.task, one.last)


def _end(one: _Running) -> Failure | None:
    status = one.process.wait()
    for pipe in (one.process.stdin, one.process.stdout):
        if pipe is not None:
            pipe.close()
    last = one.last or {}
    if status == 0 and last.get("event") == "done":
        return None
    if last.get("event") == "failed":
        return Failure(one.task.name, last["step"], last["cause"], last["trace"])
    said = one.log.read_text(encoding="utf-8", errors="replace").strip() if one.log.is_file() else ""
    ending = f"signal {-status}" if status < 0 else f"status {status}"
    hint = " (out of memory? try --jobs 1)" if status == -signal.SIGKILL else ""
    about = f"the process ended with {ending}{hint}" + (f": {said.splitlines()[-1]}" if said else "")
    return Failure(one.task.name, int(last.get("step", 0)), about, said)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends things as Ctrl-C does, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
