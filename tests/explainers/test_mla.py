"""MLA: the three ways of decoding and the prefill are one computation, and cost what is counted."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from explainers.attention import KVCache
from explainers.decode_costs import MLA_WAYS, mla_decode_cost
from explainers.errors import ExplainError
from explainers.mla import (
    LatentCache,
    MLAConfig,
    MLAWeights,
    decode_absorbed,
    decode_full_cache,
    decode_naive,
    decode_reexpanding,
    empty_full_cache,
    empty_latent_cache,
    mla_forward,
)
from explainers.rope import YarnConfig

SMALL = MLAConfig(64, 4, 32, 16, 8, 12)
SQUEEZED = dataclasses.replace(SMALL, q_lora_rank=24)
STRETCHED = dataclasses.replace(SQUEEZED, yarn=YarnConfig(40, 16))
V3 = MLAConfig(7168, 128, 512, 128, 64, 128, 1536)
configs = pytest.mark.parametrize("cfg", [SMALL, SQUEEZED, STRETCHED], ids=["plain", "q_lora", "q_lora and YaRN"])


def layer(cfg: MLAConfig, dtype: torch.dtype = torch.float32) -> MLAWeights:
    def normal(out: int, into: int) -> Tensor:
        return (torch.randn(out, into) * into**-0.5).to(dtype)

    queries, c = cfg.n_heads * cfg.qk_head_dim, cfg.q_lora_rank
    query: dict[str, Tensor] = (
        {"wq": normal(queries, cfg.hidden_size)}
        if c is None
        else {
            "wq_a": normal(c, cfg.hidden_size),
            "q_norm": (torch.rand(c) + 0.5).to(dtype),
            "wq_b": normal(queries, c),
        }
    )
    return MLAWeights(
        wkv_a=normal(cfg.kv_lora_rank + cfg.qk_rope_head_dim, cfg.hidden_size),
        kv_norm=(torch.rand(cfg.kv_lora_rank) + 0.5).to(dtype),
        wkv_b=normal(cfg.n_heads * (cfg.qk_nope_head_dim + cfg.v_head_dim), cfg.kv_lora_rank),
        wo=normal(cfg.hidden_size, cfg.n_heads * cfg.v_head_dim),
        **query,
    )


def decoded(h: Tensor, w: MLAWeights, cfg: MLAConfig, room: bool = False) -> dict[str, tuple[Tensor, Any]]:
    """Each way of decoding, token by token: name → outputs (B, S, D) and the cache at the end."""
    batch, tokens = h.shape[:2]
    ways: dict[str, tuple[Any, Any]] = {
        "full_cache": (decode_full_cache, empty_full_cache(cfg, batch, h)),
        "reexpanding": (decode_reexpanding, empty_latent_cache(cfg, batch, h)),
        "absorbed": (decode_absorbed, empty_latent_cache(cfg, batch, h)),
    }
    results = {}
    for name, (step, cache) in ways.items():
        cache = cache.reserve(tokens) if room else cache
        outputs = []
        for i in range(tokens):
            out, cache = step(h[:, i : i + 1], w, cfg, cache)
            outputs.append(out)
        results[name] = torch.cat(outputs, dim=1), cache
    return results


@configs
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=["f32", "f64"])
def test_all_ways_agree(cfg: MLAConfig, dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(0)
    w, h = layer(cfg, dtype), torch.randn(2, 40, 64, dtype=dtype)
    whole, _ = mla_forward(h, w, cfg)
    at_once, _ = decode_absorbed(h, w, cfg, empty_latent_cache(cfg, 2, h))
    torch.testing.assert_close(at_once, whole, rtol=0, atol=tolerance)
    for name, (out, _) in decoded(h, w, cfg).items():
        print(f"{name}: largest difference from prefill {(out - whole).abs().max():.2e} in {dtype}")
        torch.testing.assert_close(out, whole, rtol=0, atol=tolerance)


@st.composite
def mlas(draw: st.DrawFn) -> MLAConfig:
    def size() -> int:
        return draw(st.integers(1, 9))

    c = draw(st.one_of(st.none(), st.integers(1, 9)))
    yarn = draw(st.sampled_from([None, YarnConfig(4, 8)]))
    interleaved = draw(st.booleans())
    return MLAConfig(size(), size(), size(), size(), 2 * size(), size(), c, rope_interleaved=interleaved, yarn=yarn)


@settings(max_examples=30, deadline=None)
@given(mlas(), st.integers(1, 3), st.integers(1, 8), st.booleans(), st.integers(0, 99))
def test_all_ways_agree_for_any_sizes(cfg: MLAConfig, batch: int, tokens: int, room: bool, seed: int) -> None:
    torch.manual_seed(seed)
    w, h = layer(cfg, torch.float64), torch.randn(batch, tokens, cfg.hidden_size, dtype=torch.float64)
    whole, _ = mla_forward(h, w, cfg)
    for name, (out, cache) in decoded(h, w, cfg, room).items():
        torch.testing.assert_close(out, whole, rtol=1e-11, atol=1e-11)
        assert cache.nbytes == batch * mla_decode_cost(cfg, tokens, name, bytes_per_value=8).cache_bytes


def test_prefill_in_pieces_is_prefill() -> None:
    torch.manual_seed(0)
    w, h = layer(STRETCHED, torch.float64), torch.randn(2, 30, 64, dtype=torch.float64)
    whole, held = mla_forward(h, w, STRETCHED)
    first, cache = mla_forward(h[:, :13], w, STRETCHED)
    second, _ = decode_absorbed(h[:, 13:], w, STRETCHED, cache)
    third, cache = mla_forward(h[:, 13:], w, STRETCHED, cache)
    torch.testing.assert_close(torch.cat((first, second), dim=1), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(torch.cat((first, third), dim=1), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(cache.c_kv, held.c_kv, rtol=0, atol=1e-12)


def test_naive_follows_its_cache() -> None:
    torch.manual_seed(0)
    w, h = layer(SMALL), torch.randn(1, 1, 64)
    _, latent = decode_naive(h, w, SMALL, empty_latent_cache(SMALL, 1, h))
    _, full = decode_naive(h, w, SMALL, empty_full_cache(SMALL, 1, h))
    assert isinstance(latent, LatentCache)
    assert isinstance(full, KVCache)


def test_cache_bytes_are_those_of_the_tensors_held() -> None:
    torch.manual_seed(0)
    w, h = layer(SMALL), torch.randn(2, 11, 64)
    caches = {name: cache for name, (_, cache) in decoded(h, w, SMALL).items()}
    assert caches["absorbed"].nbytes == 2 * 11 * (32 + 8) * 4
    assert caches["full_cache"].nbytes == 2 * 11 * 4 * (16 + 8 + 12) * 4
    held = caches["absorbed"]
    assert held.nbytes == held.c_kv.untyped_storage().nbytes() + held.k_pe.untyped_storage().nbytes()
    assert held.reserve(5).nbytes == 2 * 16 * (32 + 8) * 4


def test_v3_ratios_name_their_baseline() -> None:
    """576 values a token: 71.1 times less than the same model uncompressed, 56.9 times less than plain MHA."""
    uncompressed = V3.n_heads * (V3.qk_head_dim + V3.v_head_dim)
    assert V3.cache_values_per_token == 576
    assert uncompressed / V3.cache_values_per_token == pytest.approx(71.1, abs=0.05)
    assert 2 * 128 * 128 / V3.cache_values_per_token == pytest.approx(56.9, abs=0.05)


@configs
def test_parts_rebuild_the_output(cfg: MLAConfig) -> None:
    torch.manual_seed(0)
    w, h = layer(cfg), torch.randn(2, 9, 64)
    parts = mla_forward(h, w, cfg, return_parts=True)
    out, _ = mla_forward(h, w, cfg)
    assert torch.equal(parts.out, out)
    assert (parts.c_q is None) == (cfg.q_lora_rank is None)
    by_head = torch.einsum("bshn,bthn->bhst", parts.q_nope, parts.k_nope)
    by_place = torch.einsum("bshp,btp->bhst", parts.q_pe, parts.k_pe)
    past = torch.ones(9, 9).tril().bool()
    torch.testing.assert_close(((by_head + by_place) * cfg.softmax_scale)[..., past], parts.scores[..., past])
    assert torch.isinf(parts.scores[..., ~past]).all()
    torch.testing.assert_close(torch.einsum("bhst,bthv->bshv", parts.probs, parts.v), parts.heads)
    absorbed = decode_absorbed(h, w, cfg, empty_latent_cache(cfg, 2, h), return_parts=True)
    torch.testing.assert_close(absorbed.scores[..., past], parts.scores[..., past], rtol=0, atol=1e-5)
    torch.testing.assert_close(absorbed.heads, parts.heads, rtol=0, atol=1e-5)
    assert absorbed.q_latent.shape == absorbed.o_latent.shape == (2, 9, 4, 32)


def test_the_future_does_not_matter() -> None:
    torch.manual_seed(0)
    w, h = layer(SQUEEZED), torch.randn(1, 9, 64)
    changed = h.clone()
    changed[0, 6] += 1
    before, after = mla_forward(h, w, SQUEEZED)[0], mla_forward(changed, w, SQUEEZED)[0]
    torch.testing.assert_close(before[:, :6], after[:, :6])
    assert (before[:, 6:] - after[:, 6:]).abs().amax(dim=-1).min() > 1e-3


def test_gradients_are_the_same_in_both_orders() -> None:
    torch.manual_seed(0)
    w, h = layer(STRETCHED, torch.float64), torch.randn(1, 12, 64, dtype=torch.float64, requires_grad=True)
    leaves = [h, *(x.requires_grad_() for x in vars(w).values() if x is not None)]
    naive, _ = mla_forward(h, w, STRETCHED)
    absorbed, _ = decode_absorbed(h, w, STRETCHED, empty_latent_cache(STRETCHED, 1, h))
    probe = torch.randn_like(naive)
    a = torch.autograd.grad((naive * probe).sum(), leaves)
    b = torch.autograd.grad((absorbed * probe).sum(), leaves)
    assert len(a) == 8
    for one, other in zip(a, b, strict=True):
        assert one.abs().max() > 0
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_bf16_stays_near_float32() -> None:
    torch.manual_seed(0)
    w, h = layer(SQUEEZED, torch.bfloat16), torch.randn(2, 20, 64).bfloat16()
    widened: dict[str, Any] = {name: None if x is None else x.float() for name, x in vars(w).items()}
    wide = MLAWeights(**widened)
    expected, _ = mla_forward(h.float(), wide, SQUEEZED)
    for name, (out, cache) in decoded(h, w, SQUEEZED).items():
        assert out.dtype == torch.bfloat16, name
        torch.testing.assert_close(out.float(), expected, rtol=0.05, atol=0.05)
        assert cache.nbytes == 2 * mla_decode_cost(SQUEEZED, 20, name).cache_bytes


@configs
@pytest.mark.parametrize("way", MLA_WAYS)
def test_costs_count_what_torch_multiplies(cfg: MLAConfig, way: str) -> None:
    torch.manual_seed(0)
    w, h = layer(cfg), torch.randn(1, 1, 64)
    _, latent = mla_forward(torch.randn(1, 30, 64), w, cfg)
    full = KVCache(torch.randn(1, 30, 4, 24), torch.randn(1, 30, 4, 12))
    steps: dict[str, Any] = {
        "full_cache": lambda: decode_naive(h, w, cfg, full),
        "reexpanding": lambda: decode_naive(h, w, cfg, latent),
        "absorbed": lambda: decode_absorbed(h, w, cfg, latent),
    }
    with FlopCounterMode(display=False) as counter:
        _, cache = steps[way]()
    cost = mla_decode_cost(cfg, 31, way, bytes_per_value=4)
    assert counter.get_total_flops() == cost.flops
    assert cost.cache_bytes == cache.nbytes
    assert cost.weight_bytes == sum(x.nbytes for x in vars(w).values() if x is not None)


def test_costs_of_v3() -> None:
    """At 128 K tokens: re-expanding multiplies most, a full cache reads most, absorbed is least in bytes."""
    costs = {way: mla_decode_cost(V3, 131072, way) for way in MLA_WAYS}
    assert costs["full_cache"].cache_bytes / costs["absorbed"].cache_bytes == pytest.approx(71.1, abs=0.05)
    assert costs["absorbed"].cache_bytes == 131072 * 576 * 2
    assert costs["reexpanding"].flops > 50 * costs["absorbed"].flops
    assert costs["absorbed"].flops > costs["full_cache"].flops  # more arithmetic, in exchange for less traffic
    per_byte = {way: cost.attention_flops / cost.cache_bytes for way, cost in costs.items()}
    assert per_byte["full_cache"] == 1.0  # each value is used for one multiply-add
    assert per_byte["absorbed"] == pytest.approx(128 * (2 * 512 + 64) / 576)  # 128 heads share what is read
    assert costs["absorbed"].intensity > 40 * costs["full_cache"].intensity


def test_a_batch_shares_the_weights_only() -> None:
    one = mla_decode_cost(V3, 4096, "absorbed")
    many = one.for_batch(64)
    assert many.flops == 64 * one.flops
    assert many.cache_bytes == 64 * one.cache_bytes
    assert many.weight_bytes == one.weight_bytes
    assert many.intensity > 2 * one.intensity
    with pytest.raises(ExplainError, match="batch is 0"):
        one.for_batch(0)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ExplainError, match="qk_rope_head_dim is 5; give an even number"):
        MLAConfig(64, 4, 32, 16, 5, 12)
    with pytest.raises(ExplainError, match="kv_lora_rank is 0"):
        MLAConfig(64, 4, 0, 16, 8, 12)
    with pytest.raises(ExplainError, match="q_lora_rank is 0"):
        MLAConfig(64, 4, 32, 16, 8, 12, 0)
    with pytest.raises(ExplainError, match="there is no wq"):
        mla_forward(torch.zeros(1, 2, 64), layer(SQUEEZED), SMALL)
    with pytest.raises(ExplainError, match="give wq_a, q_norm and wq_b"):
        mla_forward(torch.zeros(1, 2, 64), layer(SMALL), SQUEEZED)
    with pytest.raises(ExplainError, match=r"batch, tokens, 64"):
        mla_forward(torch.zeros(1, 0, 64), layer(SMALL), SMALL)
    with pytest.raises(ExplainError, match="unknown way of decoding 'absorb'; did you mean absorbed"):
        mla_decode_cost(SMALL, 5, "absorb")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: CPU and GPU cannot be compared here")
def test_cpu_and_gpu_agree() -> None:
    torch.manual_seed(0)
    w, h = layer(STRETCHED), torch.randn(2, 40, 64)
    moved: dict[str, Any] = {name: None if x is None else x.cuda() for name, x in vars(w).items()}
    there = MLAWeights(**moved)
    cpu, _ = mla_forward(h, w, STRETCHED)
    gpu, _ = mla_forward(h.cuda(), there, STRETCHED)
    torch.testing.assert_close(gpu.cpu(), cpu, rtol=0, atol=1e-4)
