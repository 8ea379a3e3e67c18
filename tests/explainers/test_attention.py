"""RoPE, YaRN, and attention with shared key-value heads: properties that hold whatever the reference says."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from explainers.attention import (
    AttentionConfig,
    AttentionWeights,
    attention_forward,
    empty_cache,
    rms_norm,
)
from explainers.decode_costs import attention_decode_cost
from explainers.errors import ExplainError
from explainers.rope import (
    RopeConfig,
    YarnConfig,
    apply_rope,
    find_correction_range,
    rope_frequencies,
    rope_table,
    softmax_mscale,
    vector_mscale,
    yarn_mscale,
    yarn_ramp,
)


def turned(x: Tensor, position: int, cfg: RopeConfig) -> Tensor:
    """A vector (d,) at a position."""
    return apply_rope(x[None, None, None], rope_table(cfg, position, 1, x))[0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 16), st.integers(0, 500), st.integers(0, 500), st.booleans(), st.integers(0, 99))
def test_rope_scores_depend_on_distance_only(pairs: int, m: int, shift: int, interleaved: bool, seed: int) -> None:
    torch.manual_seed(seed)
    cfg = RopeConfig(2 * pairs, interleaved=interleaved)
    q, k = torch.randn(2, 2 * pairs, dtype=torch.float64)
    near = turned(q, m + 7, cfg) @ turned(k, m, cfg)
    far = turned(q, m + shift + 7, cfg) @ turned(k, m + shift, cfg)
    torch.testing.assert_close(near, far, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(turned(q, m, cfg).norm(), q.norm())


def test_rope_turns_neighbouring_pairs_by_m_theta() -> None:
    cfg = RopeConfig(4, theta=100.0)
    x = torch.tensor([1.0, 0.0, 0.0, 2.0], dtype=torch.float64)
    a, b = 3 * 1.0, 3 * 0.1  # θ = 1, 100^(−1/2)
    expected = torch.tensor([math.cos(a), math.sin(a), -2 * math.sin(b), 2 * math.cos(b)], dtype=torch.float64)
    torch.testing.assert_close(turned(x, 3, cfg), expected)


def test_interleaved_and_half_split_differ_by_a_permutation() -> None:
    x = torch.randn(8, dtype=torch.float64)
    order = torch.tensor([0, 2, 4, 6, 1, 3, 5, 7])
    interleaved = turned(x, 5, RopeConfig(8))
    halves = turned(x[order], 5, RopeConfig(8, interleaved=False))
    torch.testing.assert_close(interleaved[order], halves)
    assert not torch.allclose(interleaved, turned(x, 5, RopeConfig(8, interleaved=False)))


def test_yarn_keeps_fast_pairs_and_slows_slow_ones() -> None:
    """V3's own numbers: pairs before 10 keep their speed, pairs from 23 on are 40 times slower."""
    plain, cfg = RopeConfig(64), RopeConfig(64, yarn=YarnConfig(40, 4096))
    low, high = find_correction_range(cfg)
    assert (low, high) == (10, 23)
    ratio = rope_frequencies(plain, torch.float64) / rope_frequencies(cfg, torch.float64)
    torch.testing.assert_close(ratio[: low + 1], torch.ones(low + 1, dtype=torch.float64))
    torch.testing.assert_close(ratio[high:], torch.full((32 - high,), 40.0, dtype=torch.float64))
    assert (ratio.diff()[low:high] > 0).all()
    turns = rope_frequencies(plain, torch.float64) * 4096 / (2 * math.pi)
    assert turns[low] >= 32 > turns[low + 1]  # beta_fast
    assert turns[high] <= 1 < turns[high - 1]  # beta_slow


def test_yarn_ramp_of_one_pair_is_a_step() -> None:
    cfg = RopeConfig(64, yarn=YarnConfig(4, 8, beta_fast=1.01, beta_slow=1.0))
    ramp = yarn_ramp(cfg)
    assert set(ramp.tolist()) >= {0.0, 1.0}


