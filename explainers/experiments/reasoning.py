"""Learning by checking, recorded: GRPO with and without thinking, one group under the lens, and learning to rewrite."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from explainers.decoder import Decoder
from explainers.errors import ExplainError
from explainers.experiments.common import named, over_seeds, versions
from explainers.pass_at_k import pass_at_k
from explainers.quantities import Quantity, computed
from explainers.reasoning import (
    FORBIDDEN,
    FORCED,
    FREE,
    MODES,
    Settings,
    examine,
    held_out,
    in_mode,
    measure,
    reinforce,
    supervised,
)
from explainers.sampling import Manner
from explainers.stages import Curves
from explainers.tasks import THINK, Recipe, ceiling
from explainers.traces import NamedArray, Trace
from explainers.training import one_thread

THINKING = Settings()
#: GRPO steps of the recorded trainings.
STEPS = 100
ARMS = ("may think", "may not think")
WHEN = ("before", "after")
_KS = (1, 2, 4, 8, 16, 32)
_LENGTHS = range(1, THINKING.operations + 1)
DECODINGS = {"sampled": 1.0, "greedy": 0.0}
MEASURES = ("accuracy", "readable", "thinking", "length", "rewrites", "slip_rate", "fix_rate", "needless")
#: What can be measured where nothing is written twice.
PLAIN = ("accuracy", "readable", "thinking", "length", "slip_rate")
UPDATES = ("reward_mean", "reward_std", "no_signal", "kl", "entropy", "clip_fraction")
#: The pen writes one running result in ten wrongly; demonstrations notice four in ten of those.
NOISY = Settings(
    recipe=Recipe(thinking=1.0, slip=0.0, checked=True, noticed=0.4, broken=0.05, pen=0.1),
    manner=Manner(pen=0.1),
    layers=3,
    supervised_steps=600,
)
_UNITS = {"length": "token", "kl": "nat/token", "entropy": "nat/token"}


def arm_settings(arm: str, steps: int) -> Settings:
    """Settings of an arm. ``may not think``: the thinking mark cannot be chosen, in asking and in learning."""
    settings = replace(THINKING, steps=steps)
    return settings if arm == ARMS[0] else replace(settings, manner=Manner(banned=(THINK,)))


def before_and_after(arm: str, steps: int, seed: int, device: str) -> tuple[Decoder, Decoder, Curves]:
    """The supervised model, the reinforced one, and the curves between them (from checkpoints where there are any)."""
    settings = arm_settings(arm, steps)
    start = replace(THINKING, steps=steps)
    before, _ = supervised(start, seed, device)
    after, curves = reinforce(settings, seed, device, start)
    return before, after, curves


def seeds_of(first_seed: int, seeds: int) -> range:
    """The seeds of a run, or an early error."""
    if seeds < 1:
        raise ExplainError(f"seeds is {seeds}; give at least 1")
    return range(first_seed, first_seed + seeds)


# ---------------------------------------------------------------------- grpo
def grpo(*, first_seed: int = 0, seeds: int = 3, steps: int = STEPS, problems: int = 256, device: str = "cpu") -> Trace:
    """GRPO on chains of six operations, with thinking allowed and forbidden; what it changed and what it did not.

    Curves of the answers written in training (256 a step, sampled), then examinations of the model before and after on
    ``problems`` held-out chains: free, with thinking forced and forbidden, sampled and greedy, by length of the chain,
    and the chance that one of k samples is right.
    """
    begin = time.perf_counter()
    chosen = seeds_of(first_seed, seeds)
    curves: dict[str, list[Curves]] = {arm: [] for arm in ARMS}
    exams, lengths, passed = [], [], []
    with one_thread():
        for seed in chosen:
            before, after, free = before_and_after(ARMS[0], steps, seed, device)
            _, mute, forbidden = before_and_after(ARMS[1], steps, seed, device)
            curves[ARMS[0]].append(free)
            curves[ARMS[1]].append(forbidden)
            exams.append(_examinations((before, after, mute), problems, seed))
            lengths.append(_by_length((before, after), problems, seed))
            passed.append(_passes((before, after), problems, seed))
    labels = tuple(map(str, chosen))
    arrays = {name: _curve(name, curves, labels) for name in (*PLAIN, *UPDATES)}
    models = (*WHEN, "after, without thinking")
    arrays["examination"] = named(
        torch.tensor(exams), "seed", "model", "mode", "decoding", "measure",
        seed=labels, model=models, mode=MODES, decoding=tuple(DECODINGS), measure=PLAIN,
    )  # fmt: skip
    arrays["accuracy_by_operations"] = named(
        torch.tensor(lengths), "seed", "model", "mode", "operations",
        seed=labels, model=WHEN, mode=(FORCED, FORBIDDEN), operations=tuple(map(str, _LENGTHS)),
    )  # fmt: skip
    arrays["pass_at_k"] = named(
        torch.tensor(np.array(passed)), "seed", "model", "mode", "k", seed=labels, model=WHEN, mode=(FREE, FORCED),
        k=tuple(map(str, _KS)),
    )  # fmt: skip
    params = {"first_seed": first_seed, "seeds": seeds, "steps": steps, "problems": problems}
    meta = versions(begin, **recipe_of(THINKING))
    return Trace("grpo", arrays, _grpo_numbers(arrays), params, first_seed, device, meta)


def recipe_of(settings: Settings) -> dict[str, Any]:
    """What a reader needs to repeat a training, for a trace's meta."""
    recipe = {name: value for name, value in vars(settings).items() if name not in ("recipe", "manner")}
    return {"settings": recipe, "demonstrations": vars(settings.recipe), "writing": vars(settings.manner)}


