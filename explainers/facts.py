"""Typed access to the cited figures in ``assets/facts``.

A file holds entries with short stable keys; an entry holds fields, a source, a date and a confidence. A figure is
addressed ``<file>.<entry>.<field>`` (``hardware.h800.memory``), a cell of a table
``<file>.<entry>.<row>.<column>`` (``benchmarks.r1.aime_2024.deepseek_r1``); scripts put ``fact.`` before it.

File format (checked when a file is read)::

    [about]                      # title, compiled, note
    [units]                      # field → unit, for the whole file; a number without a unit is an error
    [h800]                       # an entry: title, source, date, confidence, and any fields
    memory = 80e9
    confidences = { memory = "secondary" }   # weaker (or stronger) than the entry
    remarks = { memory = "one GPU" }         # where or how, for one field
    sources = { memory = "…" }               # a field that stands in another source
    units = { memory = "B" }                 # wins over the file's

A table has ``columns`` (keys), ``rows`` (key → list of cells; "" = not reported), ``labels`` (key → words) and units
by row, by column or, as ``cells``, for all of it. What is "recalled" (not found again in a source) can be looked at
but never referenced: nothing recalled is shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date as day_of_calendar
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from explainers import paths
from explainers.errors import ExplainError, one_of
from explainers.formatting import parse_unit
from explainers.quantities import Cited, Confidence, Quantity

CONFIDENCES = ("primary", "secondary", "recalled")
_REQUIRED = ("title", "source", "date", "confidence")
_BY_FIELD = ("units", "confidences", "remarks", "sources")
_ABOUT_ENTRY = {*_REQUIRED, *_BY_FIELD, "where", "url", "also_in", "labels", "columns", "rows"}
_KEY = re.compile(r"[a-z0-9][a-z0-9_]*")


@dataclass(frozen=True)
class Table:
    """A published table: keys of rows and columns, their words, and the cells as they stand (None = not reported)."""

    columns: tuple[str, ...]
    rows: tuple[str, ...]
    labels: Mapping[str, str]
    cells: Mapping[tuple[str, str], float | int | str | None]


@dataclass(frozen=True)
class Entry:
    """One entry of a file of facts.

    ``fields`` are numbers, texts, booleans and lists; the cells of a table are fields named ``row.column``.
    """

    file: str
    key: str
    title: str
    source: str
    date: str
    confidence: Confidence
    fields: Mapping[str, Any]
    units: Mapping[str, str] = field(default_factory=dict)
    confidences: Mapping[str, Confidence] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    url: str = ""
    also_in: str = ""
    table: Table | None = None

    @property
    def address(self) -> str:
        return f"{self.file}.{self.key}"

    def numbers(self) -> list[str]:
        """The fields that are figures."""
        return [name for name, value in self.fields.items() if _is_number(value)]

    def confidence_of(self, name: str) -> Confidence:
        """A field's own confidence, else that of its row or column, else the entry's."""
        return _most_specific(name, self.confidences) or self.confidence

    def cited(self, name: str = "") -> Cited:
        """The origin of a field (or of the entry as a whole)."""
        where = ", ".join(part for part in (self.where, _most_specific(name, self.remarks)) if part)
        key = f"{self.address}.{name}" if name else self.address
        if own := _most_specific(name, self.sources):  # taken from elsewhere: the entry's table does not hold it
            return Cited(own, self.date, self.confidence_of(name), key, _most_specific(name, self.remarks))
        return Cited(self.source, self.date, self.confidence_of(name), key, where, self.url)

    def text(self, name: str) -> str:
        """A field that is a text; numbers are asked for with `quantity`."""
        value = self._value(name)
        if not isinstance(value, str):
            raise ExplainError(f"fact.{self.address}.{name} is not a text; ask for its Quantity")
        return value

    def quantity(self, name: str) -> Quantity:
        """A figure with its origin; ``date`` is the entry's day in the calendar (its first, where a span is given).

        Raises
        ------
        ExplainError
            For an unknown field, a field that is no number, and a figure that is only recalled.
        """
        reference = f"fact.{self.address}.{name}"
        if name == "date" and name not in self.fields:
            return self._day(reference)
        value = self._value(name)
        if not _is_number(value):
            figures = ", ".join(self.numbers()) or "none"
            raise ExplainError(f"{reference} is a text, not a figure; figures here: {figures}")
        if self.confidence_of(name) == "recalled":
            raise ExplainError(
                f"{reference} is recalled from memory, not read in a source, so it may not be shown; "
                f"find a source and raise its confidence in assets/facts/{self.file}.toml"
            )
        words = " ".join(self._label(part) for part in name.split("."))
        return Quantity(value, self.units[name], self.cited(name), f"{words}, {self.title}", reference)

    def _day(self, reference: str) -> Quantity:
        """The entry's date as a count of days (`datetime.date.toordinal`); the origin says how precise it is."""
        if self.confidence == "recalled":
            raise ExplainError(f"{reference} is recalled from memory, not read in a source, so it may not be shown")
        first = self.date.split(" ")[0]
        try:
            day = day_of_calendar.fromisoformat(first + "-01" * (2 - first.count("-")))
        except ValueError:
            raise ExplainError(f"{reference} is {self.date!r}; write it like 2025-01-27 in {self.file}.toml") from None
        return Quantity(day.toordinal(), "day", self.cited(), f"date, {self.title}", reference)

    def _label(self, part: str) -> str:
        return self.table.labels.get(part, part) if self.table else part.replace("_", " ")

    def _value(self, name: str) -> Any:
        if name not in self.fields:
            raise one_of(f"field of fact.{self.address}", name, list(self.fields))
        return self.fields[name]

    def to_json(self) -> dict[str, Any]:
        return {
            "key": f"fact.{self.address}",
            "title": self.title,
            "source": self.source,
            "where": self.where,
            "also_in": self.also_in,
            "url": self.url,
            "date": self.date,
            "confidence": self.confidence,
            "fields": {
                name: {
                    "value": value,
                    "unit": self.units.get(name, ""),
                    "confidence": self.confidence_of(name),
                    "remark": _most_specific(name, self.remarks),
                }
                for name, value in self.fields.items()
            },
        }


