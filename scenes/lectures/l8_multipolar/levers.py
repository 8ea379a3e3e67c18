"""Lecture 8: the course's levers on one chart, model after model."""

from __future__ import annotations

import math

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Arrow,
    Create,
    DashedVMobject,
    FadeIn,
    FadeOut,
    GrowFromEdge,
    Line,
    Rectangle,
    VGroup,
)

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
        gains = [self.number(f"v4_1_flash.{name}") for name in ("kv_vs_67b", "kv_vs_67b_bf16", "kv_precision_gain")]
        self.origin(*self.chart.bound, *gains)
        self.down(gains)
        self.tried()
        self.third()

    def down(self, gains: list[Quantity]) -> None:
        """The dots come in order, each moving out of the one before."""
        chart = self.chart
        compass = self.compass()
        within = self.quadrant()
        (drop, whole), *parts = self.drop(gains)
        with self.step() as s:
            self.play(FadeIn(chart.axes), run_time=0.8)
            s.until("axes")
            for way, words in compass:
                self.play(FadeIn(way, words, shift=0.2 * (RIGHT if way is compass[0][0] else UP) * -1), run_time=0.6)
            s.until("start")
            self.play(FadeIn(chart.dots["67B"], chart.names["67B"], scale=0.5), run_time=0.7)
            s.until("v2")
            self.play(FadeIn(within), run_time=0.5)
            self.follow("67B", "V2", 1.0)
            self.follow("V2", "V3", 0.8)
            s.until("v4")
            self.follow("V3", "V3.2", 0.6)
            self.follow("V3.2", "V4-Pro", 1.1)
            self.follow("V4-Pro", "V4.1-Flash", 1.1)
            s.until("last")
            self.play(FadeOut(compass), Create(drop), run_time=1.0)
            self.play(FadeIn(whole), run_time=0.4)
            for mark, (bar, number, words) in zip(("design", "formats"), parts, strict=True):
                s.until(mark)
                self.play(GrowFromEdge(bar, UP), run_time=0.9)
                self.play(FadeIn(number, words, shift=0.2 * RIGHT), run_time=0.4)
        self.words = VGroup(whole, *(part[1:] for part in parts))

    def drop(self, gains: list[Quantity]) -> list[VGroup]:
        """How far the last dot lies below the first, and the two parts of it: on a log scale, factors are lengths."""
        chart = self.chart
        first, last = chart.at("67B"), chart.at("V4.1-Flash")
        x = chart.axes.corners.get_right()[0] + 0.2
        whole, *factors = (math.log(float(gain)) for gain in gains)
        parts, y = [], first[1]
        said = (("latent", "times 3", "less by design"), ("token", "times 2", "less by smaller numbers"))
        for gain, factor, (colour, style, words) in zip(gains[1:], factors, said, strict=True):
            tall = (first[1] - last[1]) * factor / whole
            bar = Rectangle(width=0.3, height=tall, stroke_width=0).set_fill(role(colour), 1)
            bar.move_to([x, y, 0], UP)
            number = NumberLabel(gain, style, size="body", role=colour).next_to(bar, RIGHT, buff=0.15)
            parts.append(VGroup(bar, number, label(words, "body", colour).next_to(number, RIGHT, buff=0.15)))
            y -= tall
        starts = (chart.names["67B"].get_right()[0] + 0.1, chart.dots["V4.1-Flash"].get_right()[0] + 0.1)
        ends = (Line([start, at[1], 0], [x + 0.15, at[1], 0]) for start, at in zip(starts, (first, last), strict=True))
        span = VGroup(*(DashedVMobject(end, num_dashes=max(2, round(end.get_length() * 5))) for end in ends))
        span.set_stroke(role("muted"), 2).set_z_index(-1)
        total = NumberLabel(gains[0], "times 3", size="heading", role="text", after=" less to remember")
        total.move_to([x - 0.15, STAGE_TOP - 0.6, 0], DOWN + LEFT)
        return [VGroup(span, total), *parts]

    def quadrant(self) -> VGroup:
        """What runs less and remembers less than the first model."""
        corner, first = self.chart.axes.corners.get_corner(DOWN + LEFT), self.chart.at("67B")
        wide, tall = first[0] - corner[0], first[1] - corner[1]
        field = Rectangle(width=wide, height=tall, stroke_width=0).set_fill(tint("muted", 0.14), 1)
        field.move_to(corner, DOWN + LEFT).set_z_index(-1)
        words = label("less of both than\nthe first model", "small", "muted", align="right")
        words.move_to(field, RIGHT).shift(0.12 * LEFT).set_y(self.chart.at("V4.1-Flash")[1] + 0.38)
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

    def tried(self) -> None:
        """What the smaller memory costs: our small model, trained with V3's attention and with V4's."""
        small = self.run("compression")
        ways = (("V3’s attention", "cached_mla", "loss_mla"), ("V4’s attention", "cached", "loss_chosen"))
        cards, cells = VGroup(), []
        for name, kept, loss in ways:
            values = small.quantity(kept)
            squares = VGroup(
                *(
                    Rectangle(width=0.15, height=0.15, stroke_width=0).set_fill(role("latent"), 1)
                    for _ in range(int(values.value))
                )
            )
            squares.arrange_in_grid(cols=12, buff=0.06, cell_alignment=LEFT)
            cells.append(VGroup(squares, NumberLabel(values, "plain", after=" values a layer", role="latent")))
            cells[-1].arrange(DOWN, buff=0.14, aligned_edge=LEFT)
            losses = NumberLabel(small.quantity(loss), "plain 3", before="loss on new text ", weight="regular")
            cards.add(VGroup(label(name, "body", weight="medium"), cells[-1], losses))
            cards[-1].arrange(DOWN, buff=0.2, aligned_edge=LEFT)
        heading = label("Our small model, trained twice each way:\nwhat it keeps of one token", "small", "muted")
        whole = VGroup(heading, *cards).arrange(DOWN, buff=0.34, aligned_edge=LEFT)
        whole.move_to([SAFE_RIGHT - 0.05, CAPTION_TOP + 0.25, 0], RIGHT + -UP)
        with self.step() as s:
            self.origin(small)
            self.play(FadeOut(self.words), run_time=0.4)  # they leave the place; the bar stays
            self.play(FadeIn(heading), run_time=0.6)
            s.until("ours")
            self.play(FadeIn(cards[0][0], cells[0]), run_time=0.8)
            s.until("fewer")
            self.play(FadeIn(cards[1][0], cells[1]), run_time=0.8)
            s.until("loss")
            self.play(FadeIn(cards[0][2], cards[1][2]), run_time=0.6)
        self.words = whole

    def third(self) -> None:
        """The third lever: real faults repaired."""
        before = self.number("fact.benchmarks.v3_chat.swe_bench_verified.deepseek_v3")
        after = self.number("fact.benchmarks.v4_pro.swe_bench_verified.v4_pro_max")
        panel = LearnByChecking(
            before, after, note="software faults mended,\nby DeepSeek’s own tests", width=3.6, height=4.6
        )
        panel.move_to([SAFE_RIGHT - 0.05, CAPTION_TOP + 0.25, 0], RIGHT + -UP)
        names = VGroup(
            *(
                label(words, "small", colour).next_to(bar, -UP, buff=0.08)
                for words, colour, bar in zip(("V3", "V4-Pro"), ("muted", "reward"), panel.outlines, strict=True)
            )
        )
        with self.step() as s:
            self.origin(before, after)
            s.until("third")
            self.play(FadeOut(self.words), run_time=0.4)  # they leave the panel's place
            shown = FadeIn(panel.frame, panel.heading, panel.outlines, panel.ground, panel.bars[0], names)
            self.play(shown, run_time=0.9)
            s.until("rise")
            rise = panel.rise()
            self.add(panel.bars[1])
            self.play(rise)
            self.play(FadeIn(panel.numbers), run_time=0.5)
