"""Lecture 2: real trainings, without any rule for the load, with the bias rule, and with the rule switched on late."""

from __future__ import annotations

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Animation,
    AnimationGroup,
    Create,
    DashedLine,
    Dot,
    FadeIn,
    FadeOut,
    LaggedStart,
    Line,
    Rectangle,
    VGroup,
)

from explainers.quantities import Quantity
from explainers.traces import NamedArray, Trace
from scenes.kit import (
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_CENTER,
    Axes2D,
    Axis,
    LineChart,
    LoadRain,
    NumberLabel,
    Series,
    dim,
    label,
    quantity_at,
    role,
)
from scenes.lectures.l2_moe.common import Draw
from scenes.stage import LectureScene

RULE, NEITHER, RESCUE = "bias rule", "neither", "rescue"
COLOURS = {RULE: "reward", NEITHER: "cost", RESCUE: "query"}
NAMES = {RULE: "with the rule", NEITHER: "without", RESCUE: "switched on late"}


def typical(trace: Trace) -> int:
    """The layer that is drawn: its imbalance without any rule, at the end, is nearest to the mean that is told.

    Any one layer of one training lies off the mean of all; the nearest one lets picture and number say the same.
    """
    vio = trace["max_vio"]
    alone = vio.pick(mode=vio.labels["mode"].index(NEITHER), seed=0).values[-1]
    return int(np.argmin(np.abs(alone - float(trace.quantity("max_vio_neither")))))


class BalanceScene(LectureScene):
    """Rain at the left, the load of the busiest expert against the mean at the right, both at the same step."""

    lecture = 0

    def build(self, trace: Trace) -> LineChart:
        """The chart, with all curves there but undrawn."""
        self.trace = trace
        vio = trace["max_vio"]
        self.modes = vio.labels["mode"]
        steps = NamedArray(
            np.array([float(each) for each in vio.labels["step"]]), ("step",), "step", "", {}, vio.run, ""
        )
        self.most = trace.quantity("max_vio_ceiling") + 1
        self.layer = typical(trace)
        series = []
        for mode in (NEITHER, RESCUE, RULE):
            of_seed = 1 + vio.values[self.modes.index(mode)].mean(-1)  # (seed, step): MaxVio counts from the mean
            mean, spread = (
                NamedArray(values, ("step",), f"1 + MaxVio, {mode}", "", {}, vio.run, vio.digest)
                for values in (of_seed.mean(0), of_seed.std(0, ddof=1))
            )
            series.append(Series(mode, mean, steps, spread, COLOURS[mode]))
        chart = LineChart(
            series,
            x_name="training step",
            y_axis=Axis(0, float(self.most) * 1.02, "load of the busiest, × the mean"),
            names="",
            width=4.3,
            height=3.5,
            stroke=3.5,
        )
        chart.move_to([0, STAGE_CENTER[1] + 0.15, 0]).align_to([SAFE_RIGHT - 0.05, 0, 0], RIGHT)
        self.whole = {name: curve.copy() for name, curve in chart.curves.items()}
        self.last = len(steps.values) - 1
        return chart

    def rain(self, mode: str, bias: bool) -> LoadRain:
        """The experts of one layer in the first training of a mode."""
        place = {"mode": self.modes.index(mode), "layer": self.layer}
        loads, biases = self.trace["load"].pick(**place), self.trace["bias"].pick(**place)
        rain = LoadRain(
            loads, biases if bias else None, most=float(self.most), width=6.4, height=3.0, sky=0.55, drops=56
        )
        rain.shift(RIGHT * (SAFE_LEFT + 0.12 - rain.base.get_left()[0]))
        return rain.shift(UP * (STAGE_CENTER[1] - 1.0 - rain.base.get_y()))

    def until_step(
        self, rain: LoadRain, chart: LineChart, mode: str, end: int, run_time: float, *beside: Animation
    ) -> None:
        """Rain and curve walk together to a point of the axis."""
        start, self.here = rain.position, float(end)
        curve = chart.curves[mode]
        shares = start / self.last, end / self.last
        if curve not in self.mobjects:
            curve.pointwise_become_partial(self.whole[mode], 0, 1e-6)
            self.add(curve)
        self.play(rain.fall(end, run_time=run_time), Draw(curve, self.whole[mode], *shares, run_time=run_time), *beside)

    def top_line(self, chart: LineChart) -> VGroup:
        """The most that is possible, as a dashed line with its words."""
        ends = [chart.axes.point(place, float(self.most)) for place in (chart.axes.x.low, chart.axes.x.high)]
        line = DashedLine(*ends, dash_length=0.09, stroke_width=2, color=role("muted"))
        return VGroup(
            line,
            label("the most that is possible", "small", "muted").next_to(line, DOWN, buff=0.06).align_to(line, RIGHT),
        )

    def at_end(self, rain: LoadRain, mode: str) -> NumberLabel:
        """The load at the last step: of the busiest of the experts that are drawn."""
        place = {"mode": self.modes.index(mode), "seed": 0, "layer": self.layer}
        load = quantity_at(self.trace["max_vio"].pick(**place), self.last) + 1
        number = NumberLabel(load, "plain 2", after=" × the mean", size="small", role="accent")
        return number.next_to(rain.busiest, RIGHT, buff=0.15)

    def load_of(self, mode: str) -> Quantity:
        """The busiest expert against the mean, over all layers and trainings."""
        return self.number(f"run.efficiency_ledger.{'uneven' if mode == NEITHER else 'even'}")

    def number_of(self, mode: str, chart: LineChart, fmt: str) -> NumberLabel:
        """The mean of the last fifth, at the end of the curve."""
        number = NumberLabel(self.load_of(mode), fmt, size="body", role=COLOURS[mode])
        return number.next_to(chart.at(mode, self.last), UP, buff=0.15).align_to(chart.axes.corners, RIGHT)


