"""Training of the small model: plain, repeatable, and able to go on after being killed anywhere.

Everything that a step needs is a function of the recipe, the step's number and the state on disk; a checkpoint is
written aside and moved into place. So a run that was killed and started again ends with the same weights as one that
was not, and the same recipe on the same machine gives the same weights (both tested).
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from explainers import paths
from explainers.batches import DOMAINS, Data
from explainers.devices import deterministic, resolve_device
from explainers.errors import ExplainError, one_of
from explainers.layers import ModelConfig
from explainers.model import Model, Output
from explainers.moe import expert_load, max_vio, sequence_balance_loss, update_bias
from explainers.optim import OPTIMIZERS, cosine, make_optimizers
from explainers.traces import write_aside

BALANCES = ("bias", "aux", "none")
#: States on disk older than this (seconds since 1970) are not taken up; ``explain train --again`` sets it to now.
ignore_states_before = 0.0
#: Changes when a change of this code changes what a recipe gives.
_VERSION = 1


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training gives.

    Parameters
    ----------
    steps, rows, length
        Optimiser steps, sequences a step (a multiple of four: one domain a row), tokens a sequence.
    optimizer, lr, warmup
        ``"muon"`` or ``"adamw"``; peak learning rate; steps of linear warm-up, then a cosine down to 5 %.
    balance
        ``"bias"``: the auxiliary-loss-free rule with ``bias_speed``, from step ``bias_from`` on. ``"aux"``: only the
        sequence-wise loss with ``aux_alpha``. ``"none"``: neither.
    mtp_weight
        λ of the multi-token-prediction loss, used where the model has that layer.
    dense_steps
        With an indexer (dsa, csa): steps in which attention reads everything and the indexer only learns to foresee
        it (V3.2's warm-up); None for a quarter of the steps.
    eval_every
        Steps between measurements on held-out text; the last step is always measured.
    seed
        Of weights and batches.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    steps: int = 300
    rows: int = 8
    length: int = 128
    optimizer: str = "muon"
    lr: float = 3e-3
    warmup: int = 20
    balance: str = "bias"
    bias_speed: float = 3e-3
    bias_from: int = 0
    aux_alpha: float = 1e-2
    mtp_weight: float = 0.3
    eval_every: int = 50
    seed: int = 0
    dense_steps: int | None = None

    def __post_init__(self) -> None:
        for what, value, known in (("balance", self.balance, BALANCES), ("optimizer", self.optimizer, OPTIMIZERS)):
            if value not in known:
                raise one_of(what, value, known)
        if self.steps < 1 or self.length < 2 or self.lr <= 0:
            raise ExplainError(f"steps {self.steps}, length {self.length}, lr {self.lr}: take at least 1, 2, above 0")
        if self.rows < 1 or self.rows % len(DOMAINS):
            raise ExplainError(f"rows is {self.rows}; give a multiple of {len(DOMAINS)}, one row for each domain")

    @property
    def dense_until(self) -> int:
        """The first step in which attention reads only what the indexer chose."""
        return self.steps // 4 if self.dense_steps is None else self.dense_steps

    @property
    def tokens(self) -> int:
        """Tokens seen in training."""
        return self.steps * self.rows * self.length

    def digest(self, data: Data) -> str:
        """Names this training on this text with this torch."""
        about = [_VERSION, _given(asdict(self)), data.digest, data.tokenizer.merges, torch.__version__]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:20]


def _given(about: dict[str, Any]) -> dict[str, Any]:
    """Without what is None, so that a new setting does not rename the trainings that do not use it."""
    return {
        name: _given(value) if isinstance(value, dict) else value for name, value in about.items() if value is not None
    }


@dataclass
class Record:
    """What was noted during a training; lists grow by one entry a step or a measurement."""

    loss: list[float] = field(default_factory=list)  # of each step, main head, nats a token
    mtp_loss: list[float] = field(default_factory=list)
    index_loss: list[float] = field(default_factory=list)  # KL of the indexers, nats a query, mean of layers
    load: list[Tensor] = field(default_factory=list)  # of each step: (L, E) int32 over the step's batch
    bias: list[Tensor] = field(default_factory=list)  # of each step: (L, E), after the step
    eval_step: list[int] = field(default_factory=list)  # steps done when it was measured
    validation: list[Tensor] = field(default_factory=list)  # (domain,) nats a token
    domain_load: list[Tensor] = field(default_factory=list)  # (domain, L, E) int32, held-out text
    seconds: float = 0.0


@dataclass(eq=False)
class Training:
    """A finished (or cut short) training."""

    recipe: Recipe
    model: Model
    record: Record
    data: Data

    @property
    def final_loss(self) -> float:
        """Validation loss at the end, mean over domains, nats a token."""
        return float(self.record.validation[-1].mean())

    def versions(self) -> dict[str, Any]:
        """What else decides the bits: Python (its library is the text), torch, and how long it took."""
        return {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "corpus": self.data.digest,
            "seconds": round(self.record.seconds, 1),
        }


def train(
    recipe: Recipe,
    data: Data,
    *,
    device: str = "cpu",
    folder: Path | None = None,
    checkpoint_every: int = 50,
    progress: str | None = None,
) -> Training:
    """Train, or go on training, or only read what was trained before.

    Parameters
    ----------
    folder
        Where the state is kept; by default in the cache, under the recipe's digest.
    checkpoint_every
        Steps between two states on disk.
    progress
        The name on the progress bar; None shows none.
    """
    device = resolve_device(device)
    folder = folder or paths.cache() / "training" / f"{recipe.digest(data)}-{device.partition(':')[0]}"
    state_path = folder / "state.pt"
    with one_thread():
        deterministic(recipe.seed)
        model = Model(recipe.model, recipe.seed).to(device)
        optimizers = make_optimizers(model, recipe.optimizer, recipe.lr)
        record, done = Record(), 0
        if state_path.is_file() and state_path.stat().st_mtime >= ignore_states_before:
            record, done = _restore(state_path, recipe, data, model, optimizers)
        bar = tqdm(
            total=recipe.steps, initial=done, desc=progress, disable=progress is None, unit="step", dynamic_ncols=True
        )
        while done < recipe.steps:
            begin = time.perf_counter()
            _set_rate(optimizers, recipe, done)
            model.set_reads("all" if done < recipe.dense_until else "chosen")
            _step(model, optimizers, recipe, data, done, record)
            done += 1
            if done % recipe.eval_every == 0 or done == recipe.steps:
                measure(model, data, recipe.length, record, done)
            record.seconds += time.perf_counter() - begin
            if done % checkpoint_every == 0 or done == recipe.steps:
                _checkpoint(state_path, recipe, data, model, optimizers if done < recipe.steps else [], record, done)
            bar.update()
            bar.set_postfix_str(f"loss {record.loss[-1]:.3f}", refresh=False)
        bar.close()
    return Training(recipe, model.eval(), record, data)


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, so that the order of sums, and with it every bit, does not depend on the load."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _set_rate(optimizers: list[torch.optim.Optimizer], recipe: Recipe, step: int) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = recipe.lr * cosine(step, recipe.steps, recipe.warmup)


def _step(
    model: Model, optimizers: list[torch.optim.Optimizer], recipe: Recipe, data: Data, step: int, record: Record
) -> None:
    """One optimiser step and what is noted of it."""
    inputs, targets = (part.to(model.device) for part in data.batch(recipe.seed, step, recipe.rows, recipe.length))
    mtp = recipe.model.num_nextn_predict_layers > 0
    output = model(inputs, mtp=mtp)
    main = token_loss(output.logits, targets)
    loss = main
    if mtp and output.mtp_logits is not None:
        ahead = token_loss(output.mtp_logits, targets[:, 1:])
        loss = loss + recipe.mtp_weight * ahead
        record.mtp_loss.append(ahead.item())
    if index_losses := list(model.index_losses()):
        foresight = torch.stack(index_losses).mean()
        loss = loss + foresight
        record.index_loss.append(foresight.item())
    moes = [moe for _, moe in model.moes()]
    if recipe.balance == "aux":
        for moe in moes:
            assert moe.routing is not None
            scores, indices = moe.routing.original_scores, moe.routing.indices
            rows = (inputs.shape[0], -1)
            loss = loss + sequence_balance_loss(
                scores.unflatten(0, rows), moe.gate_config.top_k, recipe.aux_alpha, indices.unflatten(0, rows)
            )
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
    record.loss.append(main.item())
    if not torch.isfinite(loss):
        raise ExplainError(f"the loss is {loss.item()} at step {step}; take a smaller learning rate than {recipe.lr}")
    if moes:
        _balance(model, recipe, record, moving=recipe.balance == "bias" and step >= recipe.bias_from)


@torch.no_grad()
def _balance(model: Model, recipe: Recipe, record: Record, *, moving: bool) -> None:
    """Note the loads of the step's batch and, where the bias rule holds, move the biases by them."""
    loads, biases = [], []
    for number, moe in model.moes():
        assert moe.routing is not None
        load = expert_load(moe.routing.indices, moe.gate_config.n_routed_experts)
        if moving:
            bias = moe.gate.e_score_correction_bias
            bias.copy_(update_bias(bias, load, recipe.bias_speed))
        if number < recipe.model.num_hidden_layers:
            loads.append(load.cpu())
            biases.append(moe.gate.e_score_correction_bias.cpu().clone())
    record.load.append(torch.stack(loads).int())
    record.bias.append(torch.stack(biases))


