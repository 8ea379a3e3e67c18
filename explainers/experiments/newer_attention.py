"""V3.2's and V4's attention trained small: which tokens an indexer keeps, and what compressed entries keep."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from torch import Tensor

from explainers import shipping
from explainers.batches import DOMAINS, Data
from explainers.compressed import token_shares
from explainers.errors import ExplainError
from explainers.experiments.common import named, over_seeds, versions
from explainers.layers import ModelConfig
from explainers.model import Model
from explainers.model_config import with_attention
from explainers.quantities import Quantity, computed
from explainers.sparse import reading
from explainers.sparse_layers import CompressedAttention
from explainers.traces import NamedArray, Trace
from explainers.training import Recipe, Training, one_thread, token_loss, train

_BASE = Recipe(model=ModelConfig(n_routed_experts=0), lr=1.2e-2, length=128, eval_every=100)
#: What a trained indexer is compared with, as its layers call it, and in words.
READS = {"all": "everything", "chosen": "the indexer's choice", "newest": "the newest"}
WINDOWS = 4


def trained(attention: str, seed: int, steps: int, device: str, *, sparse: bool = True) -> Training:
    """The small model with dense feed-forward layers and this attention; not ``sparse``: the indexer never cuts."""
    recipe = replace(_BASE, model=with_attention(_BASE.model, attention), steps=steps, seed=seed)
    if not sparse:
        recipe = replace(recipe, dense_steps=steps)
    name = f"{attention}{'' if sparse else ' that reads everything'}, seed {seed}"
    return train(recipe, shipping.data(), device=device, progress=name)


@torch.no_grad()
def held_out_loss(model: Model, data: Data, reads: str, length: int) -> float:
    """Mean over domains of the held-out loss (nats a token) when attention reads this."""
    model.set_reads(reads)
    losses = []
    with one_thread():
        for domain in DOMAINS:
            inputs, targets = (part.to(model.device) for part in data.held_out(domain, length))
            losses.append(token_loss(model(inputs).logits, targets).item())
    model.set_reads("chosen")
    return sum(losses) / len(losses)


# ---------------------------------------------------------------------- V3.2
def attention_held(probs: Tensor, scores: Tensor, k: int) -> Tensor:
    """Share of attention that lies on k tokens: the indexer's, the newest, the best there are → (3,).

    probs (B, H, S, T) of attention that reads everything, scores (B, S, T) of the indexer. Only queries with more than
    k tokens to read count: before that nothing is left out.
    """
    target = probs.sum(1) / probs.shape[1]  # (B, S, T) rows sum to 1
    late = scores.isfinite().sum(-1) > k  # (B, S)
    best = target.masked_fill(~scores.isfinite(), -torch.inf)
    masks = (reading(scores, k, "chosen"), reading(scores, k, "newest"), reading(best, k, "chosen"))
    return torch.stack([(target * mask).sum(-1)[late].mean() for mask in masks])


@torch.no_grad()
def foresight(model: Model, data: Data, length: int) -> Tensor:
    """`attention_held` of each layer, mean over domains and windows: (layer, 3)."""
    model.set_reads("all")
    k = model.cfg.indexer.topk
    held = []
    for domain in DOMAINS:
        inputs, _ = data.held_out(domain, length, WINDOWS)
        layers = model(inputs.to(model.device), trace=True).layers
        held.append(torch.stack([attention_held(layer["attention"], layer["index_scores"], k) for layer in layers]))
    model.set_reads("chosen")
    return torch.stack(held).mean(0)


def indexer(
    *, domain: str = "English", shown: int = 64, first_seed: int = 0, seeds: int = 2, steps: int = 240,
    device: str = "cpu",
) -> Trace:  # fmt: skip
    """A lightning indexer trained with the small model: which tokens it keeps, and what leaving the others out costs.

    Beside it the same model whose attention reads everything to the end. ``held`` is the share of full attention that
    falls on as many tokens as the indexer keeps: on its choice, on the newest, on the best there are. The text that is
    shown is the beginning of a held-out window of ``domain``.
    """
    begin = time.perf_counter()
    if domain not in DOMAINS:
        raise ExplainError(f"unknown domain {domain!r}; known: {', '.join(DOMAINS)}")
    data = shipping.data()
    sparse = [trained("dsa", seed, steps, device) for seed in range(first_seed, first_seed + seeds)]
    full = [trained("dsa", seed, steps, device, sparse=False) for seed in range(first_seed, first_seed + seeds)]
    model = sparse[0].model
    losses = torch.tensor([[held_out_loss(t.model, data, r, _BASE.length) for t in sparse] for r in READS])
    full_losses = torch.tensor([t.final_loss for t in full])
    held = torch.stack([foresight(t.model, data, _BASE.length) for t in sparse])  # (seed, layer, way)
    arrays = shown_choice(model, data, domain, shown)
    ways = ("indexer", "newest", "best")
    arrays["held"] = named(held, "seed", "layer", "way", way=ways)
    arrays["loss"] = named(losses, "reads", "seed", unit="nat/token", reads=tuple(READS.values()))
    arrays["loss_full"] = named(full_losses, "seed", unit="nat/token")
    curve = torch.tensor([t.record.index_loss for t in sparse])
    every = max(1, min(10, steps))
    smooth = curve[:, : steps // every * every].unflatten(1, (-1, every)).mean(-1)
    labels = tuple(str((number + 1) * every) for number in range(smooth.shape[1]))
    arrays["index_loss"] = named(smooth, "seed", "step", unit="nat", step=labels)
    params = {"domain": domain, "shown": shown, "first_seed": first_seed, "seeds": seeds, "steps": steps}
    numbers = _indexer_numbers(model, losses, full_losses, held)
    return Trace("indexer", arrays, numbers, params, first_seed, device, versions(begin))


@torch.no_grad()
def shown_choice(model: Model, data: Data, domain: str, shown: int) -> dict[str, NamedArray]:
    """The indexer's scores and choice, and the attention that full reading would give, for one text."""
    ids = data.held_out(domain, shown)[0][:1].to(model.device)
    tokens = [data.tokenizer.display(token) for token in ids[0].tolist()]
    model.set_reads("all")
    full = model(ids, trace=True).layers
    model.set_reads("chosen")
    layers = model(ids, trace=True).layers

    def over_layers(traced: list[dict[str, Tensor]], name: str, *axes: str) -> NamedArray:
        values = torch.stack([layer[name][0] for layer in traced])
        return named(values, "layer", *axes, "query", "key", query=tokens, key=tokens)

    return {
        "chosen": over_layers(layers, "chosen"),
        "index_scores": over_layers(layers, "index_scores"),
        "attention": over_layers(layers, "attention", "head"),
        "full_attention": over_layers(full, "attention", "head"),
    }


