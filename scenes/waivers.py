"""Exceptions from the audit, written beside what they excuse, each with its reason.

    formula = waive(math("h_1"), "digits-without-origin", reason="the index of the first token, not a measured number")

    class Overture(LectureScene):
        waivers = {"scene-length": "an opening card: twelve seconds of title"}

Every waiver is listed by ``explain check``, and one that excuses nothing is itself a finding.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from explainers.errors import ExplainError

T = TypeVar("T")


@dataclass(frozen=True)
class Waiver:
    """One code that is excused: why, and where the excuse is written (``file.py:12``)."""

    code: str
    reason: str
    where: str

    def __post_init__(self) -> None:
        if len(self.reason.split()) < 2:
            raise ExplainError(f"{self.where}: the waiver of {self.code!r} has no reason; say why in a sentence")

    def __deepcopy__(self, memo: dict[int, Any]) -> Waiver:
        return self


#: Every waiver that was given since the audit last emptied the list.
given: dict[Waiver, None] = {}


def waive(mobject: T, *codes: str, reason: str) -> T:
    """Excuse a mobject and its parts from findings with these codes; returns the mobject.

    Parameters
    ----------
    codes
        Codes of findings as ``explain check`` prints them: ``"text-over-text"``.
    reason
        Why it is right here, for whoever reads the list of waivers.
    """
    caller = sys._getframe(1)
    where = f"{Path(caller.f_code.co_filename).name}:{caller.f_lineno}"
    if not codes:
        raise ExplainError(f'{where}: waive() names no code; write waive(mobject, "text-over-text", reason="…")')
    new = tuple(Waiver(code, reason, where) for code in codes)
    given.update(dict.fromkeys(new))
    mobject.audit_waivers = (*waivers_on(mobject), *new)  # type: ignore[attr-defined]
    return mobject


def waivers_on(mobject: object) -> tuple[Waiver, ...]:
    """What was waived on this mobject itself."""
    found: tuple[Waiver, ...] = getattr(mobject, "audit_waivers", ())
    return found
