"""Runs about money: what sharing a step saves, how list prices moved, what a month of three workloads costs."""

from __future__ import annotations

import math
from datetime import date

import numpy as np

from explainers import configs, facts, serving
from explainers.deployments import Deployment
from explainers.errors import ExplainError
from explainers.experiments.serving import serving_model
from explainers.quantities import Quantity, computed
from explainers.serving_day import reproduce_day
from explainers.traces import NamedArray, Trace

DOLLARS = "USD/million tokens"
DAYS_OF_A_YEAR = 365.25


# ---------------------------------------------------------------------- one read, many users
def shared_read(
    *, model: str = "v3", gpu: str = "h800", gpus: int = 144, price: float = 2.0, context: int = 4096
) -> Trace:
    """One decoding step shared by 1, 2, 4 … users of a GPU: how long it takes, and what a token then costs.

    The serving model of `explainers.serving`, at the utilisation of DeepSeek's published day.
    ``price`` in USD a GPU hour.
    The sharing ends where the caches no longer fit.

    Arrays over ``users``: ``users``, ``step`` (s), ``cost`` (USD a million tokens), ``user_speed`` (token/s).
    """
    utilisation = reproduce_day().numbers["decode_utilisation"]
    deployment = Deployment(model, gpu, gpus)
    most = int(serving.largest_batch(deployment, context))
    if most < 1:
        raise ExplainError(
            f"no sequence of {context} tokens fits beside {model} on {gpus} × {gpu}; shorten the context"
        )
    users = 2.0 ** np.arange(0, int(math.log2(most)) + 1)
    speed = serving.decode_speed(deployment, users, context, utilisation.value)
    labels = {"users": tuple(f"{int(n):,}" for n in users)}
    step, cost = users / speed, serving.cost_per_million(speed, price)
    arrays = {
        "users": NamedArray(users, ("users",), unit="user", labels=labels),
        "step": NamedArray(step, ("users",), unit="s", labels=labels),
        "cost": NamedArray(cost, ("users",), unit=DOLLARS, labels=labels),
        "user_speed": NamedArray(1 / step, ("users",), unit="token/s", labels=labels),
    }
    inputs = (utilisation, deployment.chip.bandwidth, configs.quantity(f"{model}.kv_bytes_per_token"))
    numbers: dict[str, Quantity] = {
        "price": computed(price, "USD", "assumed rent of one GPU for an hour", name="rent of a GPU for an hour"),
        "square": computed(0.1, DOLLARS, "the unit of the picture", name="one square"),
        "gpus": computed(gpus, "GPU", "assumed size of the group", name="GPUs that decode together"),
        "slowest": computed(
            20, "token/s", "least speed that a user is given in the run serving", name="least speed of a user"
        ),
    }
    numbers |= _at_each(users, step, cost, inputs)
    levers = serving_model(model=model, gpu=gpu, gpus=gpus, price=price, context=context).quantities
    if "cost_dense_mha" in levers and "cost_moe_mla" in levers:
        gain = levers["cost_dense_mha"] / levers["cost_moe_mla"]
        numbers["levers"] = gain.named(
            "cost of a dense model with a full cache against experts and a latent one", unit="×"
        )
    params = {"model": model, "gpu": gpu, "gpus": gpus, "price": price, "context": context}
    meta = {"assumptions": list(serving.ASSUMPTIONS), "left_out": list(serving.LEFT_OUT)}
    return Trace("shared_read", arrays, numbers, params, meta=meta)


def _at_each(
    users: np.ndarray, step: np.ndarray, cost: np.ndarray, inputs: tuple[Quantity, ...]
) -> dict[str, Quantity]:
    """Users, step (ms), cost, speed and gains at every size of the crowd."""
    numbers: dict[str, Quantity] = {}
    for index, count in enumerate(users):
        shown, about = int(count), f"with {int(count)} users on a GPU"
        numbers |= {
            f"users_{shown}": computed(shown, "user", "a power of two", name="users that share a step"),
            f"step_{shown}": computed(
                float(step[index] * 1e3), "ms", "serving model", inputs, name=f"one step, {about}"
            ),
            f"cost_{shown}": computed(float(cost[index]), DOLLARS, "rent / speed", inputs, name=f"cost, {about}"),
            f"speed_{shown}": computed(
                float(1 / step[index]), "token/s", "1 / step", inputs, name=f"user's speed, {about}"
            ),
            f"longer_{shown}": computed(
                float(step[index] / step[0]), "×", "step / step alone", inputs, name=f"step, {about}"
            ),
            f"cheaper_{shown}": computed(
                float(cost[0] / cost[index]), "×", "cost alone / cost", inputs, name=f"gain {about}"
            ),
        }
    return numbers


