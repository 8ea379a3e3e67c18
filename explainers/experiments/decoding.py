"""What a cache saves in work, and what four kinds of attention keep in it."""

from __future__ import annotations

import time

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from explainers.attention import AttentionConfig, AttentionWeights, attention_forward, empty_cache
from explainers.errors import ExplainError
from explainers.experiments.common import DEFAULT_TEXT, named, read_any, read_sentence, versions
from explainers.mla import MLAConfig, MLAWeights, decode_absorbed, empty_latent_cache
from explainers.model import Model
from explainers.quantities import computed
from explainers.rope import RopeConfig
from explainers.traces import Trace

MODES = ("without cache", "with cache")
KINDS = ("MHA", "GQA", "MQA", "MLA")


def decode_work(
    *, text: str = DEFAULT_TEXT, new_tokens: int = 32, seed: int = 0, source: str = "small", device: str = "cpu"
) -> Trace:
    """Generate tokens twice, reading everything again for each token and with a cache, and count the work.

    Both ways pick the most likely token each time and must pick the same ones. FLOPs are those of the matrix products
    that ran (2 a multiply-add), counted by torch.
    """
    begin = time.perf_counter()
    if new_tokens < 1:
        raise ExplainError(f"new_tokens is {new_tokens}; give at least 1")
    model, tokenizer, ids, tokens = read_sentence(text, source, device)
    plain, flops_plain, read_plain = _generate(model, ids, new_tokens, cached=False)
    cached, flops_cached, read_cached = _generate(model, ids, new_tokens, cached=True)
    if plain != cached:
        raise ExplainError("decoding with and without a cache chose different tokens; the cache is wrong")
    flops = torch.tensor([flops_plain, flops_cached], dtype=torch.int64)
    generated = tuple(tokenizer.display(token) for token in cached)
    arrays = {
        "flops": named(flops, "mode", "step", unit="FLOP", mode=MODES, step=generated),
        "total_flops": named(flops.cumsum(-1), "mode", "step", unit="FLOP", mode=MODES, step=generated),
        "tokens_read": named(
            torch.tensor([read_plain, read_cached]), "mode", "step", unit="token", mode=MODES, step=generated
        ),
        "prompt": named(ids[0], "token", token=tokens),
    }
    without, with_cache = (computed(int(total), "FLOP", "counted while generating") for total in flops.sum(-1))
    quantities = {
        "prompt_tokens": computed(len(tokens), "token", "tokens of the prompt"),
        "new_tokens": computed(new_tokens, "token", "tokens generated"),
        "flops_without": without.named("work without a cache"),
        "flops_with": with_cache.named("work with a cache"),
        "ratio": (without / with_cache).named("work without a cache / with a cache"),
        "tokens_read_without": computed(sum(read_plain), "token", "tokens that went through the model, counted"),
        "tokens_read_with": computed(sum(read_cached), "token", "tokens that went through the model, counted"),
        "last_step_ratio": computed(flops_plain[-1] / flops_cached[-1], "", "work of the last step, without / with"),
    }
    params = {"text": text, "new_tokens": new_tokens, "source": source}
    return Trace("decode_work", arrays, quantities, params, seed, device, versions(begin))


@torch.no_grad()
def _generate(model: Model, ids: Tensor, count: int, *, cached: bool) -> tuple[list[int], list[int], list[int]]:
    """Greedy tokens, FLOPs of each step (the first reads the prompt), tokens read in each step."""
    limit = model.cfg.max_position_embeddings
    if ids.shape[1] + count > limit:
        raise ExplainError(f"{ids.shape[1]} + {count} tokens are more than the model's {limit}; take fewer new_tokens")
    tokens, new, caches = ids, ids, model.start_caches()
    chosen, flops, read = [], [], []
    for _ in range(count):
        with FlopCounterMode(display=False) as counter:
            if cached:
                logits, caches = model.decode(new, caches)
            else:
                logits = model(tokens, trace=True).logits  # traced: counted products instead of a fused kernel
        read.append(new.shape[1] if cached else tokens.shape[1])
        flops.append(counter.get_total_flops())
        new = logits[:, -1:].argmax(-1)  # (1, 1)
        tokens = torch.cat((tokens, new), dim=1)
        chosen.append(int(new))
    return chosen, flops, read


