"""Rotary position embedding, and YaRN's stretching of it.

RoPE turns pair j of a vector at position m by the angle m·θ_j, θ_j = b^(−2j/d), so that the product of a query and a
key depends on their distance only. YaRN (2309.00071) lets a model trained on L positions read s·L of them: pairs that
turn often within L keep their speed, pairs that turn less than once are slowed down by s, those between are mixed.

Letters: B batch, S tokens, H heads, d rotated dimensions of a head (even), d/2 pairs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from explainers.errors import ExplainError


@dataclass(frozen=True)
class YarnConfig:
    """How far and how a RoPE is stretched; names of DeepSeek's ``rope_scaling``.

    ``factor`` is s, ``original_max_position_embeddings`` is L, in tokens. A pair that turns more than ``beta_fast``
    times within L is left alone, one that turns less than ``beta_slow`` times is slowed by s. ``mscale`` scales the
    rotated vectors, ``mscale_all_dim`` the whole softmax (see `yarn_mscale`, `softmax_mscale`).
    """

    factor: float
    original_max_position_embeddings: int = 4096
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    mscale: float = 1.0
    mscale_all_dim: float = 1.0

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise ExplainError(f"YaRN factor is {self.factor}; give at least 1 (it stretches the context)")
        if self.original_max_position_embeddings < 1:
            raise ExplainError(
                f"original_max_position_embeddings is {self.original_max_position_embeddings}; give at least 1"
            )
        if self.beta_fast <= self.beta_slow:
            raise ExplainError(f"beta_fast {self.beta_fast} must be more than beta_slow {self.beta_slow}; swap them")


@dataclass(frozen=True)
class RopeConfig:
    """RoPE on ``dim`` dimensions.

    ``interleaved`` names the pairs: DeepSeek turns neighbours (x₀, x₁), (x₂, x₃) …; most others turn the two halves
    (x₀, x_{d/2}), (x₁, x_{d/2+1}) …. The two differ by a fixed permutation of the dimensions.
    """

    dim: int
    theta: float = 10000.0
    interleaved: bool = True
    yarn: YarnConfig | None = None

    def __post_init__(self) -> None:
        if self.dim < 2 or self.dim % 2:
            raise ExplainError(f"RoPE turns pairs, but has {self.dim} dimensions; give an even number of at least 2")


@dataclass(frozen=True, eq=False)
class RopeTable:
    """Cosines and sines for S positions."""

    cos: Tensor  # (S, d/2)
    sin: Tensor  # (S, d/2)
    interleaved: bool

    @property
    def inverse(self) -> RopeTable:
        """The same turns backwards."""
        return RopeTable(self.cos, -self.sin, self.interleaved)


def find_correction_dim(rotations: float, dim: int, theta: float, max_positions: int) -> float:
    """The (fractional) pair that makes this many rotations within ``max_positions`` tokens.

    YaRN section 3.2: r(j) = L·θ_j / 2π, solved for j.
    """
    return dim * math.log(max_positions / (rotations * 2 * math.pi)) / (2 * math.log(theta))


def find_correction_range(cfg: RopeConfig) -> tuple[int, int]:
    """First and last pair of YaRN's ramp: before ``low`` nothing is slowed, after ``high`` everything is."""
    yarn = _yarn_of(cfg)
    length = yarn.original_max_position_embeddings
    low = math.floor(find_correction_dim(yarn.beta_fast, cfg.dim, cfg.theta, length))
    high = math.ceil(find_correction_dim(yarn.beta_slow, cfg.dim, cfg.theta, length))
    return max(low, 0), min(high, cfg.dim - 1)


