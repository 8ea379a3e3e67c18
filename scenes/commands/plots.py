"""``explain plots``: one picture a run, and the notes beside them."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("names", nargs=-1, metavar="[RUN]...")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the pictures; by default assets/runs/plots.")
@click.option("--width", type=click.IntRange(min=160), default=960, show_default=True, help="Pixels.")
def plots(names: tuple[str, ...], out: Path | None, width: int) -> None:
    """Draw a PNG for each RUN (all that are recorded or instant) and, without --out, write assets/runs/README.md."""
    from scenes.production.plots import available, draw, folder
    from scenes.production.run_notes import write

    for name in names or tuple(available()):
        click.echo(draw(name, out or folder(), width))
    if out is None:
        click.echo(write())
