"""The cases that the bench of the engine times: one layer's experts, one step of one attention layer.

A floor is what cannot be saved: the bare matrix products, or reading every byte once; FLOPs and bytes are counted
beside the times. Cases that do not fit the memory, or that a CPU would take minutes for, are NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers import configs
from explainers.attention import AttentionConfig, AttentionWeights, KVCache, attention_forward
from explainers.cache import Room
from explainers.decode_costs import DecodeCost, attention_decode_cost, mla_decode_cost
from explainers.experiments.timing import NAN, seconds
from explainers.fast_mla import JoinedCache, decode_fused, latent_attention
from explainers.mla import LatentCache, MLAConfig, MLAWeights, decode_absorbed, decode_full_cache, decode_reexpanding
from explainers.model_config import ModelConfig
from explainers.moe import ExpertWeights, GateConfig, Routing, dispatch, moe_fast, moe_grouped, moe_loop, route
from explainers.sizes import LatentAttention

SIZES = ("small", "v2_lite", "v3")
MOE_WAYS = ("loop", "grouped", "fast", "transformers", "grouped_mm", "products", "bytes")
DECODE_WAYS = (
    "re-expanding", "full cache", "absorbed", "fused", "MHA", "GQA", "transformers", "products", "bytes",
)  # fmt: skip
#: Attention over the cache alone, without its projections: key-value heads of the first three, and MLA absorbed.
CORES = ("MHA", "GQA", "MQA", "absorbed")
#: FLOPs above which a naive way is not tried on a CPU: some seconds for the machines that this runs on.
_PATIENCE = 6e11


@dataclass(frozen=True)
class Bench:
    """Where a case is computed, and how much of the memory it may take (B)."""

    device: str
    dtype: torch.dtype
    memory: float

    @property
    def width(self) -> int:
        """Bytes a number."""
        return torch.finfo(self.dtype).bits // 8

    @property
    def like(self) -> Tensor:
        """An empty tensor of this device and dtype."""
        return torch.empty(0, device=self.device, dtype=self.dtype)

    def random(self, *shape: int) -> Tensor:
        """Normal numbers, made where they are needed."""
        return torch.randn(*shape, device=self.device, dtype=self.dtype)

    def time(self, make: Callable[[], Callable[[], Any] | None], *, graph: bool = True) -> float:
        """Seconds of what ``make`` prepares; NaN where there is nothing, or where the memory does not hold it."""
        try:
            work = make()
        except torch.OutOfMemoryError:
            return NAN
        return NAN if work is None else seconds(work, self.device, graph=graph)


@dataclass(frozen=True)
class Timed:
    """Seconds of each way of a case, and what was counted: FLOPs and bytes that no way can save."""

    seconds: dict[str, float]
    flops: float
    moved: float

    def row(self, ways: tuple[str, ...]) -> list[float]:
        """The seconds in this order, NaN for what was not measured."""
        return [self.seconds.get(way, NAN) for way in ways]


NOTHING = Timed({}, NAN, NAN)


def attention_sizes(size: str) -> MLAConfig:
    """MLA as in the small model, V2-Lite or V3."""
    if size == "small":
        return ModelConfig().mla
    kind = configs.config(size).attention
    assert isinstance(kind, LatentAttention)
    widths = (kind.kv_lora_rank, kind.qk_nope_head_dim, kind.qk_rope_head_dim, kind.v_head_dim)
    return MLAConfig(configs.config(size).hidden, kind.heads, *widths, kind.q_lora_rank or None)


def expert_sizes(size: str) -> tuple[int, int, int, int]:
    """Experts, experts a token, hidden and inner size of one layer."""
    if size == "small":
        cfg = ModelConfig()
        return cfg.n_routed_experts, cfg.num_experts_per_tok, cfg.hidden_size, cfg.moe_intermediate_size
    model = configs.config(size)
    return model.ffn.routed_experts, model.ffn.experts_per_token, model.hidden, model.ffn.moe_intermediate


# ---------------------------------------------------------------------- experts
def experts_held(size: str, bench: Bench) -> int:
    """How many of a layer's routed experts fit, beside the copy that transformers' module keeps."""
    experts, _, hidden, inner = expert_sizes(size)
    return min(experts, int(bench.memory / (2 * 3 * hidden * inner * bench.width)))


def moe_case(size: str, tokens: int, bench: Bench) -> Timed:
    """`MOE_WAYS` for one layer's routed experts, as many as fit; nothing where fewer fit than a token takes."""
    _, k, hidden, inner = expert_sizes(size)
    experts = experts_held(size, bench)
    if experts < k:
        return NOTHING
    torch.manual_seed(0)
    shapes = ((experts, inner, hidden), (experts, hidden, inner), (experts, inner, hidden))
    w = ExpertWeights(*(bench.random(*shape).mul_(shape[-1] ** -0.5) for shape in shapes))
    x = bench.random(tokens, hidden)
    routing = route(x, bench.random(experts, hidden) * hidden**-0.5, None, GateConfig(experts, k))
    to = dispatch(routing)
    segments = [part.contiguous() for part in x[to.token].split(to.sizes)]
    picked = list(w.pick(to.experts))
    waits = {"loop", "grouped"} | (set() if bench.device.startswith("cuda") else {"fast"})
    ways: dict[str, Callable[[], Callable[[], Any] | None]] = {
        "loop": lambda: lambda: moe_loop(x, w, routing),
        "grouped": lambda: lambda: moe_grouped(x, w, routing),
        "fast": lambda: lambda: moe_fast(x, w, routing),
        "transformers": lambda: _transformers_experts(x, w, routing, k),
        "grouped_mm": lambda: _grouped_mm(x, w, routing),
        "products": lambda: lambda: [_products(rows, *one) for rows, one in zip(segments, picked, strict=True)],
        "bytes": lambda: lambda: [part.sum() for one in picked for part in one],
    }
    times = {name: bench.time(make, graph=name not in waits | {"transformers"}) for name, make in ways.items()}
    flops = 6.0 * tokens * k * hidden * inner
    moved = (3.0 * len(to.experts) * hidden * inner + 2.0 * tokens * hidden) * bench.width
    return Timed(times, flops, moved)


