"""What installed packages add: their entry points, by group. Nothing of a package is imported before it is asked for.

========================  ============================================================================
``explain.runs``          a run function; the entry's name is the run's
``explain.kit``           a kit class; ``from scenes.kit import NAME`` finds it
``explain.courses``       a `scenes.registry.Course`; chosen by ``EXPLAIN_COURSE=NAME``
``explain.themes``        a `scenes.kit.theme.Theme`; chosen by ``EXPLAIN_THEME=NAME``
``explain.checks``        a function (picture, notes) of ``explain check``; the entry's name is its code
``explain.voices``        a `scenes.voices.Voice`, called with ``--voice-model`` or None; chosen by ``--voice NAME``
========================  ============================================================================
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from explainers.errors import ExplainError, one_of


@cache
def offered(group: str) -> dict[str, EntryPoint]:
    """Name → entry point of a group, by name; two packages that offer one name are an error."""
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=group):
        other = found.get(entry.name)
        if other is not None and other.value != entry.value:
            raise ExplainError(
                f"{package(entry)} and {package(other)} both offer {entry.name!r} as {group}; uninstall one of them"
            )
        found[entry.name] = entry
    return dict(sorted(found.items()))


def package(entry: EntryPoint) -> str:
    """The name of the distribution that offers it."""
    return entry.dist.name if entry.dist else entry.module


def load(group: str, name: str) -> Any:
    """The object behind a name; a package that does not import is an error that names it."""
    if name not in offered(group):
        raise one_of(group.replace("explain.", "").removesuffix("s"), name, list(offered(group)) or ["none installed"])
    entry = offered(group)[name]
    try:
        return entry.load()
    except Exception as error:  # whatever a foreign package raises while it is imported
        reason = f"{type(error).__name__}: {error}"
        raise ExplainError(
            f"{name!r} of the package {package(entry)} cannot be loaded ({reason}); update that package, or remove it "
            f"with `pip uninstall {package(entry)}`"
        ) from error
