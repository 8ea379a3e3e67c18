"""Fast paths are equal to the plain ones, and the bench measures what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from explainers import fast_mla, moe
from explainers.errors import ExplainError
from explainers.experiments import engine as bench
from explainers.experiments import engine_cases as cases
from explainers.experiments.timing import Ceilings
from explainers.fast_mla import JoinedCache, decode_fused
from explainers.mla import LatentCache, MLAConfig, MLAWeights, decode_absorbed
from explainers.moe import ExpertWeights, GateConfig, moe_fast, moe_grouped, moe_loop, route

MLA = {"small": cases.attention_sizes("small"), "compressed queries": MLAConfig(48, 4, 16, 12, 8, 10, 20)}


@pytest.mark.parametrize("limit", [None, 0.5])
@pytest.mark.parametrize(("tokens", "inner"), [(1, 8), (3, 6), (50, 8), (300, 40)], ids=str)
def test_fast_experts_are_the_plain_ones(tokens: int, inner: int, limit: float | None) -> None:
    torch.manual_seed(0)
    w = ExpertWeights(torch.randn(9, inner, 16), torch.randn(9, 16, inner), torch.randn(9, inner, 16))
    w = ExpertWeights(w.w1.double(), w.w2.double(), w.w3.double())
    x = torch.randn(tokens, 16, dtype=torch.float64)
    routing = route(x, torch.randn(9, 16, dtype=torch.float64), None, GateConfig(9, 3))
    plain = moe_loop(x, w, routing, limit)
    assert (moe_fast(x, w, routing, limit) - plain).abs().max() < 1e-12 * plain.abs().max()
    assert (moe_grouped(x, w, routing, limit) - plain).abs().max() < 1e-12 * plain.abs().max()
    single = ExpertWeights(w.w1.float(), w.w2.float(), w.w3.float())  # few tokens in float32: torch's grouped product
    near = moe_fast(x.float(), single, replace(routing, weights=routing.weights.float()), limit)
    assert (near - plain).abs().max() < 1e-5 * plain.abs().max()
    assert (moe_fast(x, w, routing, 0.1) - plain).abs().max() > 1e-3  # the limit limits


@pytest.mark.parametrize("few", [0, 1 << 30], ids=["loop", "at once"])
@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)], ids=str)
def test_both_fast_ways_in_each_dtype(
    monkeypatch: pytest.MonkeyPatch, few: int, dtype: torch.dtype, near: float
) -> None:
    """Rows from none to hundreds an expert, sums in the weights' precision; x and weights are left as they were."""
    monkeypatch.setattr(moe, "_FEW", few)
    torch.manual_seed(2)
    w = ExpertWeights(*(torch.randn(*shape).mul_(0.2).to(dtype) for shape in ((20, 8, 16), (20, 16, 8), (20, 8, 16))))
    x = torch.randn(200, 16).to(dtype)
    bias = torch.linspace(-1.0, 1.0, 20)  # some experts get nearly everything, some nothing
    routing = route(x, torch.randn(20, 16), bias, GateConfig(20, 3))
    held = [part.clone() for part in (x, w.w1, w.w2, w.w3, routing.weights)]
    out = moe_fast(x, w, routing)
    assert out.dtype == dtype and {0} < set((sizes := torch.bincount(routing.indices.flatten(), minlength=20)).tolist())
    assert sizes.max() > 100
    exact = ExpertWeights(w.w1.double(), w.w2.double(), w.w3.double())
    assert worst(out, moe_loop(x.double(), exact, replace(routing, weights=routing.weights.double()))) < near
    for before, after in zip(held, (x, w.w1, w.w2, w.w3, routing.weights), strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-6), (torch.bfloat16, 2e-2)], ids=str)
def test_one_token_is_one_of_many(dtype: torch.dtype, near: float) -> None:
    """What a token gets does not depend on whether others come with it; experts from a file serve, too."""
    torch.manual_seed(3)
    w = ExpertWeights(*(torch.randn(*shape).mul_(0.3).to(dtype) for shape in ((9, 8, 16), (9, 16, 8), (9, 8, 16))))
    x, gate = torch.randn(6, 16).to(dtype), torch.randn(9, 16)
    together = moe_fast(x, w, route(x, gate, None, GateConfig(9, 3)), 0.5)

    class OnlyPicks:
        pick = w.pick

    for i in range(6):
        routing = route(x[i : i + 1], gate, None, GateConfig(9, 3))
        alone = moe_fast(x[i : i + 1], OnlyPicks(), routing, 0.5)
        assert alone.shape == (1, 16) and alone.dtype == dtype and worst(alone, together[i : i + 1].double()) < near
        assert torch.equal(alone, moe_fast(x[i : i + 1], w, routing, 0.5))


