"""The small DeepSeek that is trained here: a decoder with MLA, mixture of experts and, in training, one MTP layer.

It is saved under the tensor names of DeepSeek-V3's published checkpoints with a ``config.json`` of the same form, so
transformers' ``DeepseekV3ForCausalLM`` loads the folder as it is (a test compares the logits).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from explainers import paths
from explainers.errors import ExplainError
from explainers.layers import Block, Cache, ModelConfig, MoE, RMSNorm, Tap, linear, untapped
from explainers.moe import Routing
from explainers.sparse_layers import CompressedAttention, SparseMLA
from explainers.tokenizer import Tokenizer
from explainers.traces import write_aside

__all__ = ["Model", "ModelConfig", "Output", "SHIPPED", "load_shipped", "model_folder"]

#: Names of the trained models that ship with the project.
SHIPPED = ("small", "small_mha")
_EXPERT = re.compile(r"(.*\.mlp\.experts)\.(\d+)\.(gate|up|down)_proj\.weight")
_STACKS = {"gate": "w1", "down": "w2", "up": "w3"}


@dataclass
class Output:
    """What a forward pass gives: logits (B, S, V), and where it was traced, every layer's tensors by name."""

    logits: Tensor
    mtp_logits: Tensor | None = None  # (B, S − 1, V): position i predicts token i + 2
    layers: list[dict[str, Tensor]] = field(default_factory=list)
    routings: list[Routing | None] = field(default_factory=list)  # None for a dense layer


