"""One picture of each kit object, for looking at: ``manim -s scenes/kit/gallery.py Words``.

The data here is made up for the gallery and says so in its origin.
"""

from __future__ import annotations

import numpy as np
from manim import LEFT, UP, Scene, VGroup

from explainers.quantities import Cited, Quantity
from explainers.traces import NamedArray
from scenes.kit import (
    ROLES,
    SIZES,
    AttentionMap,
    Axis,
    Bar,
    BarChart,
    BarRow,
    Bottleneck,
    Bracket,
    CacheScale,
    CacheStack,
    CacheStrip,
    Callout,
    ColorScale,
    CountingNumber,
    DotStack,
    Entry,
    Event,
    ExamField,
    ExpertField,
    ExpertGrid,
    ExpertHeatMap,
    ExpertMail,
    ExpertSplit,
    FlowFan,
    GateBars,
    GuessStrip,
    HeadSharing,
    IntervalRows,
    Ledger,
    Legend,
    LineChart,
    LoadRain,
    MatrixProduct,
    Measured,
    NumberLabel,
    OriginLine,
    PackedChips,
    Panel,
    Phrase,
    QuestionCard,
    RaceRails,
    Rail,
    Roof,
    RooflineChart,
    ScatterChart,
    Scoreboard,
    Series,
    Slope,
    Slopes,
    SnapLine,
    SolvedField,
    Spot,
    TensorGrid,
    Timeline,
    TokenChip,
    TokenRow,
    TurnTimeline,
    VectorColumn,
    VoteColumns,
    Work,
    column,
    dim,
    fit_stage,
    label,
    math,
    mono,
    role,
    row,
    title,
)
from scenes.kit.examples.showing import made_up as number
from scenes.kit.examples.showing import values as example


class GalleryScene(Scene):
    """A scene on the theme's ground."""

    def setup(self) -> None:
        """Paint the ground."""
        self.camera.background_color = role("ground")


class Words(GalleryScene):
    """Type sizes, roles, mathematics, numbers."""

    def construct(self) -> None:
        """Draw."""
        self.add(title("The cache grows with every token"))
        sizes = column(*(label(f"{name} Keys and queries", name) for name in SIZES if name != "hero"))
        roles = VGroup(*(label(name, "body", name) for name in ROLES if name not in ("surface", "hairline", "ground")))
        roles.arrange_in_grid(cols=2, cell_alignment=LEFT, buff=(0.5, 0.16))
        numbers = column(
            NumberLabel(number(70272, "B"), "si", size="display", role="latent", after=" a token"),
            CountingNumber(number(4096, "token"), number(131072, "token"), "plain", size="heading").show(0.5),
            math("latent(c)_t^(K V) = W^(D K V) h_t", "heading"),
            math("softmax((query(q)^top key(k)) / sqrt(d_h)) value(v)", "heading"),
            mono("kv_lora_rank = kv_dim", "body"),
            Phrase(
                ("keys", "key"), (" and ", "text"), ("values", "value"), (" share a ", "text"), ("latent", "latent")
            ),
            label("Long words are broken into\nlines when they must be", "body", "muted"),
        )
        left = column(sizes, gap=0.4)
        self.add(fit_stage(row(left, roles, numbers, gap=0.7)))
        cited = Quantity(61, "layer", Cited("DeepSeek-V3 technical report", "2024-12-27", where="section 4.2"))
        self.add(OriginLine(cited, number(3.0)))


class Tensors(GalleryScene):
    """Tokens, grids, columns."""

    def construct(self) -> None:
        """Draw."""
        words = ("The", " cat", " sat", " on", " the", " mat", ".", "\n")
        tokens = TokenRow(words)
        long = TokenRow(words * 8, rows=2, width=11)
        values = example(8, 128, axes=("token", "latent"), labels={"token": words}, name="c_kv")
        grid = TensorGrid(values, role="latent", max_columns=28, row_labels=True, name="latent c")
        grid.add(grid.highlight(row=3))
        attention = example(8, 8, axes=("query", "key"), positive=True, seed=4)
        square = TensorGrid(attention, cell=0.24, name="scores")
        scale = ColorScale.of(values)
        columns = row(
            VectorColumn(example(24, axes=("dim",), seed=1), role="token", scale=scale, cell=0.13, name="h"),
            VectorColumn(example(6, axes=("dim",), seed=2), role="latent", scale=scale, cell=0.13, name="c"),
            VectorColumn(example(24, axes=("dim",), seed=3), role="key", scale=scale, cell=0.13, name="k"),
            gap=0.5,
        )
        big = TensorGrid(example(64, 200, axes=("row", "column"), seed=5), max_rows=64, max_columns=200, cell=0.025)
        body = column(tokens, long, row(grid, square, gap=0.5), row(columns, big, TokenChip(" cat"), gap=0.8), gap=0.3)
        self.add(fit_stage(body))


