"""The gate of a mixture of experts: the score by which an expert is chosen, and the score by which it is weighed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np
from manim import LEFT, RIGHT, UP, Animation, AnimationGroup, RoundedRectangle, Square, VGroup, VMobject
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.axes import Axes2D, Axis
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.motion import dim

Floats = NDArray[np.float64]
_GAP = 0.06  # between a square and its bars
_CROWDED = 0.12  # experts closer than this are slats without an outline: hundreds of squares would be one line
#: What the fine line may stand for: one, unless all scores are far from it (a softmax over many, or no bound at all).
_TOPS = (0.01, 0.02, 0.05, 0.1, 0.2, 1.0, 2.0, 5.0, 10.0)


def _box(path: VMobject, left: float, right: float, low: float, high: float) -> None:
    corners = [(left, low), (right, low), (right, high), (left, high), (left, low)]
    path.set_points_as_corners(np.array([[x, y, 0.0] for x, y in corners]))


class GateBars(DataBound, VGroup):
    """A layer's experts in their groups, and what the gate gives each of them for one token.

    >>> gate = GateBars(scores, biased, groups=4)            # both over the axis "expert"
    >>> self.add(gate);  self.play(gate.rise());  self.play(gate.lean(1.0))   # scores, then the bias on top of them
    >>> self.play(gate.weigh());  self.play(gate.turn_to(next_scores, next_biased))

    Above each square stands the score for choosing: the plain score and, as a piece of another colour, the bias (a
    negative one is cut out of the bar, and the piece is hollow). Below hangs the score for weighing, which knows no
    bias. All bars have one scale, ``unit`` for a score of ``top``, which a fine line marks: one, or where all scores
    of ``like`` (by default those shown) are far from one, a rounder neighbour of the largest. Bars longer than ``room``
    make the unit shorter.

    Attributes
    ----------
    squares, boxes
        Experts; the frames of their groups.
    choosing, pieces, weighing
        Bars over and under each square.
    """

    def __init__(
        self,
        scores: NamedArray,
        biased: NamedArray | None = None,
        *,
        groups: int = 1,
        width: float = 11.6,
        unit: float = 1.2,
        room: float = np.inf,
        like: NamedArray | None = None,
        hanging: bool = False,
    ) -> None:
        as_array(scores, "GateBars: scores", 1)
        count = len(scores.values)
        if biased is not None and as_array(biased, "GateBars: biased", 1).values.shape != scores.values.shape:
            raise ExplainError(f"{count} scores cannot stand beside {len(biased.values)} biased ones; pick one token")
        if groups < 1 or count % groups or count > 512:
            raise ExplainError(f"{count} experts in {groups} groups cannot be drawn; give equal groups, at most 512")
        super().__init__()
        self.bound = Bound.of((scores, biased))
        self.scores, self.biased = self._data(scores, biased)
        whole = self.scores if like is None else like.values.astype(np.float64)
        self.top_score = next((top for top in _TOPS if whole.max() <= top), float(whole.max()))
        longest = max(whole.max(), self.biased.max()) / self.top_score
        self.groups, self.unit = groups, min(unit, room / max(longest, 1e-9))
        pitch = width / (count + 0.6 * (groups - 1))
        apart = 0.6 * pitch
        self.crowded = pitch < _CROWDED
        if self.crowded:
            apart = 0.32
            pitch = (width - apart * (groups - 1)) / count
        self.side = min(0.62, pitch * (0.8 if self.crowded else 0.66))
        self.squares = VGroup(*(self._square(pitch * at + apart * (at * groups // count)) for at in range(count)))
        self.boxes = VGroup(*(self._frame(self.squares[place : place + count // groups]) for place in self._firsts()))
        self.marks = self._marks()
        bars = [VMobject(stroke_width=0, fill_color=theme.role("router"), fill_opacity=1) for _ in range(count)]
        self.choosing = VGroup(*bars)
        self.weighing = VGroup(*(bar.copy() for bar in bars))
        self.pieces = VGroup(*(self._piece(up) for up in self._upwards()))
        self.level, self.share, self.below = 1.0, 1.0, float(hanging)
        self.add(self.marks, self.boxes, self.squares, self.choosing, self.pieces, self.weighing)
        self.center()
        self.show()

    # ------------------------------------------------------------------ parts
    def _firsts(self) -> range:
        return range(0, len(self.squares), len(self.squares) // self.groups)

    def _square(self, x: float) -> Square:
        square = Square(self.side, stroke_width=1.6, stroke_color=theme.role("expert"))
        if self.crowded:
            square.stretch_to_fit_height(0.16).set_stroke(width=0)
        return square.set_fill(theme.tint("expert", 0.22), 1).shift(RIGHT * x)

    def _frame(self, squares: VGroup) -> RoundedRectangle:
        frame = RoundedRectangle(
            width=squares.width + 0.22, height=squares.height + 0.22, corner_radius=0.1, stroke_width=1.6
        )
        return frame.set_stroke(theme.role("hairline")).move_to(squares)

    def _marks(self) -> Axes2D:
        """Lines at the scores nothing and `top_score`."""
        width, high = self.squares.width + 0.3, self.top_score
        marks = Axes2D(Axis(0, 1), Axis(0, high, ticks=(0.0, high)), width=width, height=self.unit, x_ticks=False)
        foot = self.squares.get_corner(UP + LEFT) + 0.15 * LEFT + _GAP * UP
        return marks.shift(foot - marks.point_at(0, 0))

    def _upwards(self) -> list[bool]:
        if len(self.bound) == 1:
            return [True] * len(self.squares)
        return [bool(each >= 0) for each in self.bound[1].values - self.bound[0].values]

    def _piece(self, upwards: bool) -> VMobject:
        piece = VMobject(stroke_width=1.8, stroke_color=theme.role("reward" if upwards else "cost"))
        return piece.set_fill(theme.role("reward"), 1.0 if upwards else 0.0)

    @staticmethod
    def _data(scores: NamedArray, biased: NamedArray | None) -> tuple[Floats, Floats]:
        plain = scores.values.astype(np.float64)
        return plain, plain if biased is None else biased.values.astype(np.float64)

    # ------------------------------------------------------------------ values → bars
    def show(self) -> Self:
        """Give every bar the length of its value at this moment."""
        for index, square in enumerate(self.squares):
            half = square.width * (0.5 if self.crowded else 0.36)
            left, right = square.get_x() - half, square.get_x() + half
            unit = self.unit / self.top_score * square.width / self.side
            plain = max(float(self.scores[index]), 0.0) * self.level
            whole = max(plain + (float(self.biased[index]) * self.level - plain) * self.share, 0.0)
            foot, head = square.get_top()[1] + _GAP, square.get_bottom()[1] - _GAP
            _box(self.choosing[index], left, right, foot, foot + max(min(plain, whole) * unit, 0.004))
            ends = sorted((foot + plain * unit, foot + whole * unit))
            if ends[1] - ends[0] > 1e-3:
                _box(self.pieces[index], left, right, *ends)
            else:
                self.pieces[index].clear_points()
            _box(self.weighing[index], left, right, head - max(plain * unit * self.below, 1e-4), head)
        return self

    def top(self, index: int) -> Floats:
        """The middle of the upper end of what counts in choosing: a piece that is cut out of the bar does not."""
        raised = len(self.pieces[index].points) and self.biased[index] > self.scores[index]
        return np.asarray((self.pieces if raised else self.choosing)[index].get_top())

    def parts(self, index: int) -> VGroup:
        """An expert's square and bars."""
        return VGroup(self.squares[index], self.choosing[index], self.pieces[index], self.weighing[index])

    # ------------------------------------------------------------------ motion
    def rise(self, **options: Any) -> GateMove:
        """The animation in which scores rise from nothing, still without bias."""
        self.level, self.share = 0.0, 0.0
        self.show()
        return GateMove(self, level=1.0, **options)

    def lean(self, share: float, **options: Any) -> GateMove:
        """The animation in which the bias comes (``share`` 1) or goes (0)."""
        return GateMove(self, share=share, **options)

    def weigh(self, **options: Any) -> GateMove:
        """The animation in which the plain scores hang down below the squares."""
        return GateMove(self, below=1.0, **options)

    def turn_to(self, scores: NamedArray, biased: NamedArray | None = None, **options: Any) -> GateMove:
        """The animation in which another token's scores take their place."""
        return GateMove(self, data=(scores, biased), **options)

    def light(self, chosen: Iterable[int], **options: Any) -> AnimationGroup:
        """The animation in which the chosen experts light up and the others do not."""
        lit = {int(index) for index in chosen}
        moves = [
            square.animate.set_fill(theme.role("expert") if index in lit else theme.tint("expert", 0.22), 1)
            for index, square in enumerate(self.squares)
        ]
        return AnimationGroup(*moves, **{"run_time": theme.LEAVE, **options})

    def close(self, groups: Iterable[int], **options: Any) -> AnimationGroup:
        """The animation in which whole groups stand back, because a token may not use them."""
        each = len(self.squares) // self.groups
        closed = [index for group in groups for index in range(group * each, (group + 1) * each)]
        return dim(*(self.parts(index) for index in closed), to=0.22, **options)


