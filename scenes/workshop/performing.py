"""What the forks of ``explain watch`` do: play a scene and look at its steps, go on with new sources, film, check."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manim import CairoRenderer, config

from explainers.traces import write_aside
from scenes import script
from scenes.audit import goldens
from scenes.audit.walking import audit
from scenes.clock import to_seconds
from scenes.production.encoder import SceneVideo, png
from scenes.production.loading import load_class
from scenes.production.looking import LookingRenderer
from scenes.production.plan import entry_from_json
from scenes.production.settings import Options, Picture
from scenes.registry import Course
from scenes.report import StepReport
from scenes.stage import LectureScene
from scenes.workshop import outlines
from scenes.workshop.forks import Order, listener, say_error, stand, tell
from scenes.workshop.stepping import Machine, Place, Source

MOTION_FPS = 15


def act(order: Order) -> None:
    """An order to the base: play from the beginning, or check."""
    tell("started", what=order["do"], version=order["version"])
    {"draw": _begin, "check": _check}[order["do"]](order)


def _begin(order: Order) -> None:
    """Play the whole scene."""
    folder = Path(order["folder"])
    with configured(folder, order["quality"]):
        try:
            entry = entry_from_json(order["job"])
            renderer = LookingRenderer()
            scene = load_class(entry)(renderer=renderer)
            scene.script_file = entry.script
        except Exception as error:
            say_error(error, 0, order["job"]["file"], version=order["version"])
            return
        Performance(order, scene, renderer).play()


@contextmanager
def configured(folder: Path, quality: str) -> Iterator[None]:
    """Manim's settings for this process, which sets words and formulas in a folder of its own in ``folder``."""
    with Options(quality=quality).picture.configure(folder):
        outlines.take_own(folder)
        yield


class Performance:
    """One scene being played, in this process and in the forks that it leaves behind."""

    def __init__(self, order: Order, scene: LectureScene, renderer: LookingRenderer) -> None:
        self.order, self.scene, self.renderer = order, scene, renderer
        self.folder = Path(order["folder"])
        self.machine = Machine(scene, self._source(), self._at_step)
        scene.on_step_end.append(self._at_end)
        self._film: SceneVideo | None = None

    def _source(self) -> Source:
        return Source(Path(self.order["job"]["file"]), self.order["job"]["scene"])

    @property
    def _version(self) -> int:
        return int(self.order["version"])

    def play(self) -> None:
        """From the beginning."""
        self._guarded(self.scene.render)

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Exception as error:
            step = len(self.scene.finished) + 1
            say_error(error, step, self.order["job"]["file"], version=self._version)
            return
        tell("drawn", version=self._version, steps=len(self.scene.finished))

    # ------------------------------------------------------------------ at the steps
    def _at_step(self, place: Place, near: bool) -> None:
        """Leave a fork behind that can go on from here."""
        if self._film is not None:
            return
        step = len(self.scene.finished) + 1
        path = self.folder / f"v{self._version}s{step}{'n' if near else 'a'}"
        door = listener(path)
        child = os.fork()
        if child == 0:
            stand(door, self._taken_up)
        door.close()
        here = {"step": step, "near": near, "place": place.to_json(), "socket": str(path)}
        tell("stands", at=child, version=self._version, **here)

    def _at_end(self, report: StepReport) -> None:
        """Look at the end of a step."""
        if self._film is not None:
            self._film.close()
            tell("filmed", version=self._version, step=report.index, file=str(self._film_path))
            os._exit(0)
        path = self.folder / f"still-v{self._version}-s{report.index}.png"
        write_aside(path, png(self.renderer.look(self.scene)))
        seconds = to_seconds(report.end - report.start)
        told = {"step": report.index, "file": str(path), "at": time.time(), "seconds": round(seconds, 1)}
        tell("still", version=self._version, **told)
        outlines.share(self.folder)

    # ------------------------------------------------------------------ taken up
    def _taken_up(self, order: Order) -> None:
        """An order to a fork that stands before a step."""
        tell("started", what=order["do"], version=order["version"])
        self.order = order
        outlines.take_own(self.folder)
        if order["do"] == "film":
            self._start_film()
        self._guarded(self._go_on)

    def _go_on(self) -> None:
        entry = entry_from_json(self.order["job"])
        forget_lectures(Path(self.order["scenes"]))
        new = load_class(entry)
        script.load(entry.script)
        self.scene.__dict__["section"] = entry.section
        self.machine.resume(new, self._source())
        self.scene.tear_down()

    def _start_film(self) -> None:
        """From here on every frame is drawn, until the step ends."""
        size = self.scene.camera.pixel_width, self.scene.camera.pixel_height
        self._film_path = self.folder / f"film-v{self._version}-s{len(self.scene.finished) + 1}-{os.getpid()}.mp4"
        self._film = film = SceneVideo(self._film_path, Picture(*size, MOTION_FPS))
        config.frame_rate = self.scene.camera.frame_rate = MOTION_FPS
        renderer: Any = self.renderer
        renderer.__class__ = CairoRenderer
        renderer.skip_animations = renderer._original_skipping_status = False
        renderer.static_image = None
        renderer.file_writer.write_frame = lambda pixels, *, repeat=1: film.write(pixels, repeat)


def forget_lectures(folder: Path) -> None:
    """Modules of lectures are imported again by the next who asks for them."""
    folder = folder.resolve()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).resolve().is_relative_to(folder):
            del sys.modules[name]


# ---------------------------------------------------------------------- the check
def _check(order: Order) -> None:
    """The audit of the whole scene, its reviewed pictures included; told as a file."""
    entry = entry_from_json(order["job"])
    found = audit(entry)
    course = Course(Path(order["scripts"]), Path(order["scenes"]), entry.lecture.lang)
    place = goldens.folder(course)
    findings = list(found.findings)
    if place is not None and not any(finding.code == "scene-fails" for finding in findings):
        findings += goldens.check(found, place)
    with tempfile.NamedTemporaryFile("w", dir=order["folder"], suffix=".json", delete=False) as file:
        json.dump([finding.to_json() for finding in findings], file)
    tell("checked", version=order["version"], file=file.name)
