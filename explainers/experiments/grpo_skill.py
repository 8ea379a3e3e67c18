"""Does checking teach the skill, or only its use? The same GRPO from starts that know less and more."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from explainers.decoder import Decoder
from explainers.experiments.common import named, over_seeds, versions
from explainers.experiments.reasoning import STEPS, THINKING, WHEN, recipe_of, seeds_of
from explainers.quantities import Quantity
from explainers.reasoning import FORCED, FREE, Settings, examine, held_out, in_mode, measure, reinforce, supervised
from explainers.traces import NamedArray, Trace
from explainers.training import one_thread

#: Imitation steps of the starts; the last is the one of run ``grpo``.
STARTS = (150, 250, 300, 350, THINKING.supervised_steps)
EXAMS = ("sampled accuracy", "greedy accuracy, thinking forced", "greedy slips a result, thinking forced", "thinking")


def grpo_skill(
    *, first_seed: int = 0, seeds: int = 3, steps: int = STEPS, problems: int = 256, device: str = "cpu"
) -> Trace:
    """Accuracy, skill (greedy, thinking forced) and use of thinking before and after GRPO, for starts of growing skill.

    All starts imitate the same kind of demonstrations, some for fewer steps. What the skill was is measured where
    thinking is forced and the likeliest digit is written; what its use was, where the model chooses.
    """
    begin = time.perf_counter()
    chosen = seeds_of(first_seed, seeds)
    rows = []
    with one_thread():
        for imitated in STARTS:
            settings = replace(THINKING, supervised_steps=imitated, steps=steps)
            models = [(supervised(settings, s, device)[0], reinforce(settings, s, device)[0], s) for s in chosen]
            rows.append(
                [[_exams(model, settings, problems, s) for model in (before, after)] for before, after, s in models]
            )
    labels = {"start": tuple(map(str, STARTS)), "seed": tuple(map(str, chosen)), "model": WHEN, "exam": EXAMS}
    arrays = {"exam": NamedArray(torch.tensor(rows).numpy(), tuple(labels), labels=labels)}
    arrays["start"] = named(torch.tensor(STARTS), "start", unit="step")
    params = {"first_seed": first_seed, "seeds": seeds, "steps": steps, "problems": problems}
    meta = versions(begin, **recipe_of(THINKING))
    return Trace("grpo_skill", arrays, _numbers(arrays["exam"]), params, first_seed, device, meta)


def _exams(model: Decoder, settings: Settings, problems: int, seed: int) -> list[float]:
    asked = held_out(problems, settings.operations)
    free = measure(examine(model, asked, settings, in_mode(settings.manner, FREE), seed)[0])
    skill = measure(examine(model, asked, settings, in_mode(settings.manner, FORCED, 0.0), seed)[0])
    return [free["accuracy"], skill["accuracy"], skill["slip_rate"], free["thinking"]]


def _numbers(exam: NamedArray) -> dict[str, Quantity]:
    shorts = ("accuracy", "skill", "slips", "thinking")
    return {
        f"{short}_{when}_{start}": over_seeds(
            exam.values[index, :, model, place], "", f"{EXAMS[place]}, {when} GRPO, start of {start} imitation steps"
        )
        for index, start in enumerate(STARTS)
        for model, when in enumerate(WHEN)
        for place, short in enumerate(shorts)
    }
