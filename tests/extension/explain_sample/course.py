"""A course from outside: scripts and scenes beside this file."""

from __future__ import annotations

from pathlib import Path

from scenes.registry import Course

_HERE = Path(__file__).parent
COURSE = Course(_HERE / "lecture_scripts", _HERE / "scenes")
