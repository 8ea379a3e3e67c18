"""V3.2's sparse attention and V4's compressed attention, gate and hyper-connections against transformers, same weights.

Prefill, and step by step through a cache, on both sides. transformers computes parts of V4 in float32 whatever it is
given, so equality is asked for in float32 (1e-5).
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from explainers.compressed import (
    CompressedConfig,
    CompressedWeights,
    CompressorWeights,
    EntryIndexerWeights,
    compressed_forward,
)
from explainers.gate import GateConfig, route
from explainers.hyper_connections import (
    HeadWeights,
    HyperConfig,
    HyperWeights,
    collapse,
    collapse_head,
    mixing,
    open_streams,
    spread,
)
from explainers.mla import MLAConfig, MLAWeights
from explainers.rope import RopeConfig, YarnConfig
from explainers.sparse import IndexerConfig, IndexerWeights, SparseCache, dsa_decode, dsa_forward

pytest.importorskip("transformers", minversion="5.20", reason="the reference of these tests")
from transformers import DeepseekV4Config, DeepseekV32Config, DynamicCache
from transformers.models.deepseek_v4 import modeling_deepseek_v4 as v4
from transformers.models.deepseek_v32 import modeling_deepseek_v32 as v32

HIDDEN, LENGTH = 64, 90
YARN = {"rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 64, "beta_fast": 32, "beta_slow": 1}


def fill(module: torch.nn.Module) -> None:
    """Random parameters and buffers, none of them left at what would hide a mistake (zero, one)."""
    for name, parameter in module.named_parameters():
        if "norm" in name and not name.endswith("bias"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        elif parameter.ndim == 1:
            torch.nn.init.normal_(parameter, 0, 0.5)
        else:
            torch.nn.init.normal_(parameter, 0, parameter.shape[-1] ** -0.5)


def worst(mine: Tensor, theirs: Tensor) -> float:
    difference = float((mine - theirs).abs().max())
    print(f"largest difference {difference:.2e}; largest value {float(theirs.abs().max()):.2f}")
    return difference


# ---------------------------------------------------------------------- V3.2
def v32_layer() -> tuple[Any, Any, MLAConfig, IndexerConfig, MLAWeights, IndexerWeights]:
    torch.manual_seed(2)
    rope = {**YARN, "rope_theta": 10000.0, "mscale": 1.0, "mscale_all_dim": 1.0}
    config = DeepseekV32Config(
        hidden_size=HIDDEN, num_attention_heads=4, num_key_value_heads=4, kv_lora_rank=32, q_lora_rank=24,
        qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=12, index_n_heads=16, index_head_dim=16, index_topk=20,
        rope_parameters=rope, max_position_embeddings=1024, num_hidden_layers=1, attn_implementation="eager",
    )  # fmt: skip
    module = v32.DeepseekV32Attention(config, 0).eval()
    fill(module)
    yarn = YarnConfig(16.0, 64)
    cfg = MLAConfig(HIDDEN, 4, 32, 16, 8, 12, 24, yarn=yarn)
    weights = MLAWeights(
        module.kv_a_proj_with_mqa.weight,
        module.kv_a_layernorm.weight,
        module.kv_b_proj.weight,
        module.o_proj.weight,
        wq_a=module.q_a_proj.weight,
        q_norm=module.q_a_layernorm.weight,
        wq_b=module.q_b_proj.weight,
    )
    own = module.indexer
    index = IndexerWeights(
        own.wq_b.weight, own.wk.weight, own.k_norm.weight, own.k_norm.bias, own.weights_proj.weight
    )  # fmt: skip
    return config, module, cfg, IndexerConfig.beside(cfg, 16, 16, 20), weights, index


def v32_reference(config: Any, module: Any, h: Tensor, chunks: list[int]) -> tuple[Tensor, Tensor]:
    """transformers' outputs and attention of the last chunk, read chunk by chunk through its cache."""
    rotary, cache, outs, start = v32.DeepseekV32RotaryEmbedding(config), DynamicCache(config=config), [], 0
    for size in chunks:
        part = h[:, start : start + size]
        mask = torch.full((size, start + size), -torch.inf).triu(start + 1)[None, None].expand(len(h), 1, -1, -1)
        places = rotary(part, torch.arange(start, start + size)[None])
        out, probs = module(hidden_states=part, position_embeddings=places, attention_mask=mask, past_key_values=cache)
        outs.append(out)
        start += size
    return torch.cat(outs, dim=1), probs


@torch.no_grad()
@pytest.mark.parametrize("chunks", [[LENGTH], [40, 30] + [1] * 20], ids=["prefill", "step by step"])
def test_sparse_mla(chunks: list[int]) -> None:
    config, module, cfg, index_cfg, weights, index = v32_layer()
    h = torch.randn(2, LENGTH, HIDDEN)
    theirs, their_probs = v32_reference(config, module, h, chunks)
    outs, cache, start = [], None, 0
    for size in chunks:
        parts = dsa_forward(h[:, start : start + size], weights, index, cfg, index_cfg, cache)
        outs.append(parts.out)
        cache, start = parts.cache, start + size
    assert worst(torch.cat(outs, dim=1), theirs) < 1e-5
    assert worst(parts.probs, their_probs) < 1e-5
    kept = parts.chosen.sum(-1)
    assert int(kept.max()) == 20 and int(kept[..., -1].min()) == 20
    assert cache is not None and cache.index_keys.shape == (2, LENGTH, 16)


