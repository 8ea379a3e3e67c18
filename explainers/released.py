"""A released model read from its files, layer by layer: hidden states, routing and attention, as transformers has them.

The mathematics is that of `explainers.mla`, `sparse`, `compressed`, `moe` and `gate`; here stands which tensor of the
file is which weight, and how a layer is put together. A layer's own weights are read when the layer is reached and let
go after it; routed experts are read one at a time, and only those that a token chose.

Letters: B sequences, S tokens, D hidden size, N residual streams of V4.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor

from explainers.attention import AttentionConfig, rms_norm
from explainers.basics import Tap, untapped
from explainers.checkpoints import Checkpoint
from explainers.compressed import compressed_forward
from explainers.counting import active_params_with_embedding, total_params
from explainers.errors import ExplainError
from explainers.families import Architecture, architecture
from explainers.hyper_connections import collapse, collapse_head, mixing, open_streams, spread
from explainers.inspection import sizes_from_config
from explainers.layers import tapped_grouped, tapped_mla
from explainers.mla import MLAConfig, MLAWeights
from explainers.model import Output
from explainers.moe import GateConfig, MLPWeights, MoEWeights, Routing, moe_forward, swiglu
from explainers.released_tokenizer import ReleasedTokenizer, load_tokenizer
from explainers.released_weights import Reader
from explainers.sources import describe, parse
from explainers.sparse import dsa_forward
from explainers.sparse_layers import tap_compressed, tap_sparse

#: Layers with a gate that are read where the source does not say how many: as many as the small model has.
SPARSE_LAYERS = 3


class ReleasedAttention:
    """The attention of one layer. ``cfg`` and ``weights()`` are those of `explainers.mla` for V2, V3 and V3.2."""

    def __init__(self, reader: Reader, cfg: Architecture, layer: int) -> None:
        self.cfg = cfg.attention[layer]
        self.index_cfg = cfg.indexer
        self._reader, self._layer = reader, layer

    def weights(self) -> MLAWeights:
        """MLA's weights, read anew."""
        if not isinstance(self.cfg, MLAConfig):
            raise ExplainError("this layer has no latent attention; take a checkpoint of V2, V3, R1 or V3.2")
        return self._reader.mla(self._layer, self.cfg)

    def __call__(self, h: Tensor, tap: Tap = untapped) -> Tensor:
        """h (B, S, D) → (B, S, D), a prefill."""
        reader, number = self._reader, self._layer
        if isinstance(self.cfg, AttentionConfig):
            return tapped_grouped(h, reader.grouped(number, self.cfg), self.cfg, tap)
        if not isinstance(self.cfg, MLAConfig):
            compressed = compressed_forward(h, reader.compressed(number, self.cfg), self.cfg)
            tap_compressed(compressed, tap)
            return compressed.out
        if self.index_cfg is None:
            return tapped_mla(h, reader.mla(number, self.cfg), self.cfg, tap)
        index = reader.indexer(number, self.cfg, self.index_cfg)
        sparse = dsa_forward(h, reader.mla(number, self.cfg), index, self.cfg, self.index_cfg)
        tap_sparse(sparse, tap)
        return sparse.out


class ReleasedMoE:
    """The experts of one layer; ``routing`` is that of the last call."""

    def __init__(self, reader: Reader, cfg: Architecture, layer: int) -> None:
        self.gate_config: GateConfig = cfg.gate
        self.hashed = layer in cfg.hashed
        self.routing: Routing | None = None
        self._reader, self._layer = reader, layer

    def weights(self) -> MoEWeights:
        """Gate and shared experts, read anew; routed experts are read when they are picked."""
        return self._reader.moe(self._layer)

    def experts_of(self, ids: Tensor) -> Tensor | None:
        """V4's table for these ids (T,): (T, k), or None where the gate chooses."""
        return self._reader.table(self._layer, ids) if self.hashed else None

    def __call__(self, x: Tensor, ids: Tensor) -> Tensor:
        """x (B, S, D), ids (B, S) → (B, S, D)."""
        out, self.routing = moe_forward(
            x, self.weights(), self.gate_config, "fast", self.experts_of(ids.flatten())
        )  # fmt: skip
        return out


class ReleasedLayer:
    """One layer: attention and feed-forward, each on a normalised input, added to the residual or to V4's streams."""

    def __init__(self, reader: Reader, cfg: Architecture, layer: int) -> None:
        self.cfg, self.number = cfg, layer
        self.self_attn = ReleasedAttention(reader, cfg, layer)
        self.mlp = None if layer in cfg.dense else ReleasedMoE(reader, cfg, layer)
        self._reader = reader

    def dense_weights(self) -> MLPWeights:
        """The one network of a dense layer, read anew."""
        return self._reader.dense(self.number)

    def feed_forward(self, u: Tensor, ids: Tensor) -> Tensor:
        """The experts, or the one network of a dense layer."""
        if self.mlp is not None:
            return self.mlp(u, ids)
        w = self.dense_weights()
        return swiglu(u, w.w1, w.w2, w.w3)

    def __call__(self, x: Tensor, ids: Tensor, tap: Tap = untapped) -> Tensor:
        """x (B, S, D), or with streams (B, S, N, D) → the same."""
        norms = [self._reader.norm(self.number, name) for name in ("attention", "feed_forward")]
        for norm, name in zip(norms, ("attention", "feed_forward"), strict=True):
            streams, mix = x, None
            if self.cfg.hyper is not None:
                mix = mixing(x, self._reader.hyper(self.number, name), self.cfg.hyper)
                x = collapse(x, mix.pre)
            h = rms_norm(x, norm, self.cfg.norm_eps)
            if name == "attention":
                answer = tap("attention_out", self.self_attn(tap("h", h), tap))
            else:
                answer = tap("ffn_out", self.feed_forward(tap("u", h), ids))
            x = x + answer if mix is None else spread(streams, answer, mix)
        return x


