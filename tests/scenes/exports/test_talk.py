"""What an export says of a step is what the manifest says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt

from scenes.exports import notes
from scenes.exports.talk import Talk, talk
from scenes.exports.words import words


def manifest(about: Talk) -> Any:
    return json.loads((about.film.folder / "manifest.json").read_text("utf-8"))


def sources(origin: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if origin["kind"] == "cited":
        yield origin["source"], origin["date"]
    for inside in origin.get("inputs", ()):
        yield from sources(inside["origin"])


def test_a_slide_is_a_step(small: Talk) -> None:
    about = manifest(small)
    steps = [(scene, step) for scene in about["scenes"] for step in scene["steps"]]
    assert [slide.number for slide in small.slides] == list(range(1, len(steps) + 1))
    for slide, (scene, step) in zip(small.slides, steps, strict=True):
        assert (slide.scene, slide.narration) == (scene["heading"], step["narration"])
        assert (slide.start, slide.end) == (step["start_frame"], step["end_frame"])
        shown, said = ({number["text"] for number in step[kind]} for kind in ("numbers", "said"))
        assert shown <= {number.text for number in slide.numbers} <= shown | said
        named = {number.name.replace(" ", "_") for number in slide.numbers}
        assert {number["name"].replace(" ", "_") for number in step["said"]} <= named
    assert [heading for heading, _ in small.scenes()] == [scene["heading"] for scene in about["scenes"]]


def test_sources_are_the_leaves_of_the_chains(small: Talk) -> None:
    used: dict[tuple[str, str], set[int]] = {}
    for number, step in enumerate(small.film.steps, start=1):
        for one in [*step["numbers"], *step["said"]]:
            for source in sources(one["origin"]):
                used.setdefault(source, set()).add(number)
    assert {(source.name, source.date): set(source.slides) for source in small.sources} == used
    assert set(small.runs) == {"decode_work", "routing"}
    for slide in small.slides:
        for number in slide.numbers:
            assert all(
                small.sources[place - 1].name in number.origin or "run" in number.origin for place in number.sources
            )
    cited = small.slides[0].numbers[0]
    assert cited.url == "https://arxiv.org/abs/2412.19437" and small.sources[cited.sources[0] - 1].url == cited.url


def read(markdown: str) -> str:
    """The words that a reader sees."""
    tokens = MarkdownIt("commonmark").parse(markdown)
    assert not {"html_block", "html_inline"} & {t.type for top in tokens for t in (top, *(top.children or []))}
    inner = [child for token in tokens for child in token.children or []]
    return " ".join(
        "".join(token.content for token in inner if token.type in ("text", "text_special", "code_inline")).split()
    )


def test_notes_read_as_what_was_said(small: Talk, tmp_path: Path) -> None:
    notes.write(small, tmp_path / "notes.md")
    seen = read((tmp_path / "notes.md").read_text("utf-8"))
    for slide in small.slides:
        assert slide.narration in seen
        for number in slide.numbers:
            assert f"{number.text} {number.name}: {number.origin}" in seen
    assert small.title in seen and small.question in seen


def test_every_sign_stays_a_sign() -> None:
    for text in (
        "<b>bold</b> & &lt; &#60; AT&T a&b",
        "1. not a list",
        "2) nor this",
        "- nor + this",
        "# no heading",
        "*a* _b_ `c` [d](e) ![f](g) ~~h~~ i|j $k$ \\l",
        "3.35 TB/s",
        "=== under",
    ):
        assert read(notes.plain(text)) == text
        assert read(f"- {notes.plain(text)}") == text


def test_its_own_words_are_in_the_lectures_language(remake: Any) -> None:
    german = talk(remake(lang="de"))
    assert "## Quellen" in notes.markdown(german) and "Szenen" in german.length()
    assert words("zh-TW") == words("zh") and words("eo") == words("en")
    assert len({tuple(sorted(words(lang))) for lang in ("en", "de", "fr", "es", "zh")}) == 1
