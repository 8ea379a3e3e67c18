"""The page as such: as a file, without motion, by keyboard, on a phone, under its policy."""

from __future__ import annotations

from pathlib import Path

from tests.scenes.player.browsing import VIDEO, Facts, Open, at, eventually, expect, until

FRAME = "document.querySelector('.frame').getBoundingClientRect()"
SIDE = "document.querySelector('.side').getBoundingClientRect()"


def test_opened_as_a_file(open_page: Open, facts: Facts, site: Path) -> None:
    index = facts.where(lambda step: step["said"] + step["shown"])
    page = open_page(f"/index.html{facts.address(index)}", origin=f"file://{site}")
    page.keyboard.press("Space")
    until(page, f"{VIDEO}.currentTime > 0.2")
    until(page, f"{VIDEO}.textTracks[0].cues.length > 0")
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
    assert page.evaluate(f"!{VIDEO}.src")


def test_film_has_words_for_who_does_not_see_it(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(1))
    words = page.locator("#step-alternative")
    expect(words).to_contain_text(facts.steps[1]["alt"])
    expect(words).to_contain_text(facts.steps[1]["text"])
    expect(page.locator("video")).to_have_attribute("aria-describedby", "step-alternative")


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
    until(page, "document.documentElement.scrollWidth <= 360")
    until(page, f"{FRAME}.width === 360 && {SIDE}.top > {FRAME}.bottom")
    page.get_by_role("button", name="Next step").tap()
    at(page, facts, 2)
    until(
        page,
        "[...document.querySelectorAll('.controls button, [role=tab]')].map((e) => e.getBoundingClientRect())"
        ".every((box) => box.width >= 24 && box.height >= 24)",
    )
    page.get_by_role("link", name="Explain DeepSeek").click()
    expect(page.locator(".card").first).to_be_visible()
    until(page, "document.documentElement.scrollWidth <= 360")


def test_the_film_is_sought_by_ranges(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    answers: list[int] = []
    page.on("response", lambda response: answers.append(response.status) if response.url.endswith(".mp4") else None)
    page.locator(".said").last.click()
    until(page, f"{VIDEO}.currentTime >= {facts.steps[-1]['start']}")
    eventually(page, lambda: answers, "an answer")
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
