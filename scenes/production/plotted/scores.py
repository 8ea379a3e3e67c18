"""Plots of runs about benchmarks: questions that are checked, tries, and luck."""

from __future__ import annotations

from manim import Mobject

from explainers.traces import Trace
from scenes.kit import Axis, CheckTable, DotStack, LineChart, Series, Spans
from scenes.production.plots import averaged, places, plot


@plot(
    "question_checks",
    "Three programs, run on the same cases",
    found="""Of {cases} cases the first program solves {passed_sorts_remembers}, the two with a slip
    {passed_forgets_to_sort} and {passed_trusts_the_last_end}. The question in mathematics has the answer {key}, an easy
    slip gives {slip}. Of {worlds} worlds the logic question leaves {worlds_consistent}; guessing finds it with
    {guessing | .0}.""",
)
def question_checks(trace: Trace) -> Mobject:
    start, end = trace["start"], trace["end"]
    low, high = float(start.values.min()) - 1, float(end.values.max()) + 1
    heads = [
        Spans(start.pick(case=case), end.pick(case=case), low=low, high=high, width=1.35)
        for case in range(trace["expected"]["case"])
    ]
    return CheckTable(trace["passed"], trace["returned"], heads, width=9.5, pitch=0.6, fmt="plain")


@plot(
    "tries",
    "How many tries, and what counts as right",
    found="""With one try the model solves {pass_1 | .1} of its problems; if any of four counts, {pass_4 | .1}; of
    {k_64 | plain bare}, {pass_64 | .1}. By vote over all its answers it solves {vote | .1}.""",
    against="""The same answers thus score from {pass_1 | .0} to {pass_64 | .0}, by the rule alone.""",
)
def tries(trace: Trace) -> Mobject:
    chance = averaged(trace["chance"], "problem")
    curve = Series("any of the tries", chance, places(chance, "k", "sample"), role="reward")
    return LineChart([curve], x_name="tries", y_axis=Axis(0, 1.02, "problems solved"), x_log=True, names="", width=8.4)


@plot(
    "exams",
    "One model, the same small exam again and again",
    found="""{exams} exams of {questions} questions, drawn from the same problems and answered by the same
    model: from {lowest | .0} to {highest | .0}. Over all problems it solves {truth | .1}; one standard deviation
    between exams is {spread | .1}, about what chance alone gives ({binomial | .1}).""",
)
def exams(trace: Trace) -> Mobject:
    return DotStack(trace["score"], Axis(0, 100, "problems solved in one exam", "%"), width=10.5, height=4.0)
