"""Charts: lines, bars, points, areas, roofs."""

from __future__ import annotations

from manim import Mobject

from explainers import facts, runs
from explainers.references import resolve
from scenes.kit import (
    Axes2D,
    Axis,
    Bar,
    BarChart,
    BarRow,
    Block,
    BlockChart,
    DotRow,
    DotRows,
    Entry,
    Ledger,
    LineChart,
    Listings,
    PriceRace,
    RaceRails,
    Rail,
    Roof,
    RooflineChart,
    Runner,
    ScatterChart,
    SeedShifts,
    Series,
    Slope,
    Slopes,
    Spot,
    Waterfall,
    Work,
)
from scenes.kit.examples.showing import shows


@shows(Axes2D, Axis)
def axes() -> Mobject:
    """Two axes with their ticks; a logarithmic one says so by its distances."""
    return Axes2D(Axis(1e3, 1e6, "context", "token", log=True), Axis(0, 100, "energy kept", "%"), width=7, height=3)


@shows(LineChart, Series)
def lines() -> Mobject:
    """Curves with their names at their ends, and a band where there are several seeds."""
    trace = runs.get("low_rank")
    energy, spread = trace["energy_of_all_layers"], trace["energy_of_all_layers_spread"]
    shown = slice(0, 97)
    curves = [
        Series(
            ("before RoPE", "after RoPE")[variant],
            energy.pick(network=0, variant=variant, rank=shown),
            spread=spread.pick(network=0, variant=variant, rank=shown),
            role=("latent", "rope")[variant],
        )
        for variant in (0, 1)
    ]
    return LineChart(curves, x_name="directions kept", y_axis=Axis(0, 1.02, "energy kept"))


@shows(BarChart, Bar)
def bars() -> Mobject:
    """Lengths that compare; the numbers stand at their ends."""
    trace = runs.get("kv_attentions")
    kinds = (("MHA", "mha", "key"), ("GQA, eight heads", "gqa8", "value"), ("MLA", "mla", "latent"))
    return BarChart([Bar(name, trace.quantity(key), role) for name, key, role in kinds], fmt="si 3", thickness=0.5)


@shows(BarRow)
def a_row_of_bars() -> Mobject:
    """The scores that one token gives to all experts; the chosen ones are marked."""
    trace = runs.get("routing")
    chosen = trace["indices"].pick(layer=0, token=3).values
    scores = trace["original_scores"].pick(layer=0, token=3)
    return BarRow(scores, marked=[int(expert) for expert in chosen], y_name="score", x_name="experts")


@shows(ScatterChart, Spot)
def spots() -> Mobject:
    """Points with their names, and the spread over seeds."""
    trace = runs.get("attention_variants")
    kinds = (("MHA", "mha", "key"), ("MQA", "mqa", "query"), ("MLA", "mla_32", "latent"))
    return ScatterChart(
        [Spot(name, trace.quantity(f"cached_{key}"), trace.quantity(f"loss_{key}"), role) for name, key, role in kinds],
        x_name="kept for a token in one layer",
        y_name="held-out loss",
        x_log=True,
    )


@shows(RooflineChart, Roof, Work)
def a_roofline() -> Mobject:
    """Under a slope memory is the limit, under the flat part arithmetic."""
    trace = runs.get("roofline_decode")
    works = (("MHA", "mha", "key"), ("GQA", "gqa8", "value"), ("MLA, absorbed", "mla_absorbed", "latent"))
    return RooflineChart(
        [Roof("H800", trace.quantity("peak_h800"), trace.quantity("bandwidth_h800"), "text")],
        [Work(name, trace.quantity(f"intensity_{key}"), role) for name, key, role in works],
    )


@shows(Waterfall)
def a_bill() -> Mobject:
    """Items that add up to a total: V3's training bill."""
    rent = resolve("fact.training.v3_cost.gpu_hour_price")
    items = [
        ("pre-training", "pretrain", "cost"),
        ("long texts", "context_extension", "value"),
        ("post-training", "post_training", "reward"),
    ]
    bill = [Bar(name, resolve(f"fact.training.v3_cost.{key}_gpu_hours") * rent, role) for name, key, role in items]
    return Waterfall(bill, total="the bill", fmt="usd 3")


