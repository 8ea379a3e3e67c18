"""Lecture 1: what the headlines counted, and what the export rules cut."""

from __future__ import annotations

import math

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    DashedLine,
    DashedVMobject,
    FadeIn,
    FadeOut,
    Group,
    Line,
    RoundedRectangle,
    ShowPassingFlash,
    VGroup,
)

from explainers.quantities import Quantity
from scenes.kit import (
    CAPTION_TOP,
    EASE,
    SAFE_LEFT,
    STAGE_CENTER,
    STAGE_TOP,
    AmountSquare,
    Bar,
    BarChart,
    DateLabel,
    NumberLabel,
    column,
    label,
    role,
    row,
    tint,
)
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.stage import LectureScene


class TwoKindsOfMoney(LectureScene):
    """The rent of one run beside the estimated price of all machines, to one scale of areas."""

    lecture = 1
    #: Area of a dollar, in square units of the frame.
    unit = 1.15e-8

    def construct(self) -> None:
        self.show_title()
        bill = self.bill()
        self.fleet(bill)

    def bill(self) -> Group:
        """Hours times price."""
        hours, price, cost = (
            self.number(f"fact.training.v3_cost.{name}") for name in ("gpu_hours", "gpu_hour_price", "cost")
        )
        self.origin(hours, price, cost)
        terms = row(
            NumberLabel(hours, "words 4 bare", size="heading", role="token"),
            label("×", "heading", "muted"),
            NumberLabel(price, "usd bare", size="heading", role="token"),
            label("=", "heading", "muted"),
            NumberLabel(cost, "usd 4", size="display", role="latent"),
            gap=0.35,
        ).move_to([0, STAGE_TOP - 0.7, 0])
        under = VGroup(
            label("hours of H800", "small", "muted").next_to(terms[0], DOWN, buff=0.2),
            label("an hour, assumed", "small", "muted").next_to(terms[2], DOWN, buff=0.2),
            label("rent for the final run", "small", "latent").next_to(terms[4], DOWN, buff=0.12),
        )
        terms.shift(0.1 * DOWN)
        boxes = VGroup(
            *(
                self.item(words, number == 0)
                for number, words in enumerate(("final run", "research", "failed tries", "salaries", "machines"))
            )
        ).arrange(RIGHT, buff=0.3)
        boxes.move_to([0, CAPTION_TOP + 1.6, 0])
        counted = label("counted", "body", "latent").next_to(boxes[0], UP, buff=0.2)
        outside = label("not in it, and of unknown size", "body", "muted").next_to(boxes[1:], UP, buff=0.2)
        place = terms[4].get_center()
        terms[4].move_to(STAGE_CENTER).scale(1.5)
        paper = label("in the headlines", "body", "muted").next_to(terms[4], DOWN, buff=0.25)
        with self.step() as s:
            self.play(FadeIn(terms[4], paper), run_time=0.6)
            s.until("bill")
            self.play(FadeOut(paper), terms[4].animate.scale(1 / 1.5).move_to(place), run_time=1.2, rate_func=EASE)
            self.play(FadeIn(terms[0], under[0]), run_time=0.7)
            s.until("price")
            self.play(FadeIn(terms[1:4], under[1]), run_time=0.7)
            s.until("rent")
            self.play(FadeIn(under[2]), FadeIn(boxes[0], counted, shift=0.2 * DOWN), run_time=0.8)
            s.until("missing")
            self.play(FadeIn(outside), run_time=0.3)
            for box in boxes[1:]:
                self.play(FadeIn(box, shift=0.15 * DOWN), run_time=0.3)
        self.box = boxes[0]
        return Group(terms, under, boxes[1:], counted, outside)

    @staticmethod
    def item(words: str, counted: bool) -> VGroup:
        """A line of the bill: filled where it was counted, an empty frame where it was not."""
        box = RoundedRectangle(width=2.15, height=1.5, corner_radius=0.1, stroke_width=2)
        colour = "latent" if counted else "muted"
        box.set_stroke(role(colour)).set_fill(role(colour), 1 if counted else 0)
        return VGroup(box, label(words, "small", "ground" if counted else "muted").move_to(box))

    def fleet(self, bill: Group) -> None:
        """The estimate, low and high, as squares around one corner."""
        low, high = (self.number(f"fact.training.est_fleet.{name}") for name in ("capex_low", "capex_high"))
        cost = self.number("fact.training.v3_cost.cost")
        outer, inner = (AmountSquare(each, unit=self.unit, role="cost", outline=True) for each in (high, low))
        foot = [0.6, CAPTION_TOP + 0.35, 0]
        one_run = AmountSquare(cost, unit=self.unit, role="latent")
        one_run.move_to([SAFE_LEFT + 2.6, CAPTION_TOP + 0.35, 0], aligned_edge=DOWN)
        for square in (outer, inner):
            square.move_to(foot, aligned_edge=DOWN + LEFT)
        amounts = VGroup(
            NumberLabel(low, "usd 2", size="body", role="cost", before="low: ").next_to(inner, UP, buff=-0.42),
            NumberLabel(high, "usd 2", size="body", role="cost", before="high: ").next_to(outer, UP, buff=0.12),
        )
        for amount in amounts:
            amount.align_to(outer, LEFT).shift(0.2 * RIGHT)
        words = (
            column(
                label("all servers of the company", "body", "cost"),
                label("an estimate by SemiAnalysis,", "small", "muted"),
                label("disputed, never confirmed", "small", "muted"),
                gap=0.12,
            )
            .move_to(outer)
            .shift(0.3 * DOWN)
        )
        run = column(
            NumberLabel(cost, "usd 4", size="heading", role="latent"),
            label("rent for the final run", "body", "latent"),
            gap=0.1,
        )
        run.next_to(one_run, UP, buff=0.3)
        doubt = VGroup(DashedVMobject(outer.square.copy().set_fill(opacity=0), num_dashes=60))
        corner, below = inner.get_corner(UP + RIGHT), inner.get_corner(DOWN + RIGHT)
        doubt.add(DashedLine(inner.get_corner(UP + LEFT), corner), DashedLine(corner, below))
        doubt.set_stroke(role("cost"), 4)
        scale = label("areas to one scale", "small", "muted").next_to(run, UP, buff=0.5)
        with self.step() as s:
            self.play(FadeOut(bill, self.box[1]), run_time=0.5)
            self.origin(cost, low, high)
            self.play(self.box[0].animate.become(one_run.square), run_time=1.2, rate_func=EASE)
            self.play(FadeIn(run), run_time=0.6)
            s.until("fleet")
            self.play(outer.grow(), run_time=1.4)
            self.play(FadeIn(inner, amounts), run_time=0.6)
            self.play(FadeIn(words[:2], scale), run_time=0.6)
            s.until("disputed")
            self.play(FadeIn(words[2], doubt), *(each.square.animate.set_stroke(width=0) for each in (outer, inner)))
            s.until("both")
            mine = one_run.square.copy()
            self.play(
                mine.animate(path_arc=-0.5).move_to(outer, aligned_edge=DOWN + LEFT), run_time=1.6, rate_func=EASE
            )


