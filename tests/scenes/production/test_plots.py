"""The plots of runs, and the notes beside them: drawn from the traces, and up to date."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from explainers import paths, runs
from explainers.errors import ExplainError
from explainers.quantities import computed
from explainers.traces import NamedArray, Trace
from scenes.commands.plots import plots as command
from scenes.production import plots, run_notes

#: A picture of the repository may be this large.
_MOST_BYTES = 40_000


@pytest.fixture(scope="module")
def trace() -> Trace:
    return runs.get("balance")


def test_a_plot_is_a_small_picture_that_names_its_trace(tmp_path: Path, trace: Trace) -> None:
    path = plots.draw("balance", tmp_path, width=320)
    with Image.open(path) as image:
        assert image.size == (320, 180)
        assert image.mode == "P"
        assert len(np.unique(np.asarray(image))) > 20  # something is drawn
    assert plots.drawn_from(path) == trace.digest


def test_a_plot_shows_its_trace(trace: Trace) -> None:
    shown = plots.plots()["balance"]
    before = plots.pixels_of(shown, trace, 320)
    arrays = dict(trace.arrays)
    doubled = arrays["max_vio"]
    arrays["max_vio"] = NamedArray(doubled.values[::-1], doubled.axes, unit=doubled.unit, labels=doubled.labels)
    other = Trace(trace.run, arrays, trace.quantities, trace.params)
    assert np.array_equal(before, plots.pixels_of(shown, trace, 320))
    assert (before != plots.pixels_of(shown, other, 320)).any(-1).sum() > 500


def test_every_recorded_run_has_a_plot() -> None:
    recorded = {name for name in runs.CATALOGUE if plots.is_recorded(name)}
    assert recorded <= set(plots.plots())
    assert set(plots.plots()) <= set(runs.CATALOGUE)


def test_shipped_plots_are_small_and_drawn_from_the_shipped_records() -> None:
    for name in plots.available():
        path = plots.folder() / f"{name}.png"
        assert path.stat().st_size <= _MOST_BYTES, f"{path.name} is too large"
        if plots.is_recorded(name):
            assert plots.drawn_from(path) == runs.get(name).digest, f"{name} was recorded anew; run `explain plots`"
    assert {path.stem for path in plots.folder().glob("*.png")} == set(plots.available())


def test_the_readme_is_what_the_traces_say() -> None:
    committed = (paths.assets() / "runs" / "README.md").read_text(encoding="utf-8")
    assert committed == run_notes.readme(), "a trace or a note has changed; run `explain plots`"


def test_a_run_that_was_just_computed_is_told_as_one_that_is_remembered(tmp_path: Path) -> None:
    trace = runs.get("question_checks", fresh=True)
    assert run_notes.recipe(trace) == run_notes.recipe(Trace.load(trace.save(tmp_path / "kept.safetensors")))


def test_no_number_of_a_note_was_typed() -> None:
    for shown in plots.plots().values():
        words = re.sub(r"\{[^}]*\}", "", f"{shown.heading} {shown.found} {shown.against}")
        words = re.sub(r"\b[A-Za-z]\w*(?:[.-]\d+)*\b", "", words)  # names that end in digits: V3, H800, e4m3
        assert not re.search(r"\d", words), f"{shown.run}: {re.findall(r'.{0,20}[0-9].{0,20}', words)}"


def test_numbers_come_with_their_spread(trace: Trace) -> None:
    loss = trace.quantity("loss_bias_rule")
    text = run_notes.filled("{loss_bias_rule | .2}, {param.steps} steps, {experts}", trace)
    assert text == f"{loss.value:.2f} ± {loss.spread:.2f} nat/token, {trace.params['steps']} steps, 16"
    values = trace["max_vio"].values[2, :, -1].mean(-1)
    assert run_notes.filled("{max_vio[mode=neither,step=240] | .2}", trace) == (
        f"{values.mean():.2f} ± {values.std(ddof=1):.2f}"
    )
    assert run_notes.with_spread(computed(0.5, "", "a half", spread=1e-6), "percent .1") == "50.0 %"


def test_a_note_that_names_an_unknown_number_fails(trace: Trace) -> None:
    with pytest.raises(ExplainError, match="loss_bias_rule"):
        run_notes.filled("{loss_bias_rul}", trace)
    with pytest.raises(ExplainError, match="parameter of run balance"):
        run_notes.filled("{param.step}", trace)
    with pytest.raises(ExplainError, match="picks nothing"):
        run_notes.filled("{max_vio[]}", trace)


def test_citations_stand_at_the_end_of_a_note(trace: Trace) -> None:
    text = run_notes.filled(
        "{fact.inference.mtp.acceptance_low | .0} and {fact.inference.mtp.acceptance_high | .0}", trace
    )
    assert text == "80 % and 90 % Cited: arXiv 2505.09343."


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.14, "3.1 s"), (75.2, "1 min 15 s"), (59.96, "60.0 s"), (754, "12 min 34 s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert run_notes.duration(seconds) == text


def test_the_command_draws_what_is_named_and_leaves_the_notes_alone(tmp_path: Path) -> None:
    before = (paths.assets() / "runs" / "README.md").read_bytes()
    done = CliRunner().invoke(command, ["cache_held", "serving_day", "--out", str(tmp_path), "--width", "160"])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache_held.png", "serving_day.png"]
    assert (paths.assets() / "runs" / "README.md").read_bytes() == before
    wrong = CliRunner().invoke(command, ["balanse", "--out", str(tmp_path)])
    assert isinstance(wrong.exception, ExplainError) and "balance" in str(wrong.exception)
