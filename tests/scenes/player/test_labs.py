"""What a lab computes in the page is what the project computes in Python, to 1e-4 and with the same experts."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from explainers import runs
from explainers import serving as model_of_serving
from explainers.deployments import Deployment
from explainers.exporting import KnobbedModel
from explainers.grpo import group_advantages
from explainers.model import load_shipped
from explainers.tokenizer import Tokenizer
from tests.scenes.player.browsing import eventually, expect

CLOSE = 1e-4
TEXTS = ["Read this line, then read the next line.", "12 + 30 = 42\n\tdef f(x): return x", "Größe, naïve 東京 🙂"]
KNOBS = [(4, 2, True), (4, 2, False), (1, 1, True), (8, 4, True), (4, 1, False), (6, 3, False), (16, 4, True)]


@pytest.fixture(scope="module")
def routing_page(open_lab: Callable[..., Any]) -> Any:
    page = open_lab("routing")
    page.wait_for_selector("[data-computed]")
    return page


def computed(page: Any, text: str, k: int, groups: int, bias: bool) -> dict[str, Any]:
    """The page's own computation, through the very session that it shows."""
    result: dict[str, Any] = page.evaluate(
        "async ([text, knobs]) => {"
        " const result = await explainOpened.compute(text, knobs);"
        " return {...result, logits: [...result.logits]} }",
        [text, {"k": k, "groups": groups, "bias": bias}],
    )
    return result


@pytest.mark.parametrize(
    ("text", "k", "groups", "bias"),
    [(TEXTS[0], *knobs) for knobs in KNOBS] + [(text, *KNOBS[at]) for text in TEXTS[1:] for at in (0, 4)],
)
def test_routing_in_the_page_is_the_run(routing_page: Any, text: str, k: int, groups: int, bias: bool) -> None:
    got = computed(routing_page, text, k, groups, bias)
    trace = runs.get("routing", text=text, top_k=k, topk_group=groups, bias=bias)
    assert got["tokens"] == list(trace["indices"].labels["token"])
    np.testing.assert_allclose(got["scores"], trace["original_scores"].values, atol=CLOSE)
    np.testing.assert_allclose(got["biased"], trace["biased_scores"].values, atol=CLOSE)
    np.testing.assert_array_equal(np.array(got["groups"], bool), trace["group_mask"].values)
    indices = trace["indices"].values
    np.testing.assert_array_equal(np.argsort(got["rank"], axis=-1, kind="stable")[..., :k], indices)  # the same experts
    weights = np.zeros_like(trace["original_scores"].values)
    np.put_along_axis(weights, indices, trace["weights"].values, axis=-1)
    np.testing.assert_allclose(got["weights"], weights, atol=CLOSE)
    np.testing.assert_allclose(got["logits"], trace["next_logits"].values, atol=CLOSE)


def test_knobs_as_trained_give_the_recorded_run(routing_page: Any) -> None:
    trace = runs.get("routing")
    got = computed(routing_page, trace.params["text"], 4, 2, True)
    np.testing.assert_allclose(got["scores"], trace["original_scores"].values, atol=CLOSE)
    np.testing.assert_array_equal(np.argsort(got["rank"], axis=-1, kind="stable")[..., :4], trace["indices"].values)


def test_tokens_are_those_of_the_project(routing_page: Any) -> None:
    tokenizer: Tokenizer = load_shipped()[1]
    pieces = [
        "word",
        " the",
        "  ",
        "\n",
        "\t ",
        "3",
        "42",
        "_",
        "__x",
        "é",
        "Ünï",
        "½",
        "Ⅷ",
        "²",
        "٣",
        "…",
        "—",
        "🙂",
        "中文",
        "\u00a0",
    ]
    pieces += [
        "\u2028",
        "\x1c",
        "\x85",
        "\ufeff",
        "e\u0301",
        "a-b",
        "((",
        " +",
        "'s",
        " ",
        "\r\n",
        "\u3000",
        "don't",
        "_a_",
        " _",
    ]
    draw = np.random.default_rng(0)
    texts = ["".join(draw.choice(pieces, size=draw.integers(1, 12))) for _ in range(400)]
    got = routing_page.evaluate(
        "(texts) => texts.map((t) => { const ids = explainOpened.tokenizer.encode(t);"
        " return [ids, ids.map((id) => explainOpened.tokenizer.display(id))] })",
        texts,
    )
    for text, (ids, shown) in zip(texts, got, strict=True):
        assert ids == tokenizer.encode(text), repr(text)
        assert shown == [tokenizer.display(token) for token in ids]


