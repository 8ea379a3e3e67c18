"""The one kind of error that a user is meant to read."""

from __future__ import annotations


class ExplainError(Exception):
    """A mistake that the user can mend: one line that names the value and the fix.

    The command line prints the message without a traceback and exits with status 1.
    """


def one_of(what: str, value: object, known: list[str] | tuple[str, ...]) -> ExplainError:
    """An error for a name that is not in a list, with the closest names as the fix."""
    from difflib import get_close_matches

    close = get_close_matches(str(value), list(known), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(known)}"
    return ExplainError(f"unknown {what} {str(value)!r}; {hint}")
