"""The course, and what is read beside a film: transcript, scenes, captions, search, notes."""

from __future__ import annotations

import re
from pathlib import Path

from scenes.player.server import Server
from tests.scenes.player.browsing import VIDEO, Facts, Open, at, expect, jumped_to, until, watch_seeks


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


def test_picture_first_film_on_demand(open_page: Open, facts: Facts, server: Server) -> None:
    page = open_page()
    films: list[str] = []
    page.on("request", lambda request: films.append(request.url) if request.url.endswith(".mp4") else None)
    page.goto(server.url + facts.address(1))
    expect(page.locator("video")).to_have_attribute("poster", f"films/{facts.lecture['name']}/step-2.webp")
    expect(page.locator(".spots")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert films == []


def test_first_view_asks_for_little(open_page: Open, facts: Facts) -> None:
    """The course: a poster for each lecture, no film, no run, no lab, and well under a megabyte."""
    page = open_page()
    page.wait_for_load_state("networkidle")
    asked = page.evaluate(
        "performance.getEntriesByType('resource').map((one) => [new URL(one.name).pathname, one.encodedBodySize])"
    )
    paths = {path for path, _ in asked}
    posters = {f"/films/{lecture['name']}/poster.webp" for lecture in facts.course["lectures"]}
    assert posters <= paths
    others = paths - posters - {"/data/course.js"}
    assert others and all(re.match(r"/assets/(player\.(js|css)|theme\.css|icon\.svg|fonts/)", path) for path in others)
    assert sum(size for _, size in asked) < 800_000


def test_a_click_in_the_transcript_goes_there(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    watch_seeks(page)
    page.locator(".said").nth(2).click()
    at(page, facts, 2)
    jumped_to(page, facts.steps[2]["start"])
    until(page, f"!{VIDEO}.paused")
    expect(page.locator(".transcript")).to_have_attribute("lang", facts.lecture["lang"])


def test_scenes_with_thumbnails(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.get_by_role("tab", name="Scenes").click()
    expect(page.locator(".chapter")).to_have_count(len(facts.lecture["scenes"]))
    until(page, "[...document.querySelectorAll('.chapter img')].slice(0, 2).every((i) => i.naturalWidth === 320)")
    index = max(i for i, step in enumerate(facts.steps) if step["scene"] == 1)
    number = facts.steps[index]["number"]
    page.locator(".chapter").nth(1).get_by_role("link", name=re.compile(f"^Step {number} ")).click()
    at(page, facts, index)
    expect(page.locator(".chapter").nth(1)).to_have_attribute("data-now", "")


def test_captions_are_a_text_track(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    until(page, f"{VIDEO}.textTracks[0]?.cues?.length > 0")
    tracks = page.evaluate(
        "[...document.querySelector('video').textTracks].map((t) => [t.kind, t.language, t.mode, t.cues.length])"
    )
    assert tracks == [["captions", facts.lecture["lang"], "showing", len(facts.numbers["captions"])]]
    seen = page.evaluate(
        "[...document.querySelector('video').textTracks[0].cues].map((c) => c.getCueAsHTML().textContent)"
    )
    assert seen == [text for _, _, text in facts.numbers["captions"]]
    page.get_by_role("button", name="Captions").click()
    until(page, f"{VIDEO}.textTracks[0].mode === 'hidden'")


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
