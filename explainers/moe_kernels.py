"""What stands between the grouped products of `explainers.moe` on a GPU, each in one pass over its rows (in Triton).

Written one operation after the other these passes take as long as a third of the products.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 1024


@triton.jit
def _gated(gate, up, shares, out, width, limit, LIMITED: tl.constexpr, BLOCK: tl.constexpr):
    row, column = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    at = row * width + column
    g = tl.load(gate + at, mask=column < width).to(tl.float32)
    u = tl.load(up + at, mask=column < width).to(tl.float32)
    if LIMITED:
        g, u = tl.minimum(g, limit), tl.minimum(tl.maximum(u, -limit), limit)
    h = g / (1 + tl.exp(-g)) * u * tl.load(shares + row).to(tl.float32)
    tl.store(out + at, h.to(out.dtype.element_ty), mask=column < width)


@triton.jit
def _sum_of_rows(rows, place, out, width, K: tl.constexpr, BLOCK: tl.constexpr):
    token, column = tl.program_id(0).to(tl.int64), tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    total = tl.zeros((BLOCK,), tl.float32)
    for j in tl.static_range(K):
        row = tl.load(place + token * K + j).to(tl.int64)
        total += tl.load(rows + row * width + column, mask=column < width, other=0.0).to(tl.float32)
    tl.store(out + token * width + column, total.to(out.dtype.element_ty), mask=column < width)


def gated(gate: Tensor, up: Tensor, shares: Tensor, limit: float | None) -> Tensor:
    """SiLU(gate) ⊙ up · shares, both clamped where there is a limit: (N, F), (N, F), (N,) → (N, F)."""
    out = torch.empty_like(gate)
    grid = (len(gate), triton.cdiv(gate.shape[1], _BLOCK))
    _gated[grid](gate, up, shares, out, gate.shape[1], limit or 0.0, LIMITED=limit is not None, BLOCK=_BLOCK)
    return out


def sum_of_rows(rows: Tensor, place: Tensor) -> Tensor:
    """Each token's k rows added up, in the order of its choices: rows (N, D), places (T, k) → (T, D)."""
    tokens, k = place.shape
    out = rows.new_empty(tokens, rows.shape[1])
    _sum_of_rows[(tokens, triton.cdiv(rows.shape[1], _BLOCK))](rows, place, out, rows.shape[1], K=k, BLOCK=_BLOCK)
    return out
