"""The only scene of the sample."""

from __future__ import annotations

from manim import RIGHT, FadeIn

from scenes.kit import Lamp, label
from scenes.stage import LectureScene


class ALamp(LectureScene):
    """A lamp of an installed package, and a word that its check does not like."""

    lecture = 1

    def construct(self) -> None:
        self.show_title()
        trace = self.run("sample_cache")
        self.origin(trace)
        lamp = Lamp(trace.quantity("per_token") / trace.quantity("per_token"))
        word = label("BRIGHT", "heading").shift(2 * RIGHT)
        with self.step():
            self.play(FadeIn(lamp, word))
        with self.step():
            self.play(lamp.animate.shift(0.4 * RIGHT))
