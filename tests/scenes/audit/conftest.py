"""A picture to look at: mobjects on a stage, without a lecture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from manim import Mobject, Scene

from scenes.audit.findings import Notes
from scenes.audit.masks import Painter
from scenes.audit.outlines import watching
from scenes.audit.picture import Picture, take
from scenes.kit import role
from scenes.production.looking import LookingRenderer
from scenes.production.settings import Options


class Easel:
    """A scene that nobody plays; ``easel.picture()`` is what stands on it."""

    def __init__(self) -> None:
        self.renderer = LookingRenderer()
        self.scene: Any = Scene(renderer=self.renderer)
        self.scene.camera.background_color = role("ground")

    def show(self, *mobjects: Mobject) -> Picture:
        self.scene.clear()
        self.scene.add(*mobjects)
        return take(self.scene)

    def codes(self, check: Callable[[Picture, Notes], Any], *mobjects: Mobject) -> set[str]:
        notes = Notes("test", step=1)
        check(self.show(*mobjects), notes)
        return {finding.code for finding in notes.findings}

    @property
    def painter(self) -> Painter:
        return Painter(self.scene.camera)

    @property
    def frame(self) -> Any:
        return self.renderer.look(self.scene)


@pytest.fixture(scope="module")
def easel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Easel]:
    media: Path = tmp_path_factory.mktemp("media")
    with watching(), Options(quality="480p").picture.configure(media):
        yield Easel()