def cache_held(
    *,
    text: str = DEFAULT_TEXT,
    hidden_size: int = 1024,
    heads: int = 16,
    head_dim: int = 64,
    groups: int = 4,
    seed: int = 0,
    source: str = "small",
    device: str = "cpu",
) -> Trace:
    """One layer of MHA, GQA, MQA and MLA of equal width reads a real sentence; the caches they then hold are weighed.

    MLA has the proportions of DeepSeek-V2 (section 2.1.4): latent 4 × head size, rope key half a head. The weights are
    random: what a cache weighs does not depend on them. Everything is held in bfloat16, two bytes a value.
    """
    begin = time.perf_counter()
    _, _, ids, tokens = read_any(text, source, device)
    generator = torch.Generator().manual_seed(seed)
    embedding = torch.randn(int(ids.max()) + 1, hidden_size, generator=generator)
    h = embedding[ids.cpu()].to(torch.bfloat16).to(device)  # (1, S, D)
    held = torch.zeros(len(KINDS), h.shape[1], dtype=torch.int64)
    rope = RopeConfig(head_dim)
    grouped = {
        "MHA": AttentionConfig(hidden_size, heads, heads, head_dim, rope),
        "GQA": AttentionConfig(hidden_size, heads, groups, head_dim, rope),
        "MQA": AttentionConfig(hidden_size, heads, 1, head_dim, rope),
    }
    for number, cfg in enumerate(grouped.values()):
        held[number] = _weigh_grouped(h, cfg, generator)
    latent = MLAConfig(hidden_size, heads, 4 * head_dim, head_dim, head_dim // 2, head_dim)
    held[3] = _weigh_latent(h, latent, generator)
    values = held[:, -1] // (2 * h.shape[1])
    arrays = {
        "bytes_held": named(held, "kind", "token", unit="B", kind=KINDS, token=tokens),
        "values_per_token": named(values, "kind", unit="value", kind=KINDS),
    }
    quantities = {"tokens": computed(len(tokens), "token", "tokens of the sentence")}
    for number, kind in enumerate(KINDS):
        name = kind.lower()
        quantities[f"bytes_{name}"] = computed(
            int(held[number, -1]), "B", "bytes of the tensors held", name=f"cache of {kind}"
        )
        quantities[f"values_{name}"] = computed(
            int(values[number]), "value", "bytes held / tokens / 2 bytes", name=f"{kind}, one token"
        )
    quantities["ratio_mla"] = (quantities["bytes_mha"] / quantities["bytes_mla"]).named("MHA cache / MLA cache")
    quantities["ratio_gqa"] = (quantities["bytes_mha"] / quantities["bytes_gqa"]).named("MHA cache / GQA cache")
    sizes = {"hidden_size": hidden_size, "heads": heads, "head_dim": head_dim, "groups": groups}
    params = {"text": text, "source": source, **sizes}
    return Trace("cache_held", arrays, quantities, params, seed, device, versions(begin))


def _matrix(rows: int, columns: int, like: Tensor, generator: torch.Generator) -> Tensor:
    return (torch.randn(rows, columns, generator=generator) * columns**-0.5).to(like)


@torch.no_grad()
def _weigh_grouped(h: Tensor, cfg: AttentionConfig, generator: torch.Generator) -> Tensor:
    """Bytes held after each token."""
    q, kv = cfg.n_heads * cfg.head_dim, cfg.n_kv_heads * cfg.head_dim
    shapes = ((q, cfg.hidden_size), (kv, cfg.hidden_size), (kv, cfg.hidden_size), (cfg.hidden_size, q))
    weights = AttentionWeights(*(_matrix(*shape, h, generator) for shape in shapes))
    cache, held = empty_cache(cfg, 1, h), []
    for token in h.split(1, dim=1):
        _, cache = attention_forward(token, weights, cfg, cache)
        held.append(cache.nbytes)
    return torch.tensor(held)


@torch.no_grad()
def _weigh_latent(h: Tensor, cfg: MLAConfig, generator: torch.Generator) -> Tensor:
    """Bytes held after each token."""
    rank, rope, width = cfg.kv_lora_rank, cfg.qk_rope_head_dim, cfg.qk_nope_head_dim + cfg.v_head_dim
    weights = MLAWeights(
        wkv_a=_matrix(rank + rope, cfg.hidden_size, h, generator),
        kv_norm=h.new_ones(rank),
        wkv_b=_matrix(cfg.n_heads * width, rank, h, generator),
        wo=_matrix(cfg.hidden_size, cfg.n_heads * cfg.v_head_dim, h, generator),
        wq=_matrix(cfg.n_heads * cfg.qk_head_dim, cfg.hidden_size, h, generator),
    )
    cache, held = empty_latent_cache(cfg, 1, h), []
    for token in h.split(1, dim=1):
        _, cache = decode_absorbed(token, weights, cfg, cache)
        held.append(cache.nbytes)
    return torch.tensor(held)
