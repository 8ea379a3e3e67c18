"""V4's attention: a short window of single tokens, and behind it entries that stand for many tokens each.

V4 (2606.19348) section 2.3. One vector a token is key and value of all heads. Three kinds of layers:

* *sliding*: the last W tokens, nothing else;
* *CSA* (compressed sparse attention, equations 9–17): beside the window one entry for every m = 4 tokens, and an
  indexer that picks k of the entries for each token;
* *HCA* (heavily compressed attention, equations 20–23): beside the window one entry for every m' = 128 tokens, all
  of them read.

An entry is a weighted mean of its tokens' vectors, the weights a softmax for each channel over the tokens' gates. In
CSA windows overlap: a token speaks with one vector in its own window (Cb) and with another in the next (Ca).

Because the vector is key and value, the values are rotated too; turning the output back by the query's angle leaves
each contribution dependent on distance alone. A learnt logit a head, the *sink*, takes the attention that no token
earns. The output projection is two-staged: groups of heads to a small vector each, those to the hidden size.

Letters: B batch, S new tokens, D hidden size, H heads, d width of a head, p its rotated tail, c rank of the queries,
E entries, m tokens an entry, G groups and o rank of the output, J and i heads and width of the indexer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.attention import check_hidden, rms_norm
from explainers.errors import ExplainError, one_of
from explainers.rope import RopeConfig, RopeTable, apply_rope_to_tail, rope_table, rope_table_at
from explainers.sparse import reading, weighed_relu

KINDS = ("sliding", "csa", "hca")


@dataclass(frozen=True)
class CompressedConfig:
    """Sizes of one layer, in the names of V4's ``config.json`` where it has them.

    ``ratio`` is m, tokens an entry; ``index_*`` are CSA's. ``rope`` turns the tails of queries, vectors and entries:
    θ = 10,000 in sliding layers, 160,000 with YaRN in the others.
    """

    hidden_size: int
    n_heads: int
    head_dim: int
    q_lora_rank: int
    o_groups: int
    o_lora_rank: int
    sliding_window: int
    rope: RopeConfig
    kind: str = "sliding"
    ratio: int = 4
    index_n_heads: int = 0
    index_head_dim: int = 0
    index_topk: int = 0
    norm_eps: float = 1e-6

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise one_of("kind of attention layer", self.kind, KINDS)
        if self.n_heads % self.o_groups:
            raise ExplainError(f"{self.n_heads} heads do not divide into {self.o_groups} groups; change o_groups")
        if self.rope.dim > self.head_dim:
            raise ExplainError(f"RoPE turns {self.rope.dim} dimensions of heads of {self.head_dim}; make it fewer")
        if self.sliding_window < 1 or self.ratio < 1:
            raise ExplainError(f"sliding_window {self.sliding_window}, ratio {self.ratio}: give at least 1 of each")
        if self.kind == "csa" and min(self.index_n_heads, self.index_head_dim, self.index_topk) < 1:
            raise ExplainError("a CSA layer has an indexer; give index_n_heads, index_head_dim and index_topk")

    @property
    def overlaps(self) -> bool:
        """Whether a token speaks in two windows."""
        return self.kind == "csa"


@dataclass(frozen=True, eq=False)
class CompressorWeights:
    """What makes entries of width w (d, or i in the indexer). With overlap every first axis is doubled: Ca, then Cb."""

    wkv: Tensor  # (w or 2w, D)
    wgate: Tensor  # (w or 2w, D)
    position_bias: Tensor  # (m, w or 2w) added to the gates by place in the window
    norm: Tensor  # (w,)


@dataclass(frozen=True, eq=False)
class EntryIndexerWeights:
    """CSA's indexer: small entries of its own, queries, and how much each head counts."""

    compressor: CompressorWeights
    wq_b: Tensor  # (J·i, c)
    weights_proj: Tensor  # (J, D)


