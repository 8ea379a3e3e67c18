"""Lecture 2: which expert serves which kind of text, and how much of that is only the token."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, Create, FadeIn, Group, GrowFromEdge, LaggedStart, Rectangle, VGroup

from explainers.traces import Trace
from scenes.kit import (
    EASE,
    STAGE_CENTER,
    ExpertHeatMap,
    NumberLabel,
    TokenRow,
    label,
    role,
)
from scenes.stage import LectureScene


class WhoLearnsWhat(LectureScene):
    """Expert × domain, counted on held-out text; then what of it is the token's own identity."""

    lecture = 2
    layer = -1

    def construct(self) -> None:
        self.show_title()
        trace = self.run("specialisation")
        self.origin(trace)
        self.layer_index = trace["share"]["layer"] + self.layer
        heat = ExpertHeatMap(trace["share"].pick(layer=self.layer_index), groups=4, width=10.0, row_height=0.72)
        heat.move_to(STAGE_CENTER).clear()
        self.counted(heat)
        self.bits(trace, heat)

    def counted(self, heat: ExpertHeatMap) -> None:
        """Rows fill; one stands forward, then another; the best expert of it has other work, too."""
        best = heat.favourites("sums")[0]
        around = VGroup(*(heat.cell(name, best) for name in heat.rows))
        whole = Rectangle(width=around.width + 0.06, height=around.height + 0.06, stroke_width=4)
        whole.set_stroke(role("accent")).move_to(around)
        note = label("tokens of a kind that an expert of the last layer gets, against an even share", "small", "muted")
        note.next_to(heat, DOWN, buff=0.3)

        with self.step() as s:
            self.play(FadeIn(*heat.names.values(), lag_ratio=0.2), FadeIn(heat.boxes), run_time=1.2)
            self.play(FadeIn(heat.bar, heat.even), run_time=0.5)
            self.add(heat)
            s.until("count")
            self.play(heat.fill(run_time=2.2))
            self.play(FadeIn(note), run_time=0.5)
            s.until("german")
            self.play(heat.look_at("German", run_time=0.7))
            s.until("sums")
            self.play(heat.look_at("sums", run_time=0.7))
            s.until("none")
            self.play(heat.look_at(run_time=0.6))
            self.play(Create(whole), run_time=0.8)
        self.note, self.column, self.best = note, whole, best

    def bits(self, trace: Trace, heat: ExpertHeatMap) -> None:
        """Two bits name the kind of text; what the expert tells of them, and what the token alone would tell."""
        possible, told, token = (
            trace.quantity(f"information_{name}") for name in ("possible", "shipped", "from_tokens")
        )
        long = 10.4
        whole = Rectangle(width=long, height=0.6, stroke_width=2.2, stroke_color=role("muted"))
        whole.move_to([0, -2.1, 0])
        bars = [
            Rectangle(width=long * float(each) / float(possible), height=0.6, stroke_width=0)
            .set_fill(role(colour), 1)
            .align_to(whole, LEFT)
            .set_y(-2.1)
            for each, colour in ((told, "expert"), (token, "token"))
        ]
        names = VGroup(
            NumberLabel(possible, "plain", before="to name the kind: ", size="small", role="muted"),
            NumberLabel(told, "plain 2", before="the expert tells ", size="small", role="expert"),
            NumberLabel(token, "plain 2", before="by the token alone ", size="small", role="token"),
        )
        names[0].next_to(whole, UP, buff=0.14).align_to(whole, RIGHT)
        names[1].next_to(bars[0], UP, buff=0.14).align_to(whole, LEFT)
        names[2].next_to(bars[1], DOWN, buff=0.14).align_to(whole, LEFT)
        places = trace["favourite"].pick(layer=self.layer_index, expert=self.best).values
        vocabulary = trace["vocabulary"].labels["token"]
        chips = TokenRow([vocabulary[int(each)] for each in places], size="body")
        whole_map = Group(heat, self.column)
        with self.step() as s:
            self.remove(self.note)
            self.play(whole_map.animate.move_to([0, STAGE_CENTER[1] + 1.05, 0]), run_time=1.0, rate_func=EASE)
            s.until("bits")
            self.play(Create(whole), FadeIn(names[0]), run_time=0.8)
            self.play(GrowFromEdge(bars[0], LEFT), FadeIn(names[1]), run_time=0.9)
            s.until("half")
            self.play(GrowFromEdge(bars[1], LEFT), FadeIn(names[2]), run_time=0.9)
            s.until("digits")
            chips.next_to(self.column, DOWN, buff=0.18)
            self.play(
                LaggedStart(*(FadeIn(chip, shift=0.25 * DOWN) for chip in chips.chips), lag_ratio=0.15), run_time=1.4
            )
