"""Balance, domains, density: the effect on short fresh trainings and on the records, the measures on known numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from explainers import runs, shipping
from explainers.experiments import balance, dense_sparse, specialisation
from explainers.layers import ModelConfig
from explainers.model import Model
from explainers.training import Training, train, violation

SHORT = replace(
    balance.BASE, model=ModelConfig(num_hidden_layers=2), steps=90, rows=4, length=64, warmup=5, bias_speed=1e-2,
    eval_every=90,
)  # fmt: skip


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Training]:
    folder = tmp_path_factory.mktemp("balance")
    return {
        kind: train(replace(SHORT, balance=kind), shipping.data(), folder=folder / kind) for kind in ("bias", "none")
    }


def test_the_bias_rule_balances_a_fresh_training(pair: dict[str, Training]) -> None:
    with_rule, without = (float(violation(pair[kind].record, 20).mean()) for kind in ("bias", "none"))
    assert with_rule < 0.5 * without
    assert without > 0.8


def test_the_bias_rule_balances_in_the_record() -> None:
    trace = runs.get("balance")
    rule, neither = trace.quantity("max_vio_bias_rule"), trace.quantity("max_vio_neither")
    assert rule.spread is not None and neither.spread is not None
    assert neither.value - rule.value > 3 * (rule.spread + neither.spread)
    assert neither.value > 2 * rule.value
    assert np.allclose(trace["load"].values.sum(-1), 1, atol=1e-5)
    assert trace["max_vio"].values.max() <= trace.quantity("max_vio_ceiling").value + 1e-6
    assert np.abs(trace["bias"].pick(mode=2).values).max() == 0


def test_windows_add_up_loads() -> None:
    loads = [torch.full((2, 3), step) for step in range(7)]
    summed = balance.windows(loads, 3)
    assert summed[:, 0, 0].tolist() == [0 + 1 + 2, 3 + 4 + 5]


def test_mutual_information_of_known_counts() -> None:
    alike = torch.ones(4, 16)
    apart = torch.block_diag(*[torch.ones(1, 4)] * 4)
    assert specialisation.mutual_information(alike) == pytest.approx(0)
    assert specialisation.mutual_information(apart) == pytest.approx(2)
    assert specialisation.mutual_information(apart * torch.tensor([[1], [50], [3], [9]])) == pytest.approx(2)


def test_what_tokens_alone_explain() -> None:
    tokens = torch.tensor([[0, 0, 1, 1], [2, 2, 3, 3]])  # two domains with tokens of their own
    experts = torch.tensor([[0, 0, 1, 1], [2, 2, 3, 3]]).reshape(1, 2, 4, 1)
    expected, of_token = specialisation.expected_from_tokens(tokens, experts, 4, 5)
    assert torch.equal(expected.long(), specialisation.counted(experts, 4))
    assert of_token[0].sum() == 8
    shared = torch.zeros(2, 4, dtype=torch.long)  # one token everywhere: identity explains nothing
    blind, _ = specialisation.expected_from_tokens(shared, experts, 4, 5)
    assert specialisation.mutual_information(blind)[0] == pytest.approx(0)


def test_experts_of_the_shipped_model_know_domains() -> None:
    data = shipping.data()
    model = Model.load(shipping.paths.assets() / "models" / "small")
    after = specialisation.mutual_information(specialisation.counted(specialisation.choices(model, data)[1], 16))
    before = specialisation.mutual_information(
        specialisation.counted(specialisation.choices(Model(model.cfg, 0), data)[1], 16)
    )
    assert after.mean() > before.mean() + 0.1


def test_what_is_compared_is_equal() -> None:
    recipes = dense_sparse.recipes(240)
    sizes = {kind: Model(recipe.model).parameter_counts() for kind, recipe in recipes.items()}
    total, active = sizes["sparse"]
    assert sizes["dense, equal active"][1] == pytest.approx(active, rel=2e-3)
    assert sizes["dense, equal total"][1] == pytest.approx(total, rel=2e-3)
    cut = recipes["dense, equal total and FLOPs"]
    assert sizes["dense, equal total and FLOPs"][1] * cut.tokens == pytest.approx(
        active * recipes["sparse"].tokens, rel=0.02
    )


def test_dropping_experts_puts_them_back(tmp_path: Path) -> None:
    model = Model(ModelConfig(num_hidden_layers=2))
    before = {name: values.clone() for name, values in model.state_dict().items()}
    one, routed = specialisation.cost_of_dropping(model, shipping.data())
    assert one.shape == (1, 16)
    assert routed.shape == (1,)
    assert all(torch.equal(before[name], values) for name, values in model.state_dict().items())
