"""Lecture 7: the whole training, with thinking and without, and what was there before it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Create, DoubleArrow, FadeIn, FadeOut, LaggedStart, Rectangle, VGroup

from explainers.traces import NamedArray, Trace
from scenes.kit import (
    STAGE_CENTER,
    Axis,
    Bar,
    BarChart,
    LineChart,
    NumberLabel,
    SeedShifts,
    Series,
    TokenChip,
    TokenRow,
    fit_stage,
    label,
    role,
    tint,
)
from scenes.lectures.l7_r1.common import over_seeds
from scenes.stage import LectureScene


class AHundredSteps(LectureScene):
    """Right answers, thinking and length over the steps of three trainings; then the same without thinking."""

    lecture = 7
    #: mark → array, name, numbers before and after, format, colour
    charts = (
        ("accuracy", "accuracy", "right answers", "before_free_sampled", "after_free_sampled", "percent .0", "reward"),
        ("thinking", "thinking", "answers that think", "before_thinking", "after_thinking", "percent .0", "token"),
        ("length", "length", "tokens in an answer", "before_length", "after_length", "plain 2 bare", "query"),
    )

    def construct(self) -> None:
        self.show_title()
        grpo = self.run("grpo")
        self.origin(grpo)
        self.made = [self.chart(grpo, *each[1:3], each[6]) for each in self.charts]
        group = VGroup(*self.made).arrange(RIGHT, buff=0.55)
        group.move_to(STAGE_CENTER).shift(0.3 * DOWN)
        with self.step() as s:
            self.play(LaggedStart(*(FadeIn(each.axes) for each in self.made), lag_ratio=0.3), run_time=1.4)
            for chart, (mark, _, _, before, after, fmt, colour) in zip(self.made, self.charts, strict=True):
                s.until(mark)
                numbers = VGroup(
                    NumberLabel(grpo.quantity(before), fmt, size="heading", role=colour, after=" → "),
                    NumberLabel(grpo.quantity(after), fmt, size="heading", role=colour),
                ).arrange(RIGHT, buff=0.12)
                numbers.next_to(chart.axes.corners, UP, buff=0.62).set_x(chart.axes.corners.get_x())
                self.play(chart.draw("may think", run_time=2.0), FadeIn(numbers[0]))
                self.play(FadeIn(chart.bands["may think"], numbers[1]), run_time=0.6)
        self.without(grpo)

    def chart(self, grpo: Trace, key: str, name: str, colour: str) -> LineChart:
        """One measure in both arms: mean of the seeds, and their spread."""
        mean, spread = over_seeds(grpo[key])
        arms = mean.labels["arm"]
        series = [
            Series(arm, mean.pick(arm=index), spread=spread.pick(arm=index), role=colour if index == 0 else "dense")
            for index, arm in enumerate(arms)
        ]
        high = 12.0 if mean.unit else 1.0
        y = Axis(0, high, name, "", fmt="" if mean.unit else "percent .0")
        return LineChart(series, x_name="step", y_axis=y, names="", width=3.35, height=3.6, stroke=3.0)

    def without(self, grpo: Trace) -> None:
        """The arm that may not think, and the distance between the two."""
        accuracy = self.made[0]
        low = grpo.quantity("after_without_thinking_forbidden_sampled")
        end = accuracy.axes.corners.get_right()[0] - 0.25
        top = accuracy.axes.point(0, grpo.quantity("after_free_sampled").value)[1]
        bottom = accuracy.axes.point(0, low.value)[1]
        arrow = DoubleArrow([end, bottom, 0], [end, top, 0], buff=0.02, stroke_width=4, tip_length=0.18)
        arrow.set_color(role("accent"))
        gap = NumberLabel(
            grpo.quantity("gap"), "percent .0", size="body", role="accent", after="\nof all\nproblems", align="right"
        )
        gap.next_to(arrow, LEFT, buff=0.12)
        number = NumberLabel(low, "percent .0", size="small", role="dense", before="forbidden to think: ")
        number.next_to(accuracy.axes.point(0, low.value), UP + RIGHT, buff=0.42).shift(0.1 * RIGHT)
        with self.step() as s:
            s.until("forbidden")
            self.play(*(chart.draw("may not think", run_time=2.0) for chart in self.made))
            self.play(FadeIn(number), *(FadeIn(chart.bands["may not think"]) for chart in self.made), run_time=0.8)
            s.until("gap")
            self.play(FadeIn(arrow, gap), run_time=0.8)


class WasItThere(LectureScene):
    """More tries, the most likely tokens, and other starts: what the rewards taught and what they did not."""

    lecture = 7

    def construct(self) -> None:
        self.show_title()
        self.starts(self.forced(self.tries()))

    def tries(self) -> VGroup:
        """Problems solved by at least one of k tries, before the rewards, beside blind guessing."""
        trace = self.run("pass_at_k")
        mean, spread = over_seeds(trace["score"].pick(score=0, mode=0))
        ks = np.array([float(k) for k in mean.labels["k"]])
        x = NamedArray(ks, ("k",), "tries", "", {}, mean.run, "")
        guess = NamedArray(1 - 0.9**ks, ("k",), "at least one of k guesses at ten digits", "", {}, mean.run, "")
        before = "before any reward"
        series = [
            Series("blind guessing", guess, x, role="muted", dashed=True),
            Series(before, mean.pick(model=0), x, spread.pick(model=0), role="token"),
        ]
        chart = LineChart(
            series,
            x_axis=Axis(1, 64, "tries", log=True, ticks=tuple(ks)),
            y_axis=Axis(0, 1.0, "problems with a right try", fmt="percent .0"),
            names="",
            width=10.6,
            height=4.2,
        )
        fit_stage(chart)
        names = {name: label(name, "body", each.role) for name, each in chart.series.items()}
        names[before].next_to(chart.at(before, 1), UP + LEFT, buff=0.12)
        names["blind guessing"].next_to(chart.at("blind guessing", 3), DOWN + RIGHT, buff=0.12)
        first = chart.marker(before, 0)
        self.origin(trace)
        with self.step() as s:
            self.play(FadeIn(chart.axes, chart.band_note), run_time=0.8)
            s.until("before")
            self.play(FadeIn(first, names[before]), run_time=0.6)
            s.until("many")
            self.play(chart.draw(before, run_time=2.0))
            self.play(FadeIn(chart.bands[before]), run_time=0.4)
            s.until("guess")
            self.play(chart.draw("blind guessing", run_time=1.6), FadeIn(names["blind guessing"]))
        return VGroup(chart, first, *names.values())

    def forced(self, before: VGroup) -> VGroup:
        """The same models: free; with the thought opened and no lots drawn; and free after the rewards."""
        grpo = self.run("grpo")
        free, made, after = "before, as it likes", "before, opened, likeliest tokens", "after, as it likes"
        bars = BarChart(
            [
                Bar(free, grpo.quantity("before_free_sampled"), "dense", fmt="percent .0"),
                Bar(made, grpo.quantity("before_forced_greedy"), "token", fmt="percent 3"),
                Bar(after, grpo.quantity("after_free_sampled"), "reward", fmt="percent .0"),
            ],
            size="body",
            length=6.2,
            thickness=0.75,
            gap=0.45,
            name="problems solved, in another exam than the curve’s",
        )
        bars.move_to(STAGE_CENTER + 0.75 * DOWN)
        opened = TokenRow(["<think>"], size="body")
        written = VGroup(*(TokenChip("likeliest", "token", "small") for _ in range(4))).arrange(RIGHT, buff=0.12)
        how = VGroup(opened, written).arrange(RIGHT, buff=0.12)
        how.next_to(bars, UP, buff=0.65).align_to(bars.bar(made), LEFT)
        ours = label("given", "small", "token").next_to(opened, UP, buff=0.14)
        its = label("then its own tokens, no dice", "small", "muted").next_to(written, UP, buff=0.14)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(grpo)
            self.play(FadeIn(bars.names[free], bars.title), bars.grow(free), run_time=0.9)
            s.until("forced")
            self.play(FadeIn(opened, ours, bars.names[made]), run_time=0.7)
            self.play(FadeIn(its), *(FadeIn(chip) for chip in written), run_time=0.9)
            s.until("solves")
            self.play(bars.grow(made), run_time=1.4)
            s.until("use")
            self.play(FadeIn(bars.names[after]), bars.grow(after), run_time=1.2)
        return VGroup(bars, how, ours, its)

    def starts(self, bars: VGroup) -> None:
        """How well each model counts when it is made to think, before and after, by how much it had copied."""
        trace = self.run("grpo_skill")
        skill = trace["exam"].pick(exam=1)
        shifts = SeedShifts(
            skill.pick(model=0),
            skill.pick(model=1),
            trace["start"],
            x_name="training steps spent on copying, before any reward",
            y_name="right when made to think",
            width=10.4,
            height=3.9,
        )
        fit_stage(shifts)
        self.shifts = shifts
        shifts.key.next_to(shifts.axes.x_ticks, DOWN, buff=0.14).align_to(shifts.axes.corners, LEFT)
        pair = label("one pair: one training", "small", "muted")
        pair.next_to(shifts.key, RIGHT, buff=0.5)
        zones = [self.zone(first, last, words) for first, last, words in self.zones]
        grew = VGroup(
            *(
                NumberLabel(trace.quantity(f"skill_{key}_350"), "percent .0", size="small", role=colour, before=words)
                for key, colour, words in (("before", "dense", "mean before\n"), ("after", "reward", "mean after\n"))
            )
        )
        for number, dots, height in zip(grew, (shifts.before[3], shifts.after[3]), (0.7, 0.9), strict=True):
            number.next_to(dots, RIGHT, buff=0.25).set_y(shifts.axes.point(350, height)[1])
        ours = VGroup(*(zone[0].copy().set_fill(opacity=0).set_stroke(role("accent"), 4) for zone in zones[2:]))
        with self.step() as s:
            self.play(FadeOut(bars), run_time=0.3)
            self.origin(trace)
            self.play(FadeIn(shifts.axes), run_time=0.4)
            s.until("starts")
            self.play(FadeIn(shifts.key, pair), run_time=0.6)
            for zone, (mark, (first, last, _)) in enumerate(
                zip(("weak", "middle", "grow", "there"), self.zones, strict=True)
            ):
                columns = range(first, last + 1)
                s.until(mark)
                self.play(*(FadeIn(shifts.before[each]) for each in columns), FadeIn(zones[zone][0]), run_time=0.7)
                self.play(*(shifts.move(each) for each in columns), FadeIn(zones[zone][1]), run_time=1.3)
                if mark == "grow":
                    self.play(FadeIn(grew), run_time=0.6)
            s.until("both")
            self.play(Create(ours), run_time=1.0)

    #: first and last start of a zone, and what happens there
    zones: ClassVar[tuple[tuple[int, int, str], ...]] = (
        (0, 1, "too little\ncopied"),
        (2, 2, "depends on\nthe seed"),
        (3, 3, "the skill\ngrew"),
        (4, 4, "it was\nthere"),
    )

    def zone(self, first: int, last: int, words: str) -> VGroup:
        """A quiet band over neighbouring starts, named above."""
        shifts = self.shifts
        dots = VGroup(*(each for group in (shifts.before, shifts.after) for each in group[first : last + 1]))
        corners = shifts.axes.corners
        band = Rectangle(width=dots.width + 0.3, height=corners.height + 0.15, stroke_width=0)
        band.set_fill(tint("muted", 0.16), 1).move_to([dots.get_x(), corners.get_y(), 0]).set_z_index(-1)
        name = label(words, "small", "text", align="center").next_to(band, UP, buff=0.1)
        return VGroup(band, name)
