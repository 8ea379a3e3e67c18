"""The layers of the small model: RMSNorm, four kinds of attention, dense and mixture-of-experts feed-forward.

Parameters carry the names of DeepSeek-V3's published checkpoints. Every intermediate tensor that a picture may show
passes through a *tap*: a function ``(name, tensor) -> tensor`` that may note it, or put another in its place.

Letters: B sequences, S tokens, D hidden size, H heads, T = B·S.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explainers.attention import AttentionConfig, AttentionWeights, KVCache, attend, attention_forward, empty_cache
from explainers.errors import ExplainError, one_of
from explainers.mla import (
    LatentCache,
    MLAConfig,
    MLAWeights,
    compress,
    decode_absorbed,
    empty_latent_cache,
    expand,
    full_keys,
    project_query,
)
from explainers.moe import ExpertWeights, GateConfig, MLPWeights, MoEWeights, Routing, moe_forward, swiglu
from explainers.rope import RopeConfig, apply_rope, rope_table

Tap = Callable[[str, Tensor], Tensor]
Cache = LatentCache | KVCache
ATTENTIONS = ("mla", "mha", "gqa", "mqa")


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the small model, in the names of DeepSeek's ``config.json``.

    Parameters
    ----------
    attention
        ``"mla"``, ``"mha"``, ``"gqa"`` (``num_key_value_heads`` groups) or ``"mqa"``.
    head_dim
        Key and value size of a head for mha, gqa and mqa; MLA has ``qk_nope_head_dim``, ``qk_rope_head_dim``,
        ``v_head_dim`` and ``kv_lora_rank`` instead.
    n_routed_experts
        0 makes every layer dense.
    num_nextn_predict_layers
        1 adds a multi-token-prediction layer (V3 section 2.2), used in training only.
    """

    vocab_size: int = 1024
    hidden_size: int = 128
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    attention: str = "mla"
    num_key_value_heads: int = 4
    head_dim: int = 32
    kv_lora_rank: int = 32
    qk_nope_head_dim: int = 32
    qk_rope_head_dim: int = 16
    v_head_dim: int = 32
    intermediate_size: int = 320
    first_k_dense_replace: int = 1
    n_routed_experts: int = 16
    num_experts_per_tok: int = 4
    n_shared_experts: int = 1
    moe_intermediate_size: int = 64
    n_group: int = 4
    topk_group: int = 2
    routed_scaling_factor: float = 2.5
    num_nextn_predict_layers: int = 0
    rope_theta: float = 10_000.0
    rms_norm_eps: float = 1e-6
    max_position_embeddings: int = 1024

    def __post_init__(self) -> None:
        if self.attention not in ATTENTIONS:
            raise one_of("attention", self.attention, ATTENTIONS)
        for name in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "kv_lora_rank"):
            if getattr(self, name) < 1:
                raise ExplainError(f"{name} is {getattr(self, name)}; give a whole number of at least 1")
        self.cached_values  # noqa: B018 (the attention's own check of sizes)
        if self.n_routed_experts:
            self.gate  # noqa: B018 (the gate's own check of sizes)

    @property
    def key_value_heads(self) -> int:
        """Heads of keys and values that are cached: all, some groups, or one."""
        return {"mha": self.num_attention_heads, "gqa": self.num_key_value_heads, "mqa": 1}.get(self.attention, 1)

    @property
    def gate(self) -> GateConfig:
        return GateConfig(
            self.n_routed_experts,
            self.num_experts_per_tok,
            self.n_group,
            self.topk_group,
            routed_scaling_factor=self.routed_scaling_factor,
        )

    @property
    def mla(self) -> MLAConfig:
        """Sizes of one MLA layer, for `explainers.mla`."""
        return MLAConfig(
            self.hidden_size,
            self.num_attention_heads,
            self.kv_lora_rank,
            self.qk_nope_head_dim,
            self.qk_rope_head_dim,
            self.v_head_dim,
            rope_theta=self.rope_theta,
            norm_eps=self.rms_norm_eps,
        )

    @property
    def grouped(self) -> AttentionConfig:
        """Sizes of one MHA, GQA or MQA layer, for `explainers.attention`."""
        rope = RopeConfig(self.head_dim, self.rope_theta)
        return AttentionConfig(self.hidden_size, self.num_attention_heads, self.key_value_heads, self.head_dim, rope)

    @property
    def cached_values(self) -> int:
        """Values kept for one token in one layer: latent and rope key, or keys and values of each cached head."""
        return (self.mla if self.attention == "mla" else self.grouped).cache_values_per_token

    def is_dense(self, layer: int) -> bool:
        """Whether a layer has one feed-forward network instead of experts."""
        return not self.n_routed_experts or layer < self.first_k_dense_replace

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, about: dict[str, Any]) -> ModelConfig:
        """From a ``config.json``; what it does not know is left aside."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in about.items() if name in known})


def untapped(name: str, values: Tensor) -> Tensor:
    """The tap that does nothing."""
    return values


class RMSNorm(nn.Module):
    """x / rms(x) · weight."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def linear(size_in: int, size_out: int) -> nn.Linear:
    return nn.Linear(size_in, size_out, bias=False)


