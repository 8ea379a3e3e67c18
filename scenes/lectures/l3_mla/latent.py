"""Lecture 3: why keys and values can be squeezed, how, and what position does to it."""

from __future__ import annotations

from typing import Any, ClassVar

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
    LaggedStart,
    Line,
    MoveAlongPath,
    Rectangle,
    Rotate,
    VGroup,
    VMobject,
)

from explainers.traces import NamedArray, Trace
from scenes.kit import (
    EASE,
    SAFE_WIDTH,
    STAGE_CENTER,
    ColorScale,
    LineChart,
    NumberLabel,
    Series,
    TensorGrid,
    TokenRow,
    column,
    fit_stage,
    label,
    role,
    row,
)
from scenes.lectures.l3_mla.common import KeyDials, funnel, legend_row, twins
from scenes.stage import LectureScene


class FewDirections(LectureScene):
    """The spectrum of real keys and values: trained, untrained, and after position has been written in."""

    lecture = 3
    rank = 32

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
        scale = ColorScale.of(kv)
        blocks = [
            TensorGrid(
                kv.pick(feature=slice(start, start + width)),
                scale=scale,
                role="key" if start < kv["feature"] // 2 else "value",
                width=1.42,
                height=1.9,
                notes=False,
                bar=False,
                gap=0,
            )
            for start in range(0, kv["feature"], width)
        ]
        apart = Group(*blocks).arrange_in_grid(rows=2, buff=(0.9, 0.55)).move_to(STAGE_CENTER + 0.9 * RIGHT)
        names = VGroup(label("keys, head by head", "small", "key"), label("values, head by head", "small", "value"))
        for name, first in zip(names, (blocks[0], blocks[self.heads]), strict=True):
            name.next_to(first, LEFT, buff=0.4)
        together = apart.copy().arrange(RIGHT, buff=0.06).move_to(STAGE_CENTER)
        features = self.number("run.low_rank.features")
        count = NumberLabel(features, "plain", after=" numbers for each token", size="body", role="muted")
        count.next_to(together, DOWN, buff=0.25)
        frame = Rectangle(width=together.width + 0.1, height=0.24, stroke_color=role("accent"), stroke_width=3)
        frame.move_to(together).align_to(together, UP)
        self.origin(kv, features)
        with self.step() as s:
            self.play(FadeIn(apart, lag_ratio=0.1), FadeIn(names), run_time=1.6)
            s.until("stack")
            moves = (block.animate.move_to(goal) for block, goal in zip(blocks, together, strict=True))
            self.play(*moves, FadeOut(names), run_time=2.0, rate_func=EASE)
            s.until("count")
            self.play(FadeIn(count, frame), run_time=0.5)
            self.play(frame.animate.align_to(together, DOWN), run_time=max(s.left, 1.0), rate_func=EASE)
        return Group(apart, count, frame)

    #: curve → place in the arrays (network, variant), colour, number of the run at the rank that is spoken of
    curves: ClassVar[dict[str, tuple[int, int, str, str]]] = {
        "all directions alike": (2, 0, "muted", "energy_gaussian_before_32"),
        "trained": (0, 0, "latent", "energy_before_32"),
        "untrained": (1, 0, "dense", "energy_untrained_before_32"),
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
            series, x_name="directions kept", y_name="energy held", y_zero=True, names="", width=10.6, height=4.2
        )
        fit_stage(chart)
        rows = [
            legend_row(name, trace.quantity(key), "percent .0", colour)
            for name, (_, _, colour, key) in self.curves.items()
        ]
        self.rows = dict(zip(self.curves, column(*rows, gap=0.14), strict=True))
        Group(*rows).move_to(chart.axes.corners, RIGHT + DOWN).shift(0.35 * UP + 0.35 * LEFT)
        marker = Line(
            chart.axes.point(self.rank, 0), chart.axes.point(self.rank, 1), stroke_width=2, color=role("muted")
        )
        rank = NumberLabel(trace.quantity("rank"), "plain", size="small", role="muted", after=" directions")
        rank.next_to(marker.get_end(), UP, buff=0.1)
        self.origin(trace)
        with self.step() as s:
            self.play(FadeOut(stacked, run_time=0.4), FadeIn(chart.axes), run_time=0.6)
            s.until("curve")
            self.play(Create(marker), FadeIn(rank), run_time=0.6)
            self.draw(chart, "all directions alike")
            self.draw(chart, "trained")
            s.until("random")
            self.draw(chart, "untrained")
        return chart

    def draw(self, chart: LineChart, name: str) -> None:
        """A curve, its spread, its dot at the rank that is spoken of, and its row in the legend."""
        self.play(chart.draw(name), FadeIn(self.rows[name]), run_time=1.2)
        self.play(FadeIn(chart.bands[name], chart.marker(name, self.rank)), run_time=0.5)

    def after_position(self, chart: LineChart) -> None:
        """The same keys, turned by their position."""
        with self.step() as s:
            s.until("rope")
            self.draw(chart, "trained, with position")
            s.until("value")
            ends = [chart.at(name, self.rank) for name in ("trained, with position", "trained")]
            self.play(Create(Line(*ends, stroke_width=9, color=role("accent"))), run_time=0.8)
            rows = VGroup(self.rows["trained"][2], self.rows["trained, with position"][2])
            self.play(Indicate(rows, scale_factor=1.15, color=role("accent")), run_time=1.0)


