"""Lecture 6: the token economy, from the bill of a training run to the price of an answer."""