class Charts(GalleryScene):
    """Lines, bars, points, roofline."""

    def construct(self) -> None:
        """Draw."""
        rank = NamedArray(np.arange(0, 129, 4), ("rank",), "rank")
        share = 1 - np.exp(-rank.values / 18)

        def curve(factor: float) -> NamedArray:
            return NamedArray(100 * share**factor, ("rank",), "energy", "%")

        lines = LineChart(
            [
                Series(
                    "before RoPE", curve(0.5), rank, NamedArray(np.full(33, 2.0), ("rank",), "spread", "%"), "latent"
                ),
                Series("after RoPE", curve(1.5), rank, role="rope"),
                Series("random", curve(1.8), rank, role="dense", dashed=True),
            ],
            x_name="rank kept",
            y_name="energy kept",
            width=4.2,
            height=2.1,
        )
        bars = BarChart(
            [
                Bar(n, number(v, "B"), r)
                for n, v, r in (("MHA", 4e6, "key"), ("GQA", 5e5, "value"), ("MLA", 70272, "latent"))
            ],
            fmt="si",
            length=3.6,
            name="cache per token",
        )
        log_bars = BarChart(
            [
                Bar(n, number(v, "B"), r)
                for n, v, r in (("MHA", 4e6, "key"), ("GQA", 5e5, "value"), ("MLA", 70272, "latent"))
            ],
            fmt="si",
            log=True,
            length=3.6,
            name="cache per token",
        )
        spread = Quantity(2.9, "", Cited("made up", "2026-01-01"), spread=0.08)
        spots = ScatterChart(
            [
                Spot("MHA", number(256), number(2.8), "key"),
                Spot("GQA", number(128), number(2.83), "value"),
                Spot("MLA", number(48), spread, "latent"),
            ],
            x_name="values per token and layer",
            y_name="loss",
            x_log=True,
            width=4.2,
            height=1.9,
        )
        roof = RooflineChart(
            [Roof("H800", number(989e12, "FLOP/s"), number(3.35e12, "B/s"), "text")],
            [
                Work("MHA decode", number(1.0, "FLOP/B"), "key"),
                Work("MLA absorbed", number(240.0, "FLOP/B"), "latent"),
                Work("prefill", number(900.0, "FLOP/B"), "query"),
            ],
            width=4.4,
            height=2.3,
        )
        roof.add(roof.ridge_line("H800"))
        scores = BarRow(
            example(16, axes=("expert",), positive=True), marked=(2, 5), y_name="gate score", width=4, height=1.1
        )
        left, right = column(lines, spots, gap=0.4), column(roof, row(bars, log_bars, gap=0.3), scores, gap=0.35)
        self.add(fit_stage(row(left, right, gap=0.8), height=7.2).move_to([0, 0, 0]))


class Caches(GalleryScene):
    """Strips to scale, brackets, callouts."""

    def construct(self) -> None:
        """Draw."""
        mha, gqa, mla = number(4.0e9, "B"), number(5.2e8, "B"), number(7.03e7, "B")
        scale = CacheScale.of(mha, length=9.5)
        strips = [
            CacheStrip(mha, scale=scale, name="MHA, every head its own keys and values", limit=number(2.5e9, "B")),
            CacheStrip(gqa, scale=scale, name="GQA", role="value"),
            CacheStrip(mla, scale=scale, name="MLA", role="latent"),
        ]
        stack = CacheStack(strips)
        stack.add(strips[0].limit_mark("one GPU"))
        fine = CacheScale.of(mla, length=9.5, rows=1)
        wrapped = CacheStrip(number(2.9e8, "B"), scale=fine, rows=3, name="wrapped", role="query", thickness=0.22)
        title_words = title("One picture, one scale")
        legend = Legend([("query", "query"), ("key", "key"), ("value", "value")])
        shape = Bottleneck(
            [number(7168), number(512), number(16384)],
            names=("h", "c", "k"),
            roles=("token", "latent", "key"),
            height=2.2,
        )
        shape.add(Bracket(shape.stages[0], "wide", LEFT), Callout("small", shape.stages[1], UP, role="latent"))
        body = column(stack, row(column(wrapped, legend), shape, gap=0.6), gap=0.45)
        self.add(title_words, fit_stage(body))


