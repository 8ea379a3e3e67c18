"""How far something came between two others, on rails of one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from manim import DOWN, LEFT, RIGHT, UP, AnimationGroup, Arrow, Circle, Dot, FadeIn, GrowArrow, Line, VGroup

from explainers.errors import ExplainError
from explainers.quantities import Quantity
from scenes.kit import theme
from scenes.kit.axes import Axis, Point
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


@dataclass(frozen=True, eq=False)
class Rail:
    """One rail: its name, what stands at its two ends, and what came ``reached`` of the way (of one unit)."""

    name: str
    start: Quantity
    end: Quantity
    reached: Quantity
    role: str = "expert"
    data_fields: ClassVar[tuple[str, ...]] = ("start", "end", "reached")

    def __post_init__(self) -> None:
        for each in (self.start, self.end, self.reached):
            as_quantity(each, f"rail {self.name!r}")
        if self.start.value == self.end.value:
            raise ExplainError(f"rail {self.name!r} has no length: both ends are {self.start.value:g}")

    @property
    def share(self) -> float:
        """0 at the start, 1 at the end; below zero it went backwards."""
        return (float(self.reached) - float(self.start)) / (float(self.end) - float(self.start))


class RaceRails(DataBound, VGroup):
    """Rails one below the other; start and end stand at the same two places, whatever their values.

    >>> rails = RaceRails([Rail("here", small, large, sparse)], ends=("small", "large"), fmt="plain 3 bare")
    >>> self.play(FadeIn(rails.rails["here"]));  self.play(rails.travel("here"))

    Attributes
    ----------
    rails, marks
        Name → rail with its ends and their numbers; arrow, dot and number of what came along.
    """

    def __init__(
        self,
        rails: Sequence[Rail],
        *,
        ends: tuple[str, str],
        fmt: str = "",
        length: float = 6.4,
        pitch: float = 1.55,
        low: float = -0.5,
        radius: float = 0.13,
    ) -> None:
        super().__init__()
        if not rails or len({rail.name for rail in rails}) != len(rails):
            raise ExplainError("race rails need at least one Rail, each with its own name")
        self.bound = Bound.of(each for rail in rails for each in (rail.start, rail.end, rail.reached))
        self.axis = Axis(min(low, *(rail.share for rail in rails)), max(1.0, *(rail.share for rail in rails)))
        self.length = length
        self.rails: dict[str, VGroup] = {}
        self.marks: dict[str, VGroup] = {}
        self.heads = VGroup()
        for words, place in zip(ends, (0.0, 1.0), strict=True):
            head = Label(words, "small", "dense", align="center").next_to(self._at(place, 0), UP, buff=0.72)
            self.heads.add(head)
        for index, rail in enumerate(rails):
            self._add(rail, -index * pitch, fmt, radius)
        self.add(self.heads, *self.rails.values(), *self.marks.values())
        self.center()

    def _at(self, share: float, level: float) -> Point:
        return RIGHT * (share * self.length) + UP * level

    def _add(self, rail: Rail, level: float, fmt: str, radius: float) -> None:
        left = min(self.axis.low, 0.0)
        line = Line(self._at(left, level), self._at(1, level), stroke_width=4, color=theme.role("hairline"))
        way = Line(self._at(0, level), self._at(1, level), stroke_width=4, color=theme.role("dense"))
        group = VGroup(line, way)
        for quantity, place in ((rail.start, 0.0), (rail.end, 1.0)):
            dot = Circle(radius, stroke_width=3, color=theme.role("dense")).set_fill(theme.role("ground"), 1)
            dot.move_to(self._at(place, level))
            number = NumberLabel(quantity, fmt, size="small", role="dense").next_to(dot, UP, buff=0.12)
            group.add(dot, number)
        group.add(Label(rail.name, "body", "text", align="right").next_to(line, LEFT, buff=0.4))
        self.rails[rail.name] = group
        goal = self._at(rail.share, level)
        arrow = Arrow(
            self._at(0, level - 0.34),
            goal + DOWN * 0.34,
            buff=0,
            stroke_width=5,
            tip_length=0.2,
            color=theme.role(rail.role),
        )
        dot = Dot(goal, radius=radius, color=theme.role(rail.role))
        alone = min(abs(rail.share), abs(1 - rail.share)) * self.length > 1.0
        number = NumberLabel(rail.reached, fmt, size="body", role=rail.role)
        number.next_to(goal, UP if alone else RIGHT, buff=0.2 if alone else 0.28)
        self.marks[rail.name] = VGroup(arrow, dot, number)

    def travel(self, name: str, **options: float) -> AnimationGroup:
        """The animation in which it goes its way."""
        arrow, dot, number = self.marks[name]
        parts = (GrowArrow(arrow), FadeIn(dot, scale=1.8), FadeIn(number, shift=0.15 * UP))
        return AnimationGroup(*parts, **{"lag_ratio": 0.5, "run_time": theme.TRANSFORM, **options})
