"""``explain docs``: the documentation as pages."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("only", nargs=-1, metavar="[NAME]...")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out/docs"), show_default=True)
def docs(only: tuple[str, ...], out: Path) -> None:
    """Build the documentation: a page for each object of the kit and each run, the codes of the check, the house as it
    is, and a tutorial. All pictures and outputs are made anew, which takes minutes.

    NAMEs (TensorGrid, low_rank, text-over-text, tutorial, house) build these alone, in seconds.
    """
    from scenes.docs.site import build

    first = build(out, only, tell=lambda line: click.echo(line, err=True))
    click.echo(first)
