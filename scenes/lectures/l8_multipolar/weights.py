"""Lecture 8: what licences grant, and what weights let you do that an interface does not."""

from __future__ import annotations

from typing import Any

from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Create,
    Cross,
    DashedVMobject,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    Line,
    RoundedRectangle,
    Square,
    VGroup,
    there_and_back,
)

from explainers import facts
from scenes.kit import (
    CAPTION_TOP,
    EASE,
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_TOP,
    DateLabel,
    LicenceMatrix,
    TensorGrid,
    TokenChip,
    exchange,
    label,
    licence_rights,
    role,
    row,
)
from scenes.kit.openness import mark
from scenes.stage import LectureScene


class WhatALicenceLetsYouDo(LectureScene):
    """Licences as lines of a matrix, read from how the facts word them; what is in the box, and the next box."""

    lecture = 8
    #: line, mark, entry and field of the facts ("" = nothing is handed over), role, its condition
    licences = (
        ("an interface", "closed", "", "muted", ""),
        ("V3, at first", "old", "timeline.licence_to_v3.licence", "token", "forbidden uses listed"),
        ("Llama 3.1", "llama", "models.llama_8b.licence", "dense", "the same; giants apply"),
        ("Kimi K2", "kimi", "models.kimi_k2.licence", "value", "giants show its name"),
        ("R1, V4: MIT", "mit", "timeline.licence_mit.licence", "latent", ""),
    )

    def construct(self) -> None:
        self.show_title()
        texts = {name: facts.text(where)[0] if where else "" for name, _, where, *_ in self.licences}
        roles = [colour for *_, colour, _ in self.licences]
        rights = licence_rights(texts).pick(right=slice(3))  # the ones that the words name
        matrix = LicenceMatrix(rights, roles=roles, pitch=0.64, column=2.2, radius=0.2)
        matrix.move_to([0, STAGE_TOP - 0.5, 0], UP).align_to([SAFE_LEFT + 0.6, 0, 0], LEFT)
        sources = [self.number(f"fact.timeline.licence_{key}.date") for key in ("to_v3", "mit", "others")]
        self.origin(*sources)
        half = VGroup()
        for words, share in (("granted", 1), ("with conditions", 0.5), ("not granted", 0)):
            key = mark(share, "muted", 0.13)
            half.add(VGroup(key, label(words, "small", "muted").next_to(key, RIGHT, buff=0.15)))
        half.arrange(RIGHT, buff=0.6).move_to([SAFE_LEFT + 0.05, STAGE_TOP, 0], LEFT)
        notes = {
            name: label(words, "small", colour).next_to(matrix.marks[name], RIGHT, buff=0.9)
            for name, *_, colour, words in self.licences
            if words
        }
        with self.step() as s:
            self.play(FadeIn(matrix.head), run_time=0.7)
            for key in half:
                self.play(FadeIn(key), run_time=0.4)
            for name, cue, *_ in self.licences[:-1]:
                s.until(cue)
                self.play(matrix.enter(name, run_time=1.3))
                if name in notes:
                    self.play(FadeIn(notes[name]), run_time=0.4)
        self.box(matrix)

    def box(self, matrix: LicenceMatrix) -> None:
        """The last line; then what lies in the box, what does not, and a box that stays shut."""
        muse = self.number("fact.timeline.open_muse_closed.date")
        mit = self.licences[-1][0]
        boxes = VGroup()
        for words, colour in (("weights", "latent"), ("paper", "latent"), ("training text", "muted")):
            frame = RoundedRectangle(width=2.35, height=0.8, corner_radius=0.1, stroke_width=2.5)
            frame.set_stroke(role(colour))
            inside = words != "training text"
            shape = frame.set_fill(role(colour), 0.2) if inside else DashedVMobject(frame, num_dashes=36)
            boxes.add(VGroup(shape, label(words, "body", colour).move_to(frame)))
        boxes.arrange(RIGHT, buff=0.3).move_to([SAFE_LEFT + 0.05, CAPTION_TOP + 0.6, 0], LEFT)
        shut = RoundedRectangle(width=3.0, height=0.8, corner_radius=0.1, stroke_width=3)
        shut.set_stroke(role("cost")).set_fill(role("surface"), 1)
        closed = VGroup(shut, label("Meta’s newest: shut", "body", "cost").move_to(shut))
        shut.stretch_to_fit_width(closed[1].width + 0.4)
        closed.move_to([SAFE_RIGHT - 0.05, boxes.get_y(), 0], RIGHT)
        when = DateLabel(muse, "small", "cost").next_to(closed, UP, buff=0.12)
        with self.step() as s:
            s.until("mit")
            self.play(matrix.enter(mit, run_time=1.4))
            pulses = (each.animate(rate_func=there_and_back).scale(1.25) for each in matrix.marks[mit])
            self.play(LaggedStart(*pulses, lag_ratio=0.3), run_time=1.4)
            s.until("text")
            self.origin(self.number("fact.timeline.licence_mit.date"), muse)
            for one in boxes:
                self.play(FadeIn(one, shift=0.15 * UP), run_time=0.6)
            s.until("muse")
            self.play(FadeIn(closed, when, shift=0.2 * LEFT), run_time=0.8)


