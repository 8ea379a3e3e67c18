"""Lecture 5: the scoreboard."""
