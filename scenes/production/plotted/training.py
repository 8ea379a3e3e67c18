"""Plots of runs that train small models: balance, specialisation, dense and sparse, attention, low rank."""

from __future__ import annotations

import numpy as np
from manim import Mobject

from explainers.traces import NamedArray, Trace
from scenes.kit import Axis, LineChart, ScatterChart, Series, Spot, TensorGrid, row
from scenes.production.plots import averaged, band, places, plot, where


@plot(
    "low_rank",
    "How low the rank of keys and values is",
    found="""{rank} of {features} axes, fitted on training text, keep {energy_before_32 | percent .1} of the energy of
    held-out keys and values before RoPE and {energy_after_32 | percent .1} after it. {axes_for_99_before | .0} axes
    hold ninety-nine hundredths of it before RoPE, {axes_for_99_after | .0} after. Cut to {rank} axes, the model loses
    {added_loss_before_32 | .3} before RoPE, {added_loss_after_32 | .3} after: the reason why MLA keeps a rotated key
    apart. The shipped MHA model, trained longer, loses {shipped_added_loss_before_32 | .3} and
    {shipped_added_loss_after_32 | .3}.""",
    against="""The rank is not as low as drawings of MLA have it (nearly everything in an eighth of the axes): it is
    {energy_before_32 | percent .1}, and much of that is there before training ({energy_untrained_before_32 | percent
    .1}; a Gaussian has {energy_gaussian_before_32 | percent .1}). The loss tells more than the energy: a random
    subspace of the same size costs {added_loss_random_32 | .2}.""",
)
def low_rank(trace: Trace) -> Mobject:
    energy, deviation = trace["energy_of_all_layers"], trace["energy_of_all_layers_spread"]
    shown = slice(0, 97)
    lines = (
        ("trained, before RoPE", "trained", "before RoPE", "latent", False),
        ("trained, after RoPE", "trained", "after RoPE", "rope", False),
        ("untrained, before RoPE", "untrained", "before RoPE", "latent", True),
        ("untrained, after RoPE", "untrained", "after RoPE", "rope", True),
        ("Gaussian", "Gaussian", "before RoPE", "muted", True),
    )
    curves = []
    for name, network, variant, role, dashed in lines:
        y = where(energy, network=network, variant=variant).pick(rank=shown)
        s = where(deviation, network=network, variant=variant).pick(rank=shown)
        curves.append(Series(name, y, spread=s, role=role, dashed=dashed))
    return LineChart(
        curves,
        x_name="axes kept",
        y_axis=Axis(0, 1.02, "energy kept"),
        width=7.2,
        height=4.4,
    )


@plot(
    "balance",
    "Keeping experts busy: four ways",
    found="""MaxVio (how far the busiest expert lies above the mean) over the last fifth of the training:
    {max_vio_bias_rule | .3} with the bias rule, {max_vio_auxiliary_loss | .3} with an auxiliary loss, {max_vio_neither
    | .2} with neither; the bias rule switched on after a third of the way brings it down to {max_vio_rescue | .3}. The
    loss does not tell them apart: {loss_bias_rule | .2 bare}, {loss_auxiliary_loss | .2 bare}, {loss_neither | .2
    bare} and {loss_rescue | .2}.""",
    against="""Without any rule the load is uneven but does not collapse: {max_vio_neither | .2} of the
    {max_vio_ceiling | .0} that are possible, and no worse loss. Nor does the auxiliary loss cost quality at this size,
    as it does in the published comparison; it only balances less well.""",
)
def balance(trace: Trace) -> Mobject:
    violation = averaged(trace["max_vio"], "layer")
    steps = places(violation, "step", "step")
    roles = {"neither": "cost", "rescue": "accent", "auxiliary loss": "dense", "bias rule": "router"}
    names = {"rescue": "bias rule, switched on later"}
    curves = [band(names.get(m, m), where(violation, mode=m), steps, role=r) for m, r in roles.items()]
    return LineChart(curves, x_name="optimiser", y_name="MaxVio, mean of layers", y_zero=True, width=7, height=4)


