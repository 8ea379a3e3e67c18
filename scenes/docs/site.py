"""The documentation as a whole: chapters are written into a folder, and Sphinx makes pages of them."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from explainers.errors import ExplainError, one_of
from scenes.kit import fonts
from scenes.player import folders

_HERE = Path(__file__).parent
ROOT = _HERE.parents[1]
#: What builds the pages: import name → distribution.
NEEDED = {"sphinx": "sphinx", "furo": "furo", "myst_parser": "myst-parser", "grimp": "grimp"}
Tell = Callable[[str], None]
_SANS, _MONO = "IBMPlexSans[wdth,wght].ttf", "IBMPlexMono-Regular.ttf"


@dataclass(frozen=True)
class Wanted:
    """What is to be built: objects of the kit, runs, codes of the check, and single pages."""

    kit: tuple[str, ...]
    runs: tuple[str, ...]
    codes: tuple[str, ...]
    pages: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str] = ()) -> Wanted:
        """Everything, or only these names; an unknown one is an `ExplainError` with the closest ones."""
        from scenes.docs import chapters

        known = chapters.everything()
        if not names:
            return known
        everything = [*known.kit, *known.runs, *known.codes, *known.pages]
        for name in names:
            if name not in everything:
                raise one_of("page of the documentation", name, everything)
        return cls(*(tuple(name for name in group if name in names) for group in known.groups))

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        return self.kit, self.runs, self.codes, self.pages


def check_installed() -> None:
    """The tools are an extra of their own; without them an `ExplainError` says how to get them."""
    if missing := [package for module, package in NEEDED.items() if find_spec(module) is None]:
        raise ExplainError(f"the documentation needs {', '.join(missing)}; run ./explain docs, which installs them")
    if not (ROOT / "tests").is_dir():
        raise ExplainError("the documentation is built from a clone, which has the tests' scenes and its history")


def build(out: Path, only: Sequence[str] = (), tell: Tell = lambda line: None) -> Path:
    """Write the pages into ``out`` and return the first one; ``tell`` hears what is being made.

    ``out`` is replaced; a folder that holds something else is refused.
    """
    check_installed()
    from scenes.docs import chapters

    wanted = Wanted.of(only)
    _refuse_foreign(out)
    with tempfile.TemporaryDirectory(prefix="explain-docs-") as place:
        source, made = Path(place) / "source", Path(place) / "html"
        chapters.write(source, wanted, tell)
        tell("pages")
        _sphinx(source, made)
        shutil.rmtree(out, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, out)
    return out / "index.html"


def _refuse_foreign(out: Path) -> None:
    if folders.is_foreign(out, "objects.inv"):
        raise ExplainError(f"{out} holds something else than documentation; give an empty folder with --out")


def _sphinx(source: Path, made: Path) -> None:
    """Run Sphinx; whatever it warns of is an error."""
    from sphinx.application import Sphinx

    _static(source / "_static")
    said = io.StringIO()
    application = Sphinx(
        source, None, made, made.parent / "doctrees", "html", configuration(), status=None, warning=said, freshenv=True
    )
    application.build(force_all=True)
    warned = [line for line in re.sub(r"\x1b\[[\d;]*m", "", said.getvalue()).splitlines() if line.strip()]
    if warned or application.statuscode:
        raise ExplainError(f"Sphinx is not content with the pages: {'; '.join(warned[:12]).replace(str(source), '')}")
    for rest in (".buildinfo", ".doctrees"):
        target = made / rest
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)


def _static(folder: Path) -> None:
    """The style and the fonts, from their packages, with their licence."""
    shutil.copytree(_HERE / "static", folder)
    (folder / "fonts").mkdir()
    for file in fonts.font_files():
        if file.name in (_SANS, _MONO):
            shutil.copy(file, folder / "fonts" / ("sans.ttf" if file.name == _SANS else "mono.ttf"))
            licence = file.parents[1] / "LICENSE"
            if licence.is_file():
                shutil.copy(licence, folder / "fonts" / "LICENSE.txt")


def configuration() -> dict[str, Any]:
    """Sphinx's settings. Everything that a page needs lies beside it."""
    stacks = {"font-stack": '"IBM Plex Sans", sans-serif', "font-stack--monospace": '"IBM Plex Mono", monospace'}
    return {
        "project": "Explain DeepSeek",
        "extensions": ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"],
        "myst_enable_extensions": ["colon_fence"],
        "myst_heading_anchors": 3,
        "default_role": "literal",
        "autodoc_typehints": "none",
        "autodoc_member_order": "bysource",
        "autodoc_preserve_defaults": True,
        "suppress_warnings": ["misc.highlighting_failure"],  # %%manim in a cell is no Python
        "html_theme": "furo",
        "html_title": "Explain DeepSeek",
        "html_static_path": ["_static"],
        "html_css_files": ["docs.css"],
        "html_copy_source": False,
        "html_show_copyright": False,
        "html_show_sphinx": False,
        "html_theme_options": {
            "light_css_variables": {**stacks, "color-brand-primary": "#0b6e8f", "color-brand-content": "#0b6e8f"},
            "dark_css_variables": {"color-brand-primary": "#62b5e5", "color-brand-content": "#62b5e5"},
            "footer_icons": [],
        },
        "pygments_style": "friendly",
    }
