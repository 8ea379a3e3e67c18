"""What goes out with a film holds to the rules of where it goes, and says what the film says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explainers.errors import ExplainError
from scenes.cli import main
from scenes.production import Options, render
from scenes.publishing import describing, kit, thumbnail
from scenes.registry import Course

MakeCourse = Callable[[str, str], Course]


def manifest(lengths: list[float], **more: Any) -> dict[str, Any]:
    """A film whose scenes last so many seconds."""
    scenes, now = [], 0.0
    for index, seconds in enumerate(lengths):
        scenes.append(
            {
                "heading": f"Scene <{index}>",
                "start_seconds": now,
                "end_seconds": now + seconds,
                "steps": [{"numbers": [], "said": [], "voice": ""}],
            }
        )
        now += seconds
    return {"question": "Why?", "title": "A — b", "scenes": scenes, "settings": {"voice": None}, **more}


@pytest.mark.parametrize(
    ("lengths", "starts"),
    [
        ([37, 7, 50, 40, 6], [0, 37, 94]),  # the card opens the next chapter, the end card closes the last
        ([5, 20, 20, 20], [0, 25, 45]),
        ([10, 10, 10], [0, 10, 20]),
        ([4, 4, 4, 4, 30, 30], [0, 12, 46]),
        ([30, 30], []),
        ([5, 5, 5], []),
        ([3], []),
    ],
)
def test_chapters_are_as_youtube_wants_them(lengths: list[float], starts: list[float]) -> None:
    found = describing.chapters(manifest(lengths))
    assert [start for start, _ in found] == starts
    if found:
        ends = [*starts[1:], sum(lengths)]
        assert found[0][0] == 0 and len(found) >= 3
        assert all(end - start >= 10 for start, end in zip(starts, ends, strict=True))
    for line in describing.chapter_lines(found):
        assert re.fullmatch(r"\d+:\d\d Scene ‹\d›", line), "angle brackets are refused there"


def test_times_beyond_an_hour() -> None:
    assert [describing.stamp(second) for second in (0, 59.99, 75.2, 3600)] == ["0:00", "0:59", "1:15", "1:00:00"]


def cited(source: str, key: str, where: str = "Table 1", **more: Any) -> dict[str, Any]:
    origin = {"kind": "cited", "source": source, "key": key, "where": where, "url": "", "confidence": "primary"}
    return {"origin": {**origin, **more}}


def test_sources_are_found_at_the_roots_and_the_most_used_comes_first() -> None:
    film = manifest([20, 20, 20])
    deep = {
        "origin": {
            "kind": "computed",
            "run": "low_rank",
            "inputs": [cited("B, arXiv 2412.19437", "b.1"), cited("A", "a.1", url="https://a.example")],
        }
    }
    film["scenes"][0]["steps"][0]["numbers"] = [deep, cited("B, arXiv 2412.19437", "b.2", "sec. 4")]
    film["scenes"][1]["steps"][0]["said"] = [deep, cited("C", "c.1", "", confidence="secondary")]
    told, computed = describing.sources(film)
    assert [(each.name, each.figures) for each in told] == [("B, arXiv 2412.19437", 2), ("A", 1), ("C", 1)]
    assert [each.url for each in told] == ["https://arxiv.org/abs/2412.19437", "https://a.example", ""]
    assert computed == ["low_rank"]
    text = describing.description(film, "Because.")
    assert text.startswith("Why?\nBecause.\n\nChapters\n0:00 Scene ‹0›\n")
    assert "B, arXiv 2412.19437: Table 1; sec. 4 https://arxiv.org/abs/2412.19437\n" in text
    assert "C (in part told by others)\n" in text
    assert "Computed for this film\nlow_rank\n" in text
    assert "synthetic" not in text


def test_a_description_stays_within_bytes_and_counts_what_it_leaves_out() -> None:
    film = manifest([20] * 4, settings={"voice": "espeak"})
    many = [cited(f"Ein Bericht über Größen Nr. {index}", f"k{index}") for index in range(300)]
    film["scenes"][0]["steps"][0] |= {"numbers": many, "voice": "espeak"}
    text = describing.description(film)
    assert 4800 < len(text.encode()) <= 5000
    listed = text.count("Ein Bericht")
    assert f"and {300 - listed} more" in text
    assert "Spoken by a synthetic voice (espeak)." in text


SCRIPT = """
## First
One two three four five six seven eight nine ten {{ v3.layers }}.

## Second
Another.

