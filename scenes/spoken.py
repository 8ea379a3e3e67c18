"""How long a text takes to say, in any language, and how it is cut into tokens and put together again.

English is counted in words (`scenes.speech`). Elsewhere a word is no measure (German writes one where English writes
four, Chinese none), so syllables are counted, in Chinese characters, and said as fast beside everyday speech as this
course says English: 150 words a minute are 3.53 syllables a second of its scripts. Everyday speech: F. Pellegrino et
al., "A cross-language perspective on speech information rate", Language 87 (2011), table 2, syllables a second.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from explainers import locales
from explainers.errors import ExplainError
from scenes import speech

_RATES = {"en": 6.19, "fr": 7.18, "de": 5.97, "it": 6.99, "ja": 7.84, "zh": 5.18, "es": 7.82}
_USUAL = sum(_RATES.values()) / len(_RATES)
_SYLLABLES_A_SECOND, _WORDS_A_SECOND = 3.53, 150 / 60
_SHARE = _SYLLABLES_A_SECOND / _RATES["en"]

_HAN, _KANA, _HANGUL = "\u3400-\u9fff\uf900-\ufaff", "\u3041-\u30ff\u31f0-\u31ff", "\uac00-\ud7af"
#: Scripts that write no spaces between words.
_DENSE = f"{_HAN}{_KANA}"
_OPENING, _CLOSING = "「『（《〈“‘【", "。，、；：？！…）」』》〉”’】"
_PIECE = re.compile(
    rf"[{_OPENING}]*(?:[{_DENSE}]|[^\s{_DENSE}{_OPENING}{_CLOSING}]+)[{_CLOSING}]*|[^\s]",
)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|[^\W\d_]+(?:['’\-‑][^\W\d_]+)*|[$€%×/+−]")
_SMALL_KANA = "ゃゅょャュョァィゥェォ"
#: What ends a sentence, and what a clause.
ENDS, PAUSES = ".!?…。！？", ",;:—，；：、"


# ---------------------------------------------------------------------- tokens
def tokens(text: str) -> list[str]:
    """A narration cut where it can be cut: at white space, and between Chinese and Japanese characters."""
    found: list[str] = []
    for word in text.split():
        found += _PIECE.findall(word) if re.search(f"[{_DENSE}]", word) else [word]
    return found


def joined(parts: Sequence[str]) -> str:
    """Tokens as a line of text: no space where one side is a Chinese or Japanese character."""
    line = ""
    for part in parts:
        dense = (line and re.search(rf"[{_DENSE}{_CLOSING}]$", line)) or re.match(rf"[{_DENSE}{_OPENING}]", part)
        line += part if not line or dense else f" {part}"
    return line


# ---------------------------------------------------------------------- how long
def words(text: str, lang: str) -> int:
    """How many words one says; in other languages than English, how many English words take as long."""
    if lang == "en":
        return len(speech.spoken_words(text))
    return round(syllables(text, lang) / (_RATES.get(_family(lang), _USUAL) * _SHARE) * _WORDS_A_SECOND)


def usual_words(text: str, lang: str) -> float:
    """How many words of usual length take as long: English words of one syllable are said faster than long ones."""
    return syllables(text, lang) / _SYLLABLES_A_SECOND * _WORDS_A_SECOND if lang == "en" else words(text, lang)


def weight(token: str, lang: str) -> float:
    """How long a token takes relative to others, in syllables, with the pause after it."""
    sign = closing(token)
    return syllables(token, lang) + (0.0 if not sign else 2.0 if sign in ENDS else 1.0)


def closing(token: str) -> str:
    """The comma or full stop that a token ends with, whatever closes after it; empty if there is none."""
    ending = token.rstrip("\"'”’)」』）")[-1:]
    return ending if ending and ending in ENDS + PAUSES else ""


def syllables(text: str, lang: str) -> float:
    """About how many syllables a text has, figures and signs read aloud."""
    if lang == "en":
        return float(sum(speech.syllables(word) for word in speech.spoken_words(text)))
    count = 0.0
    for piece in _FIGURE.findall(text.replace("\u00a0", " ")):
        if piece[0].isdecimal():
            count += _of_figure(piece, lang)
        elif re.match(f"[{_DENSE}{_HANGUL}]", piece):
            count += sum(_of_character(letter, lang) for letter in piece)
        else:
            count += _of_word(piece)
    return count


def _of_character(letter: str, lang: str) -> float:
    """A Chinese character is one syllable; in Japanese it has two beats on average, a kana one."""
    if lang.startswith("ja"):
        return 0.0 if letter in _SMALL_KANA else 2.0 if re.match(f"[{_HAN}]", letter) else 1.0
    return 1.0


def _of_word(word: str) -> float:
    """Groups of vowels; an abbreviation in capitals has one syllable a letter; a sign two."""
    letters = re.sub(r"[^\w]|\d|_", "", word)
    if not letters:
        return 2.0
    if len(letters) >= 2 and letters.isupper():
        return float(len(letters))
    return float(max(1, len(re.findall(r"[aeiouyà-åæè-ïò-öøù-ÿāēīōūőűąęœаеёиоуыэюяєіїαεηιουωάέήίόύώ]+", word.lower()))))


@cache
def _of_figure(figure: str, lang: str) -> float:
    """A figure written as the language writes it, read aloud."""
    digits = locales.plain(figure, lang)
    if _family(lang) in ("zh", "ja", "ko"):
        whole, _, decimals = digits.partition(".")
        return float(max(1, 2 * len(whole.strip("0") or "0") - 1) + (1 + len(decimals) if decimals else 0))
    try:
        from num2words import num2words
    except ImportError as error:
        raise ExplainError("reading numbers in other languages needs num2words; run `pip install num2words`") from error
    try:
        said = str(num2words(float(digits) if "." in digits else int(digits), lang=_family(lang)))
    except (NotImplementedError, ValueError):  # a language that it does not know: two syllables a digit
        return 2.0 * len(re.sub(r"\D", "", digits))
    return sum(_of_word(word) for word in re.findall(r"[^\W\d_]+", said))


def _family(lang: str) -> str:
    """``"zh-Hant"`` → ``"zh"``."""
    return re.split("[-_]", lang)[0]
