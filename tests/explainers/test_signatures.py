"""What the source says of a run's parameters is what Python says."""

from __future__ import annotations

import inspect

import pytest

from explainers import runs, signatures


@pytest.mark.parametrize("name", sorted(runs.CATALOGUE))
def test_written_defaults_are_the_real_ones(name: str) -> None:
    run = runs.CATALOGUE[name]
    real = {key: parameter.default for key, parameter in inspect.signature(run.load()).parameters.items()}
    written = signatures.written_defaults(run.function, DEFAULT_TEXT=runs.DEFAULT_TEXT)
    assert written in (None, real)
    if not run.recorded:  # those of the others are never asked for
        assert written == real or name == "training_compute", "finding its memo would import torch"
