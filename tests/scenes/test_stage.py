"""The stage: time only in steps, marks, misuse, tensors at the door, numbers on screen."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from manim import DOWN, LEFT, RIGHT, UP, Dot, FadeIn, Rotate, Square, VGroup, tempconfig

from explainers import references, runs
from explainers.errors import ExplainError
from explainers.quantities import Cited, Quantity
from explainers.traces import NamedArray, Trace
from scenes.production.looking import LookingRenderer
from scenes.stage import LectureScene

#: Six words are 2.4 s = 36 ticks; a hold is 12.
SIX = "One two three four five six."
QUANTITY = Quantity(37, "", Cited("paper", "2024"), "experts", "v3.experts")


class Stage(LectureScene):
    """What each test derives its scene from: the script comes with `play_scene`."""

    lecture = 9

    def construct(self) -> None:
        self.act()

    def act(self) -> None:
        raise NotImplementedError


def play_scene(kind: type[Stage], tmp_path: Path, *paragraphs: str) -> Stage:
    """Run a scene whose section has these paragraphs; drawing is skipped."""
    file = tmp_path / "9_x.md"
    file.write_text(
        "---\nnumber: 9\ntitle: T\n---\n## Scene {#" + kind.__name__ + "}\n" + "\n\n".join(paragraphs) + "\n"
    )
    with tempconfig({"dry_run": True, "media_dir": str(tmp_path), "disable_caching": True, "verbosity": "ERROR"}):
        scene = kind(renderer=LookingRenderer())
        scene.script_file = file
        scene.render()
    return scene


def test_a_step_lasts_as_long_as_its_words_and_the_scene_whole_seconds(tmp_path: Path) -> None:
    class Timed(Stage):
        def act(self) -> None:
            with self.step() as s:
                assert (s.index, s.narration, s.duration) == (1, SIX, pytest.approx(2.4))
                self.play(FadeIn(Square()), run_time=0.73)
                assert self.ticks == 11
                assert s.left == pytest.approx(25 / 15)
            assert self.ticks == 36 + 12
            with self.step():
                pass

    report = play_scene(Timed, tmp_path, SIX, SIX).report()
    assert [(step.start, step.speech, step.end) for step in report.steps] == [(0, 36, 48), (48, 84, 105)]
    assert report.ticks == 105, "96 ticks, made whole seconds"
    assert [step.overrun for step in report.steps] == [0, 0]


def test_animations_that_outrun_their_words_are_reported(tmp_path: Path) -> None:
    class Slow(Stage):
        def act(self) -> None:
            with self.step() as s:
                self.play(FadeIn(Square()), run_time=3)
                assert s.left == 0

    (step,) = play_scene(Slow, tmp_path, SIX).report().steps
    assert (step.speech, step.overrun, step.end) == (36, 9, 60)


def test_a_mark_is_waited_for_and_lateness_noted(tmp_path: Path) -> None:
    class Marked(Stage):
        def act(self) -> None:
            with self.step() as s:
                self.play(FadeIn(Square()), run_time=s.left_until("third"))
                before = self.ticks
                s.until("third")
                assert self.ticks == before
                self.play(FadeIn(Square()), run_time=2)
                s.until("fifth")

    (step,) = play_scene(Marked, tmp_path, "One two [[third]] three four [[fifth]] five six.").report().steps
    third, fifth = step.cues
    assert 0 < third.tick < fifth.tick < step.speech
    assert third.late == 0
    assert (third.waited, fifth.waited) == (True, True)
    assert fifth.late == third.tick + 30 - fifth.tick > 0
    assert third.tick == round(step.word_ticks[2])


MISUSE = {
    "nested": ("with self.step():\n    with self.step():\n        pass", "a step begins inside another"),
    "fewer": ("with self.step():\n    pass", r"1 steps for 2 paragraphs of 9_x\.md:5; add 1"),
    "more": ("for _ in range(3):\n    with self.step():\n        pass", r"step 3 has no paragraph \(9_x\.md:5 has 2\)"),
    "outside": ("self.wait(1)", "time passes outside a step"),
    "mark": (
        "with self.step() as s:\n    s.until('thrid')",
        "unknown mark of 9/Misuse step 1 'thrid'; did you mean third",
    ),
    "condition": ("with self.step():\n    self.wait(1, lambda: True)", r"use s\.until"),
    "negative": ("with self.step():\n    self.wait(-1)", "must be positive"),
}


@pytest.mark.parametrize(("code", "says"), MISUSE.values(), ids=list(MISUSE))
def test_misuse_is_an_error_that_says_what_to_do(tmp_path: Path, code: str, says: str) -> None:
    class Misuse(Stage):
        def act(self) -> None:
            exec(textwrap.dedent(code), {"self": self})

    with pytest.raises(ExplainError, match=says):
        play_scene(Misuse, tmp_path, "One two [[third]] three.", SIX)


def test_an_error_inside_a_step_keeps_its_own_name_and_the_step(tmp_path: Path) -> None:
    kept: list[Stage] = []

    class Broken(Stage):
        def act(self) -> None:
            kept.append(self)
            with self.step():
                pass
            with self.step():
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        play_scene(Broken, tmp_path, SIX, SIX)
    assert kept[0].where() == "9/Broken step 2"


def a_tensor_somewhere(place: str, scene: Stage) -> None:
    tensor, square = torch.ones(2), Square()
    if place == "attribute":
        scene.values = tensor
    elif place == "in a list":
        scene.values = [{"layer": tensor}]
    elif place == "module":
        scene.model = torch.nn.Linear(1, 1)
    elif place == "play":
        scene.play(tensor)
    else:
        square.add(Dot())
        square.submobjects[0].values = tensor
        scene.play(FadeIn(square) if place == "mobject" else square.animate.shift(UP))


@pytest.mark.parametrize("place", ["attribute", "in a list", "module", "play", "mobject", "animate"])
def test_torch_is_refused_at_the_door(tmp_path: Path, place: str) -> None:
    class Torchy(Stage):
        def act(self) -> None:
            with self.step():
                a_tensor_somewhere(place, self)

    with pytest.raises(ExplainError, match=r"is a torch (Tensor|Linear); .*NamedArray.*self\.run"):
        play_scene(Torchy, tmp_path, SIX)


def test_the_doors_note_what_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = {
        "probe": Trace("probe", {"x": NamedArray(np.arange(3.0), ("token",), "x")}, {}, {"layer": 2}, 0, "cpu", {}),
    }
    monkeypatch.setattr(runs, "get", lambda name, **params: traces[name])
    monkeypatch.setattr(references, "resolve", lambda reference: QUANTITY)

    class Reader(Stage):
        def act(self) -> None:
            with self.step():
                assert self.run("probe", layers=[2, 3])["x"].shape == {"token": 3}
                assert self.number("v3.experts") is QUANTITY

    scene = play_scene(Reader, tmp_path, "It has {{ v3.experts }} of them.")
    (step,) = scene.report().steps
    assert step.narration == "It has 37 of them."
    assert [(number["text"], number["key"]) for number in step.said] == [("37", "v3.experts")]
    assert [(read["kind"], read["name"], read["params"]) for read in scene.report().reads] == [
        ("colour", "ground", {}),
        ("number", "v3.experts", {}),
        ("run", "probe", {"layers": [2, 3]}),
    ]
    assert all(read.holds() for read in scene.reads)
    traces["probe"] = Trace("probe", {"x": NamedArray(np.zeros(3), ("token",), "x")}, {}, {"layer": 2}, 0, "cpu", {})
    assert [read.holds() for read in sorted(scene.reads, key=lambda read: read.kind)] == [True, False]


def numbered(quantity: Quantity = QUANTITY, **about: Any) -> Square:
    square = Square(side_length=1, fill_opacity=1)
    square.quantity = quantity
    for name, value in about.items():
        setattr(square, name, value)
    return square


def test_numbers_on_screen_are_reported_with_their_place(tmp_path: Path) -> None:
    class Numbers(Stage):
        def act(self) -> None:
            shown = numbered(shown_text="thirty-seven").shift(LEFT * 3 + UP)
            hidden = numbered().set_opacity(0)
            inside = VGroup(numbered().shift(RIGHT * 3 + DOWN))
            self.add(shown, hidden, inside)
            with self.step():
                pass
            self.remove(shown)
            with self.step():
                self.play(Rotate(inside, 1))

    first, second = play_scene(Numbers, tmp_path, SIX, SIX).report().steps
    assert [number.text for number in first.numbers] == ["thirty-seven", "37"]
    assert [number.text for number in second.numbers] == ["37"]
    left, top, right, bottom = first.numbers[0].box
    assert (left, right) == pytest.approx((0.5 - 3.5 / (128 / 9), 0.5 - 2.5 / (128 / 9)), abs=1e-3)
    assert (top, bottom) == pytest.approx((0.5 - 1.5 / 8, 0.5 - 0.5 / 8), abs=1e-3)
    assert first.numbers[0].origin["source"] == "paper"


def test_the_origin_line_is_replaced_and_the_title_stands_top_left(tmp_path: Path) -> None:
    class Lines(Stage):
        def act(self) -> None:
            title = self.show_title()
            first = self.origin(QUANTITY)
            second = self.origin(QUANTITY, QUANTITY)
            assert first not in self.mobjects
            assert second in self.mobjects
            assert title.get_left()[0] < 0 < title.get_top()[1]
            assert second.get_bottom()[1] < title.get_bottom()[1]
            with self.step():
                pass

    play_scene(Lines, tmp_path, SIX)


def test_a_report_survives_json(tmp_path: Path) -> None:
    class Simple(Stage):
        def act(self) -> None:
            self.add(numbered())
            with self.step() as s:
                s.until("here")

    report = play_scene(Simple, tmp_path, "One two [[here]] three.").report()
    assert type(report).from_json(report.to_json()) == report
