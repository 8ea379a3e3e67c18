"""The corpus: same text for the same seed, nothing held out is in training, and what a grammar says is right."""

import ast
import re
from random import Random

import pytest

from explainers import corpus, grammar
from explainers.errors import ExplainError


@pytest.fixture(scope="module")
def text() -> corpus.Corpus:
    return corpus.build(0)


def test_same_seed_same_text(text: corpus.Corpus) -> None:
    again = corpus.build.__wrapped__(0)
    assert again.digest == text.digest
    assert again.train == text.train


def test_seed_changes_only_what_is_generated(text: corpus.Corpus) -> None:
    other = corpus.build(1)
    assert other.train["code"] == text.train["code"]
    assert other.train["German"] != text.train["German"]
    assert other.digest != text.digest


def test_every_domain_has_both_parts(text: corpus.Corpus) -> None:
    for domain in corpus.DOMAINS:
        train, held = len(text.text(domain)), len(text.text(domain, "validation"))
        assert train > 300_000
        assert 0.02 < held / train < 0.2


def test_no_generated_sentence_is_in_both_parts(text: corpus.Corpus) -> None:
    for domain, mark in (("German", r"(?<=[.?]) "), ("sums", "\n")):
        train, held = (
            {line for document in part[domain] for line in re.split(mark, document)}
            for part in (text.train, text.validation)
        )
        assert held
        assert not held & train


def test_a_sum_is_held_out_whatever_the_order_of_its_numbers(text: corpus.Corpus) -> None:
    def questions(part: dict[str, tuple[str, ...]]) -> set[tuple[str, ...]]:
        lines = [line for document in part["sums"] for line in document.splitlines()]
        return {tuple(sorted(line.split(" = ")[0].split())) for line in lines}

    assert not questions(text.train) & questions(text.validation)


def test_no_module_lends_its_docstrings_to_the_other_part(text: corpus.Corpus) -> None:
    code, prose = corpus.standard_library()
    for name, document in prose.items():
        part = text.validation if corpus.is_held_out(name) else text.train
        assert document in part["English"]
        assert code[name] in part["code"]


def test_sums_are_right() -> None:
    draw = Random(3)
    for _ in range(500):
        question, _, result = grammar.sum_line(draw).partition(" = ")
        assert eval(question) == int(result)  # the grammar's own digits and signs


def test_docstrings_are_split_from_code() -> None:
    source = (
        '"""The module says what it does in more than eight words here."""\n\n'
        'def f(x):\n    """Returns twice the number that it is given, no more and no less."""\n    return 2 * x\n\n'
        'class Empty:\n    """An only child must stay or the class would have no body at all."""\n'
    )
    code, prose = corpus.split_docstrings(source)
    ast.parse(code)
    assert "twice the number" not in code
    assert "twice the number" in prose
    assert "only child" in code


def test_german_grammar_agrees() -> None:
    draw = Random(5)
    sentences = [grammar.german_sentence(draw) for _ in range(2000)]
    text = " ".join(sentences)
    genders = {noun: gender for noun, (gender, plural) in grammar._DE_NOUNS.items() if plural != noun}
    for noun, gender in genders.items():
        articles = set(re.findall(rf"\b(das|ein|eine|einen|einem|einer|die|den|dem|der) {noun}\b", text))
        allowed = {"m": {"der", "den", "dem", "ein", "einen", "einem"}, "f": {"die", "der", "eine", "einer"}}
        assert articles <= allowed.get(gender, {"das", "dem", "ein", "einem"}), noun
    assert all(sentence[0].isupper() and sentence[-1] in ".?" for sentence in sentences)
    assert not re.search(r"ee(n|r|s)?\b(?<!Tee)", " ".join(re.findall(r"\bmüd\w+", text)))


def test_without_the_library_there_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus.os, "__file__", "/nowhere/os.py")
    with pytest.raises(ExplainError, match=r"needs a Python with its \.py files"):
        corpus.standard_library()
