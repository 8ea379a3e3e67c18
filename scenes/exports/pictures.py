"""Pictures of a talk's steps, from its film: what stands at the beginning and at the end of each."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PIL import Image

from scenes.exports.talk import Talk
from scenes.player.pictures import at_most, frames

Moment = Literal["start", "end"]


def draw(talk: Talk, folder: Path, moment: Moment, kind: str = "png", width: int | None = None) -> list[Path]:
    """Write one picture a step, in order: the first or the last frame, at most ``width`` pixels wide."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [slide.start if moment == "start" else slide.end - 1 for slide in talk.slides]
    paths = []
    for slide, image in zip(talk.slides, frames(talk.film.video, wanted, talk.picture.fps), strict=True):
        paths.append(folder / f"{moment}-{slide.number:02d}.{kind}")
        _save(image, paths[-1], width)
    return paths


def poster(talk: Talk, path: Path, width: int | None = None) -> Path:
    """The film's poster, else the end of its first step."""
    own = talk.film.folder / "poster.png"
    if own.is_file():
        with Image.open(own) as kept:
            _save(kept.convert("RGB"), path, width)
    else:
        (image,) = frames(talk.film.video, [talk.slides[0].end - 1], talk.picture.fps)
        _save(image, path, width)
    return path


def _save(image: Image.Image, path: Path, width: int | None) -> None:
    """In the format of the file's ending."""
    (at_most(image, width) if width else image).save(path, quality=88)  # of no meaning to a PNG
