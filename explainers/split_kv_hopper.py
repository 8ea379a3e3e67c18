"""The loop of `explainers.split_kv` for Hopper, in Gluon: Triton's language below its own, where layouts are chosen.

With 64 heads at once Triton computes the scores twice, once in each warp group, and reaches half of what is below. Here
the groups share the scores by tokens and the sums by the latent's halves; the tensor copy engine fetches the next tile
meanwhile. One block holds its queries, two tiles and its shares of one tile: 225 KB of the 227 KB of shared memory.
"""

from __future__ import annotations

from torch import Tensor
from triton.experimental import gluon
from triton.experimental.gluon import language as gl
from triton.experimental.gluon.language.nvidia.hopper import (
    fence_async_shared,
    mbarrier,
    warpgroup_mma,
    warpgroup_mma_wait,
)
from triton.experimental.gluon.nvidia.hopper import TensorDescriptor

try:
    from triton.experimental.gluon.language.nvidia.hopper.tma import async_load
except ImportError:  # its name before Triton 3.8; from 3.9 on the old one is gone
    from triton.experimental.gluon.language.nvidia.hopper.tma import async_copy_global_to_shared as async_load

#: Heads and tokens at once. The widths are those of every released model with MLA.
HEADS, TOKENS, RANK, ROPE = 64, 64, 512, 64


@gluon.jit
def _fetch(wide, narrow, sequence, row, ready, to_wide, to_narrow, more):
    """Ask the copy engine for latents and turned parts of a tile of rows; ``ready`` says when they are there."""
    mbarrier.expect(ready, wide.block_type.nbytes + narrow.block_type.nbytes, pred=more)
    async_load(wide, [sequence, row, 0], ready, to_wide, pred=more)
    async_load(narrow, [sequence, row, wide.block_type.shape[2]], ready, to_narrow, pred=more)


@gluon.jit
def _scores(q_latent, q_pe, c_kv, k_pe, nothing):
    """Queries times keys, their latent and their turned parts added up."""
    score = warpgroup_mma(q_latent, c_kv.permute((1, 0)), nothing, use_acc=False, is_async=True)
    score = warpgroup_mma(q_pe, k_pe.permute((1, 0)), score, is_async=True)
    return warpgroup_mma_wait(0, deps=(score,))


@gluon.jit
def _store(sums, weights, mean, total, top, first, left, by_token: gl.constexpr, by_latent: gl.constexpr):
    """Write a block's means and the logarithms of their sums; ``left`` heads of it are real."""
    AT_ONCE: gl.constexpr = mean.shape[0]
    WIDE: gl.constexpr = mean.shape[1]
    mean = mean / gl.convert_layout(total, gl.SliceLayout(1, by_latent))[:, None]
    head = gl.arange(0, AT_ONCE, gl.SliceLayout(1, by_latent))
    latent = gl.arange(0, WIDE, gl.SliceLayout(0, by_latent))
    gl.store(sums + (first + head)[:, None] * WIDE + latent[None, :], mean, mask=(head < left)[:, None])
    head = gl.arange(0, AT_ONCE, gl.SliceLayout(1, by_token))
    gl.store(weights + first + head, top + gl.log2(total), mask=head < left)


