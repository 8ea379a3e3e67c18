"""Plots of the runs on reasoning: GRPO on chains of digits."""

from __future__ import annotations

from collections import Counter

from manim import Mobject

from explainers.traces import NamedArray, Trace
from scenes.kit import Axis, Bar, BarChart, Legend, LineChart, column, label, quantity_at, row
from scenes.production.plots import band, places, plot, where

_SHARE = Axis(0, 1.02, "share")
_WRITTEN = {"<think>": "[", "</think>": "]", "<end>": ""}


@plot(
    "grpo",
    "GRPO with and without thinking",
    found="""Chains of six operations on one digit; guessing is right one time in ten. Before GRPO {before_free_sampled
    | percent .1} of sampled answers are right, after it {after_free_sampled | percent .1}; where thinking is forbidden
    during GRPO, {after_without_thinking_forbidden_sampled | percent .1}. {answers} answers are sampled; the KL to the
    start ends at {kl_end | .2}.""",
    against="""What grows is the habit of thinking ({before_thinking | percent .1} of answers before, {after_thinking |
    percent .1} after), not the skill: with thinking forced and greedy decoding the model was right before GRPO
    ({before_forced_greedy | percent .1}). It has grown surer of it, though: with sampling and thinking forced,
    {before_forced_sampled | percent .1} became {after_forced_sampled | percent .1}. The growth in length
    ({before_length | .1} to {after_length | .1}) is this switch, not longer and longer thought. Clipping is invisible
    with one pass over the samples: {clip_fraction | percent .2} of tokens.""",
)
def grpo(trace: Trace) -> Mobject:
    accuracy, thinking = trace["accuracy"], trace["thinking"]
    curves = [
        band("right, may think", where(accuracy, arm="may think"), role="reward"),
        band("thinks, where it may", where(thinking, arm="may think"), role="token", dashed=True),
        band("right, may not think", where(accuracy, arm="may not think"), role="cost"),
    ]
    return LineChart(curves, x_name="GRPO step", y_axis=_SHARE, width=7.2, height=4.2)


@plot(
    "grpo_group",
    "One group of GRPO: what each answer is worth",
    found="""{samples} answers to one question: {correct} right, {readable} readable, mean reward {mean | .3}, spread
    {spread | .3}. Their advantages lie between {lowest_advantage | .2} and {highest_advantage | .2}. Four updates on
    the group move the KL from {kl_before | .3 bare} to {kl_after | .3}, and {clipped_after | percent .1} of the tokens
    leave the clip range of {clip | .1}.""",
    against="""A reward for the result rewards luck: among the right answers are one whose two errors cancel and one
    that was guessed without a thought. And the clip needs several passes over the same answers to be seen at all.""",
)
def grpo_group(trace: Trace) -> Mobject:
    advantage = trace["advantage"]
    answers = advantage.labels["sample"]
    times = Counter(answers)
    ordered = sorted(times, key=lambda text: (-float(advantage.values[answers.index(text)]), -times[text], text))
    bars = []
    for text in ordered:
        value = quantity_at(advantage, answers.index(text))
        written = "".join(_WRITTEN.get(token, token) for token in text.split()).replace("]", "] ")
        name = f"{written} ({times[text]} times)" if times[text] > 1 else written
        bars.append(Bar(name, value, "reward" if float(value) > 0 else "cost"))
    question = " ".join(trace["prompt"].labels["place"])
    return BarChart(
        bars, fmt=".2 bare", name=f"advantage of answers to {question}  (thoughts in brackets)", length=6, thickness=0.3
    )


