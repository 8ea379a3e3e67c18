"""The cited figures: the files as they ship, what is refused, and what a broken file says."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from explainers import facts, paths, references
from explainers.errors import ExplainError
from explainers.formatting import shown_matches
from explainers.quantities import Cited

ENTRY = """
[about]
title = "A file"
[units]
memory = "B"
[chip]
title = "A chip"
source = "a datasheet"
date = "2024-01-01"
confidence = "primary"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "made_up.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_file_that_ships_is_valid_and_every_figure_can_be_shown():
    assert set(facts.files()) == {
        "benchmarks", "demand", "hardware", "inference", "models", "prices", "r1", "timeline", "training",
    }  # fmt: skip
    references_ = list(facts.names())
    assert len(references_) > 1500
    for reference in references_:
        quantity = references.resolve(reference)
        assert isinstance(quantity.origin, Cited)
        assert quantity.key == reference
        assert quantity.origin.source
        assert quantity.origin.date[:2] == "20"
        assert quantity.origin.confidence in ("primary", "secondary")
        assert shown_matches(quantity.text(), quantity), reference


def test_no_entry_of_the_source_files_points_at_what_a_reader_does_not_have():
    for path in (paths.assets() / "facts").iterdir():
        text = path.read_text(encoding="utf-8").replace("CorpusQA", "").replace("corpusqa", "")
        for word in ("corpus", "library file", "same as above", "same list", "entries above", "/work", "/root"):
            assert word not in text, (path.name, word)


@pytest.mark.parametrize(
    ("reference", "value", "unit"),
    [
        ("hardware.h800.memory", 80_000_000_000, "B"),
        ("hardware.h800.nvlink", 400_000_000_000, "B/s"),
        ("training.v3_cost.gpu_hours", 2_788_000, "GPU·h"),
        ("training.v3_cost.cost", 5_576_000, "USD"),
        ("inference.serving_day.cost", 87_072, "USD"),
        ("inference.serving_day.average_nodes", 226.75, "node"),
        ("models.v3.kv_lora_rank", 512, "value"),
        ("prices.v4_1_flash.out", 0.6, "USD/million tokens"),
        ("benchmarks.r1.aime_2024.deepseek_r1", 79.8, "%"),
        ("benchmarks.r1.codeforces_rating.o1_1217", 2061, "Elo"),
        ("r1.trajectory.aime2024_end_nature", 77.9, "%"),
        ("timeline.market.value_lost", 589_000_000_000, "USD"),
    ],
)
def test_well_known_figures(reference, value, unit):
    quantity = facts.quantity(reference)
    assert quantity.value == value
    assert quantity.unit == unit


def test_units_multiply_to_the_published_bill():
    """226.75 nodes × 8 GPUs × 24 h × $2, with units that cancel."""
    day = facts.entry("inference.serving_day")
    cost = (
        day.quantity("average_nodes")
        * day.quantity("gpus_per_node")
        * day.quantity("hours")
        * day.quantity("gpu_hour_price")
    )
    assert cost.unit == "USD"
    assert cost.value == day.quantity("cost").value
    v3 = facts.entry("training.v3_cost")
    assert (v3.quantity("gpu_hours") * v3.quantity("gpu_hour_price")).value == v3.quantity("cost").value
    parts = (
        v3.quantity("pretrain_gpu_hours")
        + v3.quantity("context_extension_gpu_hours")
        + v3.quantity("post_training_gpu_hours")
    )
    assert parts.value == v3.quantity("gpu_hours").value


def test_what_is_only_recalled_can_be_looked_at_but_not_shown():
    entry = facts.entry("hardware.ascend_910b")
    assert entry.fields["bf16"] == 376e12
    with pytest.raises(ExplainError, match=r"fact\.hardware\.ascend_910b\.bf16 is recalled .* may not be shown"):
        facts.quantity("hardware.ascend_910b.bf16")
    with pytest.raises(ExplainError, match="recalled"):
        facts.quantity("hardware.ascend_910c.memory")  # one weak field of a better entry
    assert facts.quantity("hardware.ascend_910c.bf16").origin.confidence == "secondary"
    assert "fact.hardware.ascend_910b.bf16" not in set(facts.names())


def test_a_field_from_another_source_says_so():
    assert "H100 datasheet" in facts.quantity("hardware.h800.memory").origin.source
    assert "2505.09343" in facts.quantity("hardware.h800.nvlink").origin.source


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("hardwear.h800.memory", "did you mean hardware"),
        ("hardware.h80.memory", "did you mean"),
        ("hardware.h800.memmory", "did you mean memory"),
        ("hardware.h800.title", "unknown field"),
        ("hardware.h800.note", "is a text, not a figure"),
        ("hardware.h800", "write <file>.<entry>.<field>"),
    ],
)
def test_wrong_references_name_the_fix(reference, message):
    with pytest.raises(ExplainError, match=message):
        facts.quantity(reference)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[about]\ntitle = ", "not valid TOML"),
        ('[chip]\ntitle = "x"', r"\[about\] with a title is missing"),
        (ENTRY.replace('source = "a datasheet"\n', ""), "made_up.toml, entry 'chip': source is missing"),
        (ENTRY.replace("2024-01-01", "last year"), "entry 'chip': date 'last year'"),
        (ENTRY.replace('"primary"', '"certain"'), "entry 'chip': unknown confidence 'certain'"),
        (ENTRY + "speed = 3", "entry 'chip': the number speed has no unit"),
        (ENTRY + 'memory = 3\nunits = { memory = "B//" }', "cannot read the unit"),
        (ENTRY + 'confidences = { memory = "primary" }', "confidences names 'memory'"),
        (ENTRY.replace("[chip]", '["a chip"]'), "a table with a key"),
        (ENTRY + 'columns = ["a", "b"]\nrows = { x = [1] }', "row 'x' has 1 cells for 2 columns"),
        (ENTRY + 'columns = ["a", "a"]\nrows = { x = [1, 2] }', "names its columns, each once"),
        (ENTRY + 'columns = ["a"]\nrows = { x = [1] }', "the number x.a has no unit"),
    ],
)
def test_a_broken_file_is_named_with_its_entry(tmp_path, text, message):
    with pytest.raises(ExplainError, match=message):
        facts.read(write(tmp_path, text))


