"""Plots of runs through the trained models: one sentence, its caches, its experts, and rounding."""

from __future__ import annotations

import numpy as np
from manim import DOWN, Mobject

from explainers.traces import NamedArray, Trace
from scenes.kit import Bar, BarChart, ColorScale, GuessStrip, LineChart, Series, TensorGrid, TokenRow, column, row
from scenes.production.plots import plot, where


@plot(
    "mla_sentence",
    "MLA: what the cache holds of a sentence",
    found="""The latent of {latent_rank} numbers and the rotated key of {rope_dim} are all that is kept of a token
    ({values_per_token} numbers a layer instead of {full_values_per_token}): {latent_bytes | plain} instead of
    {full_bytes | plain} for {tokens} tokens, {cache_ratio | times .2} less. Re-expanding keys and values, keeping them
    whole, and absorbing the up-projection give the same output: they differ by at most {difference_float32 | sci 2} in
    float32 and {difference_float64 | sci 2} in float64.""",
    against="""Absorption saves no arithmetic against a full cache at this size: absorbed and full cache both take
    {flops_absorbed | plain} for a token and layer (re-expanding {flops_reexpanding | plain}), because latent and head
    are equally wide. What it saves here is memory only.""",
)
def mla_sentence(trace: Trace) -> Mobject:
    latent = where(trace["c_kv"], layer=1)
    rope = where(trace["k_pe"], layer=1)
    left = TensorGrid(latent, name="latent, one row a token", role="latent", cell=0.24, row_labels=True, bar=False)
    right = TensorGrid(rope, name="rotated key", role="rope", cell=0.24, bar=False)
    grids = row(left, right, gap=0.6, edge=DOWN)
    right.shift([0, left.image.get_bottom()[1] - right.image.get_bottom()[1], 0])
    bars = BarChart(
        [
            Bar("latent and rotated key", trace.quantity("latent_bytes"), "latent"),
            Bar("keys and values", trace.quantity("full_bytes"), "key"),
        ],
        fmt="si",
        name="cache of the sentence",
        length=6,
        thickness=0.32,
    )
    return column(grids, bars, gap=0.45)


@plot(
    "decode_work",
    "Work of writing on, with and without a cache",
    found="""{new_tokens} new tokens after a prompt of {prompt_tokens}: {flops_without | si 3} without a cache,
    {flops_with | si 3} with one, {ratio | times .1} less; the model reads {tokens_read_without} tokens instead of
    {tokens_read_with}, and the last step alone is {last_step_ratio | times .1} cheaper.""",
)
def decode_work(trace: Trace) -> Mobject:
    total = trace["total_flops"]
    written = NamedArray(np.arange(1, total["step"] + 1), ("step",), "tokens written", run=total.run)
    roles = {"without cache": "cost", "with cache": "latent"}
    curves = [Series(name, where(total, mode=name), written, role=role) for name, role in roles.items()]
    return LineChart(curves, x_name="tokens written", y_name="computed so far", y_zero=True)


@plot(
    "cache_held",
    "The cache of one layer, really held",
    found="""{tokens} tokens, one layer of width {param.hidden_size} with {param.heads} heads in bf16: MHA holds
    {bytes_mha | plain}, GQA {bytes_gqa | plain}, MQA {bytes_mqa | plain}, MLA {bytes_mla | plain}. MLA with V2's
    proportions ({values_mla} values a token) is {ratio_mla | times .2} smaller than MHA, more than GQA's {ratio_gqa |
    times 1}.""",
    against="""MQA's cache is smaller than MLA's. What is published of MLA is that it costs no quality, and quality is
    not what this run measures.""",
)
def cache_held(trace: Trace) -> Mobject:
    roles = {"mha": "key", "gqa": "value", "mqa": "query", "mla": "latent"}
    bars = [Bar(kind.upper(), trace.quantity(f"bytes_{kind}"), role) for kind, role in roles.items()]
    return BarChart(bars, fmt="plain", name="bytes held after the sentence", length=7.5, thickness=0.55)


