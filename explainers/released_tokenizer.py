"""The tokenizer of a released model, from the ``tokenizer.json`` in its folder.

The format is that of the ``tokenizers`` library (Rust, no Python code in the file), which is an optional extra; a model
saved by this project has the project's own format instead, which needs nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from explainers.errors import ExplainError
from explainers.tokenizer import FORMAT, VISIBLE, Tokenizer


class HubTokenizer:
    """Text to ids and back with the ``tokenizers`` library, and tokens for the eye as `Tokenizer.display` has them."""

    def __init__(self, path: Path) -> None:
        try:
            from tokenizers import Tokenizer as Library
        except ImportError as error:
            raise ExplainError(
                f"reading {path} needs the package tokenizers; install it with `pip install tokenizers`"
            ) from error
        try:
            self._library: Any = Library.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise ExplainError(f"{path} is no tokenizer that can be read ({error}); download it again") from error
        self._bytes = {letter: byte for byte, letter in byte_letters().items()}

    @property
    def size(self) -> int:
        """Tokens in the vocabulary."""
        return int(self._library.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without marks of beginning and end."""
        return list(self._library.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """The text of token ids."""
        return str(self._library.decode(list(ids), skip_special_tokens=False))

    def display(self, token: int) -> str:
        """One token for the eye: blanks as ``·``, part of a character as ``‹e2›``."""
        piece = self._library.id_to_token(token)
        if piece is None:  # tables of released models are padded beyond their vocabulary
            return f"‹{token}›"
        if any(letter not in self._bytes for letter in piece):  # a special token, or no byte-level vocabulary
            return "".join(VISIBLE.get(letter, letter) for letter in piece.replace("▁", " "))
        raw = bytes(self._bytes[letter] for letter in piece)
        try:
            return "".join(VISIBLE.get(letter, letter) for letter in raw.decode("utf-8"))
        except UnicodeDecodeError:
            return "".join(f"‹{byte:02x}›" for byte in raw)


ReleasedTokenizer = HubTokenizer | Tokenizer


def byte_letters() -> dict[int, str]:
    """The letter that stands for each byte in a byte-level vocabulary (Radford and others 2019, GPT-2's encoder)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    letters = {byte: chr(byte) for byte in plain}
    others = (byte for byte in range(256) if byte not in letters)
    return letters | {byte: chr(256 + number) for number, byte in enumerate(others)}


def load_tokenizer(folder: Path) -> ReleasedTokenizer:
    """The tokenizer of a model's folder, in either format."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ExplainError(f"{folder} has no tokenizer.json; copy the one that belongs to the model into it")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ExplainError(f"{path} is no JSON ({error}); download it again") from error
    if isinstance(about, dict) and about.get("format") == FORMAT:
        return Tokenizer.load(path)
    return HubTokenizer(path)
