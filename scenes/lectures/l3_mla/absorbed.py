"""Lecture 3: the same product in another order, and what came after."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    Line,
    Mobject,
    Rectangle,
    VGroup,
    squish_rate_func,
)

from explainers.traces import NamedArray, Trace
from scenes.kit import (
    EASE,
    SAFE_WIDTH,
    STAGE_CENTER,
    Arrow,
    ColorScale,
    Label,
    LineChart,
    NumberLabel,
    Series,
    TensorGrid,
    column,
    fit_stage,
    label,
    math,
    role,
    row,
)
from scenes.stage import LectureScene


class AnotherOrder(LectureScene):
    """Query times (matrix times latents), or (query times matrix) times latents: the same scores."""

    lecture = 3
    layer, head, cell = 0, 0, 0.112

    def construct(self) -> None:
        self.show_title()
        sentence = self.run("mla_sentence")
        self.build(sentence)
        self.expand()
        self.absorb()
        self.same(sentence)

    def grid(self, values: NamedArray, colour: str, name: str) -> TensorGrid:
        most: dict[str, Any] = {"max_columns": 64, "max_rows": 64}
        return TensorGrid(values, role=colour, cell=self.cell, notes=False, bar=False, gap=0.06, name=name, **most)

    def build(self, sentence: Trace) -> None:
        """The factors of the scores: one head's query, its up-projection, the latents of all tokens."""
        at = {"layer": self.layer}
        last = sentence["h"]["token"] - 1
        query = sentence["q_nope"].pick(**at, head=self.head, token=slice(last, last + 1)).transposed("token", "nope")
        keys = sentence["k_nope"].pick(**at, head=self.head).transposed("nope", "token")
        sides = [min(count, 64) for count in (query["nope"], sentence["w_uk"]["latent"], sentence["h"]["token"])]
        fits = min((SAFE_WIDTH - 2.2) / sum(sides), 3.6 / max(sides[:2]))
        self.cell = min(type(self).cell, fits)  # a long sentence, or a wide latent, has smaller cells
        self.q = self.grid(query, "query", "query")
        self.w = self.grid(sentence["w_uk"].pick(head=self.head), "dense", "up-projection")
        self.c = self.grid(sentence["c_kv"].pick(**at).transposed("latent", "token"), "latent", "latents")
        self.k = self.grid(keys, "key", "keys")
        self.ql = self.grid(
            sentence["q_latent"].pick(**at, head=slice(self.head, self.head + 1)), "query", "query, as a latent"
        )
        looks = sentence["attention"].pick(**at, head=self.head, query=slice(last, last + 1))
        self.looks = self.grid(looks, "query", "attention")
        row(self.q, self.w, self.c, gap=0.8)
        for each in (self.q, self.w, self.c):
            each.shift([0, -each.image.get_center()[1], 0])
        Group(self.q, self.w, self.c).move_to(STAGE_CENTER + 0.05 * UP)
        self.formulas = [
            math("query(q) dot (dense(W) dot latent(c))", size="display"),
            math("(query(q) dot dense(W)) dot latent(c)", size="display"),
        ]
        for formula in self.formulas:
            formula.move_to(STAGE_CENTER + 2.7 * UP)
        self.origin(sentence)

    def lay(self, *grids: TensorGrid, gaps: tuple[float, ...]) -> list[np.ndarray]:
        """Where grids stand side by side, their cells centred on one line: by how much each is shifted to be there."""
        wide = sum(grid.image.width for grid in grids) + sum(gaps)
        left, shifts = -wide / 2, []
        for grid, gap in zip(grids, (*gaps, 0.0), strict=True):
            goal = [left + grid.image.width / 2, STAGE_CENTER[1] + 0.15, 0]
            shifts.append(goal - grid.image.get_center())
            left += grid.image.width + gap
        return shifts

    def dot(self, left: TensorGrid, right: TensorGrid) -> Label:
        """The sign of a product between two grids."""
        between = (left.image.get_right() + right.image.get_left()) / 2
        return label("·", "display", "text", weight="semibold").move_to(between)

    def way(self, source: TensorGrid, target: TensorGrid, direction: Any) -> VGroup:
        """The up-projection as an arrow: it makes the target from the source."""
        arrow = Arrow(source.image, target.image, direction, role="dense", stroke=4)
        return VGroup(arrow, math("dense(W)").next_to(arrow, UP, buff=0.12))

    def expand(self) -> None:
        """The plain order: every latent is multiplied up."""
        with self.step() as s:
            self.play(FadeIn(self.q, self.w, self.c), run_time=1.0)
            s.until("naive")
            work = self.bracket(self.w, self.c)
            self.play(Create(work), FadeIn(self.formulas[0]), run_time=0.8)
            q, k, c = self.lay(self.q, self.k, self.c, gaps=(0.8, 2.9))
            moves = (self.q.animate.shift(q), self.c.animate.shift(c))
            self.play(FadeOut(self.w, scale=0.3), FadeOut(work), *moves, run_time=1.0)
            self.k.shift(k)
            self.made = self.way(self.c, self.k, LEFT)
            times = self.dot(self.q, self.k)
            self.add(self.k)
            self.play(self.k.reveal("columns"), FadeIn(self.made, times), run_time=1.4)
            s.until("again")
            anew = label("all of them, again,\nfor every new token", "small", "muted", align="center")
            anew.next_to(self.made, DOWN, buff=0.3)
            self.play(FadeOut(self.k), FadeIn(anew), run_time=0.4)
            self.add(self.k)
            self.play(self.k.reveal("columns"), run_time=max(s.left - 0.8, 1.0))
            self.look(self.k)
            self.play(FadeIn(self.looks, shift=0.2 * DOWN), run_time=0.7)
        self.first = Group(self.k, self.looks, self.made, times, anew)

    def look(self, grid: TensorGrid) -> None:
        """Put the attention below the columns that it belongs to."""
        self.looks.next_to(grid.image, DOWN, buff=0.3)
        self.looks.shift((grid.image.get_x() - self.looks.image.get_x()) * RIGHT)

    def bracket(self, *grids: TensorGrid) -> Rectangle:
        group = Group(*grids)
        frame = Rectangle(
            width=group.width + 0.4, height=group.height + 0.4, stroke_color=role("accent"), stroke_width=3
        )
        return frame.move_to(group)

    def absorb(self) -> None:
        """The other order: the one query moves into the latents' space."""
        with self.step() as s:
            self.play(FadeOut(self.first), run_time=0.4)
            q, w, c = self.lay(self.q, self.w, self.c, gaps=(0.8, 0.8))
            self.play(
                self.q.animate.shift(q), self.w.animate.shift(w), self.c.animate.shift(c), FadeIn(self.w), run_time=0.9
            )
            s.until("brackets")
            work = self.bracket(self.q, self.w)
            self.play(Create(work), *self.rebracket(), run_time=0.9)
            self.remove(*self.formulas[0])
            self.add(self.formulas[1])
            s.until("move")
            q, ql, c = self.lay(self.q, self.ql, self.c, gaps=(1.5, 0.8))
            moves = (self.q.animate.shift(q), self.c.animate.shift(c))
            self.play(FadeOut(self.w, scale=0.3), FadeOut(work), *moves, run_time=1.0)
            self.ql.shift(ql)
            turned = self.way(self.q, self.ql, RIGHT)
            self.play(FadeIn(turned), FadeIn(self.ql, shift=0.3 * RIGHT), run_time=0.9)
            s.until("direct")
            stored = label("straight\nfrom the\ncache", "small", "latent").next_to(self.c.image, RIGHT, buff=0.2)
            times = self.dot(self.ql, self.c)
            self.look(self.c)
            self.play(FadeIn(stored, times), run_time=0.5)
            self.play(FadeIn(self.looks, shift=0.2 * DOWN), run_time=0.7)
        self.leaving = Group(self.q, self.ql, self.c, turned, stored, times, self.looks, self.formulas[1])

    def rebracket(self) -> list[Any]:
        """One formula becomes the other: its letters make room, the brackets go out before they stand elsewhere."""
        (off, old), (on, new) = (
            (VGroup(*ordered[:2]), sorted(ordered[2:], key=lambda part: part.get_x()))
            for ordered in (sorted(formula, key=lambda part: -part.height) for formula in self.formulas)
        )
        moves = [part.animate.move_to(goal) for part, goal in zip(old, new, strict=True)]
        out, into = squish_rate_func(EASE, 0, 0.35), squish_rate_func(EASE, 0.65, 1)
        return [*moves, FadeOut(off, rate_func=out), FadeIn(on, rate_func=into)]

    def same(self, sentence: Trace) -> None:
        """The outputs of both orders and their largest difference; then the work of each as the text grows."""
        outputs = sentence["output"].pick(layer=self.layer, hidden=slice(0, 64))
        scale = ColorScale.of(outputs)
        strips = [
            TensorGrid(
                outputs.pick(way=way),
                scale=scale,
                width=9.0,
                height=0.42,
                vertical=False,
                max_columns=64,
                notes=False,
                bar=False,
                gap=0.06,
            )
            for way in (0, 2)
        ]
        texts = [label("every latent expanded", "small", "key"), label("the query moved", "small", "latent")]
        for strip, text in zip(strips, texts, strict=True):
            text.next_to(strip, LEFT, buff=0.3)
        both = column(*(Group(text, strip) for text, strip in zip(texts, strips, strict=True)), gap=0.35, edge=RIGHT)
        difference = NumberLabel(
            sentence.quantity("relative_difference_float64"),
            "sci 1",
            before="largest difference, as a share of the output: ",
            size="heading",
            role="text",
        )
        fit_stage(column(both, difference, gap=0.5, edge=None))
        counts = self.run("absorption_counts")
        chart, marks = self.work(counts)
        with self.step() as s:
            self.play(FadeOut(self.leaving), run_time=0.5)
            s.until("same")
            self.play(LaggedStart(*(FadeIn(each) for each in both), lag_ratio=0.5), run_time=1.2)
            self.play(FadeIn(difference), run_time=0.7)
            s.until("count")
            self.play(FadeOut(both, difference), run_time=0.5)
            self.origin(counts)
            self.play(FadeIn(chart), run_time=1.0)
            self.play(Create(marks[0]), FadeIn(*marks[1:]), run_time=0.8)

    def work(self, counts: Trace) -> tuple[LineChart, list[Mobject]]:
        """Operations of both orders as the text grows; at one length the gap, how large it is, and where it stands."""
        flops = counts["flops"]
        series = [
            Series("every latent expanded again", flops.pick(order=1), x=counts["length"], role="key"),
            Series("the query moved instead", flops.pick(order=2), x=counts["length"], role="latent"),
        ]
        chart = LineChart(
            series,
            x_name="tokens in the cache",
            y_name="operations for one token, one layer",
            x_log=True,
            y_log=True,
            width=7.4,
            height=3.9,
        )
        fit_stage(chart)
        place = counts.arrays["length"].labels["length"].index("32,768")
        ends = [chart.at(name, place) for name in ("the query moved instead", "every latent expanded again")]
        gap = Line(*ends, stroke_width=3, color=role("accent"))
        ratio = NumberLabel(
            counts.quantity("reexpanding_flops_ratio_32k"), "times 3", size="heading", role="accent", after=" fewer"
        )
        here = NumberLabel(self.number("tokens.32k"), "plain", after=" tokens", size="small", role="accent")
        ratio.next_to(gap, RIGHT, buff=0.15).align_to(gap, UP).shift(0.2 * DOWN)
        foot = chart.axes.point(float(counts["length"].values[place]), chart.axes.y.low)
        drop = Line(ends[0], foot, stroke_width=1.5, color=role("accent"))
        here.next_to(drop, RIGHT, buff=0.12).align_to(drop, DOWN).shift(0.12 * UP)
        return chart, [gap, ratio, drop, here]
