"""``explain site``: a static site from what was rendered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenes.commands.common import course_options

if TYPE_CHECKING:
    from scenes.player import SiteResult


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("site"), show_default=True, help="Folder of the site."
)
@click.option(
    "--films", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder of rendered films."
)
@course_options
def site(out: Path, films: Path) -> None:
    """Build a site from the lectures that were rendered.

    Step through the films, read and search what is said, and ask every number where it comes from. The folder works
    from any static host and, opened as a file, without any.
    """
    from explainers.errors import ExplainError
    from scenes.player import build_site, films_in
    from scenes.registry import Course

    found = films_in(films, course=Course.default())
    if not found:
        raise ExplainError(f"no rendered lecture in {films}; run `explain render all --out {films}`")
    click.echo(describe(build_site(found, out, tell=lambda line: click.echo(line, err=True))))


def describe(result: SiteResult) -> str:
    """One line: where it is, how many lectures, how large."""
    count = f"{len(result.lectures)} lecture" + ("" if len(result.lectures) == 1 else "s")
    return f"{result.folder / 'index.html'}  ({count}, {result.files} files, {result.size / 1e6:.1f} MB)"
