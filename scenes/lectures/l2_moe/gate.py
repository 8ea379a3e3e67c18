"""Lecture 2: the gate of V3, step by step, on a token whose choice the bias changes."""

from __future__ import annotations

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    FadeIn,
    FadeOut,
    Line,
    Mobject,
    RoundedRectangle,
    Square,
    VGroup,
    VMobject,
)
from numpy.typing import NDArray

from explainers.traces import Trace
from scenes.kit import (
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_TOP,
    GateBars,
    NumberLabel,
    TokenChip,
    apart,
    dim,
    label,
    quantity_at,
    role,
    row,
)
from scenes.lectures.l2_moe.common import gated_layer, honest_scale, team
from scenes.stage import LectureScene


def telling(trace: Trace) -> tuple[int, int]:
    """Layer and token where the bias changes the choice most plainly, inside the same groups; else the first ones.

    Most plainly: one expert takes the place of one other, whose plain score is higher by as much as possible.
    """
    scores, mask = trace["original_scores"].values, trace["group_mask"].values
    with_bias, without = trace["indices"].values, trace["indices_unbiased"].values
    each = scores.shape[-1] // mask.shape[-1]
    best, found = 0.0, (gated_layer(trace, 0), 0)
    for layer, token in np.ndindex(scores.shape[:2]):
        come, gone = set(with_bias[layer, token]), set(without[layer, token])
        if len(gone - come) != 1 or not all(mask[layer, token, index // each] for index in gone):
            continue
        (loser,), (winner,) = gone - come, come - gone
        margin = float(scores[layer, token, loser] - scores[layer, token, winner])
        if margin > best:
            best, found = margin, (layer, token)
    return found


class ChoosingAndWeighing(LectureScene):
    """Sigmoid, bias, groups, the tallest few; then the same scores without the bias become the weights."""

    lecture = 2

    def construct(self) -> None:
        self.show_title()
        trace = self.run("routing")
        self.origin(trace, self.number("v3.routed_experts"))
        self.layer, self.token = telling(trace)
        pick = {"layer": self.layer, "token": self.token}
        self.scores, self.biased = trace["original_scores"].pick(**pick), trace["biased_scores"].pick(**pick)
        groups = trace["group_scores"]["group"]
        self.gate = GateBars(self.scores, self.biased, groups=groups, width=10.9, unit=1.75, room=2.25)
        self.gate.move_to([0.55, 0, 0]).shift(UP * (-0.25 - self.gate.squares.get_center()[1]))
        self.chip = TokenChip(trace["original_scores"].labels["token"][self.token], size="body")
        self.chip.move_to([0, STAGE_TOP + 0.1, 0]).set_x(self.gate.squares.get_x())
        scale = honest_scale(trace, self.number("v3.routed_experts"))
        self.scale = scale.move_to([0, -2.85, 0]).align_to([SAFE_LEFT, 0, 0], LEFT)
        self.two_scores()
        self.in_groups(trace)
        self.weighed(trace)

    def two_scores(self) -> None:
        """Scores, the bias on top of them, and the plain scores hanging below."""
        gate = self.gate
        left = gate.boxes.get_left()[0] - 0.2
        above = label("for\nchoosing", "small", "router", align="right")
        below = label("for\nweighing", "small", "router", align="right")
        above.move_to([left, gate.squares.get_top()[1] + 0.85, 0], RIGHT).shift(0.35 * LEFT)
        below.move_to([left, gate.squares.get_bottom()[1] - 0.85, 0], RIGHT).shift(0.35 * LEFT)
        bias = self.legend()
        if len(bias):
            bias.move_to(self.chip).align_to([SAFE_RIGHT, 0, 0], RIGHT)
        with self.step() as s:
            self.play(FadeIn(self.chip), FadeIn(gate.boxes, gate.squares, gate.marks, self.scale), run_time=0.9)
            s.until("sigmoid")
            self.add(gate.choosing)
            self.play(gate.rise(run_time=1.6))
            s.until("bias")
            self.add(gate.pieces)
            self.play(gate.lean(1.0, run_time=1.4), *([FadeIn(bias)] if len(bias) else []))
            self.play(FadeIn(above), run_time=0.5)
            s.until("below")
            self.add(gate.weighing)
            self.play(gate.weigh(run_time=1.4), FadeIn(below))
        self.add(gate)
        self.names = VGroup(above, below, bias)

    def legend(self) -> VGroup:
        """What the pieces on top of the bars say: filled, raised; hollow, cut out of the bar; nothing without any."""
        parts = [label("bias:", "small", "muted")] if self.gate_biases().any() else []
        for some, word, piece, colour in (
            (self.gate_biases() > 0, "raised", 1.0, "reward"),
            (self.gate_biases() < 0, "lowered", 0.0, "cost"),
        ):
            if some.any():
                swatch = Square(0.16, stroke_width=1.8, stroke_color=role(colour)).set_fill(role(colour), piece)
                parts.append(VGroup(swatch, label(word, "small", colour)).arrange(RIGHT, buff=0.12))
        return VGroup(*parts).arrange(RIGHT, buff=0.25)

    def gate_biases(self) -> NDArray[np.float64]:
        """What the gate adds to every score for choosing."""
        return self.biased.values - self.scores.values

    def in_groups(self, trace: Trace) -> None:
        """The best two of each group added; the best groups stay open; in them the tallest few are chosen."""
        gate, pick = self.gate, {"layer": self.layer, "token": self.token}
        sums, mask = trace["group_scores"].pick(**pick), trace["group_mask"].pick(**pick).values
        biased = trace["biased_scores"].pick(**pick).values
        each = len(biased) // len(mask)
        added = 1 if "best_of_group" in trace.quantities else 2  # V2's gate takes a group's best, V3's its best two
        pairs, figures = VGroup(), VGroup()
        for group, box in enumerate(gate.boxes):
            best = sorted(range(group * each, (group + 1) * each), key=lambda index: -biased[index])[:added]
            figure = NumberLabel(quantity_at(sums, group), "plain .2", size="small", role="accent")
            figure.move_to([box.get_x(), gate.squares.get_top()[1] + 2.45, 0])
            pairs.add(*(Line(figure.get_bottom(), gate.top(index), buff=0.06) for index in best))
            figures.add(figure)
        pairs.set_stroke(role("accent"), 2)
        words = label("best two,\nadded" if added == 2 else "the best", "small", "accent", align="right")
        words.move_to([self.names[0].get_right()[0], figures.get_y(), 0], RIGHT)
        closed = [group for group, open_ in enumerate(mask) if not open_]
        frames = VGroup(*(self.frame(group) for group, open_ in enumerate(mask) if open_))
        links = VGroup(*(self.link(figure) for figure in figures))
        machines = VGroup(*(label("machine", "small", "muted").move_to(figure) for figure in figures))
        grouped = len(mask) > 1
        with self.step() as s:
            s.until("machines")
            if grouped:
                self.play(FadeIn(machines), gate.boxes.animate.set_stroke(role("text"), 2), run_time=0.7)
            s.until("links")
            if grouped:
                self.play(*(Create(link) for link in links), run_time=1.2)
            s.until("pairs")
            if grouped:
                self.play(FadeOut(machines), gate.boxes.animate.set_stroke(role("hairline"), 1.6), run_time=0.4)
                self.play(Create(pairs), FadeIn(figures, words), run_time=1.0)
            s.until("keep")
            away = [links[group] for group in closed]
            shut = [gate.close(closed), dim(*(figures[group] for group in closed)), FadeOut(*away)] if closed else []
            if grouped:
                self.play(Create(frames), *shut, run_time=1.0)
            s.until("win")
            if grouped:
                self.play(FadeOut(pairs, *(link for link in links if link not in away)), run_time=0.4)
            self.play(gate.light(team(trace, self.layer, self.token)), run_time=0.8)
        self.figures, self.frames = (VGroup(*figures, words), frames) if grouped else (VGroup(), VGroup())

    def link(self, end: Mobject) -> VMobject:
        """A thin link from the token to what stands over a group."""
        start, goal = self.chip.get_bottom(), end.get_top() + 0.04 * UP
        level = (start[1] + goal[1]) / 2
        line = VMobject(stroke_color=role("muted"), stroke_width=1.6)
        return line.set_points_as_corners([start, [start[0], level, 0], [goal[0], level, 0], goal])

    def frame(self, group: int) -> RoundedRectangle:
        """A bright frame around an open group."""
        return self.gate.boxes[group].copy().set_stroke(role("accent"), 3)

    def weighed(self, trace: Trace) -> None:
        """Without the bias another one would win; the plain scores of the chosen become weights."""
        gate = self.gate
        chosen = team(trace, self.layer, self.token)
        without = [int(each) for each in trace["indices_unbiased"].pick(layer=self.layer, token=self.token).values]
        moved = trace.quantity("choices_moved_by_bias")
        count = row(
            NumberLabel(moved, "plain bare", size="body", role="accent"),
            NumberLabel(trace.quantity("choices"), "plain bare", before="of ", size="body"),
            label("choices change without the bias", "body"),
            gap=0.14,
        )
        count.move_to(self.chip).align_to([SAFE_LEFT, 0, 0], LEFT)
        unit = label("a choice: one token in one layer", "small", "muted").next_to(count, DOWN, buff=0.12)
        unit.align_to(count, LEFT)
        rings = VGroup(*(self.ring(index) for index in set(without) ^ set(chosen)))
        values = trace["weights"].pick(layer=self.layer, token=self.token)
        figures = VGroup()
        for slot, index in enumerate(chosen):
            figure = NumberLabel(quantity_at(values, slot), "plain .2", size="small", role="accent")
            figures.add(figure.move_to([gate.squares[index].get_x(), 0, 0]))
        lowest = min(gate.weighing[index].get_bottom()[1] for index in chosen) - 0.3
        figures.set_y(min(lowest, self.names[1].get_bottom()[1] - 0.15))
        apart(figures, 0.12, RIGHT)
        leads = self.leads(chosen, figures)
        figures.add(label("weights", "small", "accent").next_to(figures, LEFT).align_to(self.names[1], RIGHT), *leads)
        formula = NumberLabel(
            trace.quantity("scale"),
            "plain 2",
            before="weight = score × "
            if "unnormalised" in trace.quantities
            else "weight = score ÷ sum of the chosen × ",
            size="body",
            role="accent",
        )
        formula.next_to(gate.boxes, DOWN, buff=2.1).align_to([SAFE_RIGHT, 0, 0], RIGHT)
        formula.shift(min(0.0, figures.get_bottom()[1] - 0.12 - formula.get_top()[1]) * UP)  # below the longest bars
        faint = [gate.weighing[index] for index in range(len(gate.squares)) if index not in chosen]
        uppers = [*gate.choosing, *(piece for piece in gate.pieces if len(piece.points))]
        with self.step() as s:
            self.play(gate.lean(0.0, run_time=1.2), *([FadeOut(self.figures)] if len(self.figures) else []))
            s.until("without")
            self.play(gate.light(without), Create(rings), run_time=0.8)
            if self.gate_biases().any():
                self.play(FadeIn(count, unit), run_time=0.5)
            s.until("weigh")
            self.play(gate.lean(1.0, run_time=0.9), gate.light(chosen), FadeOut(rings))
            self.play(dim(*faint, *uppers), run_time=0.6)
            self.bring_to_front(self.frames)
            s.until("norm")
            self.play(FadeIn(figures), FadeIn(formula), run_time=0.8)

    def leads(self, chosen: list[int], figures: VGroup) -> list[Line]:
        """Fine lines from bars to figures that could not stand below them."""
        ends = [(self.gate.weighing[index].get_bottom(), figure) for index, figure in zip(chosen, figures, strict=True)]
        moved = [(end, figure) for end, figure in ends if abs(end[0] - figure.get_x()) > 0.02]
        return [Line(end, figure.get_top(), buff=0.03, stroke_width=1.2, color=role("accent")) for end, figure in moved]

    def ring(self, index: int) -> RoundedRectangle:
        """A ring around an expert that the bias brings in or keeps out."""
        square = self.gate.squares[index]
        ring = RoundedRectangle(width=square.width + 0.16, height=square.height + 0.16, corner_radius=0.1)
        return ring.set_stroke(role("accent"), 4).move_to(square)
