"""Who learns what: which experts serve which domain, how much of that is the token itself, what an expert is worth."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from explainers import shipping
from explainers.batches import DOMAINS, Data
from explainers.errors import ExplainError
from explainers.experiments.balance import balanced_trainings, moe_layers
from explainers.experiments.common import named, over_seeds, versions
from explainers.model import Model, load_shipped
from explainers.moe import expert_load
from explainers.quantities import Quantity, computed
from explainers.tokenizer import Tokenizer
from explainers.traces import Trace
from explainers.training import token_loss

_LENGTH = 256
_TOP = 8
#: A token must be seen this often to be listed as one of an expert's favourites.
_SEEN = 12


def mutual_information(counts: Tensor) -> Tensor:
    """I(row; column) in bits of joint counts (…, row, column), every row weighed alike: (…)."""
    counts = counts.double()
    joint = counts / counts.sum(-1, keepdim=True).clamp_min(1) / counts.shape[-2]
    independent = joint.sum(-1, keepdim=True) * joint.sum(-2, keepdim=True)
    return torch.where(joint > 0, joint * (joint / independent.clamp_min(1e-300)).log2(), 0.0).sum((-2, -1))


@torch.no_grad()
def choices(model: Model, data: Data) -> tuple[Tensor, Tensor]:
    """What each token of each domain's held-out text chose: tokens (domain, N) and experts (layer, domain, N, k)."""
    if not model.cfg.n_routed_experts:
        raise ExplainError("this model has no experts; take one with n_routed_experts above 0")
    tokens, experts = [], []
    for domain in DOMAINS:
        ids, _ = data.held_out(domain, _LENGTH)
        routings = model(ids, trace=True).routings
        tokens.append(ids.flatten())
        experts.append(torch.stack([routing.indices for routing in routings if routing is not None]))
    return torch.stack(tokens), torch.stack(experts, dim=1)


def counted(experts: Tensor, n_experts: int) -> Tensor:
    """Choices (layer, domain, N, k) → counts (layer, domain, expert)."""
    return torch.stack([torch.stack([expert_load(domain, n_experts) for domain in layer]) for layer in experts])


