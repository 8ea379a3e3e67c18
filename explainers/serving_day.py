"""DeepSeek's published serving day, recounted: from the published speeds, and from the serving model."""

from __future__ import annotations

from dataclasses import dataclass

from explainers import configs, facts
from explainers.deployments import Deployment
from explainers.quantities import Quantity, computed
from explainers.serving import decode_step, largest_batch, prefill_speed


@dataclass(frozen=True)
class Day:
    """The published day of 27 February 2025, recounted (`reproduce_day`)."""

    published: dict[str, Quantity]
    numbers: dict[str, Quantity]


def reproduce_day() -> Day:
    """Nodes and dollars of DeepSeek's serving day, twice.

    From the *published speeds* of a node: tokens / (speed × 86,400 s), prefill and decode added. And from the *model*
    alone, which gives the fewest nodes that could do it; their ratio is the utilisation.
    """
    entry = facts.entry("inference.serving_day")
    day = {name: entry.quantity(name) for name in entry.numbers()}
    seconds = computed(86400, "s", "24 × 3,600 s", (day["hours"],), name="seconds of the day")
    speed = {"decode": day["node_decode_speed"], "prefill": day["node_prefill_speed"]}
    tokens = {"decode": day["output_tokens"], "prefill": day["input_tokens"]}
    found: dict[str, Quantity] = {}
    for phase in ("decode", "prefill"):
        found[f"{phase}_nodes"] = computed(
            tokens[phase].value / (speed[phase].value * seconds.value),
            "node",
            f"{tokens[phase].short()} / (published speed of a node × 86,400 s)",
            (tokens[phase], speed[phase], seconds),
            name=f"nodes busy with {phase}, from the published speed",
        )
    nodes = found["decode_nodes"] + found["prefill_nodes"]
    found["nodes"] = nodes.named("nodes busy, from the published speeds")
    found["cost"] = _cost(found["nodes"], day, "cost of the day, from the published speeds")
    for what, against in (("nodes", day["average_nodes"]), ("cost", day["cost"])):
        ratio = found[what].value / against.value - 1
        found[f"{what}_error"] = computed(
            ratio, "", "recounted / published − 1", (found[what], against), name=f"error of the {what}"
        )
    found["revenue"] = _revenue(day)
    found |= _modelled(day, found)
    return Day(day, found)


def _cost(nodes: Quantity, day: dict[str, Quantity], name: str) -> Quantity:
    return (nodes * day["gpus_per_node"] * day["hours"] * day["gpu_hour_price"]).named(name)


def _revenue(day: dict[str, Quantity]) -> Quantity:
    hit, total, out = day["cache_hit_tokens"], day["input_tokens"], day["output_tokens"]
    prices = day["r1_price_hit"], day["r1_price_miss"], day["r1_price_out"]
    value = (
        hit.value * prices[0].value + (total.value - hit.value) * prices[1].value + out.value * prices[2].value
    ) / 1e6
    return computed(
        value, "USD", "hits, misses and output × R1's prices", (hit, total, out, *prices), name="theoretical revenue"
    )


def _modelled(day: dict[str, Quantity], recounted: dict[str, Quantity]) -> dict[str, Quantity]:
    """The same day from the model: speeds that published kernels would allow, and how much of them was reached."""
    found = _decoding(day)
    counted = [configs.quantity(f"v3.{name}") for name in ("active_params", "kv_bytes_per_token")]
    sources = (found["batch"], day["average_kv_length"], *counted)
    misses = 1 - day["cache_hit_tokens"].value / day["input_tokens"].value
    per_node, context = day["gpus_per_node"].value, day["average_kv_length"].value
    phases = {
        "decode": (day["node_decode_speed"].value, per_node * found["batch"].value / found["step"].value),
        "prefill": (
            day["node_prefill_speed"].value * misses,  # what was in the cache cost no computing
            float(per_node * prefill_speed(Deployment("v3", "h800", 32), context)),
        ),
    }
    for phase, (real, bound) in phases.items():
        modelled = computed(bound, "token/s", "model", sources, name=f"modelled {phase} speed of a node")
        busy, formula = recounted[f"{phase}_nodes"], f"published speed / modelled speed, {phase}"
        share = computed(real / bound, "", formula, (modelled, busy), name=f"utilisation in {phase}")
        found |= {f"model_{phase}_speed": modelled, f"{phase}_utilisation": share}
        found[f"model_{phase}_nodes"] = (busy * share).named(f"fewest nodes for {phase}")
    nodes = found["model_decode_nodes"] + found["model_prefill_nodes"]
    found["model_nodes"] = nodes.named("fewest nodes by the model")
    found["model_cost"] = _cost(found["model_nodes"], day, "least cost of the day by the model")
    explained = found["model_nodes"] / day["average_nodes"]
    found["utilisation"] = explained.named("share of the fleet that the model explains")
    return found


def _decoding(day: dict[str, Quantity]) -> dict[str, Quantity]:
    """How many sequences a GPU decoded at once, how many would fit, and how long a step takes in the model."""
    decode, context = Deployment("v3", "h800", 144), day["average_kv_length"]
    ends = (day["user_speed_low"], day["user_speed_high"])
    user = computed((ends[0].value + ends[1].value) / 2, "token/s", "mean of both ends", ends, name="speed of one user")
    node, per_node = day["node_decode_speed"], day["gpus_per_node"]
    batch = computed(
        node.value / user.value / per_node.value,
        "",
        "node speed / user speed / GPUs of a node",
        (node, user, per_node),
        name="sequences decoded at once by a GPU",
    )
    limit, step = largest_batch(decode, context.value), decode_step(decode, batch.value, context.value).seconds
    fits = (decode.chip.memory, configs.quantity("v3.kv_bytes_per_token"), context)
    return {
        "batch": batch,
        "batch_limit": computed(
            float(limit), "", "memory left by the weights / cache", fits, name="sequences that fit"
        ),
        "step": computed(float(step), "s", "serving model", (batch, context), name="modelled decoding step"),
        "step_real": computed(1 / user.value, "s", "1 / user speed", (user,), name="decoding step"),
    }
