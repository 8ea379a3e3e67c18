"""``explain train``: train the small models and record the runs that ship."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--list", "listing", is_flag=True, help="List what can be trained, with recipe and duration.")
@click.option("--json", "as_json", is_flag=True, help="With --list: as JSON.")
@click.option("--seed", type=int, help="Another seed than the recipe's (writes to the cache, not over what ships).")
@click.option("--steps", type=click.IntRange(min=1), help="Another number of optimiser steps (likewise).")
@click.option("--attention", help="mla, dsa (V3.2), csa (V4), mha, gqa or mqa in the model's place (likewise).")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or auto. What ships was trained on cpu.")
@click.option("--out", type=click.Path(path_type=Path), help="Write here: a folder for a model, a file for a run.")
@click.option("--again", is_flag=True, help="Start over instead of going on from a saved state.")
def train(
    names: tuple[str, ...],
    listing: bool,
    as_json: bool,
    seed: int | None,
    steps: int | None,
    attention: str | None,
    device: str,
    out: Path | None,
    again: bool,
) -> None:
    """Train a model or run an experiment by NAME and write its weights or its record; "all" is everything.

    With --attention alone the model is `small`: `explain train --attention dsa --steps 300`.

    A training that was stopped goes on where it was when it is called again, and ends with the same weights.
    """
    from explainers.errors import ExplainError
    from explainers.recording import make, recordables

    known = recordables()
    if attention is not None and not names and not listing:
        names = ("small",)
    if listing or not names:
        _show([vars(item) for item in known.values()], as_json)
        return
    chosen = list(known) if names == ("all",) else list(names)
    if out is not None and len(chosen) > 1:
        raise ExplainError(f"--out {out} is for one name, not {len(chosen)}; call `explain train` once for each")
    for name in chosen:
        path = make(name, seed=seed, steps=steps, attention=attention, device=device, out=out, again=again)
        click.echo(f"{name}: {path}")


def _show(items: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(items, indent=1))
        return
    for item in items:
        settings = item["settings"]
        assert isinstance(settings, dict)
        recipe = ", ".join(f"{key} {value}" for key, value in settings.items() if key != "text")
        click.echo(f"{item['name']!s:<20} {item['kind']!s:<6} {item['minutes']:>5g} min  {item['summary']}")
        click.echo(f"{'':<20} {recipe}")