def _indexer_numbers(model: Model, losses: Tensor, full: Tensor, held: Tensor) -> dict[str, Quantity]:
    k = model.cfg.indexer.topk
    words = "share of full attention on as many tokens as the indexer keeps, mean of layers, held-out text"
    means = held.mean(1)  # (seed, way)
    names = ("all", "chosen", "newest")
    numbers = {
        "kept": computed(k, "token", "index_topk of the trained model"),
        "index_heads": computed(model.cfg.indexer.n_heads, "", "heads of the indexer"),
        "loss_full": over_seeds(full.tolist(), "nat/token", "held-out loss of the model that reads everything"),
        "cached": computed(
            model.cfg.cached_values, "value", "latent, rope key and indexer key, one token in one layer"
        ),
        "length": computed(_BASE.length, "token", "tokens of a training text"),
    }
    for way, name in enumerate(("indexer", "newest", "best")):
        numbers[f"held_{name}"] = over_seeds(means[:, way].tolist(), "", f"{words}: {name}")
    for row, name in enumerate(names):
        about = f"held-out loss of the sparse model when it reads {READS[name]}"
        numbers[f"loss_{name}"] = over_seeds(losses[row].tolist(), "nat/token", about)
    return numbers


# ---------------------------------------------------------------------- V4
def compression(
    *, domain: str = "English", shown: int = 64, first_seed: int = 0, seeds: int = 2, steps: int = 240,
    device: str = "cpu",
) -> Trace:  # fmt: skip
    """V4's attention trained with the small model: what entries keep of their tokens, and what they are worth.

    ``share`` is how much each token counts in its entry (a mean over channels), layer by layer for the sparse and the
    heavily compressed layers; ``mass`` is where attention falls: on the window, on entries, on the sink.
    """
    begin = time.perf_counter()
    if domain not in DOMAINS:
        raise ExplainError(f"unknown domain {domain!r}; known: {', '.join(DOMAINS)}")
    data = shipping.data()
    small = [trained("csa", seed, steps, device) for seed in range(first_seed, first_seed + seeds)]
    full = [trained("mla", seed, steps, device) for seed in range(first_seed, first_seed + seeds)]
    ways = {"chosen": "window and chosen entries", "all": "window and every entry", "none": "window alone"}
    losses = torch.tensor([[held_out_loss(t.model, data, way, _BASE.length) for t in small] for way in ways])
    arrays = shown_entries(small[0].model, data, domain, shown)
    arrays["mass"] = named(
        torch.stack([masses(t.model, data) for t in small]),
        "seed",
        "layer",
        "place",
        place=("window", "entries", "sink"),
    )
    arrays["loss"] = named(losses, "reads", "seed", unit="nat/token", reads=tuple(ways.values()))
    arrays["loss_mla"] = named(torch.tensor([t.final_loss for t in full]), "seed", unit="nat/token")
    params = {"domain": domain, "shown": shown, "first_seed": first_seed, "seeds": seeds, "steps": steps}
    model = small[0].model
    numbers = {
        "csa_ratio": computed(model.cfg.csa_ratio or 0, "token", "tokens an entry of a sparse layer"),
        "hca_ratio": computed(model.cfg.hca_ratio or 0, "token", "tokens an entry of a heavily compressed layer"),
        "window": computed(model.cfg.sliding_window or 0, "token", "tokens of the sliding window"),
        "kept": computed(model.cfg.index_topk or 0, "", "entries that the indexer keeps"),
        "cached": computed(model.cfg.cached_values, "value", "one token in one layer, mean of layers, long text"),
        "cached_mla": computed(full[0].model.cfg.cached_values, "value", "latent and rope key, one token in one layer"),
        "parameters": computed(model.parameter_counts()[0], "param", "counted in the trained model"),
        "parameters_mla": computed(full[0].model.parameter_counts()[0], "param", "counted in the same model with MLA"),
        "loss_mla": over_seeds([t.final_loss for t in full], "nat/token", "held-out loss of the same model with MLA"),
    }
    for row, way in enumerate(ways):
        about = f"held-out loss when attention reads {ways[way]}"
        numbers[f"loss_{way}"] = over_seeds(losses[row].tolist(), "nat/token", about)
    return Trace("compression", arrays, numbers, params, first_seed, device, versions(begin))


