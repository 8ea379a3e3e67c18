"""Runs that weigh sparse against dense: the same race at two sizes, one quality at two prices, and V3's ledger."""

from __future__ import annotations

import numpy as np

from explainers import caching, configs, facts, runs, serving
from explainers.deployments import Deployment, load
from explainers.experiments.serving import CONTEXTS
from explainers.quantities import Quantity, computed
from explainers.serving_day import reproduce_day
from explainers.traces import NamedArray, Trace

RACES = ("here", "DeepSeekMoE's paper")
RACERS = ("dense, as much at work", "sparse", "dense, all at work")


def times(one: Quantity, other: Quantity, name: str) -> Quantity:
    """A ratio in × that says what it compares."""
    return computed(one.value / other.value, "×", f"{one.short()} / {other.short()}", (one, other), name=name)


# ---------------------------------------------------------------------- one race at two sizes
def same_race() -> Trace:
    """Sparse between two dense models, here (record ``dense_sparse``) and in DeepSeekMoE's paper (its tables 1 and 2).

    The small dense model does about as much arithmetic for a token as the sparse one, the large one has as many
    parameters and uses them all. ``way`` is how far the sparse model has come from the small towards the large one:
    (small − sparse) / (small − large); below zero it is behind the small one.

    Arrays: ``loss`` (race, racer) in nat/token, ``way`` (race).
    """
    ours, paper = runs.get("dense_sparse"), facts.entry("training.moe_2b_vs_dense")
    end = ours["loss"].values[:, :, -1].astype(float)  # (kind, seed)
    sparse, small, large = end[0], end[1], end[2]
    ways = (small - sparse) / (small - large)
    mine = [ours.quantity(f"loss_{name}") for name in ("dense_active", "sparse", "dense_total")]
    theirs = [paper.quantity(f"{row}.loss") for row in ("dense", "moe", "dense_16")]
    switch = paper.quantity("switch.loss")
    numbers = {f"{race}_{racer}": each for race, group in (("here", mine), ("paper", theirs)) for racer, each in zip(
        ("small", "sparse", "large"), group, strict=True)}  # fmt: skip
    spread = float(ways.std(ddof=1)) if len(ways) > 1 else None
    words = "share of the way from the small dense model to the large one"
    numbers["way_here"] = computed(
        float(ways.mean()), "", "(small − sparse) / (small − large), mean of seeds", mine, name=f"{words}, here",
        spread=spread,
    )  # fmt: skip
    numbers["way_paper"] = _way(theirs, words)
    numbers["way_switch"] = _way([theirs[0], switch, theirs[2]], f"{words}, at exactly equal FLOPs (Switch)")
    numbers["behind"] = computed(
        -ours.quantity("gain_at_equal_active").value, "nat/token", "loss of sparse − loss of dense, equal active",
        (ours.quantity("gain_at_equal_active"),), name="how far the sparse model is behind",
        spread=ours.quantity("gain_at_equal_active").spread,
    )  # fmt: skip
    tokens = computed(int(ours["tokens"].values[0, -1]), "token", "steps × rows × length", name="tokens read here")
    read = paper.quantity("published_training_tokens")
    numbers |= {"tokens_here": tokens, "tokens_paper": read, "tokens_ratio": times(read, tokens, "tokens, paper's")}
    numbers["work_ratio_here"] = computed(
        float(ours["flops"].values[2, -1] / ours["flops"].values[0, -1]), "×", "training FLOPs, large dense / sparse",
        name="training FLOPs of the large dense model against the sparse one, here",
    )  # fmt: skip
    numbers["small_work_here"] = computed(
        float(ours["flops"].values[1, -1] / ours["flops"].values[0, -1]),
        "×",
        "training FLOPs, small dense / sparse",
        name="training FLOPs of the small dense model against the sparse one, here",
    )
    numbers["small_work_paper"] = times(
        paper.quantity("dense.flops"), paper.quantity("moe.flops"), "FLOPs of the small dense model, paper's"
    )
    numbers["work_ratio_paper"] = times(
        paper.quantity("dense_16.flops"), paper.quantity("moe.flops"), "FLOPs of the large dense model, paper's"
    )
    labels = {"race": RACES, "racer": RACERS}
    losses = np.array([[float(each) for each in group] for group in (mine, theirs)])
    arrays = {
        "loss": NamedArray(losses, ("race", "racer"), unit="nat/token", labels=labels),
        "way": NamedArray(
            np.array([float(numbers["way_here"]), float(numbers["way_paper"])]), ("race",), labels=labels
        ),
    }
    note = "texts, tokens and tokenizers of the two races differ: only positions within one race can be compared"
    return Trace("same_race", arrays, numbers, {}, meta={"note": note})


def _way(losses: list[Quantity], name: str) -> Quantity:
    small, sparse, large = (each.value for each in losses)
    return computed((small - sparse) / (small - large), "", "(small − sparse) / (small − large)", losses, name=name)


