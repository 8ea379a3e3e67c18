"""Magnitude as colour: one mapping shared by everything that should be comparable, and its colour bar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from manim import DOWN, LEFT, RIGHT, UP, ManimColor, Rectangle, VGroup
from numpy.typing import NDArray

from explainers.errors import ExplainError, one_of
from explainers.quantities import Computed, Quantity
from explainers.traces import NamedArray
from scenes.kit import palette, theme
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity, perturb
from scenes.kit.cells import Pixels
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label

KINDS = ("sequential", "diverging")


@dataclass(frozen=True, eq=False)
class ColorScale:
    """Values → colours. Share one between pictures that are compared.

    >>> scale = ColorScale.of(trace["k_nope"], trace["k_pe"])     # one scale over both

    ``kind`` is ``sequential`` (low stands back, high stands out) or ``diverging`` (zero stands back; symmetric).
    ``role`` gives a sequential scale the hue of that role.
    """

    kind: str
    low: Quantity
    high: Quantity
    role: str = ""
    data_fields: ClassVar[tuple[str, ...]] = ("low", "high")

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise one_of("colour scale", self.kind, list(KINDS))
        as_quantity(self.low, "ColorScale")
        as_quantity(self.high, "ColorScale")
        if self.low.value > self.high.value:
            raise ExplainError(f"the scale {self.low.value} … {self.high.value} runs backwards; swap its ends")

    @classmethod
    def of(cls, *arrays: NamedArray, kind: str = "auto", role: str = "") -> ColorScale:
        """The scale that holds all values of these arrays: diverging where some are negative, else from zero."""
        if kind not in (*KINDS, "auto"):
            raise one_of("colour scale", kind, [*KINDS, "auto"])
        for array in arrays:
            as_array(array, "ColorScale")
        low = min(float(array.values.min()) for array in arrays)
        high = max(float(array.values.max()) for array in arrays)
        names = ", ".join(dict.fromkeys(array.name or "values" for array in arrays))
        signed = low < 0 if kind == "auto" else kind == "diverging"
        first = arrays[0]

        def end(value: float, formula: str) -> Quantity:
            origin = Computed(formula, run=first.run, digest=first.digest)
            return Quantity(value, first.unit, origin, formula)

        if signed:
            most = max(abs(low), abs(high))
            return cls("diverging", end(-most, f"−largest |{names}|"), end(most, f"largest |{names}|"), role)
        bottom = end(0.0, "zero") if low >= 0 else end(low, f"min of {names}")
        return cls("sequential", bottom, end(max(high, bottom.value), f"max of {names}"), role)

    def table(self) -> palette.Floats:
        """The colour table in force, (256, 3)."""
        if self.kind == "diverging":
            return theme.scale_table("diverging")
        return theme.tinted_table(self.role) if self.role else theme.scale_table("sequential")

    def share(self, values: Any) -> NDArray[np.float64]:
        """Where values stand between low (0) and high (1); beyond the ends they are cut."""
        span = float(self.high.value) - float(self.low.value)
        if span == 0:
            return np.full(np.shape(values), 0.5 if self.kind == "diverging" else 0.0)
        return np.clip((np.asarray(values, dtype=np.float64) - float(self.low.value)) / span, 0, 1)

    def colours(self, values: Any) -> Pixels:
        """RGB bytes (…, 3) for values of any shape."""
        return palette.look_up(self.table(), self.share(values))

    def hex(self, value: float) -> str:
        """The colour of one value as ``#RRGGBB``."""
        return palette.to_hex(self.colours(np.array(value)) / 255)


class ColorBar(DataBound, VGroup):
    """The key to a colour scale: a strip with its two ends (and zero in the middle of a signed one).

    >>> ColorBar(scale, name="k_nope", length=2.4)
    """

    def __init__(
        self,
        scale: ColorScale,
        *,
        name: str = "",
        length: float = 2.4,
        thickness: float = 0.14,
        vertical: bool = True,
        fmt: str = "2",
        size: str | float = "tick",
    ) -> None:
        if not isinstance(scale, ColorScale):
            raise ExplainError(f"ColorBar was given a {type(scale).__name__}; pass a ColorScale")
        super().__init__()
        self.scale_of_colour = scale
        self.bound = Bound((scale.low, scale.high))
        shape = (thickness, length) if vertical else (length, thickness)
        strip = Rectangle(width=shape[0], height=shape[1], stroke_color=theme.role("hairline"), stroke_width=1)
        ramp = palette.look_up(scale.table(), np.linspace(0, 1, 33)) / 255
        strip.set_fill([ManimColor(palette.to_hex(colour)) for colour in ramp], opacity=1)
        strip.set_sheen_direction(UP if vertical else RIGHT)
        self.add(strip)
        ends = [(scale.low, DOWN if vertical else LEFT), (scale.high, UP if vertical else RIGHT)]
        if scale.kind == "diverging":
            zero = Quantity(0, scale.low.unit, Computed("zero by definition"), "zero")
            ends.insert(1, (zero, DOWN * 0))
        for value, direction in ends:
            number = NumberLabel(value, fmt, size=size, role="muted", weight="regular")
            point = strip.get_center() + direction * length / 2
            if vertical:
                number.next_to(point, RIGHT, buff=thickness / 2 + 0.08)
            else:
                number.next_to(point, DOWN, buff=thickness / 2 + 0.04)
            self.add(number)
        if name:
            self.add(Label(name, size, "muted").next_to(strip, UP if vertical else LEFT, buff=0.14))
        self.strip = strip
        self.center()

    def perturbed(self) -> Self:
        """The same bar for a wider scale."""
        low, high = self.bound
        wider = as_quantity(perturb(high), "ColorBar")
        return self.rebind(replace(low, value=-wider.value) if self.scale_of_colour.kind == "diverging" else low, wider)