@shows(BlockChart, Block)
def blocks() -> Mobject:
    """Width times height is the amount: parameters at work times tokens read."""
    models = (("DeepSeek-V3", "v3", "latent"), ("Llama-3.1-405B", "llama_405b", "dense"))
    blocks = [
        Block(name, resolve(f"{key}.active_params"), resolve(f"{key}.training_tokens"), role)
        for name, key, role in models
    ]
    return BlockChart(blocks, y_name="text read")


@shows(DotRows, DotRow, Runner)
def rows_of_dots() -> Mobject:
    """Who stands where in each test; a shape and a colour for each model."""
    table = "benchmarks.v3_chat"
    models = {
        "gpt_4o_0513": Runner("GPT-4o", "query", "triangle"),
        "deepseek_v3": Runner("DeepSeek-V3", "latent", "circle"),
    }
    rows = [
        DotRow(
            facts.table(table).labels[test],
            {who.name: resolve(f"fact.{table}.{test}.{key}") for key, who in models.items()},
        )
        for test in ("math_500", "mmlu_pro", "simpleqa")
    ]
    return DotRows(rows, list(models.values()), x_name="solved, as DeepSeek measured")


@shows(Slopes, Slope)
def slopes() -> Mobject:
    """The same two models in two tables: who rises, who falls, and that the order changes."""
    table = "fact.benchmarks.r1_readme_livecodebench"
    pairs = (("GPT-4o", "gpt_4o_0513", "query"), ("Claude 3.5", "claude_3_5_sonnet_1022", "value"))
    lines = []
    for name, key, role in pairs:
        first, second = (resolve(f"{table}.{place}_table.{key}") for place in ("first", "second"))
        lines.append(Slope(name, first, second, role))
    return Slopes(lines, ("first table", "second table"), Axis(31, 40))


@shows(SeedShifts)
def shifts() -> Mobject:
    """Before and after, for each seed of each start."""
    trace = runs.get("grpo_skill")
    skill = trace["exam"].pick(exam=1)
    return SeedShifts(
        skill.pick(model=0), skill.pick(model=1), trace["start"], x_name="steps of copying before", y_name="right"
    )


@shows(Ledger, Entry)
def a_ledger() -> Mobject:
    """Ratios on a logarithmic scale around one: what is saved, and what is paid for it."""
    trace = runs.get("same_quality")
    names = (("arithmetic", "arithmetic", "reward"), ("weights held", "weights", "cost"), ("cache", "cache", "reward"))
    entries = [Entry(name, trace.quantity(f"ratio_{key}"), role) for name, key, role in names]
    return Ledger(entries, middle="DeepSeek 7B, dense")


@shows(RaceRails, Rail)
def rails() -> Mobject:
    """How far something came on the way from one value to another."""
    trace = runs.get("same_race")
    races = (("DeepSeekMoE's\npaper", "paper"), ("here", "here"))
    rails = []
    for name, race in races:
        start, end, reached = (trace.quantity(f"{race}_{point}") for point in ("small", "large", "sparse"))
        rails.append(Rail(name, start, end, reached))
    return RaceRails(rails, ends=("small dense model", "everything at work"), fmt="plain .3 bare")


@shows(PriceRace, Listings)
def prices() -> Mobject:
    """List prices on their days, on a logarithmic scale; hollow dots were read at second hand."""
    trace = runs.get("price_history")
    names = (("others", "token", False), ("deepseek_large", "query", False), ("deepseek", "latent", True))
    lines = [
        Listings.of(trace, name, role, stepped=stepped, dashed=name != "deepseek") for name, role, stepped in names
    ]
    return PriceRace(lines, low=0.13, ticks=(0.25, 1, 5, 25, 100), width=10, height=3.8)
