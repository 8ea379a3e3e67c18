"""What went wrong, in words that say what to do."""

from __future__ import annotations

import errno
from pathlib import Path
from xml.etree.ElementTree import ParseError

from explainers.errors import ExplainError

_CURES = {
    errno.ENOSPC: "the disk is full; free some space, then render again: only what is missing is done",
    errno.EDQUOT: "the disk quota is used up; free some space, then render again: only what is missing is done",
    errno.EROFS: "the place is read-only; choose another with --out (films) or $EXPLAIN_CACHE (the cache)",
    errno.EACCES: "writing is not permitted; choose another place with --out (films) or $EXPLAIN_CACHE (the cache)",
}

_ROOM = 1 << 20  # bytes: more than any text or formula as outlines


def cause(error: BaseException, place: Path | None = None) -> str:
    """One line about an error; ``place`` is the folder in which the work was done that failed."""
    if place is not None and isinstance(error, ParseError):
        error = _no_room(place) or error
    if isinstance(error, ExplainError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory; try --jobs 1"
    number = getattr(error, "errno", None)
    if isinstance(error, OSError) and number in _CURES:
        file = f" ({error.filename})" if error.filename else ""
        return f"{_CURES[number]}{file}"
    return f"{type(error).__name__}: {error}"


def _no_room(place: Path) -> OSError | None:
    """Whether nothing can be written there. Cairo does not say so; what it wrote half is then found to be no SVG."""
    probe = place / "room"
    try:
        probe.write_bytes(bytes(_ROOM))
    except OSError as error:
        return error
    finally:
        probe.unlink(missing_ok=True)
    return None
