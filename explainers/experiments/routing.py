"""A sentence through the gates of the trained model: every step of the choice, and what the chosen experts answer."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.errors import ExplainError
from explainers.experiments.common import DEFAULT_TEXT, about_source, blocks_of, named, read_any, released, versions
from explainers.layers import MLP, Block, MoE
from explainers.model import Model
from explainers.moe import GateConfig, MLPWeights, Routing, expert_load, route, swiglu
from explainers.quantities import Quantity, computed
from explainers.released import ReleasedLayer, ReleasedMoE
from explainers.traces import NamedArray, Trace

#: Field of `Routing` → its axes after the layer.
_SHOWN = {
    "logits": ("token", "expert"),
    "original_scores": ("token", "expert"),
    "biased_scores": ("token", "expert"),
    "group_scores": ("token", "group"),
    "group_mask": ("token", "group"),
    "masked_scores": ("token", "expert"),
    "indices": ("token", "slot"),
    "weights": ("token", "slot"),
}


def routing(
    *,
    text: str = DEFAULT_TEXT,
    seed: int = 0,
    source: str = "small",
    top_k: int | None = None,
    topk_group: int | None = None,
    bias: bool = True,
    device: str = "cpu",
) -> Trace:
    """Scores, biased scores, group scores, chosen experts, weights, loads and answers, in each layer with experts.

    From a released model (``checkpoint:PATH``) likewise, of the layers that are read; without groups there is one,
    without a bias it is zero, and in V4's hash-routed layers a table of token ids chose. ``masked_scores`` is −inf in
    forbidden groups. ``indices_unbiased`` would have been chosen without the bias. ``expert_out`` is each chosen
    expert's answer before it is weighed; ``routed_out`` the weighed sum; ``combined`` that and the shared expert.
    ``expert_inner`` and ``shared_inner`` are the magnitudes of the inner neurons of the experts at work,
    ``dense_inner`` those of the first dense layer where one is read. ``top_k``, ``topk_group`` and ``bias`` turn the
    knobs of every gate of a small model, which stand as trained by default; then ``next_logits`` is there too.
    """
    begin = time.perf_counter()
    model, _, ids, tokens = read_any(text, source, device)
    knobs = {"top_k": top_k, "topk_group": topk_group, "bias": None if bias else False}
    turned = {name: value for name, value in knobs.items() if value is not None}
    if turned:
        model = with_knobs(model, top_k, topk_group, bias)
    with torch.no_grad():
        output = model(ids, trace=True)
        chosen = [number for number, routing in enumerate(output.routings) if routing is not None]
        routings = [routing for routing in output.routings if routing is not None]
        if not chosen:
            raise ExplainError(f"the model {source!r} has no experts in what is read of it; take one that has, or #all")
        blocks = blocks_of(model)
        answers = [
            _answers(blocks[number].mlp, output.layers[number], r, ids[0])
            for number, r in zip(chosen, routings, strict=True)
        ]
    layers = tuple(map(str, chosen))
    hidden = torch.stack([output.layers[number]["u"][0] for number in chosen])
    arrays = _of_layers(routings, answers, hidden, layers, tokens)
    arrays |= _inner(blocks, [each["u"][0] for each in output.layers], answers, layers, tokens)
    gate = _moe(blocks[chosen[0]].mlp).gate_config
    quantities = _numbers(model.parameter_counts(), gate, routings, answers, len(tokens))
    quantities |= _widths(gate, arrays, _moe(blocks[chosen[0]].mlp).weights().shared is not None)
    if quantities["shared"].value > 1:
        quantities["several_shared"] = computed(1, "", "more than one shared expert (V2)")
    quantities |= released(model) | _rules(
        gate, sum(block.mlp.hashed for block in blocks if isinstance(block.mlp, ReleasedMoE))
    )
    if turned:  # the record of the knobs as trained stays what it is
        arrays["next_logits"] = named(output.logits[0, -1], "vocabulary")
    params = {"text": text, "source": source, **turned}
    meta = versions(begin, **about_source(source, model))
    return Trace("routing", arrays, quantities, params, seed, device, meta)


def _of_layers(
    routings: list[Routing],
    answers: list[dict[str, Tensor]],
    hidden: Tensor,
    layers: tuple[str, ...],
    tokens: tuple[str, ...],
) -> dict[str, NamedArray]:
    """What the gates and the experts of each layer did; ``hidden`` (layer, token, hidden) is what went in."""
    arrays = {
        name: named(torch.stack([getattr(r, name) for r in routings]), "layer", *axes, layer=layers, token=tokens)
        for name, axes in _SHOWN.items()
    }
    loads = torch.stack([expert_load(r.indices, r.n_routed_experts) for r in routings])
    arrays["load"] = named(loads, "layer", "expert", layer=layers)
    arrays["bias"] = named(torch.stack([a["bias"] for a in answers]), "layer", "expert", layer=layers)
    arrays["u"] = named(hidden, "layer", "token", "hidden", layer=layers, token=tokens)
    arrays["expert_out"] = named(
        torch.stack([a["expert_out"] for a in answers]), "layer", "token", "slot", "hidden", layer=layers, token=tokens
    )
    for name in ("routed_out", "shared_out", "combined"):
        arrays[name] = named(
            torch.stack([a[name] for a in answers]), "layer", "token", "hidden", layer=layers, token=tokens
        )
    arrays["indices_unbiased"] = named(
        torch.stack([a["unbiased"] for a in answers]), "layer", "token", "slot", layer=layers, token=tokens
    )
    return arrays


def inner(x: Tensor, w1: Tensor, w3: Tensor, limit: float | None = None) -> Tensor:
    """Magnitudes of a feed-forward layer's inner neurons, |SiLU(W₁x) ⊙ W₃x|: (…, D) → (…, F)."""
    gate, up = F.linear(x, w1), F.linear(x, w3)
    if limit is not None:
        gate, up = gate.clamp(max=limit), up.clamp(min=-limit, max=limit)
    return (F.silu(gate) * up).abs()


