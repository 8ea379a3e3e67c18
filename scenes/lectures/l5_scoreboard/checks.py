"""Lecture 5: a question of each kind, and how each is checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    ReplacementTransform,
    RoundedRectangle,
    Square,
    VGroup,
)

from explainers.quantities import Quantity, computed
from explainers.traces import Trace
from scenes.kit import (
    CAPTION_TOP,
    EASE,
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_CENTER,
    STAGE_TOP,
    CheckTable,
    CountedField,
    NumberLabel,
    QuestionCard,
    Spans,
    cross,
    exchange,
    label,
    mono,
    quantity_at,
    role,
    tick,
    tint,
)
from scenes.stage import LectureScene


class ThreeWaysToCheck(LectureScene):
    """A program is run, a number is compared, a letter is compared: three questions written for this course."""

    lecture = 5
    #: the hours that the small pictures of shifts show
    hours = (5.0, 23.0)
    #: an example of a choice that leaves a group out, as groups of experts
    example = (0, 1, 2, 4, 5, 8)

    def construct(self) -> None:
        self.show_title()
        trace = self.run("question_checks")
        self.origin(trace)
        program = self.coding(trace)
        sums = self.mathematics(trace, program)
        self.logic(trace, sums)

    # ------------------------------------------------------------------ coding
    def spans(self, trace: Trace, case: int, width: float, thickness: float, pitch: float) -> Spans:
        """One case as bars over the hours of a day."""
        start, end = (trace[name].pick(case=case) for name in ("start", "end"))
        low, high = self.hours
        return Spans(start, end, low=low, high=high, width=width, thickness=thickness, pitch=pitch)

    def code(self, lines: list[str]) -> VGroup:
        """The lines of a candidate; a fixed pitch, so that two candidates can be laid over each other."""
        block = VGroup(*(mono(line.strip(), "small") for line in lines))
        for index, line in enumerate(lines):
            indent = (len(line) - len(line.lstrip())) * 0.115
            block[index].move_to([indent, -index * 0.31, 0], aligned_edge=LEFT)
        return block

    def coding(self, trace: Trace) -> Group:
        """The question as a picture; the answer as code; then it is run."""
        example = self.spans(trace, 4, 5.4, thickness=0.34, pitch=0.48)
        example.move_to([SAFE_LEFT + 0.3, STAGE_TOP - 1.0, 0], aligned_edge=LEFT)
        asked = VGroup(label("the longest time with nobody there?", "small", "accent"))
        asked.next_to(example, DOWN, buff=0.3).align_to(example, LEFT)
        rest = NumberLabel(quantity_at(trace["expected"], 4), "plain", size="small", role="accent")
        asked.add(rest.next_to(example.rest, UP, buff=0.08))
        one = label("a bar: one person's shift", "small", "muted").next_to(example.bars[1], RIGHT, buff=0.2)
        one.next_to(example.bars[0], UP, buff=0.12).align_to(example, LEFT)
        asked.add(one)
        listings = [self.code(trace.meta["code"][name]) for name in trace["passed"].labels["candidate"]]
        for listing in listings:
            listing.scale(1.1).move_to([0.3, STAGE_TOP - 0.02, 0], aligned_edge=UP + LEFT)
        heads = [
            self.spans(trace, case, 1.35, thickness=0.13, pitch=0.19) for case in range(len(trace["expected"].values))
        ]
        table = CheckTable(trace["passed"], trace["returned"], heads, width=8.6, pitch=0.56, fmt="plain")
        table.move_to([-0.1, CAPTION_TOP + 0.12, 0], aligned_edge=DOWN)
        self.play_coding(example, asked, listings, table)
        return Group(example, asked, listings[-1], self.changed, table)

    @staticmethod
    def large(*parts: VGroup, scale: float) -> Callable[[], Any]:
        """Show parts large in the middle of the stage; what is returned makes the move to their place."""
        group = VGroup(*parts)
        place = group.get_center()
        group.scale(scale).move_to(STAGE_CENTER)
        return lambda: group.animate(rate_func=EASE).scale(1 / scale).move_to(place)

    def play_coding(self, example: Spans, asked: VGroup, listings: list[VGroup], table: CheckTable) -> None:
        home = self.large(example, asked, scale=1.7)
        kinds = self.kinds()
        with self.step() as s:
            self.play(LaggedStart(*(FadeIn(kind, shift=0.2 * UP) for kind in kinds), lag_ratio=0.5), run_time=1.2)
            s.until("shifts")
            self.play(FadeOut(kinds), run_time=0.4)
            bars = (FadeIn(bar, shift=0.3 * RIGHT) for bar in example.bars)
            self.play(LaggedStart(*bars, lag_ratio=0.5), FadeIn(asked[2]), run_time=1.4)
            self.play(FadeIn(example.rest, asked[0]), run_time=0.8)
            self.play(FadeIn(asked[1]), run_time=0.5)
            s.until("code")
            self.play(home(), run_time=0.9)
            self.play(LaggedStart(*(FadeIn(line) for line in listings[0]), lag_ratio=0.3), run_time=1.4)
            self.play(FadeIn(table.heads, table.rule), run_time=0.7)
            s.until("right")
            self.play(FadeIn(table.names[0]), run_time=0.3)
            self.play(table.run(0, run_time=1.5))
            self.changed = VGroup()
            for row, name in ((1, "sort"), (2, "inside")):
                s.until(name)
                self.play(
                    self.edit(listings[row - 1], listings[row], listings[0]), FadeIn(table.names[row]), run_time=0.7
                )
                self.play(table.run(row, run_time=1.5))

    @staticmethod
    def kinds() -> VGroup:
        """The three questions to come, by how each is checked."""
        kinds = VGroup()
        for name, how in (("coding", "run it"), ("mathematics", "compare a number"), ("logic", "compare a letter")):
            words = VGroup(label(name, "heading"), label(how, "body", "muted")).arrange(DOWN, buff=0.25)
            box = RoundedRectangle(width=3.7, height=1.9, corner_radius=0.14, stroke_width=2)
            box.set_stroke(role("hairline")).set_fill(role("surface"), 1)
            kinds.add(VGroup(box, words.move_to(box)))
        return kinds.arrange(RIGHT, buff=0.4).move_to(STAGE_CENTER)

    def edit(self, old: VGroup, new: VGroup, first: VGroup) -> LaggedStart:
        """One listing becomes another; the lines that differ from the first candidate are framed."""
        moves = []
        frames = VGroup()
        for before, after, right in zip(old, new, first, strict=True):
            if before.shown_text != after.shown_text:
                moves.append(exchange(before, after))
            else:
                self.remove(before)
                self.add(after)
            if after.shown_text != right.shown_text:
                box = RoundedRectangle(width=after.width + 0.16, height=0.3, corner_radius=0.06, stroke_width=2.5)
                frames.add(box.set_stroke(role("cost")).move_to(after))
        if len(self.changed):
            moves.append(FadeOut(self.changed))
        self.changed = frames
        return LaggedStart(*moves, FadeIn(frames), lag_ratio=0.1)

    # ------------------------------------------------------------------ mathematics
    def mathematics(self, trace: Trace, before: Group) -> Group:
        """Experts in groups, a choice that leaves one out; a clever answer; all choices tried."""
        groups, experts = (int(trace.quantity(name)) for name in ("groups", "experts"))
        each = experts // groups
        squares = VGroup()
        for _ in range(groups):
            members = VGroup(*(Square(0.38, stroke_width=2.2) for _place in range(each))).arrange(RIGHT, buff=0.08)
            squares.add(members.set_stroke(role("expert")).set_fill(tint("expert", 0.1), 1))
        squares.arrange(RIGHT, buff=0.3)
        squares.move_to([SAFE_LEFT + 0.2, STAGE_TOP - 0.5, 0], aligned_edge=LEFT)
        frames = VGroup(*(self.around(members) for members in squares))
        empty = label("left out", "small", "accent").next_to(frames[-1], DOWN, buff=0.12)
        clever = self.clever(trace, frames, empty)
        card = QuestionCard(
            "mathematics: one number",
            self.asked(trace),
            trace.quantity("slip"),
            trace.quantity("key"),
            width=5.6,
        )
        card.move_to([SAFE_LEFT + 0.05, CAPTION_TOP + 0.35, 0], aligned_edge=DOWN + LEFT)
        field = CountedField(trace["left_out"], columns=33, cell=0.165)
        field.move_to([SAFE_RIGHT, STAGE_TOP, 0], aligned_edge=UP + RIGHT)
        notes = self.field_notes(trace, field)
        chosen = [squares[expert // each][expert % each] for expert in self.example]
        home = self.large(squares, frames, empty, scale=1.8)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.3)
            self.play(FadeIn(squares, frames), run_time=0.4)
            s.until("experts")
            lit = (square.animate.set_fill(role("expert"), 1) for square in chosen)
            self.play(LaggedStart(*lit, lag_ratio=0.3), run_time=1.5)
            self.play(frames[-1].animate.set_stroke(role("accent"), 3.5), FadeIn(empty), run_time=0.7)
            self.play(home(), run_time=0.8)
            self.play(FadeIn(card.paper), run_time=0.4)
            s.until("slip")
            self.play(FadeIn(clever), run_time=0.5)
            for here in range(groups - 1, 0, -1):  # each group is left out in turn: its neighbour takes its place
                off = frames[here].animate.set_stroke(role("hairline"), 2)
                on = frames[here - 1].animate.set_stroke(role("accent"), 3.5)
                filled = [
                    square.animate.match_style(other)
                    for square, other in zip(*squares[here - 1 : here + 1], strict=True)
                ]
                emptied = [
                    other.animate.match_style(square)
                    for square, other in zip(*squares[here - 1 : here + 1], strict=True)
                ]
                self.play(off, on, *filled, *emptied, empty.animate.set_x(frames[here - 1].get_x()), run_time=0.5)
            self.play(FadeIn(card.attempt, shift=0.2 * UP), run_time=0.6)
            s.until("try")
            self.add(field)
            self.play(field.try_all(run_time=2.6))
            self.play(FadeIn(notes[0]), card.check(), run_time=1.0)
            self.play(FadeIn(notes[1]), run_time=0.6)
        return Group(squares, frames, empty, clever, card, field, notes)

    @staticmethod
    def clever(trace: Trace, frames: VGroup, empty: VGroup) -> VGroup:
        """How the clever answer counts: for every group that may be left out, the choices from the others."""
        groups, slip = trace.quantity("groups"), trace.quantity("slip")
        each = computed(float(slip) / float(groups), "", "slip / groups", (slip, groups), name="choices without one")
        parts = (
            NumberLabel(groups, "plain bare", size="body", role="accent", after=" groups to leave out,"),
            NumberLabel(each, "plain bare", size="body", role="accent", after=" choices for each"),
        )
        words = VGroup(*parts).arrange(DOWN, buff=0.12, aligned_edge=LEFT)
        return words.next_to(empty, DOWN, buff=0.14).align_to(frames, LEFT)

    @staticmethod
    def asked(trace: Trace) -> VGroup:
        """The question in full, with how many there are and how many are chosen."""
        given = (
            NumberLabel(trace.quantity("experts"), "plain bare", weight="regular", after=" experts,"),
            NumberLabel(trace.quantity("chosen"), "plain bare", weight="regular", before="choose ", after="."),
        )
        asked = label("How many choices leave\na group out?")
        return VGroup(VGroup(*given).arrange(RIGHT, buff=0.12), asked).arrange(DOWN, buff=0.12, aligned_edge=LEFT)

    @staticmethod
    def around(members: VGroup) -> RoundedRectangle:
        box = RoundedRectangle(width=members.width + 0.18, height=members.height + 0.18, corner_radius=0.1)
        return box.set_stroke(role("hairline"), 2).move_to(members)

    @staticmethod
    def field_notes(trace: Trace, field: CountedField) -> VGroup:
        counted = NumberLabel(trace.quantity("key"), "plain bare", role="reward", before="leave a group out: ")
        of_all = NumberLabel(trace.quantity("choices"), "plain bare", size="small", role="muted", before="of ")
        twice = NumberLabel(
            trace.quantity("twice"), "plain bare", role="cost", before="of these, two left out, and counted twice: "
        )
        counted.next_to(field, DOWN, buff=0.2).align_to(field, LEFT)
        of_all.next_to(counted, RIGHT, buff=0.2)
        twice.next_to(counted, DOWN, buff=0.14).align_to(field, LEFT)
        return VGroup(VGroup(counted, of_all), twice)

    # ------------------------------------------------------------------ logic
    def logic(self, trace: Trace, before: Group) -> None:
        """Three speakers; every world; the one without a contradiction; a letter that is compared."""
        said = VGroup()
        for who, statement in trace.meta["statements"].items():
            name = label(who, "heading", "query", weight="medium")
            words = label(f"“{statement}”", "body")
            said.add(VGroup(name, words.next_to(name, RIGHT, buff=0.35)))
        said.arrange(DOWN, buff=0.42, aligned_edge=LEFT).move_to(
            [SAFE_LEFT + 0.2, STAGE_TOP - 1.0, 0], aligned_edge=LEFT
        )
        grid = self.worlds(trace, said)
        names = list(trace.meta["choices"])
        right = trace.quantity("letter")
        card = QuestionCard(
            "logic: one letter",
            self.choices(trace),
            right,
            right,
            letters=names,
            width=6.6,
        )
        card.move_to([SAFE_LEFT + 0.05, CAPTION_TOP + 0.25, 0], aligned_edge=DOWN + LEFT)
        guess = self.guess(trace.quantity("guessing"), names, int(right))
        guess.move_to([SAFE_RIGHT - 0.3, card.get_y(), 0], aligned_edge=RIGHT)
        home = self.large(said, scale=1.6)
        boxes = self.guess(trace.quantity("guessing"), names)[0].move_to(guess[0])
        offer = boxes.copy().scale(1.7).move_to(STAGE_CENTER)
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.3)
            self.play(FadeIn(offer), run_time=0.4)
            s.until("say")
            self.play(ReplacementTransform(offer, boxes), run_time=0.7, rate_func=EASE)
            self.play(LaggedStart(*(FadeIn(each, shift=0.2 * RIGHT) for each in said), lag_ratio=0.9), run_time=2.6)
            s.until("worlds")
            self.play(home(), LaggedStart(*(FadeIn(world) for world in grid.worlds), lag_ratio=0.2), run_time=1.1)
            room = max(s.left_until("letter"), 1.0)
            self.play(LaggedStart(*(Create(mark) for mark in grid.marks), lag_ratio=0.25), run_time=room)
            s.until("letter")
            self.play(FadeIn(card.paper), run_time=0.5)
            self.play(FadeIn(card.attempt), run_time=0.4)
            self.play(card.check(run_time=0.9))
            s.until("guess")
            self.play(ReplacementTransform(boxes, guess[0]), FadeIn(guess[1:]), run_time=0.8)

    @staticmethod
    def choices(trace: Trace) -> str:
        """The letters and who is honest by each, in one line."""
        return "Who is honest?\n" + "   ".join(
            f"{letter}: {' and '.join(who)}" for letter, who in trace.meta["choices"].items()
        )

    def worlds(self, trace: Trace, said: VGroup) -> WorldGrid:
        grid = WorldGrid(trace, pitch=0.66, levels=[each.get_y() for each in said])
        return grid.align_to([SAFE_RIGHT - 0.1, 0, 0], RIGHT)

    @staticmethod
    def guess(chance: Quantity, names: list[str], right: int = -1) -> VGroup:
        """A blind guess: as many boxes as letters, one of them right, or none yet."""
        boxes = VGroup()
        for index, name in enumerate(names):
            box = Square(0.62, stroke_width=2.5).set_stroke(role("reward" if index == right else "muted"))
            box.set_fill(tint("reward", 0.45) if index == right else role("ground"), 1)
            boxes.add(VGroup(box, label(name, "body").move_to(box)))
        boxes.arrange(RIGHT, buff=0.12)
        words = label("a blind guess", "small", "muted").next_to(boxes, UP, buff=0.18)
        number = NumberLabel(chance, "percent 2", size="heading", role="accent").next_to(boxes, DOWN, buff=0.2)
        return VGroup(boxes, words, number)


class WorldGrid(VGroup):
    """Every way to tell the truth or lie as a column: full is honest, hollow lies; contradictions are crossed out."""

    def __init__(self, trace: Trace, pitch: float, levels: list[float]) -> None:
        super().__init__()
        worlds, good = trace["world"].values, trace["consistent"].values
        self.worlds, self.marks = VGroup(), VGroup()
        for index, world in enumerate(worlds):
            column = VGroup()
            for honest, level in zip(world, levels, strict=True):
                box = Square(0.36, stroke_width=2.5).set_stroke(role("query"))
                column.add(box.set_fill(role("query" if honest else "ground"), 1).move_to([index * pitch, level, 0]))
            self.worlds.add(column)
            mark = tick(size=0.4) if good[index] else cross(size=0.32)
            self.marks.add(mark.next_to(column, DOWN, buff=0.25))
        self.key = VGroup(
            *(
                VGroup(
                    Square(0.24, stroke_width=2.2).set_stroke(role("query")).set_fill(role(colour), 1),
                    label(words, "small", "muted"),
                ).arrange(RIGHT, buff=0.12)
                for colour, words in (("query", "honest"), ("ground", "lies"))
            )
        ).arrange(RIGHT, buff=0.4)
        self.key.next_to(self.worlds, UP, buff=0.25)
        self.worlds[0].add(self.key)
        self.add(self.worlds, self.marks)