# ---------------------------------------------------------------------- one quality, two prices
def same_quality(*, gpu: str = "h800", context: int = 4096, price: float = 2.0, slowest: float = 20.0) -> Trace:
    """DeepSeekMoE 16B against DeepSeek 7B, two models that its paper finds comparable: what each asks for.

    FLOPs are the paper's; weights and cache are counted from the sizes; speeds and money are the serving model's
    (`explainers.serving`) with one GPU a model, FP8 weights and BF16 caches for both, at V3's published utilisation.
    ``alone`` is one user on the GPU; else as many as fit and still get ``slowest`` tokens a second.

    Arrays: ``ratio`` (measure), sparse over dense.
    """
    keys = {"dense": "ds7b", "moe": "moe16b"}
    paper = facts.entry("training.moe_16b_vs_7b")
    numbers: dict[str, Quantity] = {}
    for short, key in keys.items():
        numbers |= {
            f"weights_{short}": configs.quantity(f"{key}.total_params"),
            f"active_{short}": configs.quantity(f"{key}.active_params"),
            f"cache_{short}": configs.quantity(f"{key}.kv_bytes_per_token"),
            f"flops_{short}": paper.quantity(f"flops.{short}"),
            f"bits_{short}": paper.quantity(f"bits_per_byte.{short}"),
            f"mmlu_{short}": paper.quantity(f"mmlu.{short}"),
        }
        numbers |= _served(Deployment(key, gpu, 1), short, context, price, slowest)
    measures = {
        "arithmetic": "flops", "weights": "weights", "cache": "cache", "alone": "alone", "together": "speed",
        "money": "cost",
    }  # fmt: skip
    for measure, stem in measures.items():
        about = f"{measure}, DeepSeekMoE 16B against DeepSeek 7B"
        numbers[f"ratio_{measure}"] = times(numbers[f"{stem}_moe"], numbers[f"{stem}_dense"], about)
    numbers["saved"] = computed(
        1 - numbers["ratio_arithmetic"].value, "", "1 − sparse / dense", (numbers["ratio_arithmetic"],),
        name="arithmetic saved, DeepSeekMoE 16B against DeepSeek 7B",
    )  # fmt: skip
    values = np.array([float(numbers[f"ratio_{measure}"]) for measure in measures])
    arrays = {"ratio": NamedArray(values, ("measure",), unit="×", labels={"measure": tuple(measures)})}
    params = {"gpu": gpu, "context": context, "price": price, "slowest": slowest}
    meta = {"assumptions": list(serving.ASSUMPTIONS), "left_out": list(serving.LEFT_OUT)}
    return Trace("same_quality", arrays, numbers, params, meta=meta)


def _served(deployment: Deployment, short: str, context: int, price: float, slowest: float) -> dict[str, Quantity]:
    """Speed of a GPU with one user and with as many as it can serve, and what a million tokens then cost."""
    utilisation = reproduce_day().numbers["decode_utilisation"]
    batch = serving.best_batch(deployment, context, slowest, utilisation.value)
    speed = float(serving.decode_speed(deployment, batch, context, utilisation.value))
    alone = float(serving.decode_speed(deployment, 1, context, utilisation.value))
    inputs, about = (utilisation, deployment.chip.bandwidth, deployment.chip.memory), deployment.config.title
    return {
        f"users_{short}": computed(batch, "user", "serving model", inputs, name=f"users of a GPU, {about}"),
        f"speed_{short}": computed(speed, "token/s", "serving model", inputs, name=f"speed of a GPU, {about}"),
        f"alone_{short}": computed(alone, "token/s", "serving model", inputs, name=f"speed for one user, {about}"),
        f"cost_{short}": computed(
            float(serving.cost_per_million(speed, price)), "USD/million tokens", "rent / speed", inputs,
            name=f"modelled cost of output, {about}",
        ),
    }  # fmt: skip


# ---------------------------------------------------------------------- room on a node
ROOM_KINDS = ("mha", "gqa8", "mla")
ROOM_CONTEXTS = {"4k": 4096, "32k": 32768, "128k": 131072}