def test_the_exported_layers_are_the_project_s() -> None:
    """Every expert for every token, unchosen ones weighing nothing, is the same sum as sending tokens away."""
    model, tokenizer = load_shipped()
    ids = torch.tensor([tokenizer.encode(TEXTS[1])])
    with torch.no_grad():
        dense = KnobbedModel(model)(ids, torch.tensor(4), torch.tensor(2), torch.tensor(1.0))
        plain = model(ids, trace=True)
    torch.testing.assert_close(dense[0], plain.logits[0], atol=CLOSE, rtol=0)
    chosen = torch.stack([r.indices for r in plain.routings if r is not None])
    assert torch.equal(dense[5].argsort(dim=-1, stable=True)[..., :4], chosen)


def test_routing_page_shows_the_recorded_example_first(open_lab: Callable[..., Any]) -> None:
    page = open_lab("routing", without="**/data/labs/model.js")
    trace = runs.get("routing")
    page.get_by_text("the recorded example stays").wait_for()
    expect(page.locator(".routes tbody tr")).to_have_count(trace["indices"].shape["token"])
    expect(page.locator("td.chosen")).to_have_count(trace["indices"].values[0].size)


def test_routing_knobs(routing_page: Any) -> None:
    page = routing_page
    page.get_by_label("Text").fill("Two words")
    page.get_by_label("Groups a token may use").fill("1")
    page.get_by_label("Experts a token").fill("2")
    page.get_by_label("Bias for balance").uncheck()
    trace = runs.get("routing", text="Two words", top_k=2, topk_group=1, bias=False)
    for layer, name in enumerate(trace["indices"].labels["layer"]):
        page.get_by_label("Layer").select_option(label=name)
        wanted = [sorted(row) for row in trace["indices"].values[layer].tolist()]
        eventually(page, partial(shows, page, wanted), f"experts {wanted} in layer {name}")
    page.get_by_role("button", name="As trained").click()
    expect(page.get_by_label("Experts a token")).to_have_value("4")
    trained = runs.get("routing", text="Two words")["indices"].values[-1]
    eventually(page, partial(shows, page, [sorted(row) for row in trained.tolist()]), "experts as trained")


def shows(page: Any, wanted: list[list[int]]) -> bool:
    chosen = page.locator(".routes tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.querySelectorAll('td')].flatMap("
        "(cell, expert) => (cell.classList.contains('chosen') ? [expert] : [])))"
    )
    return bool(chosen == wanted)


def test_routing_works_as_a_file(open_lab: Callable[..., Any]) -> None:
    page = open_lab("routing", as_file=True)
    page.wait_for_selector("[data-computed]")
    expect(page.locator("[data-lab] [role=status]")).to_have_text(re.compile(r"^12 tokens, computed here in \d+ ms"))


