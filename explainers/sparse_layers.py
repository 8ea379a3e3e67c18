"""The newer attentions as layers of the small model: V3.2's sparse MLA and V4's compressed attention.

Parameters carry the names of the published models (V4: as transformers names them). In training each layer leaves its
indexer's loss in ``index_loss``; ``reads`` (`explainers.sparse.reading`) switches the choosing off while the indexer
learns to foresee.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explainers.basics import RMSNorm, Tap, linear, untapped
from explainers.compressed import (
    CompressedCache,
    CompressedConfig,
    CompressedParts,
    CompressedWeights,
    CompressorWeights,
    EntryIndexerWeights,
    compressed_forward,
    empty_compressed_cache,
)
from explainers.mla import MLAWeights
from explainers.model_config import ModelConfig
from explainers.sparse import (
    IndexerWeights,
    SparseCache,
    SparseParts,
    dsa_decode,
    dsa_forward,
    empty_sparse_cache,
    indexer_loss,
)

V32Cache = SparseCache
V4Cache = CompressedCache


def tap_sparse(parts: SparseParts, tap: Tap) -> None:
    """Show the tap what V3.2's attention computed."""
    for name in ("q_nope", "q_pe", "k_nope", "v", "index_scores", "chosen"):
        tap(name, getattr(parts, name))
    tap("c_kv", parts.cache.latents.c_kv)
    tap("k_pe", parts.cache.latents.k_pe)
    tap("attention", parts.probs)


def tap_compressed(parts: CompressedParts, tap: Tap) -> None:
    """Show the tap what a layer of V4's attention computed."""
    for name in ("q", "kv", "entries", "chosen"):
        tap(name, getattr(parts, name))
    if parts.index_scores is not None:
        tap("index_scores", parts.index_scores)
    tap("attention", parts.probs)


class Indexer(nn.Module):
    """V3.2's lightning indexer."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        sizes, rank = cfg.indexer, cfg.q_lora_rank or 0
        self.wq_b = linear(rank, sizes.n_heads * sizes.head_dim)
        self.wk = linear(cfg.hidden_size, sizes.head_dim)
        self.k_norm = nn.LayerNorm(sizes.head_dim, eps=sizes.norm_eps)
        self.weights_proj = linear(cfg.hidden_size, sizes.n_heads)

    def weights(self) -> IndexerWeights:
        norm = self.k_norm
        return IndexerWeights(self.wq_b.weight, self.wk.weight, norm.weight, norm.bias, self.weights_proj.weight)


class SparseMLA(nn.Module):
    """MLA with query compression and an indexer, over `explainers.sparse`."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        heads, rank = cfg.num_attention_heads, cfg.q_lora_rank or 0
        self.cfg, self.index_cfg = cfg.mla, cfg.indexer
        self.q_a_proj = linear(cfg.hidden_size, rank)
        self.q_a_layernorm = RMSNorm(rank, cfg.rms_norm_eps)
        self.q_b_proj = linear(rank, heads * (cfg.qk_nope_head_dim + cfg.qk_rope_head_dim))
        self.kv_a_proj_with_mqa = linear(cfg.hidden_size, cfg.kv_lora_rank + cfg.qk_rope_head_dim)
        self.kv_a_layernorm = RMSNorm(cfg.kv_lora_rank, cfg.rms_norm_eps)
        self.kv_b_proj = linear(cfg.kv_lora_rank, heads * (cfg.qk_nope_head_dim + cfg.v_head_dim))
        self.o_proj = linear(heads * cfg.v_head_dim, cfg.hidden_size)
        self.indexer = Indexer(cfg)
        self.reads = "chosen"
        self.index_loss: Tensor | None = None

    def weights(self) -> MLAWeights:
        return MLAWeights(
            wkv_a=self.kv_a_proj_with_mqa.weight,
            kv_norm=self.kv_a_layernorm.weight,
            wkv_b=self.kv_b_proj.weight,
            wo=self.o_proj.weight,
            wq_a=self.q_a_proj.weight,
            q_norm=self.q_a_layernorm.weight,
            wq_b=self.q_b_proj.weight,
        )

    def parts(self, h: Tensor, cache: SparseCache | None = None) -> SparseParts:
        """Every tensor of the layer for h (B, S, D)."""
        return dsa_forward(
            h, self.weights(), self.indexer.weights(), self.cfg, self.index_cfg, cache, self.reads
        )  # fmt: skip

    def forward(self, h: Tensor, tap: Tap = untapped) -> Tensor:
        parts = self.parts(h)
        if torch.is_grad_enabled():
            self.index_loss = indexer_loss(parts.index_scores, parts.probs, parts.chosen)
        tap_sparse(parts, tap)
        return parts.out

    def start_cache(self, like: Tensor) -> SparseCache:
        """An empty cache for one sequence."""
        return empty_sparse_cache(self.cfg, self.index_cfg, 1, like)

    def decode(self, h: Tensor, cache: SparseCache) -> tuple[Tensor, SparseCache]:
        """New tokens h (1, S, D) after those in the cache; one alone reads the chosen latents only."""
        if h.shape[1] == 1 and self.reads == "chosen":
            return dsa_decode(h, self.weights(), self.indexer.weights(), self.cfg, self.index_cfg, cache)
        parts = self.parts(h, cache)
        return parts.out, parts.cache


