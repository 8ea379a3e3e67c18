"""What a model keeps for each token it has read: values and bytes, as published and for other kinds of attention.

Two precisions are told apart: *deployed* (BF16 up to V3; the formats of DeepSeek's own kernels for V3.2, V4 and V4.1)
and *BF16 throughout*, which leaves only what architecture did. Bytes are counted, kB = 1,000 B.
"""

from __future__ import annotations

from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity, computed, constant
from explainers.sizes import CompressedAttention, GroupedAttention, LatentAttention, ModelConfig, config, count

BF16 = constant(2, "bytes of a BF16 value")
#: Kinds of attention that can be imagined for a model with the same heads. GQA-8: eight key-value heads.
ATTENTIONS = ("own", "mha", "gqa8", "mqa", "mla", "uncompressed")
#: A value is remembered for each key and each value head: formula of values a token and layer.
_IMAGINED = {"mha": "2 * heads * head_width", "gqa8": "2 * 8 * head_width", "mqa": "2 * head_width"}
_MLA = "kv_lora_rank + qk_rope_head_dim"
_UNCOMPRESSED = "heads * (qk_nope_head_dim + qk_rope_head_dim + v_head_dim)"
LENGTHS = {"4k": 4096, "32k": 32768, "128k": 131072, "1m": 1048576}


def tokens(name: str) -> Quantity:
    """A context length by name: 4k, 32k, 128k, 1m, in powers of two."""
    if name not in LENGTHS:
        raise one_of("context length", name, list(LENGTHS))
    return computed(
        LENGTHS[name],
        "token",
        f"{LENGTHS[name]:,} by definition",
        name=f"a context of {name.upper()}",
        key=f"tokens.{name}",
    )


def has_attention(model: ModelConfig, attention: str) -> bool:
    """Whether this kind of attention means something for the model's heads."""
    kind = model.attention
    if isinstance(kind, CompressedAttention):
        return attention == "own"
    if attention == "gqa8":
        return kind.heads >= 8
    return attention in ("own", "mha", "mqa") or isinstance(kind, LatentAttention)


def values_per_layer(model: ModelConfig, attention: str = "own") -> Quantity:
    """Values kept for one token in one layer (V2 report, Table 1), the indexer's key included for V3.2.

    ``attention``: the model's ``own``; the same heads as ``mha``, ``gqa8`` or ``mqa``; ``mla`` without an indexer;
    ``uncompressed``, MLA's keys (nope and rope) and values of every head written out.
    """
    _check(model, attention)
    kind, key = model.attention, f"{model.key}.kv_values_per_layer{_suffix(attention)}"
    name = f"values kept a token and layer{_words(attention)}"
    if attention == "uncompressed":
        return count(model, _UNCOMPRESSED, "value", name, key)
    if attention == "mla" or (attention == "own" and isinstance(kind, LatentAttention)):
        indexed = attention == "own" and isinstance(kind, LatentAttention) and kind.index_topk
        return count(model, _MLA + (" + index_head_dim" if indexed else ""), "value", name, key)
    if attention == "own":
        if not isinstance(kind, GroupedAttention):
            raise ExplainError(f"{model.title} keeps unlike layers; ask for {model.key}.kv_values_per_token")
        return count(model, "2 * kv_heads * head_dim", "value", name, key)
    width = model.size("v_head_dim" if isinstance(kind, LatentAttention) else "head_dim")
    return count(model, _IMAGINED[attention], "value", name, key, {"head_width": width})


def values_per_token(model: ModelConfig, attention: str = "own") -> Quantity:
    """Values that every further token adds to the cache, all layers; long contexts, so windows have stopped growing."""
    kind, key = model.attention, f"{model.key}.kv_values_per_token{_suffix(attention)}"
    name = f"values kept a token{_words(attention)}"
    if isinstance(kind, CompressedAttention) and attention == "own":
        entry = "(head_dim + index_head_dim)"
        if kind.kv_source_entries:
            return count(model, f"kv_source_entries * {entry}", "value/token", name, key)
        formula = f"csa_layers * {entry} / csa_ratio + hca_layers * head_dim / hca_ratio"
        return count(model, formula, "value/token", name, key)
    each = values_per_layer(model, attention)
    growing = "(layers - sliding_layers)" if attention == "own" and _windowed(model) else "layers"
    return count(model, f"{growing} * each", "value/token", name, key, {"each": each})


def bytes_per_token_bf16(model: ModelConfig, attention: str = "own") -> Quantity:
    """Bytes that every further token adds, every value in BF16: what architecture alone does."""
    values = values_per_token(model, attention)
    if attention == "own":
        key, words = f"{model.key}.kv_bytes_per_token_bf16", ", BF16 throughout"
    else:
        key, words = f"{model.key}.kv_bytes_per_token{_suffix(attention)}", _words(attention)
    return count(model, "values * width", "B/token", f"KV cache a token{words}", key, {"values": values, "width": BF16})


