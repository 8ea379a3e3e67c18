"""From a registry entry to its Scene class."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from explainers.errors import ExplainError
from scenes.registry import SceneEntry

if TYPE_CHECKING:
    from scenes.stage import LectureScene


def load_class(entry: SceneEntry) -> type[LectureScene]:
    """Import the module of a scene, by its package name inside this project and by its path elsewhere."""
    from scenes.stage import LectureScene

    file = entry.code.file.resolve()
    package = Path(__file__).resolve().parents[1]
    if file.is_relative_to(package):
        module = importlib.import_module(".".join(("scenes", *file.relative_to(package).with_suffix("").parts)))
    else:
        name = f"_scene_file_{hashlib.sha256(file.read_bytes() + str(file).encode()).hexdigest()[:16]}"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise ExplainError(f"cannot import {file}; is it a Python file?")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    found = getattr(module, entry.name)
    if not (isinstance(found, type) and issubclass(found, LectureScene)):
        raise ExplainError(f"{entry.code.where}: {entry.name} must derive from scenes.stage.LectureScene")
    return found
