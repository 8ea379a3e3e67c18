"""Lecture 8: its chapter card and its end card."""

from __future__ import annotations

from scenes.cards import ChapterCard, EndCard


class OrderCard(ChapterCard):
    """Number, title, question, and the levers of this lecture."""

    lecture = 8
    levers = ("moe", "mla", "rl")


class OrderEnd(EndCard):
    """The answer in a phrase, the sources, what comes next."""

    lecture = 8
