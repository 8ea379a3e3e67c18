"""The sound of a film: what is said laid where its steps begin, of even loudness, encoded as AAC.

Loudness is measured as ITU-R BS.1770 and EBU R 128 say, by libavfilter's ``ebur128``; peaks are held down by its
limiter at four times the rate, where peaks between samples are seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.filter import Graph

from scenes.production import memory
from scenes.voices import RATE
from scenes.voices.listening import Samples

#: Integrated loudness in LUFS, and the most true peak in dBTP. Encoding overshoots, so the limiter stays below.
LOUDNESS, PEAK = -16.0, -1.5
_LIMIT = -3.0
_CLOSE = 0.05
#: A step alone is brought to the loudness of the others by at most so many dB.
_MOST_GAIN = 20.0
#: FFmpeg's "fast" coder takes a third of the time of its other one, and was nearer to the sound on a lecture.
BITS = 128_000
_BLOCK = 1 << 16
_FRAME = 1024


@dataclass(frozen=True)
class Loudness:
    """``integrated`` in LUFS (−inf: silence), ``peak`` in dBTP."""

    integrated: float
    peak: float

    def to_json(self) -> dict[str, float]:
        return {"integrated_lufs": round(self.integrated, 2), "true_peak_dbtp": round(self.peak, 2)}


def mixed(clips: Sequence[tuple[float, Samples]], seconds: float) -> Samples:
    """Clips of equal loudness at their seconds in ``seconds`` of silence, the whole at `LOUDNESS`, below `PEAK`."""
    made_of = [Path(__file__).read_bytes(), np.array([seconds, *(start for start, _ in clips)]).tobytes()]

    def make() -> memory.Arrays:
        return {"samples": memory.packed(_mixed(clips, seconds))}

    kept = memory.remembered([*made_of, *(clip.tobytes() for _, clip in clips)], make)
    assert kept is not None
    return memory.unpacked(kept["samples"])


def _mixed(clips: Sequence[tuple[float, Samples]], seconds: float) -> Samples:
    film = np.zeros(round(seconds * RATE), np.float32)
    for start, clip in clips:
        first = round(start * RATE)
        part = _levelled(clip)[: len(film) - first]
        film[first : first + len(part)] += part
    return _mastered(film)


def _levelled(clip: Samples) -> Samples:
    """A clip at `LOUDNESS`. One too short for the measure (0.4 s) goes by its power."""
    if not clip.size:
        return clip
    now = measure(np.concatenate([clip, np.zeros(max(0, RATE // 2 - len(clip)), np.float32)]), False).integrated
    if not np.isfinite(now) or now < -69:
        now = float(10 * np.log10(np.mean(clip.astype(np.float64) ** 2) + 1e-12))
    gain = float(np.clip(LOUDNESS - now, -_MOST_GAIN, _MOST_GAIN))
    return np.asarray(clip * 10 ** (gain / 20), np.float32)


def _mastered(film: Samples) -> Samples:
    """Loud as wanted, peaks held down. The limiter takes away a little loudness, so it is set a few times."""
    gain, out = 0.0, film
    for _ in range(6):
        out = _limited(film, gain)
        off = LOUDNESS - measure(out, False).integrated
        if not np.isfinite(off) or abs(off) < _CLOSE:
            break
        gain += off
    return out


def _limited(film: Samples, gain: float) -> Samples:
    """``gain`` dB louder, with no true peak above the limit; as long as before, and nothing shifted."""
    filters = (
        ("volume", f"volume={gain}dB:precision=float"),
        ("aresample", f"{4 * RATE}"),
        ("alimiter", f"limit={10 ** (_LIMIT / 20)}:attack=5:release=80:level=disabled:latency=1"),
        ("aresample", f"{RATE}"),
        ("aformat", "sample_fmts=flt:channel_layouts=mono"),
    )
    pieces = [frame.to_ndarray()[0] for frame in _filtered(film, "mono", filters)]
    out = np.concatenate(pieces)[: len(film)]
    return np.concatenate([out, np.zeros(len(film) - len(out), np.float32)])


def measure(sound: Samples, peaks: bool = True) -> Loudness:
    """Loudness of one channel that plays on two, and its true peak unless that is not wanted."""
    last: dict[str, str] = {}
    for frame in _filtered(sound, "stereo", (("ebur128", f"metadata=1:peak={'true' if peaks else 'none'}"),)):
        last = frame.metadata or last
    return _loudness(last)


def measure_file(path: Path) -> Loudness | None:
    """Loudness and true peak of a film's sound as it is decoded; None for a silent film."""
    last: dict[str, str] = {}
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        graph = Graph()
        graph.link_nodes(
            graph.add_abuffer(template=stream), graph.add("ebur128", "metadata=1:peak=true"), graph.add("abuffersink")
        ).configure()
        for frame in container.decode(stream):
            graph.push(frame)
            for measured in _pulled(graph):
                last = measured.metadata or last
        graph.push(None)
        for measured in _pulled(graph):
            last = measured.metadata or last
    return _loudness(last)


def _loudness(said: dict[str, str]) -> Loudness:
    integrated = float(said.get("lavfi.r128.I", "-inf"))
    peak = float(said.get("lavfi.r128.true_peak", "0"))
    return Loudness(integrated, float(20 * np.log10(peak)) if peak > 0 else float("-inf"))


def _filtered(sound: Samples, layout: str, filters: Sequence[tuple[str, str]]) -> Iterator[Any]:
    """The frames that come out of a chain of libavfilter's filters."""
    graph = Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="flt", layout=layout, time_base=Fraction(1, RATE))
    chain = [graph.add(name, options) for name, options in filters]
    graph.link_nodes(source, *chain, graph.add("abuffersink")).configure()
    for frame in _frames(sound, layout, _BLOCK):
        graph.push(frame)
        yield from _pulled(graph)
    graph.push(None)
    yield from _pulled(graph)


def _pulled(graph: Any) -> Iterator[Any]:
    while True:
        try:
            yield graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _frames(sound: Samples, layout: str, size: int) -> Iterator[Any]:
    for start in range(0, len(sound), size):
        part = sound[start : start + size]
        data = np.repeat(part, 2) if layout == "stereo" else part
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data[None], np.float32), format="flt", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        yield frame


# ---------------------------------------------------------------------- into the film
def track(out: Any, language: str) -> Any:
    """An audio stream in an open container: AAC, two channels."""
    stream = out.add_stream("aac", rate=RATE, layout="stereo", options={"aac_coder": "fast"})
    stream.codec_context.bit_rate = BITS
    stream.metadata["language"] = language
    return stream


def packets(stream: Any, sound: Samples) -> Iterator[Any]:
    """The encoded sound, packet by packet."""
    to_planes = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    for frame in _frames(sound, "stereo", _FRAME):
        for planes in to_planes.resample(frame):
            yield from stream.encode(planes)
    yield from stream.encode(None)
