"""The computation behind the course: torch and NumPy, no pictures.

Nothing in this package imports Manim or anything from ``scenes``.
"""
