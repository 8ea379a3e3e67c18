"""How a bill adds up: each item starts where the one before it ended, and the last column is the whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from manim import DOWN, RIGHT, UP, AnimationGroup, Create, DashedLine, FadeIn, GrowFromEdge, Rectangle, VGroup

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.bar_chart import Bar
from scenes.kit.binding import Bound, DataBound
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


class Waterfall(DataBound, VGroup):
    """Columns that stand on each other's heads, and their sum.

    >>> bill = Waterfall([Bar("pre-training", a), Bar("post-training", b)], total="the bill", fmt="usd 3")
    >>> self.play(bill.grow("pre-training"));  self.play(bill.grow("the bill"))

    Heights start at zero and are to scale. The sum is computed here from the items, never passed in; it is
    ``bill.sum``. ``bill.columns[name]`` and ``bill.numbers[name]`` are the parts.
    """

    def __init__(
        self,
        items: Sequence[Bar],
        *,
        total: str = "total",
        total_role: str = "text",
        fmt: str = "",
        width: float = 1.5,
        gap: float = 0.55,
        height: float = 3.6,
        size: str | float = "small",
    ) -> None:
        super().__init__()
        names = [item.name for item in items] + [total]
        if len(items) < 2 or len(set(names)) != len(names):
            raise ExplainError("a waterfall needs at least two items, each (and the total) with its own name")
        if any(float(item.quantity) < 0 for item in items):
            raise ExplainError("a waterfall adds up amounts of zero or more; show what is taken away in another chart")
        self.bound = Bound.of(item.quantity for item in items)
        self.sum: Quantity = reduce(lambda a, b: a + b, (item.quantity for item in items)).named(total, formula="sum")
        self.unit_height = height / float(self.sum)
        self.columns: dict[str, Rectangle] = {}
        self.numbers: dict[str, NumberLabel] = {}
        self.names: dict[str, Label] = {}
        self.links = VGroup()
        low = 0.0
        for index, item in enumerate([*items, Bar(total, self.sum, total_role)]):
            start = 0.0 if item.name == total else low
            tall = max(float(item.quantity) * self.unit_height, 0.012)
            column = Rectangle(
                width=width, height=tall, stroke_width=0, fill_color=theme.role(item.role), fill_opacity=1
            )
            column.move_to(RIGHT * index * (width + gap) + UP * start, aligned_edge=DOWN)
            self.columns[item.name] = column
            self.numbers[item.name] = NumberLabel(item.quantity, fmt, size=size).next_to(column, UP, buff=0.12)
            self.names[item.name] = self._name(item, column, size, width + gap)
            low = float(item.quantity) * self.unit_height + start
            if index < len(items):
                at = column.get_corner(UP + RIGHT)
                self.links.add(
                    DashedLine(at, at + RIGHT * gap, stroke_color=theme.role("muted"), stroke_width=2, dash_length=0.06)
                )
        self.named: set[str] = set()
        self.add(self.links, *self.columns.values(), *self.numbers.values(), *self.names.values())
        self.center()

    @staticmethod
    def _name(item: Bar, column: Rectangle, size: str | float, room: float) -> Label:
        """The name below the common foot line."""
        name = Label(item.name, size, item.role if item.role != "text" else "text", width=room - 0.15, align="center")
        return name.next_to([column.get_center()[0], 0, 0], DOWN, buff=0.18)

    def name_all(self, **options: Any) -> FadeIn:
        """The animation in which all names come, before any column has grown."""
        self.named = set(self.names)
        return FadeIn(VGroup(*self.names.values()), **{"shift": 0.15 * UP, "run_time": theme.ENTER, **options})

    def grow(self, name: str, **options: Any) -> AnimationGroup:
        """The animation in which one column grows from its foot; its link, number and (if new) name come with it."""
        if name not in self.columns:
            raise one_of("item", name, list(self.columns))
        index = list(self.columns).index(name)
        parts: list[Any] = [] if name in self.named else [FadeIn(self.names[name])]
        parts.append(GrowFromEdge(self.columns[name], DOWN))
        parts.append(FadeIn(self.numbers[name], shift=0.15 * UP))
        if index < len(self.links):
            parts.append(Create(self.links[index]))
        return AnimationGroup(
            *parts, **{"run_time": theme.TRANSFORM, "lag_ratio": 0.25, "rate_func": theme.EASE, **options}
        )
