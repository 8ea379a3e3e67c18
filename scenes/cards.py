"""The cards of a lecture: a chapter card after the cold open, and an end card with its answer and its sources.

A lecture's cards are a few lines each:

    class MemoryCard(ChapterCard):
        lecture = 3
        levers = ("mla",)

    class MemoryEnd(EndCard):
        lecture = 3

What stands on them is the script's: number, title, question and ``answer`` of its front matter, and what its scenes
cite (`scenes.citations`).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, FadeIn, LaggedStart, Line, Mobject, VGroup

from explainers import facts, languages
from explainers.errors import ExplainError
from explainers.quantities import computed
from explainers.traces import NamedArray
from scenes import door
from scenes.kit import CAPTION_TOP, SAFE_LEFT, SAFE_RIGHT, SAFE_TOP, SAFE_WIDTH, Label, NumberLabel, label, role
from scenes.kit.levers import standing
from scenes.kit.logos import logo
from scenes.kit.signs import LeverSigns, Progress, SourceRows, fitted_name
from scenes.kit.theme import FRAME_HEIGHT, FRAME_WIDTH, UPRIGHT
from scenes.registry import Course
from scenes.stage import LectureScene

#: The line of an end card for what was computed.
COMPUTED = "computed here, a dot for a run"


class Card(LectureScene):
    """What both cards share: where the words stand, and the lecture's name in two parts."""

    span = (3.0, 14.0)
    cites = False
    aspects = ("16:9", "9:16", "1:1")
    #: Width of the column of words.
    column: ClassVar[float] = 7.6 if not UPRIGHT else SAFE_WIDTH

    def logo(self) -> Mobject:
        """The lecturer's logo, where their ``course.toml`` names one; else nothing."""
        file, read = door.read_logo()
        self.reads[read] = None
        return VGroup() if file is None else logo(file)

    def names(self, title: str = "") -> tuple[str, str]:
        """``"MLA — remembering everything"`` → its two parts; the second may be empty."""
        short, _, long = (title or self.shown.title).partition(" — ")
        return short, long

    def number_of(self, lecture: int, size: str | float, colour: str = "accent") -> NumberLabel:
        """A lecture's number: a name, and no measurement."""
        place = computed(lecture, "", "place in the course by definition", name="number of the lecture")
        return NumberLabel(place, "plain", size=size, role=colour, weight="semibold")

    @property
    def low(self) -> bool:
        """Whether there is little room below as well (1:1)."""
        return self.upright and FRAME_HEIGHT < 1.5 * FRAME_WIDTH

    def progress(self) -> Progress:
        """How far the course has come, where other scenes have their title."""
        self.front(self.shown.number)  # noted: whoever changes title, question or place draws it anew
        place = Course.default(self.shown.lang).place(self.shown.number)
        return Progress(*place).move_to([SAFE_LEFT, SAFE_TOP - 0.1, 0], LEFT)


class ChapterCard(Card):
    """Number, title and question of a lecture, and the map of the three levers with its own levers forward."""

    #: Which levers the lecture pulls: ``moe``, ``mla``, ``rl``.
    levers: ClassVar[tuple[str, ...]] = ()

    def construct(self) -> None:
        read = standing(self.number, self.run)
        self.origin(*(datum for each in read for datum in each))
        signs = LeverSigns(*read, height=0.5 if self.low else 1.3, gap=0.18 if self.low else 0.36)
        short, long = self.names()
        number = self.number_of(self.shown.number, 60 if self.low else 88)
        name = label(short, "hero", weight="semibold", width=self.column, as_is=True)
        head = VGroup(number, name).arrange(DOWN, buff=0.28, aligned_edge=LEFT)
        if long:
            head.add(
                label(long, "heading", "muted", width=self.column, as_is=True).next_to(
                    head, DOWN, buff=0.3, aligned_edge=LEFT
                )
            )
        question = label(self.shown.question, "heading", "accent", width=self.column, italic=True, as_is=True)
        question.next_to(head, DOWN, buff=0.42, aligned_edge=LEFT)
        rule = self.placed(VGroup(head, question), signs)
        progress = self.progress()
        with self.step():
            self.play(FadeIn(progress, head, self.logo(), shift=0.15 * RIGHT), run_time=0.7)
            self.play(FadeIn(rule), LaggedStart(*(FadeIn(each) for each in signs), lag_ratio=0.3), run_time=1.0)
            self.play(signs.pull(*self.levers), FadeIn(question), run_time=0.8)

    def placed(self, words: VGroup, signs: LeverSigns) -> Line:
        """Words and signs side by side, or the signs below; the line between them."""
        if self.upright:
            words.move_to([SAFE_LEFT, SAFE_TOP - (0.5 if self.low else 1.2), 0], UP + LEFT)
            rule = Line(SAFE_LEFT * RIGHT, SAFE_RIGHT * RIGHT, stroke_width=2)
            rule.next_to(words, DOWN, buff=0.35 if self.low else 0.8).set_x(0)
            signs.next_to(rule, DOWN, buff=0.3 if self.low else 0.7).align_to([SAFE_LEFT, 0, 0], LEFT)
        else:
            signs.move_to([SAFE_RIGHT, 0.25, 0], RIGHT).align_to([SAFE_RIGHT - 4.2, 0, 0], LEFT)
            rule = Line(UP * 2.55, DOWN * 2.55, stroke_width=2)
            rule.move_to([signs.get_left()[0] - 0.7, signs.get_y(), 0])
            words.move_to([SAFE_LEFT, signs.get_y(), 0], LEFT)
        return rule.set_stroke(role("hairline"))


