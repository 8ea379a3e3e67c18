"""WCAG 2.2 AA as far as a machine can see it: axe-core finds nothing, on every view, in every look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenes.player.build import BUILT
from scenes.player.server import Server

AXE = BUILT.parent / "web" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "light phone": {"color_scheme": "light", "viewport": {"width": 375, "height": 700}},
    "contrast": {"color_scheme": "dark", "contrast": "more", "viewport": {"width": 1280, "height": 800}},
    "zoomed, forced colours": {"forced_colors": "active", "viewport": {"width": 640, "height": 400}},
}


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.is_file():
        pytest.skip("axe-core is not here: `npm ci` in scenes/player/web installs it")
    return AXE.read_text("utf-8")


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(browser: Any, server: Server, site: Path, axe: str, look: str) -> None:
    context = browser.new_context(**LOOKS[look], reduced_motion="reduce")  # stills: every view rests
    context.route("**/data/labs/ort.js", lambda route: route.abort())  # labs as they stand before the model is there
    page = context.new_page()
    found: list[str] = []
    passed = 0

    def check(view: str) -> None:
        nonlocal passed
        if not page.evaluate("Boolean(window.axe)"):
            page.evaluate(axe)
        result = page.evaluate("(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", TAGS)
        passed += len(result["passes"])
        found.extend(
            f"{view}: {v['id']}: {v['nodes'][0]['html'][:200]}: {v['nodes'][0]['failureSummary']}"
            for v in result["violations"]
        )

    try:
        page.goto(server.url)
        page.wait_for_selector("html[data-ready]")
        check("course")
        page.locator(".card h2 a").first.click()
        page.locator(".numbers").first.wait_for(state="attached")
        for tab in page.get_by_role("tab").all():
            tab.click()
            check(f"lecture, {tab.inner_text()}")
        page.get_by_role("tab", name="Numbers").click()
        while not page.get_by_role("button", name="Where does it come from").count():
            page.get_by_role("button", name="Next step").click()
        page.locator(".numbers .number").first.click()
        check("origin")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        check("help")
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        page.keyboard.type("the")
        check("search")
        page.keyboard.press("Escape")
        for lab in ("routing", "latent", "serving", "group"):
            page.goto(f"{server.url}#try/{lab}")
            page.wait_for_selector(f"[data-lab={lab}] h2, [data-lab={lab}] table")
            check(f"lab {lab}")
        page.goto(f"{server.url}notes/{next((site / 'notes').iterdir()).name}")
        check("notes")
    finally:
        context.close()
    assert passed > 100
    assert not found
