"""What examples share: the mark that registers one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from manim import Mobject

from explainers.errors import ExplainError

Build = Callable[[], Mobject]
#: What can have an example: a class of the kit, or a function that returns what can be drawn.
Shown = type | Callable[..., Any]


@dataclass(frozen=True)
class Example:
    """A kit object and the function that builds one to look at; the function's docstring is the caption."""

    kind: Shown
    build: Build

    @property
    def caption(self) -> str:
        return " ".join((self.build.__doc__ or "").split())


_EXAMPLES: dict[str, Example] = {}


def shows(*kinds: Shown) -> Callable[[Build], Build]:
    """Register the function below as the example of these classes and functions of the kit."""

    def registered(build: Build) -> Build:
        for kind in kinds:
            if kind.__name__ in _EXAMPLES:
                raise ExplainError(f"{kind.__name__} has two examples; remove {build.__name__} or the other")
            _EXAMPLES[kind.__name__] = Example(kind, build)
        return build

    return registered


def examples() -> dict[str, Example]:
    """Name → example, from every module of ``scenes/kit/examples``, by name."""
    package = importlib.import_module("scenes.kit.examples")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"scenes.kit.examples.{module.name}")
    return dict(sorted(_EXAMPLES.items()))
