"""Lecture 6: the price that fell, and the bill of one training run."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, Animation, Create, DashedVMobject, FadeIn, FadeOut, Rectangle, VGroup

from explainers.quantities import Quantity
from scenes.kit import EASE, SAFE_LEFT, STAGE_CENTER, Bar, NumberLabel, Waterfall, label, role, row, tint
from scenes.stage import LectureScene


def rise(bar: Rectangle) -> Animation:
    """A bar grows from its own foot, as wide as it will be."""
    full = bar.copy()
    bar.stretch(0.01, 1, about_edge=DOWN)
    return bar.animate.become(full).build()


class WhatAnAnswerCosts(LectureScene):
    """The list price of a million tokens as columns on one scale, from GPT-4's to today's lowest."""

    lecture = 6
    aspects = ("16:9", "9:16")
    #: entry of the facts on prices, name, mark of the script or none
    listings = (
        ("gpt4", "GPT-4", "first"),
        ("gpt4_turbo", "GPT-4 Turbo", "fall"),
        ("gpt4o", "GPT-4o", ""),
        ("gpt4o_2024_08", "GPT-4o, later", ""),
        ("r1", "DeepSeek R1", ""),
        ("haiku5_5", "Claude Haiku 5.5", "now"),
    )

    def construct(self) -> None:
        self.show_title()
        prices = [self.number(f"fact.prices.{key}.out") for key, _, _ in self.listings]
        tallest = float(prices[0])
        columns, figures, names = VGroup(), VGroup(), VGroup()
        for price, (_, name, _) in zip(prices, self.listings, strict=True):
            high = (6.4 if self.upright else 3.7) * float(price) / tallest
            column = Rectangle(width=0.6 if self.upright else 1.25, height=high, stroke_width=0)
            columns.add(column.set_fill(role("cost"), 1))
            figures.add(
                NumberLabel(
                    price,
                    "plain .2 bare" if float(price) < 1 else "plain bare",
                    before="$",
                    size="body" if self.upright else "heading",
                )
            )
            names.add(label(name, "small", "text", width=1.1 if self.upright else 1.9, align="center"))
        columns.arrange(RIGHT, buff=0.6 if self.upright else 0.85, aligned_edge=DOWN)
        columns.move_to(STAGE_CENTER).shift(0.15 * DOWN)
        for column, figure, name in zip(columns, figures, names, strict=True):
            figure.next_to(column, UP, buff=0.16)
            name.next_to([column.get_center()[0], columns.get_bottom()[1], 0], DOWN, buff=0.2)
        self.less_by = self.number("run.price_history.first_to_floor")
        self.origin(prices[0], prices[-1], self.less_by, *prices[1:-1])
        self.fall(columns, figures, names)
        self.question(columns, figures, names)

    def fall(self, columns: VGroup, figures: VGroup, names: VGroup) -> None:
        """Columns one by one; above the last, how many times less it is than the first."""
        self.less = NumberLabel(self.less_by, "times 3", size="body", role="accent", after=" less")
        self.less.next_to(figures[-1], UP, buff=0.22)
        note = label("list price of a million output tokens", "body", "muted", width=4.2 if self.upright else None)
        note.move_to(STAGE_CENTER + (2.4 * UP + 0.3 * RIGHT if self.upright else 1.9 * UP + 2.2 * RIGHT))
        with self.step() as s:
            self.play(FadeIn(names[0], note), rise(columns[0]), run_time=1.4)
            s.until("first")
            self.play(FadeIn(figures[0]), run_time=0.4)
            for index, (_, _, mark) in enumerate(self.listings[1:], start=1):
                if mark:
                    s.until(mark)
                self.play(rise(columns[index]), FadeIn(names[index]), run_time=0.5, rate_func=EASE)
                self.play(FadeIn(figures[index]), run_time=0.2)
            s.until("less")
            self.play(FadeIn(self.less, shift=0.15 * UP), run_time=0.6)

    def question(self, columns: VGroup, figures: VGroup, names: VGroup) -> None:
        ghost = DashedVMobject(
            Rectangle(
                width=1.15 if self.upright else columns[-1].width,
                height=columns[0].height,
                stroke_color=role("muted"),
                stroke_width=2.5,
            ),
            num_dashes=60,
        )
        ghost.move_to(columns[-1], aligned_edge=DOWN)
        ask = label("?", "hero", "accent").move_to(ghost).shift(0.55 * UP)
        with self.step() as s:
            self.play(
                Create(ghost),
                *(part.animate.set_opacity(0.35) for part in columns[1:-1]),
                run_time=1.4,
            )
            s.until("question")
            self.play(FadeIn(ask, shift=0.2 * UP), run_time=0.8)


class TheTrainingBill(LectureScene):
    """V3's bill item by item; what it leaves out; and one estimate of a fleet, on the same scale."""

    lecture = 6
    #: name, field of the fact, colour, mark
    items = (
        ("pre-training", "pretrain_gpu_hours", "cost", "pre"),
        ("long texts", "context_extension_gpu_hours", "value", "context"),
        ("post-training", "post_training_gpu_hours", "reward", "post"),
    )

    def construct(self) -> None:
        self.show_title()
        rent = self.number("fact.training.v3_cost.gpu_hour_price")
        hours = [self.number(f"fact.training.v3_cost.{field}") for _, field, _, _ in self.items]
        bill = [Bar(name, h * rent, colour) for h, (name, _, colour, _) in zip(hours, self.items, strict=True)]
        self.fall = Waterfall(bill, total="the bill", fmt="usd 3", height=3.5, width=1.45, gap=0.5)
        self.fall.move_to(STAGE_CENTER).shift(0.1 * DOWN)
        self.origin(*hours, rent)
        self.add_up(hours, rent)
        self.missing()
        self.honest_scale()

    def add_up(self, hours: list[Quantity], rent: Quantity) -> None:
        """The names stand from the first word on; the price of an hour comes before anything that it makes dear."""
        figures = VGroup()
        for (name, _, _, _), hour in zip(self.items, hours, strict=True):
            figure = NumberLabel(
                hour, "words 4 bare" if float(hour) > 1e6 else "plain bare", after=" h", size="small", role="muted"
            )
            figures.add(figure.next_to(self.fall.names[name], DOWN, buff=0.14))
        hour = NumberLabel(rent, "plain bare", before="one chip for an hour, assumed: $", role="cost")
        self.hours = VGroup(figures, hour.next_to(self.fall, UP, buff=0.3, aligned_edge=LEFT))
        with self.step() as s:
            self.play(self.fall.name_all())
            s.until("rent")
            self.play(FadeIn(hour), run_time=0.6)
            for (name, _, _, mark), figure in zip(self.items, figures, strict=True):
                s.until(mark)
                self.play(self.fall.grow(name), FadeIn(figure), run_time=1.2)
            s.until("sum")
            self.play(self.fall.grow("the bill"), run_time=1.4)

    def missing(self) -> None:
        """What is not in the bill: dashed, without a height that anybody knows."""
        names = (
            ("earlier research,\nexperiments", "research"),
            ("salaries", "people"),
            ("the machines\nthemselves", "machines"),
        )
        boxes = VGroup()
        for text, _ in names:
            frame = Rectangle(width=1.45, height=1.1, stroke_color=role("muted"), stroke_width=2.5)
            mark = label("?", "heading", "muted").move_to(frame)
            name = label(text, "small", "muted", align="center")
            boxes.add(VGroup(DashedVMobject(frame, num_dashes=26), mark, name.next_to(frame, DOWN, buff=0.18)))
        boxes.arrange(RIGHT, buff=0.27, aligned_edge=UP)
        bill = VGroup(self.fall, self.hours)
        way = (SAFE_LEFT - bill.get_left()[0] + 0.1) * RIGHT
        foot = self.fall.columns["the bill"].get_bottom()[1]
        boxes.next_to(self.fall, RIGHT, buff=0.35).shift(way).shift([0, foot - boxes[0][0].get_bottom()[1], 0])
        self.boxes = boxes
        with self.step() as s:
            self.play(bill.animate.shift(way), run_time=1.2, rate_func=EASE)
            for box, (_, mark) in zip(boxes, names, strict=True):
                s.until(mark)
                self.play(Create(box[0]), FadeIn(box[1], box[2]), run_time=0.9)

    def honest_scale(self) -> None:
        """The whole picture shrinks until one firm's estimate of the servers has room beside it."""
        low, high = (self.number(f"fact.training.est_fleet.capex_{end}") for end in ("low", "high"))
        bill = self.fall.columns["the bill"]
        height = 3.7
        foot = bill.get_bottom()[1]
        scale = height / float(high)
        solid = Rectangle(
            width=bill.width, height=float(low) * scale, stroke_width=0, fill_color=tint("cost", 0.66), fill_opacity=1
        )
        upper = Rectangle(width=bill.width, height=float(high - low) * scale, stroke_color=role("cost"), stroke_width=2)
        solid.move_to([2.0, foot, 0], aligned_edge=DOWN)
        upper.next_to(solid, UP, buff=0)
        guess = row(NumberLabel(low, "usd 2"), label("to", "body", "muted"), NumberLabel(high, "usd 2"), gap=0.15)
        guess.next_to(solid, RIGHT, buff=0.3).shift(0.55 * UP)
        who = label("one firm's estimate of servers;\ndisputed, never confirmed", "small", "muted")
        who.next_to(guess, DOWN, buff=0.2, aligned_edge=LEFT)
        name, number = self.fall.names["the bill"], self.fall.numbers["the bill"]
        rest = VGroup(self.boxes, self.hours, self.fall.links)
        for item, _, _, _ in self.items:
            rest.add(self.fall.columns[item], self.fall.names[item], self.fall.numbers[item])
        self.origin(self.fall.sum, low)
        with self.step() as s:
            s.until("guess")
            self.play(FadeOut(rest), run_time=0.6)
            self.play(VGroup(bill, name, number).animate.set_x(-2.2), FadeIn(guess, who), run_time=0.9)
            thin = bill.copy().stretch_to_fit_height(float(self.fall.sum) * scale).move_to(bill, aligned_edge=DOWN)
            self.play(
                bill.animate.become(thin), number.animate.next_to(thin, UP, buff=0.12), run_time=1.2, rate_func=EASE
            )
            self.play(rise(solid), run_time=1.4, rate_func=EASE)
            self.play(FadeIn(upper), run_time=0.5)
            s.until("line")
            self.play(number.animate.set_color(role("accent")), name.animate.set_color(role("accent")), run_time=0.8)
