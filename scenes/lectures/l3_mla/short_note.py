"""Lecture 3: what came after, and the answer in one picture."""

from __future__ import annotations

from typing import ClassVar

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    Rectangle,
    VGroup,
)

from explainers.traces import NamedArray, Trace
from scenes.kit import (
    SAFE_RIGHT,
    STAGE_CENTER,
    Arrow,
    ColorScale,
    DotRow,
    DotRows,
    NumberLabel,
    Runner,
    TensorGrid,
    TokenRow,
    column,
    dim,
    fit_stage,
    label,
    role,
    row,
)
from scenes.lectures.l3_mla.common import funnel, layer_of
from scenes.stage import LectureScene


class AShortNote(LectureScene):
    """Fewer tokens, fewer entries; six generations of caches; and the answer in one picture."""

    lecture = 3
    unit = 0.0235
    #: room for the tallest column
    height = 4.52
    parts: ClassVar[dict[str, str]] = {"full_keys": "key", "values": "value", "c_kv": "latent", "k_pe": "rope"}

    def construct(self) -> None:
        self.show_title()
        sentence = self.run("mla_sentence")
        before = self.fewer()
        chart = self.generations(before)
        self.answer(sentence, chart)

    def fewer(self) -> Group:
        """Two trained layers over the cells of one text: what an indexer picks, and how neighbours become entries."""
        picks, small = self.run("indexer"), self.run("compression")
        chosen = picks["chosen"].pick(layer=1, query=picks["chosen"]["query"] - 1)
        share = small["csa_share"].pick(layer=0)
        merged, count = share["slot"] // 2, chosen["key"]  # half of the slots are the window before
        rows = [self.cells(count, 0.12, 0.06), self.cells(count, 0.12, 0.06)]
        rows[1].set_stroke(role("latent"), 1)  # a half-tone alone would be faint on a light ground
        own = share.values[:, merged:].flatten() / share.values[:, merged:].max()  # each token's part of its own entry
        ratio = self.number("v4_pro.csa_ratio")
        names = [
            label("V3.2 reads fewer: a choice of the notes", "body", "text"),
            row(
                label("V4 stores fewer:", "body", "text"),
                NumberLabel(ratio, "plain", after=" tokens become one entry", weight="regular"),
                gap=0.12,
            ),
        ]
        words = (
            "one bar: the note of one token; bright: our trained indexer picks it for the last token",
            "bright: a large part of its entry, in a layer that we trained; yellow: what is stored",
        )
        notes = [label(text, "small", "muted") for text in words]
        column(names[0], rows[0], notes[0], gap=0.24).move_to(STAGE_CENTER + 1.55 * UP)
        column(names[1], rows[1], gap=0.24).move_to(STAGE_CENTER + 0.6 * DOWN).align_to(rows[0], LEFT)
        entries, funnels = self.entries(rows[1], merged)
        notes[1].next_to(entries, DOWN, buff=0.24).align_to(rows[1], LEFT)
        self.origin(picks, small, self.number("v3_2.index_topk"), ratio)
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
            self.play(FadeIn(names[1], rows[1]), run_time=0.8)
            self.play(
                *(
                    cell.animate.set_fill(opacity=0.25 + 0.75 * float(part))
                    for cell, part in zip(rows[1], own, strict=True)
                ),
                FadeIn(notes[1]),
                run_time=0.8,
            )
            self.play(FadeIn(funnels), FadeIn(entries, shift=0.4 * DOWN), run_time=1.4)
        return Group(*names, *rows, *notes, entries, funnels)

    def cells(self, count: int, width: float, gap: float) -> VGroup:
        """A cache as a row of cells, one a token."""
        one = Rectangle(width=width, height=0.56, stroke_width=0, fill_color=role("latent"), fill_opacity=1)
        return VGroup(*(one.copy() for _ in range(count))).arrange(RIGHT, buff=gap)

    def entries(self, cells: VGroup, merged: int) -> tuple[VGroup, VGroup]:
        """Below each so many cells the one entry that they become, and the funnel that leads there."""
        entries, funnels = VGroup(), VGroup()
        for start in range(0, len(cells), merged):
            group = cells[start : start + merged]
            entry = cells[start].copy().set_fill(role("accent"), 1).next_to(group, DOWN, buff=0.42)
            entries.add(entry)
            funnels.add(funnel(group, entry, "latent", 0.05, share=0.25, way=DOWN))
        return entries, funnels

    served, plain = "as it is stored", "the same numbers, in two bytes each"

    def generations(self, before: Group) -> Group:
        """Bytes a token as served; beside them what the same architecture would take with two bytes a number."""
        trace = self.run("kv_generations")
        names = trace["bytes_per_token"].labels["generation"]
        keys = ("ds67b", "v2", "v3", "v3_2", "v4_pro", "v4_flash", "v4_1_flash")
        runners = [Runner(self.served, "latent"), Runner(self.plain, "dense")]
        lines = []
        for name, key in zip(names, keys, strict=True):
            values = {self.served: trace.quantity(key), self.plain: trace.quantity(f"{key}_bf16")}
            lines.append(DotRow(name.removeprefix("DeepSeek").lstrip("- "), values))
        chart = DotRows(
            lines,
            runners,
            width=9.6,
            pitch=0.54,
            x_name="cache of one token",
            log=True,
            low=100,
            high=1e6,
            vendor=False,
        )
        fit_stage(chart)
        numbers = VGroup()
        for line in lines:
            number = NumberLabel(line.values[self.served], "si 3", size="small")
            numbers.add(number.next_to(chart.dots[line.name, self.served], LEFT, buff=0.16))
        facts = (
            ("first_to_last", "latent", " less, from the first to the last"),
            ("v4_1_flash_architecture_gain", "latent", " by architecture"),
            ("v4_1_flash_precision_gain", "dense", " by fewer bits"),
        )
        gains = VGroup(
            *(
                NumberLabel(trace.quantity(key), "times 3", size="body", role=colour, after=text)
                for key, colour, text in facts
            )
        ).arrange(DOWN, buff=0.15, aligned_edge=LEFT)
        gains.move_to(chart.axes.corners, RIGHT + DOWN).shift(0.35 * UP)
        VGroup(*chart.of(self.served)).set_z_index(1)  # where both are the same, the one that is stored is seen
        self.origin(trace)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.4)
            s.until("chart")
            self.play(FadeIn(chart.axes, chart.names, chart.keys[self.served]), run_time=0.8)
            arrivals = zip(chart.of(self.served), numbers, strict=True)
            self.play(
                LaggedStart(*(FadeIn(dot, number, shift=0.6 * LEFT) for dot, number in arrivals), lag_ratio=0.5),
                run_time=3.4,
            )
            self.play(FadeIn(gains[0]), run_time=0.6)
            s.until("bits")
            self.play(
                FadeIn(chart.spans, *chart.of(self.plain), chart.keys[self.plain]), FadeIn(gains[2]), run_time=1.0
            )
            s.until("architecture")
            self.play(FadeIn(gains[1]), run_time=0.8)
        return Group(chart, numbers, gains)

    def answer(self, sentence: Trace, chart: Group) -> None:
        """Every token's keys and values give way to a short note; out of one note they come again."""
        layer = layer_of(sentence, 1)
        self.unit = min(type(self).unit, self.height / sentence["full_keys"]["feature"])
        tokens = TokenRow(sentence["h"].pick(layer=layer), size="small", width=11.2)
        tokens.move_to(STAGE_CENTER + 2.15 * UP).align_to([SAFE_RIGHT, 0, 0], RIGHT)
        full, notes = Group(), Group()
        scales = {name: ColorScale.of(sentence[name].pick(layer=layer)) for name in self.parts}
        for number, chip in enumerate(tokens.chips):
            at = {name: sentence[name].pick(layer=layer, token=number) for name in scales}
            columns = {name: self.thin(at[name], colour, scales[name]) for name, colour in self.parts.items()}
            full.add(row(columns["full_keys"], columns["values"], gap=0.06, edge=UP).next_to(chip, DOWN, buff=0.2))
            notes.add(column(columns["c_kv"], columns["k_pe"], gap=0.05, edge=None).next_to(chip, DOWN, buff=0.2))
        whose = [
            label("keys and\nvalues", "small", "key").next_to(full[0], LEFT, buff=0.2),
            label("latent", "small", "latent").next_to(notes[0][0], LEFT, buff=0.2),
            label("position", "small", "rope").next_to(notes[0][1], LEFT, buff=0.2),
        ]
        whose[2].shift(min(0.0, whose[1].get_bottom()[1] - 0.06 - whose[2].get_top()[1]) * UP)  # where notes are short
        chosen = len(tokens.chips) - 2
        made = self.made_again(sentence, scales, layer, chosen)
        made.next_to(notes[chosen], DOWN, buff=0.9).align_to([SAFE_RIGHT - 0.1, 0, 0], RIGHT)
        arrow = Arrow(notes[chosen], [notes[chosen].get_x(), made.get_top()[1], 0], DOWN, role="latent")
        ratio = NumberLabel(
            sentence.quantity("cache_ratio"),
            "times 2",
            size="heading",
            role="latent",
            after=" less to keep\nthan keys and values,\nin this model"
            if "model" in sentence.meta
            else " less to keep\nthan keys and values,\nin our small model",
        )
        ratio.move_to(made).align_to(tokens, LEFT)
        ratio.shift(max(0.0, ratio.get_right()[0] + 0.4 - made.get_left()[0]) * LEFT)  # under a short sentence
        self.origin(sentence)
        with self.step() as s:
            self.play(FadeOut(chart), run_time=0.6)
            self.play(FadeIn(tokens), FadeIn(full, lag_ratio=0.02), FadeIn(whose[0]), run_time=1.4)
            s.until("answer")
            self.play(*(dim(part) for pair in full for part in pair), run_time=0.8)
            s.until("note")
            shrinking = (
                AnimationGroup(FadeOut(pair, scale=0.3, target_position=note), FadeIn(note, scale=1.5))
                for pair, note in zip(full, notes, strict=True)
            )
            self.play(FadeOut(whose[0]), LaggedStart(*shrinking, lag_ratio=0.08), run_time=1.8)
            self.play(FadeIn(ratio, *whose[1:]), run_time=0.5)
            s.until("again")
            self.play(FadeIn(arrow), FadeIn(made, shift=0.3 * DOWN), run_time=1.0)

    def made_again(self, sentence: Trace, scales: dict[str, ColorScale], layer: int, token: int) -> Group:
        """Keys and values of one token, lying, with their names: made from its note when they are needed."""
        lines = []
        for name, words in (("full_keys", "keys"), ("values", "values")):
            values, colour = sentence[name].pick(layer=layer, token=token), self.parts[name]
            strip = TensorGrid(
                values,
                role=colour,
                scale=scales[name],
                width=values.values.size * self.unit,
                height=0.2,
                vertical=False,
                max_columns=256,
                notes=False,
                bar=False,
                gap=0,
            )
            lines.append(row(label(words, "small", colour), strip, gap=0.2))
        said = label("made again from the note, when they are needed", "small", "latent")
        strips = column(*lines, gap=0.16)
        lines[1][1].align_to(lines[0][1], LEFT)
        lines[1][0].next_to(lines[1][1], LEFT, buff=0.2)
        return column(strips, said, gap=0.2, edge=RIGHT)

    def thin(self, values: NamedArray, colour: str, scale: ColorScale) -> TensorGrid:
        """A vector as a thin column, the same height for each number."""
        height = values.values.size * self.unit
        return TensorGrid(
            values, role=colour, scale=scale, width=0.2, height=height, max_rows=256, notes=False, bar=False, gap=0
        )
