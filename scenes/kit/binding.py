"""What ties a picture to its data.

Kit objects accept `NamedArray` and `Quantity` and nothing else: a torch tensor is invisible to Manim's cache, and a
bare float has no origin. Each data-bound object keeps what it was drawn from in ``bound`` and can be built again for
other values with ``rebind``, so that an audit can change the data and see the picture change.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, Self

import numpy as np
from manim import DL, ImageMobject, Mobject, VMobject

from explainers.errors import ExplainError
from explainers.quantities import Computed, Quantity
from explainers.traces import NamedArray

Datum = NamedArray | Quantity


def refuse(value: object, wanted: str, where: str) -> ExplainError:
    """The error for data that may not cross into a picture; says what to do instead."""
    kind = type(value).__name__
    if hasattr(value, "detach"):
        return ExplainError(f"{where} was given a torch {kind}; put it in a Trace and pass its {wanted}")
    if isinstance(value, bool | int | float | np.generic):
        return ExplainError(f"{where} was given the bare number {value}; pass a {wanted}, which knows its origin")
    return ExplainError(f"{where} was given a {kind}; pass a {wanted}, for example from `scene.run(…)`")


def as_array(values: object, where: str, ndim: int | Sequence[int] | None = None) -> NamedArray:
    """Check that ``values`` is a finite `NamedArray` (with so many axes)."""
    if not isinstance(values, NamedArray):
        raise refuse(values, "NamedArray", where)
    wanted = (ndim,) if isinstance(ndim, int) else tuple(ndim or ())
    if wanted and values.values.ndim not in wanted:
        axes = " or ".join(map(str, wanted))
        raise ExplainError(
            f"{where} needs {axes} axes, but {values.name or 'the array'} has {', '.join(values.axes) or 'none'}; "
            "choose with .pick(axis=index)"
        )
    if values.values.size == 0:
        raise ExplainError(f"{where} was given the empty array {values.name or values.shape}; pass at least one value")
    if not np.isfinite(values.values).all():
        raise ExplainError(f"{where}: {values.name or 'the array'} holds NaN or infinity; only finite values are drawn")
    return values


def as_quantity(value: object, where: str) -> Quantity:
    """Check that ``value`` is a `Quantity`."""
    if not isinstance(value, Quantity):
        raise refuse(value, "Quantity", where)
    return value


def quantity_at(array: NamedArray, *index: int, name: str = "") -> Quantity:
    """One number of an array as a Quantity: ``quantity_at(scores, 3)``; its origin is the array's run."""
    cell = ", ".join(str(i) for i in index)
    formula = f"{array.name or 'array'}[{cell}]"
    return Quantity(
        array.values[index].item(), array.unit, Computed(formula, run=array.run, digest=array.digest), name or formula
    )


def summary(array: NamedArray, function: str) -> Quantity:
    """``min``, ``max``, ``mean`` or ``sum`` of an array, as a Quantity of its run."""
    if function not in ("min", "max", "mean", "sum"):
        raise ExplainError(f"unknown summary {function!r}; known: min, max, mean, sum")
    formula = f"{function} of {array.name or 'array'}"
    value = getattr(array.values.astype(np.float64), function)().item()
    return Quantity(value, array.unit, Computed(formula, run=array.run, digest=array.digest), formula)


class Bound(tuple[Any, ...]):
    """An immutable tuple of data. Copying a mobject does not copy it."""

    @classmethod
    def of(cls, data: Iterable[Any]) -> Bound:
        """Each datum once, in order; None is left out."""
        return cls({id(datum): datum for datum in data if datum is not None}.values())

    def __deepcopy__(self, memo: dict[int, Any]) -> Bound:
        return self


