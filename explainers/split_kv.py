"""Absorbed attention on a GPU, the cache read once: a kernel in Triton that splits the tokens (Flash-Decoding).

One new token has H queries of r + p numbers, all over the same T rows [c_kv; k_pe]; the values are the first r numbers
of those rows, so a tile is loaded once and used twice. Tokens are cut into runs that are read side by side, each with a
softmax of its own; a second kernel joins them by their sums (Flash-Decoding, Dao et al., 2023; online softmax, Milakov
and Gimelshein, 2018). With V3's 128 heads every byte serves 242 FLOPs, about what an H100 can do in the time it takes
to read it, so reading and multiplying must overlap.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

#: Tokens in a tile and stages of loading to try: the first that fit the chip's shared memory are taken.
_TILES = {False: ((64, 3), (64, 2), (32, 2), (16, 2)), True: ((64, 2), (32, 2), (32, 1), (16, 1))}
_LOG2E = 1.4426950408889634


@triton.jit
def _run_of_tokens(
    q, rows, sums, weights, tokens, run, stride, scale,
    HEADS: tl.constexpr, RANK: tl.constexpr, ROPE: tl.constexpr, AT_ONCE: tl.constexpr, TILE: tl.constexpr,
    STAGES: tl.constexpr,
):  # fmt: skip
    """A block of heads over one run of tokens: the weighted mean of its latents, and log2 of its softmax's sum."""
    block, part, sequence = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    width: tl.constexpr = RANK + ROPE
    heads = block * AT_ONCE + tl.arange(0, AT_ONCE)
    latent, turned = tl.arange(0, RANK), RANK + tl.arange(0, ROPE)
    mine = q + (sequence.to(tl.int64) * HEADS + heads[:, None]) * width
    q_latent = tl.load(mine + latent[None, :], mask=(heads < HEADS)[:, None], other=0.0)
    q_pe = tl.load(mine + turned[None, :], mask=(heads < HEADS)[:, None], other=0.0)
    top = tl.full((AT_ONCE,), float("-inf"), tl.float32)
    total = tl.zeros((AT_ONCE,), tl.float32)
    mean = tl.zeros((AT_ONCE, RANK), tl.float32)
    end = tl.minimum((part + 1) * run, tokens)
    for start in tl.range(part * run, end, TILE, num_stages=STAGES):
        token = start + tl.arange(0, TILE)
        there = token < end
        row = rows + sequence.to(tl.int64) * stride + token[:, None].to(tl.int64) * width
        c_kv = tl.load(row + latent[None, :], mask=there[:, None], other=0.0)
        k_pe = tl.load(row + turned[None, :], mask=there[:, None], other=0.0)
        score = tl.dot(q_pe, tl.trans(k_pe), tl.dot(q_latent, tl.trans(c_kv))) * scale
        score = tl.where(there[None, :], score, float("-inf"))
        higher = tl.maximum(top, tl.max(score, 1))
        chance = tl.exp2(score - higher[:, None])
        fade = tl.exp2(top - higher)
        total = total * fade + tl.sum(chance, 1)
        mean = tl.dot(chance.to(c_kv.dtype), c_kv, mean * fade[:, None])
        top = higher
    place = (sequence.to(tl.int64) * tl.num_programs(1) + part) * HEADS + heads
    tl.store(sums + place[:, None] * RANK + latent[None, :], mean / total[:, None], mask=(heads < HEADS)[:, None])
    tl.store(weights + place, top + tl.log2(total), mask=heads < HEADS)


@triton.jit
def _join(sums, weights, out, parts, HEADS: tl.constexpr, RANK: tl.constexpr, MOST: tl.constexpr, WIDE: tl.constexpr):
    """The runs of one head joined: their means, weighted by the sums of their softmaxes."""
    head, sequence, piece = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    part, latent = tl.arange(0, MOST), piece * WIDE + tl.arange(0, WIDE)
    place = (sequence.to(tl.int64) * parts + part) * HEADS + head
    weight = tl.load(weights + place, mask=part < parts, other=float("-inf"))
    chance = tl.exp2(weight - tl.max(weight, 0))
    mean = tl.load(sums + place[:, None] * RANK + latent[None, :], mask=(part < parts)[:, None], other=0.0)
    joined = tl.sum(mean * (chance / tl.sum(chance, 0))[:, None], 0)
    tl.store(out + (sequence.to(tl.int64) * HEADS + head) * RANK + latent, joined.to(out.dtype.element_ty))


def takes(q: Tensor, rank: int) -> bool:
    """Whether the kernel can compute this: half precision on a GPU, widths that are powers of two from 16 on."""
    widths = (rank, q.shape[-1] - rank)
    return q.is_cuda and q.element_size() == 2 and all(w >= 16 and w & (w - 1) == 0 for w in widths)


def attend_latents(q: Tensor, rows: Tensor, rank: int, scale: float) -> Tensor:
    """Queries (B, H, r + p) over rows (B, T, r + p), contiguous within a sequence: (B, H, r), softmax in float32."""
    batch, heads, width = q.shape
    tokens, at_once = rows.shape[1], min(64, max(16, triton.next_power_of_2(heads)))
    chip: Any = torch.cuda.get_device_properties(q.device)
    hopper = _hopper() if chip.major == 9 and at_once == 64 and (rank, width) == (512, 576) else None
    tile, stages = (hopper.TOKENS, 2) if hopper else _tile(chip, at_once, width, q.element_size())
    blocks = batch * triton.cdiv(heads, at_once)
    parts = max(1, min(chip.multi_processor_count // blocks, triton.cdiv(tokens, 2 * tile)))
    run = triton.cdiv(triton.cdiv(tokens, parts), tile) * tile
    parts = triton.cdiv(tokens, run)
    sums = q.new_empty(batch, parts, heads, rank, dtype=torch.float32)
    weights = q.new_empty(batch, parts, heads, dtype=torch.float32)
    out = q.new_empty(batch, heads, rank)
    q = q.contiguous()
    if hopper:
        hopper.launch(q, rows, sums, weights, run, scale * _LOG2E)
    else:
        _run_of_tokens[(triton.cdiv(heads, at_once), parts, batch)](
            q, rows, sums, weights, tokens, run, rows.stride(0), scale * _LOG2E,
            HEADS=heads, RANK=rank, ROPE=width - rank, AT_ONCE=at_once, TILE=tile, STAGES=stages,
            num_warps=8 if at_once == 64 else 4,
        )  # fmt: skip
    most = triton.next_power_of_2(parts)
    wide = min(rank, max(32, 4096 // most))  # few runs: whole heads at once; many: slices that fit the registers
    _join[(heads, batch, rank // wide)](
        sums, weights, out, parts, HEADS=heads, RANK=rank, MOST=most, WIDE=wide, num_warps=4
    )
    return out


def _tile(chip: Any, heads: int, width: int, size: int) -> tuple[int, int]:
    """Tokens in a tile and stages of loading, as the chip's shared memory allows beside the queries.

    Products of whole warp groups (64 heads) keep a tile a stage, those of single warps one less: it is in registers.
    """
    room = chip.shared_memory_per_block_optin // size - 4096
    tiles, less = _TILES[heads == 64], int(heads < 64)
    return next((t for t in tiles if (heads + t[0] * (t[1] - less)) * width < room), tiles[-1])


@cache
def _hopper() -> Any:
    """The kernel for Hopper, where this Triton has what it is written in (an experimental part of Triton)."""
    try:
        from explainers import split_kv_hopper
    except ImportError:
        return None
    return split_kv_hopper
