"""Attention with 1 to H key-value heads, and the cache it keeps.

One function covers three kinds, which differ only in how many heads have keys and values of their own: MHA (all H),
GQA (K groups share), MQA (one for all). V2 equations 1–8 are its MHA.

Letters: B batch, S query tokens, T key tokens (cached and new), D hidden size, H query heads, K key-value heads,
g = H/K query heads a key-value head, d width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, overload

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.cache import Room, grow, held_bytes, make_room
from explainers.errors import ExplainError
from explainers.rope import RopeConfig, apply_rope, rope_table, softmax_mscale


@dataclass(frozen=True)
class AttentionConfig:
    """Sizes of an attention layer. ``rope=None`` leaves positions out.

    ``n_kv_heads`` = ``n_heads`` is MHA, 1 is MQA, anything between that divides is GQA.
    """

    hidden_size: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    rope: RopeConfig | None = None

    def __post_init__(self) -> None:
        for name in ("hidden_size", "n_heads", "n_kv_heads", "head_dim"):
            if getattr(self, name) < 1:
                raise ExplainError(f"{name} is {getattr(self, name)}; give at least 1")
        if self.n_heads % self.n_kv_heads:
            raise ExplainError(
                f"{self.n_heads} heads do not divide among {self.n_kv_heads} key-value heads; "
                f"choose an n_kv_heads that divides {self.n_heads}"
            )
        if self.rope is not None and self.rope.dim != self.head_dim:
            raise ExplainError(f"RoPE turns {self.rope.dim} dimensions of heads of {self.head_dim}; make them equal")

    @property
    def kind(self) -> str:
        """``"MHA"``, ``"GQA"`` or ``"MQA"``."""
        return "MHA" if self.n_kv_heads == self.n_heads else "MQA" if self.n_kv_heads == 1 else "GQA"

    @property
    def softmax_scale(self) -> float:
        """1/√d, times YaRN's mscale² where there is one."""
        return self.head_dim**-0.5 * (softmax_mscale(self.rope) if self.rope else 1.0)

    @property
    def cache_values_per_token(self) -> int:
        """Numbers kept for each token in this layer: keys and values, 2·K·d."""
        return 2 * self.n_kv_heads * self.head_dim


@dataclass(frozen=True, eq=False)
class AttentionWeights:
    """Projections without bias, as in ``torch.nn.functional.linear``: (out, in)."""

    wq: Tensor  # (H·d, D)
    wk: Tensor  # (K·d, D)
    wv: Tensor  # (K·d, D)
    wo: Tensor  # (D, H·d)


@dataclass(frozen=True, eq=False)
class KVCache:
    """Keys (already turned by RoPE) and values of the tokens read so far.

    `append` makes a new cache and copies; after `reserve` it writes into the reserved room, and the old cache must not
    be continued a second time.
    """

    k: Tensor  # (B, T, K, d)
    v: Tensor  # (B, T, K, d_v)
    room: Room | None = None

    @property
    def length(self) -> int:
        """T, tokens held."""
        return int(self.k.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors that are held, unused room included."""
        return held_bytes((self.k, self.v), self.room)

    def reserve(self, tokens: int) -> KVCache:
        """The same tokens with room for ``tokens`` more, so that decoding does not copy the past at each step."""
        room = make_room((self.k, self.v), tokens)
        return KVCache(room.first[:, : self.length], room.second[:, : self.length], room)

    def append(self, k: Tensor, v: Tensor) -> KVCache:
        """A cache with these tokens (B, S, K, …) added at the end."""
        room = self.room if self.room and self.length + k.shape[1] <= self.room.capacity else None
        return KVCache(*grow((self.k, self.v), (k, v), room), room)


@dataclass(frozen=True, eq=False)
class AttentionParts:
    """All intermediate tensors of one call, for pictures and experiments."""

    h: Tensor  # (B, S, D) input
    q: Tensor  # (B, S, H, d) after RoPE
    k: Tensor  # (B, S, K, d) after RoPE, new tokens only
    q_before_rope: Tensor  # (B, S, H, d)
    k_before_rope: Tensor  # (B, S, K, d)
    v: Tensor  # (B, S, K, d) new tokens only
    scores: Tensor  # (B, H, S, T) scaled, −inf in the future
    probs: Tensor  # (B, H, S, T) rows sum to 1
    heads: Tensor  # (B, S, H, d) o_{t,i}, each head's answer
    out: Tensor  # (B, S, D)
    cache: KVCache


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """x / √(mean x² + ε) · weight over the last axis, (…, D) as x, in float32 at least, then in x's dtype."""
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return weight * (wide * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + eps)).to(x.dtype)


