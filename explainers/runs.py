"""The catalogue of runs: the one door between computation and scenes.

A *run* is a named pure function ``(parameters, seed, device) → Trace``. `get` answers with the recorded trace from
``assets/runs`` where one was recorded for these parameters, else with the memo on disk, else it computes.
Nothing here imports torch until a run really has to be computed.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from explainers import extensions, paths, signatures
from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from explainers.sources import describe, fingerprint, is_checkpoint, refused
from explainers.traces import NamedArray, Trace

__all__ = [
    "CATALOGUE",
    "Context",
    "NamedArray",
    "Run",
    "Trace",
    "context",
    "get",
    "quantity",
    "set_context",
    "add_context",
]

DEFAULT_TEXT = "Read this line, then read the next line."


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


@dataclass(frozen=True)
class Run:
    """An entry of the catalogue.

    ``function`` is ``"module:name"``; ``recorded`` says that a trace of the default parameters ships in
    ``assets/runs``; ``minutes`` is what recomputing took on one slow core when it was recorded. ``weights`` says whose
    weights it reads: ``""`` none that a source could change, ``"small"`` the small models', ``"any"`` a released
    checkpoint's too.
    """

    name: str
    function: str
    summary: str
    recorded: bool = False
    minutes: float = 0.0
    weights: str = ""

    def load(self) -> Callable[..., Trace]:
        module, _, name = self.function.partition(":")
        return getattr(importlib.import_module(module), name)

    def defaults(self) -> dict[str, Any]:
        """Parameter → default, without ``device`` (which does not change the result beyond rounding)."""
        written = signatures.written_defaults(self.function, DEFAULT_TEXT=DEFAULT_TEXT)
        if written is None:
            parameters = inspect.signature(self.load()).parameters
            written = {name: parameter.default for name, parameter in parameters.items()}
        return {name: default for name, default in written.items() if name != "device"}

    def record(self) -> Path:
        return paths.assets() / "runs" / f"{self.name}.safetensors"


CATALOGUE: dict[str, Run] = {}


def register(*runs: Run) -> None:
    """Add runs to the catalogue. Those of installed packages come by themselves (`explainers.extensions`)."""
    for run in runs:
        if run.name in CATALOGUE:
            raise ExplainError(f"two runs are called {run.name!r}; rename one")
        CATALOGUE[run.name] = run


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


def choices(name: str) -> str:
    """In words, what the user chose and this run shows: `` of the model in PATH, your text, seed 3``; else nothing."""
    chosen, run = context().overrides(), CATALOGUE.get(name)
    if run is None or not chosen:
        return ""
    model, source = model_of(name), chosen.get("source", "")
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


register(
    Run(
        "kv_generations",
        "explainers.experiments.caches:kv_generations",
        "cache a token over six generations of DeepSeek, architecture and number format apart",
    ),
    Run(
        "kv_attentions",
        "explainers.experiments.caches:kv_attentions",
        "cache of MHA, GQA, MQA and MLA with one model's heads, beside one GPU's memory",
    ),
    Run(
        "absorption_counts",
        "explainers.experiments.caches:absorption_counts",
        "FLOPs and bytes of MLA's decoding step in three orders of multiplication",
    ),
    Run(
        "roofline_decode",
        "explainers.experiments.serving:roofline_decode",
        "decoding attention and experts under the rooflines of real chips",
    ),
    Run(
        "serving",
        "explainers.experiments.serving:serving_model",
        "a model of serving: batch and context against tokens a second and dollars a million tokens",
    ),
    Run(
        "serving_day",
        "explainers.experiments.serving:serving_day",
        "DeepSeek's published serving day recounted, from its speeds and from the model",
    ),
    Run(
        "position_cost",
        "explainers.experiments.serving:position_cost",
        "what a token costs by its place in the sequence, dense against V3.2's sparse attention",
    ),
)
register(
    Run(
        "mla_sentence",
        "explainers.experiments.latent:mla_sentence",
        "a sentence through latent attention: h, latent, keys, values, attention, absorption",
        recorded=True,
        weights="any",
    ),
    Run(
        "decode_work",
        "explainers.experiments.decoding:decode_work",
        "FLOPs of generating tokens with and without a cache, counted",
        recorded=True,
        weights="small",
    ),
    Run(
        "cache_held",
        "explainers.experiments.decoding:cache_held",
        "bytes really held in the caches of MHA, GQA, MQA and MLA of equal width",
        recorded=True,
        weights="any",
    ),
    Run(
        "latent_rank_sweep",
        "explainers.experiments.low_rank:latent_rank_sweep",
        "keys and values of a sentence squeezed to r numbers a token and back",
        recorded=True,
        weights="small",
    ),
    Run(
        "latent_cut",
        "explainers.experiments.latent_cut:latent_cut",
        "a sentence read with keys and values cut to r numbers a token: what comes back, what the model then says",
        weights="small",
    ),
    Run(
        "low_rank",
        "explainers.experiments.low_rank:low_rank",
        "spectra of keys and values before and after RoPE, and the loss when they are cut",
        minutes=3,
        recorded=True,
        weights="small",
    ),
    Run(
        "routing",
        "explainers.experiments.routing:routing",
        "a sentence through the gates: scores, bias, groups, experts, weights, answers",
        recorded=True,
        weights="any",
    ),
    Run(
        "balance",
        "explainers.experiments.balance:balance",
        "training with the bias rule, an auxiliary loss, neither, and a late rescue",
        minutes=12,
        recorded=True,
    ),
    Run(
        "specialisation",
        "explainers.experiments.specialisation:specialisation",
        "which expert serves which domain, over training and in the shipped model",
        minutes=4,
        recorded=True,
        weights="small",
    ),
    Run(
        "dense_sparse",
        "explainers.experiments.dense_sparse:dense_sparse",
        "dense against sparse at equal active parameters and at equal training FLOPs",
        minutes=6,
        recorded=True,
    ),
    Run(
        "attention_variants",
        "explainers.experiments.attention:attention_variants",
        "MHA, GQA, MQA and MLA of four ranks trained alike: loss against cached values",
        minutes=20,
        recorded=True,
    ),
)

register(
    Run(
        "untrained_gate",
        "explainers.experiments.untrained_gate:untrained_gate",
        "a sentence through a gate of a published model's size and rules, before any training",
        weights="small",
    ),
    Run(
        "untrained_layers",
        "explainers.experiments.untrained_gate:untrained_layers",
        "a sentence through as many such gates as the model has layers of experts",
        weights="small",
    ),
)

register(
    Run(
        "training_compute",
        "explainers.experiments.compute:training_compute",
        "training compute 6·N·D of V3 and other models, and of V3 with every parameter at work",
    ),
)

register(
    Run(
        "expert_teams",
        "explainers.experiments.teams:expert_teams",
        "teams of experts that a token can have, at equal work, with coarser and finer experts",
    ),
)

register(
    Run(
        "shared_read",
        "explainers.experiments.economy:shared_read",
        "one decoding step shared by more and more users: its time, and the cost of a token",
    ),
    Run("price_history", "explainers.experiments.economy:price_history", "list prices of output tokens since 2023"),
    Run("demand", "explainers.experiments.economy:demand", "tokens a day as two counters report them"),
    Run(
        "startup_month",
        "explainers.experiments.economy:startup_month",
        "a month of three workloads at list prices of November 2026",
    ),
)

register(
    Run(
        "question_checks",
        "explainers.experiments.scoreboard:question_checks",
        "a coding, a mathematics and a logic question, checked as benchmarks check them",
    ),
    Run("tries", "explainers.experiments.scoreboard:tries", "recorded answers scored by one try, by vote, by any of k"),
    Run("exams", "explainers.experiments.scoreboard:exams", "one model, the same small exam again and again: luck"),
    Run("score_cost", "explainers.experiments.scoreboard:score_cost", "AIME scores against dollars a problem"),
)

register(
    Run(
        "grpo",
        "explainers.experiments.reasoning:grpo",
        "GRPO on chains of digits, with thinking and without: curves, and what changed and what did not",
        recorded=True,
        minutes=4,
    ),
    Run(
        "grpo_group",
        "explainers.experiments.grpo_group:grpo_group",
        "one group of answers token by token: rewards, advantages, ratio, clip and KL before and after the step",
        recorded=True,
        minutes=1,
    ),
    Run(
        "grpo_skill",
        "explainers.experiments.grpo_skill:grpo_skill",
        "the same GRPO from starts that know less and more: is the skill learnt, or its use?",
        recorded=True,
        minutes=5,
    ),
    Run(
        "checking",
        "explainers.experiments.reasoning:checking",
        "GRPO where the pen slips and only rewriting saves a chain: learning to check",
        recorded=True,
        minutes=4,
    ),
    Run(
        "pass_at_k",
        "explainers.experiments.pass_at_k:score_samples",
        "pass@k and majority of the model's own samples before and after GRPO, with intervals",
        recorded=True,
        minutes=5,
    ),
    Run(
        "quantisation",
        "explainers.experiments.quantisation:quantisation",
        "FP8 with block scales: rounding error of the trained model's tensors, and its loss",
        recorded=True,
        minutes=1,
        weights="small",
    ),
    Run(
        "mtp",
        "explainers.experiments.mtp:mtp",
        "speculative decoding with the MTP head: guesses that stand, passes saved",
        recorded=True,
        minutes=2,
        weights="small",
    ),
)

register(
    Run(
        "indexer",
        "explainers.experiments.newer_attention:indexer",
        "a lightning indexer trained with the small model: which tokens it keeps, and what the others were worth",
        recorded=True,
        minutes=6,
    ),
    Run(
        "engine",
        "explainers.experiments.engine:engine",
        "times of experts and of decoding attention at real layer sizes, with floors and beside transformers",
        recorded=True,
        minutes=6,
    ),
    Run(
        "compression",
        "explainers.experiments.newer_attention:compression",
        "V4's compressed attention trained with the small model: what entries keep, and what they are worth",
        recorded=True,
        minutes=6,
    ),
)

register(
    Run(
        "same_race",
        "explainers.experiments.sparse_dense:same_race",
        "sparse between two dense models: here and in DeepSeekMoE's paper",
    ),
    Run(
        "same_quality",
        "explainers.experiments.sparse_dense:same_quality",
        "a sparse and a dense model of comparable quality: arithmetic, memory, speed, money",
    ),
    Run(
        "node_room",
        "explainers.experiments.sparse_dense:node_room",
        "what fills a GPU's memory, and how many users then fit on a node",
    ),
    Run(
        "efficiency_ledger",
        "explainers.experiments.sparse_dense:efficiency_ledger",
        "what V3's efficiency buys and what it costs, as ratios",
    ),
    Run(
        "overlap",
        "explainers.experiments.overlap:overlap",
        "communication hidden behind computing: two micro-batches that take turns, modelled",
    ),
    Run(
        "guess_strip",
        "explainers.experiments.guess_strip:guess_strip",
        "one beginning written on with the drafting head, pass by pass",
        recorded=True,
    ),
)

register(
    *(
        Run(name, entry.value, f"from the package {extensions.package(entry)}")
        for name, entry in extensions.offered("explain.runs").items()
    )
)
