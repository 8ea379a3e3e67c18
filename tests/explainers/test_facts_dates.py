"""A fact's date is a number that knows its source."""

from __future__ import annotations

from datetime import date

import pytest

from explainers import facts
from explainers.errors import ExplainError
from explainers.references import resolve


def test_a_date_counts_days() -> None:
    market, v3 = (resolve(f"fact.timeline.{key}.date") for key in ("market", "v3"))
    assert date.fromordinal(int(market.value)) == date(2025, 1, 27)
    assert (market - v3).text("plain") == "32 day"
    assert market.origin.confidence == "secondary"  # type: ignore[union-attr]


def test_months_years_and_spans_begin_on_their_first_day() -> None:
    days = {
        key: date.fromordinal(int(facts.quantity(f"timeline.{key}.date").value))
        for key in ("founded", "ban_us_federal")
    }
    assert days == {"founded": date(2023, 7, 1), "ban_us_federal": date(2025, 1, 24)}


def test_recalled_dates_are_refused() -> None:
    with pytest.raises(ExplainError, match="recalled"):
        facts.quantity("timeline.grpo.date")
