import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from explainers import reasoning
from explainers.errors import ExplainError
from explainers.reasoning import FORBIDDEN, FORCED, FREE, Settings, examine, held_out, in_mode, measure
from explainers.sampling import Manner
from explainers.stages import Stage
from explainers.tasks import PLUS, THINK, TIMES, Problems, Recipe, make_problems

TINY = Settings(
    operations=2, width=32, layers=1, inner=48, manner=Manner(max_new=12), supervised_steps=24, supervised_batch=16,
    steps=12, questions=4, group=4, minibatches=2, check_every=5, check_problems=16, save_every=4,
)  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "cache"))
    torch.set_num_threads(1)
    return tmp_path / "cache"


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(left, right):
    return all(torch.equal(left[name], right[name]) for name in left)


def test_a_training_is_decided_by_its_seed(monkeypatch, tmp_path):
    one, curves = reasoning.reinforce(TINY, 0)
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "other"))
    two, again = reasoning.reinforce(TINY, 0)
    three, _ = reasoning.reinforce(TINY, 1)
    assert same(weights(one), weights(two)) and curves == again
    assert not same(weights(one), weights(three))


@pytest.mark.parametrize("killed_at", [1, 6, 11])
def test_interrupted_and_run_again_ends_with_the_same_weights(monkeypatch, tmp_path, killed_at):
    whole, curves = reasoning.reinforce(TINY, 0)
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "other"))
    for name, at in (("_imitate", 2 * killed_at), ("reinforce_step", killed_at)):
        honest = getattr(reasoning, name)

        def dying(*args, at=at, honest=honest):
            if args[-1] == at:
                raise KeyboardInterrupt
            return honest(*args)

        monkeypatch.setattr(reasoning, name, dying)
        with pytest.raises(KeyboardInterrupt):
            reasoning.reinforce(TINY, 0)
        monkeypatch.setattr(reasoning, name, honest)
    resumed, again = reasoning.reinforce(TINY, 0)
    assert same(weights(whole), weights(resumed)) and curves == again


def test_killed_by_the_system_and_run_again_ends_with_the_same_weights(monkeypatch, tmp_path, cache):
    settings = replace(TINY, supervised_steps=150)
    whole, _ = reasoning.supervised(settings, 0)
    code = (
        "import torch; torch.set_num_threads(1)\n"
        "from explainers.reasoning import Settings, supervised\nfrom explainers.sampling import Manner\n"
        "from explainers.tasks import Recipe\n"
        f"supervised({settings!r}, 0)\n"
    )
    other = tmp_path / "other"
    child = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "EXPLAIN_CACHE": str(other)})
    deadline = time.monotonic() + 60
    while not list(other.rglob("*.pt")) and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the child ended before it could be killed"
    monkeypatch.setenv("EXPLAIN_CACHE", str(other))
    left = torch.load(next(other.rglob("*.pt")), weights_only=True)["done"]
    resumed, _ = reasoning.supervised(settings, 0)
    assert 0 < left < 150
    assert same(weights(whole), weights(resumed))


def test_a_finished_training_is_read_not_repeated(monkeypatch):
    model, curves = reasoning.reinforce(TINY, 0)
    monkeypatch.setattr(reasoning, "_imitate", None)
    monkeypatch.setattr(reasoning, "reinforce_step", None)
    again, read = reasoning.reinforce(TINY, 0)
    assert same(weights(model), weights(again)) and curves == read


def test_arms_share_the_supervised_start(monkeypatch):
    reasoning.supervised(TINY, 0)
    monkeypatch.setattr(reasoning, "_imitate", None)
    mute = replace(TINY, manner=replace(TINY.manner, banned=(THINK,)), steps=2)
    _, curves = reasoning.reinforce(mute, 0)
    assert curves["thinking"] == [0.0, 0.0]


def test_curves_have_one_value_a_step_and_the_first_step_starts_at_the_reference():
    _, curves = reasoning.reinforce(TINY, 0)
    assert {len(curves[name]) for name in ("kl", "reward_mean", "accuracy", "clip_fraction")} == {TINY.steps}
    assert len(curves["greedy_accuracy"]) == len(range(0, TINY.steps, TINY.check_every)) + 1
    assert curves["kl"][0] < 0.2 * max(curves["kl"])
    for name in ("accuracy", "readable", "thinking", "clip_fraction", "no_signal", "fix_rate", "needless"):
        assert all(0 <= value <= 1 for value in curves[name])


def test_a_damaged_checkpoint_is_named(cache):
    reasoning.supervised(TINY, 0)
    path = next(cache.rglob("supervised-*.pt"))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ExplainError, match=f"{path.name} cannot be read .*delete it"):
        reasoning.supervised(TINY, 0)


def test_a_loss_that_is_not_a_number_stops_the_training(tmp_path):
    stage = Stage(tmp_path / "x.pt", torch.nn.Linear(1, 1), [])
    with pytest.raises(ExplainError, match="loss is nan at step 0"):
        stage.run("test", 3, lambda step: {"loss": float("nan")})


def test_wrong_settings_are_refused_by_name():
    with pytest.raises(ExplainError, match="group is 1"):
        Settings(group=1)
    with pytest.raises(ExplainError, match="temperature is 0.5"):
        Settings(manner=Manner(temperature=0.5))
    with pytest.raises(ExplainError, match="8 questions do not divide into 3"):
        Settings(minibatches=3)
    with pytest.raises(ExplainError, match="unknown mode 'forsed'; did you mean"):
        in_mode(Manner(), "forsed")


def test_held_out_problems_are_the_same_for_everybody():
    one, two = held_out(8, 3), held_out(8, 3)
    assert (one.prompts() == two.prompts()).all()


SHORT = Settings(
    operations=3, width=64, layers=2, inner=128, manner=Manner(max_new=12), recipe=Recipe(thinking=0.5),
    supervised_steps=240, supervised_batch=48, supervised_lr=5e-3, steps=20, questions=8, group=16, minibatches=4,
    lr=6e-4, check_every=100, check_problems=8,
)  # fmt: skip


def few_facts(rng, count, operations):
    """Chains of + 1, + 2, + 3 and × 3 only: forty facts instead of ninety, learnt in seconds."""
    whole = make_problems(rng, count, operations)
    sums = whole.operations != TIMES
    return Problems(whole.start, np.where(sums, PLUS, TIMES), np.where(sums, (whole.operands - 1) % 3 + 1, 3))


def test_checking_teaches_to_think_and_not_to_reckon(monkeypatch):
    """Direction, two seeds: sampled accuracy up by a margin because thinking is chosen; the skill was there before."""
    monkeypatch.setattr(reasoning, "make_problems", few_facts)
    asked = held_out(200, SHORT.operations)
    for seed in range(2):
        start, _ = reasoning.supervised(SHORT, seed)
        end, curves = reasoning.reinforce(SHORT, seed)

        def rates(model, mode, temperature=1.0):
            return measure(examine(model, asked, SHORT, in_mode(SHORT.manner, mode, temperature), 0)[0])

        before, after = rates(start, FREE), rates(end, FREE)
        assert after["accuracy"] > before["accuracy"] + 0.25
        assert after["thinking"] > before["thinking"] + 0.2
        assert after["length"] > before["length"] + 1
        assert curves["entropy"][-1] < curves["entropy"][0]
        assert rates(start, FORCED, 0.0)["accuracy"] > 0.9
        assert rates(start, FORBIDDEN)["accuracy"] < 0.35
