"""Experts by the hundred: which kind of text goes to which, a layer cut finer, and all layers of a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from manim import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Animation,
    FadeIn,
    FadeOut,
    Group,
    Rectangle,
    RoundedRectangle,
    VGroup,
)
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.quantities import Computed, Quantity
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity
from scenes.kit.cells import CellImage, Pixels
from scenes.kit.numbers import NumberLabel
from scenes.kit.scales import ColorBar, ColorScale
from scenes.kit.text import Label

Floats = NDArray[np.float64]


class ExpertHeatMap(DataBound, Group):
    """Which expert serves which kind of text: a row a domain, a column an expert, bright where more tokens go.

    >>> heat = ExpertHeatMap(trace["share"].pick(layer=2), groups=4)
    >>> self.add(heat.clear());  self.play(heat.fill());  self.play(heat.look_at("German"))

    ``share`` is (domain, expert), each row summing to 1. A cell's colour is its share against an even one: 1 on the
    colour bar is "as many as if experts were drawn by lot". Frames of the groups stand around the columns.

    Attributes
    ----------
    rows, names
        Domain → its cells, its name.
    boxes
        Frames of the groups.
    """

    def __init__(
        self, share: NamedArray, *, groups: int = 1, width: float = 9.6, row_height: float = 0.62, gap: float = 0.14
    ) -> None:
        as_array(share, "ExpertHeatMap", 2)
        domains = share.labels.get(share.axes[0])
        if not domains:
            raise ExplainError(f"{share.name or 'the array'} has no labels for {share.axes[0]!r}; name the domains")
        if share.values.min() < 0:
            raise ExplainError("shares are not below zero; give the part of each domain's tokens that an expert gets")
        experts = share.values.shape[1]
        if groups < 1 or experts % groups:
            raise ExplainError(f"{experts} experts do not divide into {groups} groups; give a divisor of {experts}")
        super().__init__()
        self.bound = Bound((share,))
        self.groups = groups
        self.against_even = share.values.astype(np.float64) * experts
        high = float(self.against_even.max())
        origin = Computed("largest share × experts", run=share.run, digest=share.digest)
        zero = Quantity(0.0, "×", Computed("zero by definition"), "none")
        self.scale_of_colour = ColorScale("sequential", zero, Quantity(high, "×", origin, "most"), "")
        self.rows: dict[str, Group] = {}
        self.names: dict[str, Label] = {}
        self.opacity = dict.fromkeys(domains, 1.0)
        each = experts // groups
        block = (width - gap * (groups - 1)) / groups
        for index, domain in enumerate(domains):
            colours = self.scale_of_colour.colours(self.against_even[index])[None]
            row = Group(
                *(
                    CellImage(colours[:, g * each : (g + 1) * each], width=block, height=row_height * 0.94, gap=0.06)
                    for g in range(groups)
                )
            ).arrange(RIGHT, buff=gap)
            self.rows[domain] = row.shift(DOWN * row_height * index)
            self.names[domain] = Label(domain, "body", "token").next_to(row, LEFT, buff=0.3)
        self.boxes = VGroup(*(self._box(Group(*(row[g] for row in self.rows.values()))) for g in range(groups)))
        self.bar = ColorBar(self.scale_of_colour, length=row_height * len(domains) - 0.3, fmt="times 2", size="tick")
        self.bar.next_to(Group(*self.rows.values()), RIGHT, buff=0.35)
        even = Quantity(1.0, "×", Computed("an even share, by definition"), "even")
        self.even = NumberLabel(even, "times 1", size="small", weight="regular")
        strip = self.bar[0]
        self.even.next_to(strip.get_bottom() + UP * strip.height / high, RIGHT, buff=0.15)
        self.add(*self.rows.values(), *self.names.values(), self.boxes, self.bar, self.even)
        self.center()

    @staticmethod
    def _box(cells: Group) -> RoundedRectangle:
        box = RoundedRectangle(
            width=cells.width + 0.08, height=cells.height + 0.08, corner_radius=0.08, stroke_width=1.6
        )
        return box.set_stroke(theme.role("hairline")).move_to(cells)

    def _row(self, domain: str) -> int:
        known = list(self.rows)
        if domain not in known:
            raise ExplainError(f"there is no domain {domain!r}; known: {', '.join(known)}")
        return known.index(domain)

    def favourites(self, domain: str, above: float = 2.0) -> list[int]:
        """Experts that get more than ``above`` times an even share of a domain, most first."""
        values = self.against_even[self._row(domain)]
        return [int(index) for index in np.argsort(-values, kind="stable") if values[index] > above]

    def cell(self, domain: str, expert: int) -> Rectangle:
        """A frame around one cell."""
        each = self.against_even.shape[1] // self.groups
        block = self.rows[list(self.rows)[self._row(domain)]][expert // each]
        wide = block.width / each
        frame = Rectangle(width=wide, height=block.height + 0.03, stroke_width=3.5, stroke_color=theme.role("accent"))
        return frame.move_to(block).align_to(block, LEFT).shift(RIGHT * wide * (expert % each))

    def clear(self) -> Self:
        """Take the cells away; `fill` brings them back, row by row."""
        for domain in self.rows:
            self.show_row(domain, 0.0)
        return self

    def show_row(self, domain: str, share: float) -> None:
        """Make a row as opaque as said."""
        self.opacity[domain] = share
        for cells in self.rows[domain]:
            cells.set_opacity(share)

    def fill(self, **options: Any) -> RowsTo:
        """The animation in which the tokens arrive in their rows, one row after the other, after `clear`."""
        return RowsTo(self, dict.fromkeys(self.rows, 1.0), lag=0.6, **options)

    def look_at(self, domain: str = "", **options: Any) -> RowsTo:
        """The animation in which the other rows stand back; without a name all stand forward."""
        if domain:
            self._row(domain)
        return RowsTo(self, {name: 1.0 if domain in ("", name) else 0.2 for name in self.rows}, **options)


class RowsTo(Animation):
    """The rows of an `ExpertHeatMap` come or stand back."""

    def __init__(
        self,
        heat: ExpertHeatMap,
        goal: dict[str, float],
        lag: float = 0.0,
        run_time: float = theme.ENTER,
        rate_func: Callable[[float], float] = lambda t: t,
        **options: Any,
    ) -> None:
        self._goal, self._lag = goal, lag
        super().__init__(heat, run_time=run_time, rate_func=rate_func, **options)

    def begin(self) -> None:
        """Note how the rows stand."""
        self._start = dict(self.mobject.opacity)
        super().begin()

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the rows of this moment."""
        moment = self.rate_func(alpha) * (1 + self._lag * (len(self._goal) - 1))
        for place, (domain, goal) in enumerate(self._goal.items()):
            share = theme.EASE(float(np.clip(moment - self._lag * place, 0, 1)))
            self.mobject.show_row(domain, self._start[domain] + (goal - self._start[domain]) * share)


