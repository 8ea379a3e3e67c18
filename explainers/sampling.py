"""Writing answers with a `Decoder`: greedy or sampled, with forced or forbidden thinking, with a pen that slips."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explainers.decoder import Cache, Decoder
from explainers.errors import ExplainError
from explainers.tasks import END, PAD, THINK, UNTHINK


@dataclass(frozen=True)
class Manner:
    """How answers are written.

    Parameters
    ----------
    max_new
        Longest answer in tokens; an answer that is not ended by then is cut.
    temperature
        0 is greedy.
    opening
        Tokens that stand at the start of every answer and are not the model's choice (``<think>`` forces thinking).
    banned
        Tokens that cannot be chosen, in sampling and in training alike (``<think>`` forbids thinking).
    pen
        The chance that a running result, once chosen, is written as another digit. The model reads on from what
        is written.
    """

    max_new: int = 20
    temperature: float = 1.0
    opening: tuple[int, ...] = ()
    banned: tuple[int, ...] = ()
    pen: float = 0.0

    def __post_init__(self) -> None:
        if self.max_new <= len(self.opening):
            raise ExplainError(f"max_new is {self.max_new}; give more than the {len(self.opening)} opening tokens")
        if self.temperature < 0 or not 0 <= self.pen <= 1:
            raise ExplainError(f"temperature {self.temperature} and pen {self.pen}: give at least 0, and 0 to 1")


@dataclass(frozen=True)
class Answers:
    """N = Q·G answers of up to T tokens, the G answers of a prompt in consecutive rows.

    ``tokens`` (N, T) padded with ``<pad>``; ``own`` (N, T) marks the tokens that the model chose (neither opening, nor
    slipped by the pen, nor padding); ``logp`` (N, T) their log-probabilities under the policy that wrote them, else 0.
    """

    tokens: Tensor
    logp: Tensor
    own: Tensor


def policy(logits: Tensor, banned: tuple[int, ...] = ()) -> Tensor:
    """Log-probabilities (…, V) over the tokens that may be chosen; padding never may."""
    closed = torch.zeros(logits.shape[-1], dtype=torch.bool, device=logits.device)
    closed[[PAD, *banned]] = True
    return logits.masked_fill(closed, float("-inf")).log_softmax(dim=-1)


def answer_log_probs(model: Decoder, prompts: Tensor, answers: Tensor, banned: tuple[int, ...] = ()) -> Tensor:
    """Log-probabilities (N, T, V) of every token at every place of the answers (N, T) to prompts (N, P)."""
    logits = model(torch.cat((prompts, answers[:, :-1]), dim=1))
    return policy(logits[:, prompts.shape[1] - 1 :], banned)


@torch.no_grad()
def write(
    model: Decoder, prompts: Tensor, manner: Manner, group: int, generator: torch.Generator, cached: bool = True
) -> Answers:
    """``group`` answers to each prompt (Q, P).

    ``cached=False`` reads everything again for each token: the plain way, for comparison.
    """
    count, device = len(prompts) * group, prompts.device
    rows = torch.arange(count, device=device)  # answers still being written
    tokens = torch.full((count, manner.max_new), PAD, device=device)
    logp = torch.zeros(count, manner.max_new, dtype=model.embed.weight.dtype, device=device)
    own = torch.zeros(count, manner.max_new, dtype=torch.bool, device=device)
    read = prompts.repeat_interleave(group, dim=0)
    cache = None
    if cached:
        cache = Cache.empty(model.config, len(prompts), model.embed.weight)
        logits = model(prompts, cache)[:, -1].repeat_interleave(group, dim=0)
        cache = cache.repeated(group)
    thinking = torch.zeros(count, dtype=torch.bool, device=device)
    for place in range(manner.max_new):
        if not cached:
            logits = model(torch.cat((read[rows], tokens[rows, :place]), dim=1))[:, -1]
        if place < len(manner.opening):
            token = torch.full_like(rows, manner.opening[place])
        else:
            scores = policy(logits, manner.banned)
            chosen = _choose(scores, manner.temperature, generator)
            token, kept = _slip(chosen, thinking, manner.pen, generator)
            own[rows, place] = kept
            logp[rows, place] = scores.gather(1, chosen[:, None])[:, 0] * kept
        tokens[rows, place] = token
        thinking = (thinking | (token == THINK)) & (token != UNTHINK)
        going = (token != END).nonzero()[:, 0]
        if len(going) == 0 or place + 1 == manner.max_new:
            break
        if len(going) < len(rows):
            rows, thinking, token = rows[going], thinking[going], token[going]
            cache = cache.kept(going) if cache else None
        if cached:
            logits = model(token[:, None], cache)[:, 0]
    return Answers(tokens[:, : place + 1], logp[:, : place + 1], own[:, : place + 1])


def _choose(scores: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    if temperature == 0:
        return scores.argmax(dim=-1)
    return torch.multinomial((scores / temperature).softmax(dim=-1), 1, generator=generator)[:, 0]


def _slip(chosen: Tensor, thinking: Tensor, pen: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """What is written for what was chosen, and whether it is the same."""
    if pen == 0:
        return chosen, torch.ones_like(chosen, dtype=torch.bool)
    slips = thinking & (chosen < 10) & (torch.rand(chosen.shape, generator=generator, device=chosen.device) < pen)
    shift = torch.randint(1, 10, chosen.shape, generator=generator, device=chosen.device)
    return torch.where(slips, (chosen + shift) % 10, chosen), ~slips
