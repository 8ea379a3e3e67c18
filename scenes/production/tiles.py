"""Which parts of a frame may have changed, in squares of 32 pixels."""

from __future__ import annotations

import math

import numpy as np

Box = tuple[int, int, int, int]  # top, bottom, left, right in pixels; ends exclusive

#: Boxes begin and end on multiples of this, or at the frame's edge.
SIDE = 32


class Mistaken(Exception):
    """A frame changed where nothing was marked."""


class Tiles:
    """Marks on a frame of ``width`` × ``height`` pixels; none at first."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._marked = np.zeros((-(-height // SIDE), -(-width // SIDE)), bool)

    def mark(self, top: float, bottom: float, left: float, right: float) -> None:
        """Mark what a rectangle reaches into; it may lie outside the frame in part or whole."""
        rows = slice(max(0, math.floor(top) // SIDE), max(0, math.ceil(bottom) // SIDE + 1))
        self._marked[rows, max(0, math.floor(left) // SIDE) : max(0, math.ceil(right) // SIDE + 1)] = True

    def mark_all(self) -> None:
        self._marked[:] = True

    def add(self, other: Tiles) -> None:
        """Mark what is marked there."""
        self._marked |= other._marked

    def clear(self) -> None:
        self._marked[:] = False

    def boxes(self) -> list[Box]:
        """Boxes that hold every mark, one below the other."""
        rows = np.flatnonzero(self._marked.any(axis=1))
        found = []
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else ():
            top, bottom = int(run[0]), int(run[-1]) + 1
            columns = np.flatnonzero(self._marked[top:bottom].any(axis=0))
            left, right = int(columns[0]) * SIDE, (int(columns[-1]) + 1) * SIDE
            found.append((top * SIDE, min(bottom * SIDE, self.height), left, min(right, self.width)))
        return found