class MLA(nn.Module):
    """Multi-head latent attention without query compression, over `explainers.mla`."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        heads, nope, rope = cfg.num_attention_heads, cfg.qk_nope_head_dim, cfg.qk_rope_head_dim
        self.cfg = cfg.mla
        self.q_proj = linear(cfg.hidden_size, heads * (nope + rope))
        self.kv_a_proj_with_mqa = linear(cfg.hidden_size, cfg.kv_lora_rank + rope)
        self.kv_a_layernorm = RMSNorm(cfg.kv_lora_rank, cfg.rms_norm_eps)
        self.kv_b_proj = linear(cfg.kv_lora_rank, heads * (nope + cfg.v_head_dim))
        self.o_proj = linear(heads * cfg.v_head_dim, cfg.hidden_size)

    def weights(self) -> MLAWeights:
        return MLAWeights(
            wkv_a=self.kv_a_proj_with_mqa.weight,
            kv_norm=self.kv_a_layernorm.weight,
            wkv_b=self.kv_b_proj.weight,
            wo=self.o_proj.weight,
            wq=self.q_proj.weight,
        )

    def forward(self, h: Tensor, tap: Tap = untapped) -> Tensor:
        w = self.weights()
        _, q_nope, q_pe = project_query(h, w, self.cfg, 0)  # (B, S, H, n), (B, S, H, p)
        c_kv, k_pe = compress(h, w, self.cfg, 0)  # (B, S, r), (B, S, p)
        c_kv, k_pe, q_nope, q_pe = tap("c_kv", c_kv), tap("k_pe", k_pe), tap("q_nope", q_nope), tap("q_pe", q_pe)
        k_nope, v = expand(c_kv, w, self.cfg)
        k_nope, v = tap("k_nope", k_nope), tap("v", v)  # (B, S, H, n), (B, S, H, v)
        q, k = torch.cat((q_nope, q_pe), dim=-1), full_keys(k_nope, k_pe)
        return self.o_proj(softmax_attention(q, k, v, self.cfg.softmax_scale, tap).flatten(2))

    def start_cache(self, like: Tensor) -> LatentCache:
        """An empty cache for one sequence."""
        return empty_latent_cache(self.cfg, 1, like)

    def decode(self, h: Tensor, cache: LatentCache) -> tuple[Tensor, LatentCache]:
        """New tokens h (1, S, D) after those in the cache, absorbed."""
        return decode_absorbed(h, self.weights(), self.cfg, cache)


class GroupedAttention(nn.Module):
    """MHA, GQA and MQA, over `explainers.attention`."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        self.cfg = cfg.grouped
        width = cfg.head_dim
        self.q_proj = linear(cfg.hidden_size, cfg.num_attention_heads * width)
        self.k_proj = linear(cfg.hidden_size, cfg.key_value_heads * width)
        self.v_proj = linear(cfg.hidden_size, cfg.key_value_heads * width)
        self.o_proj = linear(cfg.num_attention_heads * width, cfg.hidden_size)

    def weights(self) -> AttentionWeights:
        return AttentionWeights(self.q_proj.weight, self.k_proj.weight, self.v_proj.weight, self.o_proj.weight)

    def forward(self, h: Tensor, tap: Tap = untapped) -> Tensor:
        assert self.cfg.rope is not None
        heads = (-1, self.cfg.head_dim)
        table = rope_table(self.cfg.rope, 0, h.shape[1], h)
        q = apply_rope(self.q_proj(h).unflatten(-1, heads), table)  # (B, S, H, d)
        kv = tap("kv", torch.cat((self.k_proj(h), self.v_proj(h)), dim=-1))  # (B, S, 2·K·d) keys, then values
        k, v = kv.chunk(2, dim=-1)
        k = apply_rope(k.unflatten(-1, heads), table).flatten(2)
        k, v = tap("kv_rotated", torch.cat((k, v), dim=-1)).chunk(2, dim=-1)
        k, v = k.unflatten(-1, heads), v.unflatten(-1, heads)  # (B, S, K, d)
        return self.o_proj(softmax_attention(q, k, v, self.cfg.softmax_scale, tap).flatten(2))

    def start_cache(self, like: Tensor) -> KVCache:
        """An empty cache for one sequence."""
        return empty_cache(self.cfg, 1, like)

    def decode(self, h: Tensor, cache: KVCache) -> tuple[Tensor, KVCache]:
        """New tokens h (1, S, D) after those in the cache."""
        return attention_forward(h, self.weights(), self.cfg, cache)


