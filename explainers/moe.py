"""Mixture of experts: dispatch, routed experts, shared experts, combine.

The layer is h'_t = u_t + Σ shared FFN(u_t) + Σ_i g_{i,t} FFN_i(u_t) (V3 equation 12, V2 equation 20, DeepSeekMoE
equation 9), less the residual u_t, which the block adds. The gate is in `explainers.gate`, the balance in
`explainers.balance`; both are re-exported here.

Letters: T tokens, D hidden size, E routed experts, k experts a token, F inner size of an expert, N = T·k rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.balance import expert_balance_loss, expert_load, max_vio, sequence_balance_loss, update_bias
from explainers.errors import ExplainError, one_of
from explainers.gate import GateConfig, Routing, route

__all__ = [
    "Dispatch",
    "ExpertWeights",
    "GateConfig",
    "MLPWeights",
    "MoEParts",
    "MoEWeights",
    "Picked",
    "Routing",
    "combine",
    "dispatch",
    "expert_balance_loss",
    "expert_load",
    "expert_outputs",
    "max_vio",
    "moe_fast",
    "moe_forward",
    "moe_grouped",
    "moe_loop",
    "moe_parts",
    "route",
    "sequence_balance_loss",
    "swiglu",
    "update_bias",
]


@dataclass(frozen=True, eq=False)
class MLPWeights:
    """One SwiGLU feed-forward layer: a dense layer's, or the shared experts' side by side."""

    w1: Tensor  # (F, D) gate projection
    w2: Tensor  # (D, F) down projection
    w3: Tensor  # (F, D) up projection


@dataclass(frozen=True, eq=False)
class ExpertWeights:
    """The routed experts' SwiGLU weights, stacked."""

    w1: Tensor  # (E, F, D) gate projection
    w2: Tensor  # (E, D, F) down projection
    w3: Tensor  # (E, F, D) up projection

    def __post_init__(self) -> None:
        experts, inner, hidden = self.w1.shape
        if self.w3.shape != self.w1.shape or tuple(self.w2.shape) != (experts, hidden, inner):
            shapes = f"w1 {tuple(self.w1.shape)}, w2 {tuple(self.w2.shape)}, w3 {tuple(self.w3.shape)}"
            raise ExplainError(f"expert weights do not fit: {shapes}; give w1, w3 (E, F, D) and w2 (E, D, F)")

    def pick(self, experts: list[int]) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """(w1, w2, w3) of each of these experts, as views.

        With gradients the stack is unbound once: indexing it expert by expert would make the backward pass allocate
        the whole stack for every expert.
        """
        if torch.is_grad_enabled() and (self.w1.requires_grad or self.w2.requires_grad or self.w3.requires_grad):
            w1, w2, w3 = self.w1.unbind(), self.w2.unbind(), self.w3.unbind()
            return ((w1[e], w2[e], w3[e]) for e in experts)
        return ((self.w1[e], self.w2[e], self.w3[e]) for e in experts)


class Picked(Protocol):
    """Routed experts that give the weights of those asked for: `ExpertWeights`, or a file that is read as needed."""

    def pick(self, experts: list[int]) -> Iterator[tuple[Tensor, Tensor, Tensor]]: ...


@dataclass(frozen=True, eq=False)
class MoEWeights:
    """Everything a mixture-of-experts layer has learnt."""

    gate: Tensor  # (E, D) expert centroids
    experts: Picked
    bias: Tensor | None = None  # (E,) for choosing only; moved by `update_bias`, not by gradients
    shared: MLPWeights | None = None  # all shared experts as one wider feed-forward layer
    limit: float | None = None  # V4's clamp inside every expert, see `swiglu`


@dataclass(frozen=True, eq=False)
class Dispatch:
    """Which row goes where: N = T·k rows, sorted by expert."""

    row: Tensor  # (N,) int64, token · k + slot
    token: Tensor  # (N,) int64
    experts: list[int]  # the experts that got a row, ascending
    sizes: list[int]  # how many rows each of them got, summing to N


