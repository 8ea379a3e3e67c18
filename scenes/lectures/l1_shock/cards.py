"""Lecture 1: its chapter card and its end card."""

from __future__ import annotations

from scenes.cards import ChapterCard, EndCard


class ShockCard(ChapterCard):
    """Number, title, question, and the levers of this lecture."""

    lecture = 1
    levers = ("moe", "mla", "rl")


class ShockEnd(EndCard):
    """The answer in a phrase, the sources, what comes next."""

    lecture = 1
