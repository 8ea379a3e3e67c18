"""Lecture 3: why keys and values can be squeezed."""

from __future__ import annotations

from typing import ClassVar

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    FadeIn,
    FadeOut,
    Group,
    Indicate,
    Line,
    Mobject,
    Rectangle,
    VGroup,
)

from scenes.kit import (
    EASE,
    STAGE_CENTER,
    ColorScale,
    LineChart,
    NumberLabel,
    Series,
    TensorGrid,
    column,
    fit_stage,
    label,
    role,
)
from scenes.lectures.l3_mla.common import legend_row
from scenes.stage import LectureScene


class FewDirections(LectureScene):
    """The spectrum of real keys and values: trained, untrained, and after position has been written in."""

    lecture = 3
    rank = 32

    aspects = ("16:9", "9:16")

    def construct(self) -> None:
        self.show_title()
        stacked = self.stack()
        chart = self.flat(stacked)
        self.after_position(chart)

    heads: ClassVar[int] = 4

    def stack(self) -> Group:
        """Keys and values of each head apart, then side by side: one row of numbers a token."""
        kv = self.run("latent_rank_sweep")["kv"]
        width = kv["feature"] // (2 * self.heads)
        self.scale = scale = ColorScale.of(kv)
        blocks = [
            TensorGrid(
                kv.pick(feature=slice(start, start + width)),
                scale=scale,
                role="key" if start < kv["feature"] // 2 else "value",
                width=0.73 if self.upright else 1.42,
                height=2.8 if self.upright else 1.9,
                notes=False,
                bar=False,
                gap=0,
            )
            for start in range(0, kv["feature"], width)
        ]
        buff, place = ((0.6, 1.2), STAGE_CENTER) if self.upright else ((0.9, 0.55), STAGE_CENTER + 0.9 * RIGHT)
        apart = Group(*blocks).arrange_in_grid(rows=2, buff=buff).move_to(place)
        names = VGroup(label("keys, head by head", "small", "key"), label("values, head by head", "small", "value"))
        for name, first in zip(names, (blocks[0], blocks[self.heads]), strict=True):
            name.next_to(first, LEFT, buff=0.4)
            if self.upright:
                name.next_to(first, UP, buff=0.2, aligned_edge=LEFT)
        together = apart.copy().arrange(RIGHT, buff=0.06).move_to(STAGE_CENTER)
        features = self.number("run.low_rank.features")
        count = NumberLabel(features, "plain", after=" numbers for each token", size="body", role="muted")
        whose = VGroup(label("keys of all heads", "small", "key"), label("values of all heads", "small", "value"))
        for name, half in zip(whose, (together[: self.heads], together[self.heads :]), strict=True):
            name.next_to(Group(*half), UP, buff=0.2)
        count.next_to(together, DOWN, buff=0.25)
        frame = Rectangle(width=together.width + 0.1, height=0.24, stroke_color=role("accent"), stroke_width=3)
        frame.move_to(together).align_to(together, UP)
        self.origin(kv, features)
        with self.step() as s:
            lag = 0.0 if self.upright else 0.1  # in a small frame one block after the other would flicker
            self.play(FadeIn(apart, lag_ratio=lag), FadeIn(names), run_time=1.6)
            s.until("stack")
            self.play(FadeOut(names), run_time=0.3)
            for along in (0, 1):  # first aside, then to one height: the rows do not pass over each other
                goals = zip(blocks, (goal.get_coord(along) for goal in together), strict=True)
                self.play(*(block.animate.set_coord(at, along) for block, at in goals), run_time=0.8, rate_func=EASE)
            self.play(FadeIn(whose), run_time=0.5)
            s.until("count")
            self.play(FadeIn(count, frame), run_time=0.5)
            self.play(frame.animate.align_to(together, DOWN), run_time=max(s.left, 1.0), rate_func=EASE)
        return Group(apart, count, frame, whose)

    #: curve → place in the arrays (network, variant), colour, number of the run at the rank that is spoken of
    curves: ClassVar[dict[str, tuple[int, int, str, str]]] = {
        "pure noise: all directions alike": (2, 0, "muted", "energy_gaussian_before_32"),
        "trained": (0, 0, "latent", "energy_before_32"),
        "untrained": (1, 0, "token", "energy_untrained_before_32"),
        "trained, with position": (0, 1, "rope", "energy_after_32"),
    }

    def flat(self, stacked: Group) -> LineChart:
        """Energy held by the strongest directions, fitted on training text, measured on held-out text."""
        trace = self.run("low_rank")
        energy, spread = trace["energy_of_all_layers"], trace["energy_of_all_layers_spread"]
        series = [
            Series(
                name,
                energy.pick(network=n, variant=v),
                spread=spread.pick(network=n, variant=v),
                role=colour,
                dashed=n == 2,
            )
            for name, (n, v, colour, _) in self.curves.items()
        ]
        chart = LineChart(
            series,
            x_name="directions kept",
            y_name="energy held (share of the sum of squares)",
            y_zero=True,
            names="",
            width=6.2 if self.upright else 10.6,
            height=5.6 if self.upright else 4.2,
        )
        fit_stage(chart)
        rows = [
            legend_row(name, trace.quantity(key), "percent .0", colour, dashed=n == 2)
            for name, (n, _, colour, key) in self.curves.items()
        ]
        self.rows = dict(zip(self.curves, column(*rows, gap=0.14), strict=True))
        self.place_legend(chart, Group(*rows))
        marker = Line(
            chart.axes.point(self.rank, 0), chart.axes.point(self.rank, 1), stroke_width=2, color=role("muted")
        )
        rank = NumberLabel(trace.quantity("rank"), "plain", size="small", role="muted", after=" directions")
        rank.next_to(marker.get_end(), UP, buff=0.1)
        with self.step() as s:
            mixed = self.mixture(stacked)
            s.until("curve")
            self.play(FadeOut(*mixed), run_time=0.4)
            self.origin(trace)
            self.play(FadeIn(chart.axes, rank), Create(marker), run_time=0.6)
            self.draw(chart, "pure noise: all directions alike", run_time=0.7)
            self.draw(chart, "trained")
            s.until("random")
            self.draw(chart, "untrained")
        return chart

    def mixture(self, stacked: Group) -> tuple[Mobject, ...]:
        """Below the real rows the same rows from one pattern: in each it is stronger or weaker. Then from more."""
        made = self.run("latent_rank_sweep")["reconstruction"]
        rows, *others, whose = stacked
        shape = {"width": rows.width, "height": rows.height, "notes": False, "bar": False, "gap": 0.0}
        few = TensorGrid(made.pick(rank=0), scale=self.scale, role="latent", max_columns=256, **shape)
        few.move_to(STAGE_CENTER + 1.45 * DOWN)
        one = label("one pattern, stronger or weaker in each token", "small", "latent").next_to(few, DOWN, buff=0.2)
        ranks = [int(name) for name in made.labels["rank"]]
        more = NumberLabel(
            self.number("run.low_rank.rank"), "plain", size="small", role="latent", after=" patterns mixed"
        ).move_to(one)
        self.play(FadeOut(*others), Group(rows, whose).animate.shift(1.25 * UP), run_time=0.6)
        self.play(FadeIn(few, one, shift=0.3 * DOWN), run_time=0.7)
        self.wait(1.0)
        self.play(few.morph_to(made.pick(rank=ranks.index(self.rank))), FadeOut(one), run_time=1.0)
        self.play(FadeIn(more), run_time=0.3)
        return rows, whose, few, more

    def place_legend(self, chart: LineChart, rows: Group) -> None:
        """In the empty corner of the plot, where no grid line runs through it; below an upright one."""
        if self.upright:
            chart.shift(1.1 * UP)
            rows.next_to(chart, DOWN, buff=0.4)
            return
        rows.move_to(chart.axes.corners, RIGHT + DOWN).shift(0.25 * UP + 0.35 * LEFT)
        ground = Rectangle(width=1, height=1, stroke_width=0, fill_color=role("ground"), fill_opacity=1)
        ground.stretch_to_fit_width(rows.width + 0.2).stretch_to_fit_height(1.9)
        chart.axes.add(ground.move_to(rows))

    def draw(self, chart: LineChart, name: str, run_time: float = 1.2) -> None:
        """A curve, its spread, its dot at the rank that is spoken of, and its row in the legend."""
        self.play(chart.draw(name), FadeIn(self.rows[name]), run_time=run_time)
        self.play(FadeIn(chart.bands[name], chart.marker(name, self.rank)), run_time=0.5)

    def after_position(self, chart: LineChart) -> None:
        """The same keys, turned by their position."""
        with self.step() as s:
            s.until("rope")
            self.draw(chart, "trained, with position")
            s.until("value")
            ends = [chart.at(name, self.rank) for name in ("trained, with position", "trained")]
            gap = Line(*ends, stroke_width=9, color=role("accent"))
            lost = label("what position costs", "small", "accent").next_to(gap, RIGHT, buff=0.75).shift(0.16 * DOWN)
            link = Line(gap.get_center(), lost.get_left() + 0.08 * LEFT, stroke_width=1.5, color=role("accent"))
            self.play(Create(gap), FadeIn(lost, link), run_time=0.8)
            rows = (self.rows[name][2] for name in ("trained", "trained, with position"))  # each grows where it stands
            self.play(*(Indicate(each, scale_factor=1.15, color=role("accent")) for each in rows), run_time=1.0)
