"""Which look is in force, known without importing what draws it: the theme's name, and what somebody changed in it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from explainers import extensions
from explainers.errors import ExplainError, one_of
from scenes import own_course
from scenes.themes import ROLES, THEMES, Theme

__all__ = ["ROLES", "THEMES", "Theme"]

ENVIRONMENT = "EXPLAIN_THEME"
#: What pictures took of the theme since it was cleared: roles, ``sequential``, ``diverging``; with ``theme/`` before
#: them where a scene chose a theme itself.
noted: set[str] = set()


def name(environment: Mapping[str, str] = os.environ) -> str:
    """The theme's name: ``$EXPLAIN_THEME``, else what the course's own file says, else ``dark``."""
    own = own_course.current(environment)
    return environment.get(ENVIRONMENT) or (own.theme if own else "") or "dark"


def colours(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Role → colour, where a lecturer's own file changes the theme; none where another theme was asked for."""
    own = own_course.current(environment)
    return {} if own is None or environment.get(ENVIRONMENT) else dict(own.colours)


def fonts(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """``sans`` and ``mono`` → a family or a file, where a lecturer's own file names one."""
    own = own_course.current(environment)
    found = dict(own.fonts) if own else {}
    for key, font in found.items():
        if Path(font).suffix.lower() in (".ttf", ".otf"):
            assert own is not None
            file = own.path.parent / font
            if not file.is_file():
                raise own.error(f"theme.fonts.{key}", f"there is no {file}; give a font file or a family")
            found[key] = str(file.resolve())
    return found


def named(name: str) -> Theme:
    """A theme of this project, or of an installed package (entry point ``explain.themes``)."""
    if name in THEMES:
        return THEMES[name]
    if name not in extensions.offered("explain.themes"):
        raise one_of("theme", name, [*THEMES, *extensions.offered("explain.themes")])
    found = extensions.load("explain.themes", name)
    if not isinstance(found, Theme):
        raise ExplainError(
            f"the theme {name!r} of an installed package is no scenes.kit.theme.Theme; mend that package"
        )
    return found


def in_force(environment: Mapping[str, str] = os.environ) -> Theme:
    """The theme that was chosen, with a lecturer's own colours."""
    return _changed(name(environment), tuple(colours(environment).items()))


@cache
def _changed(name: str, colours: tuple[tuple[str, str], ...]) -> Theme:
    """A theme in which some roles have other colours."""
    found = named(name)
    return replace(found, colours={**found.colours, **dict(colours)}) if colours else found


def value(what: str) -> str:
    """What is `noted` under this name, as it is now."""
    chosen, _, name = what.rpartition("/")
    theme = named(chosen) if chosen else in_force()
    if name in ("sequential", "diverging"):
        return " ".join(getattr(theme, name))
    if name not in theme.colours:
        raise one_of("colour role", name, list(theme.colours))
    return theme.colours[name]


def ingredient(environment: Mapping[str, str] = os.environ) -> str:
    """What every picture depends on of the look: the theme's name, and a digest of fonts that are a lecturer's own.

    Colours are not in it: a scene notes which it looked up.
    """
    foreign = {}
    for key, font in fonts(environment).items():
        file = Path(font)
        foreign[key] = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else font
    return name(environment) + (f" {_short(foreign)}" if foreign else "")


def everything(environment: Mapping[str, str] = os.environ) -> str:
    """`ingredient`, and a digest of all colours: two machines where it is the same draw the same."""
    theme = in_force(environment)
    return f"{ingredient(environment)} {_short([sorted(theme.colours.items()), theme.sequential, theme.diverging])}"


def _short(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
