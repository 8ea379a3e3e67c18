"""``explain inspect``: what a checkpoint is, counted from its configuration and from its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenes.commands.common import print_json

if TYPE_CHECKING:
    from explainers.inspection import Inspection


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON, with the origin of every number.")
def inspect(path: Path, as_json: bool) -> None:
    """Say what the checkpoint in the folder PATH is: family, sizes, parameters, cache a token.

    Counted twice, from config.json and from the headers of the files; where the two disagree, it says so. No weight is
    read and no code is run.
    """
    from explainers.checkpoints import Checkpoint
    from explainers.inspection import inspect as look

    found = look(Checkpoint(str(path).removeprefix("checkpoint:")))
    if as_json:
        print_json(found.to_json())
        return
    _describe(path, found)


def _describe(path: Path, found: Inspection) -> None:
    click.echo(f"{click.style(found.title, bold=True)}  {path}")
    formats = ", ".join(f"{dtype} {count:,}" for dtype, count in sorted(found.dtypes.items()))
    rows = [
        ("files", f"{found.files} with {found.tensors:,} tensors, {found.stored_bytes:,} bytes"),
        ("numbers by format", formats),
        ("parameters", f"{found.total.text()} by config.json; {found.stored_total:,} in the files"),
        ("active", f"{found.active.text()} by config.json; {found.stored_active:,} in the files"),
        ("MTP layers", f"{found.stored_mtp:,} in the files, not among the above"),
        ("cache a token", f"{found.cache.text()} ({found.cache_values.text()}) in BF16"),
    ]
    click.echo("\ncounted")
    for name, text in rows:
        click.echo(f"  {name:<20} {text}")
    click.echo("\nsizes")
    width = max(map(len, found.sizes))
    for name, value in found.sizes.items():
        click.echo(f"  {name:<{width}}  {value:,}" if not isinstance(value, str) else f"  {name:<{width}}  {value}")
    if not found.disagreements:
        click.echo(click.style("\nconfiguration and files agree", fg="green"))
        return
    click.echo(click.style("\nwhere they disagree", fg="yellow", bold=True))
    for line in found.disagreements:
        click.echo(f"  {line}")
