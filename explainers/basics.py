"""What every layer of the small model is made of: RMSNorm, a projection without bias, the tap."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Tap = Callable[[str, Tensor], Tensor]


def untapped(name: str, values: Tensor) -> Tensor:
    """The tap that does nothing: the same tensor, whatever its shape."""
    return values


class FusedTap:
    """A tap that does not look at attention's probabilities, so that torch's fused kernel may do attention."""

    def __init__(self, see: Tap) -> None:
        self.see = see

    def __call__(self, name: str, values: Tensor) -> Tensor:
        return self.see(name, values)


class RMSNorm(nn.Module):
    """x / rms(x) · weight."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def linear(size_in: int, size_out: int) -> nn.Linear:
    """A projection (…, size_in) → (…, size_out) without bias, as in all of DeepSeek's layers."""
    return nn.Linear(size_in, size_out, bias=False)
