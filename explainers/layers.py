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

from explainers.errors import ExplainError, one_of
from explainers.moe import ExpertWeights, GateConfig, MLPWeights, MoEWeights, Routing, moe_forward, swiglu

Tap = Callable[[str, Tensor], Tensor]
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
        if self.num_attention_heads % self.key_value_heads:
            raise ExplainError(
                f"{self.num_attention_heads} heads do not divide into {self.key_value_heads} key-value heads; "
                f"choose a num_key_value_heads that divides {self.num_attention_heads}"
            )
        if self.n_routed_experts:
            self.gate  # noqa: B018 (its own check of sizes)

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
    def cached_values(self) -> int:
        """Values kept for one token in one layer: the latent and the rope key, or keys and values of each cached head."""
        if self.attention == "mla":
            return self.kv_lora_rank + self.qk_rope_head_dim
        return 2 * self.key_value_heads * self.head_dim

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


def rope_table(size: int, length: int, theta: float) -> Tensor:
    """cos and sin of position · θ^(−2i/size): (2, length, size/2), computed in float64."""
    frequency = theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)  # (size/2,)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency  # (S, size/2)
    return torch.stack((angle.cos(), angle.sin()))


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """RoPE on interleaved pairs (x₀, x₁), (x₂, x₃), … as DeepSeek lays them out: (…, S, size) → the same."""
    cos, sin = table[:, : x.shape[-2]].to(x.dtype)  # (S, size/2) each
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float, tap: Tap) -> Tensor:
    """Causal softmax attention: q (B, H, S, ·), k, v the same → (B, H, S, v)."""
    if tap is untapped:
        return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k) * scale
    future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
    scores = scores.masked_fill(future, -torch.inf)
    probs = tap("attention", scores.softmax(dim=-1))  # (B, H, S, S)
    return torch.einsum("bhqk,bhkd->bhqd", probs, v)


class MLA(nn.Module):
    """Multi-head latent attention without query compression (V2 section 2.1, V3 equations 1–11)."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        self.cfg = cfg
        heads, nope, rope = cfg.num_attention_heads, cfg.qk_nope_head_dim, cfg.qk_rope_head_dim
        self.q_proj = linear(cfg.hidden_size, heads * (nope + rope))
        self.kv_a_proj_with_mqa = linear(cfg.hidden_size, cfg.kv_lora_rank + rope)
        self.kv_a_layernorm = RMSNorm(cfg.kv_lora_rank, cfg.rms_norm_eps)
        self.kv_b_proj = linear(cfg.kv_lora_rank, heads * (nope + cfg.v_head_dim))
        self.o_proj = linear(heads * cfg.v_head_dim, cfg.hidden_size)
        self.scale = (nope + rope) ** -0.5
        self.register_buffer("rope", rope_table(rope, cfg.max_position_embeddings, cfg.rope_theta), persistent=False)

    def forward(self, h: Tensor, tap: Tap = untapped) -> Tensor:
        cfg = self.cfg
        heads, nope, rope = cfg.num_attention_heads, cfg.qk_nope_head_dim, cfg.qk_rope_head_dim
        q = self.q_proj(h).unflatten(-1, (heads, nope + rope)).transpose(1, 2)  # (B, H, S, nope + rope)
        q_nope, q_pe = q.split((nope, rope), dim=-1)
        c_kv, k_pe = self.kv_a_proj_with_mqa(h).split((cfg.kv_lora_rank, rope), dim=-1)  # (B, S, c), (B, S, rope)
        c_kv = tap("c_kv", self.kv_a_layernorm(c_kv))  # the latent that is cached
        q_pe, k_pe = rotate(q_pe, self.rope), tap("k_pe", rotate(k_pe, self.rope))
        kv = self.kv_b_proj(c_kv).unflatten(-1, (heads, nope + cfg.v_head_dim)).transpose(1, 2)  # (B, H, S, nope + v)
        k_nope, v = kv.split((nope, cfg.v_head_dim), dim=-1)
        q_nope, q_pe, k_nope, v = tap("q_nope", q_nope), tap("q_pe", q_pe), tap("k_nope", k_nope), tap("v", v)
        k = torch.cat((k_nope, k_pe.unsqueeze(1).expand(-1, heads, -1, -1)), dim=-1)  # one rope key for all heads
        out = attend(torch.cat((q_nope, q_pe), dim=-1), k, v, self.scale, tap)  # (B, H, S, v)
        return self.o_proj(out.transpose(1, 2).flatten(2))


class GroupedAttention(nn.Module):
    """MHA, GQA and MQA: the same but for how many heads of keys and values there are."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        self.cfg = cfg
        width = cfg.head_dim
        self.q_proj = linear(cfg.hidden_size, cfg.num_attention_heads * width)
        self.k_proj = linear(cfg.hidden_size, cfg.key_value_heads * width)
        self.v_proj = linear(cfg.hidden_size, cfg.key_value_heads * width)
        self.o_proj = linear(cfg.num_attention_heads * width, cfg.hidden_size)
        self.scale = width**-0.5
        self.register_buffer("rope", rope_table(width, cfg.max_position_embeddings, cfg.rope_theta), persistent=False)

    def forward(self, h: Tensor, tap: Tap = untapped) -> Tensor:
        cfg = self.cfg
        shape = (-1, cfg.head_dim)
        q = rotate(self.q_proj(h).unflatten(-1, shape).transpose(1, 2), self.rope)  # (B, H, S, d)
        k = tap("k", self.k_proj(h)).unflatten(-1, shape).transpose(1, 2)  # (B, G, S, d), the tap sees (B, S, G·d)
        k = rotate(k, self.rope).transpose(1, 2).flatten(2)
        k = tap("k_rotated", k).unflatten(-1, shape).transpose(1, 2)
        v = tap("v", self.v_proj(h)).unflatten(-1, shape).transpose(1, 2)
        repeat = cfg.num_attention_heads // cfg.key_value_heads
        k, v = k.repeat_interleave(repeat, dim=1), v.repeat_interleave(repeat, dim=1)  # each group serves its heads
        return self.o_proj(attend(q, k, v, self.scale, tap).transpose(1, 2).flatten(2))


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