def _products(rows: Tensor, w1: Tensor, w2: Tensor, w3: Tensor) -> Tensor:
    """One expert's three products, nothing between them."""
    inner = F.linear(rows, w1)
    F.linear(rows, w3)
    return F.linear(inner, w2)


def _transformers_experts(x: Tensor, w: ExpertWeights, routing: Routing, k: int) -> Callable[[], Tensor] | None:
    """transformers' eager experts of V3 with these weights, where it is installed."""
    with suppress(ImportError):
        from transformers import DeepseekV3Config
        from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3Experts

        experts, inner, hidden = w.w1.shape
        with torch.device("meta"):
            config = DeepseekV3Config(
                hidden_size=hidden, moe_intermediate_size=inner, n_routed_experts=experts, num_experts_per_tok=k
            )
            config._experts_implementation = "eager"
            module = DeepseekV3Experts(config)
        module.gate_up_proj = torch.nn.Parameter(torch.cat((w.w1, w.w3), dim=1), requires_grad=False)
        module.down_proj = torch.nn.Parameter(w.w2, requires_grad=False)
        shares = routing.weights.to(x.dtype)
        return lambda: module(x, routing.indices, shares)
    return None


def _grouped_mm(x: Tensor, w: ExpertWeights, routing: Routing) -> Callable[[], Tensor] | None:
    """torch's grouped product over rows sorted by expert, where it exists for this device and dtype."""
    to = dispatch(routing)
    counts = torch.bincount(routing.indices.flatten(), minlength=routing.n_routed_experts)
    ends = counts.cumsum(0).to(torch.int32)

    def run() -> Tensor:
        rows = x[to.token]
        inner = F.silu(F.grouped_mm(rows, w.w1.mT, offs=ends)) * F.grouped_mm(rows, w.w3.mT, offs=ends)
        answers = F.grouped_mm(inner, w.w2.mT, offs=ends)
        shares = routing.weights.take(to.row)[:, None].to(x.dtype)
        return torch.zeros_like(x).index_add_(0, to.token, answers * shares)

    try:
        run()
    except (RuntimeError, AttributeError):
        return None
    return run


# ---------------------------------------------------------------------- attention
def mla_weights(cfg: MLAConfig, like: Tensor, seed: int = 0) -> MLAWeights:
    """Random weights of an MLA layer, on the device and in the dtype of ``like``."""
    generator = torch.Generator(like.device).manual_seed(seed)

    def random(*shape: int) -> Tensor:
        numbers = torch.randn(*shape, generator=generator, device=like.device, dtype=like.dtype)
        return numbers.mul_(shape[-1] ** -0.5)

    d, heads, rank = cfg.hidden_size, cfg.n_heads, cfg.kv_lora_rank
    if cfg.q_lora_rank is None:
        query = {"wq": random(heads * cfg.qk_head_dim, d)}
    else:
        query = {
            "wq_a": random(cfg.q_lora_rank, d),
            "q_norm": torch.ones(cfg.q_lora_rank).to(like),
            "wq_b": random(heads * cfg.qk_head_dim, cfg.q_lora_rank),
        }
    return MLAWeights(
        random(rank + cfg.qk_rope_head_dim, d),
        torch.ones(rank).to(like),
        random(heads * (cfg.qk_nope_head_dim + cfg.v_head_dim), rank),
        random(d, heads * cfg.v_head_dim),
        **query,
    )


