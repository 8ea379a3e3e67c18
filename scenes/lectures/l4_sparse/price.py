"""Lecture 4: the honest column, and the answer as a ledger."""

from __future__ import annotations

from typing import ClassVar

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    Create,
    DashedLine,
    FadeIn,
    FadeOut,
    Group,
    GrowFromEdge,
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
    TokenChip,
    TokenRow,
    label,
    role,
    tint,
)
from scenes.stage import LectureScene


class WhatItCosts(LectureScene):
    """Tokens visit experts on many machines; all wait for the busiest; then gains and costs on one line."""

    lecture = 4
    #: the layer of `OneSentence` in lecture 2: the same sentence reaches the same experts
    layer = 0

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
        name = label("experts of a layer of our small model; a frame could be one machine", "small", "muted")
        name.next_to(mail.frames, DOWN, buff=0.12, aligned_edge=LEFT)
        facts = self.of_v3().next_to(name, DOWN, buff=0.3).set_x(0)
        self.origin(trace, self.number("run.efficiency_ledger.sent"))
        with self.step() as s:
            self.play(FadeIn(tokens, lag_ratio=0.05), FadeIn(mail.machines, name), run_time=0.9)
            s.until("token")
            self.play(mail.send(0, tokens.chips[0]), self.lit(tokens.chips[0]), run_time=1.3)
            s.until("more")
            pace = max(1.2, s.left_until("unit") - 1.0) / max(len(mail.letters) - 1, 1)
            for index in range(1, len(mail.letters)):
                before, now = tokens.chips[index - 1 : index + 1]
                self.play(mail.send(index, now), self.lit(before, "token"), self.lit(now), run_time=max(pace, 0.2))
                if index == len(mail.letters) // 2:
                    self.play(FadeIn(facts[:2]), run_time=0.4)
            self.add(mail)
            s.until("unit")
            self.play(FadeIn(facts[2]), self.lit(tokens.chips[-1], "token"), run_time=0.6)
        return Group(tokens, mail, name, facts)

    @staticmethod
    def lit(chip: TokenChip, colour: str = "router") -> AnimationGroup:
        """The animation in which a chip takes the colour of the dots that leave it, or its own again."""
        edge = tint("token", 0.6) if colour == "token" else role(colour)
        box = chip.box.animate.set_stroke(edge, 1.8 if colour == "token" else 4).set_fill(tint(colour, 0.14), 1)
        return AnimationGroup(box, chip.text.animate.set_fill(role(colour), 1))

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
        final = load.values[load.labels["mode"].index(self.modes[0][0]), -1].astype(float)
        typical = float(self.number("run.efficiency_ledger.uneven"))
        drawn = int(abs(final.max(-1) / final.mean(-1) - typical).argmin())  # the layer nearest to the mean of all
        for mode, words, key, colour in self.modes:
            place = load.labels["mode"].index(mode)
            last = load.values[place, -1, drawn].astype(float)
            share = NamedArray(last / last.mean(), ("expert",), f"load over mean, {mode}", "×", {}, load.run, "")
            axis = Axis(0, 3.0, "load over the mean", "×", ticks=(0.0, 1.0, 2.0, 3.0))
            top = int(share.values.argmax())
            bars = BarRow(share, role="expert", marked=(top,), marked_role=colour, width=5.2, height=3.1, y_axis=axis)
            bars.axes.lines.set_stroke(opacity=0)
            name = label(words, "body", colour)
            rows.append((bars, name, key, colour))
            parts.add(bars)
        parts.arrange(RIGHT, buff=1.0).move_to(STAGE_CENTER).shift(0.3 * UP)
        note = label(
            "bars: a layer in one of our trainings; numbers: the busiest, mean of all layers and trainings",
            "small",
            "muted",
        )
        note.move_to([0, STAGE_CENTER[1] - 2.45, 0])
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(trace, self.run("efficiency_ledger"))
            means = VGroup(*(self.mean_of(bars) for bars, *_ in rows))
            self.play(FadeIn(note, *(bars.axes for bars, *_ in rows)), Create(means), run_time=0.6)
            for bars, name, key, colour in rows:
                # beside the name, not on the bar: it is the mean of trainings of which the bars are one
                number = NumberLabel(
                    self.number(f"run.efficiency_ledger.{key}"), "times 2", size="heading", role=colour
                )
                VGroup(name, number).arrange(RIGHT, buff=0.3).next_to(bars.axes.corners, DOWN, buff=0.25)
                s.until(key)
                grown = LaggedStart(*(GrowFromEdge(bar, DOWN) for bar in bars.bars), lag_ratio=0.05)
                self.play(FadeIn(name), grown, run_time=1.0)
                self.add(bars.bars, means)
                self.play(FadeIn(number), run_time=0.7)
                parts.add(name, number)
            parts.add(means)
        parts.add(note)
        return parts

    @staticmethod
    def mean_of(bars: BarRow) -> DashedLine:
        """A line at the mean load."""
        ends = (bars.axes.point(place, 1.0) for place in (0, bars.axes.x.high))
        return DashedLine(*ends, stroke_width=2.5, color=role("text"))

    #: name → number of the run, colour, format, mark, what it is compared with
    lines: ClassVar[dict[str, tuple[str, str, str, str, str]]] = {
        "arithmetic of a token": ("work", "reward", "percent 2", "work", "against everything at work"),
        "cache of a token": ("cache", "reward", "percent 2", "keep", "against full attention"),
        "bytes of a weight": ("bytes", "reward", "percent 2", "less", "against BF16"),
        "time, tokens guessed": ("passes", "reward", "percent 2", "", "as reported"),
        "time, traffic hidden": ("waiting", "reward", "percent 2", "", "our serving model"),
        "weights held": ("held", "cost", "times 2", "held", "against those at work"),
        "busiest expert": ("even", "cost", "times 2", "", "against the mean, our small model"),
    }

    def answer(self, before: Group) -> None:
        entries = [
            Entry(
                name,
                self.number(f"run.efficiency_ledger.{key}"),
                colour,
                fmt,
                note,
                after=" of the usual" if colour == "reward" else "",
            )
            for name, (key, colour, fmt, _, note) in self.lines.items()
        ]
        ledger = Ledger(entries, middle="as usual", width=8.4, pitch=0.55, thickness=0.34)
        ledger.move_to(STAGE_CENTER).shift(0.53 * UP)
        trace, room = self.run("efficiency_ledger"), self.run("node_room")
        users = room.quantity("users_mla_4k")
        crowd = Crowd((users - users).named("nobody yet", unit="user"), columns=76, pitch=0.066, role="latent")
        crowd.shift([1.2, -2.95, 0])
        people = NumberLabel(users, "plain bare", size="small", role="latent", after=" users of eight chips share them")
        people.next_to(ledger.bars["busiest expert"], RIGHT).align_to([6.2, 0, 0], RIGHT)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(trace, room)
            self.play(FadeIn(ledger.frame), run_time=0.6)
            for name, (_, _, _, mark, _) in self.lines.items():
                if mark:
                    s.until(mark)
                self.play(ledger.grow(name, run_time=1.2 if mark not in ("", "less") else 0.8))
            s.until("sides")
            pair = VGroup(*(self.frame_of(ledger.bars[name]) for name in ("arithmetic of a token", "weights held")))
            self.play(Create(pair), run_time=1.0, rate_func=EASE)
            s.until("crowd")
            self.play(FadeIn(people, run_time=0.3), crowd.grow_to(users, run_time=1.2))

    @staticmethod
    def frame_of(bar: VGroup) -> Square:
        """A frame around one bar."""
        frame = Square().stretch_to_fit_width(bar.width + 0.1).stretch_to_fit_height(bar.height + 0.1)
        return frame.move_to(bar).set_stroke(role("accent"), 2.5)
