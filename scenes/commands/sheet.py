"""``explain sheet``: one picture with the end of every step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scenes.commands.common import context_options, course_options


@click.command()
@click.argument("target")
@click.option("--out", type=click.Path(path_type=Path), help="PNG file; default out/sheet_TARGET.png.")
@click.option("--columns", type=click.IntRange(1, 12), default=4, show_default=True)
@context_options
@course_options
def sheet(target: str, out: Path | None, columns: int, **chosen: Any) -> None:
    """Draw a contact sheet of a lecture or scene TARGET: the end of every step in one picture."""
    from explainers import runs
    from scenes.production.sheets import sheet as draw

    runs.add_context(**chosen)
    click.echo(draw(target, out or Path("out") / f"sheet_{target.replace('/', '_')}.png", columns=columns))