class DownKeepUp(LectureScene):
    """Hidden state down to a latent, and up to keys and values: one token, a whole sentence, and other widths."""

    lecture = 3
    layer = 1

    def construct(self) -> None:
        self.show_title()
        sentence = self.run("mla_sentence")
        single = self.one_token(sentence)
        maps = self.whole_sentence(sentence, single)
        self.how_short(maps)

    def one_token(self, sentence: Trace) -> Group:
        """One token: tall, short, tall; a number has the same height everywhere."""
        token = sentence["h"]["token"] - 2
        parts = {name: sentence[name].pick(layer=self.layer, token=token) for name in ("h", "c_kv", "keys", "values")}
        h = tall(parts["h"], "token", "hidden state")
        c = tall(parts["c_kv"], "latent", "latent")
        k, v = tall(parts["keys"], "key", "keys"), tall(parts["values"], "value", "values")
        ups = row(k, v, gap=0.7)
        row(h, c, ups, gap=2.5).move_to(STAGE_CENTER)
        c.shift(UP * (h.image.get_center()[1] - c.image.get_center()[1]))
        down, up = funnel(h.image, c.image, "muted"), funnel(c.image, ups[0].image, "latent")
        chip = TokenRow((sentence["h"].labels["token"][token],), size="small").next_to(h, LEFT, buff=0.6)
        store = Rectangle(width=c.width + 0.4, height=c.height + 0.35, stroke_color=role("latent"), stroke_width=4)
        store.move_to(c)
        kept = label("stored", "body", "latent").next_to(store, DOWN, buff=0.15)
        self.origin(sentence)
        with self.step() as s:
            self.play(FadeIn(chip), run_time=0.6)
            self.play(FadeIn(h, shift=0.2 * RIGHT), run_time=0.8)
            s.until("down")
            self.play(FadeIn(down), FadeIn(c, shift=0.4 * RIGHT), run_time=1.2)
            s.until("keep")
            self.play(Create(store), FadeIn(kept), run_time=0.8)
            s.until("up")
            self.play(FadeIn(up), FadeIn(ups, shift=0.4 * RIGHT), run_time=1.2)
        return Group(chip, h, c, ups, down, up, store, kept)

    def whole_sentence(self, sentence: Trace, single: Group) -> Group:
        """The same for every token: rows are tokens."""
        arrays = {name: sentence[name].pick(layer=self.layer) for name in ("h", "c_kv", "keys", "values")}
        named = {
            "h": ("token", "hidden state"),
            "c_kv": ("latent", "latent"),
            "keys": ("key", "keys"),
            "values": ("value", "values"),
        }
        unit = 0.0218
        shape: dict[str, Any] = {"height": 4.0, "max_columns": 128, "bar": False, "gap": 0}
        h, c, k, v = (
            TensorGrid(
                values, role=colour, width=unit * values.values.shape[1], name=text, row_labels=name == "h", **shape
            )
            for name, values in arrays.items()
            for colour, text in [named[name]]
        )
        maps = row(h, c, k, v, gap=0.5, edge=UP)
        fit_stage(maps)
        with self.step() as s:
            self.play(FadeOut(single), run_time=0.6)
            for mark, grid in (("h", h), ("c", c), ("k", k), ("v", v)):
                s.until(mark)
                self.play(FadeIn(grid, shift=0.3 * RIGHT), run_time=0.7)
            s.until("stored")
            box = Rectangle(width=c.image.width + 0.22, height=c.image.height + 0.22)
            box.set_stroke(role("latent"), 6).move_to(c.image)
            self.play(Create(box), *(grid.animate.set_opacity(0.25) for grid in (h, k, v)), run_time=1.0)
        return Group(maps, box)

    def how_short(self, maps: Group) -> None:
        """Cut the full keys and values of the MHA model to more and more directions."""
        trace = self.run("latent_rank_sweep")
        whole = trace["kv"]
        cuts = trace["reconstruction"]
        scale = ColorScale.of(whole)
        shape: dict[str, Any] = {
            "scale": scale,
            "width": 5.9,
            "height": 1.75,
            "max_columns": 256,
            "notes": False,
            "bar": False,
            "gap": 0,
        }
        true = TensorGrid(whole, name="keys and values of a full model", **shape)
        cut = TensorGrid(cuts.pick(rank=0), role="latent", name="made again from few directions", **shape)
        energy = trace["energy"].pick(variant=0, layer=self.layer, rank=slice(0, 65))
        chart = LineChart(
            [Series("energy", energy, role="latent")],
            x_name="directions kept",
            y_name="energy held",
            y_zero=True,
            names="",
            width=4.1,
            height=3.2,
        )
        left = column(true, cut, gap=0.35)
        fit_stage(row(left, chart, gap=0.9))
        self.origin(trace)
        ranks = [int(name) for name in cuts.labels["rank"]]
        dot = chart.marker("energy", ranks[0])
        with self.step() as s:
            self.play(FadeOut(maps), run_time=0.6)
            self.play(FadeIn(true, chart.axes), run_time=0.8)
            self.play(chart.draw("energy"), FadeIn(cut, dot), run_time=1.0)
            here = ranks[0]
            for mark, rank in (("four", 4), ("high", 32)):
                s.until(mark)
                place = ranks.index(rank)
                way = VMobject().set_points_as_corners([chart.at("energy", each) for each in range(here, rank + 1)])
                self.play(cut.morph_to(cuts.pick(rank=place)), MoveAlongPath(dot, way), run_time=1.2, rate_func=EASE)
                here = rank
            figure = NumberLabel(trace.quantity("energy"), "percent .0", size="body", role="latent")
            self.play(FadeIn(figure.next_to(dot, DOWN + RIGHT, buff=0.12)), run_time=0.6)
            s.until("full")
            self.play(FadeOut(left, chart, dot, figure), run_time=0.6)
            self.real_sizes(s)

    def real_sizes(self, s: object) -> None:
        """V3's own widths, to scale: one number is the same length in both bars."""
        full, kept = self.number("v3.kv_values_per_layer_mha"), self.number("v3.kv_lora_rank")
        length = 12.0
        bar = Rectangle(width=length, height=0.7, stroke_width=0, fill_color=role("key"), fill_opacity=1)
        half = Rectangle(
            width=length / 2, height=0.7, stroke_width=0, fill_color=role("value"), fill_opacity=1
        ).align_to(bar, RIGHT)
        short = Rectangle(
            width=length * float(kept / full), height=0.7, stroke_width=0, fill_color=role("latent"), fill_opacity=1
        )
        texts = [
            NumberLabel(full, "plain", after=" numbers a layer", size="heading"),
            NumberLabel(kept, "plain", after=" in the latent", size="heading", role="latent"),
        ]
        group = VGroup(VGroup(bar, half), short)
        short.next_to(bar, DOWN, buff=1.3).align_to(bar, LEFT)
        group.move_to(STAGE_CENTER)
        texts[0].next_to(bar, UP, buff=0.2).align_to(bar, LEFT)
        texts[1].next_to(short, RIGHT, buff=0.25)
        self.origin(full, kept)
        self.play(FadeIn(group[0], texts[0]), run_time=0.8)
        self.play(FadeIn(short, texts[1], shift=0.4 * DOWN), run_time=1.2)


