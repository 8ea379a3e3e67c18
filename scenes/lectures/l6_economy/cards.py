"""Lecture 6: its chapter card and its end card."""

from __future__ import annotations

from scenes.cards import ChapterCard, EndCard


class EconomyCard(ChapterCard):
    """Number, title, question, and the levers of this lecture."""

    lecture = 6
    levers = ("moe", "mla")


class EconomyEnd(EndCard):
    """The answer in a phrase, the sources, what comes next."""

    lecture = 6
