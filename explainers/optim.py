"""Muon for matrices, AdamW for the rest, as one optimizer with one schedule.

Muon: K. Jordan and others 2024, "Muon: An optimizer for hidden layers in neural networks"; the scale
0.2·√max(rows, columns) that lets it share AdamW's learning rate: Liu and others 2025, "Muon is Scalable for LLM
Training" (2502.16982).
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import torch
from torch import Tensor, nn

from explainers.errors import one_of

OPTIMIZERS = ("muon", "adamw")
#: Coefficients of the quintic Newton–Schulz iteration, from Jordan's implementation.
_QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """U Vᵀ of each matrix U Σ Vᵀ, nearly: (N, rows, columns) → the same, singular values about 0.7 to 1.2."""
    a, b, c = _QUINTIC
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised, for parameters that are matrices (or stacks of them)."""

    def __init__(
        self, parameters: list[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            by_shape: defaultdict[tuple[int, ...], list[tuple[nn.Parameter, Tensor]]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
                ahead = parameter.grad.lerp(state["momentum"], group["momentum"])  # Nesterov
                by_shape[tuple(parameter.shape[-2:])].append((parameter, ahead))
            for (rows, columns), members in by_shape.items():
                stacked = torch.cat([ahead.reshape(-1, rows, columns) for _, ahead in members])
                update = orthogonalise(stacked) * (0.2 * math.sqrt(max(rows, columns)))
                sizes = [ahead.numel() // (rows * columns) for _, ahead in members]
                for (parameter, _), part in zip(members, update.split(sizes), strict=True):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.sub_(group["lr"] * part.view_as(parameter))


def make_optimizers(model: nn.Module, kind: str, lr: float, weight_decay: float = 0.0) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or Muon for the matrices and AdamW for embedding, head, gates and norms."""
    if kind not in OPTIMIZERS:
        raise one_of("optimizer", kind, OPTIMIZERS)
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        hidden = parameter.ndim >= 2 and not any(part in name for part in ("embed_tokens", "lm_head", "mlp.gate."))
        (matrices if hidden and kind == "muon" else others).append(parameter)
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.95), weight_decay=weight_decay)
    ]
    if matrices:
        optimizers.append(Muon(matrices, lr, weight_decay=weight_decay))
    return optimizers


def cosine(step: int, steps: int, warmup: int, floor: float = 0.05) -> float:
    """The share of the learning rate at a step: linear warm-up, then a cosine down to ``floor``."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
