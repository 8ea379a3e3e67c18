"""The small model with its gate's knobs as inputs, for a browser: the project's own layers, exported to ONNX.

A browser's runtime has no data-dependent loops, so every expert is computed for every token and the unchosen ones weigh
0.0: the same sum as `explainers.moe.moe_forward` in another order. A test compares the two, and what the page computes.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explainers.errors import ExplainError
from explainers.gate import choose_groups
from explainers.layers import MoE
from explainers.model import Model

OPSET = 17
INPUTS = ("ids", "top_k", "topk_group", "bias")
OUTPUTS = ("logits", "scores", "biased_scores", "group_scores", "group_mask", "rank", "weights")


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


def onnx_bytes(model: Model) -> bytes:
    """The model with its knobs as one ONNX file; any number of tokens."""
    knobbed = KnobbedModel(model).eval()
    ids = torch.arange(7)[None]
    knobs = (torch.tensor(4), torch.tensor(2), torch.tensor(1.0))
    target = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.register_custom_op_symbolic("aten::rms_norm", _rms_norm, OPSET)  # type: ignore[attr-defined]
        torch.onnx.export(
            knobbed,
            (ids, *knobs),
            target,  # type: ignore[arg-type] # a file object is still taken
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes={"ids": {1: "token"}, "logits": {0: "token"}} | {name: {1: "token"} for name in OUTPUTS[1:]},
            opset_version=OPSET,
            dynamo=False,
        )
    return target.getvalue()
