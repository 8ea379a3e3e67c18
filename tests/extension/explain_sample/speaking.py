"""A voice from outside: it hums a note a word."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from scenes.voices import Line, Utterance

_RATE, _WORD, _PAUSE = 16_000, 0.24, 0.12  # samples a second; seconds of a note and of the silence after it


class Hum:
    """Every word is a note, higher for longer words; when each begins is told, so marks follow it."""

    name, identity = "hum", "hum 1"

    def __init__(self, model: Path | None) -> None:
        self.model = model

    def say(self, line: Line) -> Utterance:
        words = list(re.finditer(r"\S+", line.text))
        times = np.arange(int(_RATE * _WORD)) / _RATE
        swell = np.sin(np.pi * times / _WORD)  # a note begins and ends in silence, so nothing clicks
        notes = [0.3 * swell * np.sin(2 * np.pi * (160 + 20 * len(word[0])) * times) for word in words]
        silence = np.zeros(int(_RATE * _PAUSE))
        samples = np.concatenate([part for note in notes for part in (note, silence)]).astype(np.float32)
        each = (len(times) + len(silence)) / _RATE
        return Utterance(samples, _RATE, tuple((word.start(), index * each) for index, word in enumerate(words)))
