"""Lecture 2: mixture of experts, a file a subject."""
