"""The layers of the small model: RMSNorm, six kinds of attention, dense and mixture-of-experts feed-forward.

Parameters carry the names of DeepSeek-V3's published checkpoints. Every intermediate tensor that a picture may show
passes through a *tap*: a function ``(name, tensor) -> tensor`` that may note it, or put another in its place.

Letters: B sequences, S tokens, D hidden size, H heads, T = B·S.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explainers.attention import AttentionConfig, AttentionWeights, KVCache, attend, attention_forward, empty_cache
from explainers.basics import FusedTap, RMSNorm, Tap, linear, untapped
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
from explainers.model_config import ATTENTIONS, ModelConfig
from explainers.moe import ExpertWeights, MLPWeights, MoEWeights, Routing, moe_forward, swiglu
from explainers.rope import apply_rope, rope_table
from explainers.sparse_layers import CompressedAttention, SparseMLA, V4Cache, V32Cache

__all__ = ["ATTENTIONS", "Block", "Cache", "MLA", "MoE", "ModelConfig", "RMSNorm", "Tap", "linear", "untapped"]

Cache = LatentCache | KVCache | V32Cache | V4Cache


def tapped_mla(h: Tensor, w: MLAWeights, cfg: MLAConfig, tap: Tap = untapped) -> Tensor:
    """A prefill of MLA, h (B, S, D) → (B, S, D), each tensor through the tap."""
    _, q_nope, q_pe = project_query(h, w, cfg, 0)  # (B, S, H, n), (B, S, H, p)
    c_kv, k_pe = compress(h, w, cfg, 0)  # (B, S, r), (B, S, p)
    c_kv, k_pe, q_nope, q_pe = tap("c_kv", c_kv), tap("k_pe", k_pe), tap("q_nope", q_nope), tap("q_pe", q_pe)
    k_nope, v = expand(c_kv, w, cfg)
    k_nope, v = tap("k_nope", k_nope), tap("v", v)  # (B, S, H, n), (B, S, H, v)
    q, k = torch.cat((q_nope, q_pe), dim=-1), full_keys(k_nope, k_pe)
    return F.linear(softmax_attention(q, k, v, cfg.softmax_scale, tap).flatten(2), w.wo)


def tapped_grouped(h: Tensor, w: AttentionWeights, cfg: AttentionConfig, tap: Tap = untapped) -> Tensor:
    """A prefill of MHA, GQA or MQA, h (B, S, D) → (B, S, D), each tensor through the tap."""
    assert cfg.rope is not None
    heads = (-1, cfg.head_dim)
    table = rope_table(cfg.rope, 0, h.shape[1], h)
    q = apply_rope(F.linear(h, w.wq).unflatten(-1, heads), table)  # (B, S, H, d)
    kv = tap("kv", torch.cat((F.linear(h, w.wk), F.linear(h, w.wv)), dim=-1))  # (B, S, 2·K·d) keys, then values
    k, v = kv.chunk(2, dim=-1)
    k = apply_rope(k.unflatten(-1, heads), table).flatten(2)
    k, v = tap("kv_rotated", torch.cat((k, v), dim=-1)).chunk(2, dim=-1)
    k, v = k.unflatten(-1, heads), v.unflatten(-1, heads)  # (B, S, K, d)
    return F.linear(softmax_attention(q, k, v, cfg.softmax_scale, tap).flatten(2), w.wo)


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
        return tapped_mla(h, self.weights(), self.cfg, tap)

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
        return tapped_grouped(h, self.weights(), self.cfg, tap)

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
    if tap is not untapped and not isinstance(tap, FusedTap):
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


def make_attention(cfg: ModelConfig, layer: int) -> MLA | SparseMLA | CompressedAttention | GroupedAttention:
    """The attention of a layer by ``cfg.attention``."""
    if cfg.attention == "csa":
        return CompressedAttention(cfg, layer)
    if cfg.attention == "dsa":
        return SparseMLA(cfg)
    return MLA(cfg) if cfg.attention == "mla" else GroupedAttention(cfg)


class Block(nn.Module):
    """One layer: attention and feed-forward, each on a normalised input and added to the residual."""

    def __init__(self, cfg: ModelConfig, layer: int) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(cfg.hidden_size, cfg.rms_norm_eps)
        self.self_attn = make_attention(cfg, layer)
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
