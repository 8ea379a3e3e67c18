"""The course in another language: a template, what is missing or out of step, and a lecture as proof."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import manimpango
import pytest

from explainers import languages
from explainers.errors import ExplainError
from scenes import spoken
from scenes.audit.checking import Wishes, check
from scenes.kit import fonts
from scenes.production import captions
from scenes.production.looking import walk
from scenes.production.settings import Options
from scenes.registry import Course
from scenes.translating import differences, start, template

MakeCourse = Callable[[str, str], Course]
SECTIONS = """
## One lamp
There are {{ v3.layers }} layers. [[lit]] A lamp is lit, and it stays lit for as long as somebody says these words.

It goes out again after a while, and nobody minds that it is dark now.
"""
CODE = """
from scenes.kit import NumberLabel, label

class OneLamp(LectureScene):
    lecture = 9
    span = (1, 70)

    def construct(self):
        self.show_title()
        layers = self.number("v3.layers")
        self.origin(layers)
        with self.step() as s:
            self.play(FadeIn(NumberLabel(layers, after=" layers", size="heading")), run_time=1)
            s.until("lit")
            lamp = label("a lamp", "heading").shift(DOWN)
            self.play(FadeIn(lamp), run_time=1)
        with self.step():
            self.play(lamp.animate.shift(DOWN), run_time=1)
"""
TRANSLATED = """---
number: 9
title: Eine Vorführung
---
## Eine Lampe {#OneLamp}
Es gibt {{ v3.layers }} Schichten. [[lit]] Eine Lampe brennt, und sie brennt so lange, wie jemand diese Worte sagt.

