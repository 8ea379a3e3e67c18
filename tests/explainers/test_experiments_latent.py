"""Runs on one sentence: what they say is what the model computes, and another sentence says something else."""

import numpy as np
import pytest
import torch

from explainers import runs
from explainers.errors import ExplainError
from explainers.experiments.decoding import cache_held, decode_work
from explainers.experiments.latent import mla_sentence
from explainers.experiments.routing import routing, teams_within_groups
from explainers.model import load_shipped
from explainers.moe import GateConfig
from explainers.traces import Trace

RECORDED = ("mla_sentence", "decode_work", "cache_held", "routing")


@pytest.fixture(scope="module")
def sentence() -> Trace:
    return mla_sentence()


def test_keys_and_values_are_expanded_from_the_latent(sentence: Trace) -> None:
    model, _ = load_shipped("small")
    for layer, block in enumerate(model.blocks()):
        up = block.self_attn.kv_b_proj.weight.detach().numpy()
        c_kv = sentence["c_kv"].pick(layer=layer).values
        expanded = (c_kv @ up.T).reshape(len(c_kv), 4, -1)
        assert np.abs(expanded[..., :32] - sentence["k_nope"].pick(layer=layer).values).max() < 1e-3
        assert np.abs(expanded[..., 32:] - sentence["v"].pick(layer=layer).values).max() < 1e-3


def test_attention_rows_sum_to_one_and_never_look_ahead(sentence: Trace) -> None:
    attention = sentence["attention"].values
    assert np.allclose(attention.sum(-1), 1, atol=1e-5)
    assert np.abs(np.triu(attention, 1)).max() == 0


def test_absorbed_is_naive_to_rounding(sentence: Trace) -> None:
    assert sentence.quantity("relative_difference_float32").value < 1e-4
    assert sentence.quantity("relative_difference_float64").value < 1e-12
    assert sentence.quantity("difference_float64").value < sentence.quantity("difference_float32").value / 1e5


def test_bytes_and_work_follow_from_sizes(sentence: Trace) -> None:
    tokens = int(sentence.quantity("tokens"))
    assert int(sentence.quantity("latent_bytes")) == tokens * 4 * (32 + 16) * 4
    assert int(sentence.quantity("full_bytes")) == tokens * 4 * 4 * (32 + 16 + 32) * 4
    expansion = 2 * (tokens - 1) * 32 * 4 * (32 + 32)  # the latents of all earlier tokens through W_UK and W_UV, anew
    reexpanding, full, absorbed = sentence["flops"].values
    assert full == absorbed
    assert reexpanding - full == expansion


def test_another_sentence_gives_other_tensors(sentence: Trace) -> None:
    other = mla_sentence(text="Der Fluss vergisst die Stadt.")
    assert other.digest != sentence.digest
    assert other["c_kv"]["token"] != sentence["c_kv"]["token"]


@pytest.mark.parametrize("text", ["x", "漢字かな交じり文", "a\n\n\tb   c"])
def test_any_text_will_do(text: str) -> None:
    assert mla_sentence(text=text)["h"]["token"] >= 1


@pytest.mark.parametrize("function", [mla_sentence, decode_work, cache_held, routing])
def test_empty_text_is_refused(function: object) -> None:
    with pytest.raises(ExplainError, match="the text is empty"):
        function(text="  ")  # type: ignore[operator]


def test_work_with_and_without_a_cache() -> None:
    trace = decode_work(new_tokens=6)
    prompt = int(trace.quantity("prompt_tokens"))
    assert trace["tokens_read"].values.tolist() == [[prompt + n for n in range(6)], [prompt, 1, 1, 1, 1, 1]]
    assert trace["flops"].values[0, 0] == pytest.approx(trace["flops"].values[1, 0], rel=0.02)
    assert trace.quantity("last_step_ratio").value > 15
    with pytest.raises(ExplainError, match="new_tokens is 0"):
        decode_work(new_tokens=0)
    with pytest.raises(ExplainError, match="more than the model's"):
        decode_work(new_tokens=5000)


def test_caches_weigh_what_their_sizes_say() -> None:
    trace = cache_held(hidden_size=64, heads=4, head_dim=16, groups=2)
    assert trace["values_per_token"].values.tolist() == [128, 64, 32, 64 + 8]
    steps = np.diff(trace["bytes_held"].values, axis=1)
    assert (steps == steps[:, :1]).all()  # each token adds the same


