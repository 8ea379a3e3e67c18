"""Lecture 4: how many users fit on a node, and what eight bits hold."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    AnimationGroup,
    Create,
    DashedLine,
    FadeIn,
    FadeOut,
    Group,
    GrowFromEdge,
    LaggedStart,
    Rectangle,
    ReplacementTransform,
    Square,
    VGroup,
    smooth,
    squish_rate_func,
)

from explainers.quantities import Quantity
from scenes.kit import (
    EASE,
    STAGE_CENTER,
    Legend,
    NumberLabel,
    PackedChips,
    SnapLine,
    TensorGrid,
    exchange,
    label,
    role,
    tint,
)
from scenes.stage import LectureScene


class RoomForUsers(LectureScene):
    """Eight chips filled to scale: weights, room, and one cell a user; attention changes, then the length of texts."""

    lecture = 4
    shown: VGroup

    def construct(self) -> None:
        self.show_title()
        self.trace = self.run("node_room")
        memory, weights, reserve = (self.trace.quantity(name) for name in ("memory", "weights", "reserve"))
        self.chips = PackedChips(
            memory, weights, reserve, *self.state("mha", "4k"), chips=8, width=0.99, height=3.75, gap=0.22
        )
        self.chips.move_to(STAGE_CENTER).shift(0.14 * DOWN).align_to([-6.2, 0, 0], LEFT)
        self.rows = self.counts()
        self.origin(self.trace, memory)
        self.fill()
        self.longer()

    def state(self, kind: str, context: str) -> tuple[Quantity, Quantity]:
        """One user's cache, and how many users fit."""
        return self.trace.quantity(f"each_{kind}_{context}"), self.trace.quantity(f"users_{kind}_{context}")

    names: ClassVar[dict[str, str]] = {"mha": "full attention", "gqa8": "shared keys", "mla": "latent cache"}
    #: length of a text → the kinds of attention, in the order in which the chips are filled
    tried: ClassVar[dict[str, tuple[str, ...]]] = {
        "4k": ("mha", "gqa8", "mla"),
        "32k": ("mla",),
        "128k": ("mla", "mha"),
    }

    def counts(self) -> dict[tuple[str, str], VGroup]:
        """The list of users that fit, one row for each filling; a length of texts stands over its first row."""
        rows: dict[tuple[str, str], VGroup] = {}
        left = self.chips.get_right()[0] + 0.3
        level = self.chips.frames.get_top()[1] - 0.55
        for context, kinds in self.tried.items():
            length = NumberLabel(
                self.number(f"tokens.{context}"),
                "plain bare",
                size="small",
                role="muted",
                before="users of ",
                after=" tokens",
            )
            head = VGroup(length.move_to([left, level, 0], aligned_edge=LEFT))
            for kind in kinds:
                level -= 0.42
                users = self.trace.quantity(f"users_{kind}_{context}")
                colour = "latent" if users.value else "cost"
                number = NumberLabel(users, "plain bare", size="body", role=colour)
                name = label(self.names[kind], "small", "text").move_to([left + 0.85, level, 0], aligned_edge=LEFT)
                number.next_to(name, LEFT, buff=0.15)
                rows[kind, context] = VGroup(*head, number, name)
                head = VGroup()
            level -= 0.5
        return rows

    def caption(self, words: str, kind: str, context: str, colour: str = "latent") -> VGroup:
        """What attention, and how large one user's cache is."""
        name = label(words, "heading", "text").next_to(self.chips.frames, UP, buff=0.22, aligned_edge=LEFT)
        each = NumberLabel(self.state(kind, context)[0], "si 2", size="small", role="muted")
        what = "one user's cache" if colour == "latent" else "one user's cache, on all eight"
        key = VGroup(Legend([(what, colour)]), each).arrange(RIGHT, buff=0.15)
        return VGroup(name, key.next_to(self.chips.frames, UP, buff=0.22, aligned_edge=RIGHT))

    def to(self, kind: str, context: str, run_time: float = 1.3) -> None:
        """Other caches: the cells change, then the words, and the list has a row more."""
        new, row = self.caption(self.names[kind], kind, context), self.rows[kind, context]
        self.play(
            self.chips.repack(*self.state(kind, context)),
            exchange(self.shown, new),
            FadeIn(row, rate_func=squish_rate_func(smooth, 0.5, 1.0)),
            run_time=run_time,
        )
        self.shown = new

    def fill(self) -> None:
        """The chips with weights and what is kept free; then caches of three kinds."""
        chips = self.chips
        held = label("weights", "small", "ground").move_to(chips.held[0])
        free = label("kept free", "small", "text").move_to(chips.free[0])
        VGroup(held, free).set_z_index(1)  # above the cells, which come and change later
        self.top = DashedLine(*(chips.frames.get_corner(UP + side) for side in (LEFT, RIGHT)), stroke_width=3)
        self.top.set_color(role("text")).set_z_index(2)
        size = NumberLabel(self.trace.quantity("memory"), "si 2", size="small", role="text", after=" a chip")
        size.next_to(self.top, RIGHT, buff=0.15)
        shared = NumberLabel(
            self.trace.quantity("gpus"),
            "plain bare",
            size="small",
            role="muted",
            after=" chips share the experts; these are eight of them",
        )
        shared.next_to(chips.frames, DOWN, buff=0.14, aligned_edge=LEFT)
        self.shown = self.caption(self.names["mha"], "mha", "4k")
        with self.step() as s:
            self.play(LaggedStart(*(FadeIn(frame) for frame in chips.frames), lag_ratio=0.1), run_time=0.9)
            self.play(Create(self.top), FadeIn(size), run_time=0.4)
            s.until("weights")
            self.play(FadeIn(chips.held, held, shared), run_time=0.7)
            self.play(FadeIn(chips.free, free), run_time=0.5)
            s.until("mha")
            self.play(FadeIn(chips.cells, self.shown, self.rows["mha", "4k"]), run_time=0.8)
            s.until("gqa")
            self.to("gqa8", "4k")
            s.until("mla")
            self.to("mla", "4k")

    def longer(self) -> None:
        """Longer texts: fewer fit, and with full attention not one."""
        with self.step() as s:
            s.until("longer")
            self.to("mla", "32k", run_time=1.2)
            s.until("longest")
            self.to("mla", "128k", run_time=max(0.6, min(1.2, s.left_until("none"))))
            s.until("none")
            new = self.caption("full attention: one does not fit", "mha", "128k", "cost")
            new.shift(self.overflow() * UP)
            self.play(FadeOut(self.chips.cells), exchange(self.shown, new), run_time=0.6)
            self.shown = new
            inside, above = self.too_large()
            self.play(LaggedStart(*(GrowFromEdge(part, DOWN) for part in inside)), run_time=0.8)
            self.play(*(GrowFromEdge(part, DOWN) for part in above), FadeIn(self.rows["mha", "128k"]), run_time=0.6)

    def overflow(self) -> float:
        """How far one cache in equal parts, one on the weights of every chip, stands out of the chips."""
        chips, each = self.chips, self.trace.quantity("each_mha_128k")
        return max(0.0, chips.floor + float(each) / chips.chips / float(chips.memory) * chips.tall - chips.tall)

    def too_large(self) -> tuple[VGroup, VGroup]:
        """One cache that does not fit, to scale, in equal parts on all chips: what has room, what has not."""
        chips = self.chips
        room = chips.ceiling - chips.floor
        inside, above = VGroup(), VGroup()
        for frame in chips.frames:
            part = Rectangle(width=chips.wide, height=room, stroke_width=0).set_fill(role("cost"), 1)
            inside.add(part.move_to(frame, aligned_edge=DOWN).shift(chips.floor * UP))
            rest = Rectangle(width=chips.wide, height=chips.tall + self.overflow() - chips.ceiling, stroke_width=2.5)
            rest.set_fill(tint("cost", 0.35), 1).set_stroke(role("cost"))
            above.add(rest.next_to(part, UP, buff=0))
        return inside, above


