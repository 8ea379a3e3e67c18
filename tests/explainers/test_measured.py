"""Points for rooflines out of the record of a GPU."""

from __future__ import annotations

import numpy as np
import pytest

from explainers import runs
from explainers.errors import ExplainError
from explainers.experiments.engine import engine_gpu
from explainers.roofline import chip


def test_points_are_the_record_s() -> None:
    record, points = runs.get("engine_gpu"), runs.get("roofline_measured", batch=128, context=1024)
    case = {"size": 2, "batch": 3, "context": 0, "kind": 3}
    flops, moved, took = (
        float(record[name].values[tuple(case.values())]) for name in ("core_flops", "core_bytes", "core")
    )
    assert record["core"].labels["kind"][3] == "absorbed" and record["core"].labels["batch"][3] == "128"
    assert points.quantity("mla_rate").value == pytest.approx(flops / took)
    assert points.quantity("mla_intensity").value == pytest.approx(flops / moved)
    assert points.quantity("mla_busy").value == pytest.approx(flops / took / float(chip("h100").bf16))
    assert points.meta["chip"] == record.meta["chip"] and points.meta["date"] == record.meta["date"]
    per_token = points["experts_token"].values
    assert (per_token > points["experts_floor"].values).all() and (np.diff(per_token) < 0).all()
    assert points.quantity("experts_less_1").value == 1


def test_intensities_are_those_that_lecture_3_counts() -> None:
    counted, points = runs.get("roofline_decode"), runs.get("roofline_measured")
    for key, name in (("mha", "mha"), ("mqa", "mqa"), ("mla", "mla_absorbed")):
        assert points.quantity(f"{key}_intensity").value == pytest.approx(counted.quantity(f"intensity_{name}").value)


def test_what_the_record_reaches() -> None:
    """Targets that were met on one H100, as recorded; a record of another chip has to say what it reaches."""
    record = runs.get("engine_gpu")
    assert record.quantity("core_of_floor_v3").value > 0.6 and record.quantity("decode_of_floor_v3").value > 0.6
    shares = record["moe_floor"].values[2] / record["moe"].values[2, :, 2]
    assert np.median(shares) > 0.6 and (shares < 1.05).all()
    assert record.quantity("decode_gain_v3").value > 20


def test_what_was_not_measured_is_refused() -> None:
    with pytest.raises(ExplainError, match="no batch '7' was measured; choose one of 1, 8, 32, 128"):
        runs.get("roofline_measured", batch=7)
    with pytest.raises(ExplainError, match="measured on a GPU"):
        engine_gpu(device="cpu")
