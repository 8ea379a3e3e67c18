"""Lecture 5: the scoreboard, generation by generation."""

from __future__ import annotations

from manim import (
    DOWN,
    RIGHT,
    UP,
    Circle,
    Create,
    FadeIn,
    FadeOut,
    Indicate,
    LaggedStart,
    Mobject,
    RoundedRectangle,
    VGroup,
)

from explainers import facts
from explainers.quantities import Quantity
from scenes.kit import (
    EASE,
    SAFE_RIGHT,
    STAGE_CENTER,
    DateLabel,
    NumberLabel,
    Panel,
    Scoreboard,
    dim,
    label,
    role,
    row,
    undim,
)
from scenes.lectures.l5_scoreboard.common import LABS, mark
from scenes.stage import LectureScene

SOFTWARE, KNOWLEDGE, MATHS = "software", "knowledge", "mathematics"
#: Generation → table, the columns of each lab, words for the rivals.
GENERATIONS: dict[str, tuple[str, dict[str, str], str]] = {
    "V3": (
        "v3_chat",
        {"OpenAI": "gpt_4o_0513", "Anthropic": "claude_3_5_sonnet_1022", "DeepSeek": "deepseek_v3"},
        "GPT-4o, Claude 3.5",
    ),
    "R1": (
        "r1",
        {"OpenAI": "o1_1217", "Anthropic": "claude_3_5_sonnet_1022", "DeepSeek": "deepseek_r1"},
        "o1, Claude 3.5",
    ),
    "V3.2": (
        "v32",
        {
            "OpenAI": "gpt_5_high",
            "Anthropic": "claude_4_5_sonnet",
            "Google": "gemini_3_0_pro",
            "DeepSeek": "deepseek_v3_2",
        },
        "GPT-5, Claude 4.5, Gemini 3",
    ),
    "V4-Pro": (
        "v4_pro",
        {
            "OpenAI": "gpt_5_4_xhigh",
            "Anthropic": "opus_4_6_max",
            "Google": "gemini_3_1_pro_high",
            "DeepSeek": "v4_pro_max",
        },
        "GPT-5.4, Opus 4.6, Gemini 3.1",
    ),
}
#: Row → the line of each generation's table.
TESTS = {
    SOFTWARE: dict.fromkeys(GENERATIONS, "swe_bench_verified"),
    KNOWLEDGE: dict.fromkeys(GENERATIONS, "gpqa_diamond"),
    MATHS: {"V3": "aime_2024", "R1": "aime_2024", "V3.2": "aime_2025", "V4-Pro": "hmmt_feb_2026"},
}
#: What others measured of DeepSeek's models.
OTHERS = {
    (SOFTWARE, "V3.2"): "benchmarks.independent_v32_openhands.swe_bench",
    (SOFTWARE, "V4-Pro"): "benchmarks.caisi_v4.swe_bench_verified.deepseek_v4_pro",
    (KNOWLEDGE, "V4-Pro"): "benchmarks.caisi_v4.gpqa_diamond.deepseek_v4_pro",
}


