"""Lecture 8: a multipolar order."""