class Compressor(nn.Module):
    """What makes entries of ``width`` numbers out of ``ratio`` tokens; with ``fold`` 2 each token speaks twice."""

    def __init__(self, hidden: int, width: int, ratio: int, fold: int, eps: float) -> None:
        super().__init__()
        self.kv_proj, self.gate_proj = linear(hidden, fold * width), linear(hidden, fold * width)
        self.position_bias = nn.Parameter(torch.zeros(ratio, fold * width))
        self.kv_norm = RMSNorm(width, eps)

    def weights(self) -> CompressorWeights:
        return CompressorWeights(
            self.kv_proj.weight, self.gate_proj.weight, self.position_bias, self.kv_norm.weight
        )  # fmt: skip


class EntryIndexer(Compressor):
    """CSA's indexer: a small compressor, queries, and how much each head counts."""

    def __init__(self, cfg: CompressedConfig) -> None:
        super().__init__(cfg.hidden_size, cfg.index_head_dim, cfg.ratio, 2, cfg.norm_eps)
        self.q_b_proj = linear(cfg.q_lora_rank, cfg.index_n_heads * cfg.index_head_dim)
        self.weights_proj = linear(cfg.hidden_size, cfg.index_n_heads)

    def index_weights(self) -> EntryIndexerWeights:
        return EntryIndexerWeights(self.weights(), self.q_b_proj.weight, self.weights_proj.weight)


class CompressedAttention(nn.Module):
    """One layer of V4's attention, over `explainers.compressed`."""

    def __init__(self, cfg: ModelConfig, layer: int) -> None:
        super().__init__()
        own = self.cfg = cfg.compressed(layer)
        self.q_a_proj = linear(own.hidden_size, own.q_lora_rank)
        self.q_a_norm = RMSNorm(own.q_lora_rank, own.norm_eps)
        self.q_b_proj = linear(own.q_lora_rank, own.n_heads * own.head_dim)
        self.kv_proj = linear(own.hidden_size, own.head_dim)
        self.kv_norm = RMSNorm(own.head_dim, own.norm_eps)
        self.o_a_proj = linear(own.n_heads * own.head_dim // own.o_groups, own.o_groups * own.o_lora_rank)
        self.o_b_proj = linear(own.o_groups * own.o_lora_rank, own.hidden_size)
        self.sinks = nn.Parameter(torch.zeros(own.n_heads))
        fold = 2 if own.overlaps else 1
        compressed = own.kind != "sliding"
        self.compressor = (
            Compressor(own.hidden_size, own.head_dim, own.ratio, fold, own.norm_eps) if compressed else None
        )  # fmt: skip
        self.indexer = EntryIndexer(own) if own.kind == "csa" else None
        self.reads = "chosen"
        self.index_loss: Tensor | None = None

    def weights(self) -> CompressedWeights:
        return CompressedWeights(
            self.q_a_proj.weight,
            self.q_a_norm.weight,
            self.q_b_proj.weight,
            self.kv_proj.weight,
            self.kv_norm.weight,
            self.o_a_proj.weight,
            self.o_b_proj.weight,
            self.sinks,
            self.compressor.weights() if self.compressor else None,
            self.indexer.index_weights() if self.indexer else None,
        )

    def parts(self, h: Tensor, cache: CompressedCache | None = None) -> CompressedParts:
        """Every tensor of the layer for h (B, S, D)."""
        return compressed_forward(h, self.weights(), self.cfg, cache, self.reads)

    def forward(self, h: Tensor, tap: Tap = untapped) -> Tensor:
        parts = self.parts(h)
        if torch.is_grad_enabled() and parts.index_scores is not None:
            on_entries = parts.probs[..., parts.kv.shape[1] :]  # (B, H, S, E)
            self.index_loss = indexer_loss(parts.index_scores, on_entries, parts.chosen)
        tap_compressed(parts, tap)
        return parts.out

    def start_cache(self, like: Tensor) -> CompressedCache:
        """An empty cache for one sequence."""
        return empty_compressed_cache(self.cfg, 1, like)

    def decode(self, h: Tensor, cache: CompressedCache) -> tuple[Tensor, CompressedCache]:
        """New tokens h (1, S, D) after those in the cache."""
        parts = self.parts(h, cache)
        return parts.out, parts.cache
