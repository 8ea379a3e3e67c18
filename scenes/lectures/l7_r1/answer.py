"""Lecture 7: what a checker cannot see, and the answer of the lecture in one picture."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, Create, FadeIn, FadeOut, GrowFromEdge, Rectangle, VGroup

from explainers.quantities import Quantity
from explainers.traces import Trace
from scenes.kit import (
    STAGE_CENTER,
    Branches,
    NumberLabel,
    TokenRow,
    exchange,
    label,
    quantity_at,
    role,
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
            NumberLabel(judged, "plain bare", role="accent", before="with a judge: ", after=" steps"),
        )
        names[0].next_to(whole, UP, buff=0.2).align_to(whole, LEFT)
        names[1].next_to(part, DOWN, buff=0.2).align_to(part, RIGHT)
        group = self.run("grpo_group")
        attempt = self.attempt(group)
        attempt.move_to(STAGE_CENTER + 1.35 * DOWN)
        self.origin(steps, group)
        with self.step() as s:
            self.play(FadeIn(whole, names[0]), run_time=0.9)
            s.until("judge")
            self.play(GrowFromEdge(part, RIGHT), FadeIn(names[1]), run_time=1.2)
            s.until("proof")
            self.play(FadeIn(attempt[0], attempt[1]), run_time=0.9)
            self.play(Create(attempt[2][0]), FadeIn(attempt[2][1]), run_time=0.8)
            self.play(FadeIn(attempt[3]), run_time=0.5)
        return VGroup(whole, part, names, attempt)

    def attempt(self, group: Trace) -> VGroup:
        """Steps as written, the right ones above, frames where they differ, and the checker's mark."""
        correct, slips = group["reward_correct"].values, group["slips"].values
        index = next(i for i in range(len(correct)) if correct[i] > 0 and slips[i] > 0)
        written = TokenRow(group["answer"].labels["sample"][index].split(), size="body", gap=0.12)
        right, frames, names = VGroup(), VGroup(), VGroup()
        astray = False
        for k, true in enumerate(group["running"].values):
            chip = written.chips[k + 1]
            number = NumberLabel(quantity_at(group["running"], k), "plain bare", role="muted")
            right.add(number.next_to(chip, UP, buff=0.25))
            # every operation keeps an error, so a step is wrong exactly where the chain leaves the path or comes back
            if (chip.token != str(int(true))) != astray:
                astray = not astray
                frames.add(chip.box.copy().set_fill(opacity=0).set_stroke(role("cost"), 4))
                names.add(label("wrong step", "small", "cost").next_to(chip, DOWN, buff=0.2))
        right.add(label("the right steps", "small", "muted").next_to(right, LEFT, buff=0.4))
        mark = tick(size=0.5).next_to(written, RIGHT, buff=0.35)
        return VGroup(written, right, VGroup(frames, names), mark)

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
        moments = [label(f"{when} the rewards", "body", "accent", weight="medium") for when in ("before", "after")]
        for moment in moments:
            moment.next_to(first.start, UP, buff=0.5).align_to(first.start, LEFT).shift(0.9 * LEFT)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(grpo)
            s.until("tries")
            self.play(FadeIn(first.start, moments[0]), run_time=0.5)
            self.play(FadeIn(first.ribbons[0], first.ribbons[3], first.ways), run_time=0.8)
            self.play(FadeIn(names[0][0], names[0][2]), run_time=0.5)
            self.play(
                FadeIn(*(first.ribbons[i] for i in (1, 2, 4, 5)), first.ends, names[0][1], names[0][3]), run_time=0.9
            )
            s.until("likelier")
            self.play(FadeOut(*names[0]), exchange(moments[0], moments[1]), run_time=0.6)
            self.play(first.become_like(last, run_time=3.0))
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
