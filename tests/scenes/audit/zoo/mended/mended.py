"""The scenes of the zoo, mended: each under the same name, without what it is caught for."""

from typing import Any

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Circle,
    Create,
    FadeIn,
    FadeOut,
    Line,
    Mobject,
    Rectangle,
    RoundedRectangle,
    Square,
)

from explainers.traces import NamedArray
from scenes.kit import Axes2D, Axis, NumberLabel, TensorGrid, VectorColumn, label, role
from scenes.stage import LectureScene
from scenes.waivers import waive


def ramp(rows: int = 4, columns: int = 6) -> NamedArray:
    return NamedArray(np.linspace(-1, 1, rows * columns).reshape(rows, columns), ("token", "feature"), "ramp")


class Beast(LectureScene):
    """Shows what `bring` builds in the first step and moves a dot in the second."""

    seconds = 1.0

    def bring(self) -> list[Mobject]:
        return [label("a quiet picture")]

    def construct(self) -> None:
        self.show_title("The zoo")
        things = self.bring()
        dot = Circle(0.2, color=role("accent"), fill_opacity=1).shift(2.4 * DOWN + 4 * LEFT)
        with self.step():
            self.play(FadeIn(dot), *(FadeIn(thing) for thing in things), run_time=self.seconds)
            self.add(*things)
        for _ in self.section.steps[1:]:
            with self.step():
                self.play(dot.animate.shift(2 * RIGHT), run_time=self.seconds)

    def parameters(self, **options: Any) -> NumberLabel:
        """A number that knows its source, and the source at the foot of the picture."""
        total = self.number("v3.total_params")
        self.origin(total)
        return NumberLabel(total, "words 3", **options)


class IdleWaiver(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        dot = Circle(0.1, color="#2A3038", fill_opacity=1)
        return [
            label("a quiet picture").shift(UP),
            waive(dot, "faint-shape", reason="hardly there, which is the point"),
        ]


# ---------------------------------------------------------------------- numbers
class BareDigits(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [self.parameters(size="heading", after=" parameters")]


class FleetingDigits(Beast):
    lecture = 1

    def construct(self) -> None:
        words, number = label("a quiet picture"), self.parameters(size="heading").shift(UP)
        with self.step():
            self.play(FadeIn(words), run_time=1)
        with self.step():
            self.play(FadeIn(number), run_time=0.5)
            self.play(FadeOut(number), run_time=0.5)


class WrongNumber(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        layers = self.number("v3.layers")
        self.origin(layers)
        return [NumberLabel(layers, after=" layers")]


class LooseTick(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [Axes2D(Axis(0, 800, "parameters"), Axis(0, 1, "share"), width=7, height=2.5)]


class ForgedOrigin(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        self.origin(self.number("v3.layers"))
        return [label("a quiet picture")]


class UnnamedSource(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        layers = self.number("v3.layers")
        self.origin(layers)
        return [NumberLabel(layers, after=" layers")]


class UnreadImage(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [TensorGrid(ramp(), role="latent", height=2)]


class TypedNumber(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [self.parameters()]


class TypedDigits(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [*super().bring(), self.parameters().shift(UP)]


# ---------------------------------------------------------------------- data
class DeafPicture(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [VectorColumn(ramp().pick(token=0), role="key", cell=0.4)]


class StubbornPicture(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [VectorColumn(ramp().pick(token=1), role="key", cell=0.4)]


class PaintedGrid(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [TensorGrid(ramp().pick(token=slice(None, None, -1)), role="latent")]


# ---------------------------------------------------------------------- layout
class OverTheEdge(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [label("staying").shift(5.4 * RIGHT)]


class InTheCaptions(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [label("just right").shift(1.2 * DOWN)]


class TwoTexts(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [label("keys and values", "heading"), label("queries", "heading").shift(0.9 * DOWN)]


class PassingWords(Beast):
    lecture = 1

    def construct(self) -> None:
        still, moving = label("keys and values", "heading"), label("queries", "heading").shift(4 * LEFT + UP)
        with self.step():
            self.play(FadeIn(still, moving), run_time=1)
        with self.step():
            self.play(moving.animate.shift(8 * RIGHT), run_time=3)


class CutText(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        words = label("keys and values", "heading")
        return [words, Line(LEFT, RIGHT, color=role("cost")).next_to(words, DOWN)]


class SmallPrint(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [label("terms and conditions", "small")]


class PaleText(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        panel = Rectangle(width=6, height=2, fill_color=role("latent"), fill_opacity=1, stroke_width=0)
        return [panel, label("black on amber", "heading", "ground")]


class PaleShape(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [Square(2, color=role("muted"), stroke_width=5)]


class TwinColours(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [
            Square(1, color=role(name), fill_opacity=1).shift(x * RIGHT) for name, x in (("latent", -2), ("query", 2))
        ]


class Crowd(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        places = [(x, y) for x in (-4, 0, 4) for y in (1.5, -0.5)]
        return [Square(0.8, color=role("key")).move_to([x, y, 0]) for x, y in places]


class NothingThere(Beast):
    lecture = 1

    def construct(self) -> None:
        self.show_title("The zoo")
        dot = Circle(0.4, color=role("accent"), fill_opacity=1)
        for index, _ in enumerate(self.section.steps):
            with self.step():
                self.play(dot.animate.shift(RIGHT) if index else FadeIn(dot), run_time=1)


# ---------------------------------------------------------------------- time
class StillLife(Beast):
    lecture = 1

    def construct(self) -> None:
        dot = Circle(0.4, color=role("accent"), fill_opacity=1)
        for index, _ in enumerate(self.section.steps):
            with self.step() as s:
                self.play(dot.animate.shift(3 * RIGHT) if index else FadeIn(dot), run_time=s.left if index else 1)


class Blinker(Beast):
    lecture = 1

    def construct(self) -> None:
        panel = Rectangle(width=6, height=4, fill_color=role("text"), fill_opacity=1, stroke_width=0)
        for index, _ in enumerate(self.section.steps):
            with self.step():
                self.play(panel.animate.set_fill(opacity=0.4) if index else FadeIn(panel), run_time=1.5)


class Overrunner(Beast):
    lecture = 1

    def construct(self) -> None:
        dot = Circle(0.4, color=role("accent"), fill_opacity=1)
        for _ in self.section.steps:
            with self.step() as s:
                self.play(Create(dot), run_time=s.left)


class LateMark(Beast):
    lecture = 1

    def construct(self) -> None:
        dot = Circle(0.4, color=role("accent"), fill_opacity=1)
        with self.step() as s:
            self.play(Create(dot), run_time=s.left_until("soon"))
            s.until("soon")
        with self.step():
            self.play(dot.animate.shift(RIGHT), run_time=1)


class Hurry(Beast):
    lecture = 1
    seconds = 3.0


class NoHold(Beast):
    lecture = 1


class Glance(Beast):
    lecture = 1


class TooShort(Beast):
    lecture = 1


# ---------------------------------------------------------------------- script and process
class UnheardMark(Beast):
    lecture = 1

    def construct(self) -> None:
        words, dot = label("a quiet picture"), Circle(0.2, color=role("accent"), fill_opacity=1).shift(2.4 * DOWN)
        with self.step() as s:
            s.until("never")
            self.play(FadeIn(words, dot), run_time=1)
        with self.step():
            self.play(dot.animate.shift(2 * RIGHT), run_time=1)


class Crash(Beast):
    lecture = 1


class Dice(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        return [RoundedRectangle(width=1 + len("latent") / 2, color=role("latent"))]
