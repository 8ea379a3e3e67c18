"""Lecture 2: its chapter card and its end card."""

from __future__ import annotations

from scenes.cards import ChapterCard, EndCard


class ExpertsCard(ChapterCard):
    """Number, title, question, and the levers of this lecture."""

    lecture = 2
    levers = ("moe",)


class ExpertsEnd(EndCard):
    """The answer in a phrase, the sources, what comes next."""

    lecture = 2