class GateMove(Animation):
    """The bars of a `GateBars` go to other lengths."""

    def __init__(
        self,
        gate: GateBars,
        *,
        level: float | None = None,
        share: float | None = None,
        below: float | None = None,
        data: tuple[NamedArray, NamedArray | None] | None = None,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        wanted = {"level": level, "share": share, "below": below}
        self._goal = {name: value for name, value in wanted.items() if value is not None}
        self._data = data
        if data is not None and as_array(data[0], "turn_to", 1).values.shape != gate.bound[0].values.shape:
            raise ExplainError(f"a gate of {len(gate.squares)} experts cannot show {data[0].shape}; build a new one")
        super().__init__(gate, run_time=run_time, rate_func=rate_func, **options)

    def begin(self) -> None:
        """Note where the bars start."""
        gate = self.mobject
        self._from = {name: getattr(gate, name) for name in self._goal}
        self._values = (gate.scores, gate.biased)
        self._to = self._values if self._data is None else gate._data(*self._data)
        super().begin()

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the bars of this moment."""
        share = self.rate_func(alpha)
        for name, goal in self._goal.items():
            setattr(self.mobject, name, self._from[name] + (goal - self._from[name]) * share)
        pairs = zip(self._values, self._to, strict=True)
        self.mobject.scores, self.mobject.biased = (low + (high - low) * share for low, high in pairs)
        self.mobject.show()

    def finish(self) -> None:
        """Leave the gate bound to its new values."""
        super().finish()
        if self._data is not None:
            self.mobject.bound = Bound.of(self._data)