# ---------------------------------------------------------------------- list prices over time
#: Line → (entry of the facts on prices, field, name of the listing).
LINES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "deepseek": (
        ("v2", "out", "V2"),
        ("v3", "out", "V3"),
        ("v3_1", "out", "V3.1"),
        ("v3_2", "out", "V3.2"),
        ("v4_flash_launch", "out", "V4-Flash"),
        ("v4_flash_2026_08", "out", "V4-Flash"),
        ("v4_1_flash", "out", "V4.1-Flash"),
    ),
    "deepseek_peak": (
        ("v4_flash_2026_08", "peak_out", "V4-Flash, peak"),
        ("v4_1_flash", "peak_out", "V4.1-Flash, peak"),
    ),
    "deepseek_large": (
        ("r1", "out", "R1"),
        ("v4_pro_launch", "out", "V4-Pro"),
        ("v4_pro_cut", "out", "V4-Pro"),
        ("v4_pro_2026_08", "out", "V4-Pro"),
    ),
    "others": (
        ("gpt4", "out", "GPT-4"),
        ("gpt4_turbo", "out", "GPT-4 Turbo"),
        ("gpt4o", "out", "GPT-4o"),
        ("gpt4o_mini", "out", "GPT-4o-mini"),
        ("gpt4o_2024_08", "out", "GPT-4o"),
        ("o1", "out", "o1"),
        ("o3_mini", "out", "o3-mini"),
        ("o3", "out", "o3"),
        ("gpt4_1", "out", "GPT-4.1"),
        ("gpt5", "out", "GPT-5"),
        ("gpt5_2", "out", "GPT-5.2"),
        ("gpt5_4", "out", "GPT-5.4"),
        ("gpt5_5", "out", "GPT-5.5"),
        ("gpt5_6", "sol_out", "GPT-5.6 Sol"),
        ("gpt5_6", "luna_out", "GPT-5.6 Luna"),
        ("gpt6_astra", "out", "GPT-6 Astra"),
        ("gpt6_sol", "out", "GPT-6 Sol"),
        ("gpt6_luna", "out", "GPT-6 Luna"),
        ("gpt6_2", "astra_out", "GPT-6.2 Astra"),
        ("claude3_opus", "out", "Claude 3 Opus"),
        ("claude3_5_sonnet", "out", "Claude 3.5 Sonnet"),
        ("haiku4_5", "out", "Claude Haiku 4.5"),
        ("opus4_5", "out", "Claude Opus 4.5"),
        ("fable5", "out", "Claude Fable 5"),
        ("opus5_5", "out", "Claude Opus 5.5"),
        ("sonnet5_5", "out", "Claude Sonnet 5.5"),
        ("haiku5_5", "out", "Claude Haiku 5.5"),
        ("gemini1_5_pro", "out", "Gemini 1.5 Pro"),
        ("gemini2_flash", "out", "Gemini 2.0 Flash"),
        ("gemini2_5_pro", "out", "Gemini 2.5 Pro"),
        ("gemini2_5_flash", "out", "Gemini 2.5 Flash"),
        ("gemini3_pro", "out", "Gemini 3 Pro"),
        ("gemini3_8_flash", "out", "Gemini 3.8 Flash"),
    ),
}