def softmax_attention(q: Tensor, k: Tensor, v: Tensor, scale: float, tap: Tap) -> Tensor:
    """`explainers.attention.attend`, or torch's fused kernel for it where nobody looks at the probabilities.

    q (B, S, H, d), k (B, S, K, d), v (B, S, K, d_v) → (B, S, H, d_v).
    """
    if tap is not untapped:
        heads, _, probs = attend(q, k, v, scale)
        tap("attention", probs)  # (B, H, S, S)
        return heads
    repeat = q.shape[2] // k.shape[2]
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)  # (B, H, S, ·)
    if repeat > 1:
        k, v = k.repeat_interleave(repeat, dim=1), v.repeat_interleave(repeat, dim=1)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale).transpose(1, 2)


class MLP(nn.Module):
    """SwiGLU feed-forward."""

    def __init__(self, hidden: int, inner: int) -> None:
        super().__init__()
        self.gate_proj, self.up_proj = linear(hidden, inner), linear(hidden, inner)
        self.down_proj = linear(inner, hidden)

    def weights(self) -> MLPWeights:
        return MLPWeights(self.gate_proj.weight, self.down_proj.weight, self.up_proj.weight)

    def forward(self, x: Tensor) -> Tensor:
        return swiglu(x, self.gate_proj.weight, self.down_proj.weight, self.up_proj.weight)


class Gate(nn.Module):
    """The gate's learnt centroids and the bias that only chooses."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(cfg.n_routed_experts, cfg.hidden_size))
        self.register_buffer("e_score_correction_bias", torch.zeros(cfg.n_routed_experts))
        self.e_score_correction_bias: Tensor


class Experts(nn.Module):
    """The routed experts' weights, stacked."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        experts, inner, hidden = cfg.n_routed_experts, cfg.moe_intermediate_size, cfg.hidden_size
        self.w1 = nn.Parameter(torch.empty(experts, inner, hidden))  # gate projection
        self.w2 = nn.Parameter(torch.empty(experts, hidden, inner))  # down projection
        self.w3 = nn.Parameter(torch.empty(experts, inner, hidden))  # up projection


class MoE(nn.Module):
    """Routed experts and shared experts, over `explainers.moe`. ``routing`` is that of the last call."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        self.gate_config = cfg.gate
        self.gate, self.experts = Gate(cfg), Experts(cfg)
        self.shared_experts = MLP(cfg.hidden_size, cfg.moe_intermediate_size * cfg.n_shared_experts)
        self.routing: Routing | None = None

    def weights(self) -> MoEWeights:
        experts = ExpertWeights(self.experts.w1, self.experts.w2, self.experts.w3)
        bias = self.gate.e_score_correction_bias
        return MoEWeights(self.gate.weight, experts, bias, self.shared_experts.weights())

    def forward(self, x: Tensor) -> Tensor:
        out, self.routing = moe_forward(x, self.weights(), self.gate_config)
        return out


class Block(nn.Module):
    """One layer: attention and feed-forward, each on a normalised input and added to the residual."""

    def __init__(self, cfg: ModelConfig, layer: int) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(cfg.hidden_size, cfg.rms_norm_eps)
        self.self_attn = MLA(cfg) if cfg.attention == "mla" else GroupedAttention(cfg)
        self.post_attention_layernorm = RMSNorm(cfg.hidden_size, cfg.rms_norm_eps)
        self.mlp: MLP | MoE = MLP(cfg.hidden_size, cfg.intermediate_size) if cfg.is_dense(layer) else MoE(cfg)

    def forward(self, x: Tensor, tap: Tap = untapped) -> Tensor:
        h = tap("h", self.input_layernorm(x))
        x = x + tap("attention_out", self.self_attn(h, tap))
        u = tap("u", self.post_attention_layernorm(x))
        return x + tap("ffn_out", self.mlp(u))

    def decode(self, x: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
        """The same for new tokens (1, S, D) only, with what the cache remembers of those before."""
        out, cache = self.self_attn.decode(self.input_layernorm(x), cache)  # type: ignore[arg-type]
        x = x + out
        return x + self.mlp(self.post_attention_layernorm(x)), cache
