"""A sentence read by a model whose keys and values are cut to r numbers a token in every layer, and made again.

The knob of `explainers.experiments.low_rank` for one text: the axes are those of training text, none is fitted to it.
`explainers.exporting` does the same in a browser.
"""

from __future__ import annotations

import time
from functools import cache

import torch
from torch import Tensor

from explainers import shipping
from explainers.errors import ExplainError
from explainers.experiments.common import DEFAULT_TEXT, named, read_sentence, versions
from explainers.experiments.low_rank import VARIANTS, kept_energy, projecting, spectra, stacked_kv
from explainers.layers import Tap
from explainers.model import Model, load_shipped
from explainers.quantities import computed
from explainers.traces import Trace

READINGS = ("whole", "cut")


@cache
def training_axes(source: str = "small_mha") -> dict[str, Tensor]:
    """Axes (layer, F, F) of keys and values of training text, for each of `VARIANTS`, strongest first in columns."""
    return spectra(load_shipped(source)[0].cpu(), shipping.data())[1]


def latent_cut(
    *,
    text: str = DEFAULT_TEXT,
    rank: int = 32,
    turned: bool = False,
    seed: int = 0,
    mha_source: str = "small_mha",
    device: str = "cpu",
) -> Trace:
    """What ``rank`` numbers a token and layer bring back, and what the model says with them instead of the whole.

    ``turned`` cuts the keys after RoPE has turned them, otherwise before. Arrays: ``kv``, ``coordinates`` (along the
    axes, strongest first: the latent is the first ``rank`` of them), ``reconstruction`` and ``energy`` for both ways of
    cutting; ``next_logits`` and ``loss`` (nats, of each token from the second) for the way chosen, beside the whole.
    """
    begin = time.perf_counter()
    model, _, ids, tokens = read_sentence(text, mha_source, device)
    model, ids = model.cpu(), ids.cpu()
    axes = training_axes(mha_source)
    features = axes["kv"].shape[-1]
    if not 1 <= rank <= features:
        raise ExplainError(f"rank {rank} is not there; a token's keys and values have 1 to {features} directions")
    kv = {name: rows[:, 0].double() for name, rows in stacked_kv(model, ids).items()}  # (layer, token, F)
    coordinates = {name: kv[name] @ axes[name] for name in VARIANTS}
    back = {name: coordinates[name][..., :rank] @ axes[name][..., :rank].mT for name in VARIANTS}
    logits = torch.stack(
        [model(ids, trace=True, taps=taps).logits[0] for taps in ({}, _cut(axes, rank, turned))]
    ).detach()  # (reading, token, vocabulary)
    variants = tuple(VARIANTS.values())
    energy = torch.stack([kept_energy(kv[name], axes[name]) for name in VARIANTS])
    arrays = {
        "kv": named(_both(kv), "variant", "layer", "token", "feature", variant=variants, token=tokens),
        "coordinates": named(
            _both(coordinates), "variant", "layer", "token", "component", variant=variants, token=tokens
        ),
        "reconstruction": named(_both(back), "variant", "layer", "token", "feature", variant=variants, token=tokens),
        "energy": named(energy, "variant", "layer", "rank", variant=variants),
        "next_logits": named(logits[:, -1], "reading", "vocabulary", reading=READINGS),
    }
    numbers = {
        "tokens": computed(len(tokens), "token", "tokens of the text"),
        "rank": computed(rank, "", "numbers kept for one token in one layer"),
        "features": computed(features, "", "keys and values of all heads, one token in one layer"),
        "energy": computed(float(energy[int(turned), :, rank].mean()), "", "energy that comes back, mean over layers"),
        "bytes_whole": computed(_bytes(model, len(tokens), features), "B", "tokens × layers × features × 4 B"),
        "bytes_cut": computed(_bytes(model, len(tokens), rank), "B", "tokens × layers × rank × 4 B"),
    }
    if len(tokens) > 1:
        loss = _losses(logits, ids[0])
        arrays["loss"] = named(loss, "reading", "token", unit="nat", reading=READINGS, token=tokens[1:])
        words = "loss with cut keys and values − loss with whole ones, mean over the tokens of the text"
        numbers["added_loss"] = computed(float(loss[1].mean() - loss[0].mean()), "nat/token", words)
    params = {"text": text, "rank": rank, "turned": turned, "mha_source": mha_source}
    return Trace("latent_cut", arrays, numbers, params, seed, device, versions(begin))


def _cut(axes: dict[str, Tensor], rank: int, turned: bool) -> dict[int, Tap]:
    name = list(VARIANTS)[int(turned)]
    return projecting(axes[name], rank, name)


def _both(values: dict[str, Tensor]) -> Tensor:
    return torch.stack([values[name] for name in VARIANTS]).float()


def _bytes(model: Model, tokens: int, values: int) -> int:
    """What a cache in float32 holds, the width in which the small model computes."""
    return tokens * model.cfg.num_hidden_layers * values * torch.finfo(torch.float32).bits // 8


def _losses(logits: Tensor, ids: Tensor) -> Tensor:
    """Surprise at each token from the second: logits (reading, S, V), ids (S,) → (reading, S − 1)."""
    log = logits[:, :-1].double().log_softmax(-1)
    return -log.gather(-1, ids[1:].expand(len(logits), -1)[..., None])[..., 0]
