"""What is heard: where speech begins and ends, and when its words begin."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from explainers.errors import ExplainError
from scenes import narration, script, spoken, voices
from scenes.voices import RATE, Line, espeak, listening, wording

_spec = importlib.util.spec_from_file_location("voice_recordings", Path(__file__).with_name("conftest.py"))
assert _spec and _spec.loader
_made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_made)
babble, quiet = _made.babble, _made.quiet


@pytest.mark.parametrize("noise", [0.0, 0.0005, 0.004])
def test_speech_is_found_in_a_room(noise: float) -> None:
    sound = np.concatenate([quiet(0.7, noise=noise), babble(1.5), quiet(1.1, noise=noise)])
    assert listening.bounds(sound, RATE) == pytest.approx((0.7, 2.2), abs=0.02)


def test_a_click_of_the_mouse_is_not_speech() -> None:
    sound = np.concatenate([quiet(1), babble(1), quiet(1)])
    sound[RATE // 4 : RATE // 4 + 200] = 0.5
    sound[-RATE // 4 : -RATE // 4 + 200] = 0.5
    assert listening.bounds(sound, RATE) == pytest.approx((1, 2), abs=0.02)


def test_sound_that_never_pauses_is_kept_whole() -> None:
    assert listening.bounds(np.full(RATE, 0.1, np.float32), RATE) == (0, 1)
    assert listening.bounds(np.zeros(0, np.float32), RATE) == (0, 0)


def test_words_that_an_engine_reports_are_tokens_starts() -> None:
    tokens = ("One", "–", "V-three,", "four")
    text, places = wording.written(tokens, "en")
    words = [(text.index(word), second) for word, second in (("One", 0.5), ("V", 1.0), ("three", 1.4), ("four", 2.0))]
    starts = listening.known_starts(tokens, places, words, 0.5, 2.5, "en")
    assert (starts[0], starts[2], starts[3], starts[4]) == (0, 0.5, 1.5, 2)
    assert 0 < starts[1] < 0.5, "a dash has no word: it stands between its neighbours"


def test_pauses_are_laid_on_full_stops() -> None:
    tokens = "One two three. Four five.".split()
    sound = np.concatenate([babble(1.0), quiet(1.5), babble(2.0)])
    starts = listening.estimated_starts(tokens, sound, RATE, "en")
    assert starts[3] == pytest.approx(2.5, abs=0.03), "four comes after the pause, wherever syllables would put it"
    assert starts[2] < 1
    assert starts[-1] == 4.5
    assert list(starts) == sorted(starts)


def test_full_stops_of_other_scripts_are_heard() -> None:
    tokens = spoken.tokens("缓存变小了。读得更快，")
    sound = np.concatenate([babble(1.0), quiet(1.5), babble(2.0)])
    starts = listening.estimated_starts(tokens, sound, RATE, "zh")
    assert starts[5] == pytest.approx(2.5, abs=0.03), "the second sentence comes after the pause"
    assert np.diff(starts[5:]) == pytest.approx(0.5, abs=0.02), "every character is one syllable"


def test_words_weigh_as_their_language_says_them() -> None:
    tokens = ["21", "Schlüssel"]
    german, english = (listening.known_starts(tokens, [0, 3], [(0, 0.0)], 0.0, 3.0, lang) for lang in ("de", "en"))
    assert german[1] > english[1], "einundzwanzig is four syllables, twenty-one is three"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("70,272", "seventy thousand two hundred seventy-two"),
        ("3.07", "three point zero seven"),
        ("kB.", "kilobytes."),
        ("GB", "gigabytes"),
        ("88%,", "eighty-eight percent,"),
        ("V3.2", "V three point two"),
        ("R1's", "R one's"),
        ("10⁻¹⁶", "ten to the minus sixteen"),
        ("TFLOP/s", "teraflops per second"),
        ("key–value", "key value"),
        ("“MLA”", "“MLA”"),
        ("Boat", "Boat"),
    ],
)
def test_figures_are_written_out_for_a_voice(written: str, said: str) -> None:
    assert wording.spoken(written, "en") == said


def test_other_languages_are_left_to_the_engine() -> None:
    assert wording.spoken("70.272", "de") == "70.272"


# ---------------------------------------------------------------------- espeak-ng, where it is installed
@pytest.fixture(scope="module")
def draft() -> voices.Voice:
    try:
        return voices.find("espeak")
    except ExplainError:
        pytest.skip("espeak-ng is not installed")


def lines(lang: str = "en") -> list[tuple[narration.Step, Line, tuple[int, ...]]]:
    """Every step of lecture 3."""
    lecture = script.lecture(3, lang)
    found = []
    for section in lecture.sections:
        for step in section.steps:
            text, places = wording.written(step.tokens, lang)
            found.append((step, Line(text, lang, lecture, section.name, step.index), places))
    return found


def test_espeak_tells_when_each_word_of_a_lecture_begins(draft: voices.Voice) -> None:
    errors, paces = [], []
    for step, line, places in lines():
        said = draft.say(line)
        assert said is not None
        first, end = listening.bounds(said.samples, said.rate)
        known = listening.known_starts(step.tokens, places, said.words, first, end, "en")
        assert len(known) == len(step.tokens) + 1
        assert min(np.diff(known)) >= 0
        paces.append(step.words / known[-1] * 60)
        cut = said.samples[round(first * said.rate) : round(end * said.rate)]
        guessed = listening.estimated_starts(step.tokens, cut, said.rate, "en")
        errors += np.abs(np.subtract(guessed, known)).tolist()
        words_heard = {text for text, _ in said.words}
        assert len(words_heard) >= len(step.tokens) - 1
    assert 140 < np.median(paces) < 165, "the pace for which the animations were made"
    assert np.mean(errors) < 0.15, "where words are not known, they are guessed about as well as one reacts"
    assert np.percentile(errors, 95) < 0.45


def test_espeak_says_a_lecture_in_german_as_fast_as_was_planned(draft: voices.Voice) -> None:
    spoken = [(step.words, draft.say(line)) for step, line, _ in lines("de")]
    ends = [np.subtract(*reversed(listening.bounds(said.samples, said.rate))) for _, said in spoken if said]
    assert len(ends) == len(spoken)
    assert sum(words for words, _ in spoken) / sum(ends) * 60 == pytest.approx(150, abs=5)


def test_languages_that_espeak_does_not_speak_are_said(draft: voices.Voice) -> None:
    line = lines()[0][1]
    with pytest.raises(ExplainError, match=r"no voice for the language 'qq'; `espeak-ng --voices` lists them"):
        draft.say(Line("Hallo", "qq", line.lecture, line.scene, 1))
    said = draft.say(Line("Guten Morgen", "de", line.lecture, line.scene, 1))
    assert said is not None and len(said.words) == 2


def test_without_espeak_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(espeak, "_HOMEBREW", ())
    espeak._library.cache_clear()
    with pytest.raises(ExplainError, match=r"not installed; run `(sudo apt-get|brew) install espeak-ng`"):
        voices.find("espeak")
    espeak._library.cache_clear()


def test_a_voice_without_a_model_refuses_one(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"x")
    for name in ("espeak", "recorded"):
        with pytest.raises(ExplainError, match="leave --voice-model out"):
            voices.find(name, tmp_path / "x.onnx")
    with pytest.raises(ExplainError, match="there is no such file"):
        voices.find("piper", tmp_path / "y.onnx")
