"""Lecture 1: training as a rectangle, and what came out of it."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    FadeIn,
    FadeOut,
    Group,
    GrowFromEdge,
    LaggedStart,
    RoundedRectangle,
    Square,
    VGroup,
    there_and_back,
)

from explainers import facts
from explainers.traces import Trace
from scenes.kit import (
    EASE,
    STAGE_CENTER,
    STAGE_TOP,
    Block,
    BlockChart,
    DotRow,
    DotRows,
    NumberLabel,
    Phrase,
    Runner,
    TokenChip,
    column,
    fit_stage,
    label,
    math,
    role,
    row,
    tint,
)
from scenes.stage import LectureScene, StageStep
from scenes.waivers import waive

LLAMA, QWEN, V3 = "Llama-3.1-405B", "Qwen2.5-72B", "DeepSeek-V3"


def rule() -> VGroup:
    """Six times N times D."""
    formula = math("cost(C) = 6 dot.op N dot.op D", "display")
    return waive(formula, "digits-without-origin", reason="the factor of the rule itself: two and four operations")


class TheRule(LectureScene):
    """Six operations a parameter and token; training runs as rectangles; how often one holds the other."""

    lecture = 1
    keys = {LLAMA: "llama_405b", QWEN: "qwen_72b", V3: "v3"}
    roles = {LLAMA: "dense", QWEN: "value", V3: "latent"}

    def construct(self) -> None:
        self.show_title()
        trace = self.run("training_compute")
        formula = self.passes()
        chart = self.llama(trace, formula)
        self.others(trace, chart)

    def passes(self) -> Group:
        """A token goes through the parameters that work, and the correction comes back."""
        grid = VGroup(*(Square(0.3, stroke_width=0) for _ in range(15 * 7)))
        grid.set_fill(tint("dense", 0.55), 1).arrange_in_grid(cols=15, buff=0.1).move_to(STAGE_CENTER + 0.85 * UP)
        columns = [VGroup(*grid[place::15]) for place in range(15)]
        learned = label("a square: a parameter, a learned number", "body", "muted").next_to(grid, UP, buff=0.25)
        words = self.run("untrained_gate")["chosen"].labels["token"][:5]
        text = column(*(TokenChip(word) for word in words), gap=0.14).next_to(grid, LEFT, buff=0.8)
        token = text[2]
        pieces = label("tokens", "body", "muted").next_to(text, DOWN, buff=0.2)
        end = grid.get_right() + 0.9 * RIGHT
        error = TokenChip("error", role="cost").move_to(end)
        error.box.set_stroke(role("cost"))
        forward = Phrase(("forward: ", "muted"), ("two operations a parameter", "token"), size="body")
        back = Phrase(("back: ", "muted"), ("four operations a parameter", "cost"), size="body")
        column(forward, back, gap=0.16).next_to(grid, DOWN, buff=0.35)
        formula = rule().next_to(back, DOWN, buff=0.5).set_x(0)
        names = label("N parameters at work, D tokens", "body", "muted").next_to(formula, DOWN, buff=0.2)

        seat = token.get_center()

        def sweep(colour: str, order: list[VGroup]) -> LaggedStart:
            return LaggedStart(*(each.animate.set_fill(role(colour), 1) for each in order), lag_ratio=0.5)

        with self.step() as s:
            self.play(LaggedStart(*(FadeIn(each) for each in columns), lag_ratio=0.5), run_time=4.0)
            s.until("params")
            self.play(FadeIn(learned), run_time=0.6)
            s.until("pieces")
            self.play(FadeIn(text, pieces, shift=0.2 * RIGHT), run_time=0.6)
            s.until("forward")
            self.play(
                FadeIn(forward), sweep("token", columns), token.animate.move_to(end), run_time=2.2, rate_func=EASE
            )
            s.until("back")
            self.play(FadeOut(token), run_time=0.2)  # one word after the other: two at once in a chip are none
            self.play(FadeIn(error), run_time=0.2)
            home = error.animate.move_to(seat)
            self.play(FadeIn(back), sweep("cost", columns[::-1]), home, run_time=1.1, rate_func=EASE)
            self.play(FadeOut(error), run_time=0.2)
            self.play(FadeIn(token.move_to(seat)), run_time=0.2)
            s.until("formula")
            self.play(FadeIn(formula, shift=0.2 * UP), FadeIn(names), run_time=0.8)
        self.formula = formula
        return Group(grid, learned, text, pieces, forward, back, names)

    def llama(self, trace: Trace, before: Group) -> BlockChart:
        """Width × height, to scale."""
        keys, roles = self.keys, self.roles
        sizes = {
            name: (self.number(f"{key}.active_params"), self.number(f"{key}.training_tokens"))
            for name, key in keys.items()
        }
        blocks = [
            Block(name, *sizes[name], role=roles[name], fmt="words 2 bare" if name == V3 else "") for name in keys
        ]
        chart = BlockChart(blocks, width=11.2, height=3.6, gap=1.15, fmt="words 3 bare", y_name="height: tokens read")
        chart.move_to(STAGE_CENTER).shift(0.05 * DOWN)
        self.areas = {
            name: NumberLabel(trace.quantity(f"flops_{key}"), "sci 2 bare", size="body", role=roles[name]).next_to(
                chart.blocks[name], UP, buff=0.14
            )
            for name, key in keys.items()
        }
        whole = chart.blocks[LLAMA]
        for below in (chart.names[LLAMA], chart.widths[LLAMA]):
            below.align_to(whole, LEFT)
        named = label("its name counts a table of words, too", "small", "muted")
        named.next_to(chart.widths[LLAMA], DOWN, buff=0.08).align_to(whole, LEFT)
        across = row(
            label("width: parameters at work", "small", "muted"), label("area: operations", "small", "muted"), gap=0.5
        )
        across.next_to(chart.axes.names[0], RIGHT, buff=0.5)  # beside what the height is
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.4)
            self.play(self.formula.animate.scale(0.62).move_to([4.9, STAGE_TOP + 0.25, 0]), run_time=0.8)
            self.origin(trace, *(each for pair in sizes.values() for each in pair))
            self.play(FadeIn(chart.axes), run_time=0.6)
            s.until("llama")
            flat = whole.copy().stretch_to_fit_height(0.06).move_to(whole, aligned_edge=DOWN)
            self.play(GrowFromEdge(flat, LEFT), FadeIn(chart.names[LLAMA], chart.widths[LLAMA], named), run_time=1.4)
            self.play(flat.animate.become(whole), run_time=s.left_until("area") or 1.0, rate_func=EASE)
            self.play(FadeIn(self.areas[LLAMA], across), run_time=0.6)
        self.remove(flat)
        self.add(whole)
        return chart

    def others(self, trace: Trace, chart: BlockChart) -> None:
        """Two more runs; and the wide one cut into pieces of V3's area."""
        cuts, roles = chart.cuts(LLAMA, V3), self.roles
        times = row(
            NumberLabel(trace.quantity("ratio_llama_405b"), "times 2", size="heading", role=roles[V3]),
            label("the area of DeepSeek-V3", "body", roles[V3]),
            gap=0.15,
            edge=DOWN,
        )
        times.align_to(chart.blocks[LLAMA], RIGHT).align_to(chart.names[LLAMA], UP)
        with self.step() as s:
            for name, mark in ((QWEN, "qwen"), (V3, "v3")):
                s.until(mark)
                self.play(chart.grow(name), FadeIn(chart.names[name], chart.widths[name]), run_time=1.4)
                self.play(FadeIn(self.areas[name]), run_time=0.5)
                if name == V3:
                    self.lit(s, chart)
            s.until("cuts")
            piece = chart.blocks[V3].copy()
            first = piece.copy().stretch_to_fit_height(chart.blocks[LLAMA].height)
            first.stretch_to_fit_width(cuts[0].get_x() - chart.blocks[LLAMA].get_left()[0])
            first.align_to(chart.blocks[LLAMA], DOWN + LEFT)
            self.play(piece.animate(path_arc=0.6).become(first), run_time=1.2)
            self.play(LaggedStart(*(Create(cut) for cut in cuts), lag_ratio=0.2), run_time=1.0)
            self.play(FadeIn(times), run_time=0.5)

    def lit(self, s: StageStep, chart: BlockChart) -> None:
        """V3's sliver lights up from its foot, and its width is said; then tokens pass through it, one by one."""
        sliver, width = chart.blocks[V3], chart.widths[V3]
        light = sliver.copy().set_fill(role("text"), 1).set_stroke(role("text"))
        s.until("sliver")
        self.play(GrowFromEdge(light, DOWN), run_time=1.0)
        s.until("only")
        self.play(FadeOut(light), width.animate(rate_func=there_and_back).scale(1.5), run_time=1.6)
        s.until("work")
        drops = VGroup(*(Square(0.16, stroke_width=0).set_fill(role("token"), 1) for _ in range(3)))
        drops.move_to(sliver.get_top() + 0.12 * DOWN)
        falls = [drop.animate.move_to(sliver.get_bottom() + 0.12 * UP) for drop in drops]
        self.play(LaggedStart(*falls, lag_ratio=0.35), run_time=1.2)
        self.play(FadeOut(*drops), run_time=0.2)


