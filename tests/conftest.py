"""For every test: no deadline a sample (a busy machine is no mistake), and the same samples every time in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def no_choices_of_another_test() -> Iterator[None]:
    """A command that ran in this process chose a sentence or a seed for all runs; the next test starts without."""
    os.environ.pop("EXPLAIN_CONTEXT", None)
    yield
    os.environ.pop("EXPLAIN_CONTEXT", None)
