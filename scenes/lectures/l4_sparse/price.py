"""Lecture 4: the honest column, and the answer as a ledger."""

from __future__ import annotations

from typing import ClassVar

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    DashedLine,
    Dot,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    Square,
    SurroundingRectangle,
    VGroup,
)

from explainers.traces import NamedArray
from scenes.kit import (
    EASE,
    STAGE_CENTER,
    Axis,
    BarRow,
    Entry,
    Ledger,
    NumberLabel,
    TokenRow,
    label,
    role,
    tint,
)
from scenes.stage import LectureScene


class WhatItCosts(LectureScene):
    """Tokens visit experts on many machines; all wait for the busiest; then gains and costs on one line."""

    lecture = 4
    layer = 1

    def construct(self) -> None:
        self.show_title()
        before = self.visits()
        before = self.busiest(before)
        self.answer(before)

    def visits(self) -> Group:
        """Every token sends a dot to each of its experts; the dots pile up into the experts' loads."""
        trace = self.run("routing")
        chosen = trace["indices"].pick(layer=self.layer).values.astype(int)
        count = trace["original_scores"].values.shape[-1]
        tokens = TokenRow(trace["u"].pick(layer=self.layer))
        tokens.move_to(STAGE_CENTER).shift(2.0 * UP)
        boxes = self.machines(count)
        self.piles = VGroup(*(VGroup() for _ in range(count)))
        sends = []
        for chip, experts in zip(tokens.chips, chosen, strict=False):
            dots = VGroup()
            for expert in experts:
                pile = self.piles[expert]
                goal = boxes[0][expert].get_top() + (0.24 + 0.19 * len(pile)) * UP
                pile.add(Dot(goal, radius=0.08, color=role("router")))
                dots.add(Dot(chip.get_bottom(), radius=0.08, color=role("router")))
            sends.append((dots, [self.piles[expert][-1] for expert in experts]))
        sent = NumberLabel(self.number("run.efficiency_ledger.sent"), "si 2", size="heading", role="router")
        unit = NumberLabel(self.number("run.efficiency_ledger.gpus"), "plain bare", size="heading", role="cost")
        facts = VGroup(
            label("V3:", "body", "muted"),
            VGroup(sent, label("sent for each token", "body", "muted")).arrange(RIGHT, buff=0.2),
            VGroup(unit, label("chips run as one", "body", "muted")).arrange(RIGHT, buff=0.2),
        ).arrange(RIGHT, buff=0.5)
        facts.next_to(boxes, DOWN, buff=0.3)
        self.origin(trace, self.number("run.efficiency_ledger.sent"))
        with self.step() as s:
            self.play(FadeIn(tokens, lag_ratio=0.05), FadeIn(boxes), run_time=0.9)
            s.until("token")
            self.send(*sends[0], run_time=1.3)
            s.until("more")
            pace = max(1.2, s.left_until("unit") - 1.0) / max(len(sends) - 1, 1)
            for index, (dots, goals) in enumerate(sends[1:]):
                self.send(dots, goals, run_time=max(pace, 0.2))
                if index == len(sends) // 2:
                    self.play(FadeIn(facts[:2]), run_time=0.4)
            s.until("unit")
            self.play(FadeIn(facts[2]), run_time=0.6)
        return Group(tokens, boxes, facts, *(dot for pile in self.piles for dot in pile))

    def send(self, dots: VGroup, goals: list[Dot], run_time: float) -> None:
        """The dots of one token fly to their places."""
        self.add(dots)
        self.play(*(dot.animate.move_to(goal) for dot, goal in zip(dots, goals, strict=True)), run_time=run_time)
        self.remove(dots)
        self.add(*goals)

    def machines(self, count: int, groups: int = 4) -> VGroup:
        """A square an expert, in frames that stand for machines."""
        squares = VGroup(*(Square(0.5, stroke_width=0).set_fill(tint("expert", 0.6), 1) for _ in range(count)))
        blocks = VGroup(*(VGroup(*squares[k * count // groups : (k + 1) * count // groups]) for k in range(groups)))
        for block in blocks:
            block.arrange(RIGHT, buff=0.14)
        blocks.arrange(RIGHT, buff=0.55).move_to(STAGE_CENTER).shift(1.35 * DOWN)
        frames = VGroup(*(SurroundingRectangle(b, buff=0.13, corner_radius=0.1, stroke_width=2) for b in blocks))
        frames.set_stroke(role("muted"))
        small = label("experts of our small model; a frame could be one machine", "small", "muted")
        small.next_to(frames, DOWN, buff=0.12, aligned_edge=LEFT)
        return VGroup(squares, frames, small)

    modes: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        ("neither", "without care", "uneven", "cost"),
        ("bias rule", "with the balancing rule", "even", "reward"),
    )

    def busiest(self, before: Group) -> Group:
        """Loads of the experts at the end of two trainings, beside their mean."""
        trace = self.run("balance")
        load = trace["load"]
        parts = Group()
        rows = []
        for mode, words, key, colour in self.modes:
            place = load.labels["mode"].index(mode)
            last = load.values[place, -1, self.layer].astype(float)
            share = NamedArray(last / last.mean(), ("expert",), f"load over mean, {mode}", "×", {}, load.run, "")
            axis = Axis(0, 3.0, "load over the mean", "×", ticks=(0.0, 1.0, 2.0, 3.0))
            top = int(share.values.argmax())
            bars = BarRow(share, role="expert", marked=(top,), marked_role=colour, width=5.2, height=3.1, y_axis=axis)
            bars.axes.lines.set_stroke(opacity=0)
            name = label(words, "body", colour)
            rows.append((bars, name, key, colour))
            parts.add(bars)
        parts.arrange(RIGHT, buff=1.0).move_to(STAGE_CENTER).shift(0.05 * UP)
        note = label("bars: one of our trainings, at its end; numbers: mean of three", "small", "muted")
        note.move_to([0, STAGE_CENTER[1] - 2.45, 0])
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(trace, self.run("efficiency_ledger"))
            self.play(FadeIn(note), run_time=0.3)
            for bars, name, key, colour in rows:
                name.next_to(bars.axes.corners, DOWN, buff=0.25)
                number = NumberLabel(
                    self.number(f"run.efficiency_ledger.{key}"), "times 2", size="heading", role=colour
                )
                top = max(bars.bars, key=lambda bar: float(bar.height))
                number.next_to(top, UP, buff=0.14)
                mean = DashedLine(
                    bars.axes.point(0, 1.0),
                    bars.axes.point(bars.axes.x.high, 1.0),
                    stroke_width=2.5,
                    color=role("text"),
                )
                s.until(key)
                self.play(
                    FadeIn(bars.axes, name),
                    LaggedStart(*(FadeIn(bar, shift=0.2 * UP) for bar in bars.bars), lag_ratio=0.05),
                    run_time=1.0,
                )
                self.play(Create(mean), FadeIn(number), run_time=0.7)
                parts.add(name, number, mean)
        parts.add(note)
        return parts

    #: name → number of the run, colour, format, mark, what it is compared with
    lines: ClassVar[dict[str, tuple[str, str, str, str, str]]] = {
        "arithmetic of a token": ("work", "reward", "percent 2", "work", "against everything at work"),
        "cache of a token": ("cache", "reward", "percent 2", "keep", "against full attention"),
        "bytes of a weight": ("bytes", "reward", "percent 2", "", "against BF16"),
        "time, tokens guessed": ("passes", "reward", "percent 2", "", "as reported"),
        "time, traffic hidden": ("waiting", "reward", "percent 2", "", "our model"),
        "weights held": ("held", "cost", "times 2", "held", "against those at work"),
        "busiest expert": ("even", "cost", "times 2", "", "against the mean, here"),
    }

    def answer(self, before: Group) -> None:
        entries = [
            Entry(name, self.number(f"run.efficiency_ledger.{key}"), colour, fmt, note)
            for name, (key, colour, fmt, _, note) in self.lines.items()
        ]
        ledger = Ledger(entries, middle="as usual", width=9.6, pitch=0.62, thickness=0.38)
        ledger.move_to(STAGE_CENTER).shift(0.05 * DOWN)
        trace = self.run("efficiency_ledger")
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(trace, trace.quantity("work"))
            self.play(FadeIn(ledger.frame), run_time=0.6)
            for name, (_, _, _, mark, _) in self.lines.items():
                if mark:
                    s.until(mark)
                self.play(ledger.grow(name, run_time=1.2 if mark else 0.7))
            s.until("sides")
            pair = VGroup(*(self.frame_of(ledger.bars[name]) for name in ("arithmetic of a token", "weights held")))
            self.play(Create(pair), run_time=1.0, rate_func=EASE)
            s.until("crowd")
            self.play(pair.animate.set_stroke(width=5), run_time=0.5)

    @staticmethod
    def frame_of(bar: VGroup) -> Square:
        """A frame around one bar."""
        frame = Square().stretch_to_fit_width(bar.width + 0.14).stretch_to_fit_height(bar.height + 0.14)
        return frame.move_to(bar).set_stroke(role("accent"), 2.5)
