"""The tutorial: every block is executed in a copy of the project; it ends with a diagram that passes its check."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explainers.errors import ExplainError
from scenes.docs import tutorial
from scenes.docs.tutorial import Block, Copy


def test_every_block_is_executed_and_makes_what_the_page_shows(tmp_path: Path) -> None:
    tutorial.write(tmp_path / "source", tmp_path / "clone")
    page = (tmp_path / "source" / "tutorial.md").read_text("utf-8")
    assert "checked 2/OneExpertLess: no findings" in page
    assert "1 scenes, 2 steps" in page
    assert ", 0 findings" in page
    commands = [block for block in tutorial.blocks(tutorial.PAGE.read_text("utf-8")) if block.language == "sh"]
    assert page.count("```text") == len(commands)  # each has an output
    pictures = {path.name for path in (tmp_path / "source" / "tutorial").iterdir()}
    assert pictures == {
        "stills-OneExpertLess_step1_end.png",
        "stills-OneExpertLess_step2_end.png",
        "OneExpertLess.gif",
    }
    golden = json.loads((tmp_path / "clone" / "tests" / "goldens" / "2" / "OneExpertLess.json").read_text("utf-8"))
    shown = [thing.get("text", "") for thing in golden["steps"][1]["things"]]
    assert {"these bars, added up", "all at once"} <= set(shown)
    assert str(tmp_path) not in page


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A folder that stands for a copy, with one script."""
    (tmp_path / "script.md").write_text("## One {#One}\n\nWords.\n\n## Two {#Two}\n\nMore.\n", "utf-8")
    return Copy(tmp_path)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (Block("sh", "", "echo so far; false\n", (0, 0)), "so far"),
        (Block("markdown", "script.md", "## Three {#Three}\n", (0, 0)), "no section Three"),
        (Block("markdown", "script.md", "## Three\n", (0, 0)), "no {#Name}"),
        (Block("python", "", "1 + 1\n", (0, 0)), "nobody can execute"),
    ],
)
def test_a_block_that_does_not_work_is_named(copy: Copy, block: Block, message: str) -> None:
    with pytest.raises(ExplainError, match=message):
        copy.execute(block)


def test_a_section_takes_the_place_of_the_old_one(copy: Copy) -> None:
    copy.execute(Block("markdown", "script.md", "## First {#One}\n\nOther words.\n", (0, 0)))
    copy.execute(Block("markdown", "script.md", "## Two {#Two}\n\nLess.\n", (0, 0)))
    text = (copy.folder / "script.md").read_text("utf-8")
    assert text == "## First {#One}\n\nOther words.\n\n## Two {#Two}\n\nLess.\n"