class Attention(GalleryScene):
    """Products, heads, maps, experts, flows."""

    def construct(self) -> None:
        """Draw."""
        a, b = example(6, 24, axes=("token", "dim")), example(24, 8, axes=("dim", "latent"), seed=3)
        out = NamedArray(a.values @ b.values, ("token", "latent"), "c")
        product = MatrixProduct(a, b, out, names=("h", "W_DKV", "c_KV"), roles=("token", "", "latent"), cell=0.12)
        heads = row(
            HeadSharing(number(8, "head"), number(8, "head"), width=2.6, name="MHA"),
            HeadSharing(number(8, "head"), number(2, "head"), width=2.6, name="GQA"),
            HeadSharing(number(128, "head"), number(1, "head"), width=2.6, most=8, latent=True, name="MLA"),
            gap=0.5,
        )
        words = ("The", " cat", " sat", " on", " the", " mat", ".", "\n")
        scores = np.tril(np.exp(example(8, 8, axes=("q", "k")).values))
        weights = NamedArray(scores / scores.sum(1, keepdims=True), ("query", "key"), "w", labels={"query": words})
        triangle = AttentionMap(weights, row_labels=True, cell=0.2)
        chosen = np.zeros(16)
        chosen[[1, 3, 9, 14]] = (0.4, 0.2, 0.3, 0.1)
        gate = NamedArray(chosen, ("expert",), "weights")
        experts = ExpertGrid(gate, groups=4, shared=1, outlined=(1, 3, 9, 14))
        chip = TokenChip(" cat").next_to(experts, UP, buff=1.0)
        routed = VGroup(experts, chip, FlowFan(chip, list(experts.squares), gate))
        self.add(fit_stage(column(row(product, triangle, gap=0.8), row(heads, routed, gap=0.8), gap=0.4)))


class Scores(GalleryScene):
    """Questions and checks, votes, luck, slopes, a small scoreboard."""

    def construct(self) -> None:
        """Draw."""

        def flags(*shape: int, seed: int) -> NamedArray:
            return NamedArray(np.random.default_rng(seed).random(shape) < 0.5, ("exam", "problem"), "made up")

        answers = NamedArray(np.array([7, 3, 7, 7, -1, 7, 5, 7]), ("sample",), "made up")
        card = QuestionCard("mathematics", "How many choices?", number(336), number(330), width=4.2)
        votes = VoteColumns(answers, number(7), columns=4)
        field = ExamField(flags(3, 60, seed=1), flags(3, 60, seed=2))
        solved = SolvedField(NamedArray(np.arange(1, 41) % 17 + 1, ("problem",), "made up"), cell=0.2, tries=6)
        heap = DotStack(
            NamedArray(np.round(np.sin(np.arange(40)) * 5) * 5 + 50, ("exam",), "made up"),
            Axis(0, 100, "solved", "%"),
            width=4.5,
            height=1.6,
        )
        bands = IntervalRows(
            [Measured(n, number(v, "%"), number(v - 9, "%"), number(v + 7, "%"), r) for n, v, r in
             (("A", 80, "latent"), ("B", 74, "query"))],
            Axis(50, 100, "solved", "%"),
            width=4.0,
            pitch=0.6,
        )  # fmt: skip
        lines = Slopes(
            [Slope("A", number(34, "%"), number(33, "%"), "query"), Slope("B", number(33, "%"), number(39, "%"))],
            ("here", "there"),
            Axis(30, 40),
            height=1.8,
        )
        panels = [
            Panel("code", "old", {"X": number(40, "%"), "Y": number(30, "%")}),
            Panel("code", "new", {"X": number(70, "%"), "Y": number(75, "%")}, {"Y": number(69, "%")}),
        ]
        board = Scoreboard(panels, {"X": "query", "Y": "latent"}, numbered="Y", gap=(0.7, 0.42))
        left, right = column(card, row(votes, field, solved, gap=0.4), gap=0.4), column(heap, bands, gap=0.3)
        self.add(fit_stage(column(row(left, right, gap=0.8), row(board, lines, gap=0.8), gap=0.5)))


