"""Where a number comes from: listed, marked on the picture, its chain of origin, the tensor behind it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from explainers import runs
from tests.scenes.player.browsing import Facts, Open, eventually, expect, near_end, paused_at_end, until

#: The least distance in pixels between the middle of each place and the middle of a mark, in the page as it stands.
FARTHEST = """([places]) => {
    const frame = document.querySelector('.frame').getBoundingClientRect();
    const marks = [...document.querySelectorAll('.spot')].map((mark) => mark.getBoundingClientRect());
    return Math.max(...places.map(([left, top, right, bottom]) => Math.min(...marks.map((mark) => Math.max(
        Math.abs(mark.x + mark.width / 2 - frame.x - frame.width * (left + right) / 2),
        Math.abs(mark.y + mark.height / 2 - frame.y - frame.height * (top + bottom) / 2))))));
}"""


def test_numbers_are_listed_and_marked_when_the_picture_rests(open_page: Open, facts: Facts) -> None:
    index = facts.where(lambda step: step["shown"])
    page = open_page(facts.address(index))
    page.get_by_role("tab", name="Numbers").click()
    step = facts.numbers["steps"][index]
    listed = {one["q"]: one["text"] for one in [*step["said"], *step["shown"]]}
    expect(page.locator(".numbers .number")).to_have_count(len(listed))
    texts = {one["text"] for one in [*step["said"], *step["shown"]]}
    assert set(page.locator(".numbers .number b").all_text_contents()) <= texts
    page.get_by_role("button", name="Go there").click()
    expect(page.locator(".spot")).to_have_count(len(step["shown"]))
    places = [one["box"] for one in step["shown"]]
    eventually(page, lambda: page.evaluate(FARTHEST, [places]) < 2, "a mark on every number")
    page.get_by_role("button", name="Repeat step").click()
    expect(page.locator(".spots")).to_be_hidden()


def test_the_marked_place_is_where_the_number_is(open_page: Open, facts: Facts) -> None:
    """Inside a mark there is ink, on the very picture that stands there."""
    index = facts.where(lambda step: step["shown"])
    page = open_page(facts.address(index))
    page.get_by_role("button", name="Play", exact=True).last.click()
    near_end(page, facts.steps[index])
    paused_at_end(page, facts.steps[index])
    expect(page.locator(".spot").first).to_be_visible()
    page.evaluate("document.querySelector('.spots').style.visibility = 'hidden'")
    until(page, "!document.querySelector('video').seeking")
    shown = facts.numbers["steps"][index]["shown"]

    def ink() -> bool:
        shot = Image.open(io.BytesIO(page.locator(".frame").screenshot())).convert("L")
        return all(np.asarray(shot.crop(inside(one["box"], shot))).max() > 90 for one in shown)

    eventually(page, ink, f"ink where {[one['text'] for one in shown]} stand")


def inside(box: list[float], shot: Image.Image) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return int(left * shot.width), int(top * shot.height), int(right * shot.width), int(bottom * shot.height)


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
    rows = facts.rows(index)
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
    rows = facts.rows(index)
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
    rows = facts.rows(index)
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
