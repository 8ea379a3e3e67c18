"""Manifold-constrained hyper-connections: several residual streams, mixed by doubly stochastic matrices.

V4 (2606.19348) section 2.2 (mHC, 2512.24880). Instead of one residual x there are N streams. Before a layer they
collapse to one vector, after it the layer's answer is handed out to all of them, and the streams themselves are mixed:

    x = Σ_n pre_n · X_n        X'_m = post_m · layer(x) + Σ_n comb_{n,m} · X_n

The three sets of weights depend on the token. ``comb`` is made doubly stochastic (rows and columns sum to 1) by
Sinkhorn and Knopp's alternating normalisation, so that mixing over many layers cannot blow the streams up.

Letters: B batch, S tokens, N streams, D hidden size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.errors import ExplainError


@dataclass(frozen=True)
class HyperConfig:
    """``hc_mult``, ``hc_sinkhorn_iters`` and ``hc_eps`` of V4's ``config.json``, and the norm's ε."""

    streams: int = 4
    iterations: int = 20
    eps: float = 1e-6
    norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        if self.streams < 1 or self.iterations < 1:
            raise ExplainError(
                f"hc_mult is {self.streams}, hc_sinkhorn_iters is {self.iterations}; give at least 1 of each"
            )


@dataclass(frozen=True, eq=False)
class HyperWeights:
    """One projection for all three sets of weights: N of pre, N of post, N·N of comb."""

    fn: Tensor  # (N·(2 + N), N·D)
    base: Tensor  # (N·(2 + N),)
    scale: Tensor  # (3,) of pre, post, comb


@dataclass(frozen=True, eq=False)
class HeadWeights:
    """The last collapse, before the output norm."""

    fn: Tensor  # (N, N·D)
    base: Tensor  # (N,)
    scale: Tensor  # (1,)


@dataclass(frozen=True, eq=False)
class Mixing:
    """The weights of one layer for each token."""

    pre: Tensor  # (B, S, N) streams to one
    post: Tensor  # (B, S, N) the layer's answer to each stream, between 0 and 2
    comb: Tensor  # (B, S, N, N) from stream to stream, doubly stochastic


def normalised(streams: Tensor, eps: float) -> Tensor:
    """Streams (B, S, N, D) → (B, S, N·D), divided by their root mean square, in float32 at least."""
    flat = streams.flatten(2)
    flat = flat.to(torch.promote_types(flat.dtype, torch.float32))
    return flat * torch.rsqrt(flat.square().mean(dim=-1, keepdim=True) + eps)


def sinkhorn(positive: Tensor, iterations: int, eps: float) -> Tensor:
    """Positive matrices (…, N, N) → nearly doubly stochastic ones: columns, then rows and columns in turn."""
    comb = positive / (positive.sum(dim=-2, keepdim=True) + eps)
    for _ in range(iterations - 1):
        comb = comb / (comb.sum(dim=-1, keepdim=True) + eps)
        comb = comb / (comb.sum(dim=-2, keepdim=True) + eps)
    return comb


def mixing(streams: Tensor, w: HyperWeights, cfg: HyperConfig) -> Mixing:
    """The three sets of weights for streams (B, S, N, D)."""
    n = cfg.streams
    flat = normalised(streams, cfg.norm_eps)  # (B, S, N·D)
    raw = F.linear(flat, w.fn.to(flat.dtype)).split([n, n, n * n], dim=-1)
    base = w.base.to(flat.dtype).split([n, n, n * n])
    pre, post, comb = (r * s + b for r, s, b in zip(raw, w.scale.to(flat.dtype).unbind(), base, strict=True))
    squares = comb.unflatten(-1, (n, n)).softmax(dim=-1) + cfg.eps  # (B, S, N, N)
    return Mixing(pre.sigmoid() + cfg.eps, 2 * post.sigmoid(), sinkhorn(squares, cfg.iterations, cfg.eps))


def collapse(streams: Tensor, pre: Tensor) -> Tensor:
    """Σ_n pre_n X_n: (B, S, N, D), (B, S, N) → (B, S, D)."""
    return torch.einsum("bsn,bsnd->bsd", pre, streams.to(pre.dtype)).to(streams.dtype)


def spread(streams: Tensor, answer: Tensor, mix: Mixing) -> Tensor:
    """The streams after a layer: its answer (B, S, D) handed out, the streams (B, S, N, D) mixed → (B, S, N, D)."""
    post, comb = mix.post.to(streams.dtype), mix.comb.to(streams.dtype)
    return post.unsqueeze(-1) * answer.unsqueeze(-2) + torch.einsum("bsnm,bsnd->bsmd", comb, streams)


def collapse_head(streams: Tensor, w: HeadWeights, cfg: HyperConfig) -> Tensor:
    """The streams after the last layer as one vector a token: (B, S, N, D) → (B, S, D)."""
    flat = normalised(streams, cfg.norm_eps)
    pre = (F.linear(flat, w.fn.to(flat.dtype)) * w.scale + w.base).sigmoid() + cfg.eps  # (B, S, N)
    return collapse(streams, pre)


def open_streams(x: Tensor, cfg: HyperConfig) -> Tensor:
    """Embeddings (B, S, D) copied to every stream: (B, S, N, D)."""
    return x.unsqueeze(2).expand(-1, -1, cfg.streams, -1)
