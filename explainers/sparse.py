"""DeepSeek Sparse Attention: a lightning indexer picks k tokens, and latent attention looks at those alone.

V3.2 (2512.02556) section 2.1, equations 1 and 2. The indexer is a small attention of its own: a few heads of queries
made from the query latent, one key a token, no values. It scores every token of the past,

    I_{t,s} = Σ_j w_{t,j} · ReLU(q_{t,j} · k_s),

and the k tokens with the largest scores are what MLA attends to. Scoring is still quadratic in the context, but in few
small heads; the attention itself no longer is.

Letters as in `explainers.mla`: B batch, S query tokens, T key tokens, D hidden size, H heads, n nope, p rope, v value
width, r and c the latent ranks; J heads of the indexer, i their width, k tokens kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.attention import causal_mask, check_hidden
from explainers.errors import ExplainError, one_of
from explainers.gate import stable_topk
from explainers.mla import (
    LatentCache,
    MLAConfig,
    MLAWeights,
    compress,
    empty_latent_cache,
    expand,
    full_keys,
    project_query,
)
from explainers.rope import RopeConfig, YarnConfig, apply_rope_to_front, rope_table

READS = ("chosen", "all", "newest", "none")


@dataclass(frozen=True)
class IndexerConfig:
    """Sizes of an indexer: ``index_n_heads``, ``index_head_dim`` and ``index_topk`` of DeepSeek's ``config.json``.

    ``rope`` turns the first dimensions of queries and keys; unlike in MLA the pairs are the two halves, not neighbours.
    """

    n_heads: int
    head_dim: int
    topk: int
    rope: RopeConfig
    norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        for name in ("n_heads", "head_dim", "topk"):
            if getattr(self, name) < 1:
                raise ExplainError(f"index_{name} is {getattr(self, name)}; give at least 1")
        if self.rope.dim > self.head_dim:
            raise ExplainError(
                f"RoPE turns {self.rope.dim} dimensions of an indexer's heads of {self.head_dim}; raise index_head_dim"
            )

    @classmethod
    def beside(cls, cfg: MLAConfig, n_heads: int, head_dim: int, topk: int) -> IndexerConfig:
        """The indexer that goes with an MLA layer: its angles, in halves."""
        yarn: YarnConfig | None = cfg.yarn
        rope = RopeConfig(cfg.qk_rope_head_dim, cfg.rope_theta, interleaved=False, yarn=yarn)
        return cls(n_heads, head_dim, topk, rope)


@dataclass(frozen=True, eq=False)
class IndexerWeights:
    """Projections (out, in), and the LayerNorm of the keys."""

    wq_b: Tensor  # (J·i, c) from the query latent
    wk: Tensor  # (i, D)
    k_norm: Tensor  # (i,)
    k_norm_bias: Tensor  # (i,)
    weights_proj: Tensor  # (J, D) how much each head counts, for each token


@dataclass(frozen=True, eq=False)
class SparseCache:
    """What V3.2 keeps of each token: MLA's latent and rotated key, and the indexer's key."""

    latents: LatentCache
    index_keys: Tensor  # (B, T, i)

    @property
    def length(self) -> int:
        """T, tokens held."""
        return self.latents.length

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors that are held."""
        return self.latents.nbytes + self.index_keys.nbytes


@dataclass(frozen=True, eq=False)
class SparseParts:
    """All intermediate tensors of `dsa_forward`."""

    h: Tensor  # (B, S, D) input
    c_q: Tensor  # (B, S, c) query latent, what the indexer reads too
    q_nope: Tensor  # (B, S, H, n)
    q_pe: Tensor  # (B, S, H, p)
    k_nope: Tensor  # (B, T, H, n)
    v: Tensor  # (B, T, H, v)
    index_scores: Tensor  # (B, S, T) I_{t,s}, −inf in the future
    chosen: Tensor  # (B, S, T) bool, the k largest of the past
    scores: Tensor  # (B, H, S, T) scaled, −inf where not chosen
    probs: Tensor  # (B, H, S, T)
    out: Tensor  # (B, S, D)
    cache: SparseCache


def empty_sparse_cache(cfg: MLAConfig, index: IndexerConfig, batch: int, like: Tensor) -> SparseCache:
    """A cache of no tokens, in the dtype and on the device of ``like``."""
    return SparseCache(empty_latent_cache(cfg, batch, like), like.new_empty(batch, 0, index.head_dim))


