"""The chapters, in the order of the table of contents."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from explainers import runs
from scenes.audit.findings import CODES
from scenes.docs import check_pages, house, kit_pages, markdown, run_pages, tutorial
from scenes.docs.studio import studio
from scenes.kit.examples.showing import examples
from scenes.production import plots

if TYPE_CHECKING:
    from scenes.docs.site import Tell, Wanted

_ROOT = Path(__file__).resolve().parents[2]
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)[^)]+\)")  # to files of the repository, which are not pages
_PAGE_LINK = re.compile(r"(?<!!)\[([^\]!]+)\]\(([\w/-]+)\.md\)")
#: The first page's list: page → its name, and what is there.
TOPS = {
    "tutorial": ("A new diagram in a lecture", "from nothing to a pull request, every block executed"),
    "kit": ("The kit", "what can be drawn with, each object with its code"),
    "runs": ("The runs", "what was computed: tensors, numbers with their origin, and a plot"),
    "checks": ("What the check says", "each finding with a bad and a good picture"),
    "house": ("The house", "who imports whom"),
    "contributing": ("Contributing", "the rules, and how to add anything"),
    "architecture": ("Architecture", "for whoever takes over"),
}
#: Pages that stand alone.
PAGES = ("tutorial", "house", "contributing", "architecture")


def everything() -> Wanted:
    """All there is."""
    from scenes.docs.site import Wanted

    instant = [name for name, run in runs.CATALOGUE.items() if plots.is_recorded(name) or not run.minutes]
    return Wanted(tuple(examples()), tuple(sorted(instant)), tuple(CODES), PAGES)


def write(source: Path, wanted: Wanted, tell: Tell) -> None:
    """Write the sources of all pages that are wanted, with their pictures."""
    for folder in ("kit", "runs", "checks"):
        (source / folder).mkdir(parents=True, exist_ok=True)
    with studio() as draw:
        if wanted.kit:
            tell(f"{len(wanted.kit)} objects of the kit")
            kit_pages.write(source, wanted.kit, draw)
        if wanted.runs:
            tell(f"{len(wanted.runs)} runs")
            run_pages.write(source, wanted.runs, draw)
        if wanted.codes:
            tell(f"{len(wanted.codes)} codes of the check")
            check_pages.write(source, wanted.codes, draw)
    if "tutorial" in wanted.pages:
        tell("the tutorial, block by block")
        tutorial.write(source, source.parent / "clone")
    if "house" in wanted.pages:
        house.write(source)
    for name in ("contributing", "architecture"):
        if name in wanted.pages:
            text = (_ROOT / f"{name.upper()}.md").read_text(encoding="utf-8")
            (source / f"{name}.md").write_text(_LINK.sub(r"\1", text), encoding="utf-8")
    there = {page.relative_to(source).with_suffix("").as_posix() for page in source.rglob("*.md")}
    for page in source.rglob("*.md"):
        page.write_text(_only_links_to(there, page.read_text(encoding="utf-8")), encoding="utf-8")
    _index(source)


def _only_links_to(there: set[str], text: str) -> str:
    """A text whose links to pages that are not built (see ``only``) are words."""
    return _PAGE_LINK.sub(lambda match: match[0] if match[2] in there else match[1], text)


def _index(source: Path) -> None:
    """The first page: what there is, and the table of contents."""
    tops = [name for name in TOPS if (source / f"{name}.md").is_file()]
    lines = [f"- [{head}]({name}.md): {words}" for name, (head, words) in TOPS.items() if name in tops]
    opening = (
        "Animated lectures on how DeepSeek's models work, whose pictures are drawn from tensors that were computed. "
        "These pages are for whoever wants to draw with it, add to it, or read how a number came about. All pictures, "
        "tables and outputs were made when the pages were built."
    )
    parts = ["# Explain DeepSeek", opening, "\n".join(lines), markdown.toctree(tops)]
    (source / "index.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
