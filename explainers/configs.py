"""Numbers of real models, by name: ``configs.quantity("v3.kv_bytes_per_token")``.

The sizes are cited (`explainers.sizes`), everything else is counted from them (`explainers.counting`,
`explainers.caching`). `names` lists every reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

from explainers import caching, counting
from explainers.caching import ATTENTIONS, LENGTHS, cache_bytes, tokens
from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity, computed, constant
from explainers.sizes import GENERATIONS, MODELS, GroupedAttention, LatentAttention, ModelConfig, config

__all__ = ["GENERATIONS", "MODELS", "ModelConfig", "cache_bytes", "config", "names", "quantity", "tokens"]

#: None: the model has no such number.
Number = Callable[[ModelConfig], Quantity | None]


def quantity(reference: str) -> Quantity:
    """The Quantity behind ``<model>.<number>`` or ``tokens.<length>``.

    Raises
    ------
    ExplainError
        For an unknown model or number, with the closest names.
    """
    head, _, name = reference.partition(".")
    if head == "tokens":
        return tokens(name)
    if head not in MODELS:
        raise one_of("model", head, ["tokens", *MODELS])
    known = _numbers(head)
    if name not in known:
        raise one_of(f"number of model {head}", name, list(known))
    found = known[name]()
    return found if found.key == reference else found.named(found.name, reference)


def names(model: str = "") -> list[str]:
    """Every reference, or every reference of one model."""
    chosen = [model] if model else ["tokens", *MODELS]
    return [f"{key}.{name}" for key in chosen for name in (LENGTHS if key == "tokens" else _numbers(config(key).key))]


@cache
def _numbers(key: str) -> dict[str, Callable[[], Quantity]]:
    """Name → how to get it, in the order of a listing: sizes, parameters, cache, FLOPs."""
    model = config(key)
    found: dict[str, Callable[[], Quantity]] = {name: partial(model.size, name) for name in model.sizes}
    for name, number in (*_parameters(), *_caches(model), *_flops(model)):
        if name not in found and _applies(number, model):
            found[name] = _bind(number, model)
    return found


def _applies(number: Number, model: ModelConfig) -> bool:
    return number(model) is not None


def _bind(number: Number, model: ModelConfig) -> Callable[[], Quantity]:
    def get() -> Quantity:
        found = number(model)
        if found is None:
            raise ExplainError(f"{model.title} has no such number")
        return found

    return get


# ---------------------------------------------------------------------- parameters
def _parameters() -> Iterator[tuple[str, Number]]:
    yield "total_params", counting.total_params
    yield "active_params", counting.active_params
    yield "active_params_with_embedding", counting.active_params_with_embedding
    yield "active_share", _active_share
    for name, (parts, each) in _PARTS.items():
        yield name, partial(counting.part_params, key=name, names=parts, each=each)
    yield "mtp_params", counting.mtp_params
    yield "moe_layers", moe_layers
    yield "experts_total", _experts
    yield "expert_teams", counting.expert_teams
    yield "expert_teams_in_groups", counting.expert_teams_in_groups
    yield "weight_bytes_bf16", partial(_weights, width=2, words="bf16")
    yield "weight_bytes_fp8", partial(_weights, width=1, words="fp8")


#: number → (parts of the model, one copy or all of them)
_PARTS: dict[str, tuple[tuple[str, ...], bool]] = {
    "embedding_params": (("input embedding", "output head"), False),
    "attention_params_per_layer": (("attention",), True),
    "attention_params": (("attention",), False),
    "indexer_params": (("indexer",), False),
    "expert_params": (("routed expert",), True),
    "routed_params": (("routed expert",), False),
    "shared_expert_params": (("shared expert",), False),
    "dense_ffn_params": (("dense feed-forward",), False),
    "gate_params": (("gate", "gate of a hash-routed layer"), False),
}


def moe_layers(model: ModelConfig) -> Quantity | None:
    """Layers whose feed-forward is a mixture of experts."""
    if not model.ffn.routed_experts:
        return None
    inputs = [model.sizes[name] for name in ("layers", "dense_layers") if name in model.sizes]
    return computed(
        model.moe_layers,
        "layer",
        "layers − dense_layers",
        inputs,
        name=f"MoE layers, {model.title}",
        key=f"{model.key}.moe_layers",
    )


def _experts(model: ModelConfig) -> Quantity | None:
    layers = moe_layers(model)
    if layers is None:
        return None
    routed = model.size("routed_experts")
    return computed(
        layers.value * routed.value,
        "expert",
        "moe_layers × routed_experts",
        (layers, routed),
        name=f"routed experts in all layers, {model.title}",
        key=f"{model.key}.experts_total",
    )


def _weights(model: ModelConfig, width: int, words: str) -> Quantity:
    total = counting.total_params(model)
    return computed(
        total.value * width,
        "B",
        f"total_params × {width} B",
        (total,),
        name=f"weights in {words.upper()}, {model.title}",
        key=f"{model.key}.weight_bytes_{words}",
    )


def _active_share(model: ModelConfig) -> Quantity:
    active, total = counting.active_params(model), counting.total_params(model)
    return ratio(model, "active_share", "share of parameters at work for one token", active, total, "")


def ratio(model: ModelConfig, name: str, words: str, above: Quantity, below: Quantity, unit: str = "×") -> Quantity:
    """A ratio that names what it compares."""
    formula = f"{above.short()} / {below.short()}"
    return computed(
        above.value / below.value,
        unit,
        formula,
        (above, below),
        name=f"{words}, {model.title}",
        key=f"{model.key}.{name}",
    )


# ---------------------------------------------------------------------- cache
def _caches(model: ModelConfig) -> Iterator[tuple[str, Number]]:
    yield from (
        ("kv_bytes_per_token", caching.bytes_per_token),
        ("kv_bytes_per_token_bf16", caching.bytes_per_token_bf16),
    )
    yield "kv_values_per_token", caching.values_per_token
    if isinstance(model.attention, GroupedAttention | LatentAttention):
        yield "kv_values_per_layer", caching.values_per_layer
    yield "kv_bytes_per_token_deployed", caching.bytes_per_token_six_bits
    for kind in ATTENTIONS[1:]:
        if caching.has_attention(model, kind):
            yield f"kv_values_per_layer_{kind}", partial(caching.values_per_layer, attention=kind)
            yield f"kv_values_per_token_{kind}", partial(caching.values_per_token, attention=kind)
            yield f"kv_bytes_per_token_{kind}", partial(caching.bytes_per_token, attention=kind)
            yield f"kv_vs_{kind}", partial(_against, kind=kind)
            yield f"kv_saving_vs_{kind}", partial(_saving, kind=kind)
            if isinstance(model.attention, LatentAttention) and kind != "mla":
                yield f"mla_vs_{kind}", partial(_mla_against, kind=kind)
    if isinstance(model.attention, LatentAttention):
        yield "mla_as_gqa_groups", _gqa_groups
    for length in LENGTHS:
        yield f"kv_bytes_{length}", partial(cache_bytes, attention="own", length=length)
        for kind in ATTENTIONS[1:]:
            if caching.has_attention(model, kind):
                yield f"kv_bytes_{kind}_{length}", partial(cache_bytes, attention=kind, length=length)
    yield "kv_vs_67b", partial(_generation, name="kv_vs_67b", measure=caching.bytes_per_token)
    yield "kv_vs_67b_bf16", partial(_generation, name="kv_vs_67b_bf16", measure=caching.bytes_per_token_bf16)
    yield "kv_precision_gain", _precision
    yield "kv_cut_vs_67b", partial(_cut, name="kv_cut_vs_67b", measure=caching.bytes_per_token)
    yield (
        "kv_cut_deployed_vs_67b",
        partial(_cut, name="kv_cut_deployed_vs_67b", measure=caching.bytes_per_token_six_bits),
    )
    if model.key.startswith("v4"):
        yield "kv_vs_v3_2", _against_v3_2


def _against(model: ModelConfig, kind: str) -> Quantity:
    words = f"how many times smaller than {kind.upper()} with the same heads"
    return ratio(model, f"kv_vs_{kind}", words, caching.bytes_per_token(model, kind), caching.bytes_per_token(model))


def _mla_against(model: ModelConfig, kind: str) -> Quantity:
    """In values, so precision and indexer play no part."""
    other = "its own keys and values written out" if kind == "uncompressed" else kind.upper()
    before, after = caching.values_per_layer(model, kind), caching.values_per_layer(model, "mla")
    return ratio(model, f"mla_vs_{kind}", f"how many times fewer values MLA keeps than {other}", before, after)


def _saving(model: ModelConfig, kind: str) -> Quantity:
    before, after = caching.bytes_per_token(model, kind), caching.bytes_per_token(model)
    return _less(
        model, f"kv_saving_vs_{kind}", f"cache saved against {kind.upper()} with the same heads", before, after
    )


def _less(model: ModelConfig, name: str, words: str, before: Quantity, after: Quantity) -> Quantity:
    return computed(
        1 - after.value / before.value,
        "",
        f"1 − {after.short()} / {before.short()}",
        (after, before),
        name=f"{words}, {model.title}",
        key=f"{model.key}.{name}",
    )


def _gqa_groups(model: ModelConfig) -> Quantity:
    """How many KV heads GQA could have for MLA's cache: (d_c + d_rope) / 2 d_h (V2 report, section 2.1.4)."""
    words = "key-value heads of GQA with the same cache"
    own, one = caching.values_per_layer(model, "mla"), caching.values_per_layer(model, "mqa")
    return ratio(model, "mla_as_gqa_groups", words, own, one, "")