def index_keys(h: Tensor, w: IndexerWeights, cfg: IndexerConfig, start: int) -> Tensor:
    """Keys of the indexer (B, S, i) for tokens h (B, S, D) at positions from ``start``: one a token, all heads'."""
    k = F.layer_norm(F.linear(h, w.wk), (cfg.head_dim,), w.k_norm, w.k_norm_bias, cfg.norm_eps)
    return apply_rope_to_front(k.unsqueeze(2), rope_table(cfg.rope, start, h.shape[1], h)).squeeze(2)


def weighed_relu(q: Tensor, k: Tensor, share: Tensor) -> Tensor:
    """Σ_j w_{t,j} · ReLU(q_{t,j} · k_s), V3.2 equation 1, in float32 at least.

    q (B, S, J, i), k (B, T, i), share (B, S, J) → (B, S, T). Scaled by 1/√i and 1/√J, as the published code does.
    """
    wide = torch.promote_types(q.dtype, torch.float32)
    products = torch.einsum("bsji,bti->bsjt", q.to(wide), k.to(wide)).relu() * q.shape[-1] ** -0.5
    return torch.einsum("bsj,bsjt->bst", share.to(wide) * q.shape[2] ** -0.5, products)


def index_scores(h: Tensor, c_q: Tensor, keys: Tensor, w: IndexerWeights, cfg: IndexerConfig) -> Tensor:
    """I_{t,s} (B, S, T) of the last S of T tokens, −inf in the future. h (B, S, D), c_q (B, S, c), keys (B, T, i)."""
    start, length = keys.shape[1] - h.shape[1], h.shape[1]
    q = F.linear(c_q, w.wq_b).unflatten(-1, (cfg.n_heads, cfg.head_dim))  # (B, S, J, i)
    q = apply_rope_to_front(q, rope_table(cfg.rope, start, length, h))
    scores = weighed_relu(q, keys, F.linear(h, w.weights_proj))  # (B, S, T)
    return scores.masked_fill(causal_mask(length, keys.shape[1], h.device), -torch.inf)


def choose(scores: Tensor, k: int) -> Tensor:
    """(B, S, T) bool, True at the k largest finite scores of each row; equals by the lower index."""
    kept = stable_topk(scores, k)  # (B, S, ≤k)
    chosen = torch.zeros_like(scores, dtype=torch.bool).scatter(-1, kept, True)
    return chosen & scores.isfinite()


def reading(scores: Tensor, k: int, reads: str) -> Tensor:
    """(B, S, T) bool, what is read: the k ``"chosen"`` by score, ``"all"`` that may be, the k ``"newest"``, ``"none"``.

    Only what has a finite score may be read.
    """
    possible = scores.isfinite()
    if reads == "chosen":
        return choose(scores, k)
    if reads == "newest":
        return possible & (possible.flip(-1).cumsum(-1).flip(-1) <= k)
    if reads not in ("all", "none"):
        raise one_of("way of reading", reads, READS)
    return possible & (reads == "all")


def dsa_forward(
    h: Tensor,
    w: MLAWeights,
    index: IndexerWeights,
    cfg: MLAConfig,
    index_cfg: IndexerConfig,
    cache: SparseCache | None = None,
    reads: str = "chosen",
) -> SparseParts:
    """V3.2's attention over h (B, S, D): causal, after the tokens in ``cache``, keys and values expanded.

    ``reads`` other than ``"chosen"`` is for training and comparing (`reading`): ``"all"`` is the warm-up in which an
    indexer learns to foresee attention (V3.2 section 2.1.1). The indexer sees ``h`` and the query latent detached: it
    learns from its own loss (`indexer_loss`) and the model does not learn from it.
    """
    check_hidden(h, cfg.hidden_size)
    cache = cache or empty_sparse_cache(cfg, index_cfg, h.shape[0], h)
    start = cache.length
    c_q, q_nope, q_pe = project_query(h, w, cfg, start)
    if c_q is None:
        raise ExplainError("V3.2's indexer reads the query latent; give a q_lora_rank")
    latents = cache.latents.append(*compress(h, w, cfg, start))
    keys = torch.cat((cache.index_keys, index_keys(h.detach(), index, index_cfg, start)), dim=1)  # (B, T, i)
    importance = index_scores(h.detach(), c_q.detach(), keys, index, index_cfg)  # (B, S, T)
    chosen = reading(importance.detach(), index_cfg.topk, reads)  # (B, S, T)
    k_nope, v = expand(latents.c_kv, w, cfg)  # (B, T, H, n), (B, T, H, v)
    q, k = torch.cat((q_nope, q_pe), dim=-1), full_keys(k_nope, latents.k_pe)
    scores = torch.einsum("bshd,bthd->bhst", q, k) * cfg.softmax_scale  # (B, H, S, T)
    scores = scores.masked_fill(~chosen.unsqueeze(1), -torch.inf)
    probs = scores.softmax(dim=-1, dtype=torch.promote_types(h.dtype, torch.float32)).to(h.dtype)
    heads = torch.einsum("bhst,bthv->bshv", probs, v)  # (B, S, H, v)
    out = F.linear(heads.flatten(2), w.wo)  # (B, S, D)
    kept = SparseCache(latents, keys)
    return SparseParts(h, c_q, q_nope, q_pe, k_nope, v, importance, chosen, scores, probs, out, kept)


