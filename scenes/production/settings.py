"""What a user may choose about a film, and what comes back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from explainers.errors import ExplainError, one_of
from scenes import frame, own_course, script, voices
from scenes.syntax import SceneClass

#: Name → pixels.
QUALITIES: Mapping[str, tuple[int, int]] = {
    "480p": (854, 480),
    "720p": (1280, 720),
    "1080p": (1920, 1080),
    "4k": (3840, 2160),
}
ENGINES = ("fast", "stock")
UNFIT = ("refuse", "band")


def _own() -> own_course.OwnCourse | None:
    return own_course.current()


def _quality() -> str:
    own = _own()
    return (own.quality if own else "") or "720p"


def _unfit() -> str:
    own = _own()
    return (own.unfit if own else "") or "refuse"


def _fps() -> int | None:
    own = _own()
    return own.fps if own else None


def _voice() -> str | None:
    own = _own()
    if not own or not own.voice:
        return None
    if own.voice not in voices.installed():
        raise own.error("voice.name", f"{own.voice!r} is not allowed; choose {', '.join(voices.installed())}")
    return own.voice


@dataclass(frozen=True)
class Options:
    """Settings of a render.

    Parameters
    ----------
    quality
        One of `QUALITIES`. What is not given is what a lecturer's own ``course.toml`` says, else 720p.
    fps
        Frames a second, any whole number from 1 to 240; None for 30 up to 720p and 60 above.
    aspect
        One of `scenes.frame.SHAPES`: 16:9, 9:16 or 1:1.
    unfit
        What becomes of scenes that are not laid out for that: ``refuse``, or ``band``: drawn 16:9, in the middle.
    text, seed, device, source
        Passed to every run (`explainers.runs.Context`); None for each run's own default.
    out
        The folder that receives one folder a film.
    jobs
        Scenes rendered at once; None for one a core.
    lang, voice
        Language of the scripts; voice of the narration (None or ``none``: silent, timed by words).
    voice_model
        The file that some voices read; where none is given, what ``course.toml`` names for the same voice.
    fresh
        Render again what the cache holds.
    engine
        One of `ENGINES`: ``stock`` draws with Manim's own renderer, frame by frame, untouched.
    cluster
        Address of a Dask scheduler whose workers draw the scenes; None for processes of this machine.
    """

    quality: str = field(default_factory=_quality)
    fps: int | None = field(default_factory=_fps)
    device: str | None = None
    text: str | None = None
    seed: int | None = None
    source: str | None = None
    out: Path = Path("out")
    jobs: int | None = None
    lang: str = field(default_factory=script.language)
    voice: str | None = field(default_factory=_voice)
    voice_model: Path | None = None
    fresh: bool = False
    engine: str = "fast"
    cluster: str | None = None
    aspect: str = field(default_factory=frame.aspect)
    unfit: str = field(default_factory=_unfit)

    def __post_init__(self) -> None:
        if self.quality not in QUALITIES:
            raise one_of("quality", self.quality, list(QUALITIES))
        if self.engine not in ENGINES:
            raise one_of("engine", self.engine, list(ENGINES))
        frame.checked(self.aspect)
        if self.unfit not in UNFIT:
            raise one_of("way with scenes that do not fit", self.unfit, list(UNFIT))
        if self.fps is not None and not 1 <= self.fps <= 240:
            raise ExplainError(f"--fps {self.fps} is out of range; choose a whole number from 1 to 240")
        if self.jobs is not None and self.jobs < 1:
            raise ExplainError(f"--jobs {self.jobs} renders nothing; choose 1 or more")
        if self.voice == "none":
            object.__setattr__(self, "voice", None)
        own = _own()
        if self.voice and self.voice_model is None and own and own.voice == self.voice:
            object.__setattr__(self, "voice_model", own.voice_model)
        if self.voice_model and not self.voice:
            raise ExplainError("--voice-model is read by a voice; add --voice piper, or another that reads it")

    def picture_of(self, code: SceneClass) -> Picture:
        """The picture of one scene: a band in the middle where it is laid out for 16:9 alone."""
        return replace(self.picture, band=self.unfit == "band" and self.aspect not in code.aspects)

    @property
    def picture(self) -> Picture:
        size = QUALITIES[self.quality]
        return Picture(*frame.pixels(size, self.aspect), self.fps or (30 if size[1] <= 720 else 60))

    @property
    def workers(self) -> int:
        return self.jobs or os.cpu_count() or 1


@dataclass(frozen=True)
class Picture:
    """Pixels and frames a second of one render; with ``band`` a 16:9 scene in the middle of another shape."""

    width: int
    height: int
    fps: int
    band: bool = False

    @property
    def aspect(self) -> str:
        """The shape that the scene is laid out for: that of the pixels, or 16:9 in a band of them."""
        return frame.WIDE if self.band else frame.of_pixels(self.width, self.height)

    @contextmanager
    def configure(self, media: Path, **more: Any) -> Iterator[None]:
        """Manim's configuration for one scene: quiet, seeded, no cache, nothing written where a user works."""
        from manim import config, logger, tempconfig

        frame_width, frame_height = self._frame()
        level = logger.level
        logger.setLevel("ERROR")
        settings = {
            "pixel_width": self.width,
            "pixel_height": self.height,
            "frame_width": frame_width,
            "frame_height": frame_height,
            "frame_rate": self.fps,
            "media_dir": str(media),
            "disable_caching": True,
            "progress_bar": "none",
            "verbosity": "ERROR",
            "renderer": "cairo",
            "dry_run": True,  # Manim writes nothing; `drawing` hands the frames to its own encoder
            "seed": 0,
            "log_to_file": False,
        }
        try:
            with tempconfig({**settings, **more}):
                assert config.frame_rate == self.fps
                yield
        finally:
            logger.setLevel(level)

    def _frame(self) -> tuple[float, float]:
        """The frame in Manim units; the kit of this process must have been made for its shape."""
        from scenes.kit import theme

        if theme.ASPECT != self.aspect:
            raise ExplainError(
                f"this process draws {theme.ASPECT} and cannot draw {self.aspect} too; set {frame.ENVIRONMENT}="
                f"{self.aspect} before it starts, or give --aspect"
            )
        width, height = frame.SHAPES[self.aspect]
        return (width, width * self.height / self.width) if self.band else (width, height)


@dataclass(frozen=True)
class FilmResult:
    """One film that was made: its folder and files, and how it went. ``notes``: what a user should know."""

    name: str
    lecture: int
    scenes: tuple[str, ...]
    folder: Path
    video: Path
    seconds: float
    rendered: tuple[str, ...]
    reused: tuple[str, ...]
    notes: tuple[str, ...] = ()
