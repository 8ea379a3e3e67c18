"""Lecture 4: a larger model for less, and the same race at two sizes."""

from __future__ import annotations

from typing import ClassVar

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    Dot,
    DoubleArrow,
    FadeIn,
    FadeOut,
    Group,
    GrowFromCenter,
    LaggedStart,
    Line,
    SurroundingRectangle,
    VGroup,
)

from explainers.quantities import Quantity
from explainers.traces import NamedArray, Trace
from scenes.kit import (
    EASE,
    STAGE_CENTER,
    STAGE_TOP,
    AmountSquare,
    Axes2D,
    Axis,
    Legend,
    LineChart,
    NumberLabel,
    RaceRails,
    Rail,
    Series,
    Waffle,
    fit_stage,
    label,
    role,
)
from scenes.stage import LectureScene


class LargerAndCheaper(LectureScene):
    """Two models as squares of parameters, what works filled; below, the chip hours of a trillion tokens."""

    lecture = 4

    def construct(self) -> None:
        self.show_title()
        dense, whole, part = (
            self.number(name) for name in ("ds67b.total_params", "v2.total_params", "v2.active_params")
        )
        unit = 2.55**2 / float(whole)
        self.left = AmountSquare(dense, unit=unit, role="dense")
        self.right = AmountSquare(whole, unit=unit, role="expert", outline=True)
        self.part = AmountSquare(part, unit=unit, role="expert")
        self.models(dense, whole, part)
        self.bills()

    def models(self, dense: Quantity, whole: Quantity, part: Quantity) -> None:
        floor = STAGE_CENTER[1] - 0.1
        for square, x in ((self.left, -2.9), (self.right, 1.3)):
            square.move_to([x, floor, 0], aligned_edge=DOWN)
        self.part.move_to(self.right, aligned_edge=DOWN + LEFT)
        names = VGroup(label("DeepSeek 67B", "body", "dense"), label("DeepSeek V2", "body", "expert"))
        sizes = VGroup(
            NumberLabel(dense, "words 2 bare", size="small", role="muted", after=", all at work"),
            NumberLabel(whole, "words 3 bare", size="small", role="muted", after=" parameters"),
        )
        names[0].next_to(self.left, LEFT, buff=0.35).align_to(self.left, UP)
        names[1].next_to(self.right, RIGHT, buff=0.35).align_to(self.right, UP)
        for name, size, edge in zip(names, sizes, (RIGHT, LEFT), strict=True):
            size.next_to(name, DOWN, buff=0.12, aligned_edge=edge)
        works = NumberLabel(part, "words 2 bare", size="body", role="expert", after=" at work")
        works.next_to(self.right, RIGHT, buff=0.35).align_to(self.part, DOWN)
        ratio = self.number("run.efficiency_ledger.v2_size")
        times = NumberLabel(ratio, "times 2", size="display", role="accent").next_to(sizes[1], DOWN, buff=0.25)
        times.align_to(names[1], LEFT)
        self.times = times
        self.ledger = self.run("efficiency_ledger")
        self.origin(self.ledger, dense, whole)
        ghost = AmountSquare(dense, unit=self.left.square.width**2 / float(dense), role="dense", outline=True)
        idle = ghost.move_to(self.left).copy()
        ghost.square.set_fill(opacity=0)  # what it leaves stays as it is
        with self.step() as s:
            self.play(FadeIn(idle, names[0]), run_time=0.8)
            s.until("dense")
            self.play(self.left.grow(1.0), FadeIn(sizes[0]))
            self.remove(idle)
            s.until("next")
            self.play(ghost.animate.move_to(self.right, aligned_edge=DOWN + LEFT), run_time=0.9, rate_func=EASE)
            self.play(FadeIn(self.right), FadeOut(ghost), FadeIn(names[1], sizes[1]), run_time=0.8)
            self.play(FadeIn(times, shift=0.15 * UP), run_time=0.6)
            s.until("part")
            self.play(self.part.grow(1.2), FadeIn(works))

    def bills(self) -> None:
        """One square a thousand hours of one chip."""
        saving = self.number("fact.training.v2_vs_67b.saving")
        hours = [self.number(f"fact.training.v2_vs_67b.gpu_hours_per_trillion_{key}") for key in ("67b", "v2")]
        square = self.number("run.efficiency_ledger.square")
        bills = [
            Waffle(amount, square, rows=4, cell=0.118, role=colour)
            for amount, colour in zip(hours, ("dense", "expert"), strict=True)
        ]
        numbers = VGroup(*(NumberLabel(h, "plain bare", size="body", role="muted", after=" chip hours") for h in hours))
        for bill, number, y in zip(bills, numbers, (-0.95, -1.85), strict=True):
            bill.place_at([-6.2, STAGE_CENTER[1] + y, 0])
            number.next_to(bill, RIGHT, buff=0.25)
        names = [label(f"DeepSeek {name}", "small", colour) for name, colour in (("67B", "dense"), ("V2", "expert"))]
        for name, bill in zip(names, bills, strict=True):
            name.next_to(bill, UP, buff=0.12, aligned_edge=LEFT)
        key = NumberLabel(square, "plain bare", size="small", role="muted", before="a square: ", after=" chip hours")
        head = VGroup(label("to learn a trillion tokens", "small", "muted"), key).arrange(RIGHT, buff=0.45)
        head.next_to(names[0], RIGHT, buff=0.3).match_y(names[0])
        less = NumberLabel(saving, "percent 3", size="display", role="reward", after=" fewer")
        less.next_to(numbers[1], RIGHT, buff=0.5)
        both = [
            SurroundingRectangle(each, buff=0.14, stroke_width=3, color=role("accent"), corner_radius=0.1)
            for each in (self.times, less)
        ]
        self.origin(self.ledger, saving, *(self.number(f"{key}.total_params") for key in ("ds67b", "v2")))
        with self.step() as s:
            s.until("bill")
            self.play(FadeIn(head, names[0]), bills[0].fill(run_time=1.6))
            self.play(FadeIn(numbers[0], names[1], run_time=0.5), bills[1].fill(run_time=1.0))
            self.play(FadeIn(numbers[1]), run_time=0.4)
            self.play(FadeIn(less, shift=0.2 * LEFT), run_time=0.7)
            for mark, frame in zip(("larger", "cheaper"), both, strict=True):
                s.until(mark)
                self.play(Create(frame), run_time=0.6)


