"""Manim's camera, which does not do again what it has done.

Manim draws all; what is saved stands around it, and the frames are the same to the last bit:

- Manim lays an image over the frame as a picture as large as the frame, which is transparent elsewhere: some thirty
  megabytes are written and read for each image of each frame. Here Manim's own code does the same in the rectangle that
  the image covers. A transparent pixel changes nothing below it.
- The path of a glyph or a shape that only fades is made once and then given to Cairo as Cairo had it (`cairo_paths`);
  an image that stands still is enlarged once.
- Which mobjects there are to draw, and of which kind, is found out by looking at each once.
- What is drawn is noted, generously, in squares of 32 pixels. Between two frames Manim copies the whole standing
  picture back; here only what was drawn over is copied, and only there the encoder looks for what changed.

The last rests on knowing everything that draws. So it is looked at now and then whether it is true (`Mistaken`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cairo
import numpy as np
from manim import Camera, Mobject, VMobject
from numpy.typing import NDArray

from scenes.production.cairo_paths import Extents, Paths
from scenes.production.tiles import Box, Mistaken, Tiles

#: How far a stroke reaches from its path at most, in its widths: half of one, as often as Cairo lets a mitre be longer.
_STROKE_REACH = 5.0
_EVERY = 60  # how often it is looked at whether a picture was put back whole
_LAID = 24  # images that are kept as they were laid


class _Window(Camera):
    """What Manim needs of a camera to lay one image over a part of the frame; it keeps what it laid."""

    def __init__(self, corners: NDArray[np.float64], width: int, height: int, mode: str) -> None:
        self.corners, self.pixel_width, self.pixel_height, self.image_mode = corners, width, height, mode
        self.laid: Any = None

    def points_to_subpixel_coords(self, mobject: Any, points: Any) -> NDArray[np.float64]:
        """The image's corners, counted from the window's."""
        return self.corners.copy()

    def overlay_PIL_image(self, pixel_array: NDArray[np.uint8], image: Any) -> None:
        super().overlay_PIL_image(pixel_array, image)
        self.laid = image


class EngineCamera(Camera):
    """Draws what `manim.Camera` draws."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._paths = Paths()
        self._kinds: dict[type, Any] = {}
        self._laid: dict[tuple[Any, ...], tuple[Any, _Window]] = {}
        self._standing: Any = None  # what the frame was made equal to last
        self._restored = 0
        super().__init__(*args, **options)

    # ------------------------------------------------------------------ what was drawn over
    def resize_frame_shape(self, fixed_dimension: int = 0) -> None:
        """As Manim does; all that was noted was of another shape."""
        super().resize_frame_shape(fixed_dimension)
        self._drawn = Tiles(self.pixel_width, self.pixel_height)  # since the frame was made equal to what stands
        self._unseen = Tiles(self.pixel_width, self.pixel_height)  # since `changed` was asked
        self._drawn.mark_all()

    def changed(self) -> list[Box]:
        """Boxes that hold whatever is another picture than when this was asked last."""
        self._unseen.add(self._drawn)
        boxes = self._unseen.boxes()
        self._unseen.clear()
        return boxes

    def set_pixel_array(self, pixel_array: Any, convert_from_floats: bool = False) -> None:
        """Make the frame equal to ``pixel_array``; where it was equal before, only what was drawn over since."""
        self._unseen.add(self._drawn)
        if pixel_array is self._standing and not convert_from_floats:
            for top, bottom, left, right in self._drawn.boxes():
                self.pixel_array[top:bottom, left:right] = pixel_array[top:bottom, left:right]
            self._restored += 1
            if self._restored % _EVERY == 0 and not np.array_equal(self.pixel_array, pixel_array):
                raise Mistaken("a picture was not put back whole")
        else:
            super().set_pixel_array(pixel_array, convert_from_floats)
            self._standing = pixel_array
            self._unseen.mark_all()
        self._drawn.clear()

    def _note(self, ctx: cairo.Context, extents: Extents, vmobject: VMobject) -> None:
        """Note what the path that is laid may be drawn over, with its strokes."""
        left, bottom, right, top = extents
        width = max(vmobject.get_stroke_width(), vmobject.get_stroke_width(background=True))
        reach = width * self.cairo_line_width_multiple * _STROKE_REACH
        (x0, y0), (x1, y1) = (
            ctx.user_to_device(left - reach, bottom - reach),
            ctx.user_to_device(right + reach, top + reach),
        )
        self._drawn.mark(min(y0, y1) - 1, max(y0, y1) + 1, min(x0, x1) - 1, max(x0, x1) + 1)

    # ------------------------------------------------------------------ what is drawn
    def get_mobjects_to_display(
        self, mobjects: Iterable[Mobject], include_submobjects: bool = True, excluded_mobjects: list[Any] | None = None
    ) -> list[Mobject]:
        """As Manim does, which keeps the last place of what comes twice; but each is looked at once.

        A play hands over mobjects together with the members of their families, whose families are looked up again.
        """
        if not include_submobjects or excluded_mobjects:
            return super().get_mobjects_to_display(mobjects, include_submobjects, excluded_mobjects)
        found: list[Mobject] = []
        seen: set[Mobject] = set()

        def visit(mobject: Mobject) -> None:
            if mobject not in seen:
                seen.add(mobject)
                for member in reversed(mobject.submobjects):
                    visit(member)
                if mobject.get_num_points() > 0:
                    found.append(mobject)

        for mobject in reversed(list(mobjects)):
            visit(mobject)
        found.reverse()
        return sorted(found, key=lambda mobject: mobject.z_index) if self.use_z_index else found

    def type_or_raise(self, mobject: Mobject) -> Any:
        """As Manim does, once a class."""
        kind = self._kinds.get(type(mobject))
        if kind is None:
            kind = self._kinds[type(mobject)] = super().type_or_raise(mobject)
        return kind

    # ------------------------------------------------------------------ what draws
    def set_cairo_context_path(self, ctx: cairo.Context, vmobject: VMobject) -> EngineCamera:
        """Lay a path, and note where."""
        extents = self._paths.lay(ctx, vmobject)
        if extents is None:
            super().set_cairo_context_path(ctx, vmobject)
            extents = ctx.path_extents()
        self._note(ctx, extents, vmobject)
        return self

    def _window(self, image: Any, corners: NDArray[np.float64], width: int, height: int) -> _Window:
        """The window to see an image through; the one from before, where the image is known to be the same."""
        picture = image.get_pixel_array()
        key = id(picture), corners.tobytes(), width, height, image.resampling_algorithm
        known = self._laid.pop(key, None) or (picture, _Window(corners, width, height, self.image_mode))
        if not picture.flags.writeable:  # it will not become another one
            self._laid[key] = known
            if len(self._laid) > _LAID:
                self._laid.pop(next(iter(self._laid)))
        return known[1]

    def display_image_mobject(self, image_mobject: Any, pixel_array: NDArray[np.uint8]) -> None:
        """Lay an image over the frame, in the rectangle of whole pixels that holds it."""
        corners = self.points_to_subpixel_coords(image_mobject, image_mobject.points)
        left, top = (int(side) for side in corners.min(axis=0))
        width, height = (int(side) for side in corners.astype(np.int64).max(axis=0) - (left, top))
        inside = (corners >= 0).all() and left + width <= self.pixel_width and top + height <= self.pixel_height
        if not inside or width < 1 or height < 1:
            super().display_image_mobject(image_mobject, pixel_array)
            return
        # Counted from whole pixels at or before them, numbers that are not negative keep their fractions exactly.
        window = self._window(image_mobject, corners - (left, top), width, height)
        part = pixel_array[top : top + height, left : left + width]
        if window.laid is None:
            window.display_image_mobject(image_mobject, part)
        else:
            window.overlay_PIL_image(part, window.laid)
        self._drawn.mark(top, top + height, left, left + width)

    def overlay_PIL_image(self, pixel_array: NDArray[np.uint8], image: Any) -> None:
        """As Manim does; it may be anywhere."""
        super().overlay_PIL_image(pixel_array, image)
        self._drawn.mark_all()

    def display_point_cloud(self, *args: Any) -> None:
        """As Manim does; it may be anywhere."""
        super().display_point_cloud(*args)
        self._drawn.mark_all()
