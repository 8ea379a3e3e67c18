"""A gate as large as a published model's, before any training: which experts it sends real hidden states to."""

from __future__ import annotations

import time

import torch

from explainers import configs, facts
from explainers.errors import ExplainError
from explainers.experiments.common import DEFAULT_TEXT, named, read_sentence, versions
from explainers.moe import GateConfig, route
from explainers.traces import Trace


def gate_of(model: str) -> GateConfig:
    """The rules of a model's gate: experts, groups and scoring as published (V2 section 2.2, V3 section 2.1.2)."""
    config = configs.config(model)
    sizes = {name: int(quantity) for name, quantity in config.sizes.items() if quantity.value == int(quantity.value)}
    scoring = facts.entry(f"models.{model}").fields.get("scoring", "")
    if not sizes.get("routed_experts") or not sizes.get("expert_groups"):
        raise ExplainError(f"{config.title} has no experts in groups; choose v3, v3_2, v2 or v2_lite")
    return GateConfig(
        n_routed_experts=sizes["routed_experts"],
        top_k=sizes["experts_per_token"],
        n_group=sizes["expert_groups"],
        topk_group=sizes["expert_groups_kept"],
        scoring="sigmoid" if scoring.startswith("sigmoid") else "softmax",
        topk_method="noaux_tc" if scoring.startswith("sigmoid") else "group_limited_greedy",
    )


def untrained_gate(
    *, model: str = "v3", text: str = DEFAULT_TEXT, seed: int = 0, source: str = "small", device: str = "cpu"
) -> Trace:
    """Choices of an untrained gate of ``model``'s size for what the small model's last mixture of experts receives.

    The rules and sizes are the model's, the hidden states are real; the centroids are drawn from a normal
    distribution by ``seed``, as at the first step of a training. So it shows how many experts shine and how they
    keep to their groups, and not which expert knows what.

    Returns
    -------
    Trace
        ``chosen`` (token, expert), true where the gate sends the token.
    """
    chosen, tokens, took = _chosen(model, text, seed, source, device, layers=1)
    params = {"model": model, "text": text, "source": source}
    arrays = {"chosen": named(chosen[0], "token", "expert", token=tokens)}
    return Trace("untrained_gate", arrays, {}, params, seed, device, took)


def untrained_layers(
    *, model: str = "v3", text: str = DEFAULT_TEXT, seed: int = 0, source: str = "small", device: str = "cpu"
) -> Trace:
    """The choices of as many untrained gates as ``model`` has layers of experts, each for the same hidden states.

    As `untrained_gate`; every layer draws centroids of its own. A token's state does not change from layer to layer,
    as it would in the model.

    Returns
    -------
    Trace
        ``chosen`` (layer, token, expert), true where the gate of the layer sends the token.
    """
    layers = int(configs.quantity(f"{model}.moe_layers").value)
    chosen, tokens, took = _chosen(model, text, seed, source, device, layers)
    params = {"model": model, "text": text, "source": source}
    arrays = {"chosen": named(chosen, "layer", "token", "expert", token=tokens)}
    return Trace("untrained_layers", arrays, {}, params, seed, device, took)


def _chosen(
    model: str, text: str, seed: int, source: str, device: str, layers: int
) -> tuple[torch.Tensor, tuple[str, ...], dict[str, object]]:
    """Where the gates send the tokens, (layer, token, expert); the tokens' texts; versions and time."""
    begin = time.perf_counter()
    small, _, ids, tokens = read_sentence(text, source, device)
    cfg = gate_of(model)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        hidden = small(ids, trace=True).layers[-1]["u"][0]  # (T, D)
        chosen = []
        for _ in range(layers):
            centroids = torch.randn(cfg.n_routed_experts, hidden.shape[1], generator=draw) / hidden.shape[1] ** 0.5
            routing = route(hidden, centroids.to(hidden.device), None, cfg)
            chosen.append(torch.zeros_like(routing.logits, dtype=torch.bool).scatter(1, routing.indices, True))
    return torch.stack(chosen), tokens, versions(begin)
