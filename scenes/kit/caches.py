"""Caches drawn to scale: every cell is the same number of bytes, and strips that are compared share that number."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from manim import DL, DOWN, LEFT, RIGHT, UL, UP, Animation, DashedLine, VGroup, VMobject
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.quantities import Computed, Quantity, computed
from scenes.kit import theme
from scenes.kit.binding import Bound, DataBound, as_quantity
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label

_MOST_CELLS = 3000
_CELL_FILL = 0.86


@dataclass(frozen=True, eq=False)
class CacheScale:
    """How long a byte is. Give the same one to every strip of a picture.

    >>> scale = CacheScale.of(mha, gqa, mla, length=10)     # the largest fills 10 units

    ``full`` bytes fill ``length`` units in one row; a cell is ``cell`` bytes.
    """

    full: Quantity
    length: float
    cell: Quantity
    data_fields: ClassVar[tuple[str, ...]] = ("full", "cell")

    @classmethod
    def of(cls, *sizes: Quantity, length: float = 10.0, cells: int = 80, rows: int = 1) -> CacheScale:
        """The scale at which the largest of ``sizes`` fills ``rows`` rows, in about ``cells`` cells of round size."""
        if not sizes:
            raise ExplainError("CacheScale.of needs at least one size in bytes")
        largest = max((as_quantity(size, "CacheScale") for size in sizes), key=float)
        if float(largest) <= 0:
            raise ExplainError("a cache scale needs at least one size above zero")
        cell = _round_up(float(largest) / cells)
        unit = largest.unit
        per_row = computed(float(largest) / rows, unit, f"{largest.short()} in {rows} rows", (largest,), name="one row")
        return cls(per_row, length, Quantity(cell, unit, Computed("round size of a cell"), "one cell"))

    @property
    def pitch(self) -> float:
        """Length of a cell in units."""
        return self.length * float(self.cell) / float(self.full)

    def note(self, size: str | float = "tick") -> NumberLabel:
        """``one cell = 1 GB``: stands somewhere in every picture with strips."""
        return NumberLabel(self.cell, "si 1", before="one cell = ", size=size, role="muted", weight="regular")


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * 0.9999))


class CacheStrip(DataBound, VGroup):
    """A cache as a row of cells to scale, with its name and its size.

    >>> strip = CacheStrip(bytes, scale=scale, name="MLA", role="latent")
    >>> self.play(strip.grow_to(bytes_at_128k))

    Parameters
    ----------
    bytes
        Its size, a Quantity in bytes (or bytes a token).
    scale
        Shared by strips that are compared.
    rows
        A strip longer than the scale's length goes on in the next row, up to so many; beyond that its last cells
        become a mark ``»`` and the number alone says how much it is.
    limit
        A size (one GPU's memory): cells beyond it take the colour of ``cost``; `limit_mark` draws the line.
    """

    def __init__(
        self,
        bytes: Quantity,
        *,
        scale: CacheScale,
        name: str = "",
        role: str = "key",
        rows: int = 1,
        limit: Quantity | None = None,
        thickness: float = 0.4,
        number: bool = True,
        fmt: str = "si",
        size: str | float = "small",
    ) -> None:
        super().__init__()
        if as_quantity(bytes, "CacheStrip").unit != scale.full.unit:
            raise ExplainError(f"CacheStrip: {bytes.short()} is in {bytes.unit!r}, its scale in {scale.full.unit!r}")
        if bytes.value < 0:
            raise ExplainError(f"CacheStrip: {bytes.short()} is negative; a cache holds zero bytes or more")
        self.bound = Bound.of([bytes, limit])
        self.quantity_shown = bytes
        self.scale_of_bytes, self.role, self.rows, self.limit = scale, role, rows, limit
        self.thickness, self._fmt, self._size = thickness, fmt, size
        if rows * scale.length / scale.pitch > _MOST_CELLS:
            raise ExplainError(f"a strip of {rows} rows would have more than {_MOST_CELLS} cells; use larger cells")
        self.origin_mark = VMobject(stroke_width=0).set_points(np.linspace([0, 0, 0], [0, thickness / 2, 0], 4))
        self.cells = VMobject(stroke_width=0, fill_color=theme.role(role), fill_opacity=1)
        self.beyond = VMobject(stroke_width=0, fill_color=theme.role("cost"), fill_opacity=1)
        self.more = VMobject(stroke_width=3.5, stroke_color=theme.role(role))
        self.add(self.origin_mark, self.cells, self.beyond, self.more)
        self.number: NumberLabel | None = None
        self._show(bytes, number=number)
        self.name_label: Label | None = None
        if name:
            self.name_label = Label(name, size, role).next_to(self.start, UP, buff=thickness / 2 + 0.1)
            self.name_label.shift([self.start[0] - self.name_label.get_left()[0], 0, 0])
            self.add(self.name_label)

    # ------------------------------------------------------------------ geometry
    @property
    def start(self) -> NDArray[np.float64]:
        """The left end of the first row, half-way up."""
        return np.asarray(self.origin_mark.points[0])

    @property
    def factor(self) -> float:
        """How much the strip was scaled since it was built."""
        points = self.origin_mark.points
        return float(np.linalg.norm(points[-1] - points[0])) / (self.thickness / 2)

    def place(self, size: Quantity | float) -> NDArray[np.float64]:
        """Where the strip ends when it holds so many bytes."""
        across = float(size) / float(self.scale_of_bytes.full)
        row = min(max(math.ceil(across - 1e-9) - 1, 0), self.rows - 1)
        x = min(across - row, 1.0) * self.scale_of_bytes.length
        return np.asarray(self.start + (RIGHT * x + DOWN * row * self.thickness * 1.25) * self.factor)

    def _boxes(self, low: float, high: float) -> NDArray[np.float64]:
        """Outlines of the cells between two sizes in bytes: (n, 16, 3) Bézier points."""
        cell, row_bytes = float(self.scale_of_bytes.cell), float(self.scale_of_bytes.full)
        high = min(high, row_bytes * self.rows)
        edges = np.unique(
            np.concatenate(
                [
                    np.arange(math.floor(low / cell), math.ceil(high / cell) + 1) * cell,
                    np.arange(self.rows + 1) * row_bytes,
                    [low, high],
                ]
            )
        )
        edges = edges[(edges >= low) & (edges <= high)]
        left, right = edges[:-1], edges[1:]
        keep = right - left > 1e-9 * row_bytes
        left, right = left[keep], right[keep]
        row = np.minimum(np.floor(left / row_bytes + 1e-9), self.rows - 1)
        unit = self.scale_of_bytes.length / row_bytes
        inset = (1 - _CELL_FILL) * min(self.scale_of_bytes.pitch, self.thickness) / 2
        x0 = (left - row * row_bytes) * unit + inset
        x1 = np.maximum((right - row * row_bytes) * unit - inset, x0 + 0.004)
        middle = -row * self.thickness * 1.25
        outlines = _rectangles(x0, x1, middle - self.thickness / 2, middle + self.thickness / 2)
        return np.asarray(outlines * self.factor + self.start)

    def _show(self, size: Quantity, number: bool = True) -> None:
        value = float(size)
        limit = float(self.limit) if self.limit is not None else math.inf
        self.cells.set_points(self._boxes(0.0, min(value, limit)).reshape(-1, 3))
        self.beyond.set_points(self._boxes(limit, value).reshape(-1, 3) if value > limit else np.zeros((0, 3)))
        end = self.place(size)
        overflow = value > float(self.scale_of_bytes.full) * self.rows * (1 + 1e-9)
        self.more.set_points(np.zeros((0, 3)))
        if overflow:
            self._mark_overflow(end)
            self.more.set_stroke(theme.role("cost" if value > limit else self.role))
            end = end + RIGHT * 0.42 * self.factor
        if number:
            fresh = NumberLabel(size, self._fmt, size=self._size).scale(self.factor)
            fresh.next_to(end, RIGHT, buff=0.14 * self.factor)
            if self.number is None:
                self.number = fresh
                self.add(self.number)
            else:
                self.number.set_points(fresh.points)
                self.number.shown_text, self.number.quantity = fresh.shown_text, size
                self.number.bound = fresh.bound
        self.quantity_shown = size

    def _mark_overflow(self, end: NDArray[np.float64]) -> None:
        half = self.thickness / 2 * self.factor
        for step in (0.1 * self.factor, 0.24 * self.factor):
            self.more.start_new_path(end + RIGHT * step + UP * half)
            self.more.add_line_to(end + RIGHT * (step + 0.12 * self.factor))
            self.more.add_line_to(end + RIGHT * step + DOWN * half)

    # ------------------------------------------------------------------ for scenes
    def limit_mark(self, name: str, fmt: str = "si", rise: float = 0.3) -> VGroup:
        """A dashed line across the strip at its limit, named: ``one GPU: 80.0 GB``."""
        if self.limit is None:
            raise ExplainError("this strip has no limit; build it with limit=…")
        at = self.place(self.limit)
        line = DashedLine(
            at + UP * (self.thickness / 2 + rise),
            at + DOWN * (self.thickness / 2 + 0.1),
            stroke_color=theme.role("cost"),
            stroke_width=2.5,
            dash_length=0.07,
        )
        text = NumberLabel(self.limit, fmt, before=f"{name}: ", size=self._size, role="cost", weight="regular")
        return VGroup(line, text.next_to(line, UP, buff=0.08))

    def grow_to(self, bytes: Quantity, **options: Any) -> GrowCache:
        """The animation in which the strip grows (or shrinks) to another size, with its number."""
        return GrowCache(self, bytes, **options)


class GrowCache(Animation):
    """A `CacheStrip` changes its size; cells and number move together."""

    def __init__(
        self,
        strip: CacheStrip,
        bytes: Quantity,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        as_quantity(bytes, "grow_to")
        if bytes.unit != strip.quantity_shown.unit:
            raise ExplainError(f"a strip in {strip.quantity_shown.unit!r} cannot grow to {bytes.unit!r}; use one unit")
        self._from, self._to = strip.quantity_shown, bytes
        super().__init__(strip, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the size at this moment."""
        share = self.rate_func(alpha)
        start, end = float(self._from), float(self._to)
        between = f"between {self._from.short()} and {self._to.short()}"
        here = self._to if share >= 1 else self._from if share <= 0 else None
        if here is None:
            origin = Computed(between, (self._from, self._to))
            here = replace(self._to, value=start + (end - start) * share, origin=origin, name=between, key="")
        self.mobject._show(here, number=self.mobject.number is not None)

    def finish(self) -> None:
        """Leave the strip bound to its new size."""
        super().finish()
        self.mobject.bound = Bound.of([self._to, self.mobject.limit])


class CacheStack(VGroup):
    """Strips one below the other, their first cells in one column, with the note "one cell = …".

    >>> CacheStack([CacheStrip(mha, scale=scale, name="MHA"), CacheStrip(mla, scale=scale, name="MLA")])
    """

    def __init__(self, strips: list[CacheStrip], *, gap: float = 0.35, note: bool = True) -> None:
        if len({id(strip.scale_of_bytes) for strip in strips}) != 1:
            raise ExplainError("strips that stand together share one CacheScale; give all of them the same")
        super().__init__()
        self.strips = list(strips)
        low = 0.0
        for strip in strips:
            left_top = strip.get_corner(UL)
            strip.shift([-strip.start[0], low - left_top[1], 0])
            low = strip.get_corner(DL)[1] - gap
        self.add(*strips)
        self.note = strips[0].scale_of_bytes.note() if note else None
        if self.note is not None:
            self.add(self.note.next_to(self, DOWN, buff=0.2).align_to(self, LEFT))
        self.center()


def _rectangles(
    left: NDArray[np.float64], right: NDArray[np.float64], bottom: NDArray[np.float64], top: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Closed Bézier outlines of n rectangles: (n, 16, 3)."""
    zero = np.zeros_like(left)
    corners = np.stack(
        [np.stack([x, y, zero], 1) for x, y in ((left, bottom), (right, bottom), (right, top), (left, top))], 1
    )
    following = np.roll(corners, -1, axis=1)
    shares = np.array([0, 1 / 3, 2 / 3, 1])[None, None, :, None]
    return np.asarray((corners[:, :, None] * (1 - shares) + following[:, :, None] * shares).reshape(len(left), 16, 3))
