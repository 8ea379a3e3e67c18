"""Sparse against dense, room on a node, overlap, the ledger, and guesses pass by pass."""

from __future__ import annotations

import numpy as np
import pytest

from explainers import configs, facts, runs, serving
from explainers.deployments import Deployment
from explainers.errors import ExplainError
from explainers.experiments.overlap import ON_THE_WIRE, one_after_the_other, taking_turns

RUNS = ("same_race", "same_quality", "node_room", "overlap", "efficiency_ledger")


@pytest.mark.parametrize("name", RUNS)
def test_the_runs_are_the_same_twice(name: str) -> None:
    assert runs.get(name, fresh=True).digest == runs.get(name, fresh=True).digest


# ---------------------------------------------------------------------- the race
def test_here_the_sparse_model_goes_backwards_and_in_the_paper_nearly_all_of_the_way() -> None:
    race, record = runs.get("same_race"), runs.get("dense_sparse")
    small, sparse, large = (record.quantity(f"loss_{n}").value for n in ("dense_active", "sparse", "dense_total"))
    assert race.quantity("way_here").value == pytest.approx((small - sparse) / (small - large), abs=0.02)
    ends = record["loss"].values[:, :, -1]
    assert (ends[0] > ends[1]).all()  # behind in every training, as the lecture says
    assert race.quantity("way_here").value < 0
    assert race.quantity("way_paper").value == pytest.approx((2.060 - 1.808) / (2.060 - 1.806))
    assert race.quantity("way_switch").value < race.quantity("way_paper").value
    assert race.quantity("small_work_here").value == pytest.approx(1.0, abs=0.001)
    assert race.quantity("tokens_here").value == 240 * 8 * 128


def test_the_papers_share_of_flops_is_that_of_its_readme() -> None:
    quality = runs.get("same_quality")
    assert quality.quantity("ratio_arithmetic").value == pytest.approx(0.405, abs=0.001)
    counted = configs.quantity("ds7b.total_params").value
    assert counted == pytest.approx(facts.quantity("training.moe_16b_vs_7b.total_params.dense").value, rel=0.005)
    forward = [configs.quantity(f"{key}.train_flops_per_token_4k").value for key in ("moe16b", "ds7b")]
    assert forward[0] / forward[1] == pytest.approx(quality.quantity("ratio_arithmetic").value, abs=0.02)


def test_the_model_of_serving_agrees_with_the_papers_speed() -> None:
    quality = runs.get("same_quality")
    said = facts.quantity("training.moe_16b_vs_7b.inference_speed_nearly").value
    assert quality.quantity("ratio_alone").value == pytest.approx(said, rel=0.1)
    cost = quality.quantity("cost_moe") / quality.quantity("cost_dense")
    assert quality.quantity("ratio_money").value == pytest.approx(cost.value)
    assert quality.quantity("ratio_together").value == pytest.approx(1 / cost.value)


def test_a_dense_model_reads_all_of_its_weights_in_every_step() -> None:
    deployment = Deployment("ds7b", "h800", 1)
    weights = configs.quantity("ds7b.total_params").value - configs.quantity("ds7b.embedding_params").value / 2
    step = serving.decode_step(deployment, 1, 4096)
    assert float(step.weights) == pytest.approx(weights / 3e12, rel=0.01)


# ---------------------------------------------------------------------- room
def test_users_on_a_node_are_those_of_the_serving_run_and_fit() -> None:
    room, serve = runs.get("node_room"), runs.get("serving")
    free = room["part"].values[1]
    for kind in ("mha", "gqa8", "mla"):
        for context in ("4k", "32k", "128k"):
            users = room.quantity(f"users_{kind}_{context}").value
            assert users == serve.quantity(f"users_{kind}_{context}").value
            each = room.quantity(f"each_{kind}_{context}").value
            assert users / 8 * each <= free < (users / 8 + 1) * each
    assert room["part"].values.sum() == pytest.approx(room.quantity("memory").value)


