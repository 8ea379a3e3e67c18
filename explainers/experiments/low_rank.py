"""Keys and values of a real layer are close to low rank, before RoPE turns the keys: why a latent works.

A layer's keys and values of one token are stacked into one vector (keys of all heads, then values: F = 2·H·d numbers).
A basis is fitted on training text (the eigenvectors of the second moment, so the principal axes) and judged on held-out
text: how much energy it keeps, and what the model's loss becomes when keys and values are replaced by their projection.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from explainers import shipping
from explainers.batches import DOMAINS, Data
from explainers.errors import ExplainError
from explainers.experiments.attention import mha_trainings
from explainers.experiments.common import DEFAULT_TEXT, named, over_seeds, read_sentence, versions
from explainers.layers import Tap
from explainers.model import Model, load_shipped
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray, Trace
from explainers.training import token_loss

#: Name of the tap in `explainers.layers.GroupedAttention` → what it is called in pictures.
VARIANTS = {"kv": "before RoPE", "kv_rotated": "after RoPE"}
NETWORKS = ("trained", "untrained", "Gaussian")
CUTS = ("before RoPE", "after RoPE", "random subspace")
RANKS = (4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
SPOKEN_RANK = 32
SHOWN_RANKS = (1, 2, 4, 8, 16, 32, 64)
_LENGTH = 128


@torch.no_grad()
def stacked_kv(model: Model, ids: Tensor) -> dict[str, Tensor]:
    """Variant → stacked keys and values (layer, B, S, F) of a model with MHA, GQA or MQA."""
    if model.cfg.attention == "mla":
        raise ExplainError("this model has mla attention, which is low rank by construction; take one with mha")
    layers = model(ids, trace=True).layers
    return {name: torch.stack([layer[name] for layer in layers]) for name in VARIANTS}


def principal_axes(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Axes (layer, F, F), strongest first in columns, and singular values (layer, F) of rows (layer, N, F)."""
    rows = rows.double()
    values, vectors = torch.linalg.eigh(torch.einsum("lnf,lng->lfg", rows, rows))
    return vectors.flip(-1), values.flip(-1).clamp_min(0).sqrt()


def kept_energy(rows: Tensor, axes: Tensor) -> Tensor:
    """Share of the energy of rows (layer, N, F) in the first r axes: (layer, F + 1) for r = 0 … F."""
    coordinates = torch.einsum("lnf,lfr->lnr", rows.double(), axes)
    energy = coordinates.square().sum(1)  # (layer, F)
    share = energy.cumsum(-1) / rows.double().square().sum((1, 2))[:, None]
    return torch.cat((torch.zeros_like(share[:, :1]), share), dim=1)


def _windows(data: Data, part: str) -> tuple[Tensor, Tensor]:
    """Inputs and targets (4 · 8, S) of all domains, from training text (for fitting) or held-out text (for judging)."""
    take = data.fitting if part == "fit" else data.held_out
    pairs = [take(domain, _LENGTH) for domain in DOMAINS]
    return torch.cat([inputs for inputs, _ in pairs]), torch.cat([targets for _, targets in pairs])


def spectra(model: Model, data: Data) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    """Held-out energy kept (variant, layer, F + 1), axes of each variant, singular values (variant, layer, F)."""
    fit = stacked_kv(model, _windows(data, "fit")[0])
    judge = stacked_kv(model, _windows(data, "held out")[0])
    axes, energy, singular = {}, [], []
    for name in VARIANTS:
        axes[name], values = principal_axes(fit[name].flatten(1, 2))
        energy.append(kept_energy(judge[name].flatten(1, 2), axes[name]))
        singular.append(values)
    return torch.stack(energy), axes, torch.stack(singular)


def projecting(axes: Tensor, rank: int, name: str) -> dict[int, Tap]:
    """Taps that replace stacked keys and values by their projection on the first ``rank`` axes of each layer."""

    def tap(layer: int) -> Tap:
        kept = axes[layer, :, :rank].float()
        return lambda at, values: values @ kept @ kept.T if at == name else values

    return {layer: tap(layer) for layer in range(len(axes))}


