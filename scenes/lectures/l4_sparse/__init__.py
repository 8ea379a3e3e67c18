"""Lecture 4: sparse against dense, what efficiency buys and what it costs."""
