"""Batches of token ids, each a function of seed and step alone, so that training can be taken up anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from explainers import corpus
from explainers.errors import ExplainError
from explainers.tokenizer import Tokenizer

DOMAINS = corpus.DOMAINS
#: Tokens from which a domain's validation windows are taken, evenly spaced over all of its held-out text.
_VALIDATION_WINDOWS = 8


@dataclass(frozen=True, eq=False)
class Data:
    """Encoded text: a vector of ids for each domain and part, and the bytes per token of its validation text."""

    train: dict[str, Tensor]
    validation: dict[str, Tensor]
    bytes_per_token: dict[str, float]
    digest: str
    tokenizer: Tokenizer

    def batch(self, seed: int, step: int, rows: int, length: int) -> tuple[Tensor, Tensor]:
        """Inputs and targets (rows, length) of a step; row *i* comes from domain *i* mod 4."""
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        windows = []
        for row in range(rows):
            ids = self.train[DOMAINS[row % len(DOMAINS)]]
            start = int(torch.randint(len(ids) - length, (1,), generator=generator))
            windows.append(ids[start : start + length + 1])
        window = torch.stack(windows)
        return window[:, :-1], window[:, 1:]

    def held_out(self, domain: str, length: int, windows: int = _VALIDATION_WINDOWS) -> tuple[Tensor, Tensor]:
        """Inputs and targets (windows, length) of a domain's validation text, the same in every run."""
        return _spaced(self.validation[domain], length, windows)

    def fitting(self, domain: str, length: int, windows: int = _VALIDATION_WINDOWS) -> tuple[Tensor, Tensor]:
        """The same from the training text: for fitting a basis that is judged on the held-out text."""
        return _spaced(self.train[domain], length, windows)


def _spaced(ids: Tensor, length: int, windows: int) -> tuple[Tensor, Tensor]:
    if len(ids) < length + 1:
        raise ExplainError(f"windows of {length} tokens do not fit into {len(ids)} tokens; take a shorter context")
    starts = torch.linspace(0, len(ids) - length - 1, windows).long().tolist()
    window = torch.stack([ids[start : start + length + 1] for start in starts])
    return window[:, :-1], window[:, 1:]


def train_tokenizer(text: corpus.Corpus, size: int = 1024) -> Tokenizer:
    """The tokenizer of the shipped model: learnt on a share of each domain's training text.

    English gets most, because the sentences that a viewer types are English; German and sums are so regular that
    equal shares would spend the vocabulary on them.
    """
    shares = {"code": 400_000, "English": 900_000, "German": 150_000, "sums": 40_000}
    return Tokenizer.train([text.text(domain)[:share] for domain, share in shares.items()], size)


@cache
def load_data(tokenizer: Tokenizer, seed: int = 0) -> Data:
    """The corpus, encoded; kept for the process."""
    text = corpus.build(seed)
    parts = {}
    for part in ("train", "validation"):
        parts[part] = {domain: torch.tensor(tokenizer.encode(text.text(domain, part))) for domain in DOMAINS}
    sizes = {d: len(text.text(d, "validation").encode()) / len(parts["validation"][d]) for d in DOMAINS}
    return Data(parts["train"], parts["validation"], sizes, text.digest, tokenizer)
