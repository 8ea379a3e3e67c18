"""How fast the engine is: experts and decoding attention, measured beside their floors and beside transformers.

A floor is what cannot be saved: the bare matrix products, or reading every byte once. On a CPU what is measured is CPU
time of one thread (`time.process_time`), which other work on the machine disturbs less than wall time; on CUDA it is
the time between two events. Everything is the best of a few repetitions; a case that does not fit the memory or the
time allowed is NaN.
"""

from __future__ import annotations

import datetime
import math
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers import configs
from explainers.attention import AttentionConfig, AttentionWeights, KVCache, attention_forward
from explainers.errors import ExplainError, one_of
from explainers.experiments.common import named, versions
from explainers.fast_mla import JoinedCache, decode_fused
from explainers.mla import LatentCache, MLAConfig, MLAWeights, decode_absorbed, decode_full_cache, decode_reexpanding
from explainers.model_config import ModelConfig
from explainers.moe import ExpertWeights, GateConfig, Routing, dispatch, moe_fast, moe_grouped, moe_loop, route
from explainers.quantities import Quantity, computed
from explainers.sizes import LatentAttention
from explainers.traces import Trace
from explainers.training import one_thread

SIZES = ("small", "v2_lite", "v3")
MOE_WAYS = ("loop", "grouped", "fast", "transformers", "grouped_mm", "products", "bytes")
DECODE_WAYS = (
    "re-expanding", "full cache", "absorbed", "fused", "MHA", "GQA", "transformers", "products", "bytes",
)  # fmt: skip
_REPEATS = 3
#: FLOPs above which a naive way is not tried on a CPU: about a second for the machines that this runs on.
_PATIENCE = 6e10
NAN = math.nan


def seconds(work: Callable[[], Any], device: str, repeats: int = _REPEATS) -> float:
    """The best time of ``work``, after one call to warm up."""
    work()
    best = math.inf
    for _ in range(repeats):
        if device.startswith("cuda"):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            work()
            end.record()
            torch.cuda.synchronize()
            best = min(best, begin.elapsed_time(end) / 1000)
        else:
            start = time.process_time()
            work()
            best = min(best, time.process_time() - start)
    return best


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
def moe_case(size: str, tokens: int, device: str, memory: float, dtype: torch.dtype) -> tuple[list[float], int]:
    """Times of `MOE_WAYS` for one layer's routed experts, and how many experts the memory held."""
    experts, k, hidden, inner = expert_sizes(size)
    width = torch.finfo(dtype).bits // 8
    experts = min(experts, int(memory / (2 * 3 * hidden * inner * width)))  # transformers keeps its own copy
    if experts < k:
        return [NAN] * len(MOE_WAYS), experts
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> Tensor:
        return (torch.randn(*shape, generator=generator) * shape[-1] ** -0.5).to(device, dtype)

    w = ExpertWeights(random(experts, inner, hidden), random(experts, hidden, inner), random(experts, inner, hidden))
    x = random(tokens, hidden) * hidden**0.5
    routing = route(x, random(experts, hidden), None, GateConfig(experts, k))
    to = dispatch(routing)
    segments = [part.contiguous() for part in x[to.token].split(to.sizes)]
    ways: dict[str, Callable[[], Any] | None] = {
        "loop": lambda: moe_loop(x, w, routing),
        "grouped": lambda: moe_grouped(x, w, routing),
        "fast": lambda: moe_fast(x, w, routing),
        "transformers": _transformers_experts(x, w, routing, k),
        "grouped_mm": _grouped_mm(x, w, routing),
        "products": lambda: [_products(rows, *one) for rows, one in zip(segments, w.pick(to.experts))],
        "bytes": lambda: [part.sum() for one in w.pick(to.experts) for part in one],
    }
    return [seconds(way, device) if (way := ways[name]) else NAN for name in MOE_WAYS], experts


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
        shares = routing.weights[to.token, to.slot, None].to(x.dtype)
        return torch.zeros_like(x).index_add_(0, to.token, answers * shares)

    try:
        run()
    except (RuntimeError, AttributeError):
        return None
    return run