def decode_case(size: str, batch: int, context: int, bench: Bench) -> Timed:
    """`DECODE_WAYS` for one token of each of ``batch`` sequences in one layer, ``context`` tokens with it."""
    cfg, past = attention_sizes(size), context - 1
    if 3 * batch * context * cfg.cache_values_per_token * bench.width > bench.memory:
        return NOTHING
    w, h = mla_weights(cfg, bench.like), bench.random(batch, 1, cfg.hidden_size)
    whole = batch * context * cfg.n_heads * (cfg.qk_head_dim + cfg.v_head_dim) * bench.width
    expanding = 2.0 * batch * context * cfg.n_heads * (cfg.qk_nope_head_dim + cfg.v_head_dim) * cfg.kv_lora_rank
    patient = expanding < _PATIENCE or bench.device.startswith("cuda")
    found = _latent_ways(cfg, w, h, context, bench, patient and 3 * whole < bench.memory)
    if 2 * whole < bench.memory:
        found["full cache"] = bench.time(lambda: _full_cache(cfg, w, h, past, bench))
    for name, heads in (("MHA", cfg.n_heads), ("GQA", max(1, cfg.n_heads // 8))):
        grouped = replace_heads(cfg, heads)
        if 2 * batch * context * grouped.cache_values_per_token * bench.width < bench.memory:
            found[name] = bench.time(lambda: _grouped_attention(grouped, h, past, bench))  # noqa: B023 called at once
    cost = mla_decode_cost(cfg, context, "absorbed", bench.width).for_batch(batch)
    return Timed(found, float(cost.flops), float(cost.bytes))


def _latent_ways(
    cfg: MLAConfig, w: MLAWeights, h: Tensor, context: int, bench: Bench, expanding: bool
) -> dict[str, float]:
    """The ways over a cache of latents, and their floors; those that expand all of it only where that is bearable."""
    batch, past = len(h), context - 1
    c_kv, k_pe = bench.random(batch, context, cfg.kv_lora_rank), bench.random(batch, context, cfg.qk_rope_head_dim)
    plain = LatentCache(c_kv[:, :past], k_pe[:, :past], Room(c_kv, k_pe))
    joined = JoinedCache.of(plain, 1)
    found = {
        "absorbed": bench.time(lambda: lambda: decode_absorbed(h, w, cfg, plain)),
        "fused": bench.time(lambda: lambda: decode_fused(h, w, cfg, replace(joined, length=past))),
        **_decode_floors(cfg, w, joined.rows, bench),
    }
    if expanding:
        found["re-expanding"] = bench.time(lambda: lambda: decode_reexpanding(h, w, cfg, plain))
        found["transformers"] = bench.time(lambda: _transformers_attention(cfg, w, h, plain))
    return found


def _decode_floors(cfg: MLAConfig, w: MLAWeights, rows: Tensor, bench: Bench) -> dict[str, float]:
    """Bare products of absorbed decoding, and reading weights and cache once."""
    weights = [part for part in vars(w).values() if part is not None]
    matrices = [part for part in weights if part.ndim == 2]
    inputs = [bench.random(len(rows), part.shape[1]) for part in matrices]
    queries = bench.random(len(rows), cfg.n_heads, rows.shape[-1])

    def products() -> None:
        for part, vector in zip(matrices, inputs, strict=True):
            F.linear(vector, part)
        torch.bmm(torch.bmm(queries, rows.mT), rows[..., : cfg.kv_lora_rank])

    return {
        "products": bench.time(lambda: products),
        "bytes": bench.time(lambda: lambda: [part.sum() for part in (*weights, rows)]),
    }


def _full_cache(cfg: MLAConfig, w: MLAWeights, h: Tensor, past: int, bench: Bench) -> Callable[[], Any]:
    k = bench.random(len(h), past + 1, cfg.n_heads, cfg.qk_head_dim)
    v = bench.random(len(h), past + 1, cfg.n_heads, cfg.v_head_dim)
    full = KVCache(k[:, :past], v[:, :past], Room(k, v))
    return lambda: decode_full_cache(h, w, cfg, full)


def replace_heads(cfg: MLAConfig, kv_heads: int) -> AttentionConfig:
    """MHA or GQA with as many query heads, as wide as MLA's values."""
    return AttentionConfig(
        cfg.hidden_size, cfg.n_heads, kv_heads, cfg.v_head_dim, replace(cfg.rope, dim=cfg.v_head_dim)
    )


def _grouped_attention(cfg: AttentionConfig, h: Tensor, past: int, bench: Bench) -> Callable[[], Any]:
    """One step of MHA or GQA."""
    q, kv = cfg.n_heads * cfg.head_dim, cfg.n_kv_heads * cfg.head_dim
    shapes = ((q, cfg.hidden_size), (kv, cfg.hidden_size), (kv, cfg.hidden_size), (cfg.hidden_size, q))
    w = AttentionWeights(*(bench.random(*shape) * shape[1] ** -0.5 for shape in shapes))
    k, v = (bench.random(len(h), past + 1, cfg.n_kv_heads, cfg.head_dim) for _ in range(2))
    cache = KVCache(k[:, :past], v[:, :past], Room(k, v))
    return lambda: attention_forward(h, w, cfg, cache)


def core_case(size: str, batch: int, context: int, kind: str, bench: Bench) -> Timed:
    """Attention over the cache alone, of one of `CORES`: what a roofline's points without weights stand for."""
    cfg = attention_sizes(size)
    kv_heads = {"MHA": cfg.n_heads, "GQA": max(1, cfg.n_heads // 8), "MQA": 1}.get(kind, 0)
    cost: DecodeCost
    if kv_heads:
        grouped = replace_heads(cfg, kv_heads)
        cost = attention_decode_cost(grouped, context, bench.width).for_batch(batch)
    else:
        cost = mla_decode_cost(cfg, context, "absorbed", bench.width).for_batch(batch)
    if 2 * cost.cache_bytes > bench.memory:
        return NOTHING

    def absorbed() -> Callable[[], Any]:
        rows = bench.random(batch, context, cfg.cache_values_per_token)
        q = bench.random(batch, cfg.n_heads, cfg.cache_values_per_token)
        return lambda: latent_attention(q, rows, cfg.kv_lora_rank, cfg.softmax_scale)

    def shared() -> Callable[[], Any]:  # the queries of one key-value head stand side by side, so it is read once
        k, v = (bench.random(batch, kv_heads, context, cfg.v_head_dim) for _ in range(2))
        q = bench.random(batch, kv_heads, cfg.n_heads // kv_heads, cfg.v_head_dim)
        return lambda: F.scaled_dot_product_attention(q, k, v)

    took = bench.time(shared if kv_heads else absorbed)
    return Timed({kind: took}, float(cost.attention_flops), float(cost.cache_bytes))


def _transformers_attention(cfg: MLAConfig, w: MLAWeights, h: Tensor, held: LatentCache) -> Callable[[], Tensor] | None:
    """transformers' MLA module of V3 with these weights and this past, where it is installed: it re-expands."""
    with suppress(ImportError):
        from transformers import DeepseekV3Config, DynamicCache
        from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3Attention, DeepseekV3RotaryEmbedding

        config = DeepseekV3Config(
            hidden_size=cfg.hidden_size, num_attention_heads=cfg.n_heads, num_key_value_heads=cfg.n_heads,
            num_hidden_layers=1,
            kv_lora_rank=cfg.kv_lora_rank, q_lora_rank=cfg.q_lora_rank, qk_nope_head_dim=cfg.qk_nope_head_dim,
            qk_rope_head_dim=cfg.qk_rope_head_dim, v_head_dim=cfg.v_head_dim, attn_implementation="eager",
            rope_parameters={"rope_type": "default", "rope_theta": cfg.rope_theta},
        )  # fmt: skip
        with torch.device("meta"):
            module = DeepseekV3Attention(config, 0)
        names = {"wkv_a": "kv_a_proj_with_mqa", "kv_norm": "kv_a_layernorm", "wkv_b": "kv_b_proj", "wo": "o_proj",
                 "wq": "q_proj", "wq_a": "q_a_proj", "q_norm": "q_a_layernorm", "wq_b": "q_b_proj"}  # fmt: skip
        for own, theirs in names.items():
            if (values := getattr(w, own)) is not None:
                getattr(module, theirs).weight = torch.nn.Parameter(values, requires_grad=False)
        place = DeepseekV3RotaryEmbedding(config).to(h.device)(h, torch.tensor([[held.length]], device=h.device))
        cache = DynamicCache(config=config)
        half = cfg.qk_rope_head_dim // 2  # transformers keeps the turned pairs apart
        k_pe = held.k_pe.unflatten(-1, (half, 2)).mT.flatten(-2)
        cache.update(held.c_kv[:, None], k_pe[:, None], 0)

        def run() -> Tensor:
            out = module(hidden_states=h, position_embeddings=place, attention_mask=None, past_key_values=cache)[0]
            cache.crop(-1)  # takes the new token off again
            return out

        return run
    return None
