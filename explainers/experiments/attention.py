"""Four kinds of attention trained alike, the learning rate tuned for each: loss against what the cache holds."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from explainers import shipping
from explainers.batches import Data
from explainers.experiments.common import named, over_seeds, versions
from explainers.layers import ModelConfig
from explainers.model import Model
from explainers.quantities import Quantity, computed
from explainers.traces import Trace
from explainers.training import Recipe, Training, train

#: Name → attention, key-value heads, latent rank.
KINDS: dict[str, tuple[str, int, int]] = {
    "MHA": ("mha", 4, 32),
    "GQA-2": ("gqa", 2, 32),
    "MQA": ("mqa", 1, 32),
    "MLA-8": ("mla", 4, 8),
    "MLA-16": ("mla", 4, 16),
    "MLA-32": ("mla", 4, 32),
    "MLA-64": ("mla", 4, 64),
}
RATES = (6e-3, 1.2e-2, 2.4e-2)
_BASE = Recipe(model=ModelConfig(attention="mha", n_routed_experts=0), steps=240, lr=1.2e-2, eval_every=40)


def matched_config(kind: str) -> ModelConfig:
    """A dense model with this attention, its feed-forward widened until it has as many parameters as MHA's."""
    attention, heads, rank = KINDS[kind]
    cfg = replace(_BASE.model, attention=attention, num_key_value_heads=heads, kv_lora_rank=rank)
    missing = _size(_BASE.model) - _size(cfg)
    per_unit = 3 * cfg.hidden_size * cfg.num_hidden_layers
    return replace(cfg, intermediate_size=cfg.intermediate_size + round(missing / per_unit))


def _size(cfg: ModelConfig) -> int:
    return Model(cfg).parameter_counts()[0]


def mha_trainings(first_seed: int, seeds: int, steps: int, device: str) -> list[Training]:
    """The MHA model over several seeds, at the middle rate."""
    data = shipping.data()
    return [
        train(replace(_BASE, steps=steps, seed=seed), data, device=device, progress=f"MHA, seed {seed}")
        for seed in range(first_seed, first_seed + seeds)
    ]


def _tuned(kind: str, seed: int, steps: int, data: Data, device: str) -> tuple[float, list[float]]:
    """The best of `RATES` for a kind on one seed, and the loss at each."""
    base = replace(_BASE, model=matched_config(kind), steps=steps, seed=seed)
    losses = [
        train(replace(base, lr=rate), data, device=device, progress=f"{kind}, rate {rate:g}").final_loss
        for rate in RATES
    ]
    return RATES[losses.index(min(losses))], losses


def attention_variants(*, first_seed: int = 0, seeds: int = 3, steps: int = 150, device: str = "cpu") -> Trace:
    """Validation loss against cached values a token for MHA, GQA, MQA and MLA of several ranks.

    Parameters are matched by the feed-forward's width; the learning rate is chosen for each kind from `RATES` on the
    first seed (which is one of those averaged). Dense layers, so that only attention differs.
    """
    begin = time.perf_counter()
    data = shipping.data()
    losses, rates, curves, tuning, sizes, cached = [], [], [], [], [], []
    for kind in KINDS:
        rate, tried = _tuned(kind, first_seed, steps, data, device)
        recipe = replace(_BASE, model=matched_config(kind), steps=steps, lr=rate)
        trainings = [
            train(replace(recipe, seed=seed), data, device=device, progress=f"{kind}, seed {seed}")
            for seed in range(first_seed, first_seed + seeds)
        ]
        losses.append(torch.tensor([t.final_loss for t in trainings]))
        curves.append(torch.stack([torch.stack(t.record.validation).mean(-1) for t in trainings]))
        rates.append(rate)
        tuning.append(tried)
        sizes.append(trainings[0].model.parameter_counts()[0])
        cached.append(recipe.model.cached_values)
    kinds = tuple(KINDS)
    steps_measured = tuple(map(str, trainings[0].record.eval_step))
    arrays = {
        "loss": named(torch.stack(losses), "kind", "seed", unit="nat/token", kind=kinds),
        "curve": named(torch.stack(curves), "kind", "seed", "step", unit="nat/token", kind=kinds, step=steps_measured),
        "cached_values": named(torch.tensor(cached), "kind", unit="value", kind=kinds),
        "parameters": named(torch.tensor(sizes), "kind", unit="param", kind=kinds),
        "rate": named(torch.tensor(rates), "kind", kind=kinds),
        "tuning": named(
            torch.tensor(tuning), "kind", "rate", unit="nat/token", kind=kinds, rate=[f"{r:g}" for r in RATES]
        ),
    }
    params = {"first_seed": first_seed, "seeds": seeds, "steps": steps}
    quantities = _numbers(losses, cached)
    return Trace("attention_variants", arrays, quantities, params, first_seed, device, versions(begin))


def _numbers(losses: list[torch.Tensor], cached: list[int]) -> dict[str, Quantity]:
    quantities: dict[str, Quantity] = {}
    for kind, loss, values in zip(KINDS, losses, cached, strict=True):
        name = kind.lower().replace("-", "_")
        quantities[f"loss_{name}"] = over_seeds(loss.tolist(), "nat/token", "held-out loss", name=f"{kind}: loss")
        quantities[f"cached_{name}"] = computed(
            values, "value", "values kept for one token in one layer", name=f"{kind}: cached values"
        )
    return quantities
