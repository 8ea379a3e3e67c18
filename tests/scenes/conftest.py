"""A course of one's own for tests: a script and its scenes in a temporary folder."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from scenes.registry import Course

HEADER = """\
---
number: 9
title: A demonstration
question: Does it work?
---
"""
IMPORTS = "from manim import *\nfrom scenes.stage import LectureScene\n\n"

MakeCourse = Callable[[str, str], Course]


@pytest.fixture
def make_course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeCourse:
    """``make_course(sections, code)`` writes lecture 9 and its classes; call it again to change them."""
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "cache"))

    def make(sections: str, code: str) -> Course:
        (tmp_path / "scripts" / "en").mkdir(parents=True, exist_ok=True)
        (tmp_path / "lectures").mkdir(exist_ok=True)
        (tmp_path / "scripts" / "en" / "9_demo.md").write_text(HEADER + textwrap.dedent(sections), "utf-8")
        (tmp_path / "lectures" / "demo.py").write_text(IMPORTS + textwrap.dedent(code), "utf-8")
        return Course(tmp_path / "scripts", tmp_path / "lectures")

    return make