@dataclass(frozen=True, eq=False)
class CompressedWeights:
    """Projections without bias, (out, in)."""

    wq_a: Tensor  # (c, D)
    q_norm: Tensor  # (c,)
    wq_b: Tensor  # (H·d, c)
    wkv: Tensor  # (d, D) the one vector
    kv_norm: Tensor  # (d,)
    wo_a: Tensor  # (G·o, H·d/G) each group's own
    wo_b: Tensor  # (D, G·o)
    sinks: Tensor  # (H,)
    compressor: CompressorWeights | None = None  # CSA and HCA
    indexer: EntryIndexerWeights | None = None  # CSA


@dataclass(frozen=True, eq=False)
class Unfinished:
    """Projected tokens that no entry holds yet, and with overlap those of the window before, which the next one needs.

    ``entries`` counts the entries made so far.
    """

    kv: Tensor  # (B, U, w or 2w)
    gate: Tensor  # (B, U, w or 2w)
    entries: int = 0


@dataclass(frozen=True, eq=False)
class CompressedCache:
    """What a layer keeps: the window, the entries, the indexer's entries, and what is not yet an entry."""

    length: int  # tokens read
    window: Tensor  # (B, <W, d) rotated
    entries: Tensor  # (B, E, d) rotated
    index_entries: Tensor  # (B, E, i)
    unfinished: Unfinished
    index_unfinished: Unfinished

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors that are held."""
        loose = (self.unfinished, self.index_unfinished)
        tensors = (self.window, self.entries, self.index_entries, *(t for u in loose for t in (u.kv, u.gate)))
        return sum(tensor.nbytes for tensor in tensors)


@dataclass(frozen=True, eq=False)
class CompressedParts:
    """All intermediate tensors of `compressed_forward`. R past and new tokens at hand, then E entries."""

    h: Tensor  # (B, S, D) input
    c_q: Tensor  # (B, S, c)
    q: Tensor  # (B, S, H, d) rotated
    kv: Tensor  # (B, R, d) the vectors at hand, rotated
    entries: Tensor  # (B, E, d) rotated
    index_scores: Tensor | None  # (B, S, E) CSA: −inf where the entry is not finished
    in_window: Tensor  # (S, R) bool
    chosen: Tensor  # (B, S, E) bool, entries that are read
    scores: Tensor  # (B, H, S, R + E) −inf where not read
    probs: Tensor  # (B, H, S, R + E) rows sum to less than 1: the rest is the sink's
    out: Tensor  # (B, S, D)
    cache: CompressedCache


def empty_compressed_cache(cfg: CompressedConfig, batch: int, like: Tensor) -> CompressedCache:
    """A cache of no tokens, in the dtype and on the device of ``like``."""
    fold = 2 if cfg.overlaps else 1

    def none(width: int) -> Tensor:
        return like.new_empty(batch, 0, width)

    def unfinished(width: int) -> Unfinished:
        return Unfinished(none(fold * width), none(fold * width))

    index = cfg.index_head_dim
    return CompressedCache(
        0, none(cfg.head_dim), none(cfg.head_dim), none(index), unfinished(cfg.head_dim), unfinished(index)
    )


def make_entries(
    h: Tensor, w: CompressorWeights, cfg: CompressedConfig, before: Unfinished
) -> tuple[Tensor, Unfinished]:
    """The entries (B, N, w) that the tokens h (B, S, D) finish, rotated, and what is left over.

    V4 equations 9–12 (CSA) and 20–23 (HCA): C = H·W^KV, Z = H·W^Z + B, entry = Σ_j softmax_j(Z)_j ⊙ C_j.
    """
    m, width = cfg.ratio, w.norm.shape[0]
    kv = torch.cat((before.kv, F.linear(h, w.wkv)), dim=1)  # (B, U + S, w or 2w)
    gate = torch.cat((before.gate, F.linear(h, w.wgate)), dim=1)
    back = m if cfg.overlaps and before.entries else 0  # tokens of the last entry, needed once more
    count = (kv.shape[1] - back) // m
    if not count:
        return kv.new_empty(kv.shape[0], 0, width), Unfinished(kv, gate, before.entries)
    used = back + count * m
    windows, share = _weighed(kv[:, :used], gate[:, :used], w, cfg, back)  # (B, N, m or 2m, w), the same
    entries = rms_norm((windows * share).sum(dim=2), w.norm, cfg.norm_eps)  # (B, N, w)
    places = (torch.arange(count, device=h.device) + before.entries) * m  # an entry stands where its first token stood
    entries = apply_rope_to_tail(entries.unsqueeze(2), rope_table_at(cfg.rope, places, h)).squeeze(2)
    keep = used - (m if cfg.overlaps else 0)
    return entries, Unfinished(kv[:, keep:], gate[:, keep:], before.entries + count)


def _weighed(kv: Tensor, gate: Tensor, w: CompressorWeights, cfg: CompressedConfig, back: int) -> tuple[Tensor, Tensor]:
    """Whole windows of tokens and how much each of them counts in its entry: twice (B, N, m or 2m, w)."""
    windows = kv.unflatten(1, (-1, cfg.ratio))  # (B, N or N + 1, m, ·)
    gates = gate.unflatten(1, (-1, cfg.ratio)) + w.position_bias
    if cfg.overlaps:
        width = w.norm.shape[0]
        windows, gates = _beside_the_last(windows, width, back, 0.0), _beside_the_last(gates, width, back, -torch.inf)
    return windows, gates.softmax(dim=2, dtype=torch.promote_types(kv.dtype, torch.float32)).to(kv.dtype)


def token_shares(h: Tensor, w: CompressorWeights, cfg: CompressedConfig) -> Tensor:
    """How much each token counts in each entry: h (B, S, D) → (B, N, m or 2m, w), over slots summing to 1.

    With overlap the first m slots are the tokens of the window before.
    """
    used = h.shape[1] // cfg.ratio * cfg.ratio
    return _weighed(F.linear(h[:, :used], w.wkv), F.linear(h[:, :used], w.wgate), w, cfg, 0)[1]


def _beside_the_last(windows: Tensor, width: int, back: int, nothing: float) -> Tensor:
    """Each window's Cb behind the Ca of the window before: (B, N (+ 1), m, 2w) → (B, N, 2m, w).

    Before the first window of all stands ``nothing``.
    """
    ca, cb = windows.split(width, dim=-1)
    if back:
        return torch.cat((ca[:, :-1], cb[:, 1:]), dim=2)
    first = torch.full_like(ca[:, :1], nothing)
    return torch.cat((torch.cat((first, ca[:, :-1]), dim=1), cb), dim=2)


def finished(start: int, length: int, entries: int, ratio: int, device: torch.device) -> Tensor:
    """(S, E) bool: an entry may be read from its last token on."""
    ends = (torch.arange(entries, device=device) + 1) * ratio  # tokens that must have been read
    return ends <= torch.arange(start + 1, start + length + 1, device=device)[:, None]


def score_entries(
    h: Tensor, c_q: Tensor, keys: Tensor, w: EntryIndexerWeights, cfg: CompressedConfig, table: RopeTable
) -> Tensor:
    """The indexer's scores (B, S, E) of entries by their index keys (B, E, i). V4 equations 13–16."""
    q = F.linear(c_q, w.wq_b).unflatten(-1, (cfg.index_n_heads, cfg.index_head_dim))  # (B, S, J, i)
    return weighed_relu(apply_rope_to_tail(q, table), keys, F.linear(h, w.weights_proj))


