"""Pictures of a scene's steps in seconds, for whoever makes the scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from explainers.errors import ExplainError, one_of
from explainers.traces import write_aside
from scenes.production.encoder import png
from scenes.production.films import must_fit
from scenes.production.looking import Pixels, walk
from scenes.production.settings import Options, Picture
from scenes.registry import Course, SceneEntry, select
from scenes.report import StepReport
from scenes.stage import LectureScene

When = Literal["end", "mid", "both"]


def stills(
    scene_name: str,
    quality: str = "720p",
    out_dir: Path | str = ".",
    when: When = "end",
    *,
    step: int | None = None,
    course: Course | None = None,
) -> list[Path]:
    """Write ``<scene>_step2_end.png`` for each step, and for ``mid`` the middle of each animation.

    Parameters
    ----------
    scene_name
        ``"CacheGrows"`` or ``"3/CacheGrows"``.
    when
        ``"end"`` of steps, ``"mid"`` of animations, or ``"both"``.
    step
        Only this step, counted from 1.
    """
    if when not in ("end", "mid", "both"):
        raise one_of("moment", when, ("end", "mid", "both"))
    written: list[Path] = []
    for selection in select([scene_name], course or Course.default()):
        for entry in selection.entries:
            if step is not None and not 1 <= step <= len(entry.section.steps):
                raise ExplainError(f"{entry.key} has no step {step}; it has {len(entry.section.steps)}")
            must_fit([entry], Options())
            written += of_scene(entry, Options(quality=quality).picture, Path(out_dir), when, step)
    return written


def of_scene(
    entry: SceneEntry,
    picture: Picture,
    folder: Path,
    when: When = "end",
    only: int | None = None,
    on_step: Callable[[StepReport], None] | None = None,
) -> list[Path]:
    """`stills` of one scene; ``on_step`` is told after each step."""
    written: list[Path] = []
    plays: dict[int, int] = {}

    def save(name: str, pixels: Pixels) -> None:
        path = folder / f"{entry.name}_{name}.png"
        write_aside(path, png(pixels))
        written.append(path)

    def at_end(_scene: LectureScene, report: StepReport, look: Callable[[], Pixels]) -> None:
        if when != "mid" and only in (None, report.index):
            save(f"step{report.index}_end", look())
        if on_step:
            on_step(report)

    def at_motion(scene: LectureScene, _part: float, look: Callable[[], Pixels]) -> None:
        index = scene.current.index if scene.current else 0
        plays[index] = plays.get(index, 0) + 1
        if only in (None, index):
            save(f"step{index}_play{plays[index]}_mid", look())

    walk(
        entry,
        picture,
        at_end=at_end,
        at_motion=at_motion if when != "end" else None,
        samples=(0.5,),
    )
    return written