def token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy in nats a token: logits (B, S, V), targets (B, S)."""
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


@torch.no_grad()
def measure(model: Model, data: Data, length: int, record: Record, step: int) -> None:
    """Loss and expert loads on each domain's held-out windows."""
    losses, counts = [], []
    for domain in DOMAINS:
        inputs, targets = (part.to(model.device) for part in data.held_out(domain, length))
        output: Output = model(inputs)
        losses.append(token_loss(output.logits, targets).cpu())
        loads = []
        for number, moe in model.moes():
            if number < model.cfg.num_hidden_layers:
                assert moe.routing is not None
                loads.append(expert_load(moe.routing.indices, moe.gate_config.n_routed_experts).cpu().int())
        if loads:
            counts.append(torch.stack(loads))
    record.eval_step.append(step)
    record.validation.append(torch.stack(losses))
    if counts:
        record.domain_load.append(torch.stack(counts))


def violation(record: Record, window: int = 50) -> Tensor:
    """MaxVio of each layer over the last ``window`` steps' summed loads: (L,)."""
    return max_vio(torch.stack(record.load[-window:]).long().sum(0))


# ---------------------------------------------------------------------- state on disk
def _checkpoint(
    path: Path,
    recipe: Recipe,
    data: Data,
    model: Model,
    optimizers: list[torch.optim.Optimizer],
    record: Record,
    done: int,
) -> None:
    state = {
        "recipe": recipe.digest(data),
        "done": done,
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],  # none when nothing is left to do
        "record": asdict(record),
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_aside(path, buffer.getvalue())


def _restore(
    path: Path, recipe: Recipe, data: Data, model: Model, optimizers: list[torch.optim.Optimizer]
) -> tuple[Record, int]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        reason = str(error).splitlines()[0]
        raise ExplainError(f"the training state {path} is damaged ({reason}); delete it and train again") from error
    if state["recipe"] != recipe.digest(data):
        raise ExplainError(f"{path} belongs to another recipe; give another folder or delete it")
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=False):
        optimizer.load_state_dict(saved)
    return replace(Record(), **state["record"]), int(state["done"])