def compressed_forward(
    h: Tensor,
    w: CompressedWeights,
    cfg: CompressedConfig,
    cache: CompressedCache | None = None,
    reads: str = "chosen",
) -> CompressedParts:
    """V4's attention over h (B, S, D): causal, after the tokens in ``cache``.

    ``reads`` says which finished entries CSA reads (`explainers.sparse.reading`): those that its indexer chose, or for
    training and comparing all, the newest, none; HCA reads all or none. The indexer sees its inputs detached, as in
    `explainers.sparse.dsa_forward`.
    """
    check_hidden(h, cfg.hidden_size)
    cache = cache or empty_compressed_cache(cfg, h.shape[0], h)
    start, length = cache.length, h.shape[1]
    table = rope_table(cfg.rope, start, length, h)
    c_q = rms_norm(F.linear(h, w.wq_a), w.q_norm, cfg.norm_eps)  # (B, S, c)
    q = F.linear(c_q, w.wq_b).unflatten(-1, (cfg.n_heads, cfg.head_dim))  # (B, S, H, d)
    q = apply_rope_to_tail(rms_norm(q, torch.ones_like(q[0, 0, 0]), cfg.norm_eps), table)
    new = rms_norm(F.linear(h, w.wkv), w.kv_norm, cfg.norm_eps)  # (B, S, d)
    kv = torch.cat((cache.window, apply_rope_to_tail(new.unsqueeze(2), table).squeeze(2)), dim=1)  # (B, R, d)
    cache = replace(cache, length=start + length, window=kv[:, max(0, kv.shape[1] - cfg.sliding_window + 1) :])
    cache, importance, chosen = _entries(h, c_q, w, cfg, cache, table, reads)
    in_window = window_mask(length, kv.shape[1], cfg.sliding_window, h.device)  # (S, R)
    at_hand = torch.cat((kv, cache.entries), dim=1)  # (B, R + E, d)
    allowed = torch.cat((in_window.expand(h.shape[0], -1, -1), chosen), dim=-1)  # (B, S, R + E)
    scores = torch.einsum("bshd,brd->bhsr", q, at_hand) * cfg.head_dim**-0.5
    scores = scores.masked_fill(~allowed.unsqueeze(1), -torch.inf)
    probs = softmax_with_sink(scores, w.sinks)  # (B, H, S, R + E)
    heads = torch.einsum("bhsr,brd->bshd", probs, at_hand)  # (B, S, H, d)
    heads = apply_rope_to_tail(heads, table.inverse)
    groups = heads.flatten(2).unflatten(-1, (cfg.o_groups, -1))  # (B, S, G, H·d/G)
    small = torch.einsum("bsgx,gox->bsgo", groups, w.wo_a.unflatten(0, (cfg.o_groups, -1)))  # (B, S, G, o)
    out = F.linear(small.flatten(2), w.wo_b)  # (B, S, D)
    return CompressedParts(h, c_q, q, kv, cache.entries, importance, in_window, chosen, scores, probs, out, cache)