class TheSameRace(LectureScene):
    """Loss over arithmetic, four models, three trainings each; then the same comparison in DeepSeekMoE's paper."""

    lecture = 4
    #: number of the kind in the run → name, colour
    kinds: ClassVar[dict[int, tuple[str, str]]] = {
        1: ("dense, as much at work", "dense"),
        0: ("sparse", "expert"),
        2: ("dense, all at work", "token"),
        3: ("all at work, fewer tokens", "cost"),
    }

    def construct(self) -> None:
        self.show_title()
        trace = self.run("dense_sparse")
        self.race = self.run("same_race")
        self.origin(trace, self.race)
        chart = self.chart(trace)
        self.here(trace, chart)
        self.larger(trace, chart)
        self.paper()

    def chart(self, trace: Trace) -> LineChart:
        """Means and spreads of three trainings, from the second measurement on: the first still falls steeply."""
        loss, flops, later = trace["loss"], trace["flops"], slice(1, None)
        series = []
        for kind, (name, colour) in self.kinds.items():
            values = loss.values[kind, :, later].astype(float)
            mean, spread = (
                NamedArray(each, ("point",), f"{what} of the loss, {name}", loss.unit, {}, loss.run, "")
                for each, what in ((values.mean(0), "mean"), (values.std(0, ddof=1), "spread"))
            )
            series.append(Series(name, mean, flops.pick(kind=kind, point=later), spread, colour))
        x = Axis(0.0, float(flops.values.max()) * 1.04, "training arithmetic", "FLOP")
        y = Axis(3.0, 4.5, "loss on new text", "nat/token")
        chart = LineChart(series, x_axis=x, y_axis=y, names="", width=11.4, height=3.9, stroke=3.5)
        chart.axes.lines.set_stroke(opacity=0)
        fit_stage(chart)
        return chart

    def legend(self, chart: LineChart, trace: Trace) -> dict[int, VGroup]:
        """A row a curve, top right: a dot, its name, its loss at the end."""
        keys = {1: "loss_dense_active", 0: "loss_sparse", 2: "loss_dense_total", 3: "loss_dense_flops"}
        rows = {}
        for place, (kind, (name, colour)) in enumerate(self.kinds.items()):
            number = NumberLabel(trace.quantity(keys[kind]), "plain .3 bare", size="body", role=colour)
            words = label(name, "body", colour).next_to(number, LEFT, buff=0.3)
            dot = Dot(radius=0.09, color=role(colour)).next_to(words, LEFT, buff=0.16)
            rows[kind] = VGroup(dot, words, number)
            rows[kind].move_to(chart.axes.corners, RIGHT + UP).shift((0.38 * place + 0.08) * DOWN)
        return rows

    def each_training(self, trace: Trace, chart: LineChart) -> VGroup:
        """The end of every training: the dense model below, the sparse one above, a line between them."""
        ends = trace["loss"].values[:, :, -1].astype(float)
        low, high = chart.axes.point_at(0.67, 0.16), chart.axes.point_at(0.96, 0.54)
        y = Axis(float(ends[:2].min()) - 0.02, float(ends[:2].max()) + 0.02)
        seeds = ends.shape[1]
        wide, tall = high[0] - low[0], high[1] - low[1]
        axes = Axes2D(Axis(0, seeds), y, width=wide, height=tall, x_ticks=False)
        axes.base.set_stroke(opacity=0)  # it begins far above zero
        axes.move_to((low + high) / 2)
        frame = SurroundingRectangle(
            VGroup(axes.corners, axes.y_ticks), buff=0.12, stroke_width=1.5, color=role("hairline")
        )
        frame.set_fill(role("ground"), 1)
        words = label("ends of the three trainings", "small", "muted").next_to(frame, UP, buff=0.1)
        pairs = VGroup()
        for seed in range(seeds):
            sparse, dense = (axes.point(seed + 0.5, ends[kind, seed]) for kind in (0, 1))
            dots = (Dot(dense, 0.1, color=role("dense")), Dot(sparse, 0.1, color=role("expert")))
            pairs.add(VGroup(Line(dense, sparse, stroke_width=4, color=role("accent")), *dots))
        return VGroup(frame, VGroup(axes, words), pairs)

    def here(self, trace: Trace, chart: LineChart) -> None:
        small = label("our own small models, three trainings each", "small", "muted")
        small.next_to(chart.axes.corners, UP, buff=0.2).align_to(chart.axes.corners, RIGHT)
        self.rows = self.legend(chart, trace)
        inset = self.each_training(trace, chart)
        gap = self.race.quantity("behind")
        behind = NumberLabel(gap, "plain .2 bare", size="heading", role="accent", before="behind by ")
        behind.next_to(inset[0], LEFT, buff=0.4).shift(0.4 * UP)
        with self.step() as s:
            self.play(FadeIn(chart.axes, small), run_time=0.8)
            for mark, kind in (("dense", 1), ("sparse", 0)):
                s.until(mark)
                self.draw(chart, kind, max(0.6, s.left_until("sparse") - 0.3) if kind == 1 else 1.8)
            self.play(FadeIn(chart.band_note), run_time=0.4)
            s.until("behind")
            self.play(FadeIn(inset[:2], behind), run_time=0.6)
            self.play(LaggedStart(*(Create(pair) for pair in inset[2]), lag_ratio=0.5), run_time=1.5)
        self.inset, self.note = VGroup(inset, behind), small

    def draw(self, chart: LineChart, kind: int, run_time: float) -> None:
        """A curve, its row in the legend, its spread."""
        name = self.kinds[kind][0]
        self.play(chart.draw(name, run_time=run_time), FadeIn(self.rows[kind], run_time=0.6))
        self.play(FadeIn(chart.bands[name]), run_time=0.3)

    def larger(self, trace: Trace, chart: LineChart) -> None:
        end = chart.at(self.kinds[2][0], -1)
        start = chart.at(self.kinds[0][0], -1)
        level = chart.at(self.kinds[3][0], -1)[1] + 0.2  # clear of all curves
        arrow = DoubleArrow([start[0], level, 0], [end[0], level, 0], buff=0, stroke_width=3, tip_length=0.16)
        arrow.set_color(role("token"))
        ratio = self.race.quantity("work_ratio_here")
        times = NumberLabel(ratio, "times 2", size="heading", role="token", after=" the arithmetic")
        times.next_to(arrow, UP, buff=0.12)
        with self.step() as s:
            self.play(FadeOut(self.inset), run_time=0.4)
            s.until("large")
            self.draw(chart, 2, 2.2)
            self.play(GrowFromCenter(arrow), FadeIn(times), run_time=0.7)
            s.until("cut")
            self.draw(chart, 3, 1.6)
        self.all = Group(chart.axes, chart.band_note, self.note, times, arrow, *self.rows.values())
        for name, _ in self.kinds.values():
            self.all.add(chart.curves[name], chart.bands[name])

    def paper(self) -> None:
        """The same three models in the paper, far more text; then here, on the same rails."""
        names = {"paper": "DeepSeekMoE's\npaper", "here": "our small\nmodels"}
        rails = RaceRails(
            [self.rail(name, race) for race, name in names.items()],
            ends=("small dense model", "everything at work"),
            fmt="plain .3 bare",
            length=6.8,
            pitch=2.3,
        )
        fit_stage(rails).shift(0.25 * UP)
        ways, read = {}, {}
        for race, name in names.items():
            done = self.race.quantity(f"way_{race}")
            way = NumberLabel(done, "percent .0", size="heading", role="expert", after=" of the way")
            arrow = rails.marks[name][0]
            short = way.width > arrow.width
            ways[race] = way.next_to(arrow, DOWN, buff=0.16 if short else 0.55)  # a long arrow has words below it
            if short:
                way.align_to(arrow, RIGHT).shift(0.5 * LEFT)
            fmt = "words 3 bare" if race == "paper" else "plain bare"
            tokens = NumberLabel(self.race.quantity(f"tokens_{race}"), fmt, size="small", role="muted", after=" tokens")
            read[race] = tokens.next_to(rails.rails[name][-1], DOWN, buff=0.12, aligned_edge=RIGHT)
        work = {race: self.arithmetic(rails, race, name) for race, name in names.items()}
        note = label("arithmetic of a token: against the sparse model's", "small", "muted")
        note.move_to([0, STAGE_CENTER[1] - 2.5, 0])
        legend = Legend([("sparse model", "expert"), ("dense models", "dense")]).move_to([0, STAGE_TOP, 0])
        legend.align_to(rails.rails[names["paper"]][0], LEFT)
        loss = label("their loss: less is better", "small", "muted").next_to(legend, RIGHT, buff=0.5)
        cited = [self.race.quantity(f"paper_{key}") for key in ("small", "sparse", "large")]
        self.origin(self.race, self.run("dense_sparse"), *cited, self.race.quantity("tokens_paper"))
        top, low = (rails.rails[name] for name in names.values())
        more = NumberLabel(self.race.quantity("tokens_ratio"), "times 2", size="display", role="accent")
        more.add(label("as much text", "body", "muted").next_to(more, DOWN, buff=0.16))
        more.move_to([0, (top[-1].get_y() + low[-1].get_y()) / 2, 0])
        with self.step() as s:
            self.play(FadeOut(self.all), run_time=0.6)
            self.play(FadeIn(top[-1], low[-1], *read.values()), run_time=0.6)
            s.until("text")
            self.play(FadeIn(more, shift=0.15 * UP), run_time=0.7)
            s.until("ends")
            self.play(FadeOut(more), run_time=0.4)
            self.play(FadeIn(top[:-1], rails.heads, legend, loss), run_time=0.8)
            self.play(FadeIn(work["paper"], note), run_time=0.5)
            s.until("paper")
            self.play(rails.travel(names["paper"], run_time=1.8))
            self.play(FadeIn(ways["paper"]), run_time=0.5)
            s.until("ours")
            self.play(FadeIn(low[:-1], work["here"]), run_time=0.8)
            self.play(rails.travel(names["here"], run_time=1.4))
            self.play(FadeIn(ways["here"]), run_time=0.5)

    def rail(self, name: str, race: str) -> Rail:
        """From the small dense model to the large one, and the sparse one between."""
        small, large, sparse = (self.race.quantity(f"{race}_{key}") for key in ("small", "large", "sparse"))
        return Rail(name, small, large, sparse)

    def arithmetic(self, rails: RaceRails, race: str, name: str) -> VGroup:
        """What the two dense models compute for a token, against the sparse one; below the ends of a rail."""
        found = VGroup()
        for key, circle, edge in (("small_work", 2, LEFT), ("work_ratio", 4, RIGHT)):
            ratio = self.race.quantity(f"{key}_{race}")
            number = NumberLabel(ratio, "times 2", size="small", role="muted", after=" the arithmetic")
            number.move_to(rails.rails[name][circle].get_center() + 0.72 * DOWN - 0.15 * edge, aligned_edge=edge)
            found.add(number)
        return found
