"""Training: the same weights from the same seed, also after being killed; balance, optimiser, errors."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from explainers import batches, training
from explainers.batches import Data
from explainers.errors import ExplainError
from explainers.layers import ModelConfig
from explainers.optim import Muon, cosine, make_optimizers, orthogonalise
from explainers.tokenizer import Tokenizer
from explainers.training import Recipe, train

SMALL = ModelConfig(
    vocab_size=300, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, kv_lora_rank=8, qk_nope_head_dim=8,
    qk_rope_head_dim=4, v_head_dim=8, intermediate_size=48, n_routed_experts=8, num_experts_per_tok=2, n_group=4,
    topk_group=2, moe_intermediate_size=16, max_position_embeddings=64, num_nextn_predict_layers=1,
)  # fmt: skip
RECIPE = Recipe(model=SMALL, steps=10, rows=4, length=24, warmup=2, eval_every=5)

#: Trains in a process of its own, slowly, so that it can be killed on the way.
KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_training as t
from explainers import training
step = training._step
def slow(*args):
    time.sleep(0.1)
    step(*args)
training._step = slow
training.train(t.RECIPE, t.made_up_data(), folder=Path({folder!r}), checkpoint_every=3)
"""


def made_up_data() -> Data:
    """Four domains of random ids with a pattern, so that there is something to learn."""
    generator = torch.Generator().manual_seed(9)
    parts = []
    for length in (4000, 1500):
        ids = [torch.randint(50 * d, 50 * d + 12, (length,), generator=generator) for d in range(4)]
        parts.append(dict(zip(batches.DOMAINS, ids, strict=True)))
    return Data(parts[0], parts[1], dict.fromkeys(batches.DOMAINS, 1.0), "made up", Tokenizer([]))


def same(one: training.Training, other: training.Training) -> bool:
    pairs = zip(one.model.state_dict().items(), other.model.state_dict().items(), strict=True)
    return all(name == again and torch.equal(values, others) for (name, values), (again, others) in pairs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> training.Training:
    return train(RECIPE, made_up_data(), folder=tmp_path_factory.mktemp("whole"))


def test_same_seed_same_weights(whole: training.Training, tmp_path: Path) -> None:
    again = train(RECIPE, made_up_data(), folder=tmp_path)
    assert same(whole, again)
    assert whole.record.loss == again.record.loss


def test_other_seed_other_weights(whole: training.Training, tmp_path: Path) -> None:
    assert not same(whole, train(replace(RECIPE, seed=1), made_up_data(), folder=tmp_path))


def test_killed_and_run_again_ends_with_the_same_weights(whole: training.Training, tmp_path: Path) -> None:
    script = KILLED.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(root)})
    state = tmp_path / "state.pt"
    deadline = time.monotonic() + 300
    while not state.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)  # somewhere between two states
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = torch.load(state, weights_only=True)["done"]
    assert 0 < done < RECIPE.steps
    resumed = train(RECIPE, made_up_data(), folder=tmp_path)
    assert same(whole, resumed)
    assert resumed.record.loss == whole.record.loss
    assert len(resumed.record.load) == RECIPE.steps


