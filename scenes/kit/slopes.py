"""Before and after, here and there: the same things at two places, so that a change of order is a crossing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from manim import LEFT, RIGHT, UP, AnimationGroup, Circle, Create, FadeIn, Line, VGroup

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.axes import Axis, apart
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


@dataclass(frozen=True, eq=False)
class Slope:
    """One thing and its two values."""

    name: str
    first: Quantity
    second: Quantity
    role: str = "token"
    data_fields: ClassVar[tuple[str, ...]] = ("first", "second")

    def __post_init__(self) -> None:
        as_quantity(self.first, f"first value of {self.name!r}")
        as_quantity(self.second, f"second value of {self.name!r}")


class Slopes(DataBound, VGroup):
    """Two upright scales and a line for each thing from one to the other; lines that cross have changed their order.

    >>> slopes = Slopes([Slope("A", a1, a2), Slope("B", b1, b2)], ("first table", "second table"), Axis(30, 40))
    >>> self.play(slopes.begin());  self.play(slopes.go())

    Marks are hollow where the maker measured (``vendor``), else full. Numbers stand outside, names beyond the second.
    """

    def __init__(
        self,
        slopes: Sequence[Slope],
        heads: tuple[str, str],
        axis: Axis,
        *,
        width: float = 2.6,
        height: float = 2.8,
        fmt: str = "percent 3",
        vendor: bool = True,
        radius: float = 0.12,
        size: str | float = "small",
    ) -> None:
        super().__init__()
        self.slopes = {each.name: each for each in slopes}
        if not slopes or len(self.slopes) != len(slopes):
            raise ExplainError("slopes need at least one Slope, each with its own name")
        self.bound = Bound.of(datum for each in slopes for datum in (each.first, each.second))
        self.posts = VGroup(*(Line([x, 0, 0], [x, height, 0], stroke_width=1.6) for x in (0, width)))
        self.posts.set_stroke(theme.role("hairline"))
        self.heads = VGroup(
            *(
                Label(head, size, "muted").next_to(post, UP, buff=0.15)
                for head, post in zip(heads, self.posts, strict=True)
            )
        )
        self.lines: dict[str, Line] = {}
        self.dots: dict[str, VGroup] = {}
        self.numbers: dict[str, tuple[NumberLabel, NumberLabel]] = {}
        self.names: dict[str, Label] = {}
        for each in slopes:
            ends = [self._place(each, value, axis, x, height) for value, x in ((each.first, 0), (each.second, width))]
            self.lines[each.name] = Line(*ends, stroke_width=4).set_stroke(theme.tint(each.role, 0.75))
            colour = theme.role(each.role)
            marks = VGroup(*(Circle(radius, stroke_width=3.5, color=colour).move_to(end) for end in ends))
            self.dots[each.name] = marks.set_fill(theme.role("ground") if vendor else colour, 1)
            texts = [NumberLabel(value, fmt, size=size, role=each.role) for value in (each.first, each.second)]
            self.numbers[each.name] = (
                texts[0].next_to(ends[0], LEFT, buff=radius + 0.1),
                texts[1].next_to(ends[1], RIGHT, buff=radius + 0.1),
            )
        for side in (0, 1):
            apart([pair[side] for pair in self.numbers.values()])
        for each in slopes:
            name = Label(each.name, size, each.role)
            self.names[each.name] = name.next_to(self.numbers[each.name][1], RIGHT, buff=0.16)
        self.add(self.posts, self.heads, *self.lines.values(), *self.dots.values(), *self.names.values())
        self.add(*(text for pair in self.numbers.values() for text in pair))
        self.center()

    @staticmethod
    def _place(slope: Slope, value: Quantity, axis: Axis, x: float, height: float) -> Any:
        share = float(axis.share(float(value)))
        if not 0 <= share <= 1:
            raise ExplainError(f"{slope.name}: {value.short()} leaves the axis from {axis.low:g} to {axis.high:g}")
        return [x, share * height, 0]

    # ------------------------------------------------------------------ for scenes
    def begin(self, **options: Any) -> AnimationGroup:
        """The animation in which the first values arrive."""
        firsts = (FadeIn(dots[0], self.numbers[name][0]) for name, dots in self.dots.items())
        return AnimationGroup(FadeIn(self.posts, self.heads), *firsts, **options)

    def go(self, **options: Any) -> AnimationGroup:
        """The animation in which the lines run to the second values."""
        lines = (Create(line) for line in self.lines.values())
        ends = (FadeIn(dots[1], self.numbers[name][1], self.names[name]) for name, dots in self.dots.items())
        return AnimationGroup(*lines, *ends, **options)

    def of(self, name: str) -> VGroup:
        """Everything of one line."""
        if name not in self.slopes:
            raise one_of("slope", name, list(self.slopes))
        return VGroup(self.lines[name], self.dots[name], *self.numbers[name], self.names[name])
