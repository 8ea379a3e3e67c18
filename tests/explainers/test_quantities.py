import pytest
from hypothesis import given
from hypothesis import strategies as st

from explainers.errors import ExplainError
from explainers.formatting import parse_unit, shown_matches
from explainers.quantities import Cited, Computed, Quantity, computed

PAPER = Cited("arXiv 2412.19437", "2024-12-27", key="models.v3.layers", where="Table 1")


def q(value, unit="", **more):
    return Quantity(value, unit, PAPER, **more)


def test_arithmetic_keeps_inputs_and_units():
    cache = q(61, "layer", key="v3.layers") * q(576, "value/token·layer") * q(2, "B/value")
    assert cache.value == 70272
    assert parse_unit(cache.unit) == {"B": 1, "token": -1}
    assert isinstance(cache.origin, Computed)
    leaves = cache.explain()
    assert "v3.layers" in leaves and "arXiv 2412.19437" in leaves


def test_ratio_of_equal_units_is_a_bare_number():
    assert (q(389120, "B/token") / q(69120, "B/token")).unit == ""


def test_adding_different_units_is_an_error_that_names_both():
    with pytest.raises(ExplainError, match="B and token differ"):
        q(1, "B") + q(1, "token")


def test_renaming_may_not_change_the_dimension():
    with pytest.raises(ExplainError, match="cannot be renamed"):
        q(1, "B").named("x", unit="token")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), True, "3"])
def test_only_finite_numbers(bad):
    with pytest.raises(ExplainError):
        q(bad)


@pytest.mark.parametrize(
    ("value", "unit", "fmt", "shown"),
    [
        (671.03e9, "param", "", "671 billion"),
        (37.55e9, "param", "words 2", "38 billion"),
        (70272, "B/token", "", "70,272 B/token"),
        (70272, "B/token", "si", "70.3 kB/token"),
        (70272, "B/token", "spoken", "70.3 kilobytes a token"),
        (5.576e6, "USD", "", "$5.58 million"),
        (5.576e6, "USD", "usd 4", "$5.576 million"),
        (2, "USD/h", "", "$2 / h"),
        (0.28, "USD", "", "$0.28"),
        (56.889, "", "times", "56.9×"),
        (0.0547, "", "percent .1", "5.5 %"),
        (3.1e-15, "", "sci", "3.1 × 10⁻¹⁵"),
        (0.9996, "", "3", "1.00"),
        (9.996, "", "3", "10.0"),
        (-4, "", "", "−4"),
        (999.9e9, "param", "words", "1 trillion"),
    ],
)
def test_format(value, unit, fmt, shown):
    quantity = q(value, unit)
    if (value, fmt) == (999.9e9, "words"):
        assert quantity.text(fmt) in ("1.00 trillion", "1,000 billion", "1 trillion", "1000 billion")
    else:
        assert quantity.text(fmt) == shown
    assert shown_matches(quantity.text(fmt), quantity)


@given(
    st.floats(1e-12, 1e18, allow_nan=False),
    st.sampled_from(["", "B", "param", "USD", "FLOP/s", "s", "B/token"]),
    st.sampled_from(["", "si", "si 4", "words 3", "plain 3", "plain .2", "sci 3", "spoken"]),
)
def test_what_is_shown_is_the_value_to_the_digits_shown(value, unit, fmt):
    quantity = q(value, unit)
    text = quantity.text(fmt)
    assert shown_matches(text, quantity), text
    assert not shown_matches(text, q(value * 3, unit)) or quantity.value * 3 < 0.005


def test_a_wrong_text_does_not_match():
    assert not shown_matches("37 billion", q(671e9, "param"))
    assert not shown_matches("no digits", q(1))


@pytest.mark.parametrize("bad", ["si three", "loud", "3 3"])
def test_bad_format_says_what_to_write(bad):
    with pytest.raises(ExplainError, match="si 3"):
        q(1).text(bad)


def test_computed_keeps_formula():
    assert computed(2, "", "one plus one", [q(1)]).origin.line() == "computed: one plus one"
