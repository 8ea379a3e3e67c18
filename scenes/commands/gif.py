"""``explain gif``: a scene as a small moving picture."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.commands.common import course_options


@click.command()
@click.argument("scene")
@click.argument("step", type=int, required=False)
@click.option("--out", type=click.Path(path_type=Path), help="GIF file; default out/SCENE.gif.")
@click.option("--width", type=click.IntRange(160, 1920), default=480, show_default=True, help="Pixels.")
@click.option("--colours", type=click.IntRange(8, 256), default=64, show_default=True)
@click.option("--still", type=click.FloatRange(0.2, 60), default=2.5, show_default=True, help="Longest standstill, s.")
@course_options
def gif(scene: str, step: int | None, out: Path | None, width: int, colours: int, still: float) -> None:
    """Write SCENE (or one STEP of it) as a GIF with few colours, for reviews and READMEs."""
    from scenes.workshop.gifs import gif as make

    path = make(scene, out, step=step, width=width, colours=colours, still=still)
    click.echo(f"{path}  ({path.stat().st_size / 1000:.0f} kB)")
