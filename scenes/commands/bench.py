"""``explain bench``: measurements of this project's own speed."""

from __future__ import annotations

from typing import Any

import click

from scenes.commands.common import print_json


@click.group()
def bench() -> None:
    """Measure how fast films are made."""


@bench.command()
@click.argument("targets", nargs=-1, metavar="[LECTURES or SCENES]...")
@click.option("--quality", default="1080p", show_default=True, help="480p, 720p, 1080p or 4k.")
@click.option("--fps", type=int, default=60, show_default=True, help="Frames a second.")
@click.option("--jobs", type=int, help="Scenes rendered at once; default one a core.")
@click.option("--engine", default="fast", show_default=True, help="fast or stock.")
@click.option("--compare/--no-compare", default=True, help="Compare frames and films with stock's (two more drawings).")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def render(targets: tuple[str, ...], compare: bool, as_json: bool, **chosen: Any) -> None:
    """Render scenes with stock `manim render` and with `explain render` in turn, and compare.

    Name a few scenes (`explain bench render 3/AShortNote 7/OneGroup`): a lecture at 1080p60 takes stock Manim an hour
    on a slow machine.
    """
    from scenes.production.bench import bench as measure
    from scenes.production.settings import Options

    found = measure(list(targets), Options(**chosen), lambda line: click.echo(line, err=as_json), compare=compare)
    if as_json:
        print_json(found)
        return
    stock, ours = found["stock"], found["ours"]
    click.echo(
        f"in all: {found['playing_seconds']:.0f} s of film, {found['frames']} frames on {found['cores']} cores\n"
        f"  stock {stock['wall']:.1f} s (CPU {stock['cpu']:.1f} s), {stock['frames_a_second']:.1f} frames/s\n"
        f"  ours  {ours['wall']:.1f} s (CPU {ours['cpu']:.1f} s), {ours['frames_a_second']:.1f} frames/s, "
        f"{found['playing_ratio']:.2f} of the playing time, largest process {ours['peak'] / 1e9:.2f} GB\n"
        f"  {found['ratio']:.2f} × stock; {found['floor_ratio']:.2f} × the floor "
        f"({found['floor']:.1f} s to encode alone); {found['size_ratio']:.2f} × the size"
        + (f"; SSIM {found['stock_ssim']:.5f} → {found['ssim']:.5f}" if found["ssim"] is not None else "")
    )
