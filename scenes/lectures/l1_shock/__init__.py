"""Lecture 1: the shock."""
