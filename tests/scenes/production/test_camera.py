"""What the engine's camera decides for itself is what Manim's decides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from manim import Camera, Group, Mobject, Square, VGroup, VMobject

from scenes.kit.cells import CellImage
from scenes.production.camera import EngineCamera

CAMERAS = Camera(), EngineCamera()


@given(
    st.lists(st.lists(st.integers(0, 7), max_size=4), min_size=8, max_size=8), st.lists(st.integers(0, 7), max_size=6)
)
def test_mobjects_are_shown_in_manims_order(members: list[list[int]], shown: list[int]) -> None:
    mobjects: list[Mobject] = [Square().set_z_index(index % 2) if index % 3 else VMobject() for index in range(8)]
    for index, numbers in enumerate(members):
        mobjects[index].submobjects = [mobjects[number] for number in numbers]  # shared, double and circular, too
    theirs, ours = (camera.get_mobjects_to_display([mobjects[index] for index in shown]) for camera in CAMERAS)
    assert [id(mobject) for mobject in ours] == [id(mobject) for mobject in theirs]


def test_excluded_mobjects_and_families_are_manims_business() -> None:
    square, inner = Square(), VGroup(Square(), Square())
    for options in ({"excluded_mobjects": [inner]}, {"include_submobjects": False}):
        theirs, ours = (camera.get_mobjects_to_display([square, inner], **options) for camera in CAMERAS)
        assert ours == theirs


def test_classes_are_told_apart_as_manim_does() -> None:
    for mobject in (Square(), CellImage(np.zeros((2, 2, 3), np.uint8), width=1, height=1), Group()):
        theirs, first, again = (camera.type_or_raise(mobject) for camera in (*CAMERAS, CAMERAS[1]))
        assert theirs is first is again
    with pytest.raises(TypeError):
        CAMERAS[1].type_or_raise("no mobject")  # type: ignore[arg-type]


def test_an_image_that_comes_again_changes_with_its_cells_and_its_place() -> None:
    cells = np.random.default_rng(0).integers(0, 255, (3, 5, 4), dtype=np.uint8)
    image = CellImage(cells, width=4, height=2)

    def both_alike() -> np.ndarray:
        for camera in CAMERAS:
            camera.reset()
            camera.capture_mobjects([image])
        assert np.array_equal(CAMERAS[0].pixel_array, CAMERAS[1].pixel_array)
        return CAMERAS[1].pixel_array.copy()

    first = both_alike()
    assert np.array_equal(both_alike(), first)
    image.set_cells(255 - cells)
    assert not np.array_equal(both_alike(), first)
    image.set_cells(cells).shift([0.3, 0.1, 0])
    assert not np.array_equal(both_alike(), first)
    image.shift([-0.3, -0.1, 0])
    for _ in range(4):  # by parts of a pixel, within the same window
        image.shift([0.002, 0.001, 0])
        both_alike()
    image.set_opacity(0.5)
    assert not np.array_equal(both_alike(), first)