class ReleasedModel:
    """A released model, as much of it as is asked for.

    Parameters
    ----------
    checkpoint
        Its files.
    layers
        Read this many from the first; None: the dense ones, those where a table of tokens chooses the experts (V4),
        and three in which a gate does.
    device, dtype
        Where and in what it computes; float32 on CPU. On CUDA bfloat16 is what the models were trained in.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        layers: int | None = None,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.cfg = architecture(checkpoint.config)
        self.checkpoint = checkpoint
        few = min(self.cfg.layers, len(self.cfg.dense | self.cfg.hashed) + SPARSE_LAYERS)
        self.depth = few if layers is None else layers
        if not 1 <= self.depth <= self.cfg.layers:
            raise ExplainError(f"{layers} layers are asked for, the model has {self.cfg.layers}; ask for fewer")
        self.device = torch.device(device)
        self._reader = Reader(checkpoint, self.cfg, self.device, dtype)

    @property
    def whole(self) -> bool:
        """Whether every layer is read, so that the logits are the model's."""
        return self.depth == self.cfg.layers

    def parameter_counts(self) -> tuple[int, int]:
        """Parameters in all, and active for one token with the embedding, of the whole model, by its configuration."""
        sizes = sizes_from_config(self.cfg, self.checkpoint.config)
        return int(total_params(sizes)), int(active_params_with_embedding(sizes))

    def layer(self, number: int) -> ReleasedLayer:
        """One layer, nothing of it read yet."""
        return ReleasedLayer(self._reader, self.cfg, number)

    def blocks(self) -> Iterator[ReleasedLayer]:
        """The layers that are read."""
        return (self.layer(number) for number in range(self.depth))

    @torch.no_grad()
    def __call__(self, ids: Tensor, *, trace: bool = False) -> Output:
        """Logits (B, S, V) where every layer is read (else none: (B, S, 0)); with ``trace`` every layer's tensors.

        ``x`` is what enters a layer; the last one that is read also has ``after``, what leaves it, and ``last``, that
        after the output norm.
        """
        if ids.ndim != 2 or not ids.numel():
            raise ExplainError(f"ids have shape {tuple(ids.shape)}; give (sequences, tokens) with at least one token")
        if int(ids.max()) >= self.cfg.vocab_size:
            raise ExplainError(
                f"token {int(ids.max())} is not among the model's {self.cfg.vocab_size}; its tokenizer is another's"
            )
        if ids.shape[1] > self.cfg.max_position_embeddings:
            longest = self.cfg.max_position_embeddings
            raise ExplainError(f"{ids.shape[1]} tokens are more than the model's {longest}; shorten the text")
        x = self._reader.embed(ids)
        x = x if self.cfg.hyper is None else open_streams(x, self.cfg.hyper)
        layers: list[dict[str, Tensor]] = []
        routings: list[Routing | None] = []
        for block in self.blocks():
            notes = {"x": x}
            x = block(x, ids, _noting(notes) if trace else untapped)
            if not x.isfinite().all():
                raise ExplainError(
                    f"layer {block.number} of {self.checkpoint.folder} gives numbers that are not finite; a file is "
                    "damaged, download it again"
                )
            if trace:
                layers.append(notes)
                routings.append(block.mlp.routing if block.mlp is not None else None)
        one = x if self.cfg.hyper is None else collapse_head(x, self._reader.hyper_head(), self.cfg.hyper)
        last = rms_norm(one, self._reader.last_norm(), self.cfg.norm_eps)
        if trace:
            layers[-1] |= {"after": x, "last": last}
        logits = self._reader.logits(last) if self.whole else last.new_empty(*ids.shape, 0)
        return Output(logits, None, layers, routings)


def _noting(notes: dict[str, Tensor]) -> Tap:
    def note(name: str, values: Tensor) -> Tensor:
        notes[name] = values
        return values

    return note


@cache
def load_released(source: str, device: str = "cpu") -> tuple[ReleasedModel, ReleasedTokenizer]:
    """``checkpoint:PATH#N`` → the model and its tokenizer, opened once a process."""
    asked = parse(source)
    checkpoint = Checkpoint(asked.path)
    about = architecture(checkpoint.config)
    dtype = torch.bfloat16 if device.startswith("cuda") else torch.float32
    model = ReleasedModel(checkpoint, about.layers if asked.every else asked.layers, device, dtype)
    return model, load_tokenizer(asked.path)


def title(source: str, model: ReleasedModel) -> str:
    """What a run says of the model it read: ``"DeepSeek-V2-Lite, layers 0 to 3 of 27"``."""
    return f"{describe(source)}, layers 0 to {model.depth - 1} of {model.cfg.layers}"
