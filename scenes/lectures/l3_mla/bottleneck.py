"""Lecture 3: why reading the cache is what decoding waits for."""

from __future__ import annotations

from collections.abc import Callable

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
    ManimColor,
    MoveAlongPath,
    Square,
    Succession,
    UpdateFromAlphaFunc,
    VGroup,
    VMobject,
    interpolate_color,
    linear,
    there_and_back,
)

from explainers.quantities import Quantity
from explainers.traces import Trace
from scenes.kit import EASE, Label, NumberLabel, Roof, RooflineChart, Work, column, fit_stage, label, role, row, tint
from scenes.lectures.l3_mla.common import panel
from scenes.stage import LectureScene

#: name on the chart → number of the run, colour
KINDS = {
    "MHA": ("intensity_mha", "key"),
    "GQA": ("intensity_gqa8", "key"),
    "MQA": ("intensity_mqa", "key"),
    "MLA": ("intensity_mla_absorbed", "latent"),
}
#: the ring of a kind on the chart → what its numbers of the measured run begin with, colour
MEASURED = {"MHA, measured": ("mha", "key"), "MLA, measured": ("mla", "latent")}


def squares(count: int, side: float, rows: int, buff: float) -> VGroup:
    """Equal small squares in rows."""
    cells = VGroup(*(Square(side, stroke_width=0, fill_opacity=1) for _ in range(count)))
    return cells.arrange_in_grid(rows=rows, buff=buff)


