"""Going through a built site in a real browser. The browser does things when it can: everything here waits for them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CURRENT = ".said[aria-current]"
VIDEO = "document.querySelector('video')"
PATIENCE = 20  # seconds: a loaded machine is slow, a wrong page is wrong for ever
Open = Callable[..., Any]


def expect(actual: Any) -> Any:
    """Playwright's assertions that wait, with our patience."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; `explain test` does it")
    sync_api.expect.set_options(timeout=PATIENCE * 1000)
    return sync_api.expect(actual)


def load(path: Path) -> Any:
    """The value in a data script."""
    return json.loads(path.read_text("utf-8").partition(",")[2].removesuffix(");\n"))


class Facts:
    """What the site's data say about a lecture, to compare the page with."""

    def __init__(self, site: Path, which: int = 0) -> None:
        self.course = load(site / "data" / "course.js")
        self.lecture = self.course["lectures"][which]
        self.steps = [
            {**step, "slug": scene["slug"], "number": number, "heading": scene["title"], "scene": index}
            for index, scene in enumerate(self.lecture["scenes"])
            for number, step in enumerate(scene["steps"], start=1)
        ]
        self.numbers = load(site / "data" / f"{self.lecture['name']}.js")

    def address(self, index: int) -> str:
        step = self.steps[index]
        return f"#{self.lecture['id']}/{step['slug']}/{step['number']}"

    def where(self, wanted: Callable[[dict[str, Any]], object]) -> int:
        """The first step whose numbers are like this."""
        return next(index for index, step in enumerate(self.numbers["steps"]) if wanted(step))

    def rows(self, index: int) -> list[int]:
        """The quantities that the page lists for a step: shown ones, then said ones, each once."""
        step = self.numbers["steps"][index]
        return list(dict.fromkeys(one["q"] for one in [*step["shown"], *step["said"]]))


def eventually(page: Any, found: Callable[[], Any], what: str) -> Any:
    """What ``found`` gives as soon as it gives something true."""
    end = time.monotonic() + PATIENCE
    while not (result := found()):
        assert time.monotonic() < end, f"not within {PATIENCE} s: {what}"
        page.wait_for_timeout(30)
    return result


def until(page: Any, condition: str) -> None:
    """Wait for a condition in the page. (Playwright's own waiting evaluates in the page, which the policy forbids.)"""
    eventually(page, lambda: page.evaluate(condition), condition)


def paused_at_end(page: Any, step: dict[str, Any]) -> None:
    """Wait until the film stands at the end of a step, where walking stops."""
    until(page, f"{VIDEO}.paused && Math.abs({VIDEO}.currentTime - {step['stop']}) < 0.06")


def near_end(page: Any, step: dict[str, Any]) -> None:
    """Let a playing film go on from just before the end of a step; one that came there by itself is left alone."""
    until(page, f"{VIDEO}.readyState >= 2 && !{VIDEO}.seeking")
    page.evaluate(
        "([at]) => { const film = document.querySelector('video');"
        " if (!film.paused && film.currentTime < at) film.currentTime = at }",
        [step["stop"] - 0.35],
    )


def watch_seeks(page: Any) -> None:
    """Note every time from now on at which the film has arrived by a jump, for `jumped_to`."""
    page.evaluate(
        "() => { window.jumps = []; const film = document.querySelector('video');"
        " film.addEventListener('seeked', () => jumps.push(film.currentTime)) }"
    )


def jumped_to(page: Any, at: float, within: float = 0.3) -> None:
    """Wait until the film has jumped to a time (and may have played on since)."""
    until(page, f"window.jumps.some((at) => Math.abs(at - {at}) < {within})")


def at(page: Any, facts: Facts, index: int) -> None:
    """Wait until the page is at a step: address and transcript say so."""
    expect(page).to_have_url(re.compile(re.escape(facts.address(index)) + "$"))
    expect(page.locator(CURRENT)).to_have_attribute("data-step", str(index))