def _entries(
    h: Tensor,
    c_q: Tensor,
    w: CompressedWeights,
    cfg: CompressedConfig,
    cache: CompressedCache,
    table: RopeTable,
    reads: str,
) -> tuple[CompressedCache, Tensor | None, Tensor]:
    """The cache with the new entries, the indexer's scores (CSA) and which entries each token reads (B, S, E)."""
    if w.compressor is None:
        return cache, None, h.new_empty(*h.shape[:2], 0, dtype=torch.bool)
    made, left = make_entries(h, w.compressor, cfg, cache.unfinished)
    cache = replace(cache, entries=torch.cat((cache.entries, made), dim=1), unfinished=left)
    start, length = cache.length - h.shape[1], h.shape[1]
    ready = finished(start, length, cache.entries.shape[1], cfg.ratio, h.device).expand(h.shape[0], -1, -1)
    if w.indexer is None:
        return cache, None, ready & (reads != "none")
    made, left = make_entries(h.detach(), w.indexer.compressor, cfg, cache.index_unfinished)
    cache = replace(cache, index_entries=torch.cat((cache.index_entries, made), dim=1), index_unfinished=left)
    importance = score_entries(h.detach(), c_q.detach(), cache.index_entries, w.indexer, cfg, table)
    importance = importance.masked_fill(~ready, -torch.inf)  # (B, S, E)
    return cache, importance, reading(importance.detach(), cfg.index_topk, reads)


def window_mask(queries: int, keys: int, window: int, device: torch.device) -> Tensor:
    """(S, R) bool, True at the W tokens up to the query; the S queries are the last S of the R tokens."""
    distance = torch.arange(keys - queries, keys, device=device)[:, None] - torch.arange(keys, device=device)
    return (distance >= 0) & (distance < window)


def softmax_with_sink(scores: Tensor, sinks: Tensor) -> Tensor:
    """Softmax of (B, H, S, R) with one more logit a head (H,) in the sum, which gets no column of its own."""
    sink = sinks.to(scores.dtype)[None, :, None, None].expand(*scores.shape[:3], 1)
    wide = torch.promote_types(scores.dtype, torch.float32)
    return torch.cat((scores, sink), dim=-1).softmax(dim=-1, dtype=wide)[..., :-1].to(scores.dtype)
