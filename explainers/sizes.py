"""Sizes of real models, as cited in ``assets/facts/models.toml``, in frozen dataclasses.

A size is a plain integer here (``config.layers``, ``config.attention.kv_lora_rank``) and a cited `Quantity` in
``config.sizes`` under the name it has in the published config. Everything derived is counted from them in
`explainers.counting` and `explainers.caching`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from explainers import facts
from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity, computed

#: The models that can be counted, in the order in which a listing shows them.
MODELS = (
    "ds7b",
    "ds67b",
    "moe16b",
    "v2_lite",
    "v2",
    "v3",
    "v3_2",
    "v4_flash",
    "v4_pro",
    "v4_1_flash",
    "llama_8b",
    "llama_70b",
    "llama_405b",
    "qwen_72b",
    "mixtral_8x7b",
    "mixtral_8x22b",
    "qwen3_235b",
    "kimi_k2",
    "gpt_oss_120b",
)
#: Six generations of DeepSeek's cache, oldest first (the fifth has two members).
GENERATIONS = ("ds67b", "v2", "v3", "v3_2", "v4_pro", "v4_flash", "v4_1_flash")


@dataclass(frozen=True)
class GroupedAttention:
    """MHA (``kv_heads == heads``), GQA or MQA (``kv_heads == 1``): a key and a value for each KV head."""

    heads: int
    kv_heads: int
    head_dim: int
    qkv_bias: bool = False
    qk_norm: bool = False
    sinks: bool = False  # one learned logit a head, and biases on every projection (gpt-oss)
    sliding_window: int = 0  # tokens that a windowed layer remembers
    sliding_layers: int = 0


@dataclass(frozen=True)
class LatentAttention:
    """MLA: one latent and one rotated key a token (V2 report, section 2.1); with an indexer it is V3.2's DSA."""

    heads: int
    q_lora_rank: int  # 0: queries are not compressed (V2-Lite)
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int
    index_heads: int = 0
    index_head_dim: int = 0
    index_topk: int = 0


@dataclass(frozen=True)
class CompressedAttention:
    """V4: one shared entry as key and value, compressed over 4 tokens (CSA) or 128 (HCA), plus a sliding window.

    V4.1 keeps the entry and stores it for four source layers only (``kv_source_entries`` entries a token).
    """

    heads: int
    head_dim: int
    q_lora_rank: int
    qk_rope_head_dim: int
    o_groups: int
    o_lora_rank: int
    index_heads: int
    index_head_dim: int
    index_topk: int
    sliding_window: int
    csa_layers: int = 0
    hca_layers: int = 0
    sliding_layers: int = 0
    csa_ratio: int = 0
    hca_ratio: int = 0
    kv_source_entries: float = 0.0


Attention = GroupedAttention | LatentAttention | CompressedAttention


@dataclass(frozen=True)
class FeedForward:
    """SwiGLU layers: ``dense_layers`` of width ``dense_intermediate``, the rest mixtures of experts."""

    dense_layers: int
    dense_intermediate: int = 0
    routed_experts: int = 0
    shared_experts: int = 0
    experts_per_token: int = 0
    moe_intermediate: int = 0
    gate_bias: bool = False  # one value an expert, for choosing only
    expert_bias: bool = False  # biases inside each expert (gpt-oss)
    hash_routed_layers: int = 0  # the first ones choose experts by a table of tokens: no bias (V4)


@dataclass(frozen=True, eq=False)
class ModelConfig:
    """A model's published sizes.

    ``sizes`` maps every numeric field of its facts entry to a cited Quantity with the key ``<model>.<field>``.
    """

    key: str
    title: str
    layers: int
    hidden: int
    vocab: int
    attention: Attention
    ffn: FeedForward
    residual_streams: int
    sizes: Mapping[str, Quantity]

    @property
    def moe_layers(self) -> int:
        return self.layers - self.ffn.dense_layers

    def size(self, name: str) -> Quantity:
        """A cited size by its published name."""
        if name not in self.sizes:
            raise one_of(f"size of {self.title}", name, list(self.sizes))
        return self.sizes[name]


def config(key: str) -> ModelConfig:
    """``"v3"`` → the sizes of DeepSeek-V3; an unknown key is an `ExplainError` with the closest ones."""
    if key not in MODELS:
        raise one_of("model", key, list(MODELS))
    return _load(key)


@cache
def _load(key: str) -> ModelConfig:
    entry = facts.entry(f"models.{key}")
    sizes = {}
    for name in entry.numbers():
        if entry.confidence_of(name) != "recalled":
            label = f"{name.replace('_', ' ')}, {entry.title}"
            sizes[name] = replace(entry.quantity(name), key=f"{key}.{name}", name=label)
    values: dict[str, Any] = {name: value for name, value in entry.fields.items() if isinstance(value, bool)}
    values |= {name: quantity.value for name, quantity in sizes.items()}
    try:
        moe = "routed_experts" in values
        ffn = _pick(FeedForward, {"dense_layers": 0 if moe else values["layers"], **values})
        return ModelConfig(
            key,
            entry.title,
            values["layers"],
            values["hidden"],
            values["vocab"],
            _attention(values),
            ffn,
            values.get("residual_streams", 1),
            MappingProxyType(sizes),
        )
    except (KeyError, TypeError) as error:
        raise ExplainError(f"models.toml, entry {key!r}: the size {error} is missing; counting needs it") from error


def _attention(values: Mapping[str, Any]) -> Attention:
    if "kv_lora_rank" in values:
        return _pick(LatentAttention, {"q_lora_rank": 0, **values})
    if "o_lora_rank" in values:
        return _pick(CompressedAttention, {"qk_rope_head_dim": 64, **values})
    return _pick(GroupedAttention, {**values, "sinks": values.get("attention_sinks", False)})


def _pick(kind: Any, values: Mapping[str, Any]) -> Any:
    return kind(**{name: values[name] for name in kind.__dataclass_fields__ if name in values})


# ---------------------------------------------------------------------- counting with a formula
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def count(
    config: ModelConfig,
    formula: str,
    unit: str,
    name: str,
    key: str = "",
    using: Mapping[str, Quantity] = MappingProxyType({}),
) -> Quantity:
    """Evaluate a formula over the model's cited sizes, so that what is written is what is counted.

    Parameters
    ----------
    formula
        Python arithmetic over names of sizes (and of the Quantities in ``using``): ``"3 * hidden * moe_intermediate"``.
    unit, name, key
        Of the resulting Quantity, whose inputs are the Quantities that the formula names.
    """
    used = dict.fromkeys(_NAME.findall(formula))
    inputs = {word: using[word] if word in using else config.size(word) for word in used}
    value = _evaluate(formula, {word: quantity.value for word, quantity in inputs.items()})
    shown = formula.replace(" * ", " × ").replace(" - ", " − ")
    return computed(value, unit, shown, inputs.values(), name=f"{name}, {config.title}", key=key)


@cache
def _compiled(formula: str) -> Any:
    return compile(ast.parse(formula, mode="eval"), "<formula>", "eval")


def _evaluate(formula: str, values: Mapping[str, float | int]) -> float | int:
    result = eval(_compiled(formula), {"__builtins__": {}}, dict(values))  # this package's own formulas
    whole = isinstance(result, float) and result.is_integer() and abs(result) < 2**53
    return int(result) if whole else result