def _inner(
    blocks: Sequence[Block | ReleasedLayer],
    inputs: list[Tensor],
    answers: list[dict[str, Tensor]],
    layers: tuple[str, ...],
    tokens: tuple[str, ...],
) -> dict[str, NamedArray]:
    """Inner neurons of the experts at work, and of the first dense layer: what is computed for a token, and where."""
    working = torch.stack([a["inner"] for a in answers])
    found = {"expert_inner": named(working, "layer", "token", "slot", "neuron", layer=layers, token=tokens)}
    if all("shared_inner" in a for a in answers):
        shared = torch.stack([a["shared_inner"] for a in answers])
        found["shared_inner"] = named(shared, "layer", "token", "neuron", layer=layers, token=tokens)
    for block, u in zip(blocks, inputs, strict=True):
        if (w := _dense(block)) is not None:
            found["dense_inner"] = named(inner(u, w.w1, w.w3).float(), "token", "neuron", token=tokens)
            break
    return found


def _dense(block: Block | ReleasedLayer) -> MLPWeights | None:
    """The one network of a layer without experts."""
    if isinstance(block, ReleasedLayer):
        return None if block.mlp is not None else block.dense_weights()
    return block.mlp.weights() if isinstance(block.mlp, MLP) else None


def _rules(gate: GateConfig, tables: int) -> dict[str, Quantity]:
    """Numbers that are there where the rule is V2's or V4's and not V3's, so that pictures can say so."""
    rules: dict[str, Quantity] = {}
    if tables:
        rules["table_layers"] = computed(tables, "layer", "first layers whose experts a table of tokens chooses (V4)")
    if not gate.norm_topk_prob:
        rules["unnormalised"] = computed(1, "", "the gate's weights are not divided by their sum (V2)")
    if gate.group_score_rule == "max":
        rules["best_of_group"] = computed(1, "", "a group's score is that of its best expert (V2)")
    if gate.n_group == 1 or gate.group_score_rule == "max":
        rules["one_best"] = computed(1, "", "groups are not compared by their best two (V2, V4)")
    if gate.n_group == 1:
        rules["ungrouped"] = computed(1, "", "all experts are in one group")
    if gate.topk_method != "noaux_tc":
        rules["without_bias"] = computed(1, "", "the gate has no bias (V2)")
    if gate.scoring != "sigmoid":
        rules["other_scores"] = computed(1, "", f"scores are {gate.scoring}, not sigmoid")
    return rules