class LinkedChips(DataBound, VGroup):
    """Chips that all talk to all: each link as wide as its bandwidth."""

    def __init__(self, bandwidth: Quantity, *, chips: int = 8, radius: float = 2.0, unit: float = 1e-11) -> None:
        super().__init__()
        self.bound = Bound((as_quantity(bandwidth, "LinkedChips"),))
        places = [
            [radius * math.sin(2 * math.pi * k / chips), radius * math.cos(2 * math.pi * k / chips), 0]
            for k in range(chips)
        ]
        self.links = VGroup(*(Line(places[a], places[b]) for a in range(chips) for b in range(a)))
        self.links.set_stroke(role("value"), width=float(bandwidth) * unit)
        self.chips = VGroup(*(chip(0.62).move_to(place) for place in places))
        self.add(self.links, self.chips)


def chip(side: float) -> RoundedRectangle:
    """A chip: a dark square with a light rim."""
    body = RoundedRectangle(width=side, height=side, corner_radius=0.08, stroke_color=role("token"), stroke_width=2.5)
    return body.set_fill(tint("token", 0.25), 1)


def packaged(side: float, pins: int = 9) -> VGroup:
    """A chip in its package: contacts on all four sides."""
    body, contacts = chip(side), VGroup()
    for turn in range(4):
        edge = VGroup(
            *(Line([x, side / 2, 0], [x, side / 2 + 0.2, 0], stroke_width=5) for x in spread_over(side, pins))
        )
        contacts.add(edge.rotate(turn * math.pi / 2, about_point=[0, 0, 0]))
    return VGroup(contacts.set_stroke(role("muted")), body)


def spread_over(length: float, count: int) -> list[float]:
    """Places at equal distances along an edge."""
    return [(place - (count - 1) / 2) * length / (count + 1) for place in range(count)]


