"""The arrows of the house: who may import whom, and that what is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(path for package in ("explainers", "scenes") for path in (ROOT / package).rglob("*.py"))
#: Extras whose packages a module of the product imports.
EXTRAS = ("checkpoint", "cluster", "docs", "pptx")
#: Import name → distribution, where they differ.
DISTRIBUTIONS = {"PIL": "pillow", "cairo": "pycairo", "pptx": "python-pptx"}
_ASK = "ask for it with self.run(…) or self.number(…)"
_ARRAYS = "scenes draw NumPy arrays; a tensor would be invisible to Manim's cache. Return it from a run, " + _ASK
_UP = "what is below does not know what stands on it. Pass what it needs as an argument, or move the caller up"
#: (importing folder, what it may not import, why and how to mend it)
FORBIDDEN = [
    ("explainers", "scenes", "computation knows nothing of pictures. Move the drawing to scenes/, the number to a run"),
    ("explainers", "manim", "computation knows nothing of pictures. Move the drawing to scenes/, the number to a run"),
    ("scenes/kit", "scenes.lectures", "the vocabulary does not know what is said with it. Pass data to the object"),
    ("scenes/kit", "scenes.production", "the vocabulary does not know how films are made. " + _UP),
    ("scenes/kit", "scenes.audit", "objects are judged from outside. " + _UP),
    ("scenes/kit", "scenes.workshop", _UP),
    ("scenes/lectures", "scenes.audit", "a scene does not know that it is judged; scenes.waivers excuses a finding"),
    ("scenes/lectures", "scenes.production", "a scene does not know how it is drawn. " + _UP),
    ("scenes/lectures", "scenes.workshop", _UP),
    ("scenes/voices", "scenes.production", "a voice does not know what film it speaks in. " + _UP),
    ("scenes/voices", "manim", "a voice does not know pictures. " + _UP),
    ("scenes/production", "scenes.publishing", "a film does not know where it goes. " + _UP),
    ("scenes/production", "scenes.commands", "commands call production, never the reverse. " + _UP),
    ("scenes/production", "scenes.workshop", _UP),
    ("scenes/production", "scenes.exports", "films do not know what is made of them. " + _UP),
    ("scenes/player", "scenes.exports", "an export reads films as the player does, never the reverse. " + _UP),
    ("scenes/exports", "scenes.commands", "commands call exports, never the reverse. " + _UP),
    ("scenes/exports", "torch", "an export shows what a manifest says; only runs compute"),
    ("scenes/kit", "scenes.docs", _UP),
    ("scenes/production", "scenes.docs", _UP),
    ("scenes/audit", "scenes.docs", _UP),
    ("scenes/workshop", "scenes.docs", _UP),
    ("scenes/lectures", "scenes.docs", _UP),
    ("scenes/docs", "scenes.commands", _UP),
    ("scenes/docs", "torch", "only runs compute: " + _ASK),
    ("scenes/audit", "scenes.commands", "commands call the audit, never the reverse. " + _UP),
    ("scenes/audit", "scenes.workshop", _UP),
    ("scenes/lectures", "torch", _ARRAYS),
    ("scenes/kit", "torch", _ARRAYS),
    ("scenes/production", "torch", "only runs compute: " + _ASK),
    ("scenes/audit", "torch", "only runs compute: " + _ASK),
    ("scenes/commands", "torch", "commands answer at once: call `explainers`, which imports torch when it computes"),
    ("scenes/workshop", "torch", "only runs compute: " + _ASK),
]


@cache
def imports(path: Path) -> frozenset[str]:
    return frozenset(_imports(ast.parse(path.read_text(encoding="utf-8"))))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize(("folder", "package", "reason"), FORBIDDEN, ids=lambda value: str(value).partition(" ")[0])
def test_no_forbidden_import(folder: str, package: str, reason: str) -> None:
    paths = [path for path in MODULES if path.is_relative_to(ROOT / folder)]
    assert paths
    guilty = [str(path.relative_to(ROOT)) for path in paths if any(within(name, package) for name in imports(path))]
    assert not guilty, f"{guilty} import {package}: {reason}"


def test_no_lecture_imports_another() -> None:
    folder = ROOT / "scenes" / "lectures"
    for path in (path for path in MODULES if path.is_relative_to(folder) and path != folder / "__init__.py"):
        lecture = path.relative_to(folder).parts[0].removesuffix(".py")
        others = {name for name in imports(path) if within(name, "scenes.lectures") and name.count(".") >= 2}
        assert all(name.split(".")[2] == lecture for name in others), (
            f"{path.name} imports {sorted(others)}: lectures stand alone; what two of them need belongs in scenes/kit"
        )


def test_only_the_bench_knows_transformers() -> None:
    knowing = {path.name for path in MODULES if any(within(name, "transformers") for name in imports(path))}
    assert knowing == {"engine_cases.py"}


def test_every_imported_package_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in EXTRAS for line in project["optional-dependencies"][extra]),
    ]
    declared = {re.split(r"[\[<>=]", line)[0].lower() for line in lines}
    outside = {name.partition(".")[0] for path in MODULES for name in imports(path)}
    outside -= {*sys.stdlib_module_names, "explainers", "scenes"}
    used = {DISTRIBUTIONS.get(name, name).lower().replace("_", "-") for name in outside}
    used -= {"triton"}  # comes with torch where torch has CUDA, and is asked for only there
    used -= {"transformers"}  # raced by `explain bench engine` where it is installed; a test keeps it out elsewhere
    assert used <= declared, f"declare {sorted(used - declared)} in pyproject.toml"
