"""What a voice is: the one interface between engines that speak and the films that they speak in.

    class Monotone:                                # in your package; its entry point: explain.voices → monotone
        name, identity = "monotone", "monotone 1"

        def __init__(self, model: Path | None) -> None: ...

        def say(self, line: Line) -> Utterance:
            return Utterance(my_engine(line.text, line.language), rate=22050)

Whatever an engine leaves open is done for it: silence before and after the words is cut off, the rate converted,
the loudness set, and the beginnings of words are estimated where it does not tell them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from explainers import extensions
from explainers.errors import ExplainError
from scenes.script import Lecture

#: Samples a second of all sound that is worked with.
RATE = 48_000
GROUP = "explain.voices"
_RATES = (8_000, 192_000)


@dataclass(frozen=True)
class Line:
    """What is to be said: one step of a scene.

    ``text`` is the narration as it is spoken: in English, figures and units are written out (`scenes.voices.wording`).
    ``language`` is the script's, as in ``en``; ``step`` counts from 1.
    """

    text: str
    language: str
    lecture: Lecture
    scene: str
    step: int

    @property
    def where(self) -> str:
        return f"{self.lecture.number}/{self.scene} step {self.step}"


@dataclass(frozen=True)
class Utterance:
    """What was said: ``samples`` (one channel, −1 to 1) at ``rate`` a second.

    ``words`` holds pairs of an index into the line's text and the second at which the word there begins, in order;
    empty where the engine does not know.
    """

    samples: NDArray[np.float32]
    rate: int
    words: tuple[tuple[int, float], ...] = ()


class Voice(Protocol):
    """Something that speaks.

    ``name`` is what films call it. ``identity`` changes whenever the sound of the same line would (engine, version,
    model, pace): what was said once is remembered under it; empty: asked every time.
    """

    name: str
    identity: str

    def say(self, line: Line) -> Utterance | None:
        """The line, spoken; None where this voice has no words for it, and another has to step in."""


#: Name → where its class is, imported when asked for.
BUILT_IN: Mapping[str, str] = {
    "espeak": "scenes.voices.espeak:Espeak",
    "recorded": "scenes.voices.recorded:Recorded",
    "piper": "scenes.voices.piper:Piper",
}


def installed() -> list[str]:
    """The names that ``--voice`` takes."""
    return ["none", *BUILT_IN, *(name for name in extensions.offered(GROUP) if name not in BUILT_IN)]


def find(name: str, model: Path | None = None) -> Voice:
    """The voice of a name; ``model`` is the file that some of them read.

    Raises `ExplainError` where it is unknown or what it needs is not there.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        make = getattr(importlib.import_module(module), attribute)
    elif name in extensions.offered(GROUP):
        make = extensions.load(GROUP, name)
    else:
        raise ExplainError(f"unknown voice {name!r}; there are {', '.join(installed())}")
    if model is not None and not model.is_file():
        raise ExplainError(f"--voice-model {model}: there is no such file")
    voice: Voice = make(model)
    return voice


def must_be_sound(utterance: Utterance, voice: Voice, line: Line) -> None:
    """Refuse what is no sound, naming the voice and the step."""
    samples, who = utterance.samples, f"the voice {voice.name} at {line.where}"
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        kind = f"{samples.dtype} {samples.shape}"
        raise ExplainError(f"{who} gave {kind}; a voice gives floats from -1 to 1, one channel: mix and divide first")
    if not _RATES[0] <= utterance.rate <= _RATES[1]:
        raise ExplainError(f"{who} gave {utterance.rate} samples a second; between {_RATES[0]} and {_RATES[1]}, please")
    if not samples.size or not np.isfinite(samples).all():
        raise ExplainError(f"{who} gave {'samples that are no numbers' if samples.size else 'no samples'}")
    if float(np.abs(samples).max()) < 1e-3:
        raise ExplainError(f"{who} gave silence for {line.text[:40]!r}; does the engine speak {line.language!r}?")
