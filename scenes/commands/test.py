"""``explain test``: the tests of a clone. ruff and mypy are among them (tests/test_style.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from explainers.errors import ExplainError

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("pytest", "xdist", "hypothesis", "ruff", "mypy", "transformers", "playwright")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--slow", is_flag=True, help="Also the tests that take minutes.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def test(slow: bool, pytest_arguments: tuple[str, ...]) -> int:
    """Run the tests: ruff, mypy and pytest. Whatever else is given goes to pytest, as `-k router` or a path."""
    if not (ROOT / "tests").is_dir():
        raise ExplainError("there are no tests in an installed package; clone the project and run ./explain test")
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ExplainError(f"the tests need {', '.join(missing)}; run ./explain test, which installs them")
    return subprocess.run(command(slow, pytest_arguments), cwd=ROOT, env=environment(), check=False).returncode


def command(slow: bool, arguments: tuple[str, ...]) -> list[str]:
    """pytest in one process a core, each file in one process, so that a file's trained model is made once."""
    chosen = ["-m", "slow or not slow"] if slow else []
    return [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadfile", *chosen, *arguments]


def environment() -> dict[str, str]:
    """One thread a process: the processes already fill the cores, and results do not depend on their number."""
    return {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **os.environ}
