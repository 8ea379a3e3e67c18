"""One scene under audit: run without rendering, look at the end of each step, sample every motion."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from explainers import extensions
from explainers.errors import ExplainError
from explainers.traces import Trace
from scenes import script, waivers
from scenes.audit import contrast, fingerprint, layout, motion, origins, picture, timing, values
from scenes.audit.findings import Finding, Notes
from scenes.audit.masks import Painter
from scenes.audit.outlines import watching
from scenes.citations import Citations
from scenes.clock import Measured, to_seconds
from scenes.kit.binding import data_of
from scenes.production.loading import load_class
from scenes.production.looking import LookingRenderer
from scenes.production.settings import Options
from scenes.registry import SceneEntry
from scenes.report import SceneReport, StepReport
from scenes.stage import LectureScene, StageStep
from scenes.translating import translatable
from scenes.waivers import Waiver

#: Motions are sampled at least this often, and the audit looks at this size.
SAMPLES_PER_SECOND = 8
QUALITY = "480p"
#: Mid-motion, texts count as on top of one another only if both are nearly opaque and stay so for two samples.
_OPAQUE, _OVERLAP_SAMPLES = 0.75, 3
#: So many of the texts that lack a translation are named.
_WORDS = 8


@dataclass
class SceneAudit:
    """What the audit of one scene found, as plain data that crosses processes."""

    scene: str
    lecture: int
    steps: int = 0
    numbers: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    waivers: list[dict[str, Any]] = field(default_factory=list)
    unfounded: dict[str, str] = field(default_factory=dict)
    digest: str = ""
    fingerprint: dict[str, Any] = field(default_factory=dict)
    thumbnail: list[list[list[int]]] = field(default_factory=list)
    cites: bool = True
    cited: Citations = field(default_factory=Citations)


class _Samples:
    """The moments of the play in progress at which the audit looks: evenly, at least eight a second."""

    def __init__(self, scene: LectureScene) -> None:
        self.scene = scene

    def __iter__(self) -> Iterator[float]:
        count = max(2, int(np.ceil(self.scene.duration * SAMPLES_PER_SECOND)))
        return iter([index / count for index in range(count)])


class _Visitor:
    """Applies every check at the right moments of one scene."""

    def __init__(self, entry: SceneEntry, scene: LectureScene, renderer: LookingRenderer) -> None:
        self.entry, self.scene, self.renderer = entry, scene, renderer
        own = getattr(type(scene), "waivers", {})
        where = entry.code.where
        self.notes = Notes(entry.key, waived_by_scene=tuple(Waiver(c, reason, where) for c, reason in own.items()))
        self.film, self.seen = motion.Film(), contrast.Seen()
        self.names = script.names_of(entry.script)
        self.traces: list[Trace] = []
        self.numbers = 0
        self.unfounded: dict[str, str] = {}
        self.digest = hashlib.blake2b(digest_size=16)
        self.steps: list[dict[str, Any]] = []
        self.thumbnail: list[list[list[int]]] = []
        self._done_values: set[tuple[int, tuple[int, ...]]] = set()
        self._kept: list[Any] = []  # bound objects whose ids are remembered must not be freed
        self._overlapping: dict[str, int] = {}
        self._waited: set[str] = set()
        self._last_motion = ""
        self.cited = Citations()

    # -------------------------------------------------------------- moments
    def on_motion(self, scene: LectureScene, part: float) -> None:
        """A sampled moment of an animation."""
        self.notes.step = scene.current.index if scene.current else 0
        tick = scene.ticks + part * scene._play_ticks
        moment = self.film.sample(scene, tick)
        self.digest.update(moment.digest.encode())
        if moment.digest == self._last_motion:
            return
        self._last_motion = moment.digest
        now = picture.take(scene)
        self.notes.place = now.boxes_of
        self.seen.glance(now)
        origins.check(now, self.notes, self.names, self.traces)
        self._check_moving_overlaps(now)

    def _check_moving_overlaps(self, now: picture.Picture) -> None:
        inks = layout.Inks(now, Painter(now.camera))
        touching = {f"{one.name} × {two.name}": (one, two) for one, two, count in inks.pairs(_OPAQUE) if count > 12}
        self._overlapping = {pair: self._overlapping.get(pair, 0) + 1 for pair in touching}
        for pair, times in self._overlapping.items():
            if times == _OVERLAP_SAMPLES:
                one, two = touching[pair]
                self.notes.add(
                    "text-over-text",
                    pair,
                    f"for {times / SAMPLES_PER_SECOND:.1f} s of a motion",
                    "let one leave before the other arrives, or move them along other ways",
                    (*one.waivers, *two.waivers),
                )

    def at_start(self, step: StageStep) -> None:
        """The beginning of a step: from here on, listen which marks it waits for."""
        self.notes.step = step.index
        self._overlapping.clear()
        original, self._waited = step._cue, set()

        def cue(mark: str) -> Any:
            self._waited.add(mark)
            return original(mark)

        step._cue = cue  # type: ignore[method-assign]

    def at_end(self, report: StepReport) -> None:
        """The end of a step: everything."""
        scene, notes = self.scene, self.notes
        notes.step = report.index
        moment = self.film.sample(scene, report.end)
        now, frame = picture.take(scene), self.renderer.look(scene)
        notes.place = now.boxes_of
        self.digest.update(moment.digest.encode() + hashlib.blake2b(frame.tobytes()).digest())
        painter = Painter(scene.camera)
        self.numbers += origins.check(now, notes, self.names, self.traces)
        self.numbers += origins.check_narration(scene.section.steps[report.index - 1], notes, self.names)
        origins.check_sources(now, notes)
        self.unfounded.update(origins.unfounded(now))
        self._kept += [part.mobject for part in now.bound]
        said = [quantity for quantity, _ in scene.section.steps[report.index - 1].quantities]
        lines = [source for part in now.texts for source in getattr(part.mobject, "sources", ())]
        self.cited |= Citations.of([*data_of(scene.mobjects), *lines, *said])
        values.check(now, notes, self._done_values)
        layout.check(now, notes, painter)
        contrast.check(now, frame, notes, painter, self.seen)
        contrast.check_colours(now, notes)
        motion.check_composition(now, frame, notes, painter)
        for code in extensions.offered("explain.checks"):
            extensions.load("explain.checks", code)(now, notes)
        for mark in sorted({cue.name for cue in report.cues} - self._waited):
            message = "wait for it with s.until(mark) or s.left_until(mark), or take it out of the script"
            notes.add("script-mismatch", f"mark [[{mark}]]", "nobody waits for it", message)
        self.steps.append(fingerprint.of_step(report.index, now))
        self.thumbnail = fingerprint.thumbnail(frame)

    def finish(self, report: SceneReport) -> None:
        """After the last step: timing, motion, waivers. How long a scene may last is not asked of a voice."""
        spoken = isinstance(self.scene.narrator, Measured)
        self.notes.place = lambda thing: ()
        self.film.check(self.notes, [(step.index, step.start, step.end) for step in report.steps])
        timing.check(report, self.notes, None if spoken else type(self.scene).span, self.scene.lecture_script.lang)
        self.digest.update(json.dumps(report.to_json(), sort_keys=True, default=str).encode())


def audit(entry: SceneEntry, options: Options | None = None, voiced: tuple[tuple[float, ...], ...] = ()) -> SceneAudit:
    """Run a scene under all checks. A scene that raises is itself a finding, and what it did until then is kept.

    ``voiced``: when the words of each step begin, where a voice says them; then the scene may last as long as it does.
    """
    result = SceneAudit(entry.key, entry.code.lecture)
    visitor: _Visitor | None = None
    report: SceneReport | None = None
    with _stage(options or Options(quality=QUALITY)) as renderer:
        try:
            kind = load_class(entry)
            result.cites = kind.cites
            scene = kind(renderer=renderer)
            scene.script_file = entry.script  # this instance speaks the entry's language
            if voiced:
                scene.narrator = Measured(voiced)
            visitor = _Visitor(entry, scene, renderer)
            _attach(visitor, scene, renderer)
            scene.render()
            visitor.finish(report := scene.report())
        except Exception as error:
            result.findings.append(_failed(entry, visitor, error))
    if visitor is not None:
        _check_words(entry, visitor)
        _fill(result, visitor, report)
    return result


@contextmanager
def _stage(options: Options) -> Iterator[LookingRenderer]:
    """Manim configured for looking, texts remembered as they are built, no waiver given yet."""
    waivers.given.clear()
    with (
        watching(),
        tempfile.TemporaryDirectory(prefix="explain-audit-") as media,
        options.picture.configure(Path(media)),
    ):
        yield LookingRenderer()


def _attach(visitor: _Visitor, scene: LectureScene, renderer: LookingRenderer) -> None:
    original = scene.run

    def run(name: str, **params: Any) -> Trace:
        trace = original(name, **params)
        visitor.traces.append(trace)
        return trace

    scene.run = run  # type: ignore[method-assign]
    scene.sampled = _Samples(scene)  # type: ignore[assignment]
    scene.on_step_start.append(visitor.at_start)
    scene.on_step_end.append(visitor.at_end)
    renderer.on_motion = visitor.on_motion


def _failed(entry: SceneEntry, visitor: _Visitor | None, error: Exception) -> Finding:
    from traceback import extract_tb

    file = entry.code.file.name
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if Path(frame.filename).name == file]
    where = f"{file}:{lines[-1]}" if lines else entry.code.where
    kind = "" if isinstance(error, ExplainError) else f"{type(error).__name__}: "
    step = visitor.scene.current.index if visitor and visitor.scene.current else 0
    text = " ".join(str(error).split())
    return Finding(
        "scene-fails", entry.key, step, where, f"{kind}{text}", "mend the error; `explain still` shows it too"
    )


def _check_words(entry: SceneEntry, visitor: _Visitor) -> None:
    """What the catalogue of a language lacks, in one finding a scene."""
    unknown = (text for text, found in visitor.scene._tongue.asked.items() if found is None)
    if missing := translatable(unknown, script.load(entry.script)):
        shown = ", ".join(repr(text) for text in missing[:_WORDS]) + (" …" if len(missing) > _WORDS else "")
        where = f"{entry.script.with_suffix('.po').name} or common.po"
        mend = f"`explain script new {entry.lecture.lang} {entry.code.lecture}` lists them; translate them there"
        visitor.notes.add("words-missing", where, f"{len(missing)} texts in English: {shown}", mend, step=0)


def _fill(result: SceneAudit, visitor: _Visitor, report: SceneReport | None) -> None:
    notes = visitor.notes
    result.steps, result.numbers = len(visitor.steps), visitor.numbers
    result.seconds = to_seconds(report.ticks) if report else 0.0
    given = dict.fromkeys([*waivers.given, *notes.waived_by_scene])
    for waiver in given if report else ():
        if waiver not in notes.used:
            notes.add(
                "waiver-unused", f"{waiver.where} {waiver.code}", waiver.reason, "it excuses nothing; remove it", step=0
            )
    result.findings += notes.findings
    result.waivers = [
        {"scene": result.scene, "code": waiver.code, "reason": waiver.reason, "where": waiver.where} for waiver in given
    ]
    result.unfounded = visitor.unfounded
    result.digest = visitor.digest.hexdigest() if report else ""
    result.fingerprint = {"scene": result.scene, "steps": visitor.steps}
    result.thumbnail = visitor.thumbnail
    result.cited = visitor.cited
