"""What the scenes of lecture 2 share."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from manim import RIGHT, Animation, VGroup, VMobject

from explainers import runs
from explainers.quantities import Quantity
from explainers.traces import NamedArray, Trace
from scenes.kit import NumberLabel, fit_width, label


def tile(values: NamedArray) -> NamedArray:
    """A vector of neurons as a matrix, as near to a square as its length allows: only the arrangement changes."""
    count = values.values.size
    rows = max(each for each in range(1, math.isqrt(count) + 1) if count % each == 0)
    matrix = values.values.reshape(rows, count // rows)
    return NamedArray(matrix, ("row", "column"), values.name, values.unit, {}, values.run, values.digest)


def team(trace: Trace, layer: int, token: int) -> list[int]:
    """The experts that a token uses, best first."""
    return [int(each) for each in trace["indices"].pick(layer=layer, token=token).values]


def tallest_win(trace: Trace, layer: int, token: int, of_all: bool = False) -> bool:
    """Whether a token's experts are those with the highest plain scores of the groups open to it, or even of all."""
    scores = trace["original_scores"].pick(layer=layer, token=token).values.astype(float)
    mask = trace["group_mask"].pick(layer=layer, token=token).values.astype(bool)
    if not of_all:
        scores = np.where(np.repeat(mask, len(scores) // len(mask)), scores, -np.inf)
    chosen = team(trace, layer, token)
    return set(np.argsort(-scores)[: len(chosen)].tolist()) == set(chosen)


def weights(trace: Trace, layer: int, token: int) -> NamedArray:
    """A token's weights over all experts of a layer: zero for those that it does not use."""
    picked = trace["weights"].pick(layer=layer, token=token)
    spread = np.zeros(trace["original_scores"]["expert"])
    spread[team(trace, layer, token)] = picked.values
    return NamedArray(spread, ("expert",), "weights", "", {}, picked.run, picked.digest)


def gated_layer(trace: Trace, layer: int) -> int:
    """This layer, or the first in which the gate chooses: in V4's first ones a table of tokens does."""
    tables = trace.quantities.get("table_layers")
    return max(layer, min(round(float(tables)), trace["indices"]["layer"] - 1)) if tables else layer


def honest_scale(trace: Trace, large: Quantity) -> VGroup:
    """Which model's experts are drawn; of our own, how small it is."""
    experts = NumberLabel(trace.quantity("experts"), "plain bare", size="small", role="expert")
    if "model" in trace.meta:
        parts = [label(f"{short_name(trace)}:", "small", "muted"), experts, label("experts a layer", "small", "muted")]
    else:
        parts = [
            label("our small model:", "small", "muted"),
            experts,
            label("experts a layer;  DeepSeek-V3:", "small", "muted"),
            NumberLabel(large, "plain bare", size="small"),
        ]
    made = VGroup(*parts).arrange(RIGHT, buff=0.12)
    fit_width(made, 7.6)
    return made


def short_name(trace: Trace) -> str:
    """What a released model is called; or that it is ours."""
    return runs.model_of(trace.run) if "model" in trace.meta else "our small model"


class Draw(Animation):
    """A curve is drawn from one share of its length to another, at an even pace."""

    def __init__(
        self,
        curve: VMobject,
        whole: VMobject,
        start: float,
        end: float,
        rate_func: Callable[[float], float] = lambda t: t,
        **options: object,
    ) -> None:
        self._whole, self._start, self._end = whole, start, end
        super().__init__(curve, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show as much as has been drawn at this moment."""
        share = self._start + (self._end - self._start) * self.rate_func(alpha)
        self.mobject.pointwise_become_partial(self._whole, 0, max(share, 1e-6))
