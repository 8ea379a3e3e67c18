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
from explainers.layers import Block
from explainers.model import Model, load_shipped
from explainers.quantities import Quantity, computed
from explainers.released import ReleasedLayer, ReleasedModel, load_released, title
from explainers.released_tokenizer import ReleasedTokenizer
from explainers.runs import DEFAULT_TEXT
from explainers.sources import is_checkpoint
from explainers.tokenizer import Tokenizer
from explainers.traces import NamedArray, to_numpy

__all__ = ["DEFAULT_TEXT", "named", "over_seeds", "per_layer", "read_any", "read_sentence", "versions"]


#: A model that is looked into: trained here, or released.
Readable = Model | ReleasedModel


def read_sentence(text: str, source: str, device: str) -> tuple[Model, Tokenizer, Tensor, tuple[str, ...]]:
    """A small model (a shipped name or a folder), its tokenizer, the text's ids (1, token) and its tokens' looks."""
    model, tokenizer, ids, tokens = read_any(text, source, device)
    if not isinstance(model, Model) or not isinstance(tokenizer, Tokenizer):
        raise ExplainError(f"this run reads the small models, not {source!r}; leave --source out for it")
    return model, tokenizer, ids, tokens


def read_any(text: str, source: str, device: str) -> tuple[Readable, ReleasedTokenizer, Tensor, tuple[str, ...]]:
    """The same of any source, ``checkpoint:PATH`` of a released model among them."""
    if not text.strip():
        raise ExplainError("the text is empty; give at least one word with --text")
    model: Readable
    tokenizer: ReleasedTokenizer
    if is_checkpoint(source):
        model, tokenizer = load_released(source, device)
    else:
        model, tokenizer = load_shipped(source, device)
    ids = tokenizer.encode(text)
    return model, tokenizer, torch.tensor([ids], device=device), tuple(tokenizer.display(token) for token in ids)


def blocks_of(model: Readable) -> list[Block | ReleasedLayer]:
    """The layers that are read, in order."""
    return list(model.blocks())


def released(model: Readable) -> dict[str, Quantity]:
    """A number that is there where a released model was read, so that scripts can say so."""
    one = computed(1, "", "read from the files of a released model")
    return {"released": one} if isinstance(model, ReleasedModel) else {}


def about_source(source: str, model: Readable) -> dict[str, str]:
    """Meta that names a released model; the small ones go without saying."""
    return {"model": title(source, model)} if isinstance(model, ReleasedModel) else {}


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