def test_mscale() -> None:
    assert yarn_mscale(40) == pytest.approx(0.1 * math.log(40) + 1)
    assert yarn_mscale(1) == yarn_mscale(0.5) == 1.0
    cfg = RopeConfig(64, yarn=YarnConfig(40, 4096))
    assert softmax_mscale(cfg) == pytest.approx(yarn_mscale(40) ** 2)
    assert vector_mscale(cfg) == 1.0
    vectors = RopeConfig(64, yarn=YarnConfig(40, 4096, mscale_all_dim=0.0))
    assert softmax_mscale(vectors) == 1.0
    assert vector_mscale(vectors) == pytest.approx(yarn_mscale(40))
    assert softmax_mscale(RopeConfig(64)) == vector_mscale(RopeConfig(64)) == 1.0


def test_rms_norm_has_unit_mean_square() -> None:
    y = rms_norm(torch.randn(5, 64) * 30, torch.ones(64))
    torch.testing.assert_close(y.square().mean(-1), torch.ones(5))
    assert rms_norm(torch.randn(5, 64).bfloat16(), torch.ones(64).bfloat16()).dtype == torch.bfloat16


def layer(cfg: AttentionConfig, dtype: torch.dtype) -> AttentionWeights:
    def normal(out: int, into: int) -> Tensor:
        return (torch.randn(out, into) * into**-0.5).to(dtype)

    d, kv = cfg.hidden_size, cfg.n_kv_heads * cfg.head_dim
    query = cfg.n_heads * cfg.head_dim
    return AttentionWeights(normal(query, d), normal(kv, d), normal(kv, d), normal(d, query))


@st.composite
def attentions(draw: st.DrawFn) -> AttentionConfig:
    kv, per = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    head = 2 * draw(st.integers(1, 5))
    rope = draw(st.sampled_from([None, RopeConfig(head), RopeConfig(head, interleaved=False)]))
    return AttentionConfig(draw(st.integers(1, 20)), kv * per, kv, head, rope)


@settings(max_examples=30, deadline=None)
@given(attentions(), st.integers(1, 3), st.integers(1, 12), st.booleans(), st.integers(0, 99))
def test_decoding_is_prefill(cfg: AttentionConfig, batch: int, tokens: int, room: bool, seed: int) -> None:
    torch.manual_seed(seed)
    w, h = layer(cfg, torch.float64), torch.randn(batch, tokens, cfg.hidden_size, dtype=torch.float64)
    whole, held = attention_forward(h, w, cfg)
    cache = empty_cache(cfg, batch, h)
    cache = cache.reserve(tokens) if room else cache
    steps = []
    for i in range(tokens):
        step, cache = attention_forward(h[:, i : i + 1], w, cfg, cache)
        steps.append(step)
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(cache.k, held.k, rtol=1e-12, atol=1e-12)
    assert cache.length == tokens
    assert cache.nbytes == batch * tokens * cfg.cache_values_per_token * 8
    assert cache.nbytes == cache.k.untyped_storage().nbytes() + cache.v.untyped_storage().nbytes()


def test_reserved_room_is_counted_and_left_when_full() -> None:
    cfg = AttentionConfig(8, 2, 2, 4)
    cache = empty_cache(cfg, 1, torch.zeros(())).reserve(3)
    one = torch.ones(1, 2, 2, 4)
    assert cache.nbytes == 3 * cfg.cache_values_per_token * 4
    cache = cache.append(one, one)
    assert cache.room is not None
    cache = cache.append(2 * one, 2 * one)  # 4 tokens do not fit in 3
    assert cache.room is None
    assert cache.nbytes == 4 * cfg.cache_values_per_token * 4
    assert cache.k[0, :, 0, 0].tolist() == [1, 1, 2, 2]


def test_gqa_is_mha_with_repeated_heads() -> None:
    torch.manual_seed(0)
    gqa, mha = AttentionConfig(24, 6, 2, 4, RopeConfig(4)), AttentionConfig(24, 6, 6, 4, RopeConfig(4))
    w, h = layer(gqa, torch.float64), torch.randn(2, 9, 24, dtype=torch.float64)

    def repeated(x: Tensor) -> Tensor:
        return x.unflatten(0, (2, 4)).repeat_interleave(3, dim=0).flatten(0, 1)

    a, small = attention_forward(h, w, gqa)
    b, large = attention_forward(h, AttentionWeights(w.wq, repeated(w.wk), repeated(w.wv), w.wo), mha)
    torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    assert large.nbytes == 3 * small.nbytes


