"""How fast the engine is: experts and decoding attention, measured beside their floors and beside transformers.

Two floors: what a way really took for its bare products or for reading its bytes, and what the counted FLOPs and bytes
would take at the ceilings of this machine, which are measured in the same run (`explainers.experiments.timing`).
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from explainers.errors import ExplainError, one_of
from explainers.experiments.common import named, versions
from explainers.experiments.engine_cases import (
    CORES,
    DECODE_WAYS,
    MOE_WAYS,
    SIZES,
    Bench,
    Timed,
    core_case,
    decode_case,
    experts_held,
    moe_case,
)
from explainers.experiments.timing import NAN, Ceilings, ceilings, chip
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray, Trace
from explainers.training import one_thread

PARTS = ("moe", "decode")


def engine(
    *,
    sizes: str = "small v2_lite v3",
    parts: str = "moe decode",
    tokens: str = "1 8 32 1024",
    contexts: str = "1024 8192 32768 131072",
    batches: str = "1 8 128",
    memory: float = 8e9,
    device: str = "cpu",
) -> Trace:
    """Times of experts and of decoding attention at real layer sizes, with floors and ratios.

    Parameters
    ----------
    sizes, parts, tokens, contexts, batches
        Lists separated by spaces: sizes of `SIZES`, ``moe`` and ``decode``, tokens in a batch of experts, tokens in the
        cache, sequences decoded together.
    memory
        Bytes that one case may take; experts are left away, or the case, where it would take more.
    """
    begin = time.perf_counter()
    chosen, rows = _words(sizes, SIZES), _words(parts, PARTS)
    t, c, b = (_numbers_of(text) for text in (tokens, contexts, batches))
    bench = Bench(device, torch.bfloat16 if device.startswith("cuda") else torch.float32, memory)
    with one_thread(), torch.no_grad():
        most = ceilings(device, bench.dtype)
        moe = [[moe_case(size, n, bench) for n in t] for size in chosen] if "moe" in rows else []
        steps = [(size, batch, context) for size in chosen for batch in b for context in c if "decode" in rows]
        decode = [decode_case(*step, bench) for step in steps]
        cores = [core_case(*step, kind, bench) for step in steps for kind in CORES]
        most = most.or_better(ceilings(device, bench.dtype))  # the machine may have been busy before, or be now
    axes = {"size": chosen, "tokens": [str(n) for n in t], "batch": [str(n) for n in b], "context": [str(n) for n in c]}
    arrays: dict[str, NamedArray] = {}
    if moe:
        flat = [case for row in moe for case in row]
        arrays |= _arrays("moe", flat, MOE_WAYS, most, {name: axes[name] for name in ("size", "tokens")})
        held = torch.tensor([experts_held(size, bench) for size in chosen])
        arrays["experts_held"] = named(held, "size", size=chosen)
    if steps:
        around = {name: axes[name] for name in ("size", "batch", "context")}
        arrays |= _arrays("decode", decode, DECODE_WAYS, most, around)
        arrays |= _arrays("core", cores, (), most, around | {"kind": list(CORES)})
    params: dict[str, Any] = {"sizes": sizes, "parts": parts, "tokens": tokens, "contexts": contexts}
    params |= {"batches": batches, "memory": memory}
    dtype = str(bench.dtype).split(".")[1]
    meta = versions(begin, chip=chip(device), date=datetime.date.today().isoformat(), dtype=dtype)
    return Trace("engine", arrays, _numbers(arrays, most), params, 0, device, meta)


def engine_gpu(
    *,
    sizes: str = "small v2_lite v3",
    parts: str = "moe decode",
    tokens: str = "1 8 32 128 1024 4096 8192 32768",
    contexts: str = "1024 8192 32768 131072",
    batches: str = "1 8 32 128",
    memory: float = 7e10,
    device: str = "cuda",
) -> Trace:
    """`engine` on a GPU, in bfloat16 and over a wider field; it asks for 80 GB."""
    if not device.startswith("cuda"):
        raise ExplainError("engine_gpu is measured on a GPU, and torch sees none here; the run engine takes a CPU")
    trace = engine(
        sizes=sizes, parts=parts, tokens=tokens, contexts=contexts, batches=batches, memory=memory, device=device
    )
    return replace(trace, run="engine_gpu")


def _words(text: str, known: tuple[str, ...]) -> list[str]:
    words = text.split()
    for word in words:
        if word not in known:
            raise one_of("size or part", word, known)
    return words or list(known)


def _numbers_of(text: str) -> list[int]:
    words = str(text).split()
    if not words or not all(word.isdigit() and int(word) > 0 for word in words):
        raise ExplainError(f"{text!r} is no list of whole numbers above 0; write them with spaces between")
    return [int(word) for word in words]


def _arrays(
    name: str, cases: list[Timed], ways: tuple[str, ...], most: Ceilings, axes: dict[str, list[str]]
) -> dict[str, NamedArray]:
    """Seconds of the cases (of each way, or of the only one), with their FLOPs, their bytes and the floor of both."""
    shape = [len(labels) for labels in axes.values()]
    times = [case.row(ways) if ways else [*case.seconds.values(), NAN][:1] for case in cases]
    kinds: dict[str, list[str]] = {"way": list(ways)} if ways else {}
    values = torch.tensor(times, dtype=torch.float64).view(*shape, *(len(labels) for labels in kinds.values()))
    counted = {
        "flops": ("FLOP", [case.flops for case in cases]),
        "bytes": ("B", [case.moved for case in cases]),
        "floor": ("s", [most.floor(case.flops, case.moved) for case in cases]),
    }
    found = {name: named(values, *axes, *kinds, unit="s", **axes, **kinds)}
    for what, (unit, numbers) in counted.items():
        array = torch.tensor(numbers, dtype=torch.float64).view(shape)
        found[f"{name}_{what}"] = named(array, *axes, unit=unit, **axes)
    return found


def _numbers(arrays: dict[str, NamedArray], most: Ceilings) -> dict[str, Quantity]:
    """The two ceilings, and for each size the ratios that are worth saying, at their worst or best."""
    numbers = {
        "bandwidth": computed(most.bandwidth, "B/s", "bytes of a large copy or of reading / its time, the faster"),
        "matmul_rate": computed(most.rate, "FLOP/s", "2·n³ of a large matrix product / its time"),
    }

    def note(name: str, values: NDArray[np.float64], pick: Callable[[NDArray[np.float64]], float], words: str) -> None:
        real = values[np.isfinite(values)]
        if len(real):
            numbers[name] = computed(float(pick(real)), "×", words)

    if "moe" in arrays:
        _moe_ratios(arrays, note)
    if "decode" in arrays:
        _decode_ratios(arrays, note)
    return numbers


def _moe_ratios(arrays: dict[str, NamedArray], note: Callable[..., None]) -> None:
    tokens = np.array([int(label) for label in arrays["moe"].labels["tokens"]])
    many, few = tokens >= 1024, tokens <= 32
    for i, size in enumerate(arrays["moe"].labels["size"]):
        took = dict(zip(MOE_WAYS, arrays["moe"].values[i].T, strict=True))  # of each way (tokens,)
        fast, floor = took["fast"], arrays["moe_floor"].values[i]
        note(f"moe_over_products_{size}", (fast / took["products"])[many], np.max,
             "fast experts / bare products, from 1,024 tokens on, worst")  # fmt: skip
        note(f"moe_over_bytes_{size}", (fast / took["bytes"])[few], np.max,
             "fast experts / reading their weights once, up to 32 tokens, worst")  # fmt: skip
        note(f"moe_gain_{size}", (took["transformers"] / fast)[few], np.min,
             "transformers' eager experts / fast experts, up to 32 tokens, least")  # fmt: skip
        note(f"moe_of_floor_{size}", floor / fast, np.max,
             "larger of bytes / bandwidth and FLOPs / rate, over fast experts, best")  # fmt: skip
        note(f"moe_of_floor_least_{size}", floor / fast, np.min,
             "larger of bytes / bandwidth and FLOPs / rate, over fast experts, worst")  # fmt: skip


def _decode_ratios(arrays: dict[str, NamedArray], note: Callable[..., None]) -> None:
    for i, size in enumerate(arrays["decode"].labels["size"]):
        took = dict(zip(DECODE_WAYS, np.moveaxis(arrays["decode"].values[i], -1, 0), strict=True))  # (batch, context)
        best = np.fmin(took["fused"], took["absorbed"])
        core = arrays["core"].values[i][..., CORES.index("absorbed")]
        floor = arrays["core_floor"].values[i][..., CORES.index("absorbed")]
        note(f"decode_gain_{size}", took["transformers"] / best, np.max,
             "transformers' module / absorbed decoding, most")  # fmt: skip
        note(f"decode_gain_least_{size}", took["transformers"] / best, np.min,
             "transformers' module / absorbed decoding, least")  # fmt: skip
        note(f"decode_over_bytes_{size}", best / took["bytes"], np.max,
             "absorbed decoding / reading weights and cache once, worst")  # fmt: skip
        note(f"decode_over_products_{size}", best / took["products"], np.max,
             "absorbed decoding / its bare products, worst")  # fmt: skip
        note(f"decode_of_floor_{size}", arrays["decode_floor"].values[i] / best, np.max,
             "larger of bytes / bandwidth and FLOPs / rate, over absorbed decoding, best")  # fmt: skip
        note(f"core_of_floor_{size}", floor / core, np.max,
             "the same of its attention over the cache alone, best")  # fmt: skip
