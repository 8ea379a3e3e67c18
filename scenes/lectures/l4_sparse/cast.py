"""Lecture 4: two of the supporting cast, guesses one token ahead and traffic hidden behind work."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, FadeIn, FadeOut, Group, Line, TransformFromCopy, VGroup, VMobject, linear

from explainers.quantities import Quantity
from explainers.traces import Trace
from scenes.kit import (
    STAGE_CENTER,
    GuessStrip,
    Legend,
    NumberLabel,
    TokenRow,
    TurnTimeline,
    Waffle,
    column,
    fit_width,
    label,
    role,
    summary,
)
from scenes.stage import LectureScene


class GuessingAhead(LectureScene):
    """A real text written on with the drafting head, pass by pass; then how many guesses stand, by kind of text."""

    lecture = 4

    def construct(self) -> None:
        self.show_title()
        trace = self.run("guess_strip")
        self.origin(trace)
        prompt = TokenRow(trace["prompt"])
        strip = GuessStrip(trace["stood"], trace["written"], width=12.2)
        fit_width(strip, 12.4)
        prompt.move_to(STAGE_CENTER).shift(2.0 * UP).align_to([-6.2, 0, 0], LEFT)
        strip.next_to(prompt, DOWN, buff=0.55).align_to([-6.2, 0, 0], LEFT)
        read = label("our small model reads", "small", "muted").next_to(prompt, UP, buff=0.14, aligned_edge=LEFT)
        tokens = NumberLabel(trace.quantity("tokens"), "plain bare", size="heading", role="token", after=" tokens in ")
        passes = NumberLabel(trace.quantity("passes"), "plain bare", size="heading", role="accent", after=" passes")
        score = VGroup(tokens, passes).arrange(RIGHT, buff=0.15).move_to([4.0, STAGE_CENTER[1] - 1.5, 0])
        key = VGroup(
            Legend([("guess that stood", "reward"), ("guess that fell", "cost")]),
            label("a bracket: one pass", "small", "muted"),
        )
        key.arrange(RIGHT, buff=0.45).match_y(read).align_to([6.2, 0, 0], RIGHT)
        fell = [index for index, each in enumerate(strip.fallen) if each]
        with self.step() as s:
            self.play(FadeIn(read, prompt), run_time=0.8)
            s.until("head")
            self.play(strip.play_pass(0), FadeIn(key), run_time=0.7)
            if len(strip.passes) > 1 and strip.guesses[1] is not None:
                self.play(strip.hold_out(1))
            first = fell[0] if fell else len(strip.passes)
            s.until("check")
            for index in range(1, first):
                if index == 2:
                    s.until("stands")
                self.play(strip.play_pass(index, run_time=1.1 if index == 1 else 0.7))
            s.until("falls")
            for index in range(first, len(strip.passes)):
                self.play(strip.play_pass(index, run_time=0.8 if index == first else 0.3))
            self.play(FadeIn(score, shift=0.15 * UP), run_time=0.4)
        self.outcome(Group(read, key, prompt, strip, *strip.passes, score))

    #: kinds of text, from the least to the most predictable
    texts: ClassVar[tuple[str, ...]] = ("English", "sums", "code", "German")

    def outcome(self, before: Group) -> None:
        """Every guess of the run as a square: green ones stood, red ones fell; beside them what was reported of V3."""
        trace = self.run("mtp")
        cited = [self.number(f"fact.inference.mtp.{key}") for key in ("speedup", "acceptance_low", "acceptance_high")]
        fields = [self.field(trace, name) for name in self.texts]
        left = column(*(all_ for all_, *_ in fields), gap=0.26).move_to(STAGE_CENTER).shift(2.3 * LEFT + 0.3 * DOWN)
        for all_, stood, name, share in fields:
            stood.place_at(all_.origin_point.points[0])
            name.next_to(left, LEFT, buff=0.3).set_y(all_.get_center()[1])
            share.next_to(left, RIGHT, buff=0.25).set_y(all_.get_center()[1])
        rate = trace.quantity("acceptance_mtp_greedy")
        head = NumberLabel(rate, "percent .0", size="heading", role="reward", after=" of guesses stand")
        head.next_to(left, UP, buff=0.3).align_to(left, LEFT)
        key = label("a square is a guess of our small model; red ones fell", "small", "muted")
        key.next_to(left, DOWN, buff=0.2).align_to(left, LEFT)
        right = column(*self.beside(trace, cited), gap=0.6).move_to(STAGE_CENTER).shift(4.2 * RIGHT)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(trace, *cited)
            s.until("rate")
            self.play(FadeIn(head, key), run_time=0.5)
            for all_, stood, name, share in fields:
                self.play(FadeIn(name), all_.fill(run_time=0.8), stood.fill(run_time=0.8))
                self.play(FadeIn(share), run_time=0.2)
            s.until("passes")
            self.play(FadeIn(right[0], shift=0.15 * UP), run_time=0.7)
            s.until("published")
            self.play(FadeIn(right[1], shift=0.15 * UP), run_time=0.7)

    @staticmethod
    def field(trace: Trace, text: str) -> tuple[Waffle, Waffle, VMobject, NumberLabel]:
        """All guesses on one kind of text, those that stood, the text's name and the share."""
        place = trace["guesses"].labels["domain"].index(text)
        made, stood = (
            summary(trace[key].pick(drafter=0, temperature=0, domain=place), "sum") for key in ("guesses", "accepted")
        )
        one = (made / made).named("one guess")
        waffles = [Waffle(n, one, rows=5, cell=0.155, role=colour) for n, colour in ((made, "cost"), (stood, "reward"))]
        share = NumberLabel(trace.quantity(f"acceptance_{text.lower()}"), "percent .0", size="body", role="reward")
        return waffles[0], waffles[1], label(text, "body"), share

    @staticmethod
    def beside(trace: Trace, cited: list[Quantity]) -> list[VGroup]:
        """Tokens a pass here, and what DeepSeek reports of V3."""
        ours = NumberLabel(trace.quantity("tokens_per_pass_mtp_greedy"), "plain .1 bare", size="hero", role="accent")
        ours_name = label("tokens a pass,\nour small model", "small", "muted")
        theirs = NumberLabel(cited[0], "times 2", size="display", role="muted", before="about ")
        theirs_name = label("the speed of V3, as reported", "small", "muted")
        low = NumberLabel(cited[1], "percent .0", size="small", role="muted", after=" to")
        stand = VGroup(low, NumberLabel(cited[2], "percent .0", size="small", role="muted", after=" of guesses stand"))
        stand.arrange(RIGHT, buff=0.07)
        return [
            VGroup(ours, ours_name).arrange(DOWN, buff=0.16, aligned_edge=LEFT),
            VGroup(theirs, theirs_name, stand).arrange(DOWN, buff=0.16, aligned_edge=LEFT),
        ]