@dataclass(frozen=True, eq=False)
class MoEParts:
    """All intermediate tensors of one layer, for pictures."""

    x: Tensor  # (T, D) input
    routing: Routing
    outputs: Tensor  # (T, k, D) each chosen expert's answer, before weighing
    routed: Tensor  # (T, D) their weighted sum
    shared: Tensor | None  # (T, D) the shared experts' answer
    out: Tensor  # (T, D)


def swiglu(x: Tensor, w1: Tensor, w2: Tensor, w3: Tensor, limit: float | None = None) -> Tensor:
    """FFN(x) = W₂(SiLU(W₁x) ⊙ W₃x): (…, D) → (…, D). V4 clamps what enters the product at ±``limit``."""
    gate, up = F.linear(x, w1), F.linear(x, w3)  # (…, F)
    if limit is not None:
        gate, up = gate.clamp(max=limit), up.clamp(min=-limit, max=limit)
    return F.linear(F.silu(gate) * up, w2)  # D → F → D


def moe_loop(x: Tensor, experts: Picked, routing: Routing, limit: float | None = None) -> Tensor:
    """Σ_i g_{i,t} FFN_i(u_t), expert by expert as the equation reads: (T, D) → (T, D)."""
    y = torch.zeros_like(x, dtype=routing.weights.dtype)  # (T, D)
    every = list(range(routing.n_routed_experts))
    for i, (w1, w2, w3) in zip(every, experts.pick(every), strict=True):
        token, slot = torch.where(routing.indices == i)  # (n,), (n,) who chose expert i, as which of its k
        g = routing.weights[token, slot, None]  # (n, 1)
        y = y.index_add(0, token, g * swiglu(x[token], w1, w2, w3, limit))
    return y.to(x.dtype)


