"""Lecture 4: its chapter card and its end card."""

from __future__ import annotations

from scenes.cards import ChapterCard, EndCard


class SparseCard(ChapterCard):
    """Number, title, question, and the levers of this lecture."""

    lecture = 4
    levers = ("moe", "mla")


class SparseEnd(EndCard):
    """The answer in a phrase, the sources, what comes next."""

    lecture = 4
