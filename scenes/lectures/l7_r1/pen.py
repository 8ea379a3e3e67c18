"""Lecture 7: a pen that slips, and a second look."""

from __future__ import annotations

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Create, FadeIn, FadeOut, LaggedStart, Square, VGroup

from explainers.quantities import Computed, Quantity
from explainers.traces import NamedArray, Trace
from scenes.kit import (
    STAGE_CENTER,
    Arrow,
    Axis,
    LineChart,
    NumberLabel,
    Series,
    TokenChip,
    label,
    quantity_at,
    role,
)
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
        """One digit comes out wrong, one in ten does; then a chain with its second look, and what the examples did."""
        group = self.run("grpo_group")
        running = group["running"]
        meant, wrong = quantity_at(running, self.spoilt), self.slipped(group, self.spoilt)
        slip = self.slip(meant, wrong)
        count = round(1 / float(checking.quantity("pen")))
        squares = VGroup(*(Square(0.74, stroke_width=2, color=role("token")) for _ in range(count)))
        squares.arrange(RIGHT, buff=0.16).move_to(STAGE_CENTER + 0.9 * UP)
        often = NumberLabel(
            checking.quantity("pen"), "percent .0", size="heading", role="cost", after=" of the digits come out wrong"
        )
        often.next_to(squares, DOWN, buff=0.4)
        chain, after = VGroup(), VGroup()
        for k in range(len(running.values)):
            right = self.written(quantity_at(running, k), "token" if k != self.spoilt else "reward")
            if k == self.spoilt:
                chain.add(self.written(wrong, "cost")), after.add(right)
            else:
                chain.add(right), after.add(TokenChip("ok", "reward", "body"))
        line = VGroup(*(each for pair in zip(chain, after, strict=True) for each in pair))
        line.arrange(RIGHT, buff=0.2).move_to(STAGE_CENTER + 1.2 * UP)
        looked = label("second look", "small", "reward").next_to(after[self.spoilt], DOWN, buff=0.25)
        slipped = label("wrong", "small", "cost").next_to(chain[self.spoilt], UP, buff=0.2)
        copied = self.copied(checking, meant, wrong).move_to(STAGE_CENTER + 1.35 * DOWN)
        bad = slip[-1]
        with self.step() as s:
            self.play(FadeIn(slip[0]), run_time=0.5)
            self.play(Create(slip[1]), run_time=0.5)
            self.play(FadeIn(bad), run_time=0.5)
            s.until("pen")
            others = VGroup(*(square for k, square in enumerate(squares) if k != count // 2))
            self.play(FadeOut(slip[:-1]), bad.animate.move_to(squares[count // 2]), run_time=0.8)
            self.play(LaggedStart(*(FadeIn(square) for square in others), lag_ratio=0.2), run_time=0.9)
            self.play(FadeIn(often), run_time=0.5)
            s.until("okay")
            self.play(FadeOut(others, often), bad.animate.move_to(chain[self.spoilt]), run_time=0.7)
            for k in range(self.spoilt):
                self.play(FadeIn(chain[k], after[k]), run_time=0.4)
            s.until("again")
            self.play(FadeIn(after[self.spoilt], slipped, looked), run_time=0.7)
            for k in range(self.spoilt + 1, len(chain)):
                self.play(FadeIn(chain[k], after[k]), run_time=0.35)
            s.until("missed")
            self.play(FadeIn(copied), run_time=0.9)
        return VGroup(*(each for each in line if each is not chain[self.spoilt]), bad, slipped, looked, copied)

    @staticmethod
    def slipped(group: Trace, place: int) -> Quantity:
        """A wrong digit for the result at ``place``: the one that an attempt of the group really wrote there."""
        meant, written = group["running"].values[place], group["token"].values[:, place + 1]  # after the bracket
        sample = int(np.flatnonzero(group["thought"].values.astype(bool) & (written != meant))[0])
        return quantity_at(group["token"], sample, place + 1, name="an example: what one attempt wrote in its place")

    @staticmethod
    def written(digit: Quantity, colour: str) -> VGroup:
        """A digit that stands written: in its square."""
        square = Square(0.74, stroke_width=3 if colour != "token" else 2)
        square.set_color(role(colour if colour != "token" else "muted"))
        return VGroup(square, NumberLabel(digit, "plain bare", size="heading", role=colour))

    def slip(self, meant: Quantity, wrong: Quantity) -> VGroup:
        """What was meant, an arrow, and what the pen wrote."""
        left, right = self.written(meant, "token"), self.written(wrong, "cost")
        VGroup(left, right).arrange(RIGHT, buff=2.4).move_to(STAGE_CENTER + 0.9 * UP)
        names = VGroup(
            label("what it meant", "body", "token").next_to(left, DOWN, buff=0.25),
            label("what the pen wrote", "body", "cost").next_to(right, DOWN, buff=0.25),
        )
        arrow = Arrow(left, right, RIGHT)
        return VGroup(VGroup(left, names[0]), VGroup(arrow, names[1]), right)

    def copied(self, checking: Trace, meant: Quantity, wrong: Quantity) -> VGroup:
        """What follows a wrong digit in the examples: mostly an okay, else the digit once more."""
        noticed = float(checking.meta["demonstrations"]["noticed"])
        rows = VGroup()
        for share, end, words in (
            (1 - noticed, TokenChip("ok", "reward", "body"), "let stand: "),
            (noticed, self.written(meant, "reward"), "written again: "),
        ):
            what = f"share of the wrong digits in the examples that are {words.removesuffix(': ')}"
            number = Quantity(share, "", Computed(f"{what}, a setting of the run", run=checking.run), what)
            pair = VGroup(self.written(wrong, "cost"), end).arrange(RIGHT, buff=0.2)
            rows.add(
                VGroup(pair, NumberLabel(number, "percent .0", role="muted", before=words)).arrange(RIGHT, buff=0.3)
            )
        rows.arrange(RIGHT, buff=1.0)
        return VGroup(label("in the examples that it copied", "body", "muted"), rows).arrange(DOWN, buff=0.25)

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
            before="perfect arithmetic, no second look: ",
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
        lines = label("three lines: three trainings; means: over more problems", "small", "muted")
        lines.next_to(right.axes, DOWN, buff=0.12).align_to(right.axes.corners, LEFT)
        seeds = [f"seed {seed}" for seed in checking["greedy_accuracy"].labels["seed"]]
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(checking)
            self.play(FadeIn(right.axes, lines), run_time=0.7)
            s.until("ceiling")
            self.play(Create(right.curves["ceiling"]), FadeIn(ceiling), run_time=1.0)
            s.until("mend")
            self.play(FadeIn(fixes.axes, ends[0][0]), *(fixes.draw(seed, run_time=3.0) for seed in seeds))
            self.play(FadeIn(ends[0][1]), run_time=0.5)
            s.until("above")
            self.play(FadeIn(ends[1][0]), *(right.draw(seed, run_time=2.6) for seed in seeds))
            self.play(FadeIn(ends[1][1], needless), run_time=0.6)
