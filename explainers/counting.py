"""Parameters and FLOPs of a model, counted layer by layer from its cited sizes.

A model is a list of `Part`s (embedding, attention, one routed expert, …), each with a formula over the published
sizes, how often it exists and how often one token passes through it. Totals are sums over parts.

Conventions: *active* parameters are those that multiply for one token, so the input embedding (a lookup) is not
among them and the output head is; one multiply-add is two FLOPs; training is three times the forward pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import comb

from explainers.quantities import Quantity, computed
from explainers.sizes import CompressedAttention, GroupedAttention, LatentAttention, ModelConfig, count

MLA = (
    "hidden * q_lora_rank + q_lora_rank + q_lora_rank * heads * (qk_nope_head_dim + qk_rope_head_dim)"
    " + hidden * (kv_lora_rank + qk_rope_head_dim) + kv_lora_rank"
    " + kv_lora_rank * heads * (qk_nope_head_dim + v_head_dim) + heads * v_head_dim * hidden"
)
MLA_PLAIN_QUERIES = (
    "hidden * heads * (qk_nope_head_dim + qk_rope_head_dim) + hidden * (kv_lora_rank + qk_rope_head_dim)"
    " + kv_lora_rank + kv_lora_rank * heads * (qk_nope_head_dim + v_head_dim) + heads * v_head_dim * hidden"
)
GROUPED = "2 * hidden * heads * head_dim + 2 * hidden * kv_heads * head_dim"
V4_CORE = (
    "hidden * q_lora_rank + q_lora_rank + q_lora_rank * heads * head_dim + hidden * head_dim + head_dim"
    " + heads * head_dim * o_lora_rank + o_groups * o_lora_rank * hidden + heads"
)
CSA = "4 * hidden * head_dim + 2 * csa_ratio * head_dim + head_dim"
CSA_INDEXER = (
    "4 * hidden * index_head_dim + 2 * csa_ratio * index_head_dim + index_head_dim"
    " + q_lora_rank * index_heads * index_head_dim + hidden * index_heads"
)
HCA = "2 * hidden * head_dim + hca_ratio * head_dim + head_dim"
DSA_INDEXER = (
    "q_lora_rank * index_heads * index_head_dim + hidden * index_head_dim + 2 * index_head_dim + hidden * index_heads"
)
STREAMS = "(2 * residual_streams + residual_streams ** 2) * (residual_streams * hidden + 1) + 3"
STREAMS_HEAD = "residual_streams * residual_streams * hidden + residual_streams + 1"
EXPERT = "3 * hidden * moe_intermediate"


@dataclass(frozen=True)
class Part:
    """One kind of block: parameters of one, how many there are, how many one token passes."""

    name: str
    params: Quantity
    copies: int
    active: int

    def total(self) -> Quantity:
        return _times(self, self.copies, "all")

    def passed(self) -> Quantity:
        return _times(self, self.active, "passed by one token")


def _times(part: Part, copies: int, words: str) -> Quantity:
    return computed(
        part.params.value * copies, "param", f"{copies:,} × {part.name}", (part.params,), name=f"{part.name}, {words}"
    )


@cache
def parts(config: ModelConfig) -> tuple[Part, ...]:
    """Every block of the model with its parameters; biases of the V3 gate are counted, buffers of rotary angles not."""
    found: list[Part] = []

    def add(name: str, formula: str, copies: int, active: int | None = None) -> None:
        if copies:
            found.append(
                Part(name, count(config, formula, "param", name), copies, copies if active is None else active)
            )

    layers, ffn = config.layers, config.ffn
    add("input embedding", "vocab * hidden", 1, 0)
    for name, formula, copies in _attention_parts(config):
        add(name, formula, copies)
    add("normalisation", "hidden", 2 * layers + 1)
    add("dense feed-forward", "3 * hidden * dense_intermediate", ffn.dense_layers)
    if config.moe_layers:
        extra = " + 2 * moe_intermediate + hidden" if ffn.expert_bias else ""
        add(
            "routed expert",
            EXPERT + extra,
            config.moe_layers * ffn.routed_experts,
            config.moe_layers * ffn.experts_per_token,
        )
        add("shared expert", EXPERT, config.moe_layers * ffn.shared_experts)
        bias = " + routed_experts" if ffn.gate_bias else ""
        add("gate", f"hidden * routed_experts{bias}", config.moe_layers - ffn.hash_routed_layers)
        add("gate of a hash-routed layer", "hidden * routed_experts", ffn.hash_routed_layers)
    if config.residual_streams > 1:
        add("residual streams", STREAMS, 2 * layers)
        add("residual streams to one", STREAMS_HEAD, 1)
    add("output head", "vocab * hidden", 1)
    return tuple(found)


def _attention_parts(config: ModelConfig) -> list[tuple[str, str, int]]:
    """(name, formula, how many layers have it)."""
    attention, layers = config.attention, config.layers
    if isinstance(attention, LatentAttention):
        found = [("attention", MLA if attention.q_lora_rank else MLA_PLAIN_QUERIES, layers)]
        return [*found, ("indexer", DSA_INDEXER, layers if attention.index_heads else 0)]
    if isinstance(attention, CompressedAttention):
        if attention.kv_source_entries:  # V4.1: compressors and indexers stand in few layers and are not itemised
            return [("attention", V4_CORE, layers)]
        return [
            ("attention", V4_CORE, layers),
            ("compressor of 4 tokens", CSA, attention.csa_layers),
            ("indexer", CSA_INDEXER, attention.csa_layers),
            ("compressor of 128 tokens", HCA, attention.hca_layers),
        ]
    formula = GROUPED
    if attention.qkv_bias:
        formula += " + (heads + 2 * kv_heads) * head_dim"
    if attention.qk_norm:
        formula += " + 2 * head_dim"
    if attention.sinks:
        formula += " + hidden + heads"
    return [("attention", formula, layers)]


# ---------------------------------------------------------------------- totals
def total_params(config: ModelConfig) -> Quantity:
    """All parameters, both embedding tables included, without MTP layers, vision towers or V4.1's n-gram memory."""
    return _sum(config, [part.total() for part in parts(config)], "total parameters", "total_params")


