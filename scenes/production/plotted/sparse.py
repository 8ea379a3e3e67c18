"""Plots of runs that weigh sparse against dense: races, ledgers, memory, gates and teams."""

from __future__ import annotations

import numpy as np
from manim import Mobject

from explainers.traces import NamedArray, Trace
from scenes.kit import (
    Bar,
    BarChart,
    BarRow,
    Entry,
    ExpertField,
    Ledger,
    Legend,
    PackedChips,
    RaceRails,
    Rail,
    TensorGrid,
    TurnTimeline,
    column,
    quantity_at,
)
from scenes.production.plots import plot


@plot(
    "same_race",
    "Between a small and a large dense model",
    found="""In DeepSeekMoE's paper the sparse model goes {way_paper | percent 2} of the way from a small dense model
    ({paper_small | .3 bare}) to one with everything at work ({paper_large | .3 bare}).""",
    against="""Here it does not: {here_sparse | .3 bare} against {here_small | .3 bare} of the small dense one. The
    training here reads {tokens_ratio | words 2 bare} times fewer tokens.""",
)
def same_race(trace: Trace) -> Mobject:
    rails = []
    for name, race in (("DeepSeekMoE's\npaper", "paper"), ("here", "here")):
        start, end, reached = (trace.quantity(f"{race}_{point}") for point in ("small", "large", "sparse"))
        rails.append(Rail(name, start, end, reached))
    return RaceRails(rails, ends=("small dense model", "everything at work"), fmt="plain .3 bare", length=6.6)


@plot(
    "same_quality",
    "A sparse and a dense model of comparable quality",
    found="""DeepSeekMoE (sixteen billion parameters) against the dense DeepSeek of seven:
    {ratio_arithmetic | times 2} of the arithmetic, {ratio_cache | times 2} of the cache, {ratio_weights | times 2} of
    the weights in memory; many users together are served
    {ratio_together | times 2} as fast, at {ratio_money | times 2} of the money.""",
    against="""Comparable is not equal: the sparse model has {mmlu_moe | .1} where the dense one has {mmlu_dense | .1}
    (MMLU). What it saves in arithmetic it pays in memory.""",
)
def same_quality(trace: Trace) -> Mobject:
    names = trace["ratio"].labels["measure"]
    ratios = [quantity_at(trace["ratio"], index) for index in range(len(names))]
    entries = [Entry(name, each, "reward" if _good(name, float(each)) else "cost") for name, each in zip(names, ratios)]
    return Ledger(entries, middle="DeepSeek 7B, dense", width=7.6, pitch=0.7)


def _good(measure: str, ratio: float) -> bool:
    """Speeds are good above one, amounts below."""
    return ratio > 1 if measure in ("alone", "together") else ratio < 1


@plot(
    "node_room",
    "What fills a node, and who fits in",
    found="""Of {memory | si 3} a GPU, weights take {weights | si 3}. With MLA {users_mla_4k | plain} fit on the node at
    a short context, with eight key heads {users_gqa8_4k | plain}, with every head its own {users_mha_4k | plain}; at
    the longest context {users_mla_128k | plain}, {users_gqa8_128k | plain} and {users_mha_128k | plain}.""",
)
def node_room(trace: Trace) -> Mobject:
    names = ("memory", "weights", "reserve", "each_mla_4k", "users_mla_4k")
    chips = PackedChips(*(trace.quantity(name) for name in names), height=3.4)
    return column(chips, Legend([("weights", "expert"), ("a user's cache", "latent")]), gap=0.35)


@plot(
    "efficiency_ledger",
    "What V3's efficiency buys, and what it costs",
    found="""A token needs {work | percent 2} of the arithmetic and {cache | percent 2} of the cache; a weight
    {bytes | percent 2} of the bytes. In return {held | times 2} as many weights are held as work, and the busiest
    expert has {even | times 2} of the mean.""",
)
def efficiency_ledger(trace: Trace) -> Mobject:
    rows = (
        ("arithmetic", "work", "reward", "percent 2"),
        ("cache", "cache", "reward", "percent 2"),
        ("bytes of a weight", "bytes", "reward", "percent 2"),
        ("time, tokens guessed", "passes", "reward", "percent 2"),
        ("weights held", "held", "cost", "times 2"),
        ("busiest expert", "even", "cost", "times 2"),
    )
    entries = [Entry(name, trace.quantity(key), role, fmt) for name, key, role, fmt in rows]
    return Ledger(entries, middle="as usual", width=8.6, pitch=0.66)


@plot(
    "overlap",
    "Two batches that take turns",
    found="""One after the other, a layer's stages take {serial | si 3}; taking turns, so that one batch computes while
    the other travels, {overlapped | si 3}: {gain | times .2} as fast. The time in which nothing is computed falls from
    {idle_serial | percent 2} to {idle_overlapped | percent 2}.""",
    against="""It is modelled from the times of its stages, not measured: nothing waits for a slow expert here.""",
)
def overlap(trace: Trace) -> Mobject:
    line = TurnTimeline(trace["start"], trace["length"], lanes=("computing", "travelling"), thickness=0.8)
    return column(line, Legend([("attention", "query"), ("experts", "expert"), ("on the way", "router")]), gap=0.4)


@plot(
    "expert_teams",
    "Teams that a token can have, at equal work",
    found="""{experts_0 | plain bare} large experts and one for a token: {teams_0 | plain bare} teams. Cut finer, at
    the same work: {teams_1 | plain bare}, {teams_2 | words 3 bare}, and with V3's {chosen_3 | plain bare} of
    {experts_3 | plain bare}, {teams_3 | words 3 bare}; its groups leave {teams_in_groups | words 3 bare}.""",
)
def expert_teams(trace: Trace) -> Mobject:
    bars = [
        Bar(f"cut {words}", trace.quantity(f"teams_{cut}"), "expert")
        for cut, words in enumerate(("not", "once", "twice", "as in V3"))
    ]
    bars.append(Bar("and in groups", trace.quantity("teams_in_groups"), "router"))
    return BarChart(bars, log=True, fmt="words 3 bare", name="teams", length=6, thickness=0.45)


@plot(
    "untrained_gate",
    "A gate of V3's size before any training",
    found="""Every token of the sentence wakes its own few experts, by scores of weights that nobody has trained: the
    rules are V3's, the choice is chance.""",
)
def untrained_gate(trace: Trace) -> Mobject:
    chosen = trace["chosen"]
    values = NamedArray(chosen.values.astype(np.float64), chosen.axes, "chosen", labels=chosen.labels, run=trace.run)
    return TensorGrid(
        values, role="router", max_columns=256, width=11, height=4, row_labels=True, bar=False, gap=0.04, name="chosen"
    )


@plot(
    "untrained_layers",
    "As many gates as V3 has layers of experts",
    found="""One token wakes a few experts in every layer, a column each. Nobody has trained these gates: what is shown
    is how many of all experts one token ever meets.""",
)
def untrained_layers(trace: Trace) -> Mobject:
    chosen = trace["chosen"]
    field = ExpertField(chosen, width=10.5, height=3.4)
    often = NamedArray(chosen.values.sum(axis=(0, 1)), ("expert",), "chosen", run=trace.run, digest=trace.digest)
    return column(field, BarRow(often, width=10.5, height=1.0, y_name="how often", x_name="experts"), gap=0.35)
