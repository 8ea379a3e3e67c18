"""Sound on the produced film: in step with the picture, loud as it should be, without clicks, the video untouched."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import av
import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

from explainers import paths
from explainers.errors import ExplainError
from scenes.production import Options, plan, render, speaking
from scenes.production.settings import FilmResult
from scenes.registry import Course
from scenes.voices import Line, Utterance, voice

MakeCourse = Callable[[str, str], Course]
RATE = 48_000
AGREE = 0.040
SCRIPT = """
## First
One [[two]] two and three words are said here.

Four, and then a [[five]] five.

## Second scene {#Second}
Six seven eight.
"""
#: Every step begins with a picture of its own: the whole frame changes its brightness.
CODE = """
class Lit(LectureScene):
    def light(self, level):
        return FullScreenRectangle(fill_opacity=1, stroke_width=0, fill_color=rgb_to_color((level, level, level)))

class First(Lit):
    lecture = 9
    def construct(self):
        for level, mark in ((0.2, "two"), (0.4, "five")):
            with self.step() as s:
                self.add(self.light(level))
                s.until(mark)
                self.wait(0.4)

class Second(Lit):
    lecture = 9
    def construct(self):
        with self.step():
            self.add(self.light(0.8))
            self.wait(0.4)
"""


class Horn:
    """A voice that is easy to hear: a tone a word, loud at once, with silence before and after."""

    name, identity = "horn", "horn"
    lead: ClassVar[float] = 0.37
    pace: ClassVar[float] = 0.31
    loud: ClassVar[float] = 0.05

    def __init__(self, model: Path | None) -> None:
        self.model = model

    def say(self, line: Line) -> Utterance | None:
        rate = 22_050
        words = line.text.split()
        time = np.arange(round(rate * (2 * self.lead + self.pace * len(words)))) / rate - self.lead
        on = (time >= 0) & (time < self.pace * len(words)) & (time % self.pace < 0.8 * self.pace)
        places = np.cumsum([0, *(len(word) + 1 for word in words)])[:-1]
        starts = tuple((int(p), self.lead + index * self.pace) for index, p in enumerate(places))
        return Utterance((self.loud * on * np.sin(2 * np.pi * 440 * time)).astype(np.float32), rate, starts)


@pytest.fixture(autouse=True)
def horn(monkeypatch: pytest.MonkeyPatch) -> type[Horn]:
    class Own(Horn):
        pass

    monkeypatch.setattr(plan, "reach", lambda file: {file.resolve()} if "lectures" in file.parts else set())
    monkeypatch.setattr(voice, "BUILT_IN", {**voice.BUILT_IN, "horn": f"{__name__}:Own"})
    monkeypatch.setattr(voice.importlib, "import_module", _with(Own, voice.importlib.import_module))
    return Own


def _with(own: type[Horn], original: Callable[[str], Any]) -> Callable[[str], Any]:
    class Module:
        Own = own

    return lambda name: Module if name == __name__ else original(name)


@pytest.fixture
def course(
    make_course: MakeCourse, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Course:
    """The lecture, with a cache that these tests share: the same picture is drawn once."""
    made = make_course(SCRIPT, CODE)
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path_factory.getbasetemp() / "voiced"))
    return made


def make(course: Course, tmp_path: Path, **chosen: Any) -> FilmResult:
    settings = {"quality": "480p", "fps": 30, "out": tmp_path / "out", "jobs": 2, "voice": "horn", **chosen}
    (film,) = render(["9"], Options(**settings), course=course)
    return film


def manifest(film: FilmResult) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((film.folder / "manifest.json").read_text("utf-8"))
    return found


def steps_of(film: FilmResult) -> list[dict[str, Any]]:
    return [step for scene in manifest(film)["scenes"] for step in scene["steps"]]


def heard(film: FilmResult) -> NDArray[np.float32]:
    """The sound of the film as a player hears it: (samples, 2), the first at the film's beginning."""
    with av.open(str(film.video)) as container:
        frames = list(container.decode(audio=0))
    assert frames[0].rate == RATE
    first = round(float(frames[0].pts * frames[0].time_base) * RATE)
    sound = np.concatenate([frame.to_ndarray() for frame in frames], axis=1).T
    assert first <= 0, "what comes before the beginning is the encoder's and not played"
    return sound[-first:] if first else sound


def onsets(sound: NDArray[np.float32], gap: float = 0.5) -> list[float]:
    """Seconds at which sound begins after so much silence, at a tenth of the film's loudest."""
    loud = np.flatnonzero(np.abs(sound[:, 0]) > 0.1 * np.abs(sound).max())
    starts = np.concatenate([[True], np.diff(loud) > gap * RATE])
    return [float(index) / RATE for index in loud[starts]]


