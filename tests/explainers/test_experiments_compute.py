"""Training compute: the rule, the published totals, and what V3 left idle."""

from __future__ import annotations

import numpy as np
import pytest

from explainers import facts, runs
from explainers.errors import ExplainError


def test_flops_are_six_times_parameters_times_tokens() -> None:
    trace = runs.get("training_compute")
    counted = 6 * trace["active_params"].values * trace["training_tokens"].values
    assert np.allclose(trace["flops"].values, counted, rtol=1e-12)
    assert trace["flops"].labels["model"][0] == "DeepSeek-V3"


def test_llama_agrees_with_the_compute_that_meta_published() -> None:
    counted = runs.get("training_compute").quantity("flops_llama_405b").value
    assert counted == pytest.approx(facts.quantity("training.llama_31.flops_405b").value, rel=0.02)


def test_compute_and_published_hours_tell_the_same_ratio() -> None:
    trace = runs.get("training_compute")
    assert trace.quantity("ratio_llama_405b").value == pytest.approx(trace.quantity("gpu_hours_ratio").value, rel=0.06)


def test_with_all_experts_at_work_v3_would_have_cost_more_than_llama() -> None:
    trace = runs.get("training_compute")
    assert trace.quantity("flops_all").value > trace.quantity("flops_llama_405b").value
    assert 1 / trace.quantity("ratio_all").value == pytest.approx(0.0546, abs=0.0002)


def test_other_models_and_none() -> None:
    trace = runs.get("training_compute", models="llama_8b llama_70b")
    assert "gpu_hours_ratio" not in trace.quantities and trace.quantity("ratio_llama_70b").value > 9
    with pytest.raises(ExplainError, match="at least one model"):
        runs.get("training_compute", models=" ")
