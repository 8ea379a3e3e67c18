"""Lecture 2: the same experts cut finer, and how many teams a token can have."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, FadeIn, VGroup

from explainers.traces import Trace
from scenes.kit import STAGE_CENTER, ExpertSplit, NumberLabel, column, dim, label, row
from scenes.stage import LectureScene


class SoManySoSmall(LectureScene):
    """Large experts halved and halved again: the same area lit, and more and more teams; then the groups."""

    lecture = 2
    styles = ("plain bare", "plain bare", "words 2 bare", "words 2 bare")

    def construct(self) -> None:
        self.show_title()
        trace = self.run("expert_teams")
        self.origin(trace)
        split = ExpertSplit([trace[f"team_{cut}"] for cut in range(len(self.styles))], width=6.4, height=4.6)
        rows = [self.line(trace, cut) for cut in range(len(split.levels))]
        body = column(*rows, gap=0.3)
        row(split, body, gap=0.9).move_to(STAGE_CENTER + 0.25 * UP)
        lot = label("lit: one possible team, as an example", "small", "muted")
        lot.next_to(split, DOWN, buff=0.45).align_to(split, LEFT)
        with self.step() as s:
            self.play(FadeIn(split.levels[0]), FadeIn(lot), run_time=0.8)
            self.play(FadeIn(rows[0], shift=0.2 * UP), run_time=0.6)
            for cut, mark in enumerate(("once", "twice", "own"), start=1):
                s.until(mark)
                self.play(*split.cut(cut, run_time=1.0), dim(rows[cut - 1], to=0.45))
                self.play(FadeIn(rows[cut], shift=0.2 * UP), run_time=0.6)
        kept, groups = self.number("v3.expert_groups_kept"), self.number("v3.expert_groups")
        some = VGroup(
            NumberLabel(kept, "plain bare", size="body", role="accent"),
            NumberLabel(groups, "plain bare", before="of ", after=" groups open", size="body"),
        ).arrange(RIGHT, buff=0.14)
        remain = NumberLabel(
            trace.quantity("teams_in_groups"), "words 2 bare", size="heading", role="expert", after=" teams"
        )
        rest = VGroup(some, remain).arrange(DOWN, buff=0.1, aligned_edge=LEFT)
        rest.next_to(body, DOWN, buff=0.3).align_to(body, LEFT)
        boxes, moves = split.limit(trace["open_groups"], trace["team_in_groups"])
        with self.step() as s:
            s.until("groups")
            self.origin(trace, groups)
            self.play(*moves, run_time=1.2)
            self.play(FadeIn(boxes), run_time=0.6)
            self.play(FadeIn(rest), run_time=0.6)

    def line(self, trace: Trace, cut: int) -> VGroup:
        """How many are chosen of how many, and the number of teams, larger the more there are."""
        some, many = trace.quantity(f"chosen_{cut}"), trace.quantity(f"experts_{cut}")
        ask = VGroup(
            NumberLabel(some, "plain bare", size="body", role="expert"),
            label("of", "body", "muted"),
            NumberLabel(many, "plain bare", size="body"),
            label("experts", "body", "muted"),
        ).arrange(RIGHT, buff=0.14)
        teams = NumberLabel(
            trace.quantity(f"teams_{cut}"), self.styles[cut], size=23 + 7 * cut, role="expert", after=" teams"
        )
        return VGroup(ask, teams).arrange(DOWN, buff=0.08, aligned_edge=LEFT)