def yarn_ramp(cfg: RopeConfig, dtype: torch.dtype = torch.float32) -> Tensor:
    """(d/2,) from 0 (keep the frequency) to 1 (divide it by s), linear in between: 1 − γ of YaRN section 3.2."""
    low, high = find_correction_range(cfg)
    pairs = torch.arange(cfg.dim // 2, dtype=dtype)  # (d/2,)
    return ((pairs - low) / max(high - low, 0.001)).clamp(0, 1)


def yarn_mscale(factor: float, mscale: float = 1.0) -> float:
    """0.1·mscale·ln(s) + 1, YaRN's √(1/t) (section 3.4) with DeepSeek's extra knob; 1 for a factor of at most 1."""
    return 1.0 if factor <= 1 else 0.1 * mscale * math.log(factor) + 1.0


def softmax_mscale(cfg: RopeConfig) -> float:
    """What the softmax scale is multiplied by: mscale² with ``mscale_all_dim`` (once for q, once for k); else 1."""
    if cfg.yarn is None or not cfg.yarn.mscale_all_dim:
        return 1.0
    return yarn_mscale(cfg.yarn.factor, cfg.yarn.mscale_all_dim) ** 2


def vector_mscale(cfg: RopeConfig) -> float:
    """What cosines and sines are multiplied by: what ``mscale`` asks beyond what ``mscale_all_dim`` already does."""
    if cfg.yarn is None:
        return 1.0
    return yarn_mscale(cfg.yarn.factor, cfg.yarn.mscale) / yarn_mscale(cfg.yarn.factor, cfg.yarn.mscale_all_dim)


def rope_frequencies(cfg: RopeConfig, dtype: torch.dtype = torch.float32) -> Tensor:
    """(d/2,) angles per position in radians, fastest pair first, YaRN applied where the configuration has it."""
    exponents = torch.arange(0, cfg.dim, 2, dtype=dtype) / cfg.dim  # (d/2,)
    frequencies = 1.0 / cfg.theta**exponents
    if cfg.yarn is None:
        return frequencies
    ramp = yarn_ramp(cfg, dtype)  # (d/2,)
    return frequencies / cfg.yarn.factor * ramp + frequencies * (1 - ramp)  # h(θ), YaRN section 3.2


@cache
def _on_gpu(cfg: RopeConfig, dtype: torch.dtype, device: torch.device) -> Tensor:
    """`rope_frequencies` (d/2,), brought to a GPU once: a copy in every step would make it wait for the CPU."""
    with torch.inference_mode(False):
        return rope_frequencies(cfg, dtype).to(device)


def rope_table(cfg: RopeConfig, start: int, length: int, like: Tensor) -> RopeTable:
    """Cosines and sines of positions ``start … start + length − 1``, on the device of ``like``.

    Angles are computed in float32 (float64 for a float64 ``like``), as the published code does. Frequencies are made on
    the CPU, so every device turns by the same angles.
    """
    return rope_table_at(cfg, torch.arange(start, start + length, device=like.device), like)


def rope_table_at(cfg: RopeConfig, positions: Tensor, like: Tensor) -> RopeTable:
    """`rope_table` for any positions (S,): the compressed entries of V4 stand four or 128 tokens apart."""
    dtype = torch.promote_types(like.dtype, torch.float32)
    on_gpu = like.device.type == "cuda"
    frequencies = _on_gpu(cfg, dtype, like.device) if on_gpu else rope_frequencies(cfg, dtype).to(like.device)  # (d/2,)
    angles = positions.to(like.device, dtype)[:, None] * frequencies  # (S, d/2)
    scale = vector_mscale(cfg)
    return RopeTable(angles.cos() * scale, angles.sin() * scale, cfg.interleaved)


def apply_rope(x: Tensor, table: RopeTable) -> Tensor:
    """Turn the pairs of x (B, S, H, d); the layout of the dimensions stays as it was.

    Rotates in float32 (or float64) and returns x's dtype.
    """
    cos, sin = table.cos[:, None, :], table.sin[:, None, :]  # (S, 1, d/2)
    wide = x.to(cos.dtype)
    first, second = (wide[..., 0::2], wide[..., 1::2]) if table.interleaved else wide.chunk(2, dim=-1)  # (B, S, H, d/2)
    turned = first * cos - second * sin, first * sin + second * cos
    joined = torch.stack(turned, dim=-1).flatten(-2) if table.interleaved else torch.cat(turned, dim=-1)
    return joined.to(x.dtype)  # (B, S, H, d)


def apply_rope_to_tail(x: Tensor, table: RopeTable) -> Tensor:
    """Turn the last d dimensions of x (B, S, H, n + d) and leave the n before them alone (V4's layout of a head)."""
    width = 2 * table.cos.shape[-1]
    kept, turned = x.split([x.shape[-1] - width, width], dim=-1)
    return torch.cat((kept, apply_rope(turned, table)), dim=-1)


def apply_rope_to_front(x: Tensor, table: RopeTable) -> Tensor:
    """Turn the first d dimensions of x (B, S, H, d + n) and leave the n after them alone (V3.2's indexer)."""
    width = 2 * table.cos.shape[-1]
    turned, kept = x.split([width, x.shape[-1] - width], dim=-1)
    return torch.cat((apply_rope(turned, table), kept), dim=-1)


def _yarn_of(cfg: RopeConfig) -> YarnConfig:
    if cfg.yarn is None:
        raise ExplainError("this RoPE has no YaRN; give RopeConfig(yarn=YarnConfig(factor=…))")
    return cfg.yarn
