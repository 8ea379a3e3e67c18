"""RoPE, YaRN, MHA/GQA/MQA and MLA against transformers, same random weights.

transformers moves DeepSeek's interleaved RoPE pairs apart, so ``q_pe`` and ``k_pe`` differ by a permutation: what is
compared are frequencies, attention weights and outputs.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from explainers.attention import AttentionConfig, AttentionWeights, attention_forward
from explainers.mla import MLAConfig, MLAWeights, decode_absorbed, empty_latent_cache, mla_forward
from explainers.rope import RopeConfig, YarnConfig, rope_frequencies, vector_mscale

pytest.importorskip("transformers", minversion="5.12", reason="the reference of these tests")
from transformers import DeepseekV2Config, DeepseekV3Config, DynamicCache, LlamaConfig
from transformers.models.deepseek_v2.modeling_deepseek_v2 import DeepseekV2Attention, DeepseekV2RotaryEmbedding
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3Attention, DeepseekV3RotaryEmbedding
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaRotaryEmbedding

HIDDEN, HEADS, NOPE, ROPE, VALUE, RANK = 64, 4, 16, 8, 12, 32
YARNS = {
    "no YaRN": None,
    "V3's YaRN": YarnConfig(40, 64, 32, 1, 1.0, 1.0),
    "V2's YaRN": YarnConfig(40, 64, 32, 1, 0.707, 0.707),
    "unequal mscales": YarnConfig(8, 64, 16, 2, 1.0, 0.5),
    "mscale_all_dim 0": YarnConfig(8, 64, 32, 1, 1.0, 0.0),
}
yarns = pytest.mark.parametrize("yarn", YARNS.values(), ids=YARNS.keys())


def rope_parameters(yarn: YarnConfig | None, theta: float = 10000.0) -> dict[str, float | str]:
    if yarn is None:
        return {"rope_type": "default", "rope_theta": theta}
    return {
        "rope_type": "yarn",
        "rope_theta": theta,
        "factor": yarn.factor,
        "original_max_position_embeddings": yarn.original_max_position_embeddings,
        "beta_fast": yarn.beta_fast,
        "beta_slow": yarn.beta_slow,
        "mscale": yarn.mscale,
        "mscale_all_dim": yarn.mscale_all_dim,
    }


def mla_sizes(q_lora_rank: int | None, yarn: YarnConfig | None) -> dict[str, object]:
    return {
        "hidden_size": HIDDEN,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "kv_lora_rank": RANK,
        "q_lora_rank": q_lora_rank,
        "qk_nope_head_dim": NOPE,
        "qk_rope_head_dim": ROPE,
        "v_head_dim": VALUE,
        "max_position_embeddings": 64 * int(yarn.factor) if yarn else 4096,
        "rope_parameters": rope_parameters(yarn),
        "attn_implementation": "eager",
    }


def fill(module: torch.nn.Module) -> None:
    for parameter in module.parameters():
        if parameter.ndim == 1:  # the norms
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        else:
            torch.nn.init.normal_(parameter, 0, parameter.shape[-1] ** -0.5)


def weights_of(module: DeepseekV2Attention | DeepseekV3Attention) -> MLAWeights:
    query = (
        {"wq": module.q_proj.weight}
        if module.q_lora_rank is None
        else {
            "wq_a": module.q_a_proj.weight,
            "q_norm": module.q_a_layernorm.weight,
            "wq_b": module.q_b_proj.weight,
        }
    )
    return MLAWeights(
        wkv_a=module.kv_a_proj_with_mqa.weight,
        kv_norm=module.kv_a_layernorm.weight,
        wkv_b=module.kv_b_proj.weight,
        wo=module.o_proj.weight,
        **query,
    )


def causal(queries: int, keys: int) -> Tensor:
    mask = torch.full((queries, keys), -torch.inf).triu(keys - queries + 1)
    return mask[None, None]


def config_of(q_lora_rank: int | None, yarn: YarnConfig | None) -> MLAConfig:
    return MLAConfig(HIDDEN, HEADS, RANK, NOPE, ROPE, VALUE, q_lora_rank, yarn=yarn)


REFERENCES = {
    "V2": (DeepseekV2Config, DeepseekV2Attention, DeepseekV2RotaryEmbedding),
    "V3": (DeepseekV3Config, DeepseekV3Attention, DeepseekV3RotaryEmbedding),
}


def reference(version: str, q_lora_rank: int | None, yarn: YarnConfig | None) -> tuple[Any, Any]:
    config_class, attention_class, rotary_class = REFERENCES[version]
    config = config_class(**mla_sizes(q_lora_rank, yarn))
    module = attention_class(config, 0).eval()
    fill(module)
    return module, rotary_class(config)


@yarns
def test_rope_frequencies(yarn: YarnConfig | None) -> None:
    config = DeepseekV3Config(**mla_sizes(24, yarn) | {"qk_rope_head_dim": 64})
    rotary = DeepseekV3RotaryEmbedding(config)
    mine = RopeConfig(64, yarn=yarn)
    torch.testing.assert_close(rope_frequencies(mine), rotary.inv_freq, rtol=1e-6, atol=0)
    assert vector_mscale(mine) == pytest.approx(rotary.attention_scaling, rel=1e-6)


@yarns
@pytest.mark.parametrize("q_lora_rank", [None, 24])
@pytest.mark.parametrize("version", REFERENCES)
def test_mla_prefill(version: str, q_lora_rank: int | None, yarn: YarnConfig | None) -> None:
    torch.manual_seed(1)
    module, rotary = reference(version, q_lora_rank, yarn)
    h = torch.randn(2, 100, HIDDEN)
    with torch.no_grad():
        theirs, their_probs = module(
            hidden_states=h, position_embeddings=rotary(h, torch.arange(100)[None]), attention_mask=causal(100, 100)
        )
        cfg = config_of(q_lora_rank, yarn)
        mine = mla_forward(h, weights_of(module), cfg, return_parts=True)
        absorbed, _ = decode_absorbed(h, weights_of(module), cfg, empty_latent_cache(cfg, 2, h))
    assert cfg.softmax_scale == pytest.approx(module.scaling, rel=1e-7)
    worst = (mine.out - theirs).abs().max().item()
    print(
        f"largest differences: naive {worst:.2e}, absorbed {(absorbed - theirs).abs().max():.2e}, "
        f"probs {(mine.probs - their_probs).abs().max():.2e}; outputs up to {theirs.abs().max():.1f}"
    )
    torch.testing.assert_close(mine.probs, their_probs, rtol=0, atol=1e-5)
    torch.testing.assert_close(mine.out, theirs, rtol=0, atol=1e-5)
    torch.testing.assert_close(absorbed, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("version", REFERENCES)
def test_mla_decodes_step_by_step(version: str) -> None:
    torch.manual_seed(2)
    yarn = YARNS["V3's YaRN"]
    module, rotary = reference(version, 24, yarn)
    cfg, w = config_of(24, yarn), weights_of(module)
    h = torch.randn(2, 12, HIDDEN)
    theirs, mine = DynamicCache(), empty_latent_cache(cfg, 2, h)
    for i in range(12):
        with torch.no_grad():
            a, _ = module(
                hidden_states=h[:, i : i + 1],
                position_embeddings=rotary(h, torch.tensor([[i]])),
                attention_mask=None,
                past_key_values=theirs,
            )
            b, mine = decode_absorbed(h[:, i : i + 1], w, cfg, mine)
        torch.testing.assert_close(b, a, rtol=0, atol=1e-5)
    torch.testing.assert_close(mine.c_kv, theirs.layers[0].keys[:, 0], rtol=0, atol=1e-5)


def test_mla_half_split_rope() -> None:
    torch.manual_seed(3)
    config = DeepseekV3Config(**mla_sizes(None, None), rope_interleave=False)
    module, rotary = DeepseekV3Attention(config, 0).eval(), DeepseekV3RotaryEmbedding(config)
    fill(module)
    h = torch.randn(1, 30, HIDDEN)
    cfg = MLAConfig(HIDDEN, HEADS, RANK, NOPE, ROPE, VALUE, rope_interleaved=False)
    with torch.no_grad():
        theirs, _ = module(h, rotary(h, torch.arange(30)[None]), causal(30, 30))
        mine, _ = mla_forward(h, weights_of(module), cfg)
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("yarn", [None, YARNS["mscale_all_dim 0"]], ids=["no YaRN", "YaRN"])
@pytest.mark.parametrize("n_kv_heads", [4, 2, 1])
def test_mha_gqa_mqa(n_kv_heads: int, yarn: YarnConfig | None) -> None:
    torch.manual_seed(4)
    config = LlamaConfig(
        hidden_size=HIDDEN,
        num_attention_heads=4,
        num_key_value_heads=n_kv_heads,
        head_dim=16,
        max_position_embeddings=64 * int(yarn.factor) if yarn else 2048,
        rope_parameters=rope_parameters(yarn),
        attn_implementation="eager",
    )
    module, rotary = LlamaAttention(config, 0).eval(), LlamaRotaryEmbedding(config)
    fill(module)
    w = AttentionWeights(module.q_proj.weight, module.k_proj.weight, module.v_proj.weight, module.o_proj.weight)
    cfg = AttentionConfig(HIDDEN, 4, n_kv_heads, 16, RopeConfig(16, interleaved=False, yarn=yarn))
    h = torch.randn(2, 80, HIDDEN)
    with torch.no_grad():
        theirs, _ = module(h, rotary(h, torch.arange(80)[None]), causal(80, 80))
        mine, _ = attention_forward(h, w, cfg)
    print(f"largest difference {(mine - theirs).abs().max():.2e}")
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)
