"""The GPU's kernels where there is no GPU: run by Triton's interpreter, and compiled for chips that are not there.

`test_kernels.py` starts this in a process of its own, because Triton reads TRITON_INTERPRET as it is imported:
``interpret`` prints each check's error against float64 as JSON, ``compile`` the shared memory of each kernel (B).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from explainers import fast_mla, moe_kernels, split_kv
from explainers.experiments.engine_cases import attention_sizes, mla_weights
from explainers.mla import LatentCache, MLAWeights, decode_absorbed
from explainers.moe import ExpertWeights, GateConfig, _moe_at_once, moe_loop, route

#: Compute capability: bytes of shared memory that a block may have, and processors (A100, RTX 4090, H100).
CHIPS = {80: (166912, 108), 89: (101376, 128), 90: (232448, 132)}


def chip(capability: int) -> SimpleNamespace:
    """What `torch.cuda.get_device_properties` says of it, as far as the kernels ask."""
    room, processors = CHIPS[capability]
    return SimpleNamespace(major=capability // 10, shared_memory_per_block_optin=room, multi_processor_count=processors)


def off(out: Tensor, exact: Tensor) -> float:
    """The error's length as a share of what is right."""
    return float((out.double() - exact).norm() / exact.norm())


def gated(dtype: torch.dtype, limit: float | None) -> float:
    """Rows wider than a block and no multiple of it."""
    gate, up, shares = torch.randn(5, 1500).to(dtype), torch.randn(5, 1500).to(dtype), torch.rand(5)
    g, u = gate.double(), up.double()
    if limit is not None:
        g, u = g.clamp(max=limit), u.clamp(-limit, limit)
    return off(moe_kernels.gated(gate, up, shares, limit), torch.sigmoid(g) * g * u * shares.double()[:, None])


def experts(dtype: torch.dtype, tokens: int, limit: float | None) -> float:
    """The GPU's whole path, with the grouped products of the CPU."""
    shapes = ((10, 24, 1032), (10, 1032, 24), (10, 24, 1032))
    w = ExpertWeights(*(torch.randn(*shape).mul_(shape[-1] ** -0.5).to(dtype) for shape in shapes))
    x = torch.randn(tokens, 1032).to(dtype)
    routing = route(x, torch.randn(10, 1032) * 1032**-0.5, None, GateConfig(10, 3))
    exact = ExpertWeights(w.w1.double(), w.w2.double(), w.w3.double())
    plain = moe_loop(x.double(), exact, replace(routing, weights=routing.weights.double()), limit)
    return off(_moe_at_once(x, w, routing, limit, moe_kernels), plain)


def attention(dtype: torch.dtype, batch: int, heads: int, tokens: int) -> float:
    """Absorbed attention; rows beyond the last are poisoned."""
    room = torch.full((batch, tokens + 5, 48), torch.nan, dtype=dtype)
    rows = room[:, :tokens].copy_(torch.randn(batch, tokens, 48))
    q = torch.randn(batch, heads, 48).to(dtype)
    wide, held = q.double(), rows.double()
    exact = (wide @ held.mT * 0.2).softmax(dim=-1) @ held[..., :32]
    return off(split_kv.attend_latents(q, rows, 32, 0.2), exact)


def decoding() -> float:
    """One step of the small model's attention, its core done by the kernel."""
    cfg = attention_sizes("small")
    w = mla_weights(cfg, torch.empty(0))
    cache = LatentCache(torch.randn(2, 150, cfg.kv_lora_rank), torch.randn(2, 150, cfg.qk_rope_head_dim))
    h = torch.randn(2, 1, cfg.hidden_size)
    exact, _ = decode_absorbed(
        h.double(),
        MLAWeights(**{name: None if part is None else part.double() for name, part in vars(w).items()}),
        cfg,
        LatentCache(cache.c_kv.double(), cache.k_pe.double()),
    )
    fast_mla.latent_attention = split_kv.attend_latents
    return off(fast_mla.decode_fused(h, w, cfg, fast_mla.JoinedCache.of(cache, 1)), exact)


