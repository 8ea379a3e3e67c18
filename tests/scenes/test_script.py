"""Reading lecture scripts: what they mean, and where a mistake is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from explainers import references, runs
from explainers.errors import ExplainError
from explainers.quantities import Cited, Quantity
from explainers.traces import Trace
from scenes import script
from scenes.script import parse

FILE = Path("lecture_scripts/en/3_mla.md")
HEAD = "---\nnumber: 3\ntitle: Remembering everything\nquestion: Why?\nposter: Second\n---\n"
NAMES = frozenset({"V3", "GPT-4o", "Llama-3.1-405B"})
KV = Quantity(70_272, "B", Cited("paper", "2024"), "KV bytes", "v3.kv")


@pytest.fixture(autouse=True)
def known_numbers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """`references.resolve` that knows ``v3.kv`` only, and the list of what it was asked."""
    asked: list[str] = []

    def resolve(reference: str) -> Quantity:
        asked.append(reference)
        if reference != "v3.kv":
            raise ExplainError(f"unknown number {reference!r}; did you mean v3.kv?")
        return KV

    monkeypatch.setattr(references, "resolve", resolve)
    return asked


def sections(body: str) -> tuple[script.Section, ...]:
    return parse(HEAD + body, FILE, NAMES).sections


def test_a_script_becomes_sections_and_steps(known_numbers: list[str]) -> None:
    lecture = parse(
        HEAD + "## The cache grows\n<!-- 12 notes\nto self -->\nFor each token\nV3 keeps {{ v3.kv }}. "
        "[[small]] Small!\n\nThen GPT-4o.\n\n## Why MLA? {#Second}\nOne.\n",
        FILE,
        NAMES,
    )
    assert (lecture.number, lecture.title, lecture.question) == (3, "Remembering everything", "Why?")
    assert (lecture.slug, lecture.lang, dict(lecture.about)) == ("3_mla", "en", {"poster": "Second"})
    assert [(s.name, s.heading, len(s.steps)) for s in lecture.sections] == [
        ("TheCacheGrows", "The cache grows", 2),
        ("Second", "Why MLA?", 1),
    ]
    assert known_numbers == [], "parsing computes nothing"
    step = lecture.sections[0].steps[0]
    assert step.mark_names == ("small",)
    assert step.narration == "For each token V3 keeps 70,272 B. Small!"
    assert step.tokens[step.marks["small"]] == "Small!"
    assert step.quantities == ((KV, "70,272 B"),)
    assert step.words == 13, "V three; seventy thousand two hundred seventy-two bytes; and five more"


def test_a_format_decides_how_a_number_is_said() -> None:
    (section,) = sections("## A\nIt keeps {{ v3.kv | spoken }}.\n")
    assert section.steps[0].narration == "It keeps 70.3 kilobytes."


def test_a_mark_may_touch_the_word_before_it() -> None:
    (section,) = sections("## A\n[[first]]One two[[third]] three {{ v3.kv }}.\n")
    assert section.steps[0].marks == {"first": 0, "third": 2}


@pytest.mark.parametrize(
    ("body", "line", "says"),
    [
        ("## A\nIt has 37 experts.\n", 8, "'37'"),
        ("## A\nFine.\n\nFine\nbut 4-bit.\n", 11, "'4-bit'"),
        ("## A\nV31 is no name.\n", 8, "'V31'"),
        ("## Top 8\nFine.\n", 7, "'8'"),
        ("## A\nKeeps\n{{ v3.kv | shouted }}.\n", 9, "'shouted'"),
        ("## A\nKeeps {{ 37 }}.\n", 8, "'37'"),
        ("## A\nKeeps {{ v3.kv.\n", 8, "'{{'"),
        ("## A\nKeeps ]] it.\n", 8, "']]'"),
        ("## A\n[[a]] one [[a]] two\n", 8, "twice"),
        ("## A\nOne\ntwo. [[late]]\n", 9, "no word follows the mark [[late]]"),
        ("## A\nOne [[two words]] three.\n", 8, "a mark is one word"),
        ("## A\nFine.\n## A\nFine.\n", 9, "two scenes are called A"),
        ("## Empty\n\n## B\nFine.\n", 7, "no paragraph"),
        ("Words.\n## A\nFine.\n", 7, "belongs to no scene"),
        ("### A\nFine.\n", 7, "begins with '## '"),
        ("##\nFine.\n", 7, "cannot read '##'"),
        ("## A\n- a point\n", 8, "plain sentences"),
        ("## A\nVery *loud*.\n", 8, "plain sentences"),
    ],
)
def test_a_mistake_names_its_file_and_line(body: str, line: int, says: str) -> None:
    with pytest.raises(ExplainError) as error:
        sections(body)
    assert str(error.value).startswith(f"3_mla.md:{line}: ")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_number_names_its_line_when_it_is_asked_for() -> None:
    (section,) = sections("## A\nFine.\n\nIt\nkeeps {{ v3.kw }}.\n")
    with pytest.raises(ExplainError, match=r"3_mla\.md:11: .*did you mean v3\.kv"):
        _ = section.steps[1].narration


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("## A\nFine.\n", "begin with '---'"),
        ("---\nnumber: 3\n---\n## A\nFine.\n", "lacks 'title"),
        ("---\nnumber: three\ntitle: x\n---\n## A\nFine.\n", "'three'"),
        ("---\nnumber: 3\ntitle: 8 things\n---\n## A\nFine.\n", "'8'"),
        ("---\nnumber 3\n---\n## A\nFine.\n", "key: value"),
        ("---\nnumber: 3\ntitle: x\n---\n", "no scene"),
    ],
)
def test_front_matter_is_checked(text: str, says: str) -> None:
    with pytest.raises(ExplainError, match=r"3_mla\.md:\d+: ") as error:
        parse(text, FILE)
    assert says in str(error.value)


def test_a_section_digest_follows_its_own_words_alone() -> None:
    first, second = sections("## A\nOne word.\n\n## B\nTwo words.\n")
    changed, same = sections("<!-- moved -->\n\n## A\nOther word.\n\n## B\nTwo\nwords.\n")
    assert first.digest != changed.digest
    assert second.digest == same.digest


def test_scripts_are_found_by_language_and_number(tmp_path: Path) -> None:
    folder = tmp_path / "en"
    folder.mkdir()
    (tmp_path / "names.txt").write_text("V3\n")
    for number in (2, 1):
        (folder / f"{number}_x.md").write_text(f"---\nnumber: {number}\ntitle: T\n---\n## A\nAbout V3.\n")
    assert [lecture.number for lecture in script.lectures("en", tmp_path)] == [1, 2]
    assert script.lecture(2, "en", tmp_path).path.name == "2_x.md"
    with pytest.raises(ExplainError, match="unknown lecture '5'; known: 1, 2"):
        script.lecture(5, "en", tmp_path)
    with pytest.raises(ExplainError, match="unknown language 'fr'"):
        script.lectures("fr", tmp_path)
    (folder / "3_y.md").write_text("---\nnumber: 2\ntitle: T\n---\n## A\nFine.\n")
    with pytest.raises(ExplainError, match="both lecture 2"):
        script.lectures("en", tmp_path)


# ---------------------------------------------------------------------- one thing or another
WHOSE = "In {% if run.gates.released %} yours {% else %} our {{ v3.kv }} {% end %} it [[now]] goes."


@pytest.mark.parametrize(
    ("numbers", "said"), [({}, "In our 70,272 B it goes."), ({"released": KV}, "In yours it goes.")]
)
def test_a_script_says_what_holds_for_the_run(
    numbers: dict[str, Quantity], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def get(name: str) -> Trace:
        asked.append(name)
        return Trace(name, {}, numbers, {})

    monkeypatch.setattr(runs, "get", get)
    step = sections(f"## One\n{WHOSE}\n")[0].steps[0]
    assert step.words_planned and asked == [], "planning computes nothing"
    assert step.narration == said and asked == ["gates"]
    assert step.tokens[step.marks["now"]] == "goes." and len(step.quantities) == ("our " in said)
    assert [each.name for each in step.references] == ["v3.kv"] and step.conditions == ("run.gates.released",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A {% if run.gates.x %} b [[now]] c {% else %} d {% end %} e.", "a mark stands inside"),
        ("A {% if v3.kv %} b {% else %} c {% end %}.", "cannot read the condition 'v3.kv'"),
        ("A {% if run.gates.x %} b {% end %}.", "a lonely '{%'"),
        ("A {% if run.gates.x %} 12 {% else %} c {% end %}.", "the digits in '12' have no origin"),
    ],
)
def test_what_is_wrong_with_a_condition(text: str, message: str) -> None:
    with pytest.raises(ExplainError, match=re.escape(message)):
        sections(f"## One\n{text}\n")
