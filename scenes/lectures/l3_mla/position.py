"""Lecture 3: what position does to keys, and the way out."""

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
    LaggedStart,
    Line,
    Rectangle,
    ReplacementTransform,
    Rotate,
    TransformFromCopy,
    VGroup,
)

from explainers.traces import Trace
from scenes.kit import (
    EASE,
    SAFE_WIDTH,
    STAGE_CENTER,
    LineChart,
    NumberLabel,
    Series,
    TokenRow,
    column,
    fit_stage,
    label,
    role,
)
from scenes.lectures.l3_mla.common import KeyDials, legend_row, twins
from scenes.stage import LectureScene


class PositionBreaksIt(LectureScene):
    """The same word at two places: one key before its position is written in, two after; the cost; the way out."""

    lecture = 3

    def construct(self) -> None:
        self.show_title()
        dials = self.turning()
        chart = self.cost(dials)
        self.split(chart)

    def turning(self) -> Group:
        """Two numbers of each key as a direction: before and after RoPE."""
        trace = self.run("latent_rank_sweep")
        flat, turned = (trace["first_pair"].pick(variant=variant, layer=0) for variant in (0, 1))
        tokens = TokenRow(flat, size="small")
        shown = slice(0, len(tokens.chips))  # a long sentence is cut, and the row says so
        pitch = min(SAFE_WIDTH / len(tokens.chips), 1.2)  # dials of a short sentence do not grow without end
        before, after = KeyDials(flat.pick(token=shown), pitch), KeyDials(turned.pick(token=shown), pitch, "rope")
        before.move_to(STAGE_CENTER + 0.75 * UP)
        after.move_to(STAGE_CENTER + 1.0 * DOWN)
        for chip, dial in zip(tokens.chips, before.dials, strict=False):
            chip.next_to(dial, UP, buff=0.25)
        names = [
            label("keys: two numbers of each, as a direction", "small", "key"),
            label("keys, turned by their place", "small", "rope"),
        ]
        for name, dials in zip(names, (before, after), strict=True):
            name.next_to(dials, DOWN, buff=0.15).align_to(dials, LEFT)
        places = twins(flat.labels["token"][shown])
        rings = VGroup(*(dials.ring(index) for dials in (before, after) for index in places))
        self.origin(trace)
        with self.step() as s:
            self.play(FadeIn(tokens, lag_ratio=0.05), run_time=1.0)
            s.until("order")
            self.play(FadeIn(before, lag_ratio=0.05), FadeIn(names[0]), run_time=1.0)
            s.until("turn")
            turning = before.copy().move_to(after)
            turning.arrows.set_color(role("rope"))
            self.play(FadeIn(turning, shift=0.3 * DOWN), FadeIn(names[1]), run_time=0.7)
            turns = [
                Rotate(arrow, angle, about_point=dial.get_center(), rate_func=EASE)
                for arrow, dial, angle in zip(turning.arrows, turning.dials, before.turns_to(after), strict=True)
            ]
            self.play(LaggedStart(*turns, lag_ratio=0.15), run_time=2.6)
            s.until("twins")
            boxes = (tokens.chips[index].box.animate.set_stroke(role("accent"), 3) for index in places)
            if places:
                self.play(LaggedStart(*(Create(ring) for ring in rings), lag_ratio=0.3), *boxes, run_time=1.4)
        return Group(tokens, before, turning, rings, *names)

    #: curve → its place in the array, colour, mark and part of the number's name
    cuts: ClassVar[dict[str, tuple[int, str, str]]] = {
        "random directions": (2, "dense", "random"),
        "after the turning": (1, "rope", "after"),
        "before the turning": (0, "latent", "before"),
    }

    def cost(self, dials: Group) -> Group:
        """Loss added by cutting keys and values of all layers to fewer and fewer directions."""
        trace = self.run("low_rank")
        added, spread, ranks = trace["added_loss"], trace["added_loss_spread"], trace["cut_rank"]
        series = [
            Series(name, added.pick(cut=cut), x=ranks, spread=spread.pick(cut=cut), role=colour)
            for name, (cut, colour, _) in self.cuts.items()
        ]
        chart = LineChart(
            series,
            x_name="directions kept",
            y_name="loss added by the cut",
            x_log=True,
            y_zero=True,
            names="",
            width=10.6,
            height=4.2,
        )
        fit_stage(chart)
        rows = {
            name: legend_row(name, trace.quantity(f"added_loss_{mark}_32"), "plain 2 bare", colour, before="+")
            for name, (_, colour, mark) in self.cuts.items()
        }
        column(*rows.values(), gap=0.16).move_to(chart.axes.corners, RIGHT + UP).shift(0.35 * LEFT)
        rank = trace.quantity("rank")
        place = added.labels["rank"].index(str(int(rank)))
        foot, top = (chart.axes.point(float(rank), level) for level in (chart.axes.y.low, chart.axes.y.high))
        marker = Line(foot, top, stroke_width=2, color=role("muted"))
        at = NumberLabel(rank, "plain", size="small", role="muted", after=" directions").next_to(marker, UP, buff=0.1)
        self.origin(trace)
        parts = Group(chart.axes, chart.band_note, marker, at)
        with self.step() as s:
            self.play(FadeOut(dials), run_time=0.6)
            self.play(FadeIn(chart.axes, chart.band_note, marker, at), run_time=0.8)
            for name, (_, _, mark) in reversed(self.cuts.items()):
                s.until(mark)
                dot = chart.marker(name, place)
                self.play(chart.draw(name), FadeIn(rows[name]), run_time=1.2)
                self.play(FadeIn(chart.bands[name], dot), run_time=0.5)
                parts.add(chart.curves[name], chart.bands[name], dot, rows[name])
        return parts

    def split(self, chart: Group) -> None:
        """The key of V3 in two parts; what is stored of each, to scale."""
        latent, rope, total = (
            self.number(f"v3.{key}") for key in ("kv_lora_rank", "qk_rope_head_dim", "kv_values_per_layer")
        )
        unit = 9.6 / float(total)
        bars = (
            VGroup(
                *(
                    Rectangle(
                        width=unit * float(size), height=0.8, stroke_width=0, fill_color=role(colour), fill_opacity=1
                    )
                    for size, colour in ((latent, "latent"), (rope, "rope"))
                )
            )
            .arrange(RIGHT, buff=0.12)
            .move_to(STAGE_CENTER + 0.9 * DOWN)
        )
        figures = VGroup(
            *(
                NumberLabel(size, "plain", size="heading", role=colour).next_to(bar, DOWN, buff=0.2)
                for size, colour, bar in ((latent, "latent", bars[0]), (rope, "rope", bars[1]))
            )
        )
        trace = self.run("latent_rank_sweep")
        pairs = VGroup(*(self.pair(trace, variant, colour) for variant, colour in ((0, "latent"), (1, "rope"))))
        for dials, bar in zip(pairs, bars, strict=True):
            dials.next_to(bar, UP, buff=0.5)
        contents = label("content: the same word,\nthe same numbers", "body", "latent", align="center")
        places = label("position: turned,\nonce for all heads", "body", "rope", align="center")
        for text, dials in zip((contents, places), pairs, strict=True):
            text.next_to(dials, UP, buff=0.25)
        links = VGroup(
            *(
                Line(dials.get_bottom(), bar.get_top(), stroke_width=2, color=role(colour), buff=0.12)
                for dials, bar, colour in zip(pairs, bars, ("latent", "rope"), strict=True)
            )
        )
        figure = NumberLabel(total, "plain", size="display", after=" numbers for each token and layer")
        figure.next_to(figures, DOWN, buff=0.25).set_x(0)
        self.origin(trace, latent, rope)
        whole = self.pair(trace, 0, "key").move_to((pairs[0].get_center() + pairs[1].get_center()) / 2)
        name = label("the key of one word", "body", "key").next_to(whole, UP, buff=0.25)
        with self.step() as s:
            self.play(FadeOut(chart), FadeIn(whole, name), run_time=0.7)
            s.until("content")
            self.play(FadeOut(name), run_time=0.2)
            self.play(TransformFromCopy(whole, pairs[0]), FadeIn(contents), run_time=0.9)
            self.play(Create(links[0]), FadeIn(bars[0], shift=0.2 * DOWN), run_time=0.9)
            s.until("rope")
            self.play(ReplacementTransform(whole, pairs[1]), FadeIn(places), run_time=0.9)
            self.play(Create(links[1]), FadeIn(bars[1], shift=0.2 * DOWN), FadeIn(figures[1]), run_time=0.9)
            s.until("sum")
            self.play(FadeIn(figures[0]), run_time=0.5)
            self.play(FadeIn(figure, shift=0.2 * UP), run_time=0.8)

    def pair(self, trace: Trace, variant: int, colour: str) -> VGroup:
        """The dials of the word that stands twice, one beside the other, each under its word."""
        both = trace["first_pair"].pick(variant=variant, layer=0)
        places = twins(both.labels["token"]) or (0,)
        dials = KeyDials(both.pick(token=slice(places[0], places[-1] + 1)), 1.0, colour)
        drawn = VGroup()
        for place in places:
            index = place - places[0]
            drawn.add(VGroup(dials.dials[index], dials.arrows[index]))
        return drawn.arrange(RIGHT, buff=0.3)
