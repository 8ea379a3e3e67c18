"""Lecture 3's lab: what the page makes again from r numbers a token is what the project's runs make, to 1e-4."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from explainers import configs, runs
from explainers.mla import MLAConfig
from tests.scenes.player.browsing import expect

CLOSE = 1e-4
CASES = [
    ("Read this line, then read the next line.", 32, False),
    ("Read this line, then read the next line.", 4, True),
    ("12 + 30 = 42\n\tdef f(x): return x", 96, True),
    ("Größe, naïve 東京 🙂", 1, False),
    ("word", 256, False),
    ("the same word, the same word, the same word " * 9, 16, False),  # more tokens than the page shows
]


@pytest.fixture(scope="module")
def latent_page(open_lab: Callable[..., Any]) -> Any:
    page = open_lab("latent")
    page.wait_for_selector("[data-computed]")
    return page


def computed(page: Any, text: str, rank: int, turned: bool) -> dict[str, np.ndarray]:
    """The page's own computation, through the very session that it shows."""
    got = page.evaluate(
        """async ([text, knobs]) => {
            const got = await explainOpened.compute(text, knobs);
            const packed = (values) => {
                const bytes = new Uint8Array(Float32Array.from(values).buffer);
                let letters = "";
                for (const byte of bytes) letters += String.fromCharCode(byte);
                return btoa(letters);
            };
            return {
                tokens: got.tokens, loss: got.loss, logits: got.logits.map(packed), kv: packed(got.kv),
                coordinates: packed(got.coordinates), reconstruction: packed(got.reconstruction),
                energy: [0, 1].map((way) => [0, 1, 2, 3].map((layer) => explainOpened.energies(got, way, layer))),
            };
        }""",
        [text, {"rank": rank, "turned": turned}],
    )
    for name in ("kv", "coordinates", "reconstruction"):
        got[name] = np.frombuffer(base64.b64decode(got[name]), np.float32)
    got["logits"] = [np.frombuffer(base64.b64decode(row), np.float32) for row in got["logits"]]
    return {name: np.array(values) for name, values in got.items()}


@pytest.mark.parametrize(("text", "rank", "turned"), CASES)
def test_keys_and_values_in_the_page_are_the_run(latent_page: Any, text: str, rank: int, turned: bool) -> None:
    got = computed(latent_page, text, rank, turned)
    shown = text if len(got["tokens"]) < 96 else text[: len("".join(got["tokens"]))]
    run = runs.get("latent_cut", text=shown, rank=rank, turned=turned)
    assert got["tokens"].tolist() == list(run["kv"].labels["token"])
    for name in ("kv", "coordinates", "reconstruction"):
        np.testing.assert_allclose(got[name].reshape(run[name].values.shape), run[name].values, atol=CLOSE)
    np.testing.assert_allclose(got["energy"], run["energy"].values, atol=CLOSE)
    np.testing.assert_allclose(got["logits"], run["next_logits"].values, atol=CLOSE)
    if "loss" in run.arrays:
        np.testing.assert_allclose(got["loss"], run["loss"].values, atol=CLOSE)


def test_what_comes_back_is_what_the_film_shows(latent_page: Any) -> None:
    """The run `latent_rank_sweep`, which lecture 3 draws, at every rank that it shows, before and after RoPE."""
    film = runs.get("latent_rank_sweep")
    layer, text = film.params["layer"], film.params["text"]
    for at, rank in enumerate(film["reconstruction"].labels["rank"]):
        got = computed(latent_page, text, int(rank), False)
        shape = (2, 4, *film["kv"].values.shape)
        for way, (whole, back) in enumerate((("kv", "reconstruction"), ("kv_rotated", "reconstruction_rotated"))):
            np.testing.assert_allclose(got["kv"].reshape(shape)[way, layer], film[whole].values, atol=CLOSE)
            again = got["reconstruction"].reshape(shape)[way, layer]
            np.testing.assert_allclose(again, film[back].values[at], atol=CLOSE)
        np.testing.assert_allclose(got["energy"], film["energy"].values, atol=CLOSE)


