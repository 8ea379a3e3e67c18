"""Short versions of the runs on V3.2's and V4's attention, and training with an indexer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explainers import recording, runs
from explainers.errors import ExplainError
from explainers.experiments.newer_attention import compression, indexer, trained
from explainers.sparse import indexer_loss, reading


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLAIN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def test_what_is_read() -> None:
    scores = torch.tensor([[[5.0, -torch.inf, -torch.inf, -torch.inf], [3.0, 9.0, 1.0, 2.0]]])
    assert reading(scores, 2, "chosen").tolist() == [[[True, False, False, False], [True, True, False, False]]]
    assert reading(scores, 2, "newest").tolist() == [[[True, False, False, False], [False, False, True, True]]]
    assert reading(scores, 2, "all").sum() == 5 and reading(scores, 2, "none").sum() == 0
    with pytest.raises(ExplainError, match="unknown way of reading 'some'"):
        reading(scores, 2, "some")


def test_indexers_loss_is_the_divergence() -> None:
    """KL by hand for one query, zero where the guess is the target, and no gradient into the attention."""
    probs = torch.tensor([[[[0.5, 0.25, 0.25]], [[0.1, 0.65, 0.25]]]], requires_grad=True)  # (1, 2, 1, 3)
    target = np.array([0.3, 0.45, 0.25])
    importance = torch.tensor([[[1.0, 2.0, 0.0]]], requires_grad=True)
    every = torch.ones(1, 1, 3, dtype=torch.bool)
    guess = np.exp([1.0, 2.0, 0.0]) / np.exp([1.0, 2.0, 0.0]).sum()
    loss = indexer_loss(importance, probs, every)
    assert loss.item() == pytest.approx(float((target * np.log(target / guess)).sum()), rel=1e-5)
    loss.backward()
    assert probs.grad is None and importance.grad is not None
    assert importance.grad.numpy()[0, 0] == pytest.approx(guess - target, abs=1e-6)
    assert indexer_loss(torch.tensor(np.log(target)).float()[None, None], probs, every).item() < 1e-6
    part = torch.tensor([[[True, True, False]]])
    share = target[:2] / target[:2].sum()
    expected = float((share * np.log(share / (guess[:2] / guess[:2].sum()))).sum())
    assert indexer_loss(importance, probs, part).item() == pytest.approx(expected, rel=1e-5)


def test_the_model_does_not_learn_from_the_indexer() -> None:
    training = trained("dsa", 0, 1, "cpu")
    model = training.model
    ids = torch.arange(40)[None]
    model.zero_grad()
    model(ids)
    torch.stack(list(model.index_losses())).mean().backward()
    moved = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert moved and all(".indexer." in name for name in moved)


@pytest.mark.parametrize("run", [indexer, compression])
def test_short(run: object) -> None:
    trace = run(steps=6, seeds=1, shown=40)  # type: ignore[operator]
    assert np.isfinite(trace["loss"].values).all()
    if trace.run == "indexer":
        assert (trace["chosen"].values.sum(-1) == np.minimum(np.arange(40) + 1, 16)).all()
        assert not np.triu(trace["chosen"].values, 1).any()
        held = trace["held"].values
        assert (held[..., 2] + 1e-6 >= held[..., :2].max(-1)).all()  # nothing holds more than the best
    else:
        assert np.allclose(trace["csa_share"].values.sum(-1), 1, atol=1e-5)
        assert np.allclose(trace["mass"].values.sum(-1), 1, atol=1e-5)
        ends = 4 * np.arange(1, 11)
        assert not trace["csa_chosen"].values[:, np.arange(40)[:, None] + 1 < ends].any()  # unfinished entries


@pytest.mark.parametrize("name", ["indexer", "compression"])
def test_records_are_of_the_defaults(name: str) -> None:
    assert runs.get(name).params == runs.CATALOGUE[name].defaults()


def test_the_record_shows_an_indexer_that_foresees() -> None:
    """What the notes say: far more of attention than the newest tokens hold, not more than there is to hold."""
    trace = runs.get("indexer")
    assert trace.quantity("held_newest").value + 0.1 < trace.quantity("held_indexer").value
    assert trace.quantity("held_indexer").value < trace.quantity("held_best").value


def test_attention_of_a_run_is_its_own() -> None:
    with pytest.raises(ExplainError, match="leave --attention out"):
        recording.make("indexer", attention="dsa")
    with pytest.raises(ExplainError, match="unknown attention 'sparse'"):
        recording.make("small", attention="sparse")
