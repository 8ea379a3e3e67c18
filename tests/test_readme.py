"""What README promises is true: its commands exist, its scenes and runs exist, its code runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from explainers import runs
from scenes.cli import COMMANDS
from scenes.production.forecast import WORKERS
from scenes.registry import listing

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CLUSTER.md")
CALLS = re.findall(r"\./explain ([a-z-]+)(?: +([A-Za-z0-9_]+))?", README)


def test_readme_calls_the_two_commands() -> None:
    assert {("render", "3"), ("test", "")} <= set(CALLS)


@pytest.mark.parametrize(("command", "argument"), sorted(set(CALLS)))
def test_what_is_called_exists(command: str, argument: str) -> None:
    assert command in COMMANDS
    scenes = {scene["scene"] for lecture in listing() for scene in lecture["scenes"]}
    lectures = {str(lecture["lecture"]) for lecture in listing()}
    if argument and command in ("render", "still", "sheet", "check"):
        assert argument in scenes | lectures
    if argument and command == "run":
        assert argument in {*runs.CATALOGUE, "list"}


def test_contributing_calls_commands_that_exist() -> None:
    called = set(re.findall(r"\./explain ([a-z]+)", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert {"new", "watch", "check", "gif", "diff", "test"} <= called <= set(COMMANDS)


def test_the_page_on_ten_machines_calls_what_exists_and_shows_what_is_printed() -> None:
    page = (ROOT / "CLUSTER.md").read_text(encoding="utf-8")
    called = re.findall(r"\./explain ([a-z]+)(.*)", page)
    assert {name for name, _ in called} == {"doctor", "render", "plan"}
    for name, rest in called:
        options = {option for parameter in COMMANDS[name].load().params for option in parameter.opts}
        assert set(re.findall(r"--[a-z]+", rest)) <= options
    jobs, *rows = re.findall(r"^ *(\d+) (?:jobs|workers)", page, re.MULTILINE)
    assert int(jobs) > 40 and tuple(map(int, rows)) == WORKERS


def test_its_python_runs() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "arXiv" in done.stdout  # the chain goes down to a source


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_files_it_names_are_there(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if not link.startswith("http")]
    named = re.findall(r"`((?:explainers|scenes|tests|assets|lecture_scripts)/[\w./]*)`", text)
    for path in [*links, *named]:
        assert (ROOT / path).exists(), f"{document} names {path}"
