"""Guessing one token ahead: how often the multi-token-prediction head is right, and how many passes that saves."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from explainers import shipping
from explainers.batches import DOMAINS, Data
from explainers.errors import ExplainError
from explainers.experiments.common import named, versions
from explainers.model import Model, load_shipped
from explainers.quantities import Quantity, computed
from explainers.speculative import Decoded, Reader, decode, decode_plainly
from explainers.traces import NamedArray, Trace
from explainers.training import one_thread

DRAFTERS = ("MTP head", "pairs of tokens")
TEMPERATURES = (0.0, 1.0)


def mtp(
    *, prompts: int = 6, prompt_tokens: int = 24, count: int = 40, source: str = "small", device: str = "cpu"
) -> Trace:
    """Speculative decoding of held-out beginnings: with the MTP head, with a table of token pairs, without guessing.

    The table (the commonest token after each token of the training text) is what guessing costs no training at all.
    Greedy text is the same in all three ways (checked here); passes of the main model are counted.
    """
    begin = time.perf_counter()
    model, _ = load_shipped(source, device)
    if not model.cfg.num_nextn_predict_layers:
        raise ExplainError(f"the model {source!r} has no MTP layer; give one that has, such as small")
    data = shipping.data()
    readers = {"MTP head": mtp_reader(model), "pairs of tokens": pair_reader(model, data)}
    shape = (len(DRAFTERS), len(TEMPERATURES), len(DOMAINS), prompts)
    guesses, accepted, passes = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    with one_thread(), torch.no_grad():
        for domain_index, domain in enumerate(DOMAINS):
            beginnings, _ = data.held_out(domain, prompt_tokens, prompts)
            for number, ids in enumerate(beginnings.tolist()):
                plain = decode_plainly(ids, count, readers["MTP head"])
                for place, result in _decodings(readers, ids, count, number, plain):
                    at = (*place, domain_index, number)
                    guesses[at], accepted[at], passes[at] = result.guesses, result.accepted, result.passes
    arrays = {
        name: named(
            values, "drafter", "temperature", "domain", "prompt",
            drafter=DRAFTERS, temperature=("greedy", "sampled"), domain=DOMAINS,
        )
        for name, values in (("guesses", guesses), ("accepted", accepted), ("passes", passes))
    }  # fmt: skip
    params = {"prompts": prompts, "prompt_tokens": prompt_tokens, "count": count, "source": source}
    return Trace("mtp", arrays, _numbers(arrays, count), params, 0, device, versions(begin))


def _decodings(
    readers: dict[str, Reader], ids: list[int], count: int, seed: int, plain: Decoded
) -> list[tuple[tuple[int, int], Decoded]]:
    found = []
    for drafter, name in enumerate(DRAFTERS):
        for heat, temperature in enumerate(TEMPERATURES):
            result = decode(ids, count, readers[name], temperature=temperature, seed=seed)
            if temperature == 0 and result.tokens != plain.tokens:
                raise ExplainError(
                    f"greedy text with {name} differs from the plain one; speculative decoding is broken"
                )
            found.append(((drafter, heat), result))
    return found


def mtp_reader(model: Model) -> Reader:
    """The main head's logits and the MTP layer's."""

    def read(ids: Tensor) -> tuple[Tensor, Tensor]:
        output = model(ids[None].to(model.device), mtp=True)
        assert output.mtp_logits is not None
        return output.logits[0].cpu(), output.mtp_logits[0].cpu()

    return read


def pair_reader(model: Model, data: Data) -> Reader:
    """The main head's logits, and as a guess the token that most often follows the last one in the training text."""
    vocabulary = model.cfg.vocab_size
    counts = torch.zeros(vocabulary * vocabulary, dtype=torch.long)
    for ids in data.train.values():
        counts += torch.bincount(ids[:-1] * vocabulary + ids[1:], minlength=vocabulary * vocabulary)
    chances = (counts.view(vocabulary, vocabulary).double() + 1e-3).log()

    def read(ids: Tensor) -> tuple[Tensor, Tensor]:
        return model(ids[None].to(model.device)).logits[0].cpu(), chances[ids[1:]]

    return read


def _numbers(arrays: dict[str, NamedArray], count: int) -> dict[str, Quantity]:
    guesses, accepted, passes = (arrays[name].values for name in ("guesses", "accepted", "passes"))
    numbers = {"tokens": computed(count, "token", "written after each beginning, a setting")}
    for drafter, short in enumerate(("mtp", "pairs")):
        for heat, how in enumerate(("greedy", "sampled")):
            rate = accepted[drafter, heat].sum() / guesses[drafter, heat].sum()
            numbers[f"acceptance_{short}_{how}"] = computed(
                float(rate), "", f"guesses of the {DRAFTERS[drafter]} that stood, over guesses made, {how}"
            )
            numbers[f"tokens_per_pass_{short}_{how}"] = computed(
                float(count * passes[drafter, heat].size / passes[drafter, heat].sum()), "token",
                f"tokens written over passes of the main model, {DRAFTERS[drafter]}, {how}; 1 without guessing",
            )  # fmt: skip
    for index, domain in enumerate(DOMAINS):
        rate = accepted[0, 0, index].sum() / guesses[0, 0, index].sum()
        numbers[f"acceptance_{domain.lower()}"] = computed(float(rate), "", f"MTP guesses that stood, greedy, {domain}")
    return numbers
