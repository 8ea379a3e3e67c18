"""Speculative decoding with the multi-token-prediction head: guess one token further, check the guess for free.

The main model's pass over the text so far gives the next token; the MTP layer guesses the one after it. The next pass
reads both: if the guess is what the main model itself would have written, that pass has yielded two tokens (V3,
2412.19437, section 5.4.3). The text is the same as without guessing: exactly in greedy decoding, in distribution when
sampling (Leviathan and others, 2211.17192, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explainers.errors import ExplainError

#: Token ids (S,) → logits of the next token at every position (S, V), and the drafter's logits of the token after the
#: next at every position but the last (S − 1, V): position i has read token i + 1 too.
Reader = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Pass:
    """One pass of the main model: the guess that it checked (None: none), whether it stood, and what was written."""

    guess: int | None
    stands: bool
    written: tuple[int, ...]


@dataclass(frozen=True)
class Decoded:
    """Tokens written, passes of the main model they took, and of the guesses made how many stood; and every pass."""

    tokens: list[int]
    passes: int
    guesses: int
    accepted: int
    log: tuple[Pass, ...] = ()


def verify(target: Tensor, draft: Tensor, guess: int, generator: torch.Generator) -> tuple[bool, int]:
    """Keep the guess with probability min(1, p/q), else draw from the rest p − q: what is written follows p exactly.

    Parameters
    ----------
    target, draft
        p and q, probabilities (V,) of the main model and of the drafter.
    guess
        A token drawn from ``draft``.

    Returns
    -------
    Whether the guess stands, and the token to write.
    """
    if torch.rand((), generator=generator, dtype=torch.float64) * draft[guess] < target[guess]:
        return True, guess
    rest = (target - draft).clamp(min=0)
    return False, int(torch.multinomial(rest / rest.sum(), 1, generator=generator))


def probabilities(logits: Tensor, temperature: float) -> Tensor:
    """Softmax of logits (…, V) in float64, of their shape; temperature 0 puts everything on the largest."""
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).double()
    return (logits.double() / temperature).softmax(-1)


def draw(chances: Tensor, generator: torch.Generator) -> int:
    """One token from probabilities (V,)."""
    return int(torch.multinomial(chances, 1, generator=generator))


def decode(prompt: list[int], count: int, read: Reader, *, temperature: float = 0.0, seed: int = 0) -> Decoded:
    """Write ``count`` tokens after the prompt; every pass but the first checks a guess and yields one token or two.

    The guess is read from the hidden states of the pass before, so it costs one small layer; for plainness it is
    computed here in a reading of its own, which is not counted as a pass.
    """
    if not prompt or count < 1:
        raise ExplainError(f"a prompt of {len(prompt)} tokens and {count} to write; give at least one of each")
    generator = torch.Generator().manual_seed(seed)
    tokens, passes, guesses, accepted = list(prompt), 0, 0, 0
    end = len(prompt) + count
    guess, draft = None, torch.empty(0)
    log: list[Pass] = []
    while len(tokens) < end:
        before = len(tokens)
        logits, _ = read(torch.tensor(tokens if guess is None else [*tokens, guess]))
        passes += 1
        stands = guess is None
        if guess is not None:
            stands, token = verify(probabilities(logits[-2], temperature), draft, guess, generator)
            guesses += 1
            accepted += stands
            tokens.append(token)
        if stands and len(tokens) < end:  # what was read after a wrong guess is of no use
            tokens.append(draw(probabilities(logits[-1], temperature), generator))
        log.append(Pass(guess, guess is not None and stands, tuple(tokens[before:])))
        guess = None
        if len(tokens) < end:
            draft = probabilities(read(torch.tensor(tokens))[1][-1], temperature)
            guess = draw(draft, generator)
    return Decoded(tokens[len(prompt) :], passes, guesses, accepted, tuple(log))


def decode_plainly(prompt: list[int], count: int, read: Reader) -> Decoded:
    """The same greedily and without guesses: one pass a token."""
    tokens = list(prompt)
    for _ in range(count):
        tokens.append(int(read(torch.tensor(tokens))[0][-1].argmax()))
    return Decoded(tokens[len(prompt) :], count, 0, 0)
