"""``assets/runs/README.md``: what was run, what came out, and what did not. Every number is taken from the traces.

The sentences stand beside the drawing functions (`scenes.production.plotted`). In them ``{name | format}`` is a key
number of the run, ``{array[axis=label]}`` the mean of a part of an array, ``{param.name}`` a parameter,
``{fact.file.entry.field}`` a cited figure. A number that was found with several
seeds is followed by its standard deviation over them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from explainers import paths, references, runs
from explainers.errors import ExplainError, one_of
from explainers.quantities import Quantity, computed
from explainers.traces import Trace, write_aside
from scenes.production.plots import RunPlot, available, averaged, is_recorded, plots, spread, where

_NUMBER = re.compile(r"\{\s*([\w.]+(?:\[[^\]]*\])?)\s*(?:\|\s*([^}]*?))?\s*\}")

_HEAD = """# The runs

What the lectures claim was run, and this is what came out: one picture a run, drawn from its trace by the same kit as
the films. Pictures and numbers are written by `explain plots`; nothing below was typed in, and ± is one standard
deviation over seeds. Records are the files beside this one: `explain run NAME` reads a record, with `--fresh` it
computes the run again, and `explain train NAME` records it anew. "Recorded in" is wall time beside other work on the
same machine, without trainings that stood in the cache; "about" is what an idle core needs for all of it.
"""


def write() -> Path:
    """Write the README beside the records and return its path."""
    path = paths.assets() / "runs" / "README.md"
    write_aside(path, readme().encode())
    return path


def readme() -> str:
    """The whole text."""
    known = plots()
    sections, surprises = [], []
    recorded = [name for name in available() if is_recorded(name)]
    instant = [name for name in available() if not is_recorded(name)]
    for names in (recorded, instant):
        for name in names:
            trace, shown = runs.get(name), known[name]
            sections.append(_section(shown, trace))
            if shown.against:
                first = re.split(r"(?<=\.) ", filled(shown.against, trace), maxsplit=1)[0]
                surprises.append(f"- [{name}](#{name}): {first}")
    divider = "# Computed from published figures\n\nThese take a moment and are not recorded; `explain run NAME`."
    body = [*sections[: len(recorded)], divider, *sections[len(recorded) :]]
    missing = [name for name in known if name not in (*recorded, *instant)]
    if missing:
        body.append("Not recorded yet: " + ", ".join(f"`explain train {name}`" for name in missing) + ".")
    opening = "## What did not come out as the textbooks say\n\n" + "\n".join(surprises)
    return "\n\n".join([_HEAD.rstrip(), opening, "# Recorded runs", *body]) + "\n"


def _section(shown: RunPlot, trace: Trace) -> str:
    parts = [
        f"## {shown.run}",
        f"![{shown.heading}](plots/{shown.run}.png)",
        f"**Done:** {recipe(trace)}",
        f"**Came out:** {filled(shown.found, trace)}",
    ]
    if shown.against:
        parts.append(f"**Not as the textbooks say:** {filled(shown.against, trace)}")
    return "\n\n".join(parts)


def recipe(trace: Trace) -> str:
    """What the run does, with its parameters, settings, versions, durations and digest."""
    run = runs.CATALOGUE[trace.run]
    stop = "" if run.summary.endswith("?") else "."
    parts = [run.summary[:1].upper() + run.summary[1:] + stop]
    about = {"parameters": trace.params, **dict(sorted(trace.meta.items()))}  # in the order of a trace that is loaded
    for key, values in about.items():
        if isinstance(values, Mapping) and values and key != "writing":  # how answers are sampled follows from the rest
            parts.append(f"{key.capitalize()}: {_listed(values)}.")
    if "seconds" in trace.meta and is_recorded(trace.run):  # what is computed anew takes another time each time
        versions = ", ".join(f"{tool} {trace.meta[tool]}" for tool in ("python", "torch") if tool in trace.meta)
        again = f"; about {run.minutes:g} min from nothing" if run.minutes else ""
        parts.append(f"Recorded in {duration(float(trace.meta['seconds']))} on {trace.device} ({versions}){again}.")
    if is_recorded(trace.run):
        parts.append(f"Digest `{trace.digest[:16]}`.")
    return " ".join(part for part in parts if part)


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} `{value}`" for name, value in sorted(values.items()))


def duration(seconds: float) -> str:
    """``75.2`` → ``"1 min 15 s"``; below a minute ``"8.2 s"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def filled(text: str, trace: Trace) -> str:
    """The text with every ``{number | format}`` replaced by that number of the trace."""
    cited: dict[str, None] = {}

    def number(match: re.Match[str]) -> str:
        if not match[1].startswith("fact."):
            return _shown(match[1], match[2] or "", trace)
        quantity = references.resolve(match[1])
        cited.setdefault(getattr(quantity.origin, "source", "") or quantity.origin.line())
        return quantity.text(match[2] or "")

    text = _NUMBER.sub(number, text)
    return f"{text} Cited: {'; '.join(cited)}." if cited else text


def _shown(name: str, fmt: str, trace: Trace) -> str:
    if name.startswith("param."):
        key = name.removeprefix("param.")
        if key not in trace.params:
            raise one_of(f"parameter of run {trace.run}", key, sorted(trace.params))
        value = trace.params[key]
        return f"{value:g}" if isinstance(value, float) else str(value)
    return with_spread(_part(name, trace) if "[" in name else trace.quantity(name), fmt)


def with_spread(quantity: Quantity, fmt: str) -> str:
    """``"0.896 ± 0.004"``; without a spread, or with one that is zero to the digits shown, the number alone."""
    text = quantity.text(fmt)
    if not quantity.spread:
        return text
    bare = quantity.text(f"{fmt} bare" if "bare" not in fmt else fmt)
    deviation = replace(quantity, value=quantity.spread, spread=None).text(f"{fmt} bare" if "bare" not in fmt else fmt)
    if not text.startswith(bare) or not re.search(r"[1-9]", deviation):
        return text
    return f"{bare} ± {deviation}{text.removeprefix(bare)}"


def _part(name: str, trace: Trace) -> Quantity:
    """``information[step=40]``: the mean of that part, with the spread over its seeds."""
    array_name, _, inside = name.removesuffix("]").partition("[")
    chosen = dict(pair.strip().split("=", 1) for pair in inside.split(",") if "=" in pair)
    if not chosen:
        raise ExplainError(f"{name!r} picks nothing; write array[axis=label]")
    part = where(trace[array_name], **chosen)
    others = tuple(axis for axis in part.axes if axis != "seed")
    over = averaged(part, *others) if others else part
    deviation = float(spread(over).values) if "seed" in over.axes else None
    return computed(
        float(np.mean(over.values)), part.unit, f"mean of {name} of run {trace.run}", name=name, spread=deviation
    )
