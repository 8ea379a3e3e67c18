"""The small models with knobs as inputs, for a browser: the project's own layers, exported to ONNX.

`KnobbedModel` is the trained model with the knobs of its gate; `CutModel` the one with plain attention, and the rank to
which its keys and values are cut.

A browser's runtime has no data-dependent loops, so every expert is computed for every token and the unchosen ones weigh
0.0: the same sum as `explainers.moe.moe_forward` in another order. A test compares the two, and what the page computes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explainers.basics import FusedTap
from explainers.errors import ExplainError
from explainers.gate import choose_groups
from explainers.layers import MoE
from explainers.model import Model

OPSET = 17
INPUTS = ("ids", "top_k", "topk_group", "bias")
OUTPUTS = ("logits", "scores", "biased_scores", "group_scores", "group_mask", "rank", "weights")
CUT_INPUTS = ("ids", "rank", "turned")
CUT_OUTPUTS = ("logits", "logits_cut", "kv", "coordinates", "reconstruction")


def rank_of(values: Tensor) -> Tensor:
    """Place of each entry in its row (T, N), 0 the largest; equals by the lower index, as `gate.stable_topk`."""
    mine, other = values[:, :, None], values[:, None, :]  # (T, N, 1), (T, 1, N)
    places = torch.arange(values.shape[1], device=values.device)
    earlier = places[None, :] < places[:, None]  # (N, N) the other stands before me
    return ((other > mine) | ((other == mine) & earlier)).sum(-1)


class KnobbedMoE(nn.Module):
    """One layer of experts whose k, groups and bias are inputs (scalars) instead of configuration."""

    def __init__(self, moe: MoE) -> None:
        super().__init__()
        self.moe = moe
        self.cfg = replace(moe.gate_config, topk_group=moe.gate_config.n_group)  # `choose_groups` only scores them

    def forward(self, u: Tensor, top_k: Tensor, topk_group: Tensor, bias: Tensor) -> tuple[Tensor, list[Tensor]]:
        """u (T, D) → the layer's answer (T, D), and what the gate did, as in `OUTPUTS` after the logits."""
        weights, cfg = self.moe.weights(), self.cfg
        assert weights.bias is not None and weights.shared is not None
        scores = F.linear(u, weights.gate).sigmoid()  # (T, E)
        biased = scores + weights.bias * bias
        group_scores, _ = choose_groups(biased, cfg)  # (T, G)
        group_mask = rank_of(group_scores) < topk_group
        allowed = group_mask[:, :, None].expand(-1, -1, cfg.group_size).flatten(1)  # (T, E)
        rank = rank_of(biased.masked_fill(~allowed, -torch.inf))
        chosen = scores * ((rank < top_k) & allowed)
        share = chosen / (chosen.sum(-1, keepdim=True) + 1e-20) * cfg.routed_scaling_factor  # (T, E)
        w = self.moe.experts  # (E, F, D), (E, D, F), (E, F, D)
        inner = F.silu(torch.einsum("td,efd->tef", u, w.w1)) * torch.einsum("td,efd->tef", u, w.w3)
        routed = torch.einsum("te,ted->td", share, torch.einsum("tef,edf->ted", inner, w.w2))
        return routed + self.moe.shared_experts(u), [scores, biased, group_scores, group_mask, rank, share]