def _curve(name: str, curves: dict[str, list[Curves]], seeds: tuple[str, ...]) -> NamedArray:
    values = torch.tensor([[curve[name] for curve in curves[arm]] for arm in curves], dtype=torch.float32)
    return named(values, "arm", "seed", "step", unit=_UNITS.get(name, ""), arm=tuple(curves), seed=seeds)


def _examinations(models: tuple[Decoder, ...], problems: int, seed: int) -> list[Any]:
    """model × mode × decoding × measure."""
    asked = held_out(problems, THINKING.operations)
    return [
        [
            [
                _chosen(measure(examine(model, asked, THINKING, in_mode(THINKING.manner, mode, heat), seed)[0]))
                for heat in DECODINGS.values()
            ]
            for mode in MODES
        ]
        for model in models
    ]


def _chosen(measures: dict[str, float]) -> list[float]:
    return [measures[name] for name in PLAIN]


def _by_length(models: tuple[Decoder, ...], problems: int, seed: int) -> list[Any]:
    """Greedy accuracy, model × mode × operations."""

    def accuracy(model: Decoder, mode: str, operations: int) -> float:
        asked = held_out(problems, operations)
        return measure(examine(model, asked, THINKING, in_mode(THINKING.manner, mode, 0.0), seed)[0])["accuracy"]

    return [[[accuracy(model, mode, n) for n in _LENGTHS] for mode in (FORCED, FORBIDDEN)] for model in models]


