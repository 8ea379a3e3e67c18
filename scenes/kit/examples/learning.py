"""Learning by reward, numbers that snap, guesses, time, and the map of the course."""

from __future__ import annotations

import numpy as np
from manim import Mobject

from explainers import facts, runs
from explainers.references import resolve
from explainers.traces import NamedArray
from scenes.kit import (
    AttemptBoard,
    Branches,
    Event,
    GuessStrip,
    LearnByChecking,
    LeversMap,
    LicenceMatrix,
    RememberLess,
    RunLess,
    SnapLine,
    SourceWall,
    Timeline,
    TurnTimeline,
    licence_rights,
)
from scenes.kit.examples.showing import shows
from scenes.kit.levers import REFERENCES


@shows(AttemptBoard)
def a_group() -> Mobject:
    """A group of answers to one problem: what each wrote, its reward, and how far it lies above the group."""
    group = runs.get("grpo_group")
    return AttemptBoard(group["reward"], group["advantage"], group["ratio"])


@shows(Branches)
def two_ways() -> Mobject:
    """Two ways to an answer; a ribbon is as wide as the share that goes it."""
    grpo = runs.get("grpo")
    keys = ("thinking", "forced_sampled", "forbidden_sampled")
    return Branches(*(grpo.quantity(f"before_{key}") for key in keys))


@shows(SnapLine)
def rounding() -> Mobject:
    """Weights on their way to the nearest number that eight bits can hold."""
    trace = runs.get("quantisation")
    return SnapLine(*(trace[name] for name in ("example_weight", "example_code", "e4m3_values", "example_scale")))


@shows(GuessStrip)
def guesses() -> Mobject:
    """A text written on with guesses: those that stood, and those that did not."""
    trace = runs.get("guess_strip")
    return GuessStrip(trace["stood"], trace["written"])


@shows(TurnTimeline)
def taking_turns() -> Mobject:
    """Two batches that take turns, so that one computes while the other travels."""
    trace = runs.get("overlap")
    return TurnTimeline(trace["start"], trace["length"], thickness=0.6)


@shows(Timeline, Event)
def a_timeline() -> Mobject:
    """Days to scale, with what happened."""
    days = [
        ("high_flyer_a100", "chips are bought", "muted"),
        ("founded", "DeepSeek is founded", "text"),
        ("v3", "V3", "latent"),
        ("r1", "R1", "reward"),
    ]
    return Timeline([Event(resolve(f"fact.timeline.{key}.date"), words, role) for key, words, role in days])


@shows(RunLess)
def run_less() -> Mobject:
    """The first lever: of many experts a token wakes a few."""
    routes = runs.get("untrained_gate")["chosen"]
    return RunLess(resolve("v3.experts_per_token"), resolve("v3.routed_experts"), routes)


@shows(RememberLess)
def remember_less() -> Mobject:
    """The second lever: a short latent instead of all keys and values."""
    return RememberLess(resolve("v3.kv_values_per_layer"), resolve("v3.kv_values_per_layer_mha"))


@shows(LearnByChecking)
def learn_by_checking() -> Mobject:
    """The third lever: what can be checked can be learnt."""
    before, after = (resolve(name) for name in REFERENCES["rl"])
    return LearnByChecking(before, after)


@shows(LeversMap)
def the_map() -> Mobject:
    """The map of the course; one lever stands forward."""
    return LeversMap.read(resolve, runs.get, highlight="mla")


@shows(LicenceMatrix, licence_rights)
def licences() -> Mobject:
    """What a licence grants, read from its cited terms: full, with conditions, or not at all."""
    terms = {"V3, at first": "timeline.licence_to_v3.licence", "R1, V4": "timeline.licence_mit.licence"}
    return LicenceMatrix(licence_rights({name: facts.text(where)[0] for name, where in terms.items()}))


@shows(SourceWall)
def a_wall() -> Mobject:
    """Every entry of the course's sources, by file; full ones were read at the source."""
    kinds = ("primary", "secondary")
    read = {file: [entry.confidence for entry in facts.entries(file).values()] for file in facts.files()}
    counts = np.array([[found.count(kind) for kind in kinds] for found in read.values()])  # type: ignore[arg-type]
    labels = {"file": tuple(read), "confidence": kinds}
    return SourceWall(NamedArray(counts, ("file", "confidence"), "entries", labels=labels), pitch=0.15)