def cuts(film: FilmResult) -> list[float]:
    """Seconds at which the decoded picture becomes another, the beginning included."""
    found, before = [], None
    with av.open(str(film.video)) as container:
        for frame in container.decode(video=0):
            level = float(frame.to_ndarray(format="gray").mean())
            if before is None or abs(level - before) > 10:
                found.append(float(frame.pts * frame.time_base))
            before = level
    return found


def loudness(sound: NDArray[np.float32]) -> tuple[float, float]:
    """Integrated loudness (LUFS) and true peak (dBTP) by somebody else's code."""
    meter = pyloudnorm.Meter(RATE)
    peak = max(float(np.abs(resample_poly(channel.astype(float), 4, 1)).max()) for channel in sound.T)
    return float(meter.integrated_loudness(sound.astype(float))), 20 * float(np.log10(peak))


@pytest.mark.parametrize("fps", [24, 30])
def test_sound_and_picture_agree_at_every_step_of_the_film(course: Course, tmp_path: Path, fps: int) -> None:
    film = make(course, tmp_path, fps=fps)
    seen, sounds, starts = cuts(film), onsets(heard(film)), [step["start_seconds"] for step in steps_of(film)]
    assert len(seen) == len(sounds) == len(starts) == 3
    assert seen == pytest.approx(starts, abs=0.5 / fps + 0.001), "what the manifest says is in the picture"
    assert np.abs(np.subtract(sounds, seen)).max() < AGREE


def test_steps_last_as_long_as_they_are_spoken_and_marks_follow_the_words(
    course: Course, tmp_path: Path, horn: type[Horn]
) -> None:
    film = make(course, tmp_path)
    first, second, _ = steps_of(film)
    spoken = 8 * horn.pace - 0.2 * horn.pace  # the last word's silence is cut
    assert (first["speech"] - first["start"]) / 15 == pytest.approx(spoken + 0.07, abs=1 / 15)
    assert [cue["tick"] for cue in first["cues"]] == [round((horn.pace + 0.01) * 15)]
    assert [cue["tick"] - second["start"] for cue in second["cues"]] == [round((4 * horn.pace + 0.01) * 15)]
    vtt = (film.folder / "9_demo.vtt").read_text()
    assert "00:00:00.000 --> 00:00:02.4" in vtt, "captions go by the words"
    assert [step["voice"] for step in steps_of(film)] == ["horn"] * 3


def test_loudness_of_the_film_by_an_independent_measure(course: Course, tmp_path: Path, horn: type[Horn]) -> None:
    for loud in (0.004, 0.9):
        horn.loud, horn.identity = loud, f"horn {loud}"
        film = make(course, tmp_path)
        integrated, peak = loudness(heard(film))
        assert integrated == pytest.approx(-16, abs=0.3)
        assert peak < -1.5
        said = manifest(film)["sound"]
        assert said["integrated_lufs"] == pytest.approx(integrated, abs=0.2)


def test_nothing_clicks_where_speech_begins_and_ends(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, horn: type[Horn]
) -> None:
    def rumble(self: Horn, line: Line) -> Utterance:
        """No silence around it, an offset, and cut in the middle of a wave."""
        time = np.arange(2 * RATE) / RATE
        return Utterance((0.2 + 0.3 * np.cos(2 * np.pi * 150 * time)).astype(np.float32), RATE)

    monkeypatch.setattr(horn, "say", rumble)
    horn.identity = "rumble"
    sound = heard(make(course, tmp_path))[:, 0]
    steepest = 2 * np.pi * 150 / RATE * np.abs(sound).max()
    assert np.abs(np.diff(sound)).max() < 2 * steepest, "a click is a jump between two samples"


def test_the_picture_is_copied_not_encoded_again(course: Course, tmp_path: Path) -> None:
    film = make(course, tmp_path)
    parts = sorted((paths.cache() / "production" / "parts").glob("*/*/scene.mp4"))
    alone = {bytes(packet) for part in parts for packet in _video_packets(part)}
    whole = [bytes(packet) for packet in _video_packets(film.video)]
    assert set(whole) <= alone
    with av.open(str(film.video)) as container:
        sound = container.streams.audio[0]
        assert (sound.codec_context.name, sound.rate, sound.channels) == ("aac", RATE, 2)
        assert len(container.chapters()) == 2
        streams = [packet.stream.type for packet in container.demux() if packet.size]
        assert float(Fraction(container.duration, 1_000_000)) == pytest.approx(film.seconds, abs=0.03)
    runs = "".join(kind[0] for kind in streams if kind in ("video", "audio")).split("a")
    assert max(map(len, runs)) < 40, "sound and picture lie side by side in the file, so it plays while it loads"


def _video_packets(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(video=0) if packet.size]


