"""Why a scene is drawn is said by what changed, and what is kept is shown and pruned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from explainers import references
from explainers.quantities import Cited, Quantity
from scenes import look
from scenes.commands.cache import cache as command
from scenes.door import number_read
from scenes.production import cache, plan, render, source, why
from scenes.production.plan import Job
from scenes.production.settings import Options
from scenes.registry import Course
from scenes.report import SceneReport

MakeCourse = Callable[[str, str], Course]
SCRIPT = "## First\nOne two three.\n\n## Second\nFour five.\n"
CODE = "".join(
    f"\nclass {name}(LectureScene):\n    lecture = 9\n"
    "    def construct(self):\n        with self.step():\n            pass\n"
    for name in ("First", "Second")
)
NUMBER = Quantity(37, "", Cited("paper", "2024"))


@pytest.fixture(autouse=True)
def steady_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "reach", lambda file: {file.resolve()} if "lectures" in file.parts else set())
    monkeypatch.setattr(references, "resolve", lambda name: NUMBER)


def job(course: Course, name: str = "First", **chosen: object) -> Job:
    options = Options(**{"quality": "480p", **chosen})  # type: ignore[arg-type]
    return Job(course.entry(course.lecture(9), name), options.picture, options.engine)


def keep(of: Job) -> None:
    """As a render would: draw nothing, keep a part."""
    with cache.workspace() as work:
        folder = work / "part"
        folder.mkdir()
        for file in cache.FILES:
            (folder / file).write_bytes(b"x" * 1000)
        reads = (number_read("v3.x", NUMBER).to_json(),)
        cache.write_part(folder, SceneReport(9, of.entry.name, "A", 15, (), reads))
        about = {"ingredients": of.ingredients, "because": why.reasons(of, of.key)}
        cache.keep(of.key, folder, about)


def test_a_scene_is_explained_by_what_changed(make_course: MakeCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    first = job(make_course(SCRIPT, CODE))
    assert why.explain(first).lines() == ["9/First: not in the cache", "    now: it was not in the cache"]
    keep(first)
    assert why.explain(first).lines() == ["9/First: rendered because it was not in the cache", "    now: up to date"]
    said = job(make_course(SCRIPT.replace("One", "Once"), CODE))
    assert why.explain(said).now == ("its section of the script changed",)
    keep(said)
    assert why.explain(said).because == ("its section of the script changed",)
    drawn = job(make_course(SCRIPT.replace("One", "Once"), CODE.replace("pass", "self.wait(1)", 1)))
    assert why.explain(drawn).now == ("the scene's own code changed",)
    larger = job(make_course(SCRIPT, CODE), quality="720p")
    assert why.explain(larger).now == ("size and rate 854 × 480, 30 frames/s → 1280 × 720, 30 frames/s",)
    monkeypatch.setattr(plan, "versions", lambda: {"manim": "0.99"})
    assert "version of manim 0.22.0 → 0.99" in why.explain(job(make_course(SCRIPT, CODE))).now


def test_a_number_that_changed_is_named(make_course: MakeCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    first = job(make_course(SCRIPT, CODE))
    keep(first)
    monkeypatch.setattr(references, "resolve", lambda name: Quantity(38, "", Cited("paper", "2024")))
    assert why.explain(first).now == ("number v3.x has another value",)


def test_fresh_is_a_reason(make_course: MakeCourse) -> None:
    first = job(make_course(SCRIPT, CODE))
    assert why.reasons(first, first.key, fresh=True) == ["--fresh asked for it"]


def test_the_command_shows_explains_and_prunes(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = make_course(SCRIPT, CODE)
    for name in ("First", "Second"):
        keep(job(course, name))
    monkeypatch.setenv("EXPLAIN_COURSE", f"{course.scripts}:{course.scenes}")
    shown = CliRunner().invoke(command, []).output
    assert "9/First" in shown
    assert "854 × 480, 30 frames/s" in shown
    assert "2 scenes, 0.0 MB" in shown
    said = CliRunner().invoke(command, ["why", "9", "--quality", "480p"]).output
    assert said.count("now: up to date") == 2
    assert "2 scenes removed" in CliRunner().invoke(command, ["prune", "--all"]).output
    assert cache.kept() == []
    assert not list((cache.root() / "parts").iterdir())


def test_a_colour_changes_the_scenes_that_looked_it_up(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = {"First": "theme.role('latent')", "Second": "theme.scale_table('sequential')"}
    code = CODE
    for name in drawn:
        code = code.replace("pass", f"from scenes.kit import theme; self.add(Square()); {drawn[name]}", 1)
    course = make_course(SCRIPT, code)
    render(["9"], Options(quality="480p", fps=5, out=tmp_path / "out", jobs=1), course=course)
    jobs = {name: job(course, name, fps=5) for name in drawn}
    assert all(cache.find(each.key) for each in jobs.values())
    theme = look.in_force()
    colours = {**theme.colours, "latent": "#123456"}
    monkeypatch.setattr(look, "in_force", lambda: replace(theme, colours=colours))
    assert why.explain(jobs["First"]).now == ("colour latent has another value",)
    assert why.explain(jobs["Second"]).now == ()
    monkeypatch.setattr(look, "in_force", lambda: replace(theme, sequential=theme.diverging))
    assert why.explain(jobs["First"]).now == ()
    assert why.explain(jobs["Second"]).now == ("colour sequential has another value",)
    ground = replace(theme, colours={**theme.colours, "ground": "#FFFFFF"})
    monkeypatch.setattr(look, "in_force", lambda: ground)
    assert [each.now for each in map(why.explain, jobs.values())] == [("colour ground has another value",)] * 2
    monkeypatch.setattr(look, "in_force", lambda: replace(theme, colours={**theme.colours, "cost": "#FFFFFF"}))
    assert all(why.explain(each).now == () for each in jobs.values())


def test_no_scene_has_the_values_of_the_themes_in_its_code(tmp_path: Path) -> None:
    scene = tmp_path / "scene.py"
    scene.write_text("from scenes.kit import theme\n")
    found = {path.name for path in source.reach(scene)}
    assert {"theme.py", "look.py"} <= found
    assert "themes.py" not in found
