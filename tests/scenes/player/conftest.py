"""A site that is really built, and a browser to go through it.

Fast: a course of two small lectures. Slow (``explain test --slow``): the same tests on lectures 3 and 7.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenes.player import build_site, films_in
from scenes.player.server import Server, serve
from scenes.production import Options, render
from scenes.registry import Course

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
def lecture_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lectures 3 and 7 of the course, from the cache where they are there; ``$EXPLAIN_TEST_FILMS`` has them ready."""
    if ready := os.environ.get("EXPLAIN_TEST_FILMS"):
        return Path(ready)
    out = tmp_path_factory.mktemp("films")
    render(["3", "7"], Options(quality="480p", fps=15, out=out, jobs=2))
    return out


@pytest.fixture(scope="session", params=["small", pytest.param("lectures", marks=pytest.mark.slow)])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a built site."""
    films = request.getfixturevalue("small_films" if request.param == "small" else "lecture_films")
    out = tmp_path_factory.mktemp("site") / "site"
    patch = pytest.MonkeyPatch()
    patch.setenv("EXPLAIN_CACHE", str(out.parent / "cache"))
    try:
        build_site(films_in(films), out)
    finally:
        patch.undo()
    return out


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[Server]:
    with serve(site) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()


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
