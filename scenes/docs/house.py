"""The house as a diagram: its rooms and who imports whom, counted in the sources as they are."""

from __future__ import annotations

import html
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import grimp
import networkx as nx
import numpy as np

from scenes.docs import markdown

_ROOT = Path(__file__).resolve().parents[2]
#: What the single modules of `scenes` are for, and the room of those through which everything is called.
_HALL, _DOOR = "scenes: stage, script, clock", "scenes.commands"
#: Of a box, between boxes, and of the place that an arrow takes between them, in pixels.
_WIDE, _HIGH, _ACROSS, _DOWN, _MARGIN, _PASS = 170, 46, 30, 52, 12, 10


@dataclass(frozen=True)
class House:
    """``imports``: (importing room, imported room) → in how many places one module imports another."""

    imports: Mapping[tuple[str, str], int]
    modules: Mapping[str, int]

    def shelves(self) -> list[list[str]]:
        """Rooms in rows, the lowest first: each stands on everything that it imports, as low as it can."""
        graph = nx.DiGraph(list(self.imports))
        graph.add_nodes_from(self.modules)
        whole = nx.condensation(graph)
        rows = nx.topological_generations(whole.reverse())
        return [sorted(room for part in row for room in whole.nodes[part]["members"]) for row in rows]

    def arrows(self) -> list[tuple[str, str]]:
        """What is drawn: the imports without those that follow from others, and without circles."""
        graph = nx.DiGraph(list(self.imports))
        circles = {room: index for index, rooms in enumerate(nx.strongly_connected_components(graph)) for room in rooms}
        graph.remove_edges_from([(one, two) for one, two in self.imports if circles[one] == circles[two]])
        return sorted(nx.transitive_reduction(graph).edges)

    def circles(self) -> list[list[str]]:
        """Rooms that import each other, which none should."""
        graph = nx.DiGraph(list(self.imports))
        return [sorted(rooms) for rooms in nx.strongly_connected_components(graph) if len(rooms) > 1]


def room_of(module: str) -> str:
    """The room in which a module is: its folder, one level down; single modules of `scenes` are the hall."""
    package, _, rest = module.partition(".")
    name = rest.partition(".")[0]
    if (_ROOT / package / name).is_dir() and name:
        return f"{package}.{name}"
    if package == "explainers":
        return package
    return _DOOR if name in ("cli", "__main__") else _HALL


def read(packages: Iterable[str] = ("explainers", "scenes")) -> House:
    """Every import of the sources, also those inside functions.

    Of the single modules of `scenes`, those on which the kit stands are a room of their own below it, and those
    that stand on other rooms than the kit one above them.
    """
    graph = grimp.build_graph(*packages, cache_dir=None)
    rooms = {module: room_of(module) for module in graph.modules}
    hall = {module for module, room in rooms.items() if room == _HALL and module != "scenes"}
    ground = hall & graph.find_upstream_modules("scenes.kit", as_package=True)
    others = {module for module, room in rooms.items() if room not in (_HALL, "scenes.kit") and room[0] == "s"}
    above = {module for module in hall - ground if graph.find_upstream_modules(module) & others}
    for part in (ground, above):
        names = ", ".join(sorted(module.rpartition(".")[2] for module in part))
        rooms.update(dict.fromkeys(part, f"scenes: {names}"))
    imports: Counter[tuple[str, str]] = Counter()
    for module in graph.modules:
        for other in graph.find_modules_directly_imported_by(module):
            if rooms[module] != rooms[other]:
                details = graph.get_import_details(importer=module, imported=other)
                imports[rooms[module], rooms[other]] += len(details)
    return House(imports, Counter(rooms.values()))


# ---------------------------------------------------------------------- the picture
#: What stands in a row: a room, or (importing, imported, row) where an arrow passes on its way further down.
Spot = str | tuple[str, str, int]


def drawing(house: House) -> str:
    """The house as SVG: rooms in rows, an arrow from each to those that it stands on, as wide as it imports often."""
    rows = _ordered(house)
    height = len(rows) * (_HIGH + _DOWN) - _DOWN + 2 * _MARGIN
    width = max(sum(map(_wide, row)) + _ACROSS * (len(row) - 1) for row in rows) + 2 * _MARGIN
    place: dict[Spot, tuple[float, float]] = {}  # the middle of the upper edge
    for level, row in enumerate(rows):
        x = (width - sum(map(_wide, row)) - _ACROSS * (len(row) - 1)) / 2
        for spot in row:
            place[spot] = (x + _wide(spot) / 2, height - _MARGIN - _HIGH - level * (_HIGH + _DOWN))
            x += _wide(spot) + _ACROSS
    arrows = [_arrow(_way(house, one, two), place, house.imports[one, two]) for one, two in house.arrows()]
    boxes = [_box(room, *place[room], house.modules[room]) for room in house.modules]
    words = f"The rooms of the house and {len(arrows)} arrows between them; the table below has every number."
    head = f'<svg class="house" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{html.escape(words)}"'
    tip = '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" orient="auto" '
    tip += 'markerUnits="userSpaceOnUse"><path d="M0 0 8 4 0 8z"/></marker>'
    return "\n".join([f'{head} xmlns="http://www.w3.org/2000/svg"><defs>{tip}</defs>', *arrows, *boxes, "</svg>"])


