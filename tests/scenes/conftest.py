"""A course of one's own for tests: a script and its scenes in a temporary folder. Films of a small one; a browser."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scenes.production import Options, render
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


# ---------------------------------------------------------------------- films, and a browser to see them in
#: A paragraph that would be markup, and a heading too, if anything forgot to escape.
HOSTILE = "<script>window.stolen = true</script> stays & <img src=x onerror=stolen> text"
SCRIPT = """\
---
number: {number}
title: "{title} <script>alert</script>"
question: Is <b>text</b> text?
---

## The first one {{#TheFirstOne}}

{hostile}, said with {{{{ v3.layers }}}} layers.

A second step, with {{{{ run.decode_work.ratio | plain 2 bare }}}} times less work.

## Latents & scores {{#LatentsAndScores}}

A tensor is drawn, and its first number shown. The naïve reader finds the latent here.

And a last step without numbers.
"""
CODE = """\
from manim import *
from scenes.kit import Label, NumberLabel, TensorGrid, quantity_at
from scenes.stage import LectureScene

class TheFirstOne(LectureScene):
    lecture = {number}
    def construct(self):
        number = NumberLabel(self.number("v3.layers"), after=" layers", size="display").shift(2 * LEFT + UP)
        word = Label("a word on the picture").next_to(number, DOWN)
        with self.step():
            self.play(FadeIn(number), FadeIn(word), run_time=0.6)
        ratio = NumberLabel(self.number("run.decode_work.ratio"), "3 bare", size="display").shift(3 * RIGHT)
        with self.step():
            self.play(FadeIn(ratio), run_time=0.6)

class LatentsAndScores(LectureScene):
    lecture = {number}
    def construct(self):
        scores = self.run("routing")["original_scores"].pick(layer=0)
        grid = TensorGrid(scores).shift(UP)
        number = NumberLabel(quantity_at(scores, 0, 0), size="heading").shift(2.2 * DOWN)
        with self.step():
            self.play(FadeIn(grid), FadeIn(number), run_time=0.6)
        with self.step():
            self.play(FadeOut(grid), FadeOut(number), run_time=0.6)
"""
TITLES = {2: "A small lecture", 5: "Another"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]


def small_course(folder: Path) -> Course:
    (folder / "scripts" / "en").mkdir(parents=True)
    (folder / "lectures").mkdir()
    (folder / "scripts" / "names.txt").write_text("")
    for number, title in TITLES.items():
        script = SCRIPT.format(number=number, title=title, hostile=HOSTILE)
        (folder / "scripts" / "en" / f"{number}_small.md").write_text(script, "utf-8")
        (folder / "lectures" / f"l{number}.py").write_text(CODE.format(number=number), "utf-8")
    return Course(folder / "scripts", folder / "lectures")


@pytest.fixture(scope="session")
def small_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    patch = pytest.MonkeyPatch()
    course = small_course(folder)
    patch.setenv("EXPLAIN_CACHE", str(folder / "cache"))
    patch.setenv("EXPLAIN_COURSE", f"{course.scripts}{os.pathsep}{course.scenes}")
    try:
        render([str(n) for n in TITLES], Options(quality="480p", fps=15, out=folder / "out", jobs=2), course=course)
    finally:
        patch.undo()
    return folder / "out"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a browser: ``$EXPLAIN_CHROMIUM``, else what the system has."""
    path = os.environ.get("EXPLAIN_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not path:
        pytest.skip("no Chromium here; `apt-get install chromium` (or name one in EXPLAIN_CHROMIUM)")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; `explain test` does it")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()
