"""Why many small experts: how many teams of experts a token can have, at equal parameters and equal work."""

from __future__ import annotations

import math

import numpy as np

from explainers import configs
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray, Trace


def expert_teams(*, model: str = "v3") -> Trace:
    """A layer's experts cut finer and finer, from one large expert a token to the model's own k small ones.

    Each cut halves the experts' width, doubles their number and doubles how many a token uses (DeepSeekMoE,
    2401.06066, section 3.1): parameters and arithmetic stay, the number of possible teams, experts choose k, grows.
    Node limits are left out except in ``teams_in_groups``.

    Parameters
    ----------
    model
        A model in `explainers.configs` whose k is a power of two times an odd number; the first cut has that odd
        number of experts a token.

    Returns
    -------
    Trace
        Arrays over ``cut``: ``experts``, ``chosen``, ``teams``. Numbers: ``experts_<i>``, ``chosen_<i>`` and
        ``teams_<i>`` of cut i from 0, ``teams_in_groups`` of the last cut.
    """
    experts, k = configs.quantity(f"{model}.routed_experts"), configs.quantity(f"{model}.experts_per_token")
    halvings = _halvings(int(experts.value), int(k.value))
    numbers: dict[str, Quantity] = {}
    for cut in range(halvings + 1):
        fold = 2 ** (halvings - cut)
        words = f"experts {fold} times as wide" if fold > 1 else "experts as they are"
        n = computed(experts.value // fold, "expert", f"routed_experts / {fold}", (experts,), name=words)
        m = computed(k.value // fold, "expert", f"experts_per_token / {fold}", (k,), name=f"of which used, {words}")
        numbers |= {
            f"experts_{cut}": n,
            f"chosen_{cut}": m,
            f"teams_{cut}": computed(
                math.comb(int(n.value), int(m.value)), "", "experts choose k", (n, m), name=f"teams, {words}"
            ),
        }
    numbers["teams_in_groups"] = configs.quantity(f"{model}.expert_teams_in_groups")

    def over(name: str) -> NamedArray:
        values = [float(numbers[f"{name}_{cut}"].value) for cut in range(halvings + 1)]
        return NamedArray(np.array(values), ("cut",), name)

    arrays = {name: over(name) for name in ("experts", "chosen", "teams")}
    return Trace("expert_teams", arrays, numbers, {"model": model})


def _halvings(experts: int, k: int) -> int:
    """How often both numbers can be halved."""
    count = 0
    while experts % 2 == 0 and k % 2 == 0:
        experts, k, count = experts // 2, k // 2, count + 1
    return count
