"""Each bad scene is caught by exactly its code; good ones pass."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scenes.audit.checking import Report, Wishes, check
from scenes.registry import Course

ZOO = Path(__file__).parent / "zoo"
GOOD = ("Good", "StandingBack", "Waived")


def expected() -> dict[str, str]:
    """Scene → the code in its docstring."""
    tree = ast.parse((ZOO / "lectures" / "zoo.py").read_text("utf-8"))
    scenes = [
        node for node in tree.body if isinstance(node, ast.ClassDef) and any("Beast" in ast.dump(b) for b in node.bases)
    ]
    return {scene.name: (ast.get_docstring(scene) or "") for scene in scenes if scene.name not in GOOD}


@pytest.fixture(scope="module")
def report() -> Report:
    course = Course(ZOO / "scripts", ZOO / "lectures")
    report = check(Wishes(goldens=False, jobs=2), course)
    if any("files changed" in note for note in report.notes):  # somebody is editing: judge the dice once more
        again = check(Wishes(("Dice",), goldens=False), course)
        report.findings += [finding for finding in again.findings if finding.code == "not-deterministic"]
    return report


@pytest.mark.parametrize("scene", sorted(expected()))
def test_each_bad_scene_is_caught_by_exactly_its_code(report: Report, scene: str) -> None:
    found = {finding.code for finding in report.findings if finding.scene == f"1/{scene}"}
    assert found == {expected()[scene]}


@pytest.mark.parametrize("scene", GOOD)
def test_good_scenes_pass(report: Report, scene: str) -> None:
    assert [finding for finding in report.findings if finding.scene == f"1/{scene}"] == []


def test_every_code_that_a_single_scene_can_have_has_its_animal() -> None:
    from scenes.audit.findings import CODES

    of_lectures = {"said-without-origin", "lecture-length", "course-length", "citations-changed"}
    elsewhere = of_lectures | {"golden-missing", "picture-changed"}
    elsewhere |= {"script-out-of-step", "untranslated", "words-missing", "not-laid-out"}  # languages and shapes
    assert set(expected().values()) == set(CODES) - elsewhere


def test_waivers_are_listed_with_their_reason(report: Report) -> None:
    waivers = {each["scene"]: each for audit in report.audits for each in audit.waivers}
    assert waivers["1/Waived"]["reason"] == "the zoo shows how a waiver is listed"
    assert waivers["1/Waived"]["where"].startswith("zoo.py:")


def test_report_says_what_was_looked_at(report: Report) -> None:
    data = report.to_json()
    assert data["scenes"] == len(expected()) + len(GOOD)
    assert data["steps"] >= 2 * (data["scenes"] - 1)
    assert data["numbers"] >= 5
    assert all({"code", "scene", "step", "object", "message", "measure"} <= set(each) for each in data["findings"])
