"""Plots of runs on the newer attentions: what an indexer keeps, and what compressed entries keep."""

from __future__ import annotations

import numpy as np
from manim import Mobject

from explainers.traces import NamedArray, Trace
from scenes.kit import Bar, BarChart, LineChart, Series, TensorGrid, row
from scenes.production.plots import plot, where


@plot(
    "indexer",
    "Which tokens a lightning indexer keeps",
    found="""V3.2's attention trained in the small model, on texts of {length} tokens: each token reads {kept} of those
    before it. The indexer's choice holds {held_indexer | percent .1} of the attention that full reading would spread
    over all of them; the newest as many tokens hold {held_newest | percent .1}, the best possible choice {held_best |
    percent .1}. Held-out loss {loss_chosen | .3}; the same model trained to read everything {loss_full | .3}.""",
    against="""Leaving out what the indexer does not choose costs nothing that the spread over seeds would not hide:
    {loss_chosen | .3} against {loss_all | .3} when the sparse model reads everything. But nor does an indexer gain much
    on these short texts: reading just the newest costs {loss_newest | .3}. That the indexer foresees attention is
    shown; that attention far back is worth having is not, with texts this short.""",
)
def indexer(trace: Trace) -> Mobject:
    grid = TensorGrid(
        trace["chosen"].pick(layer=1),
        role="latent",
        cell=0.066,
        max_rows=64,
        max_columns=64,
        name="layer 1: each row a token, what it reads",
        bar=False,
        rounding=0.0,
        gap=0.0,
    )
    bars = [
        Bar(name, trace.quantity(key), role)
        for name, key, role in (
            ("best possible", "held_best", "muted"),
            ("the indexer's", "held_indexer", "latent"),
            ("the newest", "held_newest", "token"),
        )
    ]
    return row(grid, BarChart(bars, fmt="percent .0", name="attention held", length=3.2, thickness=0.5), gap=0.7)


@plot(
    "compression",
    "What compressed entries keep",
    found="""V4's attention trained in the small model: beside a window of {window} tokens, one entry for {csa_ratio}
    tokens in sparse layers and for {hca_ratio} in heavily compressed ones. It keeps {cached} for a token and layer
    where MLA keeps {cached_mla}, and its held-out loss is {loss_chosen | .3}, MLA's {loss_mla | .3}. Attention in
    the second layer lies for {mass[layer=1,place=entries] | percent .0} on entries, in the others with entries for
    {mass[layer=2,place=entries] | percent .0} and {mass[layer=3,place=entries] | percent .0}.""",
    against="""Compression was expected to cost; here it is ahead of MLA, with {parameters | words 3} parameters against
    {parameters_mla | words 3}. Which of its parts does it (the window, the shared key and value, the sink) was not
    taken apart, and the training is short. What lies beyond the window is worth little on these texts: without its
    entries the same model has {loss_none | .3}, and reading all entries instead of the indexer's {kept} changes nothing
    ({loss_all | .3}).""",
)
def compression(trace: Trace) -> Mobject:
    shares = TensorGrid(
        trace["csa_share"].pick(layer=0),
        role="accent",
        cell=0.3,
        name="layer 1: how much tokens count in entries",
    )
    bars = [
        Bar(name, trace.quantity(key), role)
        for name, key, role in (("MLA", "cached_mla", "latent"), ("V4's attention", "cached", "accent"))
    ]
    return row(shares, BarChart(bars, fmt="plain", name="values kept a token", length=3.2, thickness=0.5), gap=0.7)


@plot(
    "engine",
    "Experts and decoding attention beside their floors",
    found="""CPU time of one thread. With V2-Lite's sizes the experts take {moe_over_products_v2_lite | .2} their bare
    products when tokens are many; the small model's {moe_over_products_small | .2}: in so narrow experts
    sorting rows and adding answers weigh more. Absorbed decoding is up to {decode_gain_v2_lite | .0} as
    fast as transformers' module, which expands keys and values anew (V2-Lite's sizes; the small model's
    {decode_gain_small | .0}; V3's {decode_gain_v3 | .1} at the longest context for which the module was
    waited for), and takes {decode_over_products_v3 | .2} its bare products at V3's size.""",
    against="""On a CPU absorbed decoding is far from reading its bytes once: {decode_over_bytes_v3 | .1} that at V3's
    size at worst. It stays close to its bare products, so what limits it is arithmetic, not memory. And with
    real experts and few tokens nothing is twice as fast as transformers ({moe_gain_v2_lite | .2} at least):
    its loop already takes little more than reading the weights. What can be saved lies between: some rows an
    expert are multiplied faster the other way round, as weights times rows.""",
)
def engine(trace: Trace) -> Mobject:
    return decoding(trace, "v2_lite")


_WAYS = {
    "transformers": ("transformers' MLA", "cost"),
    "MHA": ("MHA", "key"),
    "full cache": ("MLA, full cache", "value"),
    "fused": ("MLA absorbed", "latent"),
    "bytes": ("reading its bytes", "muted"),
}


def decoding(trace: Trace, size: str) -> LineChart:
    """Times of one decoding step of one layer of this size over its cache, one sequence, by the ways of doing it."""
    times = trace["decode"].pick(batch=0)
    curves = []
    for way, (name, colour) in _WAYS.items():
        line = where(times, size=size, way=way)
        at = np.array([float(label) for label in line.labels["context"]])
        kept = [int(place) for place in np.flatnonzero(np.isfinite(line.values))]
        x = NamedArray(at[kept], ("context",), "tokens in the cache", run=trace.run)
        curves.append(Series(name, line.pick(context=kept), x, role=colour))
    return LineChart(
        curves, x_name="tokens in the cache", y_name="one step of one layer", x_log=True, y_log=True, width=7.4
    )
