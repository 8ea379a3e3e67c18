"""Tensors: grids, columns, products, attention."""

from __future__ import annotations

from manim import Mobject

from explainers import runs
from explainers.references import resolve
from scenes.kit import (
    AttentionMap,
    Bottleneck,
    CellImage,
    ColorBar,
    ColorScale,
    CountNote,
    HeadRow,
    HeadSharing,
    MatrixProduct,
    ShapeLabel,
    TensorGrid,
    VectorColumn,
    column,
    row,
)
from scenes.kit.examples.showing import shows


@shows(TensorGrid)
def a_grid() -> Mobject:
    """The latents of a sentence, a row a token, with the scale of their colours."""
    latent = runs.get("mla_sentence")["c_kv"].pick(layer=1)
    return TensorGrid(latent, role="latent", name="latent c, one row a token", row_labels=True, cell=0.24)


@shows(VectorColumn)
def columns() -> Mobject:
    """One token's hidden state and the latent that it is squeezed to, coloured by one scale."""
    trace = runs.get("mla_sentence")
    hidden, latent = trace["h"].pick(layer=1, token=5), trace["c_kv"].pick(layer=1, token=5)
    scale = ColorScale.of(hidden)
    return column(
        VectorColumn(hidden, role="token", scale=scale, name="h", notes=True, vertical=False, max_cells=48),
        VectorColumn(latent, role="latent", scale=scale, name="c", vertical=False),
    )


@shows(ShapeLabel)
def a_shape() -> Mobject:
    """The axes of a tensor and their lengths."""
    return ShapeLabel(runs.get("mla_sentence")["c_kv"], "heading")


@shows(CountNote)
def a_count() -> Mobject:
    """How much of an axis is shown, where not all of it is."""
    return CountNote(runs.get("untrained_gate")["chosen"], "expert", 16, "heading")


@shows(CellImage)
def cells() -> Mobject:
    """Many cells as one image: what grids are made of. It takes colours, so whoever uses it keeps the data."""
    weights = runs.get("mla_sentence")["w_uk"].pick(head=0)
    return CellImage(ColorScale.of(weights).colours(weights), width=9.0, height=3.0)


@shows(ColorBar, ColorScale)
def a_colour_scale() -> Mobject:
    """One scale for values of both signs, one for positive ones; each with its bar."""
    trace = runs.get("mla_sentence")
    signed, positive = ColorScale.of(trace["c_kv"]), ColorScale.of(runs.get("routing")["weights"], role="router")
    return row(ColorBar(signed, name="latent"), ColorBar(positive, name="gate weight"), gap=2.5)


@shows(MatrixProduct)
def a_product() -> Mobject:
    """One head's keys out of the latents of a sentence. The third matrix is checked against the first two."""
    trace = runs.get("mla_sentence")
    latent, up = trace["c_kv"].pick(layer=0), trace["w_uk"].pick(head=0).transposed("latent", "nope")
    keys = trace["k_nope"].pick(layer=0, head=0)
    return MatrixProduct(latent, up, keys, names=("c", "W", "k"), roles=("latent", "", "key"), cell=0.14, max_rows=32)


@shows(Bottleneck)
def a_bottleneck() -> Mobject:
    """Widths to scale: V3's hidden state, its latent, and what is worked out of it."""
    sizes = [resolve(f"v3.{name}") for name in ("hidden", "kv_lora_rank", "hidden")]
    return Bottleneck(sizes, names=("h", "c", "k, v"), roles=("token", "latent", "key"))


@shows(AttentionMap)
def a_map() -> Mobject:
    """Who looks at whom: one head of the trained model on a sentence."""
    weights = runs.get("mla_sentence")["attention"].pick(layer=1, head=0)
    return AttentionMap(weights, row_labels=True, name="attention of one head", cell=0.3)


@shows(HeadRow)
def heads() -> Mobject:
    """The keys of every head, a grid a head, on one scale of colours."""
    keys = runs.get("mla_sentence")["k_nope"].pick(layer=1)
    return HeadRow(keys, axis="head", role="key")


@shows(HeadSharing)
def sharing() -> Mobject:
    """How many heads share a key and a value: all their own, or groups, or one latent for all."""
    query = resolve("v3.heads")
    groups = resolve("fact.models.llama_70b.kv_heads")
    return column(
        HeadSharing(query, query, width=4.4, most=8, name="MHA"),
        HeadSharing(query, groups, width=4.4, most=8, name="GQA"),
        gap=0.4,
    )
