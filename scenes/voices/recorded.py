"""A lecturer's own voice: files in ``lecture_scripts/<language>/voice/``.

``3_CacheGrows-2.wav`` is step 2 of scene CacheGrows in lecture 3; ``3_CacheGrows.wav`` is one take of the whole scene,
cut at the pauses between its paragraphs, or at the labels of ``3_CacheGrows.txt`` (as Audacity exports them: a line a
step, its start and end in seconds). A step of its own replaces what the take holds. WAV, FLAC or MP3.
"""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Any

import av
import numpy as np

from explainers.errors import ExplainError
from scenes.script import Lecture
from scenes.voices import listening
from scenes.voices.listening import Samples
from scenes.voices.voice import RATE, Line, Utterance

#: Beside the recordings that `explain record` made: file name → the words that were read.
SAID = "said.json"
KINDS = (".wav", ".flac", ".mp3")
LEAST_RATE = 16_000
#: Between paragraphs of a take a pause lasts at least so long, and so many times as long as any other pause.
BREAK, LONGER = 0.9, 1.25
#: Of full scale, so many samples in a row, at so many places: that take was too loud.
_FULL, _IN_A_ROW, _PLACES = 0.999, 3, 3
_SILENT = 0.003
_NAME = re.compile(r"(?P<lecture>\d+)_(?P<scene>[A-Za-z]\w*)(?:-(?P<step>\d+))?$")


def folder_of(lecture: Lecture) -> Path:
    """Where the recordings of a lecture's language lie."""
    return lecture.path.parent / "voice"


def file_name(lecture: Lecture, scene: str, step: int) -> str:
    """What `explain record` calls the recording of a step."""
    return f"{lecture.number}_{scene}-{step}.wav"


class Recorded:
    """The voice ``recorded``."""

    name, identity = "recorded", ""  # files may change: they are read every time

    def __init__(self, model: Path | None = None) -> None:
        if model is not None:
            raise ExplainError("--voice recorded reads recordings, no model; leave --voice-model out")
        self._files: dict[Path, dict[tuple[str, int], Path]] = {}
        self._takes: dict[Path, list[Utterance]] = {}

    def say(self, line: Line) -> Utterance | None:
        if line.lecture.path not in self._files:
            self._files[line.lecture.path] = recordings(line.lecture)
        files = self._files[line.lecture.path]
        if (file := files.get((line.scene, line.step))) is not None:
            return Utterance(read(file), RATE)
        if (take := files.get((line.scene, 0))) is None:
            return None
        if take not in self._takes:
            self._takes[take] = cut(take, len(line.lecture.section(line.scene).steps))
        return self._takes[take][line.step - 1]


def recordings(lecture: Lecture) -> dict[tuple[str, int], Path]:
    """Scene and step (0: a take of the whole scene) → file. A file that fits no step is an error."""
    found: dict[tuple[str, int], Path] = {}
    for path in sorted(folder_of(lecture).glob("*")):
        if path.suffix.lower() not in KINDS:
            continue
        match = _NAME.match(path.stem)
        if match is None:
            raise ExplainError(
                f"voice/{path.name}: no step is called so; name it {file_name(lecture, 'SCENE', 2)} for a step, or "
                f"{lecture.number}_SCENE.wav for a take of a whole scene"
            )
        if int(match["lecture"]) != lecture.number:
            continue
        steps = {section.name: len(section.steps) for section in lecture.sections}
        scene, step = match["scene"], int(match["step"] or 0)
        if scene not in steps:
            near = difflib.get_close_matches(scene, steps, 1, 0.4)
            did = f"did you mean {near[0]}?" if near else f"its scenes are {', '.join(steps)}"
            raise ExplainError(f"voice/{path.name}: lecture {lecture.number} has no scene {scene}; {did}")
        if match["step"] and not 1 <= step <= steps[scene]:
            raise ExplainError(
                f"voice/{path.name}: {scene} has steps 1 to {steps[scene]}; rename the file, or move it away"
            )
        if (other := found.get((scene, step))) is not None:
            raise ExplainError(f"voice/{other.name} and voice/{path.name} are both the same step; keep one of them")
        found[scene, step] = path
    return found