class ReadingIsTheBottleneck(LectureScene):
    """The cache travels to the multipliers for every token; a roofline says who waits for whom."""

    lecture = 3
    aspects = ("16:9", "9:16")
    stored, units = 35, 100

    def construct(self) -> None:
        self.show_title()
        roofline = self.run("roofline_decode")
        bandwidth, peak = roofline.quantity("bandwidth_h800"), roofline.quantity("peak_h800")
        machine = self.travel(bandwidth, peak)
        chart = self.roof(machine, roofline)
        self.points(chart)

    def travel(self, bandwidth: Quantity, peak: Quantity) -> VGroup:
        """The cache leaves memory, cell by cell, through one narrow road; of the multipliers one has work."""
        memory, chip = panel(4.4, 3.3), panel(3.3, 3.3)
        fit_stage(column(memory, chip, gap=2.6, edge=None) if self.upright else row(memory, chip, gap=3.6))
        names = VGroup(
            label("memory", "body", "muted").next_to(memory, UP, buff=0.18),
            label("multipliers", "body", "muted").next_to(chip, DOWN if self.upright else UP, buff=0.18),
            label("the cache", "small", "muted").next_to(memory, RIGHT if self.upright else DOWN, buff=0.2),
        )
        store = squares(self.stored, 0.36, 5, 0.14).move_to(memory)
        for index, cell in enumerate(store):
            cell.set_fill(role("value" if index % 2 else "key"))
        units = squares(self.units, 0.2, 10, 0.09).set_fill(tint("text", 0.18)).move_to(chip)
        out, into, across = (DOWN, UP, RIGHT) if self.upright else (RIGHT, LEFT, DOWN)
        ends = memory.get_edge_center(out), chip.get_edge_center(into)
        rails = VGroup(*(Line(*ends, stroke_width=3, color=role("muted")) for _ in "ab"))
        rails.arrange(across, buff=0.62).move_to((ends[0] + ends[1]) / 2)
        speed = NumberLabel(bandwidth, "si 3", size="body").next_to(rails, RIGHT if self.upright else UP, buff=0.22)
        power = NumberLabel(peak, "si 3", size="body").next_to(names[1] if self.upright else chip, DOWN, buff=0.2)
        self.origin(bandwidth, peak)
        with self.step() as s:
            self.play(FadeIn(memory, chip, names, units), run_time=0.8)
            self.play(FadeIn(store, shift=0.2 * UP, lag_ratio=0.02), run_time=1.2)
            s.until("read")
            self.play(FadeIn(rails, speed, power), run_time=0.8)
            trips = [self.trip(cell, unit, rails) for cell, unit in zip(store[::-1], units[50:], strict=False)]
            self.play(LaggedStart(*trips, lag_ratio=0.12), run_time=max(s.left, 2.0))
        return VGroup(memory, chip, names, store, units, rails, speed, power)

    def trip(self, cell: Square, unit: Square, rails: VGroup) -> Succession:
        """One cell goes to the road, along it, and gives one multiplier its moment of work."""
        way = VMobject().set_points_as_corners([cell.get_center(), *self.ends_of(rails)])
        traveller = cell.copy()
        busy = unit.animate(rate_func=there_and_back, run_time=0.5).set_fill(role("accent"))
        return Succession(
            MoveAlongPath(traveller, way, rate_func=linear, run_time=1.0),
            AnimationGroup(FadeOut(traveller, run_time=0.15), busy),
        )

    def ends_of(self, rails: VGroup) -> tuple[np.ndarray, np.ndarray]:
        """Where the road begins and ends."""
        return (rails.get_top(), rails.get_bottom()) if self.upright else (rails.get_left(), rails.get_right())

    def roof(self, machine: VGroup, roofline: Trace) -> RooflineChart:
        """The roof of one chip: slanted where it reads, flat where it multiplies."""
        peak, bandwidth = roofline.quantity("peak_h800"), roofline.quantity("bandwidth_h800")
        works = [Work(name, roofline.quantity(key), colour) for name, (key, colour) in KINDS.items()]
        measured = self.run("roofline_measured")
        works += [
            Work(name, measured.quantity(f"{key}_intensity"), colour, measured.quantity(f"{key}_rate"))
            for name, (key, colour) in MEASURED.items()
        ]
        chart = RooflineChart([Roof("H800", peak, bandwidth, "text")], works, width=self.size[0], height=self.size[1])
        fit_stage(chart)
        ridge = chart.ridge_line("H800")
        figure = NumberLabel(roofline.quantity("ridge_h800"), "plain 3", size="body")
        figure.next_to(ridge, RIGHT, buff=0.18, aligned_edge=DOWN).shift(0.35 * UP)
        room = 1.6 if self.upright else None
        reads = label("limited by reading", "small", "cost", width=room).next_to(ridge, LEFT, buff=0.3)
        counts = label("limited by multiplying", "small", "reward", width=room).next_to(ridge, RIGHT, buff=0.3)
        VGroup(reads, counts).align_to(figure, DOWN).shift(1.05 * UP)
        self.origin(roofline)
        units, rest = machine[4], VGroup(*machine[:4], *machine[5:])
        walker, walk = self.walk(chart, roofline, units)
        with self.step() as s:
            self.play(FadeOut(rest), run_time=0.3)
            small, level = (0.42, 3e14) if self.upright else (0.52, 2e14)
            self.play(units.animate.scale(small).move_to(chart.axes.point(2.5, level)), run_time=0.6)
            name = label("multipliers at work", "small", "muted").next_to(units, DOWN, buff=0.15)
            s.until("roof")
            self.play(FadeIn(chart.axes), run_time=0.5)
            self.play(Create(chart.lines["H800"]), FadeIn(chart.roof_names["H800"]), run_time=0.7)
            self.play(Create(ridge), run_time=0.4)
            s.until("right")
            self.play(FadeIn(counts, shift=0.2 * UP), FadeIn(walker, name), walk(1.0, 1.0), run_time=0.8)
            s.until("left")
            self.play(FadeIn(reads, shift=0.2 * UP), walk(1.0, 0.0), run_time=max(1.0, s.left_until("ridge")))
            s.until("ridge")
            self.play(FadeIn(figure, shift=0.2 * UP), run_time=0.8)
        self.walked = VGroup(walker, units, name)
        return chart

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the roofline."""
        return (5.4, 6.0) if self.upright else (9.6, 4.2)

    def walk(self, chart: RooflineChart, roofline: Trace, units: VGroup) -> tuple[Dot, Callable[..., Animation]]:
        """A dot that walks along the roof, and the multipliers that have work where it stands."""
        peak, ridge = (float(roofline.quantity(f"{name}_h800")) for name in ("peak", "ridge"))
        walker = Dot(radius=0.12, color=role("accent"))

        def stand(place: float) -> None:
            intensity = ridge * 10 ** (1.6 * place - 1.2)
            busy = min(1.0, intensity / ridge)
            walker.move_to(chart.axes.point(intensity, peak * busy))
            for index, unit in enumerate(units):
                unit.set_fill(role("accent") if index < round(busy * len(units)) else tint("text", 0.18))

        def walk(start: float, end: float) -> Animation:
            return UpdateFromAlphaFunc(
                walker, lambda _, alpha: stand(start + (end - start) * EASE(alpha)), suspend_mobject_updating=False
            )

        stand(1.0)
        units.set_fill(tint("text", 0.18))
        return walker, walk

    def points(self, chart: RooflineChart) -> None:
        """Four attentions at their operations a byte, the share of the chip that each can use, and two as measured."""
        measured = self.run("roofline_measured")
        busy = {"MHA": "share_mha_h800", "MLA": "share_mla_absorbed_h800"}
        walker, units, _ = self.walked
        ridge = float(self.number("run.roofline_decode.ridge_h800"))
        with self.step() as s:
            self.play(FadeOut(walker), run_time=0.4)
            for name in KINDS:
                if name != "MQA":
                    s.until(name.lower())
                arriving = [FadeIn(chart.dots[name], scale=2.5), FadeIn(chart.work_names[name])]
                if name in busy:
                    share = self.number(f"run.roofline_decode.{busy[name]}")
                    figure = NumberLabel(share, "percent 2", size="small", role=KINDS[name][1], after=" busy")
                    side = RIGHT if name == "MHA" else UP
                    arriving.append(FadeIn(figure.next_to(chart.work_names[name], side, buff=0.12)))
                intensity = float(self.number(f"run.roofline_decode.{KINDS[name][0]}"))
                self.play(AnimationGroup(*arriving, lag_ratio=0.3), self.busy(units, intensity / ridge), run_time=1.0)
                if name == "MLA":
                    drop, figure = self.almost(chart)
                    self.play(Create(drop), FadeIn(figure), run_time=0.6)
            s.until("measured")
            self.origin(self.run("roofline_decode"), measured)
            rings = [chart.dots[name] for name in MEASURED]
            chip = " ".join(measured.meta["chip"].split()[:2])
            note = label(f"rings: measured on an {chip}", "small", "muted")
            share = NumberLabel(measured.quantity("mla_busy"), "percent 2", size="small", role="latent", after=" busy")
            self.beside(chart, note, share)
            self.play(FadeOut(drop), run_time=0.3)  # the ring comes to stand there
            at_work = self.busy(units, float(measured.quantity("mla_busy")))
            self.play(*(FadeIn(ring, scale=2.5) for ring in rings), FadeIn(note, share), at_work, run_time=1.0)

    def almost(self, chart: RooflineChart) -> VGroup:
        """How many operations a byte those of MLA are: a line down to the axis, just left of the ridge."""
        intensity = self.number("run.roofline_decode.intensity_mla_absorbed")
        dot = chart.dots["MLA"]
        level = chart.axes.point(1, 6e13 if self.upright else 1e13)[1]
        drop = DashedLine(dot.get_bottom(), [dot.get_x(), level, 0], dash_length=0.06)
        figure = NumberLabel(intensity, "plain 3", size="body", role="latent")
        return VGroup(drop.set_stroke(role("latent"), 2), figure.next_to(drop, DOWN, buff=0.12).align_to(drop, RIGHT))

    @staticmethod
    def busy(units: VGroup, share: float) -> AnimationGroup:
        """So large a share of the multipliers has work; the last of them may have some of the time only."""
        moves = []
        for index, unit in enumerate(units):
            much = min(max(share * len(units) - index, 0.0), 1.0)
            colour = interpolate_color(tint("text", 0.18), ManimColor(role("accent")), much)
            moves.append(unit.animate.set_fill(colour))
        return AnimationGroup(*moves)

    def beside(self, chart: RooflineChart, note: Label, share: NumberLabel) -> None:
        """Where there is room for what is said of the rings."""
        ring = chart.dots["MLA, measured"]
        if self.upright:
            note.next_to(chart.axes, DOWN, buff=0.3)
            share.next_to(ring, RIGHT, buff=0.15)
            return
        ridge = chart.axes.point(float(self.number("run.roofline_decode.ridge_h800")), 1e12)
        note.align_to(chart.axes.corners, DOWN).shift(0.35 * UP).set_x(ridge[0] - 0.2, RIGHT)
        share.next_to(ring, DOWN, buff=0.14).align_to(ring, RIGHT).shift(0.15 * LEFT)
