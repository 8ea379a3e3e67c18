"""Look at a scene without making a film of it: every animation jumps to its end, and frames are drawn only on demand.

Stills, contact sheets and the audit stand on `walk`: a scene of a minute takes a few seconds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from manim import CairoRenderer, Mobject, Scene
from numpy.typing import NDArray

from scenes.kit import theme
from scenes.production.loading import load_class
from scenes.production.settings import Picture
from scenes.registry import SceneEntry
from scenes.report import SceneReport, StepReport
from scenes.stage import LectureScene

Pixels = NDArray[np.uint8]  # (height, width, 4), RGBA


class LookingRenderer(CairoRenderer):
    """Skips every frame; `look` draws the scene as it stands."""

    def __init__(self) -> None:
        super().__init__(skip_animations=True)
        self.looking = False
        self.on_motion: Callable[[LectureScene, float], None] | None = None

    def save_static_frame_data(self, scene: Any, static_mobjects: Iterable[Mobject]) -> None:
        self.static_image = None

    def update_frame(self, scene: Any, mobjects: Any = None, *args: Any, **kwargs: Any) -> None:
        if self.looking:
            super().update_frame(scene, mobjects, *args, **kwargs)

    def render(self, scene: Any, time: float, moving_mobjects: Any = None) -> None:
        if self.on_motion and time < scene.duration:
            self.on_motion(scene, time / scene.duration)

    def look(self, scene: LectureScene) -> Pixels:
        """The frame that the scene would show now."""
        self.looking, self.static_image = True, None
        try:
            super().update_frame(scene)
            return self.get_frame()
        finally:
            self.looking = False


def frame_of(*mobjects: Mobject) -> Pixels:
    """Mobjects that belong to no scene, on the theme's ground; drawn under the settings in force."""
    renderer = CairoRenderer(skip_animations=True)
    scene = Scene(renderer=renderer)
    scene.camera.background_color = theme.role("ground")
    scene.add(*mobjects)
    renderer.update_frame(scene, ignore_skipping=True)
    return np.asarray(renderer.get_frame())


def walk(
    entry: SceneEntry,
    picture: Picture,
    *,
    at_end: Callable[[LectureScene, StepReport, Callable[[], Pixels]], None] | None = None,
    at_motion: Callable[[LectureScene, float, Callable[[], Pixels]], None] | None = None,
    samples: Sequence[float] = (),
) -> SceneReport:
    """Run a scene and visit it at the end of each step, and at fractions ``samples`` of each animation.

    A visitor gets the scene, the step's report (or the fraction), and a function that draws the frame.
    """
    scene_class = load_class(entry)
    with tempfile.TemporaryDirectory(prefix="explain-look-") as media, picture.configure(Path(media)):
        renderer = LookingRenderer()
        scene = scene_class(renderer=renderer)
        scene.script_file = entry.script  # this instance speaks the entry's language
        scene.sampled = tuple(samples) if at_motion else ()
        if at_end is not None:
            scene.on_step_end.append(lambda report: at_end(scene, report, lambda: renderer.look(scene)))
        if at_motion is not None:
            renderer.on_motion = lambda _, part: at_motion(scene, part, lambda: renderer.look(scene))
        scene.render()
        return scene.report()
