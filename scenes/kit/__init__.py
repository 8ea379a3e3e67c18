"""The visual vocabulary: what the lectures draw with. Works in any Manim file.

Colours by role, text without LaTeX, numbers that know their origin, tensors, tokens, caches and charts that are
drawn from data. `explain docs` shows each, with the code that drew it (`scenes.kit.examples`).
"""

from typing import TYPE_CHECKING

from scenes.kit.areas import AmountSquare, Block, BlockChart
from scenes.kit.attempts import AttemptBoard
from scenes.kit.attention import AttentionMap, HeadRow, HeadSharing
from scenes.kit.axes import Axes2D, Axis, AxisTick, apart
from scenes.kit.bar_chart import Bar, BarChart, BarRow
from scenes.kit.binding import DataBound, data_of, quantity_at, summary
from scenes.kit.branches import Branches
from scenes.kit.caches import CacheScale, CacheStack, CacheStrip
from scenes.kit.cells import CellImage
from scenes.kit.checks import CheckTable, QuestionCard, Spans
from scenes.kit.dot_rows import DotRow, DotRows, Runner
from scenes.kit.expert_mail import ExpertMail
from scenes.kit.expert_maps import ExpertField, ExpertHeatMap, ExpertSplit
from scenes.kit.experts import ExpertGrid
from scenes.kit.fields import CountedField, ExamField, SolvedField
from scenes.kit.flows import Arrow, Flow, FlowFan
from scenes.kit.gate_bars import GateBars
from scenes.kit.guesses import GuessStrip
from scenes.kit.intervals import DotStack, IntervalRows, Measured
from scenes.kit.layout import column, fit_stage, fit_width, in_safe_area, keep_inside, row, spread
from scenes.kit.ledger import Entry, Ledger
from scenes.kit.legends import Bracket, Callout, Legend
from scenes.kit.levers import LearnByChecking, LeversMap, RememberLess, RunLess
from scenes.kit.line_chart import LineChart, Series
from scenes.kit.load_rain import LoadRain
from scenes.kit.marks import cross, tick, verdict
from scenes.kit.matrices import Bottleneck, MatrixProduct
from scenes.kit.motion import dim, exchange, renew, undim
from scenes.kit.numbers import CountingNumber, NumberLabel
from scenes.kit.openness import ChipShelf, LicenceMatrix, SourceWall, licence_rights
from scenes.kit.origin import OriginLine, origin_text
from scenes.kit.packed import PackedChips
from scenes.kit.price_race import Listings, PriceRace, YearTick
from scenes.kit.rails import RaceRails, Rail
from scenes.kit.roofline import Roof, RooflineChart, Work
from scenes.kit.scales import ColorBar, ColorScale
from scenes.kit.scatter_chart import ScatterChart, Spot
from scenes.kit.scoreboard import Panel, Scoreboard
from scenes.kit.seed_shifts import SeedShifts
from scenes.kit.shares import Crowd, SharedBar
from scenes.kit.sliders import Slider
from scenes.kit.slopes import Slope, Slopes
from scenes.kit.snapping import SnapLine
from scenes.kit.tensors import CountNote, ShapeLabel, TensorGrid, VectorColumn
from scenes.kit.text import Formula, Label, Phrase, label, math, mono, title
from scenes.kit.theme import (
    CAPTION_TOP,
    EASE,
    EASE_OUT,
    ENTER,
    HOLD,
    LEAVE,
    SAFE_BOTTOM,
    SAFE_LEFT,
    SAFE_RIGHT,
    SAFE_TOP,
    SAFE_WIDTH,
    SIZES,
    STAGE_CENTER,
    STAGE_HEIGHT,
    STAGE_TOP,
    TRANSFORM,
    role,
    tint,
    use_theme,
)
from scenes.kit.timeline import DateLabel, Event, Timeline
from scenes.kit.tokens import TokenChip, TokenRow, visible
from scenes.kit.turns import TurnTimeline
from scenes.kit.votes import VoteColumns
from scenes.kit.waffle import Waffle
from scenes.kit.waterfall import Waterfall
from scenes.look import ROLES

__all__ = [
    "CheckTable",
    "QuestionCard",
    "Spans",
    "CountedField",
    "ExamField",
    "SolvedField",
    "DotStack",
    "IntervalRows",
    "Measured",
    "cross",
    "tick",
    "verdict",
    "Panel",
    "Scoreboard",
    "VoteColumns",
    "AmountSquare",
    "Arrow",
    "AttemptBoard",
    "AttentionMap",
    "Axes2D",
    "Axis",
    "AxisTick",
    "Bar",
    "BarChart",
    "BarRow",
    "Block",
    "BlockChart",
    "Bottleneck",
    "Bracket",
    "Branches",
    "CAPTION_TOP",
    "CacheScale",
    "CacheStack",
    "CacheStrip",
    "Callout",
    "ChipShelf",
    "CellImage",
    "ColorBar",
    "ColorScale",
    "CountNote",
    "CountingNumber",
    "Crowd",
    "DataBound",
    "DateLabel",
    "DotRow",
    "DotRows",
    "EASE",
    "EASE_OUT",
    "ENTER",
    "Entry",
    "Event",
    "ExpertField",
    "ExpertGrid",
    "ExpertMail",
    "ExpertHeatMap",
    "ExpertSplit",
    "Flow",
    "FlowFan",
    "GuessStrip",
    "Formula",
    "GateBars",
    "HOLD",
    "HeadRow",
    "HeadSharing",
    "LEAVE",
    "Label",
    "LearnByChecking",
    "Legend",
    "Ledger",
    "LicenceMatrix",
    "LeversMap",
    "LineChart",
    "Listings",
    "LoadRain",
    "MatrixProduct",
    "NumberLabel",
    "OriginLine",
    "PackedChips",
    "Phrase",
    "PriceRace",
    "ROLES",
    "RaceRails",
    "Rail",
    "RememberLess",
    "Roof",
    "RooflineChart",
    "RunLess",
    "Runner",
    "SAFE_BOTTOM",
    "SAFE_LEFT",
    "SAFE_RIGHT",
    "SAFE_TOP",
    "SAFE_WIDTH",
    "SIZES",
    "STAGE_CENTER",
    "STAGE_HEIGHT",
    "STAGE_TOP",
    "ScatterChart",
    "SeedShifts",
    "Series",
    "ShapeLabel",
    "SharedBar",
    "SourceWall",
    "Slider",
    "SnapLine",
    "Slope",
    "Slopes",
    "Spot",
    "TRANSFORM",
    "TensorGrid",
    "Timeline",
    "TokenChip",
    "TokenRow",
    "TurnTimeline",
    "VectorColumn",
    "Waffle",
    "Waterfall",
    "Work",
    "YearTick",
    "apart",
    "column",
    "data_of",
    "dim",
    "exchange",
    "fit_stage",
    "fit_width",
    "in_safe_area",
    "keep_inside",
    "label",
    "licence_rights",
    "math",
    "mono",
    "origin_text",
    "quantity_at",
    "renew",
    "role",
    "row",
    "spread",
    "summary",
    "tint",
    "title",
    "undim",
    "use_theme",
    "visible",
]

if not TYPE_CHECKING:  # a type checker should go on finding names that are spelt wrong

    def __getattr__(name: str) -> object:
        """Kit objects of installed packages (entry point ``explain.kit``)."""
        from explainers import extensions

        if name in extensions.offered("explain.kit"):
            return extensions.load("explain.kit", name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
