"""How a narration is written for a voice: figures, units and signs as the words that one says for them (English).

Other languages go to the engine as they are written: engines read figures in their own language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from scenes.speech import spoken_words

_SIGNS = re.compile(r"[\d⁻⁰¹²³⁴⁵⁶⁷⁸⁹$€%×/+−]")
_PIECE = re.compile(r"\d[\d,]*(?:\.\d+)?|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|[$€%×/+−]|[^\W\d_]+|.")
_UNIT = re.compile(r"[kMGTP]?(?:B|FLOP)\b")


def spoken(token: str, language: str) -> str:
    """``"70,272"`` → ``"seventy thousand two hundred seventy-two"``; punctuation and plain words stay."""
    if language != "en" or not (_SIGNS.search(token) or _UNIT.match(token)):
        return re.sub(r"(?<=\w)[–—](?=\w)", " ", token)  # key–value: two words, no pause
    said = ""
    for piece in _PIECE.findall(token):
        if re.match(r"[\w$€%×/+−⁻]", piece):
            word = "second" if piece == "s" and said.endswith("per") else " ".join(spoken_words(piece))
            said += f" {word}" if said[-1:].isalnum() else word
        else:
            said += piece
    return said or token


def written(tokens: Sequence[str], language: str) -> tuple[str, tuple[int, ...]]:
    """A narration for a voice, and where each token begins in it."""
    text, places = "", []
    for token in tokens:
        places.append(len(text))
        text += spoken(token, language) + " "
    return text.rstrip(), tuple(places)
