"""What is marked is in a box, however it lies."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scenes.production.tiles import SIDE, Tiles

PLACE = st.floats(-500, 1500)
LENGTH = st.floats(0, 600)


@given(st.lists(st.tuples(PLACE, LENGTH, PLACE, LENGTH), max_size=6))
def test_boxes_hold_every_mark_and_lie_on_the_grid(rectangles: list[tuple[float, float, float, float]]) -> None:
    tiles, wanted = Tiles(854, 480), np.zeros((480, 854), bool)
    for top, height, left, width in rectangles:
        tiles.mark(top, top + height, left, left + width)
        rows, columns = (
            slice(max(0, int(np.floor(start))), max(0, int(np.ceil(start + length))))
            for start, length in ((top, height), (left, width))
        )
        wanted[rows, columns] = True
    found = np.zeros_like(wanted)
    for top, bottom, left, right in tiles.boxes():
        assert 0 <= top < bottom <= 480 and 0 <= left < right <= 854
        assert top % SIDE == left % SIDE == 0 and (bottom % SIDE == 0 or bottom == 480)
        assert not found[top:bottom].any(), "boxes lie below each other"
        found[top:bottom, left:right] = True
    assert (found >= wanted).all()


def test_marks_are_few_where_little_was_marked() -> None:
    tiles, other = Tiles(854, 480), Tiles(854, 480)
    assert tiles.boxes() == []
    tiles.mark(33, 40, 70, 71)
    other.mark(-90, -40, 10, 20)
    other.mark(460, 900, 840, 2000)
    tiles.add(other)
    assert tiles.boxes() == [(32, 64, 64, 96), (448, 480, 832, 854)]
    tiles.clear()
    assert tiles.boxes() == []
    tiles.mark_all()
    assert tiles.boxes() == [(0, 480, 0, 854)]