class TheSameLeague(LectureScene):
    """Published results of V3 and of three contemporaries: who leads where."""

    lecture = 1
    rows = ("math_500", "codeforces_percentile", "mmlu_pro", "gpqa_diamond", "swe_bench_verified", "simpleqa")
    glosses = (
        "mathematics",
        "contest programming",
        "knowledge, many fields",
        "hard science",
        "repairing software",
        "plain facts",
    )
    runners = {
        "llama_3_1_405b": Runner(LLAMA, "dense", "square"),
        "gpt_4o_0513": Runner("GPT-4o", "query", "triangle"),
        "claude_3_5_sonnet_1022": Runner("Claude-3.5-Sonnet", "value", "diamond"),
        "deepseek_v3": Runner(V3, "latent", "circle"),
    }

    def construct(self) -> None:
        self.show_title()
        table = "benchmarks.v3_chat"
        labels = facts.table(table).labels
        results = [
            DotRow(
                labels[row], {who.name: self.number(f"fact.{table}.{row}.{key}") for key, who in self.runners.items()}
            )
            for row in self.rows
        ]
        rows = DotRows(
            results,
            list(self.runners.values()),
            width=6.2,
            pitch=0.58,
            radius=0.13,
            x_name="solved, or percentile; all hollow: measured by DeepSeek",
        )
        glosses = VGroup(*(label(text, "small", "muted") for text in self.glosses))
        for gloss, name in zip(glosses, rows.names, strict=True):
            gloss.next_to([rows.axes.corners.get_right()[0], name.get_y(), 0], RIGHT, buff=0.3)
        fit_stage(VGroup(rows, glosses))
        self.origin(*rows.bound)
        with self.step() as s:
            self.play(
                FadeIn(rows.axes),
                LaggedStart(*(FadeIn(name) for name in rows.names), lag_ratio=0.15),
                LaggedStart(*(FadeIn(gloss) for gloss in glosses), lag_ratio=0.15),
                run_time=1.6,
            )
            s.until("llama")
            self.play(rows.enter(LLAMA))
            s.until("closed")
            self.play(rows.enter("GPT-4o"))
            self.play(rows.enter("Claude-3.5-Sonnet"))
            s.until("v3")
            self.bring_to_back(rows.spans)
            self.play(rows.enter(V3), FadeIn(rows.spans))
        first, last = self.around(rows, glosses, 0, 2, "latent"), self.around(rows, glosses, 2, 6, "muted")
        tags = [
            label(text, "small", colour, weight="medium", align="center").next_to(frame, RIGHT, buff=0.15)
            for text, colour, frame in (("V3\nleads", "latent", first), ("others\nlead", "muted", last))
        ]
        with self.step() as s:
            s.until("wins")
            self.play(Create(first), FadeIn(tags[0]), run_time=0.8)
            s.until("loses")
            self.play(Create(last), FadeIn(tags[1]), run_time=0.8)
            s.until("league")
            pulses = [dot.animate(rate_func=there_and_back).scale(1.6) for dot in rows.of(V3)]
            self.play(LaggedStart(*pulses, lag_ratio=0.25), run_time=2.6)

    @staticmethod
    def around(rows: DotRows, glosses: VGroup, start: int, end: int, colour: str) -> RoundedRectangle:
        """A frame around some lines, as wide as all of them: it ends between lines, and before the axis."""
        top, bottom = (rows.names[place].get_y() for place in (start, end - 1))
        pitch = rows.names[0].get_y() - rows.names[1].get_y()
        across = VGroup(rows.names, glosses)
        frame = RoundedRectangle(
            width=across.width + 0.32, height=top - bottom + pitch - 0.14, corner_radius=0.12, stroke_width=3
        )
        return frame.set_stroke(role(colour)).move_to([across.get_x(), (top + bottom) / 2, 0])
