"""Words and numbers in other languages: written as the CLDR says, and read back by another way."""

from __future__ import annotations

from pathlib import Path

import pytest

from explainers import languages, locales
from explainers.errors import ExplainError
from explainers.formatting import shown_matches
from explainers.quantities import Computed, Quantity


def q(value: float, unit: str = "") -> Quantity:
    return Quantity(value, unit, Computed("given"))


@pytest.mark.parametrize(
    ("lang", "value", "unit", "fmt", "text"),
    [
        ("de", 70272, "B/token", "plain", "70.272 B/Token"),
        ("de", 4.0e6, "B/token", "spoken 2", "4,0 Megabyte pro Token"),
        ("de", 671e9, "param", "words", "671 Milliarden"),
        ("de", 1e9, "param", "words", "1 Milliarde"),
        ("de", 0.0553, "", "percent", "5,53 %"),
        ("de", 5.576e6, "USD", "usd", "5,58 Millionen $"),
        ("de", -1234.5, "", "plain .1", "−1.234,5"),
        ("de", 3.1e-15, "", "sci", "3,1 × 10⁻¹⁵"),
        ("fr", 70272, "B", "si", "70,3 ko"),
        ("fr", 131072, "", "plain", "131 072"),
        ("zh", 671e9, "param", "words", "6,710亿"),
        ("ja", 14.8e12, "token", "words", "14.8兆"),
        ("hi", 12345678, "", "plain", "1,23,45,678"),
        ("pt", 0.27, "USD", "usd", "US$ 0,27"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(
    lang: str, value: float, unit: str, fmt: str, text: str
) -> None:
    shown = q(value, unit).text(fmt, lang)
    assert shown.replace("\u00a0", " ").replace("\u202f", " ") == text
    assert shown_matches(locales.plain(shown, lang), q(value, unit))
    assert not shown_matches(locales.plain(shown, lang), q(value * 3, unit))


@pytest.mark.parametrize("lang", ["de", "fr", "es", "it", "pl", "sv", "zh", "ja", "ko", "hi", "ru", "tr"])
@pytest.mark.parametrize("value", [0.27, 57.1, 999.6, 4096, 70272, 1.5e6, 671e9, 14.8e12, 3.3e24])
def test_what_is_written_can_be_read_back(lang: str, value: float) -> None:
    for unit, fmt in (("", "plain"), ("B", "si"), ("B", "spoken"), ("param", "words"), ("USD", "usd"), ("", "sci 3")):
        shown = q(value, unit).text(fmt, lang)
        assert shown_matches(locales.plain(shown, lang), q(value, unit)), (shown, locales.plain(shown, lang))


def test_english_needs_no_babel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locales, "locale", lambda lang: pytest.fail("English asked for the CLDR"))
    assert q(671e9, "param").text("words") == "671 billion"
    assert locales.plain("70,272", "en") == "70,272"


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(ExplainError, match="unknown language 'dee'; did you mean"):
        locales.locale("dee")


def test_the_script_of_a_language() -> None:
    assert [locales.script(lang) for lang in ("de", "ru", "zh", "zh-Hant", "ja", "ar")] == [
        *("Latn", "Cyrl", "Hans", "Hant", "Jpan", "Arab")
    ]


def test_words_come_from_the_scene_then_the_lecture_then_the_kit(tmp_path: Path) -> None:
    home = tmp_path / "de"
    home.mkdir()
    (home / "common.po").write_text('msgid "next"\nmsgstr "danach"\n\nmsgid "key"\nmsgstr "Taste"\n', "utf-8")
    (home / "3_x.po").write_text(
        'msgid "key"\nmsgstr "Schlüssel"\n\nmsgctxt "One"\nmsgid "key"\nmsgstr "Tonart"\n\nmsgid "value"\nmsgstr ""\n',
        "utf-8",
    )
    words = languages.words_of(home / "3_x.md", "One")
    assert words == {"next": "danach", "key": "Tonart"}
    assert languages.words_of(home / "3_x.md", "Two")["key"] == "Schlüssel"
    with languages.speaking("de", words) as tongue:
        assert [languages.word(text) for text in ("key", "  key: ", "value", "12 %")] == [
            *("Tonart", "  Tonart: ", "value", "12 %")
        ]
    assert tongue.asked == {"key": "Tonart", "value": None}
    assert languages.word("key") == "key"


def test_a_catalogue_keeps_what_somebody_translated(tmp_path: Path) -> None:
    file = tmp_path / "de" / "3_x.po"
    assert languages.write(file, {"key": ["3/One"], "value": ["3/One"]}, "de") == 2
    file.write_text(
        file.read_text("utf-8").replace('msgid "key"\nmsgstr ""', 'msgid "key"\nmsgstr "Schlüssel"'), "utf-8"
    )
    assert languages.write(file, {"key": ["3/Two"], "query": ["3/Two"]}, "de") == 1
    assert languages.catalogue(file) == {"key": "Schlüssel"}
    assert '#. 3/Two\nmsgid "query"' in file.read_text("utf-8")


def test_a_damaged_catalogue_is_named(tmp_path: Path) -> None:
    file = tmp_path / "3_x.po"
    file.write_bytes(b'msgid "\xff"\nmsgstr "x"\n')
    with pytest.raises(ExplainError, match=r"3_x\.po"):
        languages.catalogue(file)


def test_what_is_shown_no_more_is_obsolete(tmp_path: Path) -> None:
    file = tmp_path / "de" / "3_x.po"
    file.parent.mkdir()
    file.write_text('msgid "key"\nmsgstr "Schlüssel"\n\nmsgid "value"\nmsgstr ""\n', "utf-8")
    assert languages.write(file, {"query": ["3/One"]}, "de", whole=True) == 1
    assert languages.catalogue(file) == {}
    text = file.read_text("utf-8")
    assert '#~ msgstr "Schlüssel"' in text and "value" not in text
