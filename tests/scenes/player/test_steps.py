"""Walking through a film: every control of the player, in a real browser, on a site that was really built."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from scenes.player.server import Server
from tests.scenes.player.browsing import (
    VIDEO,
    Facts,
    Open,
    at,
    expect,
    jumped_to,
    near_end,
    paused_at_end,
    until,
    watch_seeks,
)


def play(page: Any) -> None:
    page.get_by_role("button", name="Play", exact=True).last.click()


def test_walk_stops_at_the_end_of_a_step_and_goes_on(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    play(page)
    near_end(page, facts.steps[0])
    paused_at_end(page, facts.steps[0])
    at(page, facts, 0)
    page.keyboard.press("Space")  # goes on
    at(page, facts, 1)
    until(page, f"!{VIDEO}.paused")
    page.keyboard.press("Space")
    until(page, f"{VIDEO}.paused && {VIDEO}.currentTime < {facts.steps[1]['stop'] + 0.06}")
    at(page, facts, 1)


def test_watch_plays_on(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.get_by_label("Watch").check()
    page.keyboard.press("Space")
    near_end(page, facts.steps[0])
    at(page, facts, 1)
    until(page, f"!{VIDEO}.paused")


def test_next_previous_repeat_by_buttons(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(1))
    page.get_by_role("button", name="Next step").click()
    at(page, facts, 2)
    page.get_by_role("button", name="Previous step").click()
    at(page, facts, 1)
    near_end(page, facts.steps[1])
    paused_at_end(page, facts.steps[1])
    watch_seeks(page)
    page.get_by_role("button", name="Repeat step").click()
    jumped_to(page, facts.steps[1]["start"])
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
    assert page.evaluate(f"{VIDEO}.paused")


def test_arrows_go_on_after_a_click_on_a_tab_and_move_in_tabs_for_the_keyboard(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.get_by_role("tab", name="Scenes").click()
    page.keyboard.press("ArrowRight")
    at(page, facts, 1)
    expect(page.get_by_role("tab", name="Scenes")).to_have_attribute("aria-selected", "true")
    page.get_by_label("Stills").check()
    page.keyboard.press("ArrowRight")
    at(page, facts, 2)
    expect(page.get_by_label("Stills")).to_be_checked()
    page.get_by_role("tab", name="Scenes").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Numbers")).to_have_attribute("aria-selected", "true")
    at(page, facts, 2)


def test_speed(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    page.get_by_label("Speed").select_option("1.5")
    page.keyboard.press("Escape")
    play(page)
    until(page, f"{VIDEO}.playbackRate === 1.5 && !{VIDEO}.paused")


def test_sound_can_be_switched_off_where_a_film_has_a_voice(open_page: Open, facts: Facts, site: Path) -> None:
    page = open_page(facts.address(0))
    expect(page.get_by_role("button", name="Captions")).to_be_visible()
    expect(page.get_by_role("button", name="Sound")).to_have_count(0)
    spoken = (site / "data" / "course.js").read_text("utf-8").replace('"sound":false', '"sound":true')
    page.context.route("**/data/course.js", lambda route: route.fulfill(body=spoken, content_type="text/javascript"))
    page.reload()
    sound = page.get_by_role("button", name="Sound")
    expect(sound).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("m")
    expect(sound).to_have_attribute("aria-pressed", "false")
    until(page, f"{VIDEO}.muted")
    page.reload()
    expect(sound).to_have_attribute("aria-pressed", "false")
    sound.click()
    until(page, f"!{VIDEO}.muted")


def test_progress_bar(open_page: Open, facts: Facts) -> None:
    page = open_page(facts.address(0))
    bar = page.get_by_role("slider")
    last = facts.steps[-1]
    box = bar.bounding_box()  # its width stays, its place may move until the fonts are there: hover looks where it is
    share = (last["start"] + 0.5 * (last["end"] - last["start"])) / facts.lecture["seconds"]
    bar.hover(position={"x": box["width"] * share, "y": box["height"] / 2})
    expect(page.locator(".tip")).to_contain_text(last["heading"])
    expect(page.locator(".tip")).to_contain_text(f"step {last['number']} of")
    page.mouse.down()
    page.mouse.up()
    at(page, facts, len(facts.steps) - 1)
    middle, near = (last["start"] + last["end"]) / 2, facts.lecture["seconds"] / 100
    until(page, f"Math.abs({VIDEO}.currentTime - {middle}) < {near}")
    bar.focus()
    page.keyboard.press("Home")
    at(page, facts, 0)
    page.keyboard.press("ArrowRight")
    at(page, facts, 1)
    expect(bar).to_have_attribute("aria-valuetext", re.compile(re.escape(facts.steps[1]["heading"])))
    expect(page.locator(".block")).to_have_count(len(facts.lecture["scenes"]))
    expect(page.locator(".mark")).to_have_count(len(facts.steps) - len(facts.lecture["scenes"]))


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
