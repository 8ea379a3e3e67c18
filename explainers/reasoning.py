"""Learning by checking: a small transformer imitates imperfect demonstrations, then improves by GRPO.

No answer is ever shown to it in the second stage: a rule reads what it wrote and says how much that was worth.
The stages resume from checkpoints (`explainers.stages`) and depend on settings, seed and device alone.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explainers.decoder import Decoder, DecoderConfig
from explainers.errors import ExplainError, one_of
from explainers.grpo import Terms, group_advantages, grpo_terms
from explainers.optim import Muon
from explainers.sampling import Answers, Manner, answer_log_probs, write
from explainers.stages import Curves, Stage, stage_path
from explainers.tasks import PAD, THINK, TOKENS, Problems, Reading, Recipe, demonstrations, make_problems, read_all

#: Part of every checkpoint's name; raise it when a change of the code changes what settings and seed give.
_VERSION = 2
#: First numbers of the random streams; the same seed never serves two purposes.
_WEIGHTS, _DEMONSTRATIONS, _QUESTIONS, _WRITING, _CHECK = range(5)

FREE, FORCED, FORBIDDEN = "free", "thinking forced", "thinking forbidden"
MODES = (FREE, FORCED, FORBIDDEN)


@dataclass(frozen=True)
class Settings:
    """Everything that decides a training, but for seed and device.

    The supervised stage mixes chains of 1 to ``operations`` operations; the reinforced one asks for
    ``operations`` only: ``questions`` × ``group`` answers a step, used once, in ``minibatches`` updates. Every
    ``save_every`` steps the state is stored.
    """

    operations: int = 6
    recipe: Recipe = field(default_factory=Recipe)
    manner: Manner = field(default_factory=Manner)
    width: int = 64
    layers: int = 2
    inner: int = 128
    supervised_steps: int = 450
    supervised_batch: int = 64
    supervised_lr: float = 5e-3
    steps: int = 100
    questions: int = 8
    group: int = 16
    minibatches: int = 4
    lr: float = 3e-4
    warmup: int = 5
    clip: float = 0.2
    beta: float = 0.02
    check_every: int = 10
    check_problems: int = 128
    save_every: int = 25

    def __post_init__(self) -> None:
        if self.group < 2:
            raise ExplainError(f"group is {self.group}; advantages are relative to a group, give at least 2")
        if self.manner.temperature != 1:
            raise ExplainError(f"temperature is {self.manner.temperature}; learning by checking samples at 1")
        if self.questions % self.minibatches:
            raise ExplainError(f"{self.questions} questions do not divide into {self.minibatches} minibatches")


def stream(*key: int) -> np.random.Generator:
    """Random numbers that depend on the key alone, so that a step can be repeated without the ones before it."""
    return np.random.default_rng(key)


def generator(device: torch.device | str, *key: int) -> torch.Generator:
    """The same for torch."""
    return torch.Generator(device).manual_seed(int(np.random.SeedSequence(key).generate_state(1)[0]))


def new_context(settings: Settings) -> int:
    """Room for the prompt and the longest answer, at least 48 tokens."""
    return max(2 * settings.operations + 2 + settings.manner.max_new, 48)


def new_model(settings: Settings, seed: int) -> Decoder:
    """Untrained, with weights that depend on the seed alone."""
    config = DecoderConfig(len(TOKENS), settings.width, settings.layers, 4, settings.inner, new_context(settings))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence((_WEIGHTS, seed)).generate_state(1)[0]))
        return Decoder(config)


# ---------------------------------------------------------------------- first stage: imitation
def supervised(settings: Settings, seed: int, device: str = "cpu") -> tuple[Decoder, Curves]:
    """Train by imitation (or load what was trained); the model and its loss per step in nats a learnt token."""
    model = new_model(settings, seed).to(device)
    optimizers = _optimizers(model, settings.supervised_lr)
    stage = Stage(stage_path("supervised", _identity(settings, seed, device, _FIRST_STAGE)), model, optimizers)

    def step(number: int) -> dict[str, float]:
        share = number / settings.supervised_steps
        for optimizer in optimizers:  # warm up, hold, then fall in a line over the second half
            for params in optimizer.param_groups:
                params["lr"] = settings.supervised_lr * min(1.0, (number + 1) / 40, 0.02 + 2 * (1 - share))
        return {"loss": _imitate(model, optimizers, settings, seed, number)}

    stage.run(f"imitation, seed {seed}", settings.supervised_steps, step, settings.save_every)
    return model, stage.curves


#: The settings that decide the supervised stage.
_FIRST_STAGE = (
    "operations",
    "recipe",
    "width",
    "layers",
    "inner",
    "supervised_steps",
    "supervised_batch",
    "supervised_lr",
)


def _identity(settings: Settings, seed: int, device: str, names: Sequence[str] = ()) -> dict[str, Any]:
    """What decides a stage's result: settings (the named ones), seed, kind of device, version of the code."""
    decisive = {name: value for name, value in asdict(settings).items() if name in (names or asdict(settings))}
    decisive.pop("save_every", None)
    context = new_context(settings)
    return {**decisive, "context": context, "seed": seed, "device": torch.device(device).type, "version": _VERSION}


