"""What can be heard in samples: where speech begins and ends, where it pauses, when its words begin."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.spoken import closing, syllables

Samples = NDArray[np.float32]

_WINDOW = 0.005
#: Speech is at most so many dB below its loudest moment, and stands out so many dB from the noise.
_RANGE, _LEAST_RANGE, _ABOVE_NOISE = 40.0, 22.0, 8.0
#: What begins or ends speech lasts: of so many windows, so many are loud. A click of the mouse is not speech.
_RUN, _LOUD = 8, 4
#: Silence that is a pause and not the closure of a consonant.
PAUSE = 0.16
#: A pause belongs to a comma or full stop that is expected no farther from it, in seconds.
_REACH = 1.2


def levels(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Loudness (RMS, in dB of full scale) of every 5 ms."""
    size = max(1, round(rate * _WINDOW))
    count = len(samples) // size
    windows = samples[: count * size].astype(np.float64).reshape(count, size)
    return 10 * np.log10((windows**2).mean(axis=1) + 1e-12)


def _loud(samples: Samples, rate: int) -> NDArray[np.bool_]:
    found = levels(samples, rate)
    if not found.size:
        return np.zeros(0, np.bool_)
    peak, noise = float(found.max()), float(np.percentile(found, 5))
    return found > min(max(peak - _RANGE, noise + _ABOVE_NOISE), peak - _LEAST_RANGE)


def bounds(samples: Samples, rate: int) -> tuple[float, float]:
    """The seconds at which speech begins and ends; the whole length where none stands out."""
    loud = _loud(samples, rate)
    runs = np.convolve(loud, np.ones(_RUN), "valid") >= _LOUD if loud.size >= _RUN else np.zeros(0, np.bool_)
    starts = np.flatnonzero(loud[: runs.size] & runs)
    ends = np.flatnonzero(loud[_RUN - 1 :] & runs)
    if not starts.size or not ends.size:
        return 0.0, len(samples) / rate
    return float(starts[0]) * _WINDOW, float(ends[-1] + _RUN) * _WINDOW


def pauses(samples: Samples, rate: int, least: float = PAUSE) -> list[tuple[float, float]]:
    """Stretches of silence inside speech, from second to second."""
    loud = _loud(samples, rate)
    found, at = [], 0
    for value, group in itertools.groupby(loud):
        length = len(list(group))
        if not value and 0 < at and at + length < len(loud) and length * _WINDOW >= least:
            found.append((at * _WINDOW, (at + length) * _WINDOW))
        at += length
    return found


# ---------------------------------------------------------------------- when words begin
def known_starts(
    tokens: Sequence[str],
    places: Sequence[int],
    words: Sequence[tuple[int, float]],
    first: float,
    end: float,
    lang: str,
) -> tuple[float, ...]:
    """Starts of tokens (at ``places`` of the text) and last the end, from the words that an engine reports.

    Between words that are known, time goes by syllables. Times count from ``first``, where speech begins.
    """
    edges = [*places, 1 << 30]
    known = {0: 0.0, len(places): end - first}
    for place, second in reversed(words):  # of several words of a token the first counts
        index = int(np.searchsorted(edges, place, side="right")) - 1
        if 0 < index < len(places):
            known[index] = min(max(0.0, second - first), end - first)
    weights = np.concatenate([[0.0], np.cumsum([_weight(token, lang) for token in tokens])])
    indices = sorted(known)
    seconds = np.maximum.accumulate([known[index] for index in indices])
    return tuple(np.interp(weights, weights[indices], seconds).round(4).tolist())


def _weight(token: str, lang: str) -> float:
    return syllables(token, lang) or 0.5


def estimated_starts(tokens: Sequence[str], samples: Samples, rate: int, lang: str) -> tuple[float, ...]:
    """Starts of tokens and last the end, by syllables; pauses that are heard are laid on commas and full stops.

    ``samples`` begin with the first word and end with the last.
    """
    weights = [_weight(token, lang) for token in tokens]
    heard = pauses(samples, rate)
    end = len(samples) / rate
    speaking = end - sum(stop - start for start, stop in heard)
    expected = np.concatenate([[0.0], np.cumsum(weights)]) / sum(weights) * speaking  # in seconds without pauses
    stops = [index + 1 for index, token in enumerate(tokens[:-1]) if closing(token)]
    anchors: list[tuple[int, float, float]] = [(0, 0.0, 0.0)]
    silent = 0.0
    for start, stop in heard:
        spoken_until, silent = start - silent, silent + stop - start
        near = [index for index in stops if index > anchors[-1][0]]
        best = min(near, key=lambda index: abs(expected[index] - spoken_until), default=None)
        if best is not None and abs(expected[best] - spoken_until) <= _REACH:
            anchors.append((best, start, stop))
    return _between([*anchors, (len(tokens), end, end)], np.concatenate([[0.0], np.cumsum(weights)]), tokens)


def _between(
    anchors: Sequence[tuple[int, float, float]], weights: NDArray[np.float64], tokens: Sequence[str]
) -> tuple[float, ...]:
    """Between two anchors (token, the seconds at which the pause before it begins and ends) time goes by syllables."""
    starts = np.zeros(len(tokens) + 1)
    for (one, _, begins), (other, ends, _) in itertools.pairwise(anchors):
        part = weights[one : other + 1]
        starts[one:other] = np.interp(part[:-1], [part[0], part[-1]], [begins, ends])
    starts[-1] = anchors[-1][1]
    return tuple(starts.round(4).tolist())
