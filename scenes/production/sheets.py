"""A contact sheet: the end of every step of a lecture in one picture, scenes looked at in processes side by side."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from explainers.errors import ExplainError
from explainers.traces import write_aside
from scenes.clock import to_seconds
from scenes.production import cache, pool
from scenes.production.films import must_fit
from scenes.production.plan import Job
from scenes.production.progress import Bars
from scenes.production.settings import Options
from scenes.registry import Course, SceneEntry, select

_QUALITY = "720p"


class _Sheet(Bars):
    """Notes where each step ended."""

    def __init__(self, scenes: Mapping[str, int]) -> None:
        super().__init__(scenes)
        self.ends: dict[str, list[int]] = {name: [] for name in scenes}

    def told(self, task: pool.Task, message: Mapping[str, Any]) -> None:
        if message["event"] == "looked":
            self.ends[task.name].append(message["end"])
            self.advance(task.name, len(self.ends[task.name]))


def sheet(target: str, out: Path | str, *, columns: int = 4, width: int = 480, course: Course | None = None) -> Path:
    """Write one PNG with the end of every step of a lecture (or of a scene), each with its name under it.

    A scene that fails has a cell that says so; the picture is written, and then `ExplainError` names them all.
    """
    entries = [entry for film in select([target], course or Course.default()) for entry in film.entries]
    must_fit(entries, Options())
    bars = _Sheet({entry.key: len(entry.section.steps) for entry in entries})
    with cache.workspace() as work:
        tasks = [_task(entry, work / str(index)) for index, entry in enumerate(entries)]
        with bars.shown_while("looking"):
            failures = pool.run(tasks, os.cpu_count() or 1, bars, lambda _: None)
        causes = {failure.name: failure.cause for failure in failures}
        cells: list[tuple[str, Image.Image | str]] = []
        for entry, task in zip(entries, tasks, strict=True):
            for step, end in enumerate(bars.ends[entry.key], start=1):
                picture = Image.open(task.work / "part" / f"{entry.name}_step{step}_end.png")
                small = picture.resize((width, width * picture.height // picture.width), Image.Resampling.LANCZOS)
                cells.append((f"{entry.name} {step}  {to_seconds(end):.1f} s", small))
            if entry.key in causes:
                cells.append((f"{entry.name} failed", causes[entry.key]))
    buffer = io.BytesIO()
    _grid(cells, columns, width).save(buffer, "PNG")
    write_aside(Path(out), buffer.getvalue())
    if failures:
        raise ExplainError("; ".join(failure.line() for failure in failures) + f" (the others are in {out})")
    return Path(out)


def _task(entry: SceneEntry, folder: Path) -> pool.Task:
    job = Job(entry, Options(quality=_QUALITY).picture_of(entry.code)).to_json(folder / "part")
    return pool.Task(entry.key, {**job, "kind": "look"}, folder)


def _grid(cells: Sequence[tuple[str, Image.Image | str]], columns: int, width: int) -> Image.Image:
    label, gap, columns = 22, 6, max(1, min(columns, len(cells)))
    height = max((cell.height for _, cell in cells if not isinstance(cell, str)), default=width * 9 // 16)
    rows = -(-len(cells) // columns)
    picture = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + label + gap) + gap), "#202428")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    for index, (name, cell) in enumerate(cells):
        x = gap + index % columns * (width + gap)
        y = gap + index // columns * (height + label + gap)
        if isinstance(cell, str):
            lines = [cell[start : start + width // 8] for start in range(0, len(cell), width // 8)]
            draw.multiline_text((x, y), "\n".join(lines), fill="#f08070", font=font)
        else:
            picture.paste(cell, (x, y))
        draw.text((x, y + height + 2), name, fill="#d0d4d8", font=font)
    return picture
