"""Multi-head latent attention: keys and values squeezed into one small latent vector per token.

V2 (2405.04434) section 2.1, equations 9–19; V3 (2412.19437) section 2.1.1, equations 1–11. The cache holds the
normalised latent ``c_kv`` and one rotated key ``k_pe`` that all heads share. Decoding can then be done in three ways
over the same weights, with the same result:

* *full cache*: keep every head's keys and values (DeepSeek's ``attn_impl="naive"``), a large cache, little work;
* *re-expanding*: keep the latent, compute all keys and values anew each step, a small cache, much work;
* *absorbed*: keep the latent, move the up-projections to the query's and the output's side (V2 section 2.1.2, "W^UK
  can be absorbed into W^Q, and W^UV into W^O"), a small cache, little work.

Letters: B batch, S query tokens, T key tokens, D hidden size, H heads, n ``qk_nope_head_dim``, p ``qk_rope_head_dim``,
v ``v_head_dim``, r ``kv_lora_rank``, c ``q_lora_rank``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, overload

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.attention import KVCache, attend, causal_probs, check_hidden, rms_norm
from explainers.cache import Room, grow, held_bytes, make_room
from explainers.errors import ExplainError
from explainers.rope import RopeConfig, YarnConfig, apply_rope, rope_table, softmax_mscale


@dataclass(frozen=True)
class MLAConfig:
    """Sizes of an MLA layer, in the names of DeepSeek's ``config.json``. ``q_lora_rank=None``: queries uncompressed."""

    hidden_size: int
    n_heads: int
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int
    q_lora_rank: int | None = None
    rope_theta: float = 10000.0
    rope_interleaved: bool = True
    yarn: YarnConfig | None = None
    norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        sizes = ("hidden_size", "n_heads", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")
        for name in sizes + (("q_lora_rank",) if self.q_lora_rank is not None else ()):
            if getattr(self, name) < 1:
                raise ExplainError(f"{name} is {getattr(self, name)}; give at least 1")
        if self.qk_rope_head_dim % 2:
            raise ExplainError(f"qk_rope_head_dim is {self.qk_rope_head_dim}; give an even number, RoPE turns pairs")

    @property
    def rope(self) -> RopeConfig:
        """The RoPE of ``q_pe`` and ``k_pe``."""
        return RopeConfig(self.qk_rope_head_dim, self.rope_theta, self.rope_interleaved, self.yarn)

    @property
    def qk_head_dim(self) -> int:
        """n + p, the width of a query and a key."""
        return self.qk_nope_head_dim + self.qk_rope_head_dim

    @property
    def softmax_scale(self) -> float:
        """1/√(n + p), times YaRN's mscale² where there is one."""
        return self.qk_head_dim**-0.5 * softmax_mscale(self.rope)

    @property
    def cache_values_per_token(self) -> int:
        """Numbers kept for each token in this layer: r + p, whatever the number of heads."""
        return self.kv_lora_rank + self.qk_rope_head_dim


@dataclass(frozen=True, eq=False)
class MLAWeights:
    """Projections without bias, (out, in). Either ``wq``, or ``wq_a``, ``q_norm`` and ``wq_b``."""

    wkv_a: Tensor  # (r + p, D) W^DKV over W^KR (kv_a_proj_with_mqa)
    kv_norm: Tensor  # (r,)
    wkv_b: Tensor  # (H·(n + v), r) each head's W^UK over its W^UV (kv_b_proj)
    wo: Tensor  # (D, H·v)
    wq: Tensor | None = None  # (H·(n + p), D)
    wq_a: Tensor | None = None  # (c, D) W^DQ
    q_norm: Tensor | None = None  # (c,)
    wq_b: Tensor | None = None  # (H·(n + p), c) each head's W^UQ over its W^QR

    def up(self, cfg: MLAConfig) -> tuple[Tensor, Tensor]:
        """W^UK (H, n, r) and W^UV (H, v, r), views of ``wkv_b``."""
        heads = self.wkv_b.unflatten(0, (cfg.n_heads, -1))  # (H, n + v, r)
        w_uk, w_uv = heads.split([cfg.qk_nope_head_dim, cfg.v_head_dim], dim=1)
        return w_uk, w_uv


@dataclass(frozen=True, eq=False)
class LatentCache:
    """What MLA keeps: the normalised latent and the rotated shared key of each token.

    `append` makes a new cache and copies; after `reserve` it writes into the reserved room, and the old cache must not
    be continued a second time.
    """

    c_kv: Tensor  # (B, T, r)
    k_pe: Tensor  # (B, T, p)
    room: Room | None = None

    @property
    def length(self) -> int:
        """T, tokens held."""
        return int(self.c_kv.shape[1])

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors that are held, unused room included."""
        return held_bytes((self.c_kv, self.k_pe), self.room)

    def reserve(self, tokens: int) -> LatentCache:
        """The same tokens with room for ``tokens`` more, so that decoding does not copy the past at each step."""
        room = make_room((self.c_kv, self.k_pe), tokens)
        return LatentCache(room.first[:, : self.length], room.second[:, : self.length], room)

    def append(self, c_kv: Tensor, k_pe: Tensor) -> LatentCache:
        """A cache with these tokens (B, S, …) added at the end."""
        room = self.room if self.room and self.length + c_kv.shape[1] <= self.room.capacity else None
        return LatentCache(*grow((self.c_kv, self.k_pe), (c_kv, k_pe), room), room)


@dataclass(frozen=True, eq=False)
class MLAParts:
    """All intermediate tensors of `mla_forward`. T counts cached and new tokens."""

    h: Tensor  # (B, S, D) input
    c_q: Tensor | None  # (B, S, c) normalised query latent, with query compression
    q_nope: Tensor  # (B, S, H, n)
    q_pe: Tensor  # (B, S, H, p) after RoPE
    c_kv: Tensor  # (B, T, r) normalised latent
    k_pe: Tensor  # (B, T, p) after RoPE, shared by the heads
    k_nope: Tensor  # (B, T, H, n) expanded
    v: Tensor  # (B, T, H, v) expanded
    scores: Tensor  # (B, H, S, T) scaled, −inf in the future
    probs: Tensor  # (B, H, S, T) rows sum to 1
    heads: Tensor  # (B, S, H, v) o_{t,i}
    out: Tensor  # (B, S, D)
    cache: LatentCache


@dataclass(frozen=True, eq=False)
class AbsorbedParts:
    """All intermediate tensors of `decode_absorbed`. Nothing here has both T and H but the scores."""

    h: Tensor  # (B, S, D) input
    q_nope: Tensor  # (B, S, H, n)
    q_pe: Tensor  # (B, S, H, p)
    q_latent: Tensor  # (B, S, H, r) the query carried into the latent space by W^UK
    scores: Tensor  # (B, H, S, T)
    probs: Tensor  # (B, H, S, T)
    o_latent: Tensor  # (B, S, H, r) weighted sum of latents
    heads: Tensor  # (B, S, H, v)
    out: Tensor  # (B, S, D)
    cache: LatentCache


def empty_latent_cache(cfg: MLAConfig, batch: int, like: Tensor) -> LatentCache:
    """A latent cache of no tokens, in the dtype and on the device of ``like``."""
    return LatentCache(like.new_empty(batch, 0, cfg.kv_lora_rank), like.new_empty(batch, 0, cfg.qk_rope_head_dim))


def empty_full_cache(cfg: MLAConfig, batch: int, like: Tensor) -> KVCache:
    """A cache of every head's keys and values of no tokens, for the full-cache way of decoding."""
    k = like.new_empty(batch, 0, cfg.n_heads, cfg.qk_head_dim)
    return KVCache(k, like.new_empty(batch, 0, cfg.n_heads, cfg.v_head_dim))


def project_query(h: Tensor, w: MLAWeights, cfg: MLAConfig, start: int) -> tuple[Tensor | None, Tensor, Tensor]:
    """h (B, S, D) at positions from ``start`` → c_q (B, S, c) or None, q_nope (B, S, H, n), q_pe (B, S, H, p).

    V3 equations 6–9, V2 equations 12–16; without compression q = W^Q h.
    """
    if cfg.q_lora_rank is None:
        if w.wq is None:
            raise ExplainError("q_lora_rank is None but there is no wq; give wq or set q_lora_rank")
        c_q, q = None, F.linear(h, w.wq)
    else:
        if w.wq_a is None or w.q_norm is None or w.wq_b is None:
            raise ExplainError(f"q_lora_rank is {cfg.q_lora_rank}; give wq_a, q_norm and wq_b, or set it to None")
        c_q = rms_norm(F.linear(h, w.wq_a), w.q_norm, cfg.norm_eps)  # (B, S, c)
        q = F.linear(c_q, w.wq_b)
    q = q.unflatten(-1, (cfg.n_heads, cfg.qk_head_dim))  # (B, S, H, n + p)
    q_nope, q_pe = q.split([cfg.qk_nope_head_dim, cfg.qk_rope_head_dim], dim=-1)
    return c_q, q_nope, apply_rope(q_pe, rope_table(cfg.rope, start, h.shape[1], h))


def compress(h: Tensor, w: MLAWeights, cfg: MLAConfig, start: int) -> tuple[Tensor, Tensor]:
    """h (B, S, D) → what the cache keeps: c_kv (B, S, r) normalised, k_pe (B, S, p) rotated. V3 equations 1 and 3."""
    c_kv, k_pe = F.linear(h, w.wkv_a).split([cfg.kv_lora_rank, cfg.qk_rope_head_dim], dim=-1)
    k_pe = apply_rope(k_pe.unsqueeze(2), rope_table(cfg.rope, start, h.shape[1], h)).squeeze(2)
    return rms_norm(c_kv, w.kv_norm, cfg.norm_eps), k_pe


def expand(c_kv: Tensor, w: MLAWeights, cfg: MLAConfig) -> tuple[Tensor, Tensor]:
    """Latents (B, T, r) → every head's k_nope (B, T, H, n) and v (B, T, H, v). V3 equations 2 and 5."""
    kv = F.linear(c_kv, w.wkv_b).unflatten(-1, (cfg.n_heads, -1))  # (B, T, H, n + v)
    k_nope, v = kv.split([cfg.qk_nope_head_dim, cfg.v_head_dim], dim=-1)
    return k_nope, v


def full_keys(k_nope: Tensor, k_pe: Tensor) -> Tensor:
    """[k_nope; k_pe] (B, T, H, n + p), the shared rotated key repeated for each head. V3 equation 4."""
    return torch.cat((k_nope, k_pe.unsqueeze(2).expand(-1, -1, k_nope.shape[2], -1)), dim=-1)


@overload
def mla_forward(
    h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: LatentCache | None = ..., return_parts: Literal[False] = ...
) -> tuple[Tensor, LatentCache]: ...
@overload
def mla_forward(
    h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: LatentCache | None = ..., *, return_parts: Literal[True]
) -> MLAParts: ...
def mla_forward(
    h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: LatentCache | None = None, return_parts: bool = False
) -> tuple[Tensor, LatentCache] | MLAParts:
    """MLA as its equations read, over h (B, S, D): causal, after the tokens in ``cache``.

    Without a cache it is a prefill. With one it re-expands every cached latent, which is the right order of
    multiplication for many new tokens and the wrong one for a single one (see `decode_absorbed`).

    Returns
    -------
    tuple
        Output (B, S, D) and the cache with the new tokens; with ``return_parts`` an `MLAParts`, which has both.
    """
    check_hidden(h, cfg.hidden_size)
    cache = cache or empty_latent_cache(cfg, h.shape[0], h)
    c_q, q_nope, q_pe = project_query(h, w, cfg, cache.length)
    cache = cache.append(*compress(h, w, cfg, cache.length))
    k_nope, v = expand(cache.c_kv, w, cfg)  # (B, T, H, n), (B, T, H, v)
    q, k = torch.cat((q_nope, q_pe), dim=-1), full_keys(k_nope, cache.k_pe)  # (B, S, H, n + p), (B, T, H, n + p)
    heads, scores, probs = attend(q, k, v, cfg.softmax_scale)  # V3 equation 10
    out = F.linear(heads.flatten(2), w.wo)  # (B, S, D) V3 equation 11
    if not return_parts:
        return out, cache
    c_kv, k_pe = cache.c_kv, cache.k_pe
    return MLAParts(h, c_q, q_nope, q_pe, c_kv, k_pe, k_nope, v, scores, probs, heads, out, cache)


@overload
def decode_naive(h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: LatentCache) -> tuple[Tensor, LatentCache]: ...
@overload
def decode_naive(h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: KVCache) -> tuple[Tensor, KVCache]: ...
def decode_naive(
    h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: LatentCache | KVCache
) -> tuple[Tensor, LatentCache | KVCache]:
    """Decode h (B, S, D) without absorption. The cache says which of the two meanings of *naive*:

    a `LatentCache` is re-expanded in full at each step (`decode_reexpanding`), a `KVCache` holds every head's keys and
    values (`decode_full_cache`).
    """
    return decode_full_cache(h, w, cfg, cache) if isinstance(cache, KVCache) else decode_reexpanding(h, w, cfg, cache)


def decode_reexpanding(h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: LatentCache) -> tuple[Tensor, LatentCache]:
    """(B, S, D): a small cache; all keys and values are computed anew for each token, as in ``expand_kv``."""
    return mla_forward(h, w, cfg, cache)


def decode_full_cache(h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: KVCache) -> tuple[Tensor, KVCache]:
    """(B, S, D): a full cache of (n + p + v)·H numbers a token, without a latent: DeepSeek's ``attn_impl="naive"``."""
    check_hidden(h, cfg.hidden_size)
    _, q_nope, q_pe = project_query(h, w, cfg, cache.length)
    c_kv, k_pe = compress(h, w, cfg, cache.length)
    k_nope, v = expand(c_kv, w, cfg)  # of the new tokens only
    cache = cache.append(full_keys(k_nope, k_pe), v)
    heads, _, _ = attend(torch.cat((q_nope, q_pe), dim=-1), cache.k, cache.v, cfg.softmax_scale)
    return F.linear(heads.flatten(2), w.wo), cache  # (B, S, D)


@overload
def decode_absorbed(
    h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: LatentCache, return_parts: Literal[False] = ...
) -> tuple[Tensor, LatentCache]: ...
@overload
def decode_absorbed(
    h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: LatentCache, return_parts: Literal[True]
) -> AbsorbedParts: ...
def decode_absorbed(
    h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: LatentCache, return_parts: bool = False
) -> tuple[Tensor, LatentCache] | AbsorbedParts:
    """Decode h (B, S, D) in the latent space; no key or value of any head is ever computed.

    q·(W^UK c) = (W^UKᵀ q)·c and Σ p (W^UV c) = W^UV (Σ p c): the same sums, in another order of multiplication
    (V2 section 2.1.2). A rotation between W^Q and W^UK would forbid this, which is why ``k_pe`` is kept apart.
    """
    check_hidden(h, cfg.hidden_size)
    _, q_nope, q_pe = project_query(h, w, cfg, cache.length)
    cache = cache.append(*compress(h, w, cfg, cache.length))
    w_uk, w_uv = w.up(cfg)  # (H, n, r), (H, v, r)
    q_latent = torch.einsum("bshn,hnr->bshr", q_nope, w_uk)  # (B, S, H, r)
    content = torch.einsum("bshr,btr->bhst", q_latent, cache.c_kv)  # (B, H, S, T)
    position = torch.einsum("bshp,btp->bhst", q_pe, cache.k_pe)  # (B, H, S, T)
    scores, probs = causal_probs((content + position) * cfg.softmax_scale)
    o_latent = torch.einsum("bhst,btr->bshr", probs, cache.c_kv)  # (B, S, H, r)
    heads = torch.einsum("bshr,hvr->bshv", o_latent, w_uv)  # (B, S, H, v)
    out = F.linear(heads.flatten(2), w.wo)  # (B, S, D)
    if not return_parts:
        return out, cache
    return AbsorbedParts(h, q_nope, q_pe, q_latent, scores, probs, o_latent, heads, out, cache)
