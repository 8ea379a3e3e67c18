"""A byte-level BPE tokenizer, small enough to read: any text encodes, and decodes to itself exactly.

Token ids 0 to 255 are the bytes; each merge adds one; the last id is the end-of-text mark. Digits stand alone, so
that a number is read digit by digit (the choice of DeepSeek-V2/V3 and of many arithmetic studies).
Byte-pair encoding: Sennrich, Haddow, Birch 2016, "Neural Machine Translation of Rare Words with Subword Units".
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from explainers.errors import ExplainError
from explainers.traces import write_aside

FORMAT = "explainers-bpe-1"
#: One digit; a word with the space before it; punctuation likewise; white space, the last blank left to the word.
_WORDS = re.compile(r"\d| ?[^\W\d_]+| ?[^\w\s]+| ?_+|\s+(?!\S)|\s+")
#: How white space is shown on a token chip.
VISIBLE = {" ": "·", "\n": "↵", "\t": "⇥"}

Pair = tuple[int, int]


class Tokenizer:
    """Byte-pair encoding with a fixed list of merges.

    Parameters
    ----------
    merges
        Pairs of token ids in the order in which they were learnt; merge number *i* makes token 256 + *i*.
    """

    def __init__(self, merges: Sequence[Pair]) -> None:
        self.merges = [(int(a), int(b)) for a, b in merges]
        self._rank = {pair: number for number, pair in enumerate(self.merges)}
        self.pieces: list[bytes] = [bytes([byte]) for byte in range(256)]
        for a, b in self.merges:
            if max(a, b) >= len(self.pieces):
                raise ExplainError(f"merge ({a}, {b}) uses a token not made yet; the tokenizer file is damaged")
            self.pieces.append(self.pieces[a] + self.pieces[b])
        self.end = len(self.pieces)
        self.size = self.end + 1
        self._word = lru_cache(maxsize=50_000)(self._encode_word)

    # ------------------------------------------------------------------ text → ids → text
    def encode(self, text: str) -> list[int]:
        """Token ids of a text (without an end mark)."""
        return [token for word in _WORDS.findall(text) for token in self._word(word)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; the end mark is nothing, bytes that are no UTF-8 become U+FFFD."""
        return b"".join(self._piece(token) for token in ids).decode("utf-8", errors="replace")

    def tokens(self, text: str) -> list[str]:
        """What each token of a text looks like on a chip; see `display`."""
        return [self.display(token) for token in self.encode(text)]

    def display(self, token: int) -> str:
        """One token for the eye: blanks as ``·``, line breaks as ``↵``, part of a character as ``‹e2›``."""
        if token == self.end:
            return "‹end›"
        piece = self._piece(token)
        try:
            text = piece.decode("utf-8")
        except UnicodeDecodeError:
            return "".join(f"‹{byte:02x}›" for byte in piece)
        return "".join(VISIBLE.get(letter, letter) for letter in text)

    def _piece(self, token: int) -> bytes:
        if token == self.end:
            return b""
        if not 0 <= token < self.end:
            raise ExplainError(f"token {token} is not in the vocabulary; ids go from 0 to {self.end}")
        return self.pieces[token]

    def _encode_word(self, word: str) -> tuple[int, ...]:
        ids = list(word.encode("utf-8", errors="surrogatepass"))
        while len(ids) > 1:
            pair = min(zip(ids, ids[1:], strict=False), key=lambda p: self._rank.get(p, len(self.merges)))
            if pair not in self._rank:
                break
            ids = _merge(ids, pair, 256 + self._rank[pair])
        return tuple(ids)

    # ------------------------------------------------------------------ training and files
    @classmethod
    def train(cls, texts: Iterable[str], size: int = 1024) -> Tokenizer:
        """Learn merges: the most frequent pair first, ties by the smaller ids, until the vocabulary has ``size``."""
        if size < 257:
            raise ExplainError(f"a vocabulary of {size} is too small; bytes and the end mark need 257")
        counts = Counter(word for text in texts for word in _WORDS.findall(text))
        words = [list(word.encode()) for word in counts]
        weights = list(counts.values())
        pairs: Counter[Pair] = Counter()
        where: defaultdict[Pair, set[int]] = defaultdict(set)
        for index, ids in enumerate(words):
            for pair in zip(ids, ids[1:], strict=False):
                pairs[pair] += weights[index]
                where[pair].add(index)
        merges: list[Pair] = []
        while len(merges) < size - 257 and pairs:
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            if pairs[best] < 2:
                break
            for index in where.pop(best):
                old = words[index]
                words[index] = _merge(old, best, 256 + len(merges))
                _count(pairs, where, old, -weights[index], index)
                _count(pairs, where, words[index], +weights[index], index)
            del pairs[best]
            merges.append(best)
        return cls(merges)

    def save(self, path: Path | str) -> Path:
        """Write the merges as JSON."""
        path = Path(path)
        about = {"format": FORMAT, "size": self.size, "merges": [list(pair) for pair in self.merges]}
        write_aside(path, json.dumps(about, separators=(",", ":")).encode() + b"\n")
        return path

    @classmethod
    def load(cls, path: Path | str) -> Tokenizer:
        """Read the merges; a missing or foreign file is an `ExplainError`."""
        path = Path(path)
        try:
            about = json.loads(path.read_text())
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']!r}")
            return cls([(a, b) for a, b in about["merges"]])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ExplainError(f"cannot read the tokenizer {path} ({error}); make it with `explain train`") from error


def _merge(ids: Sequence[int], pair: Pair, token: int) -> list[int]:
    """Replace each occurrence of a pair, from the left, by one token."""
    merged: list[int] = []
    position = 0
    while position < len(ids):
        if position + 1 < len(ids) and (ids[position], ids[position + 1]) == pair:
            merged.append(token)
            position += 2
        else:
            merged.append(ids[position])
            position += 1
    return merged


def _count(pairs: Counter[Pair], where: dict[Pair, set[int]], ids: Sequence[int], weight: int, index: int) -> None:
    """Add (or take away) a word's pairs."""
    for pair in zip(ids, ids[1:], strict=False):
        pairs[pair] += weight
        if weight > 0:
            where[pair].add(index)
        elif pairs[pair] <= 0:
            del pairs[pair]
