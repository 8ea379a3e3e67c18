"""Dense against sparse: one wide network or many experts, at equal active parameters and at equal training FLOPs."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from explainers import shipping
from explainers.experiments.balance import BASE, recipe_of
from explainers.experiments.common import named, over_seeds, versions
from explainers.model import Model
from explainers.quantities import computed
from explainers.traces import Trace
from explainers.training import Recipe, train

KINDS = ("sparse", "dense, equal active", "dense, equal total", "dense, equal total and FLOPs")
_POINTS = 6


def recipes(steps: int) -> dict[str, Recipe]:
    """The four recipes (seed 0). The second dense model has as many parameters as the sparse one has in all.

    Its fourth training is cut so that 6 · active parameters · tokens is that of the sparse one.
    """
    sparse = recipe_of("bias rule", steps, 0)
    total, active = Model(sparse.model).parameter_counts()
    per_unit = 3 * sparse.model.hidden_size * sparse.model.num_hidden_layers

    def dense(parameters: int, for_steps: int) -> Recipe:
        narrow = replace(sparse.model, n_routed_experts=0)
        more = round((parameters - Model(narrow).parameter_counts()[0]) / per_unit)
        model = replace(narrow, intermediate_size=narrow.intermediate_size + more)
        return replace(sparse, model=model, steps=for_steps, eval_every=max(1, for_steps // _POINTS))

    short = max(_POINTS, round(steps * active / total / _POINTS) * _POINTS)
    return dict(zip(KINDS, (sparse, dense(active, steps), dense(total, steps), dense(total, short)), strict=True))


def dense_sparse(*, first_seed: int = 0, seeds: int = 3, steps: int = 240, device: str = "cpu") -> Trace:
    """Held-out loss over training, against tokens and against training FLOPs (6 · active parameters · tokens).

    All share one learning rate and schedule shape; at this size the difference can be smaller than the spread of seeds,
    which is shown.
    """
    begin = time.perf_counter()
    data = shipping.data()
    curves, points, flops, counts, pace = [], [], [], [], []
    for kind, recipe in recipes(steps).items():
        trainings = [
            train(replace(recipe, seed=seed), data, device=device, progress=f"{kind}, seed {seed}")
            for seed in range(first_seed, first_seed + seeds)
        ]
        curve = torch.stack([torch.stack(t.record.validation).mean(-1) for t in trainings])
        measured = torch.tensor(trainings[0].record.eval_step)
        keep = torch.linspace(0, len(measured) - 1, min(_POINTS, len(measured))).round().long()
        total, active = trainings[0].model.parameter_counts()
        curves.append(curve[:, keep])
        points.append(measured[keep] * recipe.rows * recipe.length)
        flops.append(points[-1] * 6 * active)
        counts.append((total, active))
        pace.append(sum(t.record.seconds for t in trainings) / (seeds * recipe.steps))
    arrays = {
        "loss": named(torch.stack(curves), "kind", "seed", "point", unit="nat/token", kind=KINDS),
        "tokens": named(torch.stack(points), "kind", "point", unit="token", kind=KINDS),
        "flops": named(torch.stack(flops), "kind", "point", unit="FLOP", kind=KINDS),
        "parameters": named(torch.tensor(counts), "kind", "count", unit="param", kind=KINDS, count=("total", "active")),
    }
    quantities = {}
    for number, name in enumerate(("sparse", "dense_active", "dense_total", "dense_flops")):
        end = curves[number][:, -1].tolist()
        quantities[f"loss_{name}"] = over_seeds(
            end, "nat/token", "held-out loss at the end", name=f"loss, {KINDS[number]}"
        )
        quantities[f"parameters_{name}"] = computed(counts[number][0], "param", "counted in the model")
        quantities[f"active_{name}"] = computed(counts[number][1], "param", "counted in the model")
    gain = (curves[1][:, -1] - curves[0][:, -1]).tolist()
    quantities["gain_at_equal_active"] = over_seeds(
        gain, "nat/token", "loss of dense − loss of sparse, equal active parameters"
    )
    params = {"first_seed": first_seed, "seeds": seeds, "steps": steps}
    meta = versions(begin, seconds_a_step=[round(p, 3) for p in pace], learning_rate=BASE.lr)
    return Trace("dense_sparse", arrays, quantities, params, first_seed, device, meta)