def _passes(models: tuple[Decoder, ...], problems: int, seed: int) -> list[Any]:
    """pass@k from 32 samples a problem, model × mode × k."""
    asked, samples = held_out(problems // 4, THINKING.operations), _KS[-1]
    table = []
    for model in models:
        for mode in (FREE, FORCED):
            readings, _ = examine(model, asked, THINKING, in_mode(THINKING.manner, mode), seed, samples)
            counts = np.array([r.correct for r in readings]).reshape(-1, samples).sum(axis=1)
            table.append([float(pass_at_k(counts, samples, k).mean()) for k in _KS])
    return np.array(table).reshape(len(models), 2, len(_KS)).tolist()


def _grpo_numbers(arrays: dict[str, NamedArray]) -> dict[str, Quantity]:
    exam, passes = arrays["examination"], arrays["pass_at_k"]

    def examined(model: int, mode: str, decoding: str, name: str = "accuracy") -> Any:
        return exam.values[:, model, MODES.index(mode), list(DECODINGS).index(decoding), PLAIN.index(name)]

    numbers = {}
    for model, when in enumerate((*WHEN, "after_without_thinking")):
        for mode, short in ((FREE, "free"), (FORCED, "forced"), (FORBIDDEN, "forbidden")):
            for decoding in DECODINGS:
                numbers[f"{when}_{short}_{decoding}"] = over_seeds(
                    examined(model, mode, decoding), "", f"share of right answers, {mode}, {decoding}, model {when}"
                )
        for name in ("thinking", "readable", "length"):
            numbers[f"{when}_{name}"] = over_seeds(
                examined(model, FREE, "sampled", name), _UNITS.get(name, ""), f"{name} of sampled answers, model {when}"
            )
    numbers["gap"] = over_seeds(
        examined(1, FREE, "sampled") - examined(2, FORBIDDEN, "sampled"), "",
        "accuracy after learning with thinking less accuracy after learning without",
    )  # fmt: skip
    for index, when in enumerate(WHEN):
        for k in (1, 16, 32):
            numbers[f"pass_at_{k}_{when}"] = over_seeds(
                passes.values[:, index, 0, _KS.index(k)], "", f"unbiased pass@{k} of free sampled answers, {when}"
            )
    numbers["pass_at_16_before_forced"] = over_seeds(
        passes.values[:, 0, 1, _KS.index(16)], "", "unbiased pass@16, thinking forced, before"
    )
    clipped, kl = arrays["clip_fraction"].values[0].mean(axis=1), arrays["kl"].values[0, :, -20:].mean(axis=1)
    numbers["clip_fraction"] = over_seeds(clipped, "", "share of tokens where the clip stops the gradient")
    numbers["kl_end"] = over_seeds(kl, "nat/token", "KL to the start, last 20 steps")
    numbers["answers"] = computed(
        arrays["kl"]["step"] * THINKING.questions * THINKING.group, "sample", "answers checked in one training"
    )
    numbers["steps"] = computed(arrays["kl"]["step"], "", "steps of one training, a setting")
    numbers["trainings"] = computed(arrays["kl"]["seed"], "", "trainings from different seeds, a setting")
    return numbers


# ---------------------------------------------------------------------- checking
def checking(
    *, first_seed: int = 0, seeds: int = 3, steps: int = 200, problems: int = 256, device: str = "cpu"
) -> Trace:
    """GRPO where the pen slips: only writing a result once more can save a chain, so checking is learnt.

    One written digit in ten comes out as another. After each result stands ``ok`` or a second try. ``ceiling`` is the
    accuracy of a perfect writer who never rewrites, ``ceiling_rewriting`` of one who rewrites whatever is wrong (the
    second try may slip too). Demonstrations rewrite four wrong results in ten; in the second stage nobody says when.
    """
    begin = time.perf_counter()
    settings = replace(NOISY, steps=steps)
    chosen = seeds_of(first_seed, seeds)
    curves, exams = [], []
    with one_thread():
        for seed in chosen:
            before, _ = supervised(settings, seed, device)
            after, curve = reinforce(settings, seed, device)
            curves.append(curve)
            exams.append([_noisy_examination(model, settings, problems, seed) for model in (before, after)])
    labels = tuple(map(str, chosen))
    arrays = {}
    for name in (*MEASURES, *UPDATES):
        values = torch.tensor([curve[name] for curve in curves], dtype=torch.float32)
        arrays[name] = named(values, "seed", "step", unit=_UNITS.get(name, ""), seed=labels)
    points = tuple(map(str, (*range(0, steps, settings.check_every), steps)))
    for name in MEASURES:
        values = torch.tensor([curve[f"greedy_{name}"] for curve in curves], dtype=torch.float32)
        arrays[f"greedy_{name}"] = named(values, "seed", "point", unit=_UNITS.get(name, ""), seed=labels, point=points)
    arrays["examination"] = named(
        torch.tensor(exams), "seed", "model", "decoding", "measure",
        seed=labels, model=WHEN, decoding=tuple(DECODINGS), measure=MEASURES,
    )  # fmt: skip
    params = {"first_seed": first_seed, "seeds": seeds, "steps": steps, "problems": problems}
    numbers = _checking_numbers(arrays["examination"], settings)
    return Trace("checking", arrays, numbers, params, first_seed, device, versions(begin, **recipe_of(settings)))


def _noisy_examination(model: Decoder, settings: Settings, problems: int, seed: int) -> list[list[float]]:
    """decoding × measure, four answers to each problem (the pen is random even where the model is not)."""
    asked = held_out(problems, settings.operations)
    return [
        list(measure(examine(model, asked, settings, replace(settings.manner, temperature=heat), seed, 4)[0]).values())
        for heat in DECODINGS.values()
    ]


def _checking_numbers(exam: NamedArray, settings: Settings) -> dict[str, Quantity]:
    pen, operations = settings.recipe.pen, settings.operations
    numbers = {
        "pen": computed(pen, "", "chance that a written result comes out as another digit, a setting"),
        "ceiling": computed(
            ceiling(pen, operations), "", f"p ← p(1 − {pen}) + (1 − p){pen}/9 from 1, {operations} times"
        ),
        "ceiling_rewriting": computed(
            ceiling(pen**2, operations), "", f"the same with {pen}² for {pen}: a wrong result is written once more"
        ),
    }
    for index, when in enumerate(WHEN):
        for decoding_index, decoding in enumerate(DECODINGS):
            for name in ("accuracy", "rewrites", "fix_rate", "needless", "length"):
                values = exam.values[:, index, decoding_index, MEASURES.index(name)]
                numbers[f"{when}_{name}_{decoding}"] = over_seeds(
                    values, _UNITS.get(name, ""), f"{name}, {decoding} answers, {when} learning by checking"
                )
    return numbers