@plot(
    "specialisation",
    "Who learns what: experts and domains",
    found="""Knowing the expert tells {information_shipped | .2} of the {information_possible | .0} that name one of
    four domains (shipped model, held-out text); {information_untrained | .2} before training. One expert can be
    dropped for at most {drop_one_largest | .3}; a layer's routed experts together are worth {drop_routed_smallest | .2
    bare} to {drop_routed_largest | .2}.""",
    against="""About half of what an expert tells of the domain ({information_from_tokens | .2}) is the identity of the
    token alone: German has other tokens than code, and the gate reads tokens. And it does not grow with training but
    falls, from {information[step=40] | .2} at the first measurement to {information_trained | .2} at the last. In the
    last layer German and sums have favourite experts, as the picture shows, but none that serves nothing else.""",
)
def specialisation(trace: Trace) -> Mobject:
    information = averaged(trace["information"], "layer")
    untrained = averaged(trace["information_untrained"], "layer")
    steps = places(information, "step", "step")
    level = np.full(len(steps.values), untrained.values.mean())
    before = NamedArray(level, ("step",), "untrained", "bit", run=trace.run)
    chart = LineChart(
        [
            band("trained", information, steps, role="router"),
            Series("untrained", before, steps, role="muted", dashed=True),
        ],
        x_name="optimiser",
        y_name="information, expert about domain",
        y_zero=True,
        width=5.2,
        height=3.4,
    )
    share = where(trace["share"], layer="3")
    grid = TensorGrid(
        share, name="share of choices, last layer", role="expert", width=4.6, height=3, row_labels=True, notes=False
    )
    return row(chart, grid, gap=0.7)


@plot(
    "dense_sparse",
    "Dense against sparse",
    found="""Loss on held-out text at the end: sparse {loss_sparse | .3} with {active_sparse | words 3} active of
    {parameters_sparse | words 3}; dense with as many active parameters {loss_dense_active | .3}; dense with as many
    parameters in all {loss_dense_total | .3}, and {loss_dense_flops | .3} when it is given only the FLOPs of the
    sparse one.""",
    against="""Experts do not win at equal active parameters: the gain is {gain_at_equal_active | .3} (below zero the
    sparse model is behind). In so short a training each expert sees a small part of few tokens. They do win against a
    dense model of their whole size that is given only as many FLOPs; that one has merely seen fewer tokens. The
    published gains are measured over many thousand times more tokens.""",
)
def dense_sparse(trace: Trace) -> Mobject:
    loss, flops = trace["loss"], trace["flops"]
    styles = {
        "sparse": ("expert", False),
        "dense, equal active": ("dense", False),
        "dense, equal total": ("cost", False),
        "dense, equal total and FLOPs": ("cost", True),
    }
    curves = [
        band(kind, where(loss, kind=kind), where(flops, kind=kind), role=role, dashed=dashed)
        for kind, (role, dashed) in styles.items()
    ]
    return LineChart(curves, x_name="training compute", y_name="held-out loss", width=7, height=4)


@plot(
    "attention_variants",
    "Loss against cache: attention trained alike",
    found="""Loss on held-out text: MHA {loss_mha | .3} with {cached_mha} a token and layer, GQA with two heads
    {loss_gqa_2 | .3} with {cached_gqa_2}, MQA {loss_mqa | .3} with {cached_mqa}; MLA {loss_mla_8 | .3} with
    {cached_mla_8}, {loss_mla_16 | .3} with {cached_mla_16}, {loss_mla_32 | .3} with {cached_mla_32} and {loss_mla_64 |
    .3} with {cached_mla_64}. Parameters are matched, the learning rate is tuned for each.""",
    against="""A trade-off was expected: less kept, more loss. Among the latents it is the other way round here. What a
    smaller latent saves in parameters widens the feed-forward layer, because sizes are matched, and {param.steps} steps
    favour that. MHA and the smallest latent differ by little more than their spread. V2's report has MLA better than
    MHA; four heads of width thirty-two, trained this short, can neither confirm nor refute it.""",
)
def attention_variants(trace: Trace) -> Mobject:
    kinds = trace["loss"].labels["kind"]
    roles = {"MHA": "key", "GQA": "value", "MQA": "query", "MLA": "latent"}
    spots = []
    for kind in kinds:
        key = kind.lower().replace("-", "_")
        spots.append(
            Spot(kind, trace.quantity(f"cached_{key}"), trace.quantity(f"loss_{key}"), roles[kind.split("-")[0]])
        )
    return ScatterChart(
        spots, x_name="kept for a token in one layer", y_name="held-out loss", x_log=True, width=8.4, height=4.4
    )
