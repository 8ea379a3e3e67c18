"""Lecture 2: which expert serves which kind of text, and how much of that is only the token."""

from __future__ import annotations

import numpy as np
from manim import DOWN, LEFT, RIGHT, Create, FadeIn, FadeOut, LaggedStart, Mobject, Rectangle, VGroup
from numpy.typing import NDArray

from explainers.traces import Trace
from scenes.kit import (
    EASE,
    STAGE_CENTER,
    ExpertHeatMap,
    NumberLabel,
    TokenRow,
    label,
    role,
)
from scenes.stage import LectureScene


def most_mixed(share: NDArray[np.float64]) -> int:
    """The expert whose work is spread most evenly over the kinds of text, by entropy: (domain, expert) → its place."""
    parts = share / share.sum(0)
    return int(np.argmax(-(parts * np.log(np.maximum(parts, 1e-12))).sum(0)))


class WhoLearnsWhat(LectureScene):
    """Expert × domain, counted on held-out text; then what of it is the token's own identity."""

    lecture = 2
    layer = -1

    def construct(self) -> None:
        self.show_title()
        trace = self.run("specialisation")
        self.origin(trace)
        self.layer_index = trace["share"]["layer"] + self.layer
        heat = ExpertHeatMap(trace["share"].pick(layer=self.layer_index), groups=4, width=10.0, row_height=0.72)
        heat.move_to(STAGE_CENTER).clear()
        self.counted(heat)
        self.bits(trace, heat)

    def counted(self, heat: ExpertHeatMap) -> None:
        """Rows fill; one stands forward, then another; an expert that serves every kind is framed."""
        column = self.frame(heat, most_mixed(heat.bound[0].values))
        note = VGroup(
            label("a column: an expert of the last layer", "small", "expert"),
            label("bright: more than an even share of that kind of text", "small", "muted"),
        )
        note.arrange(RIGHT, buff=0.6).next_to(heat, DOWN, buff=0.3).set_x(VGroup(*heat.boxes).get_x())

        with self.step() as s:
            self.play(FadeIn(heat.boxes), FadeIn(note[0]), run_time=0.8)
            s.until("kinds")
            self.play(FadeIn(*heat.names.values(), lag_ratio=0.6), run_time=1.4)
            s.until("count")
            self.play(FadeIn(heat.bar, heat.even), run_time=0.4)
            self.add(heat)
            self.play(heat.fill(run_time=1.9))
            self.play(FadeIn(note[1]), run_time=0.4)
            s.until("german")
            self.play(heat.look_at("German", run_time=0.7))
            s.until("sums")
            self.play(heat.look_at("sums", run_time=0.7))
            s.until("several")
            self.play(heat.look_at(run_time=0.6))
            self.play(Create(column), run_time=0.8)
        self.note, self.column = note, column

    @staticmethod
    def frame(heat: ExpertHeatMap, expert: int) -> Rectangle:
        """A frame around all that an expert gets."""
        around = VGroup(*(heat.cell(name, expert) for name in heat.rows))
        whole = Rectangle(width=around.width + 0.06, height=around.height + 0.06, stroke_width=4)
        return whole.set_stroke(role("accent")).move_to(around)

    def bits(self, trace: Trace, heat: ExpertHeatMap) -> None:
        """Two bits name the kind of text; what the expert tells, and what it would if the token alone chose it."""
        words = ("to name the kind of text takes", "its expert tells", "if the token alone chose it")
        rows = [
            self.bar(trace, name, text, colour, -1.72 - 0.46 * place)
            for place, (name, text, colour) in enumerate(
                zip(("possible", "shipped", "from_tokens"), words, ("muted", "expert", "token"), strict=True)
            )
        ]
        rows[0][1].set_fill(opacity=0).set_stroke(role("muted"), 2.2)
        best = heat.favourites("sums")[0]
        places = trace["favourite"].pick(layer=self.layer_index, expert=best).values
        vocabulary = trace["vocabulary"].labels["token"]
        chips = TokenRow([vocabulary[int(each)] for each in places], size="small")
        mean = label("means over all tokens and layers", "small", "muted")
        mean.next_to(rows[1][2], RIGHT, buff=0.4)
        with self.step() as s:
            self.play(FadeOut(self.note, self.column), run_time=0.4)
            self.play(heat.animate.move_to([0, STAGE_CENTER[1] + 1.22, 0]), run_time=1.0, rate_func=EASE)
            for (name, bar, number), mark in zip(rows, ("bits", "", "half"), strict=True):
                if mark:
                    s.until(mark)
                full = bar.copy()
                bar.stretch(1e-3, 0, about_edge=LEFT)  # only its length grows: at no time a thinner bar
                self.play(FadeIn(name), bar.animate.become(full), run_time=0.7)
                self.play(FadeIn(number, *([mean] if bar is rows[1][1] else ())), run_time=0.3)
            s.until("digits")
            there = self.frame(heat, best)
            chips.next_to(there, DOWN, buff=0.2)
            told = label("tokens that choose it most often", "small", "muted").next_to(chips, LEFT, buff=0.3)
            self.play(Create(there), run_time=0.7)
            fall = LaggedStart(*(FadeIn(chip, shift=0.25 * DOWN) for chip in chips.chips), lag_ratio=0.15)
            self.play(fall, FadeIn(told), run_time=1.4)

    def bar(
        self, trace: Trace, name: str, words: str, colour: str, height: float
    ) -> tuple[Mobject, Rectangle, Mobject]:
        """Plain words, a bar of so many bits, and their number; all bars begin at one place and have one scale."""
        bits = trace.quantity(f"information_{name}")
        full = 6.4
        wide = full * float(bits / trace.quantity("information_possible"))
        bar = Rectangle(width=wide, height=0.3, stroke_width=0).set_fill(role(colour), 1)
        bar.move_to([-1.5, height, 0], LEFT)
        text = label(words, "small", colour).next_to(bar, LEFT, buff=0.25)
        number = NumberLabel(bits, "plain" if name == "possible" else "plain 2", size="small", role=colour)
        return text, bar, number.next_to(bar, RIGHT, buff=0.2)
