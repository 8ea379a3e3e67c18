"""A *model* of serving: how fast a group of GPUs can decode and prefill, and what a million tokens then costs.

It counts bytes and FLOPs from the published sizes and divides by what published kernels reach on the chip. It is an
upper bound on speed: nothing here was measured on the machines it describes, and `ASSUMPTIONS` and `LEFT_OUT` say
what is taken for granted. Where a published speed exists, dividing it by the model's gives the *utilisation*, which
other estimates can borrow.

One decoding step of a GPU with b sequences of L tokens takes::

    weights:   bytes of the weights it holds that are used / bandwidth     (experts: those that somebody chose)
    matmul:    b · 2 · active parameters / FP8 speed                        (overlaps with reading the weights)
    attention: max(b · cache bytes read(L) / bandwidth, b · FLOPs(L) / BF16 speed), the indexer's at FP8 speed
    network:   b · bytes dispatched and combined / card speed               (overlaps with the other half-batch)
    step = max(2 · weights or matmul + attention, network), with two half-batches that each read the weights
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from explainers.deployments import Array, Deployment, attention_flops, cache_read, load, rates
from explainers.errors import ExplainError

ASSUMPTIONS = (
    "weights, matrix products and dispatch in FP8, attention and combining in BF16 (open-infra-index, day 6)",
    "kernels reach the share of peak published for FlashMLA and DeepGEMM on H800, and the network DeepEP's speed",
    "memory traffic and arithmetic of one kernel overlap perfectly; two half-batches hide the network behind computing",
    "every GPU holds all of the attention and an equal part of the routed experts; load is balanced",
    "a model without experts is split evenly over the group",
    "all sequences have the same length; a tenth of the memory is kept for activations and buffers",
    "imagined attentions keep the model's other parameters as they are",
)
LEFT_OUT = (
    "scheduling, sampling, launch gaps, unequal load, requests that arrive and leave, idle nodes at night",
    "multi-token prediction, which DeepSeek may have used and which would raise speed",
    "electricity, staff, storage, networking hardware: money is rented GPU hours only",
    "reading hits of the disk cache, time to first token, traffic between the GPUs of one node",
)
MEMORY_RESERVE = 0.1


# ---------------------------------------------------------------------- decoding
@dataclass(frozen=True)
class Step:
    """Seconds of one decoding step, by part; arrays broadcast over batch and context."""

    weights: Array
    matmul: Array
    attention: Array
    network: Array

    @property
    def seconds(self) -> Array:
        return np.maximum(np.maximum(2 * self.weights, self.matmul) + self.attention, self.network)


def largest_batch(deployment: Deployment, context: Any) -> Array:
    """Sequences of ``context`` tokens whose cache fits beside the weights on one GPU; 0 where nothing fits."""
    counted = load(deployment)
    room = deployment.chip.memory.value * (1 - MEMORY_RESERVE) - counted.replicated_bytes - counted.expert_bytes
    return np.maximum(np.floor(room / (counted.cache_per_token * np.asarray(context, dtype=np.float64))), 0.0)


def decode_step(deployment: Deployment, batch: Any, context: Any) -> Step:
    """One step in which each GPU of the group adds a token to ``batch`` sequences of ``context`` tokens."""
    counted, speed = load(deployment), rates(deployment)
    b, length = np.broadcast_arrays(np.asarray(batch, dtype=np.float64), np.asarray(context, dtype=np.float64))
    if (b <= 0).any() or (length <= 0).any():
        raise ExplainError("batch and context must be above 0")
    everybody = b * deployment.gpus
    touched = 1 - (1 - counted.chosen / counted.experts) ** everybody  # experts that at least one token chose
    weights = (counted.replicated_bytes + counted.expert_bytes * touched) / speed.bandwidth
    matmul = b * counted.weight_flops / speed.matmul
    return Step(weights, matmul, b * attention_seconds(deployment, length), b * counted.network_bytes / speed.network)


def attention_seconds(deployment: Deployment, keys: Any, *, prefill: bool = False) -> Array:
    """Time of one token's attention over ``keys`` tokens; decoding reads them, prefill has them at hand."""
    speed = rates(deployment, prefill=prefill)
    core, index = attention_flops(deployment, keys, prefill=prefill)
    computing = core / speed.attention + index / speed.matmul
    return computing if prefill else np.maximum(computing, cache_read(deployment, keys) / speed.bandwidth)


def decode_speed(deployment: Deployment, batch: Any, context: Any, utilisation: float = 1.0) -> Array:
    """Output tokens a second of one GPU."""
    return utilisation * np.asarray(batch, dtype=np.float64) / decode_step(deployment, batch, context).seconds


def prefill_speed(deployment: Deployment, prompt: Any, utilisation: float = 1.0) -> Array:
    """Prompt tokens a second of one GPU, none of them cached; every query sees half of its prompt on average."""
    products, network = _prefill_seconds(deployment)
    attention = attention_seconds(deployment, np.asarray(prompt, dtype=np.float64) / 2, prefill=True)
    return utilisation / np.maximum(products + attention, network)


def _prefill_seconds(deployment: Deployment) -> tuple[float, float]:
    """Matrix products and network of one prompt token, in seconds."""
    counted, speed = load(deployment), rates(deployment, prefill=True)
    # in prefill a token crosses to at most four groups of experts, not to eight experts (V3 report, 2.1.2)
    groups = deployment.config.sizes.get("expert_groups_kept")
    share = min(1.0, groups.value / deployment.config.ffn.experts_per_token) if groups else 1.0
    return counted.weight_flops / speed.matmul, counted.network_bytes * share / speed.network


def position_cost(
    deployment: Deployment, position: Any, *, batch: float, prefill: bool = False, price_per_hour: float = 2.0
) -> Array:
    """USD for a million tokens at this place in a sequence, on a GPU that is otherwise busy with ``batch`` others.

    The token pays for its own attention and for its part of everything else (V3.2 report, figure 3, in the same terms).
    """
    own = attention_seconds(deployment, position, prefill=prefill)
    if prefill:
        products, network = _prefill_seconds(deployment)
        spent = np.maximum(products + own, network)
    else:
        step = decode_step(deployment, batch, 1.0)
        spent = np.maximum(2 * step.weights, step.matmul) / batch + own
    return price_per_hour / 3600.0 * spent * 1e6


def cost_per_million(speed: Any, price_per_hour: float = 2.0) -> Array:
    """USD for a million tokens at ``speed`` tokens a second of a GPU rented for ``price_per_hour`` USD."""
    return price_per_hour / 3600.0 / np.asarray(speed, dtype=np.float64) * 1e6


def best_batch(deployment: Deployment, context: float, slowest: float = 20.0, utilisation: float = 1.0) -> float:
    """The largest batch a GPU that fits in memory and still gives each user ``slowest`` tokens a second; 0: none."""
    limit = int(largest_batch(deployment, context))
    if limit < 1:
        return 0.0
    batches = np.arange(1, limit + 1, dtype=np.float64)
    fast = decode_speed(deployment, batches, context, utilisation) / batches >= slowest
    return float(batches[fast].max()) if fast.any() else 0.0


def variant(deployment: Deployment, **changes: Any) -> Deployment:
    """The same deployment with some switches turned."""
    return replace(deployment, **changes)
