"""Lecture 4: one quality at two prices."""

from __future__ import annotations

from typing import ClassVar

from manim import DOWN, LEFT, RIGHT, UP, Create, FadeIn, FadeOut, Square, VGroup

from explainers.traces import Trace
from scenes.kit import STAGE_CENTER, AmountSquare, Entry, Ledger, Legend, NumberLabel, label, role
from scenes.stage import LectureScene


class OneQuality(LectureScene):
    """A dense and a sparse model of comparable quality: what the sparse one asks for, against the dense one's line."""

    lecture = 4
    #: name → number of the run, colour, format, mark, where it is from
    asked: ClassVar[dict[str, tuple[str, str, str, str, str]]] = {
        "arithmetic of a token": ("arithmetic", "reward", "percent .0", "work", "published"),
        "speed for one user": ("alone", "reward", "times 3", "alone", "our serving model"),
        "cost of a token": ("money", "reward", "percent .0", "money", "our serving model"),
        "memory for weights": ("weights", "cost", "times 3", "space", "counted"),
    }

    def construct(self) -> None:
        self.show_title()
        trace = self.run("same_quality")
        self.said = self.number("fact.training.moe_16b_vs_7b.inference_speed_nearly")
        entries = [
            Entry(
                name,
                trace.quantity(f"ratio_{key}"),
                colour,
                fmt,
                source,
                " of the dense one" if "percent" in fmt else "",
            )
            for name, (key, colour, fmt, _, source) in self.asked.items()
        ]
        self.ledger = Ledger(entries, middle="DeepSeek 7B, dense", width=7.0, pitch=0.95, thickness=0.5)
        self.ledger.shift((STAGE_CENTER[1] - 0.1 - self.ledger.get_center()[1]) * UP)
        self.ledger.shift((-0.15 - self.ledger.axis.get_center()[0]) * RIGHT)
        self.head = label("DeepSeekMoE 16B, against the dense one", "body", "expert")
        self.head.next_to(self.ledger.frame, UP, buff=0.3).align_to([-6.2, 0, 0], LEFT)
        key = Legend([("gain", "reward"), ("price", "cost")])
        key.move_to(self.head).align_to([6.2, 0, 0], RIGHT)
        self.head.add(key)
        self.ask(trace, self.models(trace))

    def models(self, trace: Trace) -> tuple[AmountSquare, VGroup]:
        """The two models as squares of parameters, what works filled, and two results; the dense one, and the rest."""
        unit = 2.6**2 / float(trace.quantity("weights_moe"))
        dense = AmountSquare(trace.quantity("weights_dense"), unit=unit, role="dense")
        whole = AmountSquare(trace.quantity("weights_moe"), unit=unit, role="expert", outline=True)
        part = AmountSquare(trace.quantity("active_moe"), unit=unit, role="expert")
        floor = STAGE_CENTER[1] - 0.1
        dense.move_to([-3.4, floor, 0], aligned_edge=DOWN), whole.move_to([3.0, floor, 0], aligned_edge=DOWN)
        part.move_to(whole, aligned_edge=DOWN + LEFT)
        names = VGroup(label("DeepSeek 7B", "body", "dense"), label("DeepSeekMoE 16B", "body", "expert"))
        for name, square in zip(names, (dense, whole), strict=True):
            name.next_to(square, DOWN, buff=0.2)
        scores = VGroup()
        for key, words, side in (("triviaqa", "facts (TriviaQA)", 0), ("mmlu", "multiple choice (MMLU)", 1)):
            line = VGroup(label(words, "body", "muted").move_to([-0.2, floor - 1.0 - 0.5 * side, 0]))
            for place, short in ((-3.4, "dense"), (3.0, "moe")):
                value = self.number(f"fact.training.moe_16b_vs_7b.{key}.{short}")
                better = (key == "triviaqa") == (short == "moe")
                colour = "reward" if better else "muted"
                number = NumberLabel(value, "percent .1", size="body", role=colour)
                line.add(number.move_to([place, line[0].get_center()[1], 0]))
            scores.add(line)
        own = label("right answers, by DeepSeek's own tests", "small", "muted").next_to(scores, DOWN, buff=0.25)
        self.origin(trace, *(number.quantity for line in scores for number in line[1:]))
        with self.step() as s:
            self.play(dense.grow(0.9), FadeIn(names[0]))
            self.play(FadeIn(whole), part.grow(0.9), FadeIn(names[1]))
            s.until("better")
            self.play(FadeIn(scores[0]), run_time=0.7)
            self.play(FadeIn(scores[1], own), run_time=0.7)
        return dense, VGroup(scores, own, whole, part, names)

    def ask(self, trace: Trace, before: tuple[AmountSquare, VGroup]) -> None:
        """The dense model becomes the line; gains and the price stand to its two sides."""
        dense, rest = before
        axis = self.ledger.axis
        paper = NumberLabel(self.said, "times 2", size="small", role="muted", before="paper: nearly ")
        paper.next_to(self.ledger.numbers["speed for one user"], RIGHT, buff=0.3)
        with self.step() as s:
            self.play(FadeOut(rest), run_time=0.5)
            self.origin(trace, trace.quantity("flops_moe"), self.said)
            self.play(
                dense.animate.stretch_to_fit_width(0.03).stretch_to_fit_height(axis.height).move_to(axis), run_time=0.9
            )
            self.play(FadeOut(dense), FadeIn(self.ledger.frame, self.head), run_time=0.4)
            for name, (*_, mark, _) in self.asked.items():
                s.until(mark)
                self.play(self.ledger.grow(name))
                if name == "speed for one user":
                    self.play(FadeIn(paper), run_time=0.5)
            bar = self.ledger.bars["memory for weights"]
            frame = Square().stretch_to_fit_width(bar.width + 0.1).stretch_to_fit_height(bar.height + 0.1)
            self.play(Create(frame.move_to(bar).set_stroke(role("accent"), 2.5)), run_time=0.8)
