"""The PowerPoint file, read again by python-pptx, and by LibreOffice where it is (``explain test --slow``)."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explainers.errors import ExplainError
from scenes.exports import clips, powerpoint
from scenes.exports.talk import Talk, talk
from scenes.player.pictures import frames

pptx = pytest.importorskip("pptx", reason="python-pptx is not installed; `explain test` does it")
MEDIA = "http://schemas.microsoft.com/office/2007/relationships/media"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"


@pytest.fixture(scope="module")
def written(small: Talk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pptx") / "small.pptx"
    powerpoint.write(small, path)
    return path


def steps(file: Any, about: Talk) -> list[Any]:
    return list(file.slides)[1 : 1 + len(about.slides)]


def film_on(slide: Any) -> Any:
    (movie,) = [shape for shape in slide.shapes if shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.MEDIA]
    return movie


def test_a_slide_a_step_with_its_film_and_notes(written: Path, small: Talk, tmp_path: Path) -> None:
    file = pptx.Presentation(str(written))
    assert len(file.slides) == len(small.slides) + 2  # the title before, the sources after
    assert file.slide_width / file.slide_height == pytest.approx(small.picture.width / small.picture.height, rel=1e-4)
    for slide, step in zip(steps(file, small), small.slides, strict=True):
        assert slide.shapes.title.text == step.title
        notes = slide.notes_slide.notes_text_frame.text
        assert notes.startswith(step.narration)
        for number in step.numbers:
            assert f"{number.text} · {number.name}: {number.origin}" in notes
        movie = film_on(slide)
        assert (movie.left, movie.top, movie.width, movie.height) == (0, 0, file.slide_width, file.slide_height)
        assert movie.element.xpath(".//p:cNvPr")[0].get("descr") == step.picture_in_words
        (media,) = {rel.target_part.blob for rel in slide.part.rels.values() if rel.reltype == MEDIA}
        clips.cut(small.film.video, step.start, step.end, small.picture, tmp_path / "clip.mp4")
        assert hashlib.sha256(media).digest() == hashlib.sha256((tmp_path / "clip.mp4").read_bytes()).digest()


@pytest.mark.parametrize("poster", ["end", "start"])
def test_poster_is_the_frame_that_was_asked_for(small: Talk, tmp_path: Path, poster: Any) -> None:
    powerpoint.write(small, tmp_path / "small.pptx", poster)
    file = pptx.Presentation(str(tmp_path / "small.pptx"))
    wanted = [step.end - 1 if poster == "end" else step.start for step in small.slides]
    pictures = frames(small.film.video, wanted, small.picture.fps)
    for slide, picture in zip(steps(file, small), pictures, strict=True):
        with Image.open(io.BytesIO(film_on(slide).poster_frame.blob)) as found:
            np.testing.assert_array_equal(np.asarray(found), np.asarray(picture))


def test_a_film_starts_with_its_slide_and_stays_on_its_last_frame(written: Path, small: Talk) -> None:
    for slide, step in zip(steps(pptx.Presentation(str(written)), small), small.slides, strict=True):
        (timing,) = slide.element.findall(f"{P}timing")
        shapes = {target.get("spid") for target in timing.iter(f"{P}spTgt")}
        assert shapes == {str(film_on(slide).shape_id)}
        (command,) = timing.iter(f"{P}cmd")
        assert command.get("cmd") == "playFrom(0.0)"
        length = int(command.find(f".//{P}cTn").get("dur"))
        assert length == pytest.approx(1000 * (step.end - step.start) / small.picture.fps, abs=1)
        effect = next(node for node in timing.iter(f"{P}cTn") if node.get("presetClass") == "mediacall")
        assert effect.get("nodeType") == "afterEffect"  # with the slide, not at a click
        (media,) = timing.iter(f"{P}cMediaNode")
        assert media.get("showWhenStopped", "1") == "1"
        identities = [node.get("id") for node in timing.iter(f"{P}cTn")]
        assert len(set(identities)) == len(identities)


def test_sources_are_named_and_linked(written: Path, small: Talk) -> None:
    last = list(pptx.Presentation(str(written)).slides)[-1]
    text = " ".join(shape.text_frame.text for shape in last.shapes if shape.has_text_frame)
    links = {rel.target_ref for rel in last.part.rels.values() if rel.is_external}
    for source in small.sources:
        assert source.name in text and source.used("en") in text
    assert links == {source.url for source in small.sources if source.url}


def test_markup_is_text(written: Path, small: Talk) -> None:
    assert "<script>" in small.slides[0].narration and "<script>" in small.title
    with zipfile.ZipFile(written) as archive:
        for name in archive.namelist():
            assert b"<script" not in archive.read(name)


@pytest.mark.parametrize(("width", "height"), [(90, 160), (120, 120)])
def test_a_slide_has_the_films_shape(remake: Any, tmp_path: Path, width: int, height: int) -> None:
    about = talk(remake(width=width, height=height))
    powerpoint.write(about, tmp_path / "tall.pptx")
    file = pptx.Presentation(str(tmp_path / "tall.pptx"))
    assert file.slide_width / file.slide_height == pytest.approx(width / height, rel=1e-4)
    for slide in file.slides:
        for shape in slide.shapes:
            inside = shape.left >= 0 and shape.left + shape.width <= file.slide_width + 1
            below = shape.top + shape.height <= file.slide_height + 1
            assert inside and below, (shape.name, shape.left, shape.top, shape.width, shape.height)


def test_without_python_pptx_it_says_what_to_do(small: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pptx", None)
    with pytest.raises(ExplainError, match=r"run `.*python.* -m pip install python-pptx`"):
        powerpoint.write(small, tmp_path / "none.pptx")


@pytest.mark.slow
def test_libreoffice_shows_every_page(written: Path, small: Talk, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if not office:
        pytest.skip("no LibreOffice here; `apt-get install libreoffice-impress`")
    home = f"-env:UserInstallation=file://{tmp_path}/profile"
    call = [office, home, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(written)]
    subprocess.run(call, check=True, capture_output=True, timeout=180)
    pypdf = pytest.importorskip("pypdf")
    pages = pypdf.PdfReader(tmp_path / "small.pdf").pages
    assert len(pages) == len(small.slides) + 2
    assert small.question in " ".join(pages[0].extract_text().split())
    for page, step in zip(pages[1:-1], small.slides, strict=True):
        (drawn,) = re.findall(rb"/(Im\d+) Do", page.get_contents().get_data())  # all pages share their resources
        picture = page.images[f"/{drawn.decode()}"].image.convert("RGB")
        (wanted,) = frames(small.film.video, [step.end - 1], small.picture.fps)
        near = np.asarray(picture.resize((160, 90))).astype(int) - np.asarray(wanted.resize((160, 90)))
        assert np.abs(near).mean() < 3
