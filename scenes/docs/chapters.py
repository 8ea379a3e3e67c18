"""The chapters, in the order of the table of contents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from explainers import runs
from scenes.audit.findings import CODES
from scenes.docs import check_pages, house, kit_pages, markdown, run_pages
from scenes.docs.studio import studio
from scenes.kit.examples.showing import examples
from scenes.production import plots

if TYPE_CHECKING:
    from scenes.docs.site import Tell, Wanted

#: Single pages: name → heading in the table of contents.
PAGES = ("house",)


def everything() -> Wanted:
    """All there is."""
    from scenes.docs.site import Wanted

    plotted = [name for name in runs.CATALOGUE if name in plots.plots()]
    return Wanted(tuple(examples()), tuple(sorted(plotted)), tuple(CODES), PAGES)


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
    if "house" in wanted.pages:
        house.write(source)
    tops = [name for name in ("kit", "runs", "checks", *PAGES) if (source / f"{name}.md").is_file()]
    (source / "index.md").write_text("# Explain DeepSeek\n\n" + markdown.toctree(tops, hidden=False) + "\n", "utf-8")
