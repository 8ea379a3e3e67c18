"""Three questions in the style of three kinds of benchmark, written for this course, and how each is checked.

A coding question is checked by running the answer against cases whose results are known (HumanEval, LiveCodeBench,
SWE-bench), a mathematics question by comparing one number (AIME), a choice by comparing one letter (MMLU, GPQA).
Everything is small enough to verify by trying all possibilities, and the candidate programs are fixed and ship here.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from explainers.errors import ExplainError

Shifts = list[tuple[int, int]]


# ---------------------------------------------------------------------- coding: three candidates
def sorts_and_remembers(shifts: Shifts) -> int:
    rests, until = [], None
    for start, end in sorted(shifts):
        rests.append(start - (until or start))
        until = max(until or end, end)
    return max(rests)


def forgets_to_sort(shifts: Shifts) -> int:
    rests, until = [], None
    for start, end in shifts:
        rests.append(start - (until or start))
        until = max(until or end, end)
    return max(rests)


def trusts_the_last_end(shifts: Shifts) -> int:
    rests, until = [], None
    for start, end in sorted(shifts):
        rests.append(start - (until or start))
        until = end
    return max(rests)


#: What was asked, and the answers that are checked: one is right, two have a common slip.
CODING_QUESTION = (
    "People work in shifts, given as start and end in any order. Return the longest time with nobody at work."
)
CANDIDATES: dict[str, Callable[[Shifts], int]] = {
    "sorts, remembers": sorts_and_remembers,
    "forgets to sort": forgets_to_sort,
    "trusts the last end": trusts_the_last_end,
}
#: Name → shifts in hours of one day. The results are counted hour by hour, by `rest_by_hours`.
CASES: dict[str, Shifts] = {
    "apart": [(6, 10), (12, 16), (17, 21)],
    "touching": [(6, 12), (12, 18)],
    "overlapping": [(6, 12), (10, 16), (19, 22)],
    "out of order": [(15, 19), (6, 10)],
    "one inside": [(6, 16), (8, 10), (18, 22)],
}


def rest_by_hours(shifts: Shifts) -> int:
    """The longest run of hours without anybody between the first start and the last end, counted hour by hour."""
    if not shifts or any(start >= end for start, end in shifts):
        raise ExplainError(f"the shifts {shifts} need at least one, each with its start before its end")
    first, last = min(start for start, _ in shifts), max(end for _, end in shifts)
    at_work = [any(start <= hour < end for start, end in shifts) for hour in range(first, last)]
    return max((len(list(run)) for busy, run in itertools.groupby(at_work) if not busy), default=0)


def code_of(candidate: Callable[[Shifts], int]) -> tuple[str, ...]:
    """The lines of a candidate as they stand here, which are those that run; called ``longest_rest``."""
    lines = inspect.getsource(candidate).rstrip().splitlines()
    return ("def longest_rest(shifts):", *lines[1:])


def run_case(candidate: Callable[[Shifts], int], shifts: Shifts) -> int | None:
    """What a candidate returns for a case, None where it raises."""
    try:
        return candidate(list(shifts))
    except Exception:  # a candidate may fail in any way: that is what is found out here
        return None


# ---------------------------------------------------------------------- mathematics: one number
@dataclass(frozen=True)
class Teams:
    """``chosen`` of ``groups`` × ``per_group`` experts: how many choices leave at least one group out?"""

    groups: int = 4
    per_group: int = 3
    chosen: int = 6

    @property
    def experts(self) -> int:
        return self.groups * self.per_group

    def left_out(self) -> list[int]:
        """For each choice of experts, in order: how many groups have no expert in it. By trying them all."""
        if not 0 < self.chosen <= self.experts:
            raise ExplainError(f"{self.chosen} experts cannot be chosen from {self.experts}; take 1 to {self.experts}")
        teams = itertools.combinations(range(self.experts), self.chosen)
        return [self.groups - len({expert // self.per_group for expert in team}) for team in teams]

    def naive(self) -> int:
        """The plausible slip: leave a group out, choose from the rest, for every group. Counts some choices twice."""
        return self.groups * math.comb(self.experts - self.per_group, self.chosen)


# ---------------------------------------------------------------------- logic: one letter
SPEAKERS = ("Ada", "Ben", "Cleo")
#: What each speaker says, as a statement about who tells the truth.
STATEMENTS: dict[str, tuple[str, Callable[[Sequence[bool]], bool]]] = {
    "Ada": ("Ben lies", lambda true: not true[1]),
    "Ben": ("Cleo lies", lambda true: not true[2]),
    "Cleo": ("you both lie", lambda true: not true[0] and not true[1]),
}
#: Letter → who tells the truth, as offered.
CHOICES: dict[str, tuple[str, ...]] = {"A": ("Ada",), "B": ("Ben",), "C": ("Cleo",), "D": ("Ada", "Cleo")}


def worlds() -> list[tuple[bool, ...]]:
    """Every way in which the speakers can tell the truth or lie."""
    return list(itertools.product((True, False), repeat=len(SPEAKERS)))


def consistent(world: Sequence[bool]) -> bool:
    """Whether, in this world, everybody who tells the truth says something true and every liar something false."""
    return all(STATEMENTS[who][1](world) == true for who, true in zip(SPEAKERS, world, strict=True))


def right_letters(offered: Iterable[str] = tuple(CHOICES)) -> list[str]:
    """The letters whose choice is a consistent world."""
    good = [
        tuple(who for who, true in zip(SPEAKERS, world, strict=True) if true) for world in worlds() if consistent(world)
    ]
    return [letter for letter in offered if CHOICES[letter] in good]
