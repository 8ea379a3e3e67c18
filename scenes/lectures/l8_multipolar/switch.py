"""Lecture 8: who can switch a model off: the question, and what the course leaves with the viewer."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    Circle,
    Create,
    DashedLine,
    DashedVMobject,
    FadeIn,
    FadeOut,
    Group,
    LaggedStart,
    Line,
    RoundedRectangle,
    Square,
    VGroup,
)

from explainers import facts
from explainers.quantities import Confidence
from explainers.traces import NamedArray
from scenes.kit import (
    CAPTION_TOP,
    EASE,
    SAFE_LEFT,
    SAFE_RIGHT,
    STAGE_CENTER,
    DateLabel,
    NumberLabel,
    SourceWall,
    exchange,
    label,
    role,
    tint,
)
from scenes.stage import LectureScene


class Switch(VGroup):
    """A switch: its knob stands right when on, left when off."""

    def __init__(self, colour: str = "accent", width: float = 1.5) -> None:
        super().__init__()
        self.colour = colour
        self.track = RoundedRectangle(width=width, height=width * 0.5, corner_radius=width * 0.25, stroke_width=2.5)
        self.track.set_stroke(role(colour)).set_fill(tint(colour, 0.45), 1)
        self.knob = Circle(width * 0.18, stroke_width=0).set_fill(role("text"), 1)
        self.add(self.track, self.knob)
        self.knob.move_to(self.place(True))

    def place(self, on: bool) -> Any:
        return self.track.get_center() + (1 if on else -1) * self.track.width * 0.25 * RIGHT

    def flip(self, on: bool, run_time: float = 0.6) -> AnimationGroup:
        """The animation in which the knob goes to the other side and the track takes or loses its colour."""
        track = self.track.animate.set_fill(tint(self.colour, 0.45) if on else role("surface"), 1)
        return AnimationGroup(track, self.knob.animate.move_to(self.place(on)), run_time=run_time, rate_func=EASE)


class TheSwitch(LectureScene):
    """A model, a switch, and all who hang on it."""

    lecture = 8

    def construct(self) -> None:
        self.show_title()
        when = self.number("fact.timeline.us_switch_off.date")
        days = self.number("fact.timeline.us_switch_off.outage_days")
        self.origin(when, days)
        model = self.box("two models\nof Anthropic").move_to([SAFE_LEFT + 1.3, 0.3, 0])
        switch = Switch(width=1.9).next_to(model, RIGHT, buff=1.1)
        users = VGroup(*(self.user() for _ in range(60))).arrange_in_grid(rows=6, cols=10, buff=(0.29, 0.44))
        users.move_to([SAFE_RIGHT - users.width / 2 - 0.05, 0.3, 0])
        wire = Line(model.get_right(), switch.get_left(), stroke_width=5).set_stroke(role("accent"))
        out = switch.get_right()
        wires = VGroup(*(Line(out, user.get_center(), stroke_width=1.3) for user in users[::10]))
        wires.add(*(Line(a.get_center(), b.get_center(), stroke_width=1.3) for a, b in self.rows(users)))
        wires.set_stroke(role("accent"))
        names = VGroup(
            label("who had built on them", "body").next_to(users, UP, buff=0.2),
            DateLabel(when, "body", "cost").next_to(switch, UP),
        )
        order = label("ordered by the\nAmerican government", "body", "cost", align="center")
        order.next_to(names[1], UP, buff=0.12)
        with self.step() as s:
            self.play(FadeIn(model, wire, switch), run_time=0.7)
            self.play(Create(wires), FadeIn(users, names[0]), run_time=1.4)
            s.until("order")
            self.play(FadeIn(names[1], order, shift=0.25 * DOWN), run_time=0.7)
            s.until("off")
            self.play(switch.flip(False))
            dark = LaggedStart(*(self.go(user, "muted", 0) for user in users), lag_ratio=0.03)
            self.play(wires.animate.set_stroke(role("hairline")), dark, run_time=1.8)
        squares = VGroup(*(Square(0.42, stroke_width=2) for _ in range(int(days))))
        squares.set_stroke(role("muted")).arrange(RIGHT, buff=0.1).move_to([0, CAPTION_TOP + 0.45, 0])
        squares.align_to(model, LEFT)
        count = NumberLabel(days, "plain bare", size="heading", role="cost", before="about ", after=" days off")
        count.next_to(squares, RIGHT, buff=0.4)
        again = label("on again,\nwith conditions", "body", "reward", align="center").move_to(order)
        ask = label("who holds it?", "heading", "accent", weight="medium").next_to(switch, DOWN, buff=0.35)
        with self.step() as s:
            fill = (square.animate.set_fill(role("cost"), 1) for square in squares)
            self.play(FadeIn(squares), run_time=0.5)
            self.play(LaggedStart(*fill, lag_ratio=0.8), run_time=max(1.0, s.left_until("days") - 0.2))
            self.play(FadeIn(count), run_time=0.4)
            self.play(switch.flip(True), exchange(VGroup(order, names[1]), again, run_time=0.8))
            light = LaggedStart(*(self.go(user, "token", 1) for user in users), lag_ratio=0.03)
            self.play(wires.animate.set_stroke(role("accent")), light, run_time=1.6)
            s.until("who")
            self.play(FadeIn(ask, shift=0.2 * UP), run_time=0.6)
            ring = switch.track.copy().set_fill(opacity=0).set_stroke(role("accent"), 5)
            self.play(ring.animate.scale(1.25), run_time=0.9)

    @staticmethod
    def rows(users: VGroup) -> list[tuple[Any, Any]]:
        return [(users[i], users[i + 1]) for i in range(len(users) - 1) if (i + 1) % 10]

    @staticmethod
    def user() -> Circle:
        return Circle(0.13, stroke_width=2, stroke_color=role("token")).set_fill(role("token"), 1)

    @staticmethod
    def go(user: Circle, colour: str, fill: float) -> Any:
        return user.animate.set_fill(role(colour) if fill else role("ground"), 1).set_stroke(role(colour))

    @staticmethod
    def box(words: str) -> VGroup:
        frame = RoundedRectangle(width=2.5, height=2.0, corner_radius=0.12, stroke_width=2.5)
        frame.set_stroke(role("muted")).set_fill(role("surface"), 1)
        return VGroup(frame, label(words, "body", align="center").move_to(frame))


class WhoHoldsTheSwitch(LectureScene):
    """Three switches on two sides of a border; then the wall of sources."""

    lecture = 8

    def construct(self) -> None:
        self.show_title()
        self.origin(self.number("fact.timeline.licence_mit.date"), self.number("fact.timeline.open_muse_closed.date"))
        self.wall(self.switches())

    def switches(self) -> Group:
        """Who holds what, behind an interface and with weights."""
        border = DashedLine([SAFE_LEFT + 0.05, -0.15, 0], [SAFE_RIGHT - 0.05, -0.15, 0], stroke_width=2).set_stroke(
            role("muted")
        )
        theirs = label("in other hands", "body", "muted").move_to([SAFE_LEFT, 2.2, 0], LEFT)
        mine = label("in your hand", "body", "accent").move_to([SAFE_LEFT, -2.35, 0], LEFT)
        sets = VGroup()
        held = (("this model", "latent"), ("the chips", "token"), ("next model", "reward"))
        for place, (words, colour) in enumerate(held):
            switch = Switch(colour, 2.0)
            one = VGroup(switch, label(words, "heading", colour).next_to(switch, DOWN, buff=0.22))
            sets.add(one.move_to([-2.4 + 3.7 * place, 1.15, 0]))
        why = VGroup(
            *(
                label(words, "small", "muted").next_to(one, UP, buff=0.2)
                for words, one in zip(("from few makers", "only if someone gives it"), sets[1:], strict=True)
            )
        )
        with self.step() as s:
            self.play(FadeIn(border, theirs, mine, sets[0]), run_time=0.6)
            self.play(sets[0][0].flip(False, 0.4))
            self.play(sets[0][0].flip(True, 0.4))
            s.until("three")
            self.play(LaggedStart(*(FadeIn(one, shift=0.3 * DOWN) for one in sets[1:]), lag_ratio=0.6), run_time=2.0)
            s.until("api")
            for one in sets:
                self.play(one[0].flip(False, 0.35))
            for one in sets:
                self.play(one[0].flip(True, 0.3))
            s.until("yours")
            self.play(sets[0].animate(path_arc=-0.6).shift(2.55 * DOWN), run_time=1.3, rate_func=EASE)
            s.until("chips")
            self.play(sets[1].animate.shift(0.35 * DOWN), FadeIn(why[0]), run_time=0.5, rate_func=EASE)
            self.play(sets[1].animate.shift(0.35 * UP), run_time=0.5, rate_func=EASE)
            s.until("next")
            self.play(FadeIn(why[1]), run_time=0.4)
            self.play(sets[2][0].flip(False, 0.5))
            self.play(sets[2][0].flip(True, 0.5))
            ropes = VGroup(*(Line(one.get_bottom(), [one.get_x(), -1.0, 0], stroke_width=3) for one in sets[1:]))
            ropes.set_stroke(role("muted"))
            you = VGroup(*(label("you depend here", "small", "muted").next_to(rope, DOWN, buff=0.1) for rope in ropes))
            s.until("depend")
            self.play(Create(ropes), FadeIn(you), run_time=1.2)
        return Group(border, theirs, mine, sets, ropes, you, why)

    @staticmethod
    def key(words: str, colour: str, fill: float) -> VGroup:
        dot = Circle(0.08, stroke_width=2).set_stroke(role(colour)).set_fill(role(colour), fill)
        text = label(words, "small", colour)
        return VGroup(text, dot.next_to(text, RIGHT, buff=0.15))

    def wall(self, held: Group) -> None:
        """Every entry of the course's sources that may be shown."""
        counts = []
        kinds: tuple[Confidence, ...] = ("primary", "secondary")
        for file in facts.files():
            number = Counter(entry.confidence for entry in facts.entries(file).values())
            counts.append([number[kind] for kind in kinds])
        names = tuple("R1" if file == "r1" else file for file in facts.files())
        array = NamedArray(
            np.array(counts), ("file", "confidence"), "entries", "", {"file": names, "confidence": kinds}
        )
        wall = SourceWall(array, pitch=0.2, gap=0.62).hollow()
        wall.move_to([0, CAPTION_TOP + 0.3, 0], DOWN)
        full, told = (self.key(*each) for each in (("read at the source", "latent", 1), ("told by others", "muted", 0)))
        notes = VGroup(full, told).arrange(DOWN, buff=0.12, aligned_edge=RIGHT)
        notes.move_to([SAFE_RIGHT - 0.05, STAGE_CENTER[1] + 0.9, 0], RIGHT)
        one_dot = label("one dot: one source of this course, by subject", "body", "text")
        one_dot.move_to([SAFE_LEFT + 0.05, notes.get_y(), 0], LEFT)
        sets = held[3]
        ask = label("which one in your own hand?", "heading", "accent", weight="medium")
        empty = VGroup(*(one[0].track.copy().set_fill(opacity=0).set_y(sets[0][0].get_y()) for one in sets[1:]))
        empty = VGroup(*(DashedVMobject(track, num_dashes=30) for track in empty)).set_stroke(role("accent"), 2.5)
        ask.move_to([empty.get_x(), sets[0][1].get_y(), 0])
        with self.step() as s:
            self.play(FadeOut(held), run_time=0.6)
            self.origin()  # the wall counts sources; none of them alone is its own
            s.until("wall")
            dots = sorted((*wall.rings, *wall.full), key=lambda dot: (dot.get_y(), dot.get_x()))
            self.play(
                FadeIn(wall.names, one_dot), LaggedStart(*(FadeIn(dot) for dot in dots), lag_ratio=0.02), run_time=2.2
            )
            s.until("full")
            self.play(wall.fill(), FadeIn(full), run_time=1.6)
            self.play(FadeIn(told), run_time=0.4)
            s.until("ask")
            self.play(FadeOut(wall, notes, one_dot), run_time=0.5)
            self.play(FadeIn(*held[:4]), run_time=0.7)
            self.play(FadeIn(ask, empty), run_time=0.6)
            for one in sets[1:]:  # each is held out over the line: a question, so it goes back
                self.play(one.animate.shift(0.5 * DOWN), run_time=0.6, rate_func=EASE)
                self.play(one.animate.shift(0.5 * UP), run_time=0.6, rate_func=EASE)
