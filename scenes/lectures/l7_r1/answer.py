"""Lecture 7: what a checker cannot see, and the answer of the lecture in one picture."""

from __future__ import annotations

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Create, FadeIn, FadeOut, GrowFromEdge, Rectangle, VGroup

from explainers.quantities import Quantity
from explainers.tasks import apply
from explainers.traces import Trace
from scenes.kit import (
    STAGE_CENTER,
    Arrow,
    Branches,
    NumberLabel,
    TokenRow,
    label,
    mono,
    role,
    verdict,
)
from scenes.kit.marks import tick
from scenes.stage import LectureScene


class WhatCheckingCanDo(LectureScene):
    """A judge that was used briefly, a right answer with wrong steps; then two ways, and which one grew."""

    lecture = 7

    def construct(self) -> None:
        self.show_title()
        self.grown(self.limits())

    def limits(self) -> VGroup:
        """The last stage of R1 to scale, and the recorded attempt whose errors cancel."""
        steps, judged = (self.number(f"fact.r1.stage_4_rl_all.{key}") for key in ("steps", "preference_steps"))
        length = 11.6
        whole = Rectangle(width=length, height=0.7, stroke_width=0, fill_color=role("reward"), fill_opacity=1)
        part = Rectangle(width=length * float(judged) / float(steps), height=0.7, stroke_width=0, fill_opacity=1)
        part.set_fill(role("accent"))
        whole.move_to(STAGE_CENTER + 1.6 * UP)
        part.move_to(whole, aligned_edge=RIGHT)
        names = VGroup(
            VGroup(
                label("R1's last stage:", "body", "reward"),
                NumberLabel(steps, "plain", role="reward", after=" steps"),
            ).arrange(RIGHT, buff=0.14),
            NumberLabel(judged, "plain bare", role="accent", before="a model as judge: only the last ", after=""),
        )
        names[0].next_to(whole, UP, buff=0.2).align_to(whole, LEFT)
        names[1].next_to(part, DOWN, buff=0.2).align_to(part, RIGHT)
        group = self.run("grpo_group")
        attempt = self.attempt(group)
        attempt.move_to(STAGE_CENTER + 1.25 * DOWN)
        self.origin(steps, group)
        # how much longer is not told, so it is an arrow above the bar, not a length of it
        corner = part.get_corner(UP + LEFT) + 0.25 * UP
        longer = Arrow(corner + part.width * RIGHT, corner + 3.0 * LEFT, LEFT, role="cost", stroke=5, tip=0.24)
        pleased = label("longer: it learned to please the judge", "body", "cost")
        pleased.next_to(longer, UP, buff=0.12).align_to(part, RIGHT)
        with self.step() as s:
            self.play(FadeIn(whole, names[0]), run_time=0.9)
            s.until("judge")
            self.play(GrowFromEdge(part, RIGHT), FadeIn(names[1]), run_time=1.2)
            s.until("longer")
            self.play(Create(longer), FadeIn(pleased), run_time=1.4)
            s.until("proof")
            self.play(FadeIn(attempt[0]), run_time=0.6)
            self.play(FadeIn(attempt[1], lag_ratio=0.2), FadeIn(attempt[3]), run_time=1.0)
            self.play(Create(attempt[2][0]), FadeIn(attempt[2][1]), run_time=0.6)
        return VGroup(whole, part, names, longer, pleased, attempt)

    def attempt(self, group: Trace) -> VGroup:
        """The sum; the steps as written, each with what it had to work out and whether it did; the checker's mark."""
        correct, slips = group["reward_correct"].values, group["slips"].values
        index = next(i for i in range(len(correct)) if correct[i] > 0 and slips[i] > 0)
        prompt = group["prompt"].labels["place"]
        written = TokenRow(group["answer"].labels["sample"][index].split(), size="body", gap=0.4)
        asked = TokenRow(prompt, size="small", gap=0.08).next_to(written, UP, buff=0.42).align_to(written, LEFT)
        rule = label("last digits only", "small", "muted").next_to(asked, RIGHT, buff=0.3)
        frames, marks, names = VGroup(), VGroup(), VGroup()
        before = int(prompt[0])
        for k, code in enumerate(group["prompt"].values[1 : 2 * len(group["running"].values) : 2]):
            chip, operand = written.chips[k + 1], int(prompt[2 * k + 2])
            fits = chip.token == str(int(apply(*(np.asarray(each) for each in (code, operand, before)))))
            signs = (str(before), prompt[2 * k + 1], prompt[2 * k + 2])
            sum_ = VGroup(*(mono(sign, "small", "muted" if fits else "cost") for sign in signs)).arrange(
                RIGHT, buff=0.04
            )
            for sign in sum_:
                sign.text_kind = "token"
            mark = verdict(fits, 0.2, 4).next_to(sum_.next_to(chip, DOWN, buff=0.16), DOWN, buff=0.12)
            marks.add(VGroup(sum_, mark))
            if not fits:
                frames.add(chip.box.copy().set_fill(opacity=0).set_stroke(role("cost"), 4))
            before = int(chip.token)
        names.add(label("two errors cancel", "body", "cost").next_to(marks, DOWN, buff=0.16))
        right = VGroup(tick(size=0.42), label("right: paid", "small", "reward")).arrange(DOWN, buff=0.14)
        right.next_to(written.chips[-2], DOWN, buff=0.18)
        return VGroup(VGroup(asked, rule, written), marks, VGroup(frames, names), right)

    def grown(self, before: VGroup) -> None:
        """Two ways at the start and at the end of our training; a ribbon is as wide as its share."""
        grpo = self.run("grpo")
        shares = [
            tuple(grpo.quantity(f"{when}_{key}") for key in ("thinking", "forced_sampled", "forbidden_sampled"))
            for when in ("before", "after")
        ]
        first, last = (Branches(*each, width=8.4, height=3.3).move_to(STAGE_CENTER + 0.05 * DOWN) for each in shares)
        last.start.move_to(first.start)
        names = [self.names(branches, *each) for branches, each in zip((first, last), shares, strict=True)]
        task = label("a sum", "body", "muted").next_to(first.start, LEFT, buff=0.2)
        moments = [label(f"{when} the rewards", "body", "accent", weight="medium") for when in ("before", "after")]
        for moment in moments:
            moment.next_to(first.start, UP, buff=0.5).align_to(first.start, LEFT).shift(0.9 * LEFT)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(grpo)
            self.play(FadeIn(first.start, task, moments[0]), run_time=0.5)
            s.until("tries")
            self.play(FadeIn(first.ribbons[0], first.ribbons[3], first.ways), run_time=0.8)
            self.play(FadeIn(names[0][0], names[0][2]), run_time=0.5)
            self.play(
                FadeIn(*(first.ribbons[i] for i in (1, 2, 4, 5)), first.ends, names[0][1], names[0][3]), run_time=0.9
            )
            s.until("likelier")
            self.play(FadeOut(*names[0], moments[0]), run_time=0.6)
            self.play(first.become_like(last, run_time=3.0))
            self.play(FadeIn(moments[1]), run_time=0.4)
            s.until("answer")
            self.play(FadeIn(*names[1]), run_time=0.7)

    @staticmethod
    def names(branches: Branches, thinking: Quantity, forced: Quantity, forbidden: Quantity) -> VGroup:
        """What the ways and the ends are called, with their shares, beside where they stand."""
        think = NumberLabel(thinking, "percent .0", role="token", before="thinks first: ")
        think.next_to(branches.ways[0], UP, buff=0.15)
        direct = label("digit at once", "body", "dense").next_to(branches.ways[1], DOWN, buff=0.15)
        right = VGroup(
            label("right", "body", "reward"),
            NumberLabel(forced, "percent .0", size="small", role="token", before="of thoughts: "),
            NumberLabel(forbidden, "percent .0", size="small", role="dense", before="at once: "),
        ).arrange(DOWN, buff=0.14, aligned_edge=LEFT)
        right.next_to(branches.ends[0], RIGHT, buff=0.25)
        wrong = label("wrong", "body", "cost").next_to(branches.ends[1], RIGHT, buff=0.25)
        return VGroup(think, right, direct, wrong)