@torch.no_grad()
def loss_when_cut(model: Model, data: Data, axes: dict[str, Tensor], ranks: Sequence[int], seed: int) -> Tensor:
    """Nats a token added on held-out text when all layers' keys and values are cut to rank r: (cut, rank)."""
    inputs, targets = _windows(data, "held out")
    layers, features = axes["kv"].shape[:2]
    noise = torch.randn(layers, features, features, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    bases = (("kv", axes["kv"]), ("kv_rotated", axes["kv_rotated"]), ("kv", torch.linalg.qr(noise).Q))
    whole = float(token_loss(model(inputs, trace=True).logits, targets))
    added = torch.zeros(len(bases), len(ranks), dtype=torch.float64)
    for row, (name, basis) in enumerate(bases):
        for column, rank in enumerate(ranks):
            output = model(inputs, trace=True, taps=projecting(basis, rank, name))
            added[row, column] = float(token_loss(output.logits, targets)) - whole
    return added


def gaussian_energy(layers: int, features: int, seed: int) -> Tensor:
    """Energy kept (layer, F + 1) of independent normal numbers, fitted and judged on as many rows as the text has."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(2, layers, len(DOMAINS) * 8 * _LENGTH, features, generator=generator)
    return kept_energy(rows[1], principal_axes(rows[0])[0])


def low_rank(*, first_seed: int = 0, seeds: int = 3, steps: int = 240, device: str = "cpu") -> Trace:
    """Spectra and cuts of MHA-trained networks over several seeds, and of the shipped MHA model.

    ``seeds`` short trainings give mean and spread; the untrained network is the same one before its first step.
    """
    begin = time.perf_counter()
    data = shipping.data()
    trainings = mha_trainings(first_seed, seeds, steps, device)
    energies: dict[str, list[Tensor]] = {name: [] for name in NETWORKS}
    added = []
    for training in trainings:
        seed, model = training.recipe.seed, training.model.cpu()
        energy, axes, _ = spectra(model, data)
        energies["trained"].append(energy)
        energies["untrained"].append(spectra(Model(model.cfg, seed), data)[0])
        gaussian = gaussian_energy(energy.shape[1], energy.shape[2] - 1, seed)
        energies["Gaussian"].append(torch.stack((gaussian, gaussian)))
        added.append(loss_when_cut(model, data, axes, RANKS, seed))
    stacked = torch.stack([torch.stack(energies[name]) for name in NETWORKS])  # (network, seed, variant, layer, F + 1)
    shipped, _ = load_shipped("small_mha")
    shipped_energy, shipped_axes, singular = spectra(shipped, data)
    shipped_added = loss_when_cut(shipped, data, shipped_axes, RANKS, first_seed)
    arrays = _arrays(stacked, torch.stack(added), shipped_energy, shipped_added, singular)
    quantities = _numbers(stacked, torch.stack(added), shipped_energy, shipped_added)
    quantities["loss"] = over_seeds([t.final_loss for t in trainings], "nat/token", "held-out loss, nothing cut")
    params = {"first_seed": first_seed, "seeds": seeds, "steps": steps}
    return Trace("low_rank", arrays, quantities, params, first_seed, device, versions(begin))


def _arrays(
    energy: Tensor, added: Tensor, shipped: Tensor, shipped_added: Tensor, singular: Tensor
) -> dict[str, NamedArray]:
    variants, ranks = tuple(VARIANTS.values()), tuple(map(str, RANKS))
    axes = ("network", "variant", "layer", "rank")
    average = ("network", "variant", "rank")
    every = tuple(map(str, range(energy.shape[-1])))
    names = {"network": NETWORKS, "variant": variants, "rank": every}
    cut = {"cut": CUTS, "rank": ranks}
    return {
        "energy": named(energy.mean(1).float(), *axes, unit="", **names),
        "energy_spread": named(_deviation(energy, 1).float(), *axes, unit="", **names),
        "energy_of_all_layers": named(energy.mean((1, 3)).float(), *average, unit="", **names),
        "energy_of_all_layers_spread": named(_deviation(energy.mean(3), 1).float(), *average, unit="", **names),
        "energy_shipped": named(shipped.float(), "variant", "layer", "rank", variant=variants, rank=every),
        "singular_values": named(singular.float(), "variant", "layer", "component", variant=variants),
        "cut_rank": named(torch.tensor(RANKS), "rank", rank=ranks),
        "added_loss": named(added.mean(0), "cut", "rank", unit="nat/token", **cut),
        "added_loss_spread": named(_deviation(added, 0), "cut", "rank", unit="nat/token", **cut),
        "added_loss_shipped": named(shipped_added, "cut", "rank", unit="nat/token", **cut),
    }


def _deviation(values: Tensor, axis: int) -> Tensor:
    return values.std(axis) if values.shape[axis] > 1 else torch.zeros_like(values.mean(axis))


def _numbers(energy: Tensor, added: Tensor, shipped: Tensor, shipped_added: Tensor) -> dict[str, Quantity]:
    quantities = {
        "features": computed(energy.shape[-1] - 1, "", "keys and values of all heads, one token in one layer"),
        "rank": computed(SPOKEN_RANK, "", "the number of axes that the numbers of this run are for"),
    }
    for n, network in enumerate(NETWORKS):
        for v, variant in enumerate(("before", "after")):
            name = f"energy_{network.lower()}_{variant}_32" if network != "trained" else f"energy_{variant}_32"
            kept = energy[n, :, v, :, SPOKEN_RANK].mean(-1)  # (seed,)
            quantities[name] = over_seeds(kept, "", "energy in 32 axes on held-out text, mean over layers")
    for v, variant in enumerate(("before", "after")):
        quantities[f"shipped_energy_{variant}_32"] = computed(
            float(shipped[v, :, SPOKEN_RANK].mean()), "", "energy in 32 axes, mean over layers"
        )
        for percent in (90, 99):
            needed = [_axes_for(energy[0, s, v].mean(0), percent / 100) for s in range(energy.shape[1])]
            name = f"axes_for_{percent}_{variant}"
            quantities[name] = over_seeds(needed, "", f"axes that keep {percent} % of the energy, mean over layers")
    at = RANKS.index(SPOKEN_RANK)
    for c, cut in enumerate(("before", "after", "random")):
        quantities[f"added_loss_{cut}_32"] = over_seeds(
            added[:, c, at], "nat/token", "loss added by cutting to 32 axes"
        )
        quantities[f"shipped_added_loss_{cut}_32"] = computed(
            float(shipped_added[c, at]), "nat/token", "loss added by cutting to 32 axes, shipped model"
        )
    return quantities


def _axes_for(energy: Tensor, share: float) -> int:
    return int((energy >= share).nonzero()[0])


def latent_rank_sweep(
    *, text: str = DEFAULT_TEXT, layer: int = 1, seed: int = 0, mha_source: str = "small_mha", device: str = "cpu"
) -> Trace:
    """Keys and values of a sentence, squeezed to r numbers a token and back, as r moves.

    ``layer`` is the one whose heat maps are kept (``kv``, ``reconstruction``, ``latent``); errors are there for all.
    """
    begin = time.perf_counter()
    model, _, ids, tokens = read_sentence(text, mha_source, device)
    if not 0 <= layer < model.cfg.num_hidden_layers:
        raise ExplainError(f"layer {layer} is not there; the model has layers 0 to {model.cfg.num_hidden_layers - 1}")
    _, axes, _ = spectra(model.cpu(), shipping.data())
    kv = {name: values[:, 0].double() for name, values in stacked_kv(model, ids.cpu()).items()}  # (layer, token, F)
    arrays, errors = {}, []
    for name, plain in (("kv", "reconstruction"), ("kv_rotated", "reconstruction_rotated")):
        arrays[name] = named(kv[name][layer].float(), "token", "feature", token=tokens)
        back = [_project(kv[name][layer], axes[name][layer], rank) for rank in SHOWN_RANKS]
        shown = tuple(map(str, SHOWN_RANKS))
        arrays[plain] = named(torch.stack(back).float(), "rank", "token", "feature", rank=shown, token=tokens)
        errors.append((1 - kept_energy(kv[name], axes[name])).clamp_min(0).sqrt())
    pairs = torch.stack([kv[name][:, :, :2] for name in VARIANTS])  # the pair of the first key that RoPE turns fastest
    arrays["first_pair"] = named(pairs.float(), "variant", "layer", "token", "coordinate", token=tokens)
    energy = torch.stack([kept_energy(kv[name], axes[name]) for name in VARIANTS])  # (variant, layer, F + 1)
    latent = kv["kv"][layer] @ axes["kv"][layer]
    arrays["latent"] = named(latent.float(), "token", "component", token=tokens)
    error = torch.stack(errors)  # (variant, layer, F + 1)
    every = tuple(map(str, range(error.shape[-1])))
    variants = tuple(VARIANTS.values())
    arrays["error"] = named(error, "variant", "layer", "rank", variant=variants, rank=every)
    arrays["energy"] = named(energy, "variant", "layer", "rank", variant=variants, rank=every)
    quantities = {"tokens": computed(len(tokens), "token", "tokens of the sentence")}
    quantities["energy"] = computed(
        float(energy[0, layer, SPOKEN_RANK]), "", f"energy in {SPOKEN_RANK} axes before RoPE, the layer shown"
    )
    quantities["features"] = computed(error.shape[-1] - 1, "", "keys and values of all heads, one token in one layer")
    quantities["layer"] = computed(layer, "", "layer shown, counted from 0")
    for rank in (8, 16, 32, 64):
        for v, variant in enumerate(("before", "after")):
            formula = f"‖kv − its projection on {rank} axes‖ / ‖kv‖ of the layer shown"
            quantities[f"error_{variant}_{rank}"] = computed(float(error[v, layer, rank]), "", formula)
    params = {"text": text, "layer": layer, "mha_source": mha_source}
    return Trace("latent_rank_sweep", arrays, quantities, params, seed, device, versions(begin))


def _project(rows: Tensor, axes: Tensor, rank: int) -> Tensor:
    kept = axes[:, :rank]
    return rows @ kept @ kept.T