@torch.no_grad()
def test_sparse_decoding_reads_only_the_chosen() -> None:
    """Absorbed, gathered decoding equals the plain way, in float64 far below 1e-5."""
    _, _, cfg, index_cfg, weights, index = v32_layer()
    weights = MLAWeights(**{name: None if t is None else t.double() for name, t in vars(weights).items()})
    index = IndexerWeights(**{name: t.double() for name, t in vars(index).items()})
    h = torch.randn(2, LENGTH, HIDDEN, dtype=torch.float64)
    plain = dsa_forward(h, weights, index, cfg, index_cfg)
    cache = dsa_forward(h[:, :-10], weights, index, cfg, index_cfg).cache
    spoilt: SparseCache | None = None
    for place in range(LENGTH - 10, LENGTH):
        out, cache = dsa_decode(h[:, place : place + 1], weights, index, cfg, index_cfg, cache)
        assert worst(out[:, 0], plain.out[:, place]) < 1e-12
    never = ~plain.chosen[0, -1]  # what the last token does not choose it does not read
    latents = cache.latents.c_kv.clone()
    latents[0, never] = torch.nan
    spoilt = SparseCache(type(cache.latents)(latents[:, :-1], cache.latents.k_pe[:, :-1]), cache.index_keys[:, :-1])
    again, _ = dsa_decode(h[:, -1:], weights, index, cfg, index_cfg, spoilt)
    assert worst(again[0], plain.out[0, -1:]) < 1e-12


# ---------------------------------------------------------------------- V4
KIND_NAMES = {
    "sliding": "sliding_attention",
    "csa": "compressed_sparse_attention",
    "hca": "heavily_compressed_attention",
}


def v4_config(kind: str) -> Any:
    return DeepseekV4Config(
        vocab_size=50, hidden_size=HIDDEN, num_attention_heads=4, head_dim=32, qk_rope_head_dim=8, q_lora_rank=24,
        o_groups=2, o_lora_rank=16, sliding_window=12, index_n_heads=8, index_head_dim=16, index_topk=6,
        moe_intermediate_size=16, n_routed_experts=8, num_experts_per_tok=3, num_hidden_layers=1,
        layer_types=[KIND_NAMES[kind]], compress_rate_csa=4, compress_rate_hca=16, rope_parameters=dict(YARN),
        max_position_embeddings=1024, attn_implementation="eager",
    )  # fmt: skip


def compressor_of(module: Any) -> CompressorWeights:
    return CompressorWeights(
        module.kv_proj.weight, module.gate_proj.weight, module.position_bias, module.kv_norm.weight
    )  # fmt: skip


def v4_layer(kind: str) -> tuple[Any, Any, CompressedConfig, CompressedWeights]:
    torch.manual_seed(3)
    config = v4_config(kind)
    module = v4.DeepseekV4Attention(config, 0).eval()
    fill(module)
    main = kind == "sliding"
    yarn = None if main else YarnConfig(16.0, 64, mscale=0.0, mscale_all_dim=0.0)
    cfg = CompressedConfig(
        HIDDEN, 4, 32, 24, 2, 16, 12, RopeConfig(8, 10000.0 if main else 160000.0, yarn=yarn), kind,
        16 if kind == "hca" else 4, 8, 16, 6,
    )  # fmt: skip
    compressor = None if main else compressor_of(module.compressor)
    indexer = None
    if kind == "csa":
        own = module.compressor.indexer
        indexer = EntryIndexerWeights(compressor_of(own), own.q_b_proj.weight, own.scorer.weights_proj.weight)
    weights = CompressedWeights(
        module.q_a_proj.weight, module.q_a_norm.weight, module.q_b_proj.weight, module.kv_proj.weight,
        module.kv_norm.weight, module.o_a_proj.weight, module.o_b_proj.weight, module.sinks, compressor, indexer,
    )  # fmt: skip
    return config, module, cfg, weights


def v4_reference(config: Any, module: Any, h: Tensor, chunks: list[int]) -> Tensor:
    rotary, cache, outs, start = v4.DeepseekV4RotaryEmbedding(config), DynamicCache(config=config), [], 0
    for size in chunks:
        part, ids = h[:, start : start + size], torch.arange(start, start + size)[None].expand(len(h), -1)
        held = min(start, config.sliding_window - 1)  # transformers' sliding cache drops what is out of reach
        distance = torch.arange(held, held + size)[:, None] - torch.arange(held + size)
        mask = torch.zeros(size, held + size).masked_fill((distance < 0) | (distance >= 12), -torch.inf)
        places = {name: rotary(part, ids, layer_type=name) for name in ("main", "compress")}
        out, _ = module(part, places, ids, mask[None, None].expand(len(h), 1, -1, -1), past_key_values=cache)
        outs.append(out)
        start += size
    return torch.cat(outs, dim=1)


