"""What the experiments on the trained models share: reading a sentence, naming axes, numbers with their spread."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from explainers.errors import ExplainError
from explainers.model import Model, load_shipped
from explainers.quantities import Quantity, computed
from explainers.runs import DEFAULT_TEXT
from explainers.tokenizer import Tokenizer
from explainers.traces import NamedArray, to_numpy

__all__ = ["DEFAULT_TEXT", "named", "over_seeds", "per_layer", "read_sentence", "versions"]


def read_sentence(text: str, source: str, device: str) -> tuple[Model, Tokenizer, Tensor, tuple[str, ...]]:
    """A model (a shipped name or a folder), its tokenizer, the text's ids (1, token) and what each token looks like."""
    if not text.strip():
        raise ExplainError("the text is empty; give at least one word with --text")
    model, tokenizer = load_shipped(source, device)
    ids = tokenizer.encode(text)
    return model, tokenizer, torch.tensor([ids], device=device), tuple(tokenizer.display(token) for token in ids)


def named(values: Tensor, *axes: str, unit: str = "", **labels: Sequence[str]) -> NamedArray:
    """A tensor as a named array, on its way out; a keyword is an axis with its labels."""
    return NamedArray(to_numpy(values), axes, unit=unit, labels={axis: tuple(names) for axis, names in labels.items()})


def per_layer(layers: list[dict[str, Tensor]], name: str) -> Tensor:
    """One traced tensor of every layer, of the only sequence: (layer, …)."""
    return torch.stack([layer[name][0] for layer in layers])


def over_seeds(values: Iterable[float], unit: str, formula: str, *, name: str = "") -> Quantity:
    """The mean over seeds with its standard deviation as the spread."""
    numbers = [float(value) for value in values]
    spread = statistics.stdev(numbers) if len(numbers) > 1 else None
    about = f"{formula}; mean of {len(numbers)} seeds" if len(numbers) > 1 else formula
    return computed(statistics.fmean(numbers), unit, about, name=name, spread=spread)


def versions(begin: float, **more: Any) -> dict[str, Any]:
    """Meta of a trace: versions, and the wall time since ``begin`` (`time.perf_counter`)."""
    seconds = round(time.perf_counter() - begin, 1)
    return {"python": platform.python_version(), "torch": torch.__version__, "seconds": seconds, **more}
