"""Who says the words of a film, and when: every step spoken, cut to its words, timed, and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explainers.errors import ExplainError
from scenes import clock, narration, script, voices
from scenes.production import memory
from scenes.registry import SceneEntry
from scenes.voices import RATE, Line, Utterance, Voice, listening
from scenes.voices.listening import Samples
from scenes.voices.recorded import Recorded, file_name, folder_of, resampled, words_read
from scenes.voices.voice import must_be_sound
from scenes.voices.wording import written

#: Kept before the first sound and after the last, and the slopes there: nothing clicks.
_BEFORE, _AFTER, _RISE, _FALL = 0.010, 0.060, 0.004, 0.030


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

    def _says(self, entry: SceneEntry, step: narration.Step) -> Said:
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
                return _heard(utterance, step, places, voice.name)
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


def _heard(utterance: Utterance, step: narration.Step, places: Sequence[int], voice: str) -> Said:
    """Cut to its words, with slopes, and timed."""
    samples = resampled(utterance.samples, utterance.rate)
    first, end = listening.bounds(samples, RATE)
    begin = max(0.0, first - _BEFORE)
    if utterance.words:
        starts = listening.known_starts(step.tokens, places, utterance.words, begin, end, step.lang)
    else:
        cut = samples[round(first * RATE) : round(end * RATE)]
        estimated = listening.estimated_starts(step.tokens, cut, RATE, step.lang)
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

    def make() -> memory.Arrays | None:
        said = _asked(voice, line)
        if said is None:
            return None
        words = np.array(said.words, np.float64).reshape(-1, 2)
        return {"samples": memory.packed(said.samples), "rate": np.array(said.rate), "words": words}

    made_of = (text.encode() for text in (voice.identity, line.language, line.text))
    if (kept := memory.remembered(made_of, make)) is None:
        return None
    words = tuple((int(place), float(second)) for place, second in kept["words"])
    return Utterance(memory.unpacked(kept["samples"]), int(kept["rate"]), words)


def _asked(voice: Voice, line: Line) -> Utterance | None:
    said = voice.say(line)
    if said is not None:
        must_be_sound(said, voice, line)
    return said
