"""The deck in a real browser, opened from the disk as a lecturer opens it, and driven by its keys."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scenes.exports import deck, export
from scenes.exports.talk import Talk, talk
from scenes.player.pictures import frames
from tests.scenes.built_pages import assert_built_again, assert_of_these_sources
from tests.scenes.player.browsing import Open, eventually, until

WEB = deck.BUILT.parent / "web"
FILM = "document.querySelector('.present video')"


@pytest.fixture(scope="module")
def written(small: Talk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = export("html", [small.film], tmp_path_factory.mktemp("deck"))
    return path


@pytest.fixture
def open_deck(browser: Any, written: Path) -> Iterator[Open]:
    """``open_deck("#/2")``: the deck in a fresh profile; errors and requests to elsewhere fail the test."""
    contexts, trouble = [], []

    def make(address: str = "", path: Path = written, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": 960, "height": 540}, **options)
        contexts.append(context)

        def watch(page: Any) -> None:
            page.on("pageerror", lambda error: trouble.append(str(error)))
            page.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
            page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else trouble.append(r.url))

        context.on("page", watch)
        page = context.new_page()
        page.goto(f"{path.as_uri()}{address}")
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html[data-ready]")
        return page

    yield make
    for context in contexts:
        context.close()
    assert not trouble


def at(page: Any, place: int) -> None:
    """The slide ``place``, from 1 (the title)."""
    until(
        page,
        f"[...document.querySelectorAll('.slides > section')].findIndex(s => s.matches('.present')) === {place - 1}",
    )


def near_end(page: Any) -> None:
    until(page, f"{FILM}.readyState >= 2 && !{FILM}.paused")
    page.evaluate(f"{FILM}.currentTime = {FILM}.duration - 0.3")


def looks_like(page: Any, wanted: Image.Image) -> None:
    """Wait until the window shows this picture."""
    target = np.asarray(wanted.resize((240, 135)), int)

    def near() -> bool:
        with Image.open(io.BytesIO(page.screenshot())) as shot:
            seen = np.asarray(shot.convert("RGB").resize((240, 135)), int)
        return bool(np.abs(seen - target)[:-4].mean() < 2.5)  # the lowest rows show how far the deck has come

    eventually(page, near, "the wanted picture")


def last_picture(small: Talk, number: int) -> Image.Image:
    (image,) = frames(small.film.video, [small.slides[number - 1].end - 1], small.picture.fps)
    return image


# ---------------------------------------------------------------------- on the screen
def test_a_step_plays_and_stays_on_its_last_frame(open_deck: Open, small: Talk) -> None:
    page = open_deck()
    at(page, 1)
    page.keyboard.press("ArrowRight")
    at(page, 2)
    near_end(page)
    until(page, f"{FILM}.ended")
    looks_like(page, last_picture(small, 1))
    at(page, 2)  # it does not run into the next step
    page.keyboard.press("Space")
    at(page, 3)
    until(page, f"!{FILM}.paused && {FILM}.currentTime < 2")


def test_space_pauses_and_goes_on(open_deck: Open) -> None:
    page = open_deck("#/2")
    until(page, f"!{FILM}.paused && {FILM}.currentTime > 0")
    page.keyboard.press("Space")
    until(page, f"{FILM}.paused")
    stopped = page.evaluate(f"{FILM}.currentTime")
    page.keyboard.press("Space")
    until(page, f"!{FILM}.paused && {FILM}.currentTime > {stopped}")
    at(page, 2)


def test_back_shows_what_stood_there_and_r_plays_it_again(open_deck: Open, small: Talk) -> None:
    page = open_deck("#/3")
    until(page, f"!{FILM}.paused")
    page.keyboard.press("ArrowLeft")
    at(page, 2)
    until(page, f"{FILM}.paused && !{FILM}.seeking && {FILM}.currentTime > {FILM}.duration - 0.1")
    looks_like(page, last_picture(small, 1))
    page.keyboard.press("r")
    until(page, f"!{FILM}.paused && {FILM}.currentTime < 2")
    at(page, 2)


def test_captions_say_the_words_that_are_due(open_deck: Open, small: Talk) -> None:
    page = open_deck("#/3")
    shown = page.locator(".captions")
    assert not shown.is_visible()
    page.keyboard.press("c")
    until(page, "document.querySelector('.captions').textContent !== ''")
    until(page, "getComputedStyle(document.querySelector('.captions')).display !== 'none'")
    assert " ".join(shown.inner_text().split()) in small.slides[1].narration


def test_overview_and_help(open_deck: Open) -> None:
    page = open_deck("#/2")
    page.keyboard.press("o")
    until(page, "document.querySelector('.reveal').matches('.overview')")
    page.keyboard.press("Space")
    until(page, "!document.querySelector('.reveal').matches('.overview')")
    page.keyboard.press("?")
    until(page, "document.querySelector('dialog').open")
    assert page.locator("dialog dt").count() == len(deck._KEYS)
    page.keyboard.press("Escape")
    until(page, "!document.querySelector('dialog').open")
    page.keyboard.press("End")
    until(page, "document.querySelector('section.present').matches('.sources')")
    page.keyboard.press("Home")
    at(page, 1)


def test_a_key_right_after_the_help_is_the_decks(open_deck: Open) -> None:
    """A dialog that was just closed still gets the keys, until the next picture is drawn."""
    page = open_deck("#/2")
    page.keyboard.press("?")
    until(page, "document.querySelector('dialog').open")
    page.evaluate(
        "() => { const help = document.querySelector('dialog'); help.close();"
        " help.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', keyCode: 35, bubbles: true })) }"
    )
    until(page, "document.querySelector('section.present').matches('.sources')")


def test_every_slide_says_what_the_manifest_says(open_deck: Open, small: Talk) -> None:
    page = open_deck()
    steps = page.locator("section.step")
    assert steps.count() == len(small.slides)
    for index, slide in enumerate(small.slides):
        step = steps.nth(index)
        assert step.locator("aside.notes p").text_content() == slide.narration
        rows = [" ".join(row.split()) for row in step.locator("aside.notes li").all_text_contents()]
        wanted = [f"{number.text} {number.name}{number.origin}" for number in slide.numbers]
        assert rows == [" ".join(row.split()) for row in wanted]
        assert step.locator("video").get_attribute("aria-label") == slide.picture_in_words
        assert step.locator("video").get_attribute("muted") is not None  # so that every browser lets it begin
    for source in small.sources:
        assert source.name in (page.locator("section.sources").text_content() or "")


def test_markup_is_text(open_deck: Open, written: Path, small: Talk) -> None:
    page = open_deck("#/2")
    at(page, 2)
    assert "<script>" in small.slides[0].narration
    assert page.evaluate("window.stolen === undefined")
    assert page.locator("section script, section aside img, h1 script").count() == 0
    assert re.findall(r"<script[^>]*>", written.read_text("utf-8")) == ['<script src="assets/deck.js" defer>']


# ---------------------------------------------------------------------- for the speaker
def test_the_speakers_window_reads_and_leads(open_deck: Open, small: Talk) -> None:
    page = open_deck("#/2")
    at(page, 2)
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    until(speaker, "document.getElementById('words').textContent !== ''")
    first, second = small.slides[:2]
    assert speaker.locator("#words").text_content() == first.narration
    assert speaker.locator("#place").text_content() == f"2 / {len(small.slides) + 2}"
    for number in first.numbers:
        row = speaker.locator("#numbers li", has_text=number.text).first
        assert number.name in row.text_content() and number.origin in row.text_content()
    assert second.title in speaker.locator("#next-title").text_content()
    until(speaker, "document.getElementById('film').value > 0")
    speaker.keyboard.press("ArrowRight")
    at(page, 3)
    until(speaker, "document.getElementById('place').textContent.startsWith('3 ')")
    assert speaker.locator("#words").text_content() == second.narration
    until(speaker, "document.getElementById('now').naturalWidth > 0")
    speaker.get_by_role("button", name="Back").click()
    at(page, 2)
    until(speaker, "document.getElementById('elapsed').textContent !== '0:00'")


def test_the_speakers_window_takes_orders_from_its_deck_only(open_deck: Open, written: Path) -> None:
    page = open_deck("#/2")
    at(page, 2)
    page.evaluate("window.postMessage({ command: 'next' }, '*')")
    page.wait_for_timeout(200)
    at(page, 2)
    alone = open_deck(path=written.with_name("speaker.html"), java_script_enabled=False)
    assert alone.locator("#words").text_content() == ""


# ---------------------------------------------------------------------- on paper
def test_printed_it_is_a_handout(open_deck: Open, small: Talk, tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    page = open_deck("#/3")
    at(page, 3)
    page.pdf(path=tmp_path / "deck.pdf", print_background=True, prefer_css_page_size=True)
    pages = pypdf.PdfReader(tmp_path / "deck.pdf").pages
    text = "".join("".join(one.extract_text() for one in pages).split())
    assert "".join(small.question.split()) in "".join(pages[0].extract_text().split())
    for slide in small.slides:
        assert "".join(slide.narration.split()) in text
        for number in slide.numbers:
            assert "".join(f"{number.text}{number.name}".split()) in text
    assert sum(len(one.images) for one in pages) >= len(small.slides)


def test_without_scripts_it_can_be_read(open_deck: Open, small: Talk) -> None:
    page = open_deck(java_script_enabled=False)
    for slide in small.slides:
        assert page.locator(".step p", has_text=slide.narration).is_visible()
    assert page.locator(".step img").first.is_visible() and not page.locator("video").first.is_visible()


# ---------------------------------------------------------------------- other films
def test_shape_language_and_sound_are_the_films(remake: Any, open_deck: Open, tmp_path: Path) -> None:
    about = talk(remake(width=90, height=160, lang="de", sound=True))
    (path,) = export("html", [about.film], tmp_path / "out")
    text = path.read_text("utf-8")
    assert 'data-size="720 1280"' in text and '<html lang="de">' in text and "Vorlesung" not in about.title
    assert "Quellen" in text and " muted" not in text
    page = open_deck("#/2", path)
    until(page, f"{FILM}.readyState >= 2")
    box = page.locator(".present video").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(90 / 160, rel=0.01)
    assert box["height"] == pytest.approx(540, abs=6)


# ---------------------------------------------------------------------- the built page
def test_built_deck_is_of_these_sources() -> None:
    assert_of_these_sources(WEB, *deck.BUILT.glob("*.[jc]s*"))


def test_built_deck_can_be_built_again(tmp_path: Path) -> None:
    assert_built_again(WEB, deck.BUILT, tmp_path)


def test_it_carries_the_licences(written: Path) -> None:
    assets = written.parent / "assets"
    for path, words in (("LICENCES.txt", "Hakim El Hattab"), ("fonts/LICENSE.txt", "SIL OPEN FONT LICENSE")):
        assert words in (assets / path).read_text("utf-8")