class TheScoreboard(LectureScene):
    """Small multiples of three tests and four generations; rings are the maker's figures, full dots others'."""

    lecture = 5

    def construct(self) -> None:
        self.show_title()
        panels = [self.panel(row, column) for row in TESTS for column in GENERATIONS]
        board = Scoreboard(
            panels,
            LABS,
            heads={name: f"{name}\n{rivals}" for name, (_, _, rivals) in GENERATIONS.items()},
            width=2.2,
            pitch=0.29,
            gap=(0.66, 0.5),
            numbered="DeepSeek",
        )
        board.move_to(STAGE_CENTER + 0.28 * UP)
        dates = {name: self.date(name, board) for name in GENERATIONS}
        # said once, before them all: a table can be some days younger than the weights
        since = label("table of", 18, "muted").align_to(dates["V3"], UP).align_to(board.row_names, RIGHT)
        board.frame.add(since)
        legend = self.legend(board)
        self.sources = [next(iter(panel.values.values())) for panel in panels[: len(GENERATIONS)]]
        self.origin(*self.sources)
        self.early(board, dates, legend)
        self.later(board, dates)
        self.now(board, dates, legend)

    def panel(self, row: str, column: str) -> Panel:
        """The scores of one test in one generation's table; labs without one are left out."""
        table, labs, _ = GENERATIONS[column]
        line = TESTS[row][column]
        cells = facts.table(f"benchmarks.{table}").cells
        values = {
            lab: self.number(f"fact.benchmarks.{table}.{line}.{key}")
            for lab, key in labs.items()
            if cells[line, key] is not None
        }
        others: dict[str, Quantity] = {}
        if (row, column) in OTHERS:
            others["DeepSeek"] = self.number(f"fact.{OTHERS[row, column]}")
        name = facts.table(f"benchmarks.{table}").labels[line]
        return Panel(row, column, values, others, name)

    def date(self, column: str, board: Scoreboard) -> DateLabel:
        """When the table was published, at the right of the head."""
        date = DateLabel(self.number(f"fact.benchmarks.{GENERATIONS[column][0]}.date"), 18, "muted")
        return date.align_to(board.heads[column], UP).align_to(board.grounds[SOFTWARE, column], RIGHT)

    @staticmethod
    def legend(board: Scoreboard) -> VGroup:
        entries = VGroup()
        highest = Circle(0.14, stroke_width=3, color=role("accent"))
        marks = (mark("token", True, 0.1), highest, mark("token", False, 0.1))
        for dot, words in zip(
            marks, ("a maker's figure, from DeepSeek's tables", "highest", "measured by others"), strict=True
        ):
            entries.add(VGroup(dot, label(words, "small", "muted").next_to(dot, RIGHT, buff=0.14)))
        entries.arrange(RIGHT, buff=0.45).move_to([SAFE_RIGHT, 3.44, 0], aligned_edge=RIGHT)
        return entries

    def spot(self, board: Scoreboard, test: str, column: str) -> RoundedRectangle:
        """A frame around one panel, for the sentence that is about it."""
        frame = RoundedRectangle(width=2.86, height=board.panel_height + 0.42, corner_radius=0.1, stroke_width=3)
        ground = board.grounds[test, column]  # the lowest one has its ticks below
        frame.set_stroke(role("accent")).move_to(ground).shift(0.27 * RIGHT)
        return frame.align_to(ground, UP).shift(0.08 * UP)

    @staticmethod
    def part(board: Scoreboard, column: str) -> list[Mobject]:
        """All that has come of a generation so far, to stand back when the next one comes."""
        drawn = (board.grounds, board.stems, board.dots, board.numbers, board.crowns)
        return [board.heads[column], *(each for group in drawn for key, each in group.items() if key[1] == column)]

    def early(self, board: Scoreboard, dates: dict[str, DateLabel], legend: VGroup) -> None:
        with self.step() as s:
            self.play(FadeIn(board.lab_names, board.frame[-1]), run_time=0.8)
            s.until("tests")
            names = (FadeIn(name, shift=0.2 * RIGHT) for name in board.row_names)
            self.play(LaggedStart(*names, lag_ratio=0.9), run_time=2.4)
            s.until("v3")
            self.play(board.enter("V3", run_time=2.4), FadeIn(dates["V3"]))
            s.until("leads")
            frame = self.spot(board, MATHS, "V3")
            self.play(FadeIn(legend[1]), board.crown("V3"), Create(frame), run_time=1.0)
            s.until("hollow")
            rings = [dot for key, dot in board.dots.items() if key[1] == "V3"]
            grow = (Indicate(dot, scale_factor=1.7, color=None) for dot in rings)
            self.play(FadeOut(frame), FadeIn(legend[0]), *grow)

    def later(self, board: Scoreboard, dates: dict[str, DateLabel]) -> None:
        with self.step() as s:
            s.until("r1")
            self.play(dim(*self.part(board, "V3"), dates["V3"], to=0.35), run_time=0.5)
            self.play(board.enter("R1", run_time=2.4), FadeIn(dates["R1"]))
            s.until("level")
            self.play(board.crown("R1"))
            frame = self.spot(board, MATHS, "R1")
            self.play(Create(frame), run_time=0.5)
            s.until("ahead")
            self.play(frame.animate.move_to(self.spot(board, KNOWLEDGE, "R1")), run_time=0.8, rate_func=EASE)
            s.until("v32")
            self.play(FadeOut(frame), dim(*self.part(board, "R1"), dates["R1"], to=0.35), run_time=0.5)
            self.play(board.enter("V3.2", run_time=2.8), FadeIn(dates["V3.2"]))
            self.play(board.crown("V3.2"))

    def now(self, board: Scoreboard, dates: dict[str, DateLabel], legend: VGroup) -> None:
        low, high = (self.number(f"fact.benchmarks.v4_own_lag.months_{end}") for end in ("low", "high"))
        behind = row(
            NumberLabel(low, "plain bare", size="small", role="latent", before="by its own report, "),
            NumberLabel(high, "plain bare", size="small", role="latent", before="to ", after=" months behind"),
            gap=0.1,
        )
        behind.next_to(board.grounds[MATHS, "V4-Pro"], DOWN, buff=0.12).align_to([SAFE_RIGHT, 0, 0], RIGHT)
        with self.step() as s:
            s.until("v4")
            self.play(dim(*self.part(board, "V3.2"), dates["V3.2"], to=0.35), run_time=0.5)
            self.play(board.enter("V4-Pro", run_time=2.4), FadeIn(dates["V4-Pro"]))
            self.play(board.crown("V4-Pro"))
            s.until("last")
            frame = self.spot(board, KNOWLEDGE, "V4-Pro")
            self.play(Create(frame), run_time=0.8)
            s.until("others")
            self.play(FadeIn(legend[2]), board.measured_by_others("V4-Pro"))
            s.until("lower")
            self.play(frame.animate.move_to(self.spot(board, SOFTWARE, "V4-Pro")), run_time=0.8, rate_func=EASE)
            s.until("months")
            self.origin(*self.sources, low)
            earlier = [each for name in ("V3", "R1", "V3.2") for each in (*self.part(board, name), dates[name])]
            self.play(FadeOut(frame), undim(*earlier), FadeIn(behind), run_time=0.9)
            self.play(board.measured_by_others("V3.2"))
