"""A sentence through the trained model's latent attention: its real tensors, its cache, absorption, and ranks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields, replace

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from explainers import mla
from explainers.errors import ExplainError
from explainers.experiments.common import (
    DEFAULT_TEXT,
    about_source,
    blocks_of,
    named,
    per_layer,
    read_any,
    released,
    versions,
)
from explainers.layers import MLA
from explainers.mla import MLAConfig, MLAWeights
from explainers.quantities import Quantity, computed
from explainers.released import ReleasedAttention
from explainers.sparse_layers import SparseMLA
from explainers.traces import NamedArray, Trace

WAYS = ("re-expanding", "full cache", "absorbed")


def mla_sentence(*, text: str = DEFAULT_TEXT, seed: int = 0, source: str = "small", device: str = "cpu") -> Trace:
    """Every tensor of latent attention for one sentence, layer by layer.

    The last token is decoded in three ways over the same weights (re-expanding the latent cache, a full cache,
    absorbed); their outputs are compared in float32 and float64, the bytes they hold and the FLOPs they do are counted.
    """
    begin = time.perf_counter()
    model, tokenizer, ids, tokens = read_any(text, source, device)
    attentions = [latent_attention(block.self_attn, source) for block in blocks_of(model)]
    with torch.no_grad():
        output = model(ids, trace=True)
        decoded = [
            _decode_last(cfg, weights(), layer["h"])
            for (cfg, weights), layer in zip(attentions, output.layers, strict=True)
        ]
    arrays = _sentence_arrays(output.layers, tokens)
    arrays["output"] = named(torch.stack([d["output"] for d in decoded]), "layer", "way", "hidden", way=WAYS)
    arrays["q_latent"] = named(torch.stack([d["q_latent"] for d in decoded]), "layer", "head", "latent")
    arrays["difference"] = named(
        torch.stack([d["difference"] for d in decoded]), "layer", "dtype", dtype=("float32", "float64")
    )
    arrays["flops"] = named(decoded[0]["flops"], "way", unit="FLOP", way=WAYS)
    arrays["bytes_held"] = named(torch.stack([d["bytes"] for d in decoded]).sum(0), "way", unit="B", way=WAYS)
    arrays["w_uk"] = named(decoded[0]["w_uk"], "head", "nope", "latent")
    if output.logits.shape[-1]:  # a released model that is read in part predicts nothing
        predicted = output.logits[0, -1].softmax(-1).topk(5)
        likely = [f"{number}: {tokenizer.display(int(token))}" for number, token in enumerate(predicted.indices)]
        arrays["next_probability"] = named(predicted.values, "next", next=likely)
    params = {"text": text, "source": source}
    numbers = _sentence_numbers(attentions[0][0], arrays, tokens) | released(model)
    return Trace(
        "mla_sentence", arrays, numbers, params, seed, device, versions(begin, **about_source(source, model))
    )  # fmt: skip


def latent_attention(attention: object, source: str) -> tuple[MLAConfig, Callable[[], MLAWeights]]:
    """Sizes of a layer's MLA and how to get its weights; another attention is an `ExplainError`."""
    if not isinstance(attention, MLA | SparseMLA | ReleasedAttention) or not isinstance(attention.cfg, MLAConfig):
        raise ExplainError(
            f"the model {source!r} has no latent attention: this run, and lecture 3, take the small model, V2, "
            "V2-Lite, V3, R1 or V3.2; lecture 2 draws the gates of any"
        )
    return attention.cfg, attention.weights


def _sentence_arrays(layers: list[dict[str, Tensor]], tokens: tuple[str, ...]) -> dict[str, NamedArray]:
    axes = {
        "h": ("layer", "token", "hidden"),
        "c_kv": ("layer", "token", "latent"),
        "k_pe": ("layer", "token", "rope"),
        "q_nope": ("layer", "token", "head", "nope"),
        "q_pe": ("layer", "token", "head", "rope"),
        "k_nope": ("layer", "token", "head", "nope"),
        "v": ("layer", "token", "head", "value"),
    }
    arrays = {name: named(per_layer(layers, name), *names, token=tokens) for name, names in axes.items()}
    for name, part in (("keys", "k_nope"), ("values", "v")):  # all heads, one after the other
        arrays[name] = named(per_layer(layers, part).flatten(-2), "layer", "token", "feature", token=tokens)
    nope, pe = per_layer(layers, "k_nope"), per_layer(layers, "k_pe")  # (layer, token, head, nope), (…, rope)
    whole = torch.cat((nope, pe[:, :, None].expand(*nope.shape[:3], -1)), dim=-1)  # what a full cache holds as keys
    arrays["full_keys"] = named(whole.flatten(-2), "layer", "token", "feature", token=tokens)
    attention = per_layer(layers, "attention")
    arrays["attention"] = named(attention, "layer", "head", "query", "key", query=tokens, key=tokens)
    return arrays