def test_a_recorded_example_stands_there_before_the_model(open_lab: Callable[..., Any]) -> None:
    page = open_lab("latent", without="**/data/labs/cut.js")
    page.get_by_text("the recorded example stays").wait_for()
    run = runs.get("latent_cut")
    energy = run["energy"].values[0, 1, run.params["rank"]]
    assert page.locator(".results-box b").all_inner_texts()[:2] == [f"{100 * energy:.0f} %", "6.14 kB"]
    assert run.quantity("bytes_cut").value == 6144
    assert page.locator(".strip").count() == 4
    assert page.locator(".strip-names").first.locator("span").all_inner_texts() == list(run["kv"].labels["token"])
    inked = page.locator(".strip-cells canvas").first.evaluate(
        "(c) => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    )
    assert inked > 20


def test_knobs(latent_page: Any) -> None:
    page = latent_page
    page.get_by_label("Text", exact=True).fill("Two words")
    page.get_by_label("Numbers kept").fill("3")  # the fourth of the ranks that are offered: 8
    page.get_by_label("Cut after RoPE").check()
    page.get_by_label("Layer").select_option(label="3")
    run = runs.get("latent_cut", text="Two words", rank=8, turned=True)
    tokens = run["kv"].shape["token"]
    expect(page.locator("[data-lab] [role=status]").first).to_have_text(re.compile(rf"^{tokens} tokens, computed here"))
    loss = run["loss"].values.mean(-1)
    expect(page.locator("[data-lab]")).to_contain_text(
        f"{loss[0]:.2f} nats a token with the whole, {loss[1]:.2f} with what was kept"
    )
    expect(page.locator(".strip").nth(1)).to_contain_text("All that is kept: 8 numbers a token")
    kept = page.locator(".strip-cells canvas").nth(1)
    expect(kept).to_have_attribute("width", "8")
    expect(kept).to_have_attribute("height", str(tokens))
    expect(page.locator(".results-box").first).to_contain_text(f"{100 * run['energy'].values[1, 3, 8]:.0f} %")
    measured = runs.get("low_rank")["added_loss_shipped"]
    rise = measured.values[measured.labels["cut"].index("after RoPE"), measured.labels["rank"].index("8")]
    expect(page.locator(".results-box").first).to_contain_text(f"rises by {rise:.2g} nats")
    kept.hover(position={"x": 2, "y": 2})
    expect(page.locator(".strip-foot").nth(1)).to_contain_text("along direction 1")


def test_a_cache_is_as_heavy_as_the_project_counts(latent_page: Any) -> None:
    run, v3 = runs.get("kv_attentions"), configs.config("v3")

    def weigh(rank: int, context: int) -> dict[str, float]:
        found: dict[str, float] = latent_page.evaluate("([r, n]) => explainOpened.cache(r, n)", [rank, context])
        return found

    for name, context in (("4k", 4096), ("128k", 131072), ("1m", 1048576)):
        got = weigh(512, context)
        assert got["token"] == run.quantity("mla").value
        assert got["all"] == run.quantity(f"mla_{name}").value
    for rank in (64, 1024):
        sizes = MLAConfig(v3.hidden, 128, rank, 128, 64, 128)
        assert weigh(rank, 1)["all"] == sizes.cache_values_per_token * v3.layers * 2
    latent_page.get_by_label("Latent rank").fill("7")
    latent_page.get_by_label("Tokens of context").fill("20")
    said, token = latent_page.locator(".results-box").last, (1024 + 64) * v3.layers * 2
    expect(said).to_contain_text(f"{token / 1e3:.0f} kB")
    expect(said).to_contain_text(f"{token * 2**20 / 1e9:.0f} GB")
    counted = [run.quantity(f"{kind}_1m").value for kind in ("mha", "gqa8", "mqa")]
    written = [f"{counted[0] / 1e12:.2f} TB", f"{counted[1] / 1e9:.0f} GB", f"{counted[2] / 1e9:.1f} GB"]
    expect(latent_page.locator("ol").last.locator("code")).to_have_text([*written, re.compile("GB$")])


def test_it_works_as_a_file(open_lab: Callable[..., Any]) -> None:
    page = open_lab("latent", as_file=True)
    page.wait_for_selector("[data-computed]")
    page.get_by_text(re.compile(r"^12 tokens, computed here in \d+ ms")).wait_for()
