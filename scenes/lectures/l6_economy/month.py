"""Lecture 6: a start-up's month in squares of ten dollars, and what became of demand."""

from __future__ import annotations

import numpy as np
from manim import DL, DOWN, LEFT, RIGHT, UP, FadeIn, FadeOut, Group, GrowFromPoint

from explainers.quantities import Quantity
from explainers.traces import Trace
from scenes.kit import EASE, AmountSquare, Crowd, NumberLabel, SharedBar, Waffle, column, exchange, label, row
from scenes.stage import LectureScene


class AMonthForAStartUp(LectureScene):
    """Squares of ten dollars: one workload at three prices, then three workloads at one vendor's prices."""

    lecture = 6

    def construct(self) -> None:
        self.show_title()
        trace = self.run("startup_month")
        self.square = trace.quantity("square")
        self.origin(trace)
        self.answers(trace)
        self.workloads(trace)

    def bill(self, amount: Quantity, name: str, colour: str, columns: int, cell: float, corner: list[float]) -> Group:
        """Squares, with the name above and the sum below."""
        waffle = Waffle(amount, self.square, columns=columns, cell=cell, role=colour).place_at(np.array(corner))
        words = label(name, "small", colour).move_to(waffle.squares, aligned_edge=LEFT)
        words.next_to([corner[0], corner[1], 0], UP, buff=0.16).align_to(np.array(corner), LEFT)
        figure = NumberLabel(amount, "usd 3" if float(amount) > 2000 else "usd .0", size="heading", role="text")
        figure.next_to(waffle.squares, DOWN, buff=0.2).align_to(np.array(corner), LEFT)
        return Group(waffle, words, figure)

    def answers(self, trace: Trace) -> None:
        top, cell = 1.15, 0.145
        old = self.bill(trace.quantity("answers_gpt4"), "GPT-4, first price", "cost", 48, cell, [-6.2, top, 0])
        large = self.bill(trace.quantity("answers_opus5_5"), "Claude Opus 5.5", "token", 11, cell, [1.55, top, 0])
        small = self.bill(
            trace.quantity("answers_v4_1_flash"), "DeepSeek V4.1-Flash", "latent", 11, cell, [4.0, top, 0]
        )
        head = NumberLabel(trace.quantity("answers"), "plain", after=" answers a month", size="heading")
        head.move_to([-6.2, 2.4, 0], aligned_edge=LEFT)
        length = row(
            NumberLabel(trace.quantity("answer_input"), "plain", before="each reads ", size="small", role="muted"),
            NumberLabel(
                trace.quantity("answer_output"),
                "plain",
                before="and writes ",
                after=" tokens",
                size="small",
                role="muted",
            ),
            gap=0.06,
        )
        length.next_to(head, DOWN, buff=0.16, aligned_edge=LEFT)
        note = NumberLabel(self.square, "usd", before="a square: ", size="small", role="muted")
        note.move_to([6.2, 2.4, 0], aligned_edge=RIGHT)
        self.head, self.note = Group(head, length), note
        with self.step() as s:
            self.play(FadeIn(head), run_time=0.8)
            s.until("length")
            self.play(FadeIn(length, note), run_time=0.5)
            for mark, bill in (("old", old), ("large", large), ("small", small)):
                s.until(mark)
                self.play(FadeIn(bill[1]), bill[0].fill(run_time=1.8 if mark == "old" else 0.9))
                self.play(FadeIn(bill[2]), run_time=0.4)
        self.before = Group(old, large, small)

    def size(self, trace: Trace, kind: str, counted: str, length: str, corner: float) -> Group:
        """How many of a kind a month, and how long each is: small, under its squares."""
        lines = (
            NumberLabel(trace.quantity(kind), "plain bare", after=counted, size="small", role="muted"),
            NumberLabel(
                trace.quantity(length), "plain", before="each reads ", after=" tokens", size="small", role="muted"
            ),
        )
        return column(*lines, gap=0.12).move_to([corner, -1.2, 0], aligned_edge=LEFT)

    def workloads(self, trace: Trace) -> None:
        top, cell = 1.2, 0.39
        kinds = (
            ("answers", "answers_v4_1_flash", -6.2),
            ("coding agent", "agent_v4_1_flash", -3.0),
            ("documents", "documents_v4_1_flash", 0.2),
            ("answers, thinking first", "answers_thinking", 3.4),
        )
        bills = [self.bill(trace.quantity(key), name, "latent", 7, cell, [left, top, 0]) for name, key, left in kinds]
        for bill in bills:  # sums on one line, whatever the number of rows above
            bill[2].set_y(top - 3 * cell - 0.35)
        sizes = Group(
            self.size(trace, "answers", " a month", "answer_input", -6.2),
            self.size(trace, "steps", " steps a month", "step_input", -3.0),
            self.size(trace, "documents", " a month", "document_input", 0.2),
        )
        longer = NumberLabel(
            trace.quantity("thinking"), "times 2", before="writes ", after=" as much", size="small", role="muted"
        )
        longer.next_to(bills[3][2], DOWN, buff=0.13).align_to([3.4, 0, 0], LEFT)
        uncached = Waffle(trace.quantity("agent_uncached"), self.square, columns=7, cell=cell, role="cost")
        uncached.place_at(np.array([-3.0, top, 0])).set_opacity(0.6)
        without = NumberLabel(trace.quantity("agent_uncached"), "usd .0", size="small", role="cost", after=" uncached")
        without.next_to(bills[1][2], RIGHT, buff=0.25, aligned_edge=DOWN)
        who = label("DeepSeek V4.1-Flash, off-peak list price", "heading", "latent").move_to(
            self.head[0], aligned_edge=LEFT
        )
        with self.step() as s:
            self.play(FadeOut(self.before), exchange(self.head, who), run_time=1.0)
            self.play(FadeIn(bills[0], sizes[0]), run_time=0.6)
            self.play(FadeIn(uncached, bills[1][1], sizes[1]), run_time=0.6)
            s.until("cached")
            self.play(FadeIn(bills[1][0], bills[1][2], without), run_time=0.8)
            s.until("documents")
            self.play(FadeIn(bills[2], sizes[2]), run_time=0.8)
            s.until("think")
            self.play(FadeIn(Group(bills[3][1], longer)), run_time=0.5)
            full, bills[3][0].amount = bills[3][0].amount, bills[0][0].amount
            self.play(bills[3][0].change_to(full), run_time=1.6)
            self.play(FadeIn(bills[3][2]), run_time=0.5)


