"""Making what ships: train a model or run an experiment by name, and write its folder or its record."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explainers import paths, runs, shipping, training
from explainers.errors import ExplainError, one_of


@dataclass(frozen=True)
class Recordable:
    """Something that `make` can make."""

    name: str
    kind: str  # "model" or "run"
    minutes: float  # on one slow core
    summary: str
    settings: dict[str, Any]


def recordables() -> dict[str, Recordable]:
    """Models first, then the runs that are worth recording, by name."""
    found = {}
    for model in shipping.MODELS.values():
        recipe = model.recipe
        settings = {
            "steps": recipe.steps,
            "rows": recipe.rows,
            "length": recipe.length,
            "lr": recipe.lr,
            "seed": recipe.seed,
        }
        found[model.name] = Recordable(model.name, "model", model.minutes, model.summary, settings)
    for run in runs.CATALOGUE.values():
        if run.recorded or run.minutes:
            found[run.name] = Recordable(run.name, "run", run.minutes, run.summary, run.defaults())
    return found


def make(
    name: str,
    *,
    seed: int | None = None,
    steps: int | None = None,
    attention: str | None = None,
    device: str = "cpu",
    out: Path | None = None,
    again: bool = False,
) -> Path:
    """Train or run, and write.

    Parameters
    ----------
    seed, steps
        Other than the recipe's own; the result then goes to the cache, not over what ships.
    attention
        Of a model: another attention than its own; likewise.
    out
        Where to write instead: a folder for a model, a file for a run.
    again
        Do not take up states of earlier trainings.

    Returns
    -------
    Path
        The folder of the model or the file of the trace.
    """
    known = recordables()
    if name not in known:
        raise one_of("model or run", name, list(known))
    if again:
        training.ignore_states_before = time.time()
    if known[name].kind == "model":
        return shipping.train_shipped(name, steps=steps, seed=seed, attention=attention, device=device, out=out)[1]
    if attention is not None:
        raise ExplainError(f"{name!r} is a run and has its own attention; leave --attention out, or train a model")
    return _record(name, seed, steps, device, out)


def _record(name: str, seed: int | None, steps: int | None, device: str, out: Path | None) -> Path:
    run = runs.CATALOGUE[name]
    defaults = run.defaults()
    params: dict[str, Any] = {}
    if seed is not None:
        params["first_seed" if "first_seed" in defaults else "seed"] = seed
    if steps is not None:
        if "steps" not in defaults:
            raise ExplainError(f"run {name!r} has no steps to choose; leave --steps out")
        params["steps"] = steps
    changed = any(params[key] != defaults.get(key) for key in params)
    trace = runs.get(name, fresh=True, device=device, **{**defaults, **params})
    if out is None:
        out = paths.cache() / "records" / f"{name}-{trace.digest[:12]}.safetensors" if changed else run.record()
    return trace.save(out)
