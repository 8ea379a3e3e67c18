"""Keeping experts busy: training with the bias rule, an auxiliary loss only, neither, and a late rescue."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from torch import Tensor

from explainers import shipping
from explainers.batches import DOMAINS
from explainers.experiments.common import named, over_seeds, versions
from explainers.moe import max_vio
from explainers.quantities import Quantity, computed
from explainers.traces import Trace
from explainers.training import Recipe, Training, train

BASE = Recipe(steps=240, lr=8e-3, eval_every=40)
MODES = ("bias rule", "auxiliary loss", "neither", "rescue")
#: Steps whose loads are summed into one point of a curve.
WINDOW = 6


def recipe_of(mode: str, steps: int, seed: int) -> Recipe:
    """The recipe of a mode. ``rescue`` trains a third of the way without balancing, then switches the bias rule on."""
    recipe = replace(BASE, steps=steps, eval_every=max(1, steps // 6), seed=seed)
    return {
        "bias rule": recipe,
        "auxiliary loss": replace(recipe, balance="aux"),
        "neither": replace(recipe, balance="none"),
        "rescue": replace(recipe, bias_from=steps // 3),
    }[mode]


def balanced_trainings(first_seed: int, seeds: int, steps: int, device: str) -> list[Training]:
    """Trainings with the bias rule over several seeds; other runs look at the same ones."""
    return _trainings("bias rule", first_seed, seeds, steps, device)


def _trainings(mode: str, first_seed: int, seeds: int, steps: int, device: str) -> list[Training]:
    data = shipping.data()
    return [
        train(recipe_of(mode, steps, seed), data, device=device, progress=f"{mode}, seed {seed}")
        for seed in range(first_seed, first_seed + seeds)
    ]


def windows(loads: list[Tensor], size: int = WINDOW) -> Tensor:
    """Loads of each step (L, E) summed over windows of steps: (window, L, E)."""
    stacked = torch.stack(loads).long()
    whole = len(stacked) // size * size
    return stacked[:whole].unflatten(0, (-1, size)).sum(1)


def balance(*, first_seed: int = 0, seeds: int = 3, steps: int = 240, device: str = "cpu") -> Trace:
    """Loads, biases and MaxVio over training in four modes.

    MaxVio is measured on the loads of ``WINDOW`` training steps together; its ceiling is experts / k − 1. Loads and
    biases that are drawn expert by expert are those of the first seed.
    """
    begin = time.perf_counter()
    trainings = {mode: _trainings(mode, first_seed, seeds, steps, device) for mode in MODES}
    loads = torch.stack([torch.stack([windows(t.record.load) for t in trainings[mode]]) for mode in MODES])
    violations = max_vio(loads)  # (mode, seed, step, layer)
    share = loads[:, 0].double() / loads[:, 0].double().sum(-1, keepdim=True)  # (mode, step, layer, expert)
    biases = torch.stack([torch.stack(trainings[m][0].record.bias)[WINDOW - 1 :: WINDOW] for m in MODES])
    validation = torch.stack([torch.stack([torch.stack(t.record.validation) for t in trainings[m]]) for m in MODES])
    any_training = trainings[MODES[0]][0]
    at = tuple(str((number + 1) * WINDOW) for number in range(loads.shape[2]))
    layers = moe_layers(any_training)
    arrays = {
        "load": named(share.float(), "mode", "step", "layer", "expert", mode=MODES, step=at, layer=layers),
        "bias": named(biases[:, : len(at)], "mode", "step", "layer", "expert", mode=MODES, step=at, layer=layers),
        "max_vio": named(violations.float(), "mode", "seed", "step", "layer", mode=MODES, step=at, layer=layers),
        "validation": named(
            validation, "mode", "seed", "step", "domain", unit="nat/token",
            mode=MODES, step=tuple(map(str, any_training.record.eval_step)), domain=DOMAINS,
        ),
    }  # fmt: skip
    params = {"first_seed": first_seed, "seeds": seeds, "steps": steps}
    return Trace("balance", arrays, _numbers(violations, validation, BASE), params, first_seed, device, versions(begin))


def moe_layers(training: Training) -> tuple[str, ...]:
    """Numbers of the layers that have experts."""
    cfg = training.recipe.model
    return tuple(str(layer) for layer in range(cfg.num_hidden_layers) if not cfg.is_dense(layer))


def _numbers(violations: Tensor, validation: Tensor, recipe: Recipe) -> dict[str, Quantity]:
    cfg = recipe.model
    last = max(1, violations.shape[2] // 5)
    quantities = {
        "max_vio_ceiling": computed(cfg.n_routed_experts / cfg.num_experts_per_tok - 1, "", "experts / k − 1"),
        "experts": computed(cfg.n_routed_experts, "expert", "routed experts of a layer"),
        "top_k": computed(cfg.num_experts_per_tok, "expert", "experts a token uses"),
        "bias_speed": computed(recipe.bias_speed, "", "bias moved in a step"),
    }
    for mode, violation, loss in zip(MODES, violations, validation, strict=True):
        name = mode.replace(" ", "_")
        end = violation[:, -last:].mean((1, 2))  # (seed,)
        quantities[f"max_vio_{name}"] = over_seeds(
            end.tolist(), "", "MaxVio over the last fifth of training, mean over layers", name=f"MaxVio, {mode}"
        )
        quantities[f"loss_{name}"] = over_seeds(
            loss[:, -1].mean(-1).tolist(), "nat/token", "held-out loss at the end", name=f"loss, {mode}"
        )
    return quantities
