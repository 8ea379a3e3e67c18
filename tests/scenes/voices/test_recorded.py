"""A lecturer's recordings: read, cut, refused with a reason."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explainers.errors import ExplainError
from scenes.production import speaking
from scenes.registry import SceneEntry
from scenes.script import Lecture
from scenes.syntax import SceneClass
from scenes.voices import RATE, Line, listening, recorded
from scenes.voices.recorded import Recorded, cut, read, recordings

_spec = importlib.util.spec_from_file_location("voice_recordings", Path(__file__).with_name("conftest.py"))
assert _spec and _spec.loader
_made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_made)
babble, quiet = _made.babble, _made.quiet
Save = Callable[..., Path]


def line(lecture: Lecture, scene: str, step: int) -> Line:
    return Line("One two three.", "en", lecture, scene, step)


@pytest.mark.parametrize(
    ("kind", "rate", "stereo"),
    [("wav", 48_000, False), ("wav", 44_100, True), ("flac", 96_000, False), ("mp3", 44_100, True)],
)
def test_every_kind_of_file_is_the_same_sound(save: Save, lecture: Lecture, kind: str, rate: int, stereo: bool) -> None:
    sound = np.concatenate([quiet(0.5, rate), babble(1.2, rate), quiet(0.4, rate)])
    path = save(f"9_First-1.{kind}", sound, rate, stereo=stereo)
    said = Recorded().say(line(lecture, "First", 1))
    assert said is not None and said.rate == RATE
    assert len(said.samples) / RATE == pytest.approx(2.1, abs=0.06)
    assert listening.bounds(said.samples, RATE) == pytest.approx((0.5, 1.7), abs=0.06)
    assert np.sqrt(np.mean(said.samples**2)) == pytest.approx(np.sqrt(np.mean(sound**2)), rel=0.1)
    assert path.is_file()


def test_a_wav_of_floats_and_of_24_bits_is_read(save: Save) -> None:
    for codec in ("pcm_f32le", "pcm_s24le"):
        assert len(read(save("9_First-1.wav", babble(1), codec=codec))) == RATE


@pytest.mark.parametrize(
    ("sound", "rate", "says"),
    [
        (np.zeros(RATE, np.float32), RATE, "9_First-1.wav is silent; is the microphone on"),
        (np.clip(babble(1, loud=4), -1, 1), RATE, "is clipped .* turn the microphone down"),
        (np.clip(babble(1, loud=4), -0.9999, 0.9999), RATE, "is clipped"),
        (babble(1, 8000), 8000, "8000 samples a second, as a telephone has; record at 44100 or 48000"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do(save: Save, sound: np.ndarray, rate: int, says: str) -> None:
    with pytest.raises(ExplainError, match=says):
        read(save("9_First-1.wav", sound, rate))


def test_loud_speech_that_is_not_clipped_is_taken(save: Save) -> None:
    sound = babble(2)
    assert len(read(save("9_First-1.wav", sound / np.abs(sound).max())))


def test_what_is_no_sound_is_said(lecture: Lecture) -> None:
    path = recorded.folder_of(lecture) / "9_First-1.wav"
    for content in (b"", b"not a sound" * 100):
        path.write_bytes(content)
        with pytest.raises(ExplainError, match=r"voice/9_First-1.wav cannot be read as sound .*export it as WAV"):
            read(path)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["9_First-3.wav"], "First has steps 1 to 2"),
        (["9_First-0.wav"], "First has steps 1 to 2"),
        (["9_Frist-1.wav"], "no scene Frist; did you mean First"),
        (["hello.wav"], "no step is called so; name it 9_SCENE-2.wav"),
        (["9_First-1.wav", "9_First-1.flac"], "9_First-1.flac and voice/9_First-1.wav are both the same step"),
        (["9_First-1.wav", "9_First-01.wav"], "are both the same step"),
    ],
)
def test_a_file_that_fits_no_step_is_an_error(lecture: Lecture, names: list[str], says: str) -> None:
    for name in names:
        (recorded.folder_of(lecture) / name).write_bytes(b"x")
    with pytest.raises(ExplainError, match=says):
        recordings(lecture)


def test_files_of_other_lectures_and_other_kinds_are_left_alone(lecture: Lecture) -> None:
    for name in ("8_Other-1.wav", "said.json", "9_First.txt", "9_First-1.WAV"):
        (recorded.folder_of(lecture) / name).write_bytes(b"x")
    assert list(recordings(lecture)) == [("First", 1)]


# ---------------------------------------------------------------------- a take of a whole scene
def take(pause: float, inside: float = 0.4) -> np.ndarray:
    one = np.concatenate([babble(1.0), quiet(inside), babble(0.8, seed=2)])
    return np.concatenate([quiet(0.5), one, quiet(pause), babble(1.5, seed=3), quiet(0.7)])


def test_a_take_is_cut_at_the_long_pause(save: Save, lecture: Lecture) -> None:
    save("9_First.flac", take(1.8))
    voice = Recorded()
    first, second = (voice.say(line(lecture, "First", step)) for step in (1, 2))
    assert first is not None and second is not None
    lengths = [np.diff(listening.bounds(said.samples, RATE))[0] for said in (first, second)]
    assert lengths == pytest.approx([2.2, 1.5], abs=0.03)
    save("9_First-2.wav", babble(0.7))
    again = Recorded().say(line(lecture, "First", 2))
    assert again is not None and len(again.samples) == round(0.7 * RATE), "a step of its own replaces the take's"
    assert set(recordings(lecture)) == {("First", 0), ("First", 2)}, "nothing of the second scene"


@pytest.mark.parametrize(("pause", "inside"), [(0.5, 0.2), (1.4, 1.3)])
def test_a_take_whose_pauses_are_not_clear_is_refused(save: Save, pause: float, inside: float) -> None:
    with pytest.raises(ExplainError, match="the scene has 2 steps; pause about two seconds between paragraphs"):
        cut(save("9_First.wav", take(pause, inside)), 2)


def test_a_take_is_cut_at_its_labels(save: Save) -> None:
    path = save("9_First.wav", take(0.5))
    labels = path.with_suffix(".txt")
    labels.write_text("0.5\t2.7\tone\n3,1 4.9 two\n")
    assert [len(said.samples) / RATE for said in cut(path, 2)] == pytest.approx([2.2, 1.8])
    for text, says in (
        ("0.5 2.7\n", "has 1 labels, the scene has 2 steps"),
        ("0.5 2.7\nhello\n", "9_First.txt:2: write start and end in seconds"),
        ("0.5 2.7\n2.5 4\n", "9_First.txt:2: 2.5 to 4 s is not after the line before"),
        ("0.5 2.7\n3 99\n", "within the take, which lasts 5.4 s"),
    ):
        labels.write_text(text)
        with pytest.raises(ExplainError, match=says):
            cut(path, 2)


# ---------------------------------------------------------------------- what lacks
def entries(lecture: Lecture) -> list[SceneEntry]:
    return [
        SceneEntry(lecture, section, SceneClass(9, section.name, lecture.path, 1, (), None))
        for section in lecture.sections
    ]


def test_missing_steps_fall_back_and_are_listed(
    save: Save, lecture: Lecture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(speaking, "_deputy", lambda: None)
    speaker = speaking.Speaker(Recorded())
    for entry in entries(lecture):
        speaker.says(entry)
    with pytest.raises(ExplainError, match=r"nothing of this film is recorded .*`explain record 9`"):
        speaker.must_have_spoken(lecture)
    save("9_First-2.wav", np.concatenate([quiet(0.5), babble(1.5), quiet(0.5)]))
    speaker = speaking.Speaker(Recorded())
    said = [said for entry in entries(lecture) for said in speaker.says(entry)]
    assert [one.voice for one in said] == ["", "recorded", ""]
    assert said[0].starts[-1] == pytest.approx(3 / 150 * 60), "what nobody says goes by its words"
    assert said[1].starts[-1] == pytest.approx(1.5, abs=0.03)
    (note,) = speaker.notes(lecture)
    assert note.startswith("not recorded, silent, timed by their words: 9_First-1.wav, 9_Second-1.wav")


def test_the_draft_voice_steps_in_where_it_is_installed(
    save: Save, lecture: Lecture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EXPLAIN_CACHE", str(tmp_path / "cache"))
    save("9_First.wav", take(1.8))
    speaker = speaking.Speaker(Recorded())
    if speaker.deputy is None:
        pytest.skip("espeak-ng is not installed")
    said = [said for entry in entries(lecture) for said in speaker.says(entry)]
    assert [one.voice for one in said] == ["recorded", "recorded", "espeak"]
    assert speaker.notes(lecture)[0].startswith("not recorded, spoken by espeak: 9_Second-1.wav")
