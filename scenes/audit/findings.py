"""Findings: what is wrong, where, by how much, and how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

from explainers import extensions
from explainers.errors import one_of
from scenes.report import Box
from scenes.waivers import Waiver

#: Every code, with what it means.
CODES = MappingProxyType(
    {
        "digits-without-origin": "digits on screen that belong to no Quantity, tick or listed name",
        "number-untrue": "the digits shown are not the Quantity's value",
        "tick-untrue": "an axis tick that does not stand at the value it shows",
        "origin-line-untrue": "an origin line whose text is not that of its sources",
        "source-not-named": "a number or tensor on screen whose run or source the origin line does not name",
        "picture-unread": "an image or drawing that is not drawn from data, in which nobody can look for digits",
        "said-without-origin": "spoken digits that belong to no Quantity or listed name",
        "literal-number": "a number typed into a scene where a Quantity belongs",
        "digits-in-code": "digits typed into the text of a label in a scene's code",
        "ignores-data": "a picture that stays the same when its data change",
        "not-its-data": "a picture that shows other values than the ones it is bound to",
        "rebind-fails": "a data-bound object that cannot be drawn for other values",
        "outside-safe-area": "something within 5 % of the frame's edge, or beyond it",
        "in-caption-zone": "something in the lowest 12 % of the frame, where captions stand",
        "text-over-text": "two texts on top of one another",
        "text-across-edge": "text cut by a line or an edge",
        "text-too-small": "capitals lower than 18 pixels at 1080p (11 for ticks and the origin line)",
        "low-contrast": "text with less than 4.5 : 1 against what is behind it",
        "faint-shape": "a shape with less than 3 : 1 against what is behind it",
        "colours-alike": "two colours that a colour-blind viewer cannot tell apart",
        "crowded": "more than about nine separate things at once",
        "empty": "a step that ends with nothing to see",
        "frozen": "a still picture for longer than 12 s",
        "flashes": "more than three flashes in a second",
        "overrun": "animations that outrun their words",
        "late-mark": "an animation that reaches its mark after the word is said",
        "pace": "words that are spoken too fast or too slowly",
        "hold-short": "less than 0.8 s of stillness at the end of a step",
        "step-short": "a step too short to be read",
        "scene-length": "a scene outside 20 to 70 s",
        "lecture-length": "a lecture far from five minutes",
        "course-length": "a course far from 42 minutes",
        "script-mismatch": "headings, classes, steps or marks that do not match one to one",
        "script-out-of-step": "a script whose scenes, steps, references or marks differ from the English one",
        "untranslated": "a paragraph that is still in English",
        "words-missing": "texts of a picture that its language's catalogue lacks, shown in English",
        "not-laid-out": "a scene whose things do not fit a frame of this shape",
        "scene-fails": "a scene that raises an error",
        "not-deterministic": "a scene that is not the same twice",
        "golden-missing": "a scene without a reviewed fingerprint",
        "picture-changed": "a picture that is not the reviewed one",
        "citations-changed": "an end card whose sources are not those of its lecture",
        "waiver-unused": "a waiver that excuses nothing",
    }
)


@dataclass(frozen=True)
class Finding:
    """One thing that must be mended or waived.

    ``step`` counts from 1 (0: the whole scene); ``object`` is a path like ``TensorGrid 'c_kv' / label 'latent'``;
    ``measure`` what was measured, with its limit; ``boxes`` where in the frame it stands, as far as it has a place, and
    ``more_boxes`` where it stands in each of ``more_steps``.
    """

    code: str
    scene: str
    step: int
    object: str
    measure: str
    message: str
    more_steps: tuple[int, ...] = ()
    severity: str = "error"
    boxes: tuple[Box, ...] = ()
    more_boxes: tuple[tuple[Box, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES and self.code not in extensions.offered("explain.checks"):
            raise one_of("finding code", self.code, [*CODES, *extensions.offered("explain.checks")])

    def boxes_in(self, step: int) -> tuple[Box, ...]:
        """Where it stands at the end of a step."""
        if step == self.step:
            return self.boxes
        return dict(zip(self.more_steps, self.more_boxes, strict=False)).get(step, ())

    def to_json(self) -> dict[str, Any]:
        more_boxes = [[list(box) for box in boxes] for boxes in self.more_boxes]
        boxes = [list(box) for box in self.boxes]
        return {**asdict(self), "more_steps": list(self.more_steps), "boxes": boxes, "more_boxes": more_boxes}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Finding:
        boxes = tuple(tuple(box) for box in data.get("boxes", ()))
        more = tuple(tuple(tuple(box) for box in boxes) for boxes in data.get("more_boxes", ()))
        return cls(**{**data, "more_steps": tuple(data["more_steps"]), "boxes": boxes, "more_boxes": more})


@dataclass
class Notes:
    """Collects the findings of one scene; the same finding in later steps is kept once, with those steps."""

    scene: str
    step: int = 0
    waived_by_scene: tuple[Waiver, ...] = ()
    found: dict[tuple[str, str], Finding] = field(default_factory=dict)
    used: dict[Waiver, None] = field(default_factory=dict)
    place: Callable[[str], tuple[Box, ...]] = lambda thing: ()  # where a thing stands in the picture being checked

    def add(
        self, code: str, thing: str, measure: str, message: str, waivers: Iterable[Waiver] = (), step: int | None = None
    ) -> None:
        """Note a finding, unless one of these waivers (or the scene's own) excuses it."""
        step = self.step if step is None else step
        for waiver in (*waivers, *self.waived_by_scene):
            if waiver.code in (code, f"{code}:{step}"):
                self.used[waiver] = None
                return
        key = (code, thing)
        if old := self.found.get(key):
            if step not in (old.step, *old.more_steps):
                here = (*old.more_boxes, self.place(thing))
                self.found[key] = replace(old, more_steps=(*old.more_steps, step), more_boxes=here)
            return
        self.found[key] = Finding(code, self.scene, step, thing, measure, message, boxes=self.place(thing))

    @property
    def findings(self) -> list[Finding]:
        return sorted(_together(self.found.values()), key=lambda finding: (finding.step, finding.code, finding.object))


#: So many alike findings under one holder, or under holders of one kind, become one.
_ALIKE = 4


def _together(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of the same code, step and holder as one: ``TokenRow 'h' / 17 of its parts``."""

    def holder(finding: Finding) -> str:
        return finding.object.partition(" / ")[0]

    def kind(finding: Finding) -> str:
        return holder(finding).partition(" ")[0]

    return list(_merged(_merged(findings, holder, "its parts"), kind, "them"))


def _merged(findings: Iterable[Finding], name_of: Callable[[Finding], str], what: str) -> Iterator[Finding]:
    families: dict[tuple[str, int, str], list[Finding]] = {}
    for finding in findings:
        families.setdefault((finding.code, finding.step, name_of(finding)), []).append(finding)
    for (_, _, name), members in families.items():
        if len(members) < _ALIKE or " / " not in members[0].object:
            yield from members
            continue
        steps = tuple(sorted({step for member in members for step in member.more_steps}))
        measure = members[0].measure.removesuffix(" (the first)")
        together = f"{name} / {len(members)} of {what}"
        boxes = tuple(dict.fromkeys(box for member in members for box in member.boxes))
        later = tuple(tuple(dict.fromkeys(box for each in members for box in each.boxes_in(step))) for step in steps)
        one = replace(members[0], object=together, measure=f"{measure} (the first)")
        yield replace(one, more_steps=steps, boxes=boxes, more_boxes=later)
