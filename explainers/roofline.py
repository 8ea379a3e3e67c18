"""Real chips and the roofline: what a kernel can reach for the bytes it moves.

Attainable FLOP/s = min(peak, intensity × bandwidth), with intensity in FLOPs a byte (Williams, Waterman and Patterson,
2009). Where the two meet is the ridge: below it a kernel waits for memory, above it for arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explainers import facts
from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity, computed

#: Chips whose memory, bandwidth and BF16 peak were read in a source.
CHIPS = ("a100", "h100", "h800", "h200", "h20", "b200")


@dataclass(frozen=True)
class Chip:
    """An accelerator: memory (B), bandwidth (B/s), dense peaks (FLOP/s); ``fp8`` is None where none was read."""

    key: str
    title: str
    memory: Quantity
    bandwidth: Quantity
    bf16: Quantity
    fp8: Quantity | None

    def peak(self, precision: str = "bf16") -> Quantity:
        """Dense FLOP/s in ``bf16`` or ``fp8``."""
        found = {"bf16": self.bf16, "fp8": self.fp8}
        if precision not in found:
            raise one_of("precision", precision, list(found))
        peak = found[precision]
        if peak is None:
            raise ExplainError(
                f"no {precision} figure of {self.title} that was read in a source; use bf16 or another chip"
            )
        return peak

    def ridge(self, precision: str = "bf16") -> Quantity:
        """FLOPs a byte above which arithmetic is the limit."""
        peak = self.peak(precision)
        formula, name = f"{precision} peak / bandwidth", f"ridge of {self.title}, {precision.upper()}"
        return computed(peak.value / self.bandwidth.value, "FLOP/B", formula, (peak, self.bandwidth), name=name)


def chip(key: str) -> Chip:
    """``"h800"`` → the chip with its cited figures."""
    if key not in CHIPS:
        raise one_of("chip", key, list(CHIPS))
    entry = facts.entry(f"hardware.{key}")
    known = "fp8" in entry.fields and entry.confidence_of("fp8") != "recalled"
    fp8 = entry.quantity("fp8") if known else None
    figures = [entry.quantity(name) for name in ("memory", "bandwidth", "bf16")]
    return Chip(key, entry.title, figures[0], figures[1], figures[2], fp8)


def attainable(intensity: Any, peak: float, bandwidth: float) -> NDArray[np.float64]:
    """FLOP/s that a kernel of this intensity (FLOP/B, any shape) can reach at best."""
    return np.minimum(peak, np.asarray(intensity, dtype=np.float64) * bandwidth)


def seconds(flops: Any, moved: Any, peak: float, bandwidth: float) -> NDArray[np.float64]:
    """Time of a kernel whose arithmetic and memory traffic overlap perfectly: the larger, in their common shape."""
    return np.maximum(np.asarray(flops, dtype=np.float64) / peak, np.asarray(moved, dtype=np.float64) / bandwidth)
