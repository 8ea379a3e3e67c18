"""Pictures out of a film: what stands at the end of each step, large and as a thumbnail, and the poster."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
from PIL import Image

from explainers import paths
from explainers.errors import ExplainError
from scenes.player.films import Film

LARGE, SMALL = 1280, 320  # pixels wide, at most
_VERSION = b"pictures-2"


def draw(film: Film, target: Path) -> None:
    """Write ``step-N.webp`` and ``small-N.webp`` for each step (N from 1 over the film) and ``poster.webp``.

    A step's picture is the film's own frame, the last of the step. Pictures of a film that did not change come from
    the cache.
    """
    kept = paths.cache() / "site" / _digest(film)
    if not (kept / "poster.webp").is_file():
        making = kept.with_name(f".{kept.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        _draw(film, making)
        shutil.rmtree(kept, ignore_errors=True)
        making.rename(kept)
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(kept.iterdir()):
        shutil.copyfile(file, target / file.name)


def _digest(film: Film) -> str:
    digest = hashlib.sha256(_VERSION)
    for file in (film.video, film.folder / "poster.png", film.folder / "manifest.json"):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:32]


def _draw(film: Film, folder: Path) -> None:
    wanted = [int(step["end_frame"]) - 1 for step in film.steps]
    for number, image in enumerate(frames(film.video, wanted, int(film.manifest["settings"]["fps"])), start=1):
        _save(image, folder / f"step-{number}.webp", LARGE)
        _save(image, folder / f"small-{number}.webp", SMALL)
        if number == 1:
            first = image
    poster = film.folder / "poster.png"
    _save(Image.open(poster).convert("RGB") if poster.is_file() else first, folder / "poster.webp", LARGE)


def frames(video: Path, wanted: Sequence[int], fps: int) -> Iterator[Image.Image]:
    """Frames of a film by their numbers (ascending), decoded from the key frame before each."""
    with av.open(str(video)) as container:
        stream: Any = container.streams.video[0]
        for number in wanted:
            time = number / fps
            container.seek(int((time + 0.25 / fps) / stream.time_base), stream=stream)
            for frame in container.decode(stream):
                if frame.pts is not None and float(frame.pts * stream.time_base) > time - 0.5 / fps:
                    yield frame.to_image()
                    break
            else:
                raise ExplainError(f"{video} ends before its frame {number}; render the lecture again")


def _save(image: Image.Image, path: Path, width: int) -> None:
    at_most(image, width).save(path, "WEBP", quality=84, method=4)


def at_most(image: Image.Image, width: int) -> Image.Image:
    """A picture, made smaller where it is wider than so many pixels."""
    if image.width <= width:
        return image
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
