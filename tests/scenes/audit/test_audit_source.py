"""Digits and numbers typed into code are found in its syntax."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from scenes.audit import source
from scenes.syntax import SceneClass

BAD = {
    'label("671 billion")': "digits-in-code",
    'Text(f"{x:.2f}")': "digits-in-code",
    'Text(f"{x:,.0f} GB")': "digits-in-code",
    'Phrase(("512", "key"), ("values", "value"))': "digits-in-code",
    "DecimalNumber(3.14)": "digits-in-code",
    'self.show_title("Lecture 3")': "digits-in-code",
    "constant(671)": "literal-number",
    'Quantity(70272, "B", origin)': "literal-number",
    'Quantity(value=-3.5, unit="B", origin=origin)': "literal-number",
    'computed(57.1, "", "what I remember")': "literal-number",
    'NamedArray(np.array([1, 2, 3]), ("x",))': "literal-number",
    "AxisTick(671)": "literal-number",
}
GOOD = (
    'label("seven experts")',
    'label("DeepSeek-V3", size=34, font="IBM 3")',
    'label(f"{name} experts")',
    'computed(len(chips), "token", "drawn")',
    'math("x_1 + 2")',
    'NumberLabel(quantity, "si 3")',
    'waive(label("671"), "digits-in-code", reason="an example of what not to do")',
    'self.run("low_rank", layer=2)',
)


def found(tmp_path: Path, line: str) -> list[str]:
    path = tmp_path / "demo.py"
    path.write_text(f"class Demo:\n    def construct(self):\n        {line}\n")
    scene = SceneClass(3, "Demo", path, 1, (), None)
    findings = source.check(path, [scene], frozenset({"V3", "DeepSeek-V3"}))
    assert all(finding.scene == "3/Demo" and "demo.py:3" in finding.object for finding in findings)
    return [finding.code for finding in findings]


@pytest.mark.parametrize("line", BAD)
def test_typed_numbers_are_found(tmp_path: Path, line: str) -> None:
    assert found(tmp_path, line) == [BAD[line]]


@pytest.mark.parametrize("line", GOOD)
def test_code_without_typed_numbers_passes(tmp_path: Path, line: str) -> None:
    assert found(tmp_path, line) == []


def test_code_before_any_scene_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "common.py"
    path.write_text(
        textwrap.dedent("""
        def helper():
            return label("671")
    """)
    )
    assert [finding.scene for finding in source.check(path, [], frozenset())] == ["common.py"]
