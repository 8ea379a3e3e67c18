"""A voice that says its words sooner than the scene was made for: its motions go faster, so that none comes late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from manim import RIGHT, AnimationGroup, Dot, FadeIn, Square

from scenes.clock import Measured
from scenes.pacing import LEAST, Pacing
from tests.scenes.test_stage import Stage, play_scene

WORDS = "One two three [[four]] four five six."
#: What the scenes are made for: a word each 0.4 s, the fourth after 18 ticks, all said after 36.
STEADY = tuple(index * 0.4 for index in range(7))


def played(act: Callable[[Stage], None], tmp_path: Path, faster: float) -> tuple[list[int], Stage]:
    """The lengths of all plays (waits for words left out) with a voice so many times as fast, and the scene."""
    lengths: list[int] = []

    class Paced(Stage):
        narrator = Measured((STEADY,))

        def act(self) -> None:
            self.narrator = Measured((tuple(start / faster for start in STEADY),))
            act(self)

        def play(self, *args: object, **kwargs: object) -> None:
            before = self.ticks
            super().play(*args, **kwargs)
            if type(args[0]).__name__ != "Wait":
                lengths.append(self.ticks - before)

    return lengths, play_scene(Paced, tmp_path, WORDS)


def two_before_a_mark(scene: Stage) -> None:
    with scene.step() as s:
        scene.play(FadeIn(Dot()), run_time=0.6)
        scene.play(FadeIn(Square()), run_time=0.6)
        s.until("four")
        scene.play(FadeIn(Dot()), run_time=1.2)


def test_motions_before_a_mark_share_what_a_faster_voice_takes(tmp_path: Path) -> None:
    assert played(two_before_a_mark, tmp_path, 1)[0] == [9, 9, 18]
    lengths, scene = played(two_before_a_mark, tmp_path, 1.25)
    (step,) = scene.report().steps
    assert step.cues[0].late == 0 and step.overrun == 0
    assert abs(lengths[0] - lengths[1]) <= 1
    assert lengths[0] + lengths[1] == pytest.approx(18 / 1.25, abs=1)


@pytest.mark.parametrize("faster", [1, 0.8])
def test_with_as_much_time_as_it_was_made_for_nothing_changes(faster: float, tmp_path: Path) -> None:
    def crowded(scene: Stage) -> None:
        with scene.step() as s:
            scene.wait(0.2)
            scene.play(FadeIn(Dot()), run_time=1.3)
            s.until("four")  # late by what is allowed
            scene.play(FadeIn(Dot()), run_time=max(s.left_until("four"), 0.4))
            scene.play(FadeIn(Dot()), run_time=1.2)

    assert played(crowded, tmp_path, faster)[0] == [20, 6, 18]


def test_no_motion_is_hurried_beyond_what_the_eye_follows(tmp_path: Path) -> None:
    lengths, scene = played(two_before_a_mark, tmp_path, 3)
    assert min(lengths[:2]) >= LEAST * 9
    assert scene.report().steps[0].cues[0].late > 0, "what is late after all is told"


def test_all_parts_of_a_motion_go_faster_together(tmp_path: Path) -> None:
    short = FadeIn(Dot(), run_time=0.6)
    long = AnimationGroup(Square().animate.shift(RIGHT), run_time=1.2)

    def act(scene: Stage) -> None:
        with scene.step() as s:
            scene.play(short, long)
            s.until("four")

    (length,), _ = played(act, tmp_path, 1.5)
    assert length == 12
    assert (short.run_time, long.run_time) == pytest.approx((0.4, 0.8))


def test_what_a_scene_fits_by_itself_is_left_to_it(tmp_path: Path) -> None:
    def act(scene: Stage) -> None:
        with scene.step() as s:
            scene.play(FadeIn(Dot()), run_time=s.left_until("four"))
            s.until("four")
            scene.play(FadeIn(Dot()), run_time=s.left)

    lengths, scene = played(act, tmp_path, 1.5)
    assert lengths == [12, 12]
    assert scene.report().steps[0].overrun == 0


def test_the_least_length_that_a_scene_asks_for_gives_way_where_it_fitted_before(tmp_path: Path) -> None:
    def act(scene: Stage) -> None:
        with scene.step() as s:
            s.until("four")
            scene.play(FadeIn(Dot()), run_time=max(s.left - 0.4, 0.8))
            scene.play(FadeIn(Dot()), run_time=0.4)

    assert played(act, tmp_path, 1)[0] == [12, 6]
    lengths, scene = played(act, tmp_path, 1.8)
    assert (lengths, scene.report().steps[0].overrun) == ([10, 6], 6), "ends with the words, and goes on as it did"


def test_a_motion_that_ends_a_little_after_its_word_still_does() -> None:
    pacing = Pacing([(20, 15), (100, 60)])
    assert pacing.length(25, 0) == 20, "five ticks after the word, as it was made"
    assert pacing.length(100, 20) == 100, "nothing is waited for: it was made to go on after all words"
