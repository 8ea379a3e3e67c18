"""One group of answers under the lens: what GRPO computes for every token, before the step and after it."""

from __future__ import annotations

import copy
import time
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from explainers.decoder import Decoder
from explainers.errors import ExplainError
from explainers.experiments.common import named, versions
from explainers.experiments.reasoning import THINKING, recipe_of
from explainers.quantities import Quantity, computed
from explainers.reasoning import Group, Settings, policy_terms, reinforce, sample_groups, supervised, update
from explainers.tasks import FORMAT_REWARD, TOKENS, text
from explainers.traces import NamedArray, Trace
from explainers.training import one_thread

TERMS = ("logp", "ratio", "objective", "clipped", "kl")


def grpo_group(*, first_seed: int = 0, warm: int = 6, updates: int = 4, device: str = "cpu") -> Trace:
    """A question, its 16 answers, their rewards and advantages, and the terms of every token over the updates.

    Parameters
    ----------
    warm
        Steps of GRPO before the group is drawn, so that the policy has already left the reference.
    updates
        Updates on the same answers (μ of DeepSeekMath's algorithm 1): the first has ratio 1 everywhere; with more
        of them the ratio moves and the clip begins to hold.

    The group is, of the step's 16, the one whose answers differ most (rewards first, then distinct answers): a typical
    one is duller.
    """
    begin = time.perf_counter()
    if warm < 0 or updates < 1:
        raise ExplainError(f"warm is {warm} and updates is {updates}; give at least 0 and 1")
    with one_thread():
        reference, _ = supervised(THINKING, first_seed, device)
        settings = replace(THINKING, steps=warm)
        model = reinforce(settings, first_seed, device)[0] if warm else copy.deepcopy(reference)
        reference.requires_grad_(False)
        groups = sample_groups(model, settings, first_seed, warm)
        shown = _most_varied(groups)
        terms = _terms_over_updates(model, reference, groups, shown, settings, updates)
    arrays = _group_arrays(groups, shown, settings) | _term_arrays(terms, groups, shown, settings.group)
    params = {"first_seed": first_seed, "warm": warm, "updates": updates}
    numbers = _numbers(arrays, groups, settings)
    return Trace("grpo_group", arrays, numbers, params, first_seed, device, versions(begin, **recipe_of(settings)))


def _most_varied(groups: Group) -> int:
    spread = groups.rewards.std(dim=1, correction=0).cpu().numpy()
    size = groups.rewards.shape[1]
    distinct = [len({tuple(row) for row in part.tolist()}) for part in groups.answers.tokens.split(size)]
    return int(np.lexsort((np.array(distinct), spread.round(3)))[-1])


def _terms_over_updates(
    model: Decoder, reference: Decoder, groups: Group, shown: int, settings: Settings, updates: int
) -> list[dict[str, Tensor]]:
    """The shown group's terms before the first update and after each; every update uses all groups of the step."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.lr, betas=(0.9, 0.95), weight_decay=0.0)
    questions = len(groups.rewards)
    batch = groups.minibatch(shown, questions)
    seen = []
    for number in range(updates + 1):
        with torch.no_grad():
            terms, _ = policy_terms(model, reference, batch, settings)
        logp = batch[1].logp + terms.ratio.log()
        parts = (logp * batch[1].own, terms.ratio, terms.objective, terms.clipped.float(), terms.kl)
        seen.append(dict(zip(TERMS, parts, strict=True)))
        if number < updates:
            update(model, reference, optimizer, groups.minibatch(0, 1), settings)
    return seen


def _group_arrays(groups: Group, shown: int, settings: Settings) -> dict[str, NamedArray]:
    size = settings.group
    rows = slice(shown * size, (shown + 1) * size)
    readings = groups.readings[rows]
    tokens = groups.answers.tokens[rows, : max(r.length for r in readings)]
    answers = tuple(" ".join(text(row.cpu().numpy())) for row in tokens)
    prompt = groups.problems.prompts()[shown]
    by_sample = {
        "reward": groups.rewards[shown],
        "reward_correct": torch.tensor([float(r.correct) for r in readings]),
        "reward_format": torch.tensor([FORMAT_REWARD * r.readable for r in readings]),
        "advantage": groups.advantages[shown],
        "answer": torch.tensor([r.answer for r in readings]),
        "thought": torch.tensor([int(r.thought) for r in readings]),
        "length": torch.tensor([r.length for r in readings]),
        "slips": torch.tensor([r.slips for r in readings]),
    }
    arrays = {name: named(values, "sample", sample=answers) for name, values in by_sample.items()}
    arrays["token"] = named(tokens, "sample", "place", sample=answers)
    arrays["own"] = named(groups.answers.own[rows, : tokens.shape[1]], "sample", "place", sample=answers)
    arrays["prompt"] = named(torch.from_numpy(prompt), "place", place=text(prompt))
    arrays["running"] = named(torch.from_numpy(groups.problems.states()[shown]), "operation")
    arrays["vocabulary"] = named(torch.arange(len(TOKENS)), "token", token=TOKENS)
    arrays["group_rewards"] = named(groups.rewards, "question", "sample")
    return arrays


def _term_arrays(terms: list[dict[str, Tensor]], groups: Group, shown: int, size: int) -> dict[str, NamedArray]:
    moments = ("before", *(f"after update {number}" for number in range(1, len(terms))))
    width = max(r.length for r in groups.readings[shown * size : (shown + 1) * size])
    return {
        name: named(
            torch.stack([moment[name][:, :width] for moment in terms]), "moment", "sample", "place",
            moment=moments, unit="nat" if name in ("logp", "kl") else "",
        )
        for name in TERMS
    }  # fmt: skip


def _numbers(arrays: dict[str, NamedArray], groups: Group, settings: Settings) -> dict[str, Quantity]:
    reward, kl = arrays["reward"].values.astype(np.float64), arrays["kl"].values
    advantage = arrays["advantage"].values
    own = arrays["own"].values
    clipped = arrays["clipped"].values[:, own]
    return {
        "samples": computed(len(reward), "sample", "answers in the group"),
        "mean": computed(float(reward.mean()), "", "mean reward of the group"),
        "spread": computed(float(reward.std()), "", "standard deviation of the group's rewards, divided by G"),
        "correct": computed(int(arrays["reward_correct"].values.sum()), "sample", "right answers in the group"),
        "readable": computed(int((arrays["reward_format"].values > 0).sum()), "sample", "answers a rule can read"),
        "highest_advantage": computed(float(advantage.max()), "", "(r − mean) / spread, the best answer"),
        "lowest_advantage": computed(float(advantage.min()), "", "(r − mean) / spread, the worst answer"),
        "clip": computed(settings.clip, "", "ε, a setting"),
        "beta": computed(settings.beta, "", "β, a setting"),
        "kl_before": computed(float(kl[0][own].mean()), "nat/token", "mean KL estimate before the step"),
        "kl_after": computed(float(kl[-1][own].mean()), "nat/token", "mean KL estimate after the updates"),
        "clipped_after": computed(float(clipped[-1].mean()), "", "share of tokens held by the clip after the updates"),
        "no_signal": computed(
            int((groups.advantages.abs().amax(dim=1) == 0).sum()), "group", "groups of this step with equal rewards"
        ),
    }
