"""Plots of the runs that are computed from published figures: caches, rooflines, serving."""

from __future__ import annotations

import numpy as np
from manim import Mobject

from explainers.traces import Trace
from scenes.kit import (
    Bar,
    BarChart,
    Legend,
    LineChart,
    Roof,
    RooflineChart,
    Series,
    Work,
    column,
    quantity_at,
    row,
)
from scenes.production.plots import plot, where


@plot(
    "kv_generations",
    "Cache of one token over DeepSeek's generations",
    found="""From {ds67b | plain} a token (sixty-seven-billion dense model, GQA) to {v4_1_flash | plain}:
    {first_to_last | times 3} less. V2's MLA alone gave {v2_architecture_gain | times .1}. Of the whole gain
    {v4_1_flash_architecture_gain | times 3} is architecture and {v4_1_flash_precision_gain | times .1} the number
    format.""",
    against="""V3.2 holds more values than V3, not fewer ({v3_2_bf16 | plain} against
    {v3_bf16 | plain} if both were kept in BF16): its indexer keeps keys of its own. Its smaller cache is all number
    format ({v3_2_precision_gain | times .2}).""",
)
def kv_generations(trace: Trace) -> Mobject:
    sizes = trace["bytes_per_token"]
    bars = [Bar(name, quantity_at(sizes, i), "latent" if i else "key") for i, name in enumerate(_names(trace))]
    return BarChart(bars, log=True, fmt="si 3", name="cache of a further token", length=6)


def _names(trace: Trace) -> tuple[str, ...]:
    return trace["bytes_per_token"].labels["generation"]


@plot(
    "kv_attentions",
    "Cache of one token: one model, five attentions",
    found="""V3's heads with every kind of attention: MHA {mha | si 3}, GQA with eight heads {gqa8 | si 3}, MLA {mla |
    si 3}, MQA {mqa | si 3}. MLA holds {mla_vs_mha | times 3} less than MHA and {mla_vs_gqa8 | times 3} less than GQA;
    {tokens_in_memory_mla | words 3} tokens fit into the {gpu_memory | si 2} of one GPU, with MHA {tokens_in_memory_mha
    | words 3}.""",
    against="""MQA stays smaller than MLA: its cache is {mla_vs_mqa | percent .0} of MLA's. What is published of MLA is
    the quality of MHA, not the smallest cache.""",
)
def kv_attentions(trace: Trace) -> Mobject:
    sizes = trace["bytes_per_token"]
    roles = ("key", "value", "query", "latent", "muted")
    bars = [Bar(name, quantity_at(sizes, i), roles[i]) for i, name in enumerate(sizes.labels["attention"])]
    return BarChart(bars, log=True, fmt="si 3", name="cache of a token, all layers", length=6.5, thickness=0.5)


@plot(
    "absorption_counts",
    "MLA's decoding step in three orders",
    found="""One layer, one new token, with a context of thirty-two thousand: absorbed {absorbed_flops_32k | si 3} and
    {absorbed_bytes_32k | si 3} read; keys and values kept {full_cache_flops_32k | si 3} but {full_cache_bytes_32k | si
    3}; expanded anew at every step {reexpanding_flops_32k | si 3}.""",
    against="""Absorption is no saving of arithmetic against a full cache: it computes more (the full cache needs
    {full_cache_flops_ratio_32k | times 2} of its FLOPs) in order to read {full_cache_bytes_ratio_32k | times 2} less.
    In prefill it would cost {prefill_flops_ratio | times 2} the FLOPs, and is not used.""",
)
def absorption_counts(trace: Trace) -> Mobject:
    roles = {"keys and values kept": "key", "expanded anew": "cost", "absorbed": "latent"}
    charts = []
    for array, name in (("flops", "computed"), ("bytes", "read")):
        curves = [Series(o, where(trace[array], order=o), trace["length"], role=r) for o, r in roles.items()]
        charts.append(
            LineChart(curves, x_name="context", y_name=name, x_log=True, y_log=True, width=4.6, height=3.6, names="")
        )
    return column(row(*charts, gap=0.5), Legend(list(roles.items())), gap=0.3)


