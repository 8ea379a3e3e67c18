"""Sizes of the small model, in the names of DeepSeek's ``config.json``."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from explainers.attention import AttentionConfig
from explainers.compressed import CompressedConfig
from explainers.errors import ExplainError, one_of
from explainers.mla import MLAConfig
from explainers.moe import GateConfig
from explainers.rope import RopeConfig
from explainers.sparse import IndexerConfig

ATTENTIONS = ("mla", "mha", "gqa", "mqa", "dsa", "csa")
#: Sizes that the newer attentions need, at the small model's scale.
_INDEXER = {"q_lora_rank": 64, "index_n_heads": 4, "index_head_dim": 32, "index_topk": 16}
_V4 = {"o_groups": 2, "o_lora_rank": 48, "sliding_window": 16, "csa_ratio": 4, "hca_ratio": 16}
_SIZES_OF: dict[str, dict[str, int]] = {"dsa": _INDEXER, "csa": _INDEXER | _V4 | {"index_topk": 8}}


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the small model, in the names of DeepSeek's ``config.json``.

    Parameters
    ----------
    attention
        ``"mla"``, ``"mha"``, ``"gqa"`` (``num_key_value_heads`` groups), ``"mqa"``, ``"dsa"`` (MLA with V3.2's indexer)
        or ``"csa"`` (V4's compressed attention: a sliding layer, then sparse and heavily compressed ones in turn).
    head_dim
        Key and value size of a head for mha, gqa and mqa; MLA has ``qk_nope_head_dim``, ``qk_rope_head_dim``,
        ``v_head_dim`` and ``kv_lora_rank`` instead.
    q_lora_rank, index_n_heads, index_head_dim, index_topk
        Of dsa and csa; `with_attention` fills them in.
    o_groups, o_lora_rank, sliding_window, csa_ratio, hca_ratio
        Of csa.
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
    q_lora_rank: int | None = None
    index_n_heads: int | None = None
    index_head_dim: int | None = None
    index_topk: int | None = None
    o_groups: int | None = None
    o_lora_rank: int | None = None
    sliding_window: int | None = None
    csa_ratio: int | None = None
    hca_ratio: int | None = None

    def __post_init__(self) -> None:
        if self.attention not in ATTENTIONS:
            raise one_of("attention", self.attention, ATTENTIONS)
        for name in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "kv_lora_rank"):
            if getattr(self, name) < 1:
                raise ExplainError(f"{name} is {getattr(self, name)}; give a whole number of at least 1")
        if missing := [name for name in _SIZES_OF.get(self.attention, ()) if getattr(self, name) is None]:
            raise ExplainError(f"attention {self.attention!r} needs {missing[0]}; use with_attention(…)")
        self.check_attention()
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
            self.q_lora_rank if self.attention == "dsa" else None,
            rope_theta=self.rope_theta,
            norm_eps=self.rms_norm_eps,
        )

    @property
    def grouped(self) -> AttentionConfig:
        """Sizes of one MHA, GQA or MQA layer, for `explainers.attention`."""
        rope = RopeConfig(self.head_dim, self.rope_theta)
        return AttentionConfig(self.hidden_size, self.num_attention_heads, self.key_value_heads, self.head_dim, rope)

    @property
    def indexer(self) -> IndexerConfig:
        """Sizes of the indexer of one sparse layer, for `explainers.sparse`."""
        heads, width, kept = self.index_n_heads or 0, self.index_head_dim or 0, self.index_topk or 0
        return IndexerConfig.beside(self.mla, heads, width, kept)

    def compressed(self, layer: int) -> CompressedConfig:
        """Sizes of one layer of V4's attention, for `explainers.compressed`; the first layer only slides."""
        kind = "sliding" if layer == 0 else "csa" if layer % 2 else "hca"
        return CompressedConfig(
            self.hidden_size,
            self.num_attention_heads,
            self.head_dim,
            self.q_lora_rank or 0,
            self.o_groups or 1,
            self.o_lora_rank or 0,
            self.sliding_window or 0,
            RopeConfig(self.qk_rope_head_dim, self.rope_theta),
            kind,
            (self.hca_ratio if kind == "hca" else self.csa_ratio) or 0,
            self.index_n_heads or 0,
            self.index_head_dim or 0,
            self.index_topk or 0,
            self.rms_norm_eps,
        )

    def check_attention(self) -> None:
        """Raise what the attention's own sizes have against each other."""
        if self.attention == "csa":
            for layer in range(3):
                self.compressed(layer)
            return
        _ = self.cached_values
        if self.attention == "dsa":
            _ = self.indexer

    @property
    def cached_values(self) -> int:
        """Values kept for one token in one layer: latent and rope key, or keys and values of each cached head.

        dsa adds the indexer's key. In csa it is a mean over layers for a long text: a share of an entry for each token,
        the window left aside.
        """
        if self.attention == "csa":
            entries = {"sliding": 0, "csa": self.head_dim + (self.index_head_dim or 0), "hca": self.head_dim}
            layers = [self.compressed(layer) for layer in range(self.num_hidden_layers)]
            return round(sum(entries[layer.kind] / layer.ratio for layer in layers) / len(layers))
        index = self.indexer.head_dim if self.attention == "dsa" else 0
        return (self.mla if self.attention in ("mla", "dsa") else self.grouped).cache_values_per_token + index

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


def with_attention(cfg: ModelConfig, attention: str) -> ModelConfig:
    """The same model with another attention, its extra sizes filled in where they are missing."""
    if attention not in ATTENTIONS:
        raise one_of("attention", attention, ATTENTIONS)
    missing = {name: size for name, size in _SIZES_OF.get(attention, {}).items() if getattr(cfg, name) is None}
    return replace(cfg, attention=attention, **missing)
