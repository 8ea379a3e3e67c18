"""A key changes with whatever can change a picture, and with nothing else."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scenes.production import code_facts, plan, source
from scenes.production.code_facts import own_code
from scenes.production.plan import Job, reach, wanted_runs
from scenes.production.settings import Options
from scenes.registry import Course

MakeCourse = Callable[[str, str], Course]
SCRIPT = "## First\nOne two three.\n\n## Second\nFour five.\n"
CODE = """
WIDTH = 3

class First(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            self.add(Square(WIDTH))

class Second(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            pass
"""


def keys(course: Course, **options: object) -> dict[str, str]:
    picture = Options(**{"quality": "480p", **options}).picture  # type: ignore[arg-type]
    return {entry.name: Job(entry, picture).key for entry in course.entries(course.lecture(9))}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("old", "new", "who"),
    [
        ("Square(WIDTH)", "Circle(WIDTH)", {"First"}),
        ("            pass", "            self.wait(1)", {"Second"}),
        ("WIDTH = 3", "WIDTH = 4", {"First", "Second"}),
        ("WIDTH = 3", "WIDTH = 3  # wide enough", set()),
        ("class Second(LectureScene)", "class Second(First)", {"Second"}),
    ],
)
def test_code_changes_the_scenes_that_it_can_reach(make_course: MakeCourse, old: str, new: str, who: set[str]) -> None:
    before = keys(make_course(SCRIPT, CODE))
    assert old in CODE
    assert changed(before, keys(make_course(SCRIPT, CODE.replace(old, new)))) == who


def test_a_paragraph_changes_its_own_scene(make_course: MakeCourse) -> None:
    before = keys(make_course(SCRIPT, CODE))
    assert changed(before, keys(make_course(SCRIPT.replace("Four", "Forty"), CODE))) == {"Second"}


def test_size_rate_and_theme_change_every_scene(make_course: MakeCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    course = make_course(SCRIPT, CODE)
    before = keys(course)
    everything = {"First", "Second"}
    assert changed(before, keys(course)) == set()
    assert changed(before, keys(course, quality="720p")) == everything
    assert changed(before, keys(course, fps=15)) == everything
    monkeypatch.setenv("EXPLAIN_THEME", "light")
    assert changed(before, keys(course)) == everything


@pytest.mark.parametrize("name", ["manim", "pycairo", "av", "typst", "fontpkg-ibm-plex-sans", "fontpkg-ibm-plex-mono"])
def test_another_version_of_what_draws_changes_every_scene(
    make_course: MakeCourse, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    course, versions = make_course(SCRIPT, CODE), plan.versions()
    before = keys(course)
    assert name in versions
    monkeypatch.setattr(plan, "versions", lambda: {**versions, name: "0.0"})
    assert changed(before, keys(course)) == {"First", "Second"}


def test_a_scene_that_another_names_belongs_to_its_code(make_course: MakeCourse) -> None:
    course = make_course(SCRIPT, CODE.replace("class Second(LectureScene)", "class Second(First)"))
    file = course.scenes / "demo.py"
    assert "class First" in own_code(file, "Second")
    assert "class Second" not in own_code(file, "First")


def test_reach_follows_imports_into_the_project_and_stops_at_the_doors(tmp_path: Path) -> None:
    helper, scene = tmp_path / "helper.py", tmp_path / "scene.py"
    helper.write_text("from scenes.clock import HOLD\n")
    scene.write_text("import numpy\nimport helper\ndef late():\n    from explainers.runs import get\n")
    found = reach(scene)
    names = {path.name for path in found}
    assert {"scene.py", "helper.py", "clock.py", "script.py", "runs.py", "references.py"} <= names
    assert not {"configs.py", "facts.py", "devices.py", "moe.py"} & names, "values behind a door are checked as values"
    assert all(path.is_relative_to(tmp_path) or path.is_relative_to(source._PROJECT) for path in found)


def test_runs_are_known_before_scenes_run(make_course: MakeCourse) -> None:
    code = CODE.replace("self.add(Square(WIDTH))", "self.run('low_rank', layer=2); self.run(f'x{WIDTH}')")
    code = code.replace(
        "            pass", "            self.number('run.balance.max_vio'); self.run('low_rank', layer=WIDTH)"
    )
    course = make_course(SCRIPT.replace("Four", "Four {{ run.routing.top }} {{ v3.layers }}"), code)
    jobs = [Job(entry, Options().picture) for entry in course.entries(course.lecture(9))]
    assert wanted_runs(jobs) == [("low_rank", {"layer": 2}), ("balance", {}), ("routing", {})]


PACKAGE = {
    "helpers/__init__.py": '"""Helpers."""\nfrom helpers.a import A\nfrom helpers.b import B\n__all__ = ["A", "B"]\n',
    "helpers/a.py": "from helpers.deep import SIZE\nA = SIZE\n",
    "helpers/b.py": "B = 4\n",
    "helpers/deep.py": "SIZE = 2\n",
}


@pytest.mark.parametrize(
    ("file", "content", "who"),
    [
        ("helpers/deep.py", "SIZE = 3\n", {"First"}),  # two imports away from the scene
        ("helpers/b.py", "B = 5\n", {"Second"}),
        ("helpers/deep.py", '"""How large."""\n\n# in units\nSIZE  =  2\n', set()),
        ("helpers/deep.py", PACKAGE["helpers/deep.py"], set()),  # written again as it was: touched
        ("helpers/c.py", "C = 6\n", set()),
        ("helpers/__init__.py", PACKAGE["helpers/__init__.py"] + "from helpers.b import B as C\n", set()),
        ("helpers/__init__.py", PACKAGE["helpers/__init__.py"] + "print()\n", {"First", "Second"}),  # it does something
    ],
)
def test_a_helper_changes_the_scenes_that_reach_it(
    make_course: MakeCourse, tmp_path: Path, file: str, content: str, who: set[str]
) -> None:
    for name, text in PACKAGE.items():
        (tmp_path / "lectures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lectures" / name).write_text(text)
    course = make_course(SCRIPT, CODE.split("class Second")[0] + "from helpers import A\n")
    other = "from manim import *\nfrom scenes.stage import LectureScene\nfrom helpers import B\n\nclass Second"
    (tmp_path / "lectures" / "other.py").write_text(other + CODE.split("class Second")[1])
    before = keys(course)
    assert (tmp_path / "lectures" / file).is_file() == (file in PACKAGE)
    (tmp_path / "lectures" / file).write_text(content)
    assert changed(before, keys(Course(course.scripts, course.scenes))) == who


def test_names_from_the_kit_reach_their_modules_alone(tmp_path: Path) -> None:
    scene = tmp_path / "scene.py"
    scene.write_text("from scenes.kit import BarChart, theme\n")
    names = {source.shown_path(path) for path in reach(scene)}
    assert {"scenes/kit/bar_chart.py", "scenes/kit/theme.py", "scenes/kit/palette.py"} <= names
    assert not {"scenes/kit/__init__.py", "scenes/kit/waterfall.py"} & names
    scene.write_text("import scenes.kit\n")
    assert {"scenes/kit/__init__.py", "scenes/kit/waterfall.py"} <= {source.shown_path(path) for path in reach(scene)}


def test_what_was_parsed_once_is_known_in_the_next_process(
    make_course: MakeCourse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    course = make_course(SCRIPT, CODE.replace("self.add(Square(WIDTH))", "self.run('low_rank', layer=2)"))
    file, kept = course.scenes / "demo.py", tmp_path / "kept" / "code.json"
    kept.parent.mkdir()
    first: dict[str, dict[str, Any]] = {}
    known = code_facts.CodeFacts(file, first.setdefault("content", {}))
    found = (known.digest, known.imports, known.only_offers, known.own("First"), known.own("Second"))
    assert found[3][1] == [("low_rank", {"layer": 2})]
    maker = code_facts.short(sys.version + Path(code_facts.__file__).read_text("utf-8"))
    code_facts._keep(kept, maker, first, "")
    monkeypatch.setattr(ast, "parse", lambda *_: pytest.fail("it was parsed again"))
    again = code_facts.CodeFacts(file, code_facts._kept(kept)["content"])
    assert (again.digest, again.imports, again.only_offers, again.own("First"), again.own("Second")) == found


@pytest.mark.parametrize("damage", ["{", "[]", '{"maker": 1}', None])
def test_damaged_notes_on_code_are_not_used(tmp_path: Path, damage: str | None) -> None:
    kept = tmp_path / "code.json"
    maker = code_facts.short(sys.version + Path(code_facts.__file__).read_text("utf-8"))
    code_facts._keep(kept, maker, {"content": {"digest": "right"}}, "")
    kept.write_text(kept.read_text("utf-8").replace("right", "wrong") if damage is None else damage, "utf-8")
    assert code_facts._kept(kept) == {}
