"""Runs about money: checked against arithmetic done by hand and against the published figures."""

from __future__ import annotations

from datetime import date

import pytest

from explainers import facts, runs
from explainers.errors import ExplainError
from explainers.experiments import economy
from explainers.quantities import Cited


def test_sharing_a_step_is_almost_free_until_the_caches_weigh():
    trace = runs.get("shared_read")
    step, cost, users = (trace[name].values for name in ("step", "cost", "users"))
    assert cost * users / step == pytest.approx(2.0 / 3600 * 1e6)  # what a second of the chip costs
    assert (step[1:] > step[:-1]).all()
    assert (cost[1:] < cost[:-1]).all()
    assert trace.quantity("step_64").value == pytest.approx(step[6] * 1e3)
    assert trace.quantity("cheaper_64").value == pytest.approx(64 / trace.quantity("longer_64").value)


def test_the_last_crowd_agrees_with_the_run_on_serving():
    shared, serving = runs.get("shared_read"), runs.get("serving")
    column = list(serving["context"].values).index(4096)
    for index, cost in enumerate(shared["cost"].values):
        assert serving["cost"].values[index, column] == pytest.approx(cost)
    gain = serving.quantity("cost_dense_mha").value / serving.quantity("cost_moe_mla").value
    assert shared.quantity("levers").value == pytest.approx(gain)


def test_a_context_that_does_not_fit_is_refused():
    with pytest.raises(ExplainError, match="shorten the context"):
        economy.shared_read(context=100_000_000)


def test_prices_are_the_cited_ones_in_order_of_their_days():
    trace = runs.get("price_history")
    for line, listings in economy.LINES.items():
        days = trace[f"day_{line}"].values
        assert (days[1:] >= days[:-1]).all()
        assert len(days) == len(listings)
    first = trace["day_deepseek"].values[0]
    assert date.fromordinal(int(first)) == date.fromisoformat(facts.entry("prices.v2").text("from"))
    assert trace["price_deepseek"].values[0] == trace.quantity("v2_out").value == 0.28
    assert isinstance(trace.quantity("v2_out").origin, Cited)
    assert trace.quantity("o1_to_r1").value == pytest.approx(60 / 2.19)
    began, fell = (date.fromisoformat(facts.entry(f"prices.{key}").text("from")) for key in ("gpt4", "haiku5_5"))
    assert trace.quantity("first_to_floor_years").value * 365.25 == pytest.approx((fell - began).days)


def test_a_month_is_tokens_times_prices():
    trace = runs.get("startup_month")
    # 100,000 answers of 3,000 tokens in (70 % cached) and 300 out, at 0.003, 0.15 and 0.60 a million
    assert trace.quantity("answers_v4_1_flash").value == pytest.approx(210 * 0.003 + 90 * 0.15 + 30 * 0.6)
    assert trace.quantity("answers_gpt4").value == pytest.approx(300 * 30 + 30 * 60)
    assert trace.quantity("documents_opus5_5").value == pytest.approx(1000 * 4 + 50 * 20)
    assert trace.quantity("answers_thinking").value == pytest.approx(210 * 0.003 + 90 * 0.15 + 300 * 0.6)
    # one answer: a hundred-thousandth of that, in cents, whatever the number of answers
    assert trace.quantity("cents_gpt4").value == pytest.approx(10.8)
    twice = runs.get("startup_month", answers=200_000)
    assert twice.quantity("cents_v4_1_flash").value == pytest.approx(trace.quantity("cents_v4_1_flash").value)
    assert trace.quantity("cents_v4_1_flash").value == pytest.approx(0.03213)
    assert twice.quantity("answers_haiku5_5").value == pytest.approx(2 * trace.quantity("answers_haiku5_5").value)


def test_demand_grows_by_what_the_counters_say():
    trace = runs.get("demand")
    assert trace.quantity("google_growth").value == pytest.approx(3.2e15 / 9.7e12)
    assert trace.quantity("china_growth").value == pytest.approx(1400)
    assert trace.quantity("google_2024").value == pytest.approx(9.7e12 / 30.4)