class Experts(GalleryScene):
    """The gate, the load, who serves whom, and experts by the hundred."""

    def construct(self) -> None:
        """Draw."""
        scores = NamedArray(1 / (1 + np.exp(-3 * example(16, axes=("expert",)).values)), ("expert",), "scores")
        bias = example(16, axes=("expert",), seed=2).values * 0.12
        gate = GateBars(
            scores, NamedArray(scores.values + bias, ("expert",), "biased"), groups=4, width=6.6, unit=1.0, hanging=True
        )
        heavy = np.exp(1.5 * example(6, 16, axes=("step", "expert"), seed=3).values)
        load = NamedArray(heavy / heavy.sum(1, keepdims=True), ("step", "expert"), "load")
        rain = LoadRain(load, example(6, 16, axes=("step", "expert"), seed=4), most=4.0, width=5.0, position=3.5)
        share = np.exp(example(3, 16, axes=("domain", "expert"), seed=6).values)
        kinds = {"domain": ("code", "English", "sums")}
        heat = ExpertHeatMap(
            NamedArray(share / share.sum(1, keepdims=True), ("domain", "expert"), "share", labels=kinds),
            groups=4,
            width=5.6,
            row_height=0.5,
        )
        cuts = [NamedArray(example(n, axes=("expert",)).values > 1, ("expert",), "team") for n in (16, 32, 64)]
        split = ExpertSplit(cuts, width=2.4, height=1.8)
        sent = example(24, 4, 96, axes=("layer", "token", "expert"), seed=7).values > 1
        field = ExpertField(NamedArray(sent, ("layer", "token", "expert"), "sent"), number(1), width=3.4, height=1.8)
        self.add(
            fit_stage(column(row(gate, rain, gap=0.6), row(heat, split.levels[-1], field, gap=0.6), gap=0.5, edge=None))
        )


class Times(GalleryScene):
    """A timeline; things that stand back."""

    def construct(self) -> None:
        """Draw."""
        line = Timeline(
            [
                Event("2024-05-06", "V2: latent attention", "latent"),
                Event("2024-12-26", "V3: trained at low cost"),
                Event("2025-01-20", "R1", "reward"),
                Event("2025-01-27", "the market moves", "cost"),
                Event("2025-12-01", "V3.2: sparse attention"),
                Event("2026-04", "V4"),
            ],
            start="2024",
        )
        grid = TensorGrid(example(6, 30, axes=("token", "dim")), role="latent", name="latent")
        quiet = TensorGrid(example(6, 30, axes=("token", "dim")), role="latent", name="stands back")
        self.add(fit_stage(column(line, row(grid, quiet, gap=0.8), gap=0.8, edge=None)))
        self.play(dim(quiet, to=0.3))


class Efficiency(GalleryScene):
    """Ways and ratios: rails, a ledger, packed chips, weights that snap, guesses, turns."""

    def construct(self) -> None:
        """Draw."""
        rails = RaceRails(
            [
                Rail("paper", number(2.06), number(1.81), number(1.85)),
                Rail("here", number(3.16), number(3.09), number(3.18)),
            ],
            ends=("small", "large"),
            fmt="3",
            length=3.4,
            pitch=1.2,
        )
        ledger = Ledger(
            [Entry("arithmetic", number(0.06)), Entry("memory", number(18.0), "cost", note="for weights")],
            middle="dense",
            width=4.4,
        )
        chips = PackedChips(
            number(80e9, "B"), number(2e10, "B"), number(8e9, "B"), number(2e9, "B"), number(104, "user"), chips=4
        )
        weights = example(8, 12, axes=("row", "column"), seed=3)
        grid = NamedArray(np.array([-4.0, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4]), ("code",), "grid")
        nearest = grid.values[np.abs(weights.values[..., None] / 0.5 - grid.values).argmin(-1)]
        codes = NamedArray(nearest, ("row", "column"), "codes")
        scale = NamedArray(np.array([0.5]), ("block",), "scale")
        line = SnapLine(weights, codes, grid, scale, width=5.4, ticks=(-4.0, 0.0, 4.0))
        stood = NamedArray(np.array([-1, 1, 0]), ("pass",), "stood", labels={"pass": ("", " sat", " off")})
        words = (" cat", " sat", " on", " the")
        strip = GuessStrip(stood, NamedArray(np.array([0, 1, 1, 2]), ("token",), "written", labels={"token": words}))
        length = np.full((2, 2, 2, 4), 0.002)
        order = np.arange(4)[None, :] * 2 + np.arange(2)[:, None] * 8  # (layer, stage)
        begin = np.stack([order + batch for batch in (0, 1)]) * 0.002
        axes = ("schedule", "batch", "layer", "stage")
        turns = TurnTimeline(
            NamedArray(np.stack([begin, begin * 0.6]), axes, "start", "s", {"batch": ("A", "B")}),
            NamedArray(length, axes, "length", "s"),
            width=5.0,
        )
        mail = ExpertMail(NamedArray(np.array([[0, 5], [5, 2], [7, 5]]), ("token", "slot"), "chosen"), experts=8)
        left, right = column(rails, line, strip, mail, gap=0.35), column(ledger, chips, turns, gap=0.4)
        self.add(fit_stage(row(left, right, gap=0.8), height=7.2).move_to([0, 0, 0]))
