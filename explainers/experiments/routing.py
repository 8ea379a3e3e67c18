"""A sentence through the gates of the trained model: every step of the choice, and what the chosen experts answer."""

from __future__ import annotations

import math
import time

import torch
from torch import Tensor

from explainers.errors import ExplainError
from explainers.experiments.common import DEFAULT_TEXT, about_source, blocks_of, named, read_any, versions
from explainers.layers import MoE
from explainers.moe import GateConfig, Routing, expert_load, moe_forward, route, swiglu
from explainers.quantities import Quantity, computed
from explainers.released import ReleasedMoE
from explainers.traces import Trace

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


def routing(*, text: str = DEFAULT_TEXT, seed: int = 0, source: str = "small", device: str = "cpu") -> Trace:
    """Scores, biased scores, group scores, chosen experts, weights, loads and answers, in each layer with experts.

    From a released model (``checkpoint:PATH``) likewise, of the layers that are read; without groups there is one,
    without a bias it is zero, and in V4's hash-routed layers a table of token ids chose. ``masked_scores`` is −inf in
    forbidden groups. ``expert_out`` is each chosen expert's answer before it is weighed; ``routed_out`` the weighed
    sum; ``combined`` that and the shared expert.
    """
    begin = time.perf_counter()
    model, _, ids, tokens = read_any(text, source, device)
    with torch.no_grad():
        output = model(ids, trace=True)
        chosen = [number for number, routing in enumerate(output.routings) if routing is not None]
        routings = [routing for routing in output.routings if routing is not None]
        if not chosen:
            raise ExplainError(f"the model {source!r} has no experts in what is read of it; take one that has, or #all")
        blocks = blocks_of(model)
        answers = [
            _answers(blocks[number].mlp, output.layers[number]["u"][0], r, ids[0])
            for number, r in zip(chosen, routings, strict=True)
        ]
    layers = tuple(map(str, chosen))
    arrays = {
        name: named(torch.stack([getattr(r, name) for r in routings]), "layer", *axes, layer=layers, token=tokens)
        for name, axes in _SHOWN.items()
    }
    loads = torch.stack([expert_load(r.indices, r.n_routed_experts) for r in routings])
    arrays["load"] = named(loads, "layer", "expert", layer=layers)
    arrays["bias"] = named(torch.stack([a["bias"] for a in answers]), "layer", "expert", layer=layers)
    arrays["u"] = named(
        torch.stack([output.layers[n]["u"][0] for n in chosen]), "layer", "token", "hidden", layer=layers, token=tokens
    )
    arrays["expert_out"] = named(
        torch.stack([a["expert_out"] for a in answers]), "layer", "token", "slot", "hidden", layer=layers, token=tokens
    )
    for name in ("routed_out", "shared_out", "combined"):
        arrays[name] = named(
            torch.stack([a[name] for a in answers]), "layer", "token", "hidden", layer=layers, token=tokens
        )
    gate = _moe(blocks[chosen[0]].mlp).gate_config
    quantities = _numbers(model.parameter_counts(), gate, routings, answers, len(tokens))
    params = {"text": text, "source": source}
    meta = versions(begin, **about_source(source, model))
    return Trace("routing", arrays, quantities, params, seed, device, meta)


def _moe(layer: object) -> MoE | ReleasedMoE:
    assert isinstance(layer, MoE | ReleasedMoE)
    return layer


def _answers(layer: object, u: Tensor, chosen: Routing, ids: Tensor) -> dict[str, Tensor]:
    """Each chosen expert's answer for tokens u (T, D) with ids (T,), taken one by one, and their combination."""
    moe = _moe(layer)
    weights, cfg = moe.weights(), moe.gate_config
    table = moe.experts_of(ids) if isinstance(moe, ReleasedMoE) else None  # V4's hash-routed layers
    expert_out = u.new_zeros(*chosen.indices.shape, u.shape[1])  # (T, k, D)
    experts = chosen.indices.unique().tolist()
    for expert, (w1, w2, w3) in zip(experts, weights.experts.pick(experts), strict=True):
        for token, slot in (chosen.indices == expert).nonzero().tolist():
            expert_out[token, slot] = swiglu(u[token], w1, w2, w3, weights.limit)
    routed = torch.einsum("tk,tkd->td", chosen.weights.to(u.dtype), expert_out)
    shared = torch.zeros_like(u)
    if weights.shared is not None:
        shared = swiglu(u, weights.shared.w1, weights.shared.w2, weights.shared.w3, weights.limit)
    unbiased = route(u, weights.gate, None, cfg, table).indices
    same = (unbiased.sort(-1).values == chosen.indices.sort(-1).values).all(-1)
    return {
        "expert_out": expert_out,
        "routed_out": routed,
        "shared_out": shared,
        "combined": routed + shared,
        "bias": torch.zeros(cfg.n_routed_experts) if weights.bias is None else weights.bias.float().cpu(),
        "moved": (~same).sum(),
        "error": (routed + shared - moe_forward(u, weights, cfg, experts_of=table)[0]).abs().max(),
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