def test_attention_is_torchs() -> None:
    torch.manual_seed(0)
    cfg = AttentionConfig(24, 6, 2, 4, RopeConfig(4))
    w, h = layer(cfg, torch.float32), torch.randn(2, 33, 24)
    parts = attention_forward(h, w, cfg, return_parts=True)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        parts.q.transpose(1, 2), parts.k.transpose(1, 2), parts.v.transpose(1, 2), is_causal=True, enable_gqa=True
    )
    torch.testing.assert_close(parts.heads, theirs.transpose(1, 2), rtol=0, atol=1e-5)


def test_parts_are_causal_and_complete() -> None:
    torch.manual_seed(0)
    cfg = AttentionConfig(24, 6, 2, 4, RopeConfig(4))
    w, h = layer(cfg, torch.float32), torch.randn(1, 7, 24)
    parts = attention_forward(h, w, cfg, return_parts=True)
    torch.testing.assert_close(parts.probs.sum(-1), torch.ones(1, 6, 7))
    assert (parts.probs.triu(1) == 0).all()
    out, _ = attention_forward(h, w, cfg)
    assert torch.equal(out, parts.out)
    table = rope_table(RopeConfig(4), 0, 7, h)
    torch.testing.assert_close(apply_rope(parts.k_before_rope, table), parts.k)
    changed = h.clone()
    changed[0, 5] += 1
    torch.testing.assert_close(attention_forward(changed, w, cfg)[0][:, :5], out[:, :5])
    assert not torch.allclose(attention_forward(changed, w, cfg)[0][:, 5:], out[:, 5:])


def test_cost_counts_what_torch_multiplies() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    cfg = AttentionConfig(24, 6, 2, 4, RopeConfig(4))
    w, h = layer(cfg, torch.float32), torch.randn(1, 1, 24)
    past = torch.randn(1, 30, 2, 4)
    cache = empty_cache(cfg, 1, h).append(past, past)
    with FlopCounterMode(display=False) as counter:
        _, cache = attention_forward(h, w, cfg, cache)
    cost = attention_decode_cost(cfg, 31, bytes_per_value=4)
    assert counter.get_total_flops() == cost.flops
    assert cost.cache_bytes == cache.nbytes
    assert cost.weight_bytes == sum(x.nbytes for x in (w.wq, w.wk, w.wv, w.wo))


def test_impossible_attentions_are_refused() -> None:
    with pytest.raises(ExplainError, match="6 heads do not divide among 4 key-value heads"):
        AttentionConfig(24, 6, 4, 4)
    with pytest.raises(ExplainError, match="RoPE turns 8 dimensions of heads of 4"):
        AttentionConfig(24, 6, 2, 4, RopeConfig(8))
    with pytest.raises(ExplainError, match="n_kv_heads is 0"):
        AttentionConfig(24, 6, 0, 4)
    with pytest.raises(ExplainError, match="has 5 dimensions; give an even number"):
        RopeConfig(5)
    with pytest.raises(ExplainError, match=r"YaRN factor is 0\.5"):
        YarnConfig(0.5)
    with pytest.raises(ExplainError, match="beta_fast 1 must be more than beta_slow 32"):
        YarnConfig(40, beta_fast=1, beta_slow=32)
    with pytest.raises(ExplainError, match="has no YaRN"):
        find_correction_range(RopeConfig(8))
    cfg = AttentionConfig(24, 6, 2, 4)
    with pytest.raises(ExplainError, match="batch, tokens, 24"):
        attention_forward(torch.zeros(3, 24), layer(cfg, torch.float32), cfg)
    with pytest.raises(ExplainError, match="context is 0"):
        attention_decode_cost(cfg, 0)


@pytest.mark.parametrize(("n_kv_heads", "kind"), [(6, "MHA"), (2, "GQA"), (1, "MQA")])
def test_kinds(n_kv_heads: int, kind: str) -> None:
    cfg = AttentionConfig(24, 6, n_kv_heads, 4)
    assert cfg.kind == kind
    assert cfg.cache_values_per_token == 2 * n_kv_heads * 4
