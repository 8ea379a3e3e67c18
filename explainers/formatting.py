"""How a number is written for a viewer, and how what is written is read back.

A *format* is ``"[style] [digits] [bare]"``; see `format_quantity`. Units are products of names with powers.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from explainers import languages, locales
from explainers.errors import ExplainError

if TYPE_CHECKING:
    from explainers.quantities import Quantity


# ---------------------------------------------------------------------- units
def parse_unit(unit: str) -> dict[str, int]:
    """``"B/token"`` → ``{"B": 1, "token": -1}``. Powers are written ``m^2``; factors are joined by ``·``."""
    powers: dict[str, int] = {}
    for side, sign in zip(unit.split("/", 1), (1, -1), strict=False):
        for factor in side.split("·"):
            if factor in ("", "1"):
                continue
            match = re.fullmatch(r"([A-Za-z%×°µ_ ]+)(?:\^(\d+))?", factor)
            if not match:
                raise ExplainError(f"cannot read the unit {unit!r}; write it like B, B/token or FLOP/s")
            name = match[1].strip()
            powers[name] = powers.get(name, 0) + sign * int(match[2] or 1)
    return {name: power for name, power in powers.items() if power}


def combine_units(left: str, right: str, power: int) -> str:
    """The unit of a product (``power`` 1) or a quotient (``power`` −1), cancelled."""
    powers = parse_unit(left)
    for name, exponent in parse_unit(right).items():
        powers[name] = powers.get(name, 0) + power * exponent
    above = [_factor(name, p) for name, p in powers.items() if p > 0]
    below = [_factor(name, -p) for name, p in powers.items() if p < 0]
    return "·".join(above) + ("/" + "·".join(below) if below else "") if above or below else ""


def _factor(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


# ---------------------------------------------------------------------- formatting
PREFIXES = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
WORDS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
STYLES = ("plain", "si", "words", "percent", "times", "usd", "sci", "spoken")

_FORMAT = re.compile(r"^\s*(?P<style>[a-z]+)?\s*(?P<digits>\.?\d+)?\s*(?P<bare>bare)?\s*$")
_SPOKEN_UNITS = {
    "B": "bytes",
    "param": "parameters",
    "token": "tokens",
    "FLOP": "operations",
    "USD": "dollars",
    "s": "seconds",
    "h": "hours",
}
_SPOKEN_PREFIXES = {"E": "exa", "P": "peta", "T": "tera", "G": "giga", "M": "mega", "k": "kilo", "": ""}
#: Words of units that no language has from the CLDR: catalogues hold them.
UNIT_WORDS = (
    *("a", "tokens", "token", "parameters", "parameter", "operations", "operation"),
    *("dollars", "seconds", "hours", "hour"),
)
#: Units that are said by the words around the number ("37 billion parameters"), so the figure stands alone.
_COUNTED = {"param", "token", "layer", "head", "expert", "value", "step", "sample", "user", "node", "GPU", "word"}


def format_quantity(quantity: Quantity, fmt: str = "", lang: str = "") -> str:
    """Format a Quantity for a viewer.

    Parameters
    ----------
    fmt
        ``"[style] [digits] [bare]"``. Styles: ``plain`` 70,272 B · ``si`` 70.3 kB · ``words`` 671 billion ·
        ``percent`` 5.5 % · ``times`` 57× · ``usd`` $5.58 million · ``sci`` 3.1 × 10⁻¹⁵ · ``spoken`` 70.3 kilobytes.
        Digits: ``3`` significant digits, ``.1`` one decimal place; without digits integers are shown whole and
        other numbers with three significant digits. ``bare`` leaves the unit out. Without a style one is
        chosen by the unit.
    lang
        Language of digits, scale words and units; the one in force (`explainers.languages`) where it is left out.
    """
    match = _FORMAT.match(fmt)
    if not match or (match["style"] or "plain") not in STYLES:
        raise ExplainError(f"cannot read the number format {fmt!r}; write e.g. 'si 3', 'words', 'percent .1', 'plain'")
    style, digits, bare = match["style"] or _default_style(quantity), match["digits"], bool(match["bare"])
    value, unit, lang = quantity.value, quantity.unit, lang or languages.now().lang
    if style == "percent":
        number = format_number(value if unit == "%" else value * 100, digits or "3", lang)
        return number if bare else locales.percent(number, lang)
    if style == "times":
        return format_number(value, digits or "3", lang) + ("" if bare else "×")
    if style == "sci":
        return _scientific(value, digits or "2", lang) + _unit_suffix(unit, "", bare, lang)
    if style == "usd":
        return _money(value, unit, digits, lang)
    if style == "words":
        return _in_words(value, digits, lang) + _unit_suffix(unit, "", bare, lang)
    if style in ("si", "spoken"):
        number, prefix = _scaled(value, PREFIXES, digits or "3", lang)
        if lang != "en" and unit.split("/")[0] == "B" and not bare:
            return _bytes(number, value, unit, prefix, lang, spoken=style == "spoken")
        suffix = _spoken(unit, prefix, lang) if style == "spoken" else _unit_suffix(unit, prefix, bare, lang)
        return number + suffix
    return format_number(value, digits, lang) + _unit_suffix(unit, "", bare, lang)


def format_number(value: float | int, digits: str | None = None, lang: str = "en") -> str:
    """Digits with thousands separators: ``"3"`` significant digits, ``".1"`` decimal places, None for the default."""
    if digits is None:
        if isinstance(value, int) or (float(value).is_integer() and abs(value) < 1e15):
            return _minus(locales.figure(int(value), 0, lang))
        digits = "3"
    if digits.startswith("."):
        return _minus(locales.figure(value, int(digits[1:]), lang))
    significant = int(digits)
    if value == 0:
        return "0"
    places = significant - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    if rounded and math.floor(math.log10(abs(rounded))) > math.floor(math.log10(abs(value))):
        places -= 1  # 9.996 → 10.0, not 10.00
    return _minus(locales.figure(rounded, max(places, 0), lang))


def shown_matches(text: str, quantity: Quantity) -> bool:
    """Whether the first number in ``text`` is this Quantity's value to the digits shown.

    The check reads the text back, scale word included, instead of formatting again, so that a formatting
    mistake cannot confirm itself.
    """
    match = re.search(
        r"(?P<sign>[−-]?)\s*\$?(?P<digits>\d[\d,]*(?:\.\d+)?)(?:\s*×\s*10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?"
        r"\s*(?P<scale>trillion|billion|million|exa|peta|tera|giga|mega|kilo|[EPTGMk](?!PU|UR|[a-z]{2,})|%|per cent)?",
        text,
    )
    if not match:
        return False
    digits = match["digits"].replace(",", "")
    shown = float(digits) * (-1 if match["sign"] else 1)
    step = 10.0 ** -(len(digits.split(".")[1]) if "." in digits else 0)
    if "." not in digits and len(digits) > 3:  # 123,000 may have been rounded to three significant digits
        step = 10.0 ** max(0, len(digits) - len(digits.rstrip("0"))) if digits.endswith("0") else 1.0
    factor = _scale_factor(match["scale"] or "", match["power"], quantity.unit)
    return abs(shown * factor - quantity.value) <= abs(step * factor) * 0.5000001


def _scale_factor(scale: str, power: str | None, unit: str) -> float:
    names = {word: size for size, word in WORDS}
    names |= {_SPOKEN_PREFIXES[prefix]: size for size, prefix in PREFIXES}
    names |= {prefix: size for size, prefix in PREFIXES}
    factor = names.get(scale, 1.0)
    if scale in ("%", "per cent"):
        factor = 1.0 if unit == "%" else 0.01
    if power:
        factor *= 10.0 ** int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    return factor


def _default_style(quantity: Quantity) -> str:
    unit = quantity.unit
    if unit == "%":
        return "percent"
    if unit == "×":
        return "times"
    if unit.split("/")[0] == "USD":
        return "usd"
    if unit.split("/")[0] in ("B", "FLOP") and abs(quantity.value) >= 1e6:
        return "si"
    if unit.split("/")[0] in _COUNTED and abs(quantity.value) >= 1e6:
        return "words"
    return "plain"


def _scaled(
    value: float | int, scales: tuple[tuple[float, str], ...], digits: str | None, lang: str
) -> tuple[str, str]:
    for size, word in scales:
        if abs(value) >= size * (1 - 5e-4):
            return format_number(value / size, digits or ("3" if value % size else None), lang), word
    return format_number(value, digits if isinstance(value, float) else None, lang), ""


def _in_words(value: float | int, digits: str | None, lang: str) -> str:
    """``671 billion``, with the language's own scales."""
    if lang == "en":
        return " ".join(_scaled(value, WORDS, digits, lang)).strip()
    for size, _ in locales.scales(lang):
        if abs(value) >= size * (1 - 5e-4):
            number = format_number(value / size, digits or ("3" if value % size else None), lang)
            return locales.with_word(number, value, size, lang)
    return format_number(value, digits if isinstance(value, float) else None, lang)


