"""Piper: the real program with a stand-in for a model (none ships, none is downloaded), and what can be missing.

The stand-in has a model's inputs and output and hums each phoneme for 50 ms; it shows that the program is driven as it
wants to be, not how a real voice sounds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from explainers.errors import ExplainError
from scenes import voices
from scenes.script import Lecture
from scenes.voices import Line, listening, piper

EACH = 1102  # samples a phoneme, 50 ms


def line(lecture: Lecture, text: str = "One two three. Four, and five.", language: str = "en") -> Line:
    return Line(text, language, lecture, "First", 1)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """An ONNX file that piper loads: ids of phonemes in, a hum out."""
    import onnx
    from onnx import TensorProto, helper

    def constant(name: str, value: Any) -> Any:
        return helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(np.asarray(value), name))

    wave = np.sin(2 * np.pi * 220 * np.arange(EACH) / 22_050).astype(np.float32)
    nodes = [
        constant("wave", wave.reshape(1, 1, EACH)),
        constant("shape", np.array([1, 1, 1, -1], np.int64)),
        constant("column", np.array([1, -1, 1], np.int64)),
        helper.make_node("Cast", ["input"], ["ids"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["ids", "column"], ["rows"]),
        helper.make_node("Greater", ["rows", "three"], ["said"]),
        helper.make_node("Cast", ["said"], ["loud"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["loud", "wave"], ["sound"]),
        helper.make_node("Reshape", ["sound", "shape"], ["output"]),
    ]
    nodes.insert(0, constant("three", np.array(3, np.float32)))  # padding, beginning, end and the space are silent
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    out = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, None])]
    made = helper.make_model(helper.make_graph(nodes, "hum", inputs, out), opset_imports=[helper.make_opsetid("", 17)])
    made.ir_version = 9
    path = tmp_path / "hum.onnx"
    onnx.save(made, path)
    letters = "abcdefghijklmnopqrstuvwxyzɐɑɒɔəɚɛɜɪʊʌæðθŋɹɾʃʒɡːˈˌ"
    phonemes = {"_": [0], "^": [1], "$": [2], " ": [3], **{sign: [index] for index, sign in enumerate(letters, 5)}}
    phonemes |= {sign: [4] for sign in ".,"}
    settings = {
        "num_symbols": 128,
        "num_speakers": 1,
        "audio": {"sample_rate": 22_050},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "espeak",
        "phoneme_id_map": phonemes,
        "inference": {"noise_scale": 0.0, "length_scale": 1.0, "noise_w": 0.0},
    }
    path.with_name("hum.onnx.json").write_text(json.dumps(settings))
    return path


def test_the_real_program_speaks_with_a_model_of_the_user(model: Path, lecture: Lecture) -> None:
    pytest.importorskip("piper", reason="piper-tts is not installed; it is the user's choice")
    voice = voices.find("piper", model)
    assert "piper" in voice.identity and len(voice.identity) > 20
    text = "One two three. Four, and five."
    said = voice.say(line(lecture, text))
    assert said is not None and said.rate == 22_050
    known = dict(said.words)
    assert known[0] == 0
    four = known[text.index("Four")]
    assert 0.5 < four < len(said.samples) / said.rate - 0.5
    before = said.samples[round((four - 0.29) * said.rate) : round(four * said.rate)]
    assert np.abs(before).max() == 0, "sentences are apart"
    assert listening.bounds(said.samples, said.rate)[1] > four + 0.4
    with pytest.raises(ExplainError, match="speaks 'en', the script of 9/First step 1 is 'de'; choose a model"):
        voice.say(line(lecture, language="de"))


def test_a_file_that_is_no_model_is_said(tmp_path: Path, lecture: Lecture) -> None:
    pytest.importorskip("piper", reason="piper-tts is not installed; it is the user's choice")
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ExplainError, match=r"broken.onnx.json must lie beside"):
        voices.find("piper", path)
    path.with_name("broken.onnx.json").write_text("{}")
    with pytest.raises(ExplainError, match="Piper cannot load .*download that voice again"):
        voices.find("piper", path)


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExplainError, match="needs --voice-model FILE"):
        voices.find("piper")
    for name in ("v.onnx", "v.onnx.json"):
        (tmp_path / name).write_bytes(b"{}")
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(ExplainError, match=r"needs Piper; run `.* -m pip install piper-tts`"):
        voices.find("piper", tmp_path / "v.onnx")


def test_words_come_from_the_lengths_of_phonemes_where_they_fit() -> None:
    def chunk(*each: tuple[str, int]) -> Any:
        return SimpleNamespace(phoneme_alignments=[SimpleNamespace(phoneme=p, num_samples=n) for p, n in each])

    said = chunk(("^", 10), ("ˈ", 0), ("a", 40), (" ", 10), ("b", 20), ("c", 20), ("$", 5))
    assert piper._words("Ah, bic.", said, 100) == [(0, 0.1), (4, 0.6)]
    assert piper._words("Ah, of the.", said, 100) == [(0, 0.0)], "two words said as one: only the first is known"
    assert piper._words("Ah.", SimpleNamespace(phoneme_alignments=None), 100) == [(0, 0.0)]


def test_sentences_know_their_place() -> None:
    assert list(piper._sentences("Is it? “Yes.” It is 3.5 long")) == [
        (0, "Is it?"),
        (7, "“Yes.”"),
        (14, "It is 3.5 long"),
    ]
