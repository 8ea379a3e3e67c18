"""Lecture 2 shows bars before it explains the bias: only tokens whose tallest open bars win may stand there."""

from __future__ import annotations

import numpy as np

from explainers.traces import Trace
from scenes import door
from scenes.lectures.l2_moe.common import tallest_win, team


def least_and_most(trace: Trace, layer: int, token: int, open_only: bool) -> tuple[float, float]:
    """The lowest score among the chosen, and the highest among those that were passed over."""
    scores = trace["original_scores"].pick(layer=layer, token=token).values
    mask = trace["group_mask"].pick(layer=layer, token=token).values
    chosen = team(trace, layer, token)
    each = len(scores) // len(mask)
    passed = [place for place in range(len(scores)) if place not in chosen and (mask[place // each] or not open_only)]
    return float(scores[chosen].min()), float(scores[passed].max())


def test_a_token_is_told_by_its_bars() -> None:
    trace, _ = door.read_run("routing", {})
    told = {True: 0, False: 0}
    for layer, token in np.ndindex(trace["original_scores"].values.shape[:2]):
        for of_all in (False, True):
            low, high = least_and_most(trace, layer, token, open_only=not of_all)
            assert tallest_win(trace, layer, token, of_all) == (low > high)
            told[low > high] += 1
    assert all(told.values()), "both kinds of token are in the sentence"
