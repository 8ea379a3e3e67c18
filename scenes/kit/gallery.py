"""One picture of each kit object, for looking at: ``manim -s scenes/kit/gallery.py Words``.

The data here is made up for the gallery and says so in its origin.
"""

from __future__ import annotations

import numpy as np
from manim import LEFT, Scene, VGroup

from explainers.quantities import Cited, Quantity, computed
from explainers.traces import NamedArray
from scenes.kit import (
    ROLES,
    SIZES,
    ColorScale,
    CountingNumber,
    NumberLabel,
    OriginLine,
    Phrase,
    TensorGrid,
    TokenChip,
    TokenRow,
    VectorColumn,
    column,
    fit_stage,
    label,
    math,
    mono,
    role,
    row,
    title,
)


def example(*shape: int, axes: tuple[str, ...], seed: int = 0, positive: bool = False, **about: object) -> NamedArray:
    """Smooth made-up values for trying out a picture."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape) * 0.5 + np.sin(np.arange(int(np.prod(shape))) / 7).reshape(shape)
    return NamedArray(np.abs(values) if positive else values, axes, about.pop("name", "example"), **about)  # type: ignore[arg-type]


def number(value: float, unit: str = "", name: str = "made up for the gallery") -> Quantity:
    """A made-up number that says so."""
    return computed(value, unit, name, name=name)


class GalleryScene(Scene):
    """A scene on the theme's ground."""

    def setup(self) -> None:
        """Paint the ground."""
        self.camera.background_color = role("ground")


class Words(GalleryScene):
    """Type sizes, roles, mathematics, numbers."""

    def construct(self) -> None:
        """Draw."""
        self.add(title("The cache grows with every token"))
        sizes = column(*(label(f"{name} Keys and queries", name) for name in SIZES if name != "hero"))
        roles = VGroup(*(label(name, "body", name) for name in ROLES if name not in ("surface", "hairline", "ground")))
        roles.arrange_in_grid(cols=2, cell_alignment=LEFT, buff=(0.5, 0.16))
        numbers = column(
            NumberLabel(number(70272, "B"), "si", size="display", role="latent", after=" a token"),
            CountingNumber(number(4096, "token"), number(131072, "token"), "plain", size="heading").show(0.5),
            math("latent(c)_t^(K V) = W^(D K V) h_t", "heading"),
            math("softmax((query(q)^top key(k)) / sqrt(d_h)) value(v)", "heading"),
            mono("kv_lora_rank = kv_dim", "body"),
            Phrase(
                ("keys", "key"), (" and ", "text"), ("values", "value"), (" share a ", "text"), ("latent", "latent")
            ),
            label("Long words are broken into\nlines when they must be", "body", "muted"),
        )
        left = column(sizes, gap=0.4)
        self.add(fit_stage(row(left, roles, numbers, gap=0.7)))
        cited = Quantity(61, "layer", Cited("DeepSeek-V3 technical report", "2024-12-27", where="section 4.2"))
        self.add(OriginLine(cited, number(3.0)))


class Tensors(GalleryScene):
    """Tokens, grids, columns."""

    def construct(self) -> None:
        """Draw."""
        words = ("The", " cat", " sat", " on", " the", " mat", ".", "\n")
        tokens = TokenRow(words)
        long = TokenRow(words * 8, rows=2, width=11)
        values = example(8, 128, axes=("token", "latent"), labels={"token": words}, name="c_kv")
        grid = TensorGrid(values, role="latent", max_columns=28, row_labels=True, name="latent c")
        grid.add(grid.highlight(row=3))
        attention = example(8, 8, axes=("query", "key"), positive=True, seed=4)
        square = TensorGrid(attention, cell=0.24, name="scores")
        scale = ColorScale.of(values)
        columns = row(
            VectorColumn(example(24, axes=("dim",), seed=1), role="token", scale=scale, cell=0.13, name="h"),
            VectorColumn(example(6, axes=("dim",), seed=2), role="latent", scale=scale, cell=0.13, name="c"),
            VectorColumn(example(24, axes=("dim",), seed=3), role="key", scale=scale, cell=0.13, name="k"),
            gap=0.5,
        )
        big = TensorGrid(example(64, 200, axes=("row", "column"), seed=5), max_rows=64, max_columns=200, cell=0.025)
        body = column(tokens, long, row(grid, square, gap=0.5), row(columns, big, TokenChip(" cat"), gap=0.8), gap=0.3)
        self.add(fit_stage(body))