def dsa_decode(
    h: Tensor, w: MLAWeights, index: IndexerWeights, cfg: MLAConfig, index_cfg: IndexerConfig, cache: SparseCache
) -> tuple[Tensor, SparseCache]:
    """One token h (B, 1, D), absorbed: only the k chosen latents are read, and no head's key or value is computed."""
    if h.shape[1] != 1:
        raise ExplainError(f"dsa_decode takes one token a sequence, not {h.shape[1]}; read a prompt with dsa_forward")
    start = cache.length
    c_q, q_nope, q_pe = project_query(h, w, cfg, start)
    if c_q is None:
        raise ExplainError("V3.2's indexer reads the query latent; give a q_lora_rank")
    latents = cache.latents.append(*compress(h, w, cfg, start))
    keys = torch.cat((cache.index_keys, index_keys(h, index, index_cfg, start)), dim=1)  # (B, T, i)
    kept = stable_topk(index_scores(h, c_q, keys, index, index_cfg)[:, 0], index_cfg.topk)  # (B, k)
    c_kv = latents.c_kv.gather(1, kept[..., None].expand(-1, -1, cfg.kv_lora_rank))  # (B, k, r)
    k_pe = latents.k_pe.gather(1, kept[..., None].expand(-1, -1, cfg.qk_rope_head_dim))  # (B, k, p)
    w_uk, w_uv = w.up(cfg)  # (H, n, r), (H, v, r)
    q_latent = torch.einsum("bshn,hnr->bshr", q_nope, w_uk)  # (B, 1, H, r)
    content, position = torch.einsum("bshr,bkr->bhsk", q_latent, c_kv), torch.einsum("bshp,bkp->bhsk", q_pe, k_pe)
    scores = (content + position) * cfg.softmax_scale  # (B, H, 1, k)
    probs = scores.softmax(dim=-1, dtype=torch.promote_types(h.dtype, torch.float32)).to(h.dtype)
    heads = torch.einsum("bshr,hvr->bshv", torch.einsum("bhsk,bkr->bshr", probs, c_kv), w_uv)  # (B, 1, H, v)
    return F.linear(heads.flatten(2), w.wo), SparseCache(latents, keys)


def indexer_loss(importance: Tensor, probs: Tensor, chosen: Tensor) -> Tensor:
    """KL between what the heads looked at and the softmax of the indexer's scores (V3.2 section 2.1.1), nats a query.

    importance (B, S, T) with −inf in the future, probs (B, H, S, T), chosen (B, S, T). The target is the heads' summed
    attention over the chosen, scaled to sum 1; no gradient reaches the attention. Queries that chose nothing (V4's
    first tokens have no finished entry) do not count.
    """
    has = chosen.any(dim=-1)  # (B, S)
    target = (probs.detach().float().sum(1) * chosen).clamp_min(0)
    target = target / target.sum(-1, keepdim=True).clamp_min(1e-9)  # (B, S, T)
    lowest = torch.finfo(importance.dtype).min
    guess = importance.masked_fill(~chosen, lowest).log_softmax(dim=-1)
    each = torch.xlogy(target, target) - target * guess.masked_fill(~chosen, 0.0)
    return each.sum(-1)[has].mean() if bool(has.any()) else importance.new_zeros(())
