"""Draw one scene into one mp4: a thin layer over the seams that Manim offers (a scene's renderer, its file writer).

Manim draws, and nothing of it is replaced: the frames are those of the stock ``manim`` command, which
`explain bench render` and the tests compare. What is saved is around the drawing: what was done is not done again
(`camera`), a frame is handed on without being copied, and what stands still is neither drawn, converted nor encoded
again (`encoder`). ``engine="stock"`` takes Manim's own renderer as it is, for whoever doubts; a scene in which the
engine finds itself mistaken is drawn with it too.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from manim import CairoRenderer, Camera
from manim.scene.scene_file_writer import SceneFileWriter
from numpy.typing import NDArray

from scenes.clock import Measured
from scenes.production.camera import EngineCamera
from scenes.production.encoder import SceneVideo, must_be_whole, png
from scenes.production.loading import load_class
from scenes.production.settings import Picture
from scenes.production.tiles import Box, Mistaken
from scenes.registry import SceneEntry
from scenes.report import SceneReport
from scenes.stage import LectureScene

#: Told after every batch of frames: frames so far, and the step that is being drawn.
Progress = Callable[[int, int], None]


class _DirectWriter(SceneFileWriter):
    """Hands every frame to the encoder. Manim's own output is switched off, so nothing else is written."""

    #: Where frames can differ from the one before, if the camera knows.
    changed: Callable[[], list[Box] | None] = staticmethod(lambda: None)

    def __init__(self, settings: Any, video: SceneVideo) -> None:
        super().__init__(settings)
        self.video = video

    def write_frame(self, pixels: NDArray[np.uint8], *, repeat: int = 1) -> None:
        self.video.write(pixels, repeat, self.changed())


class StockRenderer(CairoRenderer):
    """Manim's renderer as it is, with the camera that the scene's class asks for (Manim's moving one, or in space)."""

    def init_scene(self, scene: Any, *settings: Any) -> None:
        if scene.camera_class is not Camera:
            self.camera = scene.camera_class()
        super().init_scene(scene, *settings)


class EngineRenderer(StockRenderer):
    """Manim's renderer, without the copy that it makes of each frame: the encoder has done with it on return."""

    def __init__(self, **options: Any) -> None:
        super().__init__(camera_class=EngineCamera, **options)

    def init_scene(self, scene: Any, *settings: Any) -> None:
        super().init_scene(scene, *settings)
        if isinstance(self.camera, EngineCamera):
            self.file_writer.changed = self.camera.changed

    def render(self, scene: Any, time: float, moving_mobjects: Any = None) -> None:
        self.update_frame(scene, moving_mobjects)
        self.add_frame(self.camera.pixel_array)

    def freeze_current_frame(self, duration: float) -> None:
        self.add_frame(self.camera.pixel_array, num_frames=int(duration / (1 / self.camera.frame_rate)))


RENDERERS: dict[str, type[CairoRenderer]] = {"fast": EngineRenderer, "stock": StockRenderer}


class SceneFailed(Exception):
    """A scene raised; ``step`` is where (0: outside its steps)."""

    def __init__(self, step: int) -> None:
        super().__init__(step)
        self.step = step


def draw(
    entry: SceneEntry,
    picture: Picture,
    folder: Path,
    progress: Progress | None = None,
    engine: str = "fast",
    make_video: Callable[..., SceneVideo] = SceneVideo,
    voiced: tuple[tuple[float, ...], ...] = (),
) -> SceneReport:
    """Write ``scene.mp4`` and ``poster.png`` (its last frame) into ``folder``; ``engine`` is one of `RENDERERS`.

    ``voiced``: when the words of each step begin, where a voice says them (`clock.Measured`).

    Raises `SceneFailed` from whatever the scene raised.
    """
    scene: LectureScene | None = None

    def on_frames(frames: int) -> None:
        if progress and scene is not None:
            progress(frames, scene.current.index if scene.current else 0)

    video = make_video(folder / "scene.mp4", picture, on_frames)
    try:
        scene_class = load_class(entry)
        with picture.configure(folder / "manim"):
            renderer = RENDERERS[engine](file_writer_class=partial(_DirectWriter, video=video))
            scene = scene_class(renderer=renderer)
            scene.script_file = entry.script  # the language that was asked for
            if voiced:
                scene.narrator = Measured(voiced)
            scene.on_step_start += [lambda _step: video.mark_step(), lambda _step: on_frames(video.frames)]
            scene.render()
    except Mistaken as error:
        video.abort()
        print(f"{entry.key} is drawn by Manim's own renderer: {error}", file=sys.stderr)
        shutil.rmtree(folder / "manim", ignore_errors=True)
        return draw(entry, picture, folder, progress, "stock", make_video, voiced)
    except BaseException as error:
        video.abort()
        raise SceneFailed(scene.current.index if scene and scene.current else 0) from error
    try:
        video.close()
    except (OSError, av.error.FFmpegError) as error:
        raise SceneFailed(len(scene.finished)) from error
    must_be_whole(folder / "scene.mp4", video.frames)
    assert video.last is not None, "a scene has at least one step, and a step lasts at least its hold"
    (folder / "poster.png").write_bytes(png(video.last))
    shutil.rmtree(folder / "manim", ignore_errors=True)
    return scene.report()