def node_room(*, model: str = "v3", gpu: str = "h800", gpus: int = 144) -> Trace:
    """What fills the memory of one GPU of a group that shares the experts, and how many users then fit on a node.

    A tenth of the memory is kept for activations and buffers, weights are in FP8, caches in BF16; a node has eight
    GPUs. Arrays: ``part`` (part) in bytes of one GPU; ``each`` (attention, context) in bytes of one user's cache;
    ``users`` (attention, context) of a node.
    """
    base = Deployment(model, gpu, gpus)
    counted, memory = load(base), base.chip.memory
    reserve = computed(serving.MEMORY_RESERVE * memory.value, "B", "a tenth of the memory", (memory,), name="kept free")
    held = counted.replicated_bytes + counted.expert_bytes
    weights = computed(
        held, "B", "what every GPU holds, and its part of the routed experts, one byte a parameter",
        (configs.quantity(f"{model}.total_params"),), name="weights on one GPU",
    )  # fmt: skip
    numbers = {"memory": memory, "reserve": reserve, "weights": weights}
    numbers["gpus_a_node"] = facts.quantity("inference.serving_day.gpus_per_node")
    numbers["gpus"] = computed(gpus, "GPU", "assumed size of the group", name="GPUs that share the experts")
    contexts = np.array(list(ROOM_CONTEXTS.values()), dtype=np.float64)
    assert set(ROOM_CONTEXTS.values()) <= set(CONTEXTS)
    each, users = np.zeros((2, len(ROOM_KINDS), len(contexts)))
    for row, kind in enumerate(ROOM_KINDS):
        per_token = caching.bytes_per_token(base.config, kind)
        each[row] = per_token.value * contexts
        users[row] = 8 * serving.largest_batch(serving.variant(base, attention=kind), contexts)
        for column, name in enumerate(ROOM_CONTEXTS):
            about = f"{name.upper()} tokens, {kind.upper()}"
            numbers[f"each_{kind}_{name}"] = computed(
                float(each[row, column]), "B", "bytes a token × context", (per_token, configs.tokens(name)),
                name=f"cache of one user, {about}",
            )  # fmt: skip
            numbers[f"users_{kind}_{name}"] = computed(
                int(users[row, column]), "user", "8 × ⌊(memory − a tenth − weights) / cache of one user⌋",
                (memory, weights, per_token), name=f"users that fit on a node, {about}",
            )  # fmt: skip
    labels = {"attention": ROOM_KINDS, "context": tuple(ROOM_CONTEXTS)}
    parts = np.array([float(weights), float(memory) - float(weights) - float(reserve), float(reserve)])
    arrays = {
        "part": NamedArray(parts, ("part",), unit="B", labels={"part": ("weights", "room for caches", "kept free")}),
        "each": NamedArray(each, ("attention", "context"), unit="B", labels=labels),
        "users": NamedArray(users, ("attention", "context"), unit="user", labels=labels),
    }
    params = {"model": model, "gpu": gpu, "gpus": gpus}
    return Trace("node_room", arrays, numbers, params, meta={"assumptions": list(serving.ASSUMPTIONS)})


# ---------------------------------------------------------------------- the ledger
def efficiency_ledger(*, model: str = "v3", gpu: str = "h800", gpus: int = 144) -> Trace:
    """What the model's efficiency buys and what it costs, each as a ratio that names its baseline.

    Bought: arithmetic and cache against the same model dense and with full attention; bytes of a weight against BF16;
    passes a token with the drafting head (published); time of a layer with communication hidden (run ``overlap``).
    Paid: weights held against a dense model of equal arithmetic; the busiest expert against the mean (run ``balance``,
    of the model trained here); what a token sends between GPUs, in bytes.
    """
    total, active = configs.quantity(f"{model}.total_params"), configs.quantity(f"{model}.active_params")
    memory, hidden = Deployment(model, gpu, gpus).chip.memory, runs.get("overlap")
    full, latent = (configs.quantity(f"{model}.kv_bytes_per_token_{kind}") for kind in ("mha", "mla"))
    eight, sixteen = (configs.quantity(f"{model}.weight_bytes_{width}") for width in ("fp8", "bf16"))
    speedup, balance = facts.quantity("inference.mtp.speedup"), runs.get("balance")
    numbers = {
        "work": times(active, total, "arithmetic of a token against all parameters at work"),
        "cache": times(latent, full, "cache of a token against a full one"),
        "bytes": times(eight, sixteen, "bytes of a weight"),
        "passes": computed(1 / speedup.value, "×", "1 / published speed-up", (speedup,), name="time a token, drafting"),
        "waiting": times(hidden.quantity("overlapped"), hidden.quantity("serial"), "time of a layer, traffic hidden"),
        "held": times(total, active, "weights held against a dense model of equal arithmetic"),
    }
    for mode, short in (("neither", "uneven"), ("bias_rule", "even")):
        violation = balance.quantity(f"max_vio_{mode}")
        numbers[short] = computed(
            1 + violation.value, "×", "1 + MaxVio", (violation,), name="load of the busiest expert over the mean, here",
            spread=violation.spread,
        )  # fmt: skip
    before, after = configs.quantity("ds67b.total_params"), configs.quantity("v2.total_params")
    numbers["square"] = computed(1000, "GPU·h", "the unit of the picture", name="one square")
    numbers["v2_size"] = times(after, before, "parameters of V2 against DeepSeek 67B")
    sent = load(Deployment(model, gpu, gpus)).network_bytes
    inputs = [configs.quantity(f"{model}.{name}") for name in ("moe_layers", "experts_per_token", "hidden")]
    numbers["sent"] = computed(
        sent, "B", "layers × experts × hidden × (1 B out + 2 B back)", inputs, name="bytes that a token sends"
    )
    numbers["gpus"] = computed(gpus, "GPU", "DeepSeek's published decoding unit", name="GPUs that decode as one")
    numbers["chips"] = computed(
        float(np.ceil(configs.quantity(f"{model}.weight_bytes_fp8").value / memory.value)), "GPU",
        "⌈weights in FP8 / memory⌉", (memory, total), name="GPUs that the weights alone fill",
    )  # fmt: skip
    return Trace("efficiency_ledger", {}, numbers, {"model": model, "gpu": gpu, "gpus": gpus})
