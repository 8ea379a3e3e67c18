"""``explain origin 37``: which number that is, where it stands or is said, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from explainers.errors import ExplainError
from explainers.quantities import Quantity
from scenes.audit import goldens
from scenes.audit.checking import chosen
from scenes.registry import Course, SceneEntry
from scenes.report import Box


@dataclass(frozen=True)
class Place:
    """One appearance of a number. ``box`` is left, top, right, bottom in fractions of the frame; None: it is said."""

    scene: str
    step: int
    text: str
    box: Box | None
    quantity: Quantity

    def where(self) -> str:
        """``3/TheCacheGrows step 2, on screen top left``."""
        if self.box is None:
            return f"{self.scene} step {self.step}, said"
        across = ("left", "centre", "right")[min(int((self.box[0] + self.box[2]) / 2 * 3), 2)]
        down = ("top", "middle", "bottom")[min(int((self.box[1] + self.box[3]) / 2 * 3), 2)]
        return f"{self.scene} step {self.step}, on screen {down} {across}"

    def to_json(self) -> dict[str, Any]:
        return {
            "scene": self.scene,
            "step": self.step,
            "text": self.text,
            "box": self.box,
            "quantity": self.quantity.to_json(),
        }


def find(
    text: str,
    targets: Sequence[str] = (),
    course: Course | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Place]:
    """Every number whose text on screen or in the narration contains ``text``, each once a step.

    ``tell`` hears of scenes that could not be looked at.
    """
    if not any(character.isalnum() for character in text):
        raise ExplainError(f"cannot look for {text!r}; give what stands on screen, e.g. 70.3 or '671 billion'")
    course = course or Course.default()
    _, keys = chosen(targets, course)
    course = course.home
    places: dict[tuple[str, int, str, bool], Place] = {}
    for key in keys:
        number, _, name = key.partition("/")
        section = course.lecture(int(number)).section(name)
        for step in section.steps:
            for quantity, said in step.quantities:
                if text in said:
                    places.setdefault((key, step.index, said, False), Place(key, step.index, said, None, quantity))
        if (int(number), name) not in course.classes:
            continue
        entry = course.entry(course.lecture(int(number)), name)
        if not _may_show(entry, text, course):
            continue
        try:
            for place in _on_screen(entry, text):
                places.setdefault((key, place.step, place.text, True), place)
        except Exception as error:  # one scene in the making must not hide the others
            tell(f"{key} was not looked at: {type(error).__name__}: {error}")
    return list(places.values())


def _may_show(entry: SceneEntry, text: str, course: Course) -> bool:
    """Whether the reviewed fingerprint has this text (a scene without one is looked at)."""
    folder = goldens.folder(course)
    path = folder / f"{entry.key}.json" if folder else None
    if path is None or not path.is_file():
        return True
    golden = json.loads(path.read_text(encoding="utf-8"))
    return any(text in thing.get("text", "") for step in golden["steps"] for thing in step["things"])


def _on_screen(entry: SceneEntry, text: str) -> Iterator[Place]:
    """Walk a scene and look at the end of its steps."""
    from scenes.audit.picture import take
    from scenes.production.looking import walk
    from scenes.production.settings import Options
    from scenes.report import screen_box

    found: list[Place] = []

    def at_end(scene: Any, report: Any, _look: Any) -> None:
        for part in take(scene).texts:
            if text in part.text and part.quantities:
                box = screen_box(part.mobject, scene.camera)
                found.append(Place(entry.key, report.index, part.text, box, part.quantities[0]))

    walk(entry, Options(quality="480p").picture, at_end=at_end)
    yield from found
