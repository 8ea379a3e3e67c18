"""One module for each command of ``explain``; each imports what is heavy inside its functions."""