class DataBound(Mobject):
    """A mixin: the object keeps the data it is drawn from.

    A subclass's constructor takes its data first and sets ``self.bound``; everything else is remembered, so that
    ``rebind(*values)`` makes the same object for other values, standing in the same place.
    """

    bound: Bound
    _built: Bound

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" not in cls.__dict__:
            return
        original = cls.__dict__["__init__"]
        signature = inspect.signature(original)

        @wraps(original)
        def remember(self: Any, *args: Any, **options: Any) -> None:
            outermost = "_given" not in vars(self)
            if outermost:
                given = signature.bind(self, *args, **options)
                self._given = Bound([(tuple(given.args[1:]), tuple(given.kwargs.items()))])
            original(self, *args, **options)
            if outermost:
                for part in self.get_family():
                    if isinstance(part, VMobject):
                        part.filled = part.get_fill_opacity() > 0  # what `set_opacity` may fill again
            if outermost and "bound" in vars(self):
                self._built = self.bound  # an animation may leave it bound to other data; these are in `_given`

        cls.__init__ = remember  # type: ignore[method-assign]

    def set_opacity(self, opacity: float, family: bool = True) -> Self:
        """Make all of it as opaque as said. What is unfilled stays unfilled; images follow too.

        (Manim's own method fills outlines, and a `Group` has none: it sets an attribute in silence.)
        """
        for part in self.get_family() if family else [self]:
            if isinstance(part, ImageMobject):
                part.set_opacity(opacity)
            elif isinstance(part, VMobject):
                share = opacity * getattr(part, "base_opacity", 1.0)
                if getattr(part, "filled", part.get_fill_opacity() > 0):
                    part.set_fill(opacity=share, family=False)
                if part.get_stroke_width() > 0:
                    part.set_stroke(opacity=share, family=False)
        return self

    def perturbed(self) -> Self:
        """The same object for clearly other data: for checking that the picture follows the data."""
        return self.rebind(*(perturb(datum, index) for index, datum in enumerate(self.bound)))

    def rebind(self, *values: Datum) -> Self:
        """The same object for other values; takes as many as ``bound`` holds, in that order."""
        if len(values) != len(self.bound):
            raise ExplainError(f"{type(self).__name__} holds {len(self.bound)} data, but {len(values)} were given")
        args, options = self._given[0]
        swap = list(zip(self._built, values, strict=True))
        again = type(self)(*(_swapped(a, swap) for a in args), **{k: _swapped(v, swap) for k, v in options})
        again.align_to(self, DL)
        return again


def _swapped(value: Any, swap: list[tuple[Any, Any]]) -> Any:
    """``value`` with each datum replaced by the new one that stands for it."""
    for old, new in swap:
        if value is old:
            return new
    if isinstance(value, dict):
        return {key: _swapped(item, swap) for key, item in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(_swapped(item, swap) for item in value)
    if hasattr(value, "data_fields"):  # a small frozen dataclass that carries data (Series, Bar, …)
        return replace(value, **{name: _swapped(getattr(value, name), swap) for name in value.data_fields})
    return value


def perturb(datum: Datum, index: int = 0) -> Datum:
    """Another datum of the same kind, shape, unit and sign; ``index`` makes several differ from one another."""
    if isinstance(datum, Quantity):
        value = datum.value * (index + 2) if isinstance(datum.value, int) else datum.value * (1.6 + 0.3 * index)
        origin = Computed(f"perturbed {datum.short()}", (datum,))
        return replace(datum, value=value or 1, origin=origin)
    values = np.asarray(datum.values)
    if values.dtype == np.bool_:
        changed = ~values
    else:
        wave = 1.5 + 0.4 * np.sin(np.arange(values.size) * 1.7 + index).reshape(values.shape)
        changed = (values * wave + (0 if values.any() else 1)).astype(values.dtype)
        if np.array_equal(changed, values):  # small integers
            changed = values * 2
    return NamedArray(changed, datum.axes, datum.name, datum.unit, datum.labels, datum.run, "")


def data_of(mobjects: Iterable[Mobject]) -> list[Datum]:
    """Every datum that these mobjects and their parts are drawn from, in drawing order, each once."""
    found: dict[int, Datum] = {}
    for mobject in mobjects:
        for part in mobject.get_family():
            for datum in getattr(part, "bound", ()):
                found.setdefault(id(datum), datum)
            if isinstance(quantity := getattr(part, "quantity", None), Quantity):
                found.setdefault(id(quantity), quantity)
    return list(found.values())