class Favourites(BalanceScene):
    """A training without any rule: nearly all on a few at first, uneven to the end."""

    lecture = 2

    def construct(self) -> None:
        self.show_title()
        trace = self.run("balance")
        self.origin(trace, self.run("efficiency_ledger"))
        chart = self.build(trace)
        rain = self.rain(NEITHER, bias=False)
        drops = label("each drop: equally many tokens", "small", "muted")
        drops.next_to(rain.base, DOWN, buff=0.3).align_to(rain.base, LEFT)
        layer = label("experts of one layer, one training", "small", "expert").next_to(drops, DOWN, buff=0.14)
        layer.align_to(drops, LEFT)
        seeds = label("mean of all layers and trainings", "small", "muted")
        seeds.next_to(chart.axes, DOWN, buff=0.12).align_to(chart.axes.corners, RIGHT)
        with self.step() as s:
            self.play(FadeIn(rain, layer), run_time=0.8)  # the loads of the first step
            s.until("rain")
            self.play(FadeIn(chart.axes, seeds), FadeIn(drops), run_time=0.6)
            self.until_step(rain, chart, NEITHER, 1, max(s.left_until("rush"), 1.0))
            self.until_step(rain, chart, NEITHER, 4, max(s.left, 2.0), FadeIn(self.top_line(chart), run_time=0.5))
        with self.step() as s:
            s.until("not")
            self.until_step(rain, chart, NEITHER, self.last, max(s.left_until("vio"), 3.0))
            told = self.number_of(NEITHER, chart, "times 2")
            self.play(FadeIn(chart.bands[NEITHER], told, self.at_end(rain, NEITHER)), run_time=0.7)