## Third
And one more.
"""
CODE = """
from scenes.kit import NumberLabel
class First(LectureScene):
    lecture = 9
    def construct(self):
        layers = self.number("v3.layers")
        with self.step():
            self.show_title()
            self.origin(layers)
            self.add(NumberLabel(layers, "plain"), Rectangle(width=3, height=2, fill_opacity=1, color="#ff0000"))

class Second(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            self.add(Rectangle(width=6, height=1, fill_opacity=1, color="#00ff00"))

class Third(LectureScene):
    lecture = 9
    def construct(self):
        with self.step():
            self.wait(0.1)
"""


def test_a_kit_of_a_rendered_lecture(
    make_course: MakeCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    course = make_course(SCRIPT, CODE)
    monkeypatch.setenv("EXPLAIN_COURSE", f"{course.scripts}{os.pathsep}{course.scenes}")
    films, out = tmp_path / "out", tmp_path / "publish"
    with pytest.raises(ExplainError, match=r"lecture 9 was not rendered into .*`explain render 9 --quality 1080p`"):
        kit(9, films, out)
    render(["9"], Options(quality="480p", fps=10, out=films, jobs=2), course=course)
    with pytest.raises(SystemExit) as ended:
        main(["publish-kit", "9", "--films", str(films), "--out", str(out)])
    said = capsys.readouterr()
    assert ended.value.code == 0
    assert "the film is silent" in said.err and "too short for chapters" in said.err and "has 480p" in said.err
    folder = out / "9_demo"
    names = "9_demo.mp4 9_demo.srt 9_demo.vtt chapters.txt description.txt loudness.txt thumbnail.png title.txt"
    assert sorted(file.name for file in folder.iterdir()) == names.split()
    assert (
        "DeepSeek-V3, arXiv 2412.19437: sec. 4.2 https://arxiv.org/abs/2412.19437"
        in (folder / "description.txt").read_text()
    )
    assert (folder / "title.txt").read_text() == "A demonstration\n"
    assert (folder / "9_demo.mp4").read_bytes() == (films / "9_demo" / "9_demo.mp4").read_bytes()
    picture = Image.open(folder / "thumbnail.png").convert("RGB")
    assert picture.size == (1280, 720) and (folder / "thumbnail.png").stat().st_size < 2_000_000
    pixels = np.asarray(picture)
    green = (pixels[..., 1] > 200) & (pixels[..., 0] < 80)
    columns = np.flatnonzero(green.any(axis=0))
    assert columns[-1] - columns[0] > 0.85 * 1280, "the second scene's picture, as wide as the frame allows"
    assert "thumbnail.png" in said.out
    with pytest.raises(ExplainError, match=r"--picture First/7: First has steps 1 to 1"):
        kit(9, films, out, picture="First/7")
    kit(9, films, out, picture="First/1")
    red = np.asarray(Image.open(folder / "thumbnail.png").convert("RGB"))
    assert ((red[..., 0] > 200) & (red[..., 1] < 80)).any(), "the picture that was asked for"
    about = json.loads((films / "9_demo" / "manifest.json").read_text())
    (films / "9_demo" / "manifest.json").write_text("{")
    with pytest.raises(ExplainError, match="render the lecture again"):
        kit(9, films, out)
    (films / "9_demo" / "manifest.json").write_text(json.dumps(about))
    (films / "9_demo" / "9_demo.srt").unlink()
    with pytest.raises(ExplainError, match=r"lacks 9_demo\.srt"):
        kit(9, films, out)


def test_title_and_origin_line_stay_out_of_the_picture(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SCRIPT, CODE)
    made = thumbnail.thumbnail(course.lecture(9), course, "First/1")
    pixels = np.asarray(made)
    red = (pixels[..., 0] > 200) & (pixels[..., 1] < 80)
    rows = np.flatnonzero(red.any(axis=1))
    picture = pixels[:, np.flatnonzero(red.any(axis=0))[0] - 4 :]
    assert rows[-1] - rows[0] > 300, "cut to the rectangle, which fills its place"
    assert np.abs(picture[rows[-1] + 8 :].astype(int) - pixels[0, 0]).max() < 12, "nothing under it"


def test_a_heavy_thumbnail_becomes_a_jpeg() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), dtype=np.uint8)
    name, content = thumbnail.encoded(Image.fromarray(noise))
    assert name == "thumbnail.jpg" and len(content) < 2_000_000
    assert thumbnail.encoded(Image.new("RGB", (1280, 720)))[0] == "thumbnail.png"
