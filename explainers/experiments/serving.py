"""Runs about reading caches and serving tokens: rooflines of real chips, and the serving *model*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explainers import caching, configs, facts, serving
from explainers.deployments import Deployment
from explainers.errors import ExplainError
from explainers.experiments.caches import mla_sizes
from explainers.quantities import Quantity, computed, constant
from explainers.roofline import Chip, attainable, chip
from explainers.serving_day import reproduce_day
from explainers.traces import NamedArray, Trace

#: One attention step of one layer: name of the point → what is cached and how it is multiplied.
KINDS = {
    "mha": "MHA",
    "gqa8": "GQA-8",
    "mqa": "MQA",
    "mla_written_out": "MLA, keys and values kept",
    "mla_expanded": "MLA, expanded anew",
    "mla_absorbed": "MLA, absorbed",
}
MOE_BATCHES = (1, 8, 32, 128, 512, 2048, 8192, 32768)


def roofline_decode(
    *, model: str = "v3", context: int = 4096, queries: int = 1, gpus: str = "a100 h100 h800 h200"
) -> Trace:
    """Where decoding sits under the rooflines of real chips: attention of six kinds, and the experts by batch.

    Counted for one layer: bytes read from memory and FLOPs, BF16 for attention, FP8 for experts.
    Attention (scores, weighted sum, and what has to be multiplied for every cached token) depends on neither
    batch nor, beyond small lengths, context: each user reads a cache of their own. ``queries`` tokens decoded at
    once (2 with one drafted token) share one read; ``gpus`` names chips of `roofline.CHIPS`.

    Arrays: ``intensity`` (sample) and ``attainable`` (chip, sample) for the lines; ``peak``, ``bandwidth``, ``ridge``
    (chip); ``point_flops``, ``point_bytes``, ``point_intensity`` (point); ``point_attainable``, ``point_seconds``,
    ``point_share`` of the peak and ``point_memory_bound`` (chip, point); the same with ``moe_`` over batch.
    """
    chips = [chip(key) for key in gpus.split()]
    if not chips:
        raise ExplainError('no chip for the roofline; write gpus="h800 h200"')
    samples = np.logspace(-1, 4, 101)
    flops, moved = _attention_points(model, context, queries)
    intensity = flops / moved
    moe_flops, moe_bytes = _expert_points(model)
    names = {"chip": tuple(c.title for c in chips)}
    arrays = {
        "intensity": NamedArray(samples, ("sample",), unit="FLOP/B"),
        "attainable": NamedArray(_lines(chips, samples), ("chip", "sample"), unit="FLOP/s", labels=names),
        "peak": NamedArray(np.array([c.bf16.value for c in chips]), ("chip",), unit="FLOP/s", labels=names),
        "bandwidth": NamedArray(np.array([c.bandwidth.value for c in chips]), ("chip",), unit="B/s", labels=names),
        "ridge": NamedArray(np.array([c.ridge().value for c in chips]), ("chip",), unit="FLOP/B", labels=names),
    }
    arrays |= _under(chips, "point", "point", tuple(KINDS.values()), flops, moved, "bf16")
    fp8 = [c for c in chips if c.fp8 is not None]
    batches = tuple(f"{b:,}" for b in MOE_BATCHES)
    arrays |= _under(fp8, "moe", "batch", batches, moe_flops, moe_bytes, "fp8")
    arrays["moe_batch"] = NamedArray(np.array(MOE_BATCHES), ("batch",), unit="token", labels={"batch": batches})
    sizes = [configs.quantity(f"{model}.{n}") for n in ("heads", "kv_lora_rank", "qk_rope_head_dim", "v_head_dim")]
    numbers = _roofline_numbers(chips, sizes, intensity)
    params = {"model": model, "context": context, "queries": queries, "gpus": gpus}
    meta = {
        "note": "one layer; every cached token is read once for each step; weights and softmax are not in the points"
    }
    return Trace("roofline_decode", arrays, numbers, params, meta=meta)


def _attention_points(model: str, context: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """FLOPs and bytes of attention in one layer for one sequence, in the order of `KINDS`."""
    from explainers.attention import AttentionConfig
    from explainers.decode_costs import attention_decode_cost, mla_decode_cost

    mla = mla_sizes(model)
    costs = [
        attention_decode_cost(AttentionConfig(mla.hidden_size, mla.n_heads, kv, mla.v_head_dim), context)
        for kv in (mla.n_heads, min(8, mla.n_heads), 1)
    ]
    costs += [mla_decode_cost(mla, context, way) for way in ("full_cache", "reexpanding", "absorbed")]
    # Expanding is shared by the queries of one step; scores and sums are not. Weights belong to the batch, not here.
    expanding = [0, 0, 0, 0, costs[4].expansion_flops, 0]
    flops = [queries * c.attention_flops + extra for c, extra in zip(costs, expanding, strict=True)]
    return np.array(flops, dtype=np.float64), np.array(
        [c.cache_bytes + c.scratch_bytes for c in costs], dtype=np.float64
    )


def _expert_points(model: str) -> tuple[np.ndarray, np.ndarray]:
    """FLOPs and FP8 bytes of one layer's routed experts for a batch, each expert chosen alike."""
    ffn = configs.config(model).ffn
    expert = configs.quantity(f"{model}.expert_params").value
    batch = np.array(MOE_BATCHES, dtype=np.float64)
    chosen = ffn.routed_experts * (1 - (1 - ffn.experts_per_token / ffn.routed_experts) ** batch)
    return 2.0 * expert * ffn.experts_per_token * batch, expert * chosen


