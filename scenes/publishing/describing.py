"""The words that go out with a film: chapters and a description with its sources, both read off its manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scenes.player.origins import address

#: YouTube's rules: chapters of so many seconds at least, so many at least, the first at 0:00.
CHAPTER_SECONDS, CHAPTERS = 10.0, 3
#: YouTube's limits, in bytes of UTF-8 and in characters; both forbid angle brackets.
DESCRIPTION, TITLE = 5000, 100
_PLACES = 2


@dataclass(frozen=True)
class Source:
    """A source and how many figures of the film are read there. ``places`` are tables and sections, most used first."""

    name: str
    url: str
    figures: int
    places: tuple[str, ...]
    primary: bool


@dataclass
class _Found:
    url: str = ""
    keys: set[str] = field(default_factory=set)
    places: Counter[str] = field(default_factory=Counter)
    primary: bool = True


def chapters(manifest: Mapping[str, Any]) -> list[tuple[float, str]]:
    """Start in seconds and heading of each chapter. A scene that is too short for one opens the next one's.

    Empty where fewer chapters than YouTube wants are left.
    """
    found: list[tuple[float, str]] = []
    begin = 0.0
    for scene in manifest["scenes"]:
        end = float(scene["end_seconds"])
        if end - begin >= CHAPTER_SECONDS:
            found.append((begin, str(scene["heading"])))
            begin = end
    return found if len(found) >= CHAPTERS else []


def stamp(seconds: float) -> str:
    """``75.2`` → ``"1:15"``: the whole second before, as chapters are written."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def chapter_lines(found: Sequence[tuple[float, str]]) -> list[str]:
    """As YouTube reads them."""
    return [f"{stamp(start)} {plain(heading)}" for start, heading in found]


def plain(text: str) -> str:
    """Text in one line, without the angle brackets that YouTube refuses."""
    return " ".join(text.translate(str.maketrans("<>", "‹›")).split())


# ---------------------------------------------------------------------- sources
def sources(manifest: Mapping[str, Any]) -> tuple[list[Source], list[str]]:
    """What the numbers of a film (shown and said) rest on: sources, most used first, and names of runs."""
    found: dict[str, _Found] = {}
    computed: dict[str, None] = {}
    for origin in _origins(manifest):
        if origin.get("kind") != "cited":
            computed |= {str(origin["run"]): None} if origin.get("run") else {}
            continue
        source = found.setdefault(str(origin["source"]), _Found())
        source.url = source.url or address(origin)
        key = str(origin.get("key") or origin.get("where"))
        if key not in source.keys and origin.get("where"):
            source.places[str(origin["where"])] += 1
        source.keys.add(key)
        source.primary &= origin.get("confidence", "primary") == "primary"
    ordered = sorted(found.items(), key=lambda item: (-len(item[1].keys), item[0]))
    told = [
        Source(name, each.url, len(each.keys), _distinct(place for place, _ in each.places.most_common()), each.primary)
        for name, each in ordered
    ]
    return told, sorted(computed)


def _distinct(places: Iterable[str]) -> tuple[str, ...]:
    """Places without those that only add to one that stands there already ("sec. 2", "sec. 2, FP8")."""
    kept: list[str] = []
    for place in places:
        if not any(place.startswith(other) or other.startswith(place) for other in kept):
            kept.append(place)
    return tuple(kept)


def _origins(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for scene in manifest["scenes"]:
        for step in scene["steps"]:
            for number in (*step["numbers"], *step["said"]):
                yield from _roots(number["origin"])


def _roots(origin: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield origin
    for source in origin.get("inputs") or ():
        yield from _roots(source["origin"])


# ---------------------------------------------------------------------- the description
def title(manifest: Mapping[str, Any]) -> str:
    """The lecture's title; its first half where the whole is too long."""
    whole = plain(str(manifest["title"]))
    return whole if len(whole) <= TITLE else whole.partition(" — ")[0][:TITLE]


def description(manifest: Mapping[str, Any], answer: str = "", limit: int = DESCRIPTION) -> str:
    """Question, chapters, sources, runs, voice: as much as fits; what does not fit is counted."""
    marks = chapter_lines(chapters(manifest))
    told, computed = sources(manifest)
    head = [plain(str(manifest["question"])), *([plain(answer)] if answer else []), ""]
    body = ["Chapters", *marks, ""] if marks else []
    runs = ["Computed for this film", plain(", ".join(computed)), ""] if computed else []
    voice = manifest["settings"].get("voice")
    names = sorted({step.get("voice") for scene in manifest["scenes"] for step in scene["steps"]} - {None, ""})
    machine = [name for name in names if name != "recorded"]
    foot = [f"Spoken by a synthetic voice ({', '.join(machine)})."] if voice and machine else []
    lines = [line for source in told if (line := _line(source))]
    for count in range(len(lines), -1, -1):
        rest = [f"and {len(lines) - count} more"] if count < len(lines) else []
        cited = ["Sources of the numbers", *lines[:count], *rest, ""] if lines else []
        text = "\n".join([*head, *body, *cited, *runs, *foot]).strip() + "\n"
        if len(text.encode()) <= limit:
            return text
    return "\n".join([head[0], "", *marks]).encode()[:limit].decode(errors="ignore")


def _line(source: Source) -> str:
    places = "; ".join(source.places[:_PLACES]) + (" …" if len(source.places) > _PLACES else "")
    told = "" if source.primary else " (in part told by others)"
    return plain(f"{source.name}{told}{': ' if places else ''}{places} {source.url}")
