"""A compact causal transformer with a key-value cache, for experiments that sample thousands of short answers.

Pre-norm, learnt positions, SwiGLU: the ordinary dense decoder, small enough to be trained by reinforcement on one CPU
core. Positions are learnt rather than rotary because a fixed form of question is learnt several times faster so. (The
sparse model with latent attention and RoPE is in `explainers.model`.)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explainers.errors import ExplainError


@dataclass(frozen=True)
class DecoderConfig:
    """Sizes. ``context`` is the longest sequence, prompt and answer together."""

    vocabulary: int
    width: int = 96
    layers: int = 3
    heads: int = 4
    inner: int = 256
    context: int = 64

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ExplainError(f"width {self.width} does not divide into {self.heads} heads; change one")


class Cache:
    """Keys and values of the tokens read so far: (layers, 2, B, heads, context, head size), filled up to ``length``."""

    def __init__(self, stored: Tensor, length: int) -> None:
        self.stored, self.length = stored, length

    @classmethod
    def empty(cls, config: DecoderConfig, batch: int, like: Tensor) -> Cache:
        shape = (config.layers, 2, batch, config.heads, config.context, config.width // config.heads)
        return cls(torch.zeros(shape, dtype=like.dtype, device=like.device), 0)

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Write (B, heads, T, head size) behind what is there; all keys and values so far."""
        end = self.length + key.shape[2]
        if end > self.stored.shape[4]:
            raise ExplainError(f"{end} tokens do not fit a context of {self.stored.shape[4]}; raise `context`")
        self.stored[layer, 0, :, :, self.length : end] = key
        self.stored[layer, 1, :, :, self.length : end] = value
        return self.stored[layer, 0, :, :, :end], self.stored[layer, 1, :, :, :end]

    def repeated(self, times: int) -> Cache:
        """Each row ``times`` times in a row: one reading of a prompt serves all samples of its group."""
        return Cache(self.stored.repeat_interleave(times, dim=2), self.length)

    def kept(self, rows: Tensor) -> Cache:
        """Only these rows."""
        return Cache(self.stored[:, :, rows], self.length)


class Decoder(nn.Module):
    """Tokens (B, T) → logits (B, T, vocabulary)."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocabulary, config.width)
        self.embed_place = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                depth = (2 * config.layers) ** -0.5 if name.endswith(("out.weight", "down.weight")) else 1.0
                nn.init.normal_(weight, std=0.5 if "embed" in name else depth * weight.shape[1] ** -0.5)

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        start = cache.length if cache else 0
        end = start + tokens.shape[1]
        if end > self.config.context:
            raise ExplainError(f"{end} tokens do not fit a context of {self.config.context}; raise `context`")
        x = self.embed(tokens) + self.embed_place.weight[start:end]  # (B, T, D)
        for layer, block in enumerate(self.blocks):
            x = block(x, layer, cache)
        if cache:
            cache.length = end
        return self.head(self.norm(x))


class Block(nn.Module):
    """Attention and a gated feed-forward layer, each on the normalised stream."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.attention_norm = nn.RMSNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)
        self.ffn_norm = nn.RMSNorm(config.width)
        self.gate_up = nn.Linear(config.width, 2 * config.inner, bias=False)
        self.down = nn.Linear(config.inner, config.width, bias=False)

    def forward(self, x: Tensor, layer: int, cache: Cache | None) -> Tensor:
        batch, time, width = x.shape
        if cache and cache.length and time > 1:
            raise ExplainError(f"{time} tokens behind a filled cache: read the prompt first, then one token at a time")
        qkv = self.qkv(self.attention_norm(x)).view(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)  # (B, H, T, head size)
        if cache:
            key, value = cache.extend(layer, key, value)
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=time > 1)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, time, width))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, dim=-1)
        return x + self.down(F.silu(gate) * up)
