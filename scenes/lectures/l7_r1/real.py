"""Lecture 7: R1-Zero as published beside our run; from Zero to R1; small models that copied."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Circle,
    Create,
    DashedLine,
    FadeIn,
    FadeOut,
    Line,
    Rectangle,
    RoundedRectangle,
    VGroup,
)

from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.kit import (
    STAGE_CENTER,
    Arrow,
    Axes2D,
    Axis,
    Bar,
    BarChart,
    LineChart,
    NumberLabel,
    Series,
    label,
    role,
    tint,
)
from scenes.lectures.l7_r1.common import box, over_seeds
from scenes.stage import LectureScene


def hollow(point: object, colour: str, radius: float = 0.13) -> Circle:
    """The mark of a figure that its maker measured."""
    return Circle(radius, stroke_width=4, color=role(colour)).set_fill(role("ground"), 1).move_to(point)


class TheRealOne(LectureScene):
    """Two published endings of one rise; our curve beside it on the same scale; what differs."""

    lecture = 7

    def construct(self) -> None:
        self.show_title()
        names = (
            "fact.benchmarks.r1_zero_aime.start_pass1",
            "fact.benchmarks.r1_zero_aime.end_pass1_v1_paper",
            "fact.benchmarks.r1_stages.aime_2024.r1_zero",
        )
        self.start, self.first, self.second = (self.number(name) for name in names)
        self.steps, self.chips = (self.number(f"fact.r1.r1_zero.{key}") for key in ("total_steps", "gpus"))
        self.published()
        self.ours()

    def published(self) -> None:
        """The ends of R1-Zero's training on the contest; what lies between is drawn as unknown."""
        x, y = Axis(0, float(self.steps), "step"), Axis(0, 100, "AIME problems solved", "%")
        axes = Axes2D(x, y, width=4.2, height=3.9)
        axes.move_to(STAGE_CENTER + 0.4 * LEFT)
        head = label("R1-Zero, by its makers", "body", "reward", weight="medium")
        head.next_to(axes, UP, buff=0.12).align_to(axes.corners, LEFT)
        last = float(self.steps)
        begin = hollow(axes.point(0, float(self.start)), "reward")
        ends = [
            hollow(axes.point(last * share, float(value)), "reward")
            for value, share in ((self.first, 1.0), (self.second, 1.0))
        ]
        # the course between is not given: the start's level goes across, and the rise stands where it was measured
        level = DashedLine(begin, axes.point(last, float(self.start)), stroke_width=2, color=role("muted"))
        rise = Arrow(axes.point(last, float(self.start)), ends[0], UP, role="reward", gap=0.06)
        note = label("the way between:\nnot drawn", "small", "muted", align="center").move_to(
            axes.point(last * 0.38, 56)
        )
        numbers = [
            NumberLabel(self.start, "percent 3", role="reward").next_to(begin, UP + RIGHT, buff=0.1),
            NumberLabel(self.first, "percent 3", size="small", role="reward", before="first paper ")
            .next_to(ends[0], RIGHT, buff=0.15)
            .shift(0.1 * DOWN),
            NumberLabel(self.second, "percent 3", size="small", role="reward", before="journal ")
            .next_to(ends[1], RIGHT, buff=0.15)
            .shift(0.1 * UP),
        ]
        size = VGroup(
            NumberLabel(self.steps, "plain", size="small", role="muted", after=" steps"),
            NumberLabel(self.chips, "plain bare", size="small", role="muted", after=" chips"),
        ).arrange(RIGHT, buff=0.4)
        size.next_to(axes, DOWN, buff=0.1).align_to(axes.corners, LEFT)
        self.origin(self.start, self.second, self.steps)
        with self.step() as s:
            self.play(FadeIn(axes, head), run_time=0.6)
            s.until("start")
            self.play(FadeIn(begin, numbers[0]), run_time=0.6)
            self.play(Create(level), run_time=1.2)
            self.add(begin)
            s.until("first")
            self.play(FadeIn(rise, ends[0], numbers[1]), run_time=0.8)
            s.until("second")
            self.play(FadeIn(ends[1], numbers[2]), run_time=0.6)
            self.play(FadeIn(note), run_time=0.6)
            for mark, part in zip(("steps", "chips"), size, strict=True):
                s.until(mark)
                self.play(FadeIn(part), run_time=0.6)
        self.axes = axes
        self.left = VGroup(axes, head, level, rise, begin, *ends, *numbers, size, note)

    def ours(self) -> None:
        """The recorded accuracy on the same scale; then the fine print, each at its side."""
        grpo = self.run("grpo")
        self.aside = -3.2
        mean, spread = over_seeds(grpo["accuracy"])

        def percent(array: NamedArray) -> NamedArray:
            picked = array.pick(arm=0)
            return NamedArray(picked.values * 100, picked.axes, picked.name, "%", {}, picked.run, "")

        chart = LineChart(
            [Series("ours", percent(mean), spread=percent(spread), role="token")],
            x_name="step",
            y_axis=Axis(0, 100, "sums solved", "%"),
            names="",
            width=4.2,
            height=3.9,
        )
        chart.shift(self.axes.corners.get_center() - chart.axes.corners.get_center() + (7.3 + self.aside) * RIGHT)
        head = label("ours", "body", "token", weight="medium")
        head.next_to(chart.axes, UP, buff=0.12).align_to(chart.axes.corners, LEFT)
        jump = self.number("fact.r1.trajectory.length_jump_step")
        to = self.aside * RIGHT
        at = self.axes.point(float(jump), 0) + to
        mark = Line(at, self.axes.point(float(jump), 100) + to, stroke_width=2.5, color=role("cost"))
        words = label("length limit\ndoubled", "small", "cost", align="right").next_to(mark, LEFT, buff=0.12)
        words.set_y(self.axes.point(0, 34)[1])
        paid = label("its reward also paid\nfor writing a thought", "small", "reward", align="left")
        paid.next_to(self.axes.point(0, 90) + to, RIGHT, buff=0.3)
        unpaid = label("our reward did not", "small", "token").move_to(chart.axes.point(58, 50))
        with self.step() as s:
            s.until("ours")
            self.origin(self.start, self.second, self.steps, grpo)
            self.play(self.left.animate.shift(self.aside * RIGHT), run_time=1.0)
            self.play(FadeIn(chart.axes, head), run_time=0.7)
            self.play(chart.draw("ours", run_time=2.4))
            self.play(FadeIn(chart.bands["ours"], chart.band_note), run_time=0.5)
            s.until("limit")
            self.play(Create(mark), FadeIn(words), run_time=0.9)
            s.until("paid")
            self.play(FadeIn(paid), run_time=0.8)
            s.until("unpaid")
            self.play(FadeIn(unpaid), run_time=0.8)


