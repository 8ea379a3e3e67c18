"""Runs about the cache of keys and values: counted from published sizes, nothing simulated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explainers import caching, configs
from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.roofline import chip
from explainers.sizes import GENERATIONS, LatentAttention, ModelConfig
from explainers.traces import NamedArray, Trace

#: The models of the comparison chart, most cached bytes first.
NAMED_MODELS = ("llama_405b", "ds67b", "qwen_72b", "qwen3_235b", "llama_8b", "v3", "v2", "v3_2", "v4_pro", "v4_1_flash")
LENGTHS = ("4k", "128k", "1m")


def kv_generations() -> Trace:
    """Bytes of cache a token in six generations of DeepSeek, with architecture and number format told apart.

    Arrays (axis ``generation``): ``bytes_per_token`` as served, ``bytes_bf16`` with every value in BF16,
    ``total_gain``, ``architecture_gain`` and ``precision_gain`` against DeepSeek 67B (the first is their product).
    """
    served = [configs.quantity(f"{key}.kv_bytes_per_token") for key in GENERATIONS]
    plain = [configs.quantity(f"{key}.kv_bytes_per_token_bf16") for key in GENERATIONS]
    total = [configs.quantity(f"{key}.kv_vs_67b") for key in GENERATIONS]
    architecture = [configs.quantity(f"{key}.kv_vs_67b_bf16") for key in GENERATIONS]
    precision = [configs.quantity(f"{key}.kv_precision_gain") for key in GENERATIONS]
    labels = [configs.config(key).title for key in GENERATIONS]
    arrays = {
        "bytes_per_token": _over("generation", labels, served),
        "bytes_bf16": _over("generation", labels, plain),
        "total_gain": _over("generation", labels, total),
        "architecture_gain": _over("generation", labels, architecture),
        "precision_gain": _over("generation", labels, precision),
    }
    numbers = dict(zip(GENERATIONS, served, strict=True))
    numbers |= {f"{key}_bf16": quantity for key, quantity in zip(GENERATIONS, plain, strict=True)}
    numbers |= {f"{key}_architecture_gain": quantity for key, quantity in zip(GENERATIONS, architecture, strict=True)}
    numbers |= {f"{key}_precision_gain": quantity for key, quantity in zip(GENERATIONS, precision, strict=True)}
    numbers["first_to_last"] = total[-1]
    numbers["v2_deployed"] = configs.quantity("v2.kv_bytes_per_token_deployed")
    meta = {
        "note": "bytes a further token adds to a long context; the windows of V4 have stopped growing and are left out",
        "v2": "V2 is shown in BF16; DeepSeek served it with about 6 bits a value (v2_deployed)",
    }
    return Trace("kv_generations", arrays, numbers, {}, meta=meta)


def kv_attentions(*, model: str = "v3", gpu: str = "h800") -> Trace:
    """Cache of four kinds of attention with one model's heads, and of named models, beside one GPU's memory.

    Arrays: ``bytes_per_token`` and ``values_per_layer`` (attention), ``cache`` and ``memory_share``
    (attention, length), ``tokens_in_memory`` (attention), ``length`` (length), ``model_bytes_per_token`` (model),
    ``model_cache`` (model, length). Everything imagined is BF16; named models are as served.
    """
    config = configs.config(model)
    if not isinstance(config.attention, LatentAttention):
        raise ExplainError(f"{config.title} has no MLA to compare; choose v2_lite, v2, v3 or kimi_k2")
    kinds = {"mha": "MHA", "gqa8": "GQA-8", "mqa": "MQA", "mla": "MLA", "uncompressed": "MLA written out"}
    lengths = [configs.tokens(name) for name in LENGTHS]
    each = [caching.bytes_per_token(config, kind) for kind in kinds]
    cache = [[caching.cache_bytes(config, kind, name) for name in LENGTHS] for kind in kinds]
    memory = chip(gpu).memory
    fit = [_tokens_in(memory, quantity, config) for quantity in each]
    shares = [[_share(quantity, memory) for quantity in row] for row in cache]
    axes = {"attention": tuple(kinds.values()), "length": tuple(name.upper() for name in LENGTHS)}
    models = {key: configs.config(key).title for key in NAMED_MODELS}
    arrays = {
        "bytes_per_token": _over("attention", axes["attention"], each),
        "values_per_layer": _over("attention", axes["attention"], [caching.values_per_layer(config, k) for k in kinds]),
        "cache": _grid(("attention", "length"), axes, cache),
        "memory_share": _grid(("attention", "length"), axes, shares),
        "tokens_in_memory": _over("attention", axes["attention"], fit),
        "length": _over("length", axes["length"], lengths),
        "model_bytes_per_token": _over("model", models.values(), [_own(key) for key in models]),
        "model_cache": _grid(
            ("model", "length"),
            {"model": tuple(models.values()), "length": axes["length"]},
            [[caching.cache_bytes(key, "own", name) for name in LENGTHS] for key in models],
        ),
    }
    numbers: dict[str, Quantity] = {"gpu_memory": memory}
    for index, kind in enumerate(kinds):
        numbers |= {kind: each[index], f"tokens_in_memory_{kind}": fit[index]}
        numbers |= {f"{kind}_{name}": cache[index][at] for at, name in enumerate(LENGTHS)}
        numbers |= {f"memory_share_{kind}_{name}": shares[index][at] for at, name in enumerate(LENGTHS)}
    numbers |= {f"mla_vs_{k}": configs.quantity(f"{model}.mla_vs_{k}") for k in kinds if k != "mla"}
    meta = {"note": "weights are left out of the memory beside which the caches are shown"}
    return Trace("kv_attentions", arrays, numbers, {"model": model, "gpu": gpu}, meta=meta)


def absorption_counts(*, model: str = "v3") -> Trace:
    """FLOPs and bytes of one decoding step of one layer in three orders of multiplication, by context length.

    ``keys and values kept`` keeps every head's; ``expanded anew`` keeps the latent and multiplies it out each step;
    ``absorbed`` multiplies the query and the output instead. Arrays (order, length): ``flops``, ``bytes``,
    ``cache_bytes``, ``intensity``; ``length`` (length); ``pair_flops`` (order): of one query and one key in prefill.
    """
    from explainers.decode_costs import mla_decode_cost

    sizes, config = mla_sizes(model), configs.config(model)
    ways = {"full_cache": "keys and values kept", "reexpanding": "expanded anew", "absorbed": "absorbed"}
    lengths = [2**power for power in range(7, 21)]
    costs = [[mla_decode_cost(sizes, length, way) for length in lengths] for way in ways]
    labels = {"order": tuple(ways.values()), "length": tuple(f"{length:,}" for length in lengths)}

    def grid(name: str, unit: str) -> NamedArray:
        values = np.array([[getattr(cost, name) for cost in row] for row in costs], dtype=np.float64)
        return NamedArray(values, ("order", "length"), unit=unit, labels=labels)

    heads, expanded = sizes.n_heads, sizes.qk_head_dim + sizes.v_head_dim
    pair = [2 * heads * width for width in (expanded, expanded, 2 * sizes.kv_lora_rank + sizes.qk_rope_head_dim)]
    arrays = {
        "flops": grid("flops", "FLOP"),
        "bytes": grid("bytes", "B"),
        "cache_bytes": grid("cache_bytes", "B"),
        "intensity": grid("intensity", "FLOP/B"),
        "length": NamedArray(np.array(lengths), ("length",), unit="token", labels=labels),
        "pair_flops": NamedArray(np.array(pair), ("order",), unit="FLOP", labels=labels),
    }
    numbers = _absorption_numbers(config, arrays, list(ways), lengths)
    meta = {"note": "one layer, one new token, BF16; softmax, norms and rotations left out"}
    return Trace("absorption_counts", arrays, numbers, {"model": model}, meta=meta)


def _absorption_numbers(
    config: ModelConfig, arrays: Mapping[str, NamedArray], ways: list[str], lengths: list[int]
) -> dict[str, Quantity]:
    sizes = [config.size(n) for n in ("heads", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")]
    found: dict[str, Quantity] = {}
    for name, length in (("4k", 4096), ("32k", 32768), ("128k", 131072)):
        at = lengths.index(length)
        for order, way in enumerate(ways):
            for what in ("flops", "bytes"):
                array = arrays[what]
                words = f"{what} of one step of one layer at {name.upper()}, {array.labels['order'][order]}"
                value = float(array.values[order, at])
                found[f"{way}_{what}_{name}"] = computed(value, array.unit, "counted", sizes, name=words)
        for what in ("flops", "bytes"):
            for way in ("reexpanding", "full_cache"):
                above, below = found[f"{way}_{what}_{name}"], found[f"absorbed_{what}_{name}"]
                words = f"{what} against the absorbed order at {name.upper()}"
                formula = f"{above.short()} / {below.short()}"
                value = above.value / below.value
                found[f"{way}_{what}_ratio_{name}"] = computed(value, "×", formula, (above, below), name=words)
    pair = arrays["pair_flops"].values
    words = "FLOPs of a query and a key in prefill, absorbed against written out"
    found["prefill_flops_ratio"] = computed(
        float(pair[2] / pair[0]), "×", "(2·d_c + d_rope) / (d_qk + d_v)", sizes, name=words
    )
    return found


def mla_sizes(model: str) -> Any:
    """The sizes of a model's MLA layer as `explainers.mla.MLAConfig` (imports torch)."""
    from explainers.mla import MLAConfig

    config = configs.config(model)
    kind = config.attention
    if not isinstance(kind, LatentAttention):
        raise ExplainError(f"{config.title} has no MLA; choose v2_lite, v2, v3 or kimi_k2")
    return MLAConfig(
        config.hidden,
        kind.heads,
        kind.kv_lora_rank,
        kind.qk_nope_head_dim,
        kind.qk_rope_head_dim,
        kind.v_head_dim,
        kind.q_lora_rank or None,
    )


def _own(key: str) -> Quantity:
    return configs.quantity(f"{key}.kv_bytes_per_token")


def _tokens_in(memory: Quantity, each: Quantity, config: ModelConfig) -> Quantity:
    value = int(memory.value // each.value)
    return computed(
        value,
        "token",
        "gpu memory / bytes a token",
        (memory, each),
        name=f"tokens whose cache fills one GPU, {config.title}",
    )


def _share(cache: Quantity, memory: Quantity) -> Quantity:
    return computed(
        cache.value / memory.value, "", "cache / gpu memory", (cache, memory), name=f"{cache.name}, in GPUs"
    )


def _over(axis: str, labels: Any, quantities: list[Quantity]) -> NamedArray:
    values = np.array([quantity.value for quantity in quantities], dtype=np.float64)
    return NamedArray(values, (axis,), unit=quantities[0].unit, labels={axis: tuple(labels)})


def _grid(axes: tuple[str, ...], labels: Mapping[str, tuple[str, ...]], rows: list[list[Quantity]]) -> NamedArray:
    values = np.array([[quantity.value for quantity in row] for row in rows], dtype=np.float64)
    return NamedArray(values, axes, unit=rows[0][0].unit, labels=dict(labels))