@torch.no_grad()
def _decode_last(cfg: MLAConfig, weights: MLAWeights, h: Tensor) -> dict[str, Tensor]:
    """The last token of h (1, S, D) decoded in three ways, in float32 and float64."""
    outputs, held, flops = _three_ways(h, weights, cfg)
    exact, _, _ = _three_ways(h.double(), in_dtype(weights, torch.float64), cfg)
    parts = mla.decode_absorbed(h[:, -1:], weights, cfg, _latents(h[:, :-1], weights, cfg), True)
    difference = [float((o[2] - o[0]).abs().max()) for o in (outputs, exact)]
    return {
        "output": outputs,
        "bytes": torch.tensor(held),
        "flops": torch.tensor(flops),
        "difference": torch.tensor(difference, dtype=torch.float64),
        "q_latent": parts.q_latent[0, 0],
        "w_uk": weights.up(cfg)[0],
    }


def _three_ways(h: Tensor, w: MLAWeights, cfg: MLAConfig) -> tuple[Tensor, list[int], list[int]]:
    """Outputs (way, D) of the last token, the bytes held after it, and the FLOPs of its step."""
    before, last = h[:, :-1], h[:, -1:]
    full = mla.empty_full_cache(cfg, 1, h)
    if before.shape[1]:
        _, full = mla.decode_full_cache(before, w, cfg, full)
    latents = _latents(before, w, cfg)
    outputs, held, flops = [], [], []
    for decode, cache in (
        (mla.decode_reexpanding, latents),
        (mla.decode_full_cache, full),
        (mla.decode_absorbed, latents),
    ):
        with FlopCounterMode(display=False) as counter:
            out, longer = decode(last, w, cfg, cache)  # type: ignore[arg-type]
        outputs.append(out[0, 0])
        held.append(longer.nbytes)
        flops.append(counter.get_total_flops())
    return torch.stack(outputs), held, flops


def _latents(h: Tensor, w: MLAWeights, cfg: MLAConfig) -> mla.LatentCache:
    empty = mla.empty_latent_cache(cfg, 1, h)
    return empty.append(*mla.compress(h, w, cfg, 0)) if h.shape[1] else empty


def in_dtype(weights: MLAWeights, dtype: torch.dtype) -> MLAWeights:
    """The same weights in another floating type."""
    given = {field.name: getattr(weights, field.name) for field in fields(weights)}
    return replace(weights, **{name: values.to(dtype) for name, values in given.items() if values is not None})


def _sentence_numbers(cfg: MLAConfig, arrays: dict[str, NamedArray], tokens: tuple[str, ...]) -> dict[str, Quantity]:
    held, flops, difference = arrays["bytes_held"].values, arrays["flops"].values, arrays["difference"].values
    largest = abs(arrays["output"].values).max(axis=(1, 2))  # (layer,)
    layers, value_bytes = arrays["h"]["layer"], 4
    latent = computed(int(held[2]), "B", "bytes of the tensors held, all layers", name="latent cache of the sentence")
    full = computed(int(held[1]), "B", "bytes of the tensors held, all layers", name="every head's keys and values")
    return {
        "tokens": computed(len(tokens), "token", "tokens of the sentence"),
        "latent_bytes": latent,
        "full_bytes": full,
        "cache_ratio": (full / latent).named("full cache / latent cache"),
        "latent_rank": computed(cfg.kv_lora_rank, "", "kv_lora_rank of the model"),
        "rope_dim": computed(cfg.qk_rope_head_dim, "", "qk_rope_head_dim of the model"),
        "values_per_token": computed(cfg.cache_values_per_token, "value", "latent + rope key, one token in one layer"),
        "full_values_per_token": computed(
            int(held[1]) // (value_bytes * len(tokens) * layers),
            "value",
            "keys and values of all heads, one token in one layer",
        ),
        "difference_float32": computed(
            float(difference[:, 0].max()), "", "largest |absorbed − re-expanding| over layers, float32"
        ),
        "difference_float64": computed(
            float(difference[:, 1].max()), "", "largest |absorbed − re-expanding| over layers, float64"
        ),
        "relative_difference_float32": computed(
            float((difference[:, 0] / largest).max()), "", "largest difference / largest |output|, float32"
        ),
        "relative_difference_float64": computed(
            float((difference[:, 1] / largest).max()), "", "largest difference / largest |output|, float64"
        ),
        "flops_reexpanding": computed(int(flops[0]), "FLOP", "counted: one token in one layer, latents expanded anew"),
        "flops_full_cache": computed(int(flops[1]), "FLOP", "counted: one token in one layer, keys and values kept"),
        "flops_absorbed": computed(int(flops[2]), "FLOP", "counted: one token in one layer, absorbed"),
    }