#: bfloat16 is left to a GPU where a kernel multiplies: Triton's interpreter multiplies its bits as whole numbers.
CHECKS: dict[str, Callable[[], float]] = {
    "gated, float32": lambda: gated(torch.float32, None),
    "gated and clamped, bfloat16": lambda: gated(torch.bfloat16, 0.5),
    "experts of 1 token, float32": lambda: experts(torch.float32, 1, None),
    "experts of 25 tokens, float32": lambda: experts(torch.float32, 25, 0.5),
    "experts of 25 tokens, bfloat16": lambda: experts(torch.bfloat16, 25, None),
    "attention, 1 token, 3 heads, float32": lambda: attention(torch.float32, 1, 3, 1),
    "attention, 77 tokens, 20 heads, float16": lambda: attention(torch.float16, 2, 20, 77),
    "attention, 400 tokens, 16 heads, float32": lambda: attention(torch.float32, 1, 16, 400),
    "attention, 300 tokens, 70 heads, float16": lambda: attention(torch.float16, 1, 70, 300),
    "decoding, float32": decoding,
}


def interpret() -> dict[str, float]:
    """The error of each check."""
    torch.cuda.get_device_properties = lambda device=None: chip(80)
    torch.manual_seed(0)
    with torch.no_grad():
        return {name: check() for name, check in CHECKS.items()}


def compiled(kernel: Any, capability: int, types: dict[str, str], sizes: dict[str, Any], warps: int) -> int:
    """Shared memory of a kernel compiled for this chip (B)."""
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from triton.experimental.gluon._runtime import GluonASTSource

    source = GluonASTSource if type(kernel).__name__.startswith("Gluon") else ASTSource
    of = source(kernel, types | dict.fromkeys(sizes, "constexpr"), sizes)
    made = triton.compile(of, target=GPUTarget("cuda", capability, 32), options={"num_warps": warps})
    assert made.asm["cubin"]
    return int(made.metadata.shared)


def run_of_tokens(capability: int, heads: int) -> int:
    """Triton's loop over V3's rows, with the tile that is chosen for this chip."""
    at_once = min(64, max(16, heads))
    tile, stages = split_kv._tile(chip(capability), at_once, 576, 2)
    types = {"q": "*bf16", "rows": "*bf16", "sums": "*fp32", "weights": "*fp32"}
    types |= {"tokens": "i32", "run": "i32", "stride": "i64", "scale": "fp32"}
    sizes = {"HEADS": heads, "RANK": 512, "ROPE": 64, "AT_ONCE": at_once, "TILE": tile, "STAGES": stages}
    return compiled(split_kv._run_of_tokens, capability, types, sizes, 8 if at_once == 64 else 4)


def hopper() -> int:
    """The loop in Gluon."""
    from explainers import split_kv_hopper as own

    layout = own.gl.NVMMASharedLayout(128, 16, rank=3)

    def tiles(high: int, wide: int) -> str:
        return f"tensordesc<bf16[1, {high}, {wide}],{layout!r}>"

    types = {"q_c": tiles(own.HEADS, own.RANK), "q_r": tiles(own.HEADS, own.ROPE)}
    types |= {"rows_c": tiles(own.TOKENS, own.RANK), "rows_r": tiles(own.TOKENS, own.ROPE)}
    types |= {"sums": "*fp32", "weights": "*fp32", "tokens": "i32", "run": "i32", "scale": "fp32"}
    return compiled(own.run_of_tokens, 90, types, {"EVERY": 128}, 8)


def shared_memory() -> dict[str, tuple[int, int]]:
    """Of each kernel that keeps tiles: bytes that it takes, and that the chip has."""
    join = {"sums": "*fp32", "weights": "*fp32", "out": "*bf16", "parts": "i32"}
    took = {("_join", 90): compiled(split_kv._join, 90, join, {"HEADS": 128, "RANK": 512, "MOST": 16, "WIDE": 256}, 4)}
    took["hopper", 90] = hopper()
    for capability, heads in ((80, 128), (89, 16), (90, 128)):
        took[f"{heads} heads", capability] = run_of_tokens(capability, heads)
    return {f"{name} on {capability}": (size, CHIPS[capability][0]) for (name, capability), size in took.items()}


if __name__ == "__main__":
    print(json.dumps(interpret() if sys.argv[1] == "interpret" else shared_memory()))