def dispatch(routing: Routing) -> Dispatch:
    """Sort the N rows by expert, tokens in order within an expert."""
    k = routing.indices.shape[1]
    row = _by_expert(routing.indices.flatten())  # (N,)
    load = expert_load(routing.indices, routing.n_routed_experts).tolist()  # E
    hit = [i for i, count in enumerate(load) if count]
    return Dispatch(row, row // k, hit, [load[i] for i in hit])


def _by_expert(chosen: Tensor) -> Tensor:
    """The order that sorts rows by their experts, stable: (N,) → (N,). NumPy sorts sixteen bits digit by digit."""
    if chosen.is_cuda:
        return chosen.argsort(stable=True)
    return torch.from_numpy(np.argsort(chosen.numpy().astype(np.uint16), kind="stable"))


def moe_grouped(x: Tensor, experts: Picked, routing: Routing, limit: float | None = None) -> Tensor:
    """The same sum, fast: rows sorted by expert, one product per contiguous segment: (T, D) → (T, D).

    Only experts that got a token are touched. Tokens are unique within a segment, so adding a segment back is
    deterministic on every device.
    """
    to = dispatch(routing)
    g = routing.weights.flatten()[to.row, None]  # (N, 1)
    segments = zip(
        to.token.split(to.sizes), x[to.token].split(to.sizes), g.split(to.sizes), experts.pick(to.experts), strict=True
    )
    y = torch.zeros_like(x, dtype=routing.weights.dtype)  # (T, D)
    for rows, inputs, share, w in segments:  # (n,), (n, D), (n, 1), weights of one expert
        y.index_add_(0, rows, share * swiglu(inputs, *w, limit))
    return y.to(x.dtype)


def moe_fast(x: Tensor, experts: Picked, routing: Routing, limit: float | None = None) -> Tensor:
    """`moe_grouped` without gradients, near the time of its bare products: (T, D) → (T, D).

    One room serves every expert in turn, so that what stands between the products stays in the processor's cache, and
    answers are weighed where they are narrowest, before the last product. A GPU with Triton, and a CPU with few tokens
    for small experts, take torch's grouped product where torch has it; for a few rows of a large expert a CPU
    multiplies the other way round, and for one token it goes from expert to expert.
    """
    if len(x) == 1 and not x.is_cuda:
        return _one_token(x, experts, routing, limit)
    kernels, k = _kernels() if x.is_cuda else None, routing.indices.shape[1]
    if isinstance(experts, ExpertWeights) and (kernels or _calls_cost(x, experts, k)) and _grouped_mm_for(x, experts):
        return _moe_at_once(x, experts, routing, limit, kernels)
    to = dispatch(routing)
    g, most = routing.weights.take(to.row)[:, None], max(to.sizes, default=0)  # (N, 1)
    y = torch.zeros_like(x, dtype=g.dtype)  # (T, D)
    room: list[Tensor] = []
    segments = zip(to.sizes, to.token.split(to.sizes), g.split(to.sizes), experts.pick(to.experts), strict=True)
    for n, rows, share, (w1, w2, w3) in segments:
        room = room or [x.new_empty(most, width) for width in (x.shape[1], len(w1), len(w1))]
        inputs, gate, up = room[0][:n], room[1][:n], room[2][:n]  # (n, D), (n, F), (n, F)
        torch.index_select(x, 0, rows, out=inputs)
        if n in _SLIM:
            h = _gated(torch.mm(w1, inputs.T), torch.mm(w3, inputs.T), limit).mul_(share.T)  # (F, n)
            inputs.copy_(torch.mm(w2, h).T)
        else:
            torch.mm(inputs, w1.T, out=gate)
            torch.mm(inputs, w3.T, out=up)
            torch.mm(_gated(gate, up, limit).mul_(share), w2.T, out=inputs)
        y.index_add_(0, rows, inputs.to(y.dtype))
    return y.to(x.dtype)


def _one_token(x: Tensor, experts: Picked, routing: Routing, limit: float | None) -> Tensor:
    """The same for one token, with nothing to sort or to gather, matrices times vectors: (1, D) → (1, D)."""
    u, picked = x[0], experts.pick(routing.indices[0].tolist())
    answers = [torch.mv(w2, _gated(torch.mv(w1, u), torch.mv(w3, u), limit)) for w1, w2, w3 in picked]  # k of (D,)
    return torch.mm(routing.weights.to(x.dtype), torch.stack(answers))


def _gated(gate: Tensor, up: Tensor, limit: float | None) -> Tensor:
    """SiLU(gate) ⊙ up, both clamped where there is a limit; written over ``gate``."""
    if limit is not None:
        gate, up = gate.clamp_(max=limit), up.clamp_(min=-limit, max=limit)
    return F.silu(gate, inplace=True).mul_(up)


#: Rows of a product that a CPU does in half the time as weights · rowsᵀ: its rows · weightsᵀ copies the weights first.
_SLIM = range(4, 33)
#: Numbers in an expert's matrix, and in all rows, up to which a loop's calls cost a CPU more than its sums.
_SMALL, _FEW = 1 << 18, 1 << 18


def _calls_cost(x: Tensor, experts: ExpertWeights, k: int) -> bool:
    """Whether torch's grouped product is faster on a CPU than a loop over experts (`explain bench engine`)."""
    return x.numel() * k <= _FEW and experts.w1[0].numel() <= _SMALL


def _grouped_mm_for(x: Tensor, experts: ExpertWeights) -> bool:
    """Whether torch's grouped product exists and takes this dtype and these sizes (rows of whole sixteen bytes)."""
    takes = (torch.bfloat16,) if x.is_cuda else (torch.float32, torch.bfloat16)
    if not hasattr(F, "grouped_mm") or x.dtype not in takes:
        return False
    return all(size * x.element_size() % 16 == 0 for size in experts.w1.shape[1:])


def _moe_at_once(x: Tensor, experts: ExpertWeights, routing: Routing, limit: float | None, kernels: Any) -> Tensor:
    """The same without a loop, in which calls cost more than sums: three grouped products, (T, D) → (T, D).

    Rows are sorted by expert; ``ends`` says where each expert's rows end, (E,). Nothing here waits for a GPU; there
    ``kernels`` do what stands between the products.
    """
    tokens, k = routing.indices.shape
    chosen, order = routing.indices.flatten().sort(stable=True)  # (N,), (N,) row = token · k + slot
    every = torch.arange(routing.n_routed_experts, device=x.device)
    ends = torch.searchsorted(chosen, every, right=True, out_int32=True)
    token, shares = order // k, routing.weights.take(order)  # (N,), (N,)
    rows = x.index_select(0, token)  # (N, D)
    gate = F.grouped_mm(rows, experts.w1.mT, offs=ends)  # (N, F)
    up = F.grouped_mm(rows, experts.w3.mT, offs=ends)
    if kernels is None:
        answers = F.grouped_mm(_gated(gate, up, limit).mul_(shares[:, None]), experts.w2.mT, offs=ends)  # (N, D)
        y = torch.zeros_like(x, dtype=shares.dtype)
        return y.index_add_(0, token, answers.to(y.dtype)).to(x.dtype)
    place = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=x.device))  # (N,)
    answers = F.grouped_mm(kernels.gated(gate, up, shares, limit), experts.w2.mT, offs=ends)
    return kernels.sum_of_rows(answers, place.view(tokens, k))


