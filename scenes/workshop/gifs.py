"""A scene as a small GIF, for reviews and READMEs: few colours, and time only where something moves."""

from __future__ import annotations

import io
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from manim import CairoRenderer
from manim.scene.scene_file_writer import SceneFileWriter
from numpy.typing import NDArray
from PIL import Image

from explainers.errors import ExplainError
from explainers.traces import write_aside
from scenes.production.loading import load_class
from scenes.production.settings import Picture
from scenes.registry import Course, SceneEntry, select

#: A GIF counts time in hundredths of a second: ten frames a second are whole ones.
FPS = 10
#: A picture that stands longer than this is shortened: whoever looks at a GIF has no words to follow.
STILL_SECONDS = 2.5
_SAMPLED = 12  # frames from which the palette is made


class _Frames(SceneFileWriter):
    """Keeps every frame that is drawn, with the number of times that it is shown."""

    def __init__(self, settings: Any, kept: list[tuple[NDArray[np.uint8], int]]) -> None:
        super().__init__(settings)
        self.kept = kept

    def write_frame(self, pixels: NDArray[np.uint8], *, repeat: int = 1) -> None:
        same = self.kept and np.array_equal(self.kept[-1][0], pixels)
        if same:
            self.kept[-1] = (self.kept[-1][0], self.kept[-1][1] + repeat)
        else:
            self.kept.append((pixels[..., :3].copy() if pixels.shape[-1] == 4 else pixels.copy(), repeat))


def gif(
    target: str,
    out: Path | None = None,
    *,
    step: int | None = None,
    width: int = 480,
    colours: int = 64,
    still: float = STILL_SECONDS,
    course: Course | None = None,
) -> Path:
    """Write a scene (or one ``step`` of it, counted from 1) as a GIF and return its path.

    ``width`` in pixels, even; ``still`` is the longest that a picture stands, in seconds.
    """
    selection = select([target], course or Course.default())[0]
    if selection.whole:
        raise ExplainError(f"{target!r} is a lecture; name one scene, e.g. {selection.entries[0].name}")
    entry = selection.entries[0]
    if step is not None and not 1 <= step <= len(entry.section.steps):
        raise ExplainError(f"{entry.key} has no step {step}; it has {len(entry.section.steps)}")
    frames = draw(entry, Picture(width, round(width * 9 / 32) * 2, FPS), step)
    path = out or Path("out") / f"{entry.name}{f'_step{step}' if step else ''}.gif"
    write_aside(path, encode(frames, colours, still))
    return path


def draw(entry: SceneEntry, picture: Picture, step: int | None) -> list[tuple[NDArray[np.uint8], int]]:
    """Frames (height, width, 3) and how many times each is shown; steps that are not wanted are skipped."""
    kept: list[tuple[NDArray[np.uint8], int]] = []
    with tempfile.TemporaryDirectory(prefix="explain-gif-") as media, picture.configure(Path(media)):
        renderer = CairoRenderer(file_writer_class=partial(_Frames, kept=kept), skip_animations=step is not None)
        scene = load_class(entry)(renderer=renderer)
        scene.script_file = entry.script

        def wanted(index: int) -> None:
            renderer._original_skipping_status = step is not None and index != step

        scene.on_step_start.append(lambda begun: wanted(begun.index))
        scene.render()
    return kept


def encode(frames: list[tuple[NDArray[np.uint8], int]], colours: int, still: float) -> bytes:
    """The GIF: one palette for all frames, without dithering, so that what stands still costs nothing."""
    sampled = [frames[i][0] for i in np.linspace(0, len(frames) - 1, min(_SAMPLED, len(frames))).astype(int)]
    palette = Image.fromarray(np.concatenate(sampled)).quantize(colours, Image.Quantize.MEDIANCUT)
    shown: list[tuple[Image.Image, int]] = []
    for pixels, times in frames:
        picture = Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE)
        if shown and picture.tobytes() == shown[-1][0].tobytes():  # the same in so few colours
            shown[-1] = (picture, shown[-1][1] + times)
        else:
            shown.append((picture, times))
    pictures = [picture for picture, _ in shown]
    durations = [round(min(times / FPS, still) * 1000) for _, times in shown]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True, disposal=1
    )
    return buffer.getvalue()