def causal_mask(queries: int, keys: int, device: torch.device) -> Tensor:
    """(S, T) bool, True where a key lies in the future; the S queries are the last S of the T tokens."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).triu(keys - queries + 1)


def causal_probs(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (B, H, S, T) → scores with −inf in the future, and their softmax (in float32 at least)."""
    masked = scores.masked_fill(causal_mask(scores.shape[-2], scores.shape[-1], scores.device), -torch.inf)
    wide = torch.promote_types(scores.dtype, torch.float32)
    return masked, masked.softmax(dim=-1, dtype=wide).to(scores.dtype)


def attend(q: Tensor, k: Tensor, v: Tensor, scale: float) -> tuple[Tensor, Tensor, Tensor]:
    """Causal attention of the last S of T tokens, V2 equation 7.

    q (B, S, H, d), k (B, T, K, d), v (B, T, K, d_v) → heads (B, S, H, d_v), scores and probs (B, H, S, T).
    """
    grouped = q.unflatten(2, (k.shape[2], -1))  # (B, S, K, g, d) neighbouring heads share keys and values
    scores = torch.einsum("bskgd,btkd->bkgst", grouped, k).flatten(1, 2) * scale  # (B, H, S, T)
    scores, probs = causal_probs(scores)
    heads = torch.einsum("bkgst,btkd->bskgd", probs.unflatten(1, (k.shape[2], -1)), v)  # (B, S, K, g, d_v)
    return heads.flatten(2, 3), scores, probs


def empty_cache(cfg: AttentionConfig, batch: int, like: Tensor) -> KVCache:
    """A cache of no tokens, in the dtype and on the device of ``like``."""
    none = like.new_empty(batch, 0, cfg.n_kv_heads, cfg.head_dim)
    return KVCache(none, none)


@overload
def attention_forward(
    h: Tensor,
    w: AttentionWeights,
    cfg: AttentionConfig,
    cache: KVCache | None = ...,
    return_parts: Literal[False] = ...,
) -> tuple[Tensor, KVCache]: ...
@overload
def attention_forward(
    h: Tensor, w: AttentionWeights, cfg: AttentionConfig, cache: KVCache | None = ..., *, return_parts: Literal[True]
) -> AttentionParts: ...
def attention_forward(
    h: Tensor, w: AttentionWeights, cfg: AttentionConfig, cache: KVCache | None = None, return_parts: bool = False
) -> tuple[Tensor, KVCache] | AttentionParts:
    """MHA, GQA or MQA over h (B, S, D): causal, after the tokens in ``cache``.

    Without a cache it is a prefill; with one and S = 1 a decoding step.

    Returns
    -------
    tuple
        Output (B, S, D) and the cache with the new tokens; with ``return_parts`` an `AttentionParts`, which has both.
    """
    check_hidden(h, cfg.hidden_size)
    cache = cache or empty_cache(cfg, h.shape[0], h)
    q_before_rope = F.linear(h, w.wq).unflatten(-1, (cfg.n_heads, cfg.head_dim))  # (B, S, H, d) equation 1
    k_before_rope = F.linear(h, w.wk).unflatten(-1, (cfg.n_kv_heads, cfg.head_dim))  # (B, S, K, d) equation 2
    v = F.linear(h, w.wv).unflatten(-1, (cfg.n_kv_heads, cfg.head_dim))  # (B, S, K, d) equation 3
    q, k = q_before_rope, k_before_rope
    if cfg.rope is not None:
        table = rope_table(cfg.rope, cache.length, h.shape[1], h)
        q, k = apply_rope(q, table), apply_rope(k, table)
    cache = cache.append(k, v)
    heads, scores, probs = attend(q, cache.k, cache.v, cfg.softmax_scale)
    out = F.linear(heads.flatten(2), w.wo)  # (B, S, D) equation 8
    if not return_parts:
        return out, cache
    return AttentionParts(h, q, k, q_before_rope, k_before_rope, v, scores, probs, heads, out, cache)


def check_hidden(h: Tensor, hidden_size: int) -> None:
    """Refuse hidden states that are not (B, S, D) with S ≥ 1."""
    if h.ndim != 3 or h.shape[-1] != hidden_size or h.shape[1] < 1:
        raise ExplainError(
            f"attention takes hidden states (batch, tokens, {hidden_size}), not {tuple(h.shape)}; add or fix an axis"
        )
