"""Every run on a GPU: the same arrays and numbers as on the CPU, up to rounding; trainings for their first steps."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explainers import paths, runs
from explainers.reasoning import Settings, check, reinforce, supervised

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: runs cannot be compared here")

#: Runs that are long, with parameters under which they are short.
SHORT: dict[str, dict[str, Any]] = {
    **{name: {"seeds": 1, "steps": 3} for name in ("low_rank", "specialisation")},
    "balance": {"seeds": 1, "steps": 12},
    "dense_sparse": {"seeds": 1, "steps": 6},
    "attention_variants": {"seeds": 1, "steps": 2},
    **{name: {"seeds": 1, "steps": 3} for name in ("indexer", "compression")},
    "quantisation": {"windows": 1, "length": 64},
    "mtp": {"prompts": 1, "count": 8},
}
#: Runs that sample on the device: a GPU draws other numbers than a CPU, so what they are made of is compared below.
SAMPLED = ("grpo", "grpo_skill", "checking", "grpo_group", "pass_at_k")
#: Times, which no two devices share; `test_engine.py` runs it.
APART = ("engine", "engine_gpu", *SAMPLED)
#: Where FP8 rounds the other way because a number is a last bit larger, errors differ by more than a last bit.
LOOSE = {"quantisation": 0.05}
#: Seconds and differences of rounding are other numbers on another device.
OTHER = ("seconds", "difference")


def computing() -> list[str]:
    """Runs that take a device."""
    return [
        run.name
        for run in runs.CATALOGUE.values()
        if run.name not in APART and "device" in inspect.signature(run.load()).parameters
    ]


@pytest.mark.parametrize("name", computing())
def test_a_gpu_computes_the_same(name: str) -> None:
    cpu, gpu = (runs.get(name, fresh=True, device=device, **SHORT.get(name, {})) for device in ("cpu", "cuda"))
    assert gpu.device.startswith("cuda") and list(cpu.arrays) == list(gpu.arrays)
    for key, here in cpu.arrays.items():
        there = gpu[key]
        assert here.axes == there.axes and here.values.shape == there.values.shape
        if any(word in key for word in OTHER):
            continue
        if here.values.dtype.kind == "f":
            most = np.nanmax(np.abs(here.values), initial=0)
            np.testing.assert_allclose(
                there.values, here.values, rtol=0, atol=LOOSE.get(name, 2e-3) * most, err_msg=f"{name}.{key}"
            )
        else:
            differing = float((there.values != here.values).mean()) if here.values.size else 0.0
            assert differing <= 0.01, f"{name}.{key}: {differing:.1%} of the whole numbers differ"
    assert set(cpu.quantities) == set(gpu.quantities)


@pytest.fixture
def nothing_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)


@pytest.mark.usefixtures("nothing_remembered")
def test_reasoning_is_trained_on_a_gpu_as_on_the_cpu() -> None:
    """Imitation step by step; then a step of GRPO, whose answers are drawn by the GPU."""
    settings = Settings(supervised_steps=6, steps=2, check_problems=16, questions=4, group=4)
    (cpu, here), (gpu, there) = (supervised(settings, 0, device) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(there["loss"], here["loss"], rtol=1e-4)
    for one, other in zip(cpu.parameters(), gpu.parameters(), strict=True):
        assert (one - other.cpu()).abs().max() < 1e-3 * max(1.0, float(one.abs().max()))
    assert check(cpu, settings, 0) == pytest.approx(check(gpu, settings, 0), abs=0.1)  # greedy, on the same problems
    _, curves = reinforce(settings, 0, "cuda")
    assert len(curves["reward_mean"]) == settings.steps and all(np.isfinite(curves["kl"]))
