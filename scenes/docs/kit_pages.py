"""The kit: a page for each object, with an example that the build draws and the code that drew it."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from types import ModuleType

from manim import Mobject

import scenes.kit
from scenes.docs import examples, markdown, uses
from scenes.docs.studio import Draw
from scenes.kit.binding import DataBound
from scenes.kit.examples.showing import Build, Example
from scenes.kit.examples.showing import examples as known


def objects(kit: ModuleType = scenes.kit) -> list[str]:
    """The public names of the kit that stand for something to look at: each needs an example."""
    return [name for name in kit.__all__ if is_object(getattr(kit, name)) and name != DataBound.__name__]


def is_object(value: object) -> bool:
    """A class of mobjects, or a function that returns one."""
    if inspect.isclass(value):
        return issubclass(value, Mobject)
    returns = str(inspect.signature(value).return_annotation) if inspect.isfunction(value) else ""
    return returns.strip("'") in ("Label", "Formula", "Group", "VGroup", "Mobject", "ManimColor")


def write(source: Path, names: Collection[str], draw: Draw) -> None:
    """Write ``kit.md`` and ``kit/NAME.md`` with their pictures for these names."""
    drawn: dict[Build, str] = {}
    shared: dict[Build, list[str]] = defaultdict(list)
    families: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, example in known().items():
        if name not in names:
            continue
        program = examples.code(example.build)
        if example.build not in drawn:
            drawn[example.build] = f"{name}.png"
            draw(examples.run(program), source / "kit" / drawn[example.build])
        picture = drawn[example.build]
        (source / "kit" / f"{name}.md").write_text(page(name, example, program, picture), encoding="utf-8")
        if example.build not in shared:
            families[examples.family(example)].append(name)
        shared[example.build].append(name)
    together = {others[0]: others for others in shared.values()}
    (source / "kit.md").write_text(index(families, together), encoding="utf-8")


def page(name: str, example: Example, program: str, picture: str) -> str:
    """One object: picture, code, where the course uses it, and what its docstring says."""
    used = uses.line(name)
    parts = [
        f"# {name}",
        example.caption,
        markdown.image(picture, example.caption),
        "## The code that drew it",
        markdown.fence("python", program),
        f"Used in {used}." if used else "",
        "## Reference",
        markdown.rst(reference(name, example.kind)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def reference(name: str, kind: object) -> str:
    """The directive with which Sphinx reads the docstrings of the code itself."""
    if inspect.isclass(kind):
        return f".. autoclass:: scenes.kit.{name}\n   :members:"
    return f".. autofunction:: scenes.kit.{name}"


def index(families: dict[tuple[str, str], list[str]], together: dict[str, list[str]]) -> str:
    """The gallery: families of objects, a card an example, with the names of all that it shows."""
    parts = [
        "# The kit",
        "What the lectures are drawn with. Every object takes arrays with named axes, or Quantities, which know their "
        "origin; each picture here was drawn by the code on its page when these pages were built.",
    ]
    for (_, words), names in sorted(families.items()):
        head, _, rest = words.rstrip(".").partition(": ")
        cards = [(f"kit/{name}.png", ", ".join(together[name]), f"kit/{name}.md") for name in names]
        parts += [f"## {head}", f"{rest[:1].upper()}{rest[1:]}." if rest else "", markdown.gallery(cards)]
    pages = sorted((f"kit/{name}" for names in together.values() for name in names), key=str.lower)
    return "\n\n".join(part for part in [*parts, markdown.toctree(pages)] if part) + "\n"
