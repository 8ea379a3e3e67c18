"""A site that is really built, and a browser to go through it.

Fast: a course of two small lectures. Slow (``explain test --slow``): the same tests on lectures 3 and 7.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenes.player import build_site, films_in
from scenes.player.server import Server, serve
from scenes.production import Options, render


@pytest.fixture(scope="session")
def lecture_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lectures 3 and 7 of the course, from the cache where they are there; ``$EXPLAIN_TEST_FILMS`` has them ready."""
    if ready := os.environ.get("EXPLAIN_TEST_FILMS"):
        return Path(ready)
    out = tmp_path_factory.mktemp("films")
    render(["3", "7"], Options(quality="480p", fps=15, out=out, jobs=2))
    return out


@pytest.fixture(scope="session", params=["small", pytest.param("lectures", marks=pytest.mark.slow)])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a built site."""
    films = request.getfixturevalue("small_films" if request.param == "small" else "lecture_films")
    out = tmp_path_factory.mktemp("site") / "site"
    patch = pytest.MonkeyPatch()
    patch.setenv("EXPLAIN_CACHE", str(out.parent / "cache"))
    try:
        build_site(films_in(films), out)
    finally:
        patch.undo()
    return out


@pytest.fixture(scope="session")
def server(site: Path) -> Iterator[Server]:
    with serve(site) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
