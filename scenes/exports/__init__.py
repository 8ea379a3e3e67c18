"""From films to what a lecturer takes along: decks, hand-outs, notes. Import `export` from here.

Everything is read from the manifests of films that were produced (`scenes.exports.talk`); nothing is drawn anew.
"""

from scenes.exports.writing import FORMATS, export

__all__ = ["FORMATS", "export"]