def test_a_floor_is_what_the_machine_did_at_its_best() -> None:
    busy, free = Ceilings(1e10, 2e11), Ceilings(2e10, 1e11)
    assert busy.or_better(free) == free.or_better(busy) == Ceilings(2e10, 2e11)
    assert busy.or_better(free).floor(4e11, 1e10) == 2  # arithmetic binds
    assert busy.or_better(free).floor(1e11, 4e10) == 2  # bytes bind


@torch.no_grad()
@pytest.mark.parametrize("cfg", MLA.values(), ids=MLA.keys())
@pytest.mark.parametrize("batch", [1, 3])
def test_fused_decoding_is_the_plain_one(cfg: MLAConfig, batch: int) -> None:
    torch.manual_seed(1)
    w = cases.mla_weights(cfg, torch.empty(0, dtype=torch.float64))
    cache = LatentCache(
        torch.randn(batch, 7, cfg.kv_lora_rank, dtype=torch.float64),
        torch.randn(batch, 7, cfg.qk_rope_head_dim, dtype=torch.float64),
    )
    joined = JoinedCache.of(cache, 3)
    for _ in range(3):
        h = torch.randn(batch, 1, cfg.hidden_size, dtype=torch.float64)
        plain, cache = decode_absorbed(h, w, cfg, cache)
        assert (decode_fused(h, w, cfg, joined) - plain).abs().max() < 1e-12
    assert torch.equal(joined.held[..., : cfg.kv_lora_rank], cache.c_kv)
    assert torch.equal(joined.held[..., cfg.kv_lora_rank :], cache.k_pe)
    with pytest.raises(ExplainError, match="room for 10 tokens"):
        decode_fused(h, w, cfg, joined)
    with pytest.raises(ExplainError, match="one token a sequence"):
        decode_fused(torch.cat((h, h), dim=1), w, cfg, joined)


@torch.no_grad()
def test_transformers_in_the_bench_computes_the_same() -> None:
    """What is raced is the same layer: outputs agree, with the same weights and the same past."""
    pytest.importorskip("transformers", minversion="5.20")
    for cfg in MLA.values():
        w = cases.mla_weights(cfg, torch.empty(0))
        held = LatentCache(torch.randn(2, 30, cfg.kv_lora_rank), torch.randn(2, 30, cfg.qk_rope_head_dim))
        h = torch.randn(2, 1, cfg.hidden_size)
        theirs = cases._transformers_attention(cfg, w, h, held)
        assert theirs is not None
        ours, _ = decode_absorbed(h, w, cfg, held)
        for _ in range(2):  # the cache is cropped between calls
            assert (theirs() - ours).abs().max() < 1e-5
    x, g = torch.randn(20, 16), torch.randn(9, 16)
    w9 = ExpertWeights(torch.randn(9, 6, 16), torch.randn(9, 16, 6), torch.randn(9, 6, 16))
    routing = route(x, g, None, GateConfig(9, 3))
    theirs9, grouped = cases._transformers_experts(x, w9, routing, 3), cases._grouped_mm(x, w9, routing)
    assert theirs9 is not None
    plain = moe_loop(x, w9, routing)
    assert (theirs9() - plain).abs().max() < 1e-3
    if grouped is not None:
        assert (grouped() - plain).abs().max() < 1e-3


def test_bench_of_the_small_model() -> None:
    trace = bench.engine(sizes="small", tokens="1 64", contexts="64", batches="1 2")
    assert trace["moe"].shape == {"size": 1, "tokens": 2, "way": len(bench.MOE_WAYS)}
    floors = [bench.MOE_WAYS.index(name) for name in ("products", "bytes")]
    assert (trace["moe"].values[..., floors] > 0).all()
    assert np.isfinite(trace["decode"].values[..., [2, 3, 7, 8]]).all()
    assert trace["experts_held"].values.tolist() == [16]
    assert trace.quantity("decode_over_bytes_small").value > 0.5  # nothing beats reading its bytes once by much
    assert "thread" in trace.meta["chip"] and trace.meta["date"]


