"""Lecture 3: the same product in another order, and what came after."""

from __future__ import annotations

from typing import Any, ClassVar

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    Create,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    Line,
    Rectangle,
    VGroup,
)

from explainers.quantities import Quantity
from explainers.traces import NamedArray, Trace
from scenes.kit import (
    SAFE_WIDTH,
    STAGE_CENTER,
    Bar,
    BarChart,
    ColorScale,
    LineChart,
    NumberLabel,
    Series,
    TensorGrid,
    TokenRow,
    column,
    dim,
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
        wide = query["nope"] + sentence["w_uk"]["latent"] + min(sentence["h"]["token"], 64)
        self.cell = min(type(self).cell, (SAFE_WIDTH - 2.2) / wide)  # a long sentence has smaller cells
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

    def beside(self, grid: TensorGrid, other: TensorGrid) -> None:
        """Put the centre of one grid's cells on another's."""
        grid.shift(other.image.get_center() - grid.image.get_center())

    def expand(self) -> None:
        """The plain order: every latent is multiplied up."""
        with self.step() as s:
            self.play(FadeIn(self.q, self.w, self.c), run_time=1.0)
            s.until("naive")
            work = self.bracket(self.w, self.c)
            self.play(Create(work), FadeIn(self.formulas[0]), run_time=0.8)
            self.beside(self.k, self.w)
            self.k.shift((self.c.image.get_center() - self.w.image.get_center()) / 2)
            self.play(FadeOut(self.w, shift=RIGHT), FadeOut(self.c, shift=LEFT), FadeOut(work), run_time=0.8)
            self.add(self.k)
            self.play(self.k.reveal("columns"), run_time=1.4)
            s.until("again")
            self.play(FadeOut(self.k), run_time=0.4)
            self.add(self.k)
            self.play(self.k.reveal("columns"), run_time=max(s.left - 0.8, 1.0))
            self.looks.next_to(self.k.image, DOWN, buff=0.3)
            self.looks.shift((self.k.image.get_x() - self.looks.image.get_x()) * RIGHT)
            self.play(FadeIn(self.looks, shift=0.2 * DOWN), run_time=0.7)

    def bracket(self, *grids: TensorGrid) -> Rectangle:
        group = Group(*grids)
        frame = Rectangle(
            width=group.width + 0.4, height=group.height + 0.4, stroke_color=role("accent"), stroke_width=3
        )
        return frame.move_to(group)

    def absorb(self) -> None:
        """The other order: the one query moves into the latents' space."""
        with self.step() as s:
            self.play(FadeOut(self.k, self.looks), FadeIn(self.w, self.c), run_time=0.8)
            s.until("brackets")
            work = self.bracket(self.q, self.w)
            self.play(Create(work), FadeOut(self.formulas[0]), FadeIn(self.formulas[1]), run_time=0.8)
            s.until("move")
            self.beside(self.ql, self.w)
            self.play(FadeOut(self.q, shift=RIGHT), FadeOut(self.w, work), FadeIn(self.ql), run_time=1.4)
            s.until("direct")
            stored = label("straight from the cache", "small", "latent").next_to(self.c.image, RIGHT, buff=0.3)
            pair = Group(self.ql, self.c, stored)
            self.play(FadeIn(stored), run_time=0.5)
            self.play(pair.animate.set_x(0), run_time=1.0)
            self.looks.next_to(self.c.image, DOWN, buff=0.3)
            self.looks.shift((self.c.image.get_x() - self.looks.image.get_x()) * RIGHT)
            self.play(FadeIn(self.looks, shift=0.2 * DOWN), run_time=0.7)
            pair.add(self.looks)
        self.leaving = Group(pair, self.formulas[1])

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
        texts = [label("expanded", "small", "key"), label("absorbed", "small", "latent")]
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
        flops = counts["flops"]
        series = [
            Series("expanded anew", flops.pick(order=1), x=counts["length"], role="key"),
            Series("absorbed", flops.pick(order=2), x=counts["length"], role="latent"),
        ]
        chart = LineChart(
            series,
            x_name="tokens in the cache",
            y_name="operations for one token, one layer",
            x_log=True,
            y_log=True,
            width=8.0,
            height=3.9,
        )
        fit_stage(chart)
        place = counts.arrays["length"].labels["length"].index("32,768")
        ends = [chart.at(name, place) for name in ("absorbed", "expanded anew")]
        gap = Line(*ends, stroke_width=3, color=role("accent"))
        ratio = NumberLabel(counts.quantity("reexpanding_flops_ratio_32k"), "times 3", size="heading", role="accent")
        with self.step() as s:
            self.play(FadeOut(self.leaving), run_time=0.5)
            s.until("same")
            self.play(LaggedStart(*(FadeIn(each) for each in both), lag_ratio=0.5), run_time=1.2)
            self.play(FadeIn(difference), run_time=0.7)
            s.until("count")
            self.play(FadeOut(both, difference), run_time=0.5)
            self.origin(counts)
            self.play(FadeIn(chart), run_time=1.0)
            self.play(Create(gap), FadeIn(ratio.next_to(gap, LEFT, buff=0.15)), run_time=0.8)


class AShortNote(LectureScene):
    """Fewer tokens, fewer entries; six generations of caches; and the answer in one picture."""

    lecture = 3
    parts: ClassVar[dict[str, str]] = {"full_keys": "key", "values": "value", "c_kv": "latent", "k_pe": "rope"}

    def construct(self) -> None:
        self.show_title()
        sentence = self.run("mla_sentence")
        before = self.fewer()
        chart = self.generations(before)
        self.answer(sentence, chart)

    def fewer(self) -> Group:
        """Two trained layers over the cells of one text: what an indexer picks, and what tokens count in entries."""
        picks, small = self.run("indexer"), self.run("compression")
        chosen = picks["chosen"].pick(layer=1, query=picks["chosen"]["query"] - 1)
        share = small["csa_share"].pick(layer=0)
        read = small["csa_chosen"].pick(layer=0, query=small["csa_chosen"]["query"] - 1)
        merged, count = share["slot"] // 2, chosen["key"]  # half of the slots are the window before
        rows = [self.cells(count, 0.12, 0.06), self.cells(count, 0.12, 0.06)]
        own = share.values[:, merged:].flatten() / share.values[:, merged:].max()  # each token's part of its own entry
        for cell, part in zip(rows[1], own, strict=True):
            cell.set_fill(opacity=0.25 + 0.75 * float(part))
        entries = VGroup(*(rows[1][i].copy().set_fill(role("accent"), 1) for i in range(0, count, merged)))
        names = [label("V3.2: read a choice", "body", "text"), label("V4: merge neighbours", "body", "text")]
        notes = [
            label("bright: what our trained indexer picks for the last token", "small", "muted"),
            label("bright: tokens that count most in their entry, then entries that are read", "small", "muted"),
        ]
        parts = zip(names, rows, notes, strict=True)
        column(*(column(*part, gap=0.26) for part in parts), gap=0.8).move_to(STAGE_CENTER)
        for place, entry in enumerate(entries):
            entry.move_to(rows[1][place * merged : (place + 1) * merged])
        self.origin(picks, small, self.number("v3_2.index_topk"), self.number("v4_pro.csa_ratio"))
        with self.step() as s:
            self.play(FadeIn(names[0], rows[0]), run_time=0.8)
            s.until("fewer")
            kept = [bool(each) for each in chosen.values]
            self.play(
                *(cell.animate.set_fill(opacity=1.0 if k else 0.14) for cell, k in zip(rows[0], kept, strict=True)),
                FadeIn(notes[0]),
                run_time=1.4,
            )
            s.until("merge")
            self.play(FadeIn(names[1], rows[1], notes[1]), run_time=0.8)
            self.play(
                *(rows[1][i].animate.move_to(entries[i // merged]).set_opacity(0) for i in range(count)),
                FadeIn(entries),
                run_time=1.4,
            )
            self.play(
                *(
                    entry.animate.set_fill(opacity=1.0 if r else 0.2)
                    for entry, r in zip(entries, read.values, strict=True)
                ),
                run_time=0.8,
            )
        return Group(*names, rows[0], *notes, entries)

    def cells(self, count: int, width: float, gap: float) -> VGroup:
        """A cache as a row of cells, one a token."""
        one = Rectangle(width=width, height=0.62, stroke_width=0, fill_color=role("latent"), fill_opacity=1)
        return VGroup(*(one.copy() for _ in range(count))).arrange(RIGHT, buff=gap)

    def generations(self, before: Group) -> Group:
        """Bytes a token as served; behind them what the same architecture would take with two bytes a number."""
        trace = self.run("kv_generations")
        names = trace["bytes_per_token"].labels["generation"]
        keys = ("ds67b", "v2", "v3", "v3_2", "v4_pro", "v4_flash", "v4_1_flash")
        served, plain = ([trace.quantity(key + suffix) for key in keys] for suffix in ("", "_bf16"))
        chart, ghost = self.bars(names, served, "latent"), self.bars(names, plain, "dense")
        fit_stage(chart)
        ghost.shift(chart.axes.corners.get_corner(DOWN + LEFT) - ghost.axes.corners.get_corner(DOWN + LEFT))
        saved = VGroup(
            *(bar.set_fill(opacity=0) for name, bar in ghost.bars.items() if bar.width > chart.bars[name].width)
        )
        facts = (
            ("first_to_last", "latent", " less, first to last"),
            ("v4_1_flash_architecture_gain", "latent", " by architecture"),
            ("v4_1_flash_precision_gain", "dense", " by fewer bits"),
        )
        gains = VGroup(
            *(
                NumberLabel(trace.quantity(key), "times 3", size="body", role=colour, after=text)
                for key, colour, text in facts
            )
        ).arrange(DOWN, buff=0.15, aligned_edge=LEFT)
        legend = label("grey: the same numbers in two bytes each", "small", "dense")
        gains.move_to(chart.axes.corners, RIGHT + DOWN).shift(0.3 * UP + 0.9 * RIGHT)
        legend.next_to(chart.axes.corners, DOWN, buff=0.5).align_to(chart.axes.corners, LEFT)
        for name, number in chart.numbers.items():
            number.set_x(ghost.bars[name].get_right()[0] + 0.14 + number.width / 2)
        self.origin(trace)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.4)
            s.until("chart")
            self.play(FadeIn(chart.axes, *chart.names.values()), run_time=0.8)
            self.play(LaggedStart(*(chart.grow(name) for name in chart.bars), lag_ratio=0.5), run_time=3.4)
            self.play(FadeIn(gains[0]), run_time=0.6)
            s.until("bits")
            self.add(saved, *chart.bars.values(), *chart.numbers.values())
            self.play(saved.animate.set_fill(opacity=0.8), FadeIn(legend, gains[2]), run_time=1.0)
            s.until("architecture")
            self.play(FadeIn(gains[1]), run_time=0.8)
        drawn = [*chart.names.values(), *chart.bars.values(), *chart.numbers.values()]
        return Group(chart.axes, *drawn, saved, gains, legend)

    def bars(self, names: tuple[str, ...], sizes: list[Quantity], colour: str) -> BarChart:
        short = [name.removeprefix("DeepSeek").lstrip("- ") for name in names]
        colours = ("key", *(colour for _ in sizes[1:]))  # the first generation still shares keys and values
        bars = [Bar(*each) for each in zip(short, sizes, colours, strict=True)]
        return BarChart(
            bars, log=True, low=100, length=8.2, thickness=0.36, gap=0.2, fmt="si 3", name="cache of one token"
        )

    def answer(self, sentence: Trace, chart: Group) -> None:
        """Every token's keys and values give way to a short note; out of one note they come again."""
        layer = 1
        tokens = TokenRow(sentence["h"].pick(layer=layer), size="body", width=12.6).move_to(STAGE_CENTER + 1.9 * UP)
        full, notes = Group(), Group()
        scales = {name: ColorScale.of(sentence[name].pick(layer=layer)) for name in self.parts}
        for number, chip in enumerate(tokens.chips):
            at = {name: sentence[name].pick(layer=layer, token=number) for name in scales}
            columns = {name: self.thin(at[name], colour, scales[name]) for name, colour in self.parts.items()}
            full.add(row(columns["full_keys"], columns["values"], gap=0.06, edge=UP).next_to(chip, DOWN, buff=0.2))
            notes.add(column(columns["c_kv"], columns["k_pe"], gap=0.05, edge=None).next_to(chip, DOWN, buff=0.2))
        ratio = NumberLabel(
            sentence.quantity("cache_ratio"),
            "times 2",
            size="heading",
            role="latent",
            after=" less to keep, in our small model",
        )
        ratio.next_to(full, DOWN, buff=0.3).set_x(0)
        chosen = len(tokens.chips) - 2
        again = full[chosen].copy()
        self.origin(sentence)
        with self.step() as s:
            self.play(FadeOut(chart), run_time=0.6)
            self.play(FadeIn(tokens), FadeIn(full, lag_ratio=0.02), run_time=1.4)
            s.until("answer")
            self.play(*(dim(part) for pair in full for part in pair), run_time=0.8)
            s.until("note")
            shrinking = (
                AnimationGroup(FadeOut(pair, scale=0.3, target_position=note), FadeIn(note, scale=1.5))
                for pair, note in zip(full, notes, strict=True)
            )
            self.play(LaggedStart(*shrinking, lag_ratio=0.08), FadeIn(ratio), run_time=1.8)
            s.until("again")
            self.play(FadeOut(notes[chosen], shift=0.1 * DOWN), FadeIn(again, shift=0.2 * DOWN), run_time=1.0)

    def thin(self, values: NamedArray, colour: str, scale: ColorScale) -> TensorGrid:
        """A vector as a thin column, the same height for each number."""
        height = values.values.size * 0.0175
        return TensorGrid(
            values, role=colour, scale=scale, width=0.2, height=height, max_rows=256, notes=False, bar=False, gap=0
        )
