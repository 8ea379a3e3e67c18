"""What a user sees while films are made: bars on a terminal, a line a scene elsewhere. All of it on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scenes.production.pool import Failure, Task


class Bars:
    """A bar for all frames and one for each scene in work; a `pool.Listener`."""

    def __init__(self, frames: Mapping[str, int]) -> None:
        self.console = Console(stderr=True)
        self.frames = dict(frames)
        self.began: dict[str, float] = {}
        self.took: dict[str, float] = {}  # seconds, as the process that drew a scene measured them
        self.shown: dict[str, TaskID] = {}
        self.all_frames: TaskID | None = None
        self.done = dict.fromkeys(frames, 0)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    @contextmanager
    def shown_while(self, title: str, total: int = 0) -> Iterator[Bars]:
        """Show the bars inside the block; ``total`` where it is not frames that are counted."""
        with self.progress:
            self.all_frames = self.progress.add_task(title, total=total or sum(self.frames.values()) or 1)
            yield self

    def started(self, task: Task) -> None:
        self.began[task.name] = time.monotonic()
        if task.name in self.frames:
            self.shown[task.name] = self.progress.add_task(task.name, total=self.frames[task.name])

    def told(self, task: Task, message: Mapping[str, Any]) -> None:
        if message["event"] == "computing":
            self._say(f"computing run {message['run']}")
            if self.all_frames is not None:
                self.progress.update(self.all_frames, completed=message["done"])
        elif message["event"] == "done":
            self.took[task.name] = message["seconds"]
        elif message["event"] == "frames":
            self.advance(task.name, message["frames"])

    def ended(self, task: Task, failure: Failure | None) -> None:
        if task.name in self.shown:
            self.advance(task.name, self.frames[task.name])
            self.progress.remove_task(self.shown.pop(task.name))
            took = time.monotonic() - self.began[task.name]
            self._say(f"{'failed' if failure else 'rendered'} {task.name} in {took:.1f} s")

    def reused(self, name: str) -> None:
        self._say(f"unchanged {name}")

    def advance(self, name: str, frames: int) -> None:
        """So many frames (or steps) of a scene are done."""
        self.done[name] = min(frames, self.frames[name])
        if name in self.shown:
            self.progress.update(self.shown[name], completed=self.done[name])
        if self.all_frames is not None:
            self.progress.update(self.all_frames, completed=sum(self.done.values()))

    def _say(self, line: str) -> None:
        self.console.print(line, highlight=False, markup=False)
