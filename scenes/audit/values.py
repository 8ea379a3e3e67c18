"""Drawn from values: change the data, and the picture must change; what is on screen must be what it is bound to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from manim import Mobject, VMobject

from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.audit.findings import Notes
from scenes.audit.picture import Part, Picture
from scenes.kit.numbers import CountingNumber
from scenes.kit.tensors import TensorGrid
from scenes.kit.tokens import TokenRow

Datum = NamedArray | Quantity


def look_of(mobject: Mobject) -> str:
    """A digest of everything that decides how a mobject looks: outlines, colours, widths, pixels."""
    digest = hashlib.blake2b(digest_size=16)
    for part in mobject.get_family():
        if hasattr(part, "pixel_array"):
            digest.update(np.ascontiguousarray(part.pixel_array).tobytes())
        digest.update(np.round(np.asarray(part.points, dtype=np.float64), 6).tobytes())
        if isinstance(part, VMobject):
            for rgbas in (part.get_fill_rgbas(), part.get_stroke_rgbas()):
                digest.update(np.round(np.asarray(rgbas, dtype=np.float64), 4).tobytes())
            digest.update(repr(round(float(part.get_stroke_width()), 4)).encode())
    return digest.hexdigest()


def perturbed(datum: Datum, labels: bool = False) -> Iterator[Datum]:
    """Other data of the same kind: each differs from the given one, none of them by a trifle.

    With ``labels`` only the labels of an array differ.
    """
    if labels and isinstance(datum, NamedArray):
        yield replace(datum, labels={axis: tuple(f"{text}x" for text in texts) for axis, texts in datum.labels.items()})
        return
    if isinstance(datum, Quantity):
        for factor, more in ((1.37, 0), (0.61, 0), (2, 0), (1, 1), (1, -1), (0.01, 0), (100, 0)):
            value: float | int = datum.value * factor + more
            value = round(value) if isinstance(datum.value, int) else value
            if value != datum.value and (value or isinstance(datum.value, float)):
                yield replace(datum, value=value)
        return
    values = datum.values
    kind = values.dtype.kind
    if kind == "b":
        yield replace(datum, values=~values)
    elif kind in "iu":
        yield replace(datum, values=values[tuple(slice(None, None, -1) for _ in values.shape)])
        yield replace(datum, values=values + 1)
        yield replace(datum, values=np.maximum(values - 1, 0))
    else:
        wave = 1 + 0.35 * np.sin(np.arange(values.size, dtype=np.float64).reshape(values.shape) * 2.4 + 1)
        yield replace(datum, values=values * wave)
        yield replace(datum, values=values[tuple(slice(None, None, -1) for _ in values.shape)])
        yield replace(datum, values=values * 0.5 + 0.01)


def _differs(old: Datum, new: Datum) -> bool:
    if isinstance(old, Quantity):
        return True
    assert isinstance(new, NamedArray)
    return not np.array_equal(old.values, new.values) or old.labels != new.labels


def _looks(mobject: Mobject) -> tuple[str, ...]:
    """How it looks; a number that counts looks one way at its start and another at its end."""
    if isinstance(mobject, CountingNumber):
        return tuple(look_of(mobject.show(share)) for share in (0, 1))
    return (look_of(mobject),)


def check(picture: Picture, notes: Notes, done: set[tuple[int, tuple[int, ...]]]) -> None:
    """Every data-bound object of the picture, each once for the same data (``done`` remembers)."""
    for part in picture.bound:
        data = part.mobject.bound
        key = (id(part.mobject), tuple(id(datum) for datum in data))
        if key not in done:
            done.add(key)
            _check_ignoring(part, data, notes)
        _check_shown(part, notes)


def _check_ignoring(part: Part, data: Any, notes: Notes) -> None:
    rebind = getattr(part.mobject, "rebind", None)
    if rebind is None:
        notes.add("rebind-fails", part.name, "no rebind", "derive it from scenes.kit.DataBound", part.waivers)
        return
    try:
        before = _looks(rebind(*data))
    except Exception as error:
        _fails(part, notes, error)
        return
    for index, datum in enumerate(data):
        outcome = _try(rebind, before, _alone(part.mobject, data, index))
        if isinstance(outcome, Exception) and len(data) > 1:  # some data only go together: a product and its factors
            joint = _try(rebind, before, _together(data, index))
            outcome = outcome if isinstance(joint, Exception) else joint
        name = getattr(datum, "name", "") or type(datum).__name__
        if isinstance(outcome, Exception):
            _fails(part, notes, outcome)
        elif not outcome:
            notes.add(
                "ignores-data",
                part.name,
                f"same picture for other values of {name!r}",
                "size, colour or length must come from the values that it is bound to",
                part.waivers,
            )


def _alone(mobject: Mobject, data: Sequence[Datum], index: int) -> Iterator[tuple[Datum, ...]]:
    """The data with one of them changed."""
    for other in perturbed(data[index], labels=isinstance(mobject, TokenRow)):
        if _differs(data[index], other):
            yield (*data[:index], other, *data[index + 1 :])


def _together(data: Sequence[Datum], index: int) -> Iterator[tuple[Datum, ...]]:
    """The data with one of them and a second one changed in the same way."""
    for partner in range(len(data)):
        for change in (_reversed_first, _reversed_last, _scaled):
            if partner != index:
                both = {k: change(data[k]) for k in (index, partner)}
                yield tuple(both.get(k, datum) for k, datum in enumerate(data))


def _try(rebind: Any, before: tuple[str, ...], variants: Iterator[tuple[Datum, ...]]) -> bool | Exception:
    """Whether the picture changes for any of the variants; the last refusal where none of them can be drawn."""
    refused: Exception | None = None
    drawn = False
    for variant in variants:
        try:
            if _looks(rebind(*variant)) != before:
                return True
            drawn = True
        except Exception as error:  # these values are refused; others may not be
            refused = error
    return False if drawn or refused is None else refused


def _scaled(datum: Datum) -> Datum:
    if isinstance(datum, Quantity):
        return replace(datum, value=datum.value * 2)
    return replace(datum, values=datum.values * 2)


def _reversed_first(datum: Datum) -> Datum:
    return datum if isinstance(datum, Quantity) else replace(datum, values=datum.values[::-1])


def _reversed_last(datum: Datum) -> Datum:
    return datum if isinstance(datum, Quantity) else replace(datum, values=datum.values[..., ::-1])


def _fails(part: Part, notes: Notes, error: Exception) -> None:
    notes.add(
        "rebind-fails",
        part.name,
        f"{type(error).__name__}: {str(error)[:160]}",
        "it cannot be drawn again for other values; its constructor must take its data as arguments",
        part.waivers,
    )


def _check_shown(part: Part, notes: Notes) -> None:
    """The cells of a grid are those of its array, whoever may have painted over them."""
    grid = part.mobject
    if not isinstance(grid, TensorGrid):
        return
    bound = grid.bound[0]
    truth = grid.colours_of(grid._matrix(bound))
    shown = grid.image.pixel_array
    visible = shown[..., 3] > 0
    if shown.shape != truth.shape or np.abs(shown[visible, :3].astype(int) - truth[visible, :3]).max(initial=0) > 1:
        notes.add(
            "not-its-data",
            part.name,
            f"cells are not the colours of {bound.name!r}",
            "the cells were painted by hand; change the values with morph_to or build a new grid",
            part.waivers,
        )
