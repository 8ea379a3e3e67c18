"""A small picture of any array: what a tensor of a run looks like before somebody drew it on purpose."""

from __future__ import annotations

import numpy as np
from manim import Mobject

from explainers.traces import NamedArray
from scenes.kit import BarRow, LineChart, Series, TensorGrid

_ROWS, _COLUMNS = 40, 96
_BARS = 16  # so many values are bars; more are a curve


def plane(array: NamedArray) -> tuple[NamedArray, str]:
    """The last two axes that have a length, the first entry of all others, and how that is said."""
    long = [axis for axis in array.axes if array[axis] > 1] or list(array.axes)
    kept = long[-2:]
    others = [axis for axis in array.axes if axis not in kept]
    words = ", ".join(f"{axis} {_label(array, axis)}" for axis in others if array[axis] > 1)
    return array.pick(**dict.fromkeys(others, 0)), words


def _label(array: NamedArray, axis: str) -> str:
    return array.labels[axis][0] if axis in array.labels else "0"


def portrait(array: NamedArray) -> Mobject | None:
    """A grid for two axes, bars or a curve for one; nothing where there is nothing to compare."""
    flat, _ = plane(array)
    values = flat.values
    if values.size < 2 or not np.isfinite(values).all():
        return None
    if values.dtype == np.bool_:
        flat = NamedArray(
            values.astype(np.float64), flat.axes, flat.name, flat.unit, flat.labels, flat.run, flat.digest
        )
    if len(flat.axes) == 2:
        return TensorGrid(flat, max_rows=_ROWS, max_columns=_COLUMNS, width=9.0, height=4.2, gap=0.06)
    if values.size <= _BARS:
        return BarRow(flat, width=8, height=2.4)
    return LineChart([Series(flat.name, flat, role="router")], x_name=flat.axes[0], names="", width=8, height=3)
