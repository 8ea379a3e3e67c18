"""The rules of the house that a machine can check. Each message says how to mend what it found.

Imports are in `test_architecture.py`, ruff and mypy in `test_style.py`, layout and timing in `explain check`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenes import script
from scenes.registry import Course

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(path for package in ("explainers", "scenes") for path in (ROOT / package).rglob("*.py"))
FILE_LINES, FUNCTION_LINES = 450, 62
#: Functions that are shown on screen as they are written; docstrings would be part of the picture.
SHOWN = ("explainers/questions.py",)
#: Modules that implement published mathematics: each says whose.
SOURCED = ("attention", "compressed", "fp8", "gate", "grpo", "mla", "moe", "rope", "sparse", "speculative", "roofline")

_SHAPE = re.compile(r"\([^()]*,[^()]*\)|\bshape\b|\bscalar\b|\bsame tensor\b")
_SOURCE = re.compile(r"arXiv|report|paper|[Ss]ection|Eq\b|equation|Table \d|et al|\b(?:19|20)\d\d\b")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def decorated(node: ast.FunctionDef | ast.ClassDef, *names: str) -> bool:
    """Whether one of these decorators is above it, called or not."""
    found = {ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list}
    return bool(found & set(names))


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """What a module offers: its functions and classes without an underscore; the plots say their words in @plot."""
    for node in tree.body:
        offered = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if offered and not decorated(node, "overload", "plot"):
            yield node


# ---------------------------------------------------------------------- size
@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES, (
        f"{name_of(path)} has {lines} lines, at most {FILE_LINES}: give one of its subjects a module of its own"
    )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_function_does_one_thing(path: Path) -> None:
    for node in functions(tree_of(path)):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        assert lines <= FUNCTION_LINES, (
            f"{name_of(path)}:{node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES}: "
            "name one of its parts and make it a function (in a scene: one method a step)"
        )


# ---------------------------------------------------------------------- docstrings
@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_public_says_what_it_is(path: Path) -> None:
    tree = tree_of(path)
    scene = path.is_relative_to(ROOT / "scenes" / "lectures")
    assert ast.get_docstring(tree), f"{name_of(path)}: begin the file with one sentence that says what it is for"
    silent = [node for node in public(tree) if not ast.get_docstring(node)]
    if scene or name_of(path) in SHOWN:
        silent = [node for node in silent if not isinstance(node, ast.FunctionDef)]
    assert not silent, (
        f"{name_of(path)}:{silent[0].lineno}: {silent[0].name} has no docstring; say what it gives, its shapes and "
        "units, or begin its name with an underscore if nobody else needs it"
    )


@pytest.mark.parametrize("path", sorted((ROOT / "explainers").glob("*.py")), ids=name_of)
def test_a_tensor_that_is_returned_has_its_shape_in_the_docstring(path: Path) -> None:
    for node in public(tree_of(path)):
        if not isinstance(node, ast.FunctionDef) or node.returns is None:
            continue
        if re.search(r"\bTensor\b|NDArray", ast.unparse(node.returns)):
            assert _SHAPE.search(ast.get_docstring(node) or ""), (
                f"{name_of(path)}:{node.lineno}: {node.name} returns a tensor of no known shape; "
                "write it into its docstring with the names of its axes: (batch, token, feature)"
            )


@pytest.mark.parametrize("name", SOURCED)
def test_published_mathematics_names_its_source(name: str) -> None:
    text = (ROOT / "explainers" / f"{name}.py").read_text(encoding="utf-8")
    docstrings = [ast.get_docstring(node) or "" for node in public(ast.parse(text))]
    assert _SOURCE.search(" ".join([ast.get_docstring(ast.parse(text)) or "", *docstrings])), (
        f"explainers/{name}.py cites nothing: name the paper, section and equation that it follows in a docstring"
    )


# ---------------------------------------------------------------------- the course
def sections() -> list[tuple[script.Lecture, script.Section]]:
    return [(lecture, section) for lecture in Course.default().lectures for section in lecture.sections]


@pytest.mark.parametrize("path", sorted((ROOT / "lecture_scripts").glob("*/*.md")), ids=name_of)
def test_no_digit_stands_in_a_script(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    script.load(path)  # its error names the line, the digits, and what to write instead
    head, _, body = text.partition("\n---\n")
    bare = re.sub(r"<!--.*?-->|\{\{.*?\}\}|\{#.*?\}|\[\[.*?\]\]", " ", body, flags=re.DOTALL)
    names = script.names_file(path).read_text(encoding="utf-8").split("\n")
    for known in sorted(filter(None, map(str.strip, names)), key=len, reverse=True):
        bare = re.sub(rf"(?<!\w){re.escape(known)}(?!\d)", " ", bare)
    found = re.findall(r".{0,20}\d.{0,20}", bare)
    assert not found, f"{name_of(path)}: {found[0]!r}: write {{{{ a.reference }}}}, or list the name in names.txt"
    assert "number:" in head


def test_every_scene_is_seen_by_the_audit() -> None:
    from scenes.audit.checking import chosen

    course = Course.default()
    seen = set(chosen((), course)[1])
    written = {f"{number}/{name}" for number, name in course.classes}
    assert written <= seen, (
        f"{sorted(written - seen)}: no heading of a script names these classes, so `explain check` never sees them; "
        "give each its section, or take out `lecture = N`"
    )
    switched_off = [path for path in MODULES if re.search(r"noaudit|skip_audit", path.read_text(encoding="utf-8"))]
    assert not switched_off, f"{switched_off}: nothing is hidden from the audit; waive a finding with its reason"


def test_every_step_has_a_golden() -> None:
    known = set()
    for lecture, section in sections():
        path = ROOT / "tests" / "goldens" / str(lecture.number) / f"{section.name}.json"
        known.add(path)
        advice = f"look at it (explain sheet {section.name}), then explain check {section.name} --update"
        assert path.is_file(), f"{section.name} has no golden: {advice}"
        steps = [step["step"] for step in json.loads(path.read_text(encoding="utf-8"))["steps"]]
        assert steps == [step.index for step in section.steps], f"{section.name}: goldens of steps {steps}: {advice}"
    stale = sorted(set((ROOT / "tests" / "goldens").glob("*/*.json")) - known)
    assert not stale, f"goldens of scenes that are gone; delete {[name_of(path) for path in stale]}"