@plot(
    "latent_rank_sweep",
    "A sentence squeezed to fewer numbers a token",
    found="""Keys and values of one layer, {features} numbers a token, squeezed to fewer and back. With eight numbers
    the relative error is {error_before_8 | percent .1} before RoPE and {error_after_8 | percent .1} after it; with
    thirty-two {error_before_32 | percent .1} and {error_after_32 | percent .1}, with sixty-four {error_before_64 |
    percent .1} and {error_after_64 | percent .1}. Rotation spreads the keys over more directions. With half of the
    numbers nothing is lost before RoPE: keys and values are computed from a hidden vector half as long as both
    together.""",
    against="""A latent of an eighth of the size is far from holding this model's keys and values exactly: trained
    without a bottleneck, it has no small exact rank. The basis is fitted on training text, not on the sentence.""",
)
def latent_rank_sweep(trace: Trace) -> Mobject:
    error = where(trace["error"], layer=int(trace.quantity("layer").value))
    error = error.pick(rank=slice(0, error["rank"] // 2 + 1))
    curves = [
        Series("before RoPE", where(error, variant="before RoPE"), role="latent"),
        Series("after RoPE", where(error, variant="after RoPE"), role="rope"),
    ]
    return LineChart(curves, x_name="numbers kept of a token", y_name="relative error", y_zero=True)


@plot(
    "routing",
    "Which experts each token chooses",
    found="""{top_k} of {experts} experts a token and layer, from {groups_kept} of {groups} groups. The bias that
    balances them (largest {largest_bias | .3}) moves {choices_moved_by_bias} of {choices} choices; it decides who is
    chosen, the weights come from the unbiased scores. Of {teams} possible teams the groups leave {teams_in_groups}.
    {active_parameters | words 3} of {parameters | words 3} parameters are active ({active_share | percent .1}).
    Weighed answers add up to the layer's output within {combination_error | sci 2}.""",
)
def routing(trace: Trace) -> Mobject:
    weights, chosen = trace["weights"], trace["indices"]
    dense = np.zeros((*weights.values.shape[:2], trace["bias"]["expert"]))
    np.put_along_axis(dense, chosen.values, weights.values, axis=-1)
    named = NamedArray(dense, ("layer", "token", "expert"), "weight", labels=weights.labels, run=trace.run)
    scale = ColorScale.of(named, role="router")
    grids = [
        TensorGrid(
            where(named, layer=name),
            scale=scale,
            name=f"layer {name}",
            width=3.7,
            height=4.3,
            row_labels=name == "1",
            bar=name == "3",
        )
        for name in named.labels["layer"]
    ]
    placed = row(*grids, gap=0.35)
    for grid in grids:
        grid.shift([0, grids[0].image.get_center()[1] - grid.image.get_center()[1], 0])
    return placed


@plot(
    "quantisation",
    "Loss added by rounding to FP8",
    found="""Loss {loss_float32 | .3} on held-out text in float32. V3's recipe (e4m3, weights in blocks, activations in
    groups, both scaled) adds {loss_increase_v3 | .4}, bf16 {loss_increase_bf16 | .4}, e5m2 with its smaller fraction
    {loss_increase_e5m2 | .4}, which is {loss_change_e5m2 | percent .2} of the loss. e4m3 rounds the weights by
    {weight_error_v3 | percent .1} (relative error, mean of tensors) and halves their bytes.""",
    against="""Block scales hardly matter in this model: one scale for a whole tensor adds {loss_increase_one_scale |
    .4}, blocks of V3's size {loss_increase_v3 | .4}. Most tensors of this small model are hardly larger than one
    block, so a finer scale has little to do.""",
)
def quantisation(trace: Trace) -> Mobject:
    names = {
        "bf16": "bf16",
        "weights_only": "e4m3, weights only",
        "v3": "e4m3, V3's recipe",
        "blocks_32": "e4m3, blocks of 32",
        "one_scale": "e4m3, one scale a tensor",
        "e5m2": "e5m2",
    }
    bars = [
        Bar(text, trace.quantity(f"loss_increase_{name}"), "latent" if name == "v3" else "dense")
        for name, text in names.items()
    ]
    return BarChart(bars, fmt=".4 bare", name="added loss", length=6)


@plot(
    "mtp",
    "Guesses of the MTP head that stand",
    found="""Guessing one token ahead and checking it in the next pass: {acceptance_mtp_greedy | percent .1} of the MTP
    head's guesses stand with greedy decoding, {acceptance_mtp_sampled | percent .1} with sampling, so a pass yields
    {tokens_per_pass_mtp_greedy | .2} tokens. A table of pairs of tokens, which knows nothing but the last one, reaches
    {acceptance_pairs_greedy | percent .1} and {tokens_per_pass_pairs_greedy | .2} tokens.""",
    against="""Fewer guesses stand than published ({fact.inference.mtp.acceptance_low | .0} to
    {fact.inference.mtp.acceptance_high | .0}), and how many depends on the text: from {acceptance_english | percent
    .1} on English to {acceptance_german | percent .1} on German. Tokens a pass are counted here, not seconds.""",
)
def mtp(trace: Trace) -> Mobject:
    rows = (
        ("MTP head, all texts", "mtp_greedy", "latent"),
        ("pairs of tokens, all texts", "pairs_greedy", "dense"),
        ("MTP head, German", "german", "token"),
        ("MTP head, code", "code", "token"),
        ("MTP head, sums", "sums", "token"),
        ("MTP head, English", "english", "token"),
    )
    bars = [Bar(name, trace.quantity(f"acceptance_{key}"), role) for name, key, role in rows]
    return BarChart(bars, fmt="percent .1", name="guesses that stand, greedy decoding", length=6)


@plot(
    "guess_strip",
    "A text written on with guesses",
    found="""{tokens} tokens after the text in {passes} passes of the model: of {guesses} guesses of the MTP head
    {stood} stood, and the text is the one that it writes without guessing. {tokens_per_pass | .2} tokens a pass.""",
)
def guess_strip(trace: Trace) -> Mobject:
    prompt = TokenRow(trace["prompt"], role="muted", size=19)
    return column(prompt, GuessStrip(trace["stood"], trace["written"], width=11.5), gap=0.45)


@plot(
    "latent_cut",
    "A sentence read with its keys and values cut",
    found="""Of the {features} numbers of a token's keys and values {rank} are kept, in the directions that hold most:
    {energy | percent .1} of the energy comes back, from {bytes_cut | plain} instead of {bytes_whole | plain} for the
    sentence.""",
    against="""The loss of this one sentence changes by {added_loss | .3}; so few tokens say nothing about the price,
    which the run low_rank measures on held-out text.""",
)
def latent_cut(trace: Trace) -> Mobject:
    scale = ColorScale.of(trace["kv"].pick(variant=0, layer=1))
    grids = [
        TensorGrid(
            trace[name].pick(variant=0, layer=1),
            scale=scale,
            name=words,
            role=role,
            width=10,
            height=1.9,
            max_columns=128,
            row_labels=True,
            bar=name == "kv",
        )
        for name, words, role in (("kv", "keys and values", "key"), ("reconstruction", "made again", "latent"))
    ]
    placed = column(*grids, gap=0.4)
    grids[1].shift([grids[0].image.get_left()[0] - grids[1].image.get_left()[0], 0, 0])
    return placed
