"""What a ``config.json`` of DeepSeek says: the sizes and rules of every layer, for the functions of this package.

Six families: DeepSeekMoE 16B (2401.06066), V2 and V2-Lite (2405.04434), V3 and R1 (2412.19437), V3.2 (2512.02556), V4
(2606.19348). Older files have ``rope_theta`` and ``rope_scaling``, newer ones ``rope_parameters``; both are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explainers.attention import AttentionConfig
from explainers.compressed import CompressedConfig
from explainers.errors import ExplainError
from explainers.gate import GateConfig
from explainers.hyper_connections import HyperConfig
from explainers.mla import MLAConfig
from explainers.rope import RopeConfig, YarnConfig
from explainers.sources import TITLES, family_of
from explainers.sparse import IndexerConfig

LayerAttention = MLAConfig | AttentionConfig | CompressedConfig
#: V4: kinds of layers by their names in ``layer_types``, and by the tokens an entry in ``compress_ratios``.
_KINDS = {"sliding_attention": "sliding", "compressed_sparse_attention": "csa", "heavily_compressed_attention": "hca"}
_RATIOS = {0: "sliding", 4: "csa", 128: "hca"}


@dataclass(frozen=True)
class Architecture:
    """A released model's sizes. ``attention`` and ``hashed`` have one entry a layer."""

    family: str
    layers: int
    hidden_size: int
    vocab_size: int
    attention: tuple[LayerAttention, ...]
    gate: GateConfig
    dense: frozenset[int]  # layers with one feed-forward network instead of experts
    hashed: frozenset[int]  # layers whose experts a table of token ids chooses
    intermediate_size: int
    moe_intermediate_size: int
    n_shared_experts: int
    max_position_embeddings: int
    norm_eps: float = 1e-6
    indexer: IndexerConfig | None = None
    hyper: HyperConfig | None = None
    swiglu_limit: float | None = None
    tied: bool = False  # the output head is the embedding

    @property
    def title(self) -> str:
        return TITLES[self.family]

    @property
    def kind(self) -> str:
        """``"mla"``, ``"dsa"``, ``"csa"`` or ``"mha"``, as the small model's configuration calls them."""
        if isinstance(self.attention[0], MLAConfig):
            return "dsa" if self.indexer else "mla"
        return "csa" if isinstance(self.attention[0], CompressedConfig) else "mha"


class _Fields:
    """Fields of ``config.json``, checked on the way out."""

    def __init__(self, about: dict[str, Any]) -> None:
        self.about = about

    def whole(self, name: str, default: int | None = None) -> int:
        value = self.about.get(name)
        value = default if value is None else value
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ExplainError(f"config.json: {name} is {value!r}; a whole number is needed")
        return value

    def real(self, name: str, default: float) -> float:
        value = self.about.get(name)
        value = default if value is None else value
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ExplainError(f"config.json: {name} is {value!r}; a number is needed")
        return float(value)


def architecture(about: dict[str, Any]) -> Architecture:
    """The sizes of a released model from its ``config.json``; a foreign or incomplete one is an `ExplainError`."""
    family, f = family_of(about), _Fields(about)
    layers = f.whole("num_hidden_layers")
    if layers < 1:
        raise ExplainError("config.json: num_hidden_layers is 0; a model has at least one")
    if f.about.get("hidden_act", "silu") != "silu":
        raise ExplainError(f"config.json: hidden_act is {about['hidden_act']!r}; DeepSeek's models use 'silu'")
    if f.about.get("attention_bias"):
        raise ExplainError("config.json: attention_bias is true; DeepSeek's models have none")
    attention = _attention(family, f, layers)
    first = f.whole("first_k_dense_replace", 0)
    every = f.whole("moe_layer_freq", 1)
    dense = frozenset() if family == "v4" else frozenset(n for n in range(layers) if n < first or n % max(1, every))
    mla = attention[0]
    indexer = None
    if family == "v3_2" and isinstance(mla, MLAConfig):
        sizes = (f.whole("index_n_heads"), f.whole("index_head_dim"), f.whole("index_topk"))
        indexer = IndexerConfig.beside(mla, *sizes)
    return Architecture(
        family,
        layers,
        f.whole("hidden_size"),
        f.whole("vocab_size"),
        attention,
        _gate(family, f),
        dense,
        _hashed(f, layers) if family == "v4" else frozenset(),
        0 if family == "v4" else f.whole("intermediate_size"),
        f.whole("moe_intermediate_size"),
        f.whole("n_shared_experts", 0),
        f.whole("max_position_embeddings", 4096),
        f.real("rms_norm_eps", 1e-6),
        indexer,
        _hyper(f) if family == "v4" else None,
        f.real("swiglu_limit", 10.0) if family == "v4" else None,
        bool(about.get("tie_word_embeddings", False)),
    )