Nach einer Weile geht sie wieder aus, und niemanden stört es, dass es nun dunkel ist.
"""


def in_german(course: Course, text: str = TRANSLATED) -> Course:
    file = course.scripts / "de" / "9_demo.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return Course(course.scripts, course.scenes, "de")


def codes(course: Course) -> list[tuple[str, str]]:
    found = differences(course.lecture(9), Course(course.scripts, course.scenes).lecture(9))
    return [(each.code, each.what) for each in found]


@pytest.mark.parametrize(
    ("old", "new", "code", "what"),
    [
        ("{{ v3.layers }}", "viele", "script-out-of-step", "lacks v3.layers"),
        ("{{ v3.layers }}", "{{ v3.layers }} und {{ v3.heads }}", "script-out-of-step", "says v3.heads besides"),
        ("[[lit]] ", "", "script-out-of-step", "lacks lit"),
        ("\n\nNach", " Nach", "script-out-of-step", "has 1 steps"),
        ("{#OneLamp}", "{#TwoLamps}", "script-out-of-step", "lacks the scene OneLamp"),
        (
            "Nach einer Weile geht sie wieder aus, und niemanden stört es, dass es nun dunkel ist.",
            "It goes out again after a while, and nobody minds that it is dark now.",
            *("untranslated", "is still in English"),
        ),
    ],
)
def test_what_is_out_of_step_is_said(make_course: MakeCourse, old: str, new: str, code: str, what: str) -> None:
    course = make_course(SECTIONS, CODE)
    assert codes(in_german(course)) == []
    found = codes(in_german(course, TRANSLATED.replace(old, new)))
    assert found[0][0] == code and found[0][1].startswith(what)


def test_a_template_has_the_same_steps_and_is_untranslated(make_course: MakeCourse) -> None:
    course = make_course(SECTIONS, CODE)
    done = start("zh", 9, course)
    chinese = Course(course.scripts, course.scenes, "zh")
    assert (
        done.new and done.script.name == "9_demo.md" and done.script.read_text("utf-8") == template(course.lecture(9))
    )
    assert [step.source for step in chinese.lecture(9).sections[0].steps] == [
        step.source for step in course.lecture(9).sections[0].steps
    ]
    assert {code for code, _ in codes(chinese)} == {"untranslated"}
    own, common = (languages._read(file, file.stat().st_mtime_ns) for file in done.words)
    assert own == common == {}  # nothing is translated yet
    texts = [file.read_text("utf-8") for file in done.words]
    assert 'msgid "a lamp"' in texts[0] and 'msgid "layers"' in texts[0] and 'msgid "cited"' in texts[1]
    again = start("zh", 9, course)
    assert not again.new and not again.added and set(again.words.values()) == {0}


def test_a_picture_speaks_the_language_and_says_what_it_lacks(make_course: MakeCourse) -> None:
    course = in_german(make_course(SECTIONS, CODE))
    (course.scripts / "de" / "9_demo.po").write_text('msgid "layers"\nmsgstr "Schichten"\n', "utf-8")
    report = walk(course.entry(course.lecture(9), "OneLamp"), Options(quality="480p").picture)
    assert {"61 Schichten"} <= {number.text for step in report.steps for number in step.numbers}
    assert "a lamp" in report.steps[0].texts and "Eine Lampe" in report.steps[0].texts
    (found,) = [f for f in check(Wishes(("9",), jobs=1), course).findings if f.code == "words-missing"]
    assert "'a lamp'" in found.measure and "layers" not in found.measure


def test_a_changed_word_is_a_changed_picture(make_course: MakeCourse) -> None:
    from scenes.door import Read

    course = in_german(make_course(SECTIONS, CODE))
    catalogue = course.scripts / "de" / "9_demo.po"
    catalogue.write_text('msgid "layers"\nmsgstr "Schichten"\n', "utf-8")
    report = walk(course.entry(course.lecture(9), "OneLamp"), Options(quality="480p").picture)
    assert all(Read.from_json(read).holds() for read in report.reads)
    catalogue.write_text('msgid "layers"\nmsgstr "Lagen"\n', "utf-8")
    assert [read["name"] for read in report.reads if not Read.from_json(read).holds()] == ["layers"]


def test_english_is_not_translated_into(make_course: MakeCourse) -> None:
    with pytest.raises(ExplainError, match="name another language"):
        start("en", 9, make_course(SECTIONS, CODE))


# ---------------------------------------------------------------------- said and cut
def test_chinese_is_cut_at_characters_and_put_together_again() -> None:
    text = "模型有 61 层，叫做 V3。它“很大”。"
    parts = spoken.tokens(text)
    assert parts == ["模", "型", "有", "61", "层，", "叫", "做", "V3。", "它", "“很", "大”。"]
    assert spoken.joined(parts).replace(" ", "") == text.replace(" ", "")
    assert spoken.tokens("plain words, here") == ["plain", "words,", "here"]
    lines = captions.wrap(spoken.tokens("这是一个很长的句子，" * 4))
    assert len(lines) == 2 and all(captions._columns(line) <= captions.LINE for line in lines)


def test_other_languages_take_about_as_long_as_english() -> None:
    english = "The model keeps a short note of each token, and makes the rest again when it is needed."
    german = "Das Modell behält von jedem Token eine kurze Notiz und macht den Rest neu, wenn er gebraucht wird."
    chinese = "模型只为每个词元保留一段简短的记录，需要时再把其余部分重新生成出来。"
    japanese = "モデルは各トークンについて短いメモだけを残し、必要なときに残りを作り直します。"
    base = spoken.words(english, "en")
    for text, lang in ((german, "de"), (chinese, "zh"), (japanese, "ja")):
        assert 0.7 * base < spoken.words(text, lang) < 1.6 * base, lang
    assert spoken.syllables("70.272", "de") > 8 > spoken.syllables("7", "de")
    assert spoken.syllables("一百", "zh") == 2 and spoken.weight("好。", "zh") == 3


# ---------------------------------------------------------------------- letters
def test_a_font_is_found_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts._for_language.cache_clear()
    monkeypatch.setattr(manimpango, "list_fonts", lambda: ["Noto Sans CJK SC"])
    with languages.speaking("zh"):
        assert fonts.face(fonts.SANS) == "Noto Sans CJK SC" and fonts.face(fonts.MONO) == fonts.MONO
    with languages.speaking("de"):
        assert fonts.face(fonts.SANS) == fonts.SANS
    with languages.speaking("ja"), pytest.raises(ExplainError, match="Japanese.*fonts-noto-cjk"):
        fonts.face(fonts.SANS)
    with languages.speaking("ar"), pytest.raises(ExplainError, match="Arabic cannot be drawn"):
        fonts.face(fonts.SANS)
    fonts._for_language.cache_clear()


# ---------------------------------------------------------------------- the proof
def test_lecture_three_is_whole_in_german() -> None:
    german, english = Course.default("de").lecture(3), Course.default("en").lecture(3)
    assert [each.what for each in differences(german, english)] == []
    words = languages.catalogue(german.path.with_suffix(".po")) | languages.catalogue(german.path.parent / "common.po")
    for file in (german.path.with_suffix(".po"), Path(german.path.parent) / "common.po"):
        assert all(message.string for message in languages._messages(file) if message.id), file.name
    assert words["key"] == "Schlüssel"
    assert "4,0 Megabyte pro Token" in german.section("TheCacheGrows").steps[0].narration