# ---------------------------------------------------------------------- files
def read(path: Path) -> Samples:
    """A recording as one channel at `RATE`; one that cannot be used is an error that says what to do."""
    try:
        channels, rate = _decoded(path)
    except (OSError, av.error.FFmpegError, IndexError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ExplainError(
            f"voice/{path.name} cannot be read as sound ({reason}); export it as WAV, FLAC or MP3 again"
        ) from error
    must_be_usable(channels, rate, f"voice/{path.name}")
    return resampled(channels.mean(axis=0).astype(np.float32), rate)


def must_be_usable(channels: Samples, rate: int, name: str) -> None:
    """Refuse a recording (channels, samples) that is silent, clipped, or has too few samples a second."""
    if rate < LEAST_RATE:
        raise ExplainError(
            f"{name} has {rate} samples a second, as a telephone has; record at 44100 or 48000 (at least {LEAST_RATE})"
        )
    peak = float(np.abs(channels).max()) if channels.size else 0.0
    if peak < _SILENT:
        raise ExplainError(f"{name} is silent; is the microphone on? Record it again")
    if peak >= _FULL and sum(len(_runs(np.abs(each) >= _FULL, _IN_A_ROW)) for each in channels) >= _PLACES:
        raise ExplainError(
            f"{name} is clipped (it was recorded too loud); turn the microphone down and record it again"
        )


def _decoded(path: Path) -> tuple[Samples, int]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        to_floats = av.AudioResampler(format="fltp")
        frames = [frame for each in container.decode(stream) for frame in to_floats.resample(each)]
        rate = stream.rate
    pieces = [frame.to_ndarray() for frame in [*frames, *to_floats.resample(None)]]
    return np.concatenate(pieces, axis=1).astype(np.float32), rate


def resampled(samples: Samples, rate: int) -> Samples:
    """The same sound at `RATE`."""
    if rate == RATE:
        return samples
    from scipy.signal import resample_poly

    divisor = int(np.gcd(rate, RATE))
    found: Any = resample_poly(samples.astype(np.float64), RATE // divisor, rate // divisor)
    return np.asarray(found, np.float32)


def _runs(mask: Any, least: int) -> list[int]:
    """Where stretches of at least so many true values begin."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [int(start) for start, end in zip(edges[::2], edges[1::2], strict=True) if end - start >= least]


# ---------------------------------------------------------------------- takes
def cut(path: Path, steps: int) -> list[Utterance]:
    """A take of a whole scene, cut into its steps."""
    samples = read(path)
    labels = path.with_suffix(".txt")
    spans = _labelled(labels, steps, len(samples) / RATE) if labels.is_file() else _by_pauses(path, samples, steps)
    return [Utterance(samples[round(start * RATE) : round(end * RATE)], RATE) for start, end in spans]


def _labelled(path: Path, steps: int, length: float) -> list[tuple[float, float]]:
    spans: list[tuple[float, float]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            start, end = (float(value.replace(",", ".")) for value in line.split()[:2])
        except ValueError:
            raise ExplainError(f"voice/{path.name}:{number}: write start and end in seconds, as '1.5 7.25'") from None
        if not 0 <= start < end <= length + 0.05 or (spans and start < spans[-1][1]):
            raise ExplainError(
                f"voice/{path.name}:{number}: {start:g} to {end:g} s is not after the line before, or "
                f"not within the take, which lasts {length:.1f} s"
            )
        spans.append((start, end))
    if len(spans) != steps:
        raise ExplainError(f"voice/{path.name} has {len(spans)} labels, the scene has {steps} steps; one line a step")
    return spans


def _by_pauses(path: Path, samples: Samples, steps: int) -> list[tuple[float, float]]:
    first, last = listening.bounds(samples, RATE)
    inside = [(start, end) for start, end in listening.pauses(samples, RATE) if first < start and end < last]
    longest = sorted(inside, key=lambda pause: pause[0] - pause[1])
    breaks, others = longest[: steps - 1], longest[steps - 1 :]
    least = min((end - start for start, end in breaks), default=BREAK)
    most = max((end - start for start, end in others), default=0.0)
    if len(breaks) < steps - 1 or least < BREAK or least < LONGER * most:
        clear = sum(1 for start, end in inside if end - start >= BREAK)
        raise ExplainError(
            f"voice/{path.name}: {clear + 1} parts between clear pauses, the scene has {steps} steps; pause about two "
            f"seconds between paragraphs and less inside them, or write the steps' times into {path.stem}.txt "
            "(a line a step: start and end in seconds)"
        )
    edges: list[float] = [0.0]
    for start, end in sorted(breaks):
        edges += [(start + end) / 2] * 2
    edges.append(len(samples) / RATE)
    return list(zip(edges[::2], edges[1::2], strict=True))


def words_read(folder: Path) -> dict[str, str]:
    """What was read in each recording that `explain record` made, by file name."""
    try:
        return dict(json.loads((folder / SAID).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
