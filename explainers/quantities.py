"""A number that knows where it comes from.

Every number that a viewer sees or hears is a `Quantity`: a value, a unit and an origin. The origin is
either *cited* (which source, which table, when, how sure) or *computed* (which formula or run, from which
inputs). Arithmetic on Quantities gives a computed Quantity that knows its inputs, so the whole chain
down to the sources can be printed with `Quantity.explain`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from explainers.errors import ExplainError
from explainers.formatting import combine_units, format_number, format_quantity, parse_unit

Confidence = Literal["primary", "secondary", "recalled"]


@dataclass(frozen=True)
class Cited:
    """A figure read in a source.

    ``key`` is the entry in ``assets/facts`` (``models.v3.layers``); ``where`` the table or section.
    """

    source: str
    date: str
    confidence: Confidence = "primary"
    key: str = ""
    where: str = ""
    url: str = ""

    kind = "cited"

    def line(self) -> str:
        """The origin in one line, as it stands at the foot of a frame."""
        place = f", {self.where}" if self.where else ""
        doubt = "" if self.confidence == "primary" else f" ({self.confidence})"
        return f"{self.source}{place}{doubt}"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "source": self.source,
            "where": self.where,
            "date": self.date,
            "confidence": self.confidence,
            "key": self.key,
            "url": self.url,
        }


@dataclass(frozen=True)
class Computed:
    """A figure that this project computed.

    ``formula`` says how in words or symbols; ``inputs`` are the Quantities it was made from; ``run`` names the
    run that produced it, with its parameters and the digest of its trace.
    """

    formula: str
    inputs: tuple[Quantity, ...] = ()
    run: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    kind = "computed"

    def line(self) -> str:
        """The origin in one line, as it stands at the foot of a frame."""
        return f"run {self.run}" if self.run else f"computed: {self.formula}"

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "formula": self.formula,
            "run": self.run,
            "params": dict(self.params),
            "digest": self.digest,
            "inputs": [quantity.to_json() for quantity in self.inputs],
        }


Origin = Cited | Computed


@dataclass(frozen=True)
class Quantity:
    """One number with its unit and its origin.

    Parameters
    ----------
    value
        The number itself, never rounded.
    unit
        A product of unit names with optional powers and one slash: ``"B"``, ``"B/token"``, ``"FLOP/s"``,
        ``"USD/h"``, ``"param"``, or ``""`` for a bare number. Bytes are ``B``, counted in powers of ten.
    origin
        `Cited` or `Computed`.
    name
        What it is, in words: "KV cache of one token, DeepSeek-V3".
    key
        The dotted name by which scripts refer to it (``v3.kv_bytes_per_token``).
    spread
        Standard deviation over repeated runs (seeds), in the same unit, or None where there is one run.
    """

    value: float | int
    unit: str
    origin: Origin
    name: str = ""
    key: str = ""
    spread: float | None = None

    def __post_init__(self) -> None:
        value = self.value
        if hasattr(value, "item"):  # a NumPy scalar: Manim's cache is blind to those
            object.__setattr__(self, "value", value.item())
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise ExplainError(f"a Quantity holds a number, not {type(value).__name__} ({self.name or self.key})")
        if not math.isfinite(self.value):
            raise ExplainError(
                f"{self.name or self.key or 'a Quantity'} is {self.value}; only finite numbers are shown"
            )
        parse_unit(self.unit)

    # ------------------------------------------------------------------ arithmetic
    def __mul__(self, other: Quantity | float | int) -> Quantity:
        return self._combine(other, "×", lambda a, b: a * b, +1)

    def __rmul__(self, other: float | int) -> Quantity:
        return constant(other)._combine(self, "×", lambda a, b: a * b, +1)

    def __truediv__(self, other: Quantity | float | int) -> Quantity:
        return self._combine(other, "/", _divide, -1)

    def __rtruediv__(self, other: float | int) -> Quantity:
        return constant(other)._combine(self, "/", _divide, -1)

    def __add__(self, other: Quantity | float | int) -> Quantity:
        return self._combine(other, "+", lambda a, b: a + b, 0)

    def __sub__(self, other: Quantity | float | int) -> Quantity:
        return self._combine(other, "−", lambda a, b: a - b, 0)

    def _combine(
        self, other: Quantity | float | int, sign: str, operation: Callable[[Any, Any], Any], power: int
    ) -> Quantity:
        other = other if isinstance(other, Quantity) else constant(other)
        if power:
            unit = combine_units(self.unit, other.unit, power)
        elif parse_unit(self.unit) == parse_unit(other.unit):
            unit = self.unit
        else:
            raise ExplainError(
                f"cannot compute {self.short()} {sign} {other.short()}: "
                f"{self.unit or 'a bare number'} and {other.unit or 'a bare number'} differ"
            )
        formula = f"{self.short()} {sign} {other.short()}"
        return Quantity(operation(self.value, other.value), unit, Computed(formula, (self, other)), formula)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    # ------------------------------------------------------------------ names
    def short(self) -> str:
        """The shortest honest name: its key, else its name, else its value."""
        return self.key or self.name or format_number(self.value)

    def named(self, name: str, key: str = "", *, formula: str = "", unit: str | None = None) -> Quantity:
        """The same number under another name; ``unit`` may only rename an equal dimension or a bare number."""
        origin = self.origin
        if formula and isinstance(origin, Computed):
            origin = replace(origin, formula=formula)
        if unit is not None and parse_unit(self.unit) and parse_unit(unit) != parse_unit(self.unit):
            raise ExplainError(f"{self.short()} is in {self.unit}; it cannot be renamed to {unit}")
        return replace(self, name=name, key=key or self.key, origin=origin, unit=self.unit if unit is None else unit)

    def explain(self, indent: str = "") -> str:
        """The whole chain of origins, one line a quantity, sources at the leaves."""
        text = f"{indent}{self.name or self.short()} = {self.text('', 'en')}"
        if isinstance(self.origin, Cited):
            return f"{text}  [{self.origin.line()}, {self.origin.date}]"
        run = f"  [run {self.origin.run}]" if self.origin.run else ""
        lines = [f"{text}  = {self.origin.formula}{run}"]
        lines += [source.explain(indent + "  ") for source in self.origin.inputs]
        return "\n".join(lines)

    # ------------------------------------------------------------------ text
    def text(self, fmt: str = "", lang: str = "") -> str:
        """The number as a viewer reads it; see `format_quantity` for ``fmt`` and ``lang``."""
        return format_quantity(self, fmt, lang)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "key": self.key,
            "value": self.value,
            "unit": self.unit,
            "spread": self.spread,
            "origin": self.origin.to_json(),
        }


def _divide(a: float | int, b: float | int) -> float | int:
    if b == 0:
        raise ExplainError("division by zero between two Quantities; check the second one")
    return a // b if isinstance(a, int) and isinstance(b, int) and a % b == 0 else a / b


def constant(value: float | int, name: str = "") -> Quantity:
    """A number that is true by definition (bits in a byte, two FLOPs in a multiply-add)."""
    return Quantity(value, "", Computed(f"{format_number(value)} by definition"), name)


def computed(
    value: float | int,
    unit: str,
    formula: str,
    inputs: Iterable[Quantity] = (),
    *,
    name: str = "",
    key: str = "",
    spread: float | None = None,
) -> Quantity:
    """A Quantity from a formula that is not plain arithmetic on Quantities."""
    return Quantity(value, unit, Computed(formula, tuple(inputs)), name, key, spread)
