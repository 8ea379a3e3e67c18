"""What several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def _device(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    """A device that was asked for must be there, also where every run is read from its record."""
    if name in (None, "auto", "cpu"):
        return name
    from explainers.devices import resolve_device

    return resolve_device(name)


def context_options(function: Function) -> Function:
    """What the user may choose for every run: ``--text``, ``--seed``, ``--device``, ``--source``."""
    for option in (
        click.option("--source", help="Weights to read: small, a folder of ours, or checkpoint:PATH."),
        click.option("--device", callback=_device, help="cpu, cuda or auto (the default)."),
        click.option("--seed", type=int, help="Another seed for every run."),
        click.option("--text", help="Your own sentence for the model to read."),
    ):
        function = option(function)
    return function


def voice_options(function: Function) -> Function:
    """Who speaks: ``--voice``, ``--voice-model``."""
    for option in (
        click.option("--voice-model", type=click.Path(path_type=Path), help="The file that the voice reads (piper)."),
        click.option(
            "--voice",
            metavar="NAME",
            help="none (the default: captions only, timed by their words), espeak, recorded, piper, or one installed.",
        ),
    ):
        function = option(function)
    return function


def print_json(value: Any) -> None:
    """JSON on standard output, readable, with the field's own letters."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def as_minutes(seconds: float) -> str:
    """``75.2`` → ``"1:15"``; below a minute ``"8.2 s"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
