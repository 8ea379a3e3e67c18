"""The stage: the base class that binds a Scene to its section of the script.

    class CacheGrows(LectureScene):
        lecture = 3

        def construct(self):
            with self.step() as s:            # the section's first paragraph
                self.play(FadeIn(chip))       # ordinary Manim, run times snapped to 1/15 s
                s.until("latent")             # still until the word after [[latent]] is said
                self.play(chip.animate.shift(UP))
            # leaving the block: still until the words are said, and 0.8 s more

Time passes only inside steps. The scene also renders with the stock ``manim`` command and in notebooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from manim import Animation, Mobject, Scene, Wait, config
from tqdm import tqdm

from explainers import languages
from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity
from explainers.traces import NamedArray, Trace
from scenes import clock, door, frame, look, narration, script
from scenes.citations import Citations
from scenes.pacing import Pacing
from scenes.registry import Course
from scenes.report import Cue, SceneReport, StepReport, numbers_shown, objects_shown, said, texts_shown

__all__ = ["LectureScene", "StageStep"]


class StageStep:
    """The step that is being played: what is said, and when.

    Attributes: ``index`` from 1, ``narration``, ``duration`` (seconds that the words take), ``start`` and
    ``speech_end`` in ticks of the scene's clock.
    """

    def __init__(self, scene: LectureScene, step: narration.Step) -> None:
        self.scene, self.script = scene, step
        self.index, self.narration = step.index, step.narration
        self.start = scene.ticks
        self.duration = scene.narrator.seconds(step)
        self.speech_end = self.start + clock.ticks_up(self.duration)
        self.word_ticks = self._ticks_of(scene.narrator)
        self.cues = {name: Cue(name, round(self.word_ticks[index])) for name, index in step.marks.items()}
        made_for = type(scene).narrator
        usual = self._ticks_of(made_for)
        self.made_for = {name: round(usual[index]) - self.start for name, index in step.marks.items()}
        self.made_for_end = clock.ticks_up(made_for.seconds(step))
        words = [(tick, self.cues[name].tick - self.start) for name, tick in self.made_for.items()]
        self.pacing = Pacing([*words, (self.made_for_end, self.speech_end - self.start)])

    def _ticks_of(self, narrator: clock.Narrator) -> tuple[float, ...]:
        """When the words begin, by the scene's clock."""
        starts = narrator.word_starts(self.script)
        return tuple(round(self.start + second * clock.TICKS_PER_SECOND, 3) for second in starts)

    @property
    def left(self) -> float:
        """Seconds until the words are said; 0 when they have been."""
        self.pacing.asked(self.made_for_end)
        return clock.to_seconds(max(0, self.speech_end - self.scene.ticks))

    def left_until(self, mark: str) -> float:
        """Seconds until a mark's word, 0 when it has been said: for ``run_time=``."""
        cue = self._cue(mark)
        self.cues[mark] = replace(cue, waited=True)
        self.pacing.asked(self.made_for[mark])
        return clock.to_seconds(max(0, cue.tick - self.scene.ticks))

    def until(self, mark: str) -> None:
        """Stay still until the word after ``[[mark]]``; where that is past, note how late the animation is."""
        cue = self._cue(mark)
        with self.pacing.waiting(self.made_for[mark]):
            self.scene.wait_ticks(cue.tick - self.scene.ticks)
        self.cues[mark] = replace(cue, late=max(0, self.scene.ticks - cue.tick), waited=True)

    def _cue(self, mark: str) -> Cue:
        if mark not in self.cues:
            raise one_of(f"mark of {self.scene.where(self)}", mark, sorted(self.cues) or ["no marks in this step"])
        return self.cues[mark]


