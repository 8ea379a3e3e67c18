"""Real tensors as grids of cells, drawn as one image each, with their axes, shape and colour bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, Animation, Dot, Group, Rectangle, RoundedRectangle, VGroup
from numpy.typing import NDArray

from explainers.errors import ExplainError
from explainers.quantities import Computed, Quantity
from explainers.traces import NamedArray
from scenes.kit import fonts, theme
from scenes.kit.binding import Bound, DataBound, as_array
from scenes.kit.cells import CellImage, Pixels
from scenes.kit.numbers import NumberLabel
from scenes.kit.scales import ColorBar, ColorScale
from scenes.kit.text import Label
from scenes.kit.tokens import visible

_GAP = -1


def axis_size(array: NamedArray, axis: str) -> Quantity:
    """The length of an axis as a Quantity."""
    formula = f"length of axis {axis} of {array.name or 'the array'}"
    return Quantity(array[axis], "", Computed(formula, run=array.run, digest=array.digest), formula)


def shown_indices(length: int, most: int) -> list[int]:
    """Which entries of a long axis are shown: the first ones, a gap (−1) and the last one."""
    if length <= most:
        return list(range(length))
    return [*range(most - 2), _GAP, length - 1]


class CountNote(VGroup):
    """How much of an axis is shown: ``latent 32``, or ``latent 16 of 512`` where some is left out."""

    def __init__(self, array: NamedArray, axis: str, shown: int, size: str | float = "tick", name: str = "") -> None:
        total = axis_size(array, axis)
        before = f"{name or axis.replace('_', ' ')} "
        parts = [NumberLabel(total, "plain", before=before, size=size, role="muted", weight="regular")]
        if shown < array[axis]:
            part = Quantity(shown, "", Computed(f"entries of {axis} that are drawn"), f"shown of {axis}")
            parts = [
                NumberLabel(part, "plain", before=before, size=size, role="muted", weight="regular"),
                NumberLabel(total, "plain", before="of ", size=size, role="muted", weight="regular"),
            ]
        super().__init__(*parts)
        self.arrange(RIGHT, buff=theme.cap_units(size) * 0.55)


class ShapeLabel(VGroup):
    """The whole shape of an array: ``12 × 512``.

    >>> ShapeLabel(trace["c_kv"])
    """

    def __init__(self, array: NamedArray, size: str | float = "small", role: str = "muted") -> None:
        as_array(array, "ShapeLabel")
        parts = [
            NumberLabel(
                axis_size(array, axis), "plain", before="× " if i else "", size=size, role=role, weight="regular"
            )
            for i, axis in enumerate(array.axes)
        ]
        super().__init__(*parts)
        self.arrange(RIGHT, buff=theme.cap_units(size) * 0.5)


class TensorGrid(DataBound, Group):
    """A matrix (or vector) of real values as a grid of coloured cells: one image.

    >>> grid = TensorGrid(trace["c_kv"].pick(layer=2), role="latent", max_columns=32)
    >>> self.play(FadeIn(grid));  self.play(grid.morph_to(other))

    Parameters
    ----------
    values
        `NamedArray` with one or two axes: rows, columns. One axis makes a column (``vertical``) or a row.
    scale
        A `ColorScale` shared with other grids; by default the grid's own: signed where values are negative.
    role
        Colour of the frame, and of a sequential scale.
    cell, width, height
        Side of a cell in units; or the room for all cells, which then may be rectangles.
    max_rows, max_columns
        More than this is left out behind an ellipsis, and the axis note says "16 of 512".
    name
        Written above the grid; axis notes and the colour bar stand below and at the right.
    row_labels
        Write the labels of the first axis (tokens, heads) at its left.
    """

    def __init__(
        self,
        values: NamedArray,
        *,
        scale: ColorScale | None = None,
        role: str = "",
        cell: float = 0.2,
        width: float | None = None,
        height: float | None = None,
        max_rows: int = 32,
        max_columns: int = 48,
        vertical: bool = True,
        name: str = "",
        notes: bool = True,
        bar: bool = True,
        row_labels: bool = False,
        fmt: str = "2",
        gap: float = 0.1,
        rounding: float = 0.12,
    ) -> None:
        as_array(values, "TensorGrid", (1, 2))
        super().__init__()
        self.bound = Bound((values,))
        self.scale_of_colour = scale or ColorScale.of(values, role=role)
        self._vertical = vertical
        matrix = self._matrix(values)
        self.rows = shown_indices(matrix.shape[0], max_rows)
        self.columns = shown_indices(matrix.shape[1], max_columns)
        size = (width or len(self.columns) * cell, height or len(self.rows) * cell)
        self.image = CellImage(self.colours_of(matrix), width=size[0], height=size[1], gap=gap, rounding=rounding)
        self.add(self.image, self._ellipses())
        self.frame = self._frame(role)
        if role:
            self.add(self.frame)
        self.notes, self.row_texts = VGroup(), VGroup()
        if row_labels:
            self._add_row_labels(values)
        if notes:
            self._add_notes(values)
        self.name_label: Label | None = None
        if name:
            self.name_label = Label(name, "small", role or "text").next_to(self.image, UP, buff=0.16)
            self.add(self.name_label)
        self.bar: ColorBar | None = None
        if bar:
            length = min(max(size[1], 0.9), 2.6)
            self.bar = ColorBar(self.scale_of_colour, length=length, fmt=fmt).next_to(self.image, RIGHT, buff=0.28)
            self.add(self.bar)

    # ------------------------------------------------------------------ values → colours
    def _matrix(self, values: NamedArray) -> NDArray[Any]:
        array = values.values
        if array.ndim == 1:
            array = array[:, None] if self._vertical else array[None]
        return array

    def _shown(self, matrix: NDArray[Any]) -> NDArray[np.float64]:
        return matrix[np.ix_(self.rows, self.columns)].astype(np.float64)

    def _painted(self, shown: NDArray[np.float64]) -> Pixels:
        colours = self.scale_of_colour.colours(shown)
        opaque = np.full((*colours.shape[:2], 1), 255, dtype=np.uint8)
        opaque[[i for i, row in enumerate(self.rows) if row == _GAP]] = 0
        opaque[:, [i for i, column in enumerate(self.columns) if column == _GAP]] = 0
        return np.concatenate([colours, opaque], axis=2)

    def colours_of(self, matrix: NDArray[Any]) -> Pixels:
        """RGBA bytes of the cells that are shown for a whole matrix."""
        return self._painted(self._shown(matrix))

    # ------------------------------------------------------------------ parts
    def _frame(self, role: str) -> RoundedRectangle:
        return RoundedRectangle(
            width=self.image.width + 0.1,
            height=self.image.height + 0.1,
            corner_radius=0.06,
            stroke_color=theme.role(role or "hairline"),
            stroke_width=2.2,
        ).move_to(self.image)

    def _ellipses(self) -> VGroup:
        dots = VGroup()
        pitch = np.array([self.image.width / len(self.columns), self.image.height / len(self.rows)])
        radius = max(0.024, 0.1 * pitch.min())
        for shown, along in ((self.columns, RIGHT), (self.rows, UP)):
            if _GAP in shown:
                place = shown.index(_GAP)
                across = along is RIGHT
                centre = self._point(0 if across else place, place if across else 0, middle=across)
                dots.add(*(Dot(centre + along * 2.4 * radius * k) for k in (-1, 0, 1)))
        for dot in dots:
            dot.set(width=2 * radius).set_fill(theme.role("text"), 1)
        return dots

    def _point(self, row: float, column: float, middle: bool | None = None) -> NDArray[np.float64]:
        """Centre of the cell at these positions among the shown ones; ``middle`` puts a gap's dots half-way along."""
        tall, wide = self.image.height / len(self.rows), self.image.width / len(self.columns)
        x = (column + 0.5) * wide if middle is not False else self.image.width / 2
        y = (row + 0.5) * tall if middle is not True else self.image.height / 2
        return self.image.get_corner(UP + LEFT) + np.array([x, -y, 0.0])

    def _add_notes(self, values: NamedArray) -> None:
        axes = list(values.axes)
        if len(axes) == 2:
            row_axis, column_axis = axes
        else:
            row_axis, column_axis = (axes[0], "") if self._vertical else ("", axes[0])
        if column_axis:
            shown = sum(c != _GAP for c in self.columns)
            self.notes.add(CountNote(values, column_axis, shown).next_to(self.image, DOWN, buff=0.14))
        if row_axis:
            shown = sum(r != _GAP for r in self.rows)
            note = CountNote(values, row_axis, shown)
            if len(axes) == 2:
                note.rotate(np.pi / 2).next_to(Group(self.image, self.row_texts), LEFT, buff=0.14)
            else:
                note.next_to(self.image, DOWN, buff=0.14)
            self.notes.add(note)
        self.add(self.notes)

    def _add_row_labels(self, values: NamedArray) -> None:
        axis = values.axes[0]
        names = values.labels.get(axis)
        if names is None:
            raise ExplainError(f"{values.name or 'the array'} has no labels for axis {axis!r}; drop row_labels")
        pitch, half = self.image.height / len(self.rows), self.image.width / len(self.columns) / 2
        size = min(theme.SIZES["small"], max(theme.SIZES["tick"] * 0.85, pitch * 0.55 * theme.PIXELS_PER_UNIT))
        for position, row in enumerate(self.rows):
            if row != _GAP:
                text = Label(visible(names[row]), size, "token", font=fonts.MONO)
                text.text_kind = "token"
                self.row_texts.add(text.next_to(self._point(position, 0) + LEFT * half, LEFT, buff=0.14))
        self.add(self.row_texts)

    # ------------------------------------------------------------------ pointing at cells
    def _position(self, index: int, shown: list[int], axis: str) -> int:
        whole = self._matrix(self.bound[0]).shape[0 if axis == "row" else 1]
        index = index + whole if index < 0 else index
        if index not in shown:
            drawn = sum(i != _GAP for i in shown)
            raise ExplainError(f"{axis} {index} is not drawn: the grid shows {drawn} of {whole}; raise max_{axis}s")
        return shown.index(index)

    def cell(self, row: int, column: int = 0) -> NDArray[np.float64]:
        """Where the centre of a cell stands (indices of the whole array)."""
        return self._point(self._position(row, self.rows, "row"), self._position(column, self.columns, "column"))

    def highlight(self, row: int | None = None, column: int | None = None, role: str = "accent") -> Rectangle:
        """A frame around one row, one column or one cell (both given)."""
        tall, wide = self.image.height / len(self.rows), self.image.width / len(self.columns)
        width = self.image.width if column is None else wide
        height = self.image.height if row is None else tall
        centre = self.image.get_center()
        if row is not None:
            centre[1] = self._point(self._position(row, self.rows, "row"), 0)[1]
        if column is not None:
            centre[0] = self._point(0, self._position(column, self.columns, "column"))[0]
        frame = Rectangle(width=width + 0.04, height=height + 0.04, stroke_color=theme.role(role), stroke_width=3)
        return frame.move_to(centre)

    # ------------------------------------------------------------------ motion
    def morph_to(self, values: NamedArray, **options: Any) -> GridMorph:
        """The animation in which the values become other values of the same shape, on the same colour scale."""
        return GridMorph(self, values, **options)

    def reveal(self, along: str = "columns", **options: Any) -> GridReveal:
        """The animation in which rows or columns appear one after the other."""
        return GridReveal(self, along, **options)


