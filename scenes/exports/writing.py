"""`explain export`: made aside, then moved into place whole, so that a broken export leaves the one before."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import av

from explainers.errors import ExplainError, one_of
from scenes.exports.pictures import Moment
from scenes.exports.talk import Talk, talk
from scenes.player import folders
from scenes.player.films import Film
from scenes.production.assemble import publish

Tell = Callable[[str], None]
Format = Literal["html", "pptx", "pdf", "notes", "manim-slides"]
FORMATS: tuple[Format, ...] = ("html", "pptx", "pdf", "notes", "manim-slides")
#: In a folder that an export made and may replace.
MARK = ".explain-export"


def export(
    kind: str, films: Sequence[Film], out: Path, *, poster: Moment = "end", tell: Tell = lambda _: None
) -> list[Path]:
    """Write these films in one of `FORMATS` into the folder ``out``; returns what to open, a path a film.

    Raises `ExplainError` where a package is missing, ``out`` cannot be written, or a folder there is somebody else's.
    """
    if kind not in FORMATS:
        raise one_of("format", kind, list(FORMATS))
    if kind == "pptx":
        from scenes.exports import powerpoint

        powerpoint.available()
    with _aside(out) as making:
        return [_of_film(kind, film, making, out, poster, tell) for film in films]


@contextlib.contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """A folder on the same disk as ``out`` that is gone afterwards."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=out) as making:
            yield Path(making)
    except OSError as error:
        raise ExplainError(
            f"cannot write into {out} ({error.strerror or error}); choose another folder with --out"
        ) from error


def _of_film(kind: str, film: Film, making: Path, out: Path, poster: Moment, tell: Tell) -> Path:
    try:
        return _export(kind, talk(film), making, out, poster, tell)
    except av.error.FFmpegError as error:
        raise ExplainError(
            f"cannot read {film.video} ({error.strerror}); run `explain render {film.number}` again"
        ) from error


def _export(kind: str, about: Talk, making: Path, out: Path, poster: Moment, tell: Tell) -> Path:
    if kind == "manim-slides":
        return _manim_slides(about, making, out, tell)
    if kind == "html":
        from scenes.exports import deck

        _must_be_ours(out / about.name)
        deck.write(about, made := making / about.name)
        return _move(made, out / about.name) / "index.html"
    target = out / f"{about.name}.{'md' if kind == 'notes' else kind}"
    made = making / target.name
    if kind == "pptx":
        from scenes.exports import powerpoint

        powerpoint.write(about, made, poster)
    elif kind == "pdf":
        from scenes.exports import handout

        handout.write(about, made)
    else:
        from scenes.exports import notes

        notes.write(about, made)
    publish(made, target)
    return target


def _manim_slides(about: Talk, making: Path, out: Path, tell: Tell) -> Path:
    from scenes.exports import manim_slides

    data, files = making / f"{about.name}.json", making / about.name
    place = out / manim_slides.FOLDER
    _must_be_ours(place / "files" / about.name)
    files.mkdir()
    manim_slides.write(about, data, files, tell)
    (place / "files").mkdir(parents=True, exist_ok=True)
    _move(files, place / "files" / about.name)
    publish(data, place / data.name)
    return place / data.name


def _must_be_ours(target: Path) -> None:
    """Asked before the work begins."""
    if folders.is_foreign(target, MARK):
        raise ExplainError(f"{target} holds other things; choose another folder with --out")


def _move(made: Path, target: Path) -> Path:
    """Put a whole folder in the place of the one that was exported before."""
    (made / MARK).write_text("explain export\n", encoding="utf-8")
    folders.put(made, target)
    return target
