"""Low rank: the geometry on known matrices, and the effect on a network trained for a moment and on the record."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from explainers import runs, shipping
from explainers.errors import ExplainError
from explainers.experiments import attention, low_rank
from explainers.experiments.latent_cut import latent_cut, training_axes
from explainers.exporting import CutModel
from explainers.layers import ModelConfig
from explainers.model import Model, load_shipped
from explainers.training import Training, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Training:
    """Two layers of MHA after 60 small steps: enough for the direction, not for the size."""
    model = ModelConfig(attention="mha", n_routed_experts=0, num_hidden_layers=2)
    recipe = replace(attention._BASE, model=model, steps=60, rows=4, warmup=5, eval_every=60)
    return train(recipe, shipping.data(), folder=tmp_path_factory.mktemp("mha"))


def test_axes_find_the_rank_of_a_matrix_that_has_one() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(1, 200, 3, generator=generator) @ torch.randn(1, 3, 20, generator=generator)
    axes, values = low_rank.principal_axes(rows)
    assert torch.allclose(values[0], torch.linalg.svdvals(rows[0].double()), atol=1e-4)
    energy = low_rank.kept_energy(rows, axes)[0]
    assert energy[0] == 0
    assert energy[3] == pytest.approx(1)
    assert energy[2] < 0.999


def test_keeping_everything_changes_nothing(trained: Training) -> None:
    _, axes, _ = low_rank.spectra(trained.model, trained.data)
    added = low_rank.loss_when_cut(trained.model, trained.data, axes, (256,), 0)
    assert added.abs().max() < 1e-4


def test_before_rope_is_cheaper_than_after_in_a_fresh_training(trained: Training) -> None:
    energy, axes, _ = low_rank.spectra(trained.model, trained.data)
    before, after = energy[:, :, 32].mean(-1)
    assert before > after + 0.02
    untrained = low_rank.spectra(Model(trained.model.cfg, 0), trained.data)[0][0, :, 32].mean()
    assert before > untrained
    added = low_rank.loss_when_cut(trained.model, trained.data, axes, (16,), 0)[:, 0]
    assert added[0] < 0.6 * added[1]
    assert added[0] < 0.6 * added[2]


def test_before_rope_is_cheaper_than_after_in_the_record() -> None:
    trace = runs.get("low_rank")
    before, after = trace.quantity("energy_before_32"), trace.quantity("energy_after_32")
    assert before.spread is not None and after.spread is not None
    assert before.value - after.value > 3 * (before.spread + after.spread)
    cuts = [trace.quantity(f"added_loss_{cut}_32").value for cut in ("before", "after", "random")]
    assert cuts[0] < 0.3 * min(cuts[1], cuts[2])
    assert before.value > trace.quantity("energy_untrained_before_32").value
    energy = trace["energy"].values
    assert np.allclose(energy[..., -1], 1, atol=1e-5)
    assert (np.diff(energy, axis=-1) > -1e-6).all()


def test_a_sentence_is_rebuilt_better_with_more_rank() -> None:
    trace = runs.get("latent_rank_sweep")
    error = trace["error"].values
    assert (np.diff(error, axis=-1) < 1e-9).all()
    assert error[..., -1].max() < 1e-6
    layer = int(trace.quantity("layer"))
    kv, back = trace["kv"].values, trace["reconstruction"].pick(rank=5)
    assert back.labels["token"] == trace["kv"].labels["token"]
    measured = np.linalg.norm(kv - back.values) / np.linalg.norm(kv)
    assert measured == pytest.approx(error[0, layer, low_rank.SHOWN_RANKS[5]], abs=1e-4)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match="low rank by construction"):
        low_rank.stacked_kv(Model(ModelConfig(num_hidden_layers=1)), torch.zeros(1, 4, dtype=torch.long))
    with pytest.raises(ExplainError, match="layer 9 is not there"):
        low_rank.latent_rank_sweep(layer=9)


@pytest.mark.parametrize("kind", attention.KINDS)
def test_models_that_are_compared_have_equal_parameters(kind: str) -> None:
    of_mha = Model(attention.matched_config("MHA")).parameter_counts()[0]
    assert Model(attention.matched_config(kind)).parameter_counts()[0] == pytest.approx(of_mha, rel=2e-3)


def test_a_cut_text_is_the_projection_that_the_film_shows() -> None:
    film = runs.get("latent_rank_sweep")
    cut = latent_cut(rank=16)
    layer, at = film.params["layer"], film["reconstruction"].labels["rank"].index("16")
    for way, name in enumerate(("reconstruction", "reconstruction_rotated")):
        np.testing.assert_allclose(cut["reconstruction"].values[way, layer], film[name].values[at], atol=1e-4)
    np.testing.assert_allclose(cut["energy"].values, film["energy"].values, atol=1e-6)


def test_a_text_cut_to_every_direction_is_read_as_the_whole() -> None:
    for turned in (False, True):
        trace = latent_cut(text="A line.", rank=256, turned=turned)
        np.testing.assert_allclose(trace["next_logits"].values[1], trace["next_logits"].values[0], atol=1e-3)
        assert trace.quantity("bytes_cut").value == trace.quantity("bytes_whole").value
    few = latent_cut(text="A line.", rank=2)
    assert np.abs(few["next_logits"].values[1] - few["next_logits"].values[0]).max() > 1
    assert few.quantity("bytes_cut").value * 128 == few.quantity("bytes_whole").value
    with pytest.raises(ExplainError, match="1 to 256"):
        latent_cut(rank=300)


@pytest.mark.parametrize("turned", [0, 1])
def test_the_exported_cut_is_the_run(turned: int) -> None:
    """As `explainers.exporting` writes it for a browser, here with torch."""
    model, tokenizer = load_shipped("small_mha")
    run = latent_cut(text="12 + 30 = 42", rank=24, turned=bool(turned))
    ids = torch.tensor([tokenizer.encode("12 + 30 = 42")])
    with torch.no_grad():
        whole, cut, *arrays = CutModel(model, training_axes())(ids, torch.tensor(24), torch.tensor(turned))
    np.testing.assert_allclose(torch.stack((whole, cut))[:, -1], run["next_logits"].values, atol=1e-4)
    for got, name in zip(arrays, ("kv", "coordinates", "reconstruction"), strict=True):
        np.testing.assert_allclose(got, run[name].values, atol=1e-4)
