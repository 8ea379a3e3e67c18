"""``explain export``: lectures as decks, hand-outs and notes."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.commands.common import course_options, quality_option, rendered

_FORMATS = ("html", "pptx", "pdf", "notes", "manim-slides")


@click.command()
@click.argument("kind", type=click.Choice(_FORMATS), metavar="FORMAT")
@click.argument("lectures", type=int, nargs=-1, metavar="[LECTURES]...")
@quality_option
@course_options
@click.option(
    "--films", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder of rendered films."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("export"), show_default=True, help="Folder.")
@click.option("--jobs", type=int, help="Scenes rendered at once; default one a core.")
@click.option(
    "--poster",
    type=click.Choice(("end", "start")),
    default="end",
    show_default=True,
    help="pptx: what stands on a slide until its film runs: the step's last picture, or its first.",
)
def export(
    kind: str,
    lectures: tuple[int, ...],
    quality: str,
    films: Path,
    out: Path,
    jobs: int | None,
    poster: str,
) -> None:
    """Write LECTURES (default: the whole course) for teaching, a slide or picture for each step.

    \b
    html          a folder with a deck for any browser, offline; S opens the speaker's window, ? says the keys
    pptx          a PowerPoint file with the films inside and speaker notes; needs python-pptx
    pdf           a hand-out: pictures, narration, every number with its origin
    notes         what is said and where the numbers come from, as Markdown
    manim-slides  slides/ as `manim-slides present` and `manim-slides convert` read it

    A lecture that was not rendered yet is rendered first.
    """
    from scenes.exports import export as write
    from scenes.registry import Course

    chosen = rendered(Course.default(), lectures, films, quality, jobs)
    for path in write(kind, chosen, out, poster=poster, tell=lambda line: click.echo(line, err=True)):  # type: ignore[arg-type]
        click.echo(path)