class MTPLayer(Block):
    """Multi-token prediction, depth 1 (V3 section 2.2, equations 21–23), named as layer 61 of V3's checkpoint."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__(cfg, cfg.num_hidden_layers)
        self.enorm = RMSNorm(cfg.hidden_size, cfg.rms_norm_eps)
        self.hnorm = RMSNorm(cfg.hidden_size, cfg.rms_norm_eps)
        self.eh_proj = linear(2 * cfg.hidden_size, cfg.hidden_size)
        self.shared_head = nn.ModuleDict({"norm": RMSNorm(cfg.hidden_size, cfg.rms_norm_eps)})

    def predict(self, hidden: Tensor, embedded: Tensor) -> Tensor:
        """Hidden states of tokens 1 … S−1 and embeddings of tokens 2 … S → what the shared head reads."""
        x = self.eh_proj(torch.cat((self.enorm(embedded), self.hnorm(hidden)), dim=-1))
        return self.shared_head["norm"](self(x))


class Decoder(nn.Module):
    """Embedding, layers and last norm, under the names of the published checkpoints."""

    def __init__(self, cfg: ModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(cfg.vocab_size, cfg.hidden_size)
        blocks: list[Block] = [Block(cfg, layer) for layer in range(cfg.num_hidden_layers)]
        blocks += [MTPLayer(cfg) for _ in range(cfg.num_nextn_predict_layers)]
        self.layers = nn.ModuleList(blocks)
        self.norm = RMSNorm(cfg.hidden_size, cfg.rms_norm_eps)


class Model(nn.Module):
    """The small DeepSeek.

    Parameters
    ----------
    cfg
        Its sizes.
    seed
        Of the random weights; the same seed gives the same weights, whatever was drawn before.
    """

    def __init__(self, cfg: ModelConfig, seed: int = 0) -> None:
        super().__init__()
        self.cfg = cfg
        self.model = Decoder(cfg)
        self.lm_head = linear(cfg.hidden_size, cfg.vocab_size)
        self._initialise(seed)

    @torch.no_grad()
    def _initialise(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if parameter.ndim >= 2:
                spread = 0.02 if "embed" in name or "lm_head" in name else 0.5 * parameter.shape[-1] ** -0.5
                parameter.normal_(0.0, spread, generator=generator)

    # ------------------------------------------------------------------ running
    def forward(
        self, ids: Tensor, *, trace: bool = False, taps: dict[int, Tap] | None = None, mtp: bool = False
    ) -> Output:
        """Logits of the next token.

        Parameters
        ----------
        ids
            (B, S) token ids.
        trace
            Keep every named tensor of every layer, and the gates' routings.
        taps
            Layer → tap, to note or replace tensors; goes together with ``trace``.
        mtp
            Also give the MTP layer's logits.
        """
        if ids.ndim != 2 or not ids.numel():
            raise ExplainError(f"ids have shape {tuple(ids.shape)}; give (sequences, tokens) with at least one token")
        if ids.shape[1] > self.cfg.max_position_embeddings:
            raise ExplainError(
                f"{ids.shape[1]} tokens are more than the model's {self.cfg.max_position_embeddings}; shorten the text"
            )
        x = self.model.embed_tokens(ids)  # (B, S, D)
        layers: list[dict[str, Tensor]] = []
        routings: list[Routing | None] = []
        for number, block in enumerate(self.blocks()):
            notes: dict[str, Tensor] = {"x": x}
            x = block(x, _tap(notes, (taps or {}).get(number, untapped), trace))
            if trace:
                layers.append(notes)
                routings.append(block.mlp.routing if isinstance(block.mlp, MoE) else None)
        logits = self.lm_head(self.model.norm(x))
        return Output(logits, self._predict_two(ids, x) if mtp else None, layers, routings)

    def start_caches(self) -> list[Cache]:
        """One empty cache for each main layer, for `decode`."""
        return [block.self_attn.start_cache(self.model.embed_tokens.weight) for block in self.blocks()]

    def decode(self, ids: Tensor, caches: list[Cache]) -> tuple[Tensor, list[Cache]]:
        """Logits (1, S, V) of new tokens ids (1, S) after those in the caches, and the caches with them."""
        x = self.model.embed_tokens(ids)
        longer: list[Cache] = []
        for block, kept in zip(self.blocks(), caches, strict=True):
            x, grown = block.decode(x, kept)
            longer.append(grown)
        return self.lm_head(self.model.norm(x)), longer

    def _predict_two(self, ids: Tensor, x: Tensor) -> Tensor:
        layer = self.model.layers[-1]
        if not isinstance(layer, MTPLayer):
            raise ExplainError("this model has no MTP layer; train one with num_nextn_predict_layers=1")
        return self.lm_head(layer.predict(x[:, :-1], self.model.embed_tokens(ids[:, 1:])))

    def blocks(self) -> Iterator[Block]:
        """The main layers, without the MTP layer."""
        for layer in list(self.model.layers)[: self.cfg.num_hidden_layers]:
            assert isinstance(layer, Block)
            yield layer

    def indexed(self) -> Iterator[SparseMLA | CompressedAttention]:
        """The attentions that read what an indexer chose, or may."""
        for layer in self.model.layers:
            assert isinstance(layer, Block)
            if isinstance(layer.self_attn, SparseMLA | CompressedAttention):
                yield layer.self_attn

    def set_reads(self, reads: str) -> None:
        """What attention with an indexer reads: see `explainers.sparse.reading`."""
        for attention in self.indexed():
            attention.reads = reads

    def index_losses(self) -> Iterator[Tensor]:
        """The indexer's loss of each layer that has one, from the last pass with gradients."""
        return (attention.index_loss for attention in self.indexed() if attention.index_loss is not None)

    def moes(self) -> Iterator[tuple[int, MoE]]:
        """Layer number and layer, of each mixture of experts, the MTP layer's included."""
        for number, layer in enumerate(self.model.layers):
            assert isinstance(layer, Block)
            if isinstance(layer.mlp, MoE):
                yield number, layer.mlp

    @property
    def _mtp_prefix(self) -> str:
        return f"model.layers.{self.cfg.num_hidden_layers}."

    @property
    def device(self) -> torch.device:
        return self.lm_head.weight.device

    def parameter_counts(self) -> tuple[int, int]:
        """Parameters in all, and active for one token (its k experts instead of all); without the MTP layer."""
        main = [p for n, p in self.named_parameters() if not n.startswith(self._mtp_prefix)]
        total = sum(parameter.numel() for parameter in main)
        idle = 0
        for number, moe in self.moes():
            if number < self.cfg.num_hidden_layers:
                routed = sum(parameter.numel() for parameter in moe.experts.parameters())
                idle += routed - routed * self.cfg.num_experts_per_tok // self.cfg.n_routed_experts
        return total, total - idle

    @torch.no_grad()
    def generate(self, ids: list[int], count: int, *, temperature: float = 1.0, seed: int = 0) -> list[int]:
        """``count`` more tokens by sampling (``temperature`` 0: the most likely)."""
        generator = torch.Generator().manual_seed(seed)
        tokens, caches = list(ids), self.start_caches()
        logits, caches = self.decode(torch.tensor([tokens], device=self.device), caches)
        for _ in range(count):
            last = logits[0, -1].double().cpu()
            if temperature <= 0:
                tokens.append(int(last.argmax()))
            else:
                tokens.append(int(torch.multinomial((last / temperature).softmax(dim=-1), 1, generator=generator)))
            logits, caches = self.decode(torch.tensor([tokens[-1:]], device=self.device), caches)
        return tokens

    # ------------------------------------------------------------------ files
    def save(self, folder: Path | str) -> Path:
        """Write ``model.safetensors``, ``config.json`` and, with an MTP layer, ``mtp.safetensors``."""
        folder = Path(folder)
        published = published_names(self.state_dict())
        mtp = {name: published.pop(name) for name in list(published) if name.startswith(self._mtp_prefix)}
        write_aside(folder / "model.safetensors", save(published, {"format": "pt"}))
        if mtp:
            write_aside(folder / "mtp.safetensors", save(mtp, {"format": "pt"}))
        write_aside(folder / "config.json", (json.dumps(published_config(self.cfg), indent=1) + "\n").encode())
        return folder

    @classmethod
    def load(cls, folder: Path | str, device: str = "cpu") -> Model:
        """Read a folder written by `save`; a missing or damaged one is an `ExplainError`."""
        folder = Path(folder)
        try:
            cfg = ModelConfig.from_json(json.loads((folder / "config.json").read_text()))
            model = cls(cfg)
            published = load_file(folder / "model.safetensors")
            if cfg.num_nextn_predict_layers:
                published |= load_file(folder / "mtp.safetensors")
            model.load_state_dict(stacked_names(published))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            reason = str(error).splitlines()[0]
            raise ExplainError(
                f"cannot read the model in {folder} ({reason}); make one with `explain train`"
            ) from error
        return model.eval().to(device)


