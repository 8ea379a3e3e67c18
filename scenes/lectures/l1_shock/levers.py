"""Lecture 1: the three levers, one after another."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, FadeIn, FadeOut, LaggedStart, Square, VGroup

from scenes.kit import EASE, Label, LearnByChecking, LeversMap, NumberLabel, TokenChip, label, role
from scenes.kit.marks import verdict
from scenes.stage import LectureScene


class ThreeLevers(LectureScene):
    """The map of the course: experts that wake in turn, a cache squeezed, a share of solved problems that rises."""

    lecture = 1

    def construct(self) -> None:
        self.show_title()
        levers = LeversMap.read(self.number, self.run).shift(0.25 * UP)
        self.origin(*levers.sources, self.number("fact.benchmarks.r1_stages.aime_2024.r1_zero"))
        moe, mla, rl = levers.panels.values()
        spared = [
            label(words, "body", panel.role).move_to(panel.frame)
            for words, panel in zip(("compute less", "store less", "no worked solutions"), (moe, mla, rl), strict=True)
        ]
        tokens = self.run("untrained_gate")["chosen"].labels["token"]
        chips = [TokenChip(token, size="small").next_to(moe, DOWN, buff=0.14).align_to(moe, LEFT) for token in tokens]
        gate = label("wakes these (gate untrained)", "small", "muted")
        gate.set_y(chips[0].get_y()).align_to(moe, RIGHT)
        with self.step() as s:
            names = (FadeIn(panel.frame, panel.heading, shift=0.2 * UP) for panel in levers.panels.values())
            self.play(LaggedStart(*names, lag_ratio=0.35), run_time=2.0)
            s.until("two")
            self.play(FadeIn(*spared[:2]), run_time=0.7)
            s.until("third")
            self.play(FadeIn(spared[2]), run_time=0.7)
            s.until("moe")
            self.play(FadeOut(spared[0]), run_time=0.3)
            self.play(FadeIn(moe.picture), run_time=0.9)
            s.until("layer")
            self.play(FadeIn(moe.numbers), run_time=0.6)
            s.until("token")
            self.play(FadeIn(chips[0], gate), run_time=0.4)
            s.until("light")
            for turn in range(1, 6):
                self.remove(chips[(turn - 1) % len(chips)])
                self.add(chips[turn % len(chips)])
                self.play(moe.light(turn), run_time=0.7)
                self.wait(0.3)
        with self.step() as s:
            s.until("mla")
            self.play(FadeOut(spared[1]), run_time=0.3)
            self.play(FadeIn(mla.picture, mla.numbers), run_time=0.9)
            s.until("squeeze")
            self.play(mla.squeeze(run_time=2.4))
        self.checking(rl, spared[2])

    def checking(self, rl: LearnByChecking, spared: Label) -> None:
        """Tries, a verdict on each, the right one paid; and the share solved rises, its end said as it is reached."""
        later = NumberLabel(
            self.number("fact.benchmarks.r1_stages.aime_2024.r1_zero"),
            "percent 3",
            size="small",
            role="reward",
            before="first paper; the later one says ",
        )
        later.next_to(rl, DOWN, buff=0.14)
        tries, verdicts = self.tries(rl)
        with self.step() as s:
            rise = rl.rise(run_time=3.0)
            s.until("rl")
            self.play(FadeOut(spared), run_time=0.3)
            self.play(FadeIn(rl.picture, rl.numbers[0]), run_time=0.9)
            s.until("tried")
            self.play(LaggedStart(*(FadeIn(each, shift=0.1 * DOWN) for each in tries), lag_ratio=0.3), run_time=1.0)
            s.until("checked")
            self.play(FadeIn(verdicts), run_time=0.6)
            s.until("paid")
            paid = tries[0].copy()
            self.play(tries[0].animate.set_stroke(role("reward"), 4), run_time=0.4)
            self.play(paid.animate.set_fill(role("reward"), 1).move_to(rl.bars[1]), run_time=0.9, rate_func=EASE)
            self.remove(paid)
            s.until("rise")
            self.play(rise)
            s.until("to")
            self.play(FadeOut(tries, verdicts), FadeIn(rl.numbers[1:]), run_time=0.5)
            self.play(FadeIn(later), run_time=0.6)

    def tries(self, panel: LearnByChecking) -> tuple[VGroup, VGroup]:
        """As many tries as hold one right answer at the share solved at first, and what a program says of each."""
        count = round(100 / float(self.number("fact.benchmarks.r1_zero_aime.start_pass1")))
        tries = VGroup(*(Square(0.34, stroke_width=2).set_stroke(role("muted")) for _ in range(count)))
        tries.arrange(RIGHT, buff=0.2).next_to(panel, DOWN, buff=0.14)
        verdicts = VGroup(*(verdict(each is tries[0], size=0.2).move_to(each) for each in tries))
        return tries, verdicts