CHUNKS = {"prefill": [LENGTH], "step by step": [5, 33, 16] + [1] * 36, "one by one": [1] * LENGTH}


@torch.no_grad()
@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS.keys())
@pytest.mark.parametrize("kind", KIND_NAMES)
def test_compressed_attention(kind: str, chunks: list[int]) -> None:
    config, module, cfg, weights = v4_layer(kind)
    h = torch.randn(2, LENGTH, HIDDEN)
    theirs = v4_reference(config, module, h, chunks)
    outs, cache, start = [], None, 0
    for size in chunks:
        parts = compressed_forward(h[:, start : start + size], weights, cfg, cache)
        outs.append(parts.out)
        cache, start = parts.cache, start + size
    assert worst(torch.cat(outs, dim=1), theirs) < 1e-5
    assert cache is not None and cache.window.shape[1] == 11  # a window of twelve, less the token to come
    assert cache.entries.shape[1] == (0 if kind == "sliding" else LENGTH // cfg.ratio)
    if kind == "csa":
        assert int(parts.chosen[:, -1].sum(-1).max()) == 6


@torch.no_grad()
@pytest.mark.parametrize("kind", KIND_NAMES)
def test_steps_give_the_prefill(kind: str) -> None:
    """In float64, where transformers cannot follow: any cut of the text gives the same outputs."""
    _, _, cfg, weights = v4_layer(kind)

    def doubled(part: Any) -> Any:
        if isinstance(part, Tensor) or part is None:
            return part if part is None else part.double()
        return type(part)(**{name: doubled(value) for name, value in vars(part).items()})

    weights, h = doubled(weights), torch.randn(2, LENGTH, HIDDEN, dtype=torch.float64)
    whole, cache, start = compressed_forward(h, weights, cfg).out, None, 0
    for size in [3, 1, 40, 1, 1, 7, 20, 17]:
        parts = compressed_forward(h[:, start : start + size], weights, cfg, cache)
        assert worst(parts.out, whole[:, start : start + size]) < 1e-12
        cache, start = parts.cache, start + size
    assert start == LENGTH


@torch.no_grad()
@pytest.mark.parametrize("hashed", [False, True], ids=["learnt", "hash table"])
def test_gate_of_v4(hashed: bool) -> None:
    torch.manual_seed(4)
    config = v4_config("sliding")
    router = v4.DeepseekV4HashRouter(config) if hashed else v4.DeepseekV4TopKRouter(config)
    torch.nn.init.normal_(router.weight, 0, 0.3)
    x, cfg = torch.randn(40, HIDDEN), GateConfig(8, 3, scoring="sqrtsoftplus", routed_scaling_factor=1.5)
    if hashed:
        router.tid2eid.copy_(torch.stack([torch.randperm(8)[:3] for _ in range(50)]))
        ids = torch.randint(50, (1, 40))
        _, weights, indices = router(x[None], ids)
        mine = route(x, router.weight, None, cfg, router.tid2eid[ids[0]])
    else:
        router.e_score_correction_bias.normal_(0, 0.3)
        _, weights, indices = router(x[None])
        mine = route(x, router.weight, router.e_score_correction_bias, cfg)
    order, own = indices.argsort(-1), mine.indices.argsort(-1)
    assert torch.equal(indices.gather(1, order), mine.indices.gather(1, own))
    assert worst(mine.weights.gather(1, own), weights.gather(1, order)) < 1e-6


@torch.no_grad()
def test_hyper_connections() -> None:
    torch.manual_seed(5)
    config = v4_config("sliding")
    module, head = v4.DeepseekV4HyperConnection(config), v4.DeepseekV4HyperHead(config)
    fill(module)
    fill(head)
    cfg, streams, answer = HyperConfig(), torch.randn(2, 9, 4, HIDDEN), torch.randn(2, 9, HIDDEN)
    post, comb, collapsed = module(streams)
    mix = mixing(streams, HyperWeights(module.fn, module.base, module.scale), cfg)
    assert worst(mix.comb, comb) < 1e-6 and worst(mix.post, post) < 1e-6
    assert worst(collapse(streams, mix.pre), collapsed) < 1e-5
    theirs = post.unsqueeze(-1) * answer.unsqueeze(-2) + torch.matmul(comb.transpose(-1, -2), streams)
    assert worst(spread(streams, answer, mix), theirs) < 1e-5
    assert (
        worst(collapse_head(streams, HeadWeights(head.hc_fn, head.hc_base, head.hc_scale), cfg), head(streams)) < 1e-5
    )
    assert worst(mix.comb.sum(-2), torch.ones(2, 9, 4)) < 1e-4  # doubly stochastic, as it is meant to be
    assert worst(mix.comb.sum(-1), torch.ones(2, 9, 4)) < 1e-4
    assert open_streams(answer, cfg).shape == (2, 9, 4, HIDDEN)
