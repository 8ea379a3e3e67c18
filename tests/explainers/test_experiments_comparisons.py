"""Comparisons are fair before they are interesting: sizes matched, seeds several, records as the recipes say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explainers import runs, shipping
from explainers.experiments import attention
from explainers.model import Model
from explainers.training import Training, train

STEPS, SEEDS = 24, (0, 1, 2)


def counts(recipe: object) -> tuple[int, int]:
    return Model(recipe.model).parameter_counts()  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", list(attention.KINDS))
def test_attentions_are_equal_in_parameters_and_differ_in_what_they_keep(kind: str) -> None:
    config = attention.matched_config(kind)
    assert Model(config).parameter_counts()[0] == pytest.approx(counts(attention._BASE)[0], rel=0.005)
    name, heads, rank = attention.KINDS[kind]
    width = 32
    kept = rank + config.qk_rope_head_dim if name == "mla" else 2 * heads * width
    assert config.cached_values == kept


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Training]]:
    """MHA and the smallest latent, dense, a few steps, three seeds."""
    data, folder = shipping.data(), tmp_path_factory.mktemp("short")
    base = replace(attention._BASE, steps=STEPS, rows=4, length=64, eval_every=STEPS)
    return {
        kind: [
            train(replace(base, model=attention.matched_config(kind), seed=seed), data, folder=folder / f"{kind}{seed}")
            for seed in SEEDS
        ]
        for kind in ("MHA", "MLA-8")
    }


def test_every_kind_learns_from_every_seed(short: dict[str, list[Training]]) -> None:
    guessing = np.log(1024)  # nats a token of a model that knows nothing of its vocabulary
    for kind, trainings in short.items():
        for training in trainings:
            assert training.final_loss < guessing - 0.8, f"{kind}, seed {training.recipe.seed}"


def test_a_latent_of_eight_keeps_up_with_full_attention_over_seeds(short: dict[str, list[Training]]) -> None:
    """What the record shows, in short: a tenth of the cache costs less than the seeds differ by, or nothing."""
    full, latent = (np.array([t.final_loss for t in short[kind]]) for kind in ("MHA", "MLA-8"))
    assert latent.mean() < full.mean() + 0.3


def test_the_records_say_what_they_compared() -> None:
    sparse, variants = runs.get("dense_sparse"), runs.get("attention_variants")
    assert sparse["loss"]["seed"] == variants["loss"]["seed"] == 3
    ends = sparse["loss"].values[:, :, -1].mean(1)
    assert float(sparse.quantity("loss_sparse")) == pytest.approx(ends[0], abs=1e-6)
    assert float(sparse.quantity("gain_at_equal_active")) == pytest.approx(ends[1] - ends[0], abs=1e-5)
    assert variants["cached_values"].values.tolist() == [256, 128, 64, 24, 32, 48, 80]
    best = variants["tuning"].values.argmin(1)
    rates = np.array(attention.RATES)
    assert variants["rate"].values == pytest.approx(rates[best])


def test_the_records_of_comparisons_ship() -> None:
    for name in ("dense_sparse", "attention_variants", "specialisation"):
        assert runs.CATALOGUE[name].recorded and Path(runs.CATALOGUE[name].record()).is_file()


def test_experts_know_more_of_the_domain_than_untrained_ones_with_every_seed() -> None:
    trace = runs.get("specialisation")
    trained, untrained = trace["information"].values[:, -1].mean(-1), trace["information_untrained"].values.mean(-1)
    assert len(trained) >= 3
    assert (trained > untrained + 0.1).all()
