"""How much arithmetic training took: six times the parameters that work, times the tokens."""

from __future__ import annotations

import numpy as np

from explainers import configs, facts
from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray, Trace

MODELS = "v3 qwen_72b llama_405b"


def training_compute(*, models: str = MODELS) -> Trace:
    """Training compute 6·N·D of models, and what the first would have cost with all of its parameters at work.

    N is the number of parameters that a token is multiplied by (the input embedding is looked up, not multiplied),
    D the number of training tokens; the rule is that of Kaplan et al. (2020, arXiv 2001.08361, sec. 2.1): two
    operations a parameter and token forward, four backward, attention over the past left out.

    Parameters
    ----------
    models
        Names of models in `explainers.configs`, separated by spaces; ratios are against the first.

    Returns
    -------
    Trace
        Arrays over ``model``: ``active_params``, ``training_tokens``, ``flops``. Numbers: ``flops_<model>``,
        ``ratio_<model>`` (×), ``flops_all`` (the first with every parameter at work), ``ratio_all`` and, where V3
        and Llama-3.1-405B are both asked for, ``gpu_hours_ratio`` of the hours that the two vendors published.
    """
    keys = models.split()
    if not keys:
        raise ExplainError("training_compute compares at least one model; give names like models='v3 llama_405b'")
    parts = {name: [configs.quantity(f"{key}.{name}") for key in keys] for name in ("active_params", "training_tokens")}
    flops = [configs.quantity(f"{key}.train_flops_6nd") for key in keys]
    titles = tuple(configs.config(key).title for key in keys)

    def over(name: str, unit: str, quantities: list[Quantity]) -> NamedArray:
        values = np.array([float(each) for each in quantities])
        return NamedArray(values, ("model",), name, unit, {"model": titles})

    arrays = {
        "active_params": over("parameters at work", "param", parts["active_params"]),
        "training_tokens": over("training tokens", "token", parts["training_tokens"]),
        "flops": over("training compute", "FLOP", flops),
    }
    numbers = {f"flops_{key}": each for key, each in zip(keys, flops, strict=True)}
    numbers |= {f"ratio_{key}": _times(each, flops[0]) for key, each in zip(keys[1:], flops[1:], strict=True)}
    whole, tokens = configs.quantity(f"{keys[0]}.total_params"), parts["training_tokens"][0]
    numbers["flops_all"] = computed(
        6 * whole.value * tokens.value, "FLOP", "6 × total_params × training_tokens", (whole, tokens)
    )
    numbers["ratio_all"] = _times(numbers["flops_all"], flops[0])
    if {"v3", "llama_405b"} <= set(keys):
        hours = (facts.quantity("training.llama_31.gpu_hours_405b"), facts.quantity("training.v3_cost.gpu_hours"))
        numbers["gpu_hours_ratio"] = _times(*hours)
    note = "attention over the past is left out of 6·N·D; GPU hours are of H100 (Llama) and H800 (V3), as published"
    return Trace("training_compute", arrays, numbers, {"models": models}, meta={"note": note})


def _times(one: Quantity, other: Quantity) -> Quantity:
    return computed(one.value / other.value, "×", f"{one.short()} / {other.short()}", (one, other))
