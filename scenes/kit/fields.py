"""Many cases as a field of small squares, lit by what is true of each."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from manim import Animation, VGroup, VMobject
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array

Flags = NDArray[np.bool_]


class SquareField(VGroup):
    """``count`` squares in rows; each stands in one of several layers, a colour each. The base of the fields below."""

    def __init__(self, count: int, columns: int, cell: float, gap: float, roles: tuple[str, ...]) -> None:
        super().__init__()
        if count < 1 or columns < 1:
            raise ExplainError(f"a field needs at least one square and one column, not {count} in {columns}")
        self._count, self._columns, self._cell, self._gap = count, columns, cell, gap
        rows = math.ceil(count / columns)
        outline = np.array([[0, 0, 0], [columns * cell, 0, 0], [columns * cell, -rows * cell, 0], [0, -rows * cell, 0]])
        self.corners = VMobject(stroke_width=0).set_points_as_corners(outline.astype(float))  # moves with the field
        self.dark = VMobject(stroke_width=0, fill_opacity=1).set_fill(theme.tint("muted", 0.22))
        self.layers = [VMobject(stroke_width=0, fill_opacity=1).set_fill(theme.role(role)) for role in roles]
        self.add(self.corners, self.dark, *self.layers)

    def _paint(self, layer: NDArray[np.int64]) -> None:
        """Put each square into its layer; 0 is dark."""
        for index, part in enumerate([self.dark, *self.layers]):
            part.set_points(self._boxes(np.flatnonzero(layer == index)))

    def _boxes(self, which: NDArray[np.int64]) -> NDArray[np.float64]:
        if not len(which):
            return np.zeros((0, 3))
        start = self.corners.points[0]
        size = float(np.linalg.norm(self.corners.points[3] - start)) / self._columns
        side = size * (1 - self._gap)
        left = start[0] + (which % self._columns) * size + (size - side) / 2
        top = start[1] - (which // self._columns) * size - (size - side) / 2
        around = ((left, top - side), (left + side, top - side), (left + side, top), (left, top))
        corners = np.stack([np.stack([x, y, np.zeros(len(which))], 1) for x, y in around], 1)
        following = np.roll(corners, -1, axis=1)
        shares = np.array([0, 1 / 3, 2 / 3, 1])[None, None, :, None]
        return np.asarray((corners[:, :, None] * (1 - shares) + following[:, :, None] * shares).reshape(-1, 3))

    def square_at(self, index: int) -> NDArray[np.float64]:
        """The centre of a square."""
        return np.asarray(self._boxes(np.array([index])).mean(axis=0))


class CountedField(DataBound, SquareField):
    """All possibilities, tried one after the other: squares light up where the count is one, stand out above it.

    >>> field = CountedField(trace["left_out"], columns=42)
    >>> self.play(field.try_all(run_time=3))

    Parameters
    ----------
    counts
        ``(choice,)`` integers: 0 stays dark, 1 takes ``role``, 2 takes ``twice``, 3 and more take ``often``.
    """

    def __init__(
        self,
        counts: NamedArray,
        *,
        columns: int = 40,
        cell: float = 0.13,
        gap: float = 0.22,
        role: str = "reward",
        twice: str = "cost",
        often: str = "accent",
    ) -> None:
        as_array(counts, "CountedField", 1)
        super().__init__(len(counts.values), columns, cell, gap, (role, twice, often))
        self.bound = Bound((counts,))
        self._level = np.clip(counts.values.astype(np.int64), 0, 3)
        self.show(1.0)
        self.center()

    def show(self, share: float) -> CountedField:
        """As it is when this share (0…1) of all possibilities has been tried."""
        tried = np.arange(self._count) < round(share * self._count)
        self._paint(np.where(tried, self._level, 0))
        return self

    def try_all(self, **options: Any) -> Sweep:
        """The animation in which all possibilities are tried in order."""
        return Sweep(self, 0.0, 1.0, **options)


class SolvedField(DataBound, SquareField):
    """Problems that were tried again and again: a square stays lit from its first right answer on.

    >>> field = SolvedField(trace["first_right"], columns=10)
    >>> self.play(field.try_to(4))                 # lit where one of the first four answers is right

    Parameters
    ----------
    first_right
        ``(problem,)``: which answer was the first right one, from 1; more than all answers where none was.
    tries
        After how many tries it is shown at first.
    """

    def __init__(
        self,
        first_right: NamedArray,
        *,
        columns: int = 10,
        cell: float = 0.36,
        gap: float = 0.16,
        role: str = "reward",
        tries: float = 1.0,
    ) -> None:
        as_array(first_right, "SolvedField", 1)
        if (first_right.values < 1).any():
            raise ExplainError("the first right answer is counted from 1; a problem never solved has more than all")
        super().__init__(len(first_right.values), columns, cell, gap, (role,))
        self.bound = Bound((first_right,))
        self._first = first_right.values.astype(float)
        self.tries = tries
        self.show(tries)
        self.center()

    def show(self, tries: float) -> SolvedField:
        """As it is after so many tries."""
        self.tries = tries
        self._paint((self._first <= tries).astype(np.int64))
        return self

    def lit(self) -> Flags:
        """Which problems are solved by now, (problem,)."""
        return np.asarray(self._first <= self.tries)

    def try_to(self, tries: float, **options: Any) -> Sweep:
        """The animation in which there are more and more tries (or fewer)."""
        return Sweep(self, self.tries, float(tries), **options)


class ExamField(DataBound, SquareField):
    """All problems there are, and in each exam some of them: asked and right, asked and wrong, not asked.

    >>> field = ExamField(trace["asked"], trace["right"])
    >>> self.play(field.sit(1));  self.play(field.sit(59, run_time=5))       # through all exams up to this one

    Parameters
    ----------
    asked, right
        ``(exam, problem)`` flags: whether the problem was asked, and whether it was solved; only asked ones are lit.
    """

    def __init__(
        self,
        asked: NamedArray,
        right: NamedArray,
        *,
        columns: int = 10,
        cell: float = 0.2,
        gap: float = 0.18,
        roles: tuple[str, str] = ("reward", "cost"),
    ) -> None:
        as_array(asked, "ExamField", 2), as_array(right, "ExamField", 2)
        if asked.values.shape != right.values.shape:
            raise ExplainError(f"an exam needs as many flags for right as for asked, {asked.values.shape}")
        super().__init__(asked.values.shape[1], columns, cell, gap, roles)
        self.bound = Bound((asked, right))
        self._outcome = np.where(asked.values > 0, np.where(right.values > 0, 1, 2), 0)
        self.exam = 0.0
        self.show(0.0)
        self.center()

    def show(self, exam: float) -> ExamField:
        """One of the exams, by its number from 0."""
        self.exam = min(max(exam, 0.0), len(self._outcome) - 1.0)
        self._paint(self._outcome[round(self.exam)])
        return self

    def sit(self, exam: int, **options: Any) -> Sweep:
        """The animation that goes through the exams from the one shown to another, at most two a second: no flicker."""
        run_time = options.get("run_time", theme.TRANSFORM)
        stops = max(1, math.floor(2 * run_time))

        def halting(share: float) -> float:
            return min(1.0, math.ceil(share * stops) / stops)

        return Sweep(self, self.exam, float(exam), **{"rate_func": halting, **options})


class Sweep(Animation):
    """A field is shown at every value between two."""

    def __init__(
        self,
        field: Any,
        start: float,
        end: float,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        self._from, self._to = start, end
        super().__init__(field, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the field at this moment."""
        self.mobject.show(self._from + (self._to - self._from) * self.rate_func(alpha))
