"""``explain record``: the prompter with a microphone that the test speaks into, and the list where there is none."""

from __future__ import annotations

import os
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from explainers.errors import ExplainError
from scenes.cli import main
from scenes.commands import record as command
from scenes.production import speaking
from scenes.registry import Course, SceneEntry
from scenes.script import Lecture
from scenes.voices import RATE, prompting
from scenes.voices.recorded import Recorded, read, recordings, words_read

CODE = """
from scenes.stage import LectureScene

class First(LectureScene):
    lecture = 9

class Second(LectureScene):
    lecture = 9
"""


def speech(seconds: float, loud: float = 0.3) -> np.ndarray:
    silence = np.zeros(RATE // 2, np.float32)
    said = loud * np.sin(np.arange(round(seconds * RATE)) * 0.03)
    return np.concatenate([silence, said, silence]).astype(np.float32)


class Throat:
    """A microphone that hears what the test has ready."""

    def __init__(self, *takes: np.ndarray) -> None:
        self.takes, self.played, self.running = list(takes), [], False

    def start(self) -> None:
        self.running = True

    def stop(self) -> np.ndarray:
        self.running = False
        return self.takes.pop(0)

    def play(self, samples: np.ndarray) -> None:
        self.played.append(samples)


@pytest.fixture
def course(lecture: Lecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "demo.py").write_text(CODE)
    monkeypatch.setenv("EXPLAIN_COURSE", f"{tmp_path}{os.pathsep}{tmp_path / 'scenes'}")
    return Course(tmp_path, tmp_path / "scenes")


def keys(*answers: str) -> Callable[[str], str]:
    waiting: Iterator[str] = iter(answers)
    return lambda shown: next(waiting)


def test_read_take_listen_retake_keep(course: Course, lecture: Lecture) -> None:
    found = prompting.prompts(["9"], course)
    assert [(prompt.file.name, prompt.taken) for prompt in found] == [
        ("9_First-1.wav", None),
        ("9_First-2.wav", None),
        ("9_Second-1.wav", None),
    ]
    one, two, three = speech(1.2), speech(1.3), speech(0.4)
    throat, said = Throat(one, two, three), []
    # step 1: record, stop, play, again, stop, keep; step 2: next; step 3: record, stop, keep
    written = prompting.record(found, throat, keys("", "", "p", "r", "", "", "n", "", "", ""), said.append)
    assert [path.name for path in written] == ["9_First-1.wav", "9_Second-1.wav"]
    assert len(throat.played) == 1 and throat.played[0] is one
    kept = read(lecture.path.parent / "voice" / "9_First-1.wav")
    assert np.abs(kept - two).max() < 1e-4, "the second take, as it was heard"
    with wave.open(str(written[0])) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
    assert set(recordings(lecture)) == {("First", 1), ("Second", 1)}
    text = "\n".join(said)
    assert "One two three." in text and "9/First step 1 of 2   1/3   about 1 s" in text
    assert "1.3 s, 138 words a minute, peak -10 dB" in text
    assert prompting.prompts(["Second"], course)[0].taken is not None, "a second call knows what is there"


def test_a_take_that_is_of_no_use_is_not_kept(course: Course, lecture: Lecture) -> None:
    found = prompting.prompts(["First"], course)[:1]
    silent, clipped = np.zeros(RATE, np.float32), np.clip(speech(1.2, 5.0), -1, 1)
    throat, said = Throat(silent, clipped, speech(1.2, 0.02)), []
    answers = keys("x", "", "", "", "r", "", "r", "", "")  # unknown; record, stop; Enter does not keep it; again …
    assert prompting.record(found, throat, answers, said.append)
    text = "\n".join(said)
    assert "'x' is none of them" in text
    assert "this take is silent; is the microphone on?" in text
    assert "this take is clipped" in text
    assert "quiet, come closer" in text
    assert prompting.record(found, Throat(speech(1)), keys("", "", "d", "q"), said.append) == []


def test_interrupted_while_recording_the_microphone_is_let_go(course: Course, lecture: Lecture) -> None:
    def stop(_shown: str) -> str:
        if throat.running:
            raise KeyboardInterrupt
        return ""

    throat = Throat(speech(1))
    with pytest.raises(KeyboardInterrupt):
        prompting.record(prompting.prompts(["9"], course), throat, stop, lambda line: None)
    assert not throat.running and not list((lecture.path.parent / "voice").iterdir())


def test_a_recording_of_other_words_is_named(course: Course, lecture: Lecture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "_deputy", lambda: None)
    found = prompting.prompts(["9"], course)
    prompting.record(found, Throat(*(speech(1),) * 3), keys(*[""] * 9), lambda line: None)
    assert words_read(lecture.path.parent / "voice")["9_First-2.wav"] == "Four, and five."
    lecture.path.write_text(lecture.path.read_text().replace("Four, and", "Four or"))
    os.utime(lecture.path, (1, 1))
    changed = Course(course.scripts, course.scenes)
    speaker = speaking.Speaker(Recorded())
    lecture = changed.lecture(9)
    entry: SceneEntry
    for entry in changed.entries(lecture):
        speaker.says(entry)
    (note,) = speaker.notes(lecture)
    assert note.startswith("the script has changed since these were recorded: 9_First-2.wav; `explain record --again`")


def test_another_kind_of_file_of_the_step_makes_way(
    course: Course, lecture: Lecture, save: Callable[..., Path]
) -> None:
    old = save("9_First-1.flac", speech(0.5))
    prompting.record(prompting.prompts(["First"], course)[:1], Throat(speech(1)), keys("", "", ""), lambda line: None)
    assert not old.exists() and list(recordings(lecture)) == [("First", 1)]


# ---------------------------------------------------------------------- the command
def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_without_a_microphone_the_files_are_listed_with_their_texts(
    course: Course, lecture: Lecture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    save: Callable[..., Path],
) -> None:  # fmt: skip
    monkeypatch.setattr(command, "_interactive", lambda: True)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    save("9_First-1.wav", speech(1))
    assert call("record", "9") == 0
    said = capsys.readouterr()
    assert "there is no sounddevice; `" in said.err
    assert "2 of 3 steps are to be recorded" in said.out
    assert "9_First-2.wav   (9/First step 2 of 2, about 1 s)\n    Four, and five.\n" in said.out
    assert "9_First-1.wav" not in said.out
    save("9_First.wav", speech(1))
    save("9_Second.wav", speech(1))
    assert call("record", "9", "--list") == 0
    assert "all 3 steps are recorded" in capsys.readouterr().out


def test_the_command_records_with_the_systems_microphone(
    course: Course, lecture: Lecture, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library is a stand-in with `sounddevice`'s interface: no machine that tests has a microphone."""
    library = SimpleNamespace(PortAudioError=RuntimeError, asked=[], played=[])

    class InputStream:
        def __init__(self, callback: Callable[..., None], **how: Any) -> None:
            self.callback = callback
            library.asked.append(how)

        def start(self) -> None:
            for part in np.array_split(speech(0.6), 7):
                self.callback(part[:, None], len(part), None, None)

        def stop(self) -> None: ...
        def close(self) -> None: ...

    library.InputStream = InputStream
    library.check_input_settings = lambda **how: None
    library.play = lambda samples, rate: library.played.append((len(samples), rate))
    library.wait = lambda: None
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    monkeypatch.setattr(command, "_interactive", lambda: True)
    monkeypatch.setattr("builtins.input", keys("", "", "p", "", "q"))
    assert call("record", "9/First", "--device", "3") == 0
    assert "1 recorded; `explain render 9/First --voice recorded` makes the film" in capsys.readouterr().out
    assert library.asked == [{"samplerate": RATE, "channels": 1, "dtype": "float32", "device": 3}]
    assert library.played == [(len(speech(0.6)), RATE)]
    assert len(read(lecture.path.parent / "voice" / "9_First-1.wav")) == len(speech(0.6))

    def refuse(**how: Any) -> None:
        raise ValueError("No input device matching 'usb'")

    library.check_input_settings = refuse
    with pytest.raises(ExplainError, match=r"no microphone .*No input device matching 'usb'.*--device"):
        prompting.microphone("usb")
