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
    SAFE_RIGHT,
    STAGE_TOP,
    Flow,
    FlowFan,
    GateBars,
    TensorGrid,
    TokenRow,
    dim,
    label,
    role,
    tint,
    undim,
)
from scenes.lectures.l2_moe.common import gated_layer, honest_scale, tallest_win, team, weights
from scenes.stage import LectureScene


class OneSentence(LectureScene):
    """Token by token: scores as bars, the best few lit, lines as wide as weights, answers added.

    Only tokens are shown whose tallest bars win: the bias, which can change that, comes a scene later.
    """

    lecture = 2
    layer = 0
    #: units of line width for a weight of 1
    unit = 0.14
    #: other tokens that there is time for
    most = 4

    def construct(self) -> None:
        self.show_title()
        trace = self.run("routing")
        self.origin(trace)
        self.one = trace.quantity("shared_weight")
        self.layer = gated_layer(trace, type(self).layer)
        self.score = trace["original_scores"].pick(layer=self.layer)
        self.row = TokenRow(self.score, size="small").move_to([0, STAGE_TOP - 0.25, 0])
        groups = trace["group_scores"]["group"]
        self.gate = GateBars(self.score.pick(token=0), groups=groups, width=9.7, unit=1.3, room=1.6, like=self.score)
        self.gate.move_to([-0.3, -0.05, 0])
        self.shared = Square(max(self.gate.side, 0.2), stroke_width=1.6, stroke_color=role("shared_expert"))
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
        plain = [place for place in range(len(tokens)) if tallest_win(trace, self.layer, place, of_all=True)]
        start = max(plain or range(len(tokens)), key=lambda place: len(tokens[place]))
        first = self.score.pick(token=start)
        self.at, self.chip = start, self.row.chips[start]
        self.gate.scores = self.gate.biased = first.values.astype(float)
        self.gate.bound = type(self.gate.bound)((first,))
        scale = honest_scale(trace, self.number("v3.routed_experts"))
        self.origin(trace, self.number("v3.routed_experts"))
        scale.move_to([0, -2.75, 0]).align_to([SAFE_LEFT, 0, 0], LEFT)
        left = self.gate.get_left()[0] - 0.15
        name = label("score", "small", "router").move_to([left, self.gate.marks.get_y(), 0], RIGHT)
        kind = label("experts", "small", "expert").move_to([left, self.gate.squares.get_y(), 0], RIGHT)
        with self.step() as s:
            self.play(FadeIn(self.row, lag_ratio=0.08), run_time=1.2)
            s.until("experts")
            squares = LaggedStart(*(FadeIn(square) for square in self.gate.squares), lag_ratio=0.1)
            self.play(FadeIn(self.gate.boxes, kind), squares, FadeIn(scale), run_time=1.2)
            s.until("score")
            self.play(self.mark(start), FadeIn(self.gate.marks, name), run_time=0.5)
            self.add(self.gate.choosing)
            self.play(self.gate.rise(run_time=1.4))
        self.add(self.gate)
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
        self.answer.move_to([0, -2.1, 0])
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
        """Other tokens, one after the other; for each, the groups closed to it stand back and its tallest bars win."""
        others = [place for place in range(len(self.row.chips)) if place != start]
        places = [place for place in others if tallest_win(trace, self.layer, place)] or others
        places = places[:: -(-len(places) // self.most)]
        note = label("dim: groups closed to this token", "small", "muted")
        note.move_to([0, -2.75, 0]).align_to([SAFE_RIGHT, 0, 0], RIGHT)
        self.shut: list[Mobject] = []
        with self.step() as s:
            s.until("others")
            pace = max(s.left / len(places) / 4.5, 0.3)  # three motions, and half as long to look
            for number, place in enumerate(places):
                self.turn(trace, place, pace, note if number == 0 else None)
                if place != places[-1]:
                    self.wait(1.5 * pace)

    def turn(self, trace: Trace, token: int, pace: float, note: Mobject | None) -> None:
        """One more token: what belongs to the old one goes; the new one's scores come; its experts light up."""
        gate, old = self.gate, team(trace, self.layer, self.at)
        asleep = (gate.squares[index].animate.set_fill(tint("expert", 0.22), 1) for index in old)
        gone = Group(self.down, self.on, self.always_lines[0])
        again = [undim(*self.shut)] if self.shut else []
        self.play(FadeOut(gone), self.mark(self.at, "token"), *asleep, *again, run_time=pace)
        self.at, self.chip = token, self.row.chips[token]
        self.play(self.mark(token), gate.turn_to(self.score.pick(token=token)), run_time=pace)
        mask = trace["group_mask"].pick(layer=self.layer, token=token).values
        each = len(gate.squares) // len(mask)
        self.shut = [gate.parts(index) for index in range(len(gate.squares)) if not mask[index // each]]
        back = [dim(*self.shut, to=0.3)] if self.shut else []
        come = [FadeIn(note)] if note and self.shut else []
        awake = (gate.squares[index].animate.set_fill(role("expert"), 1) for index in team(trace, self.layer, token))
        self.down, self.on = self.fans(trace, token)
        self.always_lines[0] = self.always(self.chip, self.shared)
        self.play(
            FadeIn(self.down, self.on, self.always_lines[0]), *back, *awake, *come,
            self.answer.morph_to(trace["combined"].pick(layer=self.layer, token=token)), run_time=pace,
        )  # fmt: skip