class EndCard(Card):
    """The answer of a lecture in a phrase, its chief sources, and what comes next."""

    #: So many sources have a line of their own.
    rows: ClassVar[int] = 4

    def construct(self) -> None:
        if not (phrase := self.shown.about.get("answer", "")):
            raise ExplainError(f"{self.lecture_script.path.name}: no 'answer: …' in its front matter; write a phrase")
        progress = self.progress()
        size, width = (40, SAFE_WIDTH) if self.low else (62, SAFE_WIDTH if self.upright else 10.6)
        answer = label(phrase, size, "accent", weight="medium", width=width, as_is=True)
        answer.move_to([SAFE_LEFT, SAFE_TOP - (0.5 if self.low else 0.75), 0], UP + LEFT)
        sources, following = self.sources(), self.following()
        rule = self.placed(answer, sources, following)
        with self.step() as s:
            self.play(FadeIn(progress, answer, self.logo(), shift=0.15 * RIGHT), run_time=0.6)
            self.play(FadeIn(rule), FadeIn(sources, lag_ratio=0.02), run_time=1.2)
            s.until("next")
            self.play(FadeIn(following, shift=0.2 * LEFT), run_time=0.7)

    def placed(self, answer: Label, sources: VGroup, following: Mobject) -> Line:
        """Sources and what follows side by side, or one below the other; the line between them."""
        if self.upright:
            sources.next_to(answer, DOWN, buff=0.3 if self.low else 1.0).align_to([SAFE_LEFT, 0, 0], LEFT)
            rule = Line(SAFE_LEFT * RIGHT, SAFE_RIGHT * RIGHT, stroke_width=2)
            rule.next_to(sources, DOWN, buff=0.2 if self.low else 0.8).set_x(0)
            following.next_to(rule, DOWN, buff=0.2 if self.low else 0.7).align_to([SAFE_LEFT, 0, 0], LEFT)
        else:
            sources.move_to([SAFE_LEFT, CAPTION_TOP + 1.7, 0], LEFT)
            following.move_to([SAFE_RIGHT - 3.6, sources.get_y(), 0], LEFT)
            rule = Line(UP * 1.35, DOWN * 1.35, stroke_width=2)
            rule.move_to([following.get_left()[0] - 0.4, sources.get_y(), 0])
        return rule.set_stroke(role("hairline"))

    def sources(self) -> VGroup:
        """The sources with most figures, what was computed here, and how many more the manifest names."""
        cited = self.citations()
        found: dict[str, list[int]] = {}
        for address in cited.facts:
            file, entry, field = (*address.split(".", 2), "")[:3]
            origin = facts.entry(f"{file}.{entry}").cited(field)
            found.setdefault(origin.source, [0, 0])[origin.confidence != "primary"] += 1
        chief = sorted(found, key=lambda name: (-sum(found[name]), name))[: self.rows]
        room = 3.3 if self.upright else 4.6
        counts = {fitted_name(name, room): found[name] for name in chief}
        here = languages.word(COMPUTED)
        if cited.runs:
            counts[here] = [len(cited.runs), 0]
        labels = {"source": tuple(counts), "kind": ("read at the source", "told by others")}
        array = NamedArray(np.array(list(counts.values())), ("source", "kind"), "figures a source", "", labels)
        rows = SourceRows(array, roles=["expert" if name == here else "latent" for name in counts], room=room)
        lines = VGroup(label("what it stands on, a dot for a figure", "small", "muted"), rows)
        lines[0].next_to(rows, UP, buff=0.22, aligned_edge=LEFT)
        if len(found) > len(chief):
            more = computed(len(found) - len(chief), "", "sources of this lecture that have no line here")
            rest = NumberLabel(more, "plain", before="and ", after=" more; all are in the manifest", size="small")
            lines.add(rest.set_fill(role("muted")).next_to(rows, DOWN, buff=0.2, aligned_edge=LEFT))
        return lines

    def following(self) -> VGroup:
        """The next lecture's number and name; after the last one the three levers."""
        number = Course.default(self.shown.lang).after(self.shown.number)
        if (following := self.front(number)) is None:
            return LeverSigns(*standing(self.number, self.run), height=0.75, gap=0.3)
        short, long = self.names(following.title)
        lines = VGroup(label("next", "body", "muted"), self.number_of(number, "hero"))
        lines.add(label(short, "heading", weight="semibold", width=3.5))
        if long:
            lines.add(label(long, "body", "muted", width=3.5))
        return lines.arrange(DOWN, buff=0.25, aligned_edge=LEFT)
