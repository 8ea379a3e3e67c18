import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explainers.grpo import group_advantages, grpo_terms, kl_estimate

CLIP, BETA = 0.2, 0.04


def case(seed=0, answers=6, places=5, spread=0.5):
    rng = np.random.default_rng(seed)
    logp, old, reference = (-rng.random((answers, places)) - spread * rng.random((answers, places)) for _ in range(3))
    lengths = rng.integers(1, places + 1, answers)
    mask = np.arange(places) < lengths[:, None]
    return logp, old, reference, rng.normal(size=answers), mask


def by_hand(logp, old, reference, advantages, mask):
    """DeepSeekMath eq. 3 and 4, one token at a time."""
    total, clipped = 0.0, np.zeros(mask.shape, bool)
    for i in range(len(logp)):
        places = np.flatnonzero(mask[i])
        of_answer = 0.0
        for t in places:
            ratio = np.exp(logp[i, t]) / np.exp(old[i, t])
            held = min(max(ratio, 1 - CLIP), 1 + CLIP)
            clipped[i, t] = held * advantages[i] < ratio * advantages[i]
            odds = np.exp(reference[i, t]) / np.exp(logp[i, t])
            of_answer += min(ratio * advantages[i], held * advantages[i]) - BETA * (odds - np.log(odds) - 1)
        total += of_answer / len(places)
    return total / len(logp), clipped


@pytest.mark.parametrize("seed", range(4))
def test_objective_equals_an_independent_one(seed):
    numbers = case(seed)
    terms = grpo_terms(*map(torch.from_numpy, numbers), clip=CLIP, beta=BETA)
    expected, clipped = by_hand(*numbers)
    assert -terms.loss.item() == pytest.approx(expected, abs=1e-14)
    assert (terms.clipped.numpy() == clipped).all() and clipped.any()


def test_gradient_is_the_one_on_paper():
    """∂/∂log π of a token: r·A unless the clip holds it, less β(1 − π_ref/π); divided by |o| and by the answers."""
    logp, old, reference, advantages, mask = case(1)
    x = torch.tensor(logp, requires_grad=True)
    others = map(torch.from_numpy, (old, reference, advantages, mask))
    grpo_terms(x, *others, clip=CLIP, beta=BETA).loss.backward()
    _, clipped = by_hand(logp, old, reference, advantages, mask)
    push = np.exp(logp - old) * advantages[:, None] * ~clipped - BETA * (1 - np.exp(reference - logp))
    expected = -push * mask / mask.sum(1, keepdims=True) / len(logp)
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-14)


def test_the_first_update_has_ratio_one_and_no_clipping():
    logp, _, reference, advantages, mask = map(torch.from_numpy, case(2))
    terms = grpo_terms(logp, logp, reference, advantages, mask, clip=CLIP, beta=0.0)
    assert (terms.ratio == 1).all() and not terms.clipped.any()
    assert terms.loss.item() == pytest.approx(-advantages.mean().item(), abs=1e-14)


def test_tokens_outside_the_mask_do_not_count():
    logp, old, reference, advantages, mask = map(torch.from_numpy, case(3))
    elsewhere = torch.where(mask, logp, torch.full_like(logp, -9.0)).requires_grad_()
    one = grpo_terms(logp, old, reference, advantages, mask, clip=CLIP, beta=BETA)
    two = grpo_terms(elsewhere, old, reference, advantages, mask, clip=CLIP, beta=BETA)
    two.loss.backward()
    assert one.loss.item() == two.loss.item()
    assert (elsewhere.grad[~mask] == 0).all()


@given(st.lists(st.lists(st.floats(-5, 5), min_size=4, max_size=4), min_size=1, max_size=4))
def test_advantages_have_mean_zero_and_spread_one_or_are_zero(rewards):
    advantages = group_advantages(torch.tensor(rewards, dtype=torch.float64)).numpy()
    for row, reward in zip(advantages, rewards, strict=True):
        assert row.mean() == pytest.approx(0, abs=1e-9)
        assert row.std() == pytest.approx(1, abs=1e-9) or ((row == 0).all() and np.std(reward) < 1e-5)


def test_equal_rewards_teach_nothing():
    for value in (0.0, 1.1, -3.3):
        assert (group_advantages(torch.full((2, 16), value)) == 0).all()


def test_advantages_do_not_change_with_scale_or_shift_of_rewards():
    rewards = torch.tensor([[0.0, 0.1, 1.1, 1.1]], dtype=torch.float64)
    torch.testing.assert_close(group_advantages(rewards), group_advantages(3 * rewards + 2))


@given(st.floats(-20, 0), st.floats(-20, 0))
def test_kl_estimate_is_never_negative(logp, reference):
    assert kl_estimate(torch.tensor(logp, dtype=torch.float64), torch.tensor(reference, dtype=torch.float64)) >= 0


def test_kl_estimate_is_the_divergence_on_average():
    p = torch.rand(19, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).softmax(0)
    q = (3 * torch.rand(19, dtype=torch.float64, generator=torch.Generator().manual_seed(1))).softmax(0)
    exact = (p * (p / q).log()).sum()
    torch.testing.assert_close((p * kl_estimate(p.log(), q.log())).sum(), exact, atol=1e-14, rtol=0)