def test_the_gate_step_by_step() -> None:
    trace = routing()
    scores, biased = trace["original_scores"].values, trace["biased_scores"].values
    assert np.allclose(biased - scores, trace["bias"].values[:, None], atol=1e-6)
    chosen = trace["indices"].values
    picked = np.take_along_axis(scores, chosen, axis=-1)
    weights = picked / picked.sum(-1, keepdims=True) * trace.quantity("scale").value
    assert np.allclose(weights, trace["weights"].values, atol=1e-5)
    allowed = np.repeat(trace["group_mask"].values, 4, axis=-1)
    assert np.take_along_axis(allowed, chosen, axis=-1).all()
    assert (np.isneginf(trace["masked_scores"].values) == ~allowed).all()
    assert trace["load"].values.sum() == chosen.size
    assert trace.quantity("choices_moved_by_bias").value > 0
    largest = np.abs(trace["combined"].values).max()
    assert trace.quantity("combination_error").value < 1e-5 * max(1.0, largest)


def test_what_is_computed_for_a_token_and_what_would_be_chosen_without_the_bias() -> None:
    trace = routing()
    without, chosen = trace["indices_unbiased"].values, trace["indices"].values
    moved = (np.sort(without) != np.sort(chosen)).any(-1)
    assert moved.sum() == trace.quantity("choices_moved_by_bias").value
    scores, mask = trace["original_scores"].values, trace["group_mask"].values
    inside = np.repeat(mask, scores.shape[-1] // mask.shape[-1], axis=-1)
    same_groups = np.take_along_axis(inside, without, axis=-1).all(-1)
    best = np.argsort(-np.where(inside, scores, -1), axis=-1)[..., : chosen.shape[-1]]
    assert same_groups.any() and (np.sort(best) == np.sort(without)).all(-1)[same_groups].all()
    width = trace.quantity("expert_width").value
    assert trace["expert_inner"]["neuron"] == trace["shared_inner"]["neuron"] == width
    assert trace["dense_inner"]["neuron"] == trace.quantity("dense_width").value
    at_work = trace["expert_inner"]["slot"] * width + trace["shared_inner"]["neuron"]
    assert at_work == trace.quantity("neurons_at_work").value == trace.quantity("dense_width").value


def test_teams_are_counted_by_trying_them_all() -> None:
    from itertools import combinations

    for gate in (GateConfig(8, 3, 4, 2), GateConfig(6, 2, 3, 1), GateConfig(6, 3, 1, 1)):
        size = gate.group_size
        teams = list(combinations(range(gate.n_routed_experts), gate.top_k))
        reachable = [team for team in teams if len({expert // size for expert in team}) <= gate.topk_group]
        assert teams_within_groups(gate) == len(reachable)


@pytest.mark.parametrize("name", RECORDED)
def test_the_record_is_what_is_computed(name: str) -> None:
    recorded = runs.get(name)
    fresh = runs.CATALOGUE[name].load()(**(dict(recorded.params) | {"seed": recorded.seed}))
    for array, values in recorded.arrays.items():
        again = fresh[array]
        assert again.axes == values.axes
        assert again.labels == values.labels
        if values.values.dtype.kind == "f":
            finite = np.isfinite(values.values)
            scale = max(1.0, float(np.abs(values.values[finite]).max()))
            assert np.allclose(again.values, values.values, atol=1e-4 * scale), array
        else:
            assert (again.values == values.values).all(), array


def test_a_model_without_latents_or_experts_is_refused(tmp_path: object) -> None:
    from dataclasses import replace

    from explainers import paths
    from explainers.layers import ModelConfig
    from explainers.model import Model
    from explainers.tokenizer import Tokenizer

    folder = Model(replace(ModelConfig(), attention="mqa", n_routed_experts=0, num_hidden_layers=1)).save(str(tmp_path))
    Tokenizer.load(paths.assets() / "models" / "small" / "tokenizer.json").save(folder / "tokenizer.json")
    with pytest.raises(ExplainError, match="has no latent attention"):
        mla_sentence(source=str(folder))
    with pytest.raises(ExplainError, match="has no experts"):
        routing(source=str(folder))
    with torch.no_grad(), pytest.raises(ExplainError, match="unknown source '/nowhere'"):
        mla_sentence(source="/nowhere")