# ---------------------------------------------------------------------- asking
def files() -> list[str]:
    """The names of the files of facts."""
    return sorted(path.stem for path in (paths.assets() / "facts").glob("*.toml"))


def entries(file: str) -> Mapping[str, Entry]:
    """Key → entry, in the file's order."""
    if file not in files():
        raise one_of("file of facts", file, files())
    return read(paths.assets() / "facts" / f"{file}.toml")


def entry(address: str) -> Entry:
    """``"hardware.h800"`` → the entry."""
    file, _, key = address.partition(".")
    known = entries(file)
    if key not in known:
        raise one_of(f"entry of assets/facts/{file}.toml", key, list(known))
    return known[key]


def quantity(reference: str) -> Quantity:
    """``"hardware.h800.memory"`` → the figure with its source; see `Entry.quantity` for what is refused."""
    file, _, rest = reference.partition(".")
    key, _, name = rest.partition(".")
    if not name:
        raise ExplainError(f"cannot read the fact {reference!r}; write <file>.<entry>.<field>")
    return entry(f"{file}.{key}").quantity(name)


def text(reference: str) -> tuple[str, Cited]:
    """``"timeline.r1.event"`` → a text and where it comes from."""
    file, _, rest = reference.partition(".")
    key, _, name = rest.partition(".")
    found = entry(f"{file}.{key}")
    return found.text(name), found.cited(name)


def table(address: str) -> Table:
    """``"benchmarks.r1"`` → the whole table, for charts and listings."""
    found = entry(address)
    if found.table is None:
        raise ExplainError(f"fact.{address} is not a table; its fields: {', '.join(found.fields)}")
    return found.table


def names() -> Iterator[str]:
    """Every reference that may be shown, with its ``fact.`` prefix."""
    for file in files():
        for found in entries(file).values():
            yield from (f"fact.{found.address}.{n}" for n in found.numbers() if found.confidence_of(n) != "recalled")


@dataclass(frozen=True)
class Found:
    """One field that a search found; ``shown`` is the figure as a viewer would read it, or the text."""

    entry: Entry
    field: str
    shown: str
    showable: bool

    @property
    def reference(self) -> str:
        return f"fact.{self.entry.address}.{self.field}"


def search(query: str = "") -> list[Found]:
    """Fields of which the address, the title, the labels or the text contain every word of ``query``."""
    words = query.lower().replace("fact.", "").split()
    found = []
    for file in files():
        for item in entries(file).values():
            about = f"{item.address} {item.title}"
            for name, value in item.fields.items():
                labels = " ".join(item._label(part) for part in name.split("."))
                hay = f"{about} {item.address}.{name} {labels} {value if isinstance(value, str) else ''}".lower()
                if all(word in hay for word in words):
                    found.append(_found(item, name, value))
    return found


def _found(item: Entry, name: str, value: Any) -> Found:
    if not _is_number(value):
        return Found(item, name, value if isinstance(value, str) else str(value), False)
    shown = Quantity(value, item.units[name], item.cited(name)).text()
    return Found(item, name, shown, item.confidence_of(name) != "recalled")