def test_only_scenes_whose_steps_last_otherwise_are_drawn_again(
    make_course: MakeCourse, tmp_path: Path, horn: type[Horn]
) -> None:
    course = make_course(SCRIPT, CODE)
    silent = make(course, tmp_path, voice=None)
    assert "sound" not in manifest(silent)
    film = make(course, tmp_path)
    assert (len(film.rendered), len(film.reused)) == (2, 0)
    sound = heard(film)
    horn.loud, horn.identity = 0.3, "louder"
    again = make(course, tmp_path)
    assert again.reused == film.rendered, "another sound of the same length is another track, not another picture"
    original = horn.say
    horn.say = lambda self, line: original(self, line) if line.scene == "First" else Slow(None).say(line)
    horn.identity = "slower at the end"
    slower = make(course, tmp_path)
    assert (slower.rendered, slower.reused) == (("9/Second",), ("9/First",))
    assert len(heard(slower)) > len(sound)
    assert make(course, tmp_path, voice="none").reused == silent.rendered


class Slow(Horn):
    pace = 0.9


def test_a_take_and_what_lacks_make_a_film_in_step(
    make_course: MakeCourse, tmp_path: Path, horn: type[Horn], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A take of the first scene, noisy, too quiet and of two paragraphs; the second scene is not recorded."""
    course = make_course(SCRIPT, CODE)
    monkeypatch.setattr(speaking, "_deputy", lambda: Horn(None))
    (tmp_path / "scripts" / "en" / "voice").mkdir()
    noise = np.random.default_rng(0).standard_normal(10 * RATE) * 0.001
    for start, end in ((1.0, 3.5), (5.6, 8.2)):
        time = np.arange(round(start * RATE), round(end * RATE)) / RATE
        noise[round(start * RATE) : round(end * RATE)] += 0.03 * np.sin(2 * np.pi * 300 * time)
    with wave.open(str(tmp_path / "scripts" / "en" / "voice" / "9_First.wav"), "wb") as take:
        take.setparams((1, 2, RATE, 0, "NONE", ""))
        take.writeframes(np.round(noise * 32767).astype("<i2").tobytes())
    film = make(course, tmp_path, voice="recorded")
    assert [step["voice"] for step in steps_of(film)] == ["recorded", "recorded", "horn"]
    assert film.notes[0].startswith("not recorded, spoken by horn: 9_Second-1.wav (in ")
    first, second, _ = steps_of(film)
    lengths = [(step["speech"] - step["start"]) / 15 for step in (first, second)]
    assert lengths == pytest.approx([2.5, 2.6], abs=0.1)
    sound = heard(film)
    assert np.abs(np.subtract(onsets(sound), cuts(film))).max() < AGREE
    integrated, peak = loudness(sound)
    assert integrated == pytest.approx(-16, abs=0.3) and peak < -1.5


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (lambda: Utterance(np.zeros(RATE, np.float32), RATE), "gave silence for 'One two and"),
        (lambda: Utterance(np.zeros(0, np.float32), RATE), "gave no samples"),
        (lambda: Utterance(np.full(RATE, np.nan, np.float32), RATE), "samples that are no numbers"),
        (lambda: Utterance(np.ones(RATE, np.float32), 10), "gave 10 samples a second"),
        (lambda: Utterance(np.ones((RATE, 2), np.float32), RATE), "one channel: mix"),
        (lambda: Utterance(np.ones(RATE, np.int16), RATE), "floats from -1 to 1"),
    ],
)
def test_a_voice_that_gives_no_sound_is_named(
    make_course: MakeCourse, tmp_path: Path, horn: type[Horn], said: Callable[[], Utterance], says: str
) -> None:
    horn.say = lambda self, line: said()
    with pytest.raises(ExplainError, match=f"the voice horn at 9/First step 1.*{says}"):
        make(make_course(SCRIPT, CODE), tmp_path)


@pytest.mark.slow
def test_a_whole_lecture_is_in_step_with_the_draft_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lecture 3, 26 steps: every one is heard within 40 ms of its picture, a key frame of the produced film."""
    try:
        voice.find("espeak")
    except ExplainError:
        pytest.skip("espeak-ng is not installed")
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "cache"))
    (film,) = render(["3"], Options(quality="480p", out=tmp_path / "out", voice="espeak"))
    with av.open(str(film.video)) as container:
        chapters = [float(each["start"] * each["time_base"]) for each in container.chapters()]
    keys = np.array([float(p.pts * p.time_base) for p in _video_packets(film.video) if p.is_keyframe])
    sound, starts = heard(film), [step["start_seconds"] for step in steps_of(film)]
    loud = np.flatnonzero(np.abs(sound[:, 0]) > 0.01)
    sounds = loud[np.concatenate([[True], np.diff(loud) > 0.6 * RATE])] / RATE
    assert len(sounds) == len(starts) > 20
    seen = [keys[np.argmin(np.abs(keys - second))] for second in sounds]
    assert seen == pytest.approx(starts, abs=0.001)
    assert np.abs(np.subtract(sounds, seen)).max() < AGREE
    assert chapters == [scene["start_seconds"] for scene in manifest(film)["scenes"]]
    integrated, peak = loudness(sound)
    assert integrated == pytest.approx(-16, abs=0.5)
    assert peak < -1.5