@gluon.jit
def run_of_tokens(q_c, q_r, rows_c, rows_r, sums, weights, tokens, run, scale, EVERY: gl.constexpr):
    """A block of heads (of ``EVERY``) over one run of tokens: see `explainers.split_kv`, whose outputs these are."""
    AT_ONCE: gl.constexpr = q_c.block_type.shape[1]
    WIDE: gl.constexpr = q_c.block_type.shape[2]
    TURNED: gl.constexpr = q_r.block_type.shape[2]
    TILE: gl.constexpr = rows_c.block_type.shape[1]
    dtype: gl.constexpr = q_c.dtype
    by_token: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [4, 2], [16, TILE // 2, 16])
    by_latent: gl.constexpr = gl.NVMMADistributedLayout([3, 0], [4, 2], [16, 256, 16])
    flat: gl.constexpr = gl.NVMMASharedLayout(128, 16, rank=2)
    block, part, sequence = gl.program_id(0), gl.program_id(1), gl.program_id(2)

    q_latent = gl.allocate_shared_memory(dtype, [1, AT_ONCE, WIDE], q_c.layout)
    q_pe = gl.allocate_shared_memory(dtype, [1, AT_ONCE, TURNED], q_r.layout)
    c_kv = gl.allocate_shared_memory(dtype, [2, 1, TILE, WIDE], rows_c.layout)
    k_pe = gl.allocate_shared_memory(dtype, [2, 1, TILE, TURNED], rows_r.layout)
    shares = gl.allocate_shared_memory(dtype, [AT_ONCE, TILE], flat)
    ready = gl.allocate_shared_memory(gl.int64, [3, 1], mbarrier.MBarrierLayout())
    for i in gl.static_range(3):
        mbarrier.init(ready.index(i), count=1)
    fence_async_shared()

    start = part * run
    end = gl.minimum(start + run, tokens)
    _fetch(q_c, q_r, sequence, block * AT_ONCE, ready.index(2), q_latent, q_pe, True)
    _fetch(rows_c, rows_r, sequence, start, ready.index(0), c_kv.index(0), k_pe.index(0), True)
    mbarrier.wait(ready.index(2), 0)

    top = gl.full([AT_ONCE], float("-inf"), gl.float32, gl.SliceLayout(1, by_token))
    each = gl.zeros([AT_ONCE, TILE], gl.float32, by_token)  # the softmax's sum, added up once at the end
    mean = gl.zeros([AT_ONCE, WIDE], gl.float32, by_latent)
    nothing = gl.zeros([AT_ONCE, TILE], gl.float32, by_token)
    turn = 0
    phase = 0
    for at in range(start, end, TILE):
        ahead, other = at + TILE, 1 - turn
        _fetch(
            rows_c, rows_r, sequence, ahead, ready.index(other), c_kv.index(other), k_pe.index(other), ahead < end
        )  # fmt: skip
        mbarrier.wait(ready.index(turn), phase)
        held, turned = c_kv.index(turn).reshape([TILE, WIDE]), k_pe.index(turn).reshape([TILE, TURNED])
        score = _scores(q_latent.reshape([AT_ONCE, WIDE]), q_pe.reshape([AT_ONCE, TURNED]), held, turned, nothing)
        there = at + gl.arange(0, TILE, gl.SliceLayout(0, by_token)) < end
        score = gl.where(there[None, :], score * scale, float("-inf"))
        higher = gl.maximum(top, gl.max(score, 1))
        chance = gl.exp2(score - higher[:, None])
        fade = gl.exp2(top - higher)
        each = each * fade[:, None] + chance
        top = higher
        shares.store(chance.to(dtype))
        mean = mean * gl.convert_layout(fade, gl.SliceLayout(1, by_latent))[:, None]
        fence_async_shared()
        mean = warpgroup_mma(shares, held, mean, is_async=True)
        mean = warpgroup_mma_wait(0, deps=(mean,))
        phase ^= turn
        turn = other
    total = gl.sum(each, 1)
    first = (sequence * gl.num_programs(1) + part).to(gl.int64) * EVERY + block * AT_ONCE
    _store(sums, weights, mean, total, top, first, EVERY - block * AT_ONCE, by_token, by_latent)


def launch(q: Tensor, rows: Tensor, sums: Tensor, weights: Tensor, run: int, scale: float) -> None:
    """Queries (B, H, r + p) over rows (B, T, r + p): ``sums`` (B, parts, H, r) and ``weights`` (B, parts, H)."""
    layout = gl.NVMMASharedLayout(128, 16, rank=3)

    def tiles(of: Tensor, high: int, wide: int) -> TensorDescriptor:
        return TensorDescriptor.from_tensor(of, [1, high, wide], layout)

    batch, heads, _ = q.shape
    grid = (-(-heads // HEADS), sums.shape[1], batch)
    run_of_tokens[grid](
        tiles(q, HEADS, RANK), tiles(q, HEADS, ROPE), tiles(rows, TOKENS, RANK), tiles(rows, TOKENS, ROPE),
        sums, weights, rows.shape[1], run, scale, EVERY=heads, num_warps=8,
    )  # fmt: skip
