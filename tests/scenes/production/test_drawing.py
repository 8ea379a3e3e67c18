"""One scene, one file: the frames that the clock counts, at any rate, and pictures that do not depend on it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from explainers.errors import ExplainError
from scenes import clock
from scenes.production.drawing import SceneFailed, draw
from scenes.production.looking import walk
from scenes.production.settings import Picture
from scenes.production.sheets import sheet
from scenes.production.stills import stills
from scenes.production.tiles import Tiles
from scenes.registry import Course

MakeCourse = Callable[[str, str], Course]
SCRIPT = """
## Moving
One two [[cue]] three four.

Five six.
"""
CODE = """
class Moving(LectureScene):
    lecture = 9
    def construct(self):
        square = Square(side_length=2, color=WHITE, fill_opacity=1)
        dot = Dot(LEFT * 5).add_updater(lambda d, dt: d.shift(RIGHT * dt))
        with self.step() as s:
            self.play(FadeIn(square), run_time=0.37)
            s.until("cue")
            self.play(square.animate.shift(RIGHT * 3), Rotate(dot, 1, run_time=0.5), run_time=0.71)
        with self.step():
            self.add(dot)
            self.wait(0.33)
            dot.clear_updaters()
"""


def small(fps: int) -> Picture:
    return Picture(256, 144, fps)


def frames_of(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


@pytest.fixture
def entry(make_course: MakeCourse) -> Any:
    course = make_course(SCRIPT, CODE)
    return course.entries(course.lecture(9))[0]


@pytest.mark.parametrize("fps", [7, 15, 24, 30, 60])
def test_frames_equal_the_plan_at_every_rate(entry: Any, tmp_path: Path, fps: int) -> None:
    report = draw(entry, small(fps), tmp_path)
    assert report == walk(entry, small(15)), "the same report at any rate, drawn or only looked at"
    assert report.ticks == round(clock.planned_seconds(entry.section) * 15)
    frames = frames_of(tmp_path / "scene.mp4")
    assert len(frames) == clock.frame(report.ticks, fps) == report.ticks // 15 * fps
    assert [frame.pts * frame.time_base for frame in frames[:3]] == [Fraction(i, fps) for i in range(3)]
    for step in report.steps:
        assert frames[clock.frame(step.start, fps)].key_frame, "a learner can seek to a step exactly"


def test_the_file_is_plain_h264_in_bt709(entry: Any, tmp_path: Path) -> None:
    draw(entry, small(15), tmp_path)
    with av.open(str(tmp_path / "scene.mp4")) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.codec_context.colorspace == 1
        assert not stream.codec_context.has_b_frames
        last = list(container.decode(video=0))[-1].to_ndarray(format="rgb24").astype(int)
    poster = np.asarray(Image.open(tmp_path / "poster.png")).astype(int)
    assert poster.shape == last.shape == (144, 256, 3)
    assert np.abs(poster - last).mean() < 3, "the film shows the colours that were drawn"
    assert poster.max() > 200 > 30 > np.median(poster), "a white square on a dark ground"


def test_a_scene_is_drawn_alike_twice(entry: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        draw(entry, small(15), tmp_path / name)
    assert (tmp_path / "a" / "scene.mp4").read_bytes() == (tmp_path / "b" / "scene.mp4").read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["poster.png", "scene.mp4"]


POKES = """
class Moving(LectureScene):
    lecture = 9
    def construct(self):
        def poke(_square):
            self.camera.pixel_array[10:40, 10:40] = 255  # Manim wipes it away before it draws
        square = Square().add_updater(poke)
        with self.step():
            self.play(square.animate.shift(RIGHT), run_time=3)
        with self.step():
            self.wait(1)
"""


@pytest.mark.parametrize("code", [CODE, POKES], ids=["nothing is noted", "a scene paints by itself"])
def test_a_scene_in_which_the_engine_is_mistaken_is_drawn_by_stock(
    make_course: MakeCourse,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    code: str,
) -> None:
    course = make_course(SCRIPT, code)
    (entry,) = course.entries(course.lecture(9))
    for name in ("stock", "mistaken"):
        (tmp_path / name).mkdir()
    draw(entry, small(15), tmp_path / "stock", engine="stock")
    assert "own renderer" not in capfd.readouterr().err
    if code == CODE:
        monkeypatch.setattr(Tiles, "mark", lambda *_: None)
    draw(entry, small(15), tmp_path / "mistaken")
    assert "9/Moving is drawn by Manim's own renderer" in capfd.readouterr().err
    for name in ("scene.mp4", "poster.png"):
        assert (tmp_path / "mistaken" / name).read_bytes() == (tmp_path / "stock" / name).read_bytes()


def test_a_scene_that_raises_names_its_step(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SCRIPT, CODE.replace("dot.clear_updaters()", "raise ValueError('no dot')"))
    with pytest.raises(SceneFailed) as failed:
        draw(course.entries(course.lecture(9))[0], small(15), tmp_path)
    assert failed.value.step == 2
    assert repr(failed.value.__cause__) == "ValueError('no dot')"


def test_a_scene_renders_under_stock_manim(entry: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manim import tempconfig

    spec = importlib.util.spec_from_file_location("plain", entry.code.file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.Moving.script_file = entry.lecture.path
    size = {"pixel_width": 256, "pixel_height": 144, "frame_rate": 24, "media_dir": str(tmp_path / "media")}
    counts = []
    for _ in ("cold", "warm"):
        with tempconfig({**size, "progress_bar": "none", "verbosity": "ERROR"}):
            scene = module.Moving()
            scene.render()
            counts.append((len(frames_of(scene.renderer.file_writer.movie_file_path)), scene.report()))
    assert counts[0] == counts[1]
    assert counts[0][0] == clock.frame(counts[0][1].ticks, 24)


def test_stills_show_the_ends_of_steps_and_the_middles_of_motions(make_course: MakeCourse, tmp_path: Path) -> None:
    course = make_course(SCRIPT, CODE)
    names = [path.name for path in stills("Moving", "480p", tmp_path, "both", course=course)]
    assert names == [
        "Moving_step1_play1_mid.png",
        "Moving_step1_play2_mid.png",
        "Moving_step1_end.png",
        "Moving_step2_end.png",
    ]
    fading, moving, end = (np.asarray(Image.open(tmp_path / name).convert("L")).astype(int) for name in names[:3])
    assert fading.max() < end.max(), "half faded in"
    columns = [np.where(picture.max(axis=0) > 200)[0].mean() for picture in (moving, end)]
    assert columns[0] < columns[1] - 50, "half way there"
    assert [path.name for path in stills("9/Moving", "480p", tmp_path, step=2, course=course)] == names[3:]


def test_a_sheet_shows_every_step(make_course: MakeCourse, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    picture = Image.open(sheet("9", out, columns=4, width=160, course=make_course(SCRIPT, CODE)))
    assert picture.size == (2 * 166 + 6, 90 + 22 + 6 + 6)
    assert min(np.asarray(picture.convert("L"))[6:96, x : x + 160].max() for x in (6, 172)) > 200, "a square in each"


def test_a_sheet_shows_what_works_and_says_what_failed(make_course: MakeCourse, tmp_path: Path) -> None:
    broken = CODE.replace("dot.clear_updaters()", "raise ValueError('no dot')")
    with pytest.raises(ExplainError, match=r"9/Moving step 2: ValueError: no dot \(demo\.py:\d+\)"):
        sheet("9", tmp_path / "sheet.png", width=160, course=make_course(SCRIPT, broken))
    assert Image.open(tmp_path / "sheet.png").size == (2 * 166 + 6, 90 + 22 + 6 + 6)