class CheaperTokensMoreTokens(LectureScene):
    """Tokens a day as areas on one scale; then the answer: a slice of a shared read."""

    lecture = 6
    side = 3.5

    def construct(self) -> None:
        self.show_title()
        trace = self.run("demand")
        areas = self.growth(trace)
        self.old_story(trace, areas)
        self.answer(areas)

    def growth(self, trace: Trace) -> Group:
        unit = self.side**2 / float(trace.quantity("china_2026_03"))
        keys = (
            ("google", "2024", "2026_05", -4.9, "query", "Google, tokens a day"),
            ("china", "2024", "2026_03", 0.5, "latent", "China, tokens a day"),
        )
        marks = {"google": ("google", "later"), "china": ("china", "soon")}
        foot, parts = -1.95, Group()
        self.origin(trace, *self.sources())
        with self.step() as s:
            for name, first, last, left, colour, words in keys:
                start, end = (trace.quantity(f"{name}_{when}") for when in (first, last))
                small, large = (
                    AmountSquare(start, unit=unit, role=colour),
                    AmountSquare(end, unit=unit, role=colour, outline=True),
                )
                for square in (small, large):
                    square.move_to([left, foot, 0], aligned_edge=DL)
                title = label(words, "small", colour).move_to([left, foot - 0.28, 0], aligned_edge=LEFT)
                before = "filled: two years earlier, "
                figure = NumberLabel(start, "words 2 bare", size="small", role=colour, before=before)
                figure.next_to(title, DOWN, buff=0.14, aligned_edge=LEFT)
                grown = NumberLabel(end, "words 3 bare", size="body", role=colour).move_to(large)
                grown.align_to(large, UP).shift(0.25 * DOWN)
                if name == "google":  # the name stands from the first word, its amount comes when it is said
                    self.play(FadeIn(title), run_time=0.6)
                s.until(marks[name][0])
                come = (small, figure) if name == "google" else (small, title, figure)
                self.play(FadeIn(*come), run_time=0.8)
                s.until(marks[name][1])
                self.add(large, small)
                self.play(GrowFromPoint(large, large.get_corner(DL)), run_time=1.8, rate_func=EASE)
                gain = NumberLabel(
                    trace.quantity(f"{name}_growth"), "times 2", size="title", role="accent", after=" more"
                )
                gain.move_to(large).shift(0.1 * UP)
                self.play(FadeIn(grown, gain), run_time=0.4)
                parts.add(large, small, title, grown, figure, gain)
        return parts

    def sources(self) -> list[Quantity]:
        """What Google and China's data office said."""
        own = ("google.tokens_2024", "google.tokens_2026_05", "china.daily_2024", "china.daily_2026_03")
        return [self.number(f"fact.demand.{name}") for name in own]

    def old_story(self, trace: Trace, areas: Group) -> None:
        price, years = (self.number(f"run.price_history.first_to_floor{part}") for part in ("", "_years"))
        down = NumberLabel(price, "times 2", size="display", role="cost")
        text = column(
            label("GPT-4’s price\nto today’s\nlowest:", "small", "muted"),
            down,
            NumberLabel(years, "plain 2 bare", size="small", role="cost", before="lower in ", after=" years"),
            gap=0.14,
        )
        text.move_to([5.3, -0.3, 0])
        with self.step() as s:
            s.until("price")
            self.origin(trace, price, years, *self.sources())
            self.play(FadeIn(text, shift=0.2 * LEFT), run_time=1.0)
        areas.add(text)

    def answer(self, areas: Group) -> None:
        read = self.run("shared_read")
        keep = slice(0, 7)
        bar = SharedBar(read["step"].pick(users=keep), read["users"].pick(users=keep), length=11.5, at=0).shift(
            0.55 * DOWN
        )
        old, new = self.one_answer()
        crowd = Crowd(read.quantity("users_1"), columns=64, pitch=11.5 / 64)
        crowd.shift([-5.75 + 11.5 / 64 * 0.16, -1.75, 0])
        after = " users share the step: one dot, one slice"
        crowd_name = NumberLabel(read.quantity("users_64"), "plain bare", size="small", role="muted", after=after)
        crowd_name.move_to([-5.75, -2.1, 0], aligned_edge=LEFT)
        with self.step() as s:
            self.play(FadeOut(areas), run_time=0.6)
            self.origin(read, self.run("startup_month"))
            self.play(FadeIn(old[0]), run_time=0.6)
            s.until("old")
            self.play(FadeIn(old[1]), run_time=0.6)
            s.until("now")
            self.play(FadeIn(new), run_time=0.8)
            s.until("slice")
            self.play(FadeIn(bar.bar), run_time=0.4)
            self.play(bar.divide_to(6), run_time=1.2)
            piece = bar.part(0)
            words = {"before": "your slice: $", "after": " a million tokens", "role": "accent"}
            tag = NumberLabel(read.quantity("cost_64"), "plain .2 bare", **words)
            tag.next_to(piece, UP, buff=0.2).align_to(piece, LEFT)
            self.play(FadeIn(piece, tag), run_time=0.4)
            s.until("crowd")
            self.play(FadeIn(crowd), run_time=0.3)
            self.play(crowd.grow_to(read.quantity("users_64")), run_time=1.2)
            self.play(FadeIn(crowd_name), run_time=0.4)

    def one_answer(self) -> tuple[Group, Group]:
        """What one answer costs at two list prices, as areas on one scale."""
        month = self.run("startup_month")
        unit = 1.7**2 / float(month.quantity("cents_gpt4"))
        prices = []
        for key, who, colour, left in (
            ("gpt4", "GPT-4, first price", "cost", -5.75),
            ("v4_1_flash", "DeepSeek V4.1-Flash", "latent", 0.9),
        ):
            square = AmountSquare(month.quantity(f"cents_{key}"), unit=unit, role=colour)
            square.move_to([left, 0.75, 0], aligned_edge=DL)
            figure = NumberLabel(month.quantity(f"cents_{key}"), "plain 2 bare", size="title", after=" cents an answer")
            words = column(label(who, "small", colour), figure, gap=0.14)
            words.next_to(square, RIGHT, buff=0.35, aligned_edge=DOWN)
            prices.append(Group(square, words))
        return prices[0], prices[1]
