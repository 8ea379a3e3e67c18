"""Lecture 2: one real sentence through the gate of the trained model."""

from __future__ import annotations

from manim import (
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    Create,
    Dot,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    Mobject,
    Square,
    VGroup,
)

from explainers.traces import Trace
from scenes.kit import (
    SAFE_LEFT,
    STAGE_TOP,
    Flow,
    FlowFan,
    GateBars,
    TensorGrid,
    TokenRow,
    label,
    role,
    tint,
)
from scenes.lectures.l2_moe.common import honest_scale, team, weights
from scenes.stage import LectureScene


class OneSentence(LectureScene):
    """Token by token: scores as bars, the best few lit, lines as wide as weights, answers added."""

    lecture = 2
    layer = 0
    #: units of line width for a weight of 1
    unit = 0.14

    def construct(self) -> None:
        self.show_title()
        trace = self.run("routing")
        self.origin(trace)
        self.one = trace.quantity("shared_weight")
        self.score = trace["original_scores"].pick(layer=self.layer)
        self.row = TokenRow(self.score, size="small").move_to([0, STAGE_TOP - 0.25, 0])
        self.gate = GateBars(self.score.pick(token=0), groups=trace["group_scores"]["group"], width=10.2, unit=1.3)
        self.gate.move_to([-0.6, -0.3, 0])
        self.shared = Square(self.gate.side, stroke_width=1.6, stroke_color=role("shared_expert"))
        self.shared.set_fill(role("shared_expert"), 0.25).next_to(self.gate.squares, RIGHT, buff=0.55)
        start = self.scored(trace)
        self.woken(trace, start)
        self.others(trace, start)

    def mark(self, token: int, colour: str = "accent") -> AnimationGroup:
        """The animation in which a chip takes the colour of attention, or its own again."""
        chip = self.row.chips[token]
        return AnimationGroup(
            chip.box.animate.set_stroke(tint(colour, 0.6), 1.8).set_fill(tint(colour, 0.14), 1),
            chip.text.animate.set_fill(role(colour), 1),
        )

    def scored(self, trace: Trace) -> int:
        """The sentence, the layer, and the scores of one token."""
        tokens = self.score.labels["token"][: len(self.row.chips)]
        start = max(range(len(tokens)), key=lambda place: len(tokens[place]))
        first = self.score.pick(token=start)
        self.at, self.chip = start, self.row.chips[start]
        self.gate.scores = self.gate.biased = first.values.astype(float)
        self.gate.bound = type(self.gate.bound)((first,))
        scale = honest_scale(trace, self.number("v3.routed_experts"))
        self.origin(trace, self.number("v3.routed_experts"))
        scale.move_to([0, -2.75, 0]).align_to([SAFE_LEFT, 0, 0], LEFT)
        name = label("score", "small", "router").next_to(self.gate.marks, UP, buff=0.08).align_to(self.gate, LEFT)
        with self.step() as s:
            self.play(FadeIn(self.row, lag_ratio=0.08), run_time=1.2)
            s.until("experts")
            squares = LaggedStart(*(FadeIn(square) for square in self.gate.squares), lag_ratio=0.1)
            self.play(FadeIn(self.gate.boxes), squares, FadeIn(scale), run_time=1.2)
            s.until("score")
            self.play(self.mark(start), FadeIn(self.gate.marks, name), run_time=0.5)
            self.add(self.gate.choosing)
            self.play(self.gate.rise(run_time=1.4))
        self.add(self.gate)
        self.name = name
        return start

    # ------------------------------------------------------------------ lines
    def fans(self, trace: Trace, token: int) -> tuple[FlowFan, FlowFan]:
        """Lines from the token to its experts, and from them to the sum."""
        shares = weights(trace, self.layer, token)
        tops = [Dot(self.gate.top(index)) for index in range(len(shares.values))]
        down = FlowFan(self.chip, tops, shares, unit_width=self.unit, role="router")
        on = FlowFan(
            self.answer.image, list(self.gate.squares), shares, unit_width=self.unit, role="expert", direction=UP
        )
        for line in on.lines.values():
            line.reverse_points()
        return down, on

    def woken(self, trace: Trace, start: int) -> None:
        """The best few, the shared one, and the sum."""
        combined = trace["combined"].pick(layer=self.layer, token=start)
        shape = {"vertical": False, "height": 0.3, "width": 4.6, "max_columns": 256, "notes": False, "bar": False}
        self.answer = TensorGrid(combined, role="token", gap=0, **shape)  # type: ignore[arg-type]
        self.answer.move_to([0, -2.35, 0])
        words = label("the layer's answer", "small", "muted").next_to(self.answer, RIGHT, buff=0.25)
        name = label("shared", "small", "shared_expert").next_to(self.shared, RIGHT, buff=0.1)
        self.down, self.on = self.fans(trace, start)
        always = VGroup(self.always(self.chip, self.shared), self.always(self.shared, self.answer.image))
        with self.step() as s:
            s.until("best")
            self.play(self.gate.light(team(trace, self.layer, start)), run_time=0.7)
            s.until("lines")
            self.play(self.down.draw(run_time=1.2))
            s.until("shared")
            self.play(FadeIn(self.shared, name), Create(always[0]), run_time=0.9)
            s.until("sum")
            self.play(self.on.draw(run_time=0.8), Create(always[1]), run_time=0.9)
            self.play(FadeIn(self.answer, words), run_time=0.6)
        self.always_lines = always

    def always(self, source: Mobject, target: Mobject) -> Flow:
        """A line of the shared expert: it is not weighed, so as wide as a weight of one."""
        return Flow(source, target, self.one, unit_width=self.unit, role="shared_expert", head=False)

    def others(self, trace: Trace, start: int) -> None:
        """All other tokens that are drawn, one after the other."""
        places = [place for place in range(len(self.row.chips)) if place != start]
        places = places[:: max(1, len(places) // 10)]
        with self.step() as s:
            s.until("all")
            for place in places:
                self.turn(trace, place, max(s.left / max(len(places), 1) * 0.5, 0.27))

    def turn(self, trace: Trace, token: int, pace: float) -> None:
        """One more token."""
        old, before = Group(self.down, self.on, self.always_lines[0]), self.mark(self.at, "token")
        self.at, self.chip = token, self.row.chips[token]
        score = self.score.pick(token=token)
        now = self.mark(token)
        self.play(
            FadeOut(old), before, now, self.gate.turn_to(score), self.gate.light(team(trace, self.layer, token)),
            self.answer.morph_to(trace["combined"].pick(layer=self.layer, token=token)), run_time=pace,
        )  # fmt: skip
        self.down, self.on = self.fans(trace, token)
        self.always_lines[0] = self.always(self.chip, self.shared)
        self.play(FadeIn(self.down, self.on, self.always_lines[0]), run_time=pace)
