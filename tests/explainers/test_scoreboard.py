"""Questions, tries, luck and costs: checked against brute force, other people's formulas and published figures."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from explainers import facts, questions, runs
from explainers.errors import ExplainError
from explainers.experiments import scoreboard
from explainers.intervals import standard_error, wilson


# ---------------------------------------------------------------------- questions
def test_one_candidate_is_right_and_each_slip_is_found_by_one_case():
    trace = runs.get("question_checks", fresh=True)
    passed = trace["passed"].values
    assert passed[0].all()
    assert (passed[1:] == 0).sum(axis=1).tolist() == [1, 1]
    cases = trace["passed"].labels["case"]
    assert cases[int(np.argmin(passed[1]))] == "out of order" and cases[int(np.argmin(passed[2]))] == "one inside"


def test_the_right_candidate_agrees_with_counting_hours_on_every_small_case():
    spans = [(start, end) for start in range(1, 7) for end in range(start + 1, 8)]
    for count in (1, 2, 3):
        for shifts in itertools.combinations(spans, count):
            for order in (list(shifts), list(shifts)[::-1]):
                assert questions.sorts_and_remembers(order) == questions.rest_by_hours(order), order


def test_the_code_on_screen_is_the_code_that_ran():
    for candidate in questions.CANDIDATES.values():
        scope: dict[str, object] = {}
        exec("\n".join(questions.code_of(candidate)), scope)
        for shifts in questions.CASES.values():
            assert scope["longest_rest"](shifts) == questions.run_case(candidate, shifts)  # type: ignore[operator]
    assert questions.run_case(lambda shifts: shifts[99], [(1, 2)]) is None


def test_choices_that_leave_a_group_out_by_inclusion_and_exclusion():
    for groups, per_group, chosen in ((4, 3, 6), (4, 3, 3), (3, 4, 5), (2, 2, 4)):
        teams = questions.Teams(groups, per_group, chosen)
        counted = sum(left > 0 for left in teams.left_out())
        formula = sum(
            (-1) ** (out + 1) * math.comb(groups, out) * math.comb((groups - out) * per_group, chosen)
            for out in range(1, groups)
        )
        assert counted == formula
    numbers = runs.get("question_checks").quantities
    assert numbers["slip"].value - numbers["twice"].value == numbers["key"].value
    with pytest.raises(ExplainError, match="cannot be chosen"):
        questions.Teams(2, 2, 5).left_out()


def test_one_world_is_consistent_and_its_letter_is_offered_once():
    assert [world for world in questions.worlds() if questions.consistent(world)] == [(False, True, False)]
    assert questions.right_letters() == ["B"]
    assert runs.get("question_checks").quantity("guessing").value == 25


# ---------------------------------------------------------------------- tries
def test_the_first_right_answer_follows_the_recorded_counts():
    correct = np.array([0, 1, 8, 64])
    draws = np.stack([scoreboard.first_right(correct, 64, np.random.default_rng(seed)) for seed in range(4000)])
    assert (draws[:, 0] == 65).all() and (draws[:, 3] == 1).all()
    assert draws[:, 1].mean() == pytest.approx(65 / 2, abs=1.2)  # (n + 1) / (c + 1) for the first of c among n
    assert draws[:, 2].mean() == pytest.approx(65 / 9, abs=0.5)


def test_the_field_agrees_with_the_unbiased_estimate_on_average():
    scored = runs.get("pass_at_k")
    lit = np.mean([runs.get("tries", seed=seed)["solved"].values for seed in range(12)], axis=0).mean(axis=1)
    assert lit == pytest.approx(runs.get("tries")["chance"].values.mean(axis=1), abs=0.05)
    assert runs.get("tries").quantity("pass_1").value == pytest.approx(scored["score"].values[0, 0, 0, 0, 0] * 100)


def test_the_group_votes_for_the_right_answer():
    trace = runs.get("tries")
    assert trace.quantity("winner").value == trace.quantity("right").value
    assert trace.quantity("winner_votes").value == trace.quantity("group_right").value


# ---------------------------------------------------------------------- luck
@pytest.mark.parametrize(("right", "questions_asked"), [(24, 30), (0, 30), (30, 30), (403, 500), (1, 2)])
def test_the_interval_is_that_of_scipy(right, questions_asked):
    theirs = binomtest(right, questions_asked).proportion_ci(method="wilson")
    assert wilson(right / questions_asked, questions_asked) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert standard_error(right / questions_asked, questions_asked) == pytest.approx(
        binom.std(questions_asked, right / questions_asked) / questions_asked
    )
    with pytest.raises(ExplainError, match="share from 0 to 1"):
        wilson(79.8, 30)


def test_exams_swing_as_much_as_the_binomial_says():
    trace = runs.get("exams", seed=3, count=3000)
    assert trace.quantity("spread").value == pytest.approx(trace.quantity("binomial").value, rel=0.06)
    assert trace["score"].values.mean() == pytest.approx(trace.quantity("truth").value, abs=0.6)
    asked, right = trace["asked"].values, trace["right"].values
    assert (asked.sum(axis=1) == 30).all() and not (right & ~asked).any()
    assert right.sum(axis=1) / 30 * 100 == pytest.approx(trace["score"].values)
    assert runs.get("exams", seed=4).digest != runs.get("exams").digest
    with pytest.raises(ExplainError, match="at least two exams"):
        scoreboard.exams(count=1)


def test_published_scores_and_the_questions_between_them():
    trace = runs.get("exams")
    assert trace.quantity("questions_apart").value == pytest.approx((79.8 - 79.2) / 100 * 30)
    assert trace.quantity("swe_apart").value == pytest.approx(6.6)
    assert trace.quantity("swe_vendor_solved").value == pytest.approx(403)
    assert trace.quantity("flawed").value == pytest.approx(500 * 0.276 * 0.594)
    for key in scoreboard.PUBLISHED:
        score = facts.quantity(scoreboard.PUBLISHED[key][0]).value
        assert trace.quantity(f"{key}_low").value < score < trace.quantity(f"{key}_high").value


# ---------------------------------------------------------------------- cost
def test_a_problem_costs_its_tokens_at_the_price():
    trace = runs.get("score_cost")
    assert trace.quantity("cost_gpt_5").value == pytest.approx(13_000 * 10 / 1e6)
    assert trace.quantity("cost_v3_2").value == pytest.approx(16_000 * 0.42 / 1e6)
    assert trace.quantity("times").value == pytest.approx(0.18 / 0.00672)
    assert trace.quantity("points_apart").value == pytest.approx(1.9)
    assert trace.quantity("score_v3_2").spread == pytest.approx(100 * math.sqrt(0.931 * 0.069 / 30))