# ---------------------------------------------------------------------- overlap
def checked(plan: list, layers: int) -> float:
    """No machine does two things at once, no half is in two stages at once; the end of the plan."""
    assert len(plan) == 2 * 4 * layers
    for group in ("machine", "batch"):
        for key in (0, 1):
            mine = sorted(
                (each.start, each.start + each.seconds)
                for each in plan
                if (ON_THE_WIRE[each.stage] if group == "machine" else each.batch) == key
            )
            assert all(later[0] >= earlier[1] - 1e-12 for earlier, later in zip(mine, mine[1:], strict=False))
    order = {(e.batch, e.layer, e.stage): e.start for e in plan}
    for batch in (0, 1):
        starts = [order[batch, layer, stage] for layer in range(layers) for stage in range(4)]
        assert starts == sorted(starts)
    return max(each.start + each.seconds for each in plan)


@pytest.mark.parametrize("seconds", [[1.0, 1.0, 1.0, 1.0], [2.0, 0.5, 1.0, 3.0], [1.0, 0.0, 1.0, 0.0]])
def test_schedules_are_possible_and_taking_turns_is_never_slower(seconds: list[float]) -> None:
    serial = checked(one_after_the_other(seconds, 5), 5)
    turns = checked(taking_turns(seconds, 5), 5)
    assert serial == pytest.approx(2 * 5 * sum(seconds))
    busiest = 2 * 5 * max(seconds[0] + seconds[2], seconds[1] + seconds[3])
    assert busiest <= turns + 1e-9 <= serial + 1e-9


def test_equal_halves_hide_everything_but_the_first_and_the_last_stage() -> None:
    assert checked(taking_turns([1.0, 1.0, 1.0, 1.0], 50), 50) == pytest.approx(201.0)


def test_overlap_counts_from_published_speeds() -> None:
    trace = runs.get("overlap")
    hidden = configs.quantity("v3.hidden").value
    speed = facts.quantity("inference.deepep.normal_dispatch").value
    assert trace.quantity("ms_dispatch").value == pytest.approx(4096 * 4 * hidden / speed * 1e3)
    assert trace.quantity("ms_combine").value == pytest.approx(2 * trace.quantity("ms_dispatch").value)
    gain = trace.quantity("serial").value / trace.quantity("overlapped").value
    assert trace.quantity("gain").value == pytest.approx(gain)
    assert trace.quantity("idle_overlapped").value < trace.quantity("idle_serial").value
    with pytest.raises(ExplainError, match="has no experts"):
        runs.get("overlap", model="ds7b")
    with pytest.raises(ExplainError, match="give at least one"):
        runs.get("overlap", tokens=0)


# ---------------------------------------------------------------------- ledger and guesses
def test_the_ledger_shows_one_number_from_two_sides() -> None:
    trace = runs.get("efficiency_ledger")
    assert trace.quantity("work").value * trace.quantity("held").value == pytest.approx(1.0)
    assert trace.quantity("held").value == pytest.approx(671.03 / 36.63, rel=0.001)
    assert trace.quantity("even").value - 1 == pytest.approx(runs.get("balance").quantity("max_vio_bias_rule").value)
    assert trace.quantity("sent").value == 58 * 8 * 7168 * 3


def test_the_strip_of_guesses_is_what_is_computed_and_adds_up() -> None:
    record = runs.get("guess_strip")
    fresh = runs.get("guess_strip", fresh=True)
    assert fresh.digest == record.digest
    owners, stood = record["written"].values, record["stood"].values
    per_pass = np.bincount(owners, minlength=len(stood))
    assert stood[0] == -1 and (per_pass[1:] == np.where(stood[1:] == 1, 2, 1)).sum() >= len(stood) - 2
    assert record.quantity("stood").value == (stood == 1).sum()
    assert record.quantity("passes").value == len(stood)
    written = record["written"].labels["token"]
    for index in np.flatnonzero(stood == 1):
        first = int(np.flatnonzero(owners == index)[0])
        assert written[first] == record["stood"].labels["pass"][index]


def test_guessing_needs_a_head_that_guesses() -> None:
    with pytest.raises(ExplainError, match="no MTP layer"):
        runs.get("guess_strip", source="small_mha")
