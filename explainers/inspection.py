"""What a checkpoint is: its family and sizes, parameters and cache counted from its configuration and from its files.

The two counts are made apart: one by `explainers.counting` from ``config.json`` alone, one from the headers of the
files; where they disagree, the model is not what its configuration says. No weight is read.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from explainers import caching, counting
from explainers.attention import AttentionConfig
from explainers.checkpoints import Checkpoint
from explainers.errors import ExplainError
from explainers.families import Architecture, architecture
from explainers.mla import MLAConfig
from explainers.quantities import Cited, Quantity
from explainers.sizes import CompressedAttention, FeedForward, GroupedAttention, LatentAttention, ModelConfig

#: Tensors beside the model that is counted: multi-token prediction, and angles that some files carry along.
_MTP, _ANGLES = re.compile(r"^mtp\."), re.compile(r"rotary_emb\.inv_freq$")
_LAYER = re.compile(r"^(?:model\.)?layers\.(\d+)\.")
_EXPERT = re.compile(r"\.experts\.(\d+)\.")


@dataclass(frozen=True)
class Inspection:
    """What was found. Counts of files leave MTP layers and scales aside, which have their own."""

    title: str
    family: str
    sizes: dict[str, int | float | str]
    total: Quantity  # from the configuration
    active: Quantity
    cache: Quantity  # bytes a token in BF16
    cache_values: Quantity
    files: int
    tensors: int
    stored_total: int  # parameters in the files
    stored_active: int
    stored_mtp: int
    stored_bytes: int
    dtypes: dict[str, int]  # parameters by number format
    disagreements: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        plain = {name: value for name, value in vars(self).items() if not isinstance(value, Quantity)}
        numbers = {name: value.to_json() for name, value in vars(self).items() if isinstance(value, Quantity)}
        return {**plain, **numbers}


def inspect(checkpoint: Checkpoint) -> Inspection:
    """Look at a checkpoint without reading a weight."""
    arch = architecture(checkpoint.config)
    model = sizes_from_config(arch, checkpoint.config)
    total, active = counting.total_params(model), counting.active_params(model)
    counted = _count_files(checkpoint, arch)
    found = Inspection(
        arch.title,
        arch.family,
        {name: quantity.value for name, quantity in model.sizes.items()},
        total,
        active,
        caching.bytes_per_token_bf16(model),
        caching.values_per_token(model),
        len(set(checkpoint.where.values())),
        len(checkpoint.where),
        counted.total,
        counted.active,
        counted.mtp,
        counted.nbytes,
        dict(counted.dtypes),
    )
    found.disagreements.extend(_disagreements(checkpoint, arch, found, counted))
    return found


# ---------------------------------------------------------------------- from the configuration
def sizes_from_config(arch: Architecture, about: dict[str, Any]) -> ModelConfig:
    """The sizes as `explainers.counting` takes them, each cited from ``config.json``."""
    cited = Cited("config.json", "", where="")
    values: dict[str, int | float] = {
        "layers": arch.layers,
        "hidden": arch.hidden_size,
        "vocab": arch.vocab_size,
        "routed_experts": arch.gate.n_routed_experts,
        "experts_per_token": arch.gate.top_k,
        "shared_experts": arch.n_shared_experts,
        "moe_intermediate": arch.moe_intermediate_size,
        "dense_layers": len(arch.dense),
        "routed_scaling_factor": arch.gate.routed_scaling_factor,
    }
    if arch.dense:
        values["dense_intermediate"] = arch.intermediate_size
    if arch.gate.limits_groups:
        values |= {"expert_groups": arch.gate.n_group, "expert_groups_kept": arch.gate.topk_group}
    attention, own = _attention_sizes(arch)
    values |= own
    if arch.hyper:
        values["residual_streams"] = arch.hyper.streams
    sizes = {
        name: Quantity(value, "", cited, f"{name.replace('_', ' ')}, {arch.title}", f"{arch.family}.{name}")
        for name, value in values.items()
    }
    ffn = FeedForward(
        len(arch.dense),
        arch.intermediate_size,
        arch.gate.n_routed_experts,
        arch.n_shared_experts,
        arch.gate.top_k,
        arch.moe_intermediate_size,
        gate_bias=arch.gate.topk_method == "noaux_tc",
        hash_routed_layers=len(arch.hashed),
    )
    streams = arch.hyper.streams if arch.hyper else 1
    return ModelConfig(
        arch.family, arch.title, arch.layers, arch.hidden_size, arch.vocab_size, attention, ffn, streams,
        MappingProxyType(sizes),
    )  # fmt: skip


def _attention_sizes(
    arch: Architecture,
) -> tuple[GroupedAttention | LatentAttention | CompressedAttention, dict[str, int | float]]:
    """The attention as `explainers.sizes` describes it, and its numbers by name."""
    one = arch.attention[0]
    if isinstance(one, AttentionConfig):
        sizes = {"heads": one.n_heads, "kv_heads": one.n_kv_heads, "head_dim": one.head_dim}
        return GroupedAttention(one.n_heads, one.n_kv_heads, one.head_dim), dict(sizes)
    if isinstance(one, MLAConfig):
        values = {
            "heads": one.n_heads,
            "q_lora_rank": one.q_lora_rank or 0,
            "kv_lora_rank": one.kv_lora_rank,
            "qk_nope_head_dim": one.qk_nope_head_dim,
            "qk_rope_head_dim": one.qk_rope_head_dim,
            "v_head_dim": one.v_head_dim,
        }
        if arch.indexer:
            index = arch.indexer
            values |= {"index_heads": index.n_heads, "index_head_dim": index.head_dim, "index_topk": index.topk}
        return LatentAttention(**values), dict(values)
    kinds = Counter(layer.kind for layer in arch.attention if not isinstance(layer, AttentionConfig | MLAConfig))
    ratios = {c.kind: c.ratio for c in arch.attention if not isinstance(c, AttentionConfig | MLAConfig)}
    values = {
        "heads": one.n_heads,
        "head_dim": one.head_dim,
        "q_lora_rank": one.q_lora_rank,
        "qk_rope_head_dim": one.rope.dim,
        "o_groups": one.o_groups,
        "o_lora_rank": one.o_lora_rank,
        "index_heads": one.index_n_heads,
        "index_head_dim": one.index_head_dim,
        "index_topk": one.index_topk,
        "sliding_window": one.sliding_window,
        "csa_layers": kinds["csa"],
        "hca_layers": kinds["hca"],
        "sliding_layers": kinds["sliding"],
        "csa_ratio": ratios.get("csa", 4),
        "hca_ratio": ratios.get("hca", 128),
    }
    return CompressedAttention(**values), dict(values)


# ---------------------------------------------------------------------- from the files
@dataclass
class _Counted:
    total: int = 0
    active: int = 0
    mtp: int = 0
    nbytes: int = 0
    dtypes: Counter[str] = field(default_factory=Counter)
    layers: set[int] = field(default_factory=set)
    experts: dict[int, set[int]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)  # quantised, without scales


def _count_files(checkpoint: Checkpoint, arch: Architecture) -> _Counted:
    """Parameters in the files: in all, active for one token, in MTP layers."""
    counted, routed = _Counted(), 0
    names = checkpoint.names()
    scales = {other for name in names if (other := checkpoint.scale_name(name))}
    for name in names:
        try:
            about = checkpoint.about(name)
        except ExplainError as error:
            counted.missing.append(str(error))
            continue
        counted.nbytes += about.nbytes
        if name in scales or _ANGLES.search(name) or name.endswith("tid2eid"):
            continue
        numel = about.numel * (2 if about.dtype in ("I8", "U8") else 1)  # FP4: two numbers a byte
        layer = _LAYER.match(name)
        if _MTP.match(name) or (layer and int(layer[1]) >= arch.layers):
            counted.mtp += numel
            continue
        if checkpoint.bare(name):
            counted.bare.append(name)
        counted.total += numel
        counted.dtypes[about.dtype] += numel
        expert = _EXPERT.search(name)
        if layer:
            counted.layers.add(int(layer[1]))
            if expert:
                counted.experts.setdefault(int(layer[1]), set()).add(int(expert[1]))
        if expert:
            routed += numel
        elif not re.search(r"embed(_tokens)?\.weight$", name) or arch.tied:
            counted.active += numel
    counted.active += routed * arch.gate.top_k // arch.gate.n_routed_experts
    return counted


def _disagreements(checkpoint: Checkpoint, arch: Architecture, found: Inspection, counted: _Counted) -> list[str]:
    """Where configuration, index and files contradict each other, each in one line."""
    said = [f"a file is missing or broken: {counted.missing[0]}"] if counted.missing else []
    if len(counted.missing) > 1:
        said.append(f"{len(counted.missing)} tensors that the index names cannot be found")
    if counted.bare:
        others = f" and {len(counted.bare) - 1} more have" if len(counted.bare) > 1 else " has"
        said.append(f"{counted.bare[0]}{others} no scales, so they cannot be read; download the file again")
    if absent := sorted(set(range(arch.layers)) - counted.layers):
        said.append(f"config.json has {arch.layers} layers; the files lack layer {_few(absent)}")
    for layer in range(arch.layers):
        there, due = counted.experts.get(layer, set()), arch.gate.n_routed_experts if layer not in arch.dense else 0
        if layer in counted.layers and len(there) != due:
            said.append(f"layer {layer} has {len(there)} routed experts in the files, config.json says {due}")
            break
    total = int(found.total.value) - (arch.vocab_size * arch.hidden_size if arch.tied else 0)
    for words, config, files in (
        ("parameters", total, counted.total),
        ("active parameters", int(found.active.value), counted.active),
    ):
        if config != files:
            more = "more" if files > config else "fewer"
            said.append(f"{words}: {config:,} by config.json, {files:,} in the files, {abs(files - config):,} {more}")
    if checkpoint.index_total is not None and checkpoint.index_total != counted.nbytes:
        said.append(f"the index says {checkpoint.index_total:,} bytes, the tensors have {counted.nbytes:,}")
    return said


def _few(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:4]))
    return f"{shown} and {len(numbers) - 4} more" if len(numbers) > 4 else shown
