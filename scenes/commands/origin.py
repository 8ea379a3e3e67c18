"""``explain origin``: where a number on screen comes from."""

from __future__ import annotations

import json

import click

from scenes.commands.common import course_options


@click.command()
@click.argument("text")
@click.argument("targets", nargs=-1, metavar="[LECTURES or SCENES]...")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@course_options
def origin(text: str, targets: tuple[str, ...], as_json: bool) -> None:
    """Say which number TEXT is ("37", "70.3 kB"): where it is shown or said, and its chain of origins."""
    from explainers.errors import ExplainError
    from scenes.audit.lookup import find

    places = find(text, targets, tell=lambda line: click.echo(f"note: {line}", err=True))
    if as_json:
        click.echo(json.dumps([place.to_json() for place in places], indent=1, ensure_ascii=False))
        return
    if not places:
        where = f" in {', '.join(targets)}" if targets else ""
        raise ExplainError(f"no number with {text!r} is shown or said{where}; give it as it stands on screen")
    explained: dict[str, None] = {}
    for place in places:
        click.secho(f"{place.text}", bold=True, nl=False)
        click.echo(f"   {place.where()}")
        chain = place.quantity.explain("    ")
        if chain not in explained:
            explained[chain] = None
            click.echo(chain)
