"""``explain facts``: cited figures, with their sources and the references to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from explainers.errors import ExplainError
from scenes.commands.common import print_json

if TYPE_CHECKING:
    from explainers.facts import Found
    from explainers.quantities import Quantity


@click.command()
@click.argument("query", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of a listing.")
def facts(query: tuple[str, ...], as_json: bool) -> None:
    """Find cited figures (and numbers of models) by the words of QUERY.

    Prints what may be written into a script as {{ reference }}, with its value, source, date and confidence.
    Without QUERY: the files and how many figures they hold.
    """
    from explainers import facts as figures

    if not query:
        _overview(as_json)
        return
    found = figures.search(" ".join(query))
    derived = _derived(query)
    if not found and not derived:
        words = " ".join(query)
        raise ExplainError(f"no fact has all the words of {words!r}; try fewer, or `explain facts` for the files")
    if as_json:
        print_json([*(_row(item) for item in found), *(quantity.to_json() for quantity in derived)])
        return
    for item in found:
        _print(item)
    for quantity in derived:
        click.echo(f"{quantity.key} = {quantity.text()}\n    {quantity.origin.line()}")


def _overview(as_json: bool) -> None:
    from explainers import facts as figures

    counts = {file: len(figures.entries(file)) for file in figures.files()}
    if as_json:
        print_json(counts)
        return
    for file, count in counts.items():
        click.echo(f"fact.{file:<12} {count:3} entries")
    click.echo("explain facts WORDS finds figures, e.g. explain facts h800 memory")


def _derived(query: tuple[str, ...]) -> list[Quantity]:
    """Numbers of models whose reference has every word, if a word names a model."""
    from explainers import configs

    words = [part for word in query for part in word.lower().split(".")]
    chosen = [key for key in configs.MODELS if key in words]
    rest = [word for word in words if word not in chosen]
    return [
        configs.quantity(name) for key in chosen for name in configs.names(key) if rest and all(w in name for w in rest)
    ]


def _row(item: Found) -> dict[str, object]:
    entry, name = item.entry, item.field
    cited = entry.cited(name)
    return {
        "reference": item.reference,
        "shown": item.shown,
        "value": entry.fields[name],
        "unit": entry.units.get(name, ""),
        "showable": item.showable,
        "title": entry.title,
        "source": cited.source,
        "where": cited.where,
        "also_in": entry.also_in,
        "date": cited.date,
        "confidence": cited.confidence,
    }


def _print(item: Found) -> None:
    cited = item.entry.cited(item.field)
    recalled = item.entry.confidence_of(item.field) == "recalled"
    mark = "" if item.showable else "  (recalled: not shown)" if recalled else "  (text)"
    click.echo(f"{item.reference} = {item.shown}{mark}")
    place = ", ".join(part for part in (cited.source, cited.where, cited.date, cited.confidence) if part)
    click.echo(f"    {item.entry.title}: {place}")