def _wide(spot: Spot) -> float:
    return _WIDE if isinstance(spot, str) else _PASS


def _way(house: House, one: str, two: str) -> list[Spot]:
    """From a room to one below it, through a place in every row between."""
    level = {room: index for index, row in enumerate(house.shelves()) for room in row}
    return [one, *((one, two, between) for between in range(level[one] - 1, level[two], -1)), two]


def _ordered(house: House) -> list[list[Spot]]:
    """The rows from below with rooms and places to pass, sorted by what lies under them, so that few arrows cross."""
    ways = [_way(house, one, two) for one, two in house.arrows()]
    place: dict[Spot, float] = {}
    rows: list[list[Spot]] = []
    for level, row in enumerate(house.shelves()):
        passing = [spot for way in ways for spot in way if not isinstance(spot, str) and spot[2] == level]
        under: dict[Spot, list[float]] = {}
        spots: list[Spot] = [*row, *passing]
        for spot in spots:
            steps = [below for way in ways for above, below in pairwise(way) if above == spot]
            under[spot] = [place[below] for below in steps]
        ordered = sorted(under, key=lambda spot, under=under: (float(np.mean(under[spot] or [0])), str(spot)))  # type: ignore[misc]
        rows.append(ordered)
        place |= {spot: index - (len(ordered) - 1) / 2 for index, spot in enumerate(ordered)}
    return rows


def _arrow(way: list[Spot], place: Mapping[Spot, tuple[float, float]], count: int) -> str:
    """A curve from the lower edge of a box to the upper edge of another, upright where it passes a row."""
    x, y = place[way[0]]
    path = f"M{x:g} {y + _HIGH:g}"
    for above, below in pairwise(way):
        (x, y), (u, v) = place[above], place[below]
        path += f"C{x:g} {y + _HIGH + _DOWN / 2:g} {u:g} {v - _DOWN / 2:g} {u:g} {v:g}"
        path += f"V{v + _HIGH:g}" if below is not way[-1] else ""
    return f'<path class="arrow" d="{path}" stroke-width="{1 + count**0.5 / 3:.1f}" marker-end="url(#tip)"/>'


def _box(room: str, x: float, y: float, modules: int) -> str:
    """A room; ``x`` is its middle."""
    name, _, more = room.partition(": ")
    words = textwrap.shorten(more, 26, placeholder=" …") if more else f"{modules} modules"
    return (
        f'<g><rect x="{x - _WIDE / 2:g}" y="{y:g}" width="{_WIDE}" height="{_HIGH}" rx="7"/>'
        f'<text x="{x:g}" y="{y + 20:g}">{html.escape(name)}</text>'
        f'<text class="quiet" x="{x:g}" y="{y + 36:g}">{html.escape(words)}</text></g>'
    )


def write(source: Path) -> None:
    """Write ``house.md``: the diagram, and every count in a table."""
    house = read()
    rooms = [room for row in reversed(house.shelves()) for room in row]
    imported = [room for room in rooms if any(two == room for _, two in house.imports)]
    rows = [
        (f"**{one}**", *(str(house.imports[one, two]) if (one, two) in house.imports else "" for two in imported))
        for one in rooms
    ]
    parts = [
        "# The house",
        "Who imports whom, read from the sources when these pages were built. A room stands above all that it "
        "imports, so that arrows run down only; those that follow from others are left out. An arrow is the wider, "
        "the more often it imports. `tests/test_architecture.py` forbids the ones that would run up.",
        markdown.fence("{raw} html", drawing(house)),
        *(f"**{' and '.join(circle)} import each other.**" for circle in house.circles()),
        "## Every import",
        "A row imports from the columns, so many times.",
        markdown.table(("", *(_short(room) for room in imported)), rows),
    ]
    (source / "house.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _short(room: str) -> str:
    package, _, names = room.partition(": ")
    return textwrap.shorten(names, 14, placeholder=" …") or package.rpartition(".")[2]
