"""Forty-two minutes by one clock: container, chapters, captions and manifest agree to one frame, at every rate."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from scenes import clock
from scenes.production import Options, cache, render
from scenes.production.assemble import assemble
from scenes.production.encoder import SceneVideo, png
from scenes.production.settings import Picture
from scenes.registry import Course, Selection
from scenes.report import SceneReport, StepReport

MakeCourse = Callable[[str, str], Course]
NAMES = [f"Scene{first}{second}" for first in "ABCDEFG" for second in "ABCDEFGHI"]
WORDS = "one two three four five six seven eight nine ten"
SCRIPT = "".join(
    f"\n## {name}\n{' '.join([WORDS] * 3)}.\n\n{' '.join([WORDS] * (6 + index % 4))} ten.\n"
    for index, name in enumerate(NAMES)
)
CODE = "".join(
    f"\nclass {name}(LectureScene):\n    lecture = 9\n    def construct(self):\n"
    "        with self.step():\n            pass\n        with self.step():\n            pass\n"
    for name in NAMES
)  # fmt: skip


def report_of(section: Any) -> SceneReport:
    """What a scene of nothing but words reports."""
    steps, at, narrator = [], 0, clock.ByWords()
    for step in section.steps:
        speech = at + clock.ticks_up(narrator.seconds(step))
        end = speech + clock.ticks_up(clock.HOLD)
        end = clock.whole_seconds(end) if step is section.steps[-1] else end
        ticks = tuple(round(at + second * clock.TICKS_PER_SECOND, 3) for second in narrator.word_starts(step))
        steps.append(StepReport(step.index, at, speech, end, step.narration, step.words, ticks, (), 0, (), ()))
        at = end
    return SceneReport(9, section.name, section.heading, at, tuple(steps), ())


def part_of(section: Any, picture: Picture, folder: Path, shade: int) -> cache.Part:
    """Two stills, one a step."""
    folder.mkdir()
    report = report_of(section)
    video = SceneVideo(folder / "scene.mp4", picture)
    for step in report.steps:
        pixels = np.full((picture.height, picture.width, 4), (shade, 60 * step.index, 90, 255), np.uint8)
        video.mark_step()
        video.write(pixels, clock.frames_between(step.start, step.end, picture.fps))
    video.close()
    (folder / "poster.png").write_bytes(png(pixels))
    cache.write_part(folder, report)
    return cache.Part(folder, report)


def seconds(stamp: str) -> float:
    hours, minutes, rest = stamp.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def assert_agrees(folder: Path, fps: int) -> float:
    """Container, chapters, captions and manifest of a film say the same times; its length in seconds."""
    name, frame = folder.name, 1 / fps
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    steps = [step for scene in manifest["scenes"] for step in scene["steps"]]
    with av.open(str(folder / f"{name}.mp4")) as film:
        (video, track) = film.streams.video[0], film.streams.subtitles[0]
        found = [packet for packet in film.demux(video, track) if packet.size]
        pictures = [packet for packet in found if packet.stream.index == video.index]
        shown = [packet for packet in found if packet.stream.index == track.index and packet.size > 2]
        chapters = film.chapters()
        lengths = [film.duration / av.time_base, float(video.duration * video.time_base)]
    assert len(pictures) == manifest["end_frame"]
    at = [packet.pts * packet.time_base for packet in pictures]
    assert at == [Fraction(index, fps) for index in range(len(pictures))], "no frame is lost, none drifts"
    keys = {index for index, packet in enumerate(pictures) if packet.is_keyframe}
    for length in lengths:
        assert abs(length - manifest["end_seconds"]) <= frame
    starts = [scene["start_frame"] for scene in manifest["scenes"]]
    assert {step["start_frame"] for step in steps} <= keys, "each step begins at a key frame"
    assert [round(chapter["start"] * chapter["time_base"] * fps) for chapter in chapters] == starts
    for text in ((folder / f"{name}.vtt").read_text("utf-8"), (folder / f"{name}.srt").read_text("utf-8")):
        spans = [tuple(map(seconds, pair)) for pair in re.findall(r"([\d:.,]+) --> ([\d:.,]+)", text)]
        assert len(spans) == len(shown)
        for (begin, end), packet in zip(spans, shown, strict=True):
            assert abs(float(packet.pts * packet.time_base) - begin) <= frame
            assert abs(float((packet.pts + packet.duration) * packet.time_base) - end) <= frame
        begins = [begin for begin, _ in spans]
        for step in steps:
            assert min(abs(begin - step["start_seconds"]) for begin in begins) <= frame, "words begin with their step"
        assert spans[-1][1] <= manifest["end_seconds"]
        assert abs(spans[-1][1] - clock.to_seconds(steps[-1]["speech"])) <= max(frame, 1 / clock.TICKS_PER_SECOND)
    return float(manifest["end_seconds"])


@pytest.mark.parametrize("fps", [24, pytest.param(60, marks=pytest.mark.slow)])
def test_everything_agrees_over_forty_two_minutes(make_course: MakeCourse, tmp_path: Path, fps: int) -> None:
    course = make_course(SCRIPT, CODE)
    lecture = course.lecture(9)
    selection = Selection(lecture, tuple(course.entries(lecture)), whole=True)
    options = Options(quality="480p", fps=fps, out=tmp_path / "out")
    picture = Picture(64, 36, fps)
    parts = [part_of(section, picture, tmp_path / section.name, 4 * i) for i, section in enumerate(lecture.sections)]
    assemble(selection, parts, options, tmp_path / "work")
    assert assert_agrees(tmp_path / "out" / selection.name, fps) > 42 * 60


@pytest.mark.slow
def test_everything_agrees_over_the_whole_course(tmp_path: Path) -> None:
    films = render(["all"], Options(quality="480p", fps=10, out=tmp_path))
    assert sum(assert_agrees(film.folder, 10) for film in films) > 40 * 60
