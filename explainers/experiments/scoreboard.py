"""Runs about scores: questions checked as benchmarks check them, tries, luck, and what a score costs."""

from __future__ import annotations

import math

import numpy as np

from explainers import facts, questions, runs
from explainers.errors import ExplainError
from explainers.intervals import standard_error, wilson
from explainers.pass_at_k import pass_at_k
from explainers.quantities import Quantity, computed
from explainers.traces import NamedArray, Trace


# ---------------------------------------------------------------------- what is asked, and how it is checked
def question_checks() -> Trace:
    """Runs the candidate programs on their cases; counts the mathematics and the logic question by trying everything.

    Arrays: ``passed`` (candidate, case), ``returned`` (candidate, case; −1 where it raised), ``expected`` (case,),
    ``start`` and ``end`` (case, shift; −1 where a case has fewer shifts), ``left_out`` (choice,) groups without an
    expert, ``world`` (world, speaker), ``consistent`` (world,). ``meta["code"]`` has the lines that ran.
    """
    names, cases = tuple(questions.CANDIDATES), tuple(questions.CASES)
    expected = [questions.rest_by_hours(shifts) for shifts in questions.CASES.values()]
    answers = [
        [questions.run_case(candidate, shifts) for shifts in questions.CASES.values()]
        for candidate in questions.CANDIDATES.values()
    ]
    returned = np.array([[-1 if value is None else value for value in row] for row in answers])
    passed = returned == np.array(expected)
    most = max(map(len, questions.CASES.values()))
    edges = np.full((2, len(cases), most), -1)
    for case, shifts in enumerate(questions.CASES.values()):
        edges[:, case, : len(shifts)] = np.array(shifts).T
    both = {"candidate": names, "case": cases}
    teams, worlds = questions.Teams(), questions.worlds()
    left_out = np.array(teams.left_out())
    arrays = {
        "passed": NamedArray(passed, ("candidate", "case"), labels=both),
        "returned": NamedArray(returned, ("candidate", "case"), unit="h", labels=both),
        "expected": NamedArray(np.array(expected), ("case",), unit="h", labels={"case": cases}),
        "start": NamedArray(edges[0], ("case", "shift"), unit="h", labels={"case": cases}),
        "end": NamedArray(edges[1], ("case", "shift"), unit="h", labels={"case": cases}),
        "left_out": NamedArray(left_out, ("choice",)),
        "world": NamedArray(np.array(worlds), ("world", "speaker"), labels={"speaker": questions.SPEAKERS}),
        "consistent": NamedArray(np.array([questions.consistent(world) for world in worlds]), ("world",)),
    }
    code = {name: list(questions.code_of(candidate)) for name, candidate in questions.CANDIDATES.items()}
    numbers = _passes(passed) | _key(teams, left_out) | _letter(worlds)
    meta = {
        "question": questions.CODING_QUESTION,
        "code": code,
        "statements": {who: words for who, (words, _) in questions.STATEMENTS.items()},
        "choices": {letter: list(who) for letter, who in questions.CHOICES.items()},
    }
    return Trace("question_checks", arrays, numbers, meta=meta)


def _passes(passed: np.ndarray) -> dict[str, Quantity]:
    numbers = {"cases": computed(passed.shape[1], "", "cases that each candidate is run on")}
    for index, name in enumerate(questions.CANDIDATES):
        key = name.replace(",", "").replace(" ", "_")
        numbers[f"passed_{key}"] = computed(int(passed[index].sum()), "", f"cases passed by the one that {name}")
    return numbers


def _key(teams: questions.Teams, left_out: np.ndarray) -> dict[str, Quantity]:
    return {
        "experts": computed(teams.experts, "", "experts in the question", name="experts to choose from"),
        "groups": computed(teams.groups, "", "groups in the question"),
        "chosen": computed(teams.chosen, "", "experts chosen in the question"),
        "choices": computed(len(left_out), "", "all choices, tried one after the other"),
        "key": computed(int((left_out > 0).sum()), "", "choices that leave at least one group out, counted"),
        "slip": computed(teams.naive(), "", "groups × choices from the rest, which counts some choices twice"),
        "twice": computed(int((left_out > 1).sum()), "", "choices that leave two groups out, counted"),
    }


