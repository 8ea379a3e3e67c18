"""What a lecture cites: the figures and runs that its scenes really show or say, noted by the check.

``explain check N --update`` walks the scenes of a lecture and writes ``assets/citations/N.json``; every later check
compares. The lecture's end card draws its sources from that file, so none of them is typed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from explainers import paths
from explainers.errors import ExplainError
from explainers.quantities import Cited, Quantity
from explainers.traces import NamedArray, Trace, write_aside
from scenes.registry import Course


@dataclass(frozen=True)
class Citations:
    """Addresses of cited figures (``models.v3.layers``) and names of runs, each sorted."""

    facts: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Iterable[Quantity | NamedArray | Trace]) -> Citations:
        """Everything at the roots of these numbers and arrays."""
        facts: set[str] = set()
        runs: set[str] = set()
        for datum in data:
            if isinstance(datum, Quantity):
                origins = set(roots(datum))
                facts |= {origin.key for origin in origins if isinstance(origin, Cited)}
                runs |= {origin for origin in origins if isinstance(origin, str)}
            elif datum.run:
                runs.add(datum.run)
        return cls(tuple(sorted(facts - {""})), tuple(sorted(runs)))

    def __or__(self, other: Citations) -> Citations:
        return Citations(tuple(sorted({*self.facts, *other.facts})), tuple(sorted({*self.runs, *other.runs})))


def roots(quantity: Quantity) -> Iterator[Cited | str]:
    """Where a number comes from in the end: sources, and names of runs."""
    origin = quantity.origin
    if isinstance(origin, Cited):
        yield origin
        return
    if origin.run:
        yield origin.run
    for source in origin.inputs:
        yield from roots(source)


def folder(course: Course | None = None, lecture: int = 0) -> Path:
    """Where a course keeps its citations; a lecture that somebody put together anew has them beside the choice."""
    if course is not None and course.own and not course.is_as_written(lecture):
        return course.own.path.parent / "citations"
    if course is None or course.scripts.resolve() == paths.lecture_scripts().resolve():
        return paths.assets() / "citations"
    return course.scripts.parent / "citations"


def file_of(lecture: int, course: Course | None = None) -> Path:
    """The file of a lecture's citations."""
    number = course.lecture(lecture).sections[0].lecture if course and course.is_as_written(lecture) else lecture
    return folder(course, lecture) / f"{number}.json"


def load(lecture: int, course: Course | None = None) -> Citations | None:
    """The citations noted of a lecture; None where none were."""
    path = file_of(lecture, course)
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Citations(tuple(data["facts"]), tuple(data["runs"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ExplainError(f"{path.name} is damaged; write it with `explain check {lecture} --update`") from error


def save(lecture: int, citations: Citations, course: Course | None = None) -> Path:
    """Write the citations of a lecture."""
    path = file_of(lecture, course)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, (json.dumps(asdict(citations), indent=1) + "\n").encode())
    return path
