"""``explain watch``, end to end: a file is saved, and the page's events say what was drawn."""

from __future__ import annotations

import io
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explainers.errors import ExplainError
from scenes.registry import Course
from scenes.workshop.page import Page
from scenes.workshop.watching import Watch

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="watch stands on os.fork")
PATIENCE = 90  # seconds: a busy machine is no mistake
SECTIONS = """
## Demo {#Demo}

A square appears at the left side of the picture now.

It gets company from a circle on the other side.

And at the end everything leaves again.
"""
CODE = """
import os
from scenes.kit import label

class Demo(LectureScene):
    lecture = 9

    def construct(self):
        square = Square(color="#6BC4F7").shift(3 * LEFT)
        with self.step():
            self.play(FadeIn(square))
        circle = self.company(square)
        with self.step():
            self.play(FadeOut(square, circle))
            self.add(label("over"))
        assert "watch" not in config.media_dir or config.media_dir.endswith(f"-{os.getpid()}"), "a folder of its own"

    def company(self, square):
        circle = Circle(color="#F7B231").shift(3 * RIGHT)
        with self.step():
            self.play(FadeIn(circle))
        return circle
"""


class Visitor:
    """A browser: reads events, asks for files."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.views: list[dict[str, Any]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with urllib.request.urlopen(self.page.url + "events") as events:
            for line in events:
                if line.startswith(b"data: "):
                    self.views.append(json.loads(line[6:]))

    def wait(self, until: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The first view from now on for which this holds."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.views and until(self.views[-1]):
                return self.views[-1]
            time.sleep(0.02)
        raise AssertionError(f"waited in vain; last: {self.views[-1:]}")

    def ready(self, version: int) -> dict[str, Any]:
        return self.wait(lambda view: view["version"] >= version and view["status"] in ("ready", "error"))

    def get(self, name: str, **headers: str) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(self.page.url + name, headers=headers)) as answer:
            body: bytes = answer.read()
            return body

    def pixels(self, view: dict[str, Any], step: int) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(self.get(view["steps"][step - 1]["picture"]))))


class Desk:
    """A course with one scene, its watch and its visitor."""

    def __init__(self, course: Course, page: Page) -> None:
        self.file = course.scenes / "demo.py"
        self.script = course.scripts / "en" / "9_demo.md"
        self.visitor = Visitor(page)
        self.page = page

    def save(self, old: str, new: str, path: Path | None = None) -> int:
        """Replace a text in the scene's file (or another); the version that must come of it."""
        path = path or self.file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1
        version = self.visitor.views[-1]["version"] + 1
        path.write_text(text.replace(old, new), encoding="utf-8")
        return int(version)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("course")
    (root / "scripts" / "en").mkdir(parents=True)
    (root / "lectures").mkdir()
    head = "---\nnumber: 9\ntitle: A demonstration\n---\n"
    (root / "scripts" / "en" / "9_demo.md").write_text(head + SECTIONS, "utf-8")
    (root / "lectures" / "demo.py").write_text(
        "from manim import *\nfrom scenes.stage import LectureScene\n" + CODE, "utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLAIN_COURSE", f"{root / 'scripts'}{os.pathsep}{root / 'lectures'}")
        patch.setenv("EXPLAIN_CACHE", str(root / "cache"))
        watch = Watch("Demo", "480p")
        with Page(watch) as page:
            for target in (page.serve_forever, watch.run):
                threading.Thread(target=target, daemon=True).start()
            yield Desk(Course(root / "scripts", root / "lectures"), page)
            watch.stop()
            page.shutdown()
        assert not watch.folder.exists()


@pytest.fixture(scope="module")
def first(desk: Desk) -> dict[str, Any]:
    """The view when the scene was drawn and checked for the first time."""
    return desk.visitor.ready(1)


def test_every_step_is_shown_with_its_words(desk: Desk, first: dict[str, Any]) -> None:
    assert first["status"] == "ready", first["error"]
    assert [step["narration"].split()[0] for step in first["steps"]] == ["A", "It", "And"]
    pictures = [desk.visitor.pixels(first, step) for step in (1, 2, 3)]
    assert all(picture.shape == (480, 854, 3) for picture in pictures)
    assert (pictures[0] != pictures[1]).any() and (pictures[1] != pictures[2]).any()
    assert b"EventSource" in desk.visitor.get("")


def test_a_changed_step_is_drawn_from_there_and_the_others_stay(desk: Desk, first: dict[str, Any]) -> None:
    before = desk.visitor.wait(lambda view: view["status"] == "ready")
    version = desk.save('Circle(color="#F7B231")', 'Circle(color="#E2603C", radius=2)')
    drawn = desk.visitor.wait(lambda view: view["version"] == version and view["latency"] is not None)
    assert drawn["began"] == 2  # from the fork after step 1: the circle is built there
    after = desk.visitor.ready(version)
    assert np.array_equal(desk.visitor.pixels(after, 1), desk.visitor.pixels(before, 1))
    assert (desk.visitor.pixels(after, 2) != desk.visitor.pixels(before, 2)).any()

    version = desk.save('label("over")', 'label("over now")')
    again = desk.visitor.ready(version)
    assert again["began"] == 3
    assert [step["picture"] for step in again["steps"][:2]] == [step["picture"] for step in after["steps"][:2]]
    assert (desk.visitor.pixels(again, 3) != desk.visitor.pixels(after, 3)).any()
    assert 0 < again["latency"] < PATIENCE


