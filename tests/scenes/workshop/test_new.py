"""``explain new``: what it writes works as it is, in a copy of the clone; what it must not do it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from explainers.errors import ExplainError
from scenes.registry import Course
from scenes.workshop import naming, scaffold

Call = Callable[..., "CompletedProcess[str]"]
MADE = (
    ("scene", "NotesOfAToken", "--lecture", "3"),
    ("lecture", "Sparse attention", "--question", "Which tokens need to be read again?"),
    ("run", "chat_cache", "--summary", "the cache of a chat"),
    ("kit-object", "WaterTank"),
)


@pytest.fixture(scope="module")
def made(explain: Call) -> dict[str, str]:
    """Everything that can be new, made once in the copy: kind → what the command printed."""
    said = {}
    for kind, *arguments in MADE:
        done = explain("new", kind, *arguments)
        assert done.returncode == 0, done.stderr
        said[kind] = done.stdout
    return said


def test_it_says_what_it_wrote(made: dict[str, str], clone: Path) -> None:
    files = [line.split(maxsplit=1)[1] for text in made.values() for line in text.splitlines() if line[:5] == "wrote"]
    assert len(files) == 9
    assert all((clone / name).is_file() for name in files)
    assert "scenes/lectures/l3_mla/notes_of_a_token.py" in files
    assert "checked 3/NotesOfAToken: no findings; its golden is written" in made["scene"]
    assert "checked 9/SparseAttention: no findings" in made["lecture"]


def test_scenes_pass_the_check_with_their_goldens(made: dict[str, str], explain: Call) -> None:
    done = explain("check", "NotesOfAToken", "9", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 scenes, 4 steps" in done.stdout
    assert "lecture 9 is a draft" in done.stdout


def test_the_course_still_matches_one_to_one(made: dict[str, str], clone: Path) -> None:
    course = Course(clone / "lecture_scripts", clone / "scenes" / "lectures")
    assert course.mismatches() == []
    assert course.lecture(3).sections[-1].heading == "Notes of a token"
    assert course.lecture(9).question == "Which tokens need to be read again?"


def test_linters_are_content(made: dict[str, str], python: Call) -> None:
    for command in (["ruff", "check", "."], ["ruff", "format", "--check", "."]):
        done = python("-m", *command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_types_are_right(made: dict[str, str], python: Call) -> None:
    done = python("-m", "mypy", "-m", "scenes.kit.water_tank", "-m", "scenes.kit.examples.water_tank", "-m",
                  "explainers.experiments.chat_cache", "-m", "scenes.lectures.l3_mla.notes_of_a_token")  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_new_tests_and_those_of_the_architecture_pass(made: dict[str, str], python: Call) -> None:
    files = ["tests/explainers/test_experiments_chat_cache.py", "tests/scenes/kit/test_kit_water_tank.py"]
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "tests/test_architecture.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_run_is_in_the_catalogue(made: dict[str, str], explain: Call) -> None:
    assert "the cache of a chat" in explain("run", "list").stdout
    assert "9.21 GB" in explain("run", "chat_cache").stdout


def test_the_example_is_found(made: dict[str, str], python: Call) -> None:
    program = "from scenes.kit.examples.showing import examples; print(examples()['WaterTank'].build())"
    assert "WaterTank" in python("-c", program).stdout


@pytest.mark.parametrize("arguments", MADE, ids=lambda arguments: arguments[0])
def test_nothing_is_overwritten(made: dict[str, str], explain: Call, arguments: tuple[str, ...]) -> None:
    done = explain("new", *arguments)
    assert done.returncode == 1
    assert "choose another name" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_there_stops_everything(tmp_path: Path) -> None:
    there = tmp_path / "there.py"
    there.write_text("mine")
    change = scaffold.Change({tmp_path / "new.py": "a", there: "b"})
    with pytest.raises(ExplainError, match="is there already"):
        change.write()
    assert there.read_text() == "mine"
    assert not (tmp_path / "new.py").exists()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("scene", "the_cache", "--lecture", "3"), "did you mean Thecache|did you mean TheCache"),
        (("scene", "Notes!", "--lecture", "3"), "did you mean Notes"),
        (("scene", "Good", "--lecture", "33"), "unknown lecture '33'"),
        (("lecture", "Top 5 ideas"), "holds digits"),
        (("scene", "Top5", "--lecture", "3"), "the digits in 'Top5' have no origin"),
        (("lecture", "!!"), "begin it with a letter"),
        (("lecture", "Another", "--number", "3"), "lecture 3 is there already"),
        (("run", "CacheHeld"), "did you mean cache_held"),
        (("run", "class"), "cannot be the name of a run"),
        (("kit-object", "print"), "did you mean Print"),
        (("kit-object", "9lives"), "cannot be the name of a kit object"),
        (("run", "fine", "--summary", 'say "x"'), "cannot hold"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_bad_names_get_a_fix(arguments: tuple[str, ...], hint: str) -> None:
    from click.testing import CliRunner

    from scenes.cli import explain

    done = CliRunner().invoke(explain, ["new", *arguments])
    assert isinstance(done.exception, ExplainError)
    assert any(each in str(done.exception) for each in hint.split("|")), str(done.exception)


def test_an_installed_package_has_no_place_for_runs(tmp_path: Path) -> None:
    with pytest.raises(ExplainError, match=r"entry points"):
        scaffold.new_run("fine", project=tmp_path)


def test_a_course_of_ones_own_gets_its_scene(make_course: Callable[[str, str], Course]) -> None:
    course = make_course("## One {#One}\nWords.\n", "class One(LectureScene):\n    lecture = 9\n")
    change = scaffold.new_scene("TwoThings", 9, course)
    assert {path.name for path in change.new} == {"l9_two_things.py"}
    change.write()
    assert [section.name for section in Course(course.scripts, course.scenes).lecture(9).sections] == [
        "One",
        "TwoThings",
    ]


@pytest.mark.parametrize(
    ("name", "snake", "heading"),
    [
        ("TheKVCacheGrows", "the_kv_cache_grows", "The KV cache grows"),
        ("MLA", "mla", "MLA"),
        ("Slider", "slider", "Slider"),
        ("V3Layers", "v3_layers", "V3 layers"),
    ],
)
def test_names_become_files_and_headings(name: str, snake: str, heading: str) -> None:
    assert naming.snake(name) == snake
    assert naming.words(name) == heading