# ---------------------------------------------------------------------- attention
def mla_weights(cfg: MLAConfig, like: Tensor, seed: int = 0) -> MLAWeights:
    """Random weights of an MLA layer, on the device and in the dtype of ``like``."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return (torch.randn(*shape, generator=generator) * shape[-1] ** -0.5).to(like)

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


def decode_case(size: str, batch: int, context: int, device: str, memory: float, dtype: torch.dtype) -> list[float]:
    """Times of `DECODE_WAYS` for one token of each of ``batch`` sequences in one layer, ``context`` tokens with it."""
    cfg, past = attention_sizes(size), context - 1
    like = torch.empty(0, device=device, dtype=dtype)
    width = like.element_size()
    if 3 * batch * context * cfg.cache_values_per_token * width > memory:
        return [NAN] * len(DECODE_WAYS)
    w = mla_weights(cfg, like)
    h = torch.randn(batch, 1, cfg.hidden_size).to(like)
    plain = LatentCache(
        torch.randn(batch, past, cfg.kv_lora_rank).to(like), torch.randn(batch, past, cfg.qk_rope_head_dim).to(like)
    ).reserve(1)
    joined = JoinedCache.of(plain, 1)
    weights = [part for part in vars(w).values() if part is not None]
    expanding = 2.0 * batch * context * cfg.n_heads * (cfg.qk_nope_head_dim + cfg.v_head_dim) * cfg.kv_lora_rank
    whole = batch * context * cfg.n_heads * (cfg.qk_head_dim + cfg.v_head_dim) * width
    patient = (expanding < _PATIENCE or device.startswith("cuda")) and 3 * whole < memory

    def fused() -> Tensor:
        joined.length = past
        return decode_fused(h, w, cfg, joined)

    rows, matrices = joined.rows, [part for part in weights if part.ndim == 2]
    queries = torch.randn(batch, cfg.n_heads, rows.shape[-1]).to(like)
    inputs = [torch.randn(batch, part.shape[1]).to(like) for part in matrices]

    def products() -> None:
        for part, vector in zip(matrices, inputs, strict=True):
            F.linear(vector, part)
        torch.bmm(torch.bmm(queries, rows.mT), rows[..., : cfg.kv_lora_rank])

    found: dict[str, float] = {
        "absorbed": seconds(lambda: decode_absorbed(h, w, cfg, plain), device),
        "fused": seconds(fused, device),
        "products": seconds(products, device),
        "bytes": seconds(lambda: [part.sum() for part in (*weights, rows)], device),
    }
    if patient:
        found["re-expanding"] = seconds(lambda: decode_reexpanding(h, w, cfg, plain), device)
        if (theirs := _transformers_attention(cfg, w, h, plain)) is not None:
            found["transformers"] = seconds(theirs, device)
    if 2 * whole < memory:
        full = KVCache(
            torch.randn(batch, past, cfg.n_heads, cfg.qk_head_dim).to(like),
            torch.randn(batch, past, cfg.n_heads, cfg.v_head_dim).to(like),
        ).reserve(1)
        found["full cache"] = seconds(lambda: decode_full_cache(h, w, cfg, full), device)
    for name, heads in (("MHA", cfg.n_heads), ("GQA", max(1, cfg.n_heads // 8))):
        found[name] = _grouped_attention(replace_heads(cfg, heads), h, past, device, memory)
    return [found.get(name, NAN) for name in DECODE_WAYS]


def replace_heads(cfg: MLAConfig, kv_heads: int) -> AttentionConfig:
    """MHA or GQA with as many query heads, as wide as MLA's values."""
    return AttentionConfig(
        cfg.hidden_size, cfg.n_heads, kv_heads, cfg.v_head_dim, replace(cfg.rope, dim=cfg.v_head_dim)
    )


def _grouped_attention(cfg: AttentionConfig, h: Tensor, past: int, device: str, memory: float) -> float:
    """One step of MHA or GQA, or NaN where its cache does not fit."""
    batch, q, kv = h.shape[0], cfg.n_heads * cfg.head_dim, cfg.n_kv_heads * cfg.head_dim
    if 2 * batch * (past + 1) * cfg.cache_values_per_token * h.element_size() > memory:
        return NAN
    shapes = ((q, cfg.hidden_size), (kv, cfg.hidden_size), (kv, cfg.hidden_size), (cfg.hidden_size, q))
    w = AttentionWeights(*(torch.randn(*shape).to(h) * shape[1] ** -0.5 for shape in shapes))
    kept = torch.randn(batch, past, cfg.n_kv_heads, cfg.head_dim).to(h)
    cache = KVCache(kept, kept.clone()).reserve(1)
    return seconds(lambda: attention_forward(h, w, cfg, cache), device)


