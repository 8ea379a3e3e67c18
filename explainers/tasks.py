"""A task whose answers a rule can check: the last digit of a chain of sums and products.

``9 + 4 × 3 − 1 =`` is worked from left to right, keeping the last digit only: 9 → 3 → 9 → 8. An answer is either one
digit at once, or running results between thinking marks and then the digit. The only factor is 3, so that every
operation is a permutation of the ten digits: guessing is right one time in ten, and an error never heals by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explainers.errors import ExplainError

DIGITS = tuple("0123456789")
OPERATIONS = ("+", "−", "×")
TOKENS: tuple[str, ...] = (*DIGITS, *OPERATIONS, "=", "<think>", "</think>", "ok", "<end>", "<pad>")
PLUS, MINUS, TIMES, EQUALS, THINK, UNTHINK, OK, END, PAD = range(10, len(TOKENS))
FACTOR = 3
#: Largest number that is added or taken away. With it there are 90 facts to know, learnt in a minute.
TERM = 4
#: Added to the reward of a correct answer (1) when the answer has the form that a rule can read.
FORMAT_REWARD = 0.1

Ints = NDArray[np.int64]


def text(tokens: Ints | list[int]) -> tuple[str, ...]:
    """Token ids as strings, padding left out."""
    return tuple(TOKENS[int(token)] for token in tokens if token != PAD)


def apply(operation: Ints, operand: Ints, digit: Ints) -> Ints:
    """The last digit of ``digit operation operand``, elementwise."""
    results = (digit + operand, digit - operand, digit * operand)
    return np.select([operation == code for code in (PLUS, MINUS, TIMES)], results) % 10


@dataclass(frozen=True, eq=False)
class Problems:
    """N chains of K operations: ``start`` (N,), ``operations`` (N, K) as token ids, ``operands`` (N, K)."""

    start: Ints
    operations: Ints
    operands: Ints

    def __len__(self) -> int:
        return len(self.start)

    def states(self) -> Ints:
        """The running last digit after each operation, (N, K)."""
        digit, after = self.start, []
        for k in range(self.operations.shape[1]):
            digit = apply(self.operations[:, k], self.operands[:, k], digit)
            after.append(digit)
        return np.stack(after, axis=1)

    def answers(self) -> Ints:
        """The right digits, (N,)."""
        return self.states()[:, -1]

    def prompts(self, room: int | None = None) -> Ints:
        """Token ids: start, operation, operand, …, equals; (N, 2·room + 2).

        A chain shorter than ``room`` operations (default: its own) is filled with padding before the equals sign, so
        that answers start at the same place.
        """
        count, chain = self.operations.shape
        room = chain if room is None else room
        if chain > room:
            raise ExplainError(f"a chain of {chain} operations does not fit room for {room}; raise `operations`")
        tokens = np.full((count, 2 * room + 2), PAD, dtype=np.int64)
        tokens[:, 0] = self.start
        tokens[:, 1 : 2 * chain : 2] = self.operations
        tokens[:, 2 : 2 * chain + 1 : 2] = self.operands
        tokens[:, -1] = EQUALS
        return tokens


def make_problems(rng: np.random.Generator, count: int, operations: int) -> Problems:
    """Random chains; start uniform in 0–9, terms in 1–`TERM`, and `FACTOR`."""
    if count < 1 or operations < 1:
        raise ExplainError(f"{count} problems of {operations} operations cannot be made; ask for at least 1 of each")
    shape = (count, operations)
    codes = rng.choice([PLUS, MINUS, TIMES], shape)
    operands = np.where(codes == TIMES, FACTOR, rng.integers(1, TERM + 1, shape))
    return Problems(rng.integers(0, 10, count), codes, operands)


# ---------------------------------------------------------------------- demonstrations
@dataclass(frozen=True)
class Recipe:
    """How imperfect the demonstrations of the supervised start are (probabilities).

    Parameters
    ----------
    thinking
        An answer is thought out (else the right digit is given at once).
    slip
        A running result is wrong; the chain goes on from the wrong digit.
    checked
        Not a chance but a form: after each result stands ``ok``, or the result once more, and then that one counts.
    noticed
        In checked form, a wrong digit is written once more (``ok`` after a wrong digit otherwise).
    broken
        The answer has a form that no rule can read, or its thinking stops too early.
    pen
        A written result comes out as another digit, by no fault of the writer: those tokens are not learnt.
    """

    thinking: float = 0.3
    slip: float = 0.05
    checked: bool = False
    noticed: float = 0.4
    broken: float = 0.1
    pen: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value <= 1:
                raise ExplainError(f"recipe: {name} is {value}; it is a probability, give 0 to 1")


def demonstrations(rng: np.random.Generator, problems: Problems, recipe: Recipe) -> tuple[Ints, NDArray[np.bool_]]:
    """Answers to imitate: tokens (N, T) padded on the right, and which of them are to be learnt (N, T)."""
    written = [_demonstration(rng, problems, n, recipe) for n in range(len(problems))]
    width = max(len(tokens) for tokens, _ in written)
    tokens = np.full((len(problems), width), PAD, dtype=np.int64)
    learnt = np.zeros((len(problems), width), dtype=bool)
    for row, (ids, mask) in enumerate(written):
        tokens[row, : len(ids)] = ids
        learnt[row, : len(ids)] = mask
    return tokens, learnt


def _demonstration(
    rng: np.random.Generator, problems: Problems, n: int, recipe: Recipe
) -> tuple[list[int], list[bool]]:
    broken = rng.random() < recipe.broken
    if rng.random() >= recipe.thinking:
        tokens = [_answer(problems, n), *([int(rng.integers(10))] if broken else []), END]
        return tokens, [True] * len(tokens)
    chain = problems.operations.shape[1]
    unclosed = broken and rng.random() < 0.5
    steps = int(rng.integers(0, chain)) if broken and not unclosed else chain
    tokens, learnt, standing = [THINK], [True], int(problems.start[n])
    for k in range(steps):
        right = _step(int(problems.operations[n, k]), int(problems.operands[n, k]), standing)
        standing, own = _write(rng, right, recipe)
        tokens.append(standing)
        learnt.append(own)
        if recipe.checked and standing != right and rng.random() < recipe.noticed:
            standing, own = _write(rng, right, recipe)
            tokens.append(standing)
            learnt.append(own)
        elif recipe.checked:
            tokens.append(OK)
            learnt.append(True)
    closing = [standing, END] if unclosed else [UNTHINK, standing, END]
    return tokens + closing, learnt + [True] * len(closing)


def _write(rng: np.random.Generator, right: int, recipe: Recipe) -> tuple[int, bool]:
    """The digit that comes to stand, and whether it is the writer's own."""
    digit = _other(rng, right) if rng.random() < recipe.slip else right
    return (_other(rng, digit), False) if rng.random() < recipe.pen else (digit, True)