def test_tables_have_units_by_row_by_column_or_for_all(tmp_path):
    text = ENTRY + (
        'columns = ["a", "b"]\nrows = { x = [1, ""], y = [2.5, 3] }\nlabels = { a = "first" }\n'
        'units = { cells = "%", b = "s", y = "Elo" }\n'
    )
    entry = facts.read(write(tmp_path, text))["chip"]
    assert entry.table.cells["x", "b"] is None  # not reported
    assert "x.b" not in entry.fields
    assert {name: entry.units[name] for name in ("x.a", "y.a", "y.b")} == {"x.a": "%", "y.a": "Elo", "y.b": "Elo"}
    assert entry.quantity("x.a").name == "x first, A chip"


def test_an_edited_file_is_read_again(tmp_path):
    path = write(tmp_path, ENTRY + "memory = 80e9")
    assert facts.read(path)["chip"].quantity("memory").value == 80_000_000_000
    path.write_text(ENTRY + "memory = 96e9", encoding="utf-8")
    import os

    os.utime(path, ns=(1, 1))  # another time stamp, whatever the clock's grain
    assert facts.read(path)["chip"].quantity("memory").value == 96_000_000_000


def test_search_finds_figures_and_texts_and_says_what_may_be_shown():
    found = {item.reference: item for item in facts.search("h800 memory")}
    assert found["fact.hardware.h800.memory"].shown == "80.0 GB"
    assert found["fact.hardware.h800.memory"].showable
    assert not next(item for item in facts.search("hardware.ascend_910b.bf16")).showable
    assert facts.search("no such words anywhere") == []
    assert len(facts.search("")) > len(facts.search("deepseek"))


def test_texts_come_with_their_source():
    text, origin = facts.text("timeline.r1.text")
    assert "R1" in text
    assert origin.key == "timeline.r1.text"
    with pytest.raises(ExplainError, match="not a text"):
        facts.text("hardware.h800.memory")
    assert facts.table("benchmarks.r1").labels["deepseek_r1"] == "DeepSeek-R1"
    with pytest.raises(ExplainError, match="is not a table"):
        facts.table("hardware.h800")


def test_the_copied_arithmetic_of_published_checks_holds():
    """Recount what the sources add up themselves, so a slip in copying shows."""
    stage = facts.entry("r1.stage_3_rejection_sft")
    assert sum(stage.fields[name] for name in ("maths", "code", "stem", "logic", "general")) == stage.fields["samples"]
    r1 = facts.entry("training.r1_cost").fields
    assert r1["r1_zero_gpu_hours"] + r1["sft_data_creation_gpu_hours"] + r1["r1_gpu_hours"] == r1["gpu_hours"]
    assert r1["gpu_hours"] * r1["gpu_hour_price"] == r1["cost"]
    v2 = facts.entry("training.v2_vs_67b").fields
    assert 100 * (1 - v2["gpu_hours_per_trillion_v2"] / v2["gpu_hours_per_trillion_67b"]) == pytest.approx(
        v2["saving"], abs=0.05
    )
    day = facts.entry("inference.serving_day").fields
    assert 100 * day["cache_hit_tokens"] / day["input_tokens"] == pytest.approx(day["cache_hit_share"], abs=0.06)
    layer = facts.entry("inference.deepep").fields
    sent = layer["batch"] * 8 * facts.quantity("models.v3.hidden").value  # FP8: a byte a value
    assert sent / layer["low_latency_dispatch_time"] == pytest.approx(layer["low_latency_dispatch"], rel=0.05)
    assert 2 * sent / layer["low_latency_combine_time"] == pytest.approx(layer["low_latency_combine"], rel=0.05)


def test_command_prints_figure_source_and_reference():
    from scenes.commands.facts import facts as command

    run = CliRunner().invoke
    shown = run(command, ["h800", "memory"])
    assert shown.exit_code == 0
    assert "fact.hardware.h800.memory = 80.0 GB" in shown.output
    assert "secondary" in shown.output
    rows = json.loads(run(command, ["h800", "memory", "--json"]).output)
    assert rows[0]["reference"] == "fact.hardware.h800.memory"
    assert rows[0]["value"] == 80_000_000_000
    assert "v3.mla_vs_mha = 56.9×" in run(command, ["v3", "mla_vs"]).output
    assert "recalled: not shown" in run(command, ["ascend_910b", "bf16"]).output
    assert json.loads(run(command, ["--json"]).output)["hardware"] >= 13
    assert isinstance(run(command, ["nothing", "like", "this"]).exception, ExplainError)


def test_files_are_plain_toml():
    for path in (paths.assets() / "facts").glob("*.toml"):
        assert tomllib.loads(path.read_text(encoding="utf-8"))["about"]["compiled"] == "2026-11-23"