def _hyper(f: _Fields) -> HyperConfig:
    eps, norm_eps = f.real("hc_eps", 1e-6), f.real("rms_norm_eps", 1e-6)
    return HyperConfig(f.whole("hc_mult", 4), f.whole("hc_sinkhorn_iters", 20), eps, norm_eps)


# ---------------------------------------------------------------------- attention
def _attention(family: str, f: _Fields, layers: int) -> tuple[LayerAttention, ...]:
    if family == "v4":
        return tuple(_v4_layer(f, kind, ratio) for kind, ratio in v4_kinds(f.about, layers))
    theta, yarn = _rope(f.about)
    heads = f.whole("num_attention_heads")
    if family == "moe16b":
        width = f.whole("head_dim", f.whole("hidden_size") // max(1, heads))
        rope = RopeConfig(width, theta, interleaved=False, yarn=yarn)
        one: LayerAttention = AttentionConfig(
            f.whole("hidden_size"), heads, f.whole("num_key_value_heads", heads), width, rope
        )
        return (one,) * layers
    rank = f.about.get("q_lora_rank")
    one = MLAConfig(
        f.whole("hidden_size"),
        heads,
        f.whole("kv_lora_rank"),
        f.whole("qk_nope_head_dim"),
        f.whole("qk_rope_head_dim"),
        f.whole("v_head_dim"),
        None if rank is None else f.whole("q_lora_rank"),
        theta,
        f.about.get("rope_interleave", True) is not False,
        yarn,
        f.real("rms_norm_eps", 1e-6),
    )
    return (one,) * layers


def _rope(about: dict[str, Any]) -> tuple[float, YarnConfig | None]:
    """θ and YaRN's settings; without ``mscale_all_dim`` the softmax keeps its scale."""
    scaling = about.get("rope_parameters") or about.get("rope_scaling") or {}
    if not isinstance(scaling, dict):
        raise ExplainError(f"config.json: the settings of RoPE are {scaling!r}; a table is needed")
    f = _Fields(scaling)
    theta = f.real("rope_theta", _Fields(about).real("rope_theta", 10000.0))
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind in (None, "default"):
        return theta, None
    if kind != "yarn":
        raise ExplainError(f"config.json: RoPE is stretched by {kind!r}; DeepSeek's models use 'yarn'")
    if scaling.get("factor") is None or scaling.get("original_max_position_embeddings") is None:
        raise ExplainError("config.json: YaRN needs factor and original_max_position_embeddings")
    factor, length = f.real("factor", 1), int(f.real("original_max_position_embeddings", 0))
    fast, slow = f.real("beta_fast", 32) or 32.0, f.real("beta_slow", 1) or 1.0
    return theta, YarnConfig(factor, length, fast, slow, f.real("mscale", 1) or 1.0, f.real("mscale_all_dim", 0))


def v4_kinds(about: dict[str, Any], layers: int) -> list[tuple[str, int]]:
    """(kind, tokens an entry) of each layer of V4, from ``layer_types`` or ``compress_ratios``."""
    rates = about.get("compress_rates") or {}
    ratios = {
        "sliding": 1,
        "csa": int(rates.get("compressed_sparse_attention", about.get("compress_rate_csa", 4))),
        "hca": int(rates.get("heavily_compressed_attention", about.get("compress_rate_hca", 128))),
    }
    if types := about.get("layer_types"):
        if unknown := sorted(set(types) - set(_KINDS)):
            raise ExplainError(f"config.json: layer_types has {unknown[0]!r}; known: {', '.join(_KINDS)}")
        kinds = [_KINDS[name] for name in types]
    elif listed := about.get("compress_ratios"):
        if unknown := sorted({ratio for ratio in listed if ratio not in _RATIOS}):
            raise ExplainError(f"config.json: compress_ratios has {unknown[0]!r}; known: 0, 4 and 128")
        kinds = [_RATIOS[ratio] for ratio in listed]
    else:
        kinds = ["hca", "hca", *("csa" if n % 2 else "hca" for n in range(layers - 2))]
    if len(kinds) < layers:
        raise ExplainError(f"config.json names the attention of {len(kinds)} layers out of {layers}; name them all")
    return [(kind, ratios[kind]) for kind in kinds[:layers]]


def _v4_layer(f: _Fields, kind: str, ratio: int) -> CompressedConfig:
    width = f.whole("head_dim")
    turned = f.about.get("qk_rope_head_dim") or round(width * f.real("partial_rotary_factor", 0.125))
    nested = f.about.get("rope_parameters") or {}
    yarn: YarnConfig | None = None
    if kind == "sliding":
        theta = float((nested.get("main") or {}).get("rope_theta", f.real("rope_theta", 10000.0)))
    else:
        table = nested.get("compress") or {
            **(f.about.get("rope_scaling") or nested),
            "rope_theta": f.real("compress_rope_theta", 160000.0),
        }
        theta, yarn = _rope({"rope_parameters": table})
        if yarn is not None:  # V4 stretches the angles and scales nothing
            yarn = YarnConfig(
                yarn.factor, yarn.original_max_position_embeddings, yarn.beta_fast, yarn.beta_slow, 0.0, 0.0
            )
    return CompressedConfig(
        f.whole("hidden_size"),
        f.whole("num_attention_heads"),
        width,
        f.whole("q_lora_rank"),
        f.whole("o_groups"),
        f.whole("o_lora_rank"),
        f.whole("sliding_window"),
        RopeConfig(int(turned), theta, yarn=yarn),
        kind,
        ratio,
        f.whole("index_n_heads", 0),
        f.whole("index_head_dim", 0),
        f.whole("index_topk", 0),
        f.real("rms_norm_eps", 1e-6),
    )


# ---------------------------------------------------------------------- gate
def _gate(family: str, f: _Fields) -> GateConfig:
    experts, chosen = f.whole("n_routed_experts"), f.whole("num_experts_per_tok")
    groups, kept = f.whole("n_group", 1) or 1, f.whole("topk_group", 1) or 1
    scale, normed = f.real("routed_scaling_factor", 1.0), bool(f.about.get("norm_topk_prob"))
    if family in ("v3", "v3_2"):
        normed = f.about.get("norm_topk_prob", True) is not False
        return GateConfig(experts, chosen, groups, kept, "sigmoid", normed, scale, "noaux_tc")
    if family == "v4":
        return GateConfig(
            experts, chosen, 1, 1, str(f.about.get("scoring_func", "sqrtsoftplus")), True, scale, "noaux_tc"
        )
    method = str(f.about.get("topk_method") or "greedy")
    if method == "gready":  # as DeepSeek-V2-Lite's own config.json has it
        method = "greedy"
    if family == "moe16b":
        groups = kept = 1
    return GateConfig(experts, chosen, groups, kept, "softmax", normed, scale, method)


def _hashed(f: _Fields, layers: int) -> frozenset[int]:
    if types := f.about.get("mlp_layer_types"):
        return frozenset(n for n, name in enumerate(types[:layers]) if name == "hash_moe")
    return frozenset(range(min(layers, f.whole("num_hash_layers", 3))))
