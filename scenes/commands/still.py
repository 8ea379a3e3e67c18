"""``explain still``: pictures of a scene's steps, in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scenes.commands.common import context_options, course_options, quality_option


@click.command()
@click.argument("scene")
@click.argument("step", type=int, required=False)
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/stills"), show_default=True, help="Folder.")
@quality_option
@click.option("--when", default="end", show_default=True, help="'end' of steps, 'mid' of animations, or 'both'.")
@context_options
@course_options
def still(scene: str, step: int | None, out: Path, quality: str, when: str, **chosen: Any) -> None:
    """Write PNG pictures of SCENE (all steps, or one STEP) without rendering video."""
    from explainers import runs
    from scenes.production.stills import stills

    runs.add_context(**chosen)
    for path in stills(scene, quality, out, when, step=step):  # type: ignore[arg-type]  # checked there
        click.echo(path)
