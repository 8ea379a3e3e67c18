"""How text is said: words and syllables of a narration, figures included.

The pace of the course is counted in *spoken* words, so a figure counts as many words as one says for it:
``70,272`` is "seventy thousand two hundred seventy-two", five words. The rules, for English:

* a figure is read as a cardinal number, a decimal part digit by digit after "point", a bare year (1100–2099, no
  comma) in pairs; a hyphenated number word (seventy-two) is one word, like any hyphenated word;
* ``%``, ``×``, ``$``, ``/`` and units (``GB``, ``FLOP/s``) are the words one says for them;
* letters beside figures are words of their own (``V3`` is two), an abbreviation (``MLA``) is one word whose
  syllables are its letters; punctuation alone is none.
"""

from __future__ import annotations

import re

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_GROUPS = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
_SIGNS = {"$": "dollars", "€": "euros", "%": "percent", "×": "times", "/": "per", "+": "plus", "−": "minus"}
_PREFIXES = {"k": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta", "E": "exa"}
_UNITS = {"B": "bytes", "FLOP": "operations"} | {
    prefix + unit: word + name
    for prefix, word in _PREFIXES.items()
    for unit, name in (("B", "bytes"), ("FLOP", "flops"))
}
_SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_PIECE = re.compile(r"\d[\d,]*(?:\.\d+)?|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|[^\W\d_]+(?:['’\-‑][^\W\d_]+)*|[$€%×/+−]")


def spoken_words(text: str) -> list[str]:
    """The words one says for a text, figures written out."""
    said: list[str] = []
    for piece in _PIECE.findall(text):
        if piece[0].isdecimal():
            said += number_words(piece)
        elif piece[0] in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹":
            power = piece.translate(_SUPERSCRIPT)
            said += ["to", "the", *(["minus"] if power.startswith("-") else []), *number_words(power.lstrip("-"))]
        elif piece in _SIGNS:
            said.append(_SIGNS[piece])
        else:
            said.append(_UNITS.get(piece, piece))
    return said


def number_words(figure: str) -> list[str]:
    """``"70,272"`` → ``["seventy", "thousand", "two", "hundred", "seventy-two"]``."""
    whole, _, decimals = figure.partition(".")
    value = int(whole.replace(",", ""))
    if not decimals and "," not in whole and len(whole) == 4 and 1100 <= value <= 2099 and value % 1000 > 9:
        century, rest = divmod(value, 100)
        return _below_thousand(century) + (_below_thousand(rest) if rest else ["hundred"])
    words: list[str] = []
    for size, name in _GROUPS:
        count, value = divmod(value, size)
        if count:
            words += [*number_words(str(count)), name] if count >= 1000 else [*_below_thousand(count), name]
    if value or not words:
        words += _below_thousand(value)
    return words + (["point", *(_ONES[int(digit)] for digit in decimals)] if decimals else [])


def _below_thousand(value: int) -> list[str]:
    hundreds, rest = divmod(value, 100)
    words = [_ONES[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS[rest // 10] + (f"-{_ONES[rest % 10]}" if rest % 10 else ""))
    elif rest or not words:
        words.append(_ONES[rest])
    return words


def syllables(word: str) -> int:
    """About how many syllables an English word has; an abbreviation in capitals has one a letter."""
    letters = re.sub(r"[^A-Za-zÀ-ÿ]", "", word)
    if len(letters) >= 2 and letters.isupper():
        return len(letters)
    lower = re.sub(r"(?<=[^aeiouyl])e(?=s?\b)", "", word.lower()) if len(letters) > 3 else word.lower()
    return max(1, len(re.findall(r"[aeiouyà-ÿ]+", lower)))
