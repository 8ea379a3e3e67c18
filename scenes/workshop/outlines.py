"""Manim's files of what it sets, for processes that draw at the same time and may be killed at any moment.

Manim takes a file that is there for a whole one; and to read it, it writes a second one beside it, under one name for
all, which it then removes. So no two processes may share its folder: each has one of its own. What Typst set (a third
of a second a formula; words leave no file) goes from one process to the next through a store that holds whole files
only.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from manim import config

from explainers.traces import write_aside
from scenes.production import cache


def take_own(folder: Path) -> None:
    """Give this process a folder of its own inside ``folder``, with what is in the store; a fork must ask again."""
    for left in folder.glob("media-*"):
        number = left.name.partition("-")[2]
        if number == str(os.getpid()) or not cache.alive(number):
            shutil.rmtree(left, ignore_errors=True)
    config.media_dir = str(folder / f"media-{os.getpid()}")
    tempfile.tempdir = config.media_dir  # lines of text are set in temporary folders: a killed process leaves none
    mine, store = config.get_dir("tex_dir"), _store(folder)
    mine.mkdir(parents=True)
    for file in store.glob("*.svg"):
        shutil.copyfile(file, mine / file.name)


def share(folder: Path) -> None:
    """Put what this process has set into the store. Nothing may be under way."""
    store = _store(folder)
    for file in config.get_dir("tex_dir").glob("*.svg"):
        if not (store / file.name).exists():
            write_aside(store / file.name, file.read_bytes())


def _store(folder: Path) -> Path:
    return folder / "set"
