"""How an answer is checked: by comparing it with a key, or by running it on cases whose results are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from manim import DOWN, LEFT, RIGHT, UP, AnimationGroup, FadeIn, LaggedStart, Line, RoundedRectangle, VGroup, VMobject

from explainers.errors import ExplainError
from explainers.quantities import Quantity
from explainers.traces import NamedArray
from scenes.kit import theme
from scenes.kit.axes import Axis
from scenes.kit.binding import Bound, DataBound, as_array, as_quantity, quantity_at
from scenes.kit.marks import verdict
from scenes.kit.numbers import NumberLabel
from scenes.kit.text import Label


class Spans(DataBound, VGroup):
    """Stretches of time as bars on one scale, one above the other, and the longest stretch without any.

    >>> Spans(trace["start"].pick(case=0), trace["end"].pick(case=0), low=6, high=22, width=3)

    Parameters
    ----------
    start, end
        ``(span,)`` in one unit; a span that starts below zero is not there.
    gap_shown
        Mark the longest time in which nothing lies between the first start and the last end.
    """

    def __init__(
        self,
        start: NamedArray,
        end: NamedArray,
        *,
        low: float,
        high: float,
        width: float = 2.0,
        thickness: float = 0.13,
        pitch: float = 0.19,
        role: str = "token",
        gap_role: str = "accent",
    ) -> None:
        super().__init__()
        as_array(start, "Spans", 1), as_array(end, "Spans", 1)
        if start.values.shape != end.values.shape:
            raise ExplainError(f"spans need as many ends as starts, not {len(end.values)} for {len(start.values)}")
        self.bound = Bound((start, end))
        pairs = [(float(a), float(b)) for a, b in zip(start.values, end.values, strict=True) if a >= 0]
        if not pairs or any(a >= b for a, b in pairs):
            raise ExplainError(f"each span needs its start before its end; got {pairs}")
        axis = Axis(low, high)
        self.bars = VGroup()
        for index, (first, last) in enumerate(pairs):
            left, right = (float(axis.share(value)) * width for value in (first, last))
            bar = RoundedRectangle(width=right - left, height=thickness, corner_radius=thickness * 0.3, stroke_width=0)
            bar.set_fill(theme.role(role), 1).move_to([left, -index * pitch, 0], aligned_edge=LEFT)
            self.bars.add(bar)
        self.add(self.bars)
        self.rest: VGroup | None = None
        longest = _longest_gap(pairs)
        if longest[1] > longest[0]:
            left, right = (float(axis.share(value)) * width for value in longest)
            tall = pitch * (len(pairs) - 1) + thickness + 0.1
            box = RoundedRectangle(width=right - left, height=tall, corner_radius=0.04, stroke_width=0)
            box.set_fill(theme.tint(gap_role, 0.55), 1)
            self.rest = VGroup(box.move_to([(left + right) / 2, -pitch * (len(pairs) - 1) / 2, 0]))
            self.add_to_back(self.rest)
        self.frame = Line([0, 0, 0], [width, 0, 0], stroke_width=0)
        self.add(self.frame.move_to([width / 2, -pitch * (len(pairs) - 1) / 2, 0]))


def _longest_gap(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The longest stretch between the first start and the last end that no span covers."""
    best, until = (0.0, 0.0), min(pairs)[0]
    for start, end in sorted(pairs):
        if start - until > best[1] - best[0]:
            best = (until, start)
        until = max(until, end)
    return best


