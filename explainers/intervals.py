"""How sure a share of right answers is: the binomial interval."""

from __future__ import annotations

import math

from explainers.errors import ExplainError

#: Standard deviations that hold the middle 95 % of a normal distribution.
TWO_SIDED_95 = 1.959963984540054


def wilson(share: float, questions: int, z: float = TWO_SIDED_95) -> tuple[float, float]:
    """The interval of the true share, given a measured one on so many questions (Wilson 1927); shares from 0 to 1.

    Unlike ``share ± z·σ`` it stays between 0 and 1, also for small tests and shares near the ends.
    """
    if not 0 <= share <= 1 or questions < 1:
        raise ExplainError(
            f"an interval needs a share from 0 to 1 and at least one question, not {share:g} of {questions}"
        )
    weight = z * z / questions
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / questions + weight / (4 * questions))
    return max(0.0, middle - half), min(1.0, middle + half)


def standard_error(share: float, questions: int) -> float:
    """The standard deviation of a score when so many questions are drawn, each answered once: √(p·(1 − p)/n)."""
    if not 0 <= share <= 1 or questions < 1:
        raise ExplainError(f"a score is a share from 0 to 1 of at least one question, not {share:g} of {questions}")
    return math.sqrt(share * (1 - share) / questions)