def test_going_on_gives_the_picture_of_beginning_anew(desk: Desk, first: dict[str, Any]) -> None:
    from scenes.production.stills import stills

    version = desk.save("self.play(FadeIn(circle))", "self.play(FadeIn(circle.scale(0.5)))")
    view = desk.visitor.ready(version)
    assert view["began"] == 2
    paths = stills("Demo", "480p", desk.file.parent / "stills")
    for step, path in enumerate(paths, start=1):
        assert np.array_equal(np.asarray(Image.open(path)), desk.visitor.pixels(view, step))


def test_an_error_is_shown_and_the_last_good_picture_stays(desk: Desk, first: dict[str, Any]) -> None:
    good = desk.visitor.wait(lambda view: view["status"] == "ready")
    view = desk.visitor.ready(desk.save("FadeOut(square, circle)", "FadeOut(square, cirle)"))
    assert view["status"] == "error"
    assert "name 'cirle' is not defined" in view["error"]["text"]
    assert view["error"]["step"] == 3
    assert view["error"]["where"].startswith("demo.py:")
    assert [step["picture"] for step in view["steps"]] == [step["picture"] for step in good["steps"]]

    view = desk.visitor.ready(desk.save("FadeOut(square, cirle)", "FadeOut(square circle)"))
    assert "syntax" in view["error"]["text"].lower()

    view = desk.visitor.ready(desk.save("everything leaves", "all 3 leave", desk.script))
    view = desk.visitor.ready(desk.save("FadeOut(square circle)", "FadeOut(square, circle)"))
    assert "the digits in '3' have no origin" in view["error"]["text"]

    view = desk.visitor.ready(desk.save("all 3 leave", "all of it leaves", desk.script))
    assert view["status"] == "ready"
    assert "all of it leaves" in view["steps"][2]["narration"]
    assert view["began"] == 3


def test_findings_have_boxes_where_they_stand(desk: Desk, first: dict[str, Any]) -> None:
    view = desk.visitor.ready(desk.save('label("over now")', 'label("over now").shift(3.8 * UP)'))
    found = [finding for finding in view["findings"] if finding["code"] == "outside-safe-area"]
    assert [finding["step"] for finding in found] == [3]
    ((left, top, right, bottom),) = found[0]["boxes"]
    words = np.argwhere(desk.visitor.pixels(view, 3).max(axis=2) > 100)
    lowest, highest = words.max(axis=0), words.min(axis=0)
    assert (highest[1] / 854, highest[0] / 480) == pytest.approx((left, top), abs=0.01)
    assert (lowest[1] / 854, lowest[0] / 480) == pytest.approx((right, bottom), abs=0.01)
    assert any(finding["code"] == "golden-missing" for finding in view["findings"])


def test_a_step_is_filmed_on_demand(desk: Desk, first: dict[str, Any]) -> None:
    import av

    desk.visitor.wait(lambda view: view["status"] == "ready")
    urllib.request.urlopen(urllib.request.Request(desk.page.url + "film/2", method="POST")).read()
    view = desk.visitor.wait(lambda view: view["steps"][1]["film"])
    with av.open(io.BytesIO(desk.visitor.get(view["steps"][1]["film"]))) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(frames) / 15 == pytest.approx(view["steps"][1]["seconds"], abs=0.1)
    end = desk.visitor.pixels(view, 2).astype(int)
    assert np.abs(frames[-1].astype(int) - end).mean() < 2
    assert np.abs(frames[0].astype(int) - end).mean() > 0.2


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}], ids=["host", "origin"]
)
def test_another_site_gets_nothing(desk: Desk, headers: dict[str, str]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        desk.visitor.get("", **headers)
    assert refused.value.code == 403


@pytest.mark.parametrize("name", ["../secret.png", "log.txt", "first", "nothing.png", "v1s1"])
def test_only_pictures_and_films_are_served(desk: Desk, name: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        desk.visitor.get(name)
    assert refused.value.code == 404


def test_it_listens_on_this_machine_only(desk: Desk) -> None:
    assert desk.page.server_address[0] == "127.0.0.1"


def test_wrong_targets_are_explained(desk: Desk) -> None:
    with pytest.raises(ExplainError, match="name one scene"):
        Watch("9")
    with pytest.raises(ExplainError, match="Demo"):
        Watch("Dmo")
    with pytest.raises(ExplainError, match="choose another with --port"):
        Page(desk.page.watch, desk.page.server_port)


def test_no_process_outlives_the_watch(tmp_path: Path, desk: Desk) -> None:
    watch = Watch("Demo", "480p")
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    end = time.monotonic() + PATIENCE
    while not watch._standing and time.monotonic() < end:
        time.sleep(0.05)
    pids = [standing.pid for standing in watch._standing]
    assert pids
    watch.stop()
    end = time.monotonic() + PATIENCE
    while any(_runs(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in pids if _runs(pid)]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
