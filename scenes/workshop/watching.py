"""``explain watch``: notices that a file was saved, and lets the forks draw what has changed.

The watcher itself imports neither Manim nor the scene. It keeps the forks that stand before each step, asks
`scenes.workshop.changes` from which of them the new sources can go on, and keeps the last good picture of every step.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from explainers import paths
from explainers.errors import ExplainError
from scenes import script
from scenes.production import plan
from scenes.production.settings import Options
from scenes.production.source import reach
from scenes.registry import Course, SceneEntry, select
from scenes.workshop import forks
from scenes.workshop.changes import State, may_go_on
from scenes.workshop.stepping import Place

POLL_SECONDS = 0.05
MOST_STANDING = 24  # forks that are kept; each takes some 10 MB of its own
_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Standing:
    """A fork before a step (``near``: what the step needs is built), and the sources under which it came there."""

    pid: int
    step: int
    near: bool
    socket: Path
    place: Place
    state: State


@dataclass
class Shown:
    """What the page shows of one step: words, the last good picture, and whether a newer one is awaited."""

    narration: str
    file: str = ""
    version: int = 0
    seconds: float = 0.0
    awaited: bool = True
    film: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "narration": self.narration,
            "picture": Path(self.file).name if self.file else "",
            "seconds": self.seconds,
            "awaited": self.awaited,
            "film": Path(self.film).name if self.film else "",
        }


@dataclass
class View:
    """Everything that the page shows."""

    scene: str = ""
    heading: str = ""
    version: int = 0
    status: str = "starting"
    began: int = 1
    latency: float | None = None
    steps: list[Shown] = field(default_factory=list)
    error: dict[str, Any] | None = None
    findings: list[dict[str, Any]] | None = None

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "steps": [step.to_json() for step in self.steps]}


class Watch:
    """Watches one scene; ``listeners`` are called with the view, as JSON, whenever it has changed."""

    def __init__(self, target: str, quality: str = "720p") -> None:
        self.target, self.quality = target, quality
        _ = Options(quality=quality).picture  # a wrong quality is said before anything starts
        selection = select([target], Course.default())[0]
        if selection.whole:
            raise ExplainError(f"{target!r} is a lecture; name one scene to watch, e.g. {selection.entries[0].name}")
        self.folder = Path(tempfile.mkdtemp(prefix="explain-watch-"))
        self.view = View()
        self.listeners: list[Callable[[str], None]] = []
        self.lock = threading.RLock()
        self._standing: list[Standing] = []  # the oldest first
        self._playing: set[int] = set()
        self._checking: set[int] = set()
        self._states: dict[int, State] = {}
        self._orders: dict[int, dict[str, Any]] = {}
        self._ordered = 0  # the version whose drawing was ordered last
        self._saved_at = time.time()
        self._base: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._stamps: dict[Path, int] = {}
        self._stopped = threading.Event()

    # ------------------------------------------------------------------ its life
    def run(self) -> None:
        """Watch until `stop` is called."""
        self._start()
        self._stamps = self._look()
        self._changed(set())
        while not self._stopped.wait(POLL_SECONDS):
            stamps = self._look()
            changed = {path for path in {*stamps, *self._stamps} if stamps.get(path) != self._stamps.get(path)}
            if changed:
                self._stamps = stamps
                self._saved_at = max([stamps[path] / 1e9 for path in changed if path in stamps], default=time.time())
                self._changed(changed)
            elif self._process is not None and self._process.poll() is not None:
                raise ExplainError(f"the drawing process has ended: {self._last_words()}")

    def stop(self) -> None:
        """End everything that was started, and remove its files."""
        self._stopped.set()
        if self._process is not None:
            assert self._process.stdin is not None
            with suppress(BrokenPipeError):
                self._process.stdin.close()  # every fork sees that, and ends
            for pid in [*self._playing, *self._checking]:
                _kill(pid)
            self._process.wait(timeout=10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        with (self.folder / "log.txt").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from scenes.workshop.forks import main; main()", str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        threading.Thread(target=self._hear, daemon=True).start()

    def _last_words(self) -> str:
        log = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return log[-1] if log else "it said nothing"

    # ------------------------------------------------------------------ what is on disk
    def _look(self) -> dict[Path, int]:
        """File → time of its last change, for every file on which the scene's picture depends."""
        return {path: stat.st_mtime_ns for path in self._files() if (stat := _stat(path)) is not None}

    def _files(self) -> Iterator[Path]:
        course = Course.default()
        with suppress(ExplainError, SyntaxError, OSError):
            entry = self._entry(course)
            self._last_files = [entry.code.file, entry.script, *reach(entry.code.file)]
            self._last_files.append(script.names_file(entry.script))
        yield from getattr(self, "_last_files", [])
        yield from course.scenes.rglob("*.py")
        yield from (paths.assets() / "facts").glob("*.toml")
        yield from (paths.assets() / "runs").glob("*.safetensors")

    def _entry(self, course: Course) -> SceneEntry:
        return select([self.target], course)[0].entries[0]

    def _state(self, entry: SceneEntry, course: Course) -> State:
        file, folder = entry.code.file.resolve(), course.scenes.resolve()
        files = {path for path in reach(file) if path.is_relative_to(folder)} | {file}
        sources = {path: path.read_text(encoding="utf-8") for path in files}
        for path, text in sources.items():
            ast.parse(text, str(path))
        return State(entry.name, file, sources, entry.section)

    # ------------------------------------------------------------------ a change
    def _changed(self, files: set[Path]) -> None:
        course = Course.default()
        with self.lock:
            self.view.version += 1
            self._interrupt()
            try:
                entry = self._entry(course)
                state = self._state(entry, course)
                _ = [step.narration for step in entry.section.steps]  # a reference that names nothing is an error here
            except (ExplainError, SyntaxError, OSError, ValueError) as error:
                self._refuse(error)
                return
            self._states[self.view.version] = state
            self._show(entry)
            scenes = course.scenes.resolve()
            ours = {entry.script.resolve()} | {path for path in files if path.resolve().is_relative_to(scenes)}
            whole = bool({path.resolve() for path in files} - {path.resolve() for path in ours}) or self._base is None
            self._orders[self.view.version] = self._order(entry, course)
            if whole:
                self._new_base()
            else:
                self._draw()

    def _refuse(self, error: Exception) -> None:
        """The sources cannot be read: say so, and keep every picture."""
        where = f"{Path(error.filename or '').name}:{error.lineno}" if isinstance(error, SyntaxError) else ""
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        self.view.status, self.view.latency = "error", None
        self.view.error = {"text": text, "where": where, "step": 0, "trace": ""}
        self._publish()

    def _show(self, entry: SceneEntry) -> None:
        self.view.scene, self.view.heading = entry.key, entry.section.heading
        self.view.status, self.view.error, self.view.latency, self.view.findings = "drawing", None, None, None
        old = self.view.steps
        self.view.steps = [old[i] if i < len(old) else Shown("") for i in range(len(entry.section.steps))]
        for shown, step in zip(self.view.steps, entry.section.steps, strict=True):
            shown.narration, shown.awaited, shown.film = step.narration, True, ""

    def _order(self, entry: SceneEntry, course: Course) -> dict[str, Any]:
        job = plan.Job(entry, Options(quality=self.quality).picture).to_json(self.folder)
        places = {"folder": str(self.folder), "scripts": str(course.scripts), "scenes": str(course.scenes)}
        return {"version": self.view.version, "quality": self.quality, "job": job, **places}

    def _new_base(self) -> None:
        """Something else than the lecture has changed: import everything anew."""
        self._let_go(len(self._standing))
        self._base = self.folder / f"base{self.view.version}"
        first = self.folder / "first"
        if first.exists():
            forks.order(first, do="base", socket=str(self._base), version=self.view.version)

    def _draw(self) -> None:
        """From the last fork whose past is not touched, or from the beginning."""
        version = self.view.version
        state, details = self._states[version], self._orders[version]
        able = [s for s in self._standing if may_go_on(s.place, s.step, s.state, state)]
        best = max(able, key=lambda standing: (standing.step, standing.near), default=None)
        self.view.began = best.step if best else 1
        for index, shown in enumerate(self.view.steps, start=1):
            shown.awaited = index >= self.view.began
        self._publish()
        where = best.socket if best is not None else self._base
        if where is not None and where.exists():
            self._ordered = version
            forks.order(where, do="draw", **details)

    def _interrupt(self) -> None:
        for pid in [*self._playing, *self._checking]:
            _kill(pid)
        self._playing.clear()
        self._checking.clear()

    def _let_go(self, count: int) -> None:
        """End the oldest forks. Others stay, though they do not fit now: a change is often taken back."""
        for _ in range(count):
            _kill(self._standing.pop(0).pid)

    def film(self, step: int) -> None:
        """Film one step; the view names the file when it is there."""
        with self.lock:
            state = self._states[self.view.version]
            able = [s for s in self._standing if s.step == step and may_go_on(s.place, step, s.state, state)]
            if not able:
                raise ExplainError(f"step {step} cannot be filmed alone; `explain render` makes the whole scene")
            forks.order(able[-1].socket, do="film", **self._orders[self.view.version])

    # ------------------------------------------------------------------ what the forks tell
    def _hear(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            with self.lock:
                getattr(self, f"_on_{message['event']}")(message)
                self._publish()

    def _current(self, message: Mapping[str, Any]) -> bool:
        return int(message.get("version", -1)) == self.view.version

    def _on_first(self, message: Mapping[str, Any]) -> None:
        if self._base is not None and not self._base.exists():
            forks.order(self.folder / "first", do="base", socket=str(self._base), version=self.view.version)

    def _on_base(self, message: Mapping[str, Any]) -> None:
        awaited = self._ordered != self.view.version  # a file saved just now may have found the base already
        if awaited and self._base is not None and self._base.exists() and self.view.status == "drawing":
            self._draw()

    def _on_started(self, message: Mapping[str, Any]) -> None:
        if not self._current(message):
            _kill(message["pid"])
            return
        (self._checking if message["what"] == "check" else self._playing).add(message["pid"])

    def _on_stands(self, message: Mapping[str, Any]) -> None:
        step, place = message["step"], Place.from_json(message["place"])
        if not self._current(message):
            _kill(message["at"])
            return
        state = self._states[message["version"]]
        self._standing.append(Standing(message["at"], step, message["near"], Path(message["socket"]), place, state))
        self._let_go(len(self._standing) - MOST_STANDING)

    def _on_still(self, message: Mapping[str, Any]) -> None:
        if not self._current(message) or message["step"] > len(self.view.steps):
            return
        shown = self.view.steps[message["step"] - 1]
        shown.file, shown.version, shown.awaited = message["file"], message["version"], False
        shown.seconds = message["seconds"]
        if self.view.latency is None:
            self.view.latency = round(message["at"] - self._saved_at, 3)

    def _on_drawn(self, message: Mapping[str, Any]) -> None:
        self._playing.discard(message["pid"])
        if self._current(message):
            self.view.status = "checking"
            assert self._base is not None
            forks.order(self._base, do="check", **self._orders[self.view.version])

    def _on_checked(self, message: Mapping[str, Any]) -> None:
        self._checking.discard(message["pid"])
        if self._current(message):
            self.view.findings = json.loads(Path(message["file"]).read_text(encoding="utf-8"))
            self.view.status = "ready"

    def _on_filmed(self, message: Mapping[str, Any]) -> None:
        self._playing.discard(message["pid"])
        if self._current(message):
            self.view.steps[message["step"] - 1].film = message["file"]

    def _on_error(self, message: Mapping[str, Any]) -> None:
        self._playing.discard(message["pid"])
        if not message.get("version") or self._current(message):
            self.view.status = "error"
            self.view.error = {key: message[key] for key in ("text", "where", "step", "trace")}

    def _publish(self) -> None:
        text = json.dumps(self.view.to_json(), ensure_ascii=False)
        for listener in list(self.listeners):
            listener(text)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