def price_history() -> Trace:
    """List prices of output tokens since 2023, each at the day from which it held; only prices of a known day.

    Arrays for each line L of `LINES`: ``price_L`` in USD a million tokens, ``day_L`` (the date's ordinal) and
    ``vendor_read_L`` (whether the vendor's own page or table was read), all over ``listing``, in order of days.
    """
    arrays: dict[str, NamedArray] = {}
    numbers: dict[str, Quantity] = {}
    for line, listings in LINES.items():
        rows = []
        for key, field, name in listings:
            entry = facts.entry(f"prices.{key}")
            quantity = entry.quantity(field)
            rows.append((date.fromisoformat(entry.text("from")).toordinal(), quantity, name))
            numbers[f"{key}_{field}"] = quantity
        rows.sort(key=lambda row: row[0])
        labels = {"listing": tuple(name for _, _, name in rows)}
        primary = [quantity.origin.confidence == "primary" for _, quantity, _ in rows]  # type: ignore[union-attr]
        arrays |= {
            f"price_{line}": NamedArray(
                np.array([float(q) for _, q, _ in rows]), ("listing",), unit=DOLLARS, labels=labels
            ),
            f"day_{line}": NamedArray(np.array([day for day, _, _ in rows]), ("listing",), unit="day", labels=labels),
            f"vendor_read_{line}": NamedArray(np.array(primary), ("listing",), labels=labels),
        }
    first, floor = numbers["gpt4_out"], numbers["haiku5_5_out"]
    ratios = {
        "first_to_floor": (first / floor, "GPT-4's first price against today's lowest"),
        "gpt4_to_v2": (first / numbers["v2_out"], "GPT-4 against V2, output"),
        "o1_to_r1": (numbers["o1_out"] / numbers["r1_out"], "o1 against R1, output"),
    }
    numbers |= {key: ratio.named(words, unit="×") for key, (ratio, words) in ratios.items()}
    began, fell = (date.fromisoformat(facts.entry(f"prices.{key}").text("from")) for key in ("gpt4", "haiku5_5"))
    numbers["first_to_floor_years"] = computed(
        (fell - began).days / DAYS_OF_A_YEAR, "year", "days between / 365.25", (first, floor), name="years of that fall"
    )
    meta = {"note": "list prices; no batch or provider discounts; a price a token is not a price a task"}
    return Trace("price_history", arrays, numbers, {}, meta=meta)


# ---------------------------------------------------------------------- a start-up's month
#: Key of the facts on prices → (prefix of its fields, name).
OFFERS: dict[str, tuple[str, str]] = {
    "v4_1_flash": ("", "DeepSeek V4.1-Flash"),
    "gpt6_luna": ("", "GPT-6 Luna"),
    "haiku5_5": ("", "Claude Haiku 5.5"),
    "opus5_5": ("", "Claude Opus 5.5"),
}
WORKLOADS = ("answers", "agent", "documents")


def startup_month(
    *,
    answers: int = 100_000,
    answer_input: int = 3_000,
    answer_output: int = 300,
    answer_cached: float = 0.7,
    steps: int = 22_000,
    step_input: int = 60_000,
    step_output: int = 800,
    step_cached: float = 0.9,
    documents: int = 50_000,
    document_input: int = 20_000,
    document_output: int = 1_000,
    thinking: float = 10.0,
) -> Trace:
    """A month of three made-up workloads at list prices of November 2026 (DeepSeek: off-peak).

    Customer answers, steps of a coding agent, documents read once. Counts are requests a month, lengths are tokens,
    ``…_cached`` is the share of the input read from the vendor's cache, ``thinking`` by how much output grows if the
    model thinks first. The prices are cited, the workloads are assumptions.

    Arrays: ``cost`` (workload, offer) in USD.
    """
    requests = {"answers": answers, "agent": steps, "documents": documents}
    lengths = {
        "answers": (answer_input, answer_cached, answer_output),
        "agent": (step_input, step_cached, step_output),
        "documents": (document_input, 0.0, document_output),
    }
    numbers: dict[str, Quantity] = {}
    costs = np.zeros((len(WORKLOADS), len(OFFERS)))
    for row, work in enumerate(WORKLOADS):
        for column, (key, (prefix, name)) in enumerate(OFFERS.items()):
            bill = month(requests[work], *lengths[work], key, prefix)
            numbers[f"{work}_{key}"] = bill.named(f"a month of {work}, {name}")
            costs[row, column] = bill.value
    numbers |= _other_months(answers, answer_input, answer_cached, answer_output, thinking)
    numbers["agent_uncached"] = month(steps, step_input, 0.0, step_output, "v4_1_flash").named("the agent uncached")
    for key in ("gpt4", "opus5_5", "v4_1_flash"):
        one = numbers[f"answers_{key}"]
        numbers[f"cents_{key}"] = computed(
            one.value / answers * 100, "cent", "a month of answers / answers", (one,), name=f"one answer, {key}"
        )
    given = {"answers": answers, "steps": steps, "documents": documents}
    numbers |= {key: computed(n, "sample", f"assumed {key} a month", name=f"{key} a month") for key, n in given.items()}
    sizes = {"answer_input": answer_input, "answer_output": answer_output, "step_input": step_input}
    sizes["document_input"] = document_input
    numbers |= {
        key: computed(size, "token", "assumed length", name=key.replace("_", ", tokens of its "))
        for key, size in sizes.items()
    }
    numbers["step_cached"] = computed(step_cached, "", "assumed share", name="share of an agent's input that is cached")
    numbers["square"] = computed(10, "USD", "the unit of the picture", name="one square")
    labels = {"workload": WORKLOADS, "offer": tuple(name for _, name in OFFERS.values())}
    arrays = {"cost": NamedArray(costs, ("workload", "offer"), unit="USD", labels=labels)}
    params: dict[str, float] = {"answers": answers, "steps": steps, "documents": documents, "thinking": thinking}
    params |= {"answer_input": answer_input, "answer_output": answer_output, "answer_cached": answer_cached}
    params |= {"step_input": step_input, "step_output": step_output, "step_cached": step_cached}
    params |= {"document_input": document_input, "document_output": document_output}
    return Trace("startup_month", arrays, numbers, params, meta={"note": "workloads are assumptions; list prices"})