class FromZeroToR1(LectureScene):
    """The stages of R1 as a path whose height is the contest score; then a small model, copying and alone."""

    lecture = 7
    #: stage → what happens in it, its score, mark
    stages = (
        ("R1-Zero", "r1_zero", ""),
        ("readable\nexamples", "r1_dev1", "cold"),
        ("rewards\nfor checks", "r1_dev2", "reason"),
        ("fresh start on\nsifted examples", "r1_dev3", "sift"),
        ("rewards for\nall uses: R1", "r1", "all"),
    )

    def construct(self) -> None:
        self.show_title()
        self.copied(self.pipeline())

    def pipeline(self) -> VGroup:
        """One box a stage, the score of the model that leaves it above; R1-Zero stands apart, from the same base."""
        scores = [self.number(f"fact.benchmarks.r1_stages.aime_2024.{key}") for _, key, _ in self.stages]
        x, y = Axis(0, len(scores)), Axis(50, 90, "AIME problems solved", "%")
        axes = Axes2D(x, y, width=11.6, height=3.0, x_ticks=False).move_to(STAGE_CENTER + 0.85 * UP)
        dots, numbers, boxes, ways, arrows = VGroup(), VGroup(), VGroup(), VGroup(), VGroup()
        for index, ((words, _, _), score) in enumerate(zip(self.stages, scores, strict=True)):
            at = axes.point(index + 0.5, float(score))
            dots.add(hollow(at, "reward"))
            below = index == scores.index(min(scores, key=float))  # the line comes down to it from both sides
            number = NumberLabel(score, "percent 3", role="reward")
            numbers.add(number.next_to(at, DOWN if below else UP, buff=0.2))
            frame = box(words, "reward" if index % 2 == 0 else "token", 1.95, 0.95, "small")
            boxes.add(frame.move_to([at[0], axes.corners.get_bottom()[1] - 0.75, 0]))
            if index > 1:  # R1's own stages; nothing leads from R1-Zero to them
                ways.add(Line(dots[-2].get_center(), at, stroke_width=3.5, color=role("muted")))
                arrows.add(Arrow(boxes[-2], boxes[-1], RIGHT))
        base = RoundedRectangle(width=VGroup(*boxes[:2]).width, height=0.4, corner_radius=0.1, stroke_width=2.2)
        base.set_stroke(role("muted")).set_fill(tint("muted", 0.12), 1)
        base.next_to(VGroup(*boxes[:2]), DOWN, buff=0.32)
        both = VGroup(base, label("both begin at V3-Base", "small", "muted").move_to(base))
        both.add(*(Arrow(each.get_bottom() + 0.32 * DOWN, each, UP, gap=0.03) for each in boxes[:2]))
        apart = Line(axes.point(1, 50), axes.point(1, 90), stroke_width=2, color=role("hairline"))
        self.origin(*scores[:1], self.number("fact.r1.stage_3_rejection_sft.samples"))
        kept = NumberLabel(
            self.number("fact.r1.stage_3_rejection_sft.samples"), "plain 2", size="small", role="muted", before="about "
        )
        kept.next_to(boxes[3], DOWN, buff=0.15)
        hint = label("axis starts above zero", "small", "muted").next_to(axes.corners, UP, buff=0.18)
        hint.align_to(axes.corners, RIGHT)
        with self.step() as s:
            self.play(FadeIn(axes, hint), FadeIn(boxes[0], dots[0], numbers[0]), run_time=0.9)
            for index, (_, _, mark) in enumerate(self.stages[1:], start=1):
                s.until(mark)
                lead = [arrows[index - 2]] if index > 1 else [apart, both]
                self.play(FadeIn(*lead, boxes[index], shift=0.2 * RIGHT), run_time=0.7)
                if index == 3:
                    self.play(FadeIn(kept), run_time=0.5)
            s.until("cost")
            for index in range(1, len(scores)):
                if index > 1:
                    self.play(Create(ways[index - 2]), run_time=0.6)
                    self.add(dots[index - 1])
                self.play(FadeIn(dots[index], numbers[index]), run_time=0.3)
        return VGroup(axes, hint, dots, numbers, boxes, ways, arrows, kept, both, apart)

    def copied(self, before: VGroup) -> None:
        """The same small model, taught by R1's answers and by rewards alone."""
        scores: list[tuple[str, str, Quantity, str]] = [
            ("R1 itself", "muted", self.number("fact.benchmarks.r1_stages.aime_2024.r1"), ""),
            ("copying R1's answers", "token", self.number("fact.r1.distillation.aime_distilled_32b"), "copying"),
            ("rewards alone", "reward", self.number("fact.r1.distillation.aime_rl_32b"), "alone"),
        ]
        bars = BarChart(
            [Bar(name, score, colour) for name, colour, score, _ in scores],
            fmt="percent 3",
            size="body",
            length=7.2,
            thickness=0.75,
            gap=0.45,
            name="AIME problems solved, measured by the maker",
        )
        bars.move_to(STAGE_CENTER + 0.2 * UP)
        pair = VGroup(*(bars.names[name] for name, _, _, _ in scores[1:]))
        small = label("Qwen2.5-32B", "body", "accent").next_to(pair, LEFT, buff=0.35)
        small.set_y(pair.get_y())
        VGroup(bars, small).move_to(STAGE_CENTER)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(*(score for _, _, score, _ in scores))
            self.play(FadeIn(bars.names["R1 itself"], bars.title), bars.grow("R1 itself"), run_time=0.9)
            for name, _, _, mark in scores[1:]:
                s.until(mark)
                if mark == "copying":
                    self.play(FadeIn(small), run_time=0.4)
                self.play(FadeIn(bars.names[name]), bars.grow(name), run_time=1.2)
            s.until("better")
            bar = bars.bar("copying R1's answers")
            frame = Rectangle(width=bar.width + 0.06, height=bar.height + 0.06, stroke_width=5, color=role("accent"))
            self.play(Create(frame.move_to(bar)), run_time=0.9)