def _lines(chips: Sequence[Chip], samples: np.ndarray) -> np.ndarray:
    return np.stack([attainable(samples, float(c.bf16), float(c.bandwidth)) for c in chips])


def _under(
    chips: Sequence[Chip],
    prefix: str,
    axis: str,
    labels: tuple[str, ...],
    flops: np.ndarray,
    moved: np.ndarray,
    precision: str,
) -> dict[str, NamedArray]:
    """Points under the chips' rooflines."""
    intensity = flops / moved
    reached = np.stack([attainable(intensity, float(c.peak(precision)), float(c.bandwidth)) for c in chips])
    peaks = np.array([[float(c.peak(precision))] for c in chips])
    waiting = np.stack([intensity < c.ridge(precision).value for c in chips])
    both = {axis: labels, "chip": tuple(c.title for c in chips)}
    return {
        f"{prefix}_flops": NamedArray(flops, (axis,), unit="FLOP", labels=both),
        f"{prefix}_bytes": NamedArray(moved, (axis,), unit="B", labels=both),
        f"{prefix}_intensity": NamedArray(intensity, (axis,), unit="FLOP/B", labels=both),
        f"{prefix}_attainable": NamedArray(reached, ("chip", axis), unit="FLOP/s", labels=both),
        f"{prefix}_seconds": NamedArray(flops / reached, ("chip", axis), unit="s", labels=both),
        f"{prefix}_share": NamedArray(reached / peaks, ("chip", axis), labels=both),
        f"{prefix}_memory_bound": NamedArray(waiting, ("chip", axis), labels=both),
    }


def _roofline_numbers(chips: Sequence[Chip], sizes: list[Quantity], intensity: np.ndarray) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for c in chips:
        found |= {f"ridge_{c.key}": c.ridge(), f"peak_{c.key}": c.bf16, f"bandwidth_{c.key}": c.bandwidth}
    for key, words, value in zip(KINDS, KINDS.values(), intensity, strict=True):
        point = computed(
            float(value), "FLOP/B", "FLOPs / bytes of one layer", sizes, name=f"intensity of decoding, {words}"
        )
        found[f"intensity_{key}"] = point
        for c in chips:
            share = min(1.0, point.value / c.ridge().value)
            found[f"share_{key}_{c.key}"] = computed(
                share,
                "",
                "intensity / ridge, at most 1",
                (point, c.ridge()),
                name=f"share of {c.title}'s BF16 peak, {words}",
            )
    return found


