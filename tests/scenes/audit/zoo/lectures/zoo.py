"""Scenes that are each bad in exactly one way, and good ones. Headings name the code under which each is caught."""

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
    ImageMobject,
    Line,
    Mobject,
    Rectangle,
    RoundedRectangle,
    Square,
    Text,
    VGroup,
)

from explainers.quantities import constant
from explainers.traces import NamedArray
from scenes.clock import ByWords
from scenes.kit import AxisTick, DataBound, NumberLabel, OriginLine, TensorGrid, label, role
from scenes.kit.binding import Bound
from scenes.stage import LectureScene
from scenes.waivers import waive

#: Digits that no static pass can see.
SIX_SEVEN_ONE = "".join(map(str, (6, 7, 1)))


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


# ---------------------------------------------------------------------- good ones
class Good(Beast):
    lecture = 1

    def bring(self) -> list[Mobject]:
        layers = self.number("v3.layers")
        self.origin(layers)
        grid = TensorGrid(ramp(), name="ramp", role="latent").shift(3 * LEFT)
        box = Rectangle(width=3, height=1, color=role("key"), stroke_width=2).shift(3 * RIGHT)
        return [
            grid,
            NumberLabel(layers, after=" layers").shift(1.5 * UP + 3 * RIGHT),
            box,
            label("V3, inside").move_to(box),
        ]


class Waived(Beast):
    """waived: digits-without-origin"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        words = Text(SIX_SEVEN_ONE, font_size=40)
        return [waive(words, "digits-without-origin", reason="the zoo shows how a waiver is listed")]


class StandingBack(Beast):
    """What was read may be dimmed, and one text may fade into another at the same place."""

    lecture = 1

    def construct(self) -> None:
        first, second, third = (label(words, "heading") for words in ("keys", "values", "latents"))
        first.shift(1.5 * UP)
        with self.step():
            self.play(FadeIn(first, second), run_time=1)
            self.play(first.animate.set_opacity(0.25), run_time=1)
        with self.step():
            self.play(FadeOut(second), FadeIn(third), run_time=1.5)


class IdleWaiver(Beast):
    """waiver-unused"""

    lecture = 1
    waivers = {"frozen": "nothing is frozen here at all"}


# ---------------------------------------------------------------------- numbers
class BareDigits(Beast):
    """digits-without-origin"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [Text(SIX_SEVEN_ONE, font_size=40)]


class FleetingDigits(Beast):
    """digits-without-origin"""

    lecture = 1

    def construct(self) -> None:
        words, number = label("a quiet picture"), Text(SIX_SEVEN_ONE, font_size=40).shift(UP)
        with self.step():
            self.play(FadeIn(words), run_time=1)
        with self.step():
            self.play(FadeIn(number), run_time=0.5)
            self.play(FadeOut(number), run_time=0.5)


class WrongNumber(Beast):
    """number-untrue"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        layers = self.number("v3.layers")
        self.origin(layers)
        wrong = label(SIX_SEVEN_ONE)
        wrong.quantity = layers
        return [wrong]


class LooseTick(Beast):
    """tick-untrue"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [AxisTick(float(SIX_SEVEN_ONE), size="body")]


class ForgedOrigin(Beast):
    """origin-line-untrue"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        line = OriginLine(self.number("v3.layers"))
        line.shown_text = "cited: a better report, " + SIX_SEVEN_ONE
        line._set_lines([line.shown_text])
        line.scale(11.5 / 135, about_point=np.zeros(3)).move_to([-4, -3.5, 0])
        return [line, label("a quiet picture")]


class UnnamedSource(Beast):
    """source-not-named"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [NumberLabel(self.number("v3.layers"), after=" layers")]


class UnreadImage(Beast):
    """picture-unread"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [ImageMobject(np.full((20, 30, 4), 255, dtype=np.uint8)).set(height=2)]


class TypedNumber(Beast):
    """literal-number"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [NumberLabel(constant(671, "what I remember"))]


class TypedDigits(Beast):
    """digits-in-code"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        label("671 billion")
        return super().bring()


# ---------------------------------------------------------------------- data
class Deaf(DataBound, VGroup):
    def __init__(self, values: NamedArray) -> None:
        super().__init__(Square(1, color=role("key"), fill_opacity=1))
        self.bound = Bound((values,))


class Stubborn(DataBound, VGroup):
    def __init__(self, values: NamedArray) -> None:
        if values.values.tolist() != ramp().values.tolist():
            raise ValueError("only this ramp")
        super().__init__(Square(1, color=role("key"), fill_opacity=1))
        self.bound = Bound((values,))


class DeafPicture(Beast):
    """ignores-data"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [Deaf(ramp())]