def active_params(config: ModelConfig) -> Quantity:
    """Parameters that multiply for one token; the input embedding is a lookup and does not."""
    passed = [part.passed() for part in parts(config) if part.active]
    return _sum(config, passed, "active parameters", "active_params")


def active_params_with_embedding(config: ModelConfig) -> Quantity:
    """Active parameters with the input embedding table, as some model cards count them."""
    table = next(part for part in parts(config) if part.name == "input embedding").total()
    return _sum(
        config, [active_params(config), table], "active parameters with input embedding", "active_params_with_embedding"
    )


def part_params(config: ModelConfig, key: str, names: tuple[str, ...], each: bool = False) -> Quantity | None:
    """Parameters of some parts together (or of one copy); None where the model has no such part."""
    chosen = [part for part in parts(config) if part.name in names]
    if not chosen:
        return None
    if each:
        return chosen[0].params.named(f"one {chosen[0].name}, {config.title}", f"{config.key}.{key}")
    return _sum(config, [part.total() for part in chosen], " and ".join(names), key)


def mtp_params(config: ModelConfig) -> Quantity | None:
    """Parameters that one MTP layer adds: a layer like the last one, a 2d × d projection, three norms (V3, 2.2)."""
    if "mtp_layers" not in config.sizes or not isinstance(config.attention, LatentAttention):
        return None
    layer = [part.params for part in parts(config) if part.name in ("attention", "gate")]
    experts = [part for part in parts(config) if part.name in ("routed expert", "shared expert")]
    layer += [_times(part, part.copies // config.moe_layers, "of one layer") for part in experts]
    layer += [count(config, "2 * hidden * hidden + 5 * hidden", "param", "MTP projection and norms")]
    return _sum(config, layer, "parameters of the MTP layer", "mtp_params")


def expert_teams(config: ModelConfig) -> Quantity | None:
    """How many different sets of routed experts one layer can choose for a token, groups left aside."""
    ffn = config.ffn
    if not ffn.routed_experts:
        return None
    return computed(
        comb(ffn.routed_experts, ffn.experts_per_token),
        "",
        "routed_experts choose experts_per_token",
        (config.size("routed_experts"), config.size("experts_per_token")),
        name=f"possible teams of experts in one layer, {config.title}",
        key=f"{config.key}.expert_teams",
    )


def expert_teams_in_groups(config: ModelConfig) -> Quantity | None:
    """How many of those sets stay within the groups that the gate keeps (V3: 4 groups of 8, 32 experts each)."""
    if "expert_groups_kept" not in config.sizes:
        return None
    names = ("routed_experts", "experts_per_token", "expert_groups", "expert_groups_kept")
    inputs = [config.size(name) for name in names]
    experts, chosen, groups, kept = (int(quantity) for quantity in inputs)
    each = experts // groups
    value = 0
    for used in range(1, kept + 1):  # sets that touch exactly `used` groups, by inclusion and exclusion
        exactly = sum((-1) ** (used - i) * comb(used, i) * comb(each * i, chosen) for i in range(1, used + 1))
        value += comb(groups, used) * exactly
    formula = "sets of experts_per_token experts within expert_groups_kept of expert_groups groups"
    name = f"possible teams of experts within the kept groups, {config.title}"
    return computed(value, "", formula, inputs, name=name, key=f"{config.key}.expert_teams_in_groups")


def _sum(config: ModelConfig, terms: list[Quantity], name: str, key: str) -> Quantity:
    formula = " + ".join(term.name.partition(",")[0] for term in terms)
    value = sum(term.value for term in terms)
    return computed(value, terms[0].unit, formula, terms, name=f"{name}, {config.title}", key=f"{config.key}.{key}")


# ---------------------------------------------------------------------- FLOPs
SCORE_AND_MIX = {
    "grouped": "4 * heads * head_dim",
    "latent": "2 * heads * (qk_nope_head_dim + qk_rope_head_dim + v_head_dim)",
    "absorbed": "2 * heads * (2 * kv_lora_rank + qk_rope_head_dim)",
    "index": "2 * index_heads * index_head_dim",
}


def attention_flops(config: ModelConfig, keys: Quantity, *, absorbed: bool = False) -> Quantity:
    """Scores and weighted sum of one token over ``keys`` earlier ones, all layers (FLOP/token).

    Projections are not in it: they are parameters. MLA counts 2·h·(d_qk + d_v) a key with keys and values expanded and
    2·h·(2·d_c + d_rope) with the latent read as it is; V3.2 looks at ``index_topk`` keys after scoring all of them
    with its indexer; V4 looks at the window, the chosen entries of 4 tokens and all entries of 128.
    """
    terms = _attention_terms(config, keys, absorbed)
    value = sum(term.value for term in terms)
    formula = " + ".join(term.name.partition(",")[0] for term in terms)
    return computed(value, "FLOP/token", formula, terms, name=f"attention over {keys.text()} tokens, {config.title}")


def _attention_terms(config: ModelConfig, keys: Quantity, absorbed: bool) -> list[Quantity]:
    attention = config.attention

    def term(name: str, formula: str, **using: Quantity) -> Quantity:
        return count(config, formula, "FLOP/token", name, using=using)

    def at_most(limit: str, seen: Quantity) -> Quantity:
        top = config.size(limit)
        return computed(
            min(top.value, seen.value), "token", f"at most {limit}", (top, seen), name=f"keys up to {limit}"
        )

    if isinstance(attention, GroupedAttention):
        each = SCORE_AND_MIX["grouped"]
        if not attention.sliding_layers:
            return [term("scores and mix", f"layers * {each} * keys", keys=keys)]
        window = at_most("sliding_window", keys)
        return [
            term("full layers", f"(layers - sliding_layers) * {each} * keys", keys=keys),
            term("windowed layers", f"sliding_layers * {each} * window", window=window),
        ]
    if isinstance(attention, LatentAttention):
        sparse = bool(attention.index_topk)
        each = SCORE_AND_MIX["absorbed" if absorbed or sparse else "latent"]
        if not sparse:
            return [term("scores and mix", f"layers * {each} * keys", keys=keys)]
        seen = at_most("index_topk", keys)
        return [
            term("scores and mix of the chosen", f"layers * {each} * seen", seen=seen),
            term("indexer", f"layers * {SCORE_AND_MIX['index']} * keys", keys=keys),
        ]
    return _compressed_terms(config, attention, keys)


def _compressed_terms(config: ModelConfig, attention: CompressedAttention, keys: Quantity) -> list[Quantity]:
    each, index = SCORE_AND_MIX["grouped"], SCORE_AND_MIX["index"]
    if attention.kv_source_entries:
        return []
    seen = {
        "window": min(attention.sliding_window, keys.value),
        "blocks": keys.value // attention.csa_ratio,
        "chosen": min(attention.index_topk, keys.value // attention.csa_ratio),
        "heavy": keys.value // attention.hca_ratio,
    }
    from_keys = {name: computed(value, "token", name, (keys,), name=name) for name, value in seen.items()}

    def term(name: str, formula: str, *used: str) -> Quantity:
        return count(config, formula, "FLOP/token", name, using={u: from_keys[u] for u in used})

    return [
        term("window of every layer", f"layers * {each} * window", "window"),
        term("chosen entries of 4", f"csa_layers * {each} * chosen", "chosen"),
        term("indexer", f"csa_layers * {index} * blocks", "blocks"),
        term("entries of 128", f"hca_layers * {each} * heavy", "heavy"),
    ]


#: FLOPs of one operation in FP8 operations, by format: what the V4 report calls equivalent FP8 FLOPs.
IN_FP8 = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5}


def equivalent_flops(config: ModelConfig, keys: Quantity) -> Quantity:
    """`forward_flops` with each FLOP weighed by its format: weights FP8, attention BF16, the indexer FP8 (V4: FP4)."""
    weights = active_params(config)
    terms = _attention_terms(config, keys, absorbed=False)
    index = "fp4" if isinstance(config.attention, CompressedAttention) else "fp8"
    value = 2 * weights.value * IN_FP8["fp8"]
    value += sum(term.value * IN_FP8[index if term.name.startswith("indexer") else "bf16"] for term in terms)
    name = f"forward FLOPs of one token at {keys.text()} tokens, in FP8 FLOPs, {config.title}"
    formula = f"2 × active_params + 2 × attention in BF16 + {IN_FP8[index]:g} × indexer"
    return computed(value, "FLOP/token", formula, (weights, *terms), name=name)


def forward_flops(config: ModelConfig, keys: Quantity, *, absorbed: bool = False) -> Quantity:
    """FLOPs of one token's forward pass with ``keys`` tokens before it: two a parameter passed, plus attention."""
    weights = active_params(config)
    attention = attention_flops(config, keys, absorbed=absorbed)
    value = 2 * weights.value + attention.value
    return computed(
        value,
        "FLOP/token",
        "2 × active_params + attention",
        (weights, attention),
        name=f"forward FLOPs of one token at {keys.text()} tokens, {config.title}",
    )


def training_flops(config: ModelConfig, sequence: Quantity) -> Quantity:
    """FLOPs to train on one token: three forward passes, attention averaged over a causal sequence.

    Reproduces arXiv 2505.09343, Table 2, for DeepSeek (FLOP/token).
    """
    mean = computed(
        sequence.value // 2, "token", "half the sequence", (sequence,), name="mean number of earlier tokens"
    )
    forward = forward_flops(config, mean)
    return computed(
        3 * forward.value,
        "FLOP/token",
        "3 × forward",
        (forward,),
        name=f"training FLOPs of one token at a sequence of {sequence.text()}, {config.title}",
    )
