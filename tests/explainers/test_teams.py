"""Teams of experts at equal work: against counting, and against the model's own numbers."""

from __future__ import annotations

from math import comb

import pytest

from explainers import configs, runs
from explainers.errors import ExplainError


def test_every_cut_doubles_both_numbers_and_ends_at_the_model() -> None:
    trace = runs.get("expert_teams")
    experts, chosen = trace["experts"].values, trace["chosen"].values
    assert (experts[1:] == 2 * experts[:-1]).all() and (chosen[1:] == 2 * chosen[:-1]).all()
    assert (experts / chosen == experts[0] / chosen[0]).all()  # the same share is at work
    assert [comb(int(n), int(k)) for n, k in zip(experts, chosen, strict=True)] == trace["teams"].values.tolist()
    last = len(experts) - 1
    assert trace.quantity(f"teams_{last}").value == configs.quantity("v3.expert_teams").value
    assert trace.quantity("teams_in_groups").value == configs.quantity("v3.expert_teams_in_groups").value


def test_teams_are_possible_ones_and_follow_the_seed() -> None:
    trace = runs.get("expert_teams")
    for cut, (experts, chosen) in enumerate(zip(trace["experts"].values, trace["chosen"].values, strict=True)):
        team = trace[f"team_{cut}"].values
        assert (len(team), team.sum()) == (experts, chosen)
    kept, team = trace["open_groups"].values, trace["team_in_groups"].values
    assert kept.sum() == configs.quantity("v3.expert_groups_kept").value and team.sum() == trace["chosen"].values[-1]
    assert not (team.reshape(len(kept), -1).any(axis=1) & ~kept).any()
    assert (runs.get("expert_teams", seed=1)["team_in_groups"].values != team).any()


def test_an_odd_number_of_experts_stops_the_cutting() -> None:
    assert runs.get("expert_teams", model="v2")["chosen"].values.tolist() == [3, 6]


def test_a_dense_model_has_no_teams() -> None:
    with pytest.raises(ExplainError, match="routed_experts"):
        runs.get("expert_teams", model="llama_405b")