class StubbornPicture(Beast):
    """rebind-fails"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [Stubborn(ramp())]


class PaintedGrid(Beast):
    """not-its-data"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        grid = TensorGrid(ramp(), role="latent")
        grid.image.set_cells(grid.image.pixel_array[::-1].copy())
        return [grid]


# ---------------------------------------------------------------------- layout
class OverTheEdge(Beast):
    """outside-safe-area"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [label("leaving").shift(6.3 * RIGHT)]


class InTheCaptions(Beast):
    """in-caption-zone"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [label("too low").shift(3.3 * DOWN)]


class TwoTexts(Beast):
    """text-over-text"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [label("keys and values", "heading"), label("queries", "heading").shift(0.1 * DOWN)]


class PassingWords(Beast):
    """text-over-text"""

    lecture = 1

    def construct(self) -> None:
        still, moving = label("keys and values", "heading"), label("queries", "heading").shift(4 * LEFT)
        with self.step():
            self.play(FadeIn(still, moving), run_time=1)
        with self.step():
            self.play(moving.animate.shift(8 * RIGHT), run_time=3)


class CutText(Beast):
    """text-across-edge"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [label("keys and values", "heading"), Line(LEFT + UP, RIGHT + DOWN, color=role("cost"))]


class SmallPrint(Beast):
    """text-too-small"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [label("terms and conditions", 13)]


class PaleText(Beast):
    """low-contrast"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        panel = Rectangle(width=6, height=2, fill_color=role("latent"), fill_opacity=1, stroke_width=0)
        return [panel, label("amber on amber", "heading", "accent")]


class PaleShape(Beast):
    """faint-shape"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [Square(2, color="#2A3038", stroke_width=5)]


class TwinColours(Beast):
    """colours-alike"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [
            Square(1, color=role(name), fill_opacity=1).shift(x * RIGHT) for name, x in (("value", -2), ("expert", 2))
        ]


class Crowd(Beast):
    """crowded"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        places = [(x, y) for x in (-5, -2, 1, 4) for y in (2, 0.5, -1)]
        return [Square(0.4, color=role("key")).move_to([x, y, 0]) for x, y in places]


class NothingThere(Beast):
    """empty"""

    lecture = 1

    def construct(self) -> None:
        self.show_title("The zoo")
        dot = Circle(0.2, color=role("accent"), fill_opacity=1)
        for _ in self.section.steps:
            with self.step():
                self.play(FadeIn(dot), run_time=1)
                self.play(FadeOut(dot), run_time=1)


# ---------------------------------------------------------------------- time
class StillLife(Beast):
    """frozen"""

    lecture = 1


class Blinker(Beast):
    """flashes"""

    lecture = 1

    def construct(self) -> None:
        panel = Rectangle(width=6, height=4, fill_color=role("text"), fill_opacity=1, stroke_width=0)
        for _ in self.section.steps:
            with self.step():
                self.play(FadeIn(panel), run_time=1)
                for opacity in (0.1, 1) * 4:
                    self.play(panel.animate.set_fill(opacity=opacity), run_time=1 / 15)


class Overrunner(Beast):
    """overrun"""

    lecture = 1

    def construct(self) -> None:
        dot = Circle(0.4, color=role("accent"), fill_opacity=1)
        for _ in self.section.steps:
            with self.step() as s:
                self.play(Create(dot), run_time=s.left + 2)


class LateMark(Beast):
    """late-mark"""

    lecture = 1

    def construct(self) -> None:
        dot = Circle(0.4, color=role("accent"), fill_opacity=1)
        with self.step() as s:
            self.play(Create(dot), run_time=s.left_until("soon") + 1)
            s.until("soon")
        with self.step():
            self.play(dot.animate.shift(RIGHT), run_time=1)


class Hurry(Beast):
    """pace"""

    lecture = 1
    narrator = ByWords(260)
    seconds = 3.0


class NoHold(Beast):
    """hold-short"""

    lecture = 1
    hold = 0.2


class Glance(Beast):
    """step-short"""

    lecture = 1


class TooShort(Beast):
    """scene-length"""

    lecture = 1


# ---------------------------------------------------------------------- script and process
class UnheardMark(Beast):
    """script-mismatch"""

    lecture = 1


class Crash(Beast):
    """scene-fails"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        raise KeyError("latent")


class Dice(Beast):
    """not-deterministic"""

    lecture = 1

    def bring(self) -> list[Mobject]:
        return [RoundedRectangle(width=1 + hash("latent") % 997 / 500, color=role("latent"))]