class EightBits(LectureScene):
    """Real weights above the line of all values that FP8 can hold: crowded, stretched, snapped; what it costs."""

    lecture = 4
    #: the bits of sign, exponent and fraction, by the formats' definitions (FP8: E4M3)
    formats: ClassVar[dict[str, tuple[int, int, int]]] = {"BF16": (1, 8, 7), "FP8": (1, 4, 3)}
    parts: ClassVar[tuple[tuple[str, str], ...]] = (("sign", "cost"), ("exponent", "query"), ("fraction", "value"))

    def construct(self) -> None:
        self.show_title()
        self.trace = self.run("quantisation")
        self.origin(self.trace)
        names = ("example_weight", "example_code", "e4m3_values", "example_scale")
        self.line = SnapLine(*(self.trace[name] for name in names), width=12.2, level=0.16)
        self.line.move_to(STAGE_CENTER).shift(0.95 * DOWN)
        self.snap()
        self.price()

    def bits(self, name: str) -> VGroup:
        """A format's bits as squares, its three parts side by side with their names; last, its own name."""
        groups = VGroup()
        place = np.array([-6.2, STAGE_CENTER[1] + 2.1, 0.0])
        for (words, colour), count in zip(self.parts, self.formats[name], strict=True):
            cells = VGroup(
                *(Square(0.34, stroke_width=2, color=role(colour)).set_fill(tint(colour, 0.3), 1) for _ in range(count))
            )
            cells.arrange(RIGHT, buff=0.05).move_to(place, aligned_edge=LEFT)
            groups.add(VGroup(cells, label(words, "small", colour).next_to(cells, DOWN, buff=0.12)))
            place = cells.get_right() + 0.37 * RIGHT
        return groups.add(label(name, "small", "text").next_to(groups[0][0], UP, buff=0.14, aligned_edge=LEFT))

    def shrink(self, wide: VGroup, byte: VGroup) -> AnimationGroup:
        """The animation in which a number loses half of its bits, and the others close up."""
        moves = []
        for before, after in zip(wide[:3], byte[:3], strict=True):
            kept = len(after[0])
            moves += [ReplacementTransform(old, new) for old, new in zip(before[0], after[0], strict=False)]
            moves += [FadeOut(*before[0][kept:])] if len(before[0]) > kept else []
            moves += [ReplacementTransform(before[1], after[1])]
        return AnimationGroup(*moves, exchange(wide[3], byte[3]), run_time=1.4, rate_func=EASE)

    def snap(self) -> None:
        line, trace = self.line, self.trace
        wide, byte = (self.bits(name) for name in self.formats)
        count = NumberLabel(trace.quantity("values"), "plain bare", size="heading", role="text", after=" values")
        count.next_to(byte, RIGHT, buff=0.7)
        # the format's definition: the codes of eight bits that are no finite value say so (IEEE: NaN)
        count_note = label("all other codes mean\n“not a number”", "small", "muted")
        count_note.next_to(count, DOWN, buff=0.15, aligned_edge=LEFT)
        grid = (
            TensorGrid(trace["example_weight"], cell=0.115, bar=False)
            .move_to(STAGE_CENTER)
            .shift(1.75 * UP + 2.7 * RIGHT)
        )
        name = label("a corner of a block\nof real weights", "small", "muted").next_to(grid, RIGHT, buff=0.3)
        edge = label("here: the largest of the whole block", "small", "muted")  # it is outside the corner drawn
        edge.next_to(line, DOWN, buff=0.12).align_to(line, RIGHT)
        line.show(0.0)
        with self.step() as s:
            self.play(FadeIn(wide, lag_ratio=0.1), run_time=0.8)
            s.until("shrink")
            self.play(self.shrink(wide, byte))
            s.until("values")
            self.play(FadeIn(count, count_note), run_time=0.5)
            s.until("grid")
            self.play(FadeIn(line.axes), run_time=0.4)
            self.play(FadeIn(line.marks), run_time=1.0)
            s.until("raw")
            self.play(FadeIn(grid, name), run_time=0.7)
            self.play(FadeIn(line.dots), run_time=0.9)
            s.until("scale")
            self.play(line.go("scaled", run_time=2.2))
            self.play(FadeIn(edge), run_time=0.4)
            s.until("snap")
            self.play(line.go("snapped", run_time=1.8))
        self.top = Group(byte, count, count_note, grid, name, edge)

    def price(self) -> None:
        """How far the weights moved and what that cost, beside what was published."""
        moved = NumberLabel(self.trace.quantity("weight_error_v3"), "percent .1", size="display", role="value")
        loss = NumberLabel(self.trace.quantity("loss_change_v3"), "percent .2", size="display", role="cost", before="+")
        theirs = NumberLabel(
            self.number("fact.training.v3_fp8.relative_loss_error_below"),
            "percent .2",
            size="display",
            role="muted",
            before="< ",
        )
        half = NumberLabel(self.trace.quantity("bytes_ratio"), "times 1", size="display", role="reward")
        words = (
            "a weight moves,\nof its size",
            "loss, our model,\nagainst FP32",
            "loss, DeepSeek's models,\nagainst BF16",
            "bytes,\nagainst BF16",
        )
        groups = VGroup()
        for number, about in zip((moved, loss, theirs, half), words, strict=True):
            groups.add(VGroup(number, label(about, "small", "muted", align="center").next_to(number, DOWN, buff=0.16)))
        groups.arrange(RIGHT, buff=0.95).move_to(STAGE_CENTER).shift(1.75 * UP)
        self.origin(self.trace, self.number("fact.training.v3_fp8.relative_loss_error_below"))
        with self.step() as s:
            self.play(FadeOut(self.top), self.line.go("scaled", run_time=0.7))  # back, to see the move once more
            self.play(self.line.go("snapped", run_time=0.8), FadeIn(groups[0], shift=0.15 * UP, run_time=0.6))
            s.until("loss")
            self.play(FadeIn(groups[1], shift=0.15 * UP), run_time=0.6)
            s.until("theirs")
            self.play(FadeIn(groups[2], shift=0.15 * UP), run_time=0.6)
            s.until("half")
            self.play(FadeIn(groups[3], shift=0.15 * UP), run_time=0.6)
