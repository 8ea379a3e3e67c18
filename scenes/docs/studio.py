"""Pictures of the documentation: a mobject on the theme's ground, cut to what is drawn."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from manim import Mobject
from numpy.typing import NDArray
from PIL import Image

from explainers.traces import write_aside
from scenes.kit import theme
from scenes.production.looking import frame_of
from scenes.production.settings import Picture

#: Pixels of the whole frame; a page shows a picture at most this wide.
WIDTH = 1280
#: Flat drawings with smooth edges need no more.
_COLOURS = 160
_MARGIN = 28  # pixels around what is drawn

Draw = Callable[[Mobject, Path], None]


@contextmanager
def studio() -> Iterator[Draw]:
    """``with studio() as draw: draw(mobject, path)``: it is built and drawn under the films' settings, as a PNG."""
    picture = Picture(WIDTH, round(WIDTH * 9 / 16), 15)
    with tempfile.TemporaryDirectory(prefix="explain-docs-") as media, picture.configure(Path(media)):

        def draw(mobject: Mobject, path: Path) -> None:
            write_png(pixels(mobject), path)

        yield draw


def pixels(mobject: Mobject) -> NDArray[np.uint8]:
    """The frame (height, width, 3) with this mobject on it, cut to what is not ground."""
    mobject.scale(min(1.0, theme.SAFE_WIDTH / mobject.width, theme.FRAME_HEIGHT * 0.9 / mobject.height))
    return cut(frame_of(mobject)[..., :3])


def cut(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A frame (height, width, 3) without the empty ground around its contents; an empty one stays whole."""
    drawn = (frame != frame[0, 0]).any(-1)
    if not drawn.any():
        return frame
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    top, left = max(rows[0] - _MARGIN, 0), max(columns[0] - _MARGIN, 0)
    return frame[top : rows[-1] + _MARGIN + 1, left : columns[-1] + _MARGIN + 1]


def write_png(frame: NDArray[np.uint8], path: Path) -> None:
    """Write pixels as a small PNG with a palette."""
    image = Image.fromarray(np.ascontiguousarray(frame[..., :3])).quantize(
        _COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    write_aside(path, buffer.getvalue())