class ExpertSplit(DataBound, VGroup):
    """A layer's experts cut finer and finer on the same area; as many lit as a token uses, always the same area.

    >>> split = ExpertSplit([trace["team_0"], trace["team_1"]])      # over the axis "expert", true where one is lit
    >>> self.play(FadeIn(split.levels[0]));  self.play(split.cut(1))

    ``levels[i]`` holds the pieces of cut i. Each cut must halve every piece.
    """

    def __init__(
        self, teams: Sequence[NamedArray], *, width: float = 7.2, height: float = 3.6, role: str = "expert"
    ) -> None:
        for team in teams:
            if not as_array(team, "ExpertSplit", 1).values.any() or len(team.values) > 1024:
                raise ExplainError("ExpertSplit: each cut needs 0 < chosen ≤ experts ≤ 1024")
        super().__init__()
        self.bound, self.role = Bound(teams), role
        self.levels = VGroup(*(self._level(team.values.astype(bool), width, height, role) for team in teams))
        self.add(self.levels)
        for level in self.levels:
            level.move_to(self.levels[0])
        self.center()

    @staticmethod
    def _level(lit: NDArray[np.bool_], width: float, height: float, role: str) -> VGroup:
        """Pieces in as many columns as keep them near a square, or half of one."""
        count = len(lit)
        divisors = [each for each in range(1, count + 1) if count % each == 0]
        columns = min(divisors, key=lambda each: abs(math.log(width / each / (height / (count // each)))))
        rows = count // columns
        gap = min(0.06, width / columns * 0.12)
        pieces = VGroup()
        for index in range(count):
            piece = Rectangle(width=width / columns - gap, height=height / rows - gap, stroke_width=0)
            piece.set_fill(theme.role(role) if lit[index] else theme.tint(role, 0.3), 1)
            row, column = divmod(index, columns)
            pieces.add(piece.move_to([(column + 0.5) * width / columns, -(row + 0.5) * height / rows, 0]))
        return pieces

    def cut(self, level: int, **options: Any) -> tuple[FadeOut, FadeIn]:
        """The animations in which the pieces of one cut give way to the next: ``self.play(*split.cut(1))``."""
        if not 0 < level < len(self.levels):
            raise ExplainError(f"there is no cut {level}; this layer is cut {len(self.levels) - 1} times")
        options = {"run_time": theme.ENTER, **options}
        return FadeOut(self.levels[level - 1], **options), FadeIn(self.levels[level], **options)

    def limit(self, open_groups: NamedArray, team: NamedArray, apart: float = 0.08) -> tuple[VGroup, list[Any]]:
        """Frames around groups of the finest pieces, and the animations that leave only the open ones, with a new team.

        ``open_groups`` (group) and ``team`` (expert) are true where a group is open and an expert lit. The groups move
        ``apart``, so that each has a frame of its own; the frames stand where the pieces go.
        """
        pieces = self.levels[-1]
        is_open = as_array(open_groups, "ExpertSplit.limit: groups", 1).values.astype(bool)
        lit = as_array(team, "ExpertSplit.limit: team", 1).values.astype(bool)
        if len(pieces) % len(is_open) or not is_open.any() or len(lit) != len(pieces):
            raise ExplainError(
                f"{is_open.sum()} of {len(is_open)} groups cannot be kept of {len(pieces)} experts; give a divisor"
            )
        each = len(pieces) // len(is_open)
        boxes, moves = VGroup(), []
        shifts = [DOWN * apart * (group - (len(is_open) - 1) / 2) for group in range(len(is_open))]
        for group in range(len(is_open)):
            inside = pieces[group * each : (group + 1) * each]
            box = Rectangle(width=inside.width + 0.05, height=inside.height + 0.05, stroke_width=2.5)
            box.set_stroke(theme.role("accent" if is_open[group] else "hairline")).move_to(inside).shift(shifts[group])
            boxes.add(box)
        for index, piece in enumerate(pieces):
            bright = theme.role(self.role) if lit[index] else theme.tint(self.role, 0.3)
            group = index // each
            moves.append(piece.animate.set_fill(bright, 1 if is_open[group] else 0.25).shift(shifts[group]))
        return boxes, moves


class ExpertField(DataBound, Group):
    """All experts of all layers: a row a layer, a cell an expert; those that a token uses are lit.

    >>> field = ExpertField(trace["chosen"], shared, width=11)          # (layer, token, expert), true where it is sent
    >>> self.add(field.sleep());  self.play(field.path(0));  self.play(field.path(1))      # two tokens, layer by layer

    Shared experts stand at the right and are lit for every token. After the last token comes the first again.
    """

    def __init__(
        self,
        chosen: NamedArray,
        shared: Quantity | None = None,
        *,
        width: float = 11.0,
        height: float = 3.6,
    ) -> None:
        super().__init__()
        self.routes = as_array(chosen, "ExpertField", 3).values.astype(bool)
        self.bound = Bound.of((chosen, as_quantity(shared, "ExpertField") if shared is not None else None))
        self.shape = (self.routes.shape[0], self.routes.shape[2])
        if math.prod(self.shape) > 200_000:
            raise ExplainError(f"ExpertField: {self.shape[1]} experts in {self.shape[0]} layers cannot be drawn")
        self.field = CellImage(self._pixels(self.lit(0)), width=width, height=height, gap=0.25)
        self.add(self.field)
        self.shared: CellImage | None = None
        if shared is not None and shared.value:
            wide = round(float(shared))
            bright = np.rint(np.array(theme.role("shared_expert").to_rgb()) * 255).astype(np.uint8)
            cells = np.tile(bright, (self.shape[0], wide, 1))
            self.shared = CellImage(cells, width=0.16 * wide, height=height, gap=0.25)
            self.add(self.shared.next_to(self.field, RIGHT, buff=0.18))
        self.center()

    def lit(self, token: int) -> NDArray[np.bool_]:
        """Which cells (layer, expert) shine for a token."""
        return np.asarray(self.routes[:, token % self.routes.shape[1]])

    def _pixels(self, lit: NDArray[np.bool_]) -> Pixels:
        bright, dark = (np.rint(np.array(c.to_rgb()) * 255) for c in (theme.role("expert"), theme.tint("expert", 0.2)))
        return np.where(lit[..., None], bright, dark).astype(np.uint8)

    def sleep(self) -> Self:
        """No token yet: all cells dark."""
        self.field.set_cells(self._pixels(np.zeros(self.shape, bool)))
        if self.shared is not None:
            self.shared.pixel_array[:, :, :3] = np.rint(np.array(theme.tint("shared_expert", 0.3).to_rgb()) * 255)
        return self

    def path(self, token: int, **options: Any) -> FieldPath:
        """The animation in which a token passes through the layers and wakes its experts in each."""
        return FieldPath(self, token, **options)


class FieldPath(Animation):
    """The lights of an `ExpertField` change from one token's to another's, from the first layer down."""

    def __init__(
        self,
        field: ExpertField,
        token: int,
        run_time: float = 2.0,
        rate_func: Callable[[float], float] = lambda t: t,
        **options: Any,
    ) -> None:
        self._lit = field._pixels(field.lit(token))
        bright = np.rint(np.array(theme.role("shared_expert").to_rgb()) * 255).astype(np.uint8)
        self._bright = bright
        super().__init__(field, run_time=run_time, rate_func=rate_func, **options)

    def begin(self) -> None:
        """Note what shines before."""
        self._before = self.mobject.field.pixel_array[:, :, :3].copy()
        super().begin()

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the layers that the token has passed."""
        passed = round(self.rate_func(alpha) * self.mobject.shape[0])
        now = self._before.copy()
        now[:passed] = self._lit[:passed]
        self.mobject.field.set_cells(now)
        if self.mobject.shared is not None:
            self.mobject.shared.pixel_array[:passed, :, :3] = self._bright
