"""A lecturer's own version: read, checked, composed, and respected by the commands."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from explainers import runs
from explainers.errors import ExplainError
from scenes import door, frame, look, own_course
from scenes.audit.checking import chosen
from scenes.commands.init import init
from scenes.commands.list import list_
from scenes.production.settings import QUALITIES, UNFIT, Options
from scenes.registry import Course, Selection, select

Write = Callable[[str], Course]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """``write(text)`` puts a course file in force and returns the course."""
    for name in ("EXPLAIN_THEME", "EXPLAIN_LANG", "EXPLAIN_ASPECT"):
        monkeypatch.delenv(name, raising=False)
    count = iter(range(100))

    def written(text: str) -> Course:
        path = tmp_path / f"{next(count)}.toml"
        path.write_text(text, "utf-8")
        monkeypatch.setenv("EXPLAIN_COURSE", str(path))
        return Course.default()

    return written


MIXED = """
[[lectures]]
number = 1
title = "Memory — and its price"
question = "Why is a long chat dear?"
scenes = ["3/MemoryCard", "6/OneReadManyUsers", "TheCacheGrows"]

[[lectures]]
lecture = 2
"""


def test_scenes_come_in_the_chosen_order_under_the_chosen_title(write: Write) -> None:
    course = write(MIXED)
    first, second = select(["all"], course)
    assert [entry.key for entry in first.entries] == ["3/MemoryCard", "6/OneReadManyUsers", "3/TheCacheGrows"]
    assert (first.lecture.number, first.lecture.title, first.name) == (
        1,
        "Memory — and its price",
        "1_memory_and_its_price",
    )
    assert second.lecture.sections == course.home.lecture(2).sections and second.name == "2_moe"
    assert [entry.script.name for entry in first.entries] == ["3_mla.md", "6_economy.md", "3_mla.md"]
    assert course.place(2) == (2, 2) and course.after(1) == 2 and course.after(2) == 3
    assert not course.is_as_written(1) and course.is_as_written(2)


@pytest.mark.parametrize("target", ["OneReadManyUsers", "6/OneReadManyUsers", "1/OneReadManyUsers"])
def test_a_scene_is_found_under_its_own_and_under_the_new_number(write: Write, target: str) -> None:
    course = write(MIXED)
    (found,) = select([target], course)
    assert [entry.key for entry in found.entries] == ["6/OneReadManyUsers"]
    assert chosen([target], course) == ([1], ["6/OneReadManyUsers"])


def test_a_scene_that_was_left_out_is_not_found(write: Write) -> None:
    course = write(MIXED)
    with pytest.raises(ExplainError, match="FewDirections"):
        select(["FewDirections"], course)
    assert {key for key in chosen([], course)[1] if key.startswith("3/")} == {"3/MemoryCard", "3/TheCacheGrows"}


def test_cards_can_be_left_out(write: Write) -> None:
    names = [section.name for lecture in write("cards = false").lectures for section in lecture.sections]
    assert names and not [name for name in names if name.endswith(("Card", "End"))]


def test_a_card_shows_the_new_front_and_notes_it(write: Write) -> None:
    course = write(MIXED)
    script = course.home.lecture(3)
    assert course.shown_as(script.section("MemoryCard")).question == "Why is a long chat dear?"
    _, before = door.read_front(script, 1)
    assert before.holds()
    write(MIXED.replace("dear?", "costly?"))
    assert not before.holds()
    write(MIXED.replace("Memory — and", "Memories, and"))
    assert not before.holds()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lanugage = 'de'", "lanugage: unknown key; did you mean language?"),
        ("aspect = '9:16'", r"aspect: unknown key; did you mean aspect in \[picture\]?"),
        ("title = 3", "title: 3 is not allowed; write a text in quotes"),
        ("cards = 'no'", "cards: 'no' is not allowed; write true or false"),
        ("[picture]\nquality = '1080'", "picture.quality: '1080' is not allowed; choose 480p, 720p, 1080p, 4k"),
        ("[picture]\nfps = 300", "picture.fps: 300 is out of range"),
        ("[picture]\nfps = true", "picture.fps: True is not allowed; write a whole number"),
        ("[theme]\nbase = 'lite'", "theme.base: 'lite' is not allowed; choose dark, light, high-contrast"),
        ("[theme.colours]\nlatant = '#ffffff'", "theme.colours.latant: unknown role; did you mean latent?"),
        ("[theme.colours]\nlatent = 'red'", "theme.colours.latent: 'red' is no colour"),
        ("[theme]\nlogo = 'none.svg'", "theme.logo: there is no .*none.svg"),
        ("[voice]\nname = 'piper'\nmodel = 'none.onnx'", "voice.model: there is no .*none.onnx"),
        ("theme = 'light'", r"theme: must be a table; write \[theme\]"),
        ("[lectures]\nlecture = 3", r"lectures: must be tables; write \[\[lectures\]\]"),
        ("[[lectures]]\ntitle = 'Nothing'", "lectures, number 1: names neither lecture nor scenes"),
        ("[[lectures]]\nlecture = 3\n[[lectures]]\nlecture = 3", "lectures.number: 3 is taken"),
        ("[[lectures]]\nscenes = []", r"lectures.scenes: \[\] is not allowed; write a list of texts"),
        ("[[lectures]]\nlecture = 33", "lectures.lecture: unknown lecture '33'"),
        ("[[lectures]]\nscenes = ['TheCachGrows']", "lectures.scenes: .*did you mean TheCacheGrows?"),
        ("[[lectures]]\nscenes = ['9/TheCacheGrows']", "lectures.scenes: unknown lecture '9'"),
        ("[[lectures]]\nscenes = ['TheCacheGrows', 'TheCacheGrows']", "lectures.scenes: TheCacheGrows stands twice"),
        ("language = 'xx'", "language: there are no scripts in 'xx'"),
        ("title =", ".*it is no TOML"),
    ],
)
def test_a_mistake_names_file_key_and_what_is_allowed(write: Write, text: str, said: str) -> None:
    with pytest.raises(ExplainError, match=rf"^\d+\.toml: {said}"):
        _ = write(text).lectures


def test_the_file_that_init_writes_is_the_whole_course(tmp_path: Path, write: Write) -> None:
    file = tmp_path / "mine" / "course.toml"
    done = CliRunner().invoke(init, [str(file.parent)])
    assert done.exit_code == 0 and "8 lectures" in done.output
    course = write(file.read_text("utf-8"))
    assert [entry.key for film in select([], course) for entry in film.entries] == [
        entry.key for film in select([], course.home) for entry in film.entries
    ]
    again = CliRunner().invoke(init, [str(file.parent)])
    assert again.exit_code == 1 and "is there already" in str(again.exception)


def test_every_line_that_init_comments_out_is_allowed(tmp_path: Path, write: Write) -> None:
    """Examples are read by the same reader that reads what people write."""
    CliRunner().invoke(init, [str(tmp_path / "mine")])
    text = (tmp_path / "mine" / "course.toml").read_text("utf-8").partition("# The lectures")[0]
    examples = [
        line.removeprefix("# ") if line.startswith("# ") and " = " in line else line for line in text.splitlines()
    ]
    (tmp_path / "logo.svg").write_text("<svg/>")
    (tmp_path / "voice.onnx").write_bytes(b"")
    keep = [line for line in examples if not line.startswith(("#", "course ="))]
    own = write("\n".join(keep)).own
    assert own.quality == "1080p" and own.colours == {"latent": "#F7B231"} and own.model["seed"] == 1


def test_a_call_uses_the_file_of_its_folder_and_forgets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXPLAIN_COURSE", raising=False)
    monkeypatch.setenv("EXPLAIN_CONTEXT", "{}")
    (tmp_path / "course.toml").write_text(MIXED, "utf-8")
    other = tmp_path / "other.toml"
    other.write_text("[[lectures]]\nlecture = 7\n[model]\ntext = 'A sentence.'", "utf-8")
    monkeypatch.chdir(tmp_path)
    here = json.loads(CliRunner().invoke(list_, ["--json"]).output)
    assert here[0]["title"] == "Memory — and its price"
    there = json.loads(CliRunner().invoke(list_, ["--json", "--course", str(other)]).output)
    assert [lecture["lecture"] for lecture in there] == [7]
    assert "EXPLAIN_COURSE" not in os.environ and os.environ["EXPLAIN_CONTEXT"] == "{}"


def test_the_file_may_say_what_a_render_can_do() -> None:
    allowed = {name: set(key.allowed) for name, key in own_course.KEYS["picture"].items() if key.allowed}
    assert allowed == {"quality": set(QUALITIES), "aspect": set(frame.SHAPES), "unfit": set(UNFIT)}


def test_what_is_asked_for_wins_over_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    theme = "[theme]\nbase = 'light'\n[theme.colours]\nkey = '#000000'"
    write("[picture]\nquality = '480p'\nfps = 12\naspect = '9:16'\n" + theme)
    picture = Options().picture
    assert (picture.width, picture.height, picture.fps) == (480, 854, 12)
    assert Options(quality="1080p", aspect="1:1").picture.width == 1080
    assert look.in_force().colours["key"] == "#000000" and look.colours() == {"key": "#000000"}
    monkeypatch.setenv("EXPLAIN_THEME", "dark")
    assert look.in_force().name == "dark" and look.colours() == {}


def test_the_voice_of_the_file_speaks_unless_another_is_asked_for(write: Write, tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"")
    write("[voice]\nname = 'piper'\nmodel = 'mine.onnx'")
    assert (Options().voice, Options().voice_model) == ("piper", tmp_path / "mine.onnx")
    for name, voice in (("none", None), ("espeak", "espeak")):
        assert (Options(voice=name).voice, Options(voice=name).voice_model) == (voice, None)
    write("[voice]\nname = 'espaek'")
    with pytest.raises(ExplainError, match=r"^\d+\.toml: voice.name: 'espaek' is not allowed; choose none, espeak"):
        Options()


def test_a_context_is_added_to_and_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_CONTEXT", json.dumps({"source": "small", "seed": 3}))
    runs.add_context(text="Mine.", seed=None)
    assert runs.context().overrides() == {"source": "small", "seed": 3, "text": "Mine."}


def test_a_file_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match="explain init"):
        own_course.find(tmp_path / "nowhere", tmp_path)
    assert own_course.find(None, tmp_path) is None


def test_single_scenes_keep_their_films_name(write: Write) -> None:
    course = write(MIXED)
    (found,) = select(["TheCacheGrows"], course)
    assert isinstance(found, Selection) and found.name == "3_TheCacheGrows"
