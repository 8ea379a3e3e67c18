"""The gates, the expert layers and the balance rules, against plain references and their own properties."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from explainers.errors import ExplainError
from explainers.moe import (
    ExpertWeights,
    GateConfig,
    MLPWeights,
    MoEWeights,
    Routing,
    dispatch,
    expert_balance_loss,
    expert_load,
    expert_outputs,
    max_vio,
    moe_forward,
    moe_grouped,
    moe_loop,
    moe_parts,
    route,
    sequence_balance_loss,
    swiglu,
    update_bias,
)

V2: dict[str, Any] = {"scoring": "softmax", "norm_topk_prob": False, "routed_scaling_factor": 16.0}
V3: dict[str, Any] = {
    "scoring": "sigmoid",
    "norm_topk_prob": True,
    "routed_scaling_factor": 2.5,
    "topk_method": "noaux_tc",
}


def paper_gate(x: np.ndarray, e: np.ndarray, b: np.ndarray, cfg: GateConfig) -> tuple[list[set[int]], np.ndarray]:
    """The gate token by token, from V2 equations 21–22 and V3 equations 13–16: chosen sets, weights (T, E)."""
    chosen, weights = [], np.zeros((len(x), len(e)))
    for t, u in enumerate(x.astype(np.float64)):
        logits = np.array([u @ centroid for centroid in e.astype(np.float64)])
        s = 1 / (1 + np.exp(-logits)) if cfg.scoring == "sigmoid" else np.exp(logits - logits.max())
        s = s if cfg.scoring == "sigmoid" else s / s.sum()
        biased = s + b
        allowed = set(range(len(e)))
        if cfg.topk_method != "greedy":
            members = [range(g * cfg.group_size, (g + 1) * cfg.group_size) for g in range(cfg.n_group)]
            best = 2 if cfg.topk_method == "noaux_tc" else 1
            totals = [sum(sorted(biased[list(m)])[-best:]) for m in members]
            groups = sorted(range(cfg.n_group), key=lambda g: (-totals[g], g))[: cfg.topk_group]
            allowed = {i for g in groups for i in members[g]}
        top = sorted(allowed, key=lambda i: (-biased[i], i))[: cfg.top_k]
        total = sum(s[i] for i in top) if cfg.norm_topk_prob else 1.0
        for i in top:
            weights[t, i] = s[i] / total * cfg.routed_scaling_factor
        chosen.append(set(top))
    return chosen, weights


def dense(routing: Routing) -> np.ndarray:
    zeros = torch.zeros_like(routing.original_scores)
    return zeros.scatter(1, routing.indices, routing.weights).detach().numpy()


@st.composite
def gates(draw: st.DrawFn) -> GateConfig:
    groups, size = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    allowed = draw(st.integers(1, groups))
    method = draw(st.sampled_from(["greedy", "group_limited_greedy", "noaux_tc"]))
    k = draw(st.integers(1, groups * size if method == "greedy" else allowed * size))
    rules = V3 if method == "noaux_tc" else V2
    return GateConfig(groups * size, k, groups, allowed, **(rules | {"topk_method": method}))


@settings(max_examples=60, deadline=None)
@given(gates(), st.integers(1, 9), st.sampled_from([0.0, -1.0, 0.5]), st.integers(0, 1000))
def test_gate_is_the_papers(cfg: GateConfig, tokens: int, centre: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, e = rng.normal(size=(tokens, 12)), rng.normal(size=(cfg.n_routed_experts, 12)) * 0.3
    b = rng.normal(size=cfg.n_routed_experts) * 0.2 + centre
    with_bias = cfg.topk_method == "noaux_tc"
    routing = route(torch.tensor(x), torch.tensor(e), torch.tensor(b) if with_bias else None, cfg)
    chosen, weights = paper_gate(x, e, b if with_bias else 0 * b, cfg)
    assert [set(row) for row in routing.indices.tolist()] == chosen
    np.testing.assert_allclose(dense(routing), weights, rtol=1e-12, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(gates(), st.integers(1, 20), st.integers(0, 1000))
def test_gate_invariants(cfg: GateConfig, tokens: int, seed: int) -> None:
    torch.manual_seed(seed)
    x, e = torch.randn(tokens, 8), torch.randn(cfg.n_routed_experts, 8) * 0.5
    routing = route(x, e, torch.randn(cfg.n_routed_experts) if cfg.topk_method == "noaux_tc" else None, cfg)
    assert routing.indices.shape == routing.weights.shape == (tokens, cfg.top_k)
    assert all(len(set(row)) == cfg.top_k for row in routing.indices.tolist())
    allowed = routing.group_mask.gather(1, routing.indices // cfg.group_size)
    assert allowed.all()
    expected = cfg.topk_group if cfg.limits_groups else cfg.n_group
    assert (routing.group_mask.sum(dim=1) == expected).all()
    chosen = routing.masked_scores.gather(1, routing.indices)
    assert (chosen.diff(dim=1) <= 0).all()  # best first
    if cfg.norm_topk_prob:
        torch.testing.assert_close(routing.weights.sum(dim=1), torch.full((tokens,), cfg.routed_scaling_factor))


def test_bias_chooses_but_does_not_weigh() -> None:
    cfg = GateConfig(4, 1, scoring="sigmoid", norm_topk_prob=False)
    x, e = torch.ones(1, 1), torch.tensor([[2.0], [1.0], [0.0], [-1.0]])
    plain = route(x, e, None, cfg)
    pushed = route(x, e, torch.tensor([0.0, 0.0, 0.0, 5.0]), cfg)
    assert plain.indices.item() == 0
    assert pushed.indices.item() == 3
    assert pushed.weights.item() == pytest.approx(1 / (1 + np.e))  # sigmoid(−1), without the 5
    assert pushed.biased_scores[0, 3].item() == pytest.approx(5 + 1 / (1 + np.e))


def test_negative_biases_do_not_let_forbidden_groups_in() -> None:
    """Masked with 0.0 instead of −inf, every token would be sent to a forbidden group."""
    torch.manual_seed(0)
    cfg = GateConfig(16, 4, 4, 2, **V3)
    routing = route(torch.randn(200, 8), torch.randn(16, 8), torch.full((16,), -2.0), cfg)
    assert (routing.biased_scores < 0).all()
    assert routing.group_mask.gather(1, routing.indices // 4).all()
    assert torch.isinf(routing.masked_scores).sum() == 200 * 8


def test_group_score_rules() -> None:
    scores = torch.tensor([[0.9, 0.1, 0.6, 0.6]])
    x, e = torch.ones(1, 1), torch.logit(scores).T
    best = route(x, e, None, GateConfig(4, 1, 2, 1, **V3, group_score="max"))
    pair = route(x, e, None, GateConfig(4, 1, 2, 1, **V3))
    torch.testing.assert_close(best.group_scores, torch.tensor([[0.9, 0.6]]))
    torch.testing.assert_close(pair.group_scores, torch.tensor([[1.0, 1.2]]))
    assert (best.indices.item(), pair.indices.item()) == (0, 2)


@pytest.mark.parametrize("method", ["greedy", "group_limited_greedy", "noaux_tc"])
def test_ties_go_to_the_lower_index(method: str) -> None:
    cfg = GateConfig(64, 6, 8, 3, topk_method=method)
    routing = route(torch.randn(50, 8), torch.zeros(64, 8), None, cfg)  # all scores equal
    assert torch.equal(routing.indices, torch.arange(6).expand(50, 6))


def test_gate_computes_in_float32_for_bf16_tokens() -> None:
    torch.manual_seed(0)
    x, e = torch.randn(64, 32).bfloat16(), torch.randn(16, 32).bfloat16()
    routing = route(x, e, None, GateConfig(16, 4))
    wide = route(x.float(), e.float(), None, GateConfig(16, 4))
    assert routing.weights.dtype == torch.float32
    assert torch.equal(routing.logits, wide.logits)
    assert torch.equal(routing.indices, wide.indices)
    assert route(x.double(), e, None, GateConfig(16, 4)).weights.dtype == torch.float64


def test_gradients_reach_the_gate_and_not_the_bias() -> None:
    torch.manual_seed(0)
    e, b = torch.randn(8, 4, requires_grad=True), torch.zeros(8, requires_grad=True)
    route(torch.randn(5, 4), e, b, GateConfig(8, 2, norm_topk_prob=False)).weights.sum().backward()
    assert e.grad is not None
    assert e.grad.abs().sum() > 0
    assert b.grad is None


BAD = [
    ({"n_routed_experts": 4, "top_k": 5}, "top_k 5 is more than the 4 experts"),
    ({"n_routed_experts": 10, "top_k": 2, "n_group": 4}, "10 experts do not divide into 4 groups"),
    ({"n_routed_experts": 8, "top_k": 2, "n_group": 2, "topk_group": 3}, "topk_group 3 is more than the 2 groups"),
    ({"n_routed_experts": 8, "top_k": 5, "n_group": 4, "topk_group": 2}, "top_k 5 is more than the 4 experts in 2"),
    ({"n_routed_experts": 8, "top_k": 0}, "top_k is 0"),
    ({"n_routed_experts": 8, "top_k": 2, "scoring": "sigmoyd"}, "did you mean sigmoid"),
    ({"n_routed_experts": 8, "top_k": 2, "topk_method": "best"}, "unknown topk_method 'best'"),
    ({"n_routed_experts": 8, "top_k": 2, "group_score": "sum"}, "unknown group_score 'sum'"),
]


@pytest.mark.parametrize(("sizes", "message"), BAD, ids=[m for _, m in BAD])
def test_impossible_gates_are_refused(sizes: dict[str, object], message: str) -> None:
    with pytest.raises(ExplainError, match=message) as caught:
        GateConfig(**sizes)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_wrong_shapes_are_refused() -> None:
    cfg, e = GateConfig(8, 2), torch.zeros(8, 4)
    with pytest.raises(ExplainError, match="flatten"):
        route(torch.zeros(1, 2, 4), e, None, cfg)
    with pytest.raises(ExplainError, match=r"give \(8, 5\)"):
        route(torch.zeros(2, 5), e, None, cfg)
    with pytest.raises(ExplainError, match="bias has shape"):
        route(torch.zeros(2, 4), e, torch.zeros(7), cfg)
    with pytest.raises(ExplainError, match="has no bias"):
        route(torch.zeros(2, 4), e, torch.zeros(8), dataclasses.replace(cfg, topk_method="greedy"))
    with pytest.raises(ExplainError, match="do not fit"):
        ExpertWeights(torch.zeros(8, 3, 4), torch.zeros(8, 3, 4), torch.zeros(8, 3, 4))
    with pytest.raises(ExplainError, match="unknown path 'quick'"):
        moe_forward(torch.zeros(2, 4), layer(8, 4, 3), cfg, path="quick")


def layer(
    experts: int, hidden: int, inner: int, dtype: torch.dtype = torch.float32, shared: bool = False
) -> MoEWeights:
    def normal(*shape: int) -> Tensor:
        return (torch.randn(*shape) * shape[-1] ** -0.5).to(dtype)

    stacks = ExpertWeights(
        normal(experts, inner, hidden), normal(experts, hidden, inner), normal(experts, inner, hidden)
    )
    both = MLPWeights(normal(inner, hidden), normal(hidden, inner), normal(inner, hidden)) if shared else None
    return MoEWeights(normal(experts, hidden), stacks, torch.zeros(experts), both)


@settings(max_examples=40, deadline=None)
@given(gates(), st.integers(1, 40), st.integers(0, 1000))
def test_grouped_is_the_loop(cfg: GateConfig, tokens: int, seed: int) -> None:
    torch.manual_seed(seed)
    w = layer(cfg.n_routed_experts, 8, 6, torch.float64)
    x = torch.randn(tokens, 8, dtype=torch.float64)
    routing = route(x, w.gate, None, cfg)
    a, b = moe_loop(x, w.experts, routing), moe_grouped(x, w.experts, routing)
    torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(gates(), st.integers(1, 20), st.integers(0, 1000))
def test_dispatch_sends_each_row_once(cfg: GateConfig, tokens: int, seed: int) -> None:
    torch.manual_seed(seed)
    routing = route(torch.randn(tokens, 8), torch.randn(cfg.n_routed_experts, 8), None, cfg)
    to = dispatch(routing)
    sent = torch.tensor(to.experts).repeat_interleave(torch.tensor(to.sizes))
    assert torch.equal(routing.indices.flatten()[to.row], sent)
    assert torch.equal(to.row.sort().values, torch.arange(tokens * cfg.top_k))
    assert torch.equal(to.token, to.row // cfg.top_k)


def test_parts_are_what_forward_does() -> None:
    torch.manual_seed(0)
    cfg, w, x = GateConfig(16, 4, 4, 2, **V3), layer(16, 32, 24, shared=True), torch.randn(30, 32)
    parts = moe_parts(x, w, cfg)
    y, routing = moe_forward(x, w, cfg)
    torch.testing.assert_close(parts.out, y, rtol=0, atol=1e-6)
    assert torch.equal(parts.routing.indices, routing.indices)
    t, slot = 11, 2
    expert = int(routing.indices[t, slot])
    alone = swiglu(x[t], w.experts.w1[expert], w.experts.w2[expert], w.experts.w3[expert])
    torch.testing.assert_close(parts.outputs[t, slot], alone)
    assert parts.shared is not None
    torch.testing.assert_close(parts.routed + parts.shared, parts.out)
    bare = moe_parts(x, dataclasses.replace(w, shared=None), cfg)
    assert bare.shared is None
    assert torch.equal(bare.out, parts.routed)
    assert expert_outputs(x, w.experts, routing).shape == (30, 4, 32)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_grouped_has_the_loops_gradients(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    cfg = GateConfig(16, 4, 4, 2, **V3)
    w = layer(16, 32, 24, dtype, shared=True)
    assert w.shared is not None
    x, probe = torch.randn(2, 50, 32, dtype=dtype), torch.randn(2, 50, 32, dtype=dtype)
    leaves = [x, w.gate, w.experts.w1, w.experts.w2, w.experts.w3, w.shared.w2]
    for leaf in leaves:
        leaf.requires_grad_()
    results = {}
    for path in ("loop", "grouped"):
        y, _ = moe_forward(x, w, cfg, path)
        results[path] = [y, *torch.autograd.grad((y * probe).sum(), leaves)]
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for a, b in zip(*results.values(), strict=True):
        assert a.abs().max() > 0
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def test_autograd_of_the_grouped_path_is_the_numerical_gradient() -> None:
    torch.manual_seed(0)
    cfg = GateConfig(4, 2, **V3)
    w = layer(4, 3, 2, torch.float64)
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    gate = w.gate.requires_grad_()

    def forward(x: Tensor, gate: Tensor, w1: Tensor) -> Tensor:
        experts = ExpertWeights(w1, w.experts.w2, w.experts.w3)
        return moe_forward(x, MoEWeights(gate, experts, w.bias), cfg)[0]

    assert torch.autograd.gradcheck(forward, (x, gate, w.experts.w1.requires_grad_()))


def test_one_expert_with_weight_one_is_a_dense_layer() -> None:
    torch.manual_seed(0)
    w = layer(1, 16, 8, shared=True)
    assert w.shared is not None
    x = torch.randn(2, 7, 16)
    y, routing = moe_forward(x, w, GateConfig(1, 1))
    routed = swiglu(x, w.experts.w1[0], w.experts.w2[0], w.experts.w3[0])
    torch.testing.assert_close(y, routed + swiglu(x, w.shared.w1, w.shared.w2, w.shared.w3))
    assert torch.equal(routing.weights, torch.ones(14, 1))


def test_bf16_stays_near_float32() -> None:
    torch.manual_seed(0)
    cfg, w = GateConfig(16, 4, 4, 2, **V3), layer(16, 32, 24, torch.bfloat16, shared=True)
    wide = MoEWeights(
        w.gate.float(), ExpertWeights(*(getattr(w.experts, n).float() for n in ("w1", "w2", "w3"))), w.bias
    )
    x = torch.randn(40, 32).bfloat16()
    narrow = MoEWeights(w.gate, w.experts, w.bias)
    for path in ("loop", "grouped"):
        y, _ = moe_forward(x, narrow, cfg, path)
        assert y.dtype == torch.bfloat16
        torch.testing.assert_close(y.float(), moe_forward(x.float(), wide, cfg)[0], rtol=0.05, atol=0.05)


def test_load_and_max_vio() -> None:
    indices = torch.tensor([[0, 1], [0, 2], [0, 3]])
    load = expert_load(indices, 6)
    assert load.tolist() == [3, 1, 1, 1, 0, 0]
    assert max_vio(load).item() == pytest.approx(2.0)  # mean 1, largest 3
    assert max_vio(torch.full((8,), 5)).item() == 0.0
    assert max_vio(torch.tensor([[2, 0], [1, 1]])).tolist() == [1.0, 0.0]
    with pytest.raises(ExplainError, match="load of all experts is 0"):
        max_vio(torch.zeros(4))


def test_bias_update_is_the_sign_of_the_error() -> None:
    bias = torch.tensor([0.1, 0.1, 0.1])
    new = update_bias(bias, torch.tensor([5, 3, 1]), 0.001)
    torch.testing.assert_close(new, torch.tensor([0.099, 0.1, 0.101]))
    torch.testing.assert_close(bias, torch.full((3,), 0.1))  # untouched


def test_bias_rule_balances_a_lopsided_gate() -> None:
    torch.manual_seed(0)
    cfg, x = GateConfig(16, 4, 4, 2, **V3), torch.randn(512, 16) + 0.5
    e, bias = torch.randn(16, 16) * 0.3, torch.zeros(16)
    before = max_vio(expert_load(route(x, e, bias, cfg).indices, 16)).item()
    for _ in range(300):
        bias = update_bias(bias, expert_load(route(x, e, bias, cfg).indices, 16), 3e-3)
    after = max_vio(expert_load(route(x, e, bias, cfg).indices, 16)).item()
    assert before > 1.0
    assert after < 0.25


def test_sequence_balance_loss_is_equations_17_to_20() -> None:
    torch.manual_seed(0)
    s = torch.rand(2, 5, 6, dtype=torch.float64)
    alpha, k = 0.01, 2
    expected = 0.0
    for sequence in s.numpy():
        for i in range(6):
            hits = sum(i in np.argsort(-row)[:k] for row in sequence)
            f = 6 / (k * 5) * hits
            p = np.mean([row[i] / row.sum() for row in sequence])
            expected += alpha * f * p / 2
    assert sequence_balance_loss(s, k, alpha).item() == pytest.approx(expected, rel=1e-12)
    assert sequence_balance_loss(s, k, alpha, s.topk(k).indices).item() == pytest.approx(expected, rel=1e-12)


def test_balance_losses_are_alpha_when_even_and_push_towards_even() -> None:
    even = torch.full((4, 8), 1 / 8)
    indices = torch.arange(8).reshape(4, 2)
    assert expert_balance_loss(even, indices, 0.003).item() == pytest.approx(0.003)
    assert sequence_balance_loss(even, 2, 0.5, indices).item() == pytest.approx(0.5)
    skewed = torch.tensor([[0.7, 0.1, 0.1, 0.1]] * 6, requires_grad=True)
    loss = expert_balance_loss(skewed, torch.zeros(6, 1, dtype=torch.int64), 1.0)
    assert loss.item() == pytest.approx(4 * 0.7)
    loss.backward()
    assert skewed.grad is not None
    assert (skewed.grad[:, 0] > 0).all()  # the overloaded expert's score is pushed down
    assert (skewed.grad[:, 1:] == 0).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: CPU and GPU cannot be compared here")
def test_cpu_and_gpu_choose_the_same_experts() -> None:
    torch.manual_seed(0)
    cfg, w, x = GateConfig(64, 6, 8, 3, **V3), layer(64, 128, 64, shared=True), torch.randn(512, 128)
    assert w.shared is not None
    there = MoEWeights(
        w.gate.cuda(),
        ExpertWeights(w.experts.w1.cuda(), w.experts.w2.cuda(), w.experts.w3.cuda()),
        torch.zeros(64, device="cuda"),
        MLPWeights(w.shared.w1.cuda(), w.shared.w2.cuda(), w.shared.w3.cuda()),
    )
    for path in ("loop", "grouped"):
        y, routing = moe_forward(x, w, cfg, path)
        z, other = moe_forward(x.cuda(), there, cfg, path)
        assert torch.equal(routing.indices.sort(dim=1).values, other.indices.cpu().sort(dim=1).values)
        torch.testing.assert_close(y, z.cpu(), rtol=0, atol=1e-4)
