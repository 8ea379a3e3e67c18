"""Why many small experts: how many teams of experts a token can have, at equal parameters and equal work."""

from __future__ import annotations

import math

import numpy as np

from explainers import configs
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray, Trace


def expert_teams(*, model: str = "v3", seed: int = 0) -> Trace:
    """A layer's experts cut finer and finer, from one large expert a token to the model's own k small ones.

    Each cut halves the experts' width, doubles their number and doubles how many a token uses (DeepSeekMoE,
    2401.06066, section 3.1): parameters and arithmetic stay, the number of possible teams, experts choose k, grows.
    Node limits are left out except in ``teams_in_groups``.

    Parameters
    ----------
    model
        A model in `explainers.configs` whose k is a power of two times an odd number; the first cut has that odd
        number of experts a token.
    seed
        Draws one possible team of each cut, and one within the groups.

    Returns
    -------
    Trace
        Arrays over ``cut``: ``experts``, ``chosen``, ``teams``. Over ``expert``: ``team_<i>``, true for the team drawn
        of cut i, and ``team_in_groups``; over ``group``: ``open_groups``, the groups of that one. Numbers:
        ``experts_<i>``, ``chosen_<i>`` and ``teams_<i>`` of cut i from 0, ``teams_in_groups`` of the last cut.
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
    arrays |= _teams([(int(numbers[f"experts_{i}"]), int(numbers[f"chosen_{i}"])) for i in range(halvings + 1)], seed)
    groups, kept = (int(configs.quantity(f"{model}.expert_groups{part}")) for part in ("", "_kept"))
    arrays |= _team_in_groups(int(experts), int(k), groups, kept, seed)
    return Trace("expert_teams", arrays, numbers, {"model": model}, seed)


def _teams(cuts: list[tuple[int, int]], seed: int) -> dict[str, NamedArray]:
    """One team of each cut, (experts, chosen), drawn by lot."""
    drawn = {}
    for cut, (count, chosen) in enumerate(cuts):
        team = np.zeros(count, dtype=np.bool_)
        team[np.random.default_rng(seed + count).choice(count, chosen, replace=False)] = True
        drawn[f"team_{cut}"] = NamedArray(team, ("expert",), f"a team of cut {cut}")
    return drawn


def _team_in_groups(count: int, chosen: int, groups: int, kept: int, seed: int) -> dict[str, NamedArray]:
    """Groups drawn by lot, and a team drawn from their experts."""
    lot = np.random.default_rng(seed + groups)
    open_groups, team = np.zeros(groups, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    open_groups[lot.choice(groups, kept, replace=False)] = True
    usable = np.flatnonzero(open_groups.repeat(count // groups))
    team[lot.choice(usable, chosen, replace=False)] = True
    return {
        "open_groups": NamedArray(open_groups, ("group",), "groups of a team"),
        "team_in_groups": NamedArray(team, ("expert",), "a team within the groups"),
    }


def _halvings(experts: int, k: int) -> int:
    """How often both numbers can be halved."""
    count = 0
    while experts % 2 == 0 and k % 2 == 0:
        experts, k, count = experts // 2, k // 2, count + 1
    return count
