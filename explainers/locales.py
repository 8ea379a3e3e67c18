"""Numbers as a language writes them, from the Unicode CLDR by way of Babel; English needs neither.

`figure` writes digits, `with_word` the words for millions and for ten thousands, `bytes_unit` and `currency` what
stands beside them; `plain` turns what was written back into the English way, so that a check can read it.
"""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from explainers.errors import ExplainError, one_of

if TYPE_CHECKING:
    from babel import Locale

#: Scales below this are not worth a word in most languages (70,272, not 70.3 thousand); Chinese counts in 万.
_LEAST_WORD, _LEAST_WORD_HAN = 1e6, 1e4
_SIZES = {"": 0, "kilo": 3, "mega": 6, "giga": 9, "tera": 12, "peta": 15}
_PREFIXES = {"": "", "k": "kilo", "M": "mega", "G": "giga", "T": "tera", "P": "peta"}
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@cache
def locale(lang: str) -> Locale:
    """The CLDR's data on a language; an error where Babel is missing or knows no such language."""
    try:
        from babel import Locale, UnknownLocaleError
    except ImportError as error:
        raise ExplainError(f"numbers in {lang!r} need Babel; run `pip install babel`") from error
    try:
        return Locale.parse(lang, sep="-" if "-" in lang else "_")
    except (UnknownLocaleError, ValueError) as error:
        from babel.localedata import locale_identifiers

        raise one_of("language", lang, sorted(locale_identifiers())) from error


def name(lang: str) -> str:
    """The language's name in English: ``"German"``."""
    return "English" if lang == "en" else str(locale(lang).get_display_name("en"))


def script(lang: str) -> str:
    """The script that a language is usually written in, as ISO 15924 calls it: ``Latn``, ``Hans``."""
    from babel.core import get_global

    found = locale(lang)
    likely = get_global("likely_subtags").get(str(found), get_global("likely_subtags").get(found.language, ""))
    return found.script or next((part for part in likely.split("_") if len(part) == 4), "Latn")


def figure(value: float | int, places: int, lang: str) -> str:
    """Digits with so many decimal places, grouped as the language groups them: ``70.272,5``."""
    if lang == "en":
        return f"{value:,.{places}f}"
    pattern = copy.copy(locale(lang).decimal_formats[None])
    pattern.frac_prec = (places, places)
    return str(pattern.apply(value, locale(lang)))


def percent(number: str, lang: str) -> str:
    """``5,5`` → ``5,5 %``."""
    return f"{number} %" if lang == "en" else _beside(locale(lang).percent_formats[None].pattern, number)


def currency(number: str, lang: str) -> str:
    """An amount in US dollars: ``$5.58 million``, ``5,58 Millionen $``."""
    if lang == "en":
        return f"${number}"
    from babel.numbers import get_currency_symbol

    pattern = str(locale(lang).currency_formats["standard"].pattern)
    return _beside(pattern.replace("¤", get_currency_symbol("USD", locale(lang))), number)


def _beside(pattern: str, number: str) -> str:
    """A number in place of a pattern's digits."""
    return re.sub(r"[#0][#,0.]*", lambda _: number, pattern.split(";")[0], count=1)


# ---------------------------------------------------------------------- millions, ten thousands
@cache
def scales(lang: str) -> tuple[tuple[float, str], ...]:
    """Scale and pattern of its word, the largest first: ``(1e9, "0 Milliarden")``."""
    least = _LEAST_WORD_HAN if locale(lang).language in ("zh", "ja", "ko") else _LEAST_WORD
    found: dict[float, str] = {}
    for magnitude, pattern in _patterns(lang)["other"].items():
        zeros = pattern.count("0")
        scale = float(magnitude) / 10 ** (zeros - 1)
        if scale >= least and pattern.strip("0 \u00a0"):
            found.setdefault(scale, re.sub("0+", "0", pattern))
    return tuple(sorted(found.items(), reverse=True))


@cache
def _patterns(lang: str) -> dict[str, dict[str, str]]:
    """Plural form → magnitude → pattern."""
    formats: Any = locale(lang).compact_decimal_formats["long"]
    return {form: {size: formats[form][size].pattern for size in formats[form]} for form in formats}