def bytes_per_token(model: ModelConfig, attention: str = "own") -> Quantity:
    """Bytes that every further token adds, in the format in which the model is served (see the module).

    Imagined attentions are counted in BF16. The V2 figure is BF16 too; with the 6 bits of DeepSeek's deployment it is
    `bytes_per_token_six_bits`.
    """
    _check(model, attention)
    formula = _deployed(model) if attention == "own" else ""
    if not formula:
        found = bytes_per_token_bf16(model, attention)
        return found.named(
            f"KV cache a token{_words(attention)}, {model.title}", f"{model.key}.kv_bytes_per_token{_suffix(attention)}"
        )
    return count(model, formula, "B/token", "KV cache a token", key=f"{model.key}.kv_bytes_per_token")


def _deployed(model: ModelConfig) -> str:
    kind = model.attention
    if isinstance(kind, LatentAttention) and kind.index_topk:
        return "layers * (kv_entry_bytes + index_entry_bytes)"
    if not isinstance(kind, CompressedAttention):
        return ""
    if kind.kv_source_entries:
        return "kv_source_entries * (kv_entry_bytes + index_entry_bytes)"
    return "csa_layers * (kv_entry_bytes + index_entry_bytes) / csa_ratio + hca_layers * kv_entry_bytes / hca_ratio"


def bytes_per_token_six_bits(model: ModelConfig) -> Quantity | None:
    """V2 as it was served, about 6 bits a value (section 3.2.3): the figure behind its "93.3 % smaller"."""
    if "kv_bits_deployed" not in model.sizes:
        return None
    return count(
        model,
        "values * kv_bits_deployed / 8",
        "B/token",
        "KV cache a token as deployed, 6 bits a value",
        key=f"{model.key}.kv_bytes_per_token_deployed",
        using={"values": values_per_token(model)},
    )


def cache_bytes(model: ModelConfig | str, attention: str = "own", length: Quantity | int | str = "128k") -> Quantity:
    """Bytes of one sequence's cache: windows, incomplete blocks and all.

    Parameters
    ----------
    model
        A key such as ``"v3"`` or a config.
    attention
        See `values_per_layer`.
    length
        Tokens, as a Quantity, a number or a name in `LENGTHS`.
    """
    model = config(model) if isinstance(model, str) else model
    name = length if isinstance(length, str) else ""
    if isinstance(length, str):
        length = tokens(length)
    elif isinstance(length, int):
        if length < 0:
            raise ExplainError(f"a context of {length} tokens; give 0 or more")
        length = computed(length, "token", f"{length:,} tokens chosen", name=f"{length:,} tokens")
    key = f"{model.key}.kv_bytes{_suffix(attention)}_{name}" if name else ""
    words = f"KV cache of {length.text()} tokens{_words(attention)}"
    kind = model.attention
    if attention == "own" and isinstance(kind, CompressedAttention) and kind.csa_ratio:
        return _compressed_cache(model, kind, length, words, key)
    if attention == "own" and isinstance(kind, GroupedAttention) and kind.sliding_layers:
        return _windowed_cache(model, kind, length, words, key)
    each = bytes_per_token(model, attention)
    return count(model, "each * length", "B", words, key, {"each": each, "length": length})


def _compressed_cache(
    model: ModelConfig, kind: CompressedAttention, length: Quantity, words: str, key: str
) -> Quantity:
    held = {
        "quads": (length.value // kind.csa_ratio, "whole blocks of 4"),
        "blocks": (length.value // kind.hca_ratio, "whole blocks of 128"),
        "window": (min(length.value, kind.sliding_window), "tokens in the window"),
    }
    extra = {k: computed(v, "token", text, (length,), name=text) for k, (v, text) in held.items()}
    formula = (
        "csa_layers * quads * (kv_entry_bytes + index_entry_bytes)"
        " + hca_layers * blocks * kv_entry_bytes + layers * window * kv_entry_bytes"
    )
    return count(model, formula, "B", words, key, extra)


def _windowed_cache(model: ModelConfig, kind: GroupedAttention, length: Quantity, words: str, key: str) -> Quantity:
    window = min(length.value, kind.sliding_window)
    inside = computed(window, "token", "at most sliding_window", (length,), name="tokens in the window")
    formula = "2 * kv_heads * head_dim * width * ((layers - sliding_layers) * length + sliding_layers * window)"
    return count(model, formula, "B", words, key, {"width": BF16, "length": length, "window": inside})


def _windowed(model: ModelConfig) -> bool:
    return isinstance(model.attention, GroupedAttention) and model.attention.sliding_layers > 0


def _check(model: ModelConfig, attention: str) -> None:
    if attention not in ATTENTIONS:
        raise one_of("attention", attention, ATTENTIONS)
    if not has_attention(model, attention):
        raise ExplainError(f"{attention} is not counted for {model.title}; choose own")


def _suffix(attention: str) -> str:
    return "" if attention == "own" else f"_{attention}"


def _words(attention: str) -> str:
    words = {"own": "", "mha": ", had it MHA", "gqa8": ", had it GQA-8", "mqa": ", had it MQA", "mla": ", MLA"}
    return words.get(attention, ", keys and values written out")
