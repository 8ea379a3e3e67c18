import numpy as np
import pytest

from explainers.errors import ExplainError
from explainers.reasoning import measure
from explainers.tasks import (
    END,
    PAD,
    TOKENS,
    Problems,
    Recipe,
    ceiling,
    demonstrations,
    make_problems,
    read,
    read_all,
    text,
)


def chain(expression: str) -> Problems:
    """``"4 + 8 × 7"`` as a problem."""
    words = expression.split()
    operations = np.array([[TOKENS.index(word) for word in words[1::2]]])
    return Problems(np.array([int(words[0])]), operations, np.array([[int(word) for word in words[2::2]]]))


def ids(answer: str) -> np.ndarray:
    return np.array([TOKENS.index(word) for word in answer.split()])


def test_running_digits_are_worked_from_left_to_right():
    problem = chain("4 + 8 × 7 − 5")
    assert problem.states().tolist() == [[2, 4, 9]]
    assert text(problem.prompts()[0]) == ("4", "+", "8", "×", "7", "−", "5", "=")


def test_short_chains_are_filled_before_the_equals_sign():
    prompt = chain("4 + 8").prompts(3)[0]
    assert prompt.tolist()[3:7] == [PAD] * 4 and text(prompt) == ("4", "+", "8", "=")
    with pytest.raises(ExplainError, match="room for 3"):
        chain("1 + 1 + 1 + 1 + 1").prompts(3)


def test_answers_are_uniform_so_that_guessing_is_right_one_time_in_ten():
    counts = np.bincount(make_problems(np.random.default_rng(0), 20_000, 6).answers(), minlength=10)
    assert abs(counts / 20_000 - 0.1).max() < 0.01


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("9 <end>", {"readable": True, "correct": True, "thought": False, "length": 2}),
        ("8 <end>", {"readable": True, "correct": False, "answer": 8}),
        (
            "<think> 2 4 9 </think> 9 <end>",
            {"readable": True, "correct": True, "thought": True, "steps": 3, "slips": 0},
        ),
        ("<think> 2 5 0 </think> 0 <end>", {"correct": False, "readable": True, "slips": 1, "fixed": 0}),
        ("<think> 2 4 9 9 <end>", {"readable": False, "correct": False, "thought": True}),
        ("<think> 2 4 9 </think> 9", {"readable": False, "correct": False}),
        ("9 9 <end>", {"readable": False}),
        ("<end>", {"readable": False, "length": 1}),
        ("<think> </think> 9 <end>", {"readable": True, "correct": True, "steps": 0}),
        ("<think> 2 </think> <think> 9 <end>", {"readable": False}),
    ],
)
def test_rules_read_an_answer(answer, expected):
    reading = read(chain("4 + 8 × 7 − 5"), 0, ids(answer))
    assert {name: getattr(reading, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("thought", "expected"),
    [
        ("2 ok 4 ok 9 ok", {"steps": 3, "slips": 0, "rewrites": 0}),
        ("2 ok 5 4 9 ok", {"steps": 3, "slips": 1, "fixed": 1, "rewrites": 1, "needless": 0}),
        ("2 ok 5 6 9 ok", {"slips": 2, "fixed": 0, "rewrites": 1}),
        ("2 ok 4 4 9 ok", {"steps": 3, "slips": 0, "fixed": 0, "rewrites": 1, "needless": 1}),
        ("2 ok 5 ok 0 ok", {"slips": 1, "rewrites": 0}),
        ("2 ok 4", {"steps": 2, "slips": 0}),
    ],
)
def test_rules_read_second_tries(thought, expected):
    reading = read(chain("4 + 8 × 7 − 5"), 0, ids(f"<think> {thought} </think> 9 <end>"), checked=True)
    assert reading.correct
    assert {name: getattr(reading, name) for name in expected} == expected


def test_rewards_pay_correctness_and_form_but_not_thinking():
    problem = chain("4 + 8 × 7 − 5")
    rewards = [read(problem, 0, ids(a)).reward for a in ("9 <end>", "<think> 2 4 9 </think> 9 <end>", "8 <end>", "9")]
    assert rewards == pytest.approx([1.1, 1.1, 0.1, 0.0])


def test_what_follows_the_end_is_not_read():
    assert read(chain("4 + 8 × 7 − 5"), 0, np.array([9, END, PAD, PAD])).correct


def test_demonstrations_without_flaws_are_right():
    problems = make_problems(np.random.default_rng(1), 200, 5)
    flawless = Recipe(thinking=0.5, slip=0, broken=0)
    tokens, learnt = demonstrations(np.random.default_rng(2), problems, flawless)
    rates = measure(read_all(problems, tokens))
    assert rates["accuracy"] == rates["readable"] == 1 and rates["slip_rate"] == 0
    assert (learnt == (tokens != PAD)).all()


def test_demonstrations_have_the_flaws_that_the_recipe_says():
    problems = make_problems(np.random.default_rng(3), 6000, 6)
    recipe = Recipe(thinking=0.4, slip=0.1, checked=True, noticed=0.5, broken=0.1)
    tokens, _ = demonstrations(np.random.default_rng(4), problems, recipe)
    rates = measure(read_all(problems, tokens, checked=True))
    assert rates["thinking"] == pytest.approx(0.4, abs=0.02)
    assert rates["slip_rate"] == pytest.approx(0.1, abs=0.01)
    assert rates["fix_rate"] == pytest.approx(0.5 * 0.9, abs=0.03)
    assert rates["needless"] == 0
    assert 0.9 < rates["readable"] < 0.96


def test_slips_of_the_pen_are_not_learnt():
    problems = make_problems(np.random.default_rng(5), 500, 6)
    tokens, learnt = demonstrations(np.random.default_rng(6), problems, Recipe(thinking=1, slip=0, broken=0, pen=0.2))
    readings = read_all(problems, tokens)
    assert (~learnt & (tokens != PAD)).sum() == sum(reading.slips for reading in readings) > 300


@pytest.mark.parametrize(("noticed", "slip"), [(0.0, 0.1), (1.0, 0.01)])
def test_ceilings_are_what_perfect_writers_reach_who_never_or_always_rewrite(noticed, slip):
    problems = make_problems(np.random.default_rng(7), 10_000, 6)
    recipe = Recipe(thinking=1, slip=0, checked=True, noticed=noticed, broken=0, pen=0.1)
    tokens, _ = demonstrations(np.random.default_rng(8), problems, recipe)
    accuracy = measure(read_all(problems, tokens, checked=True))["accuracy"]
    assert accuracy == pytest.approx(ceiling(slip, 6), abs=0.015)


def test_wrong_settings_are_refused_by_name():
    with pytest.raises(ExplainError, match="slip is 1.5"):
        Recipe(slip=1.5)
    with pytest.raises(ExplainError, match="0 problems"):
        make_problems(np.random.default_rng(0), 0, 3)
    with pytest.raises(ExplainError, match="3 answers cannot be shared by 2"):
        read_all(make_problems(np.random.default_rng(0), 2, 3), np.zeros((3, 2), int))