# ---------------------------------------------------------------------- lecture 6
def test_serving_in_the_page_is_the_model_of_serving(open_lab: Callable[..., Any]) -> None:
    page = open_lab("serving")
    page.wait_for_selector(".results-box b")
    run = runs.get("serving")  # what `explain run serving` says: V3 on 144 H800, MLA, two dollars an hour
    batches, contexts = run["batch"].values, run["context"].values
    ask = "([cases]) => cases.map(([chip, attention, knobs]) => explainOpened.serve(chip, attention, knobs))"
    grid = [
        ("h800", "mla", {"batch": b, "context": c, "price": 2}) for b in batches.tolist() for c in contexts.tolist()
    ]
    got = page.evaluate(ask, [grid])
    shape = (len(batches), len(contexts))
    fits = np.array([one["fits"] >= knobs["batch"] for one, (_, _, knobs) in zip(got, grid, strict=True)]).reshape(
        shape
    )
    for name, field in (("gpu_speed", "gpu"), ("user_speed", "user"), ("cost", "cost")):
        values = np.array([one[field] for one in got]).reshape(shape)
        np.testing.assert_allclose(np.where(fits, values, 0), run[name].values, rtol=CLOSE)
    others = [
        (chip, attention, {"batch": b, "context": c, "price": 3.5})
        for chip in ("h100", "h200", "b200")
        for attention in ("mla", "mqa", "gqa8", "mha")
        for b, c in ((1, 256), (32, 4096), (512, 131072))
    ]
    utilisation = run.quantity("utilisation").value
    for (chip, attention, knobs), one in zip(others, page.evaluate(ask, [others]), strict=True):
        deployment = Deployment("v3", chip, 144, attention)
        step = model_of_serving.decode_step(deployment, knobs["batch"], knobs["context"])
        speed = model_of_serving.decode_speed(deployment, knobs["batch"], knobs["context"], utilisation)
        for part in ("weights", "matmul", "attention", "network"):
            assert one[part] == pytest.approx(float(getattr(step, part)), rel=CLOSE)
        assert one["gpu"] == pytest.approx(float(speed), rel=CLOSE)
        assert one["cost"] == pytest.approx(float(model_of_serving.cost_per_million(speed, 3.5)), rel=CLOSE)
        assert one["fits"] == int(model_of_serving.largest_batch(deployment, knobs["context"]))


def test_serving_knobs(open_lab: Callable[..., Any]) -> None:
    page = open_lab("serving")
    before = page.locator(".results-box").inner_text()
    page.get_by_label("Chip").select_option("b200")
    expect(page.locator(".results-box")).not_to_have_text(before)
    page.get_by_label("Attention").select_option("mha")
    page.get_by_label("Tokens of context").fill("17")
    expect(page.locator(".results-box .failure")).to_contain_text("fit")
    for label in ("Conversations a GPU", "Dollars a GPU hour"):
        page.get_by_label(label).fill("1")


# ---------------------------------------------------------------------- lecture 7
def test_group_in_the_page_is_grpo(open_lab: Callable[..., Any]) -> None:
    page = open_lab("group")
    run = runs.get("grpo_group")
    ask = "(rewards) => explainOpened.advantages(rewards).values"
    np.testing.assert_allclose(page.evaluate(ask, run["reward"].values.tolist()), run["advantage"].values, atol=CLOSE)
    shown = [float(text.replace("\u2212", "-")) for text in page.locator(".answers td code").all_inner_texts()]
    np.testing.assert_allclose(shown, run["advantage"].values, atol=0.005)
    draw = np.random.default_rng(1)
    for rewards in (np.zeros(16), np.full(16, 0.7), draw.normal(size=16), np.eye(16)[3]):
        wanted = group_advantages(torch.tensor(rewards)[None])[0].numpy()
        np.testing.assert_allclose(page.evaluate(ask, rewards.tolist()), wanted, atol=CLOSE)
    own = run["own"].values
    ratio = run["ratio"].values[-1][own].astype(float)
    advantage = np.repeat(run["advantage"].values.astype(float), own.sum(1))
    pairs = [[r, a] for r, a in zip(ratio, advantage, strict=True)]
    terms = page.evaluate("(pairs) => pairs.map(([r, a]) => explainOpened.term(r, a, 0.2))", pairs)
    np.testing.assert_allclose([one["objective"] for one in terms], run["objective"].values[-1][own], atol=CLOSE)
    assert [one["clipped"] for one in terms] == run["clipped"].values[-1][own].astype(bool).tolist()


def test_group_knobs(open_lab: Callable[..., Any]) -> None:
    page = open_lab("group")
    page.get_by_label("Reward of answer 1", exact=True).fill("2")
    expect(page.locator(".answers td code").first).not_to_contain_text("\u2212")
    page.get_by_role("button", name="All equal").click()
    expect(page.locator("[data-lab] [role=status]")).to_contain_text("nothing can be learnt")
    page.get_by_role("button", name="Reward length").click()
    page.get_by_role("button", name="Rewards of the run").click()
    expect(page.get_by_label("Reward of answer 1", exact=True)).to_have_value("0.1")
    expect(page.locator(".chip.likelier")).to_have_count(0)
    page.get_by_label("Likelihoods").select_option(label="after update 4")
    expect(page.locator(".chip.likelier").first).to_be_visible()
    expect(page.locator(".chip.clipped").first).to_be_visible()