def tall(values: NamedArray, colour: str, name: str) -> TensorGrid:
    """A vector as a column whose height is its number of values."""
    height = values.values.size * 0.031
    return TensorGrid(
        values, role=colour, width=0.34, height=height, max_rows=256, notes=False, bar=False, gap=0, name=name
    )


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
        pitch = SAFE_WIDTH / len(tokens.chips)
        before, after = KeyDials(flat.pick(token=shown), pitch), KeyDials(turned.pick(token=shown), pitch, "rope")
        before.move_to(STAGE_CENTER + 0.75 * UP)
        after.move_to(STAGE_CENTER + 1.0 * DOWN)
        for chip, dial in zip(tokens.chips, before.dials, strict=False):
            chip.next_to(dial, UP, buff=0.25)
        names = [label("keys", "small", "key"), label("keys, turned by their place", "small", "rope")]
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
            y_name="loss added",
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
        place = added.labels["rank"].index(str(int(trace.quantity("rank"))))
        self.origin(trace)
        parts = Group(chart.axes, chart.band_note)
        with self.step() as s:
            self.play(FadeOut(dials), run_time=0.6)
            self.play(FadeIn(chart.axes, chart.band_note), run_time=0.8)
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
        contents = label("content: made from the latent", "body", "latent").next_to(bars[0], UP, buff=1.25)
        places = label("position: turned,\nshared by all heads", "body", "rope", align="center").next_to(
            bars[1], UP, buff=1.1
        )
        links = VGroup(
            *(
                Line(text.get_bottom(), bar.get_top(), stroke_width=2, color=role(colour), buff=0.12)
                for text, bar, colour in ((contents, bars[0], "latent"), (places, bars[1], "rope"))
            )
        )
        figure = NumberLabel(total, "plain", size="display", after=" numbers for each token and layer")
        figure.next_to(figures, DOWN, buff=0.25).set_x(0)
        self.origin(latent, rope)
        with self.step() as s:
            self.play(FadeOut(chart), run_time=0.6)
            s.until("content")
            self.play(FadeIn(contents), run_time=0.7)
            self.play(Create(links[0]), FadeIn(bars[0], shift=0.2 * DOWN), run_time=0.9)
            s.until("rope")
            self.play(FadeIn(places), run_time=0.7)
            self.play(Create(links[1]), FadeIn(bars[1], shift=0.2 * DOWN), FadeIn(figures[1]), run_time=0.9)
            s.until("sum")
            self.play(FadeIn(figures[0]), run_time=0.5)
            self.play(FadeIn(figure, shift=0.2 * UP), run_time=0.8)