class ASmallNudge(BalanceScene):
    """The bias rule from the start; switched on late; what it does to the loss, and who waits for whom."""

    lecture = 2

    def construct(self) -> None:
        self.show_title()
        trace = self.run("balance")
        self.origin(trace, self.run("efficiency_ledger"))
        chart = self.build(trace)
        before = VGroup(chart.curves[NEITHER], chart.bands[NEITHER])
        name = label(NAMES[NEITHER], "small", COLOURS[NEITHER])
        name.next_to(chart.at(NEITHER, self.last), UP, buff=0.3).align_to(chart.axes.corners, RIGHT)
        rain = self.rain(RULE, bias=True)
        key = VGroup(
            label("bias:", "small", "muted"), label("raised", "small", "reward"), label("lowered", "small", "cost")
        ).arrange(RIGHT, buff=0.4)
        key.next_to(rain.zero, DOWN, buff=rain.bias_height + 0.15).align_to(rain.base, LEFT)
        with self.step() as s:
            self.add(rain, chart.axes, before, name)
            self.play(FadeIn(key), run_time=0.6)
            s.until("rule")
            self.until_step(rain, chart, RULE, 12, max(s.left_until("fall"), 3.0))
            self.until_step(rain, chart, RULE, self.last, max(s.left - 0.8, 2.5))
            number = self.number_of(RULE, chart, "times 2")
            self.play(FadeIn(number, chart.bands[RULE]), run_time=0.6)
        self.late(chart, rain, number)
        self.loss(VGroup(chart.axes, before, name, key))

    def late(self, chart: LineChart, rain: LoadRain, number: NumberLabel) -> None:
        """A third of the way without the rule, then with it."""
        other = self.rain(RESCUE, bias=True)
        third = next(i for i, bias in enumerate(other.biases) if np.abs(bias).max() > 0)
        name = label(NAMES[RESCUE], "small", COLOURS[RESCUE])
        dot = chart.marker(RESCUE, third)
        name.move_to(chart.axes.point(chart.axes.x.low, 3.4)).align_to(dot, LEFT)  # between grid lines, over all curves
        switch = VGroup(Line([dot.get_x(), name.get_bottom()[1] - 0.06, 0], dot.get_top()), dot)
        switch[0].set_stroke(role(COLOURS[RESCUE]), 1.8)
        with self.step() as s:
            self.play(FadeOut(rain, number), dim(chart.curves[RULE], chart.bands[RULE]), run_time=0.4)
            self.play(FadeIn(other), run_time=0.4)
            self.until_step(other, chart, RESCUE, third, max(s.left_until("rescue"), 2.0))
            self.play(FadeIn(switch, name), run_time=0.4)
            self.until_step(other, chart, RESCUE, self.last, max(s.left, 3.5))
        self.second = other
        self.extra = VGroup(name, switch, chart.curves[RULE], chart.bands[RULE], chart.curves[RESCUE])

    def loss(self, told: VGroup) -> None:
        """The loss with and without the rule: no difference that counts; then how long each expert waits."""
        axes, rows, pairs = self.losses()
        rain = self.rain(NEITHER, bias=False)
        rain.show(self.last)
        rain.remove(rain.water, rain.names, rain.mean, rain.reach)
        rain.scale(0.8).move_to([3.4, 0, 0])
        rain.shift(UP * (axes[0].corners.get_bottom()[1] - rain.base.get_y()))
        waits = self.waiting(rain)
        words = label("waiting for the busiest", "small", "cost").next_to(rain.busiest, UP, buff=0.15)
        words.align_to(rain.base, LEFT)
        work = label("at work: experts of one layer, without the rule", "small", "expert")
        work.next_to(rain.base, DOWN, buff=0.2).align_to(rain.base, LEFT)
        with self.step() as s:
            s.until("loss")  # until then the trainings stand there of which it is asked
            self.play(FadeOut(told, self.second, self.extra), run_time=0.5)
            self.play(FadeIn(axes, rows), run_time=0.6)
            self.play(LaggedStart(*(Create(pair) for pair in pairs), lag_ratio=0.5), run_time=1.8)
            s.until("wait")
            self.play(FadeIn(rain, work), run_time=0.6)
            self.play(AnimationGroup(*(Create(each) for each in waits), lag_ratio=0.06), FadeIn(words), run_time=1.8)

    def losses(self) -> tuple[VGroup, VGroup, VGroup]:
        """Axis, the two means with their names, and a pair of dots for each start: with and without the rule."""
        ends = self.trace["validation"].values[:, :, -1].mean(-1)  # (mode, seed): all kinds of text weigh alike
        modes = RULE, NEITHER
        told = ends[[self.modes.index(mode) for mode in modes]]
        room = 0.15 * float(np.ptp(told))
        seeds = told.shape[1]
        y = Axis(float(told.min()) - room, float(told.max()) + room, "loss on new text", "nat/token")
        axes = Axes2D(Axis(0, seeds), y, width=5.2, height=2.9, x_ticks=False)
        axes.base.set_stroke(opacity=0)  # it begins far above zero
        axes.move_to([-3.4, STAGE_CENTER[1] - 0.15, 0])
        pairs = VGroup()
        for seed in range(seeds):
            dots = [
                Dot(axes.point(seed + 0.5, loss), 0.1, color=role(COLOURS[mode]))
                for mode, loss in zip(modes, told[:, seed], strict=True)
            ]
            line = Line(*(dot.get_center() for dot in dots), stroke_width=4, color=role("muted"))
            pairs.add(VGroup(line, *dots))
        rows = VGroup()
        for mode in modes:
            mean = NumberLabel(
                self.trace.quantity(f"loss_{mode.replace(' ', '_')}"), "plain 4 bare", size="body", role=COLOURS[mode]
            )
            name = label(NAMES[mode], "body", COLOURS[mode])
            rows.add(VGroup(Dot(radius=0.09, color=role(COLOURS[mode])), name, mean).arrange(RIGHT, buff=0.15))
        rows.arrange(RIGHT, buff=0.5).next_to(axes, UP, buff=0.3).align_to(axes.corners, LEFT)
        note = label("a pair: two trainings from one start; above: the means", "small", "muted")
        note.next_to(axes.corners, DOWN, buff=0.2).align_to(axes.corners, LEFT)
        return VGroup(axes, note), rows, pairs

    def waiting(self, rain: LoadRain) -> VGroup:
        """What each column lacks to the busiest one."""
        load = rain.loads[-1]
        pitch = rain.plot.width / len(load)
        top = rain.busiest.get_y()
        boxes = VGroup()
        for index, each in enumerate(load):
            low = rain.plot.get_bottom()[1] + rain.plot.height * each / rain.most
            if top - low > 0.02:
                box = Rectangle(width=pitch * 0.72, height=top - low, stroke_width=1.6, stroke_color=role("cost"))
                box.move_to([rain.plot.get_left()[0] + pitch * (index + 0.5), (top + low) / 2, 0])
                boxes.add(box)
        return boxes
