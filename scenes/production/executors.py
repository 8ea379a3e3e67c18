"""Where scenes are drawn: in processes here, or on the machines of a Dask cluster. The jobs are the same.

A job travels as plain data, and what it makes travels back as bytes, so the machines need share no disk; each needs
this project in the same state, with its environment. A machine whose code, script, fonts or versions would draw
another picture refuses, and says what differs.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from explainers.errors import ExplainError
from scenes import look
from scenes.production import cache, pool
from scenes.production.causes import cause
from scenes.production.plan import job_from_json
from scenes.production.pool import Failure, Listener, Task
from scenes.production.settings import Options

_PROJECT = Path(__file__).resolve().parents[2]
#: How often a job is given to another machine when the one that had it is gone.
RETRIES = 3
#: What a user chose, as it travels with a job.
_CHOICES = ("EXPLAIN_CONTEXT", "EXPLAIN_COURSE", "EXPLAIN_LANG", "EXPLAIN_THEME")


class Executor(Protocol):
    """Does all tasks; ``on_done`` follows each success, in this process. One that fails stops no other."""

    def run(self, tasks: list[Task], listener: Listener, on_done: Callable[[Task], None]) -> list[Failure]: ...


@dataclass(frozen=True)
class Local:
    """Processes on this machine, so many at once."""

    workers: int

    def run(self, tasks: list[Task], listener: Listener, on_done: Callable[[Task], None]) -> list[Failure]:
        return pool.run(tasks, self.workers, listener, on_done)


@dataclass(frozen=True)
class Cluster:
    """The workers of a running Dask scheduler at ``address`` (``tcp://host:8786``)."""

    address: str

    def run(self, tasks: list[Task], listener: Listener, on_done: Callable[[Task], None]) -> list[Failure]:
        distributed = _distributed()
        try:
            client = distributed.Client(self.address, timeout=10)
        except OSError as error:
            raise ExplainError(f"no Dask scheduler answers at {self.address}: {cause(error)}") from error
        failures: list[Failure] = []
        with client:
            waiting = {}
            for rank, task in enumerate(tasks):  # they come longest first
                future = client.submit(
                    draw_there,
                    *_packed(task),
                    pure=False,
                    retries=RETRIES,
                    priority=-rank,
                    key=f"{task.name}-{uuid.uuid4().hex}",  # others may ask for this scene, in another size
                )
                waiting[future] = task
                listener.started(task)
            try:
                for future in distributed.as_completed(list(waiting)):
                    task = waiting.pop(future)
                    failure = _received(future, task, listener, on_done)
                    if failure is not None:
                        failures.append(failure)
                    listener.ended(task, failure)
                    future.release()
            finally:
                client.cancel(list(waiting))
        return failures


def choose(options: Options) -> Executor:
    """Who draws the scenes of these options: the cluster that they name, or processes of this machine."""
    return Cluster(options.cluster) if options.cluster else Local(options.workers)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ExplainError("--cluster needs Dask; run `pip install 'explain-deepseek[cluster]'`") from error
    return distributed


def _packed(task: Task) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """A task as it travels: paths of this project relative to it, its ingredients, and the user's choices."""
    job = dict(task.job)
    for name in ("file", "script"):
        path = Path(job[name])
        job[name] = str(path.relative_to(_PROJECT)) if path.is_relative_to(_PROJECT) else str(path)
    ingredients = {**job_from_json(task.job).ingredients, "theme": look.everything()}
    return job, ingredients, {name: os.environ[name] for name in _CHOICES if name in os.environ}


def _received(future: Any, task: Task, listener: Listener, on_done: Callable[[Task], None]) -> Failure | None:
    """Write what came back into the task's folder."""
    try:
        failed, files, seconds = future.result()
        if failed:
            return Failure(**failed)
        for name, content in files.items():
            (task.work / "part" / name).write_bytes(content)
        listener.told(task, {"event": "done", "seconds": seconds})
        on_done(task)
    except Exception as error:  # whatever the other machine, or the way there, raised
        return Failure(task.name, 0, f"on the cluster: {cause(error)}")
    return None


# ---------------------------------------------------------------------- on the other machine
class _Timed:
    """Keeps what the process says at its end."""

    seconds = 0.0

    def started(self, task: Task) -> None: ...

    def told(self, task: Task, message: Mapping[str, Any]) -> None:
        self.seconds = message.get("seconds", 0.0)

    def ended(self, task: Task, failure: Failure | None) -> None: ...


def draw_there(
    job: dict[str, Any], ingredients: dict[str, str], choices: dict[str, str]
) -> tuple[dict[str, Any] | None, dict[str, bytes], float]:
    """Draw a scene in a process of this machine: a failure as plain data or None, the part's files, the seconds."""
    for name in ("file", "script"):
        job[name] = str(_PROJECT / job[name])
    name = f"{job['lecture']}/{job['scene']}"
    with cache.workspace() as folder:  # that of a worker which was killed goes with the next job here
        part = folder / "part"
        part.mkdir()
        job["folder"] = str(part)
        if differs := _differs(job, ingredients, choices):
            return asdict(Failure(name, 0, f"a machine of the cluster would draw another picture: {differs}")), {}, 0.0
        timed = _Timed()
        failures = pool.run([Task(name, job, folder, choices)], 1, timed, lambda _: None)
        if failures:
            return asdict(failures[0]), {}, 0.0
        return None, {file.name: file.read_bytes() for file in sorted(part.iterdir())}, timed.seconds


def _differs(job: Mapping[str, Any], theirs: Mapping[str, str], choices: Mapping[str, str]) -> str:
    """Which ingredients of the picture are others here."""
    ours = {**job_from_json(job).ingredients, "theme": look.everything(choices)}
    names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
