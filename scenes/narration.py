"""What is said in one step of a script: words, numbers that are filled in, and marks between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from explainers.errors import ExplainError
from scenes.spoken import tokens, words

if TYPE_CHECKING:
    from explainers.quantities import Quantity

_TYPICAL = " 12.3 "  # four words


@dataclass(frozen=True)
class Reference:
    """``{{ name | fmt }}`` at a line of a script."""

    name: str
    fmt: str
    where: str

    @property
    def costly(self) -> bool:
        """Whether filling it means to compute a run that ships no record."""
        if not self.name.startswith("run."):
            return False
        from explainers.runs import CATALOGUE

        run = CATALOGUE.get(self.name.split(".")[1])
        return run is None or not (run.recorded and run.record().is_file())

    @cached_property
    def quantity(self) -> Quantity:
        from explainers.references import resolve

        try:
            return resolve(self.name)
        except ExplainError as error:
            raise ExplainError(f"{self.where}: {error}") from error


@dataclass(frozen=True)
class Mark:
    """``[[name]]``: a cue at the next word."""

    name: str


@dataclass(frozen=True)
class Either:
    """``{% if run.routing.released %} yes {% else %} no {% end %}``: by whether the run has such a number."""

    name: str
    yes: tuple[str | Reference, ...]
    no: tuple[str | Reference, ...]

    @cached_property
    def said(self) -> tuple[str | Reference, ...]:
        from explainers import runs

        _, run, number = self.name.split(".")
        return self.yes if number in runs.get(run).quantities else self.no


Part = str | Reference | Mark | Either


@dataclass(frozen=True)
class Step:
    """One paragraph: what is said between two pause points.

    ``index`` counts from 1; ``where`` is ``file:line``; ``source`` the paragraph as it was written.
    """

    index: int
    source: str
    where: str
    parts: tuple[Part, ...]
    lang: str = "en"

    @cached_property
    def narration(self) -> str:
        """The words that are said, numbers filled in."""
        return " ".join("".join(text for text, _ in self._filled).split())

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The narration split at white space, Chinese and Japanese at characters; `marks` index into it."""
        return tuple(tokens(self.narration))

    @cached_property
    def words(self) -> int:
        """How many words one says, figures counted as they are read aloud (`scenes.spoken`)."""
        return words(self.narration, self.lang)

    @cached_property
    def words_planned(self) -> int:
        """`words` without computing anything: a number of a run that is not recorded counts as a typical one."""
        parts = _flat(self.parts, lambda either: either.no)
        costly = (isinstance(part, Reference) and part.costly for part in parts)
        said = (_TYPICAL if dear else _text(part, self.lang) for dear, part in zip(costly, parts))
        return words("".join(said), self.lang)

    @cached_property
    def marks(self) -> dict[str, int]:
        """Mark → index of the token it stands before."""
        found: dict[str, int] = {}
        said = ""
        for text, part in self._filled:
            if isinstance(part, Mark):
                found[part.name] = len(tokens(said))
            said += text
        return found

    @cached_property
    def quantities(self) -> tuple[tuple[Quantity, str], ...]:
        """Every number that is said, with the text that is said for it."""
        return tuple((part.quantity, text) for text, part in self._filled if isinstance(part, Reference))

    @property
    def references(self) -> tuple[Reference, ...]:
        """Every number that may be said."""
        parts = _flat(self.parts, lambda either: either.yes + either.no)
        return tuple(part for part in parts if isinstance(part, Reference))

    @property
    def conditions(self) -> tuple[str, ...]:
        """The names by which it says one thing or another."""
        return tuple(part.name for part in self.parts if isinstance(part, Either))

    @property
    def mark_names(self) -> tuple[str, ...]:
        """The marks in order, known without computing anything."""
        return tuple(part.name for part in self.parts if isinstance(part, Mark))

    @cached_property
    def _filled(self) -> tuple[tuple[str, Part], ...]:
        return tuple((_text(part, self.lang), part) for part in _flat(self.parts, lambda either: either.said))


def _flat(parts: Iterable[Part], branch: Callable[[Either], Iterable[Part]]) -> list[Part]:
    """The parts, with a branch in place of each `Either`."""
    return [each for part in parts for each in (branch(part) if isinstance(part, Either) else (part,))]


def _text(part: Part, lang: str) -> str:
    if isinstance(part, Reference):
        return part.quantity.text(part.fmt, lang).replace("\u00a0", " ").replace("\u202f", " ")
    return part if isinstance(part, str) else ""
