"""Lecture 7: a pen that slips, and a second look."""

from __future__ import annotations

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Create, FadeIn, FadeOut, LaggedStart, Square, VGroup

from explainers.traces import NamedArray, Trace
from scenes.kit import (
    STAGE_CENTER,
    Axis,
    LineChart,
    NumberLabel,
    Series,
    TokenChip,
    label,
    quantity_at,
    role,
)
from scenes.kit.marks import cross
from scenes.stage import LectureScene


class AFaultyPen(LectureScene):
    """One digit in ten is spoilt; the writer may look again; what three trainings make of that."""

    lecture = 7
    #: the operation whose digit is spoilt in the drawing
    spoilt = 2

    def construct(self) -> None:
        self.show_title()
        checking = self.run("checking")
        self.origin(checking, self.run("grpo_group"))
        self.mended(checking, self.pen(checking))

    def pen(self, checking: Trace) -> VGroup:
        """How often the pen slips; then a chain written with it: each digit with its okay, one with a second try."""
        share = float(checking.quantity("pen"))
        count = round(1 / share)
        squares = VGroup(*(Square(0.62, stroke_width=2, color=role("token")) for _ in range(count)))
        squares.arrange(RIGHT, buff=0.16).move_to(STAGE_CENTER + 1.7 * UP)
        bad = VGroup(squares[count // 2].copy().set_stroke(role("cost"), 3), cross().move_to(squares[count // 2]))
        often = NumberLabel(
            checking.quantity("pen"), "percent .0", size="heading", role="cost", after=" of the digits come out wrong"
        )
        often.next_to(squares, DOWN, buff=0.3)
        running = self.run("grpo_group")["running"]
        chain, after = VGroup(), VGroup()
        for k in range(len(running.values)):
            digit = NumberLabel(quantity_at(running, k), "plain bare", size="heading", role="token")
            if k == self.spoilt:
                wrong = VGroup(Square(0.74, stroke_width=3, color=role("cost")), cross(size=0.36))
                again = VGroup(Square(0.74, stroke_width=3, color=role("reward")), digit)
                chain.add(wrong), after.add(again)
            else:
                chain.add(VGroup(Square(0.74, stroke_width=2, color=role("muted")), digit))
                after.add(TokenChip("ok", "reward", "body"))
        line = VGroup(*(each for pair in zip(chain, after, strict=True) for each in pair))
        line.arrange(RIGHT, buff=0.2).move_to(STAGE_CENTER + 1.1 * DOWN)
        looked = label("second look", "small", "reward").next_to(after[self.spoilt], DOWN, buff=0.25)
        slipped = label("slip", "small", "cost").next_to(chain[self.spoilt], UP, buff=0.2)
        with self.step() as s:
            s.until("pen")
            self.play(LaggedStart(*(FadeIn(square) for square in squares), lag_ratio=0.2), run_time=1.4)
            self.play(FadeIn(bad), FadeIn(often), run_time=0.8)
            for k in range(self.spoilt):
                self.play(FadeIn(chain[k]), run_time=0.4)
                self.play(FadeIn(after[k]), run_time=0.4)
            s.until("again")
            self.play(FadeIn(chain[self.spoilt], slipped), run_time=0.6)
            self.play(FadeIn(after[self.spoilt], looked), run_time=0.6)
            for k in range(self.spoilt + 1, len(chain)):
                self.play(FadeIn(chain[k], after[k]), run_time=0.45)
        return VGroup(squares, bad, often, line, looked, slipped)

    def chart(self, checking: Trace, key: str, name: str, colour: str, ceiling: str = "") -> LineChart:
        """One measure on held-out chains, a curve a seed; the limit of a writer who never looks again, dashed."""
        values = checking[key]
        steps = np.array([float(point) for point in values.labels["point"]])
        x = NamedArray(steps, ("point",), "steps done", "", {}, values.run, "")
        series = [
            Series(f"seed {seed}", values.pick(seed=i), x, role=colour) for i, seed in enumerate(values.labels["seed"])
        ]
        if ceiling:
            limit = NamedArray(
                np.full(len(steps), checking.quantity(ceiling).value), ("point",), ceiling, "", {}, values.run, ""
            )
            series.append(Series(ceiling, limit, x, role="accent", dashed=True))
        return LineChart(
            series,
            x_name="step",
            y_axis=Axis(0, 1, name, fmt="percent .0"),
            names="",
            width=5.1,
            height=3.7,
            stroke=3.0,
        )

    def mended(self, checking: Trace, before: VGroup) -> None:
        """The share of slips that are mended, and the answers."""
        fixes = self.chart(checking, "greedy_fix_rate", "wrong digits mended", "reward")
        right = self.chart(checking, "greedy_accuracy", "right answers", "token", "ceiling")
        VGroup(right, fixes).arrange(RIGHT, buff=0.8).move_to(STAGE_CENTER).shift(0.1 * DOWN)
        ceiling = NumberLabel(
            checking.quantity("ceiling"),
            "percent .0",
            size="small",
            role="accent",
            before="a perfect reckoner who never looks again: ",
        )
        ceiling.next_to(right.axes.point(200, checking.quantity("ceiling").value), DOWN + LEFT, buff=0.14)
        ends = VGroup()
        for chart, key, colour in ((fixes, "fix_rate", "reward"), (right, "accuracy", "token")):
            pair = VGroup(
                NumberLabel(
                    checking.quantity(f"before_{key}_greedy"),
                    "percent .0",
                    size="heading",
                    role=colour,
                    before="mean ",
                    after=" → ",
                ),
                NumberLabel(checking.quantity(f"after_{key}_greedy"), "percent .0", size="heading", role=colour),
            ).arrange(RIGHT, buff=0.12)
            ends.add(pair.next_to(chart.axes.corners, UP, buff=0.2).align_to(chart.axes.corners, RIGHT))
        needless = NumberLabel(
            checking.quantity("after_needless_greedy"),
            "percent .0",
            size="small",
            role="muted",
            before="second looks that were needless: ",
        )
        needless.next_to(fixes.axes, DOWN, buff=0.12).align_to(fixes.axes.corners, LEFT)
        lines = label("three lines: three trainings", "small", "muted")
        lines.next_to(right.axes, DOWN, buff=0.12).align_to(right.axes.corners, LEFT)
        seeds = [f"seed {seed}" for seed in checking["greedy_accuracy"].labels["seed"]]
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(checking)
            self.play(FadeIn(right.axes, fixes.axes, lines), run_time=0.7)
            s.until("ceiling")
            self.play(Create(right.curves["ceiling"]), FadeIn(ceiling), run_time=1.0)
            s.until("mend")
            self.play(FadeIn(ends[0][0]), *(fixes.draw(seed, run_time=3.0) for seed in seeds))
            self.play(FadeIn(ends[0][1]), run_time=0.5)
            s.until("above")
            self.play(FadeIn(ends[1][0]), *(right.draw(seed, run_time=2.6) for seed in seeds))
            self.play(FadeIn(ends[1][1], needless), run_time=0.6)
