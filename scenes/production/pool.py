"""Processes that do jobs: a few at a time, watched, and all ended when the parent stops for whatever reason."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from scenes import frame
from scenes.production import nursery
from scenes.production.causes import cause
from scenes.production.settings import Picture

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


class _Process(Protocol):
    """A `subprocess.Popen`, or a fork of a nursery."""

    def wait(self) -> int | None: ...
    def kill(self) -> None: ...


@dataclass
class _Running:
    """``line`` is our end of the process's standard input and output."""

    task: Task
    process: _Process
    line: socket.socket
    log: Path
    rest: bytes = b""
    last: Mapping[str, Any] | None = None


def run(tasks: list[Task], workers: int, listener: Listener, on_done: Callable[[Task], None]) -> list[Failure]:
    """Do all tasks, at most ``workers`` at once; ``on_done`` follows each success. One that fails stops no other."""
    waiting, failures = list(reversed(tasks)), list[Failure]()
    running: dict[int, _Running] = {}
    with selectors.DefaultSelector() as selector, _terminable(), _starting(tasks) as start:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    task = waiting.pop()
                    try:
                        one = start(task)
                    except OSError as error:
                        failures.append(Failure(task.name, 0, cause(error)))
                        continue
                    running[id(one)] = one
                    selector.register(one.line, selectors.EVENT_READ, one)
                    listener.started(one.task)
                for key, _ in selector.select():
                    one = key.data
                    if chunk := _said(one):
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
                one.line.close()
    return failures


def _done(task: Task, on_done: Callable[[Task], None]) -> Failure | None:
    try:
        on_done(task)
    except OSError as error:
        return Failure(task.name, 0, cause(error))
    return None


@contextmanager
def _starting(tasks: list[Task]) -> Iterator[Callable[[Task], _Running]]:
    """What starts the process of a task: where several import the same, they are forks of one that has done it."""
    alike = Counter(frozenset(_environment(task).items()) for task in tasks)
    nurseries: dict[frozenset[tuple[str, str]], nursery.Nursery] = {}

    def start(task: Task) -> _Running:
        task.work.mkdir(parents=True, exist_ok=True)
        environment, log = _environment(task), task.work / "log.txt"
        ours, theirs = socket.socketpair()
        with theirs, log.open("wb") as errors:
            process: _Process | None = None
            kind = frozenset(environment.items())
            if nursery.WORKS and alike[kind] > 1:
                if kind not in nurseries:
                    nurseries[kind] = nursery.Nursery(environment)
                with suppress(nursery.Gone):
                    process = nurseries[kind].start(theirs.fileno(), theirs.fileno(), errors.fileno())
            if process is None:
                process = subprocess.Popen(
                    [sys.executable, "-m", "scenes.production.worker"],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=errors,
                    env=environment,
                    start_new_session=True,  # Ctrl-C reaches the parent alone, which ends the workers
                )
        with suppress(OSError):  # it ended at once; its log says why
            ours.sendall(json.dumps(task.job).encode() + b"\n")
        return _Running(task, process, ours, log)

    try:
        yield start
    finally:
        for one in nurseries.values():
            one.close()


def _environment(task: Task) -> dict[str, str]:
    """The environment of the process that does a task. The kit is made for the shape of its frame when imported."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        **task.choices,
        **({frame.ENVIRONMENT: Picture(**task.job["picture"]).aspect} if "picture" in task.job else {}),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
    }


def _said(one: _Running) -> bytes:
    """What a process says, b"" at its end."""
    try:
        return one.line.recv(1 << 16)
    except ConnectionResetError:  # it ended before it read its job
        return b""


def _hear(one: _Running, chunk: bytes, listener: Listener) -> None:
    *lines, one.rest = (one.rest + chunk).split(b"\n")
    for line in lines:
        one.last = json.loads(line)
        listener.told(one.task, one.last)


def _end(one: _Running) -> Failure | None:
    status = one.process.wait()
    one.line.close()
    last = one.last or {}
    if not status and last.get("event") == "done":
        return None
    if last.get("event") == "failed":
        return Failure(one.task.name, last["step"], last["cause"], last["trace"])
    said = one.log.read_text(encoding="utf-8", errors="replace").strip() if one.log.is_file() else ""
    hint = " (out of memory? try --jobs 1)" if status in (None, -signal.SIGKILL) else ""
    about = f"the process ended with {_ending(status)}{hint}" + (f": {said.splitlines()[-1]}" if said else "")
    return Failure(one.task.name, int(last.get("step", 0)), about, said)


def _ending(status: int | None) -> str:
    if status is None:
        return "the one that had started it"
    return f"signal {-status}" if status < 0 else f"status {status}"


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
