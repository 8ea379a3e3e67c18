"""Lecture 5: one try, a vote, any of many; and a published case."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, Create, FadeIn, FadeOut, Group, Line, VGroup

from explainers.traces import Trace
from scenes.kit import (
    CAPTION_TOP,
    SAFE_LEFT,
    STAGE_CENTER,
    STAGE_TOP,
    Axis,
    Bar,
    BarChart,
    NumberLabel,
    SolvedField,
    TokenRow,
    VoteColumns,
    label,
    role,
)
from scenes.lectures.l5_scoreboard.common import mark
from scenes.stage import LectureScene


class OneTryOrMany(LectureScene):
    """Answers to one problem vote; many problems are tried again and again; what R1-Zero's score counted."""

    lecture = 5

    def construct(self) -> None:
        self.show_title()
        trace = self.run("tries")
        self.origin(trace)
        votes = self.one_problem(trace)
        field = self.many_problems(trace, votes)
        self.published(field)

    def one_problem(self, trace: Trace) -> Group:
        """The recorded answers to one problem: right or wrong; then stacked by what they say."""
        prompt = TokenRow(self.run("grpo_group")["prompt"].labels["place"], size="body", gap=0.1)
        prompt.move_to([0, STAGE_TOP - 0.45, 0]).align_to([SAFE_LEFT, 0, 0], LEFT)
        note = label("answers of our small model,\nlast digits only; ? is none", "small", "muted")
        note.move_to([2.2, 1.45, 0], aligned_edge=LEFT)
        votes = VoteColumns(trace["answer"], trace.quantity("right"), side=0.48, gap=0.08)
        votes.move_to([2.2, 0.45, 0], aligned_edge=LEFT)
        share = NumberLabel(
            trace.quantity("group_share"), "percent 2", size="heading", role="reward", before="pass at one: "
        )
        share.move_to([2.2, -1.05, 0], aligned_edge=LEFT)
        foot = [-5.2, CAPTION_TOP + 0.32, 0]
        won = NumberLabel(
            trace.quantity("winner_votes"),
            "plain bare",
            size="heading",
            role="reward",
            before="right, with ",
            after=" votes",
        )
        with self.step() as s:
            self.play(FadeIn(prompt), run_time=0.8)
            s.until("group")
            self.play(FadeIn(votes.chips, lag_ratio=0.2), FadeIn(note), run_time=s.left_until("right") or 1.2)
            s.until("right")
            self.play(votes.judge(run_time=1.6))
            self.play(FadeIn(share), run_time=0.6)
            s.until("vote")
            self.play(votes.vote(at=foot, run_time=max(s.left - 0.4, 1.6)))
            winners = VGroup(*(votes.chips[i] for i in votes.stacks()[votes.order()[0]]))
            won.move_to(share, aligned_edge=LEFT).shift(0.75 * DOWN)
            self.play(FadeIn(won), run_time=0.6)
        self.winners = winners
        return Group(prompt, note, votes, share, won)

    def many_problems(self, trace: Trace, before: Group) -> Group:
        """The field lights up as tries are added; then three ways to count the same answers."""
        field = SolvedField(trace["first_right"], columns=10, cell=0.46)
        field.move_to([SAFE_LEFT, STAGE_CENTER[1] + 0.1, 0], aligned_edge=LEFT)
        under = label("order of the recorded answers drawn by lot", "small", "muted")
        under.next_to(field, DOWN, buff=0.15).align_to(field, LEFT)
        ways = (
            ("one try", "pass_1", "query", "pass"),
            ("vote", "vote", "router", "voted"),
            ("any of all", "pass_64", "reward", "any"),
        )
        bars = BarChart(
            [Bar(name, trace.quantity(key), colour) for name, key, colour, _ in ways],
            fmt="percent 3",
            size="body",
            length=4.3,
            thickness=0.72,
            gap=0.5,
        )
        bars.move_to([3.1, field.get_y() - 0.45, 0])
        counts = [1, 2, 4, 16, int(trace.quantity("samples"))]
        lit = [self.count(trace, k, field) for k in counts]
        with self.step() as s:
            field.show(0.0)
            self.play(FadeOut(before), run_time=0.5)
            self.play(FadeIn(field, under), run_time=0.7)
            s.until("one")
            self.play(field.try_to(counts[0], run_time=0.7), FadeIn(lit[0]), run_time=0.7)
            s.until("more")
            for index in (1, 2, 3):
                self.play(field.try_to(counts[index], run_time=0.8))
                self.remove(lit[index - 1])  # said when they are lit, not before
                self.add(lit[index])
            s.until("all")
            self.play(field.try_to(counts[4], run_time=1.0))
            self.remove(lit[3])
            self.add(lit[4])
            for name, _, _, cue in ways:
                s.until(cue)
                self.play(FadeIn(bars.names[name]), bars.grow(name), run_time=0.9)
        return Group(field, under, bars, lit[4])

    @staticmethod
    def count(trace: Trace, tries: int, field: SolvedField) -> VGroup:
        """After how many tries how many problems are solved."""
        made = NumberLabel(trace.quantity(f"k_{tries}"), "plain bare", role="muted", before="tries: ")
        solved = NumberLabel(trace.quantity(f"lit_{tries}"), "plain bare", size="heading", role="reward", after=" lit")
        made.next_to(field, RIGHT, buff=0.5).align_to(field, UP)
        return VGroup(made, solved.next_to(made, RIGHT, buff=0.5))

    def published(self, before: Group) -> None:
        """R1-Zero on AIME: one try in two papers, and a vote."""
        single, cons, later = (
            self.number(f"fact.benchmarks.r1_zero_aime.{key}")
            for key in ("end_pass1_v1_paper", "cons", "end_pass1_nature_v2")
        )
        votes = self.number("fact.benchmarks.r1_answers_per_question.samples")
        from scenes.kit import Axes2D

        axes = Axes2D(Axis(0, 100, "AIME problems solved", "%"), Axis(0, 3), width=9.6, height=3.0, y_ticks=False)
        axes.move_to(STAGE_CENTER + 0.9 * RIGHT + 0.1 * DOWN)
        lines = VGroup()
        rows = (
            (single, label("one try", "body"), 2.5, "first paper"),
            (cons, NumberLabel(votes, "plain bare", before="vote of "), 1.5, "both papers"),
            (later, label("one try", "body"), 0.5, "later paper"),
        )
        for value, words, level, paper in rows:
            foot, end = axes.point(0, level), axes.point(float(value), level)
            stem = Line(foot, end, stroke_width=6).set_stroke(role("hairline"))
            dot = mark("reward", vendor=True, radius=0.17).move_to(end)
            number = NumberLabel(value, "percent 3", size="heading", role="reward").next_to(dot, RIGHT, buff=0.2)
            name = VGroup(words, label(paper, "small", "muted")).arrange(DOWN, buff=0.06, aligned_edge=RIGHT)
            lines.add(VGroup(stem, VGroup(dot, number), name.next_to(foot, LEFT, buff=0.25)))
        head = label("R1-Zero, measured by its makers", "body", "reward", weight="medium")
        head.next_to(axes, UP, buff=0.25).align_to(axes.corners, LEFT)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(single, votes)
            self.play(FadeIn(axes, head), run_time=0.7)
            for line, name in zip(lines, ("single", "cons", "later"), strict=True):
                s.until(name)
                self.play(FadeIn(line[2]), Create(line[0]), run_time=0.9)
                self.play(FadeIn(line[1]), run_time=0.4)
