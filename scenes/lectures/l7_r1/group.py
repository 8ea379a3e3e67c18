"""Lecture 7: one recorded group of attempts, from the answers to the step."""

from __future__ import annotations

import numpy as np
from manim import DOWN, LEFT, RIGHT, Create, FadeIn, FadeOut, RoundedRectangle, VGroup

from explainers.quantities import computed
from explainers.traces import Trace
from scenes.kit import (
    SAFE_LEFT,
    SAFE_WIDTH,
    STAGE_TOP,
    AttemptBoard,
    Label,
    NumberLabel,
    Phrase,
    TokenRow,
    dim,
    label,
    quantity_at,
    role,
    row,
    undim,
)
from scenes.stage import LectureScene


class OneGroup(LectureScene):
    """Sixteen attempts at one problem: written, checked, compared with their own mean, and learnt from."""

    lecture = 7

    def construct(self) -> None:
        self.show_title()
        group = self.run("grpo_group")
        self.origin(group)
        self.board = AttemptBoard(
            group["reward"], group["advantage"], group["ratio"], cell=0.35, bar=1.05, width=SAFE_WIDTH - 0.36
        )
        self.board.move_to([0, -0.42, 0])
        self.written(group)
        self.paid(group)
        self.compared(group)
        self.learnt(group)

    def written(self, group: Trace) -> None:
        """The problem and all attempts at it."""
        prompt = TokenRow(group["prompt"].labels["place"], size="small", gap=0.1)
        prompt.move_to([0, STAGE_TOP - 0.3, 0]).align_to([SAFE_LEFT, 0, 0], LEFT)
        last = len(group["running"].values) - 1
        true = NumberLabel(quantity_at(group["running"], last), "plain bare", size="heading", role="reward")
        true.next_to(prompt, RIGHT, buff=0.22)
        rule = label("last digits only,\nafter every step", "small", "reward").next_to(true, RIGHT, buff=0.35)
        note = label(
            "each row: one attempt     [ a thought ]     . the end     green bar: its reward", "small", "muted"
        )
        note.next_to(self.board, DOWN, buff=0.12).align_to(self.board, LEFT)
        with self.step() as s:
            self.play(FadeIn(prompt), run_time=0.8)
            self.play(FadeIn(true, rule), run_time=0.5)
            s.until("tries")
            self.play(self.board.write(run_time=s.left_until("bracket")), FadeIn(note))
            s.until("bracket")
            opened = VGroup(
                *(self.frame_of_cell(attempt) for attempt, thinks in enumerate(group["thought"].values) if thinks)
            )
            self.play(Create(opened), run_time=1.0)
            self.play(FadeOut(opened), run_time=0.8)
        self.note, self.rule = note, rule

    def frame(self, attempt: int, colour: str = "accent") -> RoundedRectangle:
        """A frame around one attempt."""
        row_of = self.board.cells[attempt]
        frame = RoundedRectangle(width=row_of.width + 0.14, height=row_of.height + 0.1, corner_radius=0.1)
        return frame.set_stroke(role(colour), 4).move_to(row_of)

    def tag(self, attempt: int, words: str, colour: str) -> Label:
        """What kind of attempt it is: beside its cells where there is room, else beyond its bar."""
        cells, bar = self.board.cells[attempt], self.board.bars[attempt]
        tag = label(words, "small", colour).next_to(cells, RIGHT, buff=0.2)
        if tag.get_right()[0] > bar.get_left()[0]:
            tag.next_to(bar, RIGHT, buff=0.08)
        return tag

    def paid(self, group: Trace) -> None:
        """Rewards; the attempts that the checker cannot tell from good ones, and those that it cannot read."""
        board = self.board
        correct, thought, slips = (group[name].values for name in ("reward_correct", "thought", "slips"))
        cancelled = [i for i in range(len(correct)) if correct[i] > 0 and slips[i] > 0]
        lucky = [i for i in range(len(correct)) if correct[i] > 0 and not thought[i]]
        broken = [i for i in range(len(correct)) if group["reward"].values[i] == 0]
        marked = VGroup()
        with self.step() as s:
            s.until("paid")
            self.play(board.pay(run_time=2.2))
            for name, attempts, colour, words in (
                ("cancel", cancelled, "accent", "two errors cancel"),
                ("lucky", lucky, "accent", "lucky guess"),
                ("broken", broken, "cost", "unreadable"),
            ):
                frames = VGroup(*(self.frame(attempt, colour) for attempt in attempts))
                tags = VGroup(*(self.tag(attempt, words, colour) for attempt in attempts))
                s.until(name)
                self.play(Create(frames), FadeIn(tags), run_time=0.8)
                marked.add(frames, tags)
        self.marked = marked

    def compared(self, group: Trace) -> None:
        """Mean and spread as a line and a band; then what is left of each bar beside the line."""
        board = self.board
        notes = VGroup(
            NumberLabel(group.quantity("mean"), "plain 2 bare", size="small", role="accent", before="line: mean "),
            NumberLabel(group.quantity("spread"), "plain 2 bare", size="small", role="accent", before="band: spread "),
        ).arrange(RIGHT, buff=0.4)
        notes.next_to(board, DOWN, buff=0.12).align_to(board, RIGHT)
        high, low = (int(np.argmax(group["advantage"].values)), int(np.argmin(group["advantage"].values)))
        ends = VGroup(
            NumberLabel(
                group.quantity("highest_advantage"),
                "plain 2 bare",
                size="small",
                role="reward",
                before="advantage: from +",
                after=" spreads",
            ),
            NumberLabel(
                group.quantity("lowest_advantage"),
                "plain 3 bare",
                size="small",
                role="cost",
                before="down to ",
                after=" spreads",
            ),
        )
        ends.arrange(RIGHT, buff=0.3).next_to(notes, LEFT, buff=0.8)
        frames = VGroup(self.frame(high, "reward"), self.frame(low, "cost"))
        critic = label("no critic:\ntheir own mean", "small", "accent", align="left")
        critic.move_to([SAFE_LEFT + SAFE_WIDTH, self.rule.get_y(), 0], RIGHT)
        with self.step() as s:
            self.play(FadeOut(self.marked, self.note), run_time=0.5)
            s.until("mean")
            self.play(*(Create(line) for line in board.means), FadeIn(notes[0]), run_time=0.9)
            s.until("spread")
            self.add(board.spreads)
            self.bring_to_back(board.spreads)
            self.play(FadeIn(board.spreads), FadeIn(notes[1]), run_time=0.8)
            s.until("advantage")
            self.play(board.compare(run_time=2.0))
            s.until("ends")
            self.play(FadeIn(ends), Create(frames), *(FadeOut(foot) for foot in board.feet), run_time=0.8)
            s.until("critic")
            self.play(FadeIn(critic), *(line.animate.set_stroke(width=7) for line in board.means), run_time=1.0)
        self.notes = VGroup(notes, ends, frames, critic)

    def learnt(self, group: Trace) -> None:
        """Four updates, as colour; then what became of the first tokens."""
        board = self.board
        correct, thought = group["reward_correct"].values, group["thought"].values
        moments = group["ratio"].shape["moment"]
        opening = next(i for i in range(len(thought)) if thought[i] and correct[i])
        lucky = next(i for i in range(len(thought)) if correct[i] and not thought[i])
        told = [
            NumberLabel(
                quantity_at(group["ratio"], moments - 1, attempt, 0),
                "times 2",
                size="small",
                role=colour,
                before=before,
                after=" as likely as before",
            )
            for attempt, colour, before in (
                (opening, "reward", "opening bracket: "),
                (lucky, "cost", "the lucky digit, though paid: "),
            )
        ]
        key = Phrase(
            ("likelier", "reward"), (" or ", "muted"), ("rarer", "cost"), (" after the step", "muted"), size="small"
        )
        quiet = computed(board.quiet, "", "smallest change that is tinted: a setting of the picture")
        left_out = NumberLabel(
            quiet, "percent .0", size="small", role="muted", before="no tint: changed\nby less than ", align="left"
        )
        left_out.move_to([SAFE_LEFT + SAFE_WIDTH, self.rule.get_y(), 0], RIGHT)
        line = row(key, *told, gap=0.45)
        line.next_to(board, DOWN, buff=0.12).align_to(board, LEFT)
        # every opening bracket is the same choice; whether it was a good one is what the bar beside it says
        opened = VGroup(*(self.frame_of_cell(i) for i in range(len(thought)) if thought[i]))
        others = [board.bars[i] for i in range(len(thought)) if not thought[i]]
        with self.step() as s:
            self.play(FadeOut(*self.notes), run_time=0.5)
            s.until("step")
            self.play(FadeIn(key, left_out), run_time=0.4)
            for moment in range(1, moments):
                self.play(board.step_to(moment, run_time=0.8))
            s.until("open")
            self.play(Create(opened), dim(*others, to=0.3), FadeIn(told[0]), run_time=1.0)
            s.until("blurt")
            paid = self.frame_of_cell(lucky)
            self.play(FadeOut(opened), Create(paid), undim(board.bars[lucky]), FadeIn(told[1]), run_time=0.8)

    def frame_of_cell(self, attempt: int) -> RoundedRectangle:
        """A frame around the first token of an attempt."""
        cell = self.board.cells[attempt][0]
        frame = RoundedRectangle(width=cell.width + 0.12, height=cell.height + 0.12, corner_radius=0.08)
        return frame.set_stroke(role("accent"), 4).move_to(cell)
