"""The gates and the expert layers against transformers' DeepSeek-V2 and -V3, same random weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from explainers.moe import ExpertWeights, GateConfig, MLPWeights, MoEWeights, Routing, moe_forward, route

pytest.importorskip("transformers", minversion="5.12", reason="the reference; before 5.12 its group mask is wrong")
from transformers import DeepseekV2Config, DeepseekV3Config
from transformers.models.deepseek_v2.modeling_deepseek_v2 import DeepseekV2Moe, DeepseekV2TopkRouter
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3MoE, DeepseekV3TopkRouter

HIDDEN, INNER = 64, 32
SIZES = [  # experts, top_k, groups, allowed groups
    (16, 4, 4, 2),
    (16, 4, 1, 1),  # one group
    (16, 4, 4, 4),  # all groups
    (64, 6, 8, 3),
    (256, 8, 8, 4),  # V3's own
    (8, 8, 1, 1),  # all experts
    (12, 3, 6, 2),  # two experts a group
]
BIASES = ["zero", "small", "around minus one", "wide"]


def biases(kind: str, experts: int) -> Tensor:
    noise = torch.randn(experts)
    return {"zero": 0 * noise, "small": 0.02 * noise, "around minus one": 0.1 * noise - 1, "wide": noise}[kind]


def dense(indices: Tensor, weights: Tensor, experts: int) -> Tensor:
    """(T, E) weights by expert, so that the order of the top k does not matter."""
    return torch.zeros(len(indices), experts, dtype=weights.dtype).scatter(1, indices, weights)


def same_choice(mine: Routing, indices: Tensor, weights: Tensor) -> float:
    """Assert the same expert sets; the largest difference of weights, expert by expert."""
    experts = mine.n_routed_experts
    assert torch.equal(mine.indices.sort(dim=-1).values, indices.sort(dim=-1).values)
    worst = (dense(mine.indices, mine.weights, experts) - dense(indices, weights, experts)).abs().max().item()
    print(f"largest weight difference {worst:.2e}")
    return worst


def v3_config(experts: int, k: int, groups: int, allowed: int, norm: bool = True) -> DeepseekV3Config:
    config = DeepseekV3Config(
        hidden_size=HIDDEN,
        moe_intermediate_size=INNER,
        n_routed_experts=experts,
        num_experts_per_tok=k,
        n_group=groups,
        topk_group=allowed,
        norm_topk_prob=norm,
        routed_scaling_factor=2.5,
        n_shared_experts=2,
    )
    config._experts_implementation = "eager"
    return config


def v2_config(experts: int, k: int, groups: int, allowed: int, method: str) -> DeepseekV2Config:
    config = DeepseekV2Config(
        hidden_size=HIDDEN,
        moe_intermediate_size=INNER,
        n_routed_experts=experts,
        num_experts_per_tok=k,
        n_group=groups,
        topk_group=allowed,
        topk_method=method,
        routed_scaling_factor=16.0,
        n_shared_experts=2,
    )
    config._experts_implementation = "eager"
    return config


def v3_gate(sizes: tuple[int, int, int, int], norm: bool = True) -> GateConfig:
    return GateConfig(*sizes, scoring="sigmoid", norm_topk_prob=norm, routed_scaling_factor=2.5)


def v2_gate(sizes: tuple[int, int, int, int], method: str) -> GateConfig:
    return GateConfig(*sizes, scoring="softmax", norm_topk_prob=False, routed_scaling_factor=16.0, topk_method=method)


@pytest.mark.parametrize("tokens", [1, 512])
@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_v3_router(sizes: tuple[int, int, int, int], bias: str, tokens: int) -> None:
    torch.manual_seed(1)
    router = DeepseekV3TopkRouter(v3_config(*sizes))
    router.weight.data.normal_(0, 0.2)
    router.e_score_correction_bias.copy_(biases(bias, sizes[0]))
    x = torch.randn(tokens, HIDDEN)
    mine = route(x, router.weight, router.e_score_correction_bias, v3_gate(sizes))
    logits, weights, indices = router(x)
    torch.testing.assert_close(mine.logits, logits, rtol=0, atol=1e-6)
    assert same_choice(mine, indices, weights) < 1e-6


def test_v3_router_unnormalised() -> None:
    torch.manual_seed(2)
    sizes = (16, 4, 4, 2)
    router = DeepseekV3TopkRouter(v3_config(*sizes, norm=False))
    router.weight.data.normal_(0, 0.2)
    x = torch.randn(64, HIDDEN)
    _, weights, indices = router(x)
    assert same_choice(route(x, router.weight, None, v3_gate(sizes, norm=False)), indices, weights) < 1e-6


@pytest.mark.parametrize("tied", ["experts", "groups"])
def test_v3_router_ties_get_the_same_scores(tied: str) -> None:
    """Which of two equals is taken is unspecified in the reference; what the token gets for it is not."""
    torch.manual_seed(3)
    router = DeepseekV3TopkRouter(v3_config(16, 4, 4, 2))
    pattern = torch.randn(4, HIDDEN) * 0.2
    centroids = pattern.repeat_interleave(4, 0) if tied == "experts" else pattern.repeat(4, 1)
    router.weight.data.copy_(centroids)
    x = torch.randn(256, HIDDEN)
    mine = route(x, router.weight, router.e_score_correction_bias, v3_gate((16, 4, 4, 2)))
    _, weights, _ = router(x)
    torch.testing.assert_close(mine.weights.sort(dim=-1).values, weights.sort(dim=-1).values, rtol=0, atol=1e-6)


@pytest.mark.parametrize("tokens", [1, 512])
@pytest.mark.parametrize("method", ["greedy", "group_limited_greedy"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_v2_router(sizes: tuple[int, int, int, int], method: str, tokens: int) -> None:
    torch.manual_seed(4)
    router = DeepseekV2TopkRouter(v2_config(*sizes, method))
    router.weight.data.normal_(0, 0.2)
    x = torch.randn(tokens, HIDDEN)
    mine = route(x, router.weight, None, v2_gate(sizes, method))
    logits, weights, indices = router(x)
    torch.testing.assert_close(mine.logits, logits, rtol=0, atol=1e-6)
    assert same_choice(mine, indices, weights) < 1e-5  # the weights go up to 16


def weights_of(module: DeepseekV2Moe | DeepseekV3MoE, bias: Tensor | None) -> MoEWeights:
    w1, w3 = module.experts.gate_up_proj.chunk(2, dim=1)
    shared = module.shared_experts
    return MoEWeights(
        gate=module.gate.weight,
        experts=ExpertWeights(w1, module.experts.down_proj, w3),
        bias=bias,
        shared=MLPWeights(shared.gate_proj.weight, shared.down_proj.weight, shared.up_proj.weight),
    )


def fill(module: torch.nn.Module) -> None:
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, 0, parameter.shape[-1] ** -0.5)


@pytest.mark.parametrize("path", ["loop", "grouped"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (2, 100)], ids=str)
@pytest.mark.parametrize("sizes", [(16, 4, 4, 2), (16, 4, 1, 1), (64, 6, 8, 8)], ids=str)
def test_v3_moe(sizes: tuple[int, int, int, int], shape: tuple[int, int], path: str) -> None:
    torch.manual_seed(5)
    module = DeepseekV3MoE(v3_config(*sizes))
    fill(module)
    module.gate.e_score_correction_bias.copy_(biases("around minus one", sizes[0]))
    x = torch.randn(*shape, HIDDEN)
    y, _ = moe_forward(x, weights_of(module, module.gate.e_score_correction_bias), v3_gate(sizes), path)
    difference = (y - module(x)).abs().max().item()
    print(f"largest output difference {difference:.2e}")
    assert difference < 1e-5


@pytest.mark.parametrize("path", ["loop", "grouped"])
@pytest.mark.parametrize("method", ["greedy", "group_limited_greedy"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 100)], ids=str)
def test_v2_moe(shape: tuple[int, int], method: str, path: str) -> None:
    torch.manual_seed(6)
    sizes = (16, 4, 4, 2)
    module = DeepseekV2Moe(v2_config(*sizes, method))
    fill(module)
    x = torch.randn(*shape, HIDDEN)
    y, _ = moe_forward(x, weights_of(module, None), v2_gate(sizes, method), path)
    difference = (y - module(x)).abs().max().item()
    print(f"largest output difference {difference:.2e}")
    assert difference < 1e-5


def test_v3_moe_gradients() -> None:
    torch.manual_seed(7)
    sizes = (16, 4, 4, 2)
    module = DeepseekV3MoE(v3_config(*sizes))
    fill(module)
    x = torch.randn(1, 64, HIDDEN)
    probe = torch.randn(1, 64, HIDDEN)
    parameters = [module.gate.weight, module.experts.gate_up_proj, module.experts.down_proj]
    theirs = torch.autograd.grad((module(x) * probe).sum(), parameters)
    y, _ = moe_forward(x, weights_of(module, module.gate.e_score_correction_bias), v3_gate(sizes))
    mine = torch.autograd.grad((y * probe).sum(), parameters)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
