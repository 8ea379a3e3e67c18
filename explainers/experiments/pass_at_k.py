"""How often is one of k answers right, how often the most frequent one, and how much of a score is luck."""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray

from explainers.decoder import Decoder
from explainers.errors import ExplainError
from explainers.experiments.common import named, over_seeds, versions
from explainers.experiments.reasoning import ARMS, STEPS, THINKING, WHEN, before_and_after, recipe_of, seeds_of
from explainers.pass_at_k import bootstrap, majority_at_k, pass_at_k
from explainers.quantities import Quantity, computed
from explainers.reasoning import FORCED, FREE, examine, held_out, in_mode
from explainers.traces import NamedArray, Trace, to_numpy
from explainers.training import one_thread

ASKED = (FREE, FORCED)
SCORES = ("pass@k", "majority")
#: Problems in the famous small tests (AIME 2024 has thirty), to show how much their scores swing.
SMALL_TEST = 30
Ints = NDArray[np.int64]


def score_samples(
    *,
    first_seed: int = 0,
    seeds: int = 3,
    steps: int = STEPS,
    problems: int = 100,
    samples: int = 64,
    device: str = "cpu",
) -> Trace:
    """``samples`` answers to each of ``problems`` held-out chains, by the models before and after GRPO.

    ``score`` holds the unbiased pass@k and the majority vote (means over problems), ``low`` and ``high`` the middle
    95 % when the problems are drawn again. ``swing`` is the standard deviation of a score on `SMALL_TEST` problems with
    k samples each: what another draw of samples and problems would change.
    """
    begin = time.perf_counter()
    if samples < 2:
        raise ExplainError(f"samples is {samples}; give at least 2")
    chosen = seeds_of(first_seed, seeds)
    ks = [2**power for power in range(samples.bit_length()) if 2**power <= samples]
    asked = held_out(problems, THINKING.operations)
    answers = np.zeros((seeds, len(WHEN), len(ASKED), problems, samples), np.int64)
    with one_thread():
        for place, seed in enumerate(chosen):
            before, after, _ = before_and_after(ARMS[0], steps, seed, device)
            for index, model in enumerate((before, after)):
                for mode_index, mode in enumerate(ASKED):
                    answers[place, index, mode_index] = _answers(model, mode, problems, samples, seed)
    right = asked.answers()
    correct = (answers == right[:, None]).sum(axis=-1)  # (seed, model, mode, problem)
    arrays = _scores(answers, correct, right, ks, tuple(map(str, chosen)))
    arrays["correct"] = named(
        torch.from_numpy(correct),
        "seed",
        "model",
        "mode",
        "problem",
        seed=tuple(map(str, chosen)),
        model=WHEN,
        mode=ASKED,
    )
    arrays["swing"] = _swing(answers[:, :, 0] == right[:, None], ks)
    params = {"first_seed": first_seed, "seeds": seeds, "steps": steps, "problems": problems, "samples": samples}
    numbers = _numbers(arrays, ks, samples, problems)
    return Trace("pass_at_k", arrays, numbers, params, first_seed, device, versions(begin, **recipe_of(THINKING)))


def _answers(model: Decoder, mode: str, problems: int, samples: int, seed: int) -> Ints:
    """The digits answered, (problem, sample); −1 where a rule can read none."""
    asked = held_out(problems, THINKING.operations)
    readings, _ = examine(model, asked, THINKING, in_mode(THINKING.manner, mode), seed, samples)
    return np.array([reading.answer for reading in readings]).reshape(problems, samples)


def _scores(answers: Ints, correct: Ints, right: Ints, ks: list[int], seeds: tuple[str, ...]) -> dict[str, NamedArray]:
    shape = (*answers.shape[:3], len(SCORES), len(ks))
    score, low, high = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    rng = np.random.default_rng(0)
    for place in np.ndindex(answers.shape[:3]):
        for index, k in enumerate(ks):
            for kind, values in enumerate(
                (pass_at_k(correct[place], answers.shape[-1], k), majority_at_k(answers[place], right, k, rng))
            ):
                score[(*place, kind, index)] = values.mean()
                low[(*place, kind, index)], high[(*place, kind, index)] = bootstrap(values, rng)
    labels = {"seed": seeds, "model": WHEN, "mode": ASKED, "score": SCORES, "k": tuple(map(str, ks))}
    return {
        name: NamedArray(to_numpy(values.astype(np.float32)), tuple(labels), labels=labels)
        for name, values in (("score", score), ("low", low), ("high", high))
    }


def _swing(hits: NDArray[np.bool_], ks: list[int], draws: int = 1000) -> NamedArray:
    """Standard deviation of the mean score on `SMALL_TEST` problems with k samples each: (model, k), free answers.

    ``hits`` (seed, model, problem, sample). Problems and samples are drawn with replacement; mean over seeds.
    """
    rng = np.random.default_rng(1)
    seeds, models, problems, samples = hits.shape
    swing = np.zeros((seeds, models, len(ks)))
    for index, k in enumerate(ks):
        which = rng.integers(0, problems, (draws, SMALL_TEST, 1))
        drawn = rng.integers(0, samples, (draws, SMALL_TEST, k))
        for seed in range(seeds):
            for model in range(models):
                swing[seed, model, index] = hits[seed, model][which, drawn].mean(axis=(1, 2)).std()
    return named(torch.from_numpy(swing.mean(axis=0)).float(), "model", "k", model=WHEN, k=tuple(map(str, ks)))


def _numbers(arrays: dict[str, NamedArray], ks: list[int], samples: int, problems: int) -> dict[str, Quantity]:
    score, swing = arrays["score"].values, arrays["swing"].values
    width = (arrays["high"].values - arrays["low"].values).mean(axis=0)
    numbers = {
        "samples": computed(samples, "sample", "answers to each problem, a setting"),
        "problems": computed(problems, "", "held-out problems, a setting"),
        "small_test": computed(SMALL_TEST, "", "problems in a small test, a setting"),
    }
    last = len(ks) - 1
    for index, when in enumerate(WHEN):
        for mode_index, mode in enumerate(("free", "forced")):
            for at, k in ((0, ks[0]), (ks.index(16) if 16 in ks else last, min(16, ks[last])), (last, ks[last])):
                numbers[f"pass_at_{k}_{when}_{mode}"] = over_seeds(
                    score[:, index, mode_index, 0, at], "", f"unbiased pass@{k} from {samples} samples, {mode}, {when}"
                )
            numbers[f"majority_{when}_{mode}"] = over_seeds(
                score[:, index, mode_index, 1, last], "", f"most frequent of {ks[last]} answers right, {mode}, {when}"
            )
        numbers[f"interval_{when}"] = computed(
            float(width[index, 0, 0, 0]), "", f"width of the 95 % interval of pass@1 over {problems} problems, {when}"
        )
        numbers[f"swing_one_{when}"] = computed(
            float(swing[index, 0]),
            "",
            f"standard deviation of a score on {SMALL_TEST} problems, one sample each, {when}",
        )
        numbers[f"swing_all_{when}"] = computed(
            float(swing[index, -1]), "", f"the same with {ks[-1]} samples each, {when}"
        )
    return numbers
