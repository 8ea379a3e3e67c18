"""The tokenizer: exact both ways for any text, small, deterministic, readable errors."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explainers import paths
from explainers.errors import ExplainError
from explainers.tokenizer import Tokenizer

SHIPPED = Tokenizer.load(paths.assets() / "models" / "small" / "tokenizer.json")
LINES = ["the cat sat on the mat, the cat ran", "12 + 34 = 46", "der Hund und die Katze", "def f(x):\n    return x"] * 3


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    assert SHIPPED.decode(SHIPPED.encode(text)) == text


@given(st.text(alphabet="0123456789 ab", max_size=30))
def test_digits_stand_alone(text: str) -> None:
    for token in SHIPPED.encode(text):
        piece = SHIPPED.pieces[token].decode()
        assert len(piece) == 1 or not any(letter.isdigit() for letter in piece)


def test_shipped_vocabulary_has_1024_tokens_and_shortens_english() -> None:
    assert SHIPPED.size == 1024
    sentence = "A small model remembers what it reads, token by token."
    assert len(SHIPPED.encode(sentence)) < len(sentence) / 2


def test_training_is_deterministic_and_stops_at_the_size() -> None:
    first, second = Tokenizer.train(LINES, 290), Tokenizer.train(LINES, 290)
    assert first.merges == second.merges
    assert first.size <= 290
    assert len(first.encode("the cat sat")) < len("the cat sat")


def test_the_most_frequent_pair_is_merged_first() -> None:
    first = Tokenizer.train(["abab abab xy"], 260).merges[0]
    assert first == (ord("a"), ord("b"))


def test_merges_are_applied_in_the_order_they_were_learnt() -> None:
    tokenizer = Tokenizer([(ord("b"), ord("c")), (ord("a"), ord("b"))])
    assert tokenizer.encode("abc") == [ord("a"), 256]


def test_file_round_trip(tmp_path: Path) -> None:
    tokenizer = Tokenizer.train(LINES, 300)
    again = Tokenizer.load(tokenizer.save(tmp_path / "t.json"))
    assert again.merges == tokenizer.merges
    assert again.encode("the cat") == tokenizer.encode("the cat")


def test_tokens_show_blanks_breaks_and_bytes() -> None:
    shown = SHIPPED.tokens("a b\n漢")
    assert shown[0] == "a"
    assert "·b" in shown or "·" in shown
    assert any("↵" in piece for piece in shown)
    assert any(piece.startswith("‹") for piece in shown)
    assert SHIPPED.display(SHIPPED.end) == "‹end›"


@pytest.mark.parametrize(
    "content", ["", "{}", json.dumps({"format": "other", "merges": []}), '{"format": "explainers-bpe-1"']
)
def test_damaged_file_is_one_clear_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(content)
    with pytest.raises(ExplainError, match="cannot read the tokenizer") as raised:
        Tokenizer.load(path)
    assert "\n" not in str(raised.value)


def test_wrong_values_are_refused() -> None:
    with pytest.raises(ExplainError, match="not in the vocabulary"):
        SHIPPED.decode([5000])
    with pytest.raises(ExplainError, match="need 257"):
        Tokenizer.train(LINES, 100)
    with pytest.raises(ExplainError, match="not made yet"):
        Tokenizer([(300, 301)])
