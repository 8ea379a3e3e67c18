"""Plots of runs about money and work: prices, shares of a reading, bills, and what a training computed."""

from __future__ import annotations

from manim import Mobject

from explainers.traces import Trace
from scenes.kit import (
    Bar,
    BarChart,
    LineChart,
    Listings,
    PriceRace,
    Series,
    column,
    quantity_at,
)
from scenes.production.plots import plot, where


@plot(
    "position_cost",
    "What a token costs by its place in the text",
    found="""At the end of the longest context, prefill costs {prefill_v3_128k | usd 2} with dense attention
    and {prefill_v3_2_128k | usd 2} with V3.2's sparse attention ({prefill_gain_128k | times .1} less),
    decoding {decode_v3_128k | usd 2} and {decode_v3_2_128k | usd 2} ({decode_gain_128k | times .1} less).""",
    against="""The model is not the measurement: published are {published_prefill_v3_128k | usd 2} and
    {published_prefill_v3_2_128k | usd 2} for prefill, {published_decode_v3_128k | usd 2} and
    {published_decode_v3_2_128k | usd 2} for decoding.""",
)
def position_cost(trace: Trace) -> Mobject:
    roles = {"DeepSeek-V3.1": "dense", "DeepSeek-V3.2": "latent"}
    cost, place = trace["decode"], trace["position"]
    curves = [Series(name, where(cost, model=name), place, role=role) for name, role in roles.items()]
    return LineChart(curves, x_name="place in the text", y_name="decoding", y_zero=True, width=8.4, height=4.3)


@plot(
    "shared_read",
    "One reading of the weights, shared",
    found="""Alone, a user pays {cost_1 | usd 3}; of two who share a step each pays {cost_2 | usd 3}, of four {cost_4 |
    usd 3}, of eight {cost_8 | usd 3}. The step itself grows only from {step_1 | plain .1} to {step_8 | plain
    .1}: it is spent on reading weights, which all can use.""",
)
def shared_read(trace: Trace) -> Mobject:
    cost = Series("cost of a token", trace["cost"], trace["users"], role="cost")
    return LineChart([cost], x_name="users in one step", y_name="cost", x_log=True, y_log=True, names="", width=8.4)


@plot(
    "price_history",
    "List prices of a million tokens of output",
    found="""DeepSeek's general model: {v2_out | usd 3} with V2, {v3_out | usd 3} with V3, {v3_2_out | usd 3}
    with V3.2, {v4_1_flash_out | usd 3} off-peak with V4.1-Flash. GPT-4 began at {gpt4_out | usd}.""",
    against="""Prices do not fall for ever: DeepSeek's own rose more than once, and from V4 on they depend on the hour
    ({v4_1_flash_peak_out | usd 3} at peak).""",
)
def price_history(trace: Trace) -> Mobject:
    kinds = (("others", "token", False), ("deepseek_large", "query", False), ("deepseek", "latent", True))
    lines = [
        Listings.of(trace, name, role, stepped=stepped, dashed=name != "deepseek") for name, role, stepped in kinds
    ]
    return PriceRace(lines, low=0.13, ticks=(0.25, 1, 5, 25, 100), width=10, height=4.2)


@plot(
    "demand",
    "Tokens a day, as two counters report them",
    found="""Google reports {google_2024 | words 3} in the first year and {google_2026_05 | words 3} at the last
    count, {google_growth | times 2} as many; China's counter {china_2024 | words 3} and {china_2026_03 | words 3},
    {china_growth | times 2} as many.""",
    against="""The two do not count the same things, and neither says what a token is; the growth can be compared, the
    heights cannot.""",
)
def demand(trace: Trace) -> Mobject:
    rows = (
        ("Google, first count", "google_2024", "dense"),
        ("Google, last count", "google_2026_05", "query"),
        ("China, first count", "china_2024", "dense"),
        ("China, last count", "china_2026_03", "cost"),
    )
    bars = [Bar(name, trace.quantity(key), role) for name, key, role in rows]
    return BarChart(bars, log=True, fmt="words 3 bare", name="tokens a day", length=6.5, thickness=0.5)


@plot(
    "startup_month",
    "A month of three workloads, at list prices",
    found="""A month of answers costs {answers_v4_1_flash | usd 3} with V4.1-Flash and {answers_opus5_5 | usd .0}
    with Claude Opus; an agent {agent_v4_1_flash | usd 3} and {agent_opus5_5 | usd .0}; documents
    {documents_v4_1_flash | usd 3} and {documents_opus5_5 | usd .0}.
    Without a cache the agent would cost {agent_uncached | usd 3}.""",
    against="""The open model is not the cheapest: two small closed ones cost {answers_gpt6_luna | usd 3} for the
    answers and {documents_gpt6_luna | usd 3} for the documents.""",
)
def startup_month(trace: Trace) -> Mobject:
    cost = trace["cost"]
    roles = ("latent", "query", "value", "cost")
    charts = []
    for index, work in enumerate(cost.labels["workload"]):
        offers = enumerate(cost.labels["offer"])
        bars = [Bar(name, quantity_at(cost, index, i), roles[i]) for i, name in offers]
        charts.append(BarChart(bars, fmt="usd 3", log=True, low=10, name=work, length=5, thickness=0.2, gap=0.1))
    return column(*charts, gap=0.25)


@plot(
    "training_compute",
    "What a training computed",
    found="""Six operations for each parameter at work and each token read: V3 {flops_v3 | sci 2}, Qwen's dense model
    {flops_qwen_72b | sci 2}, the largest Llama {flops_llama_405b | sci 2}, which is {ratio_llama_405b | times .1} of
    V3's. With every parameter at work V3 would have taken {flops_all | sci 2}, {ratio_all | times .1} as much.""",
)
def training_compute(trace: Trace) -> Mobject:
    flops = trace["flops"]
    roles = ("latent", "query", "dense")
    bars = [Bar(name, quantity_at(flops, i), roles[i]) for i, name in enumerate(flops.labels["model"])]
    bars.append(Bar("V3, if all of it worked", trace.quantity("flops_all"), "cost"))
    return BarChart(bars, fmt="sci 2", name="training compute", length=6, thickness=0.5)


@plot(
    "score_cost",
    "A score, and what an answer costs",
    found="""GPT-5 solves {score_gpt_5 | .1} of AIME's problems at {cost_gpt_5 | usd 2} each, Gemini {score_gemini_3 |
    .1} at {cost_gemini_3 | usd 2}, Kimi-K2 {score_kimi_k2 | .1} at {cost_kimi_k2 | usd 2}, V3.2 {score_v3_2 | .1} at
    {cost_v3_2 | usd 2}: {points_apart | .1} apart, and {times | times 2} in price.""",
    against="""The difference in score is within luck: with so few problems one standard error is {error | .1}.""",
)
def score_cost(trace: Trace) -> Mobject:
    names = trace["score"].labels["model"]
    keys, roles = ("gpt_5", "gemini_3", "kimi_k2", "v3_2"), ("query", "value", "token", "latent")
    charts = []
    for what, fmt, heading in (("score", ".1", "solved"), ("cost", "usd 2", "a problem")):
        each = zip(names, keys, roles, strict=True)
        bars = [Bar(name, trace.quantity(f"{what}_{key}"), role) for name, key, role in each]
        charts.append(BarChart(bars, fmt=fmt, name=heading, length=6, thickness=0.36))
    return column(*charts, gap=0.4)