class WhatYouCanDoWithWeights(LectureScene):
    """An interface over a border beside weights at home: the line is cut; then what can be done at home."""

    lecture = 8

    def construct(self) -> None:
        self.show_title()
        self.weights = self.run("mla_sentence")["w_uk"].pick(head=0)
        self.origin(self.weights)
        self.acts(self.lines())

    def model(self, words: str, colour: str) -> VGroup:
        frame = RoundedRectangle(width=1.9, height=1.25, corner_radius=0.12, stroke_width=2.5)
        frame.set_stroke(role(colour)).set_fill(role("surface"), 1)
        return VGroup(frame, label(words, "body", colour).move_to(frame))

    def ask(self, start: Any, end: Any, back: bool = True) -> None:
        """A question goes to a model; an answer comes back."""
        question = TokenChip("?").move_to(start)
        self.play(FadeIn(question), run_time=0.3)
        self.play(question.animate.move_to(end), run_time=0.9, rate_func=EASE)
        self.play(FadeOut(question), run_time=0.2)
        if back:
            answer = TokenChip("answer", role="reward").move_to(end)
            self.play(FadeIn(answer), run_time=0.2)
            self.play(answer.animate.move_to(start), run_time=0.9, rate_func=EASE)
            self.play(FadeOut(answer), run_time=0.3)

    def lines(self) -> Group:
        """Two houses, one line over the border, and the cut."""
        far, near = self.model("model", "muted"), self.model("weights", "latent")
        far.move_to([SAFE_RIGHT - 1.2, 1.35, 0])
        near.move_to([1.0, -1.6, 0])
        border = Line([3.2, STAGE_TOP + 0.1, 0], [3.2, CAPTION_TOP + 0.1, 0], stroke_width=3).set_stroke(role("muted"))
        name = label("a border", "small", "muted").next_to(border.get_bottom(), RIGHT, buff=0.15).shift(0.2 * UP)
        yous = VGroup(*(label("you", "heading", "token").move_to([SAFE_LEFT + 0.5, y, 0]) for y in (1.35, -1.6)))
        left = [you.get_right() + 0.85 * RIGHT for you in yous]
        wire = Line(yous[0].get_right() + 0.3 * RIGHT, far.get_left() + 0.15 * LEFT, stroke_width=3)
        home = Line(yous[1].get_right() + 0.3 * RIGHT, near.get_left() + 0.15 * LEFT, stroke_width=3)
        wire.set_stroke(role("muted"))
        home.set_stroke(role("latent"))
        names = VGroup(
            label("interface", "body", "muted").next_to(wire, UP, buff=0.45).align_to(wire, LEFT),
            label("weights at home", "body", "latent").next_to(home, UP, buff=0.45).align_to(home, LEFT),
        )
        halves = VGroup(Line(wire.get_start(), [3.0, 1.35, 0]), Line([3.4, 1.35, 0], wire.get_end()))
        halves.set_stroke(role("cost"), 3)
        cut = Cross(stroke_width=7, scale_factor=0.25).move_to([3.2, 1.35, 0]).set_stroke(role("cost"))
        with self.step() as s:
            self.play(FadeIn(yous[0], far, border, name, wire, names[0]), run_time=0.7)
            s.until("ask")
            self.ask(left[0], far.get_left() + 0.7 * LEFT)
            s.until("unplug")
            self.play(Create(cut), FadeOut(wire), FadeIn(halves), run_time=0.6)
            self.ask(left[0], [2.5, 1.35, 0], back=False)
            s.until("local")
            self.play(FadeIn(yous[1], near, home, names[1]), run_time=0.6)
            self.ask(left[1], near.get_left() + 0.7 * LEFT)
        self.near = near
        return Group(yous, far, border, name, halves, cut, names, home)

    def acts(self, before: Group) -> None:
        """Open the box: real weights; change them; keep them."""
        grid = TensorGrid(self.weights, width=3.1, height=3.1, bar=False, notes=False)
        grid.move_to([SAFE_LEFT + 2.0, 0.15, 0])
        trained = self.near[0].copy().set_stroke(role("latent"))
        kept = VGroup(*(Square(3.1, stroke_width=2.5) for _ in range(4))).set_stroke(role("latent"))
        heads = ("look inside", "teach it more", "keep it")
        places = [grid.get_center(), [0.1, 0.15, 0], [SAFE_RIGHT - 2.0, 0.15, 0]]
        opened = Square(3.2, stroke_width=3).set_stroke(role("latent")).set_fill(role("surface"), 1).move_to(grid)
        names = [label(words, "heading", "latent").move_to([at[0], -2.15, 0]) for words, at in zip(heads, places)]
        trained.scale(1.5).move_to(places[1])
        inside = label("weights", "body", "latent").move_to(trained)
        for place, square in enumerate(kept):
            square.move_to(places[2]).scale(0.92).shift(0.12 * (place - 1.5) * (UP + RIGHT))
            square.set_fill(role("surface"), 1)
        lock = label("this version", "body", "latent").move_to(kept[0])
        with self.step() as s:
            self.play(FadeOut(before), run_time=0.4)
            s.until("inside")
            self.play(
                FadeOut(self.near[1]),
                self.near[0].animate.become(opened),
                run_time=0.8,
            )
            self.play(grid.reveal("rows"), FadeIn(names[0]), run_time=1.3)
            s.until("train")
            self.play(FadeIn(trained, inside, names[1]), run_time=0.8)
            lessons = VGroup(*(TokenChip(words, role="reward") for words in ("your", "own", "texts")))
            row(*lessons, gap=0.12).move_to([0.1, 1.95, 0])
            for lesson in lessons:
                self.play(FadeIn(lesson, shift=0.2 * DOWN), run_time=0.2)
            self.play(*(lesson.animate.move_to(trained).set_opacity(0) for lesson in lessons), run_time=0.6)
            mine = label("your weights", "body", "reward").move_to(trained)
            self.play(exchange(inside, mine), trained.animate.set_stroke(role("reward")), run_time=0.7)
            s.until("keep")
            self.play(FadeIn(kept[-1], names[2]), run_time=0.6)
            for square in reversed(kept[:-1]):
                self.add(square)
            self.bring_to_front(*kept[::-1], lock)
            self.play(FadeIn(lock), run_time=0.5)
