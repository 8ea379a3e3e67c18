"""A site that is really built, and a browser to go through it.

Fast: a course of two small lectures. Slow (``explain test --slow``): the same tests on lectures 3 and 7.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scenes.player import build_site, films_in
from scenes.player.server import Server, serve
from scenes.production import Options, render
from tests.scenes.player.browsing import PATIENCE, Facts, Open


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


@pytest.fixture(scope="module")
def facts(site: Path) -> Facts:
    return Facts(site)


@pytest.fixture
def open_page(browser: Any, server: Server) -> Iterator[Open]:
    """``open_page("#3")``: a page in a fresh profile; errors and requests to elsewhere fail the test."""
    contexts, trouble = [], []

    def make(address: str = "", *, origin: str = "", quiet: bool = False, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on(
            "console", lambda message: trouble.append(message.text) if message.type == "error" and not quiet else None
        )
        own = origin or server.url
        page.on(
            "request",
            lambda request: None if request.url.startswith((own, "blob:", "data:")) else trouble.append(request.url),
        )
        page.goto(own + address)
        page.wait_for_selector("html[data-ready]")
        return page

    yield make
    for context in contexts:
        context.close()
    assert not trouble


@pytest.fixture(scope="module")
def open_lab(browser: Any, server: Server, site: Path) -> Iterator[Callable[..., Any]]:
    """``open_lab("routing")``: its page, from the server or as a file, ``without`` a file that is asked for in vain."""
    contexts = []

    def make(name: str, *, as_file: bool = False, without: str = "") -> Any:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        if without:
            page.route(without, lambda route: route.abort())
        page.goto(f"file://{site}/index.html#try/{name}" if as_file else f"{server.url}#try/{name}")
        page.wait_for_selector(f"[data-lab={name}]")
        return page

    yield make
    for context in contexts:
        context.close()
