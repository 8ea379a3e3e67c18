"""Lecture 5: its chapter card and its end card."""

from __future__ import annotations

from scenes.cards import ChapterCard, EndCard


class ScoreCard(ChapterCard):
    """Number, title, question, and the levers of this lecture."""

    lecture = 5
    levers = ("moe", "mla", "rl")


class ScoreEnd(EndCard):
    """The answer in a phrase, the sources, what comes next."""

    lecture = 5
