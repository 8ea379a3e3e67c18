"""The catalogue: every run by name, with where its function is. `explainers.runs` answers with their traces.

Nothing here imports a run's module: an entry is a name, and the function behind it is loaded when it has to compute.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explainers import extensions, paths, signatures
from explainers.errors import ExplainError
from explainers.traces import Trace

#: What the runs of a sentence read, if nobody chooses another.
DEFAULT_TEXT = "Read this line, then read the next line."


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
        minutes=10,
    ),
    Run(
        "engine_gpu",
        "explainers.experiments.engine:engine_gpu",
        "the same on a GPU: V3's real sizes, long contexts and large batches, beside the chip's measured ceilings",
        recorded=True,
        minutes=5,
    ),
    Run(
        "roofline_measured",
        "explainers.experiments.measured:roofline_measured",
        "attention over V3's cache and V3's experts by batch, as measured on a GPU, for the rooflines",
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
