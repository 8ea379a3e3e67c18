"""``explain render``: lectures and scenes to films."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenes.commands.common import (
    as_minutes,
    context_options,
    course_options,
    fps_option,
    quality_option,
    unfit_option,
    voice_options,
)

if TYPE_CHECKING:
    from scenes.production.settings import FilmResult


@click.command()
@click.argument("targets", nargs=-1, metavar="[LECTURES or SCENES]...")
@quality_option
@fps_option
@context_options
@click.option("--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder of films.")
@click.option("--jobs", type=int, help="Scenes rendered at once; default one a core.")
@course_options
@voice_options
@unfit_option
@click.option("--engine", default="fast", show_default=True, help="fast, or stock: Manim's own renderer, untouched.")
@click.option("--cluster", metavar="ADDRESS", help="Draw on a Dask cluster: its scheduler, as tcp://host:8786.")
@click.option("--fresh", is_flag=True, help="Render again what the cache holds.")
def render(targets: tuple[str, ...], **chosen: Any) -> None:
    """Render lectures (`3`), scenes (`CacheGrows`, `3/CacheGrows`) or everything (`all`, the default).

    A lecture becomes one folder with an mp4 with chapters, captions (.vtt, .srt), a poster and manifest.json,
    which says every number shown and where it comes from.
    """
    from scenes.production import render as make
    from scenes.production.settings import Options

    if chosen["voice"] is None:
        del chosen["voice"]  # as the course's own file says
    begun = time.monotonic()
    for film in make(list(targets), Options(**chosen)):
        click.echo(describe(film))
        for note in film.notes:
            click.echo(f"  {note}", err=True)
    click.echo(f"done in {as_minutes(time.monotonic() - begun)}", err=True)


def describe(film: FilmResult) -> str:
    """One line: the file, its length, what was rendered and what came from the cache."""
    reused = f", {len(film.reused)} from the cache" if film.reused else ""
    count = f"{len(film.rendered)} scene" + ("" if len(film.rendered) == 1 else "s")
    return f"{film.video}  ({as_minutes(film.seconds)}, {count} rendered{reused})"
