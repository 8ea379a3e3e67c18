from dataclasses import replace

import numpy as np
import pytest
import torch

from explainers import paths, runs
from explainers.errors import ExplainError
from explainers.experiments import grpo_group as group_module
from explainers.experiments import grpo_skill as skill_module
from explainers.experiments import mtp as mtp_module
from explainers.experiments import pass_at_k as samples_module
from explainers.experiments import quantisation as rounding_module
from explainers.experiments import reasoning as experiments
from explainers.model import load_shipped
from explainers.reasoning import MODES
from explainers.tasks import TOKENS
from explainers.traces import Trace

SMALL = {
    "width": 32, "layers": 1, "inner": 48, "supervised_steps": 8, "supervised_batch": 12, "questions": 4, "group": 8,
    "minibatches": 2, "check_problems": 8, "check_every": 2,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def small(tmp_path_factory):
    """Tiny trainings in a cache of their own: shapes and relations are tested here, effects in test_reasoning."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLAIN_CACHE", str(tmp_path_factory.mktemp("cache")))
        tiny = replace(experiments.THINKING, **SMALL)
        for module in (experiments, group_module, samples_module, skill_module):
            patch.setattr(module, "THINKING", tiny)
        patch.setattr(skill_module, "STARTS", (4, 8))
        patch.setattr(experiments, "NOISY", replace(experiments.NOISY, **SMALL))
        yield


def again(trace, tmp_path):
    return Trace.load(trace.save(tmp_path / "x.safetensors"))


def test_grpo_holds_curves_of_both_arms_and_examinations(tmp_path):
    trace = again(experiments.grpo(seeds=2, steps=4, problems=16), tmp_path)
    assert trace["accuracy"].shape == {"arm": 2, "seed": 2, "step": 4}
    assert trace["examination"].axes == ("seed", "model", "mode", "decoding", "measure")
    assert trace["examination"].labels["mode"] == MODES
    assert (trace["thinking"].pick(arm=1).values == 0).all()
    forced = trace["examination"].pick(mode=MODES.index("thinking forced"), measure=2).values
    assert (forced == 1).all()
    sampled = trace["examination"].pick(model=1, mode=0, decoding=0, measure=0).values
    assert trace.quantity("after_free_sampled").value == pytest.approx(sampled.mean(), abs=1e-6)
    assert trace.quantity("after_free_sampled").spread == pytest.approx(sampled.std(ddof=1), abs=1e-6)
    assert (np.diff(trace["pass_at_k"].values, axis=-1) >= -1e-9).all()
    assert trace["accuracy_by_operations"]["operations"] == experiments.THINKING.operations


def test_the_same_seed_gives_the_same_trace():
    one = experiments.grpo(seeds=1, steps=2, problems=8)
    two = experiments.grpo(seeds=1, steps=2, problems=8)
    assert one.digest == two.digest


def test_a_group_can_be_followed_token_by_token(tmp_path):
    trace = again(group_module.grpo_group(warm=2, updates=2), tmp_path)
    reward, advantage = trace["reward"].values, trace["advantage"].values
    expected = (reward - reward.mean()) / reward.std() if reward.std() > 0 else np.zeros_like(reward)
    np.testing.assert_allclose(advantage, expected, atol=1e-5)
    np.testing.assert_allclose(trace["reward_correct"].values + trace["reward_format"].values, reward, atol=1e-6)
    own = trace["own"].values
    assert np.abs(trace["ratio"].values[0][own] - 1).max() < 1e-4
    assert np.abs(trace["ratio"].values[1][own] - 1).max() > 1e-3
    ratio = trace["ratio"].values
    held = np.minimum(ratio * advantage[:, None], np.clip(ratio, 0.8, 1.2) * advantage[:, None]) * own
    np.testing.assert_allclose(trace["objective"].values, held, atol=1e-5)
    assert (trace["kl"].values >= -1e-7).all() and (trace["kl"].values[:, ~own] == 0).all()
    words = trace["vocabulary"].labels["token"]
    assert words == TOKENS
    for row, answer in zip(trace["token"].values, trace["token"].labels["sample"], strict=True):
        assert [words[i] for i in row if words[i] != "<pad>"] == answer.split()
    assert trace["ratio"].labels["moment"] == ("before", "after update 1", "after update 2")
    assert trace["running"].values[-1] in range(10) and trace["prompt"].labels["place"][-1] == "="


def test_the_checking_run_names_its_ceiling(tmp_path):
    trace = again(experiments.checking(seeds=2, steps=4, problems=8), tmp_path)
    assert trace.quantity("ceiling").value == pytest.approx(0.544, abs=0.001)
    assert trace.quantity("ceiling_rewriting").value == pytest.approx(0.942, abs=0.001)
    assert trace["greedy_fix_rate"].shape == {"seed": 2, "point": 3}
    assert trace["greedy_fix_rate"].labels["point"] == ("0", "2", "4")
    assert trace["rewrites"].shape == {"seed": 2, "step": 4}


def test_starts_of_growing_skill_are_told_apart(tmp_path):
    trace = again(skill_module.grpo_skill(seeds=2, steps=2, problems=8), tmp_path)
    assert trace["exam"].shape == {"start": 2, "seed": 2, "model": 2, "exam": 4}
    assert trace["exam"].labels["start"] == ("4", "8")
    mean = trace["exam"].values[1, :, 0, 3].mean()
    assert trace.quantity("thinking_before_8").value == pytest.approx(mean, abs=1e-6)


def test_scores_of_samples_have_intervals_that_hold_them(tmp_path):
    trace = again(samples_module.score_samples(seeds=2, steps=4, problems=12, samples=8), tmp_path)
    score, low, high = (trace[name].values for name in ("score", "low", "high"))
    assert trace["score"].labels["k"] == ("1", "2", "4", "8")
    assert ((low <= score + 1e-6) & (score <= high + 1e-6)).all()
    assert (np.diff(score[..., 0, :], axis=-1) >= -1e-6).all()
    np.testing.assert_allclose(score[..., 0, 0], trace["correct"].values.mean(-1) / 8, atol=1e-6)
    assert (trace["swing"].values[:, 0] >= trace["swing"].values[:, -1]).all()


def test_eight_bits_cost_little_and_blocks_of_v3_err_less_than_five_bit_exponents(tmp_path):
    trace = again(rounding_module.quantisation(windows=1, length=48), tmp_path)
    assert trace["loss"].labels["rounding"][0] == "float32"
    increase = {short: trace.quantity(f"loss_increase_{short}").value for short in ("bf16", "v3", "e5m2")}
    assert abs(increase["bf16"]) < 0.01 and abs(increase["v3"]) < 0.05
    errors = {short: trace.quantity(f"weight_error_{short}").value for short in ("bf16", "v3", "e5m2")}
    assert errors["bf16"] < 0.003 and 0.015 < errors["v3"] < 0.04 and errors["v3"] * 1.6 < errors["e5m2"]
    model, _ = load_shipped("small")
    assert not any("gate.weight" in name or "lm_head" in name for name in trace["weight_error"].labels["weight"])
    assert trace["e4m3_values"].values.max() == 448
    ids = torch.arange(12)[None]
    before = model(ids).logits
    rounding_module.quantisation(windows=1, length=16)
    assert torch.equal(before, model(ids).logits)


def test_guessing_ahead_saves_passes_and_the_trained_head_guesses_best(tmp_path):
    trace = again(mtp_module.mtp(prompts=1, prompt_tokens=16, count=16), tmp_path)
    guesses, accepted, passes = (trace[name].values for name in ("guesses", "accepted", "passes"))
    assert (passes == guesses + 1).all() and (accepted <= guesses).all()
    assert trace.quantity("acceptance_mtp_greedy").value > trace.quantity("acceptance_pairs_greedy").value
    assert 1 < trace.quantity("tokens_per_pass_mtp_greedy").value <= 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: experiments.grpo(seeds=0), "seeds is 0"),
        (lambda: group_module.grpo_group(updates=0), "updates is 0"),
        (lambda: samples_module.score_samples(samples=1), "samples is 1"),
    ],
)
def test_wrong_parameters_are_refused_early(call, message):
    with pytest.raises(ExplainError, match=message):
        call()


OURS = ("grpo", "grpo_group", "grpo_skill", "checking", "pass_at_k", "quantisation", "mtp")


@pytest.mark.parametrize("name", OURS)
def test_the_record_is_that_of_the_defaults(name):
    run = runs.CATALOGUE[name]
    assert run.recorded
    trace = Trace.load(paths.assets() / "runs" / f"{name}.safetensors")
    assert trace.run == name and dict(trace.params) == run.defaults()
    assert run.record().stat().st_size < 300_000
