"""Every control of the page, in a real browser, on a site that was really built."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explainers import runs
from scenes.player.server import Server

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; `explain test` does it")
expect = sync_api.expect
CURRENT = ".said[aria-current]"
Open = Callable[..., Any]


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


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8").partition(",")[2].removesuffix(");\n"))


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
        page.set_default_timeout(10_000)
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


def until(page: Any, condition: str) -> None:
    """Wait for a condition in the page. (Playwright's own waiting evaluates in the page, which the policy forbids.)"""
    end = time.monotonic() + 10
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not within 10 s: {condition}"
        page.wait_for_timeout(30)


def time_of(page: Any) -> float:
    return float(page.evaluate("document.querySelector('video').currentTime"))


def near_end(page: Any, step: dict[str, Any]) -> None:
    """Let a playing film go on from just before the end of a step."""
    until(page, "document.querySelector('video').readyState >= 2 && !document.querySelector('video').seeking")
    page.evaluate(f"document.querySelector('video').currentTime = {step['stop'] - 0.35}")


def at(page: Any, facts: Facts, index: int) -> None:
    expect(page).to_have_url(re.compile(re.escape(facts.address(index)) + "$"))
    expect(page.locator(CURRENT)).to_have_attribute("data-step", str(index))


# ---------------------------------------------------------------------- the course
def test_course_lists_its_lectures_and_leads_to_them(open_page: Open, facts: Facts) -> None:
    page = open_page()
    expect(page.locator(".card")).to_have_count(len(facts.course["lectures"]))
    expect(page.locator(".card h2").first).to_contain_text(facts.lecture["title"])
    page.locator(".card h2 a").first.click()
    expect(page.locator("h1")).to_contain_text(facts.lecture["title"])
    at(page, facts, 0)
    page.go_back()
    expect(page.locator(".card").first).to_be_visible()


def test_markup_in_a_script_is_text(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    expect(page.locator(".said").first).to_contain_text(facts.steps[0]["text"])
    page.locator(".said").first.wait_for()
    assert page.evaluate("window.stolen === undefined")
    assert page.locator(".transcript script, .transcript img, h1 script").count() == 0


def test_picture_first_film_on_demand(open_page: Open, facts: Facts, browser: Any, server: Server) -> None:
    page = open_page()
    films = []
    page.on("request", lambda request: films.append(request.url) if request.url.endswith(".mp4") else None)
    page.goto(server.url + facts.address(1))
    poster = page.locator("video").get_attribute("poster")
    assert poster == f"films/{facts.lecture['name']}/step-2.webp"
    expect(page.locator(".spots")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert films == []


# ---------------------------------------------------------------------- steps
def test_walk_stops_at_the_end_of_a_step_and_goes_on(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.get_by_role("button", name="Play", exact=True).last.click()
    near_end(page, facts.steps[0])
    until(page, "document.querySelector('video').paused")
    assert time_of(page) == pytest.approx(facts.steps[0]["stop"], abs=0.06)
    at(page, facts, 0)
    page.keyboard.press("Space")  # goes on
    at(page, facts, 1)
    until(page, "!document.querySelector('video').paused")
    page.keyboard.press("Space")
    until(page, "document.querySelector('video').paused")
    assert time_of(page) < facts.steps[1]["stop"]


def test_watch_plays_on(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.get_by_label("Watch").check()
    page.keyboard.press("Space")
    near_end(page, facts.steps[0])
    at(page, facts, 1)
    until(page, "!document.querySelector('video').paused")


def test_next_previous_repeat_by_buttons(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(1))
    page.get_by_role("button", name="Next step").click()
    at(page, facts, 2)
    page.get_by_role("button", name="Previous step").click()
    at(page, facts, 1)
    near_end(page, facts.steps[1])
    until(page, "document.querySelector('video').paused")
    page.get_by_role("button", name="Repeat step").click()
    until(page, f"document.querySelector('video').currentTime < {facts.steps[1]['start'] + 2}")
    at(page, facts, 1)


def test_keyboard(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    for key, index in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("ArrowUp", 1), ("r", 1)):
        page.keyboard.press(key)
        at(page, facts, index)
    second = next(i for i, step in enumerate(facts.steps) if step["scene"] == 1)
    page.keyboard.press("2")
    at(page, facts, second)
    page.keyboard.press("0")
    at(page, facts, 0)
    page.keyboard.press("w")
    expect(page.locator("input[value=watch]")).to_be_checked()
    page.keyboard.press(">")
    expect(page.get_by_label("Speed")).to_have_value("1.25")
    page.keyboard.press("<")
    expect(page.get_by_label("Speed")).to_have_value("1")
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Captions")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("n")
    expect(page.get_by_role("tab", name="Numbers")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next step")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_keys_can_be_switched_off(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.keyboard.press("?")
    page.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(150)
    at(page, facts, 0)


def test_space_on_a_button_presses_the_button(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.get_by_role("button", name="Captions").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Captions")).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("document.querySelector('video').paused")


def test_speed(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.get_by_label("Speed").select_option("1.5")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Play", exact=True).last.click()
    until(page, "document.querySelector('video').playbackRate === 1.5 && !document.querySelector('video').paused")


def test_progress_bar(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    bar = page.get_by_role("slider")
    box = bar.bounding_box()
    last = facts.steps[-1]
    x = box["x"] + box["width"] * (last["start"] + 0.5 * (last["end"] - last["start"])) / facts.lecture["seconds"]
    page.mouse.move(x, box["y"] + box["height"] / 2)
    expect(page.locator(".tip")).to_contain_text(last["heading"])
    expect(page.locator(".tip")).to_contain_text(f"step {last['number']} of")
    page.mouse.down()
    page.mouse.up()
    at(page, facts, len(facts.steps) - 1)
    middle, near = (last["start"] + last["end"]) / 2, facts.lecture["seconds"] / 100
    until(page, f"Math.abs(document.querySelector('video').currentTime - {middle}) < {near}")
    bar.focus()
    page.keyboard.press("Home")
    at(page, facts, 0)
    page.keyboard.press("ArrowRight")
    at(page, facts, 1)
    expect(bar).to_have_attribute("aria-valuetext", re.compile(re.escape(facts.steps[1]["heading"])))
    assert page.locator(".block").count() == len(facts.lecture["scenes"])
    assert page.locator(".mark").count() == len(facts.steps) - len(facts.lecture["scenes"])


def test_address_of_a_step(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(2))
    at(page, facts, 2)
    page.evaluate(f"location.hash = {facts.address(3)!r}")
    at(page, facts, 3)
    page.evaluate("location.hash = '#no/such/step'")
    expect(page.locator(".card").first).to_be_visible()


def test_goes_on_where_one_left_off(open_page: Open, facts: Facts, server: Server) -> None:
    page = open_page(facts.address(2))
    at(page, facts, 2)
    page.goto("about:blank")
    page.goto(f"{server.url}#{facts.lecture['id']}")
    at(page, facts, 2)
    page.get_by_role("button", name="Start from the beginning").click()
    at(page, facts, 0)


# ---------------------------------------------------------------------- reading
def test_a_click_in_the_transcript_goes_there(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.locator(".said").nth(2).click()
    at(page, facts, 2)
    until(page, f"Math.abs(document.querySelector('video').currentTime - {facts.steps[2]['start']}) < 1.5")
    assert page.locator(".transcript").get_attribute("lang") == facts.lecture["lang"]


def test_scenes_with_thumbnails(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.get_by_role("tab", name="Scenes").click()
    expect(page.locator(".chapter")).to_have_count(len(facts.lecture["scenes"]))
    until(page, "[...document.querySelectorAll('.chapter img')].slice(0, 2).every((i) => i.naturalWidth === 320)")
    page.locator(".chapter").nth(1).get_by_role("link", name=re.compile("^Step 2 ")).click()
    index = next(i for i, step in enumerate(facts.steps) if step["scene"] == 1) + 1
    at(page, facts, index)
    expect(page.locator(".chapter").nth(1)).to_have_attribute("data-now", "")


def test_captions_are_a_text_track(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    until(page, "document.querySelector('video').textTracks[0]?.cues?.length > 0")
    tracks = page.evaluate(
        "[...document.querySelector('video').textTracks].map((t) => [t.kind, t.language, t.mode, t.cues.length])"
    )
    assert tracks == [["captions", facts.lecture["lang"], "showing", len(facts.numbers["captions"])]]
    seen = page.evaluate(
        "[...document.querySelector('video').textTracks[0].cues].map((c) => c.getCueAsHTML().textContent)"
    )
    assert seen == [text for _, _, text in facts.numbers["captions"]]
    page.get_by_role("button", name="Captions").click()
    assert page.evaluate("document.querySelector('video').textTracks[0].mode") == "hidden"


def test_search_finds_in_all_lectures(open_page: Open, facts: Facts, site: Path) -> None:
    page = open_page(facts.address(0))
    other = Facts(site, 1)
    wanted = other.steps[2]
    page.locator(".top-search").click()
    page.keyboard.type(wanted["text"][:30].upper())
    hits = page.locator(".results a").filter(has_text=f"{other.lecture['number']} · {wanted['heading']}")
    expect(hits.first).to_be_visible()
    expect(page.locator(".results mark").first).to_be_visible()
    hits.first.click()
    at(page, other, 2)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("zzqq")
    expect(page.get_by_role("status").first).to_contain_text("0 places")


def test_notes_have_every_step(open_page: Open, facts: Facts, server: Server) -> None:
    page = open_page(facts.address(0))
    page.get_by_role("link", name="Printable notes").click()
    page.wait_for_url("**/notes/**")
    expect(page.locator(".note")).to_have_count(len(facts.steps))
    for index, step in enumerate(facts.steps):
        expect(page.locator(".note p").nth(index)).to_contain_text(step["text"])
    page.emulate_media(media="print")
    expect(page.locator(".screen")).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Step 2 in the player").first.click()
    page.wait_for_selector("html[data-ready]")
    at(page, facts, 1)


# ---------------------------------------------------------------------- numbers
def test_numbers_are_listed_and_marked_when_the_picture_rests(open_page: Open, facts: Facts) -> None:
    index = facts.where(lambda step: step["shown"])
    page = open_page(facts.address(index))
    page.get_by_role("tab", name="Numbers").click()
    step = facts.numbers["steps"][index]
    listed = {one["q"]: one["text"] for one in [*step["said"], *step["shown"]]}
    expect(page.locator(".numbers .number")).to_have_count(len(listed))
    assert set(page.locator(".numbers .number b").all_text_contents()) <= {
        one["text"] for one in [*step["said"], *step["shown"]]
    }
    page.get_by_role("button", name="Go there").click()
    expect(page.locator(".spot")).to_have_count(len(step["shown"]))
    frame = page.locator(".frame").bounding_box()
    spots = [spot.bounding_box() for spot in page.locator(".spot").all()]
    for one in step["shown"]:
        left, top, right, bottom = one["box"]
        middle = (frame["x"] + frame["width"] * (left + right) / 2, frame["y"] + frame["height"] * (top + bottom) / 2)
        assert any(
            abs(s["x"] + s["width"] / 2 - middle[0]) < 2 and abs(s["y"] + s["height"] / 2 - middle[1]) < 2
            for s in spots
        )
    page.get_by_role("button", name="Repeat step").click()
    expect(page.locator(".spots")).to_be_hidden()


def test_the_marked_place_is_where_the_number_is(open_page: Open, facts: Facts) -> None:
    """Inside a mark there is ink, on the very picture that stands there."""
    index = facts.where(lambda step: step["shown"])
    page = open_page(facts.address(index))
    page.get_by_role("button", name="Play", exact=True).last.click()
    near_end(page, facts.steps[index])
    until(page, "document.querySelector('video').paused")
    expect(page.locator(".spot").first).to_be_visible()
    page.evaluate("document.querySelector('.spots').style.visibility = 'hidden'")
    until(page, "!document.querySelector('video').seeking")
    from PIL import Image

    shot = Image.open(io.BytesIO(page.locator(".frame").screenshot())).convert("L")
    for one in facts.numbers["steps"][index]["shown"]:
        left, top, right, bottom = one["box"]
        part = shot.crop(
            (int(left * shot.width), int(top * shot.height), int(right * shot.width), int(bottom * shot.height))
        )
        assert np.asarray(part).max() > 90, one["text"]


def chain_texts(entry: dict[str, Any], table: list[dict[str, Any]]) -> Iterator[str]:
    if cited := entry.get("cited"):
        yield from (cited["source"], cited["where"], cited["date"])
        return
    yield entry["computed"]["formula"]
    for index in entry["computed"]["inputs"]:
        yield table[index]["text"]
        yield from chain_texts(table[index], table)


def test_a_number_opens_its_whole_origin(open_page: Open, facts: Facts) -> None:
    table = facts.numbers["quantities"]

    def deep(step: dict[str, Any]) -> bool:
        return any(table[one["q"]].get("computed", {}).get("inputs") for one in step["shown"] + step["said"])

    try:
        index = facts.where(deep)
    except StopIteration:
        index = facts.where(lambda step: step["said"])
    page = open_page(facts.address(index))
    page.get_by_role("tab", name="Numbers").click()
    step = facts.numbers["steps"][index]
    rows = list(dict.fromkeys(one["q"] for one in [*step["shown"], *step["said"]]))
    for place, q in enumerate(rows):
        page.locator(".numbers .number").nth(place).click()
        box = page.get_by_role("dialog")
        for details in box.locator("details:not([open]) > summary").all():
            details.click()
        text = " ".join(box.inner_text().split())
        for part in chain_texts(table[q], table):
            assert " ".join(part.split()) in text
        page.keyboard.press("Escape")
        expect(page.locator(".numbers .number").nth(place)).to_be_focused()


def test_sources_are_linked(open_page: Open, facts: Facts) -> None:
    table = facts.numbers["quantities"]
    index = facts.where(
        lambda step: any(table[one["q"]].get("cited", {}).get("url") for one in step["said"] + step["shown"])
    )
    page = open_page(facts.address(index))
    page.get_by_role("tab", name="Numbers").click()
    step = facts.numbers["steps"][index]
    rows = list(dict.fromkeys(one["q"] for one in [*step["shown"], *step["said"]]))
    place = next(i for i, q in enumerate(rows) if table[q].get("cited", {}).get("url"))
    page.locator(".numbers .number").nth(place).click()
    link = page.get_by_role("dialog").get_by_role("link").first
    expect(link).to_have_attribute("href", table[rows[place]]["cited"]["url"])
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_the_tensor_of_a_run_and_its_files(open_page: Open, facts: Facts, tmp_path: Path) -> None:
    """What is downloaded is, byte for byte and cell for cell, the array that the run gives in Python."""
    table = facts.numbers["quantities"]

    def of_run(one: dict[str, Any]) -> bool:
        return "run" in table[one["q"]].get("computed", {})

    index = facts.where(lambda step: any(map(of_run, step["shown"] + step["said"])))
    page = open_page(facts.address(index))
    page.get_by_role("tab", name="Numbers").click()
    step = facts.numbers["steps"][index]
    rows = list(dict.fromkeys(one["q"] for one in [*step["shown"], *step["said"]]))
    place = next(i for i, q in enumerate(rows) if "run" in table[q].get("computed", {}))
    name, digest = table[rows[place]]["computed"]["run"]
    trace = runs.get(name)
    assert trace.digest == digest
    page.locator(".numbers .number").nth(place).click()
    page.get_by_role("button", name=f"Parameters and tensors of the run {name}").first.click()
    choose = page.get_by_label("Tensor")
    for position, array in enumerate(list(trace.arrays)[:3]):
        choose.select_option(str(position))
        with page.expect_download() as download:
            page.get_by_role("button", name="Download NPY").click()
        download.value.save_as(tmp_path / "a.npy")
        assert download.value.suggested_filename == f"{name}-{array}.npy"
        got = np.load(tmp_path / "a.npy")
        assert got.dtype == trace[array].values.dtype
        np.testing.assert_array_equal(got, trace[array].values)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download CSV").click()
        download.value.save_as(tmp_path / "a.csv")
        lines = (tmp_path / "a.csv").read_text().splitlines()
        assert lines[0] == ",".join([*trace[array].axes, array])
        np.testing.assert_array_equal(
            np.array([float(line.rpartition(",")[2].replace("Infinity", "inf")) for line in lines[1:]]),
            trace[array].values.astype(float).ravel(),
        )
        expect(page.locator(".heat canvas").first).to_be_visible()
        first = page.locator(".tensor td").first.inner_text()
        assert float(first.replace("−", "-").replace("∞", "inf")) == pytest.approx(
            float(trace[array].values.flat[0]), rel=5e-3
        )


# ---------------------------------------------------------------------- everywhere
def test_opened_as_a_file(open_page: Open, facts: Facts, site: Path) -> None:
    index = facts.where(lambda step: step["said"] + step["shown"])
    page = open_page(f"/index.html{facts.address(index)}", origin=f"file://{site}")
    page.keyboard.press("Space")
    until(page, "document.querySelector('video').currentTime > 0.2")
    until(page, "document.querySelector('video').textTracks[0].cues.length > 0")
    page.get_by_role("tab", name="Numbers").click()
    page.locator(".numbers .number").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".top-search").click()
    page.keyboard.type(facts.steps[1]["text"][:12])
    expect(page.locator(".results a").first).to_be_visible()


def test_reduced_motion_gives_stills(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0), reduced_motion="reduce")
    expect(page.locator("input[value=stills]")).to_be_checked()
    picture = page.locator(".still")
    expect(picture).to_be_visible()
    expect(picture).to_have_attribute("alt", facts.steps[0]["alt"])
    page.keyboard.press("Space")
    at(page, facts, 1)
    expect(picture).to_have_attribute("src", f"films/{facts.lecture['name']}/step-2.webp")
    expect(page.locator(".now")).to_contain_text(facts.steps[1]["text"])
    assert page.evaluate("!document.querySelector('video').src")


def test_film_has_words_for_who_does_not_see_it(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(1))
    words = page.locator("#step-alternative")
    expect(words).to_contain_text(facts.steps[1]["alt"])
    expect(words).to_contain_text(facts.steps[1]["text"])
    assert page.locator("video").get_attribute("aria-describedby") == "step-alternative"


def test_keyboard_reaches_everything(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    seen, order = set(), []
    for _ in range(40):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
                const e = document.activeElement;
                if (e === document.body) return ["BODY", "none"];
                const name = e.getAttribute("aria-label") || e.textContent.trim() || e.value || e.tagName;
                return [name, e.matches("input[type=radio]") ? "outline" : getComputedStyle(e).outlineStyle];
            }"""
        )
        order.append(name[0])
        seen.add(name[0])
        assert name[1] != "none" or name[0] == "BODY", f"{name[0]} shows no focus"
    for wanted in (
        "Skip to the lecture",
        "Previous step",
        "Play",
        "Next step",
        "Repeat step",
        "Speed",
        "Captions",
        "Full screen",
        "Keys and help",
        "Step of the lecture",
        "Read",
    ):
        assert wanted in seen, f"{wanted} is not reached: {order}"


def test_a_phone_has_one_column(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(1), viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    frame, side = page.locator(".frame").bounding_box(), page.locator(".side").bounding_box()
    assert frame["width"] == 360 and side["y"] > frame["y"] + frame["height"]
    page.get_by_role("button", name="Next step").tap()
    at(page, facts, 2)
    for button in page.locator(".controls button, [role=tab]").all():
        box = button.bounding_box()
        assert box["width"] >= 24 and box["height"] >= 24
    page.get_by_role("link", name="Explain DeepSeek").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_film_is_sought_by_ranges(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    answers = []
    page.on("response", lambda response: answers.append(response.status) if response.url.endswith(".mp4") else None)
    page.locator(".said").last.click()
    until(page, f"document.querySelector('video').currentTime >= {facts.steps[-1]['start']}")
    assert set(answers) == {206}


def test_a_policy_stops_what_is_slipped_in(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0), quiet=True)
    stopped = page.evaluate(
        """() => new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
            const script = document.createElement("script");
            script.textContent = "window.slipped = 1";
            document.head.append(script);
        })"""
    )
    assert stopped == "script-src-elem"
    assert page.evaluate("window.slipped === undefined")