def with_word(number: str, value: float, scale: float, lang: str) -> str:
    """``671`` → ``671 Milliarden``: the word in the plural that this number takes."""
    form = str(locale(lang).plural_form(abs(round(value / scale, 6))))
    chosen = _patterns(lang).get(form, {})
    for pattern in (chosen.get(f"{scale:.0f}"), dict(scales(lang))[scale]):
        if pattern:
            return re.sub("0+", lambda _: number, pattern.strip(), count=1)
    raise AssertionError("scales() gives only scales that have a pattern")


# ---------------------------------------------------------------------- bytes
def bytes_unit(number: str, value: float, prefix: str, per: str, lang: str, *, spoken: bool) -> str:
    """``70,3`` → ``70,3 kB``, spoken ``70,3 Kilobyte``; ``per`` (a word) makes it ``70,3 Kilobyte pro Token``."""
    length = "long" if spoken else "short"
    units = _unit(lang, _PREFIXES.get(prefix), length)
    if units is None:
        text = f"{number} {prefix}B"
    else:
        pattern = units.get(str(locale(lang).plural_form(value)), units["other"])
        text = pattern.replace("{0}", number).replace("KB", "kB")  # K is for kelvin
    if not per:
        return text
    if not spoken:
        return f"{text}/{per}"
    return (
        str(_data(lang)["compound_unit_patterns"]["per"]["long"]["compound"]).replace("{0}", text).replace("{1}", per)
    )


def _unit(lang: str, prefix: str | None, length: str) -> dict[str, str] | None:
    """Plural form → pattern of bytes with this prefix; None where the CLDR has no such unit."""
    found = _data(lang)["unit_patterns"].get(f"digital-{prefix}byte", {}) if prefix is not None else {}
    return dict(found[length]) if length in found else None


def _data(lang: str) -> Any:
    return locale(lang)._data


# ---------------------------------------------------------------------- reading back
def plain(text: str, lang: str) -> str:
    """Figures as English writes them, scale words as powers: ``"5,5 Milliarden"`` → ``"5.5 × 10⁹"``."""
    if lang == "en":
        return text
    figures, words = _readers(lang)
    powers = {word.casefold(): power for word, power in _powers(lang).items()}
    text = figures.sub(_in_english(lang), text)
    return words.sub(lambda match: f" × 10{str(powers[match['word'].casefold()]).translate(_RAISED)}", text)


def _in_english(lang: str) -> Any:
    group, point = _signs(lang)

    def convert(match: re.Match[str]) -> str:
        whole, found, decimals = match[0].partition(point)
        return re.sub(r"\D", "", whole) + (f".{decimals}" if found else "") if group or point != "." else match[0]

    return convert


@cache
def _signs(lang: str) -> tuple[str, str]:
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return str(get_group_symbol(lang)), str(get_decimal_symbol(lang))


@cache
def _readers(lang: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    group, point = _signs(lang)
    between = "[\u0020\u00a0\u202f]" if group.isspace() else re.escape(group)
    figures = re.compile(rf"\d+(?:{between}\d{{2,3}}(?!\d))*(?:{re.escape(point)}\d+)?")
    longest = sorted(_powers(lang), key=len, reverse=True)
    ends = r"(?![^\W\d_])" if locale(lang).language not in ("zh", "ja", "ko", "th") else ""
    words = re.compile(rf"(?<=\d)\s*(?P<word>{'|'.join(map(re.escape, longest))}){ends}", re.IGNORECASE)
    return figures, words


@cache
def _powers(lang: str) -> dict[str, int]:
    """Scale word → power of ten, for every plural, and the long names of bytes."""
    found: dict[str, int] = {}
    for by_size in _patterns(lang).values():
        for magnitude, pattern in by_size.items():
            word = pattern.strip("0 \u00a0")
            if word and "0" in pattern:
                found[word] = len(magnitude) - pattern.count("0")
    for prefix, power in _SIZES.items():
        for length in ("long", "short"):
            for pattern in (_unit(lang, prefix, length) or {}).values():
                if power and "{0}" in pattern:
                    found[pattern.replace("{0}", "").strip(" \u00a0\u202f")] = power
    return found
