"""``explain play``: the site on this machine."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from scenes.commands.common import course_options, quality_option, rendered


@click.command()
@click.argument("lecture", type=int, required=False)
@quality_option
@course_options
@click.option(
    "--films", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder of rendered films."
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("site"), show_default=True, help="Folder of the site."
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: any free one.")
@click.option("--jobs", type=int, help="Scenes rendered at once; default one a core.")
@click.option("--browser/--no-browser", default=True, help="Open the page in a browser.")
def play(lecture: int | None, quality: str, films: Path, out: Path, port: int, jobs: int | None, browser: bool) -> None:
    """Open LECTURE (default: the whole course) on localhost; a lecture that was not rendered yet is rendered first.

    Only this machine can reach the page. Ctrl-C ends it.
    """
    from scenes.commands.site import describe
    from scenes.player import build_site, films_in, serve
    from scenes.registry import Course

    course = Course.default()
    rendered(course, [lecture] if lecture else [], films, quality, jobs)
    found = films_in(films, course=course)
    click.echo(describe(build_site(found, out, tell=lambda line: click.echo(line, err=True))), err=True)
    with serve(out, port) as server:
        address = f"{server.url}#{lecture}" if lecture else server.url
        click.echo(f"{address}   (Ctrl-C ends it)")
        if browser:
            click.launch(address)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
