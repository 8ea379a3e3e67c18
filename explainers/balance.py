"""Keeping the experts equally busy: the bias rule, the auxiliary losses, and how balance is measured."""

from __future__ import annotations

import torch
from torch import Tensor

from explainers.errors import ExplainError


def expert_load(indices: Tensor, n_routed_experts: int) -> Tensor:
    """How many (token, slot) pairs each expert got: indices (T, k) → (E,) int64, summing to T·k.

    2408.15664, algorithm 1, c_i.
    """
    return torch.bincount(indices.flatten(), minlength=n_routed_experts)


def max_vio(load: Tensor) -> Tensor:
    """MaxVio = max_i load_i / mean load − 1, a number without unit (2408.15664, equation 4).

    0 is perfect balance; the ceiling is E/k − 1, when k experts get everything. No load at all is an error.
    """
    load = load.to(torch.float64)
    mean = load.mean(dim=-1)
    if bool((mean == 0).any()):
        raise ExplainError("the load of all experts is 0; route at least one token before measuring MaxVio")
    return load.amax(dim=-1) / mean - 1


def update_bias(bias: Tensor, load: Tensor, speed: float) -> Tensor:
    """One step of the auxiliary-loss-free rule (2408.15664, algorithm 1; V3 section 2.1.2).

    b_i ← b_i + u·sign(mean load − load_i): an overloaded expert becomes less attractive to choose, its weight stays.

    Parameters
    ----------
    bias, load
        (E,) and (E,), the load of the last batch.
    speed
        u, the bias update speed (V3: 0.001 for most of the training, then 0).

    Returns
    -------
    Tensor
        The new bias; the old one is not touched.
    """
    load = load.to(torch.float64)
    error = load.mean() - load  # (E,)
    return bias.detach() + speed * error.sign().to(bias.dtype)


def sequence_balance_loss(scores: Tensor, top_k: int, alpha: float, indices: Tensor | None = None) -> Tensor:
    """V3's complementary sequence-wise balance loss, equations 17–20, averaged over sequences.

    Parameters
    ----------
    scores
        (B, S, E) unbiased scores of B sequences of S tokens, or (S, E) for one.
    top_k
        K_r, the experts a token uses.
    alpha
        The balance factor (V3: 0.0001).
    indices
        (B, S, k) or (S, k), the experts to count in f_i. ``None`` is the paper's equation 18 as written: the k best by
        the unbiased scores. Give ``routing.indices`` to count the choice that was made with bias and groups.
    """
    scores = scores if scores.ndim == 3 else scores.unsqueeze(0)  # (B, S, E)
    if indices is None:
        indices = scores.detach().topk(top_k, dim=-1).indices  # (B, S, k)
    indices = indices.reshape(*scores.shape[:2], top_k)
    f = _frequency(indices, scores)  # (B, E) equation 18
    s = scores / (scores.sum(dim=-1, keepdim=True) + 1e-20)  # (B, S, E) equation 19
    p = s.mean(dim=1)  # (B, E) equation 20
    return alpha * torch.einsum("be,be->b", f, p).mean()  # equation 17


def expert_balance_loss(scores: Tensor, indices: Tensor, alpha: float) -> Tensor:
    """V2's expert-level balance loss, equations 23–25 (DeepSeekMoE equations 12–14), over all T tokens at once.

    scores (T, E) of the softmax gate, indices (T, k) the chosen experts, alpha V2's α₁ (0.003).
    """
    f = _frequency(indices.unsqueeze(0), scores.unsqueeze(0))[0]  # (E,) equation 24
    p = scores.mean(dim=0)  # (E,) equation 25
    return alpha * torch.einsum("e,e->", f, p)  # equation 23


def _frequency(indices: Tensor, scores: Tensor) -> Tensor:
    """f_i = E / (k·S) · times expert i was chosen; 1 everywhere at perfect balance: (B, S, k) → (B, E)."""
    batch, length, k = indices.shape
    chosen = torch.zeros(batch, scores.shape[-1], dtype=scores.dtype, device=scores.device)
    ones = torch.ones(batch, length * k, dtype=scores.dtype, device=scores.device)
    return chosen.scatter_add(1, indices.reshape(batch, -1), ones) * (scores.shape[-1] / (k * length))
