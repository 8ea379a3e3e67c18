"""Lecture 3: why decoding keeps keys and values."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, ArcBetweenPoints, Create, FadeIn, FadeOut, Group, LaggedStart, VGroup

from explainers.traces import NamedArray, Trace
from scenes.kit import (
    EASE,
    STAGE_CENTER,
    ColorScale,
    LineChart,
    NumberLabel,
    Series,
    TokenChip,
    TokenRow,
    VectorColumn,
    column,
    fit_stage,
    keep_inside,
    label,
    role,
)
from scenes.lectures.l3_mla.common import layer_of
from scenes.stage import LectureScene


def arcs_back(row: TokenRow, asking: TokenChip, weights: NamedArray) -> VGroup:
    """An arc from the asking chip to every token of the row, as wide as the attention it gets."""
    arcs = VGroup()
    most = max(float(each) for each in weights.values)
    for chip, weight in zip(row.chips, weights.values, strict=False):
        arc = ArcBetweenPoints(asking.get_top(), chip.get_top(), angle=1.1)
        arcs.add(arc.set_stroke(role("query"), width=1.2 + 9 * float(weight) / most, opacity=0.85))
    return arcs


class WhyAModelRemembers(LectureScene):
    """The next token asks all earlier ones; what each keeps for that; the work with and without keeping it."""

    lecture = 3
    layer, head = 2, 0

    def construct(self) -> None:
        self.show_title()
        sentence = self.run("mla_sentence")
        self.layer = layer_of(sentence, type(self).layer)
        row, asking, arcs = self.look_back(sentence)
        kept = self.keys_and_values(sentence, row, Group(asking, arcs))
        self.work(Group(row, kept))

    def look_back(self, sentence: Trace) -> tuple[TokenRow, TokenChip, VGroup]:
        attention = sentence["attention"].pick(
            layer=self.layer, head=self.head, query=sentence["attention"]["query"] - 1
        )
        row = TokenRow(sentence["h"].pick(layer=self.layer), width=12.0, size="body")
        asking = TokenChip("?", role="query", size="body").next_to(row, RIGHT, buff=0.12)
        VGroup(row, asking).move_to(STAGE_CENTER).shift(1.0 * DOWN)
        arcs = arcs_back(row, asking, attention)
        note = label("width: attention weight of the last token, one head", "small", "muted").next_to(
            row, DOWN, buff=0.35
        )
        self.origin(sentence)
        with self.step() as s:
            self.play(LaggedStart(*(FadeIn(part, shift=0.2 * RIGHT) for part in row), lag_ratio=0.35), run_time=3.0)
            self.play(FadeIn(asking, shift=0.2 * RIGHT), run_time=0.6)
            s.until("look")
            self.play(LaggedStart(*(Create(arc) for arc in reversed(arcs)), lag_ratio=0.12), FadeIn(note), run_time=2.2)
        return row, asking, VGroup(arcs, note)

    def keys_and_values(self, sentence: Trace, row: TokenRow, asked: Group) -> Group:
        """Under each chip its real key and value: of one head, as columns of cells."""
        keys, values = (sentence[name].pick(layer=self.layer, head=self.head) for name in ("k_nope", "v"))
        key_scale, value_scale = ColorScale.of(keys), ColorScale.of(values)
        cell = min(0.1, 3.3 / min(max(keys["nope"], values["value"]), 40))
        room = row.copy().move_to(STAGE_CENTER + 1.75 * UP)
        made = Group()
        for number, chip in enumerate(room.chips):
            key = VectorColumn(keys.pick(token=number), role="key", scale=key_scale, cell=cell, max_cells=40)
            value = VectorColumn(values.pick(token=number), role="value", scale=value_scale, cell=cell, max_cells=40)
            made.add(Group(key, value).arrange(RIGHT, buff=0.06).next_to(chip, DOWN, buff=0.16))
        first = made[: max(len(made) - 1, 1)]
        names = column(label("key", "body", "key"), label("value", "body", "value"), gap=0.15)
        names.next_to(made, RIGHT, buff=0.3)
        kept = label("made once, then only read", "small", "muted").next_to(first, DOWN, buff=0.2)
        keep_inside(room, made, names, kept)
        with self.step() as s:
            self.play(FadeOut(asked), run_time=0.6)
            self.play(row.animate.move_to(room), run_time=0.8)
            s.until("key")
            self.play(
                LaggedStart(*(FadeIn(pair[0], shift=0.2 * DOWN) for pair in first), lag_ratio=0.08),
                FadeIn(names[0]),
                run_time=1.6,
            )
            s.until("value")
            self.play(
                LaggedStart(*(FadeIn(pair[1], shift=0.2 * DOWN) for pair in first), lag_ratio=0.08),
                FadeIn(names[1]),
                run_time=1.6,
            )
            s.until("never")  # a token more: only its own pair is made
            self.play(FadeIn(made[-1], shift=0.2 * DOWN), FadeIn(kept), run_time=0.8)
        return Group(made, names, kept)

    def work(self, before: Group) -> None:
        """Counted operations, token by token, for the two ways of writing the same text."""
        trace = self.run("decode_work")
        total = trace["total_flops"]
        names = (("read everything again", "cost"), ("keep keys and values", "reward"))
        series = [Series(name, total.pick(mode=mode), role=colour) for mode, (name, colour) in enumerate(names)]
        chart = LineChart(
            series, x_name="tokens written", y_name="operations so far", y_zero=True, width=7.6, height=4.0
        )
        fit_stage(chart)
        ends = [
            NumberLabel(trace.quantity(key), "words 3", size="body", role=colour).next_to(
                chart.names[name], DOWN, buff=0.12
            )
            for key, (name, colour) in zip(("flops_without", "flops_with"), names, strict=True)
        ]
        ends[0].align_to(chart.names[names[0][0]], LEFT)
        ends[1].align_to(chart.names[names[1][0]], LEFT)
        ratio = NumberLabel(trace.quantity("ratio"), "times 3", size="display", role="reward", after=" less work")
        ratio.move_to(chart.axes.corners).shift(0.9 * UP + 1.2 * LEFT)
        with self.step() as s:
            self.origin(trace)
            self.play(FadeOut(before), run_time=0.4)
            self.play(FadeIn(chart.axes), run_time=0.6)
            s.until("without")
            self.play(chart.draw(names[0][0], run_time=2.4, rate_func=EASE))
            self.play(FadeIn(chart.names[names[0][0]], ends[0]), run_time=0.6)
            s.until("with")
            self.play(chart.draw(names[1][0], run_time=1.6, rate_func=EASE))
            self.play(FadeIn(chart.names[names[1][0]], ends[1]), run_time=0.6)
            s.until("ratio")
            self.play(FadeIn(ratio, shift=0.2 * UP), run_time=0.8)
