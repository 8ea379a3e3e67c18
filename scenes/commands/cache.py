"""``explain cache``: what was rendered, why, and how to be rid of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from scenes.commands.common import course_options, fps_option, quality_option


@click.group(invoke_without_command=True)
@click.pass_context
def cache(context: click.Context) -> None:
    """Show the rendered scenes that are kept; explain why they were rendered; prune."""
    if context.invoked_subcommand is not None:
        return
    from scenes.production import cache as parts

    kept = parts.kept()
    for part in kept:
        about = part.why.get("ingredients", {})
        day = time.strftime("%Y-%m-%d %H:%M", time.localtime(part.used))
        scene, size = about.get("scene", "unknown"), about.get("size and rate", "")
        click.echo(f"{scene:32s} {size:28s} {about.get('theme', ''):9s} {part.bytes / 1e6:7.2f} MB  used {day}")
    click.echo(f"{len(kept)} scenes, {sum(part.bytes for part in kept) / 1e6:.1f} MB in {parts.root()}")


@cache.command()
@click.argument("targets", nargs=-1, metavar="[LECTURES or SCENES]...")
@quality_option
@fps_option
@course_options
@click.option("--engine", default="fast", show_default=True, help="fast or stock.")
def why(targets: tuple[str, ...], **chosen: Any) -> None:
    """Say why scenes were rendered, and what would make the next `explain render` do it again."""
    from scenes.production.plan import Job
    from scenes.production.settings import Options
    from scenes.production.why import explain
    from scenes.registry import Course, select

    options = Options(**chosen)
    for film in select(list(targets), Course.default(options.lang)):
        for entry in film.entries:
            for line in explain(Job(entry, options.picture, options.engine)).lines():
                click.echo(line)


@cache.command()
@click.option("--limit", type=float, default=8.0, show_default=True, help="GB to keep, the last used first.")
@click.option("--all", "everything", is_flag=True, help="Remove every rendered scene.")
def prune(limit: float, everything: bool) -> None:
    """Remove the rendered scenes that were not used for the longest time."""
    from scenes.production import cache as parts

    count, freed = parts.prune(0 if everything else round(limit * 1e9))
    click.echo(f"{count} scene{'' if count == 1 else 's'} removed, {freed / 1e6:.1f} MB freed in {Path(parts.root())}")
