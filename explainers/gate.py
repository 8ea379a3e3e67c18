"""The gate: which experts a token goes to, and with what weight.

The routers as published. DeepSeek-V2 (2405.04434, section 2.2): softmax scores, the k best experts, optionally only
inside the best groups. DeepSeek-V3 (2412.19437, section 2.1.2): sigmoid scores, and a bias per expert that is added
*only for choosing*; the weights are taken from the unbiased scores. DeepSeek-V4 (2606.19348, section 2.1) keeps V3's
rule with √softplus scores and without groups, and in its first layers a frozen table says which experts a token id has.

Letters: T tokens, D hidden size, E routed experts, G groups, k experts a token.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from explainers.errors import ExplainError, one_of

SCORINGS = ("softmax", "sigmoid", "sqrtsoftplus")
TOPK_METHODS = ("greedy", "group_limited_greedy", "noaux_tc")
GROUP_SCORES = ("max", "top2_sum")


@dataclass(frozen=True)
class GateConfig:
    """Sizes and rules of one gate, in the names of DeepSeek's ``config.json``.

    Parameters
    ----------
    n_routed_experts, top_k
        E and k (``num_experts_per_tok``).
    n_group, topk_group
        The experts are cut into ``n_group`` equal, contiguous groups, and a token may use ``topk_group`` of them.
    scoring
        ``"softmax"`` (V2), ``"sigmoid"`` (V3) or ``"sqrtsoftplus"`` (V4): logits to scores.
    norm_topk_prob
        Divide the k weights by their sum (V3, equation 13).
    routed_scaling_factor
        Multiplies the k weights at the end, normalised or not (V2 16.0, V3 2.5).
    topk_method
        ``"greedy"``: the k best of all experts, groups are ignored. ``"group_limited_greedy"``: V2, scores outside the
        chosen groups become 0.0. ``"noaux_tc"``: V3, with bias, scores outside the chosen groups become −inf.
    group_score
        ``"max"`` (the best score in the group, V2) or ``"top2_sum"`` (sum of the two best, V3). ``None``: what
        ``topk_method`` uses.

    Raises
    ------
    ExplainError
        For sizes that cannot work together: one line that names the value and the fix.
    """

    n_routed_experts: int
    top_k: int
    n_group: int = 1
    topk_group: int = 1
    scoring: str = "sigmoid"
    norm_topk_prob: bool = True
    routed_scaling_factor: float = 1.0
    topk_method: str = "noaux_tc"
    group_score: str | None = None

    def __post_init__(self) -> None:
        for what, value, known in (
            ("scoring", self.scoring, SCORINGS),
            ("topk_method", self.topk_method, TOPK_METHODS),
            ("group_score", self.group_score or GROUP_SCORES[0], GROUP_SCORES),
        ):
            if value not in known:
                raise one_of(what, value, known)
        for name in ("n_routed_experts", "top_k", "n_group", "topk_group"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ExplainError(f"{name} is {value!r}; give a whole number of at least 1")
        self._check_groups()

    def _check_groups(self) -> None:
        experts, groups = self.n_routed_experts, self.n_group
        if self.top_k > experts:
            raise ExplainError(f"top_k {self.top_k} is more than the {experts} experts; give at most {experts}")
        if experts % groups:
            raise ExplainError(
                f"{experts} experts do not divide into {groups} groups; choose an n_group that divides {experts}"
            )
        if self.topk_group > groups:
            raise ExplainError(f"topk_group {self.topk_group} is more than the {groups} groups; give at most {groups}")
        if self.limits_groups and self.top_k > self.topk_group * self.group_size:
            allowed = self.topk_group * self.group_size
            raise ExplainError(
                f"top_k {self.top_k} is more than the {allowed} experts in {self.topk_group} allowed groups of "
                f"{self.group_size}; lower top_k or raise topk_group"
            )

    @property
    def group_size(self) -> int:
        """Experts in one group, E / G."""
        return self.n_routed_experts // self.n_group

    @property
    def limits_groups(self) -> bool:
        """Whether some groups are forbidden to a token."""
        return self.topk_method != "greedy" and self.topk_group < self.n_group

    @property
    def group_score_rule(self) -> str:
        """``group_score``, or the one that goes with ``topk_method``."""
        return self.group_score or ("top2_sum" if self.topk_method == "noaux_tc" else "max")


@dataclass(frozen=True, eq=False)
class Routing:
    """Every step of the gate for T tokens, in the order in which it is computed.

    Scores and weights are float32 (float64 for float64 inputs), whatever the dtype of the hidden states.
    """

    logits: Tensor  # (T, E) token · expert centroid, u_t^T e_i
    original_scores: Tensor  # (T, E) softmax or sigmoid of the logits: what a chosen expert is weighed by
    biased_scores: Tensor  # (T, E) original_scores + bias: what experts are chosen by
    group_scores: Tensor  # (T, G)
    group_mask: Tensor  # (T, G) bool, True where the group is allowed
    masked_scores: Tensor  # (T, E) biased_scores, 0.0 or −inf in forbidden groups
    indices: Tensor  # (T, k) int64, best first
    weights: Tensor  # (T, k) normalised and scaled

    @property
    def scores(self) -> Tensor:
        """`original_scores` under its shorter name."""
        return self.original_scores

    @property
    def n_routed_experts(self) -> int:
        """E, from the scores."""
        return int(self.original_scores.shape[-1])


def scored(logits: Tensor, scoring: str) -> Tensor:
    """Logits (T, E) to scores (T, E): softmax (V2), sigmoid (V3) or √ln(1 + eˣ) (V4)."""
    if scoring == "softmax":
        return logits.softmax(dim=-1)
    return logits.sigmoid() if scoring == "sigmoid" else F.softplus(logits).sqrt()


def route(x: Tensor, weight: Tensor, bias: Tensor | None, cfg: GateConfig, experts_of: Tensor | None = None) -> Routing:
    """Send each token to its k experts: V2 equations 21–22, V3 equations 13–16, with group limits.

    Parameters
    ----------
    x
        (T, D) hidden states of any floating dtype. The gate computes in float32 at least: bf16 logits would change the
        chosen experts of a few tokens in a hundred.
    weight
        (E, D) expert centroids e_i.
    bias
        (E,) added to the scores for choosing only (V3 equation 16); ``None`` for none. Only ``noaux_tc`` has one.
    cfg
        The rules.
    experts_of
        (T, k) which experts each token has, where a table of token ids says so (V4's hash-routed layers). The gate
        then only weighs; ``biased_scores`` are the plain ones.

    Notes
    -----
    Equal scores are settled by the lower index, for groups and for experts, on every device (a stable sort instead of
    ``topk``, whose order of equals is unspecified). Gradients flow into ``x`` and ``weight`` through the weights; the
    choice itself, and so the bias, has none.
    """
    _check_inputs(x, weight, bias, cfg)
    dtype = torch.promote_types(x.dtype, torch.float32)
    logits = F.linear(x.to(dtype), weight.to(dtype))  # td,ed->te (T, E)
    original_scores = scored(logits, cfg.scoring)  # (T, E)
    with torch.no_grad():
        biased_scores = original_scores.detach() if bias is None else original_scores + bias.to(dtype)  # (T, E)
        group_scores, group_mask = choose_groups(biased_scores, cfg)  # (T, G), (T, G)
        masked_scores = mask_groups(biased_scores, group_mask, cfg)  # (T, E)
        indices = stable_topk(masked_scores, cfg.top_k) if experts_of is None else experts_of  # (T, k)
    weights = original_scores.gather(1, indices)  # (T, k) never the biased ones
    if cfg.norm_topk_prob:
        weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-20)  # V3 equation 13
    weights = weights * cfg.routed_scaling_factor  # (T, k)
    return Routing(
        logits=logits,
        original_scores=original_scores,
        biased_scores=biased_scores,
        group_scores=group_scores,
        group_mask=group_mask,
        masked_scores=masked_scores,
        indices=indices,
        weights=weights,
    )


def _check_inputs(x: Tensor, weight: Tensor, bias: Tensor | None, cfg: GateConfig) -> None:
    if x.ndim != 2:
        raise ExplainError(f"the gate takes tokens (T, D), not {tuple(x.shape)}; flatten batch and sequence first")
    if tuple(weight.shape) != (cfg.n_routed_experts, x.shape[1]):
        raise ExplainError(
            f"gate weight has shape {tuple(weight.shape)}; give ({cfg.n_routed_experts}, {x.shape[1]}) for these tokens"
        )
    if bias is None:
        return
    if cfg.topk_method != "noaux_tc":
        raise ExplainError(f"topk_method {cfg.topk_method!r} has no bias; use 'noaux_tc' or leave the bias out")
    if tuple(bias.shape) != (cfg.n_routed_experts,):
        raise ExplainError(f"bias has shape {tuple(bias.shape)}; give ({cfg.n_routed_experts},), one number an expert")


def stable_topk(scores: Tensor, k: int) -> Tensor:
    """Indices (…, k) of the k largest in each row (…, N), best first; equals by the lower index."""
    return scores.sort(dim=-1, descending=True, stable=True).indices[..., :k]


def choose_groups(biased_scores: Tensor, cfg: GateConfig) -> tuple[Tensor, Tensor]:
    """Group scores (T, G) and the mask (T, G) of the ``topk_group`` best groups.

    V2 section 2.2.2 (device-limited routing) takes the best expert of a group; V3 section 2.1.2 (node-limited routing)
    the sum of its two best (of its only one, where groups have one expert).
    """
    grouped = biased_scores.unflatten(-1, (cfg.n_group, cfg.group_size))  # (T, G, E/G)
    best = min(2, cfg.group_size) if cfg.group_score_rule == "top2_sum" else 1
    group_scores = grouped.topk(best, dim=-1).values.sum(dim=-1)  # (T, G)
    if not cfg.limits_groups:
        return group_scores, torch.ones_like(group_scores, dtype=torch.bool)
    chosen = stable_topk(group_scores, cfg.topk_group)  # (T, topk_group)
    return group_scores, torch.zeros_like(group_scores, dtype=torch.bool).scatter(1, chosen, True)


def mask_groups(biased_scores: Tensor, group_mask: Tensor, cfg: GateConfig) -> Tensor:
    """Scores (T, E) with the forbidden groups out of the race.

    V2 writes 0.0, which is below every softmax score (one that underflows to 0.0 ties, and weighs nothing wherever it
    is sent). V3 must write −inf: a biased score can be negative, and 0.0 would then win.
    """
    if not cfg.limits_groups:
        return biased_scores
    forbidden = -torch.inf if cfg.topk_method == "noaux_tc" else 0.0
    allowed = group_mask.repeat_interleave(cfg.group_size, dim=-1)  # (T, E)
    return biased_scores.masked_fill(~allowed, forbidden)
