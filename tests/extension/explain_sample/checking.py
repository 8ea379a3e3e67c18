"""A check from outside."""

from __future__ import annotations

from scenes.audit.findings import Notes
from scenes.audit.picture import Picture


def shouting(picture: Picture, notes: Notes) -> None:
    """Texts of more than four letters in capitals alone."""
    for part in picture.texts:
        if len(part.text) > 4 and part.text.isupper():
            notes.add("shouting", part.name, f"{len(part.text)} capitals", "write it in small letters", part.waivers)
