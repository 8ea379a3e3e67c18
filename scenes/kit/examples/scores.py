"""Questions, votes, luck, scoreboards."""

from __future__ import annotations

from manim import Mobject

from explainers import runs
from explainers.references import resolve
from scenes.kit import (
    Axis,
    CheckTable,
    CountedField,
    DotStack,
    ExamField,
    IntervalRows,
    Measured,
    Panel,
    QuestionCard,
    Scoreboard,
    SolvedField,
    Spans,
    VoteColumns,
)
from scenes.kit.examples.showing import shows


@shows(QuestionCard)
def a_question() -> Mobject:
    """A question, an answer, and what the answer is compared with."""
    trace = runs.get("question_checks")
    return QuestionCard(
        "mathematics", "How many choices leave a group out?", trace.quantity("slip"), trace.quantity("key")
    )


@shows(Spans)
def shifts() -> Mobject:
    """Spans of time and the gaps between them: one case of a coding question."""
    trace = runs.get("question_checks")
    start, end = (trace[name].pick(case=4) for name in ("start", "end"))
    return Spans(start, end, low=5.0, high=23.0, width=7, thickness=0.34, pitch=0.48)


@shows(CheckTable)
def a_check() -> Mobject:
    """Programs that were really run on cases: what each returned, and whether that is right."""
    trace = runs.get("question_checks")
    cases = [
        Spans(trace["start"].pick(case=case), trace["end"].pick(case=case), low=5.0, high=23.0, width=1.35)
        for case in range(trace["expected"]["case"])
    ]
    return CheckTable(trace["passed"], trace["returned"], cases, fmt="plain")


@shows(VoteColumns)
def votes() -> Mobject:
    """The answers of one model to one problem. `judge` says which are right; with `vote` equal ones are stacked."""
    trace = runs.get("tries")
    return VoteColumns(trace["answer"], trace.quantity("right"))


@shows(SolvedField)
def solved() -> Mobject:
    """Problems, each lit if one of the first tries was right."""
    return SolvedField(runs.get("tries")["first_right"], tries=4)


@shows(CountedField)
def counted() -> Mobject:
    """Every choice there is as one cell, and which of them leave a group out, once or twice."""
    return CountedField(runs.get("question_checks")["left_out"])


@shows(ExamField)
def an_exam() -> Mobject:
    """Problems that one exam asks, among all; right and wrong."""
    trace = runs.get("exams")
    return ExamField(trace["asked"], trace["right"], cell=0.34)


@shows(DotStack)
def luck() -> Mobject:
    """One model, the same exam again and again: a dot an exam."""
    return DotStack(runs.get("exams")["score"], Axis(0, 100, "problems solved in one exam", "%"))


@shows(IntervalRows, Measured)
def intervals() -> Mobject:
    """Published scores, and how far luck reaches with so few questions."""
    names = (("R1", "r1", "deepseek_r1", "latent"), ("o1", "o1", "o1_1217", "query"))
    rows = []
    for name, key, score, role in names:
        low, high = (resolve(f"run.exams.{key}_{end}") for end in ("low", "high"))
        rows.append(Measured(name, resolve(f"fact.benchmarks.r1.aime_2024.{score}"), low, high, role))
    return IntervalRows(rows, Axis(50, 100, "AIME problems solved, by R1's paper", "%"))


@shows(Scoreboard, Panel)
def a_scoreboard() -> Mobject:
    """Small multiples: a test a row, a generation a column; rings are the makers' figures, full dots others'."""
    models = {"OpenAI": ("o1_1217", "gpt_5_high"), "DeepSeek": ("deepseek_r1", "deepseek_v3_2")}
    panels = [
        Panel(
            "knowledge",
            name,
            {lab: resolve(f"fact.benchmarks.{table}.gpqa_diamond.{keys[column]}") for lab, keys in models.items()},
            name="GPQA Diamond",
        )
        for column, (name, table) in enumerate((("R1", "r1"), ("V3.2", "v32")))
    ]
    return Scoreboard(
        panels, {"OpenAI": "query", "DeepSeek": "latent"}, numbered="DeepSeek", pitch=0.34, gap=(0.7, 0.5)
    )