def _transformers_attention(cfg: MLAConfig, w: MLAWeights, h: Tensor, held: LatentCache) -> Callable[[], Tensor] | None:
    """transformers' MLA module of V3 with these weights and this past, where it is installed: it re-expands."""
    with suppress(ImportError):
        from transformers import DeepseekV3Config, DynamicCache
        from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3Attention, DeepseekV3RotaryEmbedding

        config = DeepseekV3Config(
            hidden_size=cfg.hidden_size, num_attention_heads=cfg.n_heads, num_key_value_heads=cfg.n_heads,
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


# ---------------------------------------------------------------------- all of it
def engine(
    *,
    sizes: str = "small v2_lite v3",
    parts: str = "moe decode",
    tokens: str = "1 8 32 1024",
    contexts: str = "1024 8192 32768",
    batches: str = "1",
    memory: float = 2.5e9,
    device: str = "cpu",
) -> Trace:
    """Times of experts and of decoding attention at real layer sizes, with floors and ratios.

    Parameters
    ----------
    sizes, parts, tokens, contexts, batches
        Lists separated by spaces: sizes of `SIZES`, ``moe`` and ``decode``, tokens in a batch of experts, tokens in the
        cache, sequences decoded together.
    memory
        Bytes that one case may take; experts are left away, or the case, where it would take more.
    """
    begin = time.perf_counter()
    chosen, rows = _words(sizes, SIZES), _words(parts, ("moe", "decode"))
    t, c, b = (_numbers_of(text) for text in (tokens, contexts, batches))
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    moe = torch.full((len(chosen), len(t), len(MOE_WAYS)), NAN, dtype=torch.float64)
    decode = torch.full((len(chosen), len(b), len(c), len(DECODE_WAYS)), NAN, dtype=torch.float64)
    held = torch.zeros(len(chosen), dtype=torch.int64)
    with one_thread(), torch.no_grad():
        for i, size in enumerate(chosen):
            for j, count in enumerate(t if "moe" in rows else ()):
                times, held[i] = moe_case(size, count, device, memory, dtype)
                moe[i, j] = torch.tensor(times)
            for j, batch in enumerate(b if "decode" in rows else ()):
                for n, context in enumerate(c):
                    decode[i, j, n] = torch.tensor(decode_case(size, batch, context, device, memory, dtype))
    axes = {"size": chosen, "tokens": [str(n) for n in t], "batch": [str(n) for n in b], "context": [str(n) for n in c]}
    arrays = {
        "moe": named(moe, "size", "tokens", "way", unit="s", size=chosen, tokens=axes["tokens"], way=MOE_WAYS),
        "decode": named(
            decode, "size", "batch", "context", "way", unit="s", size=chosen, batch=axes["batch"],
            context=axes["context"], way=DECODE_WAYS,
        ),
        "experts_held": named(held, "size", size=chosen),
    }  # fmt: skip
    params: dict[str, Any] = {"sizes": sizes, "parts": parts, "tokens": tokens, "contexts": contexts}
    params |= {"batches": batches, "memory": memory}
    meta = versions(begin, chip=chip(device), date=datetime.date.today().isoformat(), dtype=str(dtype).split(".")[1])
    return Trace("engine", arrays, _ratios(chosen, t, moe, decode), params, 0, device, meta)


def chip(device: str) -> str:
    """What it was measured on."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()}, one thread"
    return f"{platform.processor() or platform.machine()}, one thread"


def _words(text: str, known: tuple[str, ...]) -> list[str]:
    words = text.split()
    for word in words:
        if word not in known:
            raise one_of("size or part", word, known)
    return words or list(known)


def _numbers_of(text: str) -> list[int]:
    words = str(text).split()
    if not words or not all(word.isdigit() and int(word) > 0 for word in words):
        raise ExplainError(f"{text!r} is no list of whole numbers above 0; write them with spaces between")
    return [int(word) for word in words]


def _ratios(sizes: list[str], tokens: list[int], moe: Tensor, decode: Tensor) -> dict[str, Quantity]:
    """The ratios that are worth saying, for each size: the worst case of each, where there is one."""
    numbers: dict[str, Quantity] = {}

    def note(name: str, values: Tensor, pick: Callable[[Tensor], Tensor], words: str) -> None:
        real = values[values.isfinite()]
        if len(real):
            numbers[name] = computed(float(pick(real)), "×", words)

    many = [j for j, count in enumerate(tokens) if count >= 1024]
    few = [j for j, count in enumerate(tokens) if count <= 32]
    at = {name: MOE_WAYS.index(name) for name in MOE_WAYS}
    to = {name: DECODE_WAYS.index(name) for name in DECODE_WAYS}
    for i, size in enumerate(sizes):
        m, d = moe[i], decode[i]
        note(f"moe_over_products_{size}", m[many, at["fast"]] / m[many, at["products"]], torch.max,
             "fast experts / bare products, from 1,024 tokens on, worst")  # fmt: skip
        note(f"moe_over_bytes_{size}", m[few, at["fast"]] / m[few, at["bytes"]], torch.max,
             "fast experts / reading their weights once, up to 32 tokens, worst")  # fmt: skip
        note(f"moe_gain_{size}", m[few, at["transformers"]] / m[few, at["fast"]], torch.min,
             "transformers' eager experts / fast experts, up to 32 tokens, least")  # fmt: skip
        best = torch.minimum(d[..., to["fused"]], d[..., to["absorbed"]])
        note(f"decode_gain_{size}", (d[..., to["transformers"]] / best).flatten(), torch.max,
             "transformers' module / absorbed decoding, most")  # fmt: skip
        note(f"decode_gain_least_{size}", (d[..., to["transformers"]] / best).flatten(), torch.min,
             "transformers' module / absorbed decoding, least")  # fmt: skip
        note(f"decode_over_bytes_{size}", (best / d[..., to["bytes"]]).flatten(), torch.max,
             "absorbed decoding / reading weights and cache once, worst")  # fmt: skip
        note(f"decode_over_products_{size}", (best / d[..., to["products"]]).flatten(), torch.max,
             "absorbed decoding / its bare products, worst")  # fmt: skip
    return numbers