class WhatWasCut(LectureScene):
    """H100 and H800 side by side: three numbers are the same, one is not; and what that one does."""

    lecture = 1
    #: field, words, mark, format
    compared = (
        ("memory", "memory", "memory", "si 2"),
        ("bandwidth", "reading memory", "reading", "si 3"),
        ("bf16", "arithmetic, BF16", "compute", "si 3"),
        ("nvlink", "link between chips", "link", "si 3"),
    )

    def construct(self) -> None:
        self.show_title()
        pair = self.rule()
        charts = self.compare(pair)
        self.talk(charts)

    def rule(self) -> Group:
        """Two chips and a border."""
        when = self.number("fact.hardware.control_2022_10_07.date")
        self.origin(when)
        one = VGroup(packaged(2.5), label("H100", "heading"))
        two = VGroup(packaged(2.5), label("H800", "heading", "latent"))
        one[1].move_to(one[0])
        two[1].move_to(two[0])
        one.move_to(STAGE_CENTER + 3.2 * LEFT)
        two.move_to(STAGE_CENTER + 3.2 * RIGHT)
        asked = label("what is missing?", "body", "latent").next_to(two, DOWN, buff=0.3)
        border = Line([0, STAGE_TOP - 0.9, 0], [0, CAPTION_TOP + 0.5, 0], stroke_width=4).set_stroke(role("cost"))
        date = DateLabel(when, "body", "cost").next_to(border, UP, buff=0.45)
        words = label("US export rule", "body", "cost").next_to(border, UP, buff=0.12)
        with self.step() as s:
            self.play(FadeIn(one), run_time=0.8)
            s.until("rule")
            self.play(FadeIn(border, words, date), run_time=0.8)
            home = one.get_center()
            self.play(one.animate.next_to(border, LEFT, buff=0.15), run_time=0.9, rate_func=EASE)
            self.play(one.animate.move_to(home), run_time=0.9, rate_func=EASE)
            s.until("h800")
            made = one[0].copy()
            self.play(made.animate.move_to(two[0]), run_time=1.4, rate_func=EASE)
            self.play(FadeIn(two[1]), run_time=0.5)
            self.play(FadeIn(asked, shift=0.2 * UP), run_time=0.6)
        return Group(one, made, two[1], asked, border, words, date)

    def compare(self, before: Group) -> Group:
        """Four small charts, each with its own scale; the same length means the same."""
        charts, all_numbers = Group(), []
        for field, words, _, fmt in self.compared:
            pair = [self.number(f"fact.hardware.{which}.{field}") for which in ("h100", "h800")]
            all_numbers += pair
            colour = "cost" if field == "nvlink" else "latent"
            bars = [Bar("H100", pair[0], "token"), Bar("H800", pair[1], colour)]
            chart = BarChart(bars, length=3.0, thickness=0.42, gap=0.2, fmt=fmt, size="small")
            charts.add(Group(label(words, "body", "muted").next_to(chart, UP, buff=0.12).align_to(chart, LEFT), chart))
        charts.arrange_in_grid(rows=2, cols=2, buff=(1.2, 0.75), col_alignments="ll").move_to(STAGE_CENTER)
        note = label("FP64 was cut as well; these models do not use it", "small", "muted")
        note.next_to(charts, DOWN, buff=0.25).align_to(charts, RIGHT)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.35)
            self.origin(*all_numbers)
            for group, (_, _, mark, _) in zip(charts, self.compared, strict=True):
                name, chart = group
                s.until(mark)
                parts = chart.names.values()
                both = [chart.grow("H100")] if mark == "link" else [chart.grow("H100"), chart.grow("H800")]
                self.play(FadeIn(name, *parts), *both, run_time=1.2)
            s.until("cut")
            self.play(charts[-1][1].grow("H800"), run_time=1.2)
            self.play(FadeIn(note), run_time=0.5)
        return Group(charts, note)

    def talk(self, before: Group) -> None:
        """A node of chips with the links of either, and pulses that take as long as the links are thin."""
        wide, thin = (self.number(f"fact.hardware.{which}.nvlink") for which in ("h100", "h800"))
        node = LinkedChips(wide).move_to(STAGE_CENTER + 2.6 * LEFT)
        less = LinkedChips(thin).move_to(node)
        numbers = [
            NumberLabel(each, "si 3", size="display", role="value").move_to([3.4, 1.3, 0]) for each in (wide, thin)
        ]
        what = label("each chip, both directions together", "body", "muted").next_to(numbers[0], DOWN, buff=0.25)
        saved = VGroup(
            *(label(words, "heading", "latent") for words in ("compute less", "store less", "→ less to send"))
        )
        saved.arrange(DOWN, buff=0.2, aligned_edge=LEFT).next_to(what, DOWN, buff=0.5)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(wide, thin)
            self.play(FadeIn(node, numbers[0], what), run_time=0.8)
            s.until("talk")
            self.play(self.pulses(node), run_time=1.0)
            self.play(self.pulses(node), run_time=1.0)
            s.until("thin")
            self.play(FadeOut(numbers[0]), node.links.animate.become(less.links), run_time=1.0)
            self.play(FadeIn(numbers[1]), self.pulses(node), run_time=float(wide) / float(thin))
            s.until("less")
            for words in saved[:2]:
                self.play(FadeIn(words, shift=0.15 * RIGHT), run_time=0.6)
            s.until("send")
            self.play(FadeIn(saved[2], shift=0.15 * RIGHT), run_time=0.6)

    @staticmethod
    def pulses(node: LinkedChips) -> ShowPassingFlash:
        return ShowPassingFlash(node.links.copy().set_stroke(role("accent"), width=5), time_width=0.4)
