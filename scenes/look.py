"""Which look is in force, known without importing what draws it: the theme's name, and what somebody changed in it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from explainers import extensions
from explainers.errors import ExplainError
from scenes import own_course

ENVIRONMENT = "EXPLAIN_THEME"
BUILT_IN = ("dark", "light", "high-contrast")


#: What a colour may mean. The same in all eight lectures.
ROLES: Mapping[str, str] = MappingProxyType(
    {
        "token": "a token, a piece of text",
        "query": "attention: what is asked",
        "key": "attention: what is matched",
        "value": "attention: what is fetched",
        "latent": "the compressed vector that MLA keeps",
        "rope": "position (rotary)",
        "router": "the gate that chooses experts",
        "expert": "a routed expert",
        "shared_expert": "an expert that every token visits",
        "dense": "a dense layer, the usual way",
        "reward": "what is rewarded, what is gained",
        "cost": "what is paid, what is lost",
        "muted": "what stands back: axes, units, asides",
        "accent": "what to look at now",
        "text": "words",
        "surface": "the filling of chips and panels; carries no meaning",
        "hairline": "grid lines and outlines that stand back; carry no meaning",
        "ground": "the background",
    }
)


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
                raise ExplainError(
                    f"{own.path.name}: theme.fonts.{key}: there is no {file}; give a font file or a family"
                )
            found[key] = str(file.resolve())
    return found


def ingredient(environment: Mapping[str, str] = os.environ) -> str:
    """What of the look a picture depends on besides the project's own code: a name, and a digest of what is foreign."""
    foreign: dict[str, str] = dict(colours(environment))
    for key, font in fonts(environment).items():
        file = Path(font)
        foreign[f"font {key}"] = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else font
    chosen = name(environment)
    if chosen not in BUILT_IN and chosen in extensions.offered("explain.themes"):
        theme = extensions.load("explain.themes", chosen)
        foreign["theme"] = repr((sorted(theme.colours.items()), theme.sequential, theme.diverging))
    if not foreign:
        return chosen
    return f"{chosen} {hashlib.sha256(json.dumps(foreign, sort_keys=True).encode()).hexdigest()[:12]}"
