"""Which steps a change leaves alone: the answer may be too careful, never too bold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenes import script
from scenes.workshop.changes import State, may_go_on
from scenes.workshop.stepping import Machine, Place, Source, stepping_methods

FILE = Path("demo.py")
CODE = '''
"""A module."""
from manim import Square
WIDE = 3
UNUSED = 4

def helper():
    return inner() + WIDE

def inner():
    return 1

def late():
    return 2

class Demo(LectureScene):
    lecture = 9

    def construct(self):
        a = helper()
        with self.step():
            self.play(a)
        b = self.second(a)
        with self.step():
            self.play(b, late())

    def second(self, a):
        c = a + 1
        with self.step():
            self.play(c)
        return c
'''
WORDS = "---\nnumber: 9\ntitle: T\n---\n## Demo {#Demo}\n\nOne word.\n\nTwo words.\n\nThree words.\n"
#: Before step 1, 2 and 3: the places where the machine stands.
PLACES = (
    Place((("construct", 1),), ()),
    Place((("construct", 2), ("second", 1)), ()),
    Place((("construct", 3),), ("second",)),
)


def state(code: str = CODE, words: str = WORDS) -> State:
    return State("Demo", FILE, {FILE: code}, script.parse(words, Path("9_demo.md")).section("Demo"))


def able(code: str = CODE, words: str = WORDS) -> list[bool]:
    """For each step: whether a fork before it can go on with these sources."""
    return [may_go_on(place, step, state(), state(code, words)) for step, place in enumerate(PLACES, start=1)]


def swap(old: str, new: str, text: str = CODE) -> str:
    assert text.count(old) == 1
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("self.play(a)", "self.play(a, a)", [True, False, False]),  # in step 1: what stands before it may go on
        ("self.play(c)", "self.play(c, c)", [True, True, False]),
        ("self.play(b, late())", "self.play(b)", [True, True, True]),
        ("return 2", "return 5", [True, True, True]),  # a helper that nobody has called yet
        ("return 1", "return 7", [False, False, False]),  # a helper of a helper that was called
        ("WIDE = 3", "WIDE = 8", [False, False, False]),
        ("UNUSED = 4", "UNUSED = 5", [True, True, True]),
        ("import Square", "import Circle, Square", [True, True, True]),
        ("c = a + 1", "c = a + 2", [True, False, False]),
        ("return c", "return c + 1", [True, True, False]),
        ("b = self.second(a)", "b = self.second(a + 1)", [True, False, False]),
        ("lecture = 9", "lecture = 9\n    hold = 2", [False, False, False]),
        ("def second(self, a)", "def second(self, a, *, b=1)", [True, False, False]),
        ('"""A module."""', '"""The module."""', [True, True, True]),
        ("a = helper()", "a = helper()  # a remark", [True, True, True]),
    ],
)
def test_code(old: str, new: str, expected: list[bool]) -> None:
    assert able(swap(old, new)) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Three words.", "Three other words.", [True, True, True]),
        ("Two words.", "Two more words.", [True, True, False]),
        ("One word.", "Another word.", [True, False, False]),
        ("## Demo {", "## The demo {", [False, False, False]),
        ("\n\nThree words.", "", [True, True, False]),
    ],
)
def test_words(old: str, new: str, expected: list[bool]) -> None:
    assert able(words=swap(old, new, WORDS)) == expected


def test_a_method_that_was_not_called_yet_may_change() -> None:
    code = swap("        b = self.second(a)\n", "        b = self.third(self.second(a))\n")
    code += "\n    def third(self, c):\n        d = c\n        with self.step():\n            self.play(d)\n"
    place = Place((("construct", 2), ("second", 2)), ())  # after the step of `second`, which `third` will follow
    before, after = state(code), state(swap("        d = c\n", "        d = c + 1\n", code))
    assert may_go_on(place, 3, before, after)
    done = Place((("construct", 3),), ("second", "third"))
    assert not may_go_on(done, 3, before, after)
    assert not may_go_on(place, 3, before, state(swap("return inner()", "return 3 + inner()", code)))


def test_a_definition_of_another_file_counts_too() -> None:
    other = Path("common.py")
    before = State("Demo", FILE, {FILE: CODE, other: "def helper():\n    return 1\n"}, state().section)
    after = State("Demo", FILE, {FILE: CODE, other: "def helper():\n    return 2\n"}, state().section)
    assert not may_go_on(PLACES[0], 1, before, after)
    assert may_go_on(PLACES[0], 1, before, before)


# ---------------------------------------------------------------------- the machine
class Recorder:
    """Stands for a scene: notes what is played."""

    def __init__(self) -> None:
        self.played: list[Any] = []

    def step(self) -> Recorder:
        self.played.append("step")
        return self

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def play(self, *values: Any) -> None:
        self.played += values


def scene_class(code: str, tmp_path: Path) -> tuple[type, Source]:
    path = tmp_path / "demo.py"
    path.write_text(code, encoding="utf-8")
    space: dict[str, Any] = {"LectureScene": Recorder, "__name__": "demo"}
    exec(compile(code.replace("from manim import Square", ""), str(path), "exec"), space)
    return space["Demo"], Source(path, "Demo")


def test_the_machine_does_what_python_does(tmp_path: Path) -> None:
    kind, source = scene_class(CODE, tmp_path)
    plain, stepped = kind(), kind()
    plain.construct()
    places: list[tuple[Place, bool]] = []
    Machine(stepped, source, lambda place, near: places.append((place, near)))
    stepped.construct()
    assert stepped.played == plain.played == ["step", 4, "step", 5, "step", 5, 2]
    assert tuple(place for place, near in places if near) == PLACES
    after = [place.stack for place, near in places if not near]
    assert after == [(("construct", 2),), (("construct", 2), ("second", 2))]


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_it_goes_on_with_the_new_source_and_repeats_nothing(tmp_path: Path, at: int) -> None:
    kind, source = scene_class(CODE, tmp_path)
    scene, stopped = kind(), []

    def at_step(place: Place, near: bool) -> None:
        if len(stopped) < at:
            stopped.append(place)
            if len(stopped) == at:
                raise InterruptedError  # the fork: what stands on the stack is left as it is

    machine = Machine(scene, source, at_step)
    with pytest.raises(InterruptedError):
        scene.construct()
    before = list(scene.played)
    changed = swap("self.play(b, late())", "self.play('new', b, late())").replace("return 2", "return 20")
    machine.resume(*scene_class(changed, tmp_path))
    assert scene.played[: len(before)] == before
    assert scene.played == ["step", 4, "step", 5, "step", "new", 5, 20]


def test_what_cannot_be_cut_is_left_whole() -> None:
    import ast

    code = "class A:\n def construct(self):\n  with self.step():\n   {}\n"
    for inside, able in (("x = 1", True), ("return", False), ("super().f()", False), ("self.__x = 1", False)):
        (node,) = ast.parse(code.format(inside)).body
        assert isinstance(node, ast.ClassDef)
        assert bool(stepping_methods(node)) == able
