"""Lecture 1: what V3 leaves idle."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Animation,
    Create,
    FadeIn,
    FadeOut,
    Group,
    GrowFromEdge,
    LaggedStart,
    Line,
    Rectangle,
    VGroup,
)

from explainers.traces import NamedArray, Trace
from scenes.kit import (
    EASE,
    STAGE_CENTER,
    Block,
    BlockChart,
    Bracket,
    LearnByChecking,
    LeversMap,
    NumberLabel,
    RememberLess,
    TokenChip,
    label,
    role,
)
from scenes.lectures.l1_shock.rectangles import LLAMA, V3
from scenes.stage import LectureScene


class NotASmallerModel(LectureScene):
    """All of V3 beside Llama, and the part of it that works."""

    lecture = 1

    def construct(self) -> None:
        self.show_title()
        trace = self.run("training_compute")
        llama = self.number("llama_405b.active_params"), self.number("llama_405b.training_tokens")
        v3 = self.number("v3.total_params"), self.number("v3.training_tokens")
        self.origin(trace, *llama, *v3)
        blocks = [
            Block(LLAMA, *llama, role="dense"),
            Block(V3, *v3, role="latent", part=self.number("v3.active_params")),
        ]
        chart = BlockChart(
            blocks, width=11.4, height=3.7, gap=0.8, fmt="words 3 bare", after=" parameters", y_name="tokens read"
        )
        chart.move_to(STAGE_CENTER)
        whole = chart.blocks[V3]
        full = whole.copy().set_fill(role("latent"), 1)
        works = chart.parts[V3].copy().set_fill(role("text"), 1)
        what = label("white: what works on a token", "small").next_to(chart.widths[V3], DOWN, buff=0.12)
        what.align_to(whole, LEFT)
        pieces = self.pieces(whole, works)
        times = NumberLabel(
            trace.quantity("ratio_all"),
            "times 2",
            size="body",
            role="cost",
            before="all at work: ",
            after=" the operations it took",
        )
        bracket = Bracket(whole, times, UP, role="cost")
        width = label("width: parameters, area: operations", "small", "muted")
        width.next_to(chart.widths[LLAMA], DOWN, buff=0.12)
        rim = chart.blocks[LLAMA].copy().set_fill(opacity=0).set_stroke(role("ground"), 5)
        with self.step() as s:
            self.play(FadeIn(chart.axes), run_time=0.6)
            s.until("llama")
            self.play(chart.grow(LLAMA), FadeIn(chart.names[LLAMA], chart.widths[LLAMA], width))
            s.until("whole")
            self.play(GrowFromEdge(full, DOWN), FadeIn(chart.names[V3], chart.widths[V3]), run_time=1.6)
            s.until("larger")
            self.add(rim)
            self.play(rim.animate.move_to(whole, aligned_edge=DOWN + LEFT), run_time=1.4, rate_func=EASE)
            s.until("all")
            self.play(FadeOut(rim), FadeIn(works, what), run_time=0.6)
            self.play(LaggedStart(*(Create(line) for line in pieces), lag_ratio=0.3), run_time=s.left_until("more"))
            self.play(FadeIn(bracket), run_time=0.6)
        self.add(whole)
        self.bring_to_front(full, pieces, works)
        beside = Group(chart.names[LLAMA], chart.widths[LLAMA], width)
        self.sliver(trace, chart, works, Group(full, pieces, what, bracket), beside)

    @staticmethod
    def pieces(whole: Rectangle, part: Rectangle) -> VGroup:
        """Lines that cut a block into pieces as wide as its part; the last piece may be a rest."""
        places = np.arange(part.get_right()[0], whole.get_right()[0] - 1e-6, part.width)
        bottom, top = whole.get_bottom()[1], whole.get_top()[1]
        lines = VGroup(*(Line([x, bottom, 0], [x, top, 0]) for x in places))
        return lines.set_stroke(role("ground"), width=2.5)

    def sliver(self, trace: Trace, chart: BlockChart, works: Rectangle, idle: Group, beside: Group) -> None:
        """The rest goes dark and the sliver stays; on the next tokens it is elsewhere; and the other two levers."""
        whole = chart.blocks[V3]
        active = NumberLabel(
            self.number("v3.active_params"), "words 2", size="heading", role="latent", after=" at work"
        )
        active.next_to(whole, UP, buff=0.16).align_to(whole, LEFT)
        gate = label("wakes these experts\n(V3's gate rule, untrained)", "small", "muted")
        gate.next_to(whole, UP, buff=0.16).align_to(whole, RIGHT)
        always = label("thick: at work on every token", "small", "latent").next_to(chart.widths[V3], DOWN, buff=0.12)
        always.align_to(whole, LEFT)
        routes = self.run("untrained_gate")
        parts = self.split(chart, routes["chosen"])
        tokens = [TokenChip(token) for token in routes["chosen"].labels["token"]]
        for chip in tokens:
            chip.next_to(gate, LEFT, buff=0.2)
        panels = LeversMap.read(self.number, self.run).panels
        notes, checked = panels["mla"], panels["rl"]
        others = self.others(chart.blocks[LLAMA], notes, checked)

        def wake(turn: int) -> None:
            if turn > 1:
                self.remove(tokens[(turn - 1) % len(tokens)])
                self.add(tokens[turn % len(tokens)])
            self.play(*self.scatter(parts, whole, routes["chosen"], turn), run_time=1.1, rate_func=EASE)

        with self.step() as s:
            s.until("sliver")
            self.play(FadeOut(idle), works.animate.set_fill(role("latent"), 1), run_time=1.2)
            self.play(FadeIn(active), run_time=0.4)
            s.until("answer")
            self.origin(trace, routes, *chart.bound)
            self.remove(works)
            self.add(parts)
            self.play(FadeIn(gate, tokens[1], always), run_time=0.4)
            for turn in (1, 2, 3):
                wake(turn)
            s.until("others")
            self.origin(trace, routes, *chart.bound, *notes.bound, *checked.bound)
            room = chart.blocks[LLAMA].animate.set_fill(role("surface"), 1).set_stroke(role("hairline"))
            self.play(FadeOut(beside), room, run_time=0.5)
            for picture, motion in others:
                self.play(FadeIn(picture), run_time=0.5)
                self.play(motion)
            s.until("next")
            for turn in (4, 5):  # the last is a word, not a comma
                wake(turn)

    @staticmethod
    def others(place: Rectangle, notes: RememberLess, checked: LearnByChecking) -> list[tuple[VGroup, Animation]]:
        """The other two levers where Llama stood, side by side: each a small picture and its motion."""
        both = VGroup()
        for panel in (notes, checked):
            picture = panel.picture.scale_to_fit_height(place.height * 0.38)
            both.add(VGroup(picture, label(panel.words, "small", panel.role).next_to(picture, DOWN, buff=0.2)))
        both.arrange(RIGHT, buff=0.35, aligned_edge=DOWN).move_to(place)
        return list(zip(both, (notes.squeeze(run_time=1.2), checked.rise(run_time=0.9)), strict=True))

    def split(self, chart: BlockChart, routes: NamedArray) -> VGroup:
        """The sliver in pieces, as wide as their parameters: what every token passes, then one expert each."""
        sliver, lit = chart.parts[V3], int(routes.values[0].sum())
        one = float(self.number("v3.routed_params")) / routes.values.shape[1] * chart.unit_width
        widths = [sliver.width - lit * one, *[one] * lit]
        parts = VGroup(*(sliver.copy().stretch_to_fit_width(width) for width in widths)).arrange(RIGHT, buff=0)
        return parts.move_to(sliver)

    def scatter(self, parts: VGroup, whole: Rectangle, routes: NamedArray, turn: int) -> list[Any]:
        """The experts go to the places where a token finds its own; what every token passes stays."""
        always, *experts = parts
        left, count = always.get_right()[0], routes.values.shape[1]
        pitch = (whole.get_right()[0] - left) / count
        places = np.flatnonzero(routes.values[turn % len(routes.values)])
        return [part.animate.set_x(left + (place + 0.5) * pitch) for part, place in zip(experts, places, strict=True)]
