"""How figures and words are said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes.speech import number_words, spoken_words, syllables
from scenes.spoken import weight


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ("0", "zero"),
        ("7", "seven"),
        ("13", "thirteen"),
        ("40", "forty"),
        ("99", "ninety-nine"),
        ("100", "one hundred"),
        ("576", "five hundred seventy-six"),
        ("1,000", "one thousand"),
        ("70,272", "seventy thousand two hundred seventy-two"),
        ("1,000,001", "one million one"),
        ("56.9", "fifty-six point nine"),
        ("0.05", "zero point zero five"),
        ("2025", "twenty twenty-five"),
        ("1900", "nineteen hundred"),
        ("2000", "two thousand"),
        ("2,025", "two thousand twenty-five"),
        ("4096", "four thousand ninety-six"),
    ],
)
def test_figures_are_read_aloud(figure: str, said: str) -> None:
    assert number_words(figure) == said.split()


@given(st.integers(0, 10**15 - 1))
def test_every_whole_number_has_words_that_add_up_to_it(value: int) -> None:
    assert read_back(number_words(f"{value:,}")) == value


def read_back(words: list[str]) -> int:
    """An independent reader of English cardinals."""
    small = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
    small += "sixteen seventeen eighteen nineteen".split()
    tens = {w: 10 * (i + 2) for i, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split())}
    scales = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
    total = group = 0
    for word in " ".join(words).replace("-", " ").split():
        if word in scales:
            total, group = total + (group or 1) * scales[word], 0
        elif word == "hundred":
            group *= 100
        else:
            group += tens[word] if word in tens else small.index(word)
    return total + group


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("A low-rank cache — that is all.", 6),
        ("5.5 %", 4),
        ("57×", 2),
        ("$5.58 million", 6),
        ("V3 keeps 12 GB.", 5),
        ("3.1 × 10⁻¹⁵", 9),
        ("MLA", 1),
        ("…", 0),
    ],
)
def test_spoken_words_are_counted(text: str, count: int) -> None:
    assert len(spoken_words(text)) == count


def test_syllables_and_pauses_make_a_token_longer() -> None:
    assert [syllables(word) for word in ("cache", "latent", "architecture", "MLA")] == [1, 2, 4, 3]
    assert weight("cache.", "en") > weight("cache,", "en") > weight("cache", "en") > weight("—", "en") - 1
