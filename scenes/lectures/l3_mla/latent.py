"""Lecture 3: down to a latent, and up again."""

from __future__ import annotations

from typing import Any

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    FadeIn,
    FadeOut,
    Group,
    MoveAlongPath,
    Rectangle,
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
from scenes.lectures.l3_mla.common import funnel, layer_of
from scenes.stage import LectureScene


class DownKeepUp(LectureScene):
    """Hidden state down to a latent, and up to keys and values: one token, a whole sentence, and other widths."""

    lecture = 3
    layer = 1
    #: room for the tallest column, and for all widths side by side
    height, width = 4.6, 9.3

    def construct(self) -> None:
        self.show_title()
        sentence = self.run("mla_sentence")
        self.layer = layer_of(sentence, type(self).layer)
        single = self.one_token(sentence)
        maps = self.whole_sentence(sentence, single)
        self.how_short(maps)

    def one_token(self, sentence: Trace) -> Group:
        """One token: tall, short, tall; a number has the same height everywhere."""
        token = sentence["h"]["token"] - 2
        parts = {name: sentence[name].pick(layer=self.layer, token=token) for name in ("h", "c_kv", "keys", "values")}
        unit = min(0.031, self.height / max(part.values.size for part in parts.values()))
        h = tall(parts["h"], "token", "hidden state", unit)
        c = tall(parts["c_kv"], "latent", "latent", unit)
        k, v = tall(parts["keys"], "key", "keys", unit), tall(parts["values"], "value", "values", unit)
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
        unit = min(0.0218, self.width / sum(values.values.shape[1] for values in arrays.values()))
        shape: dict[str, Any] = {"height": 4.0, "max_columns": 128, "bar": False, "gap": 0}
        h, c, k, v = (
            TensorGrid(
                values, role=colour, width=unit * values.values.shape[1], name=text, row_labels=name == "h", **shape
            )
            for name, values in arrays.items()
            for colour, text in [named[name]]
        )
        maps = row(h, c, k, v, gap=0.5, edge=UP)
        fit_stage(maps, SAFE_WIDTH - 0.06)  # the frames have strokes
        with self.step() as s:
            self.play(FadeOut(single), FadeIn(h), run_time=0.7)
            for mark, grid in (("c", c), ("k", k), ("v", v)):
                s.until(mark)
                self.play(FadeIn(grid, shift=0.3 * RIGHT), run_time=0.7)
            s.until("stored")
            box = Rectangle(width=c.image.width + 0.22, height=c.image.height + 0.22)
            box.set_stroke(role("latent"), 6).move_to(c.image)
            self.play(Create(box), *(grid.animate.set_opacity(0.5) for grid in (h, k, v)), run_time=1.0)
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
            self.play(FadeOut(maps), FadeIn(true, chart.axes), run_time=0.8)
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
            NumberLabel(full, "plain", after=" numbers for each token and layer", size="heading"),
            NumberLabel(kept, "plain", after=" in the latent: stored", size="heading", role="latent"),
        ]
        group = VGroup(VGroup(bar, half), short)
        short.next_to(bar, DOWN, buff=1.9)
        group.move_to(STAGE_CENTER)
        made = funnel(bar, short, "latent", 0.08, way=DOWN)
        halves = VGroup(
            label("keys of all heads", "small", "ground").move_to(bar).shift(length / 4 * LEFT),
            label("values of all heads", "small", "ground").move_to(half),
            label("up: made when needed", "small", "latent").move_to(made),
        )
        texts[0].next_to(bar, UP, buff=0.2).align_to(bar, LEFT)
        texts[1].next_to(short, RIGHT, buff=0.25)
        self.origin(full, kept)
        self.play(FadeIn(group[0], texts[0], halves[:2]), run_time=0.8)
        self.play(FadeIn(short, texts[1], shift=0.4 * DOWN), run_time=1.2)
        self.play(FadeIn(made, halves[2]), run_time=0.6)


def tall(values: NamedArray, colour: str, name: str, unit: float) -> TensorGrid:
    """A vector as a column whose height is its number of values."""
    height = values.values.size * unit
    return TensorGrid(
        values, role=colour, width=0.34, height=height, max_rows=256, notes=False, bar=False, gap=0, name=name
    )
