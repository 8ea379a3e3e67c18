"""Lecture 7: its chapter card and its end card."""

from __future__ import annotations

from scenes.cards import ChapterCard, EndCard


class ReasonCard(ChapterCard):
    """Number, title, question, and the levers of this lecture."""

    lecture = 7
    levers = ("rl",)


class ReasonEnd(EndCard):
    """The answer in a phrase, the sources, what comes next."""

    lecture = 7
