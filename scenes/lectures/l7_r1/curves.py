"""Lecture 7: the whole training, with thinking and without, and what was there before it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, DoubleArrow, FadeIn, FadeOut, LaggedStart, Rectangle, VGroup

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
    column,
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
        """Problems solved by at least one of k tries, before and after, beside blind guessing."""
        trace = self.run("pass_at_k")
        mean, spread = over_seeds(trace["score"].pick(score=0, mode=0))
        ks = np.array([float(k) for k in mean.labels["k"]])
        x = NamedArray(ks, ("k",), "tries", "", {}, mean.run, "")
        guess = NamedArray(1 - 0.9**ks, ("k",), "at least one of k guesses at ten digits", "", {}, mean.run, "")
        after, before = "after the rewards", "before"
        series = [
            Series("blind guessing", guess, x, role="muted", dashed=True),
            Series(before, mean.pick(model=0), x, spread.pick(model=0), role="dense"),
            Series(after, mean.pick(model=1), x, spread.pick(model=1), role="reward"),
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
        names[after].next_to(chart.at(after, 2), DOWN, buff=0.2)
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
            self.play(chart.draw(after, run_time=1.0), FadeIn(names[after]), FadeIn(chart.bands[after]))
        return VGroup(chart, first, *names.values())

    def forced(self, before: VGroup) -> VGroup:
        """The same models, made to think, without drawing lots."""
        grpo = self.run("grpo")
        kinds = (("as it likes", "free_sampled"), ("made to think, likeliest tokens", "forced_greedy"))
        columns = VGroup()
        charts = []
        for when, colour in (("before", "dense"), ("after", "reward")):
            bars = BarChart(
                [Bar(name, grpo.quantity(f"{when}_{key}"), colour) for name, key in kinds],
                fmt="percent 3",
                size="body",
                length=5.6 * max(float(grpo.quantity(f"{when}_{key}")) for _, key in kinds),  # one scale for both
                thickness=0.55,
                gap=0.3,
            )
            head = label(f"{when} the rewards", "body", colour, weight="medium")
            head.next_to(bars, UP, buff=0.2).align_to(bars.bar(kinds[0][0]), LEFT)
            charts.append(bars)
            columns.add(VGroup(head, bars))
        column(*columns, gap=0.6).move_to(STAGE_CENTER)
        columns[1].shift((charts[0].bar(kinds[0][0]).get_left()[0] - charts[1].bar(kinds[0][0]).get_left()[0]) * RIGHT)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(grpo)
            self.play(FadeIn(columns[0][0], *charts[0].names.values()), charts[0].grow(kinds[0][0]), run_time=0.9)
            s.until("forced")
            self.play(charts[0].grow(kinds[1][0]), run_time=1.4)
            s.until("use")
            self.play(FadeIn(columns[1][0], *charts[1].names.values()), run_time=0.5)
            for name, _ in kinds:
                self.play(charts[1].grow(name), run_time=0.8)
        return VGroup(*columns)

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
        with self.step() as s:
            self.play(FadeOut(bars), run_time=0.5)
            self.origin(trace)
            self.play(FadeIn(shifts.axes, shifts.key, pair), run_time=0.7)
            s.until("starts")
            self.play(FadeIn(shifts.before, lag_ratio=0.05), run_time=1.2)
            for zone, (mark, group) in enumerate((("weak", (0, 1)), ("middle", (2,)), ("grow", (3,)))):
                s.until(mark)
                self.play(*(shifts.move(each) for each in group), FadeIn(zones[zone]), run_time=1.4)
            number = NumberLabel(
                trace.quantity("skill_after_350"), "percent .0", size="small", role="reward", before="mean after\n"
            )
            first = NumberLabel(
                trace.quantity("skill_before_350"), "percent .0", size="small", role="dense", before="mean before\n"
            )
            number.next_to(shifts.after[3], RIGHT, buff=0.25).set_y(shifts.axes.point(350, 0.9)[1])
            first.next_to(shifts.before[3], RIGHT, buff=0.25).set_y(shifts.axes.point(350, 0.7)[1])
            self.play(FadeIn(first, number), shifts.move(4), FadeIn(zones[3]), run_time=0.9)

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