def _tap(notes: dict[str, Tensor], then: Tap, trace: bool) -> Tap:
    if not trace:
        return then

    def note(name: str, values: Tensor) -> Tensor:
        notes[name] = then(name, values)
        return notes[name]

    return note


def published_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our stacked experts (E, out, in) as one tensor (out, in) an expert, as in DeepSeek's checkpoints."""
    published = {}
    for name, values in state.items():
        stem, _, last = name.rpartition(".")
        if not stem.endswith(".mlp.experts"):
            published[name] = values.contiguous()
            continue
        kind = {stack: kind for kind, stack in _STACKS.items()}[last]
        for number, expert in enumerate(values.unbind()):
            published[f"{stem}.{number}.{kind}_proj.weight"] = expert.clone()
    return published


def stacked_names(published: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `published_names`: experts (out, in) stacked to (E, out, in)."""
    state: dict[str, Tensor] = {}
    stacks: dict[str, dict[int, Tensor]] = {}
    for name, values in published.items():
        if match := _EXPERT.fullmatch(name):
            stacks.setdefault(f"{match[1]}.{_STACKS[match[3]]}", {})[int(match[2])] = values
        else:
            state[name] = values
    for name, experts in stacks.items():
        state[name] = torch.stack([experts[number] for number in range(len(experts))])
    return state


def published_config(cfg: ModelConfig) -> dict[str, object]:
    """``config.json`` as transformers reads it, with our own fields beside."""
    about: dict[str, object] = {name: value for name, value in cfg.to_json().items() if value is not None}
    if cfg.attention == "mla":
        about |= {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "q_lora_rank": None}
    if cfg.attention == "dsa":
        about |= {"architectures": ["DeepseekV32ForCausalLM"], "model_type": "deepseek_v32"}
    if cfg.attention in ("mla", "dsa"):
        about |= {"num_key_value_heads": cfg.num_attention_heads, "scoring_func": "sigmoid", "topk_method": "noaux_tc"}
        about |= {"norm_topk_prob": True, "rope_interleave": True, "hidden_act": "silu", "tie_word_embeddings": False}
        about |= {"bos_token_id": None, "eos_token_id": cfg.vocab_size - 1}
        del about["head_dim"]
    return about


def model_folder(source: str = "small") -> Path:
    """The folder of a shipped model's name, or the path itself where it is one."""
    if source in SHIPPED:
        return paths.assets() / "models" / source
    folder = Path(source)
    if not (folder / "config.json").is_file():
        known = ", ".join(sorted(SHIPPED))
        raise ExplainError(
            f"unknown source {source!r}; choose {known}, a folder that `explain train` made (with config.json), "
            "or checkpoint:PATH"
        )
    return folder


@cache
def load_shipped(source: str = "small", device: str = "cpu") -> tuple[Model, Tokenizer]:
    """A trained model with its tokenizer, loaded once a process."""
    folder = model_folder(source)
    return Model.load(folder, device), Tokenizer.load(folder / "tokenizer.json")
