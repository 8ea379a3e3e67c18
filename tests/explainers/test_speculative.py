import pytest
import torch

from explainers.errors import ExplainError
from explainers.speculative import decode, decode_plainly, probabilities, verify

VOCABULARY = 5
TABLE = torch.randn(VOCABULARY, VOCABULARY, VOCABULARY, generator=torch.Generator().manual_seed(0)) * 2


def logits_of(ids):
    """A toy language model: the next token hangs on the last two."""
    before = torch.cat((torch.zeros(1, dtype=torch.long), ids[:-1]))
    return TABLE[before, ids]


def perfect(ids):
    return logits_of(ids), logits_of(ids)[1:]


def mistaken(ids):
    return logits_of(ids), -logits_of(ids)[1:]


def crude(ids):
    return logits_of(ids), TABLE.mean(0)[ids[1:]]


@pytest.mark.parametrize("read", [perfect, mistaken, crude])
@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_greedy_text_is_the_same_with_any_guesser(read, count):
    guessed, plain = decode([1, 2], count, read), decode_plainly([1, 2], count, read)
    assert guessed.tokens == plain.tokens and len(guessed.tokens) == count
    assert guessed.passes == guessed.guesses + 1
    assert count <= guessed.passes + guessed.accepted <= count + 1


def test_a_perfect_guesser_halves_the_passes_and_a_mistaken_one_saves_none():
    best, worst = decode([1, 2], 41, perfect), decode([1, 2], 41, mistaken)
    assert best.accepted == best.guesses and best.passes == 21
    assert worst.accepted == 0 and worst.passes == 41


def test_a_guess_changes_nothing_in_what_is_sampled():
    """Exactly: the chance of writing x is q(x)·min(1, p/q) + (chance of refusal) · rest(x) = p(x); here by counting."""
    generator = torch.Generator().manual_seed(1)
    p, q = (torch.rand(VOCABULARY, dtype=torch.float64, generator=generator).softmax(0) for _ in range(2))
    q = q**3 / (q**3).sum()
    written, stood, tries = torch.zeros(VOCABULARY, dtype=torch.float64), 0, 20_000
    guesses = torch.multinomial(q, tries, replacement=True, generator=generator)
    for guess in guesses.tolist():
        stands, token = verify(p, q, guess, generator)
        written[token] += 1
        stood += stands
    assert (written / tries - p).abs().max() < 0.015
    assert stood / tries == pytest.approx(torch.minimum(p, q).sum().item(), abs=0.015)


def test_sampled_text_follows_the_model():
    """Second token after (1, 2): its distribution is the model's, whatever the guesser says."""
    first = logits_of(torch.tensor([1, 2]))[-1].double().softmax(0)
    second = sum(first[t] * logits_of(torch.tensor([2, t]))[-1].double().softmax(0) for t in range(VOCABULARY))
    counts = torch.zeros(VOCABULARY, dtype=torch.float64)
    for seed in range(3000):
        counts[decode([1, 2], 2, crude, temperature=1.0, seed=seed).tokens[1]] += 1
    assert (counts / 3000 - second).abs().max() < 0.035


def test_temperature_zero_is_certain():
    chances = probabilities(torch.tensor([0.0, 2.0, 1.0]), 0.0)
    assert chances.tolist() == [0.0, 1.0, 0.0]


def test_nothing_to_write_is_an_error():
    with pytest.raises(ExplainError, match="prompt of 0 tokens and 3 to write"):
        decode([], 3, perfect)
