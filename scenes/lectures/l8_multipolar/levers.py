"""Lecture 8: the course's levers on one chart, model after model."""

from __future__ import annotations

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Arrow, Create, FadeIn, FadeOut, LaggedStart, Line, Rectangle, VGroup

from explainers.quantities import Quantity
from scenes.kit import (
    CAPTION_TOP,
    EASE,
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_CENTER,
    STAGE_TOP,
    Axis,
    LearnByChecking,
    NumberLabel,
    ScatterChart,
    Spot,
    label,
    role,
    tint,
)
from scenes.stage import LectureScene

PATH = ("67B", "V2", "V3", "V3.2", "V4-Pro", "V4.1-Flash")


class ThreeLeversOneChart(LectureScene):
    """Parameters at work against cache a token, from the first large model to the last; and the third lever beside."""

    lecture = 8
    keys = {
        "67B": ("ds67b", "dense"),
        "V2": ("v2", "latent"),
        "V3": ("v3", "latent"),
        "V3.2": ("v3_2", "latent"),
        "V4-Pro": ("v4_pro", "latent"),
        "V4.1-Flash": ("v4_1_flash", "latent"),
    }

    def construct(self) -> None:
        self.show_title()
        spots = [
            Spot(name, self.number(f"{key}.active_params"), self.number(f"{key}.kv_bytes_per_token"), colour)
            for name, (key, colour) in self.keys.items()
        ]
        ticks = (2e10, 3e10, 5e10)
        x = Axis.holding(
            [float(each.x) for each in spots], log=True, pad=0.12, name="parameters at work", ticks=ticks, fmt="words"
        )
        y = Axis.holding([float(each.y) for each in spots], log=True, pad=0.16, name="cache of one token", unit="B")
        self.chart = ScatterChart(
            spots,
            x_axis=x,
            y_axis=y,
            width=7.0,
            height=3.9,
            radius=0.13,
        )
        self.chart.move_to(STAGE_CENTER).align_to([SAFE_LEFT, 0, 0], LEFT)
        names, dots = self.chart.names, self.chart.dots
        names["V2"].next_to(dots["V2"], UP, buff=0.1)
        names["V4.1-Flash"].next_to(dots["V4.1-Flash"], -UP, buff=0.1).align_to(dots["V4.1-Flash"], LEFT)
        gains = [self.number(f"v4_1_flash.{name}") for name in ("kv_precision_gain", "kv_vs_67b_bf16")]
        self.origin(*self.chart.bound, *gains, self.run("compression"))
        self.down(gains)
        self.third(gains)

    def down(self, gains: list[Quantity]) -> None:
        """The dots come in order, each moving out of the one before."""
        chart = self.chart
        notes = VGroup(
            NumberLabel(gains[1], "times 3", size="heading", role="latent", after=" less by architecture"),
            NumberLabel(gains[0], "times 2", size="heading", role="token", after=" less by number formats"),
        ).arrange(-UP, buff=0.3, aligned_edge=LEFT)
        notes.move_to([SAFE_RIGHT, STAGE_TOP - 0.9, 0], RIGHT)
        small = self.run("compression")  # the last attention, trained in the course's own model
        kept = (small.quantity("cached_mla") / small.quantity("cached")).named("values kept, MLA / V4's attention")
        tried = NumberLabel(kept, "times 2", size="small", role="muted", after=" less than MLA, in our small model")
        tried.next_to(notes, DOWN, buff=0.3, aligned_edge=LEFT)
        compass = self.compass()
        within = self.quadrant()
        with self.step() as s:
            s.until("axes")
            self.play(FadeIn(chart.axes), run_time=0.8)
            for way, words in compass:
                self.play(FadeIn(way, words, shift=0.2 * (RIGHT if way is compass[0][0] else UP) * -1), run_time=0.6)
            s.until("start")
            self.play(FadeIn(chart.dots["67B"], chart.names["67B"], scale=0.5), run_time=0.7)
            self.play(FadeIn(within), run_time=0.5)
            s.until("v2")
            self.follow("67B", "V2", 1.0)
            self.follow("V2", "V3", 0.8)
            s.until("v4")
            self.follow("V3", "V3.2", 0.6)
            self.follow("V3.2", "V4-Pro", 1.1)
            self.follow("V4-Pro", "V4.1-Flash", 1.1)
            s.until("last")
            self.play(*(FadeIn(note, shift=0.2 * LEFT) for note in notes[:1]), run_time=0.7)
            self.play(FadeIn(notes[1], shift=0.2 * LEFT), run_time=0.7)
            self.play(FadeIn(tried, shift=0.2 * LEFT), run_time=0.5)
        self.notes, self.ways = notes, VGroup(compass, tried)

    def quadrant(self) -> VGroup:
        """What runs less and remembers less than the first model."""
        corner, first = self.chart.axes.corners.get_corner(DOWN + LEFT), self.chart.at("67B")
        wide, tall = first[0] - corner[0], first[1] - corner[1]
        field = Rectangle(width=wide, height=tall, stroke_width=0).set_fill(tint("muted", 0.14), 1)
        field.move_to(corner, DOWN + LEFT).set_z_index(-1)
        words = label("runs less and remembers less\nthan the first model", "small", "muted", align="right")
        words.move_to(field, DOWN + RIGHT).shift(0.12 * LEFT + 0.1 * UP)
        return VGroup(field, words)

    @staticmethod
    def compass() -> VGroup:
        """Where each lever points."""
        corner = np.array([SAFE_RIGHT - 0.5, -0.1, 0])
        ways = VGroup()
        for end, words, colour in ((2.2 * LEFT, "run less", "expert"), (1.9 * DOWN, "remember less", "latent")):
            way = Arrow(corner, corner + end, stroke_width=5, buff=0, color=role(colour))
            ways.add(VGroup(way, label(words, "body", colour)))
        ways[0][1].next_to(ways[0][0], UP, buff=0.12).align_to(ways[0][0], RIGHT)
        ways[1][1].next_to(ways[1][0], LEFT, buff=0.2).shift(0.3 * DOWN)
        return ways

    def follow(self, old: str, new: str, seconds: float) -> None:
        chart = self.chart
        dot = chart.dots[old].copy()
        line = Line(chart.at(old), chart.at(new), stroke_width=2.5).set_stroke(role("muted"))
        self.bring_to_back(line)
        self.play(dot.animate.move_to(chart.at(new)), Create(line), run_time=seconds, rate_func=EASE)
        self.play(FadeIn(chart.dots[new], chart.names[new]), run_time=0.3)
        self.remove(dot)

    def third(self, gains: list[Quantity]) -> None:
        """The third lever: real faults repaired."""
        before = self.number("fact.benchmarks.v3_chat.swe_bench_verified.deepseek_v3")
        after = self.number("fact.benchmarks.v4_pro.swe_bench_verified.v4_pro_max")
        panel = LearnByChecking(
            before, after, note="software faults mended,\nby DeepSeek’s own tests", width=3.9, height=4.8
        )
        panel.move_to([SAFE_RIGHT - 0.05, CAPTION_TOP + 0.25, 0], RIGHT + -UP)
        names = VGroup(
            *(
                label(words, "small", colour).next_to(bar, -UP, buff=0.08)
                for words, colour, bar in zip(("V3", "V4-Pro"), ("muted", "reward"), panel.outlines, strict=True)
            )
        )
        with self.step() as s:
            self.origin(before, after, *gains)
            self.play(FadeOut(self.ways), run_time=0.4)
            s.until("third")
            up = self.notes.animate.scale(0.68).move_to([SAFE_RIGHT, STAGE_TOP, 0], RIGHT)
            shown = FadeIn(panel.frame, panel.heading, panel.outlines, panel.ground, panel.bars[0], names)
            self.play(LaggedStart(up, shown, lag_ratio=0.6), run_time=1.3)  # the numbers leave the panel's place first
            s.until("rise")
            rise = panel.rise()
            self.add(panel.bars[1])
            self.play(rise)
            self.play(FadeIn(panel.numbers), run_time=0.5)
