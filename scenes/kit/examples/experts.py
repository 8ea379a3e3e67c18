"""Experts: gates, loads, who serves whom, and what flows."""

from __future__ import annotations

import numpy as np
from manim import DOWN, UP, Mobject, VGroup

from explainers import runs
from explainers.references import resolve
from explainers.traces import NamedArray
from scenes.kit import (
    Arrow,
    ExpertField,
    ExpertGrid,
    ExpertHeatMap,
    ExpertMail,
    ExpertSplit,
    Flow,
    FlowFan,
    GateBars,
    LoadRain,
    TokenChip,
    label,
    quantity_at,
    row,
)
from scenes.kit.examples.showing import shows


@shows(ExpertGrid)
def a_grid_of_experts() -> Mobject:
    """The experts of a layer in their groups, as bright as one token's scores; the chosen ones outlined."""
    trace = runs.get("routing")
    scores, chosen = trace["original_scores"].pick(layer=0, token=3), trace["indices"].pick(layer=0, token=3)
    return ExpertGrid(scores, groups=trace["group_scores"]["group"], outlined=[int(e) for e in chosen.values], side=0.5)


@shows(GateBars)
def a_gate() -> Mobject:
    """A token's scores, and above them what the balancing bias makes of them; groups stand together."""
    trace = runs.get("routing")
    scores, biased = (trace[name].pick(layer=0, token=3) for name in ("original_scores", "biased_scores"))
    return GateBars(scores, biased, groups=trace["group_scores"]["group"], width=10, unit=1.7)


@shows(LoadRain)
def a_rain() -> Mobject:
    """How much each expert has to do at one step of a training; below, the bias that corrects it."""
    trace = runs.get("balance")
    load, bias = (trace[name].pick(mode=0, layer=2) for name in ("load", "bias"))
    return LoadRain(load, bias, most=float(trace.quantity("max_vio_ceiling")) + 1, position=30.0)


@shows(ExpertHeatMap)
def who_serves_whom() -> Mobject:
    """The share of each domain's choices that an expert gets, in the last layer of the trained model."""
    return ExpertHeatMap(runs.get("specialisation")["share"].pick(layer=2), groups=4)


@shows(ExpertSplit)
def finer_experts() -> Mobject:
    """The same work by more and finer experts; one level of four is shown."""
    trace = runs.get("expert_teams")
    return ExpertSplit([trace[f"team_{cut}"] for cut in range(4)]).levels[2]


@shows(ExpertField)
def a_field() -> Mobject:
    """Every routed expert of a model of V3's size, a column a layer; lit are those that one token wakes."""
    return ExpertField(runs.get("untrained_layers")["chosen"], resolve("v3.shared_experts"), height=3.2)


@shows(ExpertMail)
def mail() -> Mobject:
    """Tokens at the experts that they are sent to, as letters in boxes."""
    trace = runs.get("routing")
    return ExpertMail(trace["indices"].pick(layer=0), experts=trace["bias"]["expert"])


@shows(Flow)
def a_flow() -> Mobject:
    """What goes from one thing to another, as wide as its amount."""
    weights = runs.get("routing")["weights"].pick(layer=0, token=3)
    chip = TokenChip(" line")
    experts = [label(f"expert {name}", "small", "expert") for name in ("A", "B", "C", "D")]
    VGroup(*experts).arrange(buff=0.9).next_to(chip, DOWN, buff=1.6)
    flows = [Flow(chip, one, quantity_at(weights, i), role="router") for i, one in enumerate(experts)]
    return VGroup(chip, *experts, *flows)


@shows(FlowFan)
def a_fan() -> Mobject:
    """A token's way to its experts: as many lines as it has experts, each as wide as its weight."""
    trace = runs.get("routing")
    chosen, weights = (trace[name].pick(layer=0, token=3) for name in ("indices", "weights"))
    values = np.zeros(trace["bias"]["expert"])
    values[chosen.values] = weights.values
    all_weights = NamedArray(values, ("expert",), "weights", run=trace.run, digest=trace.digest)
    experts = ExpertGrid(all_weights, groups=4, outlined=[int(e) for e in chosen.values], side=0.45)
    chip = TokenChip(trace["weights"].labels["token"][3]).next_to(experts, UP, buff=1.2)
    return VGroup(experts, chip, FlowFan(chip, list(experts.squares), all_weights))


@shows(Arrow)
def an_arrow() -> Mobject:
    """From one thing to the next; it begins and ends at their edges."""
    hidden, latent = row(label("hidden state", role="token"), label("latent", role="latent"), gap=2.0)
    return VGroup(hidden, latent, Arrow(hidden, latent, np.array([1.0, 0.0, 0.0])))
