"""A gate of a published model's size before training: its counts and its groups."""

from __future__ import annotations

import numpy as np
import pytest

from explainers import configs, runs
from explainers.errors import ExplainError
from explainers.experiments.untrained_gate import gate_of


@pytest.mark.parametrize("model", ["v3", "v2"])
def test_every_token_keeps_to_the_published_counts(model: str) -> None:
    chosen = runs.get("untrained_gate", model=model)["chosen"].values
    size = {name: int(configs.quantity(f"{model}.{name}")) for name in ("routed_experts", "experts_per_token")}
    assert chosen.shape[1] == size["routed_experts"]
    assert (chosen.sum(axis=1) == size["experts_per_token"]).all()
    groups = chosen.reshape(len(chosen), int(configs.quantity(f"{model}.expert_groups")), -1).any(axis=2).sum(axis=1)
    assert groups.max() <= int(configs.quantity(f"{model}.expert_groups_kept"))
    assert len(np.unique(chosen, axis=0)) > len(chosen) / 2  # tokens go their own ways


def test_rules_are_those_of_the_papers() -> None:
    assert (gate_of("v3").scoring, gate_of("v3").topk_method) == ("sigmoid", "noaux_tc")
    assert (gate_of("v2").scoring, gate_of("v2").topk_method) == ("softmax", "group_limited_greedy")
    with pytest.raises(ExplainError, match="no experts in groups"):
        gate_of("llama_405b")


def test_seed_and_text_change_it() -> None:
    first = runs.get("untrained_gate")["chosen"]
    assert not np.array_equal(first.values, runs.get("untrained_gate", seed=1)["chosen"].values)
    other = runs.get("untrained_gate", text="Snow")["chosen"]
    assert len(other.values) == len(other.labels["token"]) < len(first.values)


def test_every_layer_has_a_gate_of_its_own() -> None:
    chosen = runs.get("untrained_layers")["chosen"]
    assert chosen.axes == ("layer", "token", "expert")
    assert len(chosen.values) == int(configs.quantity("v3.moe_layers"))
    assert (chosen.values.sum(axis=2) == int(configs.quantity("v3.experts_per_token"))).all()
    assert np.array_equal(chosen.values[0], runs.get("untrained_gate")["chosen"].values)
    assert len(np.unique(chosen.values[:, 0], axis=0)) == len(chosen.values)
