"""``explain run``: compute a run of the catalogue and say what came out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from explainers.errors import ExplainError
from scenes.commands.common import context_options, print_json

if TYPE_CHECKING:
    from explainers.runs import Run
    from explainers.traces import Trace

LIST = "list"
#: What a run says of itself in its meta, and the heading under which it is printed.
NOTES = {"note": "note", "error": "error", "assumptions": "assumptions", "left_out": "left out"}


@click.command()
@click.argument("name", metavar="NAME|list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the tensors as safetensors.")
@click.option("--fresh", is_flag=True, help="Compute again, whatever was recorded or remembered.")
@click.option("-p", "--param", "params", multiple=True, metavar="KEY=VALUE", help="A parameter of the run; repeatable.")
@context_options
def run(name: str, as_json: bool, save: Path | None, fresh: bool, params: tuple[str, ...], **chosen: Any) -> None:
    """Compute the run NAME and print its tensors (names, axes, shapes), digest and key numbers.

    `explain run list` names all runs. A run that was recorded is read from its record; --fresh computes it here.
    """
    from explainers import runs

    if name == LIST:
        _list(as_json)
        return
    runs.set_context(runs.Context(**chosen))
    if chosen.get("source") is not None:
        runs.check_source(name, chosen["source"])
    trace = runs.get(name, fresh=fresh, **dict(_parameter(text) for text in params))
    if save is not None:
        trace.save(save)
    if as_json:
        print_json(trace.to_json() | ({"saved": str(save)} if save else {}))
        return
    _describe(trace)
    if save is not None:
        click.echo(f"\nsaved to {save}")


def _parameter(text: str) -> tuple[str, Any]:
    """``"steps=300"`` → ``("steps", 300)``: a JSON value, else the text itself."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ExplainError(f"cannot read the parameter {text!r}; write -p key=value")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def _list(as_json: bool) -> None:
    from explainers.runs import CATALOGUE

    catalogue = sorted(CATALOGUE.values(), key=lambda entry: entry.name)
    if as_json:
        print_json([_entry(entry) for entry in catalogue])
        return
    width = max((len(entry.name) for entry in catalogue), default=0)
    for entry in catalogue:
        note = f" (recorded; {entry.minutes:g} min to compute again)" if entry.recorded else ""
        click.echo(f"{click.style(f'{entry.name:<{width}}', bold=True)}  {entry.summary}{note}")


def _entry(entry: Run) -> dict[str, Any]:
    return {"run": entry.name, "summary": entry.summary, "recorded": entry.recorded, "minutes": entry.minutes}


def _describe(trace: Trace) -> None:
    settings = ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in trace.params.items())
    click.echo(f"{click.style(trace.run, bold=True)}  seed {trace.seed}, {trace.device}")
    click.echo(f"parameters  {settings or 'none'}")
    click.echo(f"digest      {trace.digest}")
    if trace.arrays:
        click.echo("\ntensors")
        width = max(map(len, trace.arrays))
        for name, array in trace.arrays.items():
            shape = ", ".join(f"{axis} {length}" for axis, length in array.shape.items()) or "one value"
            unit = f", {array.unit}" if array.unit else ""
            click.echo(f"  {name:<{width}}  ({shape})  {array.values.dtype}{unit}")
    if trace.quantities:
        click.echo("\nnumbers")
        width = max(map(len, trace.quantities))
        for name, quantity in trace.quantities.items():
            about = quantity.name if quantity.name != name else ""
            click.echo(f"  {name:<{width}}  {quantity.text():<16}  {about}".rstrip())
    for key, words in NOTES.items():
        if key in trace.meta:
            click.echo(f"\n{words}")
            note = trace.meta[key]
            for line in [note] if isinstance(note, str) else note:
                click.echo(f"  {line}")