@plot(
    "roofline_decode",
    "Decoding attention under the roofs of real chips",
    found="""The FLOPs for each byte read from the cache: MHA {intensity_mha | .0}, GQA with eight heads
    {intensity_gqa8 | .0}, MQA {intensity_mqa | .0}, MLA absorbed {intensity_mla_absorbed | .0}. H800 needs {ridge_h800
    | .0} to be limited by computing, so MHA can use {share_mha_h800 | percent .1} of it at best and MLA
    {share_mla_absorbed_h800 | percent .0}; on A100 and H200 MLA is limited by computing.""",
)
def roofline_decode(trace: Trace) -> Mobject:
    chips = (("H800", "h800", "text"), ("H200", "h200", "muted"), ("A100", "a100", "muted"))
    roofs = [Roof(n, trace.quantity(f"peak_{k}"), trace.quantity(f"bandwidth_{k}"), r) for n, k, r in chips]
    works = (("MHA", "mha", "key"), ("GQA-8", "gqa8", "value"), ("MQA", "mqa", "query"))
    dots = [Work(name, trace.quantity(f"intensity_{key}"), role) for name, key, role in works]
    dots.append(Work("MLA, absorbed", trace.quantity("intensity_mla_absorbed"), "latent"))
    return RooflineChart(roofs, dots, width=9, height=4.4)


@plot(
    "serving",
    "What a million tokens cost, by attention",
    found="""A model, not a measurement: {param.gpus} H800 at {price | usd} an hour, every user served at least
    {param.slowest} tokens a second. V3 with MLA {cost_moe_mla}, with GQA of eight heads {cost_moe_gqa8}, with MHA
    {cost_moe_mha}; a dense model of its size with MLA {cost_dense_mla}. A node serves {users_mla_4k} users at a
    context of four thousand tokens with MLA, {users_mha_4k} with MHA.""",
    against="""Beyond eight thousand tokens MHA serves nobody at that speed: its curve ends. With MHA experts save
    nothing ({cost_dense_mha} dense, {cost_moe_mha} sparse): memory is full before the batch is large enough. And an
    FP8 cache brings MLA nothing at this context ({cost_moe_mla_fp8_cache}): speed for the user, not memory, is the
    limit.""",
)
def serving(trace: Trace) -> Mobject:
    cost, context = trace["best_cost"], trace["context"]
    roles = {"MHA": "key", "GQA-8": "value", "MLA": "latent", "MQA": "query"}
    curves = []
    for name, role in roles.items():
        each = where(cost, attention=name)
        served = np.flatnonzero(each.values).tolist()  # where nobody can be served there is no cost
        curves.append(Series(name, each.pick(context=served), context.pick(context=served), role=role))
    return LineChart(curves, x_name="context", y_name="cost", x_log=True, y_log=True, width=8, height=4.3)


@plot(
    "serving_day",
    "DeepSeek's published serving day, recounted",
    found="""From the published speeds of a node follow {nodes | .1} nodes and {cost | usd 5} a day, where
    {published_average_nodes | .1} and {published_cost | usd} were published (difference {nodes_error | percent .2}).
    Tokens at list price would have brought {revenue | usd}.""",
    against="""From bytes, FLOPs and kernel speeds alone the model finds {model_nodes | .0} nodes and {model_cost | usd
    5}: a lower bound, {utilisation | percent .0} of what ran. Idle hours, scheduling, unequal loads and requests that
    come and go are the rest, and the model does not contain them.""",
)
def serving_day(trace: Trace) -> Mobject:
    nodes = trace["nodes"]
    roles = {"published": "text", "from published speeds": "accent", "least by the model": "latent"}
    bars = [
        Bar(name, quantity_at(nodes, nodes.labels["account"].index(name)), role)
        for name, role in roles.items()
        if name in nodes.labels["account"]
    ]
    chart = BarChart(bars, fmt=".1", name="nodes of eight GPUs, mean over the day", length=6.5, thickness=0.6)
    chart.axes.remove(chart.axes.names)  # "node" once more
    return chart