def _generation(model: ModelConfig, name: str, measure: Callable[[ModelConfig], Quantity]) -> Quantity:
    return ratio(model, name, "cache a token of DeepSeek 67B against this", measure(config("ds67b")), measure(model))


def _against_v3_2(model: ModelConfig) -> Quantity:
    before = caching.bytes_per_token(config("v3_2"))
    return ratio(model, "kv_vs_v3_2", "V3.2's cache a token against this", before, caching.bytes_per_token(model))


def _precision(model: ModelConfig) -> Quantity:
    words = "what the cache's number format alone saves"
    return ratio(model, "kv_precision_gain", words, caching.bytes_per_token_bf16(model), caching.bytes_per_token(model))


def _cut(model: ModelConfig, name: str, measure: Number) -> Quantity | None:
    after = measure(model)
    if after is None:
        return None
    return _less(
        model, name, "cache a token saved against DeepSeek 67B", caching.bytes_per_token(config("ds67b")), after
    )


# ---------------------------------------------------------------------- FLOPs
def _flops(model: ModelConfig) -> Iterator[tuple[str, Number]]:
    yield "flops_per_token", _weights_flops
    if model.key != "v4_1_flash":  # how often its layers look back is not itemised in what could be read
        for length in LENGTHS:
            yield f"flops_per_token_{length}", partial(counting.forward_flops, keys=tokens(length))
        yield "train_flops_per_token_4k", partial(counting.training_flops, sequence=tokens("4k"))
    if "training_tokens" in model.sizes:
        yield "train_flops_6nd", _six_n_d
    if model.key in ("v4_flash", "v4_pro"):
        yield "flops_1m_vs_v3_2", partial(_flops_against_v3_2, measure=counting.forward_flops)
        yield "equivalent_flops_1m_vs_v3_2", partial(_flops_against_v3_2, measure=counting.equivalent_flops)


def _flops_against_v3_2(model: ModelConfig, measure: Callable[[ModelConfig, Quantity], Quantity]) -> Quantity:
    own, other = (measure(m, tokens("1m")) for m in (model, config("v3_2")))
    return ratio(model, "flops_1m_vs_v3_2", "FLOPs a token at 1M tokens against V3.2", own, other, "")


def _weights_flops(model: ModelConfig) -> Quantity:
    active = counting.active_params(model)
    return computed(
        2 * active.value,
        "FLOP/token",
        "2 × active_params",
        (constant(2, "FLOPs of a multiply-add"), active),
        name=f"FLOPs of one token through the weights, {model.title}",
        key=f"{model.key}.flops_per_token",
    )


def _six_n_d(model: ModelConfig) -> Quantity:
    """Training compute by the rule 6·N·D, attention left out."""
    active, seen = counting.active_params(model), model.size("training_tokens")
    return computed(
        6 * active.value * seen.value,
        "FLOP",
        "6 × active_params × training_tokens",
        (active, seen),
        name=f"training compute, 6·N·D, {model.title}",
        key=f"{model.key}.train_flops_6nd",
    )
