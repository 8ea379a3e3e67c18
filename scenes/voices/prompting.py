"""A teleprompter in the terminal: read a step, take it, listen, take it again, keep it.

The microphone is `sounddevice`'s where that package and a device are there; anything with the same three methods does.
"""

from __future__ import annotations

import io
import json
import textwrap
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from explainers.errors import ExplainError
from explainers.traces import write_aside
from scenes import clock, script
from scenes.registry import Course, select
from scenes.voices import listening
from scenes.voices.listening import Samples
from scenes.voices.recorded import SAID, file_name, folder_of, must_be_usable, recordings, words_read
from scenes.voices.voice import RATE

_WIDTH = 64


class Microphone(Protocol):
    """Records one channel at `RATE`, and plays."""

    def start(self) -> None: ...
    def stop(self) -> Samples:
        """Everything since `start`."""

    def play(self, samples: Samples) -> None: ...


@dataclass(frozen=True)
class Prompt:
    """One step to read: ``file`` is where it goes, ``taken`` what is there already (a step or a take of its scene)."""

    file: Path
    where: str
    text: str
    words: int
    taken: Path | None

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return self.words * 60 / clock.WORDS_PER_MINUTE


def prompts(targets: Sequence[str], course: Course) -> list[Prompt]:
    """Every step of lectures and scenes, in order."""
    found = []
    for film in select(targets, course):
        for entry in film.entries:
            home = script.load(entry.script)
            there = recordings(home)
            for step in entry.section.steps:
                name = file_name(home, entry.name, step.index)
                where = f"{entry.key} step {step.index} of {len(entry.section.steps)}"
                taken = there.get((entry.name, step.index)) or there.get((entry.name, 0))
                found.append(Prompt(folder_of(home) / name, where, step.narration, step.words, taken))
    return found


def wanted(found: Sequence[Prompt]) -> Iterator[str]:
    """The list of files to record with their texts, for whoever records elsewhere."""
    missing = [prompt for prompt in found if prompt.taken is None]
    if not missing:
        yield f"all {len(found)} steps are recorded"
        return
    seconds = sum(prompt.seconds for prompt in missing)
    length = f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{seconds:.0f} seconds"
    yield f"{len(missing)} of {len(found)} steps are to be recorded, about {length}, into"
    yield f"{missing[0].file.parent}/"
    yield "WAV, FLAC or MP3; 44100 or 48000 samples a second; a second of silence before and after"
    for prompt in missing:
        yield f"\n{prompt.file.name}   ({prompt.where}, about {prompt.seconds:.0f} s)"
        yield textwrap.fill(prompt.text, 88, initial_indent="    ", subsequent_indent="    ")
    example = missing[0].file.stem.partition("-")[0]
    yield f"\nOr one take of a whole scene, as {example}.wav, with two seconds of silence between its paragraphs."


# ---------------------------------------------------------------------- the prompter
def record(
    found: Sequence[Prompt], microphone: Microphone, ask: Callable[[str], str], say: Callable[[str], None]
) -> list[Path]:
    """Go through the steps; ``ask`` shows a line and returns the answer. Returns the files that were written."""
    kept: list[Path] = []
    index = 0
    while 0 <= index < len(found):
        prompt = found[index]
        say(_page(prompt, index + 1, len(found)))
        answer = ask("Enter: record   n: next   b: back   q: quit  ").strip().lower()
        if answer == "q":
            break
        if answer in ("n", "b"):
            index = index + 1 if answer == "n" else max(0, index - 1)
        elif answer == "":
            taken = _take(prompt, microphone, ask, say)
            if taken is not None:
                kept.append(_keep(prompt, taken))
                say(f"kept as {prompt.file.name}")
                index += 1
        else:
            say(f"{answer!r} is none of them")
    return list(dict.fromkeys(kept))


def _page(prompt: Prompt, number: int, count: int) -> str:
    there = f"   (there is {prompt.taken.name})" if prompt.taken else ""
    lines = textwrap.wrap(prompt.text, _WIDTH)
    body = "\n\n".join(f"    {line}" for line in lines)
    return (
        f"\n{'─' * (_WIDTH + 8)}\n{prompt.where}   {number}/{count}   about {prompt.seconds:.0f} s{there}\n\n{body}\n"
    )