def _bytes(number: str, value: float | int, unit: str, prefix: str, lang: str, *, spoken: bool) -> str:
    per = unit.partition("/")[2]
    if per:
        per = languages.unit_word(_SPOKEN_UNITS.get(per, per).removesuffix("s") if spoken else per, lang)
    size = next((size for size, name in PREFIXES if name == prefix), 1.0)
    return locales.bytes_unit(number, value / size, prefix, per, lang, spoken=spoken)


def _money(value: float | int, unit: str, digits: str | None, lang: str) -> str:
    per = unit[3:].replace("/", " / ").rstrip() if unit.startswith("USD/") else ""
    sign = "−" if value < 0 else ""
    if abs(value) >= 1e6 * (1 - 5e-4):
        return sign + locales.currency(_in_words(abs(value), digits, lang), lang) + per
    if digits is None:
        digits = None if float(value).is_integer() else ".2"
    return sign + locales.currency(format_number(abs(value), digits, lang), lang) + per


def _scientific(value: float | int, digits: str, lang: str) -> str:
    if value == 0:
        return "0"
    places = max(int(digits.lstrip(".")) - 1, 0)
    mantissa, exponent = f"{value:.{places}e}".split("e")
    mantissa = locales.figure(float(mantissa), places, lang)
    power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{_minus(mantissa)} × 10{power}"


def _unit_suffix(unit: str, prefix: str, bare: bool, lang: str) -> str:
    first, slash, per = unit.partition("/")
    if bare or (first in _COUNTED and not prefix and "/" not in unit) or not unit:
        return f" {prefix}".rstrip() if prefix else ""
    if first in _COUNTED and "/" not in unit:
        return f" {prefix}"
    if lang != "en":
        unit = languages.unit_word(first, lang) + slash + (languages.unit_word(per, lang) if per else "")
    return ("" if unit in ("×",) else " ") + prefix + unit


def _spoken(unit: str, prefix: str, lang: str) -> str:
    first, _, per = unit.partition("/")
    word = languages.unit_word(_SPOKEN_UNITS.get(first, first), lang)
    one = languages.unit_word(_SPOKEN_UNITS.get(per, per).removesuffix("s"), lang)
    tail = f" {languages.unit_word('a', lang)} {one}" if per else ""
    return f" {_SPOKEN_PREFIXES[prefix]}{word}{tail}".rstrip()


def _minus(text: str) -> str:
    return text.replace("-", "−")
