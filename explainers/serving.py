"""A *model* of serving: how fast a group of GPUs can decode and prefill, and what a million tokens then costs.

It counts bytes and FLOPs from the published sizes and divides by what published kernels reach on the chip. It is an
upper bound on speed: nothing here was measured on the machines it describes, and `ASSUMPTIONS` and `LEFT_OUT` say
what is taken for granted. Where a published speed exists, dividing it by the model's gives the *utilisation*, which
other estimates can borrow.

One decoding step of a GPU with b sequences of L tokens takes::

    weights:   bytes of the weights it holds that are used / bandwidth     (experts: those that somebody chose)
    matmul:    b · 2 · active parameters / FP8 speed                        (overlaps with reading the weights)
    attention: max(b · cache bytes(L) / bandwidth, b · FLOPs(L) / BF16 speed)
    network:   b · bytes dispatched and combined / card speed               (overlaps with the other half-batch)
    step = max(2 · weights or matmul + attention, network), with two half-batches that each read the weights
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explainers import caching, configs, counting, facts
from explainers.errors import ExplainError, one_of
from explainers.roofline import Chip, chip
from explainers.sizes import CompressedAttention, GroupedAttention, LatentAttention, ModelConfig

Array = NDArray[np.float64]

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
ATTENTIONS = ("own", "mha", "gqa8", "mqa", "mla", "uncompressed")
FEED_FORWARDS = ("moe", "dense")
MEMORY_RESERVE = 0.1


@dataclass(frozen=True)
class Deployment:
    """A model on a group of equal GPUs.

    Parameters
    ----------
    model, gpu
        Keys of `configs` and of `roofline.CHIPS`; the GPU needs FP8 units.
    gpus
        GPUs that share the routed experts (144 = DeepSeek's decode unit of 18 nodes).
    attention
        The model's ``own`` or an imagined one (`caching.values_per_layer`).
    feed_forward
        ``moe`` as published, or ``dense``: every expert works for every token (same total parameters).
    cache_width
        Bytes of a cached value where it is imagined or BF16: 2 for BF16, 1 for FP8.
    """

    model: str = "v3"
    gpu: str = "h800"
    gpus: int = 144
    attention: str = "own"
    feed_forward: str = "moe"
    cache_width: float = 2.0

    def __post_init__(self) -> None:
        if self.gpus < 1:
            raise ExplainError(f"{self.gpus} GPUs; give at least 1")
        for what, value, known in (
            ("attention", self.attention, ATTENTIONS),
            ("feed-forward", self.feed_forward, FEED_FORWARDS),
        ):
            if value not in known:
                raise one_of(what, value, list(known))
        if not caching.has_attention(self.config, self.attention):
            raise ExplainError(f"{self.attention} is not counted for {self.config.title}; choose own")

    @property
    def config(self) -> ModelConfig:
        return configs.config(self.model)

    @property
    def chip(self) -> Chip:
        return chip(self.gpu)


@dataclass(frozen=True)
class Rates:
    """What kernels reach: bytes/s from memory and between nodes, FLOP/s in FP8 products and in BF16 attention."""

    bandwidth: float
    matmul: float
    attention: float
    network: float


def rates(gpu: str, *, prefill: bool = False) -> Rates:
    """Published H800 kernel speeds as shares of the H800's peaks, applied to the chip's own peaks."""
    target, reference, week, deepep = (
        chip(gpu),
        chip("h800"),
        "inference.open_source_week",
        facts.entry("inference.deepep"),
    )
    memory = facts.quantity(f"{week}.flashmla_bandwidth").value / reference.bandwidth.value
    matmul = facts.quantity(f"{week}.deepgemm_compute").value / reference.peak("fp8").value
    attention = facts.quantity(f"{week}.flashmla_compute").value / reference.bf16.value
    network = deepep.quantity("normal_dispatch" if prefill else "low_latency_dispatch").value
    return Rates(
        memory * target.bandwidth.value, matmul * target.peak("fp8").value, attention * target.bf16.value, network
    )


# ---------------------------------------------------------------------- bytes and FLOPs of one GPU
@dataclass(frozen=True)
class Load:
    """What one GPU of the group holds and does for one token, in bytes and FLOPs."""

    replicated_bytes: float  # weights that every GPU holds and reads in each step (FP8)
    expert_bytes: float  # its part of the routed experts
    experts: int  # routed experts in a layer
    chosen: int  # of which one token uses this many
    weight_flops: float  # FLOPs a token in matrix products
    cache_per_token: float  # cache bytes for each token of context, long contexts
    attention_per_key: float  # FLOPs for one query and one key, all layers, in decoding
    prefill_per_key: float  # the same in prefill, where MLA's keys and values are written out
    network_bytes: float  # dispatched and combined for one token


def load(deployment: Deployment) -> Load:
    """Count a deployment."""
    config = deployment.config
    parts = {part.name: part for part in counting.parts(config)}
    routed = parts["routed expert"].total().value if "routed expert" in parts else 0
    shared = counting.total_params(config).value - routed - parts["input embedding"].params.value
    dense = deployment.feed_forward == "dense" or not routed
    active = shared + routed if dense else counting.active_params(config).value
    decode, prefill = attention_flops_per_key(deployment)
    ffn = config.ffn
    crossing = 0 if dense else config.moe_layers * ffn.experts_per_token * config.hidden * 3  # 1 B out, 2 B back
    each = caching.bytes_per_token(config, deployment.attention).value
    if deployment.attention != "own" or not _has_own_format(config):
        each = each * deployment.cache_width / 2
    return Load(
        shared if routed else 0,  # without routed experts every matrix is split over the group
        (routed or shared) / deployment.gpus,
        max(ffn.routed_experts, 1),
        ffn.routed_experts if dense else ffn.experts_per_token,
        2 * active,
        each,
        decode,
        prefill,
        crossing,
    )


def _has_own_format(config: ModelConfig) -> bool:
    kind = config.attention
    return isinstance(kind, CompressedAttention) or (isinstance(kind, LatentAttention) and kind.index_topk > 0)


def attention_flops_per_key(deployment: Deployment) -> tuple[float, float]:
    """FLOPs of one query against one key, all layers: (decoding, prefill), growth per token for sparse attention."""
    config, kind = deployment.config, deployment.config.attention
    if isinstance(kind, LatentAttention):
        written_out = 2 * kind.heads * (kind.qk_nope_head_dim + kind.qk_rope_head_dim + kind.v_head_dim)
        absorbed = 2 * kind.heads * (2 * kind.kv_lora_rank + kind.qk_rope_head_dim)
        if deployment.attention in ("own", "mla"):
            indexed = deployment.attention == "own" and kind.index_topk
            if indexed:  # beyond the chosen keys only the indexer grows
                index = 2 * kind.index_heads * kind.index_head_dim
                return config.layers * index, config.layers * index
            return config.layers * absorbed, config.layers * written_out
        spread = written_out if deployment.attention == "uncompressed" else 4 * kind.heads * kind.v_head_dim
        return config.layers * spread, config.layers * spread
    if isinstance(kind, CompressedAttention):
        if kind.kv_source_entries:
            raise ExplainError(
                f"{config.title}: how often its layers look back is not itemised; choose v4_pro or v4_flash"
            )
        growing = 2 * kind.index_heads * kind.index_head_dim * kind.csa_layers / kind.csa_ratio
        growing += 4 * kind.heads * kind.head_dim * kind.hca_layers / kind.hca_ratio
        return growing, growing
    full = config.layers - (kind.sliding_layers if deployment.attention == "own" else 0)
    grouped = 4.0 * kind.heads * kind.head_dim * full
    return grouped, grouped


def fixed_attention_flops(deployment: Deployment) -> float:
    """FLOPs of the keys that sparse attention always looks at (chosen entries, window), all layers."""
    config, kind = deployment.config, deployment.config.attention
    if deployment.attention != "own":
        return 0.0
    if isinstance(kind, LatentAttention) and kind.index_topk:
        return config.layers * kind.index_topk * 2 * kind.heads * (2 * kind.kv_lora_rank + kind.qk_rope_head_dim)
    if isinstance(kind, CompressedAttention):
        each = 4 * kind.heads * kind.head_dim
        return each * (config.layers * kind.sliding_window + kind.csa_layers * kind.index_topk)
    if isinstance(kind, GroupedAttention):
        return 4 * kind.heads * kind.head_dim * kind.sliding_layers * kind.sliding_window
    return 0.0


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
    counted, speed = load(deployment), rates(deployment.gpu)
    b, length = np.broadcast_arrays(np.asarray(batch, dtype=np.float64), np.asarray(context, dtype=np.float64))
    if (b <= 0).any() or (length <= 0).any():
        raise ExplainError("batch and context must be above 0")
    everybody = b * deployment.gpus
    touched = 1 - (1 - counted.chosen / counted.experts) ** everybody  # experts that at least one token chose
    weights = (counted.replicated_bytes + counted.expert_bytes * touched) / speed.bandwidth
    matmul = b * counted.weight_flops / speed.matmul
    arithmetic = b * (counted.attention_per_key * length + fixed_attention_flops(deployment)) / speed.attention
    reading = b * read_per_step(deployment, counted, length) / speed.bandwidth
    return Step(weights, matmul, np.maximum(arithmetic, reading), b * counted.network_bytes / speed.network)


def read_per_step(deployment: Deployment, counted: Load, context: Array) -> Array:
    """Cache bytes read to decode one token; sparse attention reads the indexer's keys and only the chosen entries."""
    config, kind = deployment.config, deployment.config.attention
    whole = counted.cache_per_token * context
    if deployment.attention != "own" or not _has_own_format(config):
        return whole
    entry, index = config.size("kv_entry_bytes").value, config.size("index_entry_bytes").value
    if isinstance(kind, LatentAttention):
        return config.layers * (index * context + entry * np.minimum(kind.index_topk, context))
    assert isinstance(kind, CompressedAttention)
    blocks = context / kind.csa_ratio
    chosen = kind.csa_layers * (index * blocks + entry * np.minimum(kind.index_topk, blocks))
    return chosen + kind.hca_layers * entry * context / kind.hca_ratio + config.layers * entry * kind.sliding_window


def decode_speed(deployment: Deployment, batch: Any, context: Any, utilisation: float = 1.0) -> Array:
    """Output tokens a second of one GPU."""
    return utilisation * np.asarray(batch, dtype=np.float64) / decode_step(deployment, batch, context).seconds


def prefill_speed(deployment: Deployment, prompt: Any, utilisation: float = 1.0) -> Array:
    """Prompt tokens a second of one GPU, none of them cached; every query sees half of its prompt on average."""
    counted, speed = load(deployment), rates(deployment.gpu, prefill=True)
    length = np.asarray(prompt, dtype=np.float64)
    keys = counted.prefill_per_key * length / 2 + fixed_attention_flops(deployment)
    computing = counted.weight_flops / speed.matmul + keys / speed.attention
    # in prefill a token crosses to at most four groups of experts, not to eight experts (V3 report, 2.1.2)
    groups = deployment.config.sizes.get("expert_groups_kept")
    share = min(1.0, groups.value / deployment.config.ffn.experts_per_token) if groups else 1.0
    network = counted.network_bytes * share / speed.network
    return utilisation / np.maximum(computing, network)


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
