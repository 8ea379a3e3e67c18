"""What was measured on a GPU, as points for a roofline: attention over V3's cache, and V3's experts by batch.

Nothing is computed anew: the run `engine_gpu` was recorded on the chip that its record names.
"""

from __future__ import annotations

import numpy as np

from explainers import runs
from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.roofline import chip
from explainers.traces import NamedArray, Trace

#: Kinds of attention whose sizes are those of lecture 3, and their keys.
_KINDS = {"MHA": "mha", "MQA": "mqa", "absorbed": "mla"}
_KEPT = ("chip", "date", "dtype", "torch")


def roofline_measured(*, size: str = "v3", batch: int = 32, context: int = 8192) -> Trace:
    """FLOP/s and FLOP/B of attention over a cache, and of a layer's experts by tokens, as measured on a GPU.

    ``batch`` and ``context`` choose the case of the numbers; the arrays hold all. ``…_busy`` is a share of the chip's
    cited peak, ``…_of_roof`` of what its measured bandwidth and its measured rate of products allow.
    """
    trace = runs.get("engine_gpu")
    cores, moe = trace["core"], trace["moe"]
    at = {"size": _place(cores, "size", size), "batch": _place(cores, "batch", str(batch))}
    at["context"] = _place(cores, "context", str(context))
    numbers: dict[str, Quantity] = {name: trace.quantity(name) for name in ("bandwidth", "matmul_rate")}
    numbers |= _attention_points(trace, at)
    layer = {"size": _place(moe, "size", size)}
    labels = {"tokens": moe.labels["tokens"]}
    tokens = np.array([float(label) for label in labels["tokens"]])
    fast = moe.values[layer["size"], :, _place(moe, "way", "fast")]
    floor, flops, moved = (trace[f"moe_{name}"].values[layer["size"]] for name in ("floor", "flops", "bytes"))
    for i, count in enumerate(tokens):
        words = f"{count:,.0f} tokens through the routed experts of one layer"
        less = fast[0] / tokens[0] / (fast[i] / count)
        numbers[f"experts_less_{count:.0f}"] = computed(float(less), "×", f"time of a token alone / among {count:,.0f}")
        numbers[f"experts_intensity_{count:.0f}"] = computed(float(flops[i] / moved[i]), "FLOP/B", words)
        numbers[f"experts_rate_{count:.0f}"] = computed(float(flops[i] / fast[i]), "FLOP/s", words)
        numbers[f"experts_of_roof_{count:.0f}"] = computed(float(floor[i] / fast[i]), "", words)
    arrays = {
        "tokens": NamedArray(tokens, ("tokens",), labels=labels),
        "experts_token": NamedArray(fast / tokens, ("tokens",), unit="s", labels=labels),
        "experts_floor": NamedArray(floor / tokens, ("tokens",), unit="s", labels=labels),
    }
    params = {"size": size, "batch": batch, "context": context}
    return Trace("roofline_measured", arrays, numbers, params, meta={name: trace.meta[name] for name in _KEPT})


def _attention_points(trace: Trace, at: dict[str, int]) -> dict[str, Quantity]:
    """Intensity, rate and shares of each kind of attention, in the case at these places of the arrays."""
    cores, peak = trace["core"], chip("h100").bf16
    batch, context = (cores.labels[axis][at[axis]] for axis in ("batch", "context"))
    numbers: dict[str, Quantity] = {}
    for kind, key in _KINDS.items():
        place = (at["size"], at["batch"], at["context"], _place(cores, "kind", kind))
        names = ("core_flops", "core_bytes", "core", "core_floor")
        flops, moved, took, floor = (float(trace[name].values[place]) for name in names)
        words = f"{kind}, {batch} sequences of {context} tokens"
        numbers[f"{key}_intensity"] = computed(flops / moved, "FLOP/B", f"FLOPs / bytes of the cache, {words}")
        numbers[f"{key}_rate"] = computed(flops / took, "FLOP/s", f"FLOPs / measured seconds, {words}")
        numbers[f"{key}_busy"] = computed(flops / took / float(peak), "", f"measured rate / peak, {words}", (peak,))
        numbers[f"{key}_of_roof"] = computed(floor / took, "", f"floor / measured seconds, {words}")
    return numbers


def _place(array: NamedArray, axis: str, label: str) -> int:
    known = array.labels[axis]
    if label not in known:
        raise ExplainError(f"no {axis} {label!r} was measured; choose one of {', '.join(known)}")
    return known.index(label)
