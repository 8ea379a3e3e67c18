"""Who may do what, where it fits, and where it was read: licences, chips that hold weights, a wall of sources."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, AnimationGroup, Circle, FadeIn, LaggedStart, Line, Rectangle, Sector, VGroup

from explainers.errors import ExplainError
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label

#: What a licence's text says → granted (1), granted with conditions (0.5), in the order of `RIGHTS`.
RIGHTS = ("take it home", "use it freely", "sell it at any size", "teach other models")
_TERMS: tuple[tuple[str, tuple[float, float, float, float]], ...] = (
    ("use-based restrictions", (1, 0.5, 1, 0.5)),
    ("Modified MIT", (1, 1, 0.5, 1)),
    ("Llama", (1, 0.5, 0.5, 0.5)),
    ("Apache-2.0", (1, 1, 1, 1)),
    ("MIT", (1, 1, 1, 1)),
)


def licence_rights(licences: Mapping[str, str]) -> NamedArray:
    """What licences grant, read from how a file of facts words them: (licence, right) in 0, 0.5 (conditions), 1.

    An empty text is an interface: nothing is handed over.

    Raises
    ------
    ExplainError
        For a licence whose terms are not known here.
    """
    rows = []
    for name, text in licences.items():
        found = [terms for words, terms in _TERMS if words in text] if text else [(0.0,) * len(RIGHTS)]
        if not found:
            known = ", ".join(words for words, _ in _TERMS)
            raise ExplainError(f"the terms of {text!r} ({name}) are not known; known: {known}")
        rows.append(found[0])
    labels = {"licence": tuple(licences), "right": RIGHTS}
    return NamedArray(np.array(rows), ("licence", "right"), "what a licence grants", "", labels)


class LicenceMatrix(DataBound, VGroup):
    """Licences as lines, rights as columns: a full disc is granted, a half one with conditions, a ring not at all.

    >>> matrix = LicenceMatrix(licence_rights({"V3": facts_text, "interface": ""}), roles=("latent", "muted"))
    >>> self.play(FadeIn(matrix.head));  self.play(matrix.enter("V3"))
    """

    def __init__(
        self,
        rights: NamedArray,
        *,
        roles: Sequence[str] = (),
        pitch: float = 0.62,
        column: float = 2.15,
        radius: float = 0.17,
    ) -> None:
        super().__init__()
        self.bound = Bound((as_array(rights, "LicenceMatrix", 2),))
        names, columns = (rights.labels.get(axis, ()) for axis in rights.axes)
        if not names or not columns:
            raise ExplainError("a LicenceMatrix needs labels on both axes of its array")
        if not set(np.unique(rights.values).tolist()) <= {0.0, 0.5, 1.0}:
            raise ExplainError("a LicenceMatrix draws 0, 0.5 (with conditions) and 1 only")
        colours = [*roles, *["text"] * (len(names) - len(roles))]
        self.head = VGroup(
            *(
                Label(words, "small", "muted", width=column - 0.25, align="center").move_to(
                    [place * column, 0, 0], DOWN
                )
                for place, words in enumerate(columns)
            )
        )
        self.rows: dict[str, VGroup] = {}
        self.marks: dict[str, VGroup] = {}
        for line, (name, colour) in enumerate(zip(names, colours, strict=True)):
            y = -(line + 0.75) * pitch
            words = Label(name, "body", colour).move_to([-column * 0.7, y, 0], RIGHT)
            cells = enumerate(rights.values[line].tolist())
            marks = VGroup(*(mark(share, colour, radius).move_to([place * column, y, 0]) for place, share in cells))
            rule = Line([0, 0, 0], [column * (len(columns) - 0.2), 0, 0], stroke_width=1.2)
            rule.set_stroke(theme.role("hairline")).move_to([-column * 0.5, y, 0], LEFT)
            self.marks[name] = marks
            self.rows[name] = VGroup(rule, words, marks)
        self.add(self.head, *self.rows.values())
        self.center()

    def perturbed(self) -> Self:
        """The same matrix with every right turned round."""
        (rights,) = self.bound
        return self.rebind(replace(rights, values=1 - rights.values))

    def enter(self, name: str, run_time: float = 0.9) -> LaggedStart:
        """The animation in which a licence's line comes in, mark after mark."""
        rule, words, marks = self.rows[name]
        return LaggedStart(
            FadeIn(rule, words), *(FadeIn(each, scale=0.4) for each in marks), lag_ratio=0.25, run_time=run_time
        )


def mark(share: float, colour: str, radius: float = 0.17) -> VGroup:
    """A ring of which a share is filled, from the left."""
    ring = Circle(radius, stroke_width=2.5, fill_opacity=0).set_stroke(theme.role(colour))
    if share <= 0:
        return VGroup(ring)
    inside = Sector(radius=radius, angle=2 * math.pi * share, start_angle=math.pi / 2, stroke_width=0)
    return VGroup(inside.set_fill(theme.role(colour), 1), ring)