# ---------------------------------------------------------------------- reading and checking
def read(path: Path) -> Mapping[str, Entry]:
    """Read and check one file; an error names the file and the entry."""
    return _read(str(path), path.stat().st_mtime_ns)


@cache
def _read(path: str, _modified: int) -> Mapping[str, Entry]:
    name = Path(path).name
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExplainError(f"{name} is not valid TOML: {error}") from error
    about, units = data.pop("about", None), data.pop("units", {})
    if not isinstance(about, dict) or not about.get("title"):
        raise ExplainError(f"{name}: the table [about] with a title is missing")
    return MappingProxyType({key: _entry(Path(path).stem, key, body, units) for key, body in data.items()})


def _entry(file: str, key: str, body: Any, file_units: Mapping[str, str]) -> Entry:
    place = f"{file}.toml, entry {key!r}"
    if not _KEY.fullmatch(key) or not isinstance(body, dict):
        raise ExplainError(f"{place}: an entry is a table with a key of a-z, 0-9 and _")
    for name in _REQUIRED:
        if not isinstance(body.get(name), str) or not body[name].strip():
            raise ExplainError(f"{place}: {name} is missing; every entry says its {', '.join(_REQUIRED)}")
    if not re.match(r"\d{4}", body["date"]):
        raise ExplainError(f"{place}: date {body['date']!r} does not start with a year; write 2025-02-27")
    confidences = body.get("confidences", {})
    for level in (body["confidence"], *confidences.values()):
        if level not in CONFIDENCES:
            raise ExplainError(f"{place}: {one_of('confidence', level, CONFIDENCES)}")
    fields = {name: _whole(value) for name, value in body.items() if name not in _ABOUT_ENTRY}
    grid = _table(place, body)
    if grid:
        fields |= {f"{row}.{column}": value for (row, column), value in grid.cells.items() if value is not None}
    units = _units(place, fields, {**file_units, **body.get("units", {})}, grid)
    for kind in ("confidences", "remarks", "sources"):
        for name in body.get(kind, {}):
            if name not in fields and not (grid and name in (*grid.rows, *grid.columns)):
                raise ExplainError(f"{place}: {kind} names {name!r}, which the entry does not have")
    return Entry(
        file,
        key,
        body["title"],
        body["source"],
        body["date"],
        cast(Confidence, body["confidence"]),
        MappingProxyType(fields),
        MappingProxyType(units),
        MappingProxyType(dict(confidences)),
        MappingProxyType(dict(body.get("remarks", {}))),
        MappingProxyType(dict(body.get("sources", {}))),
        body.get("where", ""),
        body.get("url", ""),
        body.get("also_in", ""),
        grid,
    )


def _table(place: str, body: Mapping[str, Any]) -> Table | None:
    if "rows" not in body:
        return None
    columns, cells = tuple(body.get("columns", ())), {}
    if not columns or len(set(columns)) != len(columns):
        raise ExplainError(f"{place}: a table names its columns, each once")
    for row, values in body["rows"].items():
        if len(values) != len(columns):
            raise ExplainError(f"{place}: row {row!r} has {len(values)} cells for {len(columns)} columns")
        for column, value in zip(columns, values, strict=True):
            cells[row, column] = None if value == "" else _whole(value)
    return Table(columns, tuple(body["rows"]), MappingProxyType(dict(body.get("labels", {}))), MappingProxyType(cells))


def _units(place: str, fields: Mapping[str, Any], units: Mapping[str, str], grid: Table | None) -> dict[str, str]:
    """Field → unit for every number; a number whose unit nobody declared is an error."""
    chosen = {}
    for name, value in fields.items():
        if not _is_number(value):
            continue
        unit = _most_specific(name, units, None)
        if unit is None and grid and "." in name:
            unit = units.get("cells")
        if unit is None:
            raise ExplainError(f'{place}: the number {name} has no unit; add it to [units] (a bare number is "")')
        parse_unit(unit)
        chosen[name] = unit
    return chosen


def _most_specific(name: str, by_name: Mapping[str, Any], default: Any = "") -> Any:
    """What ``by_name`` says of a field, else of the row, else of the column of a cell."""
    row, _, column = name.partition(".")
    for candidate in (name, row, column):
        if candidate and candidate in by_name:
            return by_name[candidate]
    return default


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _whole(value: Any) -> Any:
    """Large whole numbers are written 80e9 and counted as integers."""
    return int(value) if isinstance(value, float) and value.is_integer() and 1e6 <= abs(value) < 2**53 else value