def expected_from_tokens(tokens: Tensor, experts: Tensor, n_experts: int, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Counts (layer, domain, expert) if a token's domain were forgotten and only its id decided; and p(expert | token).

    The mutual information of these counts is what token identity alone explains.
    """
    of_token = torch.zeros(experts.shape[0], vocabulary, n_experts, dtype=torch.float64)
    ids = tokens.flatten()
    for layer, chosen in enumerate(experts.flatten(1, 2)):  # (domain · N, k)
        for slot in range(chosen.shape[-1]):
            of_token[layer].index_put_(
                (ids, chosen[:, slot]), torch.ones(len(ids), dtype=torch.float64), accumulate=True
            )
    share = of_token / of_token.sum(-1, keepdim=True).clamp_min(1)
    frequency = torch.stack(
        [torch.bincount(row, minlength=vocabulary) for row in tokens]
    ).double()  # (domain, vocabulary)
    return torch.einsum("dv,lve->lde", frequency, share), of_token


@torch.no_grad()
def cost_of_dropping(model: Model, data: Data) -> tuple[Tensor, Tensor]:
    """Nats a token added when one expert answers nothing (layer, expert), and when all routed ones do (layer,)."""
    pairs = [data.held_out(domain, 128, 4) for domain in DOMAINS]
    inputs, targets = (torch.cat(part) for part in zip(*pairs, strict=True))

    def loss() -> float:
        return float(token_loss(model(inputs).logits, targets))

    whole, one, all_of_layer = loss(), [], []
    for number, moe in model.moes():
        if number >= model.cfg.num_hidden_layers:
            continue
        down = moe.experts.w2
        kept = down.clone()
        added = []
        for expert in range(len(down)):
            down[expert] = 0
            added.append(loss() - whole)
            down.copy_(kept)
        one.append(added)
        down.zero_()
        all_of_layer.append(loss() - whole)
        down.copy_(kept)
    return torch.tensor(one), torch.tensor(all_of_layer)


def favourite_tokens(of_token: Tensor) -> Tensor:
    """Ids (layer, expert, place) of the tokens that go to an expert most of the times they are seen."""
    seen = of_token.sum(-1, keepdim=True)
    share = torch.where(seen >= _SEEN, of_token / seen.clamp_min(1), -1.0)
    return share.topk(_TOP, dim=1).indices.transpose(1, 2)


def specialisation(*, first_seed: int = 0, seeds: int = 3, steps: int = 240, device: str = "cpu") -> Trace:
    """Expert × domain counts of the shipped model, and mutual information over the training of several seeds."""
    begin = time.perf_counter()
    data = shipping.data()
    model, tokenizer = load_shipped("small")
    n_experts = model.cfg.n_routed_experts
    tokens, experts = choices(model, data)
    counts = counted(experts, n_experts)
    expected, of_token = expected_from_tokens(tokens, experts, n_experts, model.cfg.vocab_size)
    untrained = [
        counted(choices(Model(model.cfg, s), data)[1], n_experts) for s in range(first_seed, first_seed + seeds)
    ]
    trainings = balanced_trainings(first_seed, seeds, steps, device)
    over_training = torch.stack(
        [torch.stack(t.record.domain_load) for t in trainings]
    )  # (seed, step, domain, layer, expert)
    information = mutual_information(over_training.transpose(2, 3))  # (seed, step, layer)
    one, routed = cost_of_dropping(model, data)
    layers = moe_layers(trainings[0])
    places = {"layer": layers, "domain": DOMAINS}
    steps_measured = tuple(map(str, trainings[0].record.eval_step))
    arrays = {
        "counts": named(counts, "layer", "domain", "expert", unit="", **places),
        "share": named((counts / counts.sum(-1, keepdim=True)).float(), "layer", "domain", "expert", unit="", **places),
        "information": named(
            information.float(), "seed", "step", "layer", unit="bit", step=steps_measured, layer=layers
        ),
        "information_shipped": named(mutual_information(counts), "layer", unit="bit", layer=layers),
        "information_from_tokens": named(mutual_information(expected), "layer", unit="bit", layer=layers),
        "information_untrained": named(
            mutual_information(torch.stack(untrained)), "seed", "layer", unit="bit", layer=layers
        ),
        "favourite": named(favourite_tokens(of_token), "layer", "expert", "place", layer=layers),
        "vocabulary": named(torch.arange(tokenizer.size), "token", token=_shown(tokenizer)),
        "drop_one": named(one, "layer", "expert", unit="nat/token", layer=layers),
        "drop_routed": named(routed, "layer", unit="nat/token", layer=layers),
    }
    params = {"first_seed": first_seed, "seeds": seeds, "steps": steps}
    quantities = _numbers(mutual_information(counts), mutual_information(expected), untrained, information)
    quantities["drop_one_largest"] = computed(
        float(one.max()), "nat/token", "loss added without the most needed expert"
    )
    quantities["drop_routed_smallest"] = computed(
        float(routed.min()), "nat/token", "loss added without a layer's routed experts"
    )
    quantities["drop_routed_largest"] = computed(
        float(routed.max()), "nat/token", "loss added without a layer's routed experts"
    )
    return Trace("specialisation", arrays, quantities, params, first_seed, device, versions(begin))


def _shown(tokenizer: Tokenizer) -> tuple[str, ...]:
    return tuple(tokenizer.display(token) for token in range(tokenizer.size))


def _numbers(shipped: Tensor, from_tokens: Tensor, untrained: list[Tensor], information: Tensor) -> dict[str, Quantity]:
    before = mutual_information(torch.stack(untrained)).mean(-1).tolist()
    return {
        "information_possible": computed(2.0, "bit", "log₂ of four domains"),
        "information_shipped": computed(
            float(shipped.mean()), "bit", "I(domain; expert), mean over layers, shipped model"
        ),
        "information_from_tokens": computed(
            float(from_tokens.mean()), "bit", "the same if the token's id alone decided, mean over layers"
        ),
        "information_untrained": over_seeds(before, "bit", "I(domain; expert) before training, mean over layers"),
        "information_trained": over_seeds(
            information[:, -1].mean(-1).tolist(), "bit", "I(domain; expert) after short trainings, mean over layers"
        ),
    }