class ChipShelf(DataBound, VGroup):
    """A model's weights poured into chips of one kind; a chip is as wide as its memory, and they stand without gaps.

    So what is poured ends where the weights end, however many chips there are: the widths of shelves can be compared.

    >>> shelf = ChipShelf(weights, memory, name="H100", unit=1.45e-11)   # frame units a byte
    >>> self.play(shelf.pour());  shelf.count                            # how many chips it takes
    """

    def __init__(
        self,
        weights: Quantity,
        memory: Quantity,
        *,
        name: str = "",
        unit: float = 1.4e-11,
        thickness: float = 0.5,
        role: str = "latent",
        note: str = "",
    ) -> None:
        super().__init__()
        self.bound = Bound((as_quantity(weights, "ChipShelf"), as_quantity(memory, "ChipShelf")))
        if weights.unit != memory.unit or weights.value <= 0 or memory.value <= 0:
            raise ExplainError(f"ChipShelf: {weights.short()} and {memory.short()} must be positive and in one unit")
        chips = math.ceil(float(weights) / float(memory))
        if chips > 40:
            raise ExplainError(f"ChipShelf: {chips} chips are too many to draw; take a larger memory")
        self.count = computed(chips, "", "weights / memory, rounded up", (weights, memory), name=f"chips of {name}")
        wide = float(memory) * unit
        self.chips, self.fills, self.shares = VGroup(), VGroup(), []
        for place in range(chips):
            chip = Rectangle(width=wide, height=thickness, stroke_width=2, stroke_color=theme.role("token"))
            chip.move_to([place * wide, 0, 0], LEFT)
            share = min(1.0, float(weights) / float(memory) - place)
            fill = Rectangle(width=wide * share, height=thickness, stroke_width=0)
            self.fills.add(fill.set_fill(theme.role(role), 0.85).move_to(chip, LEFT))
            self.shares.append(share)
            self.chips.add(chip)
        self.name = Label(name, "body", "token").next_to(self.chips, UP, buff=0.1).align_to(self.chips, LEFT)
        self.number = NumberLabel(self.count, "plain", size="body", role=role, after=" chips")
        self.number.next_to(self.chips, RIGHT, buff=0.25)
        self.note = VGroup()
        if note:
            self.note.add(Label(note, "small", "muted").next_to(self.name, RIGHT, buff=0.25))
        self.add(self.fills, self.chips, self.name, self.number, self.note)

    def pour(self, run_time: float = 1.6) -> LaggedStart:
        """The animation in which the chips fill from the left, each after the one before."""
        moves = []
        for fill in self.fills:
            goal = fill.copy()
            fill.stretch_to_fit_width(0.001).move_to(goal, LEFT)
            moves.append(fill.animate.become(goal))
        return LaggedStart(*moves, lag_ratio=0.9, run_time=run_time)


class SourceWall(DataBound, VGroup):
    """Entries of sources as dots: a column for each file, full where read at the source, a ring where told by others.

    >>> wall = SourceWall(counts)        # axes (file, confidence), labels on both; the first confidence is full
    >>> self.play(wall.enter());  self.play(wall.fill())
    """

    def __init__(self, counts: NamedArray, *, wide: int = 5, pitch: float = 0.21, gap: float = 0.5) -> None:
        super().__init__()
        self.bound = Bound((as_array(counts, "SourceWall", 2),))
        files, kinds = (counts.labels.get(axis, ()) for axis in counts.axes)
        if len(kinds) != 2 or not files:
            raise ExplainError("a SourceWall needs two confidences (read, told) and the names of its files")
        self.full, self.rings, self.names = VGroup(), VGroup(), VGroup()
        left = 0.0
        for file, (full, told) in zip(files, counts.values.astype(int).tolist(), strict=True):
            for place in range(full + told):
                row, column = divmod(place, wide)
                dot = Circle(pitch * 0.34, stroke_width=1.8).move_to([left + column * pitch, row * pitch, 0])
                dot.set_stroke(theme.role("latent" if place < full else "muted"))
                (self.full if place < full else self.rings).add(dot.set_fill(theme.role("latent"), 0))
            words = Label(file, "small", "muted").move_to([left + (wide - 1) / 2 * pitch, -0.35, 0])
            self.names.add(words)
            left += (wide - 1) * pitch + gap
        self.full.set_fill(theme.role("latent"), 1)
        self.add(self.rings, self.full, self.names)
        self.center()

    def hollow(self) -> Self:
        """The full ones as rings, before they are filled."""
        self.full.set_fill(opacity=0)
        return self

    def fill(self, run_time: float = 1.4) -> AnimationGroup:
        """The animation in which what was read at its source is filled."""
        moves = (dot.animate.set_fill(theme.role("latent"), 1) for dot in self.full)
        return LaggedStart(*moves, lag_ratio=0.03, run_time=run_time)
