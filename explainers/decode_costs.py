"""What one decoding step of one attention layer costs: multiplications and bytes, counted from the sizes.

One sequence, one new token, T tokens attended to (the new one included). A multiply-add is 2 FLOPs; softmax, norms and
rotations are left out, as is the traffic of the one new token's activations: all are small beside what is counted.

Letters as in `explainers.mla`: D hidden, H heads, n nope, p rope, v value width, r and c the latent ranks.
"""

from __future__ import annotations

from dataclasses import dataclass

from explainers.attention import AttentionConfig
from explainers.errors import ExplainError, one_of
from explainers.mla import MLAConfig

MLA_WAYS = ("full_cache", "reexpanding", "absorbed")


@dataclass(frozen=True)
class DecodeCost:
    """FLOPs and bytes of one step of one layer, by what they are spent on."""

    projection_flops: int  # hidden state to query, latent or key and value, and heads to output
    expansion_flops: int  # W^UK and W^UV: on latents (naive) or on the query and the output (absorbed)
    attention_flops: int  # scores and weighted sum
    weight_bytes: int  # every weight read once
    cache_bytes: int  # cache read once, the new token's entry included
    scratch_bytes: int  # expanded keys and values written and read back, where they are

    @property
    def flops(self) -> int:
        """All FLOPs."""
        return self.projection_flops + self.expansion_flops + self.attention_flops

    @property
    def bytes(self) -> int:
        """All bytes."""
        return self.weight_bytes + self.cache_bytes + self.scratch_bytes

    @property
    def intensity(self) -> float:
        """FLOPs a byte, for the roofline."""
        return self.flops / self.bytes

    def for_batch(self, sequences: int) -> DecodeCost:
        """The cost of one step of this many sequences together: weights are read once, all else is each one's own."""
        if sequences < 1:
            raise ExplainError(f"batch is {sequences} sequences; give at least 1")
        own = {name: sequences * value for name, value in vars(self).items() if name != "weight_bytes"}
        return DecodeCost(weight_bytes=self.weight_bytes, **own)


def mla_decode_cost(cfg: MLAConfig, context: int, way: str, bytes_per_value: int = 2) -> DecodeCost:
    """The cost of decoding one token with MLA.

    With M = H·(n + v)·r the multiplications of expanding one latent:

    ===========  ==========  ==========================  =====================  ==================
    way          expansion   attention                   cache                  scratch
    ===========  ==========  ==========================  =====================  ==================
    full_cache   2·M         2·T·H·(n + p + v)           T·H·(n + p + v)        0
    reexpanding  2·M·T       2·T·H·(n + p + v)           T·(r + p)              2·T·H·(n + p + v)
    absorbed     2·M         2·T·H·(r + p + r)           T·(r + p)              0
    ===========  ==========  ==========================  =====================  ==================

    FLOPs in the first two columns, values (times ``bytes_per_value``) in the last two.

    Parameters
    ----------
    cfg
        The layer's sizes.
    context
        T, the new token included.
    way
        ``"full_cache"``, ``"reexpanding"`` (the two meanings of naive) or ``"absorbed"``.
    bytes_per_value
        2 for bf16, 1 for FP8.
    """
    if way not in MLA_WAYS:
        raise one_of("way of decoding", way, MLA_WAYS)
    _check_context(context)
    heads, expanded = cfg.n_heads, cfg.qk_head_dim + cfg.v_head_dim  # H, n + p + v
    one_latent = heads * (cfg.qk_nope_head_dim + cfg.v_head_dim) * cfg.kv_lora_rank  # M
    projections = _query_values(cfg) + cfg.hidden_size * (
        cfg.kv_lora_rank + cfg.qk_rope_head_dim + heads * cfg.v_head_dim
    )
    width = 2 * cfg.kv_lora_rank + cfg.qk_rope_head_dim if way == "absorbed" else expanded
    kept = heads * expanded if way == "full_cache" else cfg.cache_values_per_token
    norms = cfg.kv_lora_rank + (cfg.q_lora_rank or 0)
    return DecodeCost(
        projection_flops=2 * projections,
        expansion_flops=2 * one_latent * (context if way == "reexpanding" else 1),
        attention_flops=2 * context * heads * width,
        weight_bytes=(projections + one_latent + norms) * bytes_per_value,
        cache_bytes=context * kept * bytes_per_value,
        scratch_bytes=2 * context * heads * expanded * bytes_per_value if way == "reexpanding" else 0,
    )


def attention_decode_cost(cfg: AttentionConfig, context: int, bytes_per_value: int = 2) -> DecodeCost:
    """The cost of decoding one token with MHA, GQA or MQA: 4·T·H·d FLOPs of attention, a cache of T·2·K·d values."""
    _check_context(context)
    projections = 2 * cfg.hidden_size * cfg.head_dim * (cfg.n_heads + cfg.n_kv_heads)  # q and o, k and v
    return DecodeCost(
        projection_flops=2 * projections,
        expansion_flops=0,
        attention_flops=4 * context * cfg.n_heads * cfg.head_dim,
        weight_bytes=projections * bytes_per_value,
        cache_bytes=context * cfg.cache_values_per_token * bytes_per_value,
        scratch_bytes=0,
    )


def _query_values(cfg: MLAConfig) -> int:
    """Weights from the hidden state to the queries."""
    out = cfg.n_heads * cfg.qk_head_dim
    if cfg.q_lora_rank is None:
        return cfg.hidden_size * out
    return cfg.q_lora_rank * (cfg.hidden_size + out)


def _check_context(context: int) -> None:
    if context < 1:
        raise ExplainError(f"context is {context} tokens; give at least 1 (the new token counts)")
