"""Ships assets and lecture scripts inside the wheel, where `explainers.paths` looks for them.

An editable installation reads them in the clone, so nothing is copied for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = {"assets": "explainers/_assets", "lecture_scripts": "explainers/_lecture_scripts"}


class ShipResources(BuildHookInterface):
    """Adds each folder of `SHIPPED` to a standard wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        for folder, inside in SHIPPED.items():
            build_data["force_include"][str(Path(self.root) / folder)] = inside
