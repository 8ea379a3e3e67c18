"""Eight-bit floating point with a scale per block, as DeepSeek-V3 multiplies matrices in training.

V3 (2412.19437) section 3.3.2: activations are scaled in tiles of 1 × 128 (one token, 128 channels), weights in blocks
of 128 × 128, each so that its largest value becomes the largest that E4M3 holds (448). The products are summed in high
precision; here they are computed in float32 from the rounded factors, so what is measured is the rounding alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from explainers.errors import ExplainError, one_of

FORMATS = {"e4m3": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Rounding:
    """How a matrix product's factors are rounded.

    ``block`` is the side of a weight block and the length of an activation tile; None gives one scale for the whole
    tensor. ``activations`` False leaves them alone. bf16 has float32's range and needs no scale.
    """

    format: str = "e4m3"
    block: int | None = 128
    activations: bool = True

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise one_of("number format", self.format, tuple(FORMATS))
        if self.block is not None and self.block < 1:
            raise ExplainError(f"block is {self.block}; give at least 1, or None for one scale a tensor")


def quantise(x: Tensor, rows: int, columns: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Codes and scales of a matrix (R, C) in blocks of ``rows`` × ``columns`` (the last ones may be smaller).

    Returns
    -------
    codes
        (R, C) in ``dtype``.
    scales
        (⌈R/rows⌉, ⌈C/columns⌉) float32: a block's largest magnitude over the largest that ``dtype`` holds.
    """
    height, width = x.shape
    padded = F.pad(x.float(), (0, -width % columns, 0, -height % rows))
    blocks = padded.unflatten(0, (-1, rows)).unflatten(2, (-1, columns))  # (R/r, r, C/c, c)
    largest = blocks.abs().amax(dim=(1, 3))
    scales = torch.where(largest > 0, largest / torch.finfo(dtype).max, 1.0)
    codes = (blocks / scales[:, None, :, None]).to(dtype)
    return codes.flatten(2, 3).flatten(0, 1)[:height, :width], scales


def dequantise(codes: Tensor, scales: Tensor, rows: int, columns: int) -> Tensor:
    """The float32 matrix (R, C) that codes and scales stand for."""
    height, width = codes.shape
    spread = scales.repeat_interleave(rows, 0).repeat_interleave(columns, 1)[:height, :width]
    return codes.float() * spread


def rounded(x: Tensor, rounding: Rounding, *, weight: bool) -> Tensor:
    """``x`` (…, C) after a trip through the format: what the matrix product gets to see."""
    dtype = FORMATS[rounding.format]
    if rounding.format == "bf16":
        return x.to(dtype).to(x.dtype)
    flat = x.flatten(0, -2) if x.ndim > 2 else x
    columns = rounding.block or flat.shape[1]
    rows = (columns if rounding.block else flat.shape[0]) if weight or rounding.block is None else 1
    return dequantise(*quantise(flat, rows, columns, dtype), rows, columns).to(x.dtype).view_as(x)


def relative_error(x: Tensor, y: Tensor) -> float:
    """‖y − x‖ / ‖x‖ (Frobenius)."""
    return float((y - x).norm() / x.norm())


class RoundedProducts(TorchFunctionMode):
    """Within this context every ``F.linear`` with one of the chosen weights sees rounded factors.

    Other products (the gate, the output head, the scores of attention) keep their precision, as in V3. ``errors``
    collects for each weight the relative error of the activations it met.
    """

    def __init__(self, weights: Iterable[Tensor], rounding: Rounding) -> None:
        super().__init__()
        self.rounding = rounding
        self.storages = {weight.untyped_storage().data_ptr(): index for index, weight in enumerate(weights)}
        self.errors: dict[int, list[float]] = {index: [] for index in self.storages.values()}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.linear and (index := self.storages.get(args[1].untyped_storage().data_ptr())) is not None:
            x, weight, *rest = args
            seen = rounded(x, self.rounding, weight=False) if self.rounding.activations else x
            self.errors[index].append(relative_error(x, seen))
            return func(seen, rounded(weight, self.rounding, weight=True), *rest, **(kwargs or {}))
        return func(*args, **(kwargs or {}))
