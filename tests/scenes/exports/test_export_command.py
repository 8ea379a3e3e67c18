"""`explain export` as it is called: what lacks is rendered, what cannot be done says why, what is there stays whole."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from explainers.errors import ExplainError
from scenes.cli import explain
from scenes.exports import FORMATS, export
from scenes.exports.writing import MARK
from scenes.player import films_in
from scenes.player.films import Film

#: Films of the small course stand in ``<folder>/out``, its scripts and scenes beside it.
COURSE = "EXPLAIN_COURSE"


@pytest.fixture
def course(small_films: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = small_films.parent
    monkeypatch.setenv(COURSE, f"{folder / 'scripts'}{os.pathsep}{folder / 'lectures'}")
    monkeypatch.setenv("EXPLAIN_CACHE", str(folder / "cache"))
    return folder


def called(*arguments: str | Path) -> Result:
    return CliRunner().invoke(explain, ["export", *map(str, arguments)])


def test_it_writes_the_lectures_that_are_asked_for(course: Path, tmp_path: Path) -> None:
    done = called("notes", 5, 2, "--films", course / "out", "--out", tmp_path)
    assert done.exception is None, done.exception
    assert done.stdout.split() == [str(tmp_path / "2_small.md"), str(tmp_path / "5_small.md")]
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["2_small.md", "5_small.md"]  # nothing is left over


def test_the_whole_course_is_the_default(course: Path, tmp_path: Path) -> None:
    assert len(called("notes", "--films", course / "out", "--out", tmp_path).stdout.split()) == 2


def test_what_was_not_rendered_is_rendered(course: Path, tmp_path: Path) -> None:
    options = ("--films", tmp_path / "films", "--out", tmp_path / "out", "--quality", "480p", "--jobs", "1")
    done = called("notes", 2, *options)
    assert done.exception is None, done.exception
    assert "rendering lecture 2" in done.stderr
    assert [film.number for film in films_in(tmp_path / "films")] == [2]
    assert (tmp_path / "out" / "2_small.md").is_file()


def test_a_film_counts_in_the_language_and_look_that_are_asked_for(
    course: Path, remake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(COURSE, f"{tmp_path / 'scripts'}{os.pathsep}{course / 'lectures'}")
    for lang in ("en", "de"):
        shutil.copytree(course / "scripts" / "en", tmp_path / "scripts" / lang)
    remake(width=90, height=160, lang="de")
    asked: list[list[int]] = []
    monkeypatch.setattr("scenes.production.render", lambda numbers, options: asked.append(numbers))
    options = ("--films", tmp_path / "remade", "--out", tmp_path / "out")
    for more, rendered in (
        (("--lang", "de"), []),
        (("--lang", "de", "--aspect", "9:16"), []),
        ((), [[2]]),
        (("--lang", "de", "--aspect", "1:1"), [[2]]),
        (("--lang", "de", "--theme", "light"), [[2]]),
    ):
        asked.clear()
        done = called("notes", 2, *options, *more)
        assert done.exception is None, done.exception
        assert asked == rendered and bool(done.stdout) == (not rendered)


def test_wrong_calls_say_what_is_right(course: Path, tmp_path: Path) -> None:
    unknown = called("notes", 4, "--films", course / "out", "--out", tmp_path)
    assert isinstance(unknown.exception, ExplainError) and "unknown lecture '4'" in str(unknown.exception)
    assert all(kind in called("odt").stderr for kind in FORMATS)
    with pytest.raises(ExplainError, match="unknown format 'keynote'"):
        export("keynote", [], tmp_path)


def test_a_lecture_that_cannot_be_rendered_says_why(course: Path, tmp_path: Path) -> None:
    broken = tmp_path / "lectures"
    broken.mkdir()
    for name in ("l2.py", "l5.py"):
        text = (course / "lectures" / name).read_text("utf-8")
        (broken / name).write_text(text.replace("TensorGrid(scores)", "TensorGrid(no_such_thing)"), "utf-8")
    os.environ[COURSE] = f"{course / 'scripts'}{os.pathsep}{broken}"
    done = called(
        "pdf", 2, "--films", tmp_path / "films", "--out", tmp_path / "out", "--quality", "480p", "--jobs", "1"
    )
    assert isinstance(done.exception, ExplainError) and "no_such_thing" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_named(film: Film, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for kind in FORMATS:
        with pytest.raises(ExplainError, match=r"cannot write into .*; choose another folder with --out"):
            export(kind, [film], tmp_path / "file" / "out")


def test_a_folder_of_somebody_else_is_left_alone(film: Film, tmp_path: Path) -> None:
    for kind, place in (("manim-slides", tmp_path / "slides" / "files" / film.name), ("html", tmp_path / film.name)):
        place.mkdir(parents=True)
        (place / "letter.txt").write_text("dear")
        told: list[str] = []
        with pytest.raises(ExplainError, match="other things"):
            export(kind, [film], tmp_path, tell=told.append)
        assert (place / "letter.txt").read_text() == "dear" and not (place / MARK).exists()
        assert not told  # it is said before anything is encoded
    assert {path.name for path in tmp_path.iterdir()} == {"slides", film.name}


def test_an_export_replaces_the_one_before_whole(film: Film, tmp_path: Path) -> None:
    (page,) = export("html", [film], tmp_path)
    (page.parent / "left-over.html").write_text("old")
    assert export("html", [film], tmp_path) == [page]
    assert page.is_file() and not (page.parent / "left-over.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == [film.name]


@pytest.mark.parametrize("kind", ["html", "pptx", "pdf", "manim-slides"])
def test_a_damaged_film_is_named(remake: Any, tmp_path: Path, kind: str) -> None:
    damaged = remake()
    damaged.video.write_bytes(b"no film at all" * 100)
    with pytest.raises(ExplainError, match=r"cannot read .*2_small\.mp4 .*run `explain render 2` again"):
        export(kind, [damaged], tmp_path / "out")
    assert not any((tmp_path / "out").rglob("*.*"))


def test_an_export_that_breaks_leaves_the_one_before(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = export("notes", [film], tmp_path)
    before = path.read_text("utf-8")
    monkeypatch.setattr("scenes.exports.notes.markdown", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export("notes", [film], tmp_path)
    assert path.read_text("utf-8") == before and [one.name for one in tmp_path.iterdir()] == [path.name]
