"""The two type families, registered at run time from the packages that carry the files.

IBM Plex Sans and IBM Plex Mono (SIL Open Font License 1.1). Nothing is installed on the system, and every machine
draws the same glyphs. Mathematics is set by Typst in New Computer Modern, which Typst itself carries.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import manimpango

from explainers.errors import ExplainError

SANS, MONO = "IBM Plex Sans", "IBM Plex Mono"
#: Package that carries a family → the distribution to install and the files that are used.
PACKAGES = {
    "fontpkg_ibm_plex_sans": (
        "fontpkg-ibm-plex-sans",
        ("IBMPlexSans[wdth,wght].ttf", "IBMPlexSans-Italic[wdth,wght].ttf"),
    ),
    "fontpkg_ibm_plex_mono": (
        "fontpkg-ibm-plex-mono",
        ("IBMPlexMono-Regular.ttf", "IBMPlexMono-Medium.ttf", "IBMPlexMono-SemiBold.ttf", "IBMPlexMono-Italic.ttf"),
    ),
}


def font_files() -> tuple[Path, ...]:
    """The font files on this machine; an `ExplainError` names the package that lacks."""
    files = []
    for package, (distribution, names) in PACKAGES.items():
        if find_spec(package) is None:
            raise ExplainError(f"the font package {distribution} is missing; run `pip install {distribution}`")
        folder = Path(str(resources.files(package))) / "files"
        for name in names:
            if not (folder / name).is_file():
                raise ExplainError(f"{distribution} lacks {name}; run `pip install --force-reinstall {distribution}`")
            files.append(folder / name)
    return tuple(files)


@cache
def register() -> tuple[Path, ...]:
    """Make the families known to Pango in this process, once. Returns the files."""
    files = font_files()
    for file in files:
        if not manimpango.register_font(str(file)):
            raise ExplainError(f"Pango could not read the font {file.name}; reinstall the font packages")
    return files