class GridMorph(Animation):
    """A `TensorGrid` whose values move to other values; its ``bound`` follows."""

    def __init__(
        self,
        grid: TensorGrid,
        values: NamedArray,
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = theme.EASE,
        **options: Any,
    ) -> None:
        as_array(values, "morph_to", grid.bound[0].values.ndim)
        if values.values.shape != grid.bound[0].values.shape:
            raise ExplainError(f"a grid of shape {grid.bound[0].shape} cannot become {values.shape}; build a new one")
        self._from = grid._shown(grid._matrix(grid.bound[0]))
        self._to = grid._shown(grid._matrix(values))
        self._values = Bound((values,))
        super().__init__(grid, run_time=run_time, rate_func=rate_func, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the values at this moment."""
        share = self.rate_func(alpha)
        self.mobject.image.set_cells(self.mobject._painted(self._from + (self._to - self._from) * share))

    def finish(self) -> None:
        """Leave the grid bound to its new values."""
        super().finish()
        self.mobject.bound = self._values


class GridReveal(Animation):
    """The cells of a `TensorGrid` appear in order along its columns or rows."""

    def __init__(
        self,
        grid: TensorGrid,
        along: str = "columns",
        run_time: float = theme.TRANSFORM,
        rate_func: Callable[[float], float] = lambda t: t,
        **options: Any,
    ) -> None:
        if along not in ("rows", "columns"):
            raise ExplainError(f"a grid appears along rows or columns, not {along!r}")
        self._opaque = grid.image.pixel_array[:, :, 3].astype(np.float64)
        rows, columns = grid.image.cells
        places = np.indices((rows, columns), dtype=np.float64)
        self._order = places[0] if along == "rows" else places[1]
        super().__init__(grid, run_time=run_time, rate_func=rate_func, introducer=True, **options)

    def interpolate_mobject(self, alpha: float) -> None:
        """Show the cells that have arrived."""
        front = self.rate_func(alpha) * (self._order.max() + 3)
        arrived = np.clip((front - self._order) / 3, 0, 1)
        self.mobject.image.pixel_array[:, :, 3] = np.rint(self._opaque * arrived)


class VectorColumn(TensorGrid):
    """An activation: a column of cells in the frame of its role.

    >>> VectorColumn(trace["c_kv"].pick(layer=2, token=5), role="latent", name="c", cell=0.16)

    Two columns drawn with the same ``cell`` and ``max_cells`` ≥ their lengths are to scale: a latent of 32 beside
    keys of 128 is a quarter as tall.
    """

    def __init__(
        self,
        values: NamedArray,
        *,
        role: str = "token",
        scale: ColorScale | None = None,
        cell: float = 0.18,
        max_cells: int = 32,
        name: str = "",
        notes: bool = False,
        bar: bool = False,
        vertical: bool = True,
    ) -> None:
        as_array(values, "VectorColumn", 1)
        super().__init__(
            values,
            scale=scale or ColorScale.of(values),
            role=role,
            cell=cell,
            max_rows=max_cells,
            max_columns=max_cells,
            vertical=vertical,
            name=name,
            notes=notes,
            bar=bar,
        )