class LectureScene(Scene):
    """A scene of a lecture.

    Class attributes
    ----------------
    lecture
        The number of the lecture; the section is found by the class's name in ``lecture_scripts/<lang>/<n>_*.md``.
    script_file
        Another script file than that, for scenes outside the course.
    narrator
        How long words take; by default 150 spoken words a minute.
    hold
        Seconds of stillness at the end of each step.
    span
        The least and most seconds that such a scene may last.
    cites
        Whether what it shows counts among the sources of its lecture.
    aspects
        The shapes of frame that it is laid out for: ``("16:9", "9:16", "1:1")``. One that has more than the first asks
        ``self.upright`` whether things go below each other. `explain check --aspect` measures whether that is true.
    """

    lecture: ClassVar[int] = 0
    script_file: Path | str | None = None
    narrator: clock.Narrator = clock.ByWords()
    hold: ClassVar[float] = clock.HOLD
    span: ClassVar[tuple[float, float]] = (20.0, 70.0)
    cites: ClassVar[bool] = True
    aspects: ClassVar[tuple[str, ...]] = (frame.WIDE,)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.ticks = 0
        self.duration: float = 0.0
        self.current: StageStep | None = None
        self.finished: list[StepReport] = []
        self.reads: dict[door.Read, None] = {}
        self.sampled: tuple[float, ...] = ()  # where a skipped play is looked at nevertheless (stills, audit)
        self.on_step_start: list[Callable[[StageStep], None]] = []
        self.on_step_end: list[Callable[[StepReport], None]] = []
        self._origin_line: Mobject | None = None
        self._tongue = languages.Tongue()
        super().__init__(*args, **kwargs)
        from scenes.kit import theme

        look.noted.clear()
        self.camera.background_color = theme.role("ground")

    def __setattr__(self, name: str, value: Any) -> None:
        door.refuse_tensors(value, f"{type(self).__name__}.{name}")
        super().__setattr__(name, value)

    # ------------------------------------------------------------------ the script
    @cached_property
    def lecture_script(self) -> script.Lecture:
        """The script of the lecture that this scene belongs to."""
        if self.script_file is None and not self.lecture:
            raise ExplainError(f"{type(self).__name__} names no lecture; write `lecture = 3` in the class")
        if self.script_file:
            return script.load(self.script_file)
        return script.lecture(self.lecture, folder=Course.default().scripts)

    @cached_property
    def section(self) -> script.Section:
        """The section of the script that this scene shows."""
        return self.lecture_script.section(type(self).__name__)

    @cached_property
    def shown(self) -> script.Lecture:
        """The lecture that it is shown in: the script's, or a lecturer's own with another number or title."""
        course = Course.default(self.lecture_script.lang)
        return (course.shown_as(self.section) if course.own else None) or self.lecture_script

    @property
    def upright(self) -> bool:
        """Whether there is more room below than beside (9:16, 1:1): columns become rows, rows become columns."""
        from scenes.kit import theme

        return theme.UPRIGHT

    def where(self, step: StageStep | None = None) -> str:
        """Lecture, scene and step in words, for messages."""
        step = step or self.current
        return f"{self.lecture}/{type(self).__name__}" + (f" step {step.index}" if step else "")

    @contextmanager
    def step(self) -> Iterator[StageStep]:
        """The next paragraph: lasts as long as its words or its animations, whichever is longer, and a hold."""
        if self.current:
            raise ExplainError(f"{self.where()}: a step begins inside another; end the first `with self.step()` block")
        done = len(self.finished)
        if done >= len(self.section.steps):
            raise ExplainError(
                f"{self.where()}: step {done + 1} has no paragraph ({self.section.where} has {done}); write or drop one"
            )
        step = StageStep(self, self.section.steps[done])
        for reference in step.script.references:
            self.reads[door.number_read(reference.name, reference.quantity)] = None
        self.current = step
        for observer in self.on_step_start:
            observer(step)
        yield step  # an error inside passes by: `current` still names the step
        overrun = max(0, self.ticks - step.speech_end)
        end = max(step.speech_end, self.ticks) + clock.ticks_up(self.hold)
        last = step.index == len(self.section.steps)
        self.wait_ticks((clock.whole_seconds(end) if last else end) - self.ticks)
        self._finish(step, overrun)

    def _finish(self, step: StageStep, overrun: int) -> None:
        report = StepReport(
            step.index,
            step.start,
            step.speech_end,
            self.ticks,
            step.narration,
            step.script.words,
            step.word_ticks,
            tuple(step.cues.values()),
            overrun,
            numbers_shown(self.mobjects, self.camera),
            tuple(said(quantity, text) for quantity, text in step.script.quantities),
            texts_shown(self.mobjects, self.camera),
            objects_shown(self.mobjects, self.camera),
        )
        self.finished.append(report)
        self.current = None
        for observer in self.on_step_end:
            observer(report)

    def tear_down(self) -> None:
        """After `construct`: every paragraph must have been a step (unless Manim was asked for a part, with ``-n``)."""
        missing = len(self.section.steps) - len(self.finished)
        if missing and config.upto_animation_number in (-1, float("inf")):
            raise ExplainError(
                f"{self.where()}: {len(self.finished)} steps for {len(self.section.steps)} paragraphs of "
                f"{self.section.where}; add {missing} `with self.step()` or drop as many paragraphs"
            )
        super().tear_down()

    def report(self) -> SceneReport:
        """What happened so far, as plain data."""
        words = (door.word_read(self.lecture_script, type(self).__name__, key) for key in self._tongue.asked)
        colours = (door.read_colour(name) for name in look.noted)
        found = {**self.reads, **dict.fromkeys(words), **dict.fromkeys(colours)}
        reads = sorted((read.to_json() for read in found), key=str)
        return SceneReport(
            self.lecture, type(self).__name__, self.section.heading, self.ticks, tuple(self.finished), tuple(reads)
        )

    def render(self, preview: bool = False) -> bool:
        """`Scene.render`, with texts and numbers in the language of the script."""
        path = self.lecture_script.path
        with languages.speaking(
            self.lecture_script.lang, languages.words_of(path, type(self).__name__)
        ) as self._tongue:
            return bool(super().render(preview))

    # ------------------------------------------------------------------ the doors
    def run(self, name: str, **params: Any) -> Trace:
        """The trace of a run of the catalogue; read and digest are noted."""
        trace, read = door.read_run(name, params)
        door.refuse_tensors(dict(trace.arrays), f"run {name}")
        self.reads[read] = None
        return trace

    def number(self, reference: str) -> Quantity:
        """A number by the name that scripts use: ``v3.kv_bytes_per_token``, ``fact.…``, ``run.<run>.<number>``."""
        quantity, read = door.read_number(reference)
        self.reads[read] = None
        return quantity

    def front(self, lecture: int) -> script.Lecture | None:
        """The script of a lecture of this course, for its title and question; None where it is not written yet."""
        found, read = door.read_front(self.lecture_script, lecture)
        self.reads[read] = None
        return found

    def citations(self) -> Citations:
        """What the scenes of this lecture cite, as the check has noted it."""
        found, read = door.read_citations(self.lecture_script, self.shown.number)
        self.reads[read] = None
        return found

    def origin(self, *sources: Quantity | NamedArray | Trace) -> Mobject:
        """Set the line at the bottom left that says where the picture's numbers come from (no source: take it away)."""
        from scenes.kit.origin import OriginLine

        if self._origin_line is not None:
            self.remove(self._origin_line)
        if not sources:
            self._origin_line = None
            return Mobject()
        self._origin_line = OriginLine(*sources)
        self.add(self._origin_line)
        return self._origin_line

    def show_title(self, text: str = "") -> Mobject:
        """The section's heading, small and steady at the top left."""
        from scenes.kit.text import title

        line = title(text or self.section.heading, as_is=not text)
        self.add(line)
        return line

    # ------------------------------------------------------------------ the clock
    @property
    def time(self) -> float:
        """Seconds since the start of the scene, by the one clock."""
        return clock.to_seconds(self.ticks)

    def play(self, *args: Any, **kwargs: Any) -> None:
        """`Scene.play` inside a step; run times are rounded to whole ticks."""
        if self.current is None:
            raise ExplainError(
                f"{self.where()}: time passes outside a step; move play and wait into `with self.step():`"
            )
        for argument in args:
            door.refuse_tensors(argument, f"an argument of play in {self.where()}")
            mobject = argument if isinstance(argument, Mobject) else getattr(argument, "mobject", None)
            if isinstance(mobject, Mobject):
                door.refuse_tensors_on([mobject])
        super().play(*args, **kwargs)
        self.ticks += self._play_ticks

    def wait(
        self,
        duration: float = 1.0,
        stop_condition: Callable[[], bool] | None = None,
        frozen_frame: bool | None = None,
    ) -> None:
        """`Scene.wait`, rounded to whole ticks. A stop condition has no known length and is refused."""
        if stop_condition is not None:
            raise ExplainError(f"{self.where()}: wait(stop_condition=…) has no fixed length; use s.until(mark)")
        super().wait(duration, None, frozen_frame)

    def wait_ticks(self, ticks: int) -> None:
        """Stay as it is for so many ticks; none or fewer is no wait."""
        if ticks > 0:
            self.wait(clock.to_seconds(ticks))

    @classmethod
    def validate_run_time(cls, run_time: float, method: Callable[..., Any], parameter_name: str = "run_time") -> float:
        """Positive; never stretched to a frame, because the clock has its own grid."""
        if run_time <= 0:
            raise ExplainError(f"{cls.__name__}.{method.__name__}: {parameter_name} {run_time:g} s must be positive")
        return run_time

    def get_run_time(self, animations: list[Animation]) -> float:
        """The longest run time, rounded to whole ticks; the longest animations are stretched to it."""
        longest = max(animation.run_time for animation in animations)
        snapped = clock.to_seconds(clock.to_ticks(self.validate_run_time(longest, self.play)))
        for animation in animations:
            if animation.run_time == longest:
                animation.run_time = snapped
        return snapped

    def compile_animation_data(self, *animations: Any, **play_kwargs: Any) -> Any:
        """As Manim does, with the exact number of frames in place of a float that Manim truncates."""
        result = super().compile_animation_data(*animations, **play_kwargs)
        self._play_ticks = self._keep_pace(clock.to_ticks(self.duration))
        if self.is_current_animation_frozen_frame():
            self.duration = (self._frames() + 0.25) / config.frame_rate
        return result

    def _keep_pace(self, ticks: int) -> int:
        """Shorten the animations that are about to begin where a voice leaves less time (`scenes.pacing`)."""
        assert self.current is not None, "`play` has made sure"
        if isinstance(self.animations[0], Wait):
            self.current.pacing.passed(ticks)
            return ticks
        fitted = self.current.pacing.length(ticks, self.ticks - self.current.start)
        if fitted < ticks:
            for animation in self.animations:
                animation.run_time *= fitted / ticks
            self.duration = clock.to_seconds(fitted)
        return fitted

    def _frames(self) -> int:
        return clock.frames_between(self.ticks, self.ticks + self._play_ticks, round(config.frame_rate))

    def get_time_progression(
        self,
        run_time: float,
        description: str,
        n_iterations: int | None = None,
        override_skip_animations: bool = False,
    ) -> tqdm:
        """One time a frame, counted in whole frames; a skipped play has its end and what is sampled on the way."""
        if self.renderer.skip_animations and not override_skip_animations:
            moving = not isinstance((self.animations or [None])[0], Wait)
            times = [part * run_time for part in self.sampled if moving] + [run_time]
        else:
            frames = self._frames()
            times = [run_time * index / frames for index in range(frames)]
        bar = config.progress_bar
        return tqdm(times, desc=description, leave=bar == "leave", disable=bar == "none")
