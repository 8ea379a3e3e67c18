"""Absorbed decoding that reads its cache once: latents and rotated keys side by side, attention in one fused kernel.

Absorbed MLA is attention with one key-value head: H queries of width r + p over T rows [c_kv; k_pe], the values being
the first r numbers of the same rows. So torch's fused attention can do it, with the heads in the place of queries. It
returns r + p numbers a head, of which the last p are thrown away. No fused attention of torch takes rows that wide on a
GPU; there the kernel of `explainers.split_kv` does it. `explainers.mla.decode_absorbed` is the plain way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.attention import check_hidden
from explainers.errors import ExplainError
from explainers.mla import LatentCache, MLAConfig, MLAWeights
from explainers.rope import apply_rope, rope_table


@dataclass(eq=False)
class JoinedCache:
    """Room for ``capacity`` tokens (B, capacity, r + p), filled up to ``length``; decoding writes into it."""

    rows: Tensor
    length: int

    @classmethod
    def of(cls, cache: LatentCache, more: int) -> JoinedCache:
        """The tokens of a latent cache, with room for ``more``."""
        batch, tokens, rank = cache.c_kv.shape
        rows = cache.c_kv.new_empty(batch, tokens + more, rank + cache.k_pe.shape[-1])
        rows[:, :tokens, :rank], rows[:, :tokens, rank:] = cache.c_kv, cache.k_pe
        return cls(rows, tokens)

    @property
    def held(self) -> Tensor:
        """(B, T, r + p), the rows that are filled."""
        return self.rows[:, : self.length]


@cache
def _kernel() -> Any:
    """`explainers.split_kv`, where there is Triton."""
    return import_module("explainers.split_kv") if find_spec("triton") else None


def latent_attention(q: Tensor, rows: Tensor, rank: int, scale: float) -> Tensor:
    """H queries of one key-value head: q (B, H, r + p) over rows (B, T, r + p) → weighted latents (B, H, r)."""
    kernel = _kernel() if q.is_cuda else None
    if kernel is not None and kernel.takes(q, rank):
        return kernel.attend_latents(q, rows, rank, scale)
    one = rows.unsqueeze(1)  # (B, 1, T, r + p)
    return F.scaled_dot_product_attention(q.unsqueeze(1), one, one, scale=scale)[:, 0, :, :rank]


def decode_fused(h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: JoinedCache) -> Tensor:
    """One token h (B, 1, D) after those in the cache, which gets its entry: (B, 1, D)."""
    check_hidden(h, cfg.hidden_size)
    if h.shape[1] != 1:
        raise ExplainError(f"decode_fused takes one token a sequence, not {h.shape[1]}; use decode_absorbed")
    if cache.length >= cache.rows.shape[1]:
        raise ExplainError(f"the cache has room for {cache.rows.shape[1]} tokens; make it with room for more")
    start, rank, x = cache.length, cfg.kv_lora_rank, h[:, 0]  # (B, D)
    q_nope, q_pe = _query(x, w, cfg).split([cfg.qk_nope_head_dim, cfg.qk_rope_head_dim], dim=-1)  # (B, H, …)
    c_kv, k_pe = F.linear(x, w.wkv_a).split([rank, cfg.qk_rope_head_dim], dim=-1)
    turned = apply_rope(torch.cat((q_pe, k_pe[:, None]), dim=1)[:, None], rope_table(cfg.rope, start, 1, h))[:, 0]
    cache.rows[:, start, :rank] = F.rms_norm(c_kv, (rank,), w.kv_norm, cfg.norm_eps)
    cache.rows[:, start, rank:] = turned[:, -1]
    cache.length += 1
    w_uk, w_uv = w.up(cfg)  # (H, n, r), (H, v, r)
    q_latent = torch.bmm(q_nope.transpose(0, 1), w_uk).transpose(0, 1)  # (B, H, r)
    q = torch.cat((q_latent, turned[:, :-1]), dim=-1)  # (B, H, r + p)
    o = latent_attention(q, cache.held, rank, cfg.softmax_scale)  # (B, H, r)
    heads = torch.bmm(o.transpose(0, 1), w_uv.mT).transpose(0, 1)  # (B, H, v)
    return F.linear(heads.flatten(1), w.wo)[:, None]  # (B, 1, D)


def _query(x: Tensor, w: MLAWeights, cfg: MLAConfig) -> Tensor:
    """x (B, D) → q (B, H, n + p), not yet turned."""
    if w.wq is not None:
        q = F.linear(x, w.wq)
    else:
        if w.wq_a is None or w.q_norm is None or w.wq_b is None:
            raise ExplainError("these weights have no query; give wq, or wq_a, q_norm and wq_b")
        c_q = F.rms_norm(F.linear(x, w.wq_a), (len(w.q_norm),), w.q_norm, cfg.norm_eps)  # (B, c)
        q = F.linear(c_q, w.wq_b)
    return q.unflatten(-1, (cfg.n_heads, cfg.qk_head_dim))