def _other_months(
    answers: int, fresh_and_cached: float, cached: float, written: float, thinking: float
) -> dict[str, Quantity]:
    """The answers at GPT-4's first price (it had no cache), and at today's with thinking before them."""
    first = facts.entry("prices.gpt4")
    old = _bill(answers, fresh_and_cached, written, first.quantity("miss"), first.quantity("out"))
    slow = month(answers, fresh_and_cached, cached, written * thinking, "v4_1_flash")
    return {
        "answers_gpt4": old.named("a month of answers at GPT-4's first price"),
        "answers_thinking": slow.named("a month of answers that think first, V4.1-Flash"),
        "thinking": computed(thinking, "×", "assumed growth of the output", name="thinking and answer / answer"),
    }


def month(requests: int, tokens_in: float, cached: float, tokens_out: float, key: str, prefix: str = "") -> Quantity:
    """The bill of so many requests at one vendor's list prices, in USD."""
    entry = facts.entry(f"prices.{key}")
    hit, miss, out = (entry.quantity(prefix + field) for field in ("hit", "miss", "out"))
    return _bill(requests, tokens_in * (1 - cached), tokens_out, miss, out, tokens_in * cached, hit)


def _bill(
    requests: int,
    fresh: float,
    written: float,
    miss: Quantity,
    out: Quantity,
    reread: float = 0.0,
    hit: Quantity | None = None,
) -> Quantity:
    """Tokens times prices; ``fresh``, ``written`` and ``reread`` are tokens of one request."""
    parts = [(fresh, miss), (written, out)] + ([(reread, hit)] if hit is not None else [])
    total = sum(requests * tokens * price.value / 1e6 for tokens, price in parts)
    return computed(total, "USD", "requests × tokens × list prices", tuple(price for _, price in parts))


# ---------------------------------------------------------------------- how many tokens
DAYS_OF_A_MONTH = 30.4


def demand() -> Trace:
    """Tokens a day as Google and China's data office count them, at the first and the last of their figures.

    Google's figures are a month's; here they are divided by 30.4 days. No arrays: the numbers are points, not series.
    """
    google, china = facts.entry("demand.google"), facts.entry("demand.china")
    numbers: dict[str, Quantity] = {}
    for when in ("2024", "2026_05"):
        monthly = google.quantity(f"tokens_{when}")
        daily = monthly.value / DAYS_OF_A_MONTH
        about = f"tokens a day, Google, {google.text(f'from_{when}')}"
        numbers[f"google_{when}"] = computed(daily, "token/day", "tokens a month / 30.4", (monthly,), name=about)
    for when in ("2024", "2026_03"):
        numbers[f"china_{when}"] = china.quantity(f"daily_{when}")
    numbers["google_growth"] = (numbers["google_2026_05"] / numbers["google_2024"]).named("growth, Google", unit="×")
    numbers["china_growth"] = (numbers["china_2026_03"] / numbers["china_2024"]).named("growth, China", unit="×")
    return Trace("demand", {}, numbers, {}, meta={"note": "self-reported; nobody outside can check these counts"})
