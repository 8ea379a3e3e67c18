"""``explain sheet``: one picture with the end of every step."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.commands.common import course_options


@click.command()
@click.argument("target")
@click.option("--out", type=click.Path(path_type=Path), help="PNG file; default out/sheet_TARGET.png.")
@click.option("--columns", type=click.IntRange(1, 12), default=4, show_default=True)
@course_options
def sheet(target: str, out: Path | None, columns: int) -> None:
    """Draw a contact sheet of a lecture or scene TARGET: the end of every step in one picture."""
    from scenes.production.sheets import sheet as draw

    click.echo(draw(target, out or Path("out") / f"sheet_{target.replace('/', '_')}.png", columns=columns))
