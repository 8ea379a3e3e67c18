"""Lecture 3: its chapter card and its end card."""

from __future__ import annotations

from scenes.cards import ChapterCard, EndCard


class MemoryCard(ChapterCard):
    """Number, title, question, and the levers of this lecture."""

    lecture = 3
    levers = ("mla",)


class MemoryEnd(EndCard):
    """The answer in a phrase, the sources, what comes next."""

    lecture = 3
