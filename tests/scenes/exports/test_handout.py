"""The hand-out, as its reader gets it: the PDF's own text and pictures against the manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explainers.errors import ExplainError
from scenes.exports import handout
from scenes.exports.talk import Talk, talk
from scenes.player.pictures import frames

pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed; `explain test` does it")


def squeezed(text: str) -> str:
    """Without spaces and hyphens at line ends, which belong to the setting."""
    return "".join(text.replace("-\n", "-").split())


@pytest.fixture(scope="module")
def written(small: Talk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "small.pdf"
    handout.write(small, path)
    return path


def test_everything_said_stands_there_with_its_origin(written: Path, small: Talk) -> None:
    reader = pypdf.PdfReader(written)
    text = squeezed("".join(page.extract_text() for page in reader.pages))
    about = json.loads((small.film.folder / "manifest.json").read_text("utf-8"))
    for scene in about["scenes"]:
        assert squeezed(scene["heading"]) in text
        for step in scene["steps"]:
            assert squeezed(step["narration"]) in text
            for number in step["numbers"]:
                origin = number["origin"]
                assert squeezed(number["text"]) in text
                assert squeezed(origin["source"] if origin["kind"] == "cited" else origin["formula"]) in text
    for source in small.sources:
        assert squeezed(f"{source.name}, {source.date}") in text
    assert squeezed(about["question"]) in squeezed(reader.pages[0].extract_text())
    assert reader.metadata.title == about["title"]


def test_pages_are_numbered_and_the_contents_lead_to_them(written: Path, small: Talk) -> None:
    pages = pypdf.PdfReader(written).pages
    texts = [page.extract_text() for page in pages]
    for place, text in enumerate(texts[1:], start=2):
        assert f"{place} / {len(pages)}" in text
    for heading, _ in small.scenes():
        here = next(place for place, text in enumerate(texts[1:], start=2) if squeezed(heading) in squeezed(text))
        assert f"{squeezed(heading)}{here}" in squeezed(texts[0])


def test_pictures_are_the_ends_of_the_steps(written: Path, small: Talk) -> None:
    found = [image.image.convert("RGB") for page in pypdf.PdfReader(written).pages[1:] for image in page.images]
    wanted = list(frames(small.film.video, [step.end - 1 for step in small.slides], small.picture.fps))
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_links_lead_to_sources(written: Path, small: Talk) -> None:
    links = [
        note.get_object()["/A"]["/URI"]
        for page in pypdf.PdfReader(written).pages
        for note in page.get("/Annots", [])
        if "/URI" in note.get_object().get("/A", {})
    ]
    assert set(links) == {source.url for source in small.sources if source.url}


def test_it_is_tagged_and_names_its_language(remake: Any, tmp_path: Path) -> None:
    handout.write(talk(remake(lang="de")), tmp_path / "de.pdf")
    reader = pypdf.PdfReader(tmp_path / "de.pdf")
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"].startswith("de")
    assert "Inhalt" in reader.pages[0].extract_text()


@pytest.mark.parametrize(("width", "height"), [(90, 160), (120, 120)])
def test_tall_and_square_pictures_fit(remake: Any, width: int, height: int) -> None:
    about = talk(remake(width=width, height=height))
    data = handout._data(about, [str(slide.number) for slide in about.slides])
    assert data["column"] * height / width <= handout._TALLEST + 1e-6
    assert len(handout.compiled(about, "png", ppi=20.0)) >= 2


def test_the_same_film_gives_the_same_file(written: Path, small: Talk, tmp_path: Path) -> None:
    handout.write(small, tmp_path / "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == written.read_bytes()


def test_a_script_without_font_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handout.typst.Fonts, "families", lambda self: ["IBM Plex Sans"], raising=False)
    with pytest.raises(ExplainError, match="no font for the language 'zh'.*Noto Sans CJK SC"):
        handout._families("zh")
    assert handout._families("de") == ["IBM Plex Sans"]
