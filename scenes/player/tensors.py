"""The tensors behind the numbers, for the page: arrays of a run with axes and labels, the bytes as they are."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from explainers import runs
from explainers.errors import ExplainError
from explainers.traces import NamedArray, Trace

#: Values of an array that goes into a page; a larger one is left to `explain run NAME --save`.
LARGEST = 400_000


def find_trace(name: str, digest: str, choices: Iterable[Mapping[str, Any]]) -> Trace | None:
    """The trace of a run whose digest is this one, with one of the parameter sets; None where no set gives it."""
    for params in choices:
        try:
            trace = runs.get(name, **dict(params))
        except ExplainError:
            continue
        if trace.digest == digest:
            return trace
    return None


def trace_data(trace: Trace) -> dict[str, Any]:
    """A trace as JSON, arrays as base64 of little-endian C order."""
    entry = runs.CATALOGUE.get(trace.run)
    return {
        "run": trace.run,
        "digest": trace.digest,
        "summary": entry.summary if entry else "",
        "params": dict(trace.params),
        "seed": trace.seed,
        "device": trace.device,
        "notes": notes(trace.meta),
        "arrays": [array_data(name, array) for name, array in trace.arrays.items()],
    }


def notes(meta: Mapping[str, Any]) -> list[str]:
    """What a run says of itself: notes, errors, assumptions, what was left out."""
    found = (meta[key] for key in ("note", "error", "assumptions", "left_out") if key in meta)
    return [line for said in found for line in ([said] if isinstance(said, str) else map(str, said))]


def array_data(name: str, array: NamedArray) -> dict[str, Any]:
    """An array as JSON; without ``data`` where it is too large for a page."""
    values = array.values
    about = {
        "name": name,
        "axes": list(array.axes),
        "shape": list(values.shape),
        "dtype": values.dtype.newbyteorder("<").str,
        "unit": array.unit,
        "labels": {axis: list(labels) for axis, labels in array.labels.items()},
    }
    if values.size <= LARGEST:
        plain = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        about["data"] = base64.b64encode(plain.tobytes()).decode()
    return about
