"""What a model asks of a group of GPUs: bytes held and read, FLOPs, and what published kernels reach.

Counting for `explainers.serving`; nothing here is a measurement of this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explainers import caching, configs, counting, facts
from explainers.errors import ExplainError, one_of
from explainers.roofline import Chip, chip
from explainers.sizes import CompressedAttention, LatentAttention, ModelConfig

Array = NDArray[np.float64]
ATTENTIONS = caching.ATTENTIONS
FEED_FORWARDS = ("moe", "dense")


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


def rates(deployment: Deployment, *, prefill: bool = False) -> Rates:
    """Published H800 kernel speeds as shares of the H800's peaks, applied to the chip's own peaks.

    FlashMLA reads memory and attends (its sparse kernels where attention is sparse), DeepGEMM multiplies, DeepEP sends.
    """
    target, reference = deployment.chip, chip("h800")
    week, deepep = facts.entry("inference.open_source_week"), facts.entry("inference.deepep")
    memory = week.quantity("flashmla_bandwidth").value / reference.bandwidth.value
    matmul = week.quantity("deepgemm_compute").value / reference.peak("fp8").value
    if deployment.attention == "own" and _has_own_format(deployment.config):
        kernel = facts.quantity(f"inference.flashmla_sparse.sparse_{'prefill' if prefill else 'decode'}")
    else:
        kernel = week.quantity("flashmla_compute")
    network = deepep.quantity("normal_dispatch" if prefill else "low_latency_dispatch").value
    return Rates(
        memory * target.bandwidth.value,
        matmul * target.peak("fp8").value,
        kernel.value / reference.bf16.value * target.bf16.value,
        network,
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
    network_bytes: float  # dispatched and combined for one token


def load(deployment: Deployment) -> Load:
    """Count a deployment."""
    config = deployment.config
    parts = {part.name: part for part in counting.parts(config)}
    routed = parts["routed expert"].total().value if "routed expert" in parts else 0
    shared = counting.total_params(config).value - routed - parts["input embedding"].params.value
    dense = deployment.feed_forward == "dense" or not routed
    active = shared + routed if dense else counting.active_params(config).value
    ffn = config.ffn
    crossing = 0 if dense else config.moe_layers * ffn.experts_per_token * config.hidden * 3  # 1 B out, 2 B back
    each = caching.bytes_per_token(config, deployment.attention).value
    if deployment.attention != "own" or not _has_own_format(config):
        each = each * deployment.cache_width / 2
    return Load(
        shared if routed else 0,  # without routed experts every matrix is split over the group
        (routed or shared) / deployment.gpus,
        max(ffn.routed_experts, 1),
        max(ffn.routed_experts, 1) if dense else ffn.experts_per_token,
        2 * active,
        each,
        crossing,
    )


def _has_own_format(config: ModelConfig) -> bool:
    kind = config.attention
    return isinstance(kind, CompressedAttention) or (isinstance(kind, LatentAttention) and kind.index_topk > 0)


def attention_flops(deployment: Deployment, keys: Any, *, prefill: bool = False) -> tuple[Array, Array]:
    """FLOPs of one query over ``keys`` earlier tokens, all layers: (attention itself in BF16, indexer in FP8 or FP4).

    In prefill MLA's keys and values are written out, which costs less a key than the absorbed order; V3.2 does the same
    while that is cheaper than attending to its chosen keys in the absorbed order.
    """
    config, kind = deployment.config, deployment.config.attention
    keys = np.asarray(keys, dtype=np.float64)
    nothing = np.zeros_like(keys)
    if isinstance(kind, LatentAttention):
        written_out = 2 * kind.heads * (kind.qk_nope_head_dim + kind.qk_rope_head_dim + kind.v_head_dim)
        absorbed = 2 * kind.heads * (2 * kind.kv_lora_rank + kind.qk_rope_head_dim)
        if deployment.attention == "own" and kind.index_topk:
            core = absorbed * np.minimum(kind.index_topk, keys)
            core = np.minimum(core, written_out * keys) if prefill else core
            return config.layers * core, config.layers * 2 * kind.index_heads * kind.index_head_dim * keys
        each = 4 * kind.heads * kind.v_head_dim
        if deployment.attention in ("own", "mla"):
            each = written_out if prefill else absorbed
        elif deployment.attention == "uncompressed":
            each = written_out
        return config.layers * each * keys, nothing
    if isinstance(kind, CompressedAttention):
        return _compressed_flops(config, kind, keys)
    windowed = kind.sliding_layers if deployment.attention == "own" else 0
    seen = (config.layers - windowed) * keys + windowed * np.minimum(kind.sliding_window, keys)
    return 4 * kind.heads * kind.head_dim * seen, nothing


def _compressed_flops(config: ModelConfig, kind: CompressedAttention, keys: Array) -> tuple[Array, Array]:
    if kind.kv_source_entries:
        raise ExplainError(f"{config.title}: how often its layers look back is not itemised; choose v4_pro or v4_flash")
    blocks = keys / kind.csa_ratio
    seen = config.layers * np.minimum(kind.sliding_window, keys)
    seen = seen + kind.csa_layers * np.minimum(kind.index_topk, blocks) + kind.hca_layers * keys / kind.hca_ratio
    return 4 * kind.heads * kind.head_dim * seen, 2 * kind.index_heads * kind.index_head_dim * kind.csa_layers * blocks


def cache_read(deployment: Deployment, context: Any) -> Array:
    """Cache bytes read to decode one token; sparse attention reads the indexer's keys and only the chosen entries."""
    config, kind = deployment.config, deployment.config.attention
    context = np.asarray(context, dtype=np.float64)
    if deployment.attention != "own" or not _has_own_format(config):
        return load(deployment).cache_per_token * context
    entry, index = config.size("kv_entry_bytes").value, config.size("index_entry_bytes").value
    if isinstance(kind, LatentAttention):
        return config.layers * (index * context + entry * np.minimum(kind.index_topk, context))
    assert isinstance(kind, CompressedAttention)
    blocks = context / kind.csa_ratio
    window = config.layers * entry * np.minimum(kind.sliding_window, context)
    chosen = kind.csa_layers * (index * blocks + entry * np.minimum(kind.index_topk, blocks))
    return chosen + kind.hca_layers * entry * context / kind.hca_ratio + window
