"""The one door between computation and scenes: the trace of a run, by its name in the catalogue.

A *run* is a named pure function ``(parameters, seed, device) → Trace``. `get` answers with the recorded trace from
``assets/runs`` where one was recorded for these parameters, else with the memo on disk, else it computes.
Nothing here imports torch until a run really has to be computed.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from explainers import paths
from explainers.catalogue import CATALOGUE, DEFAULT_TEXT, Run, register
from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from explainers.sources import describe, fingerprint, is_checkpoint, refused
from explainers.traces import NamedArray, Trace

__all__ = [
    "CATALOGUE",
    "DEFAULT_TEXT",
    "Context",
    "NamedArray",
    "Run",
    "Trace",
    "context",
    "get",
    "quantity",
    "register",
    "set_context",
    "add_context",
]


@dataclass(frozen=True)
class Context:
    """What the user chose for every run: the sentence, the seed, the device, the source of weights.

    None means "the run's own default". Workers and the stock ``manim`` command inherit it through
    ``$EXPLAIN_CONTEXT``.
    """

    text: str | None = None
    seed: int | None = None
    device: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if self.seed is not None and self.seed < 0:
            raise ExplainError(f"the seed {self.seed} is negative; choose a whole number from 0 on")
        if self.text is not None and not self.text.strip():
            raise ExplainError("the text is empty; give at least one word with --text")

    def overrides(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def set_context(chosen: Context) -> None:
    """Choose for this process and the processes it starts."""
    os.environ["EXPLAIN_CONTEXT"] = json.dumps(chosen.overrides())


def add_context(**chosen: Any) -> None:
    """Choose these besides what was chosen before; None leaves one as it is."""
    if given := {name: value for name, value in chosen.items() if value is not None}:
        set_context(replace(context(), **given))


def context() -> Context:
    """What was chosen, from ``$EXPLAIN_CONTEXT``."""
    return Context(**json.loads(os.environ.get("EXPLAIN_CONTEXT", "{}")))


def get(name: str, *, fresh: bool = False, **params: Any) -> Trace:
    """The trace of a run.

    Parameters
    ----------
    name
        A name in `CATALOGUE`.
    fresh
        Compute again, whatever was recorded or remembered.
    params
        Parameters of the run, ``seed`` and ``device`` among them; they win over the `Context`, which wins
        over the run's defaults.
    """
    if name not in CATALOGUE:
        raise one_of("run", name, sorted(CATALOGUE))
    run = CATALOGUE[name]
    if not fresh and not params and not context().overrides() and run.recorded:
        return _recorded(run)  # the common way: no import of the run's module, so no torch
    chosen, device, memo = _asked(run, params)
    if not fresh and run.recorded and chosen == run.defaults():
        return _recorded(run)
    if not fresh and memo.is_file():
        try:
            return _load(str(memo), memo.stat().st_mtime_ns)
        except ExplainError:
            memo.unlink(missing_ok=True)  # a damaged memo is only a lost minute
    from explainers.devices import resolve_device

    accepts_device = "device" in inspect.signature(run.load()).parameters
    trace = run.load()(**chosen, **({"device": resolve_device(device)} if accepts_device else {}))
    trace.save(memo)
    return trace


def remembered(name: str, **params: Any) -> bool:
    """Whether `get` answers from a record or from the memo, without computing."""
    run = CATALOGUE[name]
    if run.recorded and not params and not context().overrides():
        return True
    chosen, _, memo = _asked(run, params)
    return memo.is_file() or (run.recorded and chosen == run.defaults())


def _asked(run: Run, params: Mapping[str, Any]) -> tuple[dict[str, Any], str, Path]:
    """What was asked for with what was chosen for all runs and the defaults, the device, and the place of the memo."""
    defaults = run.defaults()
    known = {*defaults, "device"}
    if unknown := sorted(set(params) - known):
        raise one_of(f"parameter of run {run.name}", unknown[0], sorted(known))
    check_source(run.name, str(params.get("source", "")))
    chosen = {**defaults, **_chosen_for(run, known), **params}
    device = chosen.pop("device", None) or "auto"
    return chosen, device, paths.cache() / "runs" / f"{run.name}-{memo_key(run.name, chosen)}.safetensors"


def _chosen_for(run: Run, known: set[str]) -> dict[str, Any]:
    """What the user chose for every run, as far as it applies: a run of the small models keeps them, and
    `model_of` says so, where the user chose a checkpoint."""
    chosen = {name: value for name, value in context().overrides().items() if name in known}
    if is_checkpoint(str(chosen.get("source", ""))) and run.weights != "any":
        del chosen["source"]
    return chosen


def check_source(name: str, source: str) -> None:
    """Refuse a checkpoint for a run that reads the small models, or none."""
    run = CATALOGUE.get(name)
    if run is not None and is_checkpoint(source) and run.weights != "any":
        raise refused(name, source)


def model_of(name: str) -> str:
    """Whose weights a run shows where the user chose a checkpoint: its title, "the small model", or nothing."""
    source, run = context().source or "", CATALOGUE.get(name)
    if run is None or not run.weights or not is_checkpoint(source):
        return ""
    return describe(source) if run.weights == "any" else "the small model"


def choices(name: str, small: bool = False) -> str:
    """In words, what the user chose and this run shows: `` of the model in PATH, your text, seed 3``; else nothing.

    ``small`` says that a trace of it is of a small model after all, where a scene has no use for the chosen one.
    """
    chosen, run = context().overrides(), CATALOGUE.get(name)
    if run is None or not chosen:
        return ""
    model, source = model_of(name), chosen.get("source", "")
    model = "the small model" if model and small else model
    if not model and run.weights and source and not is_checkpoint(source):
        model = source if "/" not in source else f"the model in {Path(source).name}"
    known = run.defaults() if {"text", "seed"} & set(chosen) else {}
    words = [f" of {model}"] if model else [""]
    words += ["your text"] if "text" in chosen and "text" in known else []
    words += [f"seed {chosen['seed']}"] if "seed" in chosen and "seed" in known else []
    return ", ".join(words)


def quantity(reference: str) -> Quantity:
    """``"low_rank.energy"`` → that number of that run."""
    run, _, name = reference.partition(".")
    return get(run).quantity(name)


def memo_key(name: str, params: Mapping[str, Any]) -> str:
    """Changes with the parameters, with this package's code and with the shipped weights and facts."""
    source = str(params.get("source", ""))
    files = fingerprint(source) if is_checkpoint(source) else ""
    about = json.dumps([name, dict(params), code_digest(), *([files] if files else [])], sort_keys=True, default=str)
    return hashlib.sha256(about.encode()).hexdigest()[:24]


@cache
def code_digest() -> str:
    """SHA-256 over this package's sources, the facts, the shipped models and the records (runs may build on them)."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    files = [*package.rglob("*.py"), *(paths.assets() / "facts").glob("*.toml"), *(paths.assets() / "models").glob("*")]
    files += (paths.assets() / "runs").glob("*.safetensors")
    for path in sorted(file for file in files if file.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _recorded(run: Run) -> Trace:
    path = run.record()
    if not path.is_file():
        raise ExplainError(
            f"the record of run {run.name!r} is missing at {path}; make it with `explain train {run.name}`"
        )
    return _load(str(path), path.stat().st_mtime_ns)


@cache
def _load(path: str, _modified: int) -> Trace:
    return Trace.load(path)