def _letter(worlds: list[tuple[bool, ...]]) -> dict[str, Quantity]:
    letters = questions.right_letters()
    if len(letters) != 1:
        raise ExplainError(f"the logic question has {len(letters)} right letters; rewrite its statements or choices")
    offered = list(questions.CHOICES)
    return {
        "worlds": computed(len(worlds), "", "ways to tell the truth or to lie"),
        "worlds_consistent": computed(sum(map(questions.consistent, worlds)), "", "ways without a contradiction"),
        "letter": computed(offered.index(letters[0]), "", "place of the right letter, by trying all ways"),
        "letters": computed(len(offered), "", "letters offered"),
        "guessing": computed(100 / len(offered), "%", "chance of a blind guess among the letters"),
    }


# ---------------------------------------------------------------------- one try or many
def tries(*, seed: int = 0) -> Trace:
    """The recorded answers of the small model before GRPO, scored by one try, by vote and by any of k.

    From `grpo_group`: ``answer`` (sample,), −1 unreadable, to one problem. From `pass_at_k` (its first training,
    answers as the model likes): ``first_right`` (problem,), the place of the first right answer when each problem's
    recorded answers are put in an order drawn by lot (``seed``); one more than all where none is right.
    ``solved`` (k, problem) whether one of the first k is right; ``chance`` (k, problem) the unbiased pass@k.
    """
    group, scored = runs.get("grpo_group"), runs.get("pass_at_k")
    samples = int(scored.quantity("samples").value)
    correct = scored["correct"].values[0, 0, 0]
    first = first_right(correct, samples, np.random.default_rng(seed))
    ks = [int(k) for k in scored["score"].labels["k"]]
    labels = {"k": tuple(map(str, ks))}
    solved = first[None, :] <= np.array(ks)[:, None]
    chance = np.stack([pass_at_k(correct, samples, k) for k in ks])
    arrays = {
        "answer": NamedArray(group["answer"].values, ("sample",)),
        "first_right": NamedArray(first, ("problem",)),
        "solved": NamedArray(solved, ("k", "problem"), labels=labels),
        "chance": NamedArray(chance, ("k", "problem"), labels=labels),
    }
    numbers = {
        f"lit_{k}": computed(int(solved[i].sum()), "", f"problems with a right one among {k}, one draw")
        for i, k in enumerate(ks)
    }
    numbers |= {
        f"pass_{k}": computed(float(chance[i].mean() * 100), "%", f"unbiased pass@{k}") for i, k in enumerate(ks)
    }
    numbers |= {f"k_{k}": computed(k, "", "tries, a setting") for k in ks}
    vote = float(scored["score"].values[0, 0, 0, 1, -1])
    numbers |= {
        "vote": computed(vote * 100, "%", f"problems whose most frequent answer of {samples} is right"),
        "samples": computed(samples, "", "answers to each problem"),
        "problems": computed(len(correct), "", "problems"),
    }
    numbers |= _group_numbers(group["answer"].values, int(group["running"].values[-1]))
    return Trace("tries", arrays, numbers, {"seed": seed}, seed, meta={"records": [group.digest, scored.digest]})


def _group_numbers(answers: np.ndarray, right: int) -> dict[str, Quantity]:
    votes = np.bincount(answers[answers >= 0], minlength=10)
    order = np.argsort(-votes, kind="stable")
    return {
        "right": computed(right, "", "the problem's answer, computed"),
        "group": computed(len(answers), "", "answers in the group"),
        "group_right": computed(int((answers == right).sum()), "", "right answers in the group"),
        "group_share": computed(100 * float((answers == right).mean()), "%", "right answers / answers"),
        "winner": computed(int(order[0]), "", "most frequent answer"),
        "winner_votes": computed(int(votes[order[0]]), "", "its votes"),
        "runner_up_votes": computed(int(votes[order[1]]), "", "votes of the next"),
    }


