"""A copy of the clone to write into: sources are copied, what is large is linked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COPIED = ("explainers", "scenes", "lecture_scripts", "tests", "pyproject.toml")

Call = Callable[..., "subprocess.CompletedProcess[str]"]


def copy_of_clone(into: Path) -> Path:
    """Sources, scripts and tests, without caches; assets are a link."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, into / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, into / name)
    (into / "assets").symlink_to(ROOT / "assets")
    return into


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy for a module of tests."""
    return copy_of_clone(tmp_path_factory.mktemp("clone"))


def call(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python in the copy: ``call(clone, "-m", "scenes.cli", "new", …)``."""
    env = {**os.environ, "PYTHONPATH": str(clone), "EXPLAIN_CACHE": str(clone / ".cache"), **environment}
    env.pop("EXPLAIN_COURSE", None)
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def explain(clone: Path) -> Call:
    """``explain("new", "run", "x")`` in the copy."""
    return lambda *arguments, **environment: call(clone, "-m", "scenes.cli", *arguments, **environment)


@pytest.fixture(scope="module")
def python(clone: Path) -> Call:
    """``python("-m", "pytest", …)`` in the copy."""
    return lambda *arguments, **environment: call(clone, *arguments, **environment)