def _widths(gate: GateConfig, arrays: dict[str, NamedArray], has_shared: bool) -> dict[str, Quantity]:
    """How many neurons are computed for a token, in a dense layer and in a layer with experts."""
    each = arrays["expert_inner"]["neuron"]
    shared = arrays["shared_inner"]["neuron"] if has_shared else 0
    width = computed(each, "", "inner size of an expert", name="neurons of an expert")
    numbers = {
        "expert_width": width,
        "shared": computed(shared // each, "expert", "experts that every token uses"),
        "shared_weight": computed(1.0, "", "shared experts are added unweighed (V3 equation 12)"),
        "neurons": computed(gate.n_routed_experts * each + shared, "", "neurons of all experts of a layer", (width,)),
        "neurons_at_work": computed(gate.top_k * each + shared, "", "neurons of k and the shared experts", (width,)),
        "inner_high": computed(
            float(np.quantile(arrays["expert_inner"].values, 0.75)), "", "three quarters of the neurons lie below"
        ),
    }
    if "dense_inner" in arrays:
        wide = arrays["dense_inner"]["neuron"]
        numbers["dense_width"] = computed(wide, "", "inner size of a dense layer", name="neurons of a dense layer")
    return numbers


def with_knobs(model: object, top_k: int | None, topk_group: int | None, bias: bool) -> Model:
    """A copy of the model whose gates choose so many experts in so many groups, with or without their bias."""
    if not isinstance(model, Model):
        raise ExplainError(
            "top_k, topk_group and bias turn the gates of a small model; leave them out for a released one"
        )
    if not model.cfg.n_routed_experts:
        raise ExplainError("this model has no experts; take one with n_routed_experts above 0")
    gate = model.cfg.gate
    gate = replace(gate, top_k=top_k or gate.top_k, topk_group=topk_group or gate.topk_group)
    turned = copy.deepcopy(model)
    turned.cfg = replace(model.cfg, num_experts_per_tok=gate.top_k, topk_group=gate.topk_group)
    for _, moe in turned.moes():
        moe.gate_config = gate
        if not bias:
            moe.gate.e_score_correction_bias.data.zero_()
    return turned


def _moe(layer: object) -> MoE | ReleasedMoE:
    assert isinstance(layer, MoE | ReleasedMoE)
    return layer


def _answers(layer: object, seen: dict[str, Tensor], chosen: Routing, ids: Tensor) -> dict[str, Tensor]:
    """Each chosen expert's answer for the tokens with ids (T,), taken one by one, and their combination.

    ``seen`` has what went into the layer and what came out, ``u`` and ``ffn_out`` (1, T, D).
    """
    moe, u = _moe(layer), seen["u"][0]
    weights, cfg = moe.weights(), moe.gate_config
    table = moe.experts_of(ids) if isinstance(moe, ReleasedMoE) else None  # V4's hash-routed layers
    expert_out = u.new_zeros(*chosen.indices.shape, u.shape[1])  # (T, k, D)
    inside: list[list[Tensor]] = [[u] * chosen.indices.shape[1] for _ in u]
    experts = chosen.indices.unique().tolist()
    for expert, (w1, w2, w3) in zip(experts, weights.experts.pick(experts), strict=True):
        for token, slot in (chosen.indices == expert).nonzero().tolist():
            expert_out[token, slot] = swiglu(u[token], w1, w2, w3, weights.limit)
            inside[token][slot] = inner(u[token], w1, w3, weights.limit).float().cpu()
    routed = torch.einsum("tk,tkd->td", chosen.weights.to(u.dtype), expert_out)
    shared, shared_inner = torch.zeros_like(u), {}
    if weights.shared is not None:
        shared_inner = {"shared_inner": inner(u, weights.shared.w1, weights.shared.w3, weights.limit).float().cpu()}
        shared = swiglu(u, weights.shared.w1, weights.shared.w2, weights.shared.w3, weights.limit)
    unbiased = route(u, weights.gate, None, cfg, table).indices
    same = (unbiased.sort(-1).values == chosen.indices.sort(-1).values).all(-1)
    return {
        "expert_out": expert_out,
        "inner": torch.stack([torch.stack(row) for row in inside]),  # (T, k, F)
        "unbiased": unbiased,
        **shared_inner,
        "routed_out": routed,
        "shared_out": shared,
        "combined": routed + shared,
        "bias": torch.zeros(cfg.n_routed_experts) if weights.bias is None else weights.bias.float().cpu(),
        "moved": (~same).sum(),
        "error": (routed + shared - seen["ffn_out"][0]).abs().max(),
    }


def teams_within_groups(cfg: GateConfig) -> int:
    """How many sets of k experts touch at most ``topk_group`` groups."""
    ways = {(0, 0): 1}  # (groups touched, experts taken) → number of sets
    for _ in range(cfg.n_group):
        more: dict[tuple[int, int], int] = {}
        for (groups, taken), count in ways.items():
            for take in range(min(cfg.group_size, cfg.top_k - taken) + 1):
                key = (groups + (take > 0), taken + take)
                more[key] = more.get(key, 0) + count * math.comb(cfg.group_size, take)
        ways = more
    return sum(count for (groups, taken), count in ways.items() if groups <= cfg.topk_group and taken == cfg.top_k)


def _numbers(
    parameters: tuple[int, int], cfg: GateConfig, routings: list[Routing], answers: list[dict[str, Tensor]], tokens: int
) -> dict[str, Quantity]:
    choices = tokens * len(routings)
    moved = sum(int(a["moved"]) for a in answers)
    in_groups = teams_within_groups(cfg)
    total, active = parameters
    return {
        "tokens": computed(tokens, "token", "tokens of the sentence"),
        "experts": computed(cfg.n_routed_experts, "expert", "routed experts of a layer"),
        "top_k": computed(cfg.top_k, "expert", "experts a token uses"),
        "groups": computed(cfg.n_group, "", "groups of experts"),
        "groups_kept": computed(cfg.topk_group, "", "groups a token may use"),
        "teams": computed(math.comb(cfg.n_routed_experts, cfg.top_k), "", "experts choose k"),
        "teams_in_groups": computed(in_groups, "", "sets of k experts that lie in at most the kept groups"),
        "scale": computed(cfg.routed_scaling_factor, "", "routed_scaling_factor"),
        "choices": computed(choices, "", "tokens × layers with experts"),
        "choices_moved_by_bias": computed(moved, "", "choices whose set of experts would differ without the bias"),
        "largest_bias": computed(max(float(a["bias"].abs().max()) for a in answers), "", "largest |bias|"),
        "combination_error": computed(
            max(float(a["error"]) for a in answers), "", "largest |sum of answers − layer's output|"
        ),
        "parameters": computed(total, "param", "counted in the model"),
        "active_parameters": computed(active, "param", "counted: shared parts and k experts a layer"),
        "active_share": computed(active / total, "", "active parameters / parameters"),
    }
