"""What is written for Manim Slides, taken by the real program."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import av
import pytest
from markdown_it import MarkdownIt

from scenes.exports import export
from scenes.exports.talk import Talk

pytest.importorskip("manim_slides", reason="manim-slides is not installed; `explain test` does it")


@pytest.fixture(scope="module")
def written(small: Talk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("slides")
    (path,) = export("manim-slides", [small.film], out)
    assert path == out / "slides" / f"{small.name}.json"
    return out


def program(folder: Path, *arguments: str) -> str:
    call = [sys.executable, "-m", "manim_slides", *arguments]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_program_reads_it(written: Path, small: Talk) -> None:
    from manim_slides.config import PresentationConfig

    assert small.name in program(written, "list-scenes")
    read = PresentationConfig.from_file(written / "slides" / f"{small.name}.json")
    assert read.resolution == (small.picture.width, small.picture.height)
    assert read.background_color.as_hex(format="long").lower() == small.look.colours["ground"].lower()
    for slide, step in zip(read.slides, small.slides, strict=True):
        assert not slide.auto_next and not slide.loop  # it stops where a step ends
        for file in (slide.file, slide.rev_file):
            with av.open(str(file)) as video:
                assert video.streams.video[0].frames == step.end - step.start


def test_convert_makes_a_page_and_a_presentation(written: Path, small: Talk) -> None:
    program(written, "convert", small.name, "talk.html")
    page = (written / "talk.html").read_text("utf-8")
    assert page.count("data-background-video=") == len(small.slides)
    program(written, "convert", small.name, "talk.pptx")
    with zipfile.ZipFile(written / "talk.pptx") as archive:
        assert sum(name.startswith("ppt/slides/slide") for name in archive.namelist()) == len(small.slides)


class Asides(HTMLParser):
    """The text of each aside, and every tag in one."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if self.inside:
            self.tags.append(tag)
        if tag == "aside":
            self.inside = True
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "aside"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[-1] += data


def test_markup_is_text_in_a_page_that_reads_notes_twice(written: Path, small: Talk) -> None:
    """As HTML first, without escaping, and what is left as Markdown that may hold HTML."""
    program(written, "convert", small.name, "notes.html")
    found = Asides((written / "notes.html").read_text("utf-8"))
    assert not found.tags
    for text, slide in zip(found.texts, small.slides, strict=True):
        page = MarkdownIt("commonmark", {"html": True}).render(text)
        read = Asides(f"<aside>{page}</aside>")
        assert set(read.tags) <= {"p", "ul", "li", "strong", "a"}
        assert slide.narration in read.texts[0].replace("\u2060", "")
    assert "<script>" in small.slides[0].narration


def test_the_folder_can_be_moved(written: Path, small: Talk, tmp_path: Path) -> None:
    moved = written.rename(tmp_path / "elsewhere")
    try:
        data = json.loads((moved / "slides" / f"{small.name}.json").read_text("ascii"))
        assert all((moved / slide["file"]).is_file() for slide in data["slides"])
        program(moved, "convert", small.name, "moved.html")
    finally:
        moved.rename(written)
