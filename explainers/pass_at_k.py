"""Scoring a model that answers differently each time: pass@k, majority vote, and how sure either number is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explainers.errors import ExplainError

Floats = NDArray[np.float64]


def pass_at_k(correct: NDArray[np.integer], samples: int, k: int) -> Floats:
    """The chance that at least one of ``k`` answers is right, per problem, without bias.

    Codex paper (2107.03374) eq. 1: 1 − C(n − c, k) / C(n, k) for n ``samples`` of which c are ``correct`` (N,),
    as the product 1 − ∏ (1 − k / i) for i from n − c + 1 to n, which does not overflow.
    """
    counts = np.asarray(correct)
    if not 1 <= k <= samples:
        raise ExplainError(f"pass@{k} cannot be estimated from {samples} samples; take k from 1 to {samples}")
    if counts.size and (counts.min() < 0 or counts.max() > samples):
        raise ExplainError(f"{counts.max()} correct of {samples} samples; a count lies between 0 and {samples}")
    table = np.array([1.0 - np.prod(1.0 - k / np.arange(samples - c + 1, samples + 1)) for c in range(samples + 1)])
    table[samples - k + 1 :] = 1.0  # fewer than k wrong answers: one of k is right for certain
    return table[counts]


def majority_at_k(
    answers: NDArray[np.integer], right: NDArray[np.integer], k: int, rng: np.random.Generator, draws: int = 200
) -> Floats:
    """The chance that the most frequent of ``k`` answers is right, per problem (cons@k, maj@k).

    Parameters
    ----------
    answers
        (N, n) digits; −1 for an answer that cannot be read, which has no vote.
    right
        (N,) the right digits.
    draws
        Subsets of ``k`` answers drawn without replacement. A tie counts as the chance of guessing among the tied.
    """
    count, samples = answers.shape
    if not 1 <= k <= samples:
        raise ExplainError(f"a vote of {k} cannot be taken from {samples} samples; take k from 1 to {samples}")
    total = np.zeros(count)
    subsets = 1 if k == samples else draws
    for _ in range(subsets):
        order = rng.random((count, samples)).argsort(axis=1)[:, :k]
        votes = (np.take_along_axis(answers, order, 1)[:, :, None] == np.arange(10)).sum(axis=1)  # (N, 10)
        most = votes.max(axis=1, keepdims=True)
        winners = (votes == most) & (most > 0)
        wins = np.take_along_axis(winners, right[:, None], 1)[:, 0]
        total += wins / np.maximum(winners.sum(axis=1), 1)
    return total / subsets


def bootstrap(
    per_problem: Floats, rng: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> tuple[float, float]:
    """The middle ``level`` of the mean's values when the problems (N,) are drawn again with replacement."""
    values = np.asarray(per_problem, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise ExplainError(f"a bootstrap needs one value a problem, not an array of shape {values.shape}")
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