def test_what_does_not_fit_is_left_out() -> None:
    trace = bench.engine(sizes="v2_lite", parts="decode", contexts="131072", memory=1e8, batches="1")
    assert np.isnan(trace["decode"].values).all()
    with pytest.raises(ExplainError, match="unknown size or part 'v9'"):
        bench.engine(sizes="v9")
    with pytest.raises(ExplainError, match="no list of whole numbers"):
        bench.engine(sizes="small", contexts="many")


gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: the engine cannot be measured there")


def worst(out: torch.Tensor, exact: torch.Tensor) -> float:
    """The error's length as a share of what is right, NaN included."""
    return float((out.double().cpu() - exact).norm() / exact.norm())


@gpu
@pytest.mark.parametrize("heads", [3, 16, 128])
@pytest.mark.parametrize(("batch", "tokens"), [(1, 1), (2, 77), (3, 1000), (40, 129), (1, 20000)])
def test_the_kernel_is_attention(heads: int, batch: int, tokens: int) -> None:
    """Against float64 on the CPU, from the same bf16 numbers, at V3's widths; rows beyond the last are poisoned."""
    torch.manual_seed(heads * tokens)
    room = torch.full((batch, tokens + 5, 576), torch.nan, dtype=torch.bfloat16, device="cuda")
    rows = room[:, :tokens].copy_(torch.randn(batch, tokens, 576))
    q = torch.randn(batch, heads, 576, device="cuda").bfloat16()
    out = fast_mla.latent_attention(q, rows, 512, 0.07)
    wide, held = q.double().cpu(), rows.double().cpu()
    exact = (wide @ held.mT * 0.07).softmax(dim=-1) @ held[..., :512]
    assert out.shape == (batch, heads, 512) and worst(out, exact) < 5e-3


@gpu
@torch.no_grad()
@pytest.mark.parametrize("size", ["v2_lite", "v3"])
def test_fused_decoding_on_a_gpu(size: str) -> None:
    cfg = cases.attention_sizes(size)
    w = cases.mla_weights(cfg, torch.empty(0, device="cuda", dtype=torch.bfloat16))
    held = [torch.randn(2, 300, width, device="cuda").bfloat16() for width in (cfg.kv_lora_rank, cfg.qk_rope_head_dim)]
    h = torch.randn(2, 1, cfg.hidden_size, device="cuda").bfloat16()
    cache = LatentCache(*held)
    exact, _ = decode_absorbed(
        h.double().cpu(),
        MLAWeights(**{name: None if part is None else part.double().cpu() for name, part in vars(w).items()}),
        cfg,
        LatentCache(*(part.double().cpu() for part in held)),
    )
    assert worst(decode_fused(h, w, cfg, JoinedCache.of(cache, 1)), exact) < 3e-2
    assert worst(decode_absorbed(h, w, cfg, cache)[0], exact) < 3e-2


@gpu
@torch.no_grad()
@pytest.mark.parametrize("tokens", [1, 7, 500])
@pytest.mark.parametrize("limit", [None, 0.5])
def test_fast_experts_on_a_gpu(tokens: int, limit: float | None) -> None:
    torch.manual_seed(tokens)
    shapes = ((24, 64, 128), (24, 128, 64), (24, 64, 128))
    w = ExpertWeights(*(torch.randn(*shape, device="cuda").bfloat16() * shape[-1] ** -0.5 for shape in shapes))
    x = torch.randn(tokens, 128, device="cuda").bfloat16()
    routing = route(x, torch.randn(24, 128, device="cuda") * 128**-0.5, None, GateConfig(24, 6))
    exact = moe_loop(
        x.double().cpu(),
        ExpertWeights(w.w1.double().cpu(), w.w2.double().cpu(), w.w3.double().cpu()),
        replace(
            routing,
            indices=routing.indices.cpu(),
            weights=routing.weights.double().cpu(),
            original_scores=routing.original_scores.cpu(),
        ),
        limit,
    )
    for way in (moe_fast, moe_grouped, moe_loop):
        assert worst(way(x, w, routing, limit), exact) < 2e-2


@gpu
def test_bench_on_a_gpu() -> None:
    trace = bench.engine(sizes="v2_lite", tokens="1024", contexts="8192", batches="8", memory=2e10, device="cuda")
    assert trace.quantity("core_of_floor_v2_lite").value < 1.2  # nothing beats the chip by more than its caches
    assert trace.quantity("decode_gain_v2_lite").value > 1 and trace.meta["dtype"] == "bfloat16"