@torch.no_grad()
def shown_entries(model: Model, data: Data, domain: str, shown: int) -> dict[str, NamedArray]:
    """For one text: each token's share in its entries, and which entries each token reads."""
    ids = data.held_out(domain, shown)[0][:1].to(model.device)
    tokens = [data.tokenizer.display(token) for token in ids[0].tolist()]
    traced = model(ids, trace=True).layers
    arrays: dict[str, NamedArray] = {"token": named(torch.arange(len(tokens)), "token", token=tokens)}
    for kind in ("csa", "hca"):
        shares, chosen, numbers = [], [], []
        for number, (block, notes) in enumerate(zip(model.blocks(), traced, strict=True)):
            attention = block.self_attn
            assert isinstance(attention, CompressedAttention)
            if attention.cfg.kind != kind or attention.compressor is None:
                continue
            shares.append(token_shares(notes["h"], attention.compressor.weights(), attention.cfg)[0].mean(-1))
            chosen.append(notes["chosen"][0])
            numbers.append(str(number))
        arrays[f"{kind}_share"] = named(torch.stack(shares), "layer", "entry", "slot", layer=numbers)
        arrays[f"{kind}_chosen"] = named(
            torch.stack(chosen), "layer", "query", "entry", layer=numbers, query=tokens
        )  # fmt: skip
    return arrays


@torch.no_grad()
def masses(model: Model, data: Data) -> Tensor:
    """Attention on window, entries and sink in each layer, mean over held-out text: (layer, 3)."""
    found = []
    for domain in DOMAINS:
        inputs, _ = data.held_out(domain, _BASE.length, WINDOWS)
        layers = model(inputs.to(model.device), trace=True).layers
        rows = []
        for layer in layers:
            near, whole = layer["attention"][..., : layer["kv"].shape[1]].sum(-1), layer["attention"].sum(-1)
            rows.append(torch.stack([near.mean(), (whole - near).mean(), (1 - whole).mean()]))
        found.append(torch.stack(rows))
    return torch.stack(found).mean(0)