def first_right(correct: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """The place of the first right answer in a random order of ``samples`` with ``correct`` (N,) right ones."""
    order = rng.random((len(correct), samples)).argsort(axis=1)
    right = order < np.asarray(correct)[:, None]
    return np.where(right.any(axis=1), right.argmax(axis=1) + 1, samples + 1)


# ---------------------------------------------------------------------- luck
def exams(*, seed: int = 0, count: int = 60) -> Trace:
    """The same model sits the same kind of exam again and again: `SMALL_TEST` problems, one answer each.

    The small model before GRPO, made to think; problems are drawn from the recorded ones without replacement, and
    each is right with the share of its recorded answers that are. ``score`` (exam,) in %; ``asked`` and
    ``right`` (exam, problem) are flags.
    Numbers: what chance alone does (binomial), and the intervals of published scores on tests of known size.
    """
    if count < 2:
        raise ExplainError(f"count is {count}; give at least two exams, so that they can differ")
    scored = runs.get("pass_at_k")
    samples, size = int(scored.quantity("samples").value), int(scored.quantity("small_test").value)
    correct = scored["correct"].values[0, 0, 1]
    rng = np.random.default_rng(seed)
    asked, right = (np.zeros((count, len(correct)), np.bool_) for _ in range(2))
    for exam in range(count):
        chosen = rng.permutation(len(correct))[:size]
        asked[exam, chosen] = True
        right[exam, chosen] = rng.random(size) < correct[chosen] / samples
    scores = right.sum(axis=1) / size * 100
    share = float(correct.mean() / samples)
    numbers = {
        "questions": computed(size, "", "problems in each exam, a setting"),
        "exams": computed(count, "", "exams, a setting"),
        "first": computed(float(scores[0]), "%", "score of the first exam"),
        "second": computed(float(scores[1]), "%", "score of the second exam"),
        "lowest": computed(float(scores.min()), "%", "lowest score"),
        "highest": computed(float(scores.max()), "%", "highest score"),
        "spread": computed(float(scores.std(ddof=1)), "%", "standard deviation of the scores"),
        "truth": computed(share * 100, "%", "right answers of all recorded ones"),
        "binomial": computed(standard_error(share, size) * 100, "%", "√(p·(1 − p)/n)"),
    }
    numbers |= _published_intervals()
    arrays = {
        "score": NamedArray(scores, ("exam",), unit="%"),
        "asked": NamedArray(asked, ("exam", "problem")),
        "right": NamedArray(right, ("exam", "problem")),
    }
    return Trace("exams", arrays, numbers, {"seed": seed, "count": count}, seed, meta={"records": [scored.digest]})


#: Name → (reference of a published score, reference of how many questions the test has).
PUBLISHED = {
    "r1": ("benchmarks.r1.aime_2024.deepseek_r1", "benchmarks.test_sizes.aime_2024"),
    "o1": ("benchmarks.r1.aime_2024.o1_1217", "benchmarks.test_sizes.aime_2024"),
    "swe_vendor": ("benchmarks.independent_swe_v4.vendor", "benchmarks.test_sizes.swe_bench_verified"),
    "swe_aggregator": ("benchmarks.independent_swe_v4.aggregator", "benchmarks.test_sizes.swe_bench_verified"),
    "swe_caisi": ("benchmarks.independent_swe_v4.caisi", "benchmarks.test_sizes.swe_bench_verified"),
}


def _published_intervals() -> dict[str, Quantity]:
    """For each of `PUBLISHED`: ends of the binomial interval, its standard error in points, questions solved."""
    numbers: dict[str, Quantity] = {"one_question": computed(1, "question", "the unit of the picture", name="one")}
    for key, (score_at, size_at) in PUBLISHED.items():
        score, size = facts.quantity(score_at), facts.quantity(size_at)
        low, high = wilson(float(score) / 100, int(size))
        error = standard_error(float(score) / 100, int(size))
        about = "95 % binomial interval (Wilson)"
        numbers |= {
            f"{key}_low": computed(low * 100, "%", f"lower end of the {about}", (score, size)),
            f"{key}_high": computed(high * 100, "%", f"upper end of the {about}", (score, size)),
            f"{key}_error": computed(error * 100, "%", "√(p·(1 − p)/n)", (score, size)),
            f"{key}_solved": computed(float(score) / 100 * float(size), "question", "score × questions", (score, size)),
        }
    whole = facts.quantity(PUBLISHED["swe_vendor"][1])
    audited, flawed = (facts.quantity(f"benchmarks.swe_bench_audit.{name}") for name in ("audited", "flawed"))
    seen = float(whole) * float(audited) / 100
    numbers["audited"] = computed(seen, "question", "questions × share audited", (whole, audited))
    numbers["flawed"] = computed(seen * float(flawed) / 100, "question", "audited × share flawed", (audited, flawed))
    r1, o1 = (facts.quantity(PUBLISHED[name][0]) for name in ("r1", "o1"))
    size = facts.quantity(PUBLISHED["r1"][1])
    apart = (float(r1) - float(o1)) / 100 * float(size)
    highest, lowest = (facts.quantity(PUBLISHED[name][0]) for name in ("swe_vendor", "swe_caisi"))
    numbers["swe_apart"] = (highest - lowest).named("highest − lowest of three scores of one model")
    numbers["questions_apart"] = computed(apart, "", "(score − score) × questions", (r1, o1, size))
    return numbers


# ---------------------------------------------------------------------- what a score costs
#: Model → (row of the table of tokens, reference of its price of output).
THINKERS = {
    "gpt_5": ("gpt_5_high", "prices.gpt5.out"),
    "gemini_3": ("gemini_3_0_pro", "prices.gemini3_pro.out"),
    "kimi_k2": ("kimi_k2_thinking", "prices.kimi_k2.k2_out"),
    "v3_2": ("deepseek_v3_2", "prices.v3_2.out"),
}


def score_cost() -> Trace:
    """AIME 2025: score against dollars a problem, output tokens (in V3.2's report) × list price at the time.

    Arrays over ``model``: ``score`` (%), ``tokens``, ``price`` (USD a million tokens), ``cost`` (USD a problem).
    A score's ``spread`` is the binomial standard error on as many questions as AIME 2024 has.
    """
    size = facts.quantity("benchmarks.test_sizes.aime_2024")
    table = facts.table("benchmarks.v32_tokens").labels
    names = tuple(table[row] for row, _ in THINKERS.values())
    columns: dict[str, list[float]] = {"score": [], "tokens": [], "price": [], "cost": []}
    numbers: dict[str, Quantity] = {}
    for key, (row, price_at) in THINKERS.items():
        score = facts.quantity(f"benchmarks.v32_tokens.{row}.aime_2025_score")
        thousands = facts.quantity(f"benchmarks.v32_tokens.{row}.thousand_tokens")
        price = facts.quantity(price_at)
        error = standard_error(float(score) / 100, int(size)) * 100
        cost = float(thousands) * 1e3 * float(price) / 1e6
        numbers |= {
            f"score_{key}": computed(float(score), "%", "as published", (score, size), spread=error),
            f"cost_{key}": computed(cost, "USD", "tokens a problem × price", (thousands, price)),
        }
        for name, value in zip(columns, (float(score), float(thousands) * 1e3, float(price), cost), strict=True):
            columns[name].append(value)
    units = {"score": "%", "tokens": "token", "price": "USD/million tokens", "cost": "USD"}
    arrays = {
        name: NamedArray(np.array(values), ("model",), unit=units[name], labels={"model": names})
        for name, values in columns.items()
    }
    costs = {key: numbers[f"cost_{key}"] for key in THINKERS}
    dearest, cheapest = max(costs.values(), key=float), min(costs.values(), key=float)
    numbers |= {
        "points_apart": computed(max(columns["score"]) - min(columns["score"]), "%", "highest − lowest score"),
        "times": computed(float(dearest) / float(cheapest), "×", "dearest / cheapest", (dearest, cheapest)),
        "error": computed(
            math.fsum(numbers[f"score_{key}"].spread or 0 for key in THINKERS) / len(THINKERS),
            "%",
            "mean binomial standard error",
        ),
    }
    return Trace("score_cost", arrays, numbers)
