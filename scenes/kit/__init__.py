"""The visual vocabulary: what the lectures draw with. Works in any Manim file.

Colours by role, text without LaTeX, numbers that know their origin, tensors, tokens, caches and charts that are
drawn from data. See `scenes.kit.gallery` for one picture of each.
"""

from scenes.kit.binding import DataBound, data_of, quantity_at, summary
from scenes.kit.cells import CellImage
from scenes.kit.layout import column, fit_stage, fit_width, in_safe_area, row, spread
from scenes.kit.numbers import CountingNumber, NumberLabel
from scenes.kit.origin import OriginLine, origin_text
from scenes.kit.scales import ColorBar, ColorScale
from scenes.kit.tensors import CountNote, ShapeLabel, TensorGrid, VectorColumn
from scenes.kit.text import Formula, Label, Phrase, label, math, mono, title
from scenes.kit.theme import (
    CAPTION_TOP,
    EASE,
    EASE_OUT,
    ENTER,
    HOLD,
    LEAVE,
    ROLES,
    SAFE_BOTTOM,
    SAFE_LEFT,
    SAFE_RIGHT,
    SAFE_TOP,
    SAFE_WIDTH,
    SIZES,
    STAGE_CENTER,
    STAGE_HEIGHT,
    STAGE_TOP,
    TRANSFORM,
    role,
    tint,
    use_theme,
)
from scenes.kit.tokens import TokenChip, TokenRow, visible

__all__ = [
    "CAPTION_TOP",
    "EASE",
    "EASE_OUT",
    "ENTER",
    "HOLD",
    "LEAVE",
    "ROLES",
    "SAFE_BOTTOM",
    "SAFE_LEFT",
    "SAFE_RIGHT",
    "SAFE_TOP",
    "SAFE_WIDTH",
    "SIZES",
    "STAGE_CENTER",
    "STAGE_HEIGHT",
    "STAGE_TOP",
    "TRANSFORM",
    "CellImage",
    "ColorBar",
    "ColorScale",
    "CountNote",
    "CountingNumber",
    "DataBound",
    "Formula",
    "Label",
    "NumberLabel",
    "OriginLine",
    "Phrase",
    "ShapeLabel",
    "TensorGrid",
    "TokenChip",
    "TokenRow",
    "VectorColumn",
    "column",
    "data_of",
    "fit_stage",
    "fit_width",
    "in_safe_area",
    "label",
    "math",
    "mono",
    "origin_text",
    "quantity_at",
    "role",
    "row",
    "spread",
    "summary",
    "tint",
    "title",
    "use_theme",
    "visible",
]
