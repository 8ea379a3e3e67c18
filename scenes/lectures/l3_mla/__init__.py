"""Lecture 3: multi-head latent attention, from the growing cache to a short note of each token."""
