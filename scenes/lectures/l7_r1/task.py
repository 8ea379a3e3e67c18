"""Lecture 7: what is checked, what is paid for, and what the model knew before."""

from __future__ import annotations

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    FadeIn,
    FadeOut,
    LaggedStart,
    Rectangle,
    RoundedRectangle,
    Square,
    VGroup,
)

from explainers.quantities import Computed, Quantity
from explainers.traces import Trace
from scenes.kit import (
    SAFE_LEFT,
    STAGE_CENTER,
    STAGE_TOP,
    Arrow,
    Bar,
    BarChart,
    Bracket,
    NumberLabel,
    TokenRow,
    label,
    quantity_at,
    role,
)
from scenes.kit.marks import tick
from scenes.lectures.l7_r1.common import box
from scenes.stage import LectureScene


class OnlyTheAnswer(LectureScene):
    """Copying worked solutions against checking answers; the toy problem and its reward; what came first."""

    lecture = 7
    #: an attempt of the recorded group that thinks and is right
    attempt = 1

    def construct(self) -> None:
        self.show_title()
        group = self.run("grpo_group")
        self.origin(group)
        self.toy_problem(group, self.two_ways(group))
        self.before()

    def two_ways(self, group: Trace) -> VGroup:
        """A model writes; the same text as something to copy; then only its last digit matters."""
        text = group["answer"].labels["sample"][self.attempt].split()
        model = box("model", "query", 2.0, 1.5).move_to(STAGE_CENTER + 5.3 * LEFT + 0.8 * DOWN)
        written = TokenRow(text, size="body", gap=0.1).next_to(model, RIGHT, buff=0.7)
        arrow = Arrow(model, written, RIGHT)
        thought = label("a thought", "small", "muted").next_to(VGroup(*written.chips[:-2]), DOWN, buff=0.2)
        shown = TokenRow(text, "dense", size="body", gap=0.1).next_to(written, UP, buff=1.7)
        solution = label("a worked solution", "small", "muted").next_to(shown, UP, buff=0.2)
        answer = written.chips[-2]
        ring = RoundedRectangle(
            width=answer.width + 0.1, height=answer.height + 0.14, corner_radius=0.2, stroke_width=5
        )
        ring.set_stroke(role("reward")).move_to(answer)
        checker = box("checker", "reward", 2.2, 0.9).next_to(answer, UP, buff=1.2)
        up = Arrow(ring, checker, UP, role="reward")
        mark = tick(size=0.7).next_to(checker, UP, buff=0.25)
        with self.step() as s:
            self.play(FadeIn(model, arrow), run_time=0.7)
            self.play(
                LaggedStart(*(FadeIn(chip, shift=0.15 * RIGHT) for chip in written.chips), lag_ratio=0.5), run_time=3.4
            )
            self.play(FadeIn(thought), run_time=0.5)
            s.until("copy")
            self.play(FadeOut(VGroup(*written.chips)), FadeIn(shown, solution), run_time=0.8)
            self.play(
                LaggedStart(*(FadeIn(chip, shift=0.9 * DOWN) for chip in written.chips), lag_ratio=0.3),
                run_time=2.2,
            )
            s.until("check")
            self.play(FadeOut(shown, solution), run_time=0.6)
            s.until("pay")
            self.play(*(chip.animate.set_opacity(0.35) for chip in written.chips[:-2]), Create(ring), run_time=0.8)
            self.play(FadeIn(up, checker), run_time=0.6)
            self.play(Create(mark), run_time=0.7)
        return VGroup(model, arrow, *written.chips, thought, ring, checker, up, mark)

    def toy_problem(self, group: Trace, before: VGroup) -> None:
        """The chain with its running last digits, then what is paid."""
        prompt = TokenRow(group["prompt"].labels["place"], size="title", gap=0.12)
        prompt.move_to([0, STAGE_TOP - 0.75, 0])
        digits = VGroup()
        for k in range(len(group["running"].values)):
            digit = NumberLabel(quantity_at(group["running"], k), "plain bare", size="heading", role="token")
            digits.add(digit.next_to(prompt.chips[2 * k + 2], DOWN, buff=0.45))
        rule = label("last digit\nonly", "small", "reward", align="right").next_to(digits[0], LEFT, buff=0.45)
        answer = RoundedRectangle(width=0.7, height=0.8, corner_radius=0.12, stroke_width=4, color=role("reward"))
        answer.move_to(digits[-1])
        right, form = (
            quantity_at(group[f"reward_{part}"], self.attempt, name=f"reward of {part}")
            for part in ("correct", "format")
        )
        bars = BarChart(
            [Bar("a right answer", right, "reward"), Bar("a readable form", form, "reward")],
            fmt="plain 2 bare",
            size="body",
            length=5.4,
            thickness=0.5,
            name="what an attempt earns",
        )
        bars.move_to(STAGE_CENTER + 1.05 * DOWN)
        nothing = label("thinking earns nothing", "body", "muted").next_to(bars, DOWN, buff=0.25)
        nothing.align_to(bars.bar("a right answer"), LEFT)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.5)
            self.play(LaggedStart(*(FadeIn(chip) for chip in prompt.chips), lag_ratio=0.1), run_time=1.4)
            s.until("task")
            self.play(FadeIn(rule), run_time=0.4)
            self.play(LaggedStart(*(FadeIn(digit, shift=0.2 * DOWN) for digit in digits), lag_ratio=0.8), run_time=3.6)
            s.until("right")
            self.play(Create(answer), *([FadeIn(bars.title)] if bars.title else []), run_time=0.6)
            self.play(FadeIn(bars.names["a right answer"]), bars.grow("a right answer"), run_time=0.9)
            s.until("form")
            self.play(FadeIn(bars.names["a readable form"]), bars.grow("a readable form"), run_time=0.9)
            self.play(FadeIn(nothing), run_time=0.6)
        self.played = VGroup(*prompt.chips, *digits, rule, answer, bars, nothing)

    def before(self) -> None:
        """Our examples as one bar to scale; R1-Zero's place for them is empty."""
        grpo = self.run("grpo")
        recipe = grpo.meta["demonstrations"]

        def share(value: float, what: str) -> Quantity:
            formula = f"share of the examples that {what}, a setting of the run"
            return Quantity(value, "", Computed(formula, run=grpo.run), what)

        thinking, slips = share(recipe["thinking"], "show the work"), share(recipe["slip"], "slips a result")
        direct = share(1 - recipe["thinking"], "give the digit at once")
        tokens = self.number("v3.training_tokens")
        parts = self.examples(thinking, slips, len(self.run("grpo_group")["running"].values))
        examples = VGroup(*parts).arrange(DOWN, buff=0.22, aligned_edge=LEFT)
        examples.move_to(STAGE_CENTER + 0.25 * DOWN).align_to([SAFE_LEFT + 0.1, 0, 0], LEFT)
        names = VGroup(
            NumberLabel(thinking, "percent .0", role="token", before="show the work: "),
            NumberLabel(direct, "percent .0", role="dense", before="give the digit\nat once: "),
        )
        brackets = [Bracket(part, name, RIGHT, role=name.text_role) for part, name in zip(parts, names, strict=True)]
        slip = NumberLabel(slips, "percent .0", size="small", role="cost", after=" of these steps are wrong")
        names[0].shift(0.2 * UP)
        slip.next_to(names[0], DOWN, buff=0.16).align_to(names[0], LEFT)
        ours = label("what our model copied first", "body", "muted").next_to(examples, UP, buff=0.3)
        ours.align_to(examples, LEFT)
        one = label("one row: one example", "small", "muted").next_to(examples, DOWN, buff=0.25)
        one.align_to(examples, LEFT)
        empty = Rectangle(width=examples.width, height=examples.height, stroke_width=2, color=role("hairline"))
        empty.move_to(examples).align_to([SAFE_LEFT + 7.2, 0, 0], LEFT)
        zero = label("what R1-Zero copied first", "body", "muted").next_to(empty, UP, buff=0.3).align_to(empty, LEFT)
        nothing = label("nothing", "body", "muted").move_to(empty)
        base = NumberLabel(
            tokens, "words 3 bare", before="but its base model\nhad read\n", after="\ntokens", size="body"
        ).next_to(empty, RIGHT, buff=0.35)
        wrong = VGroup(*(square for square in parts[0].family_members_with_points() if square.slipped))
        with self.step() as s:
            self.play(FadeOut(self.played), run_time=0.6)
            self.origin(grpo, tokens)
            self.play(FadeIn(ours), run_time=0.6)
            s.until("some")
            self.play(FadeIn(parts[0], lag_ratio=0.05), FadeIn(one), run_time=1.2)
            self.play(FadeIn(brackets[0]), run_time=0.5)
            self.play(wrong.animate.set_fill(role("cost"), 1), FadeIn(slip), run_time=0.5)
            s.until("most")
            self.play(FadeIn(parts[1], lag_ratio=0.05), FadeIn(brackets[1]), run_time=0.9)
            s.until("none")
            self.play(FadeIn(zero, empty, nothing), run_time=0.8)
            self.play(FadeIn(base), run_time=0.8)

    @staticmethod
    def examples(thinking: Quantity, slips: Quantity, operations: int, shown: int = 10) -> list[VGroup]:
        """Ten equal rows, a square a digit: those that show their steps, some of them wrong, and those that do not.

        A row has a place for every step and for the answer; where no steps are shown, their places are empty, so that
        a row counts as one example whatever is written in it.
        """
        working = round(float(thinking) * shown)
        wrong = round(float(slips) * working * operations)

        def strip(digits: int, colour: str) -> VGroup:
            squares = VGroup(*(Square(0.3, stroke_width=0) for _ in range(operations + 1))).arrange(RIGHT, buff=0.05)
            squares[-digits:].set_fill(role(colour), 1)
            for place in squares[:-digits]:
                place.scale(0.96).set_stroke(role("muted"), 1.2)
            return squares

        parts = [
            VGroup(*(strip(operations + 1, "token") for _ in range(working))),
            VGroup(*(strip(1, "dense") for _ in range(shown - working))),
        ]
        for part in parts:
            part.arrange(DOWN, buff=0.1)
        steps = [square for part in parts[0] for square in part[:-1]]
        for square in (each for part in parts for each in part.family_members_with_points()):
            square.slipped = False
        for place in range(wrong):  # evenly among the steps; the last digit of a strip is its answer
            steps[(2 * place + 1) * len(steps) // (2 * wrong)].slipped = True
        return parts
