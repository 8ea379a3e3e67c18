from dataclasses import replace

import numpy as np
import pytest
import torch

from explainers.decoder import Cache, Decoder, DecoderConfig
from explainers.errors import ExplainError
from explainers.sampling import Manner, answer_log_probs, write
from explainers.tasks import END, PAD, THINK, TOKENS, UNTHINK, make_problems

PROMPTS = torch.from_numpy(make_problems(np.random.default_rng(0), 5, 3).prompts())


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Decoder(DecoderConfig(len(TOKENS), width=32, layers=2, heads=4, inner=48, context=32)).double()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "manner",
    [
        Manner(max_new=16),
        Manner(max_new=16, temperature=0.0),
        Manner(max_new=16, opening=(THINK,), pen=0.4),
        Manner(max_new=16, banned=(THINK,), temperature=1.7),
    ],
)
def test_with_a_cache_and_without_give_the_same_answers(model, manner):
    cached = write(model, PROMPTS, manner, 6, seeded())
    plain = write(model, PROMPTS, manner, 6, seeded(), cached=False)
    assert torch.equal(cached.tokens, plain.tokens) and torch.equal(cached.own, plain.own)
    torch.testing.assert_close(cached.logp, plain.logp, atol=1e-12, rtol=0)


def test_noted_log_probabilities_are_those_of_one_reading(model):
    manner = Manner(max_new=16, banned=(UNTHINK,), opening=(THINK,), pen=0.3)
    answers = write(model, PROMPTS, manner, 6, seeded(1))
    scores = answer_log_probs(model, PROMPTS.repeat_interleave(6, 0), answers.tokens, manner.banned)
    again = scores.gather(2, answers.tokens[..., None])[..., 0]
    torch.testing.assert_close(again[answers.own], answers.logp[answers.own], atol=1e-12, rtol=0)
    assert (answers.logp[~answers.own] == 0).all()


def test_forced_and_forbidden_tokens(model):
    forced = write(model, PROMPTS, Manner(max_new=12, opening=(THINK,)), 8, seeded())
    assert (forced.tokens[:, 0] == THINK).all() and not forced.own[:, 0].any()
    forbidden = write(model, PROMPTS, Manner(max_new=12, banned=(THINK, 3)), 8, seeded())
    assert not torch.isin(forbidden.tokens, torch.tensor([THINK, 3])).any()


def test_nothing_is_written_after_the_end_and_padding_is_never_chosen(model):
    answers = write(model, PROMPTS, Manner(max_new=12), 20, seeded(2))
    for tokens, own in zip(answers.tokens.tolist(), answers.own.tolist(), strict=True):
        length = tokens.index(END) + 1 if END in tokens else len(tokens)
        assert PAD not in tokens[:length] and set(tokens[length:]) <= {PAD}
        assert all(own[:length]) and not any(own[length:])


def test_the_pen_changes_results_in_thinking_only(model):
    manner = Manner(max_new=16, opening=(THINK,), pen=1.0)
    answers = write(model, PROMPTS, manner, 20, seeded(3))
    thinking = torch.ones(len(answers.tokens), dtype=torch.bool)
    for place in range(1, answers.tokens.shape[1]):
        token, own = answers.tokens[:, place], answers.own[:, place]
        results = thinking & (token < 10)
        assert not own[results].any()
        assert own[~results & (token != PAD)].all()
        thinking = (thinking | (token == THINK)) & (token != UNTHINK)
    assert answers.own.any()


def test_greedy_answers_are_the_likeliest_and_need_no_chance(model):
    manner = Manner(max_new=10, temperature=0.0)
    one, two = write(model, PROMPTS, manner, 1, seeded(0)), write(model, PROMPTS, manner, 1, seeded(9))
    assert torch.equal(one.tokens, two.tokens)
    scores = answer_log_probs(model, PROMPTS, one.tokens)
    assert torch.equal(scores.argmax(-1)[one.own], one.tokens[one.own])


def test_sampling_follows_the_distribution(model):
    answers = write(model, PROMPTS[:1], Manner(max_new=1), 20_000, seeded(4))
    share = torch.bincount(answers.tokens[:, 0], minlength=len(TOKENS)) / 20_000
    expected = answer_log_probs(model, PROMPTS[:1], torch.zeros(1, 1, dtype=torch.long))[0, 0].exp()
    assert (share - expected).abs().max() < 0.015


def test_too_long_answers_are_refused(model):
    with pytest.raises(ExplainError, match="do not fit a context of 32"):
        write(model, PROMPTS, Manner(max_new=40, banned=(END,)), 1, seeded())
    with pytest.raises(ExplainError, match="context of 32"):
        model(torch.zeros(1, 40, dtype=torch.long))
    with pytest.raises(ExplainError, match="max_new is 1"):
        Manner(max_new=1, opening=(THINK,))
    with pytest.raises(ExplainError, match="temperature -1"):
        replace(Manner(), temperature=-1)


def test_a_prompt_behind_a_filled_cache_is_refused(model):
    cache = Cache.empty(model.config, 1, model.embed.weight)
    model(PROMPTS[:1], cache)
    with pytest.raises(ExplainError, match="one token at a time"):
        model(PROMPTS[:1], cache)
