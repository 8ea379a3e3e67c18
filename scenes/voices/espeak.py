"""espeak-ng: a draft voice, offline, in a hundred languages, which tells when each word begins.

Its library is called by its C interface (``speak_lib.h``): the program alone does not report words.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explainers.errors import ExplainError
from scenes.voices.voice import Line, Utterance

#: Its own measure of pace, and another for a language that it says faster by the same measure: with them the lectures
#: are about as long as planned, by their words at 150 a minute.
PACE, PACES = 152, {"de": 129}
_SYNCHRONOUS, _UTF8, _BY_CHARACTER, _RATE = 2, 1, 1, 1
_END, _WORD = 0, 1
#: Scripts' languages whose voices are called otherwise.
_VOICES = {"en": "en-us", "zh": "cmn", "pt": "pt-br"}
_HOMEBREW = ("/opt/homebrew/lib/libespeak-ng.dylib", "/usr/local/lib/libespeak-ng.dylib")


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # in characters, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # in ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def how_to_install() -> str:
    """The command that brings espeak-ng to this system."""
    return "brew install espeak-ng" if platform.system() == "Darwin" else "sudo apt-get install espeak-ng"


@cache
def _library() -> tuple[Any, int]:
    """The library, made ready, and its samples a second. It is one for the whole process."""
    for name in (ctypes.util.find_library("espeak-ng"), *_HOMEBREW):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library is not None:
            break
    else:
        raise ExplainError(f"--voice espeak needs espeak-ng, which is not installed; run `{how_to_install()}`")
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, None, 0)
    if rate <= 0:
        raise ExplainError(f"espeak-ng does not start (its voices are not found?); run `{how_to_install()}` again")
    library.espeak_Info.restype = ctypes.c_char_p
    return library, rate


def version() -> str:
    """The version of espeak-ng's library."""
    return str(_library()[0].espeak_Info(None).decode())


class Espeak:
    """The voice ``espeak``."""

    name = "espeak"

    def __init__(self, model: Path | None = None) -> None:
        if model is not None:
            raise ExplainError("--voice espeak reads no model file; leave --voice-model out, or choose --voice piper")
        self.library, self.rate = _library()
        others = "".join(f", {language} at {pace}" for language, pace in PACES.items())
        self.identity = f"espeak-ng {version()} at {PACE}{others}"

    def say(self, line: Line) -> Utterance:
        self._choose(line.language)
        chunks: list[NDArray[np.int16]] = []
        words: list[tuple[int, float]] = []

        def hear(wave: Any, count: int, events: Any) -> int:
            if wave and count > 0:
                chunks.append(np.ctypeslib.as_array(wave, shape=(count,)).copy())
            index = 0
            while events[index].type != _END:
                if events[index].type == _WORD:
                    words.append((events[index].text_position - 1, events[index].audio_position / 1000))
                index += 1
            return 0

        self._synthesise(line.text, _CALLBACK(hear), line.where)
        samples = np.concatenate(chunks) if chunks else np.zeros(0, np.int16)
        return Utterance((samples / 32768).astype(np.float32), self.rate, tuple(words))

    def _choose(self, language: str) -> None:
        name = _VOICES.get(language, language)
        if self.library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ExplainError(f"espeak-ng has no voice for the language {language!r}; `espeak-ng --voices` lists them")
        self.library.espeak_SetParameter(_RATE, PACES.get(language.partition("-")[0], PACE), 0)

    def _synthesise(self, text: str, hear: Callable[..., int], where: str) -> None:
        said = text.encode()
        self.library.espeak_SetSynthCallback(hear)
        status = self.library.espeak_Synth(said, len(said) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)
        if status != 0:
            raise ExplainError(f"espeak-ng failed at {where} (status {status}); does `espeak-ng hello` speak?")
