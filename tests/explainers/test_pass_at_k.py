from itertools import combinations
from math import comb

import numpy as np
import pytest

from explainers.errors import ExplainError
from explainers.pass_at_k import bootstrap, majority_at_k, pass_at_k


@pytest.mark.parametrize("samples", [1, 2, 5, 7])
def test_estimator_counts_the_subsets_that_hold_a_right_answer(samples):
    for k in range(1, samples + 1):
        for correct in range(samples + 1):
            right = [True] * correct + [False] * (samples - correct)
            subsets = list(combinations(right, k))
            share = sum(any(subset) for subset in subsets) / len(subsets)
            assert pass_at_k(np.array([correct]), samples, k)[0] == pytest.approx(share, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_estimator_is_unbiased_where_the_plug_in_is_not(k):
    """On average over Binomial(n, p) counts it is 1 − (1 − p)^k exactly; 1 − (1 − c/n)^k is not."""
    samples, p = 10, 0.15
    counts = np.arange(samples + 1)
    weights = np.array([comb(samples, c) * p**c * (1 - p) ** (samples - c) for c in counts])
    truth = 1 - (1 - p) ** k
    assert weights @ pass_at_k(counts, samples, k) == pytest.approx(truth, abs=1e-12)
    if k > 1:
        assert abs(weights @ (1 - (1 - counts / samples) ** k) - truth) > 0.01


def test_large_counts_do_not_overflow():
    values = pass_at_k(np.array([0, 1, 5000, 10_000]), 10_000, 1000)
    assert values[0] == 0 and values[1] == pytest.approx(0.1) and values[2:] == pytest.approx([1.0, 1.0])


def test_majority_equals_enumeration_with_ties_shared():
    answers, right = np.array([[3, 3, 4, 4, 7, -1, 3]]), np.array([4])
    total = 0.0
    subsets = list(combinations(answers[0].tolist(), 3))
    for subset in subsets:
        votes = {digit: subset.count(digit) for digit in set(subset) - {-1}}
        winners = [digit for digit, count in votes.items() if count == max(votes.values())]
        total += (4 in winners) / len(winners)
    estimate = majority_at_k(answers, right, 3, np.random.default_rng(0), draws=20_000)[0]
    assert estimate == pytest.approx(total / len(subsets), abs=0.01)


def test_unreadable_answers_have_no_vote_and_all_unreadable_is_wrong():
    answers = np.array([[-1, -1, 5], [-1, -1, -1]])
    assert majority_at_k(answers, np.array([5, 0]), 3, np.random.default_rng(0)).tolist() == [1.0, 0.0]


def test_majority_of_one_is_pass_at_one():
    rng = np.random.default_rng(1)
    answers, right = rng.integers(0, 3, (40, 16)), rng.integers(0, 3, 40)
    counts = (answers == right[:, None]).sum(axis=1)
    voted = majority_at_k(answers, right, 1, np.random.default_rng(2), draws=4000)
    assert voted.mean() == pytest.approx(pass_at_k(counts, 16, 1).mean(), abs=0.01)


def test_bootstrap_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        low, high = bootstrap(rng.random(60) < 0.3, rng, draws=400)
        covered += low <= 0.3 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_bootstrap_narrows_with_more_problems():
    rng = np.random.default_rng(4)
    small = bootstrap((rng.random(50) < 0.5).astype(float), rng)
    large = bootstrap((rng.random(5000) < 0.5).astype(float), rng)
    assert (large[1] - large[0]) < 0.2 * (small[1] - small[0])


@pytest.mark.parametrize("k", [0, 9])
def test_k_outside_the_samples_is_an_error_that_names_it(k):
    with pytest.raises(ExplainError, match=f"pass@{k} cannot"):
        pass_at_k(np.array([1]), 8, k)
    with pytest.raises(ExplainError, match=f"vote of {k}"):
        majority_at_k(np.zeros((1, 8), int), np.array([1]), k, np.random.default_rng(0))


def test_more_correct_than_samples_is_an_error():
    with pytest.raises(ExplainError, match="9 correct of 8"):
        pass_at_k(np.array([9]), 8, 2)
