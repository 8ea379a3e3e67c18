"""``explain publish-kit``: a folder that can be uploaded."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.commands.common import course_options


@click.command("publish-kit")
@click.argument("lecture", type=int)
@click.option(
    "--films", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder of rendered films."
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("out/publish"), show_default=True, help="Folder of kits."
)
@course_options
@click.option("--picture", metavar="SCENE[/STEP]", default="", help="What the thumbnail shows; default: the poster.")
def publish_kit(lecture: int, films: Path, out: Path, picture: str) -> None:
    """Make the folder that goes to YouTube or a learning platform with LECTURE, which was rendered before.

    It holds the film, captions (.srt, .vtt), title, chapters and description with sources as text, a thumbnail
    (1280×720, below 2 MB), and the film's loudness, measured.
    """
    from scenes.publishing import kit

    folder, notes = kit(lecture, films, out, picture)
    for file in sorted(folder.iterdir()):
        click.echo(f"{file}  ({file.stat().st_size / 1000:,.0f} kB)")
    for note in notes:
        click.echo(f"  {note}", err=True)
