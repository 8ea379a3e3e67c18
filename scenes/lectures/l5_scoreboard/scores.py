"""Lecture 5: three scores of one model, and what stands around a score."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Circle,
    Create,
    FadeIn,
    FadeOut,
    GrowFromCenter,
    LaggedStart,
    ReplacementTransform,
    RoundedRectangle,
    VGroup,
)

from scenes.kit import (
    EASE,
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_CENTER,
    STAGE_TOP,
    AmountSquare,
    NumberLabel,
    SolvedField,
    cross,
    dim,
    label,
    role,
    tick,
    tint,
)
from scenes.lectures.l5_scoreboard.common import LABS, SCORES, TestField, mark
from scenes.stage import LectureScene


class ThreeScores(LectureScene):
    """One test as a field of questions; one model solves a different number of them for each who measures."""

    lecture = 5

    def construct(self) -> None:
        self.show_title()
        scores = [self.number(f"fact.benchmarks.independent_swe_v4.{key}") for _, key, _ in SCORES]
        solved = [self.number(f"run.exams.swe_{key}_solved") for _, key, _ in SCORES]
        size = self.number("fact.benchmarks.test_sizes.swe_bench_verified")
        field = TestField(self.number)
        field.move_to([SAFE_LEFT + 0.6, STAGE_TOP - 0.95, 0], aligned_edge=UP + LEFT)
        head = label("SWE-bench Verified", "heading").next_to(field.dark, UP, buff=0.2).align_to(field.dark, LEFT)
        under = NumberLabel(size, "plain bare", size="small", role="muted", after=" real faults, a square each")
        under.next_to(field.dark, DOWN, buff=0.18).align_to(field.dark, LEFT)
        rows = VGroup()
        for (words, _, vendor), score in zip(SCORES, scores, strict=True):
            colour = "latent" if vendor else "token"
            number = NumberLabel(score, "percent 3" if score.value % 1 else "percent 2", size="display", role=colour)
            dot = mark(colour, vendor, 0.2).next_to(number, LEFT, buff=0.35)
            rows.add(VGroup(dot, number, label(words, "body", "muted").next_to(number, DOWN, buff=0.1)))
            rows[-1][2].align_to(number, LEFT)
        rows.arrange(DOWN, buff=0.42, aligned_edge=LEFT).move_to([2.9, 0.55, 0])
        model = label("V4-Pro mends", "heading", "latent").next_to(rows, UP, buff=0.35).align_to(rows[0][1], LEFT)
        asked = label("What does a score say?", "heading", "accent")
        asked.next_to(rows, DOWN, buff=0.5).align_to(rows[0][1], LEFT)
        only = label("by its maker's count alone", "small", "latent")
        only.next_to(under, RIGHT, buff=0.35)
        second_hand = label("full dots: as others report them", "small", "muted")
        second_hand.next_to(under, DOWN, buff=0.12).align_to(under, LEFT)
        self.origin(*scores, size, self.run("exams"))
        makers = self.makers()
        asking = Circle(0.62, stroke_width=5, color=role("accent")).move_to(makers[0][0])
        with self.step() as s:
            self.play(FadeIn(makers), FadeIn(asking), run_time=0.5)
            for maker in makers[1:]:
                self.play(asking.animate.move_to(maker[0]), run_time=0.5, rate_func=EASE)
            s.until("test")
            aside = makers.animate.scale(0.6).move_to([SAFE_RIGHT - 0.1, 0.55, 0], aligned_edge=RIGHT)
            self.play(FadeOut(asking), aside, run_time=0.9, rate_func=EASE)
            self.play(FadeIn(head), FadeIn(field.dark, shift=0.2 * UP), FadeIn(under), run_time=1.0)
            s.until("vendor")
            came = ReplacementTransform(makers[-1][0], rows[0][0])
            self.play(FadeOut(*makers[:-1], makers[-1][1]), came, FadeIn(model), run_time=0.7)
            self.play(field.lit.fill(run_time=1.4))
            self.add(field.claimed, field.listed, field.lit)
            self.play(FadeIn(rows[0][1:]), run_time=0.4)
        with self.step() as s:
            for index, name in ((1, "list"), (2, "caisi")):
                s.until(name)
                self.play(field.lit.change_to(solved[index]), FadeIn(rows[index]), run_time=1.2)
            self.play(FadeIn(second_hand, only), run_time=0.5)
            s.until("question")
            self.play(FadeIn(asked, shift=0.2 * UP), run_time=0.8)

    @staticmethod
    def makers() -> VGroup:
        """Those whose models could be the best: a disc each, DeepSeek last."""
        discs = VGroup()
        for name, colour in LABS.items():
            disc = Circle(0.45, stroke_width=0).set_fill(role(colour), 1)
            discs.add(VGroup(disc, label(name, "heading", colour).next_to(disc, DOWN, buff=0.35)))
        return discs.arrange(RIGHT, buff=0.9).move_to(STAGE_CENTER)


class WhatAScoreSays(LectureScene):
    """A score in the middle, and around it what it depends on: pictures of this lecture, small."""

    lecture = 5
    #: Width of a percentage point, for the band of luck.
    point = 0.5

    def construct(self) -> None:
        self.show_title()
        score = self.number("fact.benchmarks.independent_swe_v4.vendor")
        low, high = (self.number(f"run.exams.swe_vendor_{end}") for end in ("low", "high"))
        centre = NumberLabel(score, "percent 3", size="hero", role="latent").move_to(STAGE_CENTER)
        around = self.around()
        for part, (x, y) in zip(
            around.values(),
            ((-4.6, 1.75), (0, 1.95), (4.6, 1.75), (-4.6, -1.75), (0, -1.85), (4.6, -1.75)),
            strict=True,
        ):
            part.move_to(STAGE_CENTER + x * RIGHT + y * UP)
        band = RoundedRectangle(
            width=(float(high) - float(low)) * self.point, height=1.15, corner_radius=0.25, stroke_width=0
        )
        band.set_fill(tint("latent", 0.22), 1).set_stroke(role("latent"), 1.5).move_to(centre)
        luck = VGroup(
            NumberLabel(low, "percent 3", size="small", role="latent", before="luck: from ").next_to(
                band, LEFT, buff=0.15
            ),
            NumberLabel(high, "percent 3", size="small", role="latent", before="to ").next_to(band, RIGHT, buff=0.15),
        )
        size = self.number("fact.benchmarks.test_sizes.swe_bench_verified")
        self.origin(*(self.run(name) for name in ("exams", "tries", "score_cost")), score, size)
        with self.step() as s:
            self.play(FadeIn(centre), run_time=0.7)
            for name, part in around.items():
                s.until(name)
                self.play(FadeIn(part, shift=0.15 * UP), run_time=0.6)
            s.until("luck")
            self.bring_to_back(band)
            self.play(GrowFromCenter(band), FadeIn(luck), run_time=0.9)
        self.ending(around)

    def around(self) -> dict[str, VGroup]:
        """Mark → a small picture with its word."""
        whole = TestField(self.number, cell=0.07)
        field = VGroup(whole.dark, whole.lit)
        tries = SolvedField(self.run("tries")["first_right"], columns=10, cell=0.145, tries=4)
        model = Circle(0.3, stroke_width=2.5, color=role("latent")).set_fill(tint("latent", 0.3), 1)
        box = RoundedRectangle(width=1.8, height=1.15, corner_radius=0.16, stroke_width=2.5).set_stroke(role("accent"))
        rig = VGroup(box, model)
        who = VGroup(mark("latent", True, 0.3), mark("token", False, 0.3)).arrange(RIGHT, buff=0.3)
        costs = [self.number(f"run.score_cost.cost_{key}") for key in ("gemini_3", "v3_2")]
        dear, cheap = (AmountSquare(cost, unit=8.0, role="cost") for cost in costs)
        cheap.next_to(dear, RIGHT, buff=0.25, aligned_edge=DOWN)
        return {
            "asked": self.named(field, "questions"),
            "check": self.named(
                VGroup(tick(size=0.8, width=9), cross(size=0.66, width=9)).arrange(RIGHT, buff=0.4), "check"
            ),
            "tries": self.named(tries, "tries"),
            "setup": self.named(rig, "harness"),
            "who": self.named(who, "measured by whom"),
            "price": self.named(VGroup(dear, cheap), "price"),
        }

    @staticmethod
    def named(picture: VGroup, words: str) -> VGroup:
        """A picture above its word."""
        return VGroup(picture, label(words, "body").next_to(picture, DOWN, buff=0.22))

    def ending(self, around: dict[str, VGroup]) -> None:
        """The three that a reader should ask for first."""
        with self.step() as s:
            s.until("best")
            rings = VGroup()
            for name in ("asked", "who", "price"):
                part = around[name]
                ring = RoundedRectangle(width=part.width + 0.4, height=part.height + 0.3, corner_radius=0.15)
                rings.add(ring.set_stroke(role("accent"), 3).move_to(part))
            self.play(LaggedStart(*(Create(ring) for ring in rings), lag_ratio=0.7), run_time=2.6)
            s.until("next")
            others = [part for name, part in around.items() if name not in ("price",)]
            self.play(dim(*others, to=0.35), run_time=0.8)
