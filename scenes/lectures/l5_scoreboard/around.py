"""Lecture 5: harness, leaks, and the cost beside the score."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Circle,
    Create,
    DashedLine,
    FadeIn,
    FadeOut,
    Group,
    GrowFromCenter,
    LaggedStart,
    Line,
    RoundedRectangle,
    Square,
    VGroup,
)

from explainers.traces import Trace
from scenes.kit import (
    CAPTION_TOP,
    EASE,
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_CENTER,
    STAGE_TOP,
    Axis,
    Bracket,
    IntervalRows,
    Label,
    Measured,
    NumberLabel,
    ScatterChart,
    Slope,
    Slopes,
    Spot,
    Waffle,
    label,
    role,
    tint,
)
from scenes.lectures.l5_scoreboard.common import SCORES
from scenes.stage import LectureScene


class AroundTheModel(LectureScene):
    """What is left of three scores when luck is taken off; a page that disagrees with itself; a test that leaked."""

    lecture = 5

    def construct(self) -> None:
        self.show_title()
        self.leaks(self.harness())

    def harness(self) -> Group:
        """Three scores with their luck; the harness around the model; the same two models in two tables."""
        names = ("DeepSeek", "independent runs", "American institute")
        rows = []
        for name, (_, key, vendor) in zip(names, SCORES, strict=True):
            score = self.number(f"fact.benchmarks.independent_swe_v4.{key}")
            luck = self.number(f"run.exams.swe_{key}_error")  # as spoken of: one standard deviation
            colour = "latent" if vendor else "token"
            rows.append(Measured(name, score, score - luck, score + luck, role=colour, vendor=vendor))
        board = IntervalRows(
            rows, Axis(60, 90, "V4-Pro, SWE-bench Verified", "%"), width=3.9, pitch=0.72, radius=0.13, size="small"
        )
        board.move_to([SAFE_LEFT, STAGE_TOP - 0.1, 0], aligned_edge=UP + LEFT)
        apart = self.apart(board)
        luck = self.number("run.exams.swe_vendor_error")
        note = NumberLabel(
            luck,
            "plain 1 bare",
            size="small",
            role="muted",
            before="bars: luck, about ± ",
            after=" points, one standard deviation",
        )
        note.next_to(board.axes, DOWN, buff=0.12)
        note.align_to(board.axes, RIGHT)
        ruler = VGroup(board, apart, note)
        home = ruler.get_center()
        ruler.scale(1.55).move_to(STAGE_CENTER)
        rig = self.rig().move_to([SAFE_LEFT + 0.2, CAPTION_TOP + 0.2, 0], aligned_edge=DOWN + LEFT)
        slopes = self.two_tables().move_to([SAFE_RIGHT - 0.1, STAGE_CENTER[1], 0], aligned_edge=RIGHT)
        head = label("R1's web page: LiveCodeBench", "body", "token").next_to(slopes, UP, buff=0.3)
        head.align_to(slopes, LEFT)
        first = self.beside(slopes)
        self.origin(*(row.score for row in rows), *slopes.bound, self.run("exams"))
        with self.step() as s:
            self.play(FadeIn(board.axes), run_time=0.5)
            self.play(*(board.enter(row.name) for row in rows), run_time=0.8)
            s.until("luck")
            self.bring_to_back(*board.bands.values())
            self.play(*(board.doubt(row.name) for row in rows), FadeIn(note), run_time=1.0)
            self.play(FadeIn(apart), run_time=0.6)
            s.until("harness")
            self.play(ruler.animate(rate_func=EASE).scale(1 / 1.55).move_to(home), FadeIn(rig[0]), run_time=0.9)
            self.play(Create(rig[1]), FadeIn(rig[2], lag_ratio=0.4), run_time=1.4)
            s.until("page")
            self.play(FadeIn(head, slopes.posts, slopes.heads), run_time=0.7)
            s.until("first")
            values = (FadeIn(dots[0], slopes.numbers[name][0]) for name, dots in slopes.dots.items())
            self.play(*values, *(FadeIn(name) for name in first), run_time=0.7)
            s.until("second")
            self.play(slopes.go(run_time=1.4))
        return Group(ruler, rig, slopes, head, *first)

    def apart(self, board: IntervalRows) -> VGroup:
        """The distance between the highest and the lowest score; its far end hangs down to the lowest."""
        dots = list(board.dots.values())
        level = dots[0].get_top()[1]
        span = Line([dots[-1].get_x(), level, 0], [dots[0].get_x(), level, 0])  # from value to value, not rim to rim
        number = NumberLabel(
            self.number("run.exams.swe_apart"), "plain 2 bare", size="small", role="accent", after=" points"
        )
        drop = DashedLine(
            span.get_start(), dots[-1].get_top(), dash_length=0.07, stroke_width=1.5, color=role("accent")
        )
        return VGroup(Bracket(span, number, UP, role="accent", gap=0.05), drop)

    @staticmethod
    def rig() -> VGroup:
        """A model in its harness: what it is told, what it may use, when it is stopped."""
        model = Circle(0.55, stroke_width=3, color=role("latent")).set_fill(tint("latent", 0.3), 1)
        name = label("V4-Pro", "small", "latent").move_to(model)
        box = RoundedRectangle(width=4.6, height=1.9, corner_radius=0.2, stroke_width=3).set_stroke(role("accent"))
        VGroup(model, name).move_to(box).shift(1.2 * LEFT)
        words = VGroup(*(label(each, "body") for each in ("prompt", "tools", "limits")))
        words.arrange(DOWN, buff=0.2, aligned_edge=LEFT).move_to(box).shift(1.0 * RIGHT)
        head = label("harness", "body", "accent").next_to(box, UP, buff=0.1).align_to(box, LEFT)
        return VGroup(VGroup(model, name), box, VGroup(head, *words))

    def two_tables(self) -> Slopes:
        """The same two models in two tables of one page."""
        table = "fact.benchmarks.r1_readme_livecodebench"
        pairs = (("GPT-4o", "gpt_4o_0513", "query"), ("Claude 3.5", "claude_3_5_sonnet_1022", "value"))
        slopes = []
        for name, key, colour in pairs:
            first, second = (self.number(f"{table}.{place}_table.{key}") for place in ("first", "second"))
            slopes.append(Slope(name, first, second, colour))
        return Slopes(slopes, ("first table", "second table"), Axis(31, 40), width=2.5, height=3.3, size="body")

    @staticmethod
    def beside(slopes: Slopes) -> list[Label]:
        """The names beside the first values, since who is ahead there is said before the lines run on."""
        return [
            label(name, "body", each.role).next_to(slopes.numbers[name][0], LEFT, buff=0.16)
            for name, each in slopes.slopes.items()
        ]

    def leaks(self, before: Group) -> None:
        """The test as a field: audited questions, and among them those that reject right answers; then a fresh test."""
        size, one = self.number("fact.benchmarks.test_sizes.swe_bench_verified"), self.number("run.exams.one_question")
        audited, flawed = self.number("run.exams.audited"), self.number("run.exams.flawed")
        share = self.number("fact.benchmarks.swe_bench_audit.flawed")
        corner = [SAFE_LEFT, STAGE_TOP - 0.55, 0]
        field, seen, bad = (
            Waffle(amount, one, columns=25, cell=0.21, role=colour).place_at(corner)
            for amount, colour in ((size, "hairline"), (audited, "dense"), (flawed, "cost"))
        )
        head = label("SWE-bench Verified", "body").next_to(field, UP, buff=0.15).align_to(field, LEFT)
        notes = VGroup(
            NumberLabel(
                audited,
                "plain 3 bare",
                size="small",
                role="token",
                before="audited: ",
                after=", those that models often failed",
            ),
            NumberLabel(
                share, "percent 2", size="small", role="cost", before="of them at least ", after=" reject right answers"
            ),
        ).arrange(DOWN, buff=0.12, aligned_edge=LEFT)
        notes.next_to(field, DOWN, buff=0.2).align_to(field, LEFT)
        fresh = self.fresh().move_to([3.5, STAGE_CENTER[1], 0])
        title = label("R1 and o1, AIME", "body", "token").next_to(fresh, UP, buff=0.3).align_to(fresh, LEFT)
        model = VGroup(Circle(0.75, stroke_width=3, color=role("token")).set_fill(tint("token", 0.25), 1))
        model.move_to([3.6, field.get_y(), 0])
        model.add(label("what a model\nlearned from", "small", "token", align="center").next_to(model, DOWN, buff=0.2))
        starts = ((6, 1), (15, 5), (12, 10), (13, 13), (24, 17))  # any questions: how many were recited is not told
        drops = [
            Square(0.17, stroke_width=0)
            .set_fill(role("token"), 1)
            .move_to(field.get_corner(UP + LEFT))
            .shift(0.21 * ((column + 0.5) * RIGHT + (line + 0.5) * DOWN))
            for column, line in starts
        ]
        recited = label("some solutions recited; how many is not told", "body", "cost").next_to(model, UP, buff=0.3)
        again = label("AIME 2025: as reported second-hand", "small", "muted").next_to(fresh, DOWN, buff=0.2)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.origin(share, audited, size)
            self.play(FadeIn(field, head), run_time=0.5)
            s.until("leak")
            self.play(FadeIn(model), run_time=0.4)
            spread = ((0, 0), (-0.3, 0.3), (0.3, 0.3), (-0.3, -0.3), (0.3, -0.3))
            ways = (
                drop.animate.move_to(model[0].get_center() + x * RIGHT + y * UP)
                for drop, (x, y) in zip(drops, spread, strict=True)
            )
            self.play(LaggedStart(*ways, lag_ratio=0.25), run_time=2.0)
            s.until("recited")
            self.play(FadeIn(recited), *(drop.animate.set_fill(role("cost")) for drop in drops), run_time=0.8)
            s.until("audit")
            self.play(seen.fill(run_time=1.4), FadeIn(notes[0]))
            self.play(bad.fill(run_time=1.4), FadeIn(notes[1]))
            s.until("fresh")
            self.play(FadeOut(model, recited, *drops), run_time=0.4)
            self.origin(share, audited, size, *fresh.bound)
            self.play(FadeIn(title), fresh.begin(), run_time=1.0)
            self.play(fresh.go(run_time=1.4), FadeIn(again))

    def fresh(self) -> Slopes:
        """R1 and o1 on the contest of the year before their training ended, and of the year after."""
        rows = (("R1", "deepseek_r1", "aime2025_r1", "latent"), ("o1", "o1_1217", "aime2025_o1", "query"))
        slopes = [
            Slope(
                name,
                self.number(f"fact.benchmarks.r1.aime_2024.{column}"),
                self.number(f"fact.benchmarks.r1_contamination_check.{field}"),
                role=colour,
            )
            for name, column, field, colour in rows
        ]
        return Slopes(slopes, ("AIME 2024", "AIME 2025"), Axis(70, 85), width=2.5, height=3.3, size="body")


class WhatItCost(LectureScene):
    """Four scores that luck could mix, side by side; then spread by what a problem costs."""

    lecture = 5
    #: name, key of the run, role, where the name stands
    spots = (
        ("V3.2", "v3_2", "latent", DOWN),
        ("Kimi K2", "kimi_k2", "token", DOWN),
        ("GPT-5", "gpt_5", "query", DOWN),
        ("Gemini 3", "gemini_3", "shared_expert", RIGHT),
    )

    def construct(self) -> None:
        self.show_title()
        trace = self.run("score_cost")
        sources = ("benchmarks.v32_tokens.deepseek_v3_2.aime_2025_score", "prices.v3_2.out", "prices.gemini3_pro.out")
        self.origin(trace, *(self.number(f"fact.{source}") for source in sources))
        chart = self.chart(trace)
        parts = self.parts(chart)
        costs = (chart.axes.x_ticks, chart.axes.names[1])
        for each in costs:
            each.set_opacity(0)  # across means nothing yet
        homes = {name: part.get_center() for name, part in parts.items()}
        for index, name in enumerate(parts):
            start = chart.axes.point_at((index + 0.5) / len(parts), 0)[0]
            parts[name].shift((start - chart.dots[name].get_x()) * RIGHT)
        note = label("rings: from DeepSeek's report    bars: luck, one standard deviation", "small", "muted")
        note.next_to(chart.axes.corners, UP, buff=0.22).align_to(chart.axes.corners, RIGHT)
        with self.step() as s:
            self.play(FadeIn(chart.axes), run_time=0.6)
            s.until("four")
            self.play(*(FadeIn(part[1:], shift=0.2 * UP) for part in parts.values()), run_time=0.8)
            s.until("luck")
            for part in parts.values():
                self.bring_to_back(part[0])
            self.play(*(GrowFromCenter(part[0]) for part in parts.values()), FadeIn(note), run_time=1.0)
            s.until("cost")
            self.play(*(each.animate.set_opacity(1) for each in costs), run_time=0.5)
            moves = (part.animate.move_to(homes[name]) for name, part in parts.items())
            self.play(*moves, run_time=2.2, rate_func=EASE)
            ends = self.ends(trace, chart)
            s.until("cheap")
            self.play(FadeIn(ends[0]), run_time=0.6)
            s.until("dear")
            self.play(FadeIn(ends[1]), run_time=0.6)
            self.play(Create(ends[2]), run_time=0.8)

    def chart(self, trace: Trace) -> ScatterChart:
        """Score over cost; rings, because DeepSeek measured."""
        spots = [
            Spot(name, trace.quantity(f"cost_{key}"), trace.quantity(f"score_{key}"), colour)
            for name, key, colour, _ in self.spots
        ]
        chart = ScatterChart(
            spots,
            x_axis=Axis(0.003, 0.6, "one problem costs", "USD", log=True, ticks=(0.01, 0.1), fmt="usd .2"),
            y_axis=Axis(82, 102, "AIME 2025 problems solved", "%", ticks=(85, 90, 95, 100)),
            width=10.6,
            height=4.1,
            radius=0.15,
            names=False,
        )
        for spot in spots:
            chart.dots[spot.name].set_fill(role("ground"), 1).set_stroke(role(spot.role), 4.5)
        return chart.move_to(STAGE_CENTER)

    def parts(self, chart: ScatterChart) -> dict[str, VGroup]:
        """Whisker, ring and name of each model."""
        parts = {}
        for name, _, colour, side in self.spots:
            whisker = chart.whiskers[name].set_stroke(tint(colour, 0.62), width=7, opacity=1)
            words = label(name, "body", colour).next_to(whisker, side, buff=0.12)
            if side is RIGHT:  # between two rules, as its price below
                words.set_y(self.between(chart, 1))
            parts[name] = VGroup(whisker, chart.dots[name], words)
        return parts

    @staticmethod
    def between(chart: ScatterChart, side: int) -> float:
        """The height in the middle of two rules: those next below the dearest model's score (0), or next above (1)."""
        rules = [tick.get_y() for tick in chart.axes.y_ticks]
        score = chart.dots["Gemini 3"].get_y()
        near = min(range(len(rules)), key=lambda place: abs(rules[place] - score))
        return float(rules[near + side - 1] + rules[near + side]) / 2

    def ends(self, trace: Trace, chart: ScatterChart) -> VGroup:
        """What the cheapest and the dearest cost, and how far apart they are."""
        cheap, dear = chart.dots["V3.2"], chart.dots["Gemini 3"]
        numbers = [
            NumberLabel(trace.quantity(f"cost_{key}"), fmt, size="body", role=colour, after=" a problem")
            for key, fmt, colour in (("v3_2", "usd .3", "latent"), ("gemini_3", "usd .2", "shared_expert"))
        ]
        numbers[0].next_to(cheap, RIGHT, buff=0.25)
        numbers[1].next_to(dear, RIGHT, buff=0.25).set_y(self.between(chart, 0))
        level = chart.axes.point(0.01, 84)[1]
        span = Line([cheap.get_x(), level, 0], [dear.get_x(), level, 0])
        times = NumberLabel(trace.quantity("times"), "times 2", size="heading", role="accent")
        return VGroup(*numbers, Bracket(span, times, UP, role="accent", gap=0.0))
