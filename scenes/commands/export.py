"""``explain export``: lectures as decks, hand-outs and notes."""

from __future__ import annotations

from pathlib import Path

import click

_FORMATS = ("html", "pptx", "pdf", "notes", "manim-slides")


@click.command()
@click.argument("kind", type=click.Choice(_FORMATS), metavar="FORMAT")
@click.argument("lectures", type=int, nargs=-1, metavar="[LECTURES]...")
@click.option("--quality", default="720p", show_default=True, help="Of what must be rendered: 480p, 720p, 1080p or 4k.")
@click.option(
    "--films", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder of rendered films."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("export"), show_default=True, help="Folder.")
@click.option("--jobs", type=int, help="Scenes rendered at once; default one a core.")
@click.option("--lang", default="en", show_default=True, help="Language of the lectures.")
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
    lang: str,
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
    from scenes.player import films_in
    from scenes.production import render
    from scenes.production.settings import Options
    from scenes.registry import Course

    course = Course.default(lang)
    wanted = [course.lecture(number).number for number in lectures] or [one.number for one in course.lectures]
    here = {film.number for film in films_in(films) if film.lang == lang}
    if missing := [number for number in wanted if number not in here]:
        click.echo(
            f"rendering {'lecture' if len(missing) == 1 else 'lectures'} {', '.join(map(str, missing))}", err=True
        )
        render(missing, Options(quality=quality, out=films, jobs=jobs, lang=lang))
    chosen = [film for film in films_in(films) if film.lang == lang and film.number in wanted]
    for path in write(kind, chosen, out, poster=poster, tell=lambda line: click.echo(line, err=True)):  # type: ignore[arg-type]
        click.echo(path)