@cache
def _kernels() -> Any:
    """`explainers.moe_kernels`, where there is Triton."""
    return import_module("explainers.moe_kernels") if find_spec("triton") else None


def expert_outputs(x: Tensor, experts: Picked, routing: Routing, limit: float | None = None) -> Tensor:
    """What each chosen expert answers, before weighing: (T, D) → (T, k, D), in the order of ``routing.indices``."""
    to = dispatch(routing)
    rows_of = zip(x[to.token].split(to.sizes), experts.pick(to.experts), strict=True)
    answers = [swiglu(rows, *w, limit) for rows, w in rows_of]
    out = x.new_zeros(len(to.row), x.shape[1]).index_copy(0, to.row, torch.cat(answers))  # (N, D)
    return out.view(*routing.indices.shape, x.shape[1])


def combine(outputs: Tensor, weights: Tensor) -> Tensor:
    """Σ_i g_{i,t} FFN_i(u_t) over a token's k experts: (T, k, D), (T, k) → (T, D)."""
    return torch.einsum("tk,tkd->td", weights, outputs.to(weights.dtype)).to(outputs.dtype)


PATHS = {"loop": moe_loop, "grouped": moe_grouped, "fast": moe_fast}


def moe_forward(
    x: Tensor, weights: MoEWeights, cfg: GateConfig, path: str = "grouped", experts_of: Tensor | None = None
) -> tuple[Tensor, Routing]:
    """A whole layer without its residual: (…, D) → ((…, D), routing of the flattened T tokens).

    ``path`` is ``"grouped"`` (fast) or ``"loop"`` (reads like the paper); they agree to rounding. ``experts_of`` (T, k)
    is for V4's hash-routed layers, see `explainers.gate.route`.
    """
    if path not in PATHS:
        raise one_of("path", path, list(PATHS))
    tokens = x.flatten(0, -2)  # (T, D)
    routing = route(tokens, weights.gate, weights.bias, cfg, experts_of)
    y = PATHS[path](tokens, weights.experts, routing, weights.limit)  # (T, D)
    if weights.shared is not None:
        y = y + swiglu(tokens, weights.shared.w1, weights.shared.w2, weights.shared.w3, weights.limit)
    return y.view_as(x), routing


def moe_parts(x: Tensor, weights: MoEWeights, cfg: GateConfig, experts_of: Tensor | None = None) -> MoEParts:
    """`moe_forward` of tokens (T, D), step by step, with every intermediate tensor."""
    routing = route(x, weights.gate, weights.bias, cfg, experts_of)
    outputs = expert_outputs(x, weights.experts, routing, weights.limit)  # (T, k, D)
    routed = combine(outputs, routing.weights)  # (T, D)
    if weights.shared is None:
        return MoEParts(x, routing, outputs, routed, None, routed)
    shared = swiglu(x, weights.shared.w1, weights.shared.w2, weights.shared.w3, weights.limit)  # (T, D)
    return MoEParts(x, routing, outputs, routed, shared, routed + shared)
