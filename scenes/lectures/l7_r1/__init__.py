"""Lecture 7: R1, learning to think by checking."""
