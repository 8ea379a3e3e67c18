"""Who says the words of a film, and when: every step spoken, cut to its words, timed, and remembered."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from explainers import paths
from explainers.errors import ExplainError
from scenes import clock, script, voices
from scenes.registry import SceneEntry
from scenes.voices import RATE, Line, Utterance, Voice, listening
from scenes.voices.listening import Samples
from scenes.voices.recorded import Recorded, file_name, folder_of, resampled, words_read
from scenes.voices.voice import must_be_sound
from scenes.voices.wording import written

#: Kept before the first sound and after the last, and the slopes there: nothing clicks.
_BEFORE, _AFTER, _RISE, _FALL = 0.010, 0.060, 0.004, 0.030
#: What was said is forgotten, least used first, above so many bytes.
LIMIT_BYTES = 10**9


@dataclass(frozen=True)
class Said:
    """One step as it is heard.

    ``samples`` (at `RATE`, empty where nobody speaks) begin when the step does; ``starts`` are the seconds at which
    its tokens begin, and last the end of all; ``voice`` is who says it.
    """

    samples: Samples
    starts: tuple[float, ...]
    voice: str


class Speaker:
    """A voice, and who steps in where it has no words."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.deputy = _deputy() if isinstance(voice, Recorded) else None
        #: Script → names of recordings: those that lack, those that were read from other words, those that are used.
        self.missing: dict[Path, dict[str, None]] = {}
        self.changed: dict[Path, dict[str, None]] = {}
        self.spoken: dict[Path, dict[str, None]] = {}

    def says(self, entry: SceneEntry) -> tuple[Said, ...]:
        """Every step of a scene."""
        return tuple(self._says(entry, step) for step in entry.section.steps)

    def _says(self, entry: SceneEntry, step: script.Step) -> Said:
        text, places = written(step.tokens, entry.lecture.lang)
        home = script.load(entry.script)  # recordings are named as the script numbers its lecture
        line = Line(text, entry.lecture.lang, home, entry.name, step.index)
        name, about = file_name(home, entry.name, step.index), entry.lecture.path
        for voice in filter(None, (self.voice, self.deputy)):
            utterance = _utterance(voice, line)
            if voice is self.voice:
                (self.missing if utterance is None else self.spoken).setdefault(about, {})[name] = None
            if utterance is not None:
                if voice.name == "recorded" and words_read(folder_of(home)).get(name, step.narration) != step.narration:
                    self.changed.setdefault(about, {})[name] = None
                return _heard(utterance, step.tokens, places, voice.name)
        return Said(np.zeros(0, np.float32), tuple(clock.ByWords().word_starts(step)), "")

    def must_have_spoken(self, lecture: script.Lecture) -> None:
        """An error where this voice, asked for a film of this lecture, had not a word for it."""
        if lecture.path not in self.spoken:
            raise ExplainError(
                f"nothing of this film is recorded in {folder_of(lecture)}; `explain record {lecture.number}` records, "
                "or lists the files that are wanted; --voice espeak speaks a draft"
            )

    def notes(self, lecture: script.Lecture) -> list[str]:
        """What a user should know about who spoke: which recordings lack and who stepped in, and which are old."""
        found = []
        if names := self.missing.get(lecture.path):
            who = f"spoken by {self.deputy.name}" if self.deputy else "silent, timed by their words"
            found.append(f"not recorded, {who}: {', '.join(names)} (in {folder_of(lecture)})")
        if names := self.changed.get(lecture.path):
            again = "`explain record --again` reads them anew"
            found.append(f"the script has changed since these were recorded: {', '.join(names)}; {again}")
        return found


def _deputy() -> Voice | None:
    """Who speaks what is not recorded: the draft voice where it is installed."""
    try:
        return voices.find("espeak")
    except ExplainError:
        return None


def _heard(utterance: Utterance, tokens: Sequence[str], places: Sequence[int], voice: str) -> Said:
    """Cut to its words, with slopes, and timed."""
    samples = resampled(utterance.samples, utterance.rate)
    first, end = listening.bounds(samples, RATE)
    begin = max(0.0, first - _BEFORE)
    if utterance.words:
        starts = listening.known_starts(tokens, places, utterance.words, begin, end)
    else:
        cut = samples[round(first * RATE) : round(end * RATE)]
        estimated = listening.estimated_starts(tokens, cut, RATE)
        starts = (0.0, *(round(start + first - begin, 4) for start in estimated[1:]))
    clip = samples[round(begin * RATE) : round((end + _AFTER) * RATE)].astype(np.float32)
    clip -= clip.mean(dtype=np.float64).astype(np.float32)
    rise, fall = min(len(clip), round(_RISE * RATE)), min(len(clip), round(_FALL * RATE))
    clip[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    clip[len(clip) - fall :] *= np.linspace(1, 0, fall, dtype=np.float32)
    return Said(clip, starts, voice)


# ---------------------------------------------------------------------- what was said once
def _utterance(voice: Voice, line: Line) -> Utterance | None:
    """What a voice says, from the memory of what it said if it has an identity."""
    if not voice.identity:
        return _asked(voice, line)
    key = hashlib.sha256("\0".join((voice.identity, line.language, line.text)).encode()).hexdigest()[:32]
    file = _memory() / f"{key}.npz"
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError, BadZipFile), np.load(file) as kept:
        words = tuple((int(place), float(second)) for place, second in kept["words"])
        found = Utterance((kept["samples"] / np.float32(32767)).astype(np.float32), int(kept["rate"]), words)
        os.utime(file)
        return found
    said = _asked(voice, line)
    if said is None:
        return None
    rounded = np.round(np.clip(said.samples, -1, 1) * 32767).astype(np.int16)
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_name(f"{key}.{os.getpid()}.npz")
    np.savez(made, samples=rounded, rate=said.rate, words=np.array(said.words, np.float64).reshape(-1, 2))
    os.replace(made, file)
    return Utterance((rounded / np.float32(32767)).astype(np.float32), said.rate, said.words)  # as the next time


def _asked(voice: Voice, line: Line) -> Utterance | None:
    said = voice.say(line)
    if said is not None:
        must_be_sound(said, voice, line)
    return said


def _memory() -> Path:
    return paths.cache() / "voices"


def prune(limit: int = LIMIT_BYTES) -> None:
    """Forget what was not asked for the longest time, until so many bytes are left."""
    files = sorted(_memory().glob("*.npz"), key=lambda file: -file.stat().st_mtime)
    total = 0
    for file in files:
        total += file.stat().st_size
        if total > limit:
            file.unlink(missing_ok=True)
