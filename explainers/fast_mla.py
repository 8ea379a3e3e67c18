"""Absorbed decoding that reads its cache once: latents and rotated keys side by side, attention in one fused kernel.

Absorbed MLA is attention with one key-value head: H queries of width r + p over T rows [c_kv; k_pe], the values being
the first r numbers of the same rows. So torch's fused attention can do it, with the heads in the place of queries. It
returns r + p numbers a head, of which the last p are thrown away. `explainers.mla.decode_absorbed` is the plain way.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.attention import check_hidden
from explainers.errors import ExplainError
from explainers.mla import LatentCache, MLAConfig, MLAWeights, compress, project_query


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


def decode_fused(h: Tensor, w: MLAWeights, cfg: MLAConfig, cache: JoinedCache) -> Tensor:
    """One token h (B, 1, D) after those in the cache, which gets its entry: (B, 1, D)."""
    check_hidden(h, cfg.hidden_size)
    if h.shape[1] != 1:
        raise ExplainError(f"decode_fused takes one token a sequence, not {h.shape[1]}; use decode_absorbed")
    if cache.length >= cache.rows.shape[1]:
        raise ExplainError(f"the cache has room for {cache.rows.shape[1]} tokens; make it with room for more")
    start, rank = cache.length, cfg.kv_lora_rank
    _, q_nope, q_pe = project_query(h, w, cfg, start)
    c_kv, k_pe = compress(h, w, cfg, start)
    cache.rows[:, start, :rank], cache.rows[:, start, rank:] = c_kv[:, 0], k_pe[:, 0]
    cache.length += 1
    w_uk, w_uv = w.up(cfg)  # (H, n, r), (H, v, r)
    q_latent = torch.einsum("bshn,hnr->bshr", q_nope, w_uk)
    q = torch.cat((q_latent, q_pe), dim=-1)  # (B, 1, H, r + p): one key-value head, H queries of it
    rows = cache.held.unsqueeze(1)  # (B, 1, T, r + p)
    o = F.scaled_dot_product_attention(q, rows, rows, scale=cfg.softmax_scale)[..., :rank]  # (B, 1, H, r)
    return F.linear(torch.einsum("bshr,hvr->bshv", o, w_uv).flatten(2), w.wo)
