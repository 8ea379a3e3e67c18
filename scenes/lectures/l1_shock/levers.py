"""Lecture 1: the three levers, one after another."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, FadeIn, LaggedStart

from scenes.kit import LeversMap, NumberLabel, TokenChip, label
from scenes.stage import LectureScene


class ThreeLevers(LectureScene):
    """The map of the course: experts that wake in turn, a cache squeezed, a share of solved problems that rises."""

    lecture = 1

    def construct(self) -> None:
        self.show_title()
        levers = LeversMap.read(self.number, self.run).shift(0.25 * UP)
        self.origin(*levers.sources, self.number("fact.benchmarks.r1_stages.aime_2024.r1_zero"))
        moe, mla, rl = levers.panels.values()
        later = NumberLabel(
            self.number("fact.benchmarks.r1_stages.aime_2024.r1_zero"),
            "percent 3",
            size="small",
            role="reward",
            before="by the later paper: ",
        )
        later.next_to(rl, DOWN, buff=0.14)
        tokens = self.run("untrained_gate")["chosen"].labels["token"]
        chips = [TokenChip(token, size="small").next_to(moe, DOWN, buff=0.14).align_to(moe, LEFT) for token in tokens]
        gate = label("wakes these (gate untrained)", "small", "muted")
        gate.set_y(chips[0].get_y()).align_to(moe, RIGHT)
        with self.step() as s:
            names = (FadeIn(panel.frame, panel.heading, shift=0.2 * UP) for panel in levers.panels.values())
            self.play(LaggedStart(*names, lag_ratio=0.35), run_time=2.0)
            s.until("moe")
            self.play(FadeIn(moe.picture, moe.numbers), run_time=0.9)
            self.play(FadeIn(chips[0], gate), run_time=0.4)
            s.until("light")
            for turn in range(1, 6):
                self.remove(chips[(turn - 1) % len(chips)])
                self.add(chips[turn % len(chips)])
                self.play(moe.light(turn), run_time=0.7)
                self.wait(0.3)
        with self.step() as s:
            s.until("mla")
            self.play(FadeIn(mla.picture, mla.numbers), run_time=0.9)
            s.until("squeeze")
            self.play(mla.squeeze(run_time=2.4))
        with self.step() as s:
            rise = rl.rise(run_time=3.0)
            s.until("rl")
            self.play(FadeIn(rl.picture, rl.numbers), run_time=0.9)
            s.until("rise")
            self.play(rise)
            self.play(FadeIn(later), run_time=0.6)