class HiddenTraffic(LectureScene):
    """Two halves of a batch through three layers: one machine waits for the other; then they take turns."""

    lecture = 4
    marks: ClassVar[tuple[str, ...]] = ("layer", "out", "experts", "back")

    def construct(self) -> None:
        self.show_title()
        trace = self.run("overlap")
        self.origin(trace, self.run("efficiency_ledger"), self.number("v3.moe_layers"))
        line = TurnTimeline(
            trace["start"], trace["length"], lanes=("multipliers", "wire"), width=10.6, thickness=1.1, gap=0.55
        )
        line.move_to(STAGE_CENTER).shift(0.25 * DOWN)
        line.align_to([6.25, 0, 0], RIGHT)
        legend = Legend([("attention", "query"), ("experts", "expert"), ("on the way", "router")])
        legend.next_to(line, UP, buff=0.45).align_to(line.lanes[0][0], LEFT)
        note = label(
            "our serving model of V3 reading a batch of prompts: its first layers with experts",
            "small",
            "muted",
        )
        note.next_to(line, DOWN, buff=0.02).align_to(line.lanes[0][0], LEFT)
        idle, less = (
            self.waiting(line, trace.quantity(f"idle_{name}"), colour)
            for name, colour in (("serial", "cost"), ("overlapped", "accent"))
        )
        halves = self.joined(line)
        with self.step() as s:
            self.play(FadeIn(line.lanes[0], line.axes, note), run_time=0.8)
            s.until("travel")
            self.play(FadeIn(line.lanes[1]), run_time=0.6)
            for stage, mark in enumerate(self.marks):
                s.until(mark)
                self.play(FadeIn(line.of(layer=0, stage=stage), shift=0.2 * RIGHT, lag_ratio=0.5), run_time=0.9)
            self.play(FadeIn(legend), run_time=0.4)
            s.until("next")
            self.play(line.arrive((1, 2), run_time=max(1.6, s.left_until("idle") - 0.2)))
            self.add(line)
            s.until("idle")
            self.play(FadeIn(line.waits(0), lag_ratio=0.2), FadeIn(idle), run_time=0.9)
        self.in_turns(line, halves, idle, less)

    def in_turns(self, line: TurnTimeline, halves: VGroup, idle: VGroup, less: VGroup) -> None:
        """The batch is cut, its halves take turns; how long a layer takes, before and after; who waits now."""
        layers = [self.a_layer(line, schedule) for schedule in (0, 1)]
        waiting = self.number("run.efficiency_ledger.waiting")
        share = NumberLabel(waiting, "percent .0", size="heading", role="reward", after=" as long")
        share.move_to([line.end_of(1)[0] + 0.3, line.lanes[0][0].get_y() + 0.16, 0], aligned_edge=LEFT)
        shorter = self.over_all(share, LEFT)
        with self.step() as s:
            self.play(FadeOut(idle, line.waits(0)), run_time=0.4)
            s.until("two")
            cut = (old.animate.become(new) for old, new in zip(line.blocks, halves, strict=True))
            self.play(*cut, run_time=0.6)
            self.play(FadeIn(layers[0]), run_time=0.4)
            s.until("turns")
            self.play(line.arrange_as(1, run_time=4.2, rate_func=linear))
            s.until("period")
            self.play(TransformFromCopy(layers[0][0], layers[1][0]), FadeIn(layers[1][1]), run_time=0.8)
            self.play(FadeIn(shorter), run_time=0.5)
            s.until("wire")
            self.play(FadeIn(line.waits(1), lag_ratio=0.2), FadeIn(less), run_time=1.0)

    def waiting(self, line: TurnTimeline, share: Quantity, colour: str) -> VGroup:
        """How much of the time the multipliers wait, over their lane."""
        words = {"before": "multipliers wait ", "after": " of the time"}
        number = NumberLabel(share, "percent .0", size="heading", role=colour, **words)
        return self.over_all(number.next_to(line, UP, buff=0.6).align_to(line.lanes[0][0], RIGHT), RIGHT)

    @staticmethod
    def joined(line: TurnTimeline) -> VGroup:
        """Nobody has cut the batch yet: its halves look alike and have no names. Returns how they looked before."""
        halves = line.blocks.copy()
        for block, (batch, _, stage) in zip(line.blocks, line.index, strict=True):
            if batch:
                block[0].match_style(line.of(layer=0, stage=stage, batch=0)[0][0])
            block[1].set_opacity(0)
        return halves

    def over_all(self, share: NumberLabel, side: np.ndarray) -> VGroup:
        """A share, and below it that it is of all layers with experts, of which the first few are drawn."""
        layers = NumberLabel(
            self.number("v3.moe_layers"), "plain bare", size="small", role="muted", before="over all ", after=" layers"
        )
        return VGroup(share, layers.next_to(share, DOWN, buff=0.14, aligned_edge=side))

    @staticmethod
    def a_layer(line: TurnTimeline, schedule: int) -> VGroup:
        """How long a layer takes, between the lanes: from where the one before it ends to where it ends.

        Of the last layer drawn: in the first one the lanes still fill, and the total of a few layers says that, too.
        """
        colour = "cost" if schedule == 0 else "reward"
        level = (line.lanes[0][0].get_bottom()[1] + line.lanes[1][0].get_top()[1]) / 2
        last = line.start.shape[2] - 1
        left, right = (line.end_of(schedule, layer=layer)[0] for layer in (last - 1, last))
        words = label("a layer", "small", colour).move_to([(left + right) / 2, level, 0])
        strokes = VGroup()
        for end, near in ((left, words.get_left()[0] - 0.12), (right, words.get_right()[0] + 0.12)):
            strokes.add(Line([end, level, 0], [near, level, 0]), Line([end, level - 0.14, 0], [end, level + 0.14, 0]))
        return VGroup(strokes.set_stroke(role(colour), 2.5), words)
