"""Communication hidden behind computing: two micro-batches that take turns, as a *model* from bytes, FLOPs and speeds.

DeepSeek's serving splits a batch in two, so that one half is on the wire while the other computes (open-infra-index,
day 6; 2505.09343, section 2.3.1). Here the four stages of a layer last as long as bytes or FLOPs over published kernel
speeds, and two machines, one that computes and one that sends, take the stages as they become ready.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explainers import configs, facts
from explainers.deployments import Deployment, attention_flops, rates
from explainers.errors import ExplainError
from explainers.quantities import computed
from explainers.traces import NamedArray, Trace

STAGES = ("attention", "dispatch", "experts", "combine")
ON_THE_WIRE = (False, True, False, True)
SCHEDULES = ("one after the other", "taking turns")
BATCHES = ("A", "B")


@dataclass(frozen=True)
class Stage:
    """One stage of one half in one layer: when it starts and how long it takes, in seconds."""

    batch: int
    layer: int
    stage: int
    start: float
    seconds: float


def one_after_the_other(seconds: list[float], layers: int) -> list[Stage]:
    """Both halves go through every stage before anything else begins: whoever is not concerned waits."""
    found, now = [], 0.0
    for layer in range(layers):
        for stage, long in enumerate(seconds):
            for batch in (0, 1):
                found.append(Stage(batch, layer, stage, now, long))
                now += long
    return found


def taking_turns(seconds: list[float], layers: int) -> list[Stage]:
    """Each half goes on as soon as the machine that it needs is free; who can start first, starts first."""
    free, ready, done = [0.0, 0.0], [0.0, 0.0], [0, 0]
    found = []
    while min(done) < layers * len(seconds):

        def start_of(batch: int) -> tuple[float, int]:
            machine = ON_THE_WIRE[done[batch] % len(seconds)]
            return max(ready[batch], free[machine]), done[batch]

        batch = min((b for b in (0, 1) if done[b] < layers * len(seconds)), key=start_of)
        begin, stage = start_of(batch)[0], done[batch] % len(seconds)
        found.append(Stage(batch, done[batch] // len(seconds), stage, begin, seconds[stage]))
        ready[batch] = free[ON_THE_WIRE[stage]] = begin + seconds[stage]
        done[batch] += 1
    return found


def stage_seconds(deployment: Deployment, tokens: int, prompt: int) -> list[float]:
    """Seconds of the four stages of one layer for ``tokens`` prompt tokens on each GPU."""
    config, speed = deployment.config, rates(deployment, prefill=True)
    expert, attention = (
        configs.quantity(f"{config.key}.{name}").value for name in ("expert_params", "attention_params_per_layer")
    )
    core, _ = attention_flops(deployment, prompt / 2, prefill=True)
    groups = config.sizes.get("expert_groups_kept")
    crossing = min(groups.value if groups else config.ffn.experts_per_token, config.ffn.experts_per_token)
    used = config.ffn.experts_per_token + config.ffn.shared_experts
    return [
        tokens * (2 * attention / speed.matmul + float(core) / config.layers / speed.attention),
        tokens * crossing * config.hidden * 1 / speed.network,  # FP8 out
        tokens * 2 * expert * used / speed.matmul,
        tokens * crossing * config.hidden * 2 / speed.network,  # BF16 back
    ]


def overlap(
    *, model: str = "v3", gpu: str = "h800", gpus: int = 32, tokens: int = 4096, prompt: int = 4096, shown: int = 3
) -> Trace:
    """Two micro-batches of ``tokens`` prompt tokens on each GPU, through all layers with experts, in two schedules.

    Arrays: ``seconds`` (stage); ``start`` and ``length`` (schedule, batch, layer, stage) in seconds for the first
    ``shown`` layers. Numbers: a layer's time in both schedules and how much of it the computing units idle, over all
    layers.
    """
    if tokens < 1 or shown < 1:
        raise ExplainError(f"{tokens} tokens and {shown} layers; give at least one of each")
    deployment = Deployment(model, gpu, gpus)
    if not deployment.config.ffn.routed_experts:
        raise ExplainError(f"{deployment.config.title} has no experts, so nothing is sent; choose v3")
    seconds = stage_seconds(deployment, tokens, prompt)
    layers = deployment.config.moe_layers
    plans = {name: plan(seconds, layers) for name, plan in zip(
        SCHEDULES, (one_after_the_other, taking_turns), strict=True)}  # fmt: skip
    start = np.zeros((2, 2, shown, len(STAGES)))
    for index, plan in enumerate(plans.values()):
        for each in plan:
            if each.layer < shown:
                start[index, each.batch, each.layer, each.stage] = each.start
    labels = {"schedule": SCHEDULES, "batch": BATCHES, "stage": STAGES}
    axes = ("schedule", "batch", "layer", "stage")
    arrays = {
        "seconds": NamedArray(np.array(seconds), ("stage",), unit="s", labels=labels),
        "start": NamedArray(start, axes, unit="s", labels=labels),
        "length": NamedArray(np.broadcast_to(np.array(seconds), start.shape).copy(), axes, unit="s", labels=labels),
    }
    week = facts.entry("inference.open_source_week")
    inputs = (week.quantity("deepgemm_compute"), facts.quantity("inference.deepep.normal_dispatch"))
    ends = [max(each.start + each.seconds for each in plan) for plan in plans.values()]
    working = 2 * layers * (seconds[0] + seconds[2])
    numbers = {
        short: computed(end / layers * 1e3, "ms", "model, mean of all layers", inputs, name=f"a layer, {name}")
        for short, end, name in zip(("serial", "overlapped"), ends, SCHEDULES, strict=True)
    }
    numbers["gain"] = computed(ends[0] / ends[1], "×", "time one after the other / taking turns", inputs)
    for short, end in zip(("idle_serial", "idle_overlapped"), ends, strict=True):
        numbers[short] = computed(1 - working / end, "", "1 − computing / time", inputs, name="share of time idle")
    numbers["tokens"] = computed(tokens, "token", "assumed, as DeepEP was measured", name="tokens of a micro-batch")
    numbers |= {
        f"ms_{stage}": computed(
            long * 1e3, "ms", "bytes or FLOPs / published speed", inputs, name=f"{stage}, one layer"
        )
        for stage, long in zip(STAGES, seconds, strict=True)
    }
    params = {"model": model, "gpu": gpu, "gpus": gpus, "tokens": tokens, "prompt": prompt, "shown": shown}
    note = "a model: stages last bytes or FLOPs over published speeds; load is balanced; kernels do not slow each other"
    return Trace("overlap", arrays, numbers, params, meta={"note": note})