def test_a_finished_training_is_only_read(
    whole: training.Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(RECIPE, made_up_data(), folder=tmp_path)
    monkeypatch.setattr(training, "_step", lambda *_: pytest.fail("it trained again"))
    assert same(whole, train(RECIPE, made_up_data(), folder=tmp_path))


def test_states_can_be_left_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(RECIPE, steps=2)
    train(short, made_up_data(), folder=tmp_path)
    steps = []
    original = training._step
    monkeypatch.setattr(training, "_step", lambda *a: (steps.append(1), original(*a)))
    monkeypatch.setattr(training, "ignore_states_before", time.time() + 1)
    train(short, made_up_data(), folder=tmp_path)
    assert len(steps) == 2


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_it_learns(optimizer: str, tmp_path: Path) -> None:
    recipe = replace(RECIPE, steps=30, optimizer=optimizer, lr=1e-2)
    record = train(recipe, made_up_data(), folder=tmp_path).record
    assert record.loss[-1] < record.loss[0] - 1
    assert float(record.validation[-1].mean()) < 4.3  # ln 300 = 5.7 before, ln 48 = 3.87 when all is known


def test_what_is_noted(whole: training.Training) -> None:
    record = whole.record
    assert len(record.loss) == len(record.mtp_loss) == len(record.load) == len(record.bias) == RECIPE.steps
    tokens = RECIPE.rows * RECIPE.length * SMALL.num_experts_per_tok
    assert all(int(load.sum()) == tokens for load in record.load)
    assert record.eval_step == [5, 10]
    assert record.validation[0].shape == (4,)
    assert record.domain_load[0].shape == (4, 1, 8)


def test_the_bias_moves_against_the_load(whole: training.Training) -> None:
    load, bias = whole.record.load[0][0].double(), whole.record.bias[0][0]
    assert torch.equal(bias.sign(), (load.mean() - load).sign().float())
    assert bias.abs().max() == pytest.approx(RECIPE.bias_speed)


def test_the_bias_rests_until_it_is_told(tmp_path: Path) -> None:
    late = train(replace(RECIPE, bias_from=6), made_up_data(), folder=tmp_path).record
    assert late.bias[5].abs().max() == 0
    assert late.bias[6].abs().max() > 0
    none = train(replace(RECIPE, balance="none"), made_up_data(), folder=tmp_path / "none").record
    assert none.bias[-1].abs().max() == 0
    assert none.loss[:6] == late.loss[:6]


def test_the_auxiliary_loss_reaches_the_gates(tmp_path: Path) -> None:
    plain = train(replace(RECIPE, balance="none"), made_up_data(), folder=tmp_path / "a")
    aux = train(replace(RECIPE, balance="aux"), made_up_data(), folder=tmp_path / "b")
    assert not torch.equal(plain.model.model.layers[1].mlp.gate.weight, aux.model.model.layers[1].mlp.gate.weight)


def test_a_damaged_or_foreign_state_is_an_error(tmp_path: Path) -> None:
    train(replace(RECIPE, steps=2), made_up_data(), folder=tmp_path)
    with pytest.raises(ExplainError, match="another recipe"):
        train(RECIPE, made_up_data(), folder=tmp_path)
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(ExplainError, match="damaged") as raised:
        train(RECIPE, made_up_data(), folder=tmp_path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"balance": "biass"}, "did you mean bias"),
        ({"optimizer": "sgd"}, "unknown optimizer"),
        ({"rows": 6}, "multiple of 4"),
        ({"steps": 0}, "take at least 1"),
    ],
)
def test_recipes_that_cannot_be_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ExplainError, match=message):
        replace(RECIPE, **change)


def test_digest_names_the_recipe() -> None:
    data = made_up_data()
    assert RECIPE.digest(data) == replace(RECIPE).digest(data)
    assert RECIPE.digest(data) != replace(RECIPE, lr=1e-3).digest(data)


def test_batches_depend_on_seed_and_step_alone() -> None:
    data = made_up_data()
    first, again, later = data.batch(0, 5, 4, 16), data.batch(0, 5, 4, 16), data.batch(0, 6, 4, 16)
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], later[0])
    assert torch.equal(first[0][:, 1:], first[1][:, :-1])  # targets are the inputs, one further
    with pytest.raises(ExplainError, match="do not fit"):
        data.held_out("code", 5000)


@pytest.mark.parametrize("shape", [(3, 16, 40), (1, 40, 16), (2, 24, 36)])
def test_orthogonalise_keeps_directions_and_levels_strengths(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    strengths = torch.linalg.svdvals(orthogonalise(matrices))
    assert strengths.min() > 0.3
    assert strengths.max() < 1.3
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    aligned = torch.einsum("nir,nij,nrj->nr", left, orthogonalise(matrices), right)
    assert aligned.min() > 0.3


def test_muon_takes_matrices_and_adamw_the_rest() -> None:
    model = training.Model(SMALL)
    adamw, muon = make_optimizers(model, "muon", 1e-3)
    assert isinstance(muon, Muon)
    of_muon = {id(p) for group in muon.param_groups for p in group["params"]}
    names = {name for name, parameter in model.named_parameters() if id(parameter) in of_muon}
    assert "model.layers.1.mlp.experts.w1" in names
    assert not any("embed" in name or "lm_head" in name or "gate.weight" in name or "norm" in name for name in names)
    assert len(of_muon) + sum(len(g["params"]) for g in adamw.param_groups) == len(list(model.parameters()))


def test_cosine_warms_up_and_ends_low() -> None:
    shares = [cosine(step, 100, 10) for step in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert max(shares) == pytest.approx(1.0)
    assert shares[-1] < 0.06
    assert all(a >= b for a, b in zip(shares[10:], shares[11:], strict=False))
