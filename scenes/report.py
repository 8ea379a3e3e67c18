"""What a scene did, as plain data: steps with their times, and the numbers that a viewer saw at the end of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from explainers.quantities import Quantity
from explainers.traces import NamedArray

if TYPE_CHECKING:
    from manim import Mobject

#: Left, top, right, bottom as fractions of the frame, from its top left corner.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class NumberShown:
    """One number on screen: what is read, what it is, where it comes from, where it stands."""

    text: str
    name: str
    key: str
    value: float | int
    unit: str
    origin: dict[str, Any]
    box: Box


@dataclass(frozen=True)
class Cue:
    """A mark: the tick at which its word is said, how many ticks late the animation came, whether it waited at all."""

    name: str
    tick: int
    late: int = 0
    waited: bool = False


@dataclass(frozen=True)
class StepReport:
    """One step. ``speech`` is the tick at which its words end; ``overrun`` by how many animations outran them.

    ``texts`` are the words on the picture at its end, ``objects`` what is drawn from data there, both in reading order.
    """

    index: int
    start: int
    speech: int
    end: int
    narration: str
    words: int
    word_ticks: tuple[float, ...]
    cues: tuple[Cue, ...]
    overrun: int
    numbers: tuple[NumberShown, ...]
    said: tuple[dict[str, Any], ...]
    texts: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Everything except when each word begins."""
        data = asdict(self)
        data.pop("word_ticks")
        return data


@dataclass(frozen=True)
class SceneReport:
    """One scene. ``reads`` lists the runs and numbers it asked for, with the digest of each."""

    lecture: int
    scene: str
    heading: str
    ticks: int
    steps: tuple[StepReport, ...]
    reads: tuple[dict[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> SceneReport:
        steps = tuple(
            StepReport(
                **{
                    **step,
                    "word_ticks": tuple(step["word_ticks"]),
                    "cues": tuple(Cue(**cue) for cue in step["cues"]),
                    "numbers": tuple(NumberShown(**{**n, "box": tuple(n["box"])}) for n in step["numbers"]),
                    "said": tuple(step["said"]),
                    "texts": tuple(step.get("texts", ())),
                    "objects": tuple(step.get("objects", ())),
                }
            )
            for step in data["steps"]
        )
        return cls(**{**data, "steps": steps, "reads": tuple(data["reads"])})


def said(quantity: Quantity, text: str) -> dict[str, Any]:
    """A number that is spoken, for a report."""
    return {"text": text, **quantity.to_json()}


def numbers_shown(mobjects: Iterable[Mobject], camera: Any) -> tuple[NumberShown, ...]:
    """The Quantities that visible mobjects carry, from top left to bottom right."""
    shown = [
        NumberShown(
            getattr(mobject, "shown_text", None) or quantity.text(getattr(mobject, "fmt", "")),
            quantity.name,
            quantity.key,
            quantity.value,
            quantity.unit,
            quantity.origin.to_json(),
            screen_box(mobject, camera),
        )
        for mobject, quantity in _with_quantity(mobjects)
        if is_visible(mobject)
    ]
    return tuple(sorted(shown, key=lambda number: (number.box[1], number.box[0], number.text)))


def _with_quantity(mobjects: Iterable[Mobject]) -> Iterator[tuple[Mobject, Quantity]]:
    seen: set[int] = set()
    for top in mobjects:
        for mobject in top.get_family():
            quantity = vars(mobject).get("quantity")
            if isinstance(quantity, Quantity) and id(mobject) not in seen:
                seen.add(id(mobject))
                yield mobject, quantity


def texts_shown(mobjects: Iterable[Mobject], camera: Any) -> tuple[str, ...]:
    """Visible labels and tokens, from top left to bottom right, each once: what is read beside the numbers."""
    found = [
        (screen_box(member, camera), " ".join(member.shown_text.split()))
        for top in mobjects
        for member in top.get_family()
        if getattr(member, "text_kind", "") in ("label", "token") and isinstance(vars(member).get("shown_text"), str)
        if is_visible(member)
    ]
    return tuple(dict.fromkeys(text for box, text in sorted(found, key=lambda one: (one[0][1], one[0][0], one[1]))))


def objects_shown(mobjects: Iterable[Mobject], camera: Any) -> tuple[str, ...]:
    """Visible objects that are drawn from arrays: their kind in words and the arrays' names ("heat map: keys")."""
    found = []
    for member in (member for top in mobjects for member in top.get_family()):
        names = [datum.name for datum in vars(member).get("bound", ()) if isinstance(datum, NamedArray) and datum.name]
        if names and is_visible(member):
            kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(member).__name__).lower()
            found.append((screen_box(member, camera), f"{kind}: {', '.join(dict.fromkeys(names))}"))
    return tuple(dict.fromkeys(text for box, text in sorted(found, key=lambda one: (one[0][1], one[0][0], one[1]))))


def is_visible(mobject: Mobject) -> bool:
    """Whether anything of it leaves a mark on the frame."""
    return any(_leaves_a_mark(member) for member in mobject.get_family())


def _leaves_a_mark(mobject: Mobject) -> bool:
    if hasattr(mobject, "pixel_array"):
        return bool(getattr(mobject, "fill_opacity", 1.0) > 0 and mobject.pixel_array[..., 3].any())
    if not mobject.has_points() or not hasattr(mobject, "get_fill_opacity"):
        return False
    return bool(mobject.get_fill_opacity() > 0 or (mobject.get_stroke_opacity() > 0 and mobject.get_stroke_width() > 0))


def screen_box(mobject: Mobject, camera: Any) -> Box:
    """Where a mobject stands, in fractions of the frame that the camera sees."""
    centre_x, centre_y = camera.frame_center[0], camera.frame_center[1]
    width, height = camera.frame_width, camera.frame_height
    left, right = mobject.get_left()[0], mobject.get_right()[0]
    top, bottom = mobject.get_top()[1], mobject.get_bottom()[1]
    return (
        round(float((left - centre_x) / width + 0.5), 4),
        round(float(0.5 - (top - centre_y) / height), 4),
        round(float((right - centre_x) / width + 0.5), 4),
        round(float(0.5 - (bottom - centre_y) / height), 4),
    )
