"""Group relative policy optimisation, term by term as published.

DeepSeekMath (2402.03300) eq. 3 with outcome rewards (section 4.1.2), eq. 4 for the KL estimate; the same as
DeepSeek-R1 (2501.12948) eq. 1 to 3, where the sum over tokens is written as one ratio per answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Terms:
    """The parts of the objective, per token (N, T) unless said; zero outside ``mask``.

    ``ratio`` π/π_old; ``objective`` the clipped product with the advantage; ``clipped`` where clipping stops the
    gradient; ``kl`` the estimate against the reference; ``loss`` the scalar to minimise.
    """

    ratio: Tensor
    objective: Tensor
    clipped: Tensor
    kl: Tensor
    loss: Tensor


def group_advantages(rewards: Tensor) -> Tensor:
    """Advantages of the G answers to each question: (r − mean) / std over the group, (Q, G) → (Q, G).

    R1 eq. 3. The standard deviation is that of the group itself (divided by G); where all rewards are equal
    nothing can be learnt from the group and its advantages are 0.
    """
    mean = rewards.mean(dim=-1, keepdim=True)
    spread = rewards.std(dim=-1, keepdim=True, correction=0)
    equal = spread <= 1e-6 * rewards.abs().amax(dim=-1, keepdim=True).clamp(min=1.0)
    return torch.where(equal, 0.0, (rewards - mean) / torch.where(equal, 1.0, spread))


def kl_estimate(logp: Tensor, reference: Tensor) -> Tensor:
    """π_ref/π − log(π_ref/π) − 1 per token, (G, T): never negative, on average over π the KL (DeepSeekMath eq. 4)."""
    gap = reference - logp
    return gap.exp() - gap - 1


def grpo_terms(
    logp: Tensor, old: Tensor, reference: Tensor, advantages: Tensor, mask: Tensor, *, clip: float, beta: float
) -> Terms:
    """DeepSeekMath eq. 3 with its sign turned, as a loss.

    Parameters
    ----------
    logp, old, reference
        Log-probabilities (N, T) of the written tokens under the policy, the policy that wrote them and the reference.
    advantages
        (N,), one for the whole answer.
    mask
        (N, T), true for the tokens that the policy chose.
    clip, beta
        ε and β of the paper.
    """
    ratio = torch.where(mask, (logp - old).exp(), torch.ones_like(logp))
    advantage = advantages[:, None]
    plain, held = ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage
    objective = torch.minimum(plain, held) * mask
    kl = torch.where(mask, kl_estimate(logp, reference), torch.zeros_like(logp))
    lengths = mask.sum(dim=1).clamp(min=1)
    loss = -((objective - beta * kl).sum(dim=1) / lengths).mean()
    return Terms(ratio, objective, (held < plain) & mask, kl, loss)
