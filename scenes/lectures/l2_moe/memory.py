"""Lecture 2: all experts of V3, what of it works, and the answer."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, FadeIn, FadeOut, Rectangle, VGroup

from explainers.quantities import Quantity
from scenes.kit import (
    EASE,
    SAFE_WIDTH,
    STAGE_TOP,
    ExpertField,
    GateBars,
    NumberLabel,
    TokenChip,
    fit_width,
    keep_inside,
    label,
    role,
)
from scenes.lectures.l2_moe.common import short_name, team
from scenes.lectures.l2_moe.gate import telling
from scenes.stage import LectureScene


class AllMustBeThere(LectureScene):
    """Every expert of V3; a token's way through the layers; what must lie in memory; and the gate once more."""

    lecture = 2

    def construct(self) -> None:
        self.show_title()
        layers, experts, shared = (
            self.number(f"v3.{name}") for name in ("moe_layers", "routed_experts", "shared_experts")
        )
        self.gates = self.run("untrained_layers")
        self.field = (
            ExpertField(self.gates["chosen"], shared, width=11.2, height=3.1).sleep().move_to([0, STAGE_TOP - 2.1, 0])
        )
        self.everything(layers, experts)
        self.answer()

    def everything(self, layers: Quantity, experts: Quantity) -> None:
        """The field, a token's path, then the parameters to scale, at work and in memory."""
        field = self.field
        total, active, weight = (
            self.number(f"v3.{name}") for name in ("total_params", "active_params", "weight_bytes_fp8")
        )
        self.origin(self.gates, layers, total)
        rows = NumberLabel(layers, "plain bare", after=" layers", size="small", role="muted")
        rows.rotate(1.5708).next_to(field, LEFT, buff=0.15)
        columns = NumberLabel(experts, "plain bare", after=" experts in each", size="small", role="muted")
        columns.next_to(field.field, UP, buff=0.14).align_to(field.field, LEFT)
        awake = NumberLabel(
            self.number("v3.experts_per_token"), "plain bare", after=" awake", size="small", role="expert"
        )
        awake.next_to(columns, RIGHT, buff=0.35)
        rule = label("which ones: V3's gate, untrained", "small", "muted").next_to(field.field, UP, buff=0.14)
        rule.align_to(field.field, RIGHT)
        shared = label("shared", "small", "shared_expert")
        if field.shared is not None:
            shared.next_to(field.shared, DOWN, buff=0.1)
        bar = Rectangle(width=SAFE_WIDTH - 0.6, height=0.42, stroke_width=2, stroke_color=role("dense"))
        bar.set_fill(role("dense"), 0.35).next_to(field, DOWN, buff=0.55).set_x(0)
        part = Rectangle(width=bar.width * float(active / total), height=0.42, stroke_width=0)
        part.set_fill(role("expert"), 1).align_to(bar, LEFT).set_y(bar.get_y())
        works = NumberLabel(active, "words 2", after=" at work", size="body", role="expert")
        works.next_to(bar, DOWN, buff=0.14).align_to(bar, LEFT)
        lies = NumberLabel(total, "words 3", before="of ", after=" parameters", size="body").next_to(
            works, RIGHT, buff=0.2
        )
        memory = NumberLabel(weight, "si 3", before="in memory: ", size="body", role="cost")
        memory.next_to(bar, DOWN, buff=0.14).align_to(bar, RIGHT)
        with self.step() as s:
            s.until("layers")
            self.play(FadeIn(field), FadeIn(rows, columns), run_time=1.0)
            s.until("wake")
            self.play(field.path(0, run_time=2.0), FadeIn(rule, awake, shared))
            self.play(FadeIn(bar), FadeIn(part), FadeIn(works, lies), run_time=0.9)
            s.until("other")
            for each in (1, 2):
                self.play(field.path(each, run_time=1.3))
            s.until("memory")
            self.play(FadeIn(memory), bar.animate.set_stroke(role("cost"), 4), run_time=0.7)
        self.sides = rows, columns
        self.around = VGroup(awake, shared, rule, bar, part, works, lies, memory)

    def answer(self) -> None:
        """A real token, its scores, the best few, the nudge; and over it all of V3, where another path lights up."""
        trace = self.run("routing")
        layer, token = telling(trace)
        pick = {"layer": layer, "token": token}
        gate = GateBars(
            trace["original_scores"].pick(**pick),
            trace["biased_scores"].pick(**pick),
            groups=trace["group_scores"]["group"],
            width=6.4,
            unit=1.15,
            room=1.5,
        )
        chip = TokenChip(trace["original_scores"].labels["token"][token], size="body")
        field = self.field
        there = field.copy().scale(0.71).move_to([0, STAGE_TOP - 1.4, 0])  # whole: cells that are squeezed are slits
        gate.next_to(there, DOWN, buff=0.6).set_x(-1.95)
        chip.next_to(gate.squares, LEFT, buff=0.45).match_y(gate)
        keep_inside(chip)
        words = VGroup(
            label("every expert has a score", "body", "router"),
            label("the best few are woken", "body", "expert"),
            label("a nudge keeps all busy", "body", "reward"),
            label("what suits whom is learned", "body"),
        )
        words.arrange(DOWN, buff=0.14, aligned_edge=LEFT).next_to(gate.squares, RIGHT, buff=0.7).match_y(gate)
        name = label("V3: such a gate in every layer, untrained", "small", "muted")
        name.next_to(there, UP, buff=0.12).align_to(there[0], RIGHT)
        ours = label(short_name(trace), "small", "muted").next_to(gate.squares, DOWN, buff=0.14)
        fit_width(ours, gate.squares.width)
        ours.align_to(gate.squares, LEFT)
        rows, columns = self.sides
        with self.step() as s:
            self.play(FadeOut(self.around), run_time=0.5)
            self.origin(trace, self.gates, field.bound[1])
            self.play(
                field.animate.scale(0.71).move_to(there),
                rows.animate.next_to(there, LEFT, buff=0.12),
                columns.animate.next_to(there, UP, buff=0.12).align_to(there, LEFT),
                FadeIn(chip),
                run_time=1.0,
                rate_func=EASE,
            )
            self.play(FadeIn(gate.squares, gate.boxes, gate.marks, ours), run_time=0.5)
            s.until("ask")
            self.add(gate.choosing)
            self.play(gate.rise(run_time=1.2), FadeIn(words[0]))
            s.until("few")
            plain = trace["indices_unbiased"].pick(**pick).values.tolist()  # nothing is nudged yet
            self.play(gate.light(plain), FadeIn(words[1]), run_time=0.7)
            s.until("nudge")
            self.add(gate.pieces)
            self.play(gate.lean(1.0, run_time=1.0), FadeIn(words[2]))
            self.play(gate.light(team(trace, layer, token)), run_time=0.4)
            s.until("answer")
            self.play(
                FadeIn(words[3]),
                FadeIn(name),
                run_time=0.6,
            )
            for each in (token - 1, token):
                self.play(field.path(each, run_time=1.6))