class CheckTable(DataBound, VGroup):
    """Answers in rows, cases in columns: what each returned, whether that is right, and whether all of a row are.

    >>> table = CheckTable(trace["passed"], trace["returned"], [Spans(…) for each case])
    >>> self.play(table.run(0))                    # the first candidate is run on all cases

    Parameters
    ----------
    passed
        ``(candidate, case)`` flags; the labels of ``candidate`` name the rows.
    returned
        ``(candidate, case)``: the number that came back.
    heads
        What stands above each column, one a case.
    """

    def __init__(
        self,
        passed: NamedArray,
        returned: NamedArray,
        heads: Sequence[Any],
        *,
        width: float = 9.0,
        pitch: float = 0.5,
        fmt: str = "plain bare",
    ) -> None:
        super().__init__()
        as_array(passed, "CheckTable", 2), as_array(returned, "CheckTable", 2)
        rows, columns = passed.values.shape
        if returned.values.shape != (rows, columns) or len(heads) != columns:
            raise ExplainError(f"a table of {rows} × {columns} checks needs as many results and {columns} heads")
        self.bound = Bound((passed, returned))
        names = passed.labels.get(passed.axes[0]) or tuple(f"answer {chr(65 + row)}" for row in range(rows))
        step = width / columns
        self.heads, self.names, self.cells, self.sums = VGroup(*heads), VGroup(), VGroup(), VGroup()
        tallest = max(head.height for head in heads)
        for column, head in enumerate(heads):
            head.move_to([(column + 0.5) * step, tallest / 2 + 0.25, 0])
        for row in range(rows):
            level = -(row + 0.5) * pitch
            self.names.add(Label(names[row], "small").move_to([-0.35, level, 0], aligned_edge=RIGHT))
            line = VGroup()
            for column in range(columns):
                right = bool(passed.values[row, column])
                number = NumberLabel(quantity_at(returned, row, column), fmt, role="reward" if right else "cost")
                cell = VGroup(number, verdict(right, size=0.22, width=4.5)).arrange(RIGHT, buff=0.16)
                line.add(cell.move_to([(column + 0.5) * step, level, 0]))
            self.cells.add(line)
            whole = verdict(bool(passed.values[row].all()), size=0.36, width=7)
            self.sums.add(whole.move_to([width + 0.55, level, 0]))
        self.rule = Line([-0.2, 0.05, 0], [width + 0.9, 0.05, 0], stroke_width=1.6, color=theme.role("hairline"))
        self.add(self.rule, self.heads, self.names, self.cells, self.sums)
        self.center()

    def run(self, row: int, run_time: float = 1.6) -> LaggedStart:
        """The animation in which one answer meets one case after another, and is then judged as a whole."""
        if not 0 <= row < len(self.cells):
            raise ExplainError(f"there is no answer {row}; there are {len(self.cells)}")
        cells = (FadeIn(cell, shift=0.12 * DOWN) for cell in self.cells[row])
        return LaggedStart(*cells, FadeIn(self.sums[row], scale=1.4), lag_ratio=0.55, run_time=run_time)


class QuestionCard(DataBound, VGroup):
    """A question, an attempt at it, and the check: the attempt is compared with the key, and nothing else counts.

    >>> card = QuestionCard("mathematics", "How many choices leave a group out?", slip, key)
    >>> self.play(FadeIn(card.paper));  self.play(FadeIn(card.attempt));  self.play(card.check())

    Parameters
    ----------
    question
        Words, or a drawn text where it holds numbers.
    answer, key
        Numbers; with ``letters`` they are places among the letters offered.
    letters
        What to write for 0, 1, 2 …
    """

    def __init__(
        self,
        kind: str,
        question: str | VMobject,
        answer: Quantity,
        key: Quantity,
        *,
        letters: Sequence[str] = (),
        width: float = 5.2,
        fmt: str = "plain bare",
        size: str | float = "body",
    ) -> None:
        super().__init__()
        as_quantity(answer, "QuestionCard"), as_quantity(key, "QuestionCard")
        self.bound = Bound((answer, key))
        self.right = answer.value == key.value
        head = Label(kind, "small", "muted")
        words = Label(question, size, width=width - 0.5) if isinstance(question, str) else question
        text = VGroup(head, words).arrange(DOWN, buff=0.16, aligned_edge=LEFT)
        colour = "reward" if self.right else "cost"
        shown = [_value(each, letters, fmt) for each in (answer, key)]
        sign = Label("=" if self.right else "≠", "heading", colour)
        values = VGroup(shown[0], sign, shown[1]).arrange(RIGHT, buff=0.35)
        names = VGroup(
            Label("answer", "small", "muted").next_to(shown[0], DOWN, buff=0.12),
            Label("key", "small", "muted").next_to(shown[1], DOWN, buff=0.12),
        )
        mark = verdict(self.right, size=0.5, width=8)
        line = VGroup(VGroup(values, names), mark).arrange(RIGHT, buff=0.6)
        mark.set_y(values.get_y())
        inside = VGroup(text, line).arrange(DOWN, buff=0.4, aligned_edge=LEFT)
        box = RoundedRectangle(width=width, height=inside.height + 0.5, corner_radius=0.14, stroke_width=2)
        box.set_stroke(theme.role("hairline")).set_fill(theme.role("surface"), 1)
        inside.move_to(box).align_to(box.get_left() + 0.25 * RIGHT, LEFT)
        self.paper = VGroup(box, text)
        self.attempt = VGroup(shown[0], names[0])
        self.key = VGroup(sign, shown[1], names[1])
        self.mark = mark
        self.add(self.paper, self.attempt, self.key, self.mark)
        self.center()

    def check(self, run_time: float = 1.4) -> AnimationGroup:
        """The animation in which the key is laid beside the answer, and the mark is given."""
        return LaggedStart(FadeIn(self.key, shift=0.2 * LEFT), FadeIn(self.mark, shift=0.2 * UP), run_time=run_time)


def _value(quantity: Quantity, letters: Sequence[str], fmt: str) -> Label:
    if not letters:
        return NumberLabel(quantity, fmt, size="display")
    if not 0 <= int(quantity.value) < len(letters):
        raise ExplainError(f"{quantity.short()} is no place among the letters {', '.join(letters)}")
    return Label(letters[int(quantity.value)], "display", weight="medium")
