"""Lecture 4: the honest column, and the answer as a ledger."""

from __future__ import annotations

from typing import ClassVar

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    DashedLine,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    Square,
    VGroup,
)

from explainers.traces import NamedArray
from scenes.kit import (
    EASE,
    STAGE_CENTER,
    Axis,
    BarRow,
    Crowd,
    Entry,
    ExpertMail,
    Ledger,
    NumberLabel,
    TokenRow,
    label,
    role,
)
from scenes.stage import LectureScene


class WhatItCosts(LectureScene):
    """Tokens visit experts on many machines; all wait for the busiest; then gains and costs on one line."""

    lecture = 4
    layer = 1

    def construct(self) -> None:
        self.show_title()
        before = self.visits()
        before = self.busiest(before)
        self.answer(before)

    def visits(self) -> Group:
        """Every token sends a dot to each of its experts; the dots pile up into the experts' loads."""
        trace = self.run("routing")
        tokens = TokenRow(trace["u"].pick(layer=self.layer))
        tokens.move_to(STAGE_CENTER).shift(2.0 * UP)
        chosen, count = trace["indices"].pick(layer=self.layer), trace["original_scores"].values.shape[-1]
        mail = ExpertMail(chosen, experts=count, tokens=len(tokens.chips))
        mail.shift(STAGE_CENTER + 1.35 * DOWN - mail.squares.get_center())
        name = label("experts of our small model; a frame could be one machine", "small", "muted")
        name.next_to(mail.frames, DOWN, buff=0.12, aligned_edge=LEFT)
        facts = self.of_v3().next_to(name, DOWN, buff=0.3).set_x(0)
        self.origin(trace, self.number("run.efficiency_ledger.sent"))
        with self.step() as s:
            self.play(FadeIn(tokens, lag_ratio=0.05), FadeIn(mail.machines, name), run_time=0.9)
            s.until("token")
            self.play(mail.send(0, tokens.chips[0], run_time=1.3))
            s.until("more")
            pace = max(1.2, s.left_until("unit") - 1.0) / max(len(mail.letters) - 1, 1)
            for index in range(1, len(mail.letters)):
                self.play(mail.send(index, tokens.chips[index], run_time=max(pace, 0.2)))
                if index == len(mail.letters) // 2:
                    self.play(FadeIn(facts[:2]), run_time=0.4)
            self.add(mail)
            s.until("unit")
            self.play(FadeIn(facts[2]), run_time=0.6)
        return Group(tokens, mail, name, facts)

    def of_v3(self) -> VGroup:
        """The two numbers of V3: what a token sends, and how many chips run as one."""
        sent = NumberLabel(self.number("run.efficiency_ledger.sent"), "si 2", size="heading", role="router")
        unit = NumberLabel(self.number("run.efficiency_ledger.gpus"), "plain bare", size="heading", role="cost")
        parts = [label("V3:", "body", "muted")]
        for number, words in ((sent, "sent for each token"), (unit, "chips run as one")):
            parts.append(VGroup(number, label(words, "body", "muted")).arrange(RIGHT, buff=0.2))
        return VGroup(*parts).arrange(RIGHT, buff=0.5)

    modes: ClassVar[tuple[tuple[str, str, str, str], ...]] = (
        ("neither", "without care", "uneven", "cost"),
        ("bias rule", "with the balancing rule", "even", "reward"),
    )

    def busiest(self, before: Group) -> Group:
        """Loads of the experts at the end of two trainings, beside their mean."""
        trace = self.run("balance")
        load = trace["load"]
        parts = Group()
        rows = []
        for mode, words, key, colour in self.modes:
            place = load.labels["mode"].index(mode)
            last = load.values[place, -1, self.layer].astype(float)
            share = NamedArray(last / last.mean(), ("expert",), f"load over mean, {mode}", "×", {}, load.run, "")
            axis = Axis(0, 3.0, "load over the mean", "×", ticks=(0.0, 1.0, 2.0, 3.0))
            top = int(share.values.argmax())
            bars = BarRow(share, role="expert", marked=(top,), marked_role=colour, width=5.2, height=3.1, y_axis=axis)
            bars.axes.lines.set_stroke(opacity=0)
            name = label(words, "body", colour)
            rows.append((bars, name, key, colour))
            parts.add(bars)
        parts.arrange(RIGHT, buff=1.0).move_to(STAGE_CENTER).shift(0.05 * UP)
        note = label("bars: one of our trainings, at its end; numbers: mean of three", "small", "muted")
        note.move_to([0, STAGE_CENTER[1] - 2.45, 0])
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(trace, self.run("efficiency_ledger"))
            self.play(FadeIn(note), run_time=0.3)
            for bars, name, key, colour in rows:
                name.next_to(bars.axes.corners, DOWN, buff=0.25)
                number = NumberLabel(
                    self.number(f"run.efficiency_ledger.{key}"), "times 2", size="heading", role=colour
                )
                top = max(bars.bars, key=lambda bar: float(bar.height))
                number.next_to(top, UP, buff=0.14)
                mean = DashedLine(
                    bars.axes.point(0, 1.0),
                    bars.axes.point(bars.axes.x.high, 1.0),
                    stroke_width=2.5,
                    color=role("text"),
                )
                s.until(key)
                self.play(
                    FadeIn(bars.axes, name),
                    LaggedStart(*(FadeIn(bar, shift=0.2 * UP) for bar in bars.bars), lag_ratio=0.05),
                    run_time=1.0,
                )
                self.play(Create(mean), FadeIn(number), run_time=0.7)
                parts.add(name, number, mean)
        parts.add(note)
        return parts

    #: name → number of the run, colour, format, mark, what it is compared with
    lines: ClassVar[dict[str, tuple[str, str, str, str, str]]] = {
        "arithmetic of a token": ("work", "reward", "percent 2", "work", "against everything at work"),
        "cache of a token": ("cache", "reward", "percent 2", "keep", "against full attention"),
        "bytes of a weight": ("bytes", "reward", "percent 2", "", "against BF16"),
        "time, tokens guessed": ("passes", "reward", "percent 2", "", "as reported"),
        "time, traffic hidden": ("waiting", "reward", "percent 2", "", "our model"),
        "weights held": ("held", "cost", "times 2", "held", "against those at work"),
        "busiest expert": ("even", "cost", "times 2", "", "against the mean, here"),
    }

    def answer(self, before: Group) -> None:
        entries = [
            Entry(name, self.number(f"run.efficiency_ledger.{key}"), colour, fmt, note)
            for name, (key, colour, fmt, _, note) in self.lines.items()
        ]
        ledger = Ledger(entries, middle="as usual", width=9.6, pitch=0.62, thickness=0.38)
        ledger.move_to(STAGE_CENTER).shift(0.05 * DOWN)
        trace, room = self.run("efficiency_ledger"), self.run("node_room")
        users = room.quantity("users_mla_4k")
        crowd = Crowd((users - users).named("nobody yet", unit="user"), columns=64, pitch=0.05, role="latent")
        crowd.shift([3.1, -2.95, 0])
        people = NumberLabel(users, "plain bare", size="small", role="latent", after=" users of a node")
        people.next_to([3.0, -2.4, 0], LEFT, buff=0.1)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(trace, room)
            self.play(FadeIn(ledger.frame), run_time=0.6)
            for name, (_, _, _, mark, _) in self.lines.items():
                if mark:
                    s.until(mark)
                self.play(ledger.grow(name, run_time=1.2 if mark else 0.7))
            s.until("sides")
            pair = VGroup(*(self.frame_of(ledger.bars[name]) for name in ("arithmetic of a token", "weights held")))
            self.play(Create(pair), run_time=1.0, rate_func=EASE)
            s.until("crowd")
            self.play(FadeIn(people, run_time=0.3), crowd.grow_to(users, run_time=1.2))

    @staticmethod
    def frame_of(bar: VGroup) -> Square:
        """A frame around one bar."""
        frame = Square().stretch_to_fit_width(bar.width + 0.14).stretch_to_fit_height(bar.height + 0.14)
        return frame.move_to(bar).set_stroke(role("accent"), 2.5)
