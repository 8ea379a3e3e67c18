"""``explain diff``: which steps look different since a revision."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("revision")
@click.argument("targets", nargs=-1, metavar="[LECTURES or SCENES]...")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/diff.html"), show_default=True)
def diff(revision: str, targets: tuple[str, ...], out: Path) -> None:
    """Say which steps look different since REVISION (main, HEAD~3, a tag), and write a page that shows them.

    Only scenes whose code, words or data changed are looked at, as they were and as they are.
    """
    from explainers.traces import write_aside
    from scenes.workshop.diff_page import page
    from scenes.workshop.differing import compare

    found = compare(revision, targets, tell=lambda key: click.echo(f"looking at {key}", err=True))
    for change in found.changes:
        much = f"{change.pixels} pixels" if change.pixels else "new" if change.before is None else "gone"
        click.echo(f"{change.scene} step {change.step}: {much}")
    for scene, why in found.failed.items():
        click.echo(f"{scene} could not be compared: {why}")
    write_aside(out, page(found).encode())
    click.echo(f"{len(found.changes)} steps differ, {len(found.looked)} scenes looked at: {out}")