def _answer(problems: Problems, n: int) -> int:
    digit = int(problems.start[n])
    for operation, operand in zip(problems.operations[n].tolist(), problems.operands[n].tolist(), strict=True):
        digit = _step(operation, operand, digit)
    return digit


def _step(operation: int, operand: int, digit: int) -> int:
    return (digit + operand, digit - operand, digit * operand)[operation - PLUS] % 10


def _other(rng: np.random.Generator, digit: int) -> int:
    return (digit + int(rng.integers(1, 10))) % 10


# ---------------------------------------------------------------------- reading and rewarding
@dataclass(frozen=True)
class Reading:
    """What a rule reads in one answer.

    ``readable``: ``[<think> … </think>] digit <end>`` and nothing else. ``correct``: readable, and the digit is
    right. ``steps``: running results (rewritten ones counted once); ``slips``: those that do not follow from the
    standing digit; ``rewrites``: results written once more; ``fixed``: slips where the second try is right;
    ``needless``: rewrites of a right digit. ``length``: tokens up to and with ``<end>``.
    """

    readable: bool
    correct: bool
    thought: bool
    answer: int
    length: int
    steps: int
    slips: int
    fixed: int
    rewrites: int
    needless: int

    @property
    def reward(self) -> float:
        """1 for a correct answer plus `FORMAT_REWARD` for a readable one; thinking itself is not paid."""
        return float(self.correct) + FORMAT_REWARD * float(self.readable)


def read(problems: Problems, n: int, tokens: Ints, checked: bool = False) -> Reading:
    """Check the answer ``tokens`` (T,) to problem ``n`` by rule; ``checked`` as in `Recipe`."""
    ids = tokens.tolist()
    length = ids.index(END) + 1 if END in ids else len(ids)
    ids = ids[:length]
    thought = ids[0] == THINK
    close = ids.index(UNTHINK) if thought and UNTHINK in ids else 0
    tail = ids[close + 1 :] if thought else ids
    marks = ids.count(THINK) + ids.count(UNTHINK) == (2 if thought else 0)
    readable = marks and (close > 0) == thought and len(tail) == 2 and tail[0] < 10 and tail[1] == END
    answer = tail[0] if readable else -1
    followed = _follow(problems, n, ids[1 : close or length], checked) if thought else (0, 0, 0, 0, 0)
    correct = readable and answer == _answer(problems, n)
    return Reading(readable, correct, thought, answer, length, *followed)


def _follow(problems: Problems, n: int, thinking: list[int], checked: bool) -> tuple[int, int, int, int, int]:
    """Steps, slips, fixed slips, rewritten and needlessly rewritten results of a train of thought."""
    chain = problems.operations.shape[1]
    operations, operands = problems.operations[n].tolist(), problems.operands[n].tolist()
    standing, place = int(problems.start[n]), 0
    steps = slips = fixed = rewrites = needless = 0
    while place < len(thinking) and steps < chain:
        token, place = thinking[place], place + 1
        if token >= 10:
            continue
        right = _step(operations[steps], operands[steps], standing)
        standing, steps, slips = token, steps + 1, slips + (token != right)
        if checked and place < len(thinking) and thinking[place] < 10:
            rewrites += 1
            needless += standing == right
            fixed += standing != right and thinking[place] == right
            standing, place = thinking[place], place + 1
    return steps, slips, fixed, rewrites, needless


def read_all(problems: Problems, tokens: Ints, checked: bool = False) -> list[Reading]:
    """One `Reading` for each row of ``tokens`` (N·G, T); each problem has the same number of consecutive rows."""
    group, rest = divmod(len(tokens), len(problems))
    if rest:
        raise ExplainError(f"{len(tokens)} answers cannot be shared by {len(problems)} problems; give a multiple")
    return [read(problems, row // group, tokens[row], checked) for row in range(len(tokens))]


def ceiling(slip: float, operations: int) -> float:
    """The accuracy of a perfect writer whose running results stand wrongly with probability ``slip``.

    ``slip`` is the pen's for one who never rewrites, its square for one who rewrites whatever is wrong. Every
    operation is a permutation of the digits, so the chance of a right digit follows
    p ← p·(1 − slip) + (1 − p)·slip/9 from 1, once per operation.
    """
    right = 1.0
    for _ in range(operations):
        right = right * (1 - slip) + (1 - right) * slip / 9
    return right
