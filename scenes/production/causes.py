"""What went wrong, in words that say what to do."""

from __future__ import annotations

import errno

from explainers.errors import ExplainError

_CURES = {
    errno.ENOSPC: "the disk is full; free some space, then render again: only what is missing is done",
    errno.EDQUOT: "the disk quota is used up; free some space, then render again: only what is missing is done",
    errno.EROFS: "the place is read-only; choose another with --out (films) or $EXPLAIN_CACHE (the cache)",
    errno.EACCES: "writing is not permitted; choose another place with --out (films) or $EXPLAIN_CACHE (the cache)",
}


def cause(error: BaseException) -> str:
    """One line about an error."""
    if isinstance(error, ExplainError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory; try --jobs 1"
    number = getattr(error, "errno", None)
    if isinstance(error, OSError) and number in _CURES:
        place = f" ({error.filename})" if error.filename else ""
        return f"{_CURES[number]}{place}"
    return f"{type(error).__name__}: {error}"