@plot(
    "grpo_skill",
    "Is the skill learnt, or its use?",
    found="""The same GRPO from starts after fewer and more steps of imitation. From the one with most
    {accuracy_before_450 | percent .1} of sampled answers become {accuracy_after_450 | percent .1}; with thinking
    forced, greedy accuracy goes from {skill_before_350 | percent .1} to {skill_after_350 | percent .1} in the start
    before it, where thinking is right often enough to be rewarded.""",
    against="""From a start that cannot do the steps GRPO teaches nothing: {accuracy_before_150 | percent .1} stay
    {accuracy_after_150 | percent .1}, and thinking is given up ({thinking_before_150 | percent .1} of answers become
    {thinking_after_150 | percent .1}). In between it is a matter of the seed: {accuracy_after_300 | percent .1}.""",
)
def grpo_skill(trace: Trace) -> Mobject:
    exam = trace["exam"]
    start = NamedArray(trace["start"].values.astype(float), ("start",), "start", "step", run=trace.run)
    axis = Axis(140, 460, "imitation before GRPO", "step", ticks=tuple(start.values.tolist()))
    roles = {"before": "dense", "after": "reward"}
    charts = [
        LineChart(
            [band(model, where(exam, exam=kind, model=model), start, role=role) for model, role in roles.items()],
            x_axis=axis,
            y_axis=Axis(0, 1.05, name),
            width=4.6,
            height=3.6,
            names="",
        )
        for kind, name in (
            ("sampled accuracy", "right, sampled as it likes"),
            ("greedy accuracy, thinking forced", "right, thinking forced, greedy"),
        )
    ]
    for chart in charts:
        chart.remove(chart.band_note)  # said once, in the legend
    legend = Legend([(f"{model} GRPO", role) for model, role in roles.items()])
    note = label("band: standard deviation over seeds", "small", "muted")
    return column(row(*charts, gap=0.5), row(legend, note, gap=0.6), gap=0.3)


@plot(
    "checking",
    "Learning to check",
    found="""A pen that writes {pen | percent .0} of digits wrongly; after each the model may write it again. GRPO
    raises greedy accuracy from {before_accuracy_greedy | percent .1} to {after_accuracy_greedy | percent .1}, beyond
    the {ceiling | percent .1} of a perfect writer who never looks back (with perfect rewriting: {ceiling_rewriting |
    percent .1}). Wrong digits mended: {before_fix_rate_greedy | percent .1} before, {after_fix_rate_greedy | percent
    .1} after.""",
    against="""Checking is learnt together with a bad habit: {after_needless_greedy | percent .1} of what is written
    again was right already. And answers grow no longer ({before_length_greedy | .1} and {after_length_greedy | .1}): a
    second try stands where a nod would stand.""",
)
def checking(trace: Trace) -> Mobject:
    lines = (
        ("right answers", "greedy_accuracy", "reward", False),
        ("wrong digits mended", "greedy_fix_rate", "latent", False),
        ("needless among rewritings", "greedy_needless", "cost", True),
    )
    steps = places(trace["greedy_accuracy"], "point", "step")
    curves = [band(name, trace[array], steps, role=role, dashed=dashed) for name, array, role, dashed in lines]
    return LineChart(curves, x_name="GRPO", y_axis=_SHARE, width=7, height=4.2)


@plot(
    "pass_at_k",
    "At least one right of k answers",
    found="""{problems} problems, {samples} answers to each. With one answer GRPO's model is right
    {pass_at_1_after_free | percent .1} of the time, its start {pass_at_1_before_free | percent .1}; with sixteen
    {pass_at_16_after_free | percent .1} and {pass_at_16_before_free | percent .1}; a majority of all
    {majority_after_free | percent .1} and {majority_before_free | percent .1}. On a test of {small_test} problems with
    one answer each the score of the start swings by {swing_one_before | percent .1}, with all answers by
    {swing_all_before | percent .1}.""",
    against="""The curves do not cross: the start does not overtake with many answers, as it does in published
    comparisons; both reach {pass_at_64_before_free | percent .1} with sixty-four. With ten possible answers, and
    {pass_at_1_before_forced | percent .1} of its thoughts right, the start needs few tries to be right once. GRPO
    brings nothing into reach that was not there.""",
)
def pass_at_k(trace: Trace) -> Mobject:
    score = where(trace["score"], score="pass@k")
    k = places(score, "k", "answer")
    lines = (  # from below: names of curves that end together stand in this order
        ("before GRPO", "before", "free", "cost", False),
        ("before, thinking forced", "before", "thinking forced", "latent", True),
        ("after GRPO", "after", "free", "reward", False),
    )
    curves = [
        band(name, where(score, model=model, mode=mode), k, role=role, dashed=dashed)
        for name, model, mode, role, dashed in lines
    ]
    return LineChart(
        curves, x_axis=Axis(1, 64, "answers to a problem", log=True, ticks=tuple(k.values.tolist())),
        y_axis=Axis(0, 1.03, "at least one right"), width=7, height=4.2,
    )  # fmt: skip