def _take(
    prompt: Prompt, microphone: Microphone, ask: Callable[[str], str], say: Callable[[str], None]
) -> Samples | None:
    """Takes until one is kept; None where the reader gives up on this step for now."""
    while True:
        microphone.start()
        try:
            ask("● recording; wait a moment, read, wait a moment. Enter: stop  ")
        finally:
            samples = microphone.stop()
        verdict = _verdict(prompt, samples)
        say(verdict.text)
        choices = "Enter: keep   p: play   r: again   d: drop  " if verdict.good else "r: again   p: play   d: drop  "
        while (answer := ask(choices).strip().lower()) not in ("r", "d", "") or (answer == "" and not verdict.good):
            if answer == "p":
                microphone.play(samples)
        if answer == "":
            return samples
        if answer == "d":
            return None


@dataclass(frozen=True)
class _Verdict:
    good: bool
    text: str


def _verdict(prompt: Prompt, samples: Samples) -> _Verdict:
    """What can be heard in a take: its length, pace and level, or why it is of no use."""
    try:
        must_be_usable(samples[None], RATE, "this take")
    except ExplainError as error:
        return _Verdict(False, str(error))
    first, end = listening.bounds(samples, RATE)
    peak = 20 * np.log10(float(np.abs(samples).max()))
    pace = prompt.words / max(end - first, 0.1) * 60
    said = f"{end - first:.1f} s, {pace:.0f} words a minute, peak {peak:.0f} dB"
    if pace > 2 * clock.WORDS_PER_MINUTE:
        return _Verdict(True, f"{said}: very short for these words; is it whole?")
    quiet = ": quiet, come closer or turn the microphone up" if peak < -24 else ""
    return _Verdict(True, said + quiet)


def _keep(prompt: Prompt, samples: Samples) -> Path:
    """Write the take as 16-bit WAV, and note what was read. Another kind of file of that step makes way."""
    folder = prompt.file.parent
    content = io.BytesIO()
    with wave.open(content, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    try:
        write_aside(prompt.file, content.getvalue())
    except OSError as error:
        raise ExplainError(
            f"{prompt.file} cannot be written ({error}); make room there, or the folder yours"
        ) from error
    if prompt.taken is not None and prompt.taken.stem == prompt.file.stem and prompt.taken != prompt.file:
        prompt.taken.unlink(missing_ok=True)
    words = {**words_read(folder), prompt.file.name: prompt.text}
    write_aside(folder / SAID, (json.dumps(words, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode())
    return prompt.file


# ---------------------------------------------------------------------- the microphone
class SoundDevice:
    """The system's microphone by `sounddevice` (PortAudio)."""

    def __init__(self, library: Any, device: int | str | None = None) -> None:
        self._library, self._device = library, device
        self._pieces: list[Samples] = []
        self._stream: Any = None

    def start(self) -> None:
        self._pieces = []
        self._stream = self._library.InputStream(
            samplerate=RATE, channels=1, dtype="float32", device=self._device, callback=self._hear
        )
        self._stream.start()

    def _hear(self, data: Any, _count: int, _time: Any, _status: Any) -> None:
        self._pieces.append(np.array(data[:, 0], np.float32))

    def stop(self) -> Samples:
        self._stream.stop()
        self._stream.close()
        return np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.float32)

    def play(self, samples: Samples) -> None:
        self._library.play(samples, RATE)
        self._library.wait()


def microphone(device: str | None = None) -> SoundDevice:
    """The microphone; an `ExplainError` says what lacks: the package, PortAudio, or a device."""
    import importlib
    import sys

    install = f"{sys.executable} -m pip install sounddevice"
    try:
        library: Any = importlib.import_module("sounddevice")
    except ImportError as error:
        raise ExplainError(f"there is no sounddevice; `{install}` brings it") from error
    except OSError as error:
        raise ExplainError("there is no PortAudio; run `sudo apt-get install libportaudio2`") from error
    chosen = int(device) if device and device.isdigit() else device
    try:
        library.check_input_settings(device=chosen, channels=1, samplerate=RATE)
    except (ValueError, library.PortAudioError) as error:
        reason = " ".join(str(error).split())
        raise ExplainError(
            f"there is no microphone that records {RATE} samples a second ({reason}); plug one in, or choose one with "
            "--device (`python -m sounddevice` lists them)"
        ) from error
    return SoundDevice(library, chosen)
