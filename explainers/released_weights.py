"""Which tensor of a released model is which weight, in every family: read, checked against the configuration, named.

V2, V3 and V3.2 have one naming (``model.layers.N.self_attn.…``), DeepSeekMoE 16B the same with plain attention, V4 its
own (``layers.N.attn.…``). `Reader` gives the weights as the functions of this package take them.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.attention import AttentionConfig, AttentionWeights
from explainers.checkpoints import Checkpoint
from explainers.compressed import CompressedConfig, CompressedWeights, CompressorWeights, EntryIndexerWeights
from explainers.families import Architecture
from explainers.hyper_connections import HeadWeights, HyperWeights
from explainers.mla import MLAConfig, MLAWeights
from explainers.moe import MLPWeights, MoEWeights
from explainers.sparse import IndexerConfig, IndexerWeights

#: Spellings that differ: V2 and V3 beside V4.
_V3_NAMES = {
    "embed": "model.embed_tokens.weight",
    "head": "lm_head.weight",
    "last_norm": "model.norm.weight",
    "layer": "model.layers.{}.",
    "attention_norm": "input_layernorm.weight",
    "feed_forward_norm": "post_attention_layernorm.weight",
    "attn": "self_attn.",
    "ffn": "mlp.",
    "w1": "gate_proj",
    "w2": "down_proj",
    "w3": "up_proj",
    "bias": "gate.e_score_correction_bias",
}
_V4_NAMES = {
    "embed": "embed.weight",
    "head": "head.weight",
    "last_norm": "norm.weight",
    "layer": "layers.{}.",
    "attention_norm": "attn_norm.weight",
    "feed_forward_norm": "ffn_norm.weight",
    "attn": "attn.",
    "ffn": "ffn.",
    "w1": "w1",
    "w2": "w2",
    "w3": "w3",
    "bias": "gate.bias",
}


class FileExperts:
    """The routed experts of one layer, read from the file when they are picked."""

    def __init__(self, reader: Reader, layer: int) -> None:
        self._reader, self._layer = reader, layer

    def pick(self, experts: list[int]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """(w1, w2, w3) of each of these experts, one expert in memory at a time."""
        for expert in experts:
            w = self._reader.expert(self._layer, expert)
            yield w.w1, w.w2, w.w3


class Reader:
    """Weights of a checkpoint by their place in the architecture, on a device and in a dtype."""

    def __init__(self, checkpoint: Checkpoint, cfg: Architecture, device: torch.device, dtype: torch.dtype) -> None:
        self.checkpoint, self.cfg, self.device, self.dtype = checkpoint, cfg, device, dtype
        self.names = _V4_NAMES if cfg.family == "v4" else _V3_NAMES

    def tensor(self, name: str, *shape: int, dtype: torch.dtype | None = None) -> Tensor:
        """A tensor of this shape. Gates, norms of streams and sinks keep float32, as in the published code."""
        return self.checkpoint.read(name, shape, dtype or self.dtype).to(self.device)

    def _of(self, layer: int, part: str = "") -> str:
        return self.names["layer"].format(layer) + (self.names[part] if part else "")

    # ------------------------------------------------------------------ ends
    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings (B, S, D) of ids (B, S): only these rows are read."""
        shape = (self.cfg.vocab_size, self.cfg.hidden_size)
        rows = self.checkpoint.read(self.names["embed"], shape, self.dtype, ids.flatten().cpu())
        return rows.to(self.device).unflatten(0, tuple(ids.shape))

    def logits(self, last: Tensor) -> Tensor:
        """Logits (B, S, V) of the output head over normed states (B, S, D), the table read piece by piece."""
        name = self.names["embed" if self.cfg.tied else "head"]
        shape, step = (self.cfg.vocab_size, self.cfg.hidden_size), 8192
        starts = range(0, self.cfg.vocab_size, step)
        pieces = (self.checkpoint.read(name, shape, self.dtype, slice(start, start + step)) for start in starts)
        return torch.cat([F.linear(last, piece.to(self.device)) for piece in pieces], dim=-1)

    def last_norm(self) -> Tensor:
        return self.tensor(self.names["last_norm"], self.cfg.hidden_size)

    def norm(self, layer: int, before: str) -> Tensor:
        """The norm (D,) before ``"attention"`` or ``"feed_forward"``."""
        return self.tensor(self._of(layer) + self.names[f"{before}_norm"], self.cfg.hidden_size)

    # ------------------------------------------------------------------ attention
    def grouped(self, layer: int, cfg: AttentionConfig) -> AttentionWeights:
        """DeepSeekMoE 16B's attention."""
        at, d, q = self._of(layer, "attn"), cfg.hidden_size, cfg.n_heads * cfg.head_dim
        kv = cfg.n_kv_heads * cfg.head_dim
        shapes = {"q": (q, d), "k": (kv, d), "v": (kv, d), "o": (d, q)}
        return AttentionWeights(*(self.tensor(f"{at}{n}_proj.weight", *shape) for n, shape in shapes.items()))

    def mla(self, layer: int, cfg: MLAConfig) -> MLAWeights:
        """MLA's weights."""
        at, d, heads, rank = self._of(layer, "attn"), cfg.hidden_size, cfg.n_heads, cfg.kv_lora_rank
        query = heads * cfg.qk_head_dim
        q: dict[str, Tensor] = {}
        if cfg.q_lora_rank is None:
            q["wq"] = self.tensor(f"{at}q_proj.weight", query, d)
        else:
            q["wq_a"] = self.tensor(f"{at}q_a_proj.weight", cfg.q_lora_rank, d)
            q["q_norm"] = self.tensor(f"{at}q_a_layernorm.weight", cfg.q_lora_rank)
            q["wq_b"] = self.tensor(f"{at}q_b_proj.weight", query, cfg.q_lora_rank)
        return MLAWeights(
            self.tensor(f"{at}kv_a_proj_with_mqa.weight", rank + cfg.qk_rope_head_dim, d),
            self.tensor(f"{at}kv_a_layernorm.weight", rank),
            self.tensor(f"{at}kv_b_proj.weight", heads * (cfg.qk_nope_head_dim + cfg.v_head_dim), rank),
            self.tensor(f"{at}o_proj.weight", d, heads * cfg.v_head_dim),
            **q,
        )

    def indexer(self, layer: int, mla: MLAConfig, cfg: IndexerConfig) -> IndexerWeights:
        """V3.2's indexer."""
        at = self._of(layer, "attn") + "indexer."
        return IndexerWeights(
            self.tensor(f"{at}wq_b.weight", cfg.n_heads * cfg.head_dim, mla.q_lora_rank or 0),
            self.tensor(f"{at}wk.weight", cfg.head_dim, mla.hidden_size),
            self.tensor(f"{at}k_norm.weight", cfg.head_dim),
            self.tensor(f"{at}k_norm.bias", cfg.head_dim),
            self.tensor(f"{at}weights_proj.weight", cfg.n_heads, mla.hidden_size, dtype=torch.float32),
        )

    def compressed(self, layer: int, cfg: CompressedConfig) -> CompressedWeights:
        """V4's attention."""
        at, d, width, heads, rank = self._of(layer, "attn"), cfg.hidden_size, cfg.head_dim, cfg.n_heads, cfg.q_lora_rank
        small = cfg.o_groups * cfg.o_lora_rank
        compressor = None if cfg.kind == "sliding" else self._compressor(f"{at}compressor.", width, cfg)
        indexer = None
        if cfg.kind == "csa":
            indexer = EntryIndexerWeights(
                self._compressor(f"{at}indexer.compressor.", cfg.index_head_dim, cfg),
                self.tensor(f"{at}indexer.wq_b.weight", cfg.index_n_heads * cfg.index_head_dim, rank),
                self.tensor(f"{at}indexer.weights_proj.weight", cfg.index_n_heads, d),
            )
        return CompressedWeights(
            self.tensor(f"{at}wq_a.weight", rank, d),
            self.tensor(f"{at}q_norm.weight", rank),
            self.tensor(f"{at}wq_b.weight", heads * width, rank),
            self.tensor(f"{at}wkv.weight", width, d),
            self.tensor(f"{at}kv_norm.weight", width),
            self.tensor(f"{at}wo_a.weight", small, heads * width // cfg.o_groups),
            self.tensor(f"{at}wo_b.weight", d, small),
            self.tensor(f"{at}attn_sink", heads, dtype=torch.float32),
            compressor,
            indexer,
        )

    def _compressor(self, at: str, width: int, cfg: CompressedConfig) -> CompressorWeights:
        wide = (2 if cfg.overlaps else 1) * width
        return CompressorWeights(
            self.tensor(f"{at}wkv.weight", wide, cfg.hidden_size),
            self.tensor(f"{at}wgate.weight", wide, cfg.hidden_size),
            self.tensor(f"{at}ape", cfg.ratio, wide),
            self.tensor(f"{at}norm.weight", width),
        )

    # ------------------------------------------------------------------ feed-forward
    def _mlp(self, at: str, inner: int) -> MLPWeights:
        d, n = self.cfg.hidden_size, self.names
        return MLPWeights(
            self.tensor(f"{at}{n['w1']}.weight", inner, d),
            self.tensor(f"{at}{n['w2']}.weight", d, inner),
            self.tensor(f"{at}{n['w3']}.weight", inner, d),
        )

    def dense(self, layer: int) -> MLPWeights:
        """The one network of a dense layer."""
        return self._mlp(self._of(layer, "ffn"), self.cfg.intermediate_size)

    def expert(self, layer: int, expert: int) -> MLPWeights:
        """One routed expert."""
        return self._mlp(f"{self._of(layer, 'ffn')}experts.{expert}.", self.cfg.moe_intermediate_size)

    def moe(self, layer: int) -> MoEWeights:
        """Gate, bias and shared experts; the routed ones wait in the file."""
        at, cfg = self._of(layer, "ffn"), self.cfg
        experts, wide = cfg.gate.n_routed_experts, torch.float32
        gate = self.tensor(f"{at}gate.weight", experts, cfg.hidden_size, dtype=wide)
        bias = shared = None
        if cfg.gate.topk_method == "noaux_tc" and layer not in cfg.hashed:
            bias = self.tensor(at + self.names["bias"], experts, dtype=wide)
        if cfg.n_shared_experts:
            shared = self._mlp(f"{at}shared_experts.", cfg.n_shared_experts * cfg.moe_intermediate_size)
        return MoEWeights(gate, FileExperts(self, layer), bias, shared, cfg.swiglu_limit)

    def table(self, layer: int, ids: Tensor) -> Tensor:
        """V4's hash-routed layers: the experts (T, k) of ids (T,)."""
        shape = (self.cfg.vocab_size, self.cfg.gate.top_k)
        return self.tensor(f"{self._of(layer, 'ffn')}gate.tid2eid", *shape, dtype=torch.int64)[ids]

    # ------------------------------------------------------------------ V4's streams
    def hyper(self, layer: int, around: str) -> HyperWeights:
        """The connections around ``"attention"`` or ``"feed_forward"``."""
        at = f"{self._of(layer)}hc_{'attn' if around == 'attention' else 'ffn'}_"
        n = self.cfg.hyper.streams if self.cfg.hyper else 1
        sizes, wide = n * (2 + n), torch.float32
        return HyperWeights(
            self.tensor(f"{at}fn", sizes, n * self.cfg.hidden_size, dtype=wide),
            self.tensor(f"{at}base", sizes, dtype=wide),
            self.tensor(f"{at}scale", 3, dtype=wide),
        )

    def hyper_head(self) -> HeadWeights:
        """The last collapse."""
        n, wide = self.cfg.hyper.streams if self.cfg.hyper else 1, torch.float32
        return HeadWeights(
            self.tensor("hc_head_fn", n, n * self.cfg.hidden_size, dtype=wide),
            self.tensor("hc_head_base", n, dtype=wide),
            self.tensor("hc_head_scale", 1, dtype=wide),
        )