# ---------------------------------------------------------------------- the serving model
CONTEXTS = (1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
LEVERS = (
    ("dense, MHA", {"feed_forward": "dense", "attention": "mha"}),
    ("dense, MLA", {"feed_forward": "dense", "attention": "mla"}),
    ("MoE, MHA", {"attention": "mha"}),
    ("MoE, GQA-8", {"attention": "gqa8"}),
    ("MoE, MLA", {"attention": "mla"}),
    ("MoE, MLA, FP8 cache", {"attention": "mla", "cache_width": 1.0}),
)


def serving_model(
    *,
    model: str = "v3",
    gpu: str = "h800",
    gpus: int = 144,
    price: float = 2.0,
    slowest: float = 20.0,
    context: int = 4096,
) -> Trace:
    """The serving *model*: tokens a second and dollars a million tokens against batch, context and attention.

    ``price`` in USD a GPU hour, ``slowest`` the least tokens a second a user accepts,
    ``context`` the tokens at which the levers are compared. Speeds are multiplied by the
    utilisation that DeepSeek's published day shows in decoding (run ``serving_day``).

    Arrays: ``batch`` (batch), ``context`` (context), ``user_speed``, ``gpu_speed``, ``cost`` (batch, context; 0 where
    the caches do not fit); ``best_batch``, ``best_speed``, ``best_cost`` (attention, context; 0 where not even
    one sequence fits); ``lever_cost``, ``lever_batch``, ``lever_speed`` (lever).
    """
    utilisation = reproduce_day().numbers["decode_utilisation"]
    base = Deployment(model, gpu, gpus)
    batches, contexts = 2.0 ** np.arange(0, 10), np.array(CONTEXTS, dtype=np.float64)
    speed = serving.decode_speed(base, batches[:, None], contexts[None, :], utilisation.value)
    fits = batches[:, None] <= serving.largest_batch(base, contexts)[None, :]
    labels = {"batch": tuple(f"{int(b):,}" for b in batches), "context": tuple(f"{c:,}" for c in CONTEXTS)}
    axes = ("batch", "context")
    arrays = {
        "batch": NamedArray(batches, ("batch",), unit="", labels=labels),
        "context": NamedArray(contexts, ("context",), unit="token", labels=labels),
        "user_speed": NamedArray(np.where(fits, speed / batches[:, None], 0), axes, unit="token/s", labels=labels),
        "gpu_speed": NamedArray(np.where(fits, speed, 0), axes, unit="token/s", labels=labels),
        "cost": NamedArray(
            np.where(fits, serving.cost_per_million(speed, price), 0), axes, unit="USD/million tokens", labels=labels
        ),
    }
    kinds = ("mha", "gqa8", "mqa", "mla") if caching.has_attention(base.config, "mla") else ("own",)
    arrays |= _best(base, kinds, price, slowest, utilisation.value, labels)
    fitting = {kind: 8 * serving.largest_batch(serving.variant(base, attention=kind), contexts) for kind in kinds}
    arrays["users_per_node"] = NamedArray(
        np.stack(list(fitting.values())), ("attention", "context"), unit="user", labels=arrays["best_cost"].labels
    )
    numbers, lever_arrays = _levers(base, context, price, slowest, utilisation) if "mla" in kinds else ({}, {})
    numbers |= _users(base, fitting)
    numbers |= {"utilisation": utilisation, "price": constant(price, "USD a GPU hour")}
    params = {"model": model, "gpu": gpu, "gpus": gpus, "price": price, "slowest": slowest, "context": context}
    meta = {"assumptions": list(serving.ASSUMPTIONS), "left_out": list(serving.LEFT_OUT)}
    return Trace("serving", arrays | lever_arrays, numbers, params, meta=meta)


def _best(
    base: Deployment,
    kinds: Sequence[str],
    price: float,
    slowest: float,
    utilisation: float,
    labels: dict[str, tuple[str, ...]],
) -> dict[str, NamedArray]:
    best = np.zeros((3, len(kinds), len(CONTEXTS)))
    for row, kind in enumerate(kinds):
        for column, context in enumerate(CONTEXTS):
            best[:, row, column] = _operate(serving.variant(base, attention=kind), context, price, slowest, utilisation)
    names = {"attention": tuple(kind.upper().replace("GQA8", "GQA-8") for kind in kinds), "context": labels["context"]}
    units = {"best_batch": "", "best_speed": "token/s", "best_cost": "USD/million tokens"}
    axes = ("attention", "context")
    return {key: NamedArray(best[i], axes, unit=unit, labels=names) for i, (key, unit) in enumerate(units.items())}


def _users(base: Deployment, fitting: dict[str, np.ndarray]) -> dict[str, Quantity]:
    found = {}
    for kind, users in fitting.items():
        each = caching.bytes_per_token(base.config, kind)
        for name, context in (("4k", 4096), ("32k", 32768), ("128k", 131072)):
            found[f"users_{kind}_{name}"] = computed(
                int(users[CONTEXTS.index(context)]),
                "user",
                "8 × (memory less a tenth − weights of one GPU) / (bytes a token × context)",
                (base.chip.memory, each, configs.tokens(name)),
                name=f"sequences of {name.upper()} tokens that fit on a node of eight GPUs, {kind.upper()}",
            )
    return found


def _operate(
    deployment: Deployment, context: float, price: float, slowest: float, utilisation: float
) -> tuple[float, float, float]:
    """(batch, tokens/s of a GPU, USD a million tokens) where the deployment works best; zeros where it cannot."""
    batch = serving.best_batch(deployment, context, slowest, utilisation)
    if not batch:
        return 0.0, 0.0, 0.0
    speed = float(serving.decode_speed(deployment, batch, context, utilisation))
    return batch, speed, float(serving.cost_per_million(speed, price))


def _levers(
    base: Deployment, context: int, price: float, slowest: float, utilisation: Quantity
) -> tuple[dict[str, Quantity], dict[str, NamedArray]]:
    """The course's levers one by one, at one length of context."""
    results = np.array(
        [
            _operate(serving.variant(base, **changes), context, price, slowest, utilisation.value)
            for _, changes in LEVERS
        ]
    )
    names = {"lever": tuple(words for words, _ in LEVERS)}
    inputs = (utilisation, base.chip.memory, base.chip.bandwidth)
    numbers = {}
    for (words, _), (batch, speed, cost) in zip(LEVERS, results, strict=True):
        key = words.lower().replace(", ", "_").replace(" ", "_").replace("-", "")
        if batch:
            numbers[f"cost_{key}"] = computed(
                cost, "USD/million tokens", "price / modelled speed", inputs, name=f"modelled cost of output, {words}"
            )
            numbers[f"speed_{key}"] = computed(
                speed, "token/s", "model", inputs, name=f"modelled speed of a GPU, {words}"
            )
        numbers[f"batch_{key}"] = computed(batch, "", "model", inputs, name=f"sequences a GPU decodes at once, {words}")
    units = {"lever_batch": "", "lever_speed": "token/s", "lever_cost": "USD/million tokens"}
    return numbers, {
        key: NamedArray(results[:, i], ("lever",), unit=unit, labels=names)
        for i, (key, unit) in enumerate(units.items())
    }


def serving_day() -> Trace:
    """DeepSeek's published serving day recounted: nodes and dollars from the published speeds and from the model.

    Arrays (axis ``account``: published, from the published speeds, least by the model): ``nodes``, ``cost``;
    ``phase_nodes`` (account, phase) for the last two; ``step_parts`` (part) in seconds of one modelled decoding step.
    """
    day = reproduce_day()
    numbers, published = day.numbers, day.published
    accounts = {"account": ("published", "from published speeds", "least by the model")}
    recounted = {"account": accounts["account"][1:], "phase": ("decode", "prefill")}
    nodes = [published["average_nodes"], numbers["nodes"], numbers["model_nodes"]]
    cost = [published["cost"], numbers["cost"], numbers["model_cost"]]
    phases = [[numbers[f"{way}{phase}_nodes"].value for phase in recounted["phase"]] for way in ("", "model_")]
    step = serving.decode_step(Deployment(), numbers["batch"].value, published["average_kv_length"].value)
    parts = {
        "weights": step.weights,
        "matrix products": step.matmul,
        "attention": step.attention,
        "network": step.network,
    }
    arrays = {
        "nodes": NamedArray(np.array([q.value for q in nodes]), ("account",), unit="node", labels=accounts),
        "cost": NamedArray(np.array([q.value for q in cost]), ("account",), unit="USD", labels=accounts),
        "phase_nodes": NamedArray(np.array(phases), ("account", "phase"), unit="node", labels=recounted),
        "step_parts": NamedArray(
            np.array([float(v) for v in parts.values()]), ("part",), unit="s", labels={"part": tuple(parts)}
        ),
    }
    shown = {
        f"published_{name}": published[name] for name in ("average_nodes", "cost", "input_tokens", "output_tokens")
    }
    meta = {
        "assumptions": [*serving.ASSUMPTIONS, "prompts as long as the published mean cache of 4,989 tokens"],
        "left_out": list(serving.LEFT_OUT),
        "error": "from the published speeds, nodes and cost come within 0.1 %; the model alone is a lower bound",
    }
    return Trace("serving_day", arrays, numbers | shown, {}, meta=meta)


def position_cost() -> Trace:
    """What a token costs by its place in the sequence, dense MLA (V3.1 has V3's sizes) against V3.2's sparse attention.

    The serving model with published kernel speeds, at full utilisation, beside DeepSeek's plot (H800 at $2 an hour).
    Arrays: ``position`` (position); ``prefill``, ``decode`` (model, position) in USD a million tokens;
    ``published`` (phase, model, end), read off DeepSeek's figure at its start and at 128K.
    """
    positions = np.array([1, *range(1024, 131072 + 1, 1024)], dtype=np.float64)
    batch = reproduce_day().numbers["batch"]
    models = {"v3": "DeepSeek-V3.1", "v3_2": "DeepSeek-V3.2"}
    figure = facts.entry("inference.dsa_cost")
    labels = {"model": tuple(models.values()), "phase": ("prefill", "decode"), "end": ("start", "128K")}
    arrays = {"position": NamedArray(positions, ("position",), unit="token")}
    numbers: dict[str, Quantity] = {}
    for phase, gpus in (("prefill", 32), ("decode", 144)):
        rows = [
            serving.position_cost(
                Deployment(key, "h800", gpus), positions, batch=batch.value, prefill=phase == "prefill"
            )
            for key in models
        ]
        arrays[phase] = NamedArray(np.stack(rows), ("model", "position"), unit="USD/million tokens", labels=labels)
        for key, row in zip(models, rows, strict=True):
            published = figure.quantity(f"{phase}_{'v3_1' if key == 'v3' else key}_128k")
            name = f"modelled {phase} cost at 128K, {models[key]}"
            inputs = (batch, configs.quantity(f"{key}.kv_bytes_per_token"), configs.quantity(f"{key}.active_params"))
            modelled = computed(float(row[-1]), "USD/million tokens", "serving model", inputs, name=name)
            numbers |= {f"{phase}_{key}_128k": modelled, f"published_{phase}_{key}_128k": published}
        dense, sparse = (numbers[f"{phase}_{key}_128k"] for key in models)
        numbers[f"{phase}_gain_128k"] = (dense / sparse).named(
            f"dense against sparse attention at 128K, {phase}", unit="×"
        )
    values = [
        [[figure.quantity(f"{phase}_{key}_{end}").value for end in ("start", "128k")] for key in ("v3_1", "v3_2")]
        for phase in labels["phase"]
    ]
    arrays["published"] = NamedArray(
        np.array(values), ("phase", "model", "end"), unit="USD/million tokens", labels=labels
    )
    meta = {
        "note": "published values are read off a figure; the model leaves out V3.2's choosing of keys and all overhead",
        "assumptions": list(serving.ASSUMPTIONS),
        "left_out": list(serving.LEFT_OUT),
    }
    return Trace("position_cost", arrays, numbers, {}, meta=meta)