class KnobbedModel(nn.Module):
    """The trained model as it stands, every mixture of experts a `KnobbedMoE`."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        cfg = model.cfg
        if cfg.attention != "mla" or not cfg.n_routed_experts or not cfg.gate.norm_topk_prob:
            raise ExplainError(
                "only a model with mla attention and experts can be exported; take the shipped small one"
            )
        self.model = model
        self.moes = nn.ModuleList(
            KnobbedMoE(b.mlp) if isinstance(b.mlp, MoE) else nn.Identity() for b in model.blocks()
        )

    def forward(self, ids: Tensor, top_k: Tensor, topk_group: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
        """ids (1, S), three scalars (``bias`` 1.0 or 0.0) → logits (S, V), then (layer, S, …) for each of `OUTPUTS`."""
        x = self.model.model.embed_tokens(ids)
        notes: list[list[Tensor]] = []
        for block, moe in zip(self.model.blocks(), self.moes, strict=True):
            x = x + block.self_attn(block.input_layernorm(x))
            u = block.post_attention_layernorm(x)
            if isinstance(moe, KnobbedMoE):
                y, note = moe(u[0], top_k, topk_group, bias)
                notes.append(note)
                x = x + y[None]
            else:
                x = x + block.mlp(u)
        logits = self.model.lm_head(self.model.model.norm(x))[0]
        return logits, *(torch.stack(layer) for layer in zip(*notes, strict=True))


def _rms_norm(graph: Any, x: Any, _shape: Any, weight: Any, eps: Any) -> Any:
    """RMSNorm in operations of opset 17, which has no node of its own for it: x / √(mean x² + ε) · weight."""
    mean = graph.op("ReduceMean", graph.op("Mul", x, x), axes_i=[-1])
    scaled = graph.op("Mul", graph.op("Div", x, graph.op("Sqrt", graph.op("Add", mean, eps))), weight)
    return scaled.setType(x.type())


class CutModel(nn.Module):
    """A model with plain attention, read twice: whole, and with keys and values cut to ``rank`` axes in every layer.

    Parameters
    ----------
    model
        A model with mha attention.
    axes
        Tap of `explainers.layers.GroupedAttention` → axes (layer, F, F), strongest first in columns: before and after
        RoPE, as `explainers.experiments.low_rank.spectra` gives them.
    """

    def __init__(self, model: Model, axes: Mapping[str, Tensor]) -> None:
        super().__init__()
        if model.cfg.attention == "mla":
            raise ExplainError("a model with mla attention is cut by construction; take one with mha")
        self.model = model
        self.names = tuple(axes)
        self.register_buffer("axes", torch.stack([axes[name] for name in self.names]).float())
        self.axes: Tensor  # (variant, layer, F, F)

    def forward(self, ids: Tensor, rank: Tensor, turned: Tensor) -> tuple[Tensor, ...]:
        """ids (1, S), rank, turned (1 cuts after RoPE) → logits whole and cut (S, V), then `CUT_OUTPUTS`' others."""
        kv: dict[str, list[Tensor]] = {name: [] for name in self.names}
        kept = (torch.arange(self.axes.shape[-1]) < rank).to(self.axes.dtype)  # (F,)

        def noting(_: int, name: str, values: Tensor) -> Tensor:
            if name in kv:
                kv[name].append(values[0])
            return values

        def cutting(layer: int, name: str, values: Tensor) -> Tensor:
            if name not in kv:
                return values
            at = self.names.index(name)
            axes = self.axes[at, layer]
            return torch.where(turned == at, (values @ axes * kept) @ axes.T, values)

        whole = self._read(ids, noting)
        cut = self._read(ids, cutting)
        stacked = torch.stack([torch.stack(kv[name]) for name in self.names])  # (variant, layer, S, F)
        coordinates = stacked @ self.axes
        return whole, cut, stacked, coordinates, (coordinates * kept) @ self.axes.transpose(-1, -2)

    def _read(self, ids: Tensor, tap: Callable[[int, str, Tensor], Tensor]) -> Tensor:
        x = self.model.model.embed_tokens(ids)
        for layer, block in enumerate(self.model.blocks()):
            x = block(x, FusedTap(partial(tap, layer)))  # the exporter fixes the length in the mask of the other way
        return self.model.lm_head(self.model.model.norm(x))[0]


def onnx_bytes(model: Model) -> bytes:
    """The model with its gate's knobs as one ONNX file; any number of tokens."""
    knobs = (torch.tensor(4), torch.tensor(2), torch.tensor(1.0))
    along = {"logits": 0} | dict.fromkeys(OUTPUTS[1:], 1)
    return _export(KnobbedModel(model), knobs, INPUTS, along)


def onnx_bytes_of_cut(model: Model, axes: Mapping[str, Tensor]) -> bytes:
    """`CutModel` as one ONNX file; any number of tokens."""
    along = dict.fromkeys(CUT_OUTPUTS[:2], 0) | dict.fromkeys(CUT_OUTPUTS[2:], 2)
    return _export(CutModel(model, axes), (torch.tensor(32), torch.tensor(0)), CUT_INPUTS, along)


def _export(module: nn.Module, knobs: tuple[Tensor, ...], inputs: Sequence[str], outputs: Mapping[str, int]) -> bytes:
    """``outputs``: name → the axis that goes with the number of tokens; the first input are ids (1, S)."""
    target = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.register_custom_op_symbolic("aten::rms_norm", _rms_norm, OPSET)  # type: ignore[attr-defined]
        torch.onnx.export(
            module.eval(),
            (torch.arange(7)[None], *knobs),
            target,  # type: ignore[arg-type] # a file object is still taken
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={inputs[0]: {1: "token"}} | {name: {axis: "token"} for name, axis in outputs.items()},
            opset_version=OPSET,
            do_constant_folding=False,  # would write the axes down once for each way in which they are used
            dynamo=False,
        )
    return target.getvalue()
