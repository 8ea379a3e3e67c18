"""Where the project keeps its files: in a clone beside the packages, in an installation inside them."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def assets() -> Path:
    """The folder with facts, trained weights, recorded runs and branding."""
    beside = _PACKAGE.parent / "assets"
    return beside if (beside / "facts").is_dir() else _PACKAGE / "_assets"


def lecture_scripts() -> Path:
    """The folder with one sub-folder of Markdown scripts a language."""
    beside = _PACKAGE.parent / "lecture_scripts"
    return beside if beside.is_dir() else _PACKAGE / "_lecture_scripts"


def cache() -> Path:
    """The folder for what can be computed again: ``$EXPLAIN_CACHE``, else ``.cache`` in a clone, else the user's."""
    if chosen := os.environ.get("EXPLAIN_CACHE"):
        return Path(chosen)
    root = _PACKAGE.parent
    if (root / "pyproject.toml").is_file():
        return root / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "explain"
