"""Lecture 5: what chance does to a score on thirty questions."""

from __future__ import annotations

from manim import DOWN, LEFT, RIGHT, UP, FadeIn, FadeOut, Group, LaggedStart, Square, VGroup

from explainers.traces import Trace
from scenes.kit import (
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_CENTER,
    STAGE_TOP,
    Axis,
    DotStack,
    ExamField,
    IntervalRows,
    Measured,
    NumberLabel,
    label,
    role,
    tint,
)
from scenes.stage import LectureScene


class ThirtyQuestions(LectureScene):
    """The same small model sits the same kind of exam again and again; then two published scores and their luck."""

    lecture = 5

    def construct(self) -> None:
        self.show_title()
        self.two_scores(self.many_exams())

    def many_exams(self) -> Group:
        """Each exam lights its problems, right or wrong, and drops a dot on its score."""
        trace = self.run("exams")
        self.origin(trace)
        axis = Axis(0, 100, "problems solved in one exam", "%")
        stack = DotStack(trace["score"], axis, width=12.2, height=4.3).move_to(STAGE_CENTER + 0.05 * UP)
        self.field = ExamField(trace["asked"], trace["right"], cell=0.25)
        self.field.move_to([SAFE_LEFT + 0.1, STAGE_TOP - 0.5, 0], aligned_edge=UP + LEFT)
        self.words = self.about(trace)
        numbers = self.numbers(trace, stack)
        ends = self.ends(trace, stack)
        unasked = VGroup(*(Square(0.205, stroke_width=0) for _ in trace["asked"].values[0]))
        unasked.set_fill(tint("muted", 0.22), 1).arrange_in_grid(cols=10, buff=0.045).move_to(self.field)
        with self.step() as s:
            self.play(FadeIn(unasked, self.words[0]), run_time=0.5)
            self.play(FadeIn(stack.axes), run_time=0.5)
            s.until("sit")
            self.add(self.field)
            self.play(FadeIn(self.field), FadeOut(unasked), FadeIn(self.words[1]), run_time=0.8)
            s.until("first")
            self.play(stack.drop(0), run_time=0.8)
            self.play(FadeIn(numbers[0]), run_time=0.4)
            s.until("second")
            self.play(self.field.sit(1, run_time=0.5), stack.drop(1), run_time=0.8)
            self.play(FadeIn(numbers[1]), run_time=0.4)
            s.until("again")
            self.play(FadeOut(*numbers), run_time=0.4)
            last = len(stack.dots) - 1
            room = s.left_until("low") or 4.0
            self.play(stack.rain(2, run_time=room), self.field.sit(last, run_time=room))
            s.until("low")
            self.play(FadeIn(ends[0]), run_time=0.5)
            self.play(FadeIn(ends[1]), run_time=0.5)
        return Group(stack, ends)

    def about(self, trace: Trace) -> VGroup:
        """Who sits the exam; what the squares mean."""
        size = trace.quantity("questions")
        who = NumberLabel(
            size,
            "plain bare",
            size="small",
            role="muted",
            before="our small model, made to think: ",
            after=" of its problems, one recorded answer each",
        )
        who.move_to([SAFE_LEFT + 0.1, STAGE_TOP - 0.12, 0], aligned_edge=LEFT)
        keys = VGroup()
        for colour, words in (("reward", "right"), ("cost", "wrong"), ("hairline", "not asked")):
            box = Square(0.17, stroke_width=0).set_fill(role(colour), 1)
            keys.add(VGroup(box, label(words, "small", "muted").next_to(box, RIGHT, buff=0.1)))
        keys.arrange(DOWN, buff=0.14, aligned_edge=LEFT).next_to(self.field, DOWN, buff=0.2)
        return VGroup(who, keys.align_to(self.field, LEFT))

    @staticmethod
    def numbers(trace: Trace, stack: DotStack) -> VGroup:
        """The scores of the first two exams, beside each other also where they are near."""
        pair = VGroup(
            *(
                NumberLabel(trace.quantity(name), "percent 2", size="heading", role="query")
                for name in ("first", "second")
            )
        )
        for number, dot in zip(pair, stack.dots, strict=False):
            number.next_to(dot, UP, buff=0.2)
        near = 1.1 - abs(pair[0].get_x() - pair[1].get_x())
        if near > 0:
            side = LEFT if pair[0].get_x() <= pair[1].get_x() else RIGHT
            pair[0].shift(side * near / 2)
            pair[1].shift(-side * near / 2)
        return pair

    @staticmethod
    def ends(trace: Trace, stack: DotStack) -> VGroup:
        """The lowest and the highest score, outside of the heap."""
        marks = VGroup()
        for name, choose, side in (("lowest", min, LEFT), ("highest", max, RIGHT)):
            edge = choose(stack.dots, key=lambda dot: dot.get_x())
            number = NumberLabel(trace.quantity(name), "percent 2", size="heading", role="accent")
            marks.add(number.next_to(edge, side, buff=0.2).shift(0.12 * UP))
        return marks

    def two_scores(self, before: Group) -> None:
        """Two published scores, a fraction of a question apart; then as far as luck reaches; then which questions."""
        rows, scores = [], {}
        for name, key, column, colour in (("R1", "r1", "deepseek_r1", "latent"), ("o1", "o1", "o1_1217", "query")):
            scores[name] = self.number(f"fact.benchmarks.r1.aime_2024.{column}")
            low, high = (self.number(f"run.exams.{key}_{end}") for end in ("low", "high"))
            rows.append(Measured(name, scores[name], low, high, colour))
        axis = Axis(50, 100, "AIME problems solved, by R1's paper", "%")
        board = IntervalRows(rows, axis, width=7.6, pitch=1.35, radius=0.2, size="heading")
        board.move_to([SAFE_RIGHT, STAGE_CENTER[1], 0], aligned_edge=RIGHT)
        numbers = VGroup()
        for row in rows:
            number = NumberLabel(row.score, "percent 3", size="body", role=row.role)
            numbers.add(number.next_to(board.dots[row.name], UP, buff=0.18))
        apart, reach = self.notes(board)
        which = label("which were asked?", "small", "accent").next_to(self.field, UP, buff=0.15)
        which.align_to(self.field, LEFT)
        answers = self.answers()
        with self.step() as s:
            self.play(FadeOut(before, self.words, self.field), run_time=0.5)
            self.origin(*scores.values(), self.number("fact.benchmarks.test_sizes.aime_2024"), self.run("exams"))
            self.play(FadeIn(board.axes), run_time=0.5)
            s.until("r1")
            for row, number in zip(rows, numbers, strict=True):
                self.play(board.enter(row.name), FadeIn(number), run_time=0.6)
            self.play(FadeIn(apart), run_time=0.6)
            s.until("bands")
            self.bring_to_back(*board.bands.values())
            self.play(*(board.doubt(row.name) for row in rows), FadeIn(reach), run_time=1.4)
            s.until("averaged")
            self.play(FadeIn(answers[0], answers[2]), run_time=0.4)
            self.play(LaggedStart(*(FadeIn(one, scale=0.4) for one in answers[1]), lag_ratio=0.05), run_time=2.0)
            s.until("which")
            self.play(FadeOut(answers), run_time=0.2)
            self.play(FadeIn(self.field, self.words[1], which), run_time=0.3)
            self.play(self.field.sit(0, run_time=max(s.left, 1.5)))

    def answers(self) -> VGroup:
        """One question, and the answers that R1 gave to it before it was scored."""
        samples = self.number("fact.benchmarks.r1_answers_per_question.samples")
        one = Square(0.42, stroke_width=0).set_fill(role("hairline"), 1)
        many = VGroup(*(Square(0.2, stroke_width=0) for _ in range(int(samples)))).set_fill(role("latent"), 1)
        many.arrange_in_grid(cols=8, buff=0.07).move_to(self.field)
        one.next_to(many, UP, buff=0.3)
        said = NumberLabel(
            samples, "plain bare", size="small", role="latent", before="one question, ", after=" answers"
        )
        return VGroup(one, many, said.next_to(many, DOWN, buff=0.25))

    def notes(self, board: IntervalRows) -> VGroup:
        """How near the two are, in questions; what the bands mean."""
        apart = NumberLabel(
            self.number("run.exams.questions_apart"),
            "plain .1 bare",
            size="heading",
            role="accent",
            after=" of a question apart",
        )
        apart.next_to(board.axes.corners, UP, buff=0.35).align_to(board.axes.corners, LEFT)
        reach = NumberLabel(
            self.number("fact.benchmarks.test_sizes.aime_2024"),
            "plain bare",
            size="small",
            role="muted",
            before="bands: luck with ",
            after=" questions, nineteen times of twenty",
        )
        return VGroup(apart, reach.next_to(board.axes, DOWN, buff=0.2).align_to(board.axes.corners, LEFT))
