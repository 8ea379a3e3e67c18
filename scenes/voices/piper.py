"""Piper: a neural voice, offline, where the user has the program (``pip install piper-tts``) and a model file.

A model is two files, ``NAME.onnx`` and ``NAME.onnx.json``. A sentence is spoken at a time, so where sentences begin is
known; where words begin, too, if the model's lengths of phonemes can be read and fit its words. GPL-licensed: it is
not installed with this project.
"""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from explainers.errors import ExplainError
from scenes.voices.voice import Line, Utterance

#: Silence between sentences, in seconds: models end a sentence at its last sound.
_REST = 0.3


class Piper:
    """The voice ``piper``."""

    name = "piper"

    def __init__(self, model: Path | None = None) -> None:
        if model is None:
            raise ExplainError(
                "--voice piper needs --voice-model FILE, a voice that you have downloaded: NAME.onnx, "
                "with NAME.onnx.json beside it"
            )
        if not model.with_name(f"{model.name}.json").is_file():
            raise ExplainError(f"{model.name}.json must lie beside {model}; download the two files of that voice")
        self._voice = _loaded(model)
        digest = hashlib.sha256(model.read_bytes()).hexdigest()[:16]
        self.identity = f"piper {_version()} {digest}"
        self._language = str(getattr(self._voice.config, "espeak_voice", "")).partition("-")[0]

    def say(self, line: Line) -> Utterance:
        if self._language and self._language != line.language and (self._language, line.language) != ("cmn", "zh"):
            raise ExplainError(
                f"this --voice-model speaks {self._language!r}, the script of {line.where} is {line.language!r}; "
                "choose a model of that language"
            )
        rate, pieces, words, length = int(self._voice.config.sample_rate), [], [], 0
        for place, sentence in _sentences(line.text):
            for chunk in self._voice.synthesize(sentence, include_alignments=True):
                samples = np.asarray(chunk.audio_float_array, np.float32)
                words += [(place + at, length / rate + second) for at, second in _words(sentence, chunk, rate)]
                pieces += [samples, np.zeros(round(_REST * rate), np.float32)]
                length += len(pieces[-1]) + len(samples)
        if not pieces:
            raise ExplainError(f"piper said nothing for {line.where}; does the model speak {line.language!r}?")
        return Utterance(np.concatenate(pieces[:-1]), rate, tuple(words))


def _loaded(model: Path) -> Any:
    try:
        piper = importlib.import_module("piper")
    except ImportError as error:
        raise ExplainError(f"--voice piper needs Piper; run `{sys.executable} -m pip install piper-tts`") from error
    try:
        return piper.PiperVoice.load(model, include_alignments=True)
    except Exception as error:  # whatever its runtime raises at a file that is no model
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ExplainError(f"Piper cannot load {model} ({reason}); download that voice again") from error


def _version() -> str:
    try:
        return version("piper-tts")
    except PackageNotFoundError:
        return "of unknown version"


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    """Sentences, each with its place in the text."""
    for match in re.finditer(r"\S.*?(?:[.!?…][\"'”’)]*(?=\s|$)|$)", text):
        yield match.start(), match[0]


def _words(sentence: str, chunk: Any, rate: int) -> list[tuple[int, float]]:
    """Places of words in a sentence and when they begin; its first word alone where the phonemes do not tell."""
    places = [match.start() for match in re.finditer(r"\S*\w\S*", sentence)]
    starts, now, between = [], 0, True
    for each in chunk.phoneme_alignments or ():
        if each.phoneme == " ":
            between = True
        elif between and each.phoneme.isalpha():
            starts.append(now / rate)
            between = False
        now += int(each.num_samples)
    if len(starts) != len(places):
        return [(places[0], 0.0)] if places else []
    return list(zip(places, starts, strict=True))