def _optimizers(model: Decoder, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside, AdamW for embedding, head and gains."""
    inside = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name and "head" not in name]
    chosen = {id(p) for p in inside}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    muon = Muon(inside, lr=lr)
    return [muon, torch.optim.AdamW(rest, lr=lr, betas=(0.9, 0.95), weight_decay=0.0)]


def _imitate(
    model: Decoder, optimizers: Sequence[torch.optim.Optimizer], settings: Settings, seed: int, number: int
) -> float:
    rng = stream(_DEMONSTRATIONS, seed, number)
    chain = int(rng.integers(1, settings.operations + 1))
    problems = make_problems(rng, settings.supervised_batch, chain)
    written, learnt = demonstrations(rng, problems, settings.recipe)
    device = model.embed.weight.device
    arrays = (problems.prompts(settings.operations), written, learnt)
    prompts, answers, mask = (torch.from_numpy(array).to(device) for array in arrays)
    logp = _gather(answer_log_probs(model, prompts, answers), answers, mask)
    loss = -logp.sum() / mask.sum()
    _descend(model, optimizers, loss)
    return loss.item()


def _gather(scores: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
    """Scores (N, T, V) of the written tokens (N, T), zero outside the mask (where they may be −∞)."""
    return torch.where(mask, scores.gather(2, tokens[..., None])[..., 0], 0.0)


def _descend(model: nn.Module, optimizers: Sequence[torch.optim.Optimizer], loss: Tensor) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()


# ---------------------------------------------------------------------- second stage: checking
@dataclass(frozen=True, eq=False)
class Group:
    """The answers to Q questions, G to each, and what they were worth: ``rewards`` and ``advantages`` (Q, G)."""

    problems: Problems
    prompts: Tensor
    answers: Answers
    readings: list[Reading]
    rewards: Tensor
    advantages: Tensor

    def minibatch(self, part: int, parts: int) -> tuple[Tensor, Answers, Tensor]:
        """Prompts (n, P) of each answer, answers (n, T) and advantages (n,) of one of ``parts`` equal shares."""
        size = len(self.readings) // parts
        rows = slice(part * size, (part + 1) * size)
        prompts = self.prompts.repeat_interleave(self.rewards.shape[1], dim=0)[rows]
        longest = int((self.answers.tokens[rows] != PAD).sum(dim=1).max())
        answers = Answers(*(a[rows, :longest] for a in (self.answers.tokens, self.answers.logp, self.answers.own)))
        return prompts, answers, self.advantages.flatten()[rows]


def sample_groups(model: Decoder, settings: Settings, seed: int, number: int) -> Group:
    """Ask the questions of one step, let the model answer, check the answers."""
    device = model.embed.weight.device
    problems = make_problems(stream(_QUESTIONS, seed, number), settings.questions, settings.operations)
    prompts = torch.from_numpy(problems.prompts(settings.operations)).to(device)
    answers = write(model, prompts, settings.manner, settings.group, generator(device, _WRITING, seed, number))
    readings = read_all(problems, answers.tokens.cpu().numpy(), settings.recipe.checked)
    rewards = torch.tensor([reading.reward for reading in readings], device=device).view(-1, settings.group)
    return Group(problems, prompts, answers, readings, rewards, group_advantages(rewards))


def policy_terms(
    model: Decoder, reference: Decoder, batch: tuple[Tensor, Answers, Tensor], settings: Settings
) -> tuple[Terms, Tensor]:
    """The GRPO terms of a minibatch under ``model``, and its entropy (n, T) in nats; zero where it did not choose."""
    prompts, answers, advantages = batch
    scores = answer_log_probs(model, prompts, answers.tokens, settings.manner.banned)
    with torch.no_grad():
        entropy = torch.special.entr(scores.exp()).sum(dim=-1) * answers.own
        fixed = answer_log_probs(reference, prompts, answers.tokens, settings.manner.banned)
    logp, anchor = (_gather(s, answers.tokens, answers.own) for s in (scores, fixed))
    terms = grpo_terms(logp, answers.logp, anchor, advantages, answers.own, clip=settings.clip, beta=settings.beta)
    return terms, entropy


def reinforce(
    settings: Settings, seed: int, device: str = "cpu", start: Settings | None = None
) -> tuple[Decoder, Curves]:
    """Improve the supervised model by GRPO (or load what was improved).

    Parameters
    ----------
    start
        Settings of the supervised stage where they differ (the arm that may not think starts from the same model).

    Returns
    -------
    The model, and the curves of `measure` and the update: one value a step of ``reward_mean``, ``reward_std`` (within
    groups), ``kl`` and ``entropy`` (nats a token), ``clip_fraction``, ``accuracy`` …; ``greedy_…`` on fixed problems
    every ``check_every`` steps, from before the first to after the last.
    """
    model, _ = supervised(start or settings, seed, device)
    reference = copy.deepcopy(model).eval().requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr, betas=(0.9, 0.95), weight_decay=0.0)
    about = _identity(settings, seed, device) | {"start": _identity(start or settings, seed, device, _FIRST_STAGE)}
    stage = Stage(stage_path("grpo", about), model, [optimizer])

    def step(number: int) -> dict[str, float]:
        measures: dict[str, float] = {}
        if number % settings.check_every == 0:
            measures |= check(model, settings, seed)
        for params in optimizer.param_groups:
            params["lr"] = settings.lr * min(1.0, (number + 1) / settings.warmup)
        measures |= reinforce_step(model, reference, optimizer, settings, seed, number)
        return measures

    stage.run(f"checking, seed {seed}", settings.steps, step, settings.save_every)
    curves = {name: list(values) for name, values in stage.curves.items()}
    for name, value in check(model, settings, seed).items():
        curves[name].append(value)
    return model, curves


def update(
    model: Decoder,
    reference: Decoder,
    optimizer: torch.optim.Optimizer,
    batch: tuple[Tensor, Answers, Tensor],
    settings: Settings,
) -> tuple[Terms, Tensor]:
    """One step of the optimiser; the terms (G, T) and the entropy, a scalar, that it was made from."""
    terms, entropy = policy_terms(model, reference, batch, settings)
    _descend(model, [optimizer], terms.loss)
    return terms, entropy


def reinforce_step(
    model: Decoder, reference: Decoder, optimizer: torch.optim.Optimizer, settings: Settings, seed: int, number: int
) -> dict[str, float]:
    """Sample, check, and update once on each minibatch; what was measured on the way."""
    groups = sample_groups(model, settings, seed, number)
    tokens = kl = clipped = entropy = 0.0
    for part in range(settings.minibatches):
        batch = groups.minibatch(part, settings.minibatches)
        terms, uncertainty = update(model, reference, optimizer, batch, settings)
        tokens += batch[1].own.sum().item()
        kl += terms.kl.sum().item()
        clipped += terms.clipped.sum().item()
        entropy += uncertainty.sum().item()
    spread = groups.rewards.std(dim=1, correction=0)
    return {
        "reward_mean": groups.rewards.mean().item(),
        "reward_std": spread.mean().item(),
        "no_signal": (groups.advantages.abs().amax(dim=1) == 0).double().mean().item(),
        "kl": kl / tokens,
        "clip_fraction": clipped / tokens,
        "entropy": entropy / tokens,
        **measure(groups.readings),
    }


# ---------------------------------------------------------------------- measuring
def measure(readings: Sequence[Reading]) -> dict[str, float]:
    """Rates of a set of answers.

    Shares of the answers: ``accuracy``, ``readable``, ``thinking``. An answer on average: ``length`` in tokens,
    ``rewrites``. ``slip_rate``: wrong first tries a running result; ``fix_rate``: of those the share mended at once;
    ``needless``: of the rewrites the share where the result was right.
    """
    slips = sum(reading.slips for reading in readings)
    rewrites = sum(reading.rewrites for reading in readings)
    steps = sum(reading.steps for reading in readings)
    count = len(readings)
    return {
        "accuracy": sum(reading.correct for reading in readings) / count,
        "readable": sum(reading.readable for reading in readings) / count,
        "thinking": sum(reading.thought for reading in readings) / count,
        "length": sum(reading.length for reading in readings) / count,
        "rewrites": rewrites / count,
        "slip_rate": slips / steps if steps else 0.0,
        "fix_rate": sum(reading.fixed for reading in readings) / slips if slips else 0.0,
        "needless": sum(reading.needless for reading in readings) / rewrites if rewrites else 0.0,
    }


def in_mode(manner: Manner, mode: str, temperature: float = 1.0) -> Manner:
    """This manner with thinking left free, forced or forbidden, at a temperature."""
    if mode not in MODES:
        raise one_of("mode", mode, MODES)
    opening = (THINK,) if mode == FORCED else ()
    banned = (THINK,) if mode == FORBIDDEN else ()
    return replace(manner, opening=opening, banned=banned, temperature=temperature)


def examine(
    model: Decoder, problems: Problems, settings: Settings, manner: Manner, seed: int, group: int = 1
) -> tuple[list[Reading], np.ndarray]:
    """Answer held-out problems in this manner: readings and tokens (N·G, T)."""
    device = model.embed.weight.device
    prompts = torch.from_numpy(problems.prompts(settings.operations)).to(device)
    tokens = write(model, prompts, manner, group, generator(device, _CHECK, seed)).tokens.cpu().numpy()
    return read_all(problems, tokens, settings.recipe.checked), tokens


def held_out(count: int, operations: int) -> Problems:
    """Problems for examinations, the same for every seed and every model.

    Of the chains of six operations there are 10·9⁶ ≈ 5 million; a training meets some ten thousand of them.
    """
    return make_problems(stream(_CHECK), count, operations)


def check(model: Decoder, settings: Settings, seed: int) -> dict[str, float]:
    """Greedy answers to held-out problems, measured; names start with ``greedy_``."""
    problems = held_out(settings.check_problems, settings.operations)
    readings, _ = examine(model, problems, settings, replace(settings.manner, temperature=0.0), seed)
    return {f"greedy_{name}": value for name, value in measure(readings).items()}
