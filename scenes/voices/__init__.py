"""Voices: from a paragraph to sound, and to the moment at which each of its words begins.

Another engine is one class (`Voice`), offered as an entry point of the group ``explain.voices``.
"""

from scenes.voices.voice import RATE, Line, Utterance, Voice, find, installed

__all__ = ["RATE", "Line", "Utterance", "Voice", "find", "installed"]
